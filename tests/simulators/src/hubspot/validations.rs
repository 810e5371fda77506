//! Holds the rules that an account's administrator lays on values, and decides whether a value keeps them.
//!
//! They cannot be changed through the API here: [`Validations::set`] is the administrator.

use super::answer::{Answer, Failure};
use super::call::{Call, Method};
use super::objects::{ObjectType, Objects};
use regex::Regex;
use serde_json::{Value, json};
use std::collections::HashMap;

/// What every value of a property must be.
#[derive(Debug, Clone)]
pub enum Rule {
    /// At most so many characters.
    MaxLength(usize),
    /// At least so many characters.
    MinLength(usize),
    /// Letters and digits only.
    Alphanumeric,
    /// An e-mail address.
    Email,
    /// A host name.
    Domain,
    /// Matched by the pattern as a whole.
    Regex(Regex),
}

impl Rule {
    /// The rule's name in the API, and its arguments.
    fn told(&self) -> (&'static str, Vec<String>) {
        match self {
            Self::MaxLength(most) => ("MAX_LENGTH", vec![most.to_string()]),
            Self::MinLength(least) => ("MIN_LENGTH", vec![least.to_string()]),
            Self::Alphanumeric => ("ALPHANUMERIC", Vec::new()),
            Self::Email => ("EMAIL", Vec::new()),
            Self::Domain => ("DOMAIN", Vec::new()),
            Self::Regex(pattern) => ("REGEX", vec![pattern.as_str().to_owned()]),
        }
    }

    fn keeps(&self, value: &str) -> bool {
        match self {
            Self::MaxLength(most) => value.chars().count() <= *most,
            Self::MinLength(least) => value.chars().count() >= *least,
            Self::Alphanumeric => value.chars().all(char::is_alphanumeric),
            Self::Email => is_email(value),
            Self::Domain => is_domain(value),
            Self::Regex(pattern) => pattern
                .find(value)
                .is_some_and(|found| found.len() == value.len()),
        }
    }
}

/// The rules of an account, by kind of record and property.
#[derive(Debug, Clone, Default)]
pub struct Validations {
    rules: HashMap<ObjectType, Vec<(String, Vec<Rule>)>>,
}

impl Validations {
    /// Lays rules on a property, instead of those it had.
    pub fn set(&mut self, object: ObjectType, property: &str, rules: Vec<Rule>) {
        let of_object = self.rules.entry(object).or_default();
        of_object.retain(|(name, _)| name != property);
        if !rules.is_empty() {
            of_object.push((property.to_owned(), rules));
        }
    }

    /// The name of the rule that the value breaks, if any.
    pub(super) fn broken(&self, object: ObjectType, property: &str, value: &str) -> Option<&str> {
        let of_object = self.rules.get(&object)?;
        let (_, rules) = of_object.iter().find(|(name, _)| name == property)?;
        let broken = rules.iter().find(|rule| !rule.keeps(value))?;
        Some(broken.told().0)
    }

    /// Answers below `/crm/v3/property-validations`; `rest` is what follows.
    ///
    /// # Errors
    ///
    /// 404 or 405 in the vendor's envelope.
    pub(super) fn answer(
        &self,
        objects: &Objects,
        call: &Call,
        rest: &[&str],
    ) -> Result<Answer, Failure> {
        let (object, property) = match rest {
            [object] => (object, None),
            [object, property] => (object, Some(*property)),
            _ => return Err(Failure::no_endpoint()),
        };
        if call.method != Method::Get {
            return Err(Failure::method());
        }
        let object = objects.resolve(object)?;
        let of_object = self.rules.get(&object).map_or(&[][..], Vec::as_slice);
        let wanted = of_object
            .iter()
            .filter(|(name, _)| property.is_none_or(|property| name == property));
        let results: Vec<Value> = wanted
            .flat_map(|(name, rules)| rules.iter().map(move |rule| (name, rule.told())))
            .map(|(name, (rule, arguments))| {
                json!({"propertyName": name, "ruleType": rule, "ruleArguments": arguments})
            })
            .collect();
        Ok(Answer::json(200, &json!({ "results": results })))
    }
}

/// Whether it is one address: a local part of at most 64 characters, `@`, and a host name with a top-level domain.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&byte);
    (1..=64).contains(&local.len())
        && local.bytes().all(fits)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && is_domain(domain)
}

/// Whether it is a host name of two or more labels, the last of letters.
fn is_domain(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    let whole = labels.iter().all(|label| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    let last = labels.last().copied().unwrap_or_default();
    let top_level =
        last.len() >= 2 && (last.chars().all(char::is_alphabetic) || last.starts_with("xn--"));
    whole && labels.len() >= 2 && top_level && text.len() <= 253
}
