//! Holds the vendor's own properties of every kind of record.
//!
//! They stand in tables beside this file, one property a line; flags: R read-only value, C calculated, H hidden, U unique value,
//! X options kept elsewhere, O options cannot be changed, F form field, $ money. An option is `value=Label`, or a value whose label is
//! its words.

use super::definition::{Choice, Definition, Maker, PropertyType, Values};
use super::objects::ObjectType;

/// 2020-06-30T15:57:37.277Z, about when recorded portals got theirs.
const CREATED: i64 = 1_593_532_657_277;
/// 2024-09-12T14:22:56.844Z
const UPDATED: i64 = 1_726_150_976_844;

const ALL: &str = include_str!("standard/all.csv");
const ENGAGEMENTS: &str = include_str!("standard/engagements.csv");

/// The tables of a kind of record, its own first.
fn tables(object: ObjectType) -> (&'static str, &'static [&'static str]) {
    match object {
        ObjectType::CONTACT => (
            "contactinformation",
            &[include_str!("standard/contacts.csv"), ALL],
        ),
        ObjectType::COMPANY => (
            "companyinformation",
            &[include_str!("standard/companies.csv"), ALL],
        ),
        ObjectType::DEAL => (
            "dealinformation",
            &[include_str!("standard/deals.csv"), ALL],
        ),
        ObjectType::TICKET => (
            "ticketinformation",
            &[include_str!("standard/tickets.csv"), ALL],
        ),
        ObjectType::LEAD => (
            "leadinformation",
            &[include_str!("standard/leads.csv"), ALL],
        ),
        ObjectType::PRODUCT => (
            "productinformation",
            &[include_str!("standard/products.csv"), ALL],
        ),
        ObjectType::LINE_ITEM => (
            "lineiteminformation",
            &[include_str!("standard/line_items.csv"), ALL],
        ),
        ObjectType::INVOICE => (
            "invoiceinformation",
            &[include_str!("standard/invoices.csv"), ALL],
        ),
        ObjectType::PROJECT => (
            "projectinformation",
            &[include_str!("standard/projects.csv"), ALL],
        ),
        ObjectType::NOTE => (
            "engagement",
            &[include_str!("standard/notes.csv"), ENGAGEMENTS, ALL],
        ),
        ObjectType::CALL => (
            "engagement",
            &[include_str!("standard/calls.csv"), ENGAGEMENTS, ALL],
        ),
        ObjectType::TASK => (
            "engagement",
            &[include_str!("standard/tasks.csv"), ENGAGEMENTS, ALL],
        ),
        ObjectType::MEETING => (
            "engagement",
            &[include_str!("standard/meetings.csv"), ENGAGEMENTS, ALL],
        ),
        ObjectType::EMAIL => (
            "engagement",
            &[include_str!("standard/emails.csv"), ENGAGEMENTS, ALL],
        ),
        ObjectType::COMMUNICATION => (
            "engagement",
            &[
                include_str!("standard/communications.csv"),
                ENGAGEMENTS,
                ALL,
            ],
        ),
        custom if custom.is_custom() => {
            ("information", &[include_str!("standard/custom.csv"), ALL])
        }
        _ => ("information", &[include_str!("standard/others.csv"), ALL]),
    }
}

/// Name of the group that a kind's own properties stand in; a custom object's is `<name>_information`.
pub(super) fn main_group(object: ObjectType, name: &str) -> String {
    if object.is_custom() {
        return format!("{name}_information");
    }
    tables(object).0.to_owned()
}

/// The vendor's properties of a kind of record whose name in the singular is `name`, names unique.
pub(super) fn definitions(object: ObjectType, name: &str) -> Vec<Definition> {
    let group = main_group(object, name);
    let mut found: Vec<Definition> = Vec::new();
    for table in tables(object).1 {
        let mut rows = csv::Reader::from_reader(table.as_bytes());
        for row in rows.records() {
            let row = row.expect("the tables are well-formed");
            let property = definition(&row, &group);
            if found.iter().all(|have| have.name != property.name) {
                found.push(property);
            }
        }
    }
    found
}

fn definition(row: &csv::StringRecord, main_group: &str) -> Definition {
    let [name, label, kind, group, flags, options] =
        std::array::from_fn(|column| row.get(column).expect("six columns"));
    let has = |flag: char| flags.contains(flag);
    let (kind, field_type, values) = types(kind);
    let group = if group == "information" {
        main_group
    } else {
        group
    };
    Definition {
        name: name.to_owned(),
        label: label.to_owned(),
        kind,
        field_type: field_type.to_owned(),
        description: String::new(),
        group: group.to_owned(),
        options: choices(kind, options),
        values: if has('X') { Values::Elsewhere } else { values },
        unique: has('U'),
        read_only: has('R'),
        calculated: has('C'),
        fixed_options: has('O'),
        hidden: has('H'),
        form_field: has('F'),
        currency: has('$'),
        display_order: -1,
        maker: Maker::HubSpot,
        created: CREATED,
        updated: UPDATED,
        archived: None,
    }
}

/// The short words of the tables.
fn types(word: &str) -> (PropertyType, &'static str, Values) {
    use PropertyType::{Bool, Date, DateTime, Enumeration, Number, String};
    match word {
        "text" => (String, "text", Values::Own),
        "textarea" => (String, "textarea", Values::Own),
        "html" => (String, "html", Values::Own),
        "phone" => (String, "phonenumber", Values::Own),
        "file" => (String, "file", Values::Own),
        "number" => (Number, "number", Values::Own),
        "equation" => (Number, "calculation_equation", Values::Own),
        "date" => (Date, "date", Values::Own),
        "datetime" => (DateTime, "date", Values::Own),
        "select" | "enumeration" => (Enumeration, "select", Values::Own),
        "radio" => (Enumeration, "radio", Values::Own),
        "checkbox" => (Enumeration, "checkbox", Values::Own),
        "yesno" => (Enumeration, "booleancheckbox", Values::Own),
        "boolean" => (Bool, "booleancheckbox", Values::Own),
        "owner" => (Enumeration, "select", Values::Owners),
        "pipeline" => (Enumeration, "select", Values::Pipelines),
        "stage" => (Enumeration, "radio", Values::Stages),
        "currency" => (Enumeration, "select", Values::Currencies),
        other => panic!("the tables know no type {other:?}"),
    }
}

fn choices(kind: PropertyType, options: &str) -> Vec<Choice> {
    let options = match (kind, options) {
        (PropertyType::Bool, "") => "true=Yes;false=No",
        (_, given) => given,
    };
    options
        .split(';')
        .filter(|option| !option.is_empty())
        .zip(0..)
        .map(|(option, place)| {
            let (value, label) = option.split_once('=').map_or_else(
                || (option, words(option)),
                |(v, label)| (v, label.to_owned()),
            );
            Choice {
                label,
                value: value.to_owned(),
                description: None,
                display_order: place,
                hidden: false,
            }
        })
        .collect()
}

/// `IN_PROGRESS` to `In Progress`.
fn words(value: &str) -> String {
    let capital = |word: &str| {
        let mut word = word.to_ascii_lowercase();
        if let Some(first) = word.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        word
    };
    value.split('_').map(capital).collect::<Vec<_>>().join(" ")
}
