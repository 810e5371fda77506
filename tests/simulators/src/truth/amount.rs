//! Holds exact decimal numbers: units and a scale, never a float.
//!
//! It does no arithmetic beyond what line items need.

use std::fmt;

/// An exact decimal: `units / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// The digits as one whole number.
    pub units: i64,
    /// How many of the digits stand behind the point, 0 to 9.
    pub scale: u8,
}

impl Amount {
    /// A whole number.
    pub const fn whole(units: i64) -> Self {
        Self { units, scale: 0 }
    }

    /// Hundredths.
    pub const fn cents(units: i64) -> Self {
        Self { units, scale: 2 }
    }

    /// Reads plain decimal digits, such as `-12.50`; nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, tail) = text.split_once('.').unwrap_or((text, ""));
        let scale = u8::try_from(tail.len()).ok().filter(|scale| *scale <= 9)?;
        let units = format!("{head}{tail}").parse().ok()?;
        Some(Self { units, scale })
    }

    /// The hundredths, rounded toward zero.
    pub fn in_cents(self) -> i64 {
        let scale = u32::from(self.scale);
        if scale <= 2 {
            self.units * 10i64.pow(2 - scale)
        } else {
            self.units / 10i64.pow(scale - 2)
        }
    }
}

/// Digits without superfluous zeros, as a JSON number: `1200.5`, `-3`, `0`.
impl fmt::Display for Amount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut units = self.units.unsigned_abs();
        let mut scale = usize::from(self.scale);
        while scale > 0 && units.is_multiple_of(10) {
            units /= 10;
            scale -= 1;
        }
        if self.units < 0 {
            out.write_str("-")?;
        }
        let base = 10u64.pow(scale as u32);
        write!(out, "{}", units / base)?;
        if scale > 0 {
            write!(out, ".{:0scale$}", units % base)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(Amount::parse(text).unwrap().to_string(), expected);
    }

    #[test]
    fn prints_without_superfluous_zeros() {
        check("1100.04", "1100.04");
        check("1200.50", "1200.5");
        check("-0.05", "-0.05");
        check("0.00", "0");
        check("7", "7");
        assert_eq!(Amount::parse("1e3"), None);
        assert_eq!(Amount::parse("12.5").unwrap().in_cents(), 1250);
    }
}
