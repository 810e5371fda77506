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
    if types
        .as_ref()
        .is_ok_and(|types| types.labels.contains_key(label))
    {
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
    let body = json!({"label": label, "name": name})
        .to_string()
        .into_bytes();
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
