//! What a portal has: its objects with their properties, and its pipelines, as a catalog.
//!
//! An object that the credential may not see, or the portal's plan does not have, is left out and its reason kept.

use std::sync::Arc;

use model::catalog::{FieldTable, StandardObject};
use model::destination::SOURCE_KEY_PROPERTY;
use model::{
    AssociationInfo, DestinationError, FieldInfo, FieldKind, ObjectInfo, ObjectName, Pipeline,
    Stage, StageMeaning,
};
use serde::Deserialize;

use crate::answer::List;
use crate::api::{Api, Failed, at_once, read};
use crate::email::{HEADERS, TEXTS};
use crate::objects::{KINDS, Kind, WITH_PIPELINES};
use crate::property::{Definition, TEXT_MAX_CHARS};

/// Lists that are asked for at once.
const AT_ONCE: usize = 8;

/// A portal as it was a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Described {
    /// The objects, in the order of writing.
    pub(crate) objects: Vec<Arc<ObjectInfo>>,
    pub(crate) pipelines: Vec<Pipeline>,
    /// Objects that are left out, each with what HubSpot said.
    pub(crate) denied: Vec<(ObjectName, String)>,
    /// For each object how many unique properties of its own it has.
    pub(crate) uniques: Vec<(ObjectName, usize)>,
    /// Properties that were archived: they take no value, and their names are not free.
    pub(crate) archived: Vec<(ObjectName, String)>,
}

impl Described {
    /// The object, or an error that says why it is not there.
    pub(crate) fn object(&self, name: &ObjectName) -> Result<&Arc<ObjectInfo>, DestinationError> {
        self.objects
            .iter()
            .find(|object| object.name == *name)
            .ok_or_else(|| {
                let why = self.denied.iter().find(|(denied, _)| denied == name);
                let why = why.map_or("HubSpot has no such object", |(_, why)| why.as_str());
                DestinationError::Unusable(format!("object {name}: {why}"))
            })
    }
}

/// Reads properties and pipelines of every object.
pub(crate) async fn describe(api: &Api) -> Result<Described, DestinationError> {
    let mut described = Described::default();
    let objects: Vec<_> = at_once(KINDS.iter().map(|kind| properties(api, kind)), AT_ONCE).await?;
    for (kind, properties) in KINDS.iter().zip(objects) {
        match properties {
            Ok(definitions) => {
                let uniques = definitions
                    .iter()
                    .filter(|definition| definition.is_own_unique());
                described.uniques.push((kind.name(), uniques.count()));
                let archived = definitions.iter().filter(|definition| definition.archived);
                let archived = archived.map(|definition| (kind.name(), definition.name.clone()));
                described.archived.extend(archived);
                described
                    .objects
                    .push(Arc::new(object(kind, &definitions)?));
            }
            Err(why) => described.denied.push((kind.name(), why)),
        }
    }
    for standard in WITH_PIPELINES {
        let kind = KINDS.iter().find(|kind| kind.standard == standard);
        let kind = kind.expect("objects with pipelines are among all");
        if described
            .objects
            .iter()
            .any(|object| object.standard == Some(standard))
        {
            described.pipelines.extend(pipelines(api, kind).await?);
        }
    }
    Ok(described)
}

/// The definitions of an object, those of archived properties after the others; else why there are none.
async fn properties(
    api: &Api,
    kind: &Kind,
) -> Result<Result<Vec<Definition>, String>, DestinationError> {
    let doing = format!("reading the properties of {}", kind.path);
    let path = api.version.properties(kind.path, "");
    let mut all: Vec<Definition> = Vec::new();
    for archived in ["false", "true"] {
        let query = vec![("archived".to_owned(), archived.to_owned())];
        let body = match api.get(&path, query).await {
            Ok(body) => body,
            Err(Failed::Refused {
                status: 403 | 404,
                refusal,
            }) => return Ok(Err(refusal.explain())),
            Err(failed) => return Err(failed.stop(&doing)),
        };
        let list: List<Definition> = read(&body, &doing)?;
        let told = list.results.into_iter().map(|mut definition| {
            definition.archived |= archived == "true";
            definition
        });
        let new: Vec<_> = told
            .filter(|definition| all.iter().all(|known| known.name != definition.name))
            .collect();
        all.extend(new);
    }
    Ok(Ok(all))
}

fn object(kind: &Kind, definitions: &[Definition]) -> Result<ObjectInfo, DestinationError> {
    let mut fields: Vec<FieldInfo> = definitions
        .iter()
        // There is no doing without the source's id: it is asked for again, and preparation says that it was archived.
        .filter(|definition| !definition.archived || definition.name != SOURCE_KEY_PROPERTY)
        .map(|definition| definition.to_field(kind))
        .collect();
    if kind.standard == StandardObject::Email {
        // The parties stand in one property as JSON; here they are texts, and the JSON is nobody's business.
        fields.retain(|field| field.name != HEADERS);
        fields.extend(TEXTS.iter().map(|(name, label)| FieldInfo {
            label: (*label).to_owned(),
            standard: Some((*name).to_owned()),
            max_chars: Some(TEXT_MAX_CHARS),
            ..FieldInfo::new(*name, FieldKind::Text)
        }));
    }
    let fields = FieldTable::new(fields).map_err(|error| {
        DestinationError::Unusable(format!("properties of {}: {error}", kind.path))
    })?;
    Ok(ObjectInfo {
        name: kind.name(),
        label: kind.label.to_owned(),
        standard: Some(kind.standard),
        fields,
        associations: associations(kind),
        incremental: true,
        count: None,
    })
}

/// What records of an object are told with as a source: plain links to the objects that people work with.
fn associations(kind: &Kind) -> Vec<AssociationInfo> {
    use StandardObject::{Company, Contact, Deal, LineItem, Product};
    let ends: &[StandardObject] = match kind.standard {
        Product => &[],
        LineItem => &[Deal],
        Company => &[Contact, Deal],
        Contact => &[Company, Deal],
        _ => &[Contact, Company, Deal],
    };
    let ends = ends.iter().filter(|end| **end != kind.standard);
    ends.map(|end| AssociationInfo {
        name: end.name().to_owned(),
        to: end.name().into(),
        label: None,
    })
    .collect()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PipelineAnswer {
    pub(crate) id: String,
    pub(crate) label: String,
    #[serde(default)]
    display_order: i64,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    pub(crate) stages: Vec<StageAnswer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StageAnswer {
    pub(crate) id: String,
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) display_order: i64,
    #[serde(default)]
    pub(crate) archived: bool,
    #[serde(default)]
    metadata: std::collections::BTreeMap<String, serde_json::Value>,
}

/// The pipelines of an object as they are, in their order, without what is archived.
pub(crate) async fn fetch_pipelines(
    api: &Api,
    kind: &Kind,
) -> Result<Vec<PipelineAnswer>, DestinationError> {
    let doing = format!("reading the pipelines of {}", kind.path);
    let body = match api
        .get(&api.version.pipelines(kind.path, ""), Vec::new())
        .await
    {
        Ok(body) => body,
        // The object is there and has none to see: nothing is put into any.
        Err(Failed::Refused {
            status: 403 | 404, ..
        }) => return Ok(Vec::new()),
        Err(failed) => return Err(failed.stop(&doing)),
    };
    let mut list: List<PipelineAnswer> = read(&body, &doing)?;
    list.results.retain(|pipeline| !pipeline.archived);
    list.results.sort_by_key(|pipeline| pipeline.display_order);
    for pipeline in &mut list.results {
        pipeline.stages.retain(|stage| !stage.archived);
        pipeline.stages.sort_by_key(|stage| stage.display_order);
    }
    Ok(list.results)
}

async fn pipelines(api: &Api, kind: &Kind) -> Result<Vec<Pipeline>, DestinationError> {
    let told = fetch_pipelines(api, kind).await?;
    let told = told.into_iter().map(|pipeline| Pipeline {
        id: pipeline.id.into(),
        label: pipeline.label,
        object: kind.name(),
        stages: pipeline.stages.into_iter().map(stage).collect(),
    });
    Ok(told.collect())
}

/// A probability of 1 is won and one of 0 lost (pipelines guide, 2026).
fn stage(told: StageAnswer) -> Stage {
    let text = |name: &str| {
        told.metadata.get(name).map(|value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    };
    let probability = text("probability").and_then(|text| text.parse::<f64>().ok());
    let probability = probability.filter(|share| (0.0..=1.0).contains(share));
    let is_open = text("isClosed").as_deref() == Some("false");
    let meaning = match probability {
        Some(share) if share >= 1.0 && !is_open => StageMeaning::Won,
        Some(share) if share <= 0.0 && !is_open => StageMeaning::Lost,
        _ => StageMeaning::Open,
    };
    Stage {
        id: told.id.into(),
        label: told.label,
        // Between 0 and 100, so the cast loses nothing.
        probability: probability.map(|share| (share * 100.0).round() as u8),
        meaning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(metadata: serde_json::Value, probability: Option<u8>, meaning: StageMeaning) {
        let told = serde_json::json!({"id": "1", "label": "x", "metadata": metadata});
        let stage = stage(serde_json::from_value(told).unwrap());
        assert_eq!((stage.probability, stage.meaning), (probability, meaning));
    }

    #[test]
    fn a_stage_is_won_or_lost_by_its_probability() {
        check(
            serde_json::json!({"probability": "1.0", "isClosed": "true"}),
            Some(100),
            StageMeaning::Won,
        );
        check(
            serde_json::json!({"probability": "0.0", "isClosed": "true"}),
            Some(0),
            StageMeaning::Lost,
        );
        check(
            serde_json::json!({"probability": "0.35", "isClosed": "false"}),
            Some(35),
            StageMeaning::Open,
        );
        check(
            serde_json::json!({"probability": 1}),
            Some(100),
            StageMeaning::Won,
        );
        check(
            serde_json::json!({"ticketState": "OPEN"}),
            None,
            StageMeaning::Open,
        );
    }
}
