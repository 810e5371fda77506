//! The kinds of values a field can hold, and a value itself, owned or borrowed from a batch.
//!
//! Whether a value of one kind may become another is a decision and lives in `reconcile`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::{Date, Instant, TimeOfDay};

/// A decimal number of up to 28 digits. Money is one of these and a currency code, never a float.
pub type Decimal = rust_decimal::Decimal;

/// What a field holds. The wire form of each kind is in the row grammar (`wit/README.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// Text on one or several lines.
    Text,
    /// Text with HTML markup. It is data: the host never renders it.
    Html,
    /// An e-mail address as the source has it, valid or not.
    Email,
    /// A telephone number as the source has it.
    Phone,
    /// A web address as the source has it.
    Url,
    /// A whole number of 64 bits.
    Integer,
    /// A decimal number.
    Decimal,
    /// An amount of money; its currency stands in [`crate::FieldInfo::currency_field`], else it is the account's.
    Money,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A point in time.
    Instant,
    /// A time of day.
    Time,
    /// One of the field's options, by its value.
    Option,
    /// Any number of the field's options, by their values, in the source's order.
    Options,
    /// The id of an owner on the same side.
    Owner,
    /// The id of a record on the same side.
    Reference,
}

impl FieldKind {
    /// Every kind, in declaration order.
    pub const ALL: [Self; 16] = [
        Self::Text,
        Self::Html,
        Self::Email,
        Self::Phone,
        Self::Url,
        Self::Integer,
        Self::Decimal,
        Self::Money,
        Self::Boolean,
        Self::Date,
        Self::Instant,
        Self::Time,
        Self::Option,
        Self::Options,
        Self::Owner,
        Self::Reference,
    ];

    /// The kind's name, as it is written in manifests, plans and workbooks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "html",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Money => "money",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Instant => "instant",
            Self::Time => "time",
            Self::Option => "option",
            Self::Options => "options",
            Self::Owner => "owner",
            Self::Reference => "reference",
        }
    }

    /// The kind of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether values of this kind are carried as text.
    pub fn is_textual(self) -> bool {
        use FieldKind::{Email, Html, Option, Owner, Phone, Reference, Text, Url};
        matches!(
            self,
            Text | Html | Email | Phone | Url | Option | Owner | Reference
        )
    }
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value that stands by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Known to be empty; an unknown value is simply absent.
    Null,
    /// The textual kinds.
    Text(String),
    /// [`FieldKind::Integer`].
    Integer(i64),
    /// [`FieldKind::Decimal`] and [`FieldKind::Money`].
    Decimal(Decimal),
    /// [`FieldKind::Boolean`].
    Boolean(bool),
    /// [`FieldKind::Date`].
    Date(Date),
    /// [`FieldKind::Instant`].
    Instant(Instant),
    /// [`FieldKind::Time`].
    Time(TimeOfDay),
    /// [`FieldKind::Options`].
    Options(Vec<String>),
}

/// A value borrowed from a [`crate::Batch`] or a [`Value`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// See [`Value::Null`].
    Null,
    /// See [`Value::Text`].
    Text(&'a str),
    /// See [`Value::Integer`].
    Integer(i64),
    /// See [`Value::Decimal`].
    Decimal(Decimal),
    /// See [`Value::Boolean`].
    Boolean(bool),
    /// See [`Value::Date`].
    Date(Date),
    /// See [`Value::Instant`].
    Instant(Instant),
    /// See [`Value::Time`].
    Time(TimeOfDay),
    /// See [`Value::Options`].
    Options(OptionsRef<'a>),
}

/// The chosen options of one value, borrowed.
#[derive(Clone, Copy, Debug)]
pub enum OptionsRef<'a> {
    /// From a [`Value`].
    Strings(&'a [String]),
    /// From a batch: each option ends with a line feed (the row grammar forbids line feeds in options).
    Lines(&'a str),
}

impl<'a> OptionsRef<'a> {
    /// The options in their order.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        let (strings, lines) = match self {
            Self::Strings(strings) => (strings, ""),
            Self::Lines(lines) => (&[][..], lines),
        };
        strings
            .iter()
            .map(String::as_str)
            .chain(lines.split_terminator('\n'))
    }

    /// Whether nothing is chosen.
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }
}

impl PartialEq for OptionsRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Value {
    /// Borrows it.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Decimal(number) => ValueRef::Decimal(*number),
            Self::Boolean(flag) => ValueRef::Boolean(*flag),
            Self::Date(date) => ValueRef::Date(*date),
            Self::Instant(instant) => ValueRef::Instant(*instant),
            Self::Time(time) => ValueRef::Time(*time),
            Self::Options(options) => ValueRef::Options(OptionsRef::Strings(options)),
        }
    }
}

impl ValueRef<'_> {
    /// An owned copy.
    pub fn to_owned(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::Text(text.to_owned()),
            Self::Integer(number) => Value::Integer(number),
            Self::Decimal(number) => Value::Decimal(number),
            Self::Boolean(flag) => Value::Boolean(flag),
            Self::Date(date) => Value::Date(date),
            Self::Instant(instant) => Value::Instant(instant),
            Self::Time(time) => Value::Time(time),
            Self::Options(options) => Value::Options(options.iter().map(str::to_owned).collect()),
        }
    }

    /// Whether there is nothing to say: null, an empty text, or no option.
    pub fn is_blank(self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Options(options) => options.is_empty(),
            _ => false,
        }
    }
}

impl fmt::Display for ValueRef<'_> {
    /// For people: options joined by `; `, nothing for null.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Decimal(number) => write!(f, "{number}"),
            Self::Boolean(flag) => write!(f, "{flag}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::Instant(instant) => write!(f, "{instant}"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Options(options) => {
                for (position, option) in options.iter().enumerate() {
                    if position > 0 {
                        f.write_str("; ")?;
                    }
                    f.write_str(option)?;
                }
                Ok(())
            }
        }
    }
}
