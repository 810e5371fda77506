//! Compares every custom value of the truth with its property at the destination.
//!
//! Standard fields are another file's.

use simulators::truth::{FieldDef, FieldKind, Kind};

use super::Tally;
use super::expected::{Part, Want, is_number, parts};
use super::house::{House, Row, chosen};
use super::pair::{account, can_link, is_refused};
use super::source::{Account, Record, object};

pub(crate) fn every_custom_field_value_is_at_the_destination_or_accounted(house: &House) {
    let account = account();
    let zone = account.crm.base().company().time_zone;
    let mut tally = Tally::default();
    for record in account.with_custom() {
        let fields = account.crm.base().fields(record.kind);
        assert_eq!(
            fields.len(),
            record.custom.0.len(),
            "{} {}",
            record.object,
            record.id
        );
        let Some(row) = house.find(record.object, &record.id) else {
            let why = house.why_left_out(record.object, &record.id);
            if why.is_some() && is_refused(house, record.object, &record.id) {
                tally.account("lead without a contact");
                continue;
            }
            tally.wrong.push(format!(
                "{} {} is not at the destination: {why:?}",
                record.object, record.id
            ));
            continue;
        };
        let place = Place {
            account,
            house,
            record: &record,
            row,
        };
        for (at, (field, value)) in fields.iter().zip(&record.custom.0).enumerate() {
            let Some(value) = value else {
                place.stays_blank(field, &mut tally);
                continue;
            };
            let key = account.key(record.kind, at);
            for part in parts(field, value, zone, record.kind == Kind::Lead) {
                place.compare(&part, &format!("{key}{}", part.suffix), &mut tally);
            }
        }
    }
    println!(
        "{} custom values compared; not in their place and accounted: {:?}",
        tally.compared, tally.accounted
    );
    tally.end(3_500);
}

/// Where a record's values must be.
struct Place<'a> {
    account: &'a Account,
    house: &'a House,
    record: &'a Record,
    row: &'a Row,
}

impl Place<'_> {
    fn compare(&self, part: &Part, field: &str, tally: &mut Tally) {
        let (source, id) = (self.record.object, self.record.id.as_str());
        let told = |codes: &[&str], field: &str| self.house.names(codes, source, id, field);
        let is_there = match &part.want {
            Want::Link(kind, number) => self.is_linked(&part.label, *kind, *number),
            want => self.holds(&part.label, want),
        };
        match (&part.want, is_there) {
            (_, Ok(())) => tally.compared += 1,
            // The record that is kept has another value: the one left out is named.
            (_, Err(_)) if self.house.is_duplicate(source, id) && told(&["lossy-value"], field) => {
                tally.account("value of a duplicate");
            }
            (Want::Owner(_), Err(_)) if told(&["unknown-owner"], field) => {
                tally.account("unknown owner")
            }
            (Want::Link(kind, number), Err(_))
                if told(&["missing-end"], &self.end(*kind, *number)) =>
            {
                tally.account("missing end");
            }
            (Want::Link(kind, number), Err(_))
                if !can_link(self.house, source, object(*kind))
                    && self.is_told_unlinkable(part, field, &self.end(*kind, *number)) =>
            {
                tally.account("link that the destination does not have");
            }
            (Want::Link(kind, number), Err(_))
                if self.is_own(*kind, *number)
                    && self.is_told_unlinkable(part, field, &self.end(*kind, *number)) =>
            {
                tally.account("link between two records that are one");
            }
            (_, Err(why)) => {
                tally.check(false, || {
                    format!("{source} {id}, {:?} ({field}): {why}", part.label)
                });
            }
        }
    }

    /// What was never filled is not filled at the destination either.
    fn stays_blank(&self, field: &FieldDef, tally: &mut Tally) {
        let is_link = matches!(field.kind, FieldKind::Link(kind) if kind != Kind::User);
        if is_link || self.house.is_duplicate(self.record.object, &self.record.id) {
            return;
        }
        match self
            .house
            .property(House::object(self.record.object), &field.name)
        {
            Ok(property) => {
                let cell = self.row.text(&property.name);
                if cell.is_some() {
                    let (source, id) = (self.record.object, &self.record.id);
                    tally.wrong.push(format!(
                        "{source} {id}, {:?}: {cell:?} is made up",
                        field.name
                    ));
                }
            }
            Err(why) => tally.wrong.push(why),
        }
    }

    /// Whether the workbook says that the destination has no such association: of the field as a whole, or of this one.
    fn is_told_unlinkable(&self, part: &Part, field: &str, end: &str) -> bool {
        let (source, id) = (self.record.object, self.record.id.as_str());
        let labelled = format!("{end} labelled {:?}", part.label);
        self.house.names(&["unmapped-field"], source, "", field)
            || self.house.names(&["refused-record"], source, id, &labelled)
    }

    /// Whether the other end became the same record as this one: none is associated with itself.
    fn is_own(&self, kind: Kind, number: u64) -> bool {
        let (from, to) = (
            House::object(self.record.object),
            House::object(object(kind)),
        );
        let other = self
            .house
            .find(object(kind), &self.account.id(kind, number));
        from == to && other.is_some_and(|other| other.id == self.row.id)
    }

    /// A link's other end as findings name it.
    fn end(&self, kind: Kind, number: u64) -> String {
        format!("{} {}", object(kind), self.account.id(kind, number))
    }

    fn holds(&self, label: &str, want: &Want) -> Result<(), String> {
        let property = self
            .house
            .property(House::object(self.record.object), label)?;
        let cell = self.row.text(&property.name);
        let holds = match want {
            Want::Text(text) => cell.as_deref() == Some(text),
            Want::Number(number) => is_number(cell.as_deref(), number),
            Want::Options(options) => {
                let chosen = chosen(cell.as_deref());
                options.len() == chosen.len()
                    && options.iter().all(|(id, label)| {
                        // An option that the field does not list any more has nothing but its id.
                        let label = label.clone().unwrap_or_else(|| id.to_string());
                        let listed = property.options.iter().filter(|(_, other)| *other == label);
                        listed
                            .map(|(value, _)| value)
                            .any(|value| chosen.contains(value))
                    })
            }
            Want::Owner(number) => self.holds_owner(cell.as_deref(), *number)?,
            Want::Link(..) => unreachable!("links are no cells"),
        };
        if holds {
            Ok(())
        } else {
            Err(format!("{} holds {cell:?}, not {want:?}", property.name))
        }
    }

    fn holds_owner(&self, cell: Option<&str>, number: u64) -> Result<bool, String> {
        let owner = self
            .house
            .find("user", &number.to_string())
            .ok_or_else(|| format!("user {number} is not at the destination"))?;
        Ok(cell == Some(&owner.id.to_string()))
    }

    fn is_linked(&self, label: &str, kind: Kind, number: u64) -> Result<(), String> {
        let end = self.end(kind, number);
        let other = self
            .house
            .find(object(kind), &self.account.id(kind, number));
        let other = other
            .ok_or_else(|| format!("{end} is not at the destination, and no finding says so"))?;
        let (from, to) = (
            House::object(self.record.object),
            House::object(object(kind)),
        );
        if self
            .house
            .is_linked((from, self.row.id), (to, other.id), label)
        {
            Ok(())
        } else {
            Err(format!(
                "{from} {} is not linked to {to} {} ({end})",
                self.row.id, other.id
            ))
        }
    }
}
