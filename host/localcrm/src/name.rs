//! Names of properties that may become columns, so that no text of a stranger ever becomes SQL.
//!
//! It refuses what does not fit; choosing a name that fits is the planner's business.

use std::fmt;

/// The columns every table has beside its properties, and the names that SQLite gives `id` itself.
const STRUCTURE: [&str; 7] = [
    "id",
    "longshore_source_id",
    "archived",
    "created_at",
    "updated_at",
    "rowid",
    "oid",
];

/// A checked name: `[a-z][a-z0-9_]{0,99}`, and not the name of a column that every table has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnName(Box<str>);

/// Says why a name cannot be a property's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("its name must be a lower-case letter followed by at most 99 of a-z, 0-9 and _")]
    Form,
    #[error("its name is kept for the record itself")]
    Reserved,
}

impl ColumnName {
    pub(crate) fn new(name: &str) -> Result<Self, NameError> {
        let first = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !first || !rest || name.len() > 100 {
            return Err(NameError::Form);
        }
        if STRUCTURE.contains(&name) {
            return Err(NameError::Reserved);
        }
        Ok(Self(name.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ColumnName {
    /// Quoted for SQL: a property may be called `order` or `group`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_columns() {
        for good in ["a", "order", "x_1", &"a".repeat(100)] {
            assert_eq!(ColumnName::new(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(101);
        for bad in [
            "",
            "1a",
            "_a",
            "A",
            "ä",
            "a b",
            "a\"",
            "a;drop table deals",
            "a--",
            "a'",
            "a\0",
            long.as_str(),
        ] {
            assert_eq!(ColumnName::new(bad), Err(NameError::Form), "{bad:?}");
        }
        assert_eq!(ColumnName::new("archived"), Err(NameError::Reserved));
        assert_eq!(ColumnName::new("group").unwrap().to_string(), "\"group\"");
    }
}
