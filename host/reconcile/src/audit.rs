//! What the audit counts: how each property is filled, and whether the destination holds what was planned.
//!
//! It streams: memory grows with the properties, not with the records. The workbook is not made here.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use model::mapping::Binding;
use model::{ObjectInfo, RecordRef, Value, ValueRef};

use crate::carry::{Directory, is_as_planned};
use crate::planner::{Entry, ObjectPlanner};

/// Up to how many different values are counted exactly.
pub const DISTINCT_MAX: usize = 10_000;

/// How many different values there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distinct {
    /// That many.
    Exactly(u64),
    /// More than that many.
    MoreThan(u64),
}

/// How one property is filled over all records given.
#[derive(Clone, Debug, Default)]
pub struct FieldStatistics {
    filled: u64,
    seen: HashSet<u64, BuildHasherDefault<DefaultHasher>>,
    has_more: bool,
    longest_chars: u64,
    least: Option<Value>,
    most: Option<Value>,
}

impl FieldStatistics {
    /// Counts the value of one record; a blank one counts as nothing.
    pub fn add(&mut self, value: ValueRef<'_>) {
        if value.is_blank() {
            return;
        }
        self.filled += 1;
        if !self.has_more {
            self.seen.insert(hash(value));
            if self.seen.len() > DISTINCT_MAX {
                (self.has_more, self.seen) = (true, HashSet::default());
            }
        }
        if let ValueRef::Text(text) = value {
            // A text has at most as many characters as bytes, so most are not counted.
            if text.len() as u64 > self.longest_chars {
                self.longest_chars = self.longest_chars.max(text.chars().count() as u64);
            }
            return;
        }
        if self
            .least
            .as_ref()
            .is_none_or(|least| is_less(value, least.as_ref()))
        {
            self.least = ordered(value);
        }
        if self
            .most
            .as_ref()
            .is_none_or(|most| is_less(most.as_ref(), value))
        {
            self.most = ordered(value);
        }
    }

    /// Records that have a value.
    pub fn filled(&self) -> u64 {
        self.filled
    }

    /// Different values. They are told apart by 64-bit hashes: two of ten thousand fall together once in 10^11 properties.
    pub fn distinct(&self) -> Distinct {
        if self.has_more {
            Distinct::MoreThan(DISTINCT_MAX as u64)
        } else {
            Distinct::Exactly(self.seen.len() as u64)
        }
    }

    /// The longest text, in characters; 0 where there is none.
    pub fn longest_chars(&self) -> u64 {
        self.longest_chars
    }

    /// The least number, date, instant or time; `None` for other kinds and where nothing is filled.
    pub fn least(&self) -> Option<&Value> {
        self.least.as_ref()
    }

    /// The greatest, likewise.
    pub fn most(&self) -> Option<&Value> {
        self.most.as_ref()
    }
}

fn ordered(value: ValueRef<'_>) -> Option<Value> {
    let has_order = !matches!(
        value,
        ValueRef::Null | ValueRef::Text(_) | ValueRef::Boolean(_) | ValueRef::Options(_)
    );
    has_order.then(|| value.to_owned())
}

fn is_less(left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    match (left, right) {
        (ValueRef::Integer(left), ValueRef::Integer(right)) => left < right,
        (ValueRef::Decimal(left), ValueRef::Decimal(right)) => left < right,
        (ValueRef::Date(left), ValueRef::Date(right)) => left < right,
        (ValueRef::Instant(left), ValueRef::Instant(right)) => left < right,
        (ValueRef::Time(left), ValueRef::Time(right)) => left < right,
        _ => false,
    }
}

fn hash(value: ValueRef<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value {
        ValueRef::Null => 0_u8.hash(&mut hasher),
        ValueRef::Text(text) => text.hash(&mut hasher),
        ValueRef::Integer(number) => number.hash(&mut hasher),
        // Equal numbers of different scale have one hash.
        ValueRef::Decimal(number) => number.hash(&mut hasher),
        ValueRef::Boolean(flag) => flag.hash(&mut hasher),
        ValueRef::Date(date) => date.hash(&mut hasher),
        ValueRef::Instant(instant) => instant.hash(&mut hasher),
        ValueRef::Time(time) => time.hash(&mut hasher),
        // One choice is one value, in whatever order it is listed.
        ValueRef::Options(options) => {
            let of = |option: &str| {
                let mut hasher = DefaultHasher::new();
                option.hash(&mut hasher);
                hasher.finish()
            };
            options
                .iter()
                .fold(0_u64, |sum, option| sum.wrapping_add(of(option)))
                .hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// How all properties of one object are filled.
#[derive(Clone, Debug, Default)]
pub struct ObjectStatistics {
    records: u64,
    fields: Vec<FieldStatistics>,
}

impl ObjectStatistics {
    /// Nothing counted yet; records given are of that object's table.
    pub fn new(object: &ObjectInfo) -> Self {
        Self {
            records: 0,
            fields: vec![FieldStatistics::default(); object.fields.len()],
        }
    }

    /// Counts one record.
    pub fn add(&mut self, record: RecordRef<'_>) {
        self.records += 1;
        for (field, value) in record.fields() {
            if let Some(statistics) = self.fields.get_mut(usize::from(field)) {
                statistics.add(value);
            }
        }
    }

    /// Records counted.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Records that have nothing in that property.
    pub fn blank(&self, field: u16) -> u64 {
        self.records
            - self
                .fields
                .get(usize::from(field))
                .map_or(0, FieldStatistics::filled)
    }

    /// The statistics by position in the object's table.
    pub fn fields(&self) -> &[FieldStatistics] {
        &self.fields
    }
}

/// A property in which the destination holds something else than was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The property.
    pub property: String,
    /// What was planned, for a person.
    pub planned: String,
    /// What is there, for a person; empty for blank.
    pub actual: String,
}

/// Compares planned rows with the records that were read back.
#[derive(Clone, Debug)]
pub struct ReadBack<'p> {
    /// By position in the planned table: the entry, and the position in the table that was read back.
    entries: Vec<Option<(&'p Entry, Option<u16>)>>,
}

impl<'p> ReadBack<'p> {
    /// Compiles the comparison. Planned records are of the planner's planned table, records read back of `actual`.
    pub fn new(planner: &'p ObjectPlanner, actual: &ObjectInfo) -> Self {
        let mut entries = vec![None; planner.planned.fields.len()];
        for entry in &planner.entries {
            entries[usize::from(entry.planned)] =
                Some((entry, actual.fields.find(&entry.property)));
        }
        Self { entries }
    }

    /// The entry that fills that field of the planned table.
    pub(crate) fn entry(&self, field: u16) -> Option<&'p Entry> {
        let (entry, _) = self.entries.get(usize::from(field)).copied().flatten()?;
        Some(entry)
    }

    /// The entries of properties that the planned row leaves out, with their positions in the table that was read back.
    pub(crate) fn unwritten(
        &self,
        planned: RecordRef<'_>,
    ) -> impl Iterator<Item = (&'p Entry, u16)> {
        let written: HashSet<u16> = planned.fields().map(|(field, _)| field).collect();
        let entries = (0_u16..).zip(&self.entries);
        entries.filter_map(move |(field, entry)| {
            let (entry, position) = (*entry)?;
            Some((entry, position?)).filter(|_| !written.contains(&field))
        })
    }

    /// The properties of the planned row that the destination does not hold as planned, added to `differences`. Planned ids of the
    /// source are compared as what `directory` says they are bound to; one that never came to the destination is planned as blank.
    pub fn compare(
        &self,
        planned: RecordRef<'_>,
        actual: RecordRef<'_>,
        directory: &dyn Directory,
        differences: &mut Vec<Difference>,
    ) {
        for (field, value) in planned.fields() {
            let Some((entry, position)) = self.entries.get(usize::from(field)).copied().flatten()
            else {
                continue;
            };
            let there = position
                .and_then(|position| actual.find_field(position))
                .unwrap_or(ValueRef::Null);
            let is_as_bound = || match value {
                ValueRef::Text(id) if entry.binding != Binding::None => {
                    there.is_blank() && directory.find_bound(&entry.binding, id).is_none()
                }
                _ => false,
            };
            if !is_as_planned(entry, value, there, directory) && !is_as_bound() {
                let (property, planned, actual) =
                    (entry.property.clone(), value.to_string(), there.to_string());
                differences.push(Difference {
                    property,
                    planned,
                    actual,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> FieldStatistics {
        let mut statistics = FieldStatistics::default();
        values.into_iter().for_each(|value| statistics.add(value));
        statistics
    }

    #[test]
    fn texts_are_counted_in_characters_and_blanks_are_nothing() {
        let statistics = count([
            ValueRef::Text("äöü"),
            ValueRef::Text(""),
            ValueRef::Null,
            ValueRef::Text("ab"),
            ValueRef::Text("äöü"),
        ]);
        assert_eq!(
            (
                statistics.filled(),
                statistics.longest_chars(),
                statistics.distinct()
            ),
            (3, 3, Distinct::Exactly(2))
        );
        assert_eq!(statistics.least(), None);
    }

    #[test]
    fn numbers_have_a_range_and_equal_numbers_are_one() {
        let decimal = |text: &str| ValueRef::Decimal(model::Decimal::from_str_exact(text).unwrap());
        let statistics = count([decimal("1.50"), decimal("-2"), decimal("1.5")]);
        assert_eq!(statistics.distinct(), Distinct::Exactly(2));
        assert_eq!(
            (statistics.least(), statistics.most()),
            (
                Some(&decimal("-2").to_owned()),
                Some(&decimal("1.5").to_owned())
            )
        );
    }

    #[test]
    fn many_values_are_more_than_the_limit() {
        let all = 0..i64::try_from(DISTINCT_MAX).unwrap();
        assert_eq!(
            count(all.clone().map(ValueRef::Integer)).distinct(),
            Distinct::Exactly(10_000)
        );
        assert_eq!(
            count(all.chain([-1]).map(ValueRef::Integer)).distinct(),
            Distinct::MoreThan(10_000)
        );
    }

    proptest! {
        #[test]
        fn distinct_is_exact(values in prop::collection::vec("[a-c]{0,2}", 0..60)) {
            let filled: HashSet<&String> = values.iter().filter(|value| !value.is_empty()).collect();
            let statistics = count(values.iter().map(|value| ValueRef::Text(value)));
            prop_assert_eq!(statistics.distinct(), Distinct::Exactly(filled.len() as u64));
        }
    }
}
