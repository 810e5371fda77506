//! Reads single JSON values from their own text, without building a tree and without floats.
//!
//! It knows nothing of Pipedrive: which key means what is the tables' business.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Whether the value is `null`.
pub(crate) fn is_null(raw: &str) -> bool {
    raw == "null"
}

/// The text of a string. `None` for whatever is not a string.
///
/// A string with a broken escape (half of a surrogate pair, as a source leaves behind when it cuts text by bytes) is read with U+FFFD in its
/// place rather than refused: the rest of the page is good.
pub(crate) fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.as_bytes().contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    Some(Cow::Owned(
        serde_json::from_str(raw).unwrap_or_else(|_| unescape_lossy(inner)),
    ))
}

/// The value as text: a string's text, a number's or boolean's own letters, JSON for objects and arrays, `None` for `null`.
pub(crate) fn text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first() {
        Some(b'"') => string(raw),
        Some(b'n') | None => None,
        Some(_) => Some(Cow::Borrowed(raw)),
    }
}

/// The id that a number, a string or an expanded object (`{"value":7,"name":…}` or `{"id":7,…}`) stands for; `None` for `null`, empty text and 0,
/// which Pipedrive's first API writes for "none".
pub(crate) fn id(raw: &str) -> Option<Cow<'_, str>> {
    let found = match raw.as_bytes().first()? {
        b'"' => string(raw),
        b'0'..=b'9' | b'-' => Some(Cow::Borrowed(raw)),
        b'{' => {
            let (mut value, mut own) = (None, None);
            for_each_member(raw, |key, inner| match key {
                "value" => value = id(inner),
                "id" => own = id(inner),
                _ => {}
            });
            value.or(own)
        }
        _ => None,
    };
    found.filter(|id| !id.is_empty() && id != "0")
}

/// True or false in any of Pipedrive's ways: `true`, 1, `"1"`, `"true"` and their opposites.
pub(crate) fn boolean(raw: &str) -> Option<bool> {
    match raw.trim_matches('"') {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A whole number that is not negative.
pub(crate) fn count(raw: &str) -> Option<u64> {
    raw.trim_matches('"').parse().ok()
}

/// Calls back for each element of an array, in order. Not at all when the value is no array.
pub(crate) fn for_each_element<'a>(raw: &'a str, each: impl FnMut(&'a str)) {
    if raw.starts_with('[') {
        // The text was cut out of a document that parsed, so it is whole.
        let _ = serde_json::Deserializer::from_str(raw).deserialize_seq(Elements(each));
    }
}

/// Calls back for each member of an object, in order. Not at all when the value is no object.
pub(crate) fn for_each_member<'a>(raw: &'a str, each: impl FnMut(&str, &'a str)) {
    if raw.starts_with('{') {
        let _ = serde_json::Deserializer::from_str(raw).deserialize_map(Members(each));
    }
}

struct Elements<F>(F);

impl<'de, F: FnMut(&'de str)> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<&'de RawValue>()? {
            (self.0)(element.get());
        }
        Ok(())
    }
}

struct Members<F>(F);

impl<'de, F: FnMut(&str, &'de str)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<&'de RawValue>()? {
            let value = members.next_value::<&'de RawValue>()?;
            let key = string(key.get()).ok_or_else(|| A::Error::custom("a key is no string"))?;
            (self.0)(&key, value.get());
        }
        Ok(())
    }
}

/// The inside of a string, its escapes resolved, U+FFFD for each that makes no sense.
fn unescape_lossy(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(escape) = rest.chars().next() else {
            break;
        };
        rest = &rest[escape.len_utf8()..];
        match escape {
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'u' => {
                let (letter, used) = code_point(rest);
                text.push(letter);
                rest = &rest[used..];
            }
            other => text.push(other),
        }
    }
    text.push_str(rest);
    text
}

/// The letter that the hexadecimal digits at the start of `rest` (and of a second escape, for a pair) stand for, and how many bytes they take.
fn code_point(rest: &str) -> (char, usize) {
    let unit = |from: usize| {
        rest.get(from..from + 4)
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
    };
    let Some(first) = unit(0) else {
        return (char::REPLACEMENT_CHARACTER, 0);
    };
    if let Some(letter) = char::from_u32(u32::from(first)) {
        return (letter, 4);
    }
    let second = rest
        .get(4..6)
        .filter(|mark| *mark == "\\u")
        .and_then(|_| unit(6));
    let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    pair.map_or((char::REPLACEMENT_CHARACTER, 4), |letter| (letter, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_borrowed_unless_escaped() {
        assert!(matches!(string(r#""Ada""#), Some(Cow::Borrowed("Ada"))));
        assert_eq!(string(r#""a\"\u00e9\n😀""#).as_deref(), Some("a\"é\n😀"));
        assert_eq!(string("12"), None);
    }

    #[test]
    fn half_a_surrogate_pair_does_not_lose_the_text() {
        assert_eq!(string(r#""cut \ud83d""#).as_deref(), Some("cut \u{fffd}"));
        assert_eq!(
            string(r#""\ud83dx \ud83d\ude00 \t""#).as_deref(),
            Some("\u{fffd}x 😀 \t")
        );
    }

    #[test]
    fn ids_come_in_every_form_of_both_generations() {
        assert_eq!(id("7").as_deref(), Some("7"));
        assert_eq!(id("\"7\"").as_deref(), Some("7"));
        assert_eq!(
            id(r#"{"value":7,"name":"Ada","id":8}"#).as_deref(),
            Some("7")
        );
        assert_eq!(id(r#"{"id":8}"#).as_deref(), Some("8"));
        assert_eq!((id("null"), id("0"), id("\"\"")), (None, None, None));
    }

    #[test]
    fn booleans_come_in_every_form_of_both_generations() {
        let read: Vec<_> = ["true", "1", "\"1\"", "false", "0", "\"0\"", "null"]
            .into_iter()
            .map(boolean)
            .collect();
        assert_eq!(
            read,
            [
                Some(true),
                Some(true),
                Some(true),
                Some(false),
                Some(false),
                Some(false),
                None
            ]
        );
    }

    #[test]
    fn members_and_elements_come_in_order() {
        let mut seen = Vec::new();
        for_each_member(r#"{"a":1,"b":[1,2],"a":null}"#, |key, raw| {
            seen.push((key.to_owned(), raw.to_owned()))
        });
        assert_eq!(
            seen,
            [
                ("a".into(), "1".into()),
                ("b".into(), "[1,2]".into()),
                ("a".into(), "null".into())
            ]
        );
        let mut seen = Vec::new();
        for_each_element("[1, \"x\" ,null]", |raw| seen.push(raw));
        assert_eq!(seen, ["1", "\"x\"", "null"]);
        for_each_element("null", |_| panic!("null has no elements"));
    }
}
