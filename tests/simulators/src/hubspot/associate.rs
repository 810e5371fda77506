//! Answers calls about the associations of one record: read, set, remove; and the older list of the third generation.
//!
//! Batches are answered elsewhere.

use super::answer::{Answer, Failure};
use super::association_types::Spec;
use super::associations::{Mode, Node};
use super::call::{Call, Method};
use super::clock::iso;
use super::crud::{self, after};
use super::draft::{spec_json, specs};
use super::news;
use super::objects::ObjectType;
use super::rules::may_link;
use super::state::State;
use super::view::legacy_page;
use super::write::orphan;
use serde_json::{Value, json};

/// Most associations of a page.
const PAGE: usize = 500;

/// A pair that is to be associated, under which types, and what becomes of those it has.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) from: Node,
    pub(super) to: Node,
    pub(super) specs: Vec<Spec>,
    pub(super) mode: Mode,
}

/// Refuses types that do not exist in that direction.
///
/// # Errors
///
/// 400.
pub(super) fn check_types(
    state: &State,
    from: ObjectType,
    to: ObjectType,
    specs: &[Spec],
) -> Result<(), Failure> {
    for spec in specs {
        if state.types.find(from, to, *spec).is_none() {
            let message = format!(
                "Association type {} ({}) does not exist from {from} to {to}",
                spec.id,
                spec.category.name()
            );
            return Err(Failure::validation(message)
                .sub("crm.associations.INVALID_ASSOCIATION_TYPE")
                .context("associationTypeId", [spec.id.to_string()]));
        }
    }
    if state.types.unlabelled(from, to).is_none() {
        return Err(Failure::validation(format!(
            "{from} and {to} cannot be associated"
        )));
    }
    Ok(())
}

/// Associates a pair whose types were checked.
///
/// # Errors
///
/// 404 where a record is missing, 400 where the kinds' rules forbid it.
pub(super) fn associate(state: &mut State, pair: &Pair) -> Result<(), Failure> {
    for (object, id) in [pair.from, pair.to] {
        if state.store.live(object, id).is_none() {
            let constant = state.objects.get(object).constant();
            let message = format!("{constant} {id} does not exist");
            return Err(Failure::new(404, "OBJECT_NOT_FOUND", message)
                .sub("crm.associations.OBJECT_NOT_FOUND")
                .context("ids", [id.to_string()]));
        }
    }
    let ((object, id), to) = (pair.from, pair.to);
    if pair.from == pair.to {
        return Err(Failure::validation(format!(
            "Object {id} cannot be associated to itself ({id})"
        )));
    }
    may_link(state, object, Some(id), to)?;
    within_limits(state, pair)?;
    state
        .links
        .link(&state.types, pair.from, pair.to, &pair.specs, pair.mode);
    news::associated(state, pair.from, pair.to, &pair.specs, false);
    for (object, id) in [pair.from, pair.to] {
        orphan(state, object, id);
    }
    Ok(())
}

/// Refuses more associations of a type than the administrator allows a record.
fn within_limits(state: &State, pair: &Pair) -> Result<(), Failure> {
    let (from, to) = (pair.from, pair.to);
    let unlabelled = state.types.unlabelled(from.0, to.0).map(|kind| kind.spec);
    for spec in unlabelled.iter().chain(&pair.specs) {
        let both = [(from, to, *spec), (to, from, back(state, from, to, *spec))];
        for (from, to, spec) in both {
            let kind = state.types.find(from.0, to.0, spec);
            let Some(most) = kind.and_then(|kind| kind.most) else {
                continue;
            };
            let others = state.links.of(from, to.0, 0);
            let others = others.filter(|(id, specs)| *id != to.1 && specs.contains(&spec));
            if others.count() as u64 >= most {
                let message = format!(
                    "{} {} already has {most} associations of type {}",
                    state.objects.get(from.0).constant(),
                    from.1,
                    spec.id
                );
                return Err(Failure::validation(message).sub("crm.associations.LIMIT_EXCEEDED"));
            }
        }
    }
    Ok(())
}

/// The same type seen from the other side.
fn back(state: &State, from: Node, to: Node, spec: Spec) -> Spec {
    let kind = state.types.find(from.0, to.0, spec);
    Spec {
        id: kind.map_or(spec.id, |kind| kind.inverse),
        ..spec
    }
}

/// Ends all associations of a pair.
pub(super) fn dissociate(state: &mut State, from: Node, to: Node) {
    if state.links.unlink(from, to) {
        news::associated(state, from, to, &[], true);
        for (object, id) in [from, to] {
            orphan(state, object, id);
        }
    }
}

/// The types of a pair: `[{category, typeId, label}]`.
pub(super) fn types_json(state: &State, from: ObjectType, to: ObjectType, specs: &[Spec]) -> Value {
    let types = specs.iter().map(|spec| {
        let label = state
            .types
            .find(from, to, *spec)
            .and_then(|kind| kind.label.as_deref());
        json!({ "category": spec.category.name(), "typeId": spec.id, "label": label })
    });
    Value::Array(types.collect())
}

/// The unlabelled association both ways, as setting it is answered.
pub(super) fn default_json(state: &State, from: Node, to: Node) -> Vec<Value> {
    let one = |from: Node, to: Node| {
        let kind = state.types.unlabelled(from.0, to.0)?;
        Some(json!({
            "from": { "id": from.1.to_string() },
            "to": { "id": to.1.to_string() },
            "associationSpec": spec_json(kind.spec),
        }))
    };
    [one(from, to), one(to, from)]
        .into_iter()
        .flatten()
        .collect()
}

/// The labels of a pair, as setting them is answered.
pub(super) fn labels_json(state: &State, from: Node, to: Node, specs: &[Spec]) -> Value {
    let labels: Vec<&str> = specs
        .iter()
        .filter_map(|spec| state.types.find(from.0, to.0, *spec)?.label.as_deref())
        .collect();
    json!({
        "fromObjectTypeId": from.0.to_string(),
        "fromObjectId": from.1,
        "toObjectTypeId": to.0.to_string(),
        "toObjectId": to.1,
        "labels": labels,
    })
}

fn node(state: &State, object: ObjectType, id: &str) -> Result<Node, Failure> {
    let id: u64 = id.parse().map_err(|_| Failure::not_found())?;
    if state.store.live(object, id).is_none() {
        return Err(Failure::not_found());
    }
    Ok((object, id))
}

/// Answers `/crm/v4/objects/{from}/{id}/associations/…`.
///
/// # Errors
///
/// 400, 404 or 405 in the vendor's envelope.
pub(super) fn answer(
    state: &mut State,
    call: &Call,
    from: ObjectType,
    id: &str,
    rest: &[&str],
) -> Result<Answer, Failure> {
    match (call.method, rest) {
        (Method::Put, ["default", to, to_id]) => {
            let to = state.objects.resolve(to)?;
            let pair = Pair {
                from: path_node(from, id)?,
                to: path_node(to, to_id)?,
                specs: Vec::new(),
                mode: Mode::Add,
            };
            check_types(state, from, to, &[])?;
            associate(state, &pair)?;
            let body = json!({
                "status": "COMPLETE",
                "results": default_json(state, pair.from, pair.to),
                "startedAt": iso(state.now),
                "completedAt": iso(state.now),
            });
            Ok(Answer::json(200, &body))
        }
        (Method::Get, [to]) => {
            let to = state.objects.resolve(to)?;
            let from = node(state, from, id)?;
            page(state, call, from, to)
        }
        (Method::Put, [to, to_id]) => {
            let to = state.objects.resolve(to)?;
            let specs = specs(&call.json_list()?)?;
            check_types(state, from, to, &specs)?;
            let pair = Pair {
                from: path_node(from, id)?,
                to: path_node(to, to_id)?,
                specs,
                mode: Mode::Replace,
            };
            associate(state, &pair)?;
            let body = labels_json(state, pair.from, pair.to, &pair.specs);
            Ok(Answer::json(201, &body))
        }
        (Method::Delete, [to, to_id]) => {
            let to = state.objects.resolve(to)?;
            dissociate(state, path_node(from, id)?, path_node(to, to_id)?);
            Ok(Answer::no_content())
        }
        _ => Err(Failure::no_endpoint()),
    }
}

fn path_node(object: ObjectType, id: &str) -> Result<Node, Failure> {
    let id = id.parse().map_err(|_| Failure::not_found())?;
    Ok((object, id))
}

fn page(state: &State, call: &Call, from: Node, to: ObjectType) -> Result<Answer, Failure> {
    let limit = call.limit(PAGE, PAGE)?;
    let after = after(call)?;
    let mut results: Vec<Value> = Vec::new();
    let mut paging = None;
    for (id, specs) in state.links.of(from, to, after).take(limit + 1) {
        if results.len() == limit {
            let after = results.last().map(|last| last["toObjectId"].to_string());
            paging = after.map(|after| crud::paging(call, &after));
            break;
        }
        results.push(json!({
            "toObjectId": id,
            "associationTypes": types_json(state, from.0, to, specs),
        }));
    }
    let mut body = json!({ "results": results });
    if let Some(paging) = paging {
        body["paging"] = paging;
    }
    Ok(Answer::json(200, &body))
}

/// Answers `GET /crm/v3/objects/{from}/{id}/associations/{to}`.
///
/// # Errors
///
/// 400, 404 or 405 in the vendor's envelope.
pub(super) fn legacy(
    state: &State,
    call: &Call,
    from: ObjectType,
    id: &str,
    to: &str,
) -> Result<Answer, Failure> {
    if call.method != Method::Get {
        return Err(Failure::method());
    }
    let to = state.objects.resolve(to)?;
    let from = node(state, from, id)?;
    let limit = call.limit(PAGE, PAGE)?;
    let body = legacy_page(state, from, to, after(call)?, limit);
    Ok(Answer::json(200, &body))
}
