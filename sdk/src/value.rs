//! Decides in which form a Rust value goes into a row, by the kind of the field it is for.
//!
//! It never refuses: a text that is no date is written as it is, and the host sets that one row aside with its reason, so that one odd
//! record does not cost a page.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::catalog::FieldKind;
use crate::decimal::Decimal;
use crate::encode::{write_escaped, write_signed, write_string, write_unsigned};
use crate::json::Raw;
use crate::time::{Date, Instant, Time};

/// The kinds of fields as types, so that `row.date("x", 5)` does not compile.
pub mod kind {
    /// Any text.
    #[derive(Debug)]
    pub enum Text {}
    /// An id or an option: a text, or a number that is written as text.
    #[derive(Debug)]
    pub enum Id {}
    /// An integer.
    #[derive(Debug)]
    pub enum Integer {}
    /// A decimal.
    #[derive(Debug)]
    pub enum Decimal {}
    /// True or false.
    #[derive(Debug)]
    pub enum Boolean {}
    /// A day.
    #[derive(Debug)]
    pub enum Date {}
    /// A moment.
    #[derive(Debug)]
    pub enum Instant {}
    /// A time of day.
    #[derive(Debug)]
    pub enum Time {}
}

/// A Rust value that a field of kind `K` can hold. `None` is `null`: known to be empty.
pub trait FieldValue<K> {
    /// Writes the value's JSON.
    #[doc(hidden)]
    fn write(&self, out: &mut Vec<u8>);
}

impl<K, T: FieldValue<K> + ?Sized> FieldValue<K> for &T {
    fn write(&self, out: &mut Vec<u8>) {
        (**self).write(out);
    }
}

impl<K, T: FieldValue<K>> FieldValue<K> for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.write(out),
            None => out.extend_from_slice(b"null"),
        }
    }
}

macro_rules! texts {
    ($kind:ty, $write:path) => {
        impl FieldValue<$kind> for str {
            fn write(&self, out: &mut Vec<u8>) {
                $write(out, self);
            }
        }
        impl FieldValue<$kind> for String {
            fn write(&self, out: &mut Vec<u8>) {
                $write(out, self);
            }
        }
        impl FieldValue<$kind> for Cow<'_, str> {
            fn write(&self, out: &mut Vec<u8>) {
                $write(out, self);
            }
        }
    };
}

impl FieldValue<kind::Text> for Raw<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        self.write_text(out);
    }
}

impl FieldValue<kind::Id> for Raw<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        self.write_text(out);
    }
}

texts!(kind::Text, write_string);
texts!(kind::Id, write_string);
texts!(kind::Decimal, write_decimal_text);
texts!(kind::Date, write_date_text);
texts!(kind::Instant, write_instant_text);
texts!(kind::Time, write_time_text);

macro_rules! integers {
    ($($unsigned:ty, $signed:ty);+) => {
        $(
            impl FieldValue<kind::Integer> for $unsigned {
                fn write(&self, out: &mut Vec<u8>) {
                    write_unsigned(out, u64::from(*self));
                }
            }
            impl FieldValue<kind::Integer> for $signed {
                fn write(&self, out: &mut Vec<u8>) {
                    write_signed(out, i64::from(*self));
                }
            }
            impl FieldValue<kind::Id> for $unsigned {
                fn write(&self, out: &mut Vec<u8>) {
                    out.push(b'"');
                    write_unsigned(out, u64::from(*self));
                    out.push(b'"');
                }
            }
            impl FieldValue<kind::Id> for $signed {
                fn write(&self, out: &mut Vec<u8>) {
                    out.push(b'"');
                    write_signed(out, i64::from(*self));
                    out.push(b'"');
                }
            }
        )+
    };
}

integers!(u8, i8; u16, i16; u32, i32; u64, i64);

impl FieldValue<kind::Id> for fmt::Arguments<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        struct Escaped<'o>(&'o mut Vec<u8>);
        impl fmt::Write for Escaped<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                write_escaped(self.0, text.as_bytes());
                Ok(())
            }
        }
        out.push(b'"');
        Escaped(out)
            .write_fmt(*self)
            .expect("a buffer takes every write");
        out.push(b'"');
    }
}

impl FieldValue<kind::Boolean> for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl FieldValue<kind::Decimal> for Decimal<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        write_string(out, self.as_str());
    }
}

impl FieldValue<kind::Decimal> for i64 {
    fn write(&self, out: &mut Vec<u8>) {
        FieldValue::<kind::Id>::write(self, out);
    }
}

macro_rules! quoted {
    ($($name:ident),+) => {
        $(
            impl FieldValue<kind::$name> for $name {
                fn write(&self, out: &mut Vec<u8>) {
                    out.push(b'"');
                    (*self).write(out);
                    out.push(b'"');
                }
            }
        )+
    };
}

quoted!(Date, Instant, Time);

fn write_decimal_text(out: &mut Vec<u8>, text: &str) {
    match Decimal::parse(text) {
        Ok(decimal) => write_string(out, decimal.as_str()),
        Err(_) => write_string(out, text),
    }
}

fn write_date_text(out: &mut Vec<u8>, text: &str) {
    // A vendor's "date" is often an instant at midnight; its day is what was meant.
    match Date::parse(
        text.get(..10)
            .filter(|_| matches!(text.as_bytes().get(10), Some(b'T' | b' ')))
            .unwrap_or(text),
    ) {
        Ok(date) => FieldValue::<kind::Date>::write(&date, out),
        Err(_) => write_string(out, text),
    }
}

fn write_instant_text(out: &mut Vec<u8>, text: &str) {
    match Instant::parse(text) {
        Ok(instant) => FieldValue::<kind::Instant>::write(&instant, out),
        Err(_) => write_string(out, text),
    }
}

fn write_time_text(out: &mut Vec<u8>, text: &str) {
    match Time::parse(text) {
        Ok(time) => FieldValue::<kind::Time>::write(&time, out),
        Err(_) => write_string(out, text),
    }
}

/// Writes a vendor's JSON value in the form of a kind that is known only when running.
pub(crate) fn write_raw(out: &mut Vec<u8>, kind: FieldKind, raw: &RawValue) {
    let lexeme = raw.get();
    if lexeme == "null" {
        return out.extend_from_slice(b"null");
    }
    match kind {
        FieldKind::Options => return write_raw_options(out, raw),
        FieldKind::Boolean => return write_raw_boolean(out, lexeme),
        FieldKind::Decimal | FieldKind::Money => return Decimal::from_raw(raw).write(out),
        FieldKind::Integer => {
            return match Decimal::from_raw(raw).to_integer() {
                Some(number) => write_signed(out, number),
                None => write_as_text(out, lexeme),
            };
        }
        _ => {}
    }
    let plain = lexeme
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|text| !text.contains('\\'));
    match (kind, plain) {
        (FieldKind::Date, Some(text)) => write_date_text(out, text),
        (FieldKind::Instant, Some(text)) => write_instant_text(out, text),
        (FieldKind::Time, Some(text)) => write_time_text(out, text),
        // The vendor's string is a JSON string already, escapes and all.
        _ if lexeme.starts_with('"') => out.extend_from_slice(lexeme.as_bytes()),
        _ => write_as_text(out, lexeme),
    }
}

fn write_as_text(out: &mut Vec<u8>, lexeme: &str) {
    if lexeme.starts_with('"') {
        out.extend_from_slice(lexeme.as_bytes())
    } else {
        write_string(out, lexeme)
    }
}

fn write_raw_boolean(out: &mut Vec<u8>, lexeme: &str) {
    match lexeme {
        "true" | "1" | "\"1\"" | "\"true\"" => out.extend_from_slice(b"true"),
        "false" | "0" | "\"0\"" | "\"false\"" => out.extend_from_slice(b"false"),
        other => write_as_text(out, other),
    }
}

/// Writes a list of options: a JSON array of scalars, or a text with commas between them. An empty text is an empty list.
fn write_raw_options(out: &mut Vec<u8>, raw: &RawValue) {
    struct Elements<'o>(&'o mut Vec<u8>);
    impl<'de> Visitor<'de> for Elements<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of options")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
            let mut separator = None;
            while let Some(element) = seq.next_element::<&RawValue>()? {
                self.0.extend(separator.replace(b','));
                write_as_text(self.0, element.get());
            }
            Ok(())
        }
    }
    let lexeme = raw.get();
    out.push(b'[');
    if lexeme.starts_with('[') {
        let read = serde_json::Deserializer::from_str(lexeme).deserialize_seq(Elements(out));
        read.expect("a raw value is well-formed JSON");
    } else if let Some(list) = lexeme
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        // Splitting the escaped form is safe: no escape contains a comma.
        let mut separator = None;
        for element in list
            .split(',')
            .map(str::trim)
            .filter(|element| !element.is_empty())
        {
            out.extend(separator.replace(b','));
            out.push(b'"');
            out.extend_from_slice(element.as_bytes());
            out.push(b'"');
        }
    } else {
        write_as_text(out, lexeme);
    }
    out.push(b']');
}
