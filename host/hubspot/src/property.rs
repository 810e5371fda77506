//! A property's definition at HubSpot and the field it is for everybody else, both ways.
//!
//! Values are [`crate::value`]'s; that a definition is made is [`crate::create`]'s.

use model::catalog::{Choices, FieldOption, StandardObject};
use model::{FieldInfo, FieldKind};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::objects::Kind;

/// The longest text of a property, in characters.
pub(crate) const TEXT_MAX_CHARS: u32 = 65_536;

/// The group that our own properties are in.
pub(crate) const GROUP: &str = "longshore";

/// How many unique properties of its own an object may have.
pub(crate) const UNIQUE_MAX: usize = 10;

/// The kinds that a new property can have here and be recognised by again.
pub(crate) const KINDS: [FieldKind; 10] = [
    FieldKind::Text,
    FieldKind::Html,
    FieldKind::Phone,
    FieldKind::Decimal,
    FieldKind::Boolean,
    FieldKind::Date,
    FieldKind::Instant,
    FieldKind::Option,
    FieldKind::Options,
    FieldKind::Owner,
];

/// Stands for a `;` in an option's value: HubSpot parts chosen options by it.
const SEMICOLON: char = '\u{ff1b}';

/// A property as HubSpot tells it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Definition {
    pub(crate) name: String,
    label: String,
    #[serde(rename = "type")]
    kind: String,
    field_type: String,
    pub(crate) options: Vec<OptionDefinition>,
    calculated: bool,
    external_options: bool,
    referenced_object_type: Option<String>,
    hubspot_defined: bool,
    has_unique_value: bool,
    show_currency_symbol: bool,
    pub(crate) archived: bool,
    modification_metadata: Modification,
}

/// What of a property may be changed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Modification {
    read_only_value: bool,
    read_only_options: bool,
}

/// One option as HubSpot tells and takes it.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct OptionDefinition {
    pub(crate) label: String,
    pub(crate) value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) display_order: i64,
    pub(crate) hidden: bool,
}

impl Definition {
    /// The field it is, for that object.
    pub(crate) fn to_field(&self, object: &Kind) -> FieldInfo {
        let kind = self.kind(object);
        let mut field = FieldInfo::new(self.name.as_str(), kind);
        if !self.label.is_empty() {
            field.label.clone_from(&self.label);
        }
        field.custom = !self.hubspot_defined;
        field.standard = self.hubspot_defined.then(|| self.name.clone());
        // What is archived takes no value, and its name is not free.
        field.read_only = self.modification_metadata.read_only_value
            || self.calculated
            || self.archived
            || self.is_amount_of_tax(object);
        field.unique = self.has_unique_value;
        if matches!(kind, FieldKind::Option | FieldKind::Options) {
            let options = self.options.iter().map(|option| FieldOption {
                value: decode_option(&option.value),
                label: option.label.clone(),
            });
            field.options = options.collect();
            field.choices = self.choices();
        }
        let is_text = matches!(
            kind,
            FieldKind::Text | FieldKind::Html | FieldKind::Email | FieldKind::Phone
        );
        field.max_chars = is_text.then_some(TEXT_MAX_CHARS);
        if kind == FieldKind::Money && object.standard == StandardObject::Deal {
            field.currency_field = Some("deal_currency_code".to_owned());
        }
        field
    }

    /// `tax` is an amount of money here and a percentage with everybody else: 19 percent must not become 19 euros.
    fn is_amount_of_tax(&self, object: &Kind) -> bool {
        use StandardObject::{LineItem, Product};
        let is_item = matches!(object.standard, LineItem | Product);
        self.hubspot_defined && is_item && self.name == "tax"
    }

    fn choices(&self) -> Choices {
        if self.name == "hs_additional_emails" {
            Choices::Open
        } else if self.modification_metadata.read_only_options || self.external_options {
            Choices::Closed
        } else {
            Choices::Extendable
        }
    }

    fn kind(&self, object: &Kind) -> FieldKind {
        let named = match (object.standard, self.name.as_str()) {
            (_, "hubspot_owner_id") => Some(FieldKind::Owner),
            (StandardObject::Deal, "pipeline" | "dealstage")
            | (_, "hs_pipeline" | "hs_pipeline_stage") => Some(FieldKind::Reference),
            (StandardObject::LineItem, "hs_product_id") => Some(FieldKind::Reference),
            (_, "deal_currency_code" | "hs_currency") => Some(FieldKind::Text),
            (StandardObject::Contact, "email") => Some(FieldKind::Email),
            (StandardObject::Contact, "hs_additional_emails") => Some(FieldKind::Options),
            (StandardObject::Deal, "amount") => Some(FieldKind::Money),
            (
                _,
                "hs_note_body" | "hs_call_body" | "hs_task_body" | "hs_meeting_body"
                | "hs_email_html",
            ) => Some(FieldKind::Html),
            _ => None,
        };
        if let Some(kind) = named.filter(|_| self.hubspot_defined) {
            return kind;
        }
        let refers_to_owner = self.referenced_object_type.as_deref() == Some("OWNER");
        match (self.kind.as_str(), self.field_type.as_str()) {
            ("enumeration", _) if refers_to_owner => FieldKind::Owner,
            ("enumeration", "booleancheckbox") | ("bool", _) => FieldKind::Boolean,
            ("enumeration", "checkbox") => FieldKind::Options,
            ("enumeration", _) => FieldKind::Option,
            ("number", _) if self.show_currency_symbol && self.hubspot_defined => FieldKind::Money,
            ("number", _) => FieldKind::Decimal,
            ("date", _) => FieldKind::Date,
            ("datetime", _) => FieldKind::Instant,
            ("phone_number", _) | (_, "phonenumber") => FieldKind::Phone,
            (_, "html") => FieldKind::Html,
            _ => FieldKind::Text,
        }
    }

    /// Whether it is a unique property of the portal's own.
    pub(crate) fn is_own_unique(&self) -> bool {
        self.has_unique_value && !self.hubspot_defined && !self.archived
    }
}

/// The definition that makes a field a property; `None` where HubSpot has no such kind of property.
pub(crate) fn to_definition(field: &FieldInfo) -> Option<Value> {
    let (kind, field_type) = match field.kind {
        FieldKind::Text | FieldKind::Email | FieldKind::Url | FieldKind::Time => ("string", "text"),
        FieldKind::Html => ("string", "html"),
        FieldKind::Phone => ("string", "phonenumber"),
        FieldKind::Integer | FieldKind::Decimal | FieldKind::Money => ("number", "number"),
        FieldKind::Boolean => ("bool", "booleancheckbox"),
        FieldKind::Date => ("date", "date"),
        FieldKind::Instant => ("datetime", "date"),
        FieldKind::Option | FieldKind::Owner => ("enumeration", "select"),
        FieldKind::Options => ("enumeration", "checkbox"),
        FieldKind::Reference => return None,
    };
    let mut definition = json!({
        "name": field.name,
        "label": field.label,
        "groupName": GROUP,
        "type": kind,
        "fieldType": field_type,
        "formField": false,
        "hasUniqueValue": field.unique,
    });
    let extra = match field.kind {
        FieldKind::Boolean => Some(json!([
            {"label": "Yes", "value": "true", "displayOrder": 0, "hidden": false},
            {"label": "No", "value": "false", "displayOrder": 1, "hidden": false},
        ])),
        FieldKind::Option | FieldKind::Options => {
            Some(json!(merge_options(Vec::new(), &field.options)))
        }
        _ => None,
    };
    if let Some(options) = extra {
        definition["options"] = options;
    }
    if field.kind == FieldKind::Owner {
        definition["externalOptions"] = json!(true);
        definition["referencedObjectType"] = json!("OWNER");
    }
    Some(definition)
}

/// The options of a property with those of ours that it lacks: a change of options replaces the whole list. HubSpot wants every label
/// once and none empty.
pub(crate) fn merge_options(
    mut present: Vec<OptionDefinition>,
    wanted: &[FieldOption],
) -> Vec<OptionDefinition> {
    let mut values: std::collections::HashSet<String> =
        present.iter().map(|option| option.value.clone()).collect();
    let mut labels: std::collections::HashSet<String> =
        present.iter().map(|option| option.label.clone()).collect();
    for option in wanted {
        let value = encode_option(&option.value);
        if !values.insert(value.clone()) {
            continue;
        }
        let plain = if option.label.trim().is_empty() {
            &option.value
        } else {
            &option.label
        };
        let spelt = [plain.clone(), format!("{plain} ({})", option.value)].into_iter();
        let numbered = (2_u32..).map(|number| format!("{plain} ({number})"));
        let label = spelt
            .chain(numbered)
            .find(|label| labels.insert(label.clone()));
        let display_order = i64::try_from(present.len()).unwrap_or(-1);
        present.push(OptionDefinition {
            label: label.expect("numbers do not end"),
            value,
            description: None,
            display_order,
            hidden: false,
        });
    }
    present
}

/// An option's value as HubSpot can keep it.
pub(crate) fn encode_option(value: &str) -> String {
    value.replace(';', &SEMICOLON.to_string())
}

/// An option's value as it was.
pub(crate) fn decode_option(value: &str) -> String {
    value.replace(SEMICOLON, ";")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::KINDS as OBJECTS;

    fn object(standard: StandardObject) -> &'static Kind {
        OBJECTS
            .iter()
            .find(|kind| kind.standard == standard)
            .unwrap()
    }

    #[track_caller]
    fn check(standard: StandardObject, definition: Value, kind: FieldKind, read_only: bool) {
        let definition: Definition = serde_json::from_value(definition).unwrap();
        let field = definition.to_field(object(standard));
        assert_eq!((field.kind, field.read_only), (kind, read_only));
    }

    #[test]
    fn definitions_become_fields() {
        use StandardObject::{Contact, Deal, Task};
        check(
            Contact,
            json!({"name": "email", "type": "string", "fieldType": "text", "hubspotDefined": true}),
            FieldKind::Email,
            false,
        );
        check(
            Deal,
            json!({"name": "dealstage", "type": "enumeration", "fieldType": "radio", "hubspotDefined": true}),
            FieldKind::Reference,
            false,
        );
        check(
            Deal,
            json!({"name": "amount", "type": "number", "fieldType": "number", "hubspotDefined": true}),
            FieldKind::Money,
            false,
        );
        check(
            Deal,
            json!({"name": "x", "type": "number", "calculated": true}),
            FieldKind::Decimal,
            true,
        );
        check(
            Task,
            json!({"name": "hs_task_status", "type": "enumeration", "fieldType": "select", "hubspotDefined": true, "modificationMetadata": {"readOnlyOptions": true}}),
            FieldKind::Option,
            false,
        );
        check(
            Contact,
            json!({"name": "gone", "type": "date", "fieldType": "date", "archived": true}),
            FieldKind::Date,
            true,
        );
    }

    #[test]
    fn nobodys_percentage_becomes_an_amount_of_tax() {
        let tax =
            json!({"name": "tax", "type": "number", "fieldType": "number", "hubspotDefined": true});
        for standard in [StandardObject::LineItem, StandardObject::Product] {
            check(standard, tax.clone(), FieldKind::Decimal, true);
        }
        let own = json!({"name": "tax", "type": "number", "fieldType": "number"});
        check(StandardObject::LineItem, own, FieldKind::Decimal, false);
        check(StandardObject::Deal, tax, FieldKind::Decimal, false);
    }

    /// Whatever kind a property of ours has, reading its definition tells the same kind again: else each run would make another one.
    #[test]
    fn a_property_is_recognised_by_its_definition() {
        for kind in KINDS {
            let field = FieldInfo {
                options: vec![FieldOption {
                    value: "a;b".into(),
                    label: "A".into(),
                }],
                ..FieldInfo::new("x", kind)
            };
            let made = to_definition(&field).unwrap();
            let read: Definition = serde_json::from_value(made).unwrap();
            let again = read.to_field(object(StandardObject::Contact));
            assert_eq!(
                (again.kind, again.custom, again.read_only),
                (kind, true, false)
            );
            if matches!(kind, FieldKind::Option | FieldKind::Options) {
                assert_eq!(again.options, field.options);
            }
        }
    }

    #[test]
    fn options_are_merged_and_every_label_stands_once() {
        let present = vec![OptionDefinition {
            label: "Hot".into(),
            value: "1".into(),
            ..OptionDefinition::default()
        }];
        let option = |value: &str, label: &str| FieldOption {
            value: value.into(),
            label: label.into(),
        };
        let merged = merge_options(
            present,
            &[
                option("1", "Other"),
                option("2", "Hot"),
                option("3", ""),
                option("4", "3"),
            ],
        );
        let told: Vec<_> = merged
            .iter()
            .map(|option| (option.value.as_str(), option.label.as_str()))
            .collect();
        assert_eq!(
            told,
            [("1", "Hot"), ("2", "Hot (2)"), ("3", "3"), ("4", "3 (4)")]
        );
    }
}
