//! What the source's people know, compared with what stands at the destination after the real binary moved it: value for value.
//!
//! The truth is computed here by the simulator's own generator; nothing of the connector or the host is asked. A value that is not in
//! its place must be named in the audit workbook, by record and field.

mod house;

mod source;

mod expected;

mod pair;

mod custom;

mod standard;

mod sales;

mod engagements;

mod associations;

mod crm_sample;

use std::collections::BTreeMap;

/// What a comparison came to: how many values were compared, which of them only the workbook accounts for, and what is wrong.
#[derive(Debug, Default)]
struct Tally {
    compared: u64,
    /// Values that are not in their place and that the workbook names, by what they are.
    accounted: BTreeMap<&'static str, u64>,
    wrong: Vec<String>,
}

impl Tally {
    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        self.compared += 1;
        if !holds {
            self.wrong.push(what());
        }
    }

    fn account(&mut self, what: &'static str) {
        self.compared += 1;
        *self.accounted.entry(what).or_default() += 1;
    }

    /// Ends the comparison: nothing is wrong, and enough was compared to mean something.
    #[track_caller]
    fn end(self, least: u64) {
        let first: Vec<_> = self.wrong.iter().take(60).collect();
        assert!(
            self.wrong.is_empty(),
            "{} of {} values are wrong, among them {first:#?}",
            self.wrong.len(),
            self.compared
        );
        assert!(
            self.compared >= least,
            "only {} values were compared; accounted: {:?}",
            self.compared,
            self.accounted
        );
    }
}
