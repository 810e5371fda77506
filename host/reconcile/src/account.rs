//! The accounting equation: every selected record came to exactly one end.
//!
//! An [`Account`] exists only where the equation holds. It does not say why a record came to its end; the ledger does.

use model::ledger::OutcomeKind;

/// What became of the records of one object, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// New at the destination.
    pub created: u64,
    /// Changed at the destination.
    pub updated: u64,
    /// Already as they should be.
    pub unchanged: u64,
    /// Bound to the record of a survivor.
    pub linked: u64,
    /// Ruled out.
    pub excluded: u64,
    /// Refused, or held for a person.
    pub failed: u64,
}

impl Tally {
    /// Counts one more record of that end.
    pub fn add(&mut self, outcome: OutcomeKind) {
        self.add_many(outcome, 1);
    }

    /// Counts `count` more records of that end.
    pub fn add_many(&mut self, outcome: OutcomeKind, count: u64) {
        let counter = match outcome {
            OutcomeKind::Created => &mut self.created,
            OutcomeKind::Updated => &mut self.updated,
            OutcomeKind::Unchanged => &mut self.unchanged,
            OutcomeKind::Linked => &mut self.linked,
            OutcomeKind::Excluded => &mut self.excluded,
            OutcomeKind::Failed => &mut self.failed,
        };
        *counter = counter.saturating_add(count);
    }

    fn total(&self) -> Option<u64> {
        let ends = [
            self.created,
            self.updated,
            self.unchanged,
            self.linked,
            self.excluded,
            self.failed,
        ];
        ends.into_iter().try_fold(0_u64, u64::checked_add)
    }
}

/// Says that records are missing from the account, or are in it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{selected} records were selected, and {} are accounted for", .tally.total().map_or_else(|| "too many".to_owned(), |total| total.to_string()))]
pub struct Unbalanced {
    /// Records of the source.
    pub selected: u64,
    /// What became of them.
    pub tally: Tally,
}

/// A balanced account: `selected = created + updated + unchanged + excluded + failed`, where the linked are among the excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    selected: u64,
    tally: Tally,
}

impl Account {
    /// Balances the account.
    ///
    /// # Errors
    /// When the ends do not add up to `selected`.
    pub fn new(selected: u64, tally: Tally) -> Result<Self, Unbalanced> {
        if tally.total() == Some(selected) {
            Ok(Self { selected, tally })
        } else {
            Err(Unbalanced { selected, tally })
        }
    }

    /// Records of the source.
    pub fn selected(&self) -> u64 {
        self.selected
    }

    /// New at the destination.
    pub fn created(&self) -> u64 {
        self.tally.created
    }

    /// Changed at the destination.
    pub fn updated(&self) -> u64 {
        self.tally.updated
    }

    /// Already as they should be.
    pub fn unchanged(&self) -> u64 {
        self.tally.unchanged
    }

    /// Left out by a rule, the linked ones included.
    pub fn excluded(&self) -> u64 {
        self.tally.excluded + self.tally.linked
    }

    /// Those of the excluded that another record stands for.
    pub fn linked(&self) -> u64 {
        self.tally.linked
    }

    /// Refused, or held for a person.
    pub fn failed(&self) -> u64 {
        self.tally.failed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_record_missing_is_told() {
        let tally = Tally {
            created: 2,
            linked: 1,
            ..Tally::default()
        };
        assert_eq!(
            Account::new(4, tally).unwrap_err().to_string(),
            "4 records were selected, and 3 are accounted for"
        );
        let overflow = Tally {
            created: u64::MAX,
            failed: 1,
            ..Tally::default()
        };
        assert!(Account::new(0, overflow).is_err());
    }

    proptest! {
        #[test]
        fn an_account_adds_up_or_is_none(outcomes in prop::collection::vec(prop::sample::select(OutcomeKind::ALL.to_vec()), 0..50), off in -2_i64..3) {
            let mut tally = Tally::default();
            outcomes.iter().for_each(|outcome| tally.add(*outcome));
            let selected = (outcomes.len() as u64).saturating_add_signed(off);
            match Account::new(selected, tally) {
                Ok(account) => {
                    prop_assert_eq!(selected, outcomes.len() as u64);
                    let ends = account.created() + account.updated() + account.unchanged() + account.excluded() + account.failed();
                    prop_assert_eq!(account.selected(), ends);
                }
                Err(unbalanced) => prop_assert!(selected != outcomes.len() as u64, "{}", unbalanced),
            }
        }
    }
}
