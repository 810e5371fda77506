//! Holds what a caller wants written, taken apart, and what was found right.
//!
//! It checks shapes, not meanings.

use super::answer::Failure;
use super::association_types::{Category, Spec};
use super::associations::Node;
use super::objects::ObjectType;
use serde_json::{Map, Value, json};

/// New values by property; none clears.
pub(super) type Set = Vec<(String, Option<String>)>;

/// What a caller wants written.
#[derive(Debug, Default)]
pub(super) struct Input {
    pub(super) id: Option<String>,
    pub(super) id_property: Option<String>,
    pub(super) properties: Map<String, Value>,
    pub(super) associations: Vec<Value>,
    pub(super) trace: Option<String>,
}

impl Input {
    /// Takes an input of a batch, or the body of a single write, apart.
    ///
    /// # Errors
    ///
    /// 400 where it has another shape.
    pub(super) fn parse(value: Value) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::validation(format!("Invalid input JSON: {what}"));
        let Value::Object(mut fields) = value else {
            return Err(wrong("an object is expected"));
        };
        let properties = match fields.remove("properties") {
            Some(Value::Object(properties)) => properties,
            None | Some(Value::Null) => Map::new(),
            Some(_) => return Err(wrong("properties must be an object")),
        };
        let associations = match fields.remove("associations") {
            Some(Value::Array(associations)) => associations,
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return Err(wrong("associations must be a list")),
        };
        let mut text = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            None | Some(Value::Null) => Ok(None),
            Some(_) => Err(wrong(&format!("{name} must be a string"))),
        };
        Ok(Self {
            id: text("id")?,
            id_property: text("idProperty")?,
            trace: text("objectWriteTraceId")?,
            properties,
            associations,
        })
    }
}

/// An association to be made with a record.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) to: Node,
    pub(super) specs: Vec<Spec>,
}

/// A write that was found right.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) object: ObjectType,
    /// The record that is changed; none is created.
    pub(super) id: Option<u64>,
    pub(super) set: Set,
    pub(super) links: Vec<Link>,
}

/// An id as JSON has it: a string of digits or a number.
pub(super) fn number(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// A list of `{associationCategory, associationTypeId}`.
///
/// # Errors
///
/// 400 where it is none, or empty.
pub(super) fn specs(value: &Value) -> Result<Vec<Spec>, Failure> {
    let wrong = || {
        Failure::validation(
            "Invalid input JSON: types must be a list of associationCategory and associationTypeId",
        )
    };
    let list = value
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or_else(wrong)?;
    list.iter()
        .map(|entry| {
            let category = entry["associationCategory"]
                .as_str()
                .and_then(Category::parse);
            let id = number(&entry["associationTypeId"]).and_then(|id| u32::try_from(id).ok());
            Some(Spec {
                category: category?,
                id: id?,
            })
        })
        .collect::<Option<_>>()
        .ok_or_else(wrong)
}

/// `{associationCategory, associationTypeId}`
pub(super) fn spec_json(spec: Spec) -> Value {
    json!({
        "associationCategory": spec.category.name(),
        "associationTypeId": spec.id,
    })
}
