//! Names of properties that are created at the destination: readable, valid and unique.
//!
//! A created property is named after the label that people know, without a prefix, for example `favourite_colour`. It does not
//! decide which fields need a property of their own.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The longest name, in characters: `[a-z][a-z0-9_]{0,99}`.
pub const NAME_MAX_CHARS: usize = 100;

/// Left free for the suffix that makes a name unique.
const BASE_MAX_CHARS: usize = 92;

/// Names that a destination keeps for itself though they are no properties.
const RESERVED: [&str; 8] = [
    "id",
    "oid",
    "rowid",
    "archived",
    "deleted",
    "created_at",
    "updated_at",
    "associations",
];

/// Beginnings that belong to the destination or to Longshore.
const RESERVED_PREFIXES: [&str; 3] = ["hs_", "hubspot_", "longshore_"];

/// The name for a property with that text (a label, or a field's own name), before it is made unique. `None` where the text has no
/// letter or digit of the Latin alphabet.
pub fn property_name(text: &str) -> Option<String> {
    let mut name = String::new();
    for letter in text
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
    {
        match letter {
            'a'..='z' | '0'..='9' => name.push(letter),
            'ß' => name.push_str("ss"),
            'æ' => name.push_str("ae"),
            'œ' => name.push_str("oe"),
            'ø' => name.push('o'),
            'ł' => name.push('l'),
            'đ' | 'ð' => name.push('d'),
            'þ' => name.push_str("th"),
            'ı' => name.push('i'),
            '\'' | '’' => {}
            _ if name.is_empty() || name.ends_with('_') => {}
            _ => name.push('_'),
        }
        if name.len() >= BASE_MAX_CHARS {
            break;
        }
    }
    name.truncate(BASE_MAX_CHARS - "source_".len());
    let name = name.trim_end_matches('_');
    if name.is_empty() {
        None
    } else if name.starts_with(|first: char| first.is_ascii_digit()) {
        Some(format!("field_{name}"))
    } else if RESERVED.contains(&name)
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
    {
        Some(format!("source_{name}"))
    } else {
        Some(name.to_owned())
    }
}

/// The name for a field: from its label where its people made it (their own names are often hashes), else from its name; where
/// that has no Latin letter, from the other one, shortened.
pub fn field_name(name: &str, label: &str, custom: bool) -> String {
    let (first, second) = if custom { (label, name) } else { (name, label) };
    property_name(first).unwrap_or_else(|| {
        let second = property_name(second).unwrap_or_default();
        let short: String = second
            .trim_start_matches("field_")
            .chars()
            .take(12)
            .collect();
        if short.is_empty() {
            "field".to_owned()
        } else {
            format!("field_{}", short.trim_end_matches('_'))
        }
    })
}

/// The names to try for a property, the best first: `name`, `name_2`, `name_3`, … without end.
pub fn candidates(base: &str) -> impl Iterator<Item = String> {
    std::iter::once(base.to_owned()).chain((2_u32..).map(move |number| format!("{base}_{number}")))
}

/// Whether it is a name that a property may have.
pub fn is_property_name(name: &str) -> bool {
    name.len() <= NAME_MAX_CHARS
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(name: &str, label: &str, custom: bool, expected: &str) {
        assert_eq!(field_name(name, label, custom), expected);
    }

    #[test]
    fn names_come_from_what_people_read() {
        check(
            "9dc80c50d78a15643bfc4ca79d76156a73a1ca0e",
            "Favourite Colour?",
            true,
            "favourite_colour",
        );
        check("won_time", "Won time", false, "won_time");
        check("hash", "Größe & Straße (m²)", true, "grosse_strasse_m2");
        check(
            "9dc80c50d78a15643bfc4ca79d76156a73a1ca0e",
            "备注",
            true,
            "field_9dc80c50d78a",
        );
        check("abc", "2nd phone", true, "field_2nd_phone");
        check("id", "ID", false, "source_id");
        check("hs_object_id", "x", false, "source_hs_object_id");
        check(
            "x",
            "Longshore source id",
            true,
            "source_longshore_source_id",
        );
        check("备注", "备注", true, "field");
        check(
            "x",
            "Robert'); DROP TABLE contacts;--",
            true,
            "robert_drop_table_contacts",
        );
    }

    proptest! {
        #[test]
        fn names_are_valid_with_any_suffix(name in "\\PC{0,120}", label in "\\PC{0,120}", custom: bool) {
            let base = field_name(&name, &label, custom);
            for name in candidates(&base).take(3) {
                prop_assert!(is_property_name(&name), "{:?}", name);
            }
            prop_assert!(base.len() <= BASE_MAX_CHARS);
        }
    }
}
