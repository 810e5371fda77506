//! Holds one property's definition, and decides which types go with which field types.
//!
//! It keeps no list of them and checks no value.

use super::answer::Failure;
use super::clock::iso;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Type of a property's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyType {
    /// Text, at most 65,536 characters.
    String,
    /// A number, kept as it was written.
    Number,
    /// A day.
    Date,
    /// An instant.
    DateTime,
    /// One of the options, or several of them.
    Enumeration,
    /// `true` or `false`.
    Bool,
    /// A telephone number.
    PhoneNumber,
}

impl PropertyType {
    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Enumeration => "enumeration",
            Self::Bool => "bool",
            Self::PhoneNumber => "phone_number",
        }
    }

    /// The type of that name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "number" => Self::Number,
            "date" => Self::Date,
            "datetime" => Self::DateTime,
            "enumeration" => Self::Enumeration,
            "bool" => Self::Bool,
            "phone_number" => Self::PhoneNumber,
            _ => return None,
        })
    }

    /// Field types that a property of this type may be created with (fact sheet, section 8).
    pub(super) const fn field_types(self) -> &'static [&'static str] {
        match self {
            Self::String => &["text", "textarea", "html", "phonenumber", "file"],
            Self::Number => &["number", "calculation_equation"],
            Self::Date | Self::DateTime => &["date"],
            Self::Enumeration => &["select", "radio", "checkbox", "booleancheckbox"],
            Self::Bool => &["booleancheckbox"],
            Self::PhoneNumber => &["phonenumber"],
        }
    }
}

/// An option of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// What people see.
    pub label: String,
    /// What is stored.
    pub value: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Place among the options; -1 is behind all others.
    #[serde(default)]
    pub display_order: i64,
    /// Not offered to people; still accepted.
    #[serde(default)]
    pub hidden: bool,
}

/// Where the values that a property takes are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// In its own options, where it is an enumeration.
    Own,
    /// Somewhere that is not simulated: any is taken.
    Elsewhere,
    /// Owners' ids.
    Owners,
    /// Pipelines of the kind of record.
    Pipelines,
    /// Stages of those pipelines.
    Stages,
    /// Currencies of the account.
    Currencies,
}

/// Who made a property, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// The vendor.
    HubSpot,
    /// A user of the account, by number.
    User(u64),
}

/// A property's definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Name, never changed.
    pub name: String,
    /// What people see.
    pub label: String,
    /// Type of its values.
    pub kind: PropertyType,
    /// How it is entered; `checkbox` takes several options.
    pub field_type: String,
    /// What it is for.
    pub description: String,
    /// Name of its group.
    pub group: String,
    /// Its options, in order.
    pub options: Vec<Choice>,
    /// Where its values are listed.
    pub values: Values,
    /// No two records have the same value.
    pub unique: bool,
    /// No app can set it.
    pub read_only: bool,
    /// The vendor computes it.
    pub calculated: bool,
    /// The options cannot be changed.
    pub fixed_options: bool,
    /// Not shown to people.
    pub hidden: bool,
    /// May stand in forms.
    pub form_field: bool,
    /// An amount of money.
    pub currency: bool,
    /// Place in its group; -1 is behind all others.
    pub display_order: i64,
    /// Who made it.
    pub maker: Maker,
    /// Milliseconds since 1970.
    pub created: i64,
    /// Milliseconds since 1970.
    pub updated: i64,
    /// When it was archived: milliseconds since 1970.
    pub archived: Option<i64>,
}

impl Definition {
    /// Whether it takes several options at once.
    pub fn is_multi(&self) -> bool {
        self.kind == PropertyType::Enumeration && self.field_type == "checkbox"
    }

    /// Whether a customer made it.
    pub fn is_custom(&self) -> bool {
        matches!(self.maker, Maker::User(_))
    }

    /// As the API tells it.
    pub(super) fn json(&self) -> Value {
        let mut meta = json!({
            "archivable": true,
            "readOnlyDefinition": !self.is_custom(),
            "readOnlyValue": self.read_only || self.calculated,
        });
        if self.kind == PropertyType::Enumeration && !self.is_custom() {
            meta["readOnlyOptions"] = json!(self.fixed_options);
        }
        let mut out = json!({
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "name": self.name,
            "label": self.label,
            "type": self.kind.name(),
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": self.options,
            "displayOrder": self.display_order,
            "calculated": self.calculated,
            "externalOptions": self.values != Values::Own,
            "archived": self.archived.is_some(),
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "modificationMetadata": meta,
            "formField": self.form_field,
            "dataSensitivity": "non_sensitive",
        });
        match self.maker {
            Maker::HubSpot => out["hubspotDefined"] = json!(true),
            Maker::User(id) => {
                out["createdUserId"] = json!(id.to_string());
                out["updatedUserId"] = json!(id.to_string());
            }
        }
        if self.values == Values::Owners {
            out["referencedObjectType"] = json!("OWNER");
        }
        if self.currency {
            out["showCurrencySymbol"] = json!(true);
        }
        if let Some(at) = self.archived {
            out["archivedAt"] = json!(iso(at));
        }
        out
    }
}

/// What is asked for when a property is created.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Draft {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) label: String,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) field_type: String,
    #[serde(default)]
    pub(super) group_name: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) options: Vec<Choice>,
    #[serde(default = "behind_all")]
    pub(super) display_order: i64,
    #[serde(default)]
    pub(super) has_unique_value: bool,
    #[serde(default)]
    pub(super) hidden: bool,
    #[serde(default)]
    pub(super) form_field: bool,
    #[serde(default)]
    pub(super) external_options: bool,
    #[serde(default)]
    pub(super) referenced_object_type: Option<String>,
}

const fn behind_all() -> i64 {
    -1
}

/// A refusal that names the field of the request which is wrong.
pub(super) fn invalid(field: &str, message: &str) -> Failure {
    Failure::validation(message).error(json!({ "message": message, "in": field }))
}

/// The type of that name, if it goes with the field type.
///
/// # Errors
///
/// 400 where there is no such type, or it does not go with the field type.
pub(super) fn paired(kind: &str, field_type: &str) -> Result<PropertyType, Failure> {
    let known = PropertyType::of(kind).ok_or_else(|| {
        invalid(
            "type",
            &format!("Invalid property type '{kind}': it must be one of [string, number, date, datetime, enumeration, bool, phone_number]"),
        )
    })?;
    if known.field_types().contains(&field_type) {
        return Ok(known);
    }
    Err(invalid(
        "fieldType",
        &format!(
            "Field type '{field_type}' is not allowed for property type '{kind}': it must be one of [{}]",
            known.field_types().join(", ")
        ),
    ))
}

/// Refuses options that are not whole, come twice, or are not those of a yes-or-no property.
///
/// # Errors
///
/// 400.
pub(super) fn check_options(
    kind: PropertyType,
    field_type: &str,
    options: &[Choice],
) -> Result<(), Failure> {
    let two_valued = kind == PropertyType::Bool || field_type == "booleancheckbox";
    let takes_options = kind == PropertyType::Enumeration || two_valued;
    if !takes_options && !options.is_empty() {
        return Err(invalid(
            "options",
            &format!("Properties of type '{}' cannot have options", kind.name()),
        ));
    }
    for (place, option) in options.iter().enumerate() {
        if option.value.is_empty() || option.label.is_empty() {
            return Err(invalid(
                "options",
                "Options must have a label and a value that are not empty",
            ));
        }
        if option.value.contains(';') {
            return Err(invalid(
                "options",
                &format!("Option value '{}' must not contain ';'", option.value),
            ));
        }
        let before = &options[..place];
        if let Some(same) = before
            .iter()
            .find(|other| other.value == option.value || other.label == option.label)
        {
            return Err(invalid(
                "options",
                &format!(
                    "Option labels and values must be unique: '{}' ({}) is given more than once",
                    same.label, same.value
                ),
            ));
        }
    }
    if two_valued {
        let mut values: Vec<&str> = options.iter().map(|option| option.value.as_str()).collect();
        values.sort_unstable();
        if values != ["false", "true"] {
            return Err(invalid(
                "options",
                "Boolean properties must have exactly two options, with the values 'true' and 'false'",
            ));
        }
    }
    Ok(())
}
