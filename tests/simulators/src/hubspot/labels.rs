//! Answers calls about the types of association between two kinds of record: list, the customer's own labels, limits per record.
//!
//! Who is associated under them is decided elsewhere.

use super::answer::{Answer, Failure};
use super::association_types::{Category, Kind, Spec};
use super::call::{Call, Method};
use super::context;
use super::draft::number;
use super::objects::ObjectType;
use super::state::State;
use serde_json::{Value, json};

fn told(kind: &Kind) -> Value {
    json!({
        "category": kind.spec.category.name(),
        "typeId": kind.spec.id,
        "label": kind.label,
    })
}

/// Answers `/crm/v4/associations/{from}/{to}/labels[/{typeId}]`.
///
/// # Errors
///
/// 400, 404 or 405 in the vendor's envelope.
pub(super) fn answer(
    state: &mut State,
    call: &Call,
    from: ObjectType,
    to: ObjectType,
    rest: &[&str],
) -> Result<Answer, Failure> {
    match (call.method, rest) {
        (Method::Get, []) => {
            let results: Vec<Value> = state.types.between(from, to).iter().map(told).collect();
            Ok(Answer::json(200, &json!({ "results": results })))
        }
        (Method::Post, []) => create(state, call, from, to),
        (Method::Put, []) => update(state, call, from, to),
        (Method::Delete, [id]) => {
            let id = id.parse().map_err(|_| Failure::not_found())?;
            let specs = state
                .types
                .remove(from, to, id)
                .ok_or_else(Failure::not_found)?;
            state.links.forget(from, to, specs);
            Ok(Answer::no_content())
        }
        (_, [] | [_]) => Err(Failure::method()),
        _ => Err(Failure::no_endpoint()),
    }
}

fn field(body: &Value, name: &str) -> Option<String> {
    body[name]
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn create(
    state: &mut State,
    call: &Call,
    from: ObjectType,
    to: ObjectType,
) -> Result<Answer, Failure> {
    let body = call.json()?;
    if state.types.unlabelled(from, to).is_none() {
        return Err(Failure::validation(format!(
            "{from} and {to} cannot be associated"
        )));
    }
    let need = |name: &str| {
        field(&body, name).ok_or_else(|| {
            Failure::validation(format!("Some required fields were not set: [{name}]"))
        })
    };
    let (label, name) = (need("label")?, need("name")?);
    let inverse = field(&body, "inverseLabel").unwrap_or_else(|| label.clone());
    let taken = state
        .types
        .between(from, to)
        .iter()
        .any(|kind| kind.name == name || kind.label.as_deref() == Some(&label));
    if taken {
        let message = format!("A label '{label}' or name '{name}' already exists");
        return Err(Failure::new(409, "OBJECT_ALREADY_EXISTS", message));
    }
    let specs = state.types.label(from, to, [label, inverse], &name);
    let mut results = Vec::new();
    for (spec, (from, to)) in specs.into_iter().zip([(from, to), (to, from)]) {
        let kind = state.types.find(from, to, spec).map(told);
        if let Some(kind) = kind.filter(|kind| !results.contains(kind)) {
            results.push(kind);
        }
    }
    Ok(Answer::json(200, &json!({ "results": results })))
}

fn update(
    state: &mut State,
    call: &Call,
    from: ObjectType,
    to: ObjectType,
) -> Result<Answer, Failure> {
    let body = call.json()?;
    let id = number(&body["associationTypeId"])
        .and_then(|id| u32::try_from(id).ok())
        .ok_or_else(|| {
            Failure::validation("Some required fields were not set: [associationTypeId]")
        })?;
    let label = field(&body, "label")
        .ok_or_else(|| Failure::validation("Some required fields were not set: [label]"))?;
    if !state.types.rename(from, to, id, &label) {
        return Err(Failure::not_found());
    }
    Ok(Answer::no_content())
}

/// Answers `/crm/associations/v4/definitions/configurations/{from}/{to}[/batch/{what}]`: most associations of a type that a record may have.
///
/// # Errors
///
/// 400, 404 or 405 in the vendor's envelope.
pub(super) fn configurations(
    state: &mut State,
    call: &Call,
    from: ObjectType,
    to: ObjectType,
    rest: &[&str],
) -> Result<Answer, Failure> {
    let told = |kind: &Kind| {
        json!({
            "category": kind.spec.category.name(),
            "typeId": kind.spec.id,
            "userEnforcedMaxToObjectIds": kind.most,
        })
    };
    match (call.method, rest) {
        (Method::Get, []) => {
            let limited = state.types.between(from, to).iter();
            let limited = limited.filter(|kind| kind.most.is_some());
            let results: Vec<Value> = limited.map(told).collect();
            Ok(Answer::json(200, &json!({ "results": results })))
        }
        (Method::Post, ["batch", what @ ("create" | "update" | "purge")]) => {
            let mut results = Vec::new();
            for input in context::inputs(call, 100)? {
                let spec = Category::parse(input["category"].as_str().unwrap_or_default())
                    .zip(number(&input["typeId"]).and_then(|id| u32::try_from(id).ok()))
                    .map(|(category, id)| Spec { category, id });
                let most = number(&input["maxToObjectIds"]).filter(|_| *what != "purge");
                let known = spec.is_some_and(|spec| state.types.limit(from, to, spec, most));
                if !known || (most.is_none() && *what != "purge") {
                    return Err(Failure::validation(
                        "inputs need category, typeId and maxToObjectIds of an association type",
                    ));
                }
                let kind = spec.and_then(|spec| state.types.find(from, to, spec));
                results.extend(kind.map(told));
            }
            if *what == "purge" {
                return Ok(Answer::no_content());
            }
            Ok(context::batch(state.ctx(), 200, results, Vec::new()))
        }
        (_, [] | ["batch", _]) => Err(Failure::method()),
        _ => Err(Failure::no_endpoint()),
    }
}
