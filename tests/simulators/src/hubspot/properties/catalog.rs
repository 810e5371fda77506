//! Holds the properties of one kind of record and the groups that they stand in.
//!
//! Which definitions are valid is decided elsewhere.

use super::changes::check_name;
use crate::hubspot::answer::{Answer, Failure};
use crate::hubspot::call::{Call, Method};
use crate::hubspot::context;
use crate::hubspot::definition::{Definition, invalid};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A group of properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    name: String,
    label: String,
    display_order: i64,
}

impl Group {
    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "label": self.label,
            "displayOrder": self.display_order,
            "archived": false,
        })
    }
}

/// The properties of one kind of record.
#[derive(Debug, Clone, Default)]
pub(super) struct Catalog {
    /// In the order they were made; archived ones stay.
    pub(super) list: Vec<Definition>,
    pub(super) places: HashMap<String, usize>,
    groups: Vec<Group>,
    /// Constant in messages, such as `CONTACT`.
    pub(super) constant: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupDraft {
    name: Option<String>,
    label: Option<String>,
    display_order: Option<i64>,
}

impl Catalog {
    /// None; `constant` is what messages call the kind, such as `CONTACT`.
    pub(super) fn new(constant: &str) -> Self {
        Self {
            constant: constant.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn live(&self, name: &str) -> Option<&Definition> {
        let property = &self.list[*self.places.get(name)?];
        property.archived.is_none().then_some(property)
    }

    pub(super) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    pub(super) fn push(&mut self, definition: Definition) -> &Definition {
        let place = self.list.len();
        self.places.insert(definition.name.clone(), place);
        self.list.push(definition);
        &self.list[place]
    }

    /// A group of the vendor's, with a label made of its name.
    pub(super) fn add_group(&mut self, name: &str) {
        let words = name
            .replace("information", " information")
            .replace('_', " ");
        let mut label = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(first) = label.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let display_order = i64::try_from(self.groups.len()).unwrap_or(-1);
        self.groups.push(Group {
            name: name.to_owned(),
            label,
            display_order,
        });
    }

    pub(super) fn missing(&self, name: &str) -> Failure {
        Failure::new(
            404,
            "OBJECT_NOT_FOUND",
            format!(
                "Property '{name}' does not exist for object type {}",
                self.constant
            ),
        )
        .context("name", [name])
    }

    /// Answers below `/crm/v3/properties/{object}/groups`; `rest` is what follows.
    pub(super) fn groups_answer(&mut self, call: &Call, rest: &[&str]) -> Result<Answer, Failure> {
        match (call.method, rest) {
            (Method::Get, []) => {
                let results: Vec<_> = self.groups.iter().map(Group::json).collect();
                Ok(Answer::json(200, &json!({ "results": results })))
            }
            (Method::Post, []) => {
                let draft: GroupDraft = context::body(call)?;
                let name = draft.name.unwrap_or_default();
                check_name(&name)?;
                let label = draft.label.filter(|label| !label.is_empty());
                let label =
                    label.ok_or_else(|| invalid("label", "Group label must not be blank"))?;
                if self.group(&name).is_some() {
                    return Err(Failure::new(
                        409,
                        "OBJECT_ALREADY_EXISTS",
                        format!("A property group named '{name}' already exists."),
                    )
                    .sub("Properties.PROPERTY_GROUP_WITH_NAME_EXISTS")
                    .context("name", [name]));
                }
                let order = draft.display_order.unwrap_or(-1);
                let created = Group {
                    name,
                    label,
                    display_order: order,
                };
                let answer = Answer::json(201, &created.json());
                self.groups.push(created);
                Ok(answer)
            }
            (method, [name]) => {
                let group = self.groups.iter().position(|group| group.name == *name);
                let place = group.ok_or_else(|| no_such_group(name))?;
                match method {
                    Method::Get => Ok(Answer::json(200, &self.groups[place].json())),
                    Method::Patch => {
                        let draft: GroupDraft = context::body(call)?;
                        let group = &mut self.groups[place];
                        if let Some(label) = draft.label {
                            group.label = label;
                        }
                        group.display_order = draft.display_order.unwrap_or(group.display_order);
                        Ok(Answer::json(200, &group.json()))
                    }
                    Method::Delete => self.delete_group(place),
                    _ => Err(Failure::method()),
                }
            }
            (_, []) => Err(Failure::method()),
            _ => Err(Failure::no_endpoint()),
        }
    }

    /// A group that still has properties stays.
    fn delete_group(&mut self, place: usize) -> Result<Answer, Failure> {
        let name = &self.groups[place].name;
        let used = self
            .list
            .iter()
            .any(|property| property.archived.is_none() && property.group == *name);
        if used {
            return Err(Failure::validation(format!(
                "Property group '{name}' cannot be deleted: it still has properties"
            )));
        }
        self.groups.remove(place);
        Ok(Answer::no_content())
    }
}

fn no_such_group(name: &str) -> Failure {
    Failure::new(
        404,
        "OBJECT_NOT_FOUND",
        format!("Property group '{name}' does not exist"),
    )
}
