//! Transforms: what is done to a field's value on its way to its property, step by step, and the examples that prove it.
//!
//! A value goes through the steps as text: an option as its label, a number, day or instant in its wire form. What comes out is read as a
//! value of the property's kind. The steps are words here; carrying them out is `reconcile`'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One step of a transform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Spaces at both ends go, and several within become one.
    Trim,
    /// Every letter becomes a capital.
    Upper,
    /// Every letter becomes a small one.
    Lower,
    /// The first letter of every word becomes a capital, the others small.
    Title,
    /// All words of a name but the last; all of a name that is one word.
    FirstName,
    /// The last word of a name; nothing of a name that is one word.
    LastName,
    /// This text and those of other fields of the same record, blank ones left out.
    Join {
        /// The other fields, in order.
        with: Vec<String>,
        /// What stands between two of them.
        separator: String,
    },
    /// Always this text, for every record, whatever the field holds.
    Constant(String),
    /// One text for another, for example option for option.
    Options {
        /// What becomes of each; an option is named by its label or its value.
        map: BTreeMap<String, String>,
        /// What becomes of all others; they stay as they are where it is not said, and go where it is empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<String>,
    },
    /// A number written by people becomes one that is read everywhere: `1.234,50` becomes `1234.50`.
    Number {
        /// What stands before the decimals.
        decimal: char,
        /// What stands between groups of digits, where something does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<char>,
    },
    /// A number gets exactly that many decimals, halves away from zero.
    Round(u32),
    /// A day or time written in one format is written in another. Formats are those of `strftime`, for example `%d.%m.%Y`.
    Date {
        /// How it is written.
        from: String,
        /// How it is to be written.
        to: String,
    },
}

/// What a transform must make of a value. A transform whose examples fail refuses the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The field's value as text; further ones are those of the fields that a [`Step::Join`] names, in order.
    pub from: Vec<String>,
    /// The text that must come out.
    pub to: String,
}
