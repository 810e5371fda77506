//! A value as HubSpot takes and gives it: always a text, whose form the property's kind decides (CRM properties guide, 2026).

use std::fmt::Write as _;

use model::value::{Decimal, OptionsRef};
use model::{Date, FieldKind, Instant, ValueRef};

use crate::property::{decode_option, encode_option};

/// Milliseconds are the finest that HubSpot keeps.
const US_PER_MS: i64 = 1_000;

/// Writes a value's text into `out`, which is emptied first. Nothing becomes the empty text, which clears a property.
pub(crate) fn write(value: ValueRef<'_>, out: &mut String) {
    out.clear();
    let printed = match value {
        ValueRef::Null => Ok(()),
        ValueRef::Text(text) => {
            out.push_str(text);
            Ok(())
        }
        ValueRef::Integer(number) => write!(out, "{number}"),
        ValueRef::Decimal(number) => write!(out, "{number}"),
        ValueRef::Boolean(flag) => write!(out, "{flag}"),
        ValueRef::Date(date) => write!(out, "{date}"),
        ValueRef::Instant(instant) => write!(out, "{}", to_milliseconds(instant)),
        ValueRef::Time(time) => write!(out, "{time}"),
        ValueRef::Options(options) => {
            for (place, option) in options.iter().enumerate() {
                if place > 0 {
                    out.push(';');
                }
                if option.contains(';') {
                    out.push_str(&encode_option(option));
                } else {
                    out.push_str(option);
                }
            }
            Ok(())
        }
    };
    printed.expect("a String takes every write");
}

fn to_milliseconds(instant: Instant) -> Instant {
    let us = instant.unix_us();
    Instant::from_unix_us(us - us.rem_euclid(US_PER_MS)).unwrap_or(instant)
}

/// Reads a value of that kind; `None` where the text is not one. `scratch` may lend the answer its text.
pub(crate) fn read<'t>(
    kind: FieldKind,
    text: &'t str,
    scratch: &'t mut String,
) -> Option<ValueRef<'t>> {
    if text.is_empty() {
        return Some(ValueRef::Null);
    }
    Some(match kind {
        FieldKind::Integer => ValueRef::Integer(text.parse().ok()?),
        FieldKind::Decimal | FieldKind::Money => ValueRef::Decimal(decimal(text)?),
        FieldKind::Boolean => match text {
            "true" => ValueRef::Boolean(true),
            "false" => ValueRef::Boolean(false),
            _ => return None,
        },
        FieldKind::Date => ValueRef::Date(date(text)?),
        FieldKind::Instant => ValueRef::Instant(instant(text)?),
        FieldKind::Time => ValueRef::Time(text.parse().ok()?),
        FieldKind::Options => {
            scratch.clear();
            for option in text.split(';').filter(|option| !option.is_empty()) {
                scratch.push_str(&decode_option(option).replace('\n', " "));
                scratch.push('\n');
            }
            ValueRef::Options(OptionsRef::Lines(scratch))
        }
        _ => ValueRef::Text(text),
    })
}

fn decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text)
        .ok()
        .or_else(|| Decimal::from_scientific(text).ok())
}

fn milliseconds(text: &str) -> Option<Instant> {
    let ms: i64 = text.parse().ok()?;
    Instant::from_unix_us(ms.checked_mul(US_PER_MS)?)
}

fn instant(text: &str) -> Option<Instant> {
    text.parse()
        .ok()
        .or_else(|| milliseconds(text))
        .or_else(|| Some(text.parse::<Date>().ok()?.midnight()))
}

fn date(text: &str) -> Option<Date> {
    text.parse().ok().or_else(|| Some(instant(text)?.date()))
}

#[cfg(test)]
mod tests {
    use model::Value;

    use super::*;

    #[track_caller]
    fn check(kind: FieldKind, value: Value, text: &str) {
        let (mut written, mut scratch) = (String::new(), String::new());
        write(value.as_ref(), &mut written);
        assert_eq!(written, text);
        assert_eq!(
            read(kind, &written, &mut scratch).map(ValueRef::to_owned),
            Some(value)
        );
    }

    #[test]
    fn values_go_there_and_come_back() {
        use FieldKind as K;
        check(
            K::Date,
            Value::Date("2026-03-01".parse().unwrap()),
            "2026-03-01",
        );
        check(
            K::Instant,
            Value::Instant("2026-03-01T10:20:30.125Z".parse().unwrap()),
            "2026-03-01T10:20:30.125Z",
        );
        check(K::Boolean, Value::Boolean(false), "false");
        check(
            K::Decimal,
            Value::Decimal("-0.50".parse().unwrap()),
            "-0.50",
        );
        check(
            K::Options,
            Value::Options(vec!["a;b".into(), "c".into()]),
            "a\u{ff1b}b;c",
        );
        check(K::Text, Value::Text("ä; \"😀\"\n".into()), "ä; \"😀\"\n");
        check(K::Money, Value::Null, "");
    }

    #[test]
    fn other_spellings_are_read_and_nonsense_is_not() {
        let mut scratch = String::new();
        let mut value = |kind, text: &str| read(kind, text, &mut scratch).map(ValueRef::to_owned);
        let midnight = Value::Instant("2026-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(
            value(FieldKind::Instant, "1767225600000"),
            Some(midnight.clone())
        );
        assert_eq!(value(FieldKind::Instant, "2026-01-01"), Some(midnight));
        assert_eq!(
            value(FieldKind::Date, "1767225600000"),
            Some(Value::Date("2026-01-01".parse().unwrap()))
        );
        assert_eq!(
            value(FieldKind::Decimal, "1.5E3"),
            Some(Value::Decimal("1500".parse().unwrap()))
        );
        assert_eq!(
            value(FieldKind::Options, ";a"),
            Some(Value::Options(vec!["a".into()]))
        );
        for (kind, text) in [
            (FieldKind::Boolean, "yes"),
            (FieldKind::Decimal, "many"),
            (FieldKind::Date, "soon"),
        ] {
            assert_eq!(value(kind, text), None, "{text}");
        }
    }

    #[test]
    fn what_is_finer_than_a_millisecond_is_cut() {
        let mut out = String::new();
        write(
            ValueRef::Instant("2026-03-01T10:20:30.123456Z".parse().unwrap()),
            &mut out,
        );
        assert_eq!(out, "2026-03-01T10:20:30.123Z");
    }
}
