//! Reads what a single JSON value means to Pipedrive: ids, flags and counts in the forms of both generations.
//!
//! Walking the text is the SDK's; which key means what is the tables' business.

use std::borrow::Cow;

pub(crate) use longshore_sdk::json::{elements, for_each_element, for_each_member, string, text};

/// Whether the value is `null`.
pub(crate) fn is_null(raw: &str) -> bool {
    raw == "null"
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
