//! What agreement is worth: the weight of each level of each field in bits, and the probability that a pair is one.
//!
//! A weight is log2(m/u) of Fellegi and Sunter (1969), with the frequency of the very value in place of u where two are equal (Winkler
//! 2000). It estimates nothing; that is [`super::train`]'s.

use super::dependence::{self, Tie};
use super::level::{FIELDS_MAX, Level, Levels};
use super::records::Sorted;
use super::statistics::{FieldStatistics, Shares};

/// What a field's agreement is worth.
#[derive(Clone, Debug)]
pub(super) struct FieldModel {
    /// The share of each level among pairs that are one, where both have a value: the m-probabilities.
    pub(super) matched: Shares,
    pub(super) statistics: FieldStatistics,
    /// log2(m/u) by level; that of exact is the average.
    pub(super) bits: [f64; 6],
}

/// What all fields' agreement is worth together.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) fields: Vec<FieldModel>,
    /// Fields that agree together more often than each for itself.
    pub(super) ties: Vec<Tie>,
    /// log2 of the odds that any two records are one.
    pub(super) prior: f64,
}

impl FieldModel {
    pub(super) fn new(matched: Shares, statistics: FieldStatistics) -> Self {
        let mut field = Self {
            matched,
            statistics,
            bits: [0.0; 6],
        };
        field.relearn(matched);
        field
    }

    /// Takes other m-probabilities.
    pub(super) fn relearn(&mut self, matched: Shares) {
        let unmatched = &self.statistics.unmatched;
        let mut most = f64::INFINITY;
        // A level further down the ladder is never worth more than the one above it, whatever a small sample says.
        for level in [Level::Exact, Level::Near, Level::Far, Level::Differ] {
            let at = level as usize;
            most = most.min((matched[at] / unmatched[at]).log2());
            self.bits[at] = most;
        }
        // Both fields are swapped at once, which is one slip and two coincidences.
        let at = Level::Swapped as usize;
        self.bits[at] = (matched[at].sqrt() / unmatched[at]).log2();
        self.matched = matched;
    }

    /// What exact agreement on that value is worth.
    fn exact_bits(&self, token: u32) -> f64 {
        let chance = self.statistics.chance[token as usize];
        (self.matched[Level::Exact as usize] / f64::from(chance)).log2()
    }
}

impl Model {
    /// The sum of the levels' weights, without looking at the values.
    pub(super) fn average_bits(&self, levels: Levels) -> f64 {
        let bits = self.weights(levels, |_, field, level| field.bits[level as usize]);
        bits.iter().sum()
    }

    /// The weight of a pair, of which one record is named.
    pub(super) fn bits(&self, records: &Sorted, levels: Levels, left: u32) -> f64 {
        self.field_bits(records, levels, left).iter().sum()
    }

    /// The weight of each field of a pair, of which one record is named.
    pub(super) fn field_bits(
        &self,
        records: &Sorted,
        levels: Levels,
        left: u32,
    ) -> [f64; FIELDS_MAX] {
        self.weights(levels, |at, field, level| match level {
            Level::Exact => field.exact_bits(records.fields[at].cells[left as usize]),
            level => field.bits[level as usize],
        })
    }

    fn weights(
        &self,
        levels: Levels,
        weight: impl Fn(usize, &FieldModel, Level) -> f64,
    ) -> [f64; FIELDS_MAX] {
        let mut bits = [0.0; FIELDS_MAX];
        for (at, field) in self.fields.iter().enumerate() {
            bits[at] = weight(at, field, levels.get(at));
        }
        dependence::damp(&self.ties, levels, &mut bits);
        bits
    }

    /// The probability that a pair of that weight is one.
    pub(super) fn probability(&self, bits: f64) -> f64 {
        1.0 / (1.0 + (-(self.prior + bits)).exp2())
    }
}
