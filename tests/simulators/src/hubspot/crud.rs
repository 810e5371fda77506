//! Answers calls about single records and lists: create, read, change, delete.
//!
//! What may be written is decided elsewhere.

use super::answer::{Answer, Failure};
use super::call::{Call, Method};
use super::draft::Input;
use super::objects::ObjectType;
use super::record::{EMAIL, Record};
use super::state::State;
use super::view::{View, Wanted, kinds};
use super::write::{self, Claims};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

/// A page of a list.
#[derive(Serialize)]
pub(super) struct Page<T> {
    pub(super) results: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) paging: Option<Value>,
}

/// `GET` and `POST` of a collection.
pub(super) fn collection(
    state: &mut State,
    call: &Call,
    object: ObjectType,
) -> Result<Answer, Failure> {
    match call.method {
        Method::Get => list(state, call, object),
        Method::Post => create(state, call, object),
        _ => Err(Failure::method()),
    }
}

/// `GET`, `PATCH` and `DELETE` of one record.
pub(super) fn single(
    state: &mut State,
    call: &Call,
    object: ObjectType,
    id: &str,
) -> Result<Answer, Failure> {
    match call.method {
        Method::Get => get(state, call, object, id),
        Method::Patch => update(state, call, object, id),
        Method::Delete => delete(state, object, id),
        _ => Err(Failure::method()),
    }
}

fn wanted(state: &State, call: &Call, object: ObjectType) -> Wanted {
    let object = state.objects.get(object);
    Wanted::new(state, object, call.list("properties")).with_history(
        state,
        object,
        call.list("propertiesWithHistory"),
    )
}

fn list(state: &State, call: &Call, kind: ObjectType) -> Result<Answer, Failure> {
    let limit = call.limit(10, 100)?;
    let after = after(call)?;
    let object = state.objects.get(kind);
    let wanted = wanted(state, call, kind);
    let associations = kinds(state, &call.list("associations"))?;
    let mut results = Vec::new();
    let mut next = None;
    if let Some(table) = state.store.table(kind) {
        let records = if call.flag("archived") {
            table.archived()
        } else {
            table.live()
        };
        for (_, record) in records.range(after.saturating_add(1)..).take(limit + 1) {
            if results.len() == limit {
                next = results.last().map(|view: &View<'_>| view.record.id);
                break;
            }
            results.push(View {
                associations: &associations,
                ..View::new(state, object, record, &wanted)
            });
        }
    }
    let paging = next.map(|id| paging(call, &id.to_string()));
    Ok(Answer::json(200, &Page { results, paging }))
}

/// Where the next page is: the cursor, and the address of this call with it.
pub(super) fn paging(call: &Call, after: &str) -> Value {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let kept = call.query.iter().filter(|(name, _)| name != "after");
    let query: String = kept
        .map(|(name, value)| format!("{}={}&", encode(name), encode(value)))
        .collect();
    let link = format!("https://api.hubapi.com{}?{query}after={after}", call.path());
    json!({ "next": { "after": after, "link": link } })
}

/// The cursor of a list: the id that the page before ended with.
pub(super) fn after(call: &Call) -> Result<u64, Failure> {
    let Some(text) = call.get("after").filter(|text| !text.is_empty()) else {
        return Ok(0);
    };
    text.parse().map_err(|_| {
        Failure::validation(format!("Invalid value for query parameter after: {text}"))
    })
}

/// The live record that an id, or the value of a unique property, means; merged ids mean their survivor.
pub(super) fn find<'a>(
    state: &'a State,
    object: ObjectType,
    id: &str,
    id_property: Option<&str>,
) -> Result<&'a Record, Failure> {
    let Some(table) = state.store.table(object) else {
        check_id_property(state, object, id_property)?;
        return Err(Failure::not_found());
    };
    let found = match check_id_property(state, object, id_property)? {
        None => id.parse().ok().and_then(|id| table.survivor(id)),
        Some(name) => table
            .by_value(name, id)
            .and_then(|id| table.live().get(&id)),
    };
    found.ok_or_else(Failure::not_found)
}

/// The property by which a record is looked for; none where that is the id.
pub(super) fn check_id_property<'a>(
    state: &State,
    object: ObjectType,
    id_property: Option<&'a str>,
) -> Result<Option<&'a str>, Failure> {
    match id_property {
        None | Some("" | "hs_object_id") => Ok(None),
        Some(EMAIL) if object == ObjectType::CONTACT => Ok(id_property),
        Some(name) if state.is_unique(object, name) => Ok(id_property),
        Some(name) => Err(Failure::validation(format!(
            "Property '{name}' is not a unique property of {object} and cannot be used as idProperty"
        ))),
    }
}

fn get(state: &State, call: &Call, kind: ObjectType, id: &str) -> Result<Answer, Failure> {
    let object = state.objects.get(kind);
    let wanted = wanted(state, call, kind);
    let associations = kinds(state, &call.list("associations"))?;
    let record = if call.flag("archived") {
        let table = state.store.table(kind);
        let id = id.parse().ok();
        id.and_then(|id: u64| table?.archived().get(&id))
            .ok_or_else(Failure::not_found)?
    } else {
        find(state, kind, id, call.get("idProperty"))?
    };
    let view = View {
        associations: &associations,
        ..View::new(state, object, record, &wanted)
    };
    Ok(Answer::json(200, &view))
}

fn create(state: &mut State, call: &Call, kind: ObjectType) -> Result<Answer, Failure> {
    let input = Input::parse(call.json()?)?;
    let draft = write::create(state, kind, input, &mut Claims::default())
        .map_err(|refused| Failure::from(refused).without("existingId"))?;
    let id = write::commit(state, draft);
    written(state, kind, id, 201, None)
}

fn update(state: &mut State, call: &Call, kind: ObjectType, id: &str) -> Result<Answer, Failure> {
    let input = Input::parse(call.json()?)?;
    let id = find(state, kind, id, call.get("idProperty"))?.id;
    let names: Vec<String> = input.properties.keys().cloned().collect();
    let draft = write::update(state, kind, id, input, &mut Claims::default())
        .map_err(|refused| Failure::from(refused).without("existingId"))?;
    write::commit(state, draft);
    written(state, kind, id, 200, Some(&names))
}

/// What was written: every property after a creation, those sent after a change.
fn written(
    state: &State,
    kind: ObjectType,
    id: u64,
    status: u16,
    names: Option<&[String]>,
) -> Result<Answer, Failure> {
    let object = state.objects.get(kind);
    let record = state.store.live(kind, id).ok_or_else(Failure::not_found)?;
    let asked = names.unwrap_or_default().iter().map(String::as_str);
    let wanted = Wanted::new(state, object, asked);
    let view = View {
        whole: names.is_none(),
        ..View::new(state, object, record, &wanted)
    };
    Ok(Answer::json(status, &view))
}

fn delete(state: &mut State, kind: ObjectType, id: &str) -> Result<Answer, Failure> {
    let id: u64 = id.parse().map_err(|_| Failure::not_found())?;
    if state.store.live(kind, id).is_some() {
        write::archive(state, kind, id);
        return Ok(Answer::no_content());
    }
    let archived = state
        .store
        .table(kind)
        .is_some_and(|table| table.archived().contains_key(&id));
    if archived {
        return Ok(Answer::no_content());
    }
    Err(Failure::not_found())
}
