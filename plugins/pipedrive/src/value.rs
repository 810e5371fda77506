//! Writes one JSON value of Pipedrive as a field of a row, in the form of the field's kind.
//!
//! What cannot be read as that kind is written as the text it is: the host then sets the row aside with its reason, and nothing is lost
//! in silence. Forms of "nothing" (null, empty text where a date or number belongs, `0000-00-00`) become null.

use longshore_sdk::json::Raw;
use longshore_sdk::{Decimal, FieldKey, FieldKind, Row};

use crate::json;

/// Writes the value of a field.
pub(crate) fn write(row: &mut Row<'_>, name: impl FieldKey + Copy, kind: FieldKind, raw: &str) {
    if json::is_null(raw) {
        row.null(name);
        return;
    }
    if raw.starts_with('{') && !kind.is_textual() {
        // Where one value is expected, `{"value":…}` is it with something around.
        let mut inner = None;
        json::for_each_member(raw, |key, value| {
            if key == "value" && !value.starts_with('{') {
                inner = Some(value);
            }
        });
        if let Some(inner) = inner {
            return write(row, name, kind, inner);
        }
    }
    match kind {
        FieldKind::Text
        | FieldKind::Html
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::Url => {
            row.text(name, Raw(raw));
        }
        FieldKind::Integer => write_integer(row, name, raw),
        FieldKind::Decimal | FieldKind::Money => write_decimal(row, name, raw),
        FieldKind::Boolean => match json::boolean(raw) {
            Some(flag) => {
                row.boolean(name, flag);
            }
            None => write_text_or_null(row, name, raw),
        },
        FieldKind::Date | FieldKind::Instant | FieldKind::Time => {
            write_moment(row, name, kind, raw)
        }
        FieldKind::Option => {
            if raw.starts_with('{') {
                row.option(name, json::id(raw));
            } else {
                row.option(name, Some(Raw(raw)).filter(|_| raw != "\"\""));
            }
        }
        FieldKind::Options => write_options(row, name, raw),
        FieldKind::Owner => {
            row.owner(name, json::id(raw));
        }
        FieldKind::Reference => {
            row.reference(name, json::id(raw));
        }
    }
}

fn write_integer(row: &mut Row<'_>, name: impl FieldKey + Copy, raw: &str) {
    let lexeme = raw.trim_matches('"').trim();
    let number = lexeme.parse().ok().or_else(|| {
        Decimal::parse(lexeme)
            .ok()
            .and_then(|decimal| decimal.to_integer())
    });
    match number {
        Some(number) => {
            row.integer(name, number);
        }
        None => write_text_or_null(row, name, raw),
    }
}

fn write_decimal(row: &mut Row<'_>, name: impl FieldKey + Copy, raw: &str) {
    match Decimal::parse(raw.trim_matches('"')) {
        Ok(decimal) => {
            row.decimal(name, decimal);
        }
        Err(_) => write_text_or_null(row, name, raw),
    }
}

fn write_text_or_null(row: &mut Row<'_>, name: impl FieldKey + Copy, raw: &str) {
    row.text_opt(name, json::text(raw).filter(|text| !text.trim().is_empty()));
}

/// A date, an instant of either generation, or a time of day.
fn write_moment(row: &mut Row<'_>, name: impl FieldKey + Copy, kind: FieldKind, raw: &str) {
    let text = json::text(raw);
    let text = text
        .as_deref()
        .map(str::trim)
        .filter(|text| !is_no_moment(text));
    match kind {
        FieldKind::Date => row.date(name, text),
        FieldKind::Instant => row.instant(name, text),
        _ => row.time(name, text),
    };
}

/// Whether a date or instant is one of Pipedrive's ways to say that there is none.
pub(crate) fn is_no_moment(text: &str) -> bool {
    text.is_empty() || text.starts_with("0000-00-00")
}

/// Several options: `[31,32]`, `[{"id":31,…}]`, `"31,32"` or a single one.
fn write_options(row: &mut Row<'_>, name: impl FieldKey + Copy, raw: &str) {
    if raw.starts_with('[') {
        row.options(name, json::elements(raw).filter_map(json::id));
        return;
    }
    match json::text(raw).filter(|text| !text.is_empty()) {
        Some(text) => row.options(
            name,
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty()),
        ),
        None => row.null(name),
    };
}
