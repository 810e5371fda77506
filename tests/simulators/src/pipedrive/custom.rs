//! Tells custom values and addresses in the vendor's two shapes: an object per record, or flat keys.
//!
//! It does not describe the fields: the field lists do.

use super::account::Account;
use super::call::{Call, Refusal};
use super::json::Json;
use crate::truth::{Address, Custom, FieldDef, FieldKind, FieldValue, Kind};

const TIME_ZONE_ID: u64 = 171;

/// What a request wants to see of custom values.
pub(super) struct Shown<'a> {
    account: &'a Account,
    kind: Kind,
    /// One place per field.
    wanted: Vec<bool>,
    labels: bool,
}

impl<'a> Shown<'a> {
    /// Reads `custom_fields` (at most 15 keys) and `include_option_labels`.
    pub(super) fn of(account: &'a Account, call: &Call, kind: Kind) -> Result<Self, Refusal> {
        let keys = call.list("custom_fields");
        if keys.len() > 15 {
            return Err(Refusal::bad_request(
                "custom_fields must contain at most 15 keys",
            ));
        }
        let all = keys.is_empty();
        let wanted = account
            .keys
            .fields(kind)
            .iter()
            .map(|key| all || keys.contains(&key.as_str()))
            .collect();
        let labels = call.flag("include_option_labels")?.unwrap_or(false);
        Ok(Self {
            account,
            kind,
            wanted,
            labels,
        })
    }

    /// The second generation's `custom_fields` object: every field, empty ones as null.
    pub(super) fn write(&self, out: &mut Json, custom: &Custom) {
        let keys = self.account.keys.fields(self.kind);
        let fields = self.account.live.base().fields(self.kind);
        out.object(|out| {
            for (place, value) in custom
                .0
                .iter()
                .enumerate()
                .filter(|(place, _)| self.wanted[*place])
            {
                out.key(&keys[place]);
                match value {
                    Some(value) => self.value(out, &fields[place], value),
                    None => out.null(),
                }
            }
        });
    }

    fn value(&self, out: &mut Json, field: &FieldDef, value: &FieldValue) {
        let zone = self.account.live.base().company().time_zone;
        match value {
            FieldValue::Text(text) => out.text(text),
            FieldValue::Number(number) => out.amount(*number),
            FieldValue::Choice(id) => self.choice(out, field, *id),
            FieldValue::Choices(ids) => {
                out.array(|out| ids.iter().for_each(|id| self.choice(out, field, *id)))
            }
            FieldValue::Day(day) => out.day(*day),
            FieldValue::Days(first, last) => out.object(|out| {
                out.key("value").day(*first);
                out.key("until").day(*last);
            }),
            FieldValue::Time(at) => out.object(|out| {
                out.key("value").seconds(*at);
                write_zone(out, zone);
            }),
            FieldValue::Times(start, end) => out.object(|out| {
                out.key("value").seconds(*start);
                out.key("until").seconds(*end);
                write_zone(out, zone);
            }),
            FieldValue::Money(amount, currency) => out.object(|out| {
                out.key("value").amount(*amount);
                out.key("currency").text(currency);
            }),
            FieldValue::Address(address) => write_address(out, address),
            FieldValue::Link(id) => link(self.account, out, field, *id),
        }
    }

    fn choice(&self, out: &mut Json, field: &FieldDef, id: u32) {
        if !self.labels {
            return out.number(u64::from(id));
        }
        let label = field
            .choices
            .iter()
            .find(|choice| choice.id == id)
            .map(|choice| choice.label.as_str());
        out.object(|out| {
            out.key("id").number(u64::from(id));
            out.key("label").text_or_null(label);
        });
    }
}

fn link(account: &Account, out: &mut Json, field: &FieldDef, id: u64) {
    match field.kind {
        FieldKind::Link(Kind::Lead) => out.text(&account.keys.lead(id)),
        _ => out.number(id),
    }
}

fn write_zone(out: &mut Json, zone: &str) {
    out.key("timezone_id").number(TIME_ZONE_ID);
    out.key("timezone_name").text(zone);
}

/// The first generation's flat keys, absent when empty.
pub(super) fn write_flat(account: &Account, out: &mut Json, kind: Kind, custom: &Custom) {
    let keys = account.keys.fields(kind);
    let fields = account.live.base().fields(kind);
    for (place, value) in custom.0.iter().enumerate() {
        if let Some(value) = value {
            flat_value(account, out, &keys[place], &fields[place], value);
        }
    }
}

fn flat_value(account: &Account, out: &mut Json, key: &str, field: &FieldDef, value: &FieldValue) {
    match value {
        FieldValue::Text(text) => out.key(key).text(text),
        FieldValue::Number(number) => out.key(key).amount(*number),
        FieldValue::Choice(id) => out.key(key).text(&id.to_string()),
        FieldValue::Choices(ids) => {
            let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
            out.key(key).text(&ids.join(","));
        }
        FieldValue::Day(day) => out.key(key).day(*day),
        FieldValue::Days(first, last) => {
            out.key(key).day(*first);
            out.key2(key, "_until").day(*last);
        }
        FieldValue::Time(at) => {
            out.key(key).seconds(*at);
            out.key2(key, "_timezone_id").number(TIME_ZONE_ID);
        }
        FieldValue::Times(start, end) => {
            out.key(key).seconds(*start);
            out.key2(key, "_until").seconds(*end);
            out.key2(key, "_timezone_id").number(TIME_ZONE_ID);
        }
        FieldValue::Money(amount, currency) => {
            out.key(key).amount(*amount);
            out.key2(key, "_currency").text(currency);
        }
        FieldValue::Address(address) => {
            out.key(key).text(&address.whole);
            for (part, text) in parts(address) {
                out.key2(key, part)
                    .text_or_null(Some(text).filter(|text| !text.is_empty()));
            }
        }
        FieldValue::Link(id) => link(account, out.key(key), field, *id),
    }
}

fn parts(address: &Address) -> [(&'static str, &str); 6] {
    [
        ("_country", &address.country),
        ("_admin_area_level_1", &address.region),
        ("_locality", &address.town),
        ("_route", &address.street),
        ("_street_number", &address.number),
        ("_postal_code", &address.postal_code),
    ]
}

/// An address as an object, parts that are empty as null.
pub(super) fn write_address(out: &mut Json, address: &Address) {
    let part = |out: &mut Json, key: &str, text: &str| {
        out.key(key)
            .text_or_null(Some(text).filter(|text| !text.is_empty()))
    };
    out.object(|out| {
        out.key("value").text(&address.whole);
        part(out, "country", &address.country);
        part(out, "admin_area_level_1", &address.region);
        out.key("admin_area_level_2").null();
        part(out, "locality", &address.town);
        out.key("sublocality").null();
        part(out, "route", &address.street);
        part(out, "street_number", &address.number);
        out.key("subpremise").null();
        part(out, "postal_code", &address.postal_code);
        out.key("formatted_address").text(&address.whole);
    });
}

/// `label_ids`, and `labels` with names where `include_labels` asks for them.
pub(super) fn write_labels(
    account: &Account,
    out: &mut Json,
    kind: Kind,
    ids: &[u64],
    named: bool,
) {
    out.key("label_ids").numbers(ids);
    if !named {
        return;
    }
    let labels = account.live.base().labels(kind);
    out.key("labels").array(|out| {
        for label in labels.iter().filter(|label| ids.contains(&label.id)) {
            out.object(|out| {
                out.key("id").number(label.id);
                out.key("label").text(label.name);
            });
        }
    });
}
