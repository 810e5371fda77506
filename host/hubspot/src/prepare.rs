//! Everything that has to exist before records come: properties, options, pipelines, labels. It may be repeated; what exists stays.

use std::collections::BTreeMap;

use model::destination::{Preparation, Prepared};
use model::{DestinationError, FieldInfo, ObjectName};
use serde_json::json;

use crate::answer::List;
use crate::api::{Api, Failed, Repeat, read};
use crate::create::{add_options, create_properties, find_kind};
use crate::describe::Described;
use crate::link::{LinkType, fetch_types};
use crate::pipeline::prepare_pipelines;

/// Makes what is missing.
pub(crate) async fn prepare(
    api: &Api,
    described: &Described,
    preparation: &Preparation,
) -> Result<Prepared, DestinationError> {
    let mut by_object: BTreeMap<&ObjectName, Vec<&FieldInfo>> = BTreeMap::new();
    for (object, field) in &preparation.properties {
        by_object.entry(object).or_default().push(field);
    }
    for (object, fields) in by_object {
        create_properties(api, find_kind(object)?, described, &fields).await?;
    }
    for (object, property, options) in &preparation.options {
        add_options(api, find_kind(object)?, property, options).await?;
    }
    for (from, to, label) in &preparation.labels {
        create_label(api, from, to, label).await?;
    }
    prepare_pipelines(api, &preparation.pipelines).await
}

/// A label has a name that is no word for people: letters and digits of the label.
async fn create_label(
    api: &Api,
    from: &ObjectName,
    to: &ObjectName,
    label: &str,
) -> Result<(), DestinationError> {
    let (from_kind, to_kind) = (find_kind(from)?, find_kind(to)?);
    let types = fetch_types(api, from_kind, to_kind).await?;
    // What cannot be associated gets no label either: its links are refused one by one, each with the reason.
    let can_be_made =
        types.is_ok_and(|types| types.plain.is_some() && !types.labels.contains_key(label));
    if !can_be_made {
        return Ok(());
    }
    let clean = label.chars().map(|letter| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '_'
        }
    });
    let name = format!("longshore_{}", clean.collect::<String>());
    let mut body = json!({"label": label, "name": name});
    if let Some(inverse) = inverse_label(from, to, label) {
        body["inverseLabel"] = inverse.into();
    }
    let body = body.to_string().into_bytes();
    let path = api
        .version
        .associations(from_kind.path, to_kind.path, "/labels");
    let doing = format!("making the association label {label:?} of {from} and {to}");
    match api.post(&path, body, Repeat::Safe).await {
        Ok(body) => {
            let _made: List<LinkType> = read(&body, &doing)?;
            Ok(())
        }
        Err(Failed::Refused { status: 409, .. }) => Ok(()),
        // Its links are refused one by one then, each with the reason: that is no cause to stop everything else.
        Err(Failed::Refused {
            status: 400 | 404,
            refusal,
        }) => {
            tracing::warn!(%from, %to, label, why = refusal.explain(), "a label cannot be made");
            Ok(())
        }
        Err(failed) => Err(failed.stop(&doing)),
    }
}

/// What the other end of a label says, where both ends are of one object: without it HubSpot shows one text on both, and nobody can tell
/// the parent company from its child.
fn inverse_label(from: &ObjectName, to: &ObjectName, label: &str) -> Option<String> {
    (from == to).then(|| format!("{label} (inverse)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_label_within_one_object_reads_differently_from_its_other_end() {
        let inverse = |from: &str, to: &str| inverse_label(&from.into(), &to.into(), "Parent");
        assert_eq!(
            inverse("company", "company").as_deref(),
            Some("Parent (inverse)")
        );
        assert_eq!(inverse("contact", "company"), None);
    }
}
