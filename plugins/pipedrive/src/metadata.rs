//! Reads what Pipedrive says of an object's fields (`/v2/…Fields`) and names the kind of each.
//!
//! How a field's values are found in a record and written is the tables' business.

use std::rc::Rc;

use longshore_sdk::{Context, FailureKind, FieldInfo, FieldKind, Level, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::envelope;
use crate::json;

/// One field as the metadata describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct FieldMeta {
    pub(crate) field_name: String,
    pub(crate) field_code: String,
    pub(crate) field_type: String,
    #[serde(default)]
    pub(crate) is_custom_field: bool,
    /// Whether records carry it only when asked to.
    #[serde(default)]
    pub(crate) is_optional_response_field: bool,
    #[serde(default)]
    options: Option<Box<RawValue>>,
}

/// A part of a value that is itself an object: its key there, what is added to the field's label, its kind.
pub(crate) type Part = (&'static str, &'static str, FieldKind);

/// What a field type means for the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// One value of that kind.
    Plain(FieldKind),
    /// A main value of that kind and further parts, each a field of its own.
    Compound(FieldKind, &'static [Part]),
    /// A link to the object of that name.
    Link(&'static str),
}

const UNTIL_DATE: &[Part] = &[("until", "until", FieldKind::Date)];
const ZONE: &[Part] = &[
    ("timezone_id", "time zone id", FieldKind::Integer),
    ("timezone_name", "time zone", FieldKind::Text),
];
const UNTIL_TIME: &[Part] = &[
    ("until", "until", FieldKind::Time),
    ("timezone_id", "time zone id", FieldKind::Integer),
    ("timezone_name", "time zone", FieldKind::Text),
];
const CURRENCY: &[Part] = &[("currency", "currency", FieldKind::Text)];

/// The parts of an address, in the order of the specification.
pub(crate) const ADDRESS: &[Part] = &[
    ("country", "country", FieldKind::Text),
    ("admin_area_level_1", "state", FieldKind::Text),
    ("admin_area_level_2", "county", FieldKind::Text),
    ("locality", "city", FieldKind::Text),
    ("sublocality", "district", FieldKind::Text),
    ("route", "street", FieldKind::Text),
    ("street_number", "house number", FieldKind::Text),
    ("subpremise", "apartment", FieldKind::Text),
    ("postal_code", "postal code", FieldKind::Text),
    ("formatted_address", "formatted", FieldKind::Text),
];

impl FieldMeta {
    /// What the field's type means. A type that is not known is text, so that its values are not lost.
    pub(crate) fn meaning(&self) -> Meaning {
        match self.field_type.as_str() {
            "int" => Meaning::Plain(FieldKind::Integer),
            "double" => Meaning::Plain(FieldKind::Decimal),
            "boolean" => Meaning::Plain(FieldKind::Boolean),
            "phone" => Meaning::Plain(FieldKind::Phone),
            "date" => Meaning::Plain(FieldKind::Date),
            "daterange" => Meaning::Compound(FieldKind::Date, UNTIL_DATE),
            "time" => Meaning::Compound(FieldKind::Time, ZONE),
            "timerange" => Meaning::Compound(FieldKind::Time, UNTIL_TIME),
            "monetary" => Meaning::Compound(FieldKind::Money, CURRENCY),
            "address" => Meaning::Compound(FieldKind::Text, ADDRESS),
            "set" => Meaning::Plain(FieldKind::Options),
            "enum" | "visible_to" | "status" | "varchar_options" | "billing_frequency" => {
                Meaning::Plain(FieldKind::Option)
            }
            "user" => Meaning::Plain(FieldKind::Owner),
            "org" => Meaning::Link("organization"),
            "people" => Meaning::Link("person"),
            "deal" => Meaning::Link("deal"),
            "lead" => Meaning::Link("lead"),
            "project" => Meaning::Link("project"),
            _ => Meaning::Plain(FieldKind::Text),
        }
    }

    /// What may be chosen: ids as text, with their labels.
    pub(crate) fn options(&self) -> Vec<(String, String)> {
        let mut options = Vec::new();
        let Some(raw) = &self.options else {
            return options;
        };
        json::for_each_element(raw.get(), |option| {
            let (mut id, mut label) = (None, None);
            json::for_each_member(option, |key, value| match key {
                "id" => id = json::text(value),
                "label" => label = json::text(value),
                _ => {}
            });
            if let Some(id) = id {
                let label = label.unwrap_or_else(|| id.clone());
                options.push((id.into_owned(), label.into_owned()));
            }
        });
        options
    }

    /// The field that the main value becomes.
    pub(crate) fn field(&self, kind: FieldKind) -> FieldInfo {
        let mut field = FieldInfo::new(self.field_code.clone(), self.field_name.clone(), kind);
        if self.is_custom_field {
            field = field.custom();
        }
        if matches!(kind, FieldKind::Option | FieldKind::Options) {
            field = field.options(self.options());
        }
        if self.field_type == "varchar" {
            field = field.max_chars(255);
        }
        field
    }
}

/// The fields of an object, read once for the life of the instance.
///
/// `list` is the metadata list's name, for example `dealFields`. Where the account may not see it, the built-in fields remain: no field is
/// described, and the object's own list tells the host about the permission.
///
/// # Errors
/// Whatever the request fails with, apart from a missing permission.
pub(crate) fn fields(ctx: &Context, list: &'static str) -> Result<Rc<Vec<FieldMeta>>> {
    ctx.cached(list, || {
        match envelope::read_all(ctx, &format!("/v2/{list}")) {
            Err(failure)
                if matches!(
                    failure.kind,
                    FailureKind::Permission | FailureKind::NotFound | FailureKind::Unsupported
                ) =>
            {
                // Kept, one refusal would cost the custom fields of every later page of this instance.
                ctx.keep_nothing();
                ctx.log(
                    Level::Warn,
                    &format!(
                        "{list} can not be read, custom fields are unknown: {}",
                        failure.message
                    ),
                );
                Ok(Vec::new())
            }
            other => other,
        }
    })
}
