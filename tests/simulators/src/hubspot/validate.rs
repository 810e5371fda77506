//! Decides whether a value may be written to a property, and how it is kept.
//!
//! It knows neither which values other records have nor what stages and amounts mean to each other.

use super::answer::Failure;
use super::clock::{instant, iso};
use super::currencies::Currencies;
use super::definition::{Definition, PropertyType, Values};
use super::objects::ObjectType;
use super::owners::Owners;
use super::pipelines::Pipelines;
use super::validations::{Validations, is_email};
use serde::Serialize;
use serde_json::{Value, json};

/// Most characters of a text.
const MOST_CHARACTERS: usize = 65_536;
const DAY_MS: i64 = 86_400_000;

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PropertyError {
    /// The property.
    pub name: String,
    /// In the vendor's words.
    pub message: String,
    /// Such as `INVALID_OPTION`.
    pub code: &'static str,
}

impl PropertyError {
    pub(super) fn new(name: &str, code: &'static str, message: String) -> Self {
        Self {
            name: name.to_owned(),
            message,
            code,
        }
    }

    /// There is no such property.
    pub(super) fn unknown(name: &str) -> Self {
        let message = format!("Property \"{name}\" does not exist");
        Self::new(name, "PROPERTY_DOESNT_EXIST", message)
    }
}

/// An error as it stands in the text of the message, in the vendor's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    is_valid: bool,
    message: &'a str,
    error: &'static str,
    name: &'a str,
}

/// The refusal of a write: the errors are told as JSON within the message, and again in `errors`
/// (amp-labs/connectors, `batch/create/contacts/err-many-invalid-properties.json`).
pub(super) fn refusal(errors: &[PropertyError]) -> Failure {
    let told: Vec<_> = errors
        .iter()
        .map(|error| Told {
            is_valid: false,
            message: &error.message,
            error: error.code,
            name: &error.name,
        })
        .collect();
    let told = serde_json::to_string(&told).expect("text has a JSON form");
    let failure = Failure::validation(format!("Property values were not valid: {told}"));
    errors.iter().fold(failure, |failure, error| {
        failure.error(json!({
            "message": error.message,
            "code": error.code,
            "context": {"propertyName": [error.name]},
        }))
    })
}

/// What values are looked up in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lists<'a> {
    pub(super) owners: &'a Owners,
    pub(super) pipelines: &'a Pipelines,
    pub(super) currencies: &'a Currencies,
    pub(super) validations: &'a Validations,
}

/// The form in which a value is kept; none clears the property. `current` is what the record has now.
///
/// # Errors
///
/// A [`PropertyError`] where the property cannot be written or does not take the value.
pub(super) fn check(
    property: &Definition,
    object: ObjectType,
    value: &Value,
    current: Option<&str>,
    lists: Lists<'_>,
) -> Result<Option<String>, PropertyError> {
    let name = property.name.as_str();
    if property.read_only || property.calculated {
        let message = format!("\"{name}\" is a read only property; its value cannot be set.");
        return Err(PropertyError::new(name, "READ_ONLY_VALUE", message));
    }
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => {
            let message = format!("{value} was not a valid value: it must be text");
            return Err(PropertyError::new(name, "INVALID_VALUE", message));
        }
    };
    let kept = match property.kind {
        PropertyType::String | PropertyType::PhoneNumber => string(property, object, text)?,
        PropertyType::Number => number(name, text)?,
        PropertyType::Date => date(name, &text)?,
        PropertyType::DateTime => date_time(name, &text)?,
        PropertyType::Bool => boolean(name, text)?,
        PropertyType::Enumeration => enumeration(property, object, text, current, lists)?,
    };
    if let Some(rule) = lists.validations.broken(object, name, &kept) {
        let message = format!("{kept} does not keep the validation rule {rule} of {name}");
        return Err(PropertyError::new(
            name,
            "VALIDATION_RULE_VIOLATED",
            message,
        ));
    }
    Ok(Some(kept))
}

fn string(
    property: &Definition,
    object: ObjectType,
    text: String,
) -> Result<String, PropertyError> {
    let name = property.name.as_str();
    if text.len() > MOST_CHARACTERS && text.chars().count() > MOST_CHARACTERS {
        let message = format!(
            "Property \"{name}\" is too long: at most {MOST_CHARACTERS} characters are allowed"
        );
        return Err(PropertyError::new(name, "VALUE_TOO_LONG", message));
    }
    if object == ObjectType::CONTACT && name == "email" {
        return email(name, &text);
    }
    Ok(text)
}

fn email(name: &str, text: &str) -> Result<String, PropertyError> {
    if is_email(text) {
        return Ok(text.to_ascii_lowercase());
    }
    let message = format!("Email address {text} is invalid");
    Err(PropertyError::new(name, "INVALID_EMAIL", message))
}

/// A decimal number, kept as it was written.
fn number(name: &str, text: String) -> Result<String, PropertyError> {
    let starts = text.trim_start_matches(['+', '-']);
    let plain = starts.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if plain && text.parse::<f64>().is_ok_and(f64::is_finite) {
        return Ok(text);
    }
    let message = format!("{text} was not a valid number.");
    Err(PropertyError::new(name, "INVALID_INTEGER", message))
}

/// A day: as `YYYY-MM-DD`, or as an instant that is midnight UTC; kept as `YYYY-MM-DD`.
fn date(name: &str, text: &str) -> Result<String, PropertyError> {
    let wrong = |message| PropertyError::new(name, "INVALID_DATE", message);
    let at = instant(text).ok_or_else(|| wrong(format!("{text} was not a valid date.")))?;
    if at.rem_euclid(DAY_MS) != 0 {
        let time = iso(at);
        return Err(wrong(format!(
            "{text} is at {} UTC, not midnight!",
            &time[11..23]
        )));
    }
    Ok(iso(at)[..10].to_owned())
}

/// An instant: ISO 8601 or milliseconds since 1970; kept as ISO 8601 with milliseconds and `Z`.
fn date_time(name: &str, text: &str) -> Result<String, PropertyError> {
    let at = instant(text).ok_or_else(|| {
        let message = format!("{text} was not a valid date.");
        PropertyError::new(name, "INVALID_DATE", message)
    })?;
    Ok(iso(at))
}

fn boolean(name: &str, text: String) -> Result<String, PropertyError> {
    if text == "true" || text == "false" {
        return Ok(text);
    }
    let message = format!("{text} was not one of the allowed options: [true, false]");
    Err(PropertyError::new(name, "INVALID_OPTION", message))
}

fn enumeration(
    property: &Definition,
    object: ObjectType,
    text: String,
    current: Option<&str>,
    lists: Lists<'_>,
) -> Result<String, PropertyError> {
    if !property.is_multi() {
        allowed(property, object, &text, lists)?;
        return Ok(text);
    }
    // A leading `;` adds to what is there.
    let kept = current
        .filter(|_| text.starts_with(';'))
        .unwrap_or_default();
    let mut values: Vec<&str> = kept.split(';').filter(|part| !part.is_empty()).collect();
    let emails = object == ObjectType::CONTACT && property.name == "hs_additional_emails";
    let lower = if emails {
        text.to_ascii_lowercase()
    } else {
        text
    };
    for part in lower.split(';').filter(|part| !part.is_empty()) {
        if emails {
            email(&property.name, part)?;
        } else {
            allowed(property, object, part, lists)?;
        }
        if !values.contains(&part) {
            values.push(part);
        }
    }
    Ok(values.join(";"))
}

/// Whether one value is among those that the property takes; upper and lower case differ.
fn allowed(
    property: &Definition,
    object: ObjectType,
    value: &str,
    lists: Lists<'_>,
) -> Result<(), PropertyError> {
    let name = property.name.as_str();
    let refused = |among: &mut dyn Iterator<Item = &str>| {
        let among: Vec<&str> = among.collect();
        let message = format!(
            "{value} was not one of the allowed options: [{}]",
            among.join(", ")
        );
        PropertyError::new(name, "INVALID_OPTION", message)
    };
    let pipelines = lists.pipelines;
    let stages = || {
        pipelines
            .of(object)
            .flat_map(|pipeline| &pipeline.stages)
            .map(|stage| stage.id.as_str())
    };
    match property.values {
        Values::Elsewhere => Ok(()),
        Values::Own => {
            let mut options = property.options.iter().map(|option| option.value.as_str());
            let known = options.clone().any(|option| option == value);
            known.then_some(()).ok_or_else(|| refused(&mut options))
        }
        Values::Owners => owner(name, value, lists.owners),
        Values::Pipelines => pipelines
            .get(object, value)
            .map(|_| ())
            .ok_or_else(|| refused(&mut pipelines.of(object).map(|pipeline| pipeline.id.as_str()))),
        Values::Stages => stages()
            .any(|stage| stage == value)
            .then_some(())
            .ok_or_else(|| refused(&mut stages())),
        Values::Currencies => {
            let currencies = lists.currencies;
            let further = currencies.further();
            let mut codes = std::iter::once(currencies.company()).chain(further);
            currencies
                .knows(value)
                .then_some(())
                .ok_or_else(|| refused(&mut codes))
        }
    }
}

fn owner(name: &str, value: &str, owners: &Owners) -> Result<(), PropertyError> {
    if owners.knows(value) {
        return Ok(());
    }
    if value.parse::<u32>().is_err() {
        let message = format!("{value} was not a valid integer (for owner ID).");
        return Err(PropertyError::new(name, "INVALID_INTEGER", message));
    }
    let message = format!("Owner {value} does not exist");
    Err(PropertyError::new(name, "INVALID_OWNER_ID", message))
}
