//! Answers batches of associations between two kinds of record.
//!
//! Labels themselves are defined elsewhere.

use super::answer::{Answer, Failure};
use super::associate::{
    Pair, associate, check_types, default_json, dissociate, labels_json, types_json,
};
use super::association_types::Spec;
use super::associations::{Mode, Node};
use super::call::Call;
use super::clock::iso;
use super::draft::{number, specs};
use super::objects::ObjectType;
use super::state::State;
use super::write::orphan;
use serde_json::{Value, json};

/// Most pairs written at once.
const WRITTEN: usize = 2000;
/// Most records read at once.
const READ: usize = 1000;
/// Most associations of a record that are read at once.
const PAGE: usize = 500;

/// Answers `/crm/v4/associations/{from}/{to}/batch/{what}`.
///
/// # Errors
///
/// 400 or 404 in the vendor's envelope.
pub(super) fn answer(
    state: &mut State,
    call: &Call,
    from: ObjectType,
    to: ObjectType,
    what: &[&str],
) -> Result<Answer, Failure> {
    let mut body = call.json()?;
    let Value::Array(inputs) = body["inputs"].take() else {
        return Err(Failure::validation(
            "Invalid input JSON: inputs must be a list",
        ));
    };
    let most = if what == ["read"] { READ } else { WRITTEN };
    if inputs.is_empty() || inputs.len() > most {
        return Err(Failure::validation(format!(
            "The number of inputs must be between 1 and {most}, not {}",
            inputs.len()
        )));
    }
    match what {
        ["create"] => create(state, from, to, &inputs),
        ["associate", "default"] => defaults(state, from, to, &inputs),
        ["read"] => read(state, from, to, &inputs),
        ["archive"] => archive(state, from, to, &inputs),
        ["labels", "archive"] => unlabel(state, from, to, &inputs),
        _ => Err(Failure::no_endpoint()),
    }
}

fn envelope(state: &State, good: u16, results: Vec<Value>, errors: Vec<Value>) -> Answer {
    let status = if errors.is_empty() { good } else { 207 };
    let mut body = json!({
        "status": "COMPLETE",
        "results": results,
        "startedAt": iso(state.now),
        "completedAt": iso(state.now),
    });
    if !errors.is_empty() {
        body["numErrors"] = json!(errors.len());
        body["errors"] = Value::Array(errors);
    }
    Answer::json(status, &body)
}

/// An end of a pair. What is no id at all fails its own input.
fn end(object: ObjectType, value: &Value) -> Result<Node, Failure> {
    if let Some(id) = number(&value["id"]) {
        return Ok((object, id));
    }
    let id = value["id"].as_str().unwrap_or_default();
    Err(Failure::validation(format!("{id} is not a valid ID"))
        .sub("crm.associations.INVALID_IDENTIFIER")
        .context("id", [id]))
}

fn pair(
    from: ObjectType,
    to: ObjectType,
    input: &Value,
    specs: Vec<Spec>,
) -> Result<Pair, Failure> {
    Ok(Pair {
        from: end(from, &input["from"])?,
        to: end(to, &input["to"])?,
        specs,
        mode: Mode::Add,
    })
}

/// A missing record fails its own input; an unknown type, or one of the other direction, fails the batch.
fn create(
    state: &mut State,
    from: ObjectType,
    to: ObjectType,
    inputs: &[Value],
) -> Result<Answer, Failure> {
    let mut pairs = Vec::with_capacity(inputs.len());
    for input in inputs {
        let specs = specs(&input["types"])?;
        check_types(state, from, to, &specs)?;
        pairs.push(pair(from, to, input, specs));
    }
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for pair in pairs {
        match pair {
            Err(failure) => errors.push(failure.entry()),
            Ok(pair) => match associate(state, &pair) {
                Ok(()) => results.push(labels_json(state, pair.from, pair.to, &pair.specs)),
                Err(failure) => errors.push(told(&failure, &pair)),
            },
        }
    }
    Ok(envelope(state, 201, results, errors))
}

fn told(failure: &Failure, pair: &Pair) -> Value {
    failure
        .clone()
        .context("fromObjectId", [pair.from.1.to_string()])
        .context("toObjectId", [pair.to.1.to_string()])
        .entry()
}

fn defaults(
    state: &mut State,
    from: ObjectType,
    to: ObjectType,
    inputs: &[Value],
) -> Result<Answer, Failure> {
    check_types(state, from, to, &[])?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        match pair(from, to, input, Vec::new()) {
            Err(failure) => errors.push(failure.entry()),
            Ok(pair) => match associate(state, &pair) {
                Ok(()) => results.extend(default_json(state, pair.from, pair.to)),
                Err(failure) => errors.push(told(&failure, &pair)),
            },
        }
    }
    Ok(envelope(state, 200, results, errors))
}

fn read(
    state: &State,
    from: ObjectType,
    to: ObjectType,
    inputs: &[Value],
) -> Result<Answer, Failure> {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        let node = end(from, input)?;
        let after = number(&input["after"]).unwrap_or_default();
        let mut targets: Vec<Value> = Vec::new();
        let mut next = None;
        for (id, specs) in state.links.of(node, to, after).take(PAGE + 1) {
            if targets.len() == PAGE {
                next = targets.last().map(|last| last["toObjectId"].to_string());
                break;
            }
            targets.push(json!({
                "toObjectId": id,
                "associationTypes": types_json(state, from, to, specs),
            }));
        }
        if targets.is_empty() {
            errors.push(nothing(state, node, to));
            continue;
        }
        let mut result = json!({ "from": { "id": node.1.to_string() }, "to": targets });
        if let Some(after) = next {
            result["paging"] = json!({ "next": { "after": after } });
        }
        results.push(result);
    }
    Ok(envelope(state, 200, results, errors))
}

fn nothing(state: &State, node: Node, to: ObjectType) -> Value {
    let message = format!(
        "No {} is associated with {} {}.",
        state.objects.get(to).singular,
        state.objects.get(node.0).singular,
        node.1
    );
    Failure::new(404, "OBJECT_NOT_FOUND", message)
        .sub("crm.associations.NO_ASSOCIATIONS_FOUND")
        .context("fromObjectId", [node.1.to_string()])
        .context(
            "fromObjectType",
            [state.objects.get(node.0).singular.as_str()],
        )
        .context("toObjectType", [state.objects.get(to).singular.as_str()])
        .entry()
}

/// `to` is one end or a list of them.
fn ends(to: ObjectType, value: &Value) -> Result<Vec<Node>, Failure> {
    match value {
        Value::Array(all) => all.iter().map(|one| end(to, one)).collect(),
        one => Ok(vec![end(to, one)?]),
    }
}

fn archive(
    state: &mut State,
    from: ObjectType,
    to: ObjectType,
    inputs: &[Value],
) -> Result<Answer, Failure> {
    let mut pairs = Vec::new();
    for input in inputs {
        let node = end(from, &input["from"])?;
        pairs.extend(
            ends(to, &input["to"])?
                .into_iter()
                .map(|other| (node, other)),
        );
    }
    for (node, other) in pairs {
        dissociate(state, node, other);
    }
    Ok(Answer::no_content())
}

fn unlabel(
    state: &mut State,
    from: ObjectType,
    to: ObjectType,
    inputs: &[Value],
) -> Result<Answer, Failure> {
    let mut pairs = Vec::new();
    for input in inputs {
        let specs = specs(&input["types"])?;
        check_types(state, from, to, &specs)?;
        let node = end(from, &input["from"])?;
        for other in ends(to, &input["to"])? {
            pairs.push((node, other, specs.clone()));
        }
    }
    for (node, other, specs) in pairs {
        state.links.unlabel(&state.types, node, other, &specs);
        for (object, id) in [node, other] {
            orphan(state, object, id);
        }
    }
    Ok(Answer::no_content())
}
