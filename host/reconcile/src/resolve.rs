//! Conflicts: what becomes of one field of one bound record whose two sides may both have changed since they were last looked at.
//!
//! Three ways are compared: what each side holds, and what it held then. A conflict is a value that is decided by a rule and can be shown
//! with both its sides. When sides are read, and who writes, is not decided here. All values are in the destination's terms.

use model::mapping::{Blank, ConflictMode, ConflictRule, Direction, FieldRules, Winner, Write};
use model::{
    FieldKind, Finding, FindingCode, Instant, ObjectName, SourceRecordId, Value, ValueRef,
};

use crate::convert::is_equal;

/// Edits further apart than this are no conflict in [`ConflictMode::Close`], in microseconds: five minutes.
const CLOSE_US: u64 = 5 * 60 * 1_000_000;

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The source: the app.
    Source,
    /// The destination: HubSpot.
    Destination,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Source => Self::Destination,
            Self::Destination => Self::Source,
        }
    }
}

/// What a side holds.
#[derive(Clone, Copy, Debug)]
pub struct Held<'v> {
    /// The value now.
    pub value: ValueRef<'v>,
    /// What it was when both sides were last looked at; `None` before the first time.
    pub base: Option<ValueRef<'v>>,
    /// When it was edited last, where that is known.
    pub edited_at: Option<Instant>,
}

/// One field as both sides have it.
#[derive(Clone, Copy, Debug)]
pub struct Field<'v> {
    /// The destination's property.
    pub property: &'v str,
    /// Its kind, by which values are compared.
    pub kind: FieldKind,
    /// The source.
    pub source: Held<'v>,
    /// The destination.
    pub destination: Held<'v>,
    /// When it is written.
    pub rules: &'v FieldRules,
}

/// What decided a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// That side wins by the field's or the object's rule.
    Rule,
    /// That side was edited later, and the rule is the latest edit.
    LaterEdit,
    /// The rule is the latest edit, and which it is cannot be told: the destination wins.
    NoLatest,
}

/// What becomes of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution {
    /// Nothing: both agree, nothing changed, or what changed may not overwrite.
    Nothing,
    /// That side's value goes to the other; no conflict.
    Take(Side),
    /// Both were edited: decided by a rule. The winner's value goes to the other side, unless it is blank: then each keeps its own.
    Conflict {
        /// Who wins.
        winner: Side,
        /// By what.
        because: Because,
        /// Whether the winner's value is written to the other side.
        writes: bool,
    },
}

/// A conflict for the log: both values, and the rule that decided.
#[derive(Clone, Debug, PartialEq)]
pub struct ConflictEntry {
    /// The source's object.
    pub object: ObjectName,
    /// The source's record.
    pub record: SourceRecordId,
    /// The destination's property.
    pub property: String,
    /// What both held when they agreed last; `None` where that is not known.
    pub base: Option<Value>,
    /// What the source holds.
    pub source: Value,
    /// What the destination holds.
    pub destination: Value,
    /// When the source was edited.
    pub source_edited_at: Option<Instant>,
    /// When the destination was edited.
    pub destination_edited_at: Option<Instant>,
    /// Who won.
    pub winner: Side,
    /// By what.
    pub because: Because,
    /// Whether the other side was overwritten; a blank winner overwrites nothing.
    pub overwritten: bool,
}

impl ConflictEntry {
    /// What a person is told.
    pub fn finding(&self) -> Finding {
        let winner = match self.winner {
            Side::Source => "the source",
            Side::Destination => "the destination",
        };
        let why = match self.because {
            Because::Rule => "by its rule",
            Because::LaterEdit => "as the later edit",
            Because::NoLatest => "because the later edit cannot be told",
        };
        let kept = if self.overwritten {
            ""
        } else {
            "; it is blank, so both values stay"
        };
        Finding {
            code: FindingCode::Conflict,
            object: self.object.clone(),
            record: Some(self.record.to_string()),
            field: Some(self.property.clone()),
            message: format!(
                "both sides were edited: the source has {:?}, the destination {:?}; {winner} wins {why}{kept}",
                self.source.as_ref().to_string(),
                self.destination.as_ref().to_string()
            ),
        }
    }
}

/// What becomes of a record: values to write to each side, by property, and the conflicts that were decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordResolution {
    /// To the destination.
    pub to_destination: Vec<(String, Value)>,
    /// To the source.
    pub to_source: Vec<(String, Value)>,
    /// Each conflict.
    pub conflicts: Vec<ConflictEntry>,
}

/// Resolves all fields of one bound record, in their order.
pub fn resolve_record<'v>(
    object: &ObjectName,
    record: &SourceRecordId,
    fields: impl IntoIterator<Item = Field<'v>>,
    rule: ConflictRule,
) -> RecordResolution {
    let mut resolved = RecordResolution::default();
    for field in fields {
        let from = match resolve(&field, rule) {
            Resolution::Nothing => continue,
            Resolution::Take(side) => Some(side),
            Resolution::Conflict {
                winner,
                because,
                writes,
            } => {
                let is_base_one = |(one, other)| is_same(field.kind, one, other);
                let bases = field.source.base.zip(field.destination.base);
                resolved.conflicts.push(ConflictEntry {
                    object: object.clone(),
                    record: record.clone(),
                    property: field.property.to_owned(),
                    base: bases
                        .filter(|bases| is_base_one(*bases))
                        .map(|(base, _)| base.to_owned()),
                    source: field.source.value.to_owned(),
                    destination: field.destination.value.to_owned(),
                    source_edited_at: field.source.edited_at,
                    destination_edited_at: field.destination.edited_at,
                    winner,
                    because,
                    overwritten: writes,
                });
                writes.then_some(winner)
            }
        };
        let written = |held: Held<'_>| (field.property.to_owned(), held.value.to_owned());
        match from {
            Some(Side::Source) => resolved.to_destination.push(written(field.source)),
            Some(Side::Destination) => resolved.to_source.push(written(field.destination)),
            None => {}
        }
    }
    resolved
}

/// Resolves one field.
pub fn resolve(field: &Field<'_>, rule: ConflictRule) -> Resolution {
    let (source, destination) = (field.source, field.destination);
    if is_same(field.kind, source.value, destination.value) {
        return Resolution::Nothing;
    }
    let take = |side: Side| match may_write(field, side) {
        true => Resolution::Take(side),
        false => Resolution::Nothing,
    };
    match field.rules.direction {
        // The side that the data come from wins, edited or not.
        Direction::ToDestination => return take(Side::Source),
        Direction::ToSource => return take(Side::Destination),
        Direction::Both => {}
    }
    let has_changed = |held: Held<'_>| {
        held.base
            .is_none_or(|base| !is_same(field.kind, base, held.value))
    };
    match (has_changed(source), has_changed(destination)) {
        (false, false) => return Resolution::Nothing,
        (true, false) => return take(Side::Source),
        (false, true) => return take(Side::Destination),
        (true, true) => {}
    }
    // Where they were never looked at before, what one of them lacks is no edit.
    let is_first = source.base.is_none() && destination.base.is_none();
    if is_first && source.value.is_blank() {
        return take(Side::Destination);
    }
    if is_first && destination.value.is_blank() {
        return take(Side::Source);
    }
    let later = find_later(source.edited_at, destination.edited_at);
    if let (ConflictMode::Close, Some((side, apart_us))) = (rule.mode, later)
        && apart_us > CLOSE_US
    {
        return take(side);
    }
    let (winner, because) = match (field.rules.winner.unwrap_or(rule.winner), later) {
        (Winner::Destination, _) => (Side::Destination, Because::Rule),
        (Winner::Source, _) => (Side::Source, Because::Rule),
        (Winner::LatestEdit, Some((side, _))) => (side, Because::LaterEdit),
        (Winner::LatestEdit, None) => (Side::Destination, Because::NoLatest),
    };
    Resolution::Conflict {
        winner,
        because,
        writes: may_write(field, winner),
    }
}

/// Whether that side's value may go to the other: a blank clears only where the field says so, and the destination's value may be
/// protected.
fn may_write(field: &Field<'_>, from: Side) -> bool {
    let (value, there) = match from {
        Side::Source => (field.source.value, field.destination.value),
        Side::Destination => (field.destination.value, field.source.value),
    };
    let clears = field.rules.blank == Blank::Clear;
    let is_open = match (from.other(), field.rules.write) {
        (Side::Source, _) | (_, Write::Always) => true,
        (Side::Destination, Write::FillIfEmpty) => there.is_blank(),
        // The record is bound, so it is there.
        (Side::Destination, Write::NeverOverwrite) => false,
    };
    is_open && (clears || !value.is_blank())
}

/// Who was edited later, and by how many microseconds; `None` where one is not known, or both are equal.
fn find_later(source: Option<Instant>, destination: Option<Instant>) -> Option<(Side, u64)> {
    let (source, destination) = (source?.unix_us(), destination?.unix_us());
    let side = match source.cmp(&destination) {
        std::cmp::Ordering::Greater => Side::Source,
        std::cmp::Ordering::Less => Side::Destination,
        std::cmp::Ordering::Equal => return None,
    };
    Some((side, source.abs_diff(destination)))
}

fn is_same(kind: FieldKind, one: ValueRef<'_>, other: ValueRef<'_>) -> bool {
    (one.is_blank() && other.is_blank()) || is_equal(kind, one, other)
}

#[cfg(test)]
mod tests;
