//! The form of a value in its column, both ways: bound into a statement, read out of a row.
//!
//! It does not judge values; that is `check`'s.

use std::fmt::Write as _;

use model::{Decimal, FieldKind, ValueRef};
use rusqlite::Statement;
use rusqlite::types::{Null, ValueRef as Raw};

/// Memory used again for each value that is written or read as text.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    text: String,
    options: Vec<String>,
}

/// Binds a value at that place of a statement.
pub(crate) fn bind(
    statement: &mut Statement<'_>,
    at: usize,
    value: ValueRef<'_>,
    scratch: &mut Scratch,
) -> rusqlite::Result<()> {
    let text = &mut scratch.text;
    let mut print = |value: &dyn std::fmt::Display| {
        text.clear();
        write!(text, "{value}").expect("a String takes every write");
    };
    match value {
        ValueRef::Null => return statement.raw_bind_parameter(at, Null),
        ValueRef::Text(text) => return statement.raw_bind_parameter(at, text),
        ValueRef::Integer(number) => return statement.raw_bind_parameter(at, number),
        ValueRef::Boolean(flag) => return statement.raw_bind_parameter(at, flag),
        ValueRef::Decimal(number) => print(&number),
        ValueRef::Date(date) => print(&date),
        ValueRef::Instant(instant) => print(&instant),
        ValueRef::Time(time) => print(&time),
        ValueRef::Options(options) => {
            text.clear();
            text.push('[');
            for (position, option) in options.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                text.push_str(&serde_json::to_string(option).expect("a text is always JSON"));
            }
            text.push(']');
        }
    }
    statement.raw_bind_parameter(at, scratch.text.as_str())
}

/// Reads a value of that kind; `None` where the column holds something else, which only another program can have put there.
pub(crate) fn read<'r>(
    kind: FieldKind,
    raw: Raw<'r>,
    scratch: &'r mut Scratch,
) -> Option<ValueRef<'r>> {
    if raw == Raw::Null {
        return Some(ValueRef::Null);
    }
    match (kind, raw) {
        (FieldKind::Integer, Raw::Integer(number)) => return Some(ValueRef::Integer(number)),
        (FieldKind::Boolean, Raw::Integer(flag @ 0..=1)) => {
            return Some(ValueRef::Boolean(flag == 1));
        }
        (FieldKind::Integer | FieldKind::Boolean, _) => return None,
        (kind, Raw::Integer(id)) if kind.is_textual() => {
            scratch.text.clear();
            write!(scratch.text, "{id}").expect("a String takes every write");
            return Some(ValueRef::Text(&scratch.text));
        }
        _ => {}
    }
    let text = raw.as_str().ok()?;
    match kind {
        FieldKind::Decimal | FieldKind::Money => {
            Decimal::from_str_exact(text).ok().map(ValueRef::Decimal)
        }
        FieldKind::Date => text.parse().ok().map(ValueRef::Date),
        FieldKind::Instant => text.parse().ok().map(ValueRef::Instant),
        FieldKind::Time => text.parse().ok().map(ValueRef::Time),
        FieldKind::Options => {
            scratch.options = serde_json::from_str(text).ok()?;
            let fits = scratch.options.iter().all(|option| !option.contains('\n'));
            fits.then(|| ValueRef::Options(model::value::OptionsRef::Strings(&scratch.options)))
        }
        _ => Some(ValueRef::Text(text)),
    }
}
