//! What HubSpot's refusals say, in words for a person: the property, the value's fault, the remedy.
//!
//! The forms are those of the error-handling page (2026) and of recorded answers: a message, a category, sometimes details with codes
//! and contexts, sometimes JSON inside the message.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

/// Longest text that is handed on, in characters.
const MESSAGE_MAX: usize = 600;

/// An error, on its own or within the answer to a batch.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) category: String,
    sub_category: Option<serde_json::Value>,
    correlation_id: String,
    policy_name: String,
    pub(crate) context: BTreeMap<String, serde_json::Value>,
    pub(crate) errors: Vec<Detail>,
}

/// One fault among several.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Detail {
    message: String,
    code: String,
    context: BTreeMap<String, serde_json::Value>,
}

/// One invalid value, as it stands in JSON inside a message.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Invalid<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow)]
    error: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

impl Refusal {
    /// Reads the body of an answer; one that is no JSON is quoted.
    pub(crate) fn parse(status: u16, body: &[u8]) -> Self {
        let parsed = serde_json::from_slice::<Self>(body).ok();
        parsed
            .filter(|parsed| !parsed.message.is_empty() || !parsed.category.is_empty())
            .unwrap_or_else(|| {
                let text = String::from_utf8_lossy(body);
                let said = if text.trim().is_empty() {
                    "nothing".to_owned()
                } else {
                    format!("{:?}", shorten(text.trim(), 200))
                };
                Self {
                    message: format!("status {status}, and {said}"),
                    ..Self::default()
                }
            })
    }

    /// The texts of that key in the context, of the whole or of its details.
    pub(crate) fn context(&self, key: &str) -> Vec<String> {
        let contexts =
            std::iter::once(&self.context).chain(self.errors.iter().map(|detail| &detail.context));
        contexts
            .filter_map(|context| context.get(key))
            .flat_map(texts)
            .collect()
    }

    /// The record that is there already: from the context, else from the message.
    pub(crate) fn existing_id(&self) -> Option<String> {
        self.context("existingId").into_iter().next().or_else(|| {
            let (_, rest) = self.message.split_once("Existing ID: ")?;
            let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
            (!id.is_empty()).then_some(id)
        })
    }

    /// Whether something with such a value is there already: an e-mail address, or a unique property.
    pub(crate) fn is_conflict(&self) -> bool {
        self.category == "CONFLICT"
            || self.existing_id().is_some()
            || self.message.contains("CONFLICTING_UNIQUE_VALUE")
            || self
                .errors
                .iter()
                .any(|detail| detail.code == "CONFLICTING_UNIQUE_VALUE")
    }

    /// Whether it is an e-mail address that HubSpot does not take for one.
    pub(crate) fn is_about_address(&self) -> bool {
        self.message.contains("INVALID_EMAIL")
            || self
                .errors
                .iter()
                .any(|detail| detail.code == "INVALID_EMAIL")
    }

    /// What is wrong, and where there is one the remedy.
    pub(crate) fn explain(&self) -> String {
        let mut text = self.faults().unwrap_or_else(|| lower_first(&self.message));
        if let Some(remedy) = self.remedy() {
            text.push_str("; ");
            text.push_str(remedy);
        }
        let mut text = shorten(&text, MESSAGE_MAX);
        if !self.correlation_id.is_empty() {
            text.push_str(&format!(
                " (correlation id {})",
                shorten(&self.correlation_id, 60)
            ));
        }
        text
    }

    fn faults(&self) -> Option<String> {
        let scopes = self.context("requiredGranularScopes");
        if self.category == "MISSING_SCOPES" && !scopes.is_empty() {
            return Some(format!(
                "the credential lacks the scopes {}",
                scopes.join(", ")
            ));
        }
        let embedded = self.message.find("[{").map(|at| &self.message[at..]);
        let invalid: Option<Vec<Invalid<'_>>> = embedded.and_then(|text| {
            let mut values = serde_json::Deserializer::from_str(text).into_iter();
            values.next()?.ok()
        });
        if let Some(invalid) = invalid.filter(|invalid| !invalid.is_empty()) {
            let told = invalid
                .iter()
                .map(|fault| fault_text(&fault.name, &fault.message, &fault.error));
            return Some(told.collect::<Vec<_>>().join("; "));
        }
        let told: Vec<_> = self
            .errors
            .iter()
            .filter(|detail| !detail.message.is_empty())
            .map(|detail| {
                let property = detail
                    .context
                    .get("propertyName")
                    .map(texts)
                    .unwrap_or_default();
                fault_text(
                    property.first().map_or("", String::as_str),
                    &detail.message,
                    &detail.code,
                )
            })
            .collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    fn remedy(&self) -> Option<&'static str> {
        let has = |code: &str| {
            self.message.contains(code) || self.errors.iter().any(|detail| detail.code == code)
        };
        Some(match self.category.as_str() {
            "MISSING_SCOPES" => "give them to the app in HubSpot, then connect again",
            "CONFLICT" | "OBJECT_ALREADY_EXISTS" if self.existing_id().is_some() => {
                "it came into the portal after the plan was made: plan again, and it is matched"
            }
            "RATE_LIMITS" if self.policy_name == "DAILY" => {
                "the portal's requests of this day are used up: go on tomorrow with the same command"
            }
            _ if has("INVALID_OPTION") => "plan again, so that the option is added first",
            _ if has("PROPERTY_DOESNT_EXIST") => {
                "somebody removed the property: plan again, and it is made anew"
            }
            _ if self.message.contains("currency") => {
                "add the currency in HubSpot (Settings, Account defaults, Currency), then plan again"
            }
            _ => return None,
        })
    }

    /// Whether the refusal says that the portal's plan does not have the thing.
    pub(crate) fn is_about_tier(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        ["tier", "subscription", "upgrade", "limit"]
            .iter()
            .any(|word| message.contains(word))
            || self
                .sub_category
                .as_ref()
                .is_some_and(|sub| sub.to_string().to_ascii_uppercase().contains("LIMIT"))
    }
}

fn fault_text(property: &str, message: &str, code: &str) -> String {
    let message = lower_first(message);
    let code = if code.is_empty() || message.contains(code) {
        String::new()
    } else {
        format!(" ({code})")
    };
    if property.is_empty() || message.contains(property) {
        format!("{message}{code}")
    } else {
        format!("property {property:?}: {message}{code}")
    }
}

fn lower_first(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        // An abbreviation keeps its capitals.
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

fn texts(value: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        serde_json::Value::Array(values) => values.iter().map(text).collect(),
        other => vec![text(other)],
    }
}

fn shorten(text: &str, max: usize) -> String {
    let clean = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut short: String = clean.clone().take(max).collect();
    if clean.count() > max {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, expected: &str) {
        assert_eq!(Refusal::parse(status, body.as_bytes()).explain(), expected);
    }

    /// Every error body of the vendor's pages, and what a person reads of it.
    #[test]
    fn every_refusal_names_the_fault_and_the_remedy() {
        check(
            400,
            r#"{"status":"error","message":"Property values were not valid: [{\"isValid\":false,\"message\":\"Property \\\"x\\\" does not exist\",\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"x\"}]","correlationId":"c-1","category":"VALIDATION_ERROR"}"#,
            r#"property "x" does not exist (PROPERTY_DOESNT_EXIST); somebody removed the property: plan again, and it is made anew (correlation id c-1)"#,
        );
        check(
            400,
            r#"{"status":"error","message":"Property values were not valid","category":"VALIDATION_ERROR","errors":[{"message":"warm was not one of the allowed options","code":"INVALID_OPTION","context":{"propertyName":["hs_lead_label"]}}]}"#,
            r#"property "hs_lead_label": warm was not one of the allowed options (INVALID_OPTION); plan again, so that the option is added first"#,
        );
        check(
            403,
            r#"{"status":"error","message":"This app hasn't been granted all required scopes","category":"MISSING_SCOPES","errors":[{"message":"One or more of the following scopes are required.","context":{"requiredGranularScopes":["crm.objects.deals.write"]}}]}"#,
            "the credential lacks the scopes crm.objects.deals.write; give them to the app in HubSpot, then connect again",
        );
        check(
            409,
            r#"{"status":"error","message":"Contact already exists. Existing ID: 551","correlationId":"x","category":"CONFLICT"}"#,
            "contact already exists. Existing ID: 551; it came into the portal after the plan was made: plan again, and it is matched (correlation id x)",
        );
        check(
            409,
            r#"{"message":"Contact already exists","category":"CONFLICT"}"#,
            "contact already exists",
        );
        check(
            404,
            r#"{"status":"error","message":"Unable to infer object type from: x","category":"OBJECT_NOT_FOUND"}"#,
            "unable to infer object type from: x",
        );
        check(
            502,
            "<html>Bad gateway</html>",
            "status 502, and \"<html>Bad gateway</html>\"",
        );
        check(500, "", "status 500, and nothing");
        let refusal = Refusal::parse(
            409,
            br#"{"message":"Contact already exists. Existing ID: 551","category":"CONFLICT"}"#,
        );
        assert_eq!(refusal.existing_id().as_deref(), Some("551"));
    }

    #[test]
    fn long_refusals_are_cut_and_control_characters_are_none() {
        let body = serde_json::json!({"message": format!("a\u{1b}[31m{}", "x".repeat(5_000)), "category": "VALIDATION_ERROR"});
        let told = Refusal::parse(400, body.to_string().as_bytes()).explain();
        assert!(
            told.chars().count() <= MESSAGE_MAX + 1 && !told.contains('\u{1b}'),
            "{told}"
        );
    }
}
