//! Decides whether a record meets one condition of a search, and what it is sorted by.
//!
//! Requests for searches are taken apart elsewhere.

use super::answer::Failure;
use super::clock::instant;
use super::definition::PropertyType;
use super::objects::{Object, ObjectType};
use super::record::Record;
use super::state::State;
use super::view::value;
use serde_json::Value;
use std::borrow::Cow;
use std::cmp::Ordering;

/// What a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    Text,
    Choice { multi: bool },
    Number,
    Time,
}

/// How a property's values are compared.
pub(super) fn compared(state: &State, object: ObjectType, name: &str) -> Option<Compared> {
    let definition = state.definition(object, name)?;
    Some(match definition.kind {
        PropertyType::Number => Compared::Number,
        PropertyType::Date | PropertyType::DateTime => Compared::Time,
        PropertyType::Enumeration => Compared::Choice {
            multi: definition.is_multi(),
        },
        PropertyType::Bool => Compared::Choice { multi: false },
        PropertyType::String | PropertyType::PhoneNumber => Compared::Text,
    })
}

/// A value to be compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    Number(f64),
    Time(i64),
    Text(String),
}

impl Key {
    /// Reads text as what is compared; none where it is no such value. Texts are compared in lower case.
    pub(super) fn read(compared: Compared, text: &str) -> Option<Self> {
        match compared {
            Compared::Number => text.parse().ok().map(Self::Number),
            Compared::Time => instant(text).map(Self::Time),
            Compared::Choice { .. } => Some(Self::Text(text.to_owned())),
            Compared::Text => Some(Self::Text(text.to_lowercase())),
        }
    }

    /// Numbers and instants by size, texts by letters.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => one.total_cmp(two),
            (Self::Time(one), Self::Time(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            _ => Ordering::Equal,
        }
    }
}

/// The value of a record that is compared; ids and the dates of creation and change are not written out for it.
pub(super) fn key(
    state: &State,
    object: &Object,
    record: &Record,
    name: &str,
    compared: Compared,
) -> Option<Key> {
    if name == "hs_object_id" {
        // Exact up to 2^53, far beyond any id.
        return Some(Key::Number(record.id as f64));
    }
    if name == object.modified {
        return Some(Key::Time(record.updated));
    }
    if name == object.created && !record.values.contains_key(name) {
        return Some(Key::Time(record.created));
    }
    Key::read(compared, &value(state, object, record, name)?)
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    /// About a property.
    Property {
        name: String,
        compared: Compared,
        test: Test,
    },
    /// About an association with one of these records.
    Associated { to: ObjectType, ids: Vec<u64> },
}

/// What must hold for the value of a property.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Is(Key),
    IsNot(Key),
    Below(Key),
    UpTo(Key),
    Above(Key),
    From(Key),
    Between(Key, Key),
    In(Vec<Key>),
    NotIn(Vec<Key>),
    Present,
    Absent,
    Token(String),
    NoToken(String),
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Takes `{propertyName, operator, value, highValue, values}` apart.
///
/// # Errors
///
/// 400 for an unknown property or operator, and for values that do not fit.
pub(super) fn parse(state: &State, object: ObjectType, filter: &Value) -> Result<Filter, Failure> {
    let wrong =
        |what: String| Failure::validation(format!("There was a problem with the request: {what}"));
    let name = filter["propertyName"].as_str().unwrap_or_default();
    let operator = filter["operator"].as_str().unwrap_or_default();
    if let Some(word) = name.strip_prefix("associations.") {
        return associated(state, filter, word, operator);
    }
    let compared = compared(state, object, name)
        .ok_or_else(|| wrong(format!("property '{name}' does not exist")))?;
    let read = |value: &Value| {
        let text =
            text(value).ok_or_else(|| wrong(format!("{operator} on {name} needs a value")))?;
        Key::read(compared, &text)
            .ok_or_else(|| wrong(format!("'{text}' is not a value of {name}")))
    };
    let one = |key: &str| read(&filter[key]);
    let many = || -> Result<Vec<Key>, Failure> {
        let values = filter["values"]
            .as_array()
            .filter(|values| !values.is_empty());
        let values = values.ok_or_else(|| wrong(format!("{operator} on {name} needs values")))?;
        values.iter().map(listed(compared, &read)).collect()
    };
    let token = || {
        text(&filter["value"])
            .filter(|token| !token.is_empty())
            .map(|token| token.to_lowercase())
            .ok_or_else(|| wrong(format!("{operator} on {name} needs a value")))
    };
    let test = match operator {
        "EQ" => Test::Is(one("value")?),
        "NEQ" => Test::IsNot(one("value")?),
        "LT" => Test::Below(one("value")?),
        "LTE" => Test::UpTo(one("value")?),
        "GT" => Test::Above(one("value")?),
        "GTE" => Test::From(one("value")?),
        "BETWEEN" => Test::Between(one("value")?, one("highValue")?),
        "IN" => Test::In(many()?),
        "NOT_IN" => Test::NotIn(many()?),
        "HAS_PROPERTY" => Test::Present,
        "NOT_HAS_PROPERTY" => Test::Absent,
        "CONTAINS_TOKEN" => Test::Token(token()?),
        "NOT_CONTAINS_TOKEN" => Test::NoToken(token()?),
        _ => return Err(wrong(format!("operator '{operator}' does not exist"))),
    };
    Ok(Filter::Property {
        name: name.to_owned(),
        compared,
        test,
    })
}

/// Listed texts are taken as they are: only those in lower case find anything.
fn listed<'a>(
    compared: Compared,
    read: &'a impl Fn(&Value) -> Result<Key, Failure>,
) -> impl Fn(&Value) -> Result<Key, Failure> + 'a {
    move |value| match text(value) {
        Some(text) if compared == Compared::Text => Ok(Key::Text(text)),
        _ => read(value),
    }
}

fn associated(
    state: &State,
    filter: &Value,
    word: &str,
    operator: &str,
) -> Result<Filter, Failure> {
    let to = state.objects.resolve(word)?;
    let values = match operator {
        "EQ" => vec![filter["value"].clone()],
        "IN" => filter["values"].as_array().cloned().unwrap_or_default(),
        _ => {
            return Err(Failure::validation(format!(
                "There was a problem with the request: operator '{operator}' is not supported for associations"
            )));
        }
    };
    let ids = values
        .iter()
        .map(|value| {
            super::draft::number(value).ok_or_else(|| {
                Failure::validation(
                    "There was a problem with the request: associations are searched by the id of a record",
                )
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Filter::Associated { to, ids })
}

impl Filter {
    /// Whether a record meets it.
    pub(super) fn holds(&self, state: &State, object: &Object, record: &Record) -> bool {
        match self {
            Self::Associated { to, ids } => ids.iter().any(|id| {
                let from = (object.object_type, record.id);
                !state.links.pair(from, (*to, *id)).is_empty()
            }),
            Self::Property {
                name,
                compared,
                test,
            } => test.holds(state, object, record, name, *compared),
        }
    }
}

impl Test {
    fn holds(
        &self,
        state: &State,
        object: &Object,
        record: &Record,
        name: &str,
        compared: Compared,
    ) -> bool {
        match self {
            Self::Present => value(state, object, record, name).is_some(),
            Self::Absent => value(state, object, record, name).is_none(),
            Self::Token(token) => {
                value(state, object, record, name).is_some_and(|value| has_token(&value, token))
            }
            Self::NoToken(token) => {
                value(state, object, record, name).is_none_or(|value| !has_token(&value, token))
            }
            _ => {
                let keys = keys(state, object, record, name, compared);
                // A record without a value meets no comparison, not even "is not" [U].
                !keys.is_empty() && self.compares(&keys)
            }
        }
    }

    fn compares(&self, keys: &[Key]) -> bool {
        let any = |test: &dyn Fn(Ordering) -> bool, other: &Key| {
            keys.iter().any(|key| test(key.compare(other)))
        };
        match self {
            Self::Is(other) => any(&Ordering::is_eq, other),
            Self::IsNot(other) => !any(&Ordering::is_eq, other),
            Self::Below(other) => any(&Ordering::is_lt, other),
            Self::UpTo(other) => any(&Ordering::is_le, other),
            Self::Above(other) => any(&Ordering::is_gt, other),
            Self::From(other) => any(&Ordering::is_ge, other),
            Self::Between(low, high) => keys
                .iter()
                .any(|key| key.compare(low).is_ge() && key.compare(high).is_le()),
            Self::In(all) => all.iter().any(|other| any(&Ordering::is_eq, other)),
            Self::NotIn(all) => !all.iter().any(|other| any(&Ordering::is_eq, other)),
            Self::Present | Self::Absent | Self::Token(_) | Self::NoToken(_) => false,
        }
    }
}

/// The value of a property; one key for each choice where there may be several.
fn keys(
    state: &State,
    object: &Object,
    record: &Record,
    name: &str,
    compared: Compared,
) -> Vec<Key> {
    if compared == (Compared::Choice { multi: true }) {
        let value = value(state, object, record, name).unwrap_or(Cow::Borrowed(""));
        let parts = value.split(';').filter(|part| !part.is_empty());
        return parts.map(|part| Key::Text(part.to_owned())).collect();
    }
    key(state, object, record, name, compared)
        .into_iter()
        .collect()
}

/// Words of letters and digits, in lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether a value has a token (in lower case). Without a star every word of the token must occur; with stars it is held against the
/// whole value, its parts between spaces and its words.
fn has_token(value: &str, token: &str) -> bool {
    if !token.contains('*') {
        let have = words(value);
        let wanted = words(token);
        return !wanted.is_empty() && wanted.iter().all(|word| have.contains(word));
    }
    let lower = value.to_lowercase();
    glob(token, &lower)
        || lower.split_whitespace().any(|part| glob(token, part))
        || words(value).iter().any(|word| glob(token, word))
}

/// Whether text matches a pattern in which a star is any text.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{glob, has_token};

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, holds) in [
            ("*@ex.test", "ada@ex.test", true),
            ("ada*", "ada@ex.test", true),
            ("*ex*", "ada@ex.test", true),
            ("a*a@*t", "ada@ex.test", true),
            ("*x", "ada@ex.test", false),
            ("b*", "ada@ex.test", false),
        ] {
            assert_eq!(glob(pattern, text), holds, "{pattern}");
        }
    }

    #[test]
    fn tokens_are_words_unless_there_are_stars() {
        for (value, token, holds) in [
            ("Quay Side Ltd", "side", true),
            ("Quay Side Ltd", "sid", false),
            ("Quay Side Ltd", "sid*", true),
            ("Quay Side Ltd", "ltd quay", true),
            ("ada@ex.test", "*@ex.test", true),
            ("ada@ex.test", "ex", true),
        ] {
            assert_eq!(has_token(value, token), holds, "{token}");
        }
    }
}
