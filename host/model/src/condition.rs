//! Conditions on the fields of a source's record: what a filter says.
//!
//! They are words only. Whether a record meets one, and whether a catalog bears it out, is `reconcile`'s.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a record must be like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Every one of these holds. An empty list always does.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// A field is as the test says.
    Field {
        /// The source's field.
        field: String,
        /// What its value must be like.
        test: Test,
    },
}

/// What one value must be like. Values are written as a person writes them; the field's kind says how they are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// It is that value. Texts compare without case and outer spaces; an option by its value or label.
    Is(String),
    /// It is not that value; a blank one is not.
    IsNot(String),
    /// The text has that in it, without case; of several options one is it.
    Contains(String),
    /// There is a value.
    Known,
    /// There is none.
    Unknown,
    /// It is a day or instant before that one.
    Before(String),
    /// It is a day or instant after that one.
    After(String),
    /// It is one of those values.
    In(Vec<String>),
    /// It is a number greater than that one.
    Greater(String),
    /// It is a number less than that one.
    Less(String),
}

impl fmt::Display for Condition {
    /// As a person says it: the reason of what a filter leaves out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::All(parts) => (parts, " and "),
            Self::Any(parts) => (parts, " or "),
            Self::Field { field, test } => return write!(f, "{field} {test}"),
        };
        for (at, part) in parts.iter().enumerate() {
            f.write_str(if at > 0 { word } else { "" })?;
            match part {
                Self::Field { .. } => write!(f, "{part}")?,
                _ => write!(f, "({part})")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => write!(f, "is {value:?}"),
            Self::IsNot(value) => write!(f, "is not {value:?}"),
            Self::Contains(value) => write!(f, "contains {value:?}"),
            Self::Known => f.write_str("is known"),
            Self::Unknown => f.write_str("is unknown"),
            Self::Before(value) => write!(f, "is before {value}"),
            Self::After(value) => write!(f, "is after {value}"),
            Self::In(values) => write!(f, "is one of {values:?}"),
            Self::Greater(value) => write!(f, "is greater than {value}"),
            Self::Less(value) => write!(f, "is less than {value}"),
        }
    }
}
