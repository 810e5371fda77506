//! Reads one value of a row into a slot, checked against the kind that its field declares.
//!
//! Which field it is, and what becomes of a wrong one, is the row's business.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::PageReader;
use crate::batch::{Slot, Span, push};
use crate::value::{Decimal, FieldKind};

pub(super) struct SlotSeed<'r, 'p> {
    pub(super) reader: &'r mut PageReader<'p>,
    pub(super) kind: FieldKind,
}

impl SlotSeed<'_, '_> {
    fn text<E: de::Error>(self, text: Cow<'_, str>) -> Result<Slot, E> {
        let wrong = |error: crate::time::TimeError| E::custom(error);
        Ok(match self.kind {
            FieldKind::Decimal | FieldKind::Money => Slot::Decimal(parse_decimal(&text)?),
            FieldKind::Date => Slot::Date(text.parse().map_err(wrong)?),
            FieldKind::Instant => Slot::Instant(text.parse().map_err(wrong)?),
            FieldKind::Time => Slot::Time(text.parse().map_err(wrong)?),
            kind if kind.is_textual() => Slot::Text(self.reader.keep(text)),
            kind => return Err(E::custom(format_args!("a text where {kind} is declared"))),
        })
    }
}

/// Parses `-?digits(.digits)?` of at most 28 digits: no exponent, no plus sign, no spaces.
fn parse_decimal<E: de::Error>(text: &str) -> Result<Decimal, E> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(E::custom("not a decimal such as -1200.50"));
    }
    Decimal::from_str_exact(text).map_err(|_| E::custom("a decimal of more than 28 digits"))
}

impl<'de> DeserializeSeed<'de> for SlotSeed<'_, '_> {
    type Value = Slot;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Slot, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SlotSeed<'_, '_> {
    type Value = Slot;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of kind {}", self.kind)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Slot, E> {
        Ok(Slot::Null)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Slot, E> {
        match self.kind {
            FieldKind::Boolean => Ok(Slot::Boolean(flag)),
            kind => Err(E::custom(format_args!(
                "true or false where {kind} is declared"
            ))),
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Slot, E> {
        match self.kind {
            FieldKind::Integer => Ok(Slot::Integer(number)),
            kind => Err(E::custom(format_args!("a number where {kind} is declared"))),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Slot, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::custom("an integer of more than 64 bits")),
        }
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Slot, E> {
        self.text(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Slot, E> {
        self.text(Cow::Owned(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Slot, A::Error> {
        if self.kind != FieldKind::Options {
            return Err(de::Error::custom(format_args!(
                "a list where {} is declared",
                self.kind
            )));
        }
        let start = push(&mut self.reader.batch.added, "").start;
        while let Some(option) = seq.next_element_seed(TextSeed)? {
            if option.contains('\n') {
                return Err(de::Error::custom("an option with a line feed"));
            }
            self.reader.batch.added.push_str(&option);
            self.reader.batch.added.push('\n');
        }
        let end = u32::try_from(self.reader.batch.added.len()).expect("a page is far below 4 GiB");
        Ok(Slot::Options(Span {
            start,
            len: end - start,
            added: true,
        }))
    }
}

/// A JSON string, borrowed from the input where it has no escapes.
pub(super) struct TextSeed;

impl<'de> DeserializeSeed<'de> for TextSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for TextSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
