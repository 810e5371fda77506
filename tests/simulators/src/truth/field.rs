//! Holds custom fields: what a company defined, and the values its records carry.
//!
//! Keys are not here: each vendor (and each account) names a field in its own way.

use super::{Address, Amount, Day, Kind};

/// What a custom field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Short text, at most 255 characters.
    Text,
    /// Short text with suggestions.
    SuggestedText,
    /// Text of up to 65,000 characters.
    LongText,
    /// A telephone number.
    Phone,
    /// A whole number.
    Whole,
    /// A decimal number.
    Decimal,
    /// One option of a list.
    Choice,
    /// Any number of options of a list.
    Choices,
    /// A date.
    Day,
    /// Two dates.
    Days,
    /// A time of day.
    Time,
    /// Two times of day.
    Times,
    /// An amount with a currency.
    Money,
    /// A postal address.
    Address,
    /// A reference to a record; the kind is the one given.
    Link(Kind),
}

/// One option of a list field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Unique in the account.
    pub id: u32,
    /// What people see.
    pub label: String,
}

/// One custom field of a kind of record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDef {
    /// What people see; unique within the kind.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
    /// The options that exist, in order; empty for fields that are no list.
    pub choices: Vec<Choice>,
    /// An option that was removed from the list and is still on records.
    pub removed_choice: Option<u32>,
    /// In how many of a thousand records it is filled.
    pub filled_per_mille: u64,
}

/// The value of a custom field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// Text of any length; may be empty.
    Text(String),
    /// A whole or decimal number.
    Number(Amount),
    /// The id of an option, which may be the removed one.
    Choice(u32),
    /// Ids of options, at least one.
    Choices(Vec<u32>),
    /// A date.
    Day(Day),
    /// First and last date.
    Days(Day, Day),
    /// Seconds of the day, in the company's time zone.
    Time(u32),
    /// Seconds of the day of start and end, in the company's time zone.
    Times(u32, u32),
    /// Amount and ISO 4217 code.
    Money(Amount, &'static str),
    /// A postal address.
    Address(Box<Address>),
    /// The number of a record of the field's kind.
    Link(u64),
}

/// Custom values of one record: one place per field of its kind, in the order of the definitions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Custom(pub Vec<Option<FieldValue>>);
