//! Says which values one custom value of the truth must become: a compound one becomes several, each with a property of its own.
//!
//! It does not look at the destination.

use simulators::truth::{Address, Amount, Day, FieldDef, FieldValue, Kind};

/// One value that must be at the destination.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// The property's label.
    pub(crate) label: String,
    /// What the field's key is followed by in the source's own name of the part.
    pub(crate) suffix: &'static str,
    pub(crate) want: Want,
}

/// What must stand there.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    /// The text, letter for letter.
    Text(String),
    /// The number, exactly.
    Number(String),
    /// The options: id at the source, and label where the field lists it.
    Options(Vec<(u32, Option<String>)>),
    /// The user as the record's own owner property.
    Owner(u64),
    /// An association to the record, labelled with the field's name.
    Link(Kind, u64),
}

/// The vendor's number of the company's time zone; the first generation's rows have only that.
const TIME_ZONE_ID: u32 = 171;

/// The parts of a value. `is_flat` where the object's rows are of the first generation: they lack what is derived.
pub(crate) fn parts(field: &FieldDef, value: &FieldValue, zone: &str, is_flat: bool) -> Vec<Part> {
    let own = |want| Part {
        label: field.name.clone(),
        suffix: "",
        want,
    };
    let part = |name: &str, suffix, want| Part {
        label: format!("{} ({name})", field.name),
        suffix,
        want,
    };
    let zones = || {
        let mut zones = vec![part(
            "time zone id",
            "_timezone_id",
            Want::Number(TIME_ZONE_ID.to_string()),
        )];
        if !is_flat {
            zones.push(part(
                "time zone",
                "_timezone_name",
                Want::Text(zone.to_owned()),
            ));
        }
        zones
    };
    let mut all = match value {
        FieldValue::Text(text) => vec![own(Want::Text(text.clone()))],
        FieldValue::Number(number) => vec![own(Want::Number(number.to_string()))],
        FieldValue::Choice(id) => vec![own(Want::Options(vec![labelled(field, *id)]))],
        FieldValue::Choices(ids) => vec![own(Want::Options(
            ids.iter().map(|id| labelled(field, *id)).collect(),
        ))],
        FieldValue::Day(at) => vec![own(Want::Text(day(*at)))],
        FieldValue::Days(first, last) => {
            vec![
                own(Want::Text(day(*first))),
                part("until", "_until", Want::Text(day(*last))),
            ]
        }
        FieldValue::Time(at) => [vec![own(Want::Text(clock(*at)))], zones()].concat(),
        FieldValue::Times(start, end) => {
            let times = vec![
                own(Want::Text(clock(*start))),
                part("until", "_until", Want::Text(clock(*end))),
            ];
            [times, zones()].concat()
        }
        FieldValue::Money(amount, currency) => vec![
            own(Want::Number(amount.to_string())),
            part("currency", "_currency", Want::Text((*currency).to_owned())),
        ],
        FieldValue::Address(address) => [
            vec![own(Want::Text(address.whole.clone()))],
            address_parts(address, &part),
        ]
        .concat(),
        FieldValue::Link(number) => match field.kind {
            simulators::truth::FieldKind::Link(Kind::User) => vec![own(Want::Owner(*number))],
            simulators::truth::FieldKind::Link(kind) => vec![own(Want::Link(kind, *number))],
            other => panic!("{}: a link in a field of kind {other:?}", field.name),
        },
    };
    all.retain(|part| !matches!(&part.want, Want::Text(text) if text.is_empty()));
    all
}

fn address_parts(address: &Address, part: &impl Fn(&str, &'static str, Want) -> Part) -> Vec<Part> {
    let told = [
        ("country", "_country", &address.country),
        ("state", "_admin_area_level_1", &address.region),
        ("city", "_locality", &address.town),
        ("street", "_route", &address.street),
        ("house number", "_street_number", &address.number),
        ("postal code", "_postal_code", &address.postal_code),
    ];
    told.into_iter()
        .map(|(name, suffix, text)| part(name, suffix, Want::Text(text.clone())))
        .collect()
}

fn labelled(field: &FieldDef, id: u32) -> (u32, Option<String>) {
    let listed = field.choices.iter().find(|choice| choice.id == id);
    assert!(
        listed.is_some() || field.removed_choice == Some(id),
        "option {id} of {}",
        field.name
    );
    (id, listed.map(|choice| choice.label.clone()))
}

/// `YYYY-MM-DD`.
pub(crate) fn day(day: Day) -> String {
    let (year, month, date) = day.civil();
    format!("{year:04}-{month:02}-{date:02}")
}

/// `HH:MM:SS`.
pub(crate) fn clock(seconds: u32) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Whether a column holds exactly that number.
pub(crate) fn is_number(cell: Option<&str>, want: &str) -> bool {
    let parse = |text: &str| text.parse::<rust_decimal::Decimal>().ok();
    cell.is_some_and(|cell| parse(cell).is_some() && parse(cell) == parse(want))
}

/// Whether a column holds exactly that amount.
pub(crate) fn is_amount(cell: Option<&str>, want: Amount) -> bool {
    is_number(cell, &want.to_string())
}
