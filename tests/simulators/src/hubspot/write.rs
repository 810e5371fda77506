//! Decides whether a record may be written, then writes it: every check comes before the first change.
//!
//! It does not know whether it is part of a batch, apart from the claims of those written with it.

use super::answer::Failure;
use super::association_types::Spec;
use super::associations::{Mode, Node};
use super::draft::{Draft, Input, Link, Set, number, specs};
use super::news;
use super::objects::ObjectType;
use super::record::{EMAIL, MORE_EMAILS, Record, Values, addresses};
use super::rules::{self, Now};
use super::state::State;
use super::validate::{self, PropertyError};
use super::webhooks::Happening;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Why something is not written.
#[derive(Debug)]
pub(super) enum Refused {
    /// Values that cannot be; a batch tells those of all its inputs together.
    Values(Vec<PropertyError>),
    /// Anything else.
    Other(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Values(errors) => validate::refusal(&errors),
            Refused::Other(failure) => failure,
        }
    }
}

/// Unique values that earlier inputs of the same batch will have.
#[derive(Debug, Default)]
pub(super) struct Claims(HashSet<(String, String)>);

/// Checks a creation.
///
/// # Errors
///
/// 400 for values and associations that cannot be, 409 for a contact that exists.
pub(super) fn create(
    state: &State,
    object: ObjectType,
    input: Input,
    claims: &mut Claims,
) -> Result<Draft, Refused> {
    let mut set = checked(state, object, input.properties, None)?;
    let links = links(state, object, input.associations)?;
    rules::fill(state, object, &mut set);
    let now = Now {
        set: &set,
        before: None,
    };
    rules::required(state, object, &now)?;
    rules::check(state, object, None, &now, &links)?;
    conflicts(state, object, None, &set, claims)?;
    let derived = rules::derive(state, object, &now);
    set.extend(derived);
    Ok(Draft {
        object,
        id: None,
        set,
        links,
    })
}

/// Checks a change of a live record.
///
/// # Errors
///
/// 400 for values that cannot be, 409 for an e-mail that another contact has.
pub(super) fn update(
    state: &State,
    object: ObjectType,
    id: u64,
    input: Input,
    claims: &mut Claims,
) -> Result<Draft, Refused> {
    let record = state
        .store
        .live(object, id)
        .ok_or_else(Failure::not_found)?;
    let mut set = checked(state, object, input.properties, Some(&record.values))?;
    rules::hold_back(&mut set, &record.values);
    let now = Now {
        set: &set,
        before: Some(&record.values),
    };
    rules::check(state, object, Some(id), &now, &[])?;
    conflicts(state, object, Some(id), &set, claims)?;
    let derived = rules::derive(state, object, &now);
    set.extend(derived);
    Ok(Draft {
        object,
        id: Some(id),
        set,
        links: Vec::new(),
    })
}

/// Writes; tells the id of the record.
pub(super) fn commit(state: &mut State, draft: Draft) -> u64 {
    let set: Vec<_> = draft
        .set
        .into_iter()
        .map(|(name, value)| (state.name(&name), value))
        .collect();
    let (object, now) = (draft.object, state.now);
    let changes = news::changes(state, object, draft.id, &set);
    let id = match draft.id {
        Some(id) => {
            let properties = &state.settings.properties;
            let unique = |name: &str| {
                properties
                    .get(object, name)
                    .is_some_and(|property| property.unique)
            };
            state.store.table_mut(object).update(id, set, now, unique);
            id
        }
        None => {
            let id = state.store.next_id();
            let values: Values = set
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect();
            let record = Record {
                id,
                values: Arc::new(values),
                created: now,
                updated: now,
                archived: None,
                merged: Vec::new(),
                app: state.options.app,
            };
            let properties = &state.settings.properties;
            let unique = |name: &str| {
                properties
                    .get(object, name)
                    .is_some_and(|property| property.unique)
            };
            state.store.table_mut(object).insert(record, unique);
            id
        }
    };
    news::written(state, object, id, draft.id.is_none(), changes);
    for link in draft.links {
        state
            .links
            .link(&state.types, (object, id), link.to, &link.specs, Mode::Add);
        news::associated(state, (object, id), link.to, &link.specs, false);
    }
    id
}

/// Moves a live record to the recycle bin; its associations end, and leads that lose their last main one go with it.
pub(super) fn archive(state: &mut State, object: ObjectType, id: u64) {
    let now = state.now;
    if !state.store.table_mut(object).archive(id, now) {
        return;
    }
    news::tell(state, object, id, Happening::Deletion);
    unlink_all(state, (object, id));
}

/// Ends the associations of a record that is gone.
pub(super) fn unlink_all(state: &mut State, node: Node) {
    for ((object, partner), specs) in state.links.clear(node) {
        news::associated(state, node, (object, partner), &specs, true);
        orphan(state, object, partner);
    }
}

/// Deletes a lead that has no main association any more.
pub(super) fn orphan(state: &mut State, object: ObjectType, id: u64) {
    if object != ObjectType::LEAD || state.store.live(object, id).is_none() {
        return;
    }
    let kept = [ObjectType::CONTACT, ObjectType::COMPANY, ObjectType::DEAL]
        .into_iter()
        .any(|to| {
            state
                .links
                .primary(&state.types, (object, id), to)
                .is_some()
        });
    if !kept {
        archive(state, object, id);
    }
}

/// What a change of an engagement passes over.
const IGNORABLE: &[&str] = &["PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"];

/// Values in their stored form; a change of an engagement passes over what it does not know or cannot set.
fn checked(
    state: &State,
    object: ObjectType,
    properties: Map<String, Value>,
    before: Option<&Values>,
) -> Result<Set, Refused> {
    let tolerant = before.is_some() && object.is_engagement();
    let mut set = Vec::with_capacity(properties.len() + 4);
    let mut invalid = Vec::new();
    for (name, value) in properties {
        let current = before.and_then(|before| before.get(name.as_str()));
        let current = current.map(String::as_str);
        let kept = state.settings.check(object, &name, &value, current);
        match kept {
            Ok(value) => set.push((name, value)),
            Err(error) if tolerant && IGNORABLE.contains(&error.code) => (),
            Err(error) => invalid.push(error),
        }
    }
    if invalid.is_empty() {
        return Ok(set);
    }
    Err(Refused::Values(invalid))
}

/// Refuses unique values that another record has, or will have by an earlier input.
fn conflicts(
    state: &State,
    object: ObjectType,
    id: Option<u64>,
    set: &Set,
    claims: &mut Claims,
) -> Result<(), Failure> {
    let mut wanted = Vec::new();
    for (name, value) in set {
        let Some(value) = value else {
            continue;
        };
        let address = object == ObjectType::CONTACT && (name == EMAIL || name == MORE_EMAILS);
        if !address && !state.is_unique(object, name) {
            continue;
        }
        let values: Vec<String> = if address {
            addresses(value).collect()
        } else {
            vec![value.clone()]
        };
        let key = if address { EMAIL } else { name.as_str() };
        for value in values {
            let table = state.store.table(object);
            let holder = table
                .and_then(|table| table.by_value(key, &value))
                .filter(|holder| Some(*holder) != id);
            let claim = (key.to_owned(), value);
            if holder.is_some() || claims.0.contains(&claim) {
                return Err(conflict(state, object, name, &claim.1, id, holder));
            }
            wanted.push(claim);
        }
    }
    claims.0.extend(wanted);
    Ok(())
}

fn conflict(
    state: &State,
    object: ObjectType,
    name: &str,
    value: &str,
    id: Option<u64>,
    holder: Option<u64>,
) -> Failure {
    let kind = state.objects.get(object);
    if object == ObjectType::CONTACT && (name == EMAIL || name == MORE_EMAILS) {
        return match holder {
            Some(holder) => Failure::new(
                409,
                "CONFLICT",
                format!("{} already exists. Existing ID: {holder}", kind.title()),
            )
            .context("existingId", [holder.to_string()]),
            None => Failure::new(409, "CONFLICT", format!("{} already exists", kind.title())),
        };
    }
    let holder = holder.map_or_else(|| "another input".to_owned(), |holder| holder.to_string());
    let message = format!(
        "Cannot set PropertyValueCoordinates{{portalId={}, objectTypeId={object}, propertyName={name}, value={value}}} on {}. {holder} already has that value.",
        state.options.portal,
        id.map_or_else(|| "a new record".to_owned(), |id| id.to_string()),
    );
    let error = PropertyError::new(name, "CONFLICTING_UNIQUE_VALUE", message);
    validate::refusal(&[error])
}

/// Takes the associations of a creation apart: `[{to:{id}, types:[{associationCategory, associationTypeId}]}]`.
fn links(state: &State, from: ObjectType, associations: Vec<Value>) -> Result<Vec<Link>, Failure> {
    let mut by_node: BTreeMap<Node, Vec<Spec>> = BTreeMap::new();
    for association in associations {
        let id = number(&association["to"]["id"])
            .ok_or_else(|| Failure::validation("Invalid input JSON: associations need to.id"))?;
        let specs = specs(&association["types"])?;
        for spec in specs {
            let to = state.types.target(from, spec).ok_or_else(|| {
                Failure::validation(format!(
                    "Association type {} ({}) does not exist from {from}",
                    spec.id,
                    spec.category.name()
                ))
            })?;
            if state.store.live(to, id).is_none() {
                return Err(missing(state, to, id));
            }
            by_node.entry((to, id)).or_default().push(spec);
        }
    }
    Ok(by_node
        .into_iter()
        .map(|(to, specs)| Link { to, specs })
        .collect())
}

/// A record that an association is to lead to, and that is not there.
pub(super) fn missing(state: &State, object: ObjectType, id: u64) -> Failure {
    let constant = state.objects.get(object).constant();
    Failure::validation(format!("{constant}={id} is not valid"))
        .sub("crm.associations.INVALID_OBJECT_IDS")
        .context(&constant, [id.to_string()])
}
