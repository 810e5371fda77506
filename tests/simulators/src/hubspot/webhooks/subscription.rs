//! Decides what an app wants to be told, and whether it may.
//!
//! Where it is told is not known here.

use super::happening::Happening;
use crate::hubspot::answer::{Answer, Failure};
use crate::hubspot::call::{Call, Method};
use crate::hubspot::clock::iso;
use crate::hubspot::context::{self, Ctx};
use crate::hubspot::definition::invalid;
use crate::hubspot::objects::{Object, Objects};
use serde::Deserialize;
use serde_json::{Value, json};

/// What events are about: words of their types, and which can happen to which kind.
const KINDS: &[(&str, &[&str])] = &[
    (
        "contact",
        &[
            "creation",
            "deletion",
            "privacyDeletion",
            "propertyChange",
            "merge",
            "restore",
            "associationChange",
        ],
    ),
    (
        "company",
        &[
            "creation",
            "deletion",
            "propertyChange",
            "merge",
            "restore",
            "associationChange",
        ],
    ),
    (
        "deal",
        &[
            "creation",
            "deletion",
            "propertyChange",
            "merge",
            "restore",
            "associationChange",
        ],
    ),
    (
        "ticket",
        &[
            "creation",
            "deletion",
            "propertyChange",
            "merge",
            "restore",
            "associationChange",
        ],
    ),
    (
        "product",
        &["creation", "deletion", "propertyChange", "merge", "restore"],
    ),
    (
        "line_item",
        &[
            "creation",
            "deletion",
            "propertyChange",
            "merge",
            "restore",
            "associationChange",
        ],
    ),
    (
        "object",
        &[
            "creation",
            "deletion",
            "propertyChange",
            "merge",
            "restore",
            "associationChange",
        ],
    ),
];

/// What an app wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) id: u64,
    /// Such as `contact.propertyChange`.
    pub(super) event: String,
    /// With `object.*` only.
    object: Option<String>,
    property: Option<String>,
    pub(super) active: bool,
    created: i64,
    updated: i64,
}

impl Subscription {
    pub(super) fn json(&self) -> Value {
        let mut out = json!({
            "id": self.id.to_string(),
            "eventType": self.event,
            "active": self.active,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
        });
        if let Some(property) = &self.property {
            out["propertyName"] = json!(property);
        }
        if let Some(object) = &self.object {
            out["objectTypeId"] = json!(object);
        }
        out
    }

    pub(super) fn wants(&self, object: &Object, happening: Happening<'_>) -> bool {
        let Some((kind, word)) = self.event.split_once('.') else {
            return false;
        };
        let of_kind = match &self.object {
            Some(id) => *id == object.object_type.to_string(),
            None => kind == object.singular,
        };
        let of_property = match happening {
            Happening::PropertyChange { name, .. } => self.property.as_deref() == Some(name),
            _ => true,
        };
        self.active && of_kind && of_property && word == happening.word()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewSubscription {
    event_type: String,
    property_name: Option<String>,
    object_type_id: Option<String>,
    #[serde(default)]
    active: bool,
}

/// The subscriptions of an app.
#[derive(Debug, Clone, Default)]
pub(super) struct Subscriptions {
    all: Vec<Subscription>,
    next: u64,
}

impl Subscriptions {
    /// Those that are switched on.
    pub(super) fn active(&self) -> impl Iterator<Item = &Subscription> {
        self.all.iter().filter(|one| one.active)
    }

    /// Answers below `/webhooks/v3/{app}/subscriptions`; `rest` is what follows.
    pub(super) fn answer(
        &mut self,
        ctx: Ctx,
        objects: &Objects,
        call: &Call,
        rest: &[&str],
    ) -> Result<Answer, Failure> {
        match (call.method, rest) {
            (Method::Get, []) => {
                let all = self.all.iter();
                let results: Vec<_> = all.map(Subscription::json).collect();
                Ok(Answer::json(200, &json!({ "results": results })))
            }
            (Method::Post, []) => self.subscribe(ctx, objects, context::body(call)?),
            (Method::Post, ["batch", "update"]) => {
                let (mut results, mut errors) = (Vec::new(), Vec::new());
                for input in context::inputs(call, 100)? {
                    let id = input["id"].as_u64().map(|id| id.to_string());
                    let id = id.or_else(|| input["id"].as_str().map(str::to_owned));
                    match self.activate(ctx, &id.unwrap_or_default(), &input) {
                        Ok(changed) => results.push(changed),
                        Err(failure) => errors.push(failure.entry()),
                    }
                }
                Ok(context::batch(ctx, 200, results, errors))
            }
            (Method::Get, [id]) => {
                let place = self.place(id)?;
                Ok(Answer::json(200, &self.all[place].json()))
            }
            (Method::Patch, [id]) => {
                let changed = self.activate(ctx, id, &call.json()?)?;
                Ok(Answer::json(200, &changed))
            }
            (Method::Delete, [id]) => {
                let place = self.place(id)?;
                self.all.remove(place);
                Ok(Answer::no_content())
            }
            (_, [] | [_] | ["batch", "update"]) => Err(Failure::method()),
            _ => Err(Failure::no_endpoint()),
        }
    }

    fn place(&self, id: &str) -> Result<usize, Failure> {
        let found = self
            .all
            .iter()
            .position(|subscription| subscription.id.to_string() == id);
        found.ok_or_else(Failure::not_found)
    }

    fn activate(&mut self, ctx: Ctx, id: &str, change: &Value) -> Result<Value, Failure> {
        let place = self.place(id)?;
        let subscription = &mut self.all[place];
        if let Some(active) = change["active"].as_bool() {
            (subscription.active, subscription.updated) = (active, ctx.now);
        }
        Ok(subscription.json())
    }

    /// Subscriptions are off until they are switched on.
    fn subscribe(
        &mut self,
        ctx: Ctx,
        objects: &Objects,
        new: NewSubscription,
    ) -> Result<Answer, Failure> {
        let event = new.event_type;
        let known = event.split_once('.').is_some_and(|(kind, word)| {
            KINDS
                .iter()
                .any(|(of, words)| *of == kind && words.contains(&word))
        });
        if !known {
            return Err(invalid("eventType", &format!("Unknown event type {event}")));
        }
        if event.ends_with(".propertyChange") != new.property_name.is_some() {
            return Err(invalid(
                "propertyName",
                "propertyName must be given with propertyChange, and only with it",
            ));
        }
        if event.starts_with("object.") != new.object_type_id.is_some() {
            return Err(invalid(
                "objectTypeId",
                "objectTypeId must be given with object.*, and only with it",
            ));
        }
        let object = new
            .object_type_id
            .map(|id| objects.resolve(&id).map(|object| object.to_string()))
            .transpose()?;
        let same = self.all.iter().any(|old| {
            old.event == event && old.property == new.property_name && old.object == object
        });
        if same {
            return Err(Failure::new(
                409,
                "OBJECT_ALREADY_EXISTS",
                "The app has such a subscription already",
            ));
        }
        self.next += 1;
        let made = Subscription {
            id: self.next,
            event,
            object,
            property: new.property_name,
            active: new.active,
            created: ctx.now,
            updated: ctx.now,
        };
        let answer = Answer::json(201, &made.json());
        self.all.push(made);
        Ok(answer)
    }
}
