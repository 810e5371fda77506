//! Answers the batches of records: read, create, update, upsert, archive; at most a hundred inputs each.
//!
//! Without a trace id of its own on every input a batch is all or nothing; with them the good inputs are written (fact sheet, section 5).

use super::answer::{Answer, Failure};
use super::call::Call;
use super::clock::iso;
use super::crud::{check_id_property, find};
use super::draft::{Draft, Input, number};
use super::objects::ObjectType;
use super::record::EMAIL;
use super::state::State;
use super::validate::refusal;
use super::view::{View, Wanted};
use super::write::{self, Claims, Refused};
use crate::truth::mix;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

const MOST: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    status: &'static str,
    results: Vec<T>,
    started_at: String,
    completed_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_errors: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
}

fn envelope<T: Serialize>(state: &State, good: u16, results: Vec<T>, errors: Vec<Value>) -> Answer {
    let status = if errors.is_empty() { good } else { 207 };
    let body = Envelope {
        status: "COMPLETE",
        results,
        started_at: iso(state.now),
        completed_at: iso(state.now),
        num_errors: (!errors.is_empty()).then_some(errors.len()),
        errors,
    };
    Answer::json(status, &body)
}

/// Answers `…/batch/{what}`.
pub(super) fn answer(
    state: &mut State,
    call: &Call,
    object: ObjectType,
    what: &str,
) -> Result<Answer, Failure> {
    let mut body = call.json()?;
    let Value::Array(inputs) = body["inputs"].take() else {
        return Err(Failure::validation(
            "Invalid input JSON: inputs must be a list",
        ));
    };
    if inputs.is_empty() || inputs.len() > MOST {
        return Err(Failure::validation(format!(
            "The number of inputs must be between 1 and {MOST}, not {}",
            inputs.len()
        )));
    }
    match what {
        "read" => read(state, call, object, &body, &inputs),
        "archive" => archive(state, object, &inputs),
        "create" => write(state, object, inputs, What::Create),
        "update" => write(state, object, inputs, What::Update),
        "upsert" => write(state, object, inputs, What::Upsert),
        _ => Err(Failure::no_endpoint()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Create,
    Update,
    Upsert,
}

/// Something written by one input.
struct Written {
    id: u64,
    new: bool,
    trace: Option<String>,
    names: Vec<String>,
}

impl Written {
    /// What will be told of an input once it is written.
    fn of(input: &Input) -> Self {
        Self {
            id: 0,
            new: false,
            trace: input.trace.clone(),
            names: input.properties.keys().cloned().collect(),
        }
    }
}

fn write(
    state: &mut State,
    object: ObjectType,
    inputs: Vec<Value>,
    what: What,
) -> Result<Answer, Failure> {
    let inputs: Vec<Input> = inputs
        .into_iter()
        .map(Input::parse)
        .collect::<Result<_, _>>()?;
    if what != What::Create {
        no_duplicates(&inputs)?;
    }
    let (mut written, errors) = if is_partial(&inputs, what) {
        partly(state, object, inputs, what)
    } else {
        whole(state, object, inputs, what)?
    };
    // The vendor answers in an order of its own.
    written.sort_unstable_by_key(|one| mix(state.options.seed ^ one.id));
    Ok(told(state, object, &written, errors, what))
}

/// Writes the good inputs, and tells of the others.
fn partly(
    state: &mut State,
    object: ObjectType,
    inputs: Vec<Input>,
    what: What,
) -> (Vec<Written>, Vec<Value>) {
    let (mut written, mut errors) = (Vec::with_capacity(inputs.len()), Vec::new());
    for input in inputs {
        let mut promise = Written::of(&input);
        match check(state, object, input, what, &mut Claims::default()) {
            Ok((draft, new)) => {
                (promise.id, promise.new) = (write::commit(state, draft), new);
                written.push(promise);
            }
            Err(refused) => {
                let failure = Failure::from(refused);
                errors.push(failure.context("objectWriteTraceId", promise.trace).entry());
            }
        }
    }
    (written, errors)
}

/// Writes all inputs or none. Only changes of records that are not there are passed over: that is how it was recorded
/// (amp-labs/connectors, `batch/update/contacts/err-partial-success.json`).
fn whole(
    state: &mut State,
    object: ObjectType,
    inputs: Vec<Input>,
    what: What,
) -> Result<(Vec<Written>, Vec<Value>), Failure> {
    let mut claims = Claims::default();
    let (mut waiting, mut lost, mut values, mut other) = (Vec::new(), Vec::new(), Vec::new(), None);
    for input in inputs {
        let promise = Written::of(&input);
        let id = input.id.clone();
        match check(state, object, input, what, &mut claims) {
            Ok((draft, new)) => waiting.push((draft, Written { new, ..promise })),
            Err(Refused::Other(failure)) if failure.category == "OBJECT_NOT_FOUND" => {
                lost.extend(id);
            }
            Err(Refused::Values(errors)) => values.extend(errors),
            Err(Refused::Other(failure)) => other = other.or(Some(failure)),
        }
    }
    if !values.is_empty() {
        return Err(refusal(&values));
    }
    if let Some(failure) = other {
        return Err(plain(failure));
    }
    let written = waiting
        .into_iter()
        .map(|(draft, promise)| Written {
            id: write::commit(state, draft),
            ..promise
        })
        .collect();
    let errors = (!lost.is_empty()).then(|| not_there(state, object, lost).entry());
    Ok((written, errors.into_iter().collect()))
}

/// Records that are not there.
fn not_there(state: &State, object: ObjectType, ids: Vec<String>) -> Failure {
    let message = format!(
        "Could not get some {} objects, they may be deleted or not exist. Check that ids are valid.",
        state.objects.get(object).constant()
    );
    Failure::new(404, "OBJECT_NOT_FOUND", message).context("ids", ids)
}

fn told(
    state: &State,
    object: ObjectType,
    written: &[Written],
    errors: Vec<Value>,
    what: What,
) -> Answer {
    let kind = state.objects.get(object);
    let asked: BTreeSet<&str> = written
        .iter()
        .filter(|_| what != What::Create)
        .flat_map(|one| one.names.iter().map(String::as_str))
        .collect();
    let wanted = Wanted::new(state, kind, asked);
    let results = written
        .iter()
        .filter_map(|one| {
            let record = state.store.live(object, one.id)?;
            Some(View {
                whole: one.new,
                trace: one.trace.as_deref(),
                new: (what == What::Upsert).then_some(one.new),
                ..View::new(state, kind, record, &wanted)
            })
        })
        .collect();
    let good = if what == What::Create { 201 } else { 200 };
    envelope(state, good, results, errors)
}

/// Without trace ids the record in the way is not named.
fn plain(failure: Failure) -> Failure {
    if failure.category != "CONFLICT" {
        return failure;
    }
    let mut failure = failure.without("existingId");
    if let Some(end) = failure.message.find(". Existing ID") {
        failure.message.truncate(end);
    }
    failure
}

/// Whether the good inputs are written although others are bad.
fn is_partial(inputs: &[Input], what: What) -> bool {
    let by_email = what == What::Upsert
        && inputs
            .iter()
            .any(|input| input.id_property.as_deref() == Some(EMAIL));
    let mut seen = HashSet::new();
    !by_email
        && inputs.iter().all(|input| {
            input
                .trace
                .as_deref()
                .is_some_and(|trace| !trace.is_empty() && seen.insert(trace))
        })
}

fn no_duplicates(inputs: &[Input]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    let mut twice = Vec::new();
    for input in inputs {
        let id = input.id.clone().unwrap_or_default();
        if !seen.insert((input.id_property.as_deref(), id.clone())) && !twice.contains(&id) {
            twice.push(id);
        }
    }
    if twice.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Duplicate IDs found in batch input: [{}]. IDs must be unique",
        twice.join(", ")
    );
    Err(Failure::validation(message).context("ids", twice))
}

/// Checks one input; tells whether it makes a new record.
fn check(
    state: &State,
    object: ObjectType,
    input: Input,
    what: What,
    claims: &mut Claims,
) -> Result<(Draft, bool), Refused> {
    match what {
        What::Create => write::create(state, object, input, claims).map(|draft| (draft, true)),
        What::Update => {
            let id = exact(state, object, &input)?;
            write::update(state, object, id, input, claims).map(|draft| (draft, false))
        }
        What::Upsert => upsert(state, object, input, claims),
    }
}

/// The record that an update means. Merged ids are not resolved.
fn exact(state: &State, object: ObjectType, input: &Input) -> Result<u64, Failure> {
    let id = input.id.as_deref().unwrap_or_default();
    let property = check_id_property(state, object, input.id_property.as_deref())?;
    let found = match property {
        Some(_) => find(state, object, id, property)
            .ok()
            .map(|record| record.id),
        None => id
            .parse()
            .ok()
            .filter(|id| state.store.live(object, *id).is_some()),
    };
    found.ok_or_else(|| not_there(state, object, vec![id.to_owned()]))
}

fn upsert(
    state: &State,
    object: ObjectType,
    mut input: Input,
    claims: &mut Claims,
) -> Result<(Draft, bool), Refused> {
    let property = input.id_property.clone();
    let Some(property) = check_id_property(state, object, property.as_deref())? else {
        let id = exact(state, object, &input)?;
        return write::update(state, object, id, input, claims).map(|draft| (draft, false));
    };
    let value = input.id.clone().unwrap_or_default();
    if value.is_empty() {
        let message = format!("An input without a value of {property} cannot be upserted");
        return Err(Failure::validation(message).into());
    }
    let found = state
        .store
        .table(object)
        .and_then(|table| table.by_value(property, &value));
    if let Some(id) = found {
        return write::update(state, object, id, input, claims).map(|draft| (draft, false));
    }
    let key = property.to_owned();
    input.properties.entry(key).or_insert(json!(value));
    write::create(state, object, input, claims).map(|draft| (draft, true))
}

fn read(
    state: &State,
    call: &Call,
    object: ObjectType,
    body: &Value,
    inputs: &[Value],
) -> Result<Answer, Failure> {
    let names = |key: &str| {
        let names = body[key].as_array().map(Vec::as_slice).unwrap_or_default();
        names.iter().filter_map(Value::as_str)
    };
    let kind = state.objects.get(object);
    let wanted = Wanted::new(state, kind, names("properties")).with_history(
        state,
        kind,
        names("propertiesWithHistory"),
    );
    let property = check_id_property(state, object, body["idProperty"].as_str())?;
    let archived = call.flag("archived");
    let (mut found, mut lost) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for input in inputs {
        let id = match &input["id"] {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return Err(Failure::validation("Invalid input JSON: inputs need an id")),
        };
        let table = state.store.table(object);
        let record = match property {
            Some(_) => find(state, object, &id, property).ok(),
            None => id.parse::<u64>().ok().and_then(|id| {
                let table = table?;
                let records = if archived {
                    table.archived()
                } else {
                    table.live()
                };
                records.get(&id)
            }),
        };
        match record {
            Some(record) if seen.insert(record.id) => found.push(record),
            Some(_) => (),
            None => lost.push(id),
        }
    }
    found.sort_unstable_by_key(|record| mix(state.options.seed ^ record.id));
    let results = found
        .into_iter()
        .map(|record| View::new(state, kind, record, &wanted))
        .collect();
    let mut errors = Vec::new();
    if !lost.is_empty() {
        errors.push(not_there(state, object, lost).entry());
    }
    Ok(envelope(state, 200, results, errors))
}

fn archive(state: &mut State, object: ObjectType, inputs: &[Value]) -> Result<Answer, Failure> {
    for input in inputs {
        let id = number(&input["id"])
            .ok_or_else(|| Failure::validation("Invalid input JSON: inputs need an id"))?;
        if state.store.live(object, id).is_some() {
            write::archive(state, object, id);
        }
    }
    Ok(Answer::no_content())
}
