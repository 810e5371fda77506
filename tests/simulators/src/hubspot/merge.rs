//! Answers merges of two records, and deletions for privacy.
//!
//! That a merged id leads to its survivor is decided where records are looked up.

use super::answer::{Answer, Failure};
use super::association_types::Meaning;
use super::associations::Mode;
use super::call::Call;
use super::crud::find;
use super::draft::number;
use super::news;
use super::objects::ObjectType;
use super::record::{EMAIL, MORE_EMAILS, addresses};
use super::state::State;
use super::view::{View, Wanted};
use super::webhooks::Happening;
use serde_json::Value;

/// A record takes in so many others.
const IDENTITIES: usize = 250;

/// Answers `POST …/merge` with the survivor, which keeps the primary record's id and values.
///
/// # Errors
///
/// 400 for kinds that cannot be merged and for a record with itself, 404 for a missing one, 414 beyond 250 identities.
pub(super) fn answer(
    state: &mut State,
    call: &Call,
    object: ObjectType,
) -> Result<Answer, Failure> {
    let can = matches!(
        object,
        ObjectType::CONTACT
            | ObjectType::COMPANY
            | ObjectType::DEAL
            | ObjectType::TICKET
            | ObjectType::PROJECT
    );
    if !can && !object.is_custom() {
        return Err(Failure::validation(format!("{object} cannot be merged")));
    }
    let body = call.json()?;
    let id = |name: &str| {
        number(&body[name]).ok_or_else(|| {
            Failure::validation(format!("Some required fields were not set: [{name}]"))
        })
    };
    let (primary, loser) = (id("primaryObjectId")?, id("objectIdToMerge")?);
    let primary = find(state, object, &primary.to_string(), None)?.id;
    let loser = find(state, object, &loser.to_string(), None)?.id;
    if primary == loser {
        return Err(Failure::validation("A record cannot be merged with itself"));
    }
    let identities = |id| {
        state
            .store
            .live(object, id)
            .map_or(0, |record| record.merged.len() + 1)
    };
    if identities(primary) + identities(loser) > IDENTITIES {
        return Err(Failure::new(
            414,
            "VALIDATION_ERROR",
            "The merged record would have more than 250 identities",
        ));
    }
    merge(state, object, primary, loser);
    news::tell(state, object, primary, Happening::Merge { loser });
    let kind = state.objects.get(object);
    let record = state
        .store
        .live(object, primary)
        .ok_or_else(Failure::not_found)?;
    let wanted = Wanted::new(state, kind, ["hs_merged_object_ids"]);
    let view = View {
        whole: true,
        ..View::new(state, kind, record, &wanted)
    };
    Ok(Answer::json(200, &view))
}

fn merge(state: &mut State, object: ObjectType, primary: u64, loser: u64) {
    let now = state.now;
    let table = state.store.table_mut(object);
    let Some(gone) = table.merge(loser, primary, now) else {
        return;
    };
    let kept = table
        .live()
        .get(&primary)
        .map(|record| record.values.clone());
    let kept = kept.unwrap_or_default();
    let mut set: Vec<_> = gone
        .values
        .iter()
        .filter(|(name, _)| !kept.contains_key(*name))
        .map(|(name, value)| (name.clone(), Some(value.clone())))
        .collect();
    if object == ObjectType::CONTACT {
        let main = kept.get(EMAIL).or_else(|| gone.values.get(EMAIL));
        let main = main.map(|email| email.to_lowercase());
        let mut more: Vec<String> = [&kept, &gone.values]
            .into_iter()
            .flat_map(|values| [values.get(MORE_EMAILS), values.get(EMAIL)])
            .flatten()
            .flat_map(|value| addresses(value))
            .filter(|address| Some(address) != main.as_ref())
            .collect();
        more.sort_unstable();
        more.dedup();
        if !more.is_empty() {
            let name = state.name(MORE_EMAILS);
            set.retain(|(have, _)| *have != name);
            set.push((name, Some(more.join(";"))));
        }
    }
    let properties = &state.settings.properties;
    let unique = |name: &str| {
        properties
            .get(object, name)
            .is_some_and(|property| property.unique)
    };
    state
        .store
        .table_mut(object)
        .update(primary, set, now, unique);
    for (other, specs) in state.links.clear((object, loser)) {
        let main = state.types.primary(object, other.0);
        let main = main
            .filter(|kind| kind.meaning == Meaning::Primary { single: true })
            .map(|kind| kind.spec);
        let has_main = state
            .links
            .primary(&state.types, (object, primary), other.0)
            .is_some();
        let specs: Vec<_> = specs
            .into_iter()
            .filter(|spec| !has_main || Some(*spec) != main)
            .collect();
        if other != (object, primary) {
            state
                .links
                .link(&state.types, (object, primary), other, &specs, Mode::Add);
        }
    }
}

/// Answers `POST /contacts/gdpr-delete`: the contact is gone for good, its addresses are blocked.
///
/// # Errors
///
/// 400 without an id, 404 for a contact that is not there.
pub(super) fn gdpr_delete(state: &mut State, call: &Call) -> Result<Answer, Failure> {
    let body = call.json()?;
    let given = match &body["objectId"] {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => {
            return Err(Failure::validation(
                "Some required fields were not set: [objectId]",
            ));
        }
    };
    let property = body["idProperty"].as_str();
    let object = ObjectType::CONTACT;
    let id = match find(state, object, &given, property) {
        Ok(record) => record.id,
        Err(_) if property == Some(EMAIL) => {
            // Nobody has the address, and nobody will.
            state.blocked.insert(given.to_lowercase());
            return Ok(Answer::no_content());
        }
        Err(failure) => match given.parse::<u64>() {
            Ok(id) if property.is_none() => id,
            _ => return Err(failure),
        },
    };
    let now = state.now;
    let record = state
        .store
        .table_mut(object)
        .purge(id, now)
        .ok_or_else(Failure::not_found)?;
    for name in [EMAIL, MORE_EMAILS] {
        if let Some(value) = record.values.get(name) {
            state.blocked.extend(addresses(value));
        }
    }
    news::tell(state, object, id, Happening::PrivacyDeletion);
    super::write::unlink_all(state, (object, id));
    Ok(Answer::no_content())
}
