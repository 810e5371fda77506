//! Decides what a record looks like in an answer: which properties, in which words, with which associations.
//!
//! It changes nothing.

use super::answer::Failure;
use super::associations::Node;
use super::clock::iso;
use super::objects::{Object, ObjectType};
use super::record::Record;
use super::state::State;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The third generation lists so many associations with a record.
const ASSOCIATIONS: usize = 500;

/// Which properties an answer gives: names that exist, in no order.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    names: Vec<String>,
    history: Vec<String>,
}

impl Wanted {
    /// Those asked for, as far as they exist; the kind's own where none are.
    pub(super) fn new<'a>(
        state: &State,
        object: &Object,
        asked: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut asked = asked.into_iter().peekable();
        let mut names: Vec<String> = if asked.peek().is_none() {
            object.defaults.clone()
        } else {
            asked
                .filter(|name| state.knows(object.object_type, name))
                .map(str::to_owned)
                .collect()
        };
        names.extend([
            object.created.to_owned(),
            object.modified.to_owned(),
            "hs_object_id".to_owned(),
        ]);
        names.sort_unstable();
        names.dedup();
        Self {
            names,
            history: Vec::new(),
        }
    }

    /// With these properties' history too.
    pub(super) fn with_history<'a>(
        mut self,
        state: &State,
        object: &Object,
        asked: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let asked = asked.into_iter();
        self.history = asked
            .filter(|name| state.knows(object.object_type, name))
            .map(str::to_owned)
            .collect();
        self
    }
}

/// A record as it is told.
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    pub(super) object: &'a Object,
    pub(super) record: &'a Record,
    pub(super) wanted: &'a Wanted,
    /// Kinds whose associations are told as well.
    pub(super) associations: &'a [ObjectType],
    /// Every property that was written is told as well.
    pub(super) whole: bool,
    pub(super) trace: Option<&'a str>,
    /// Whether an upsert made it.
    pub(super) new: Option<bool>,
}

impl<'a> View<'a> {
    /// A record with the wanted properties and nothing else.
    pub(super) fn new(
        state: &'a State,
        object: &'a Object,
        record: &'a Record,
        wanted: &'a Wanted,
    ) -> Self {
        Self {
            state,
            object,
            record,
            wanted,
            associations: &[],
            whole: false,
            trace: None,
            new: None,
        }
    }
}

/// The properties of a record, sorted by name.
struct Properties<'a>(&'a View<'a>);

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = self.0;
        let mut map = serializer.serialize_map(None)?;
        if !view.whole {
            for name in &view.wanted.names {
                let value = value(view.state, view.object, view.record, name);
                map.serialize_entry(name, &value)?;
            }
            return map.end();
        }
        for (name, value) in view.record.values.iter() {
            map.serialize_entry(&**name, value)?;
        }
        let source = [
            "hs_object_source",
            "hs_object_source_id",
            "hs_object_source_label",
        ];
        let computed = view.wanted.names.iter().map(String::as_str).chain(source);
        for name in computed {
            if !view.record.values.contains_key(name) {
                let value = value(view.state, view.object, view.record, name);
                map.serialize_entry(name, &value)?;
            }
        }
        map.end()
    }
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.record;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &record.id.to_string())?;
        map.serialize_entry("properties", &Properties(self))?;
        if !self.wanted.history.is_empty() {
            map.serialize_entry("propertiesWithHistory", &history(self))?;
        }
        map.serialize_entry("createdAt", &iso(record.created))?;
        map.serialize_entry("updatedAt", &iso(record.updated))?;
        map.serialize_entry("archived", &record.archived.is_some())?;
        if let Some(at) = record.archived {
            map.serialize_entry("archivedAt", &iso(at))?;
        }
        let portal = self.state.options.portal;
        let kind = self.object.object_type;
        let url = format!(
            "https://app.hubspot.com/contacts/{portal}/record/{kind}/{}",
            record.id
        );
        map.serialize_entry("url", &url)?;
        if let Some(trace) = self.trace {
            map.serialize_entry("objectWriteTraceId", trace)?;
        }
        if let Some(new) = self.new {
            map.serialize_entry("new", &new)?;
        }
        let associations = associations(self);
        if !associations.is_empty() {
            map.serialize_entry("associations", &associations)?;
        }
        map.end()
    }
}

/// A property's value: what was written, or what the vendor computes; none is null.
pub(super) fn value<'a>(
    state: &State,
    object: &Object,
    record: &'a Record,
    name: &str,
) -> Option<Cow<'a, str>> {
    if let Some(value) = record.values.get(name) {
        return Some(Cow::Borrowed(value));
    }
    let node = (object.object_type, record.id);
    let count = |to| Some(state.links.count(node, to).to_string());
    let primary = |to| {
        state
            .links
            .primary(&state.types, node, to)
            .map(|id| id.to_string())
    };
    let computed = match name {
        "hs_object_id" => Some(record.id.to_string()),
        "createdate" | "hs_createdate" => Some(iso(record.created)),
        "lastmodifieddate" | "hs_lastmodifieddate" if name == object.modified => {
            Some(iso(record.updated))
        }
        "hs_object_source" | "hs_object_source_label" => Some("INTEGRATION".to_owned()),
        "hs_object_source_id" => Some(record.app.to_string()),
        "hs_merged_object_ids" => merged(record),
        "num_associated_contacts" => count(ObjectType::CONTACT),
        "num_associated_deals" => count(ObjectType::DEAL),
        "hs_num_of_associated_line_items" | "hs_num_associated_line_items" => {
            count(ObjectType::LINE_ITEM)
        }
        "associatedcompanyid" | "hs_primary_associated_company" | "hs_primary_company_id" => {
            primary(ObjectType::COMPANY)
        }
        "hs_primary_contact_id" => primary(ObjectType::CONTACT),
        _ => None,
    };
    computed.map(Cow::Owned)
}

fn merged(record: &Record) -> Option<String> {
    let ids: Vec<String> = record.merged.iter().map(u64::to_string).collect();
    (!ids.is_empty()).then(|| ids.join(";"))
}

/// The present value only: older ones are not kept.
fn history(view: &View<'_>) -> Value {
    let versions = view.wanted.history.iter().map(|name| {
        let present = value(view.state, view.object, view.record, name).map(|value| {
            json!({
                "value": value,
                "timestamp": iso(view.record.updated),
                "sourceType": "INTEGRATION",
                "sourceId": view.record.app.to_string(),
            })
        });
        let versions: Vec<Value> = present.into_iter().collect();
        (name.clone(), Value::Array(versions))
    });
    Value::Object(versions.collect())
}

fn associations(view: &View<'_>) -> Map<String, Value> {
    let node = (view.object.object_type, view.record.id);
    let mut out = Map::new();
    for to in view.associations {
        let page = legacy_page(view.state, node, *to, 0, ASSOCIATIONS);
        if page["results"]
            .as_array()
            .is_some_and(|results| !results.is_empty())
        {
            let object = view.state.objects.get(*to);
            let key = if to.is_custom() {
                object.plural.clone()
            } else {
                object.plural.replace('_', " ")
            };
            out.insert(key, page);
        }
    }
    out
}

/// Associations as the third generation lists them: one entry a type.
pub(super) fn legacy_page(
    state: &State,
    from: Node,
    to: ObjectType,
    after: u64,
    limit: usize,
) -> Value {
    let mut results = Vec::new();
    let mut next = None;
    for (place, (id, specs)) in state.links.of(from, to, after).take(limit + 1).enumerate() {
        if place == limit {
            next = results.last().map(|entry: &Value| entry["id"].clone());
            break;
        }
        for spec in specs {
            if let Some(kind) = state.types.find(from.0, to, *spec) {
                results.push(json!({ "id": id.to_string(), "type": kind.name }));
            }
        }
    }
    let mut page = json!({ "results": results });
    if let Some(next) = next {
        page["paging"] = json!({ "next": { "after": next } });
    }
    page
}

/// The kinds of a comma list.
///
/// # Errors
///
/// 400 for a word that is no kind of record.
pub(super) fn kinds(state: &State, words: &[&str]) -> Result<Vec<ObjectType>, Failure> {
    let resolve = |word: &&str| {
        state.objects.resolve(word).map_err(|unknown| {
            Failure::validation(format!("Unable to infer object type from: {}", unknown.0))
        })
    };
    words.iter().map(resolve).collect()
}
