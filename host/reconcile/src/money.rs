//! Money totals per pipeline, stage and currency, exact to the last digit, and the differences between two sides.
//!
//! Currencies are never added to each other. Which amount belongs to which stage is told by the caller.

use std::collections::BTreeMap;
use std::fmt;

use model::Decimal;

const SCALE: u32 = 28;
const ONE: i128 = 10_i128.pow(SCALE);

/// A sum of decimals without rounding, for more than 10^9 addends of any size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExactSum {
    whole: i128,
    /// In units of 10^-28, 0 to below one.
    fraction: i128,
}

impl ExactSum {
    /// Adds one amount.
    pub fn add(&mut self, amount: Decimal) {
        let one = 10_i128.pow(amount.scale());
        self.whole += amount.mantissa().div_euclid(one);
        self.fraction += amount.mantissa().rem_euclid(one) * 10_i128.pow(SCALE - amount.scale());
        if self.fraction >= ONE {
            self.fraction -= ONE;
            self.whole += 1;
        }
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for ExactSum {
    /// In full, at least two decimal places: `-1200.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_negative = self.whole < 0;
        let (whole, fraction) = match (is_negative, self.fraction) {
            (true, 0) => (-self.whole, 0),
            (true, fraction) => (-(self.whole + 1), ONE - fraction),
            (false, fraction) => (self.whole, fraction),
        };
        let digits = format!("{fraction:028}");
        let trimmed = digits.trim_end_matches('0').len().max(2);
        write!(
            f,
            "{}{whole}.{}",
            if is_negative { "-" } else { "" },
            &digits[..trimmed]
        )
    }
}

/// What amounts are added up by. Labels, so that both sides can be compared; a currency is its ISO 4217 code.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MoneyKey {
    /// Label of the pipeline; empty where there is none.
    pub pipeline: String,
    /// Label of the stage; empty where there is none.
    pub stage: String,
    /// Code of the currency; empty for the account's own.
    pub currency: String,
}

/// Records and money under one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MoneyTotal {
    /// Records, those without an amount included.
    pub records: u64,
    /// The sum of their amounts.
    pub amount: ExactSum,
}

/// Money totals of one object of one side. Their size grows with stages and currencies, not with records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoneyTotals {
    totals: BTreeMap<MoneyKey, MoneyTotal>,
}

/// A key under which the two sides do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyDifference {
    /// The key.
    pub key: MoneyKey,
    /// What the source has.
    pub source: MoneyTotal,
    /// What the destination has.
    pub destination: MoneyTotal,
}

impl MoneyTotals {
    /// Adds one record; `amount` is `None` where it has none.
    pub fn add(&mut self, key: &MoneyKey, amount: Option<Decimal>) {
        let total = match self.totals.get_mut(key) {
            Some(total) => total,
            None => self.totals.entry(key.clone()).or_default(),
        };
        total.records += 1;
        if let Some(amount) = amount {
            total.amount.add(amount);
        }
    }

    /// The totals, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&MoneyKey, &MoneyTotal)> {
        self.totals.iter()
    }

    /// The keys under which two sides differ, in records or in money; none where they agree to the last digit.
    pub fn difference(source: &Self, destination: &Self) -> Vec<MoneyDifference> {
        let keys: std::collections::BTreeSet<&MoneyKey> = source
            .totals
            .keys()
            .chain(destination.totals.keys())
            .collect();
        let find = |side: &Self, key: &MoneyKey| side.totals.get(key).copied().unwrap_or_default();
        keys.into_iter()
            .map(|key| MoneyDifference {
                key: key.clone(),
                source: find(source, key),
                destination: find(destination, key),
            })
            .filter(|difference| difference.source != difference.destination)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[track_caller]
    fn check(amounts: &[&str], expected: &str) {
        let mut sum = ExactSum::default();
        amounts.iter().for_each(|amount| sum.add(decimal(amount)));
        assert_eq!(sum.to_string(), expected);
    }

    #[test]
    fn sums_are_exact() {
        check(&[], "0.00");
        check(&["0.1", "0.2"], "0.30");
        check(&["-0.5"], "-0.50");
        check(&["-1200.50", "0.25"], "-1200.25");
        check(&["-3"], "-3.00");
        check(
            &[
                "79228162514264337593543950335",
                "79228162514264337593543950335",
            ],
            "158456325028528675187087900670.00",
        );
        check(
            &[
                "9999999999999999999999999999",
                "0.0000000000000000000000000001",
            ],
            "9999999999999999999999999999.0000000000000000000000000001",
        );
    }

    #[test]
    fn a_cent_or_a_record_of_difference_is_told() {
        let key = MoneyKey {
            stage: "Won".into(),
            currency: "EUR".into(),
            ..MoneyKey::default()
        };
        let (mut left, mut right) = (MoneyTotals::default(), MoneyTotals::default());
        left.add(&key, Some(decimal("10.00")));
        right.add(&key, Some(decimal("10.0")));
        assert_eq!(MoneyTotals::difference(&left, &right), []);
        right.add(&key, None);
        assert_eq!(MoneyTotals::difference(&left, &right).len(), 1);
        left.add(&key, Some(decimal("0.01")));
        let difference = &MoneyTotals::difference(&left, &right)[0];
        assert_eq!(
            (
                difference.source.amount.to_string(),
                difference.destination.amount.to_string()
            ),
            ("10.01".into(), "10.00".into())
        );
    }

    proptest! {
        #[test]
        fn sums_do_not_depend_on_order_or_scale(amounts in prop::collection::vec((any::<i64>(), 0_u32..19), 0..20)) {
            let (mut forward, mut backward) = (ExactSum::default(), ExactSum::default());
            for (mantissa, scale) in &amounts {
                forward.add(Decimal::from_i128_with_scale(i128::from(*mantissa), *scale));
            }
            for (mantissa, scale) in amounts.iter().rev() {
                backward.add(Decimal::from_i128_with_scale(i128::from(*mantissa) * 1_000, *scale + 3));
            }
            prop_assert_eq!(forward, backward);
            for (mantissa, scale) in &amounts {
                forward.add(Decimal::from_i128_with_scale(-i128::from(*mantissa), *scale));
            }
            prop_assert!(forward.is_zero());
        }
    }
}
