//! Properties and options that are made before the first record comes, in a group of our own. What exists stays as it is.

use model::catalog::FieldOption;
use model::grant::Method;
use model::{DestinationError, FieldInfo, ObjectName};
use serde_json::{Value, json};

use crate::api::{Api, Failed, Repeat, read};
use crate::describe::Described;
use crate::grant::API;
use crate::objects::Kind;
use crate::property::{Definition, GROUP, UNIQUE_MAX, merge_options, to_definition};

/// The most properties of one call.
const BATCH_MAX: usize = 100;

/// Makes properties of one object; those that exist are left out.
pub(crate) async fn create_properties(
    api: &Api,
    kind: &Kind,
    described: &Described,
    fields: &[&FieldInfo],
) -> Result<(), DestinationError> {
    let present = described.object(&kind.name())?;
    check_archived(kind, described, fields)?;
    let missing: Vec<_> = fields
        .iter()
        .filter(|field| present.fields.find(&field.name).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    check_uniques(kind, described, &missing)?;
    create_group(api, kind).await?;
    let mut definitions = Vec::with_capacity(missing.len());
    for field in missing {
        definitions.push(to_definition(field).ok_or_else(|| {
            DestinationError::Unusable(format!(
                "property {:?} of {}: HubSpot has no properties of kind {}",
                field.name, kind.path, field.kind
            ))
        })?);
    }
    for chunk in definitions.chunks(BATCH_MAX) {
        create_batch(api, kind, chunk).await?;
    }
    Ok(())
}

/// An archived property keeps its name for itself, and every record with it would be refused.
fn check_archived(
    kind: &Kind,
    described: &Described,
    fields: &[&FieldInfo],
) -> Result<(), DestinationError> {
    let archived = described.archived.iter().find(|(object, name)| {
        *object == kind.name() && fields.iter().any(|field| field.name == *name)
    });
    match archived {
        Some((_, name)) => Err(DestinationError::Unusable(format!(
            "property {name:?} of {} was archived in HubSpot, which keeps its name from being used again: restore it there (Settings, Properties, Archived)",
            kind.path
        ))),
        None => Ok(()),
    }
}

/// A unique property is what makes a write findable, so there is no doing without.
fn check_uniques(
    kind: &Kind,
    described: &Described,
    missing: &[&&FieldInfo],
) -> Result<(), DestinationError> {
    let wanted = missing.iter().filter(|field| field.unique).count();
    let there = described
        .uniques
        .iter()
        .find(|(object, _)| *object == kind.name());
    let there = there.map_or(0, |(_, count)| *count);
    if wanted == 0 || there + wanted <= UNIQUE_MAX {
        return Ok(());
    }
    Err(DestinationError::Unusable(format!(
        "{} has {there} unique properties, and {UNIQUE_MAX} is the most: delete one that is not needed in HubSpot (Settings, Properties), because Longshore needs one to write no record twice",
        kind.path
    )))
}

async fn create_group(api: &Api, kind: &Kind) -> Result<(), DestinationError> {
    let path = api.version.properties(kind.path, "/groups");
    let body = json!({"name": GROUP, "label": "Longshore", "displayOrder": -1});
    match api
        .post(&path, body.to_string().into_bytes(), Repeat::Safe)
        .await
    {
        Ok(_) | Err(Failed::Refused { status: 409, .. }) => Ok(()),
        Err(failed) => Err(failed.stop(&format!(
            "making the property group {GROUP:?} of {}",
            kind.path
        ))),
    }
}

/// All at once; where that is refused one by one, so that the error names the property.
async fn create_batch(
    api: &Api,
    kind: &Kind,
    definitions: &[Value],
) -> Result<(), DestinationError> {
    let path = api.version.properties(kind.path, "/batch/create");
    let body = json!({"inputs": definitions}).to_string().into_bytes();
    match api.post(&path, body, Repeat::Safe).await {
        Ok(body) => {
            // Part of it may have been refused; asking for each again tells which.
            let answer: Value = read(&body, "making properties")?;
            if answer["numErrors"].as_u64().unwrap_or(0) == 0 {
                return Ok(());
            }
        }
        Err(Failed::Refused {
            status: 400 | 404 | 405 | 409,
            ..
        }) => {}
        Err(failed) => return Err(failed.stop(&format!("making properties of {}", kind.path))),
    }
    for definition in definitions {
        let name = definition["name"].as_str().unwrap_or_default();
        let path = api.version.properties(kind.path, "");
        match api
            .post(&path, definition.to_string().into_bytes(), Repeat::Safe)
            .await
        {
            Ok(_) | Err(Failed::Refused { status: 409, .. }) => {}
            Err(failed) => {
                return Err(failed.stop(&format!("making property {name:?} of {}", kind.path)));
            }
        }
    }
    Ok(())
}

/// Adds options to a property that exists.
pub(crate) async fn add_options(
    api: &Api,
    kind: &Kind,
    property: &str,
    options: &[FieldOption],
) -> Result<(), DestinationError> {
    let doing = format!("adding options to property {property:?} of {}", kind.path);
    let path = api.version.properties(kind.path, &format!("/{property}"));
    let body = api
        .get(&path, Vec::new())
        .await
        .map_err(|failed| failed.stop(&doing))?;
    let definition: Definition = read(&body, &doing)?;
    let before = definition.options.len();
    let merged = merge_options(definition.options, options);
    if merged.len() == before {
        return Ok(());
    }
    let body = json!({"options": merged}).to_string().into_bytes();
    let changed = api
        .call(
            (API, Method::Patch, &path),
            Vec::new(),
            Some(body),
            Repeat::Safe,
        )
        .await;
    changed.map(drop).map_err(|failed| failed.stop(&doing))
}

/// The object of that name that is written as a CRM object.
pub(crate) fn find_kind(object: &ObjectName) -> Result<&'static Kind, DestinationError> {
    Kind::find(object).ok_or_else(|| {
        DestinationError::Unusable(format!(
            "HubSpot's {object} are not written by anybody but itself"
        ))
    })
}
