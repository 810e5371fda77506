//! Decides what a stage of a pipeline may be: its label, its metadata, whether records in it are closed.
//!
//! It knows no other pipeline.

use crate::hubspot::answer::Failure;
use crate::hubspot::clock::iso;
use crate::hubspot::objects::ObjectType;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A step of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Unique among the stages of the kind.
    pub id: String,
    /// Unique in its pipeline.
    pub label: String,
    /// Place in its pipeline.
    pub display_order: i64,
    /// Text values; `isClosed` always, `probability` with deals, `ticketState` with tickets.
    pub metadata: Map<String, Value>,
    pub(super) created: i64,
    pub(super) updated: i64,
}

/// What is sent to create or change a stage.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StageInput {
    #[serde(alias = "id")]
    pub(super) stage_id: Option<String>,
    pub(super) label: Option<String>,
    pub(super) display_order: Option<i64>,
    #[serde(default)]
    pub(super) metadata: Map<String, Value>,
}

impl Stage {
    /// Whether records in it are closed.
    pub fn is_closed(&self) -> bool {
        self.metadata.get("isClosed") == Some(&json!("true"))
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.id,
            "label": self.label,
            "displayOrder": self.display_order,
            "metadata": self.metadata,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            "archived": false,
        })
    }
}

/// A field that must be sent.
pub(super) fn required<T>(given: Option<T>, field: &str) -> Result<T, Failure> {
    given.ok_or_else(|| {
        let message = format!("Some required fields were not set: [{field}]");
        Failure::validation(message.clone()).error(json!({"message": message, "in": field}))
    })
}

/// Labels are unique; there are at most 100 stages, 30 with leads.
pub(super) fn check_stages(object: ObjectType, stages: &[Stage]) -> Result<(), Failure> {
    let most = if object == ObjectType::LEAD { 30 } else { 100 };
    if stages.len() > most {
        return Err(
            Failure::validation(format!("A pipeline cannot have more than {most} stages"))
                .sub("PipelineError.STAGE_LIMIT_EXCEEDED"),
        );
    }
    for (place, stage) in stages.iter().enumerate() {
        if stage.label.is_empty() {
            return Err(Failure::validation("Stage labels must not be blank"));
        }
        if stages[..place]
            .iter()
            .any(|other| other.label == stage.label)
        {
            return Err(Failure::validation(format!(
                "Stage labels must be unique within a pipeline: '{}'",
                stage.label
            ))
            .sub("PipelineError.STAGE_LABEL_NOT_UNIQUE"));
        }
    }
    Ok(())
}

/// Metadata of a stage as it is kept: text values, checked, with `isClosed`.
pub(super) fn metadata(
    object: ObjectType,
    given: Map<String, Value>,
) -> Result<Map<String, Value>, Failure> {
    let mut kept = Map::new();
    for (key, value) in given {
        let text = match value {
            Value::String(text) => text,
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => {
                return Err(Failure::validation(format!(
                    "Stage metadata '{key}' must be text"
                )));
            }
        };
        kept.insert(key, json!(text));
    }
    let text = |key: &str| kept.get(key).and_then(Value::as_str);
    let closed = if object == ObjectType::DEAL {
        let probability = text("probability").ok_or_else(|| {
            Failure::validation("Stage metadata must contain 'probability'")
                .sub("PipelineError.MISSING_METADATA")
        })?;
        let number = probability
            .parse::<f64>()
            .ok()
            .filter(|number| (0.0..=1.0).contains(number))
            .ok_or_else(|| {
                Failure::validation(format!(
                    "Stage metadata 'probability' must be between 0.0 and 1.0, not '{probability}'"
                ))
                .sub("PipelineError.INVALID_METADATA")
            })?;
        kept.insert("probability".to_owned(), json!(format!("{number:?}")));
        number == 0.0 || number == 1.0
    } else {
        let key = state_key(object);
        let state = text(key).unwrap_or("OPEN").to_owned();
        if state != "OPEN" && state != "CLOSED" {
            return Err(Failure::validation(format!(
                "Stage metadata '{key}' must be OPEN or CLOSED, not '{state}'"
            ))
            .sub("PipelineError.INVALID_METADATA"));
        }
        kept.insert(key.to_owned(), json!(state));
        state == "CLOSED"
    };
    kept.insert("isClosed".to_owned(), json!(closed.to_string()));
    Ok(kept)
}

/// Which entry of the metadata says that a stage is closed.
fn state_key(object: ObjectType) -> &'static str {
    match object {
        ObjectType::TICKET => "ticketState",
        _ => "state",
    }
}

/// Metadata of a default stage: a probability or a state.
pub(super) fn own_metadata(object: ObjectType, word: &str) -> Map<String, Value> {
    let key = if object == ObjectType::DEAL {
        "probability"
    } else {
        state_key(object)
    };
    let given = Map::from_iter([(key.to_owned(), json!(word))]);
    metadata(object, given).expect("the defaults are valid")
}
