//! Pipelines and stages that a plan needs: found by id or by label, else made.

use std::collections::HashSet;

use model::destination::Prepared;
use model::mapping::{PipelineMapping, StageTarget};
use model::{DestinationError, Stage, StageMeaning};
use serde_json::{Value, json};

use crate::api::{Api, Failed, LostWrites, Repeat, read};
use crate::create::find_kind;
use crate::describe::{PipelineAnswer, StageAnswer, fetch_pipelines};
use crate::objects::Kind;

/// Probabilities of open stages: 0 would be lost, and 1 won.
const OPEN_LEAST: f64 = 0.1;
const OPEN_MOST: f64 = 0.9;
const OPEN_UNKNOWN: f64 = 0.5;

/// Finds or makes every pipeline and stage, and says which became which.
pub(crate) async fn prepare_pipelines(
    api: &Api,
    entries: &[PipelineMapping],
) -> Result<Prepared, DestinationError> {
    let mut prepared = Prepared::default();
    let mut taken: HashSet<String> = HashSet::new();
    // Those that are named by id go first, so that no other takes them by their label.
    let (named, labelled): (Vec<_>, Vec<_>) = entries
        .iter()
        .partition(|entry| entry.destination.is_some());
    for entry in named.into_iter().chain(labelled) {
        let kind = find_kind(&entry.object)?;
        let pipeline = find_or_create(api, kind, entry, &taken).await?;
        taken.insert(pipeline.id.clone());
        prepared
            .pipelines
            .push((entry.source.clone(), pipeline.id.as_str().into()));
        prepare_stages(api, kind, entry, &pipeline, &mut prepared).await?;
    }
    Ok(prepared)
}

async fn find_or_create(
    api: &Api,
    kind: &Kind,
    entry: &PipelineMapping,
    taken: &HashSet<String>,
) -> Result<PipelineAnswer, DestinationError> {
    if let Some(id) = &entry.destination {
        let found = fetch_pipelines(api, kind).await?;
        let mut found = found.into_iter();
        return found
            .find(|pipeline| pipeline.id == id.as_str())
            .ok_or_else(|| {
                DestinationError::Unusable(format!(
                    "the pipeline {id} of {} is no longer there: plan again",
                    kind.path
                ))
            });
    }
    let mut lost = LostWrites::default();
    loop {
        let present = fetch_pipelines(api, kind).await?;
        let same = present
            .into_iter()
            .find(|pipeline| pipeline.label == entry.label && !taken.contains(&pipeline.id));
        if let Some(found) = same {
            return Ok(found);
        }
        // Looked up rather than made twice.
        match create_pipeline(api, kind, entry).await? {
            Ok(made) => return Ok(made),
            Err(cause) => lost.wait(cause).await?,
        }
    }
}

/// Makes a pipeline; the inner error says why it is not known whether it was made.
async fn create_pipeline(
    api: &Api,
    kind: &Kind,
    entry: &PipelineMapping,
) -> Result<Result<PipelineAnswer, String>, DestinationError> {
    let stages = entry
        .stages
        .iter()
        .filter(|stage| stage.target == StageTarget::Create);
    let stages: Vec<_> = stages
        .zip(0_i64..)
        .map(|(stage, order)| stage_json(kind, &stage.source, order))
        .collect();
    let body = json!({"label": entry.label, "displayOrder": -1, "stages": stages});
    let doing = format!("making the pipeline {:?} of {}", entry.label, kind.path);
    let path = api.version.pipelines(kind.path, "");
    let body = body.to_string().into_bytes();
    match api.post(&path, body, Repeat::Never).await {
        Ok(body) => Ok(read(&body, &doing).map_err(|error| error.to_string())),
        Err(Failed::Lost(cause)) => Ok(Err(cause)),
        Err(Failed::Refused {
            status: 400 | 402 | 403,
            refusal,
        }) if refusal.is_about_tier() => Err(DestinationError::Unusable(format!(
            "{doing}: {}; the portal's plan has no room for it: make room, or name an existing pipeline {:?}, then plan again",
            refusal.explain(),
            entry.label
        ))),
        Err(failed) => Err(failed.stop(&doing)),
    }
}

async fn prepare_stages(
    api: &Api,
    kind: &Kind,
    entry: &PipelineMapping,
    pipeline: &PipelineAnswer,
    prepared: &mut Prepared,
) -> Result<(), DestinationError> {
    let mut taken: HashSet<&str> = HashSet::new();
    for stage in &entry.stages {
        let StageTarget::Existing(id) = &stage.target else {
            continue;
        };
        let found = pipeline
            .stages
            .iter()
            .find(|present| present.id == id.as_str());
        let found = found.ok_or_else(|| {
            DestinationError::Unusable(format!(
                "the stage {id} of pipeline {:?} is no longer there: plan again",
                pipeline.label
            ))
        })?;
        taken.insert(&found.id);
        prepared
            .stages
            .push((stage.source.id.clone(), found.id.as_str().into()));
    }
    for stage in entry
        .stages
        .iter()
        .filter(|stage| stage.target == StageTarget::Create)
    {
        let same = pipeline.stages.iter().find(|present| {
            present.label == stage.source.label && !taken.contains(present.id.as_str())
        });
        let id = match same {
            Some(found) => {
                taken.insert(&found.id);
                found.id.clone()
            }
            None => create_stage(api, kind, pipeline, &stage.source).await?,
        };
        prepared.stages.push((stage.source.id.clone(), id.into()));
    }
    Ok(())
}

/// A new stage goes to the end of the pipeline.
async fn create_stage(
    api: &Api,
    kind: &Kind,
    pipeline: &PipelineAnswer,
    stage: &Stage,
) -> Result<String, DestinationError> {
    let doing = format!(
        "making the stage {:?} of pipeline {:?}",
        stage.label, pipeline.label
    );
    let last = pipeline
        .stages
        .iter()
        .map(|stage| stage.display_order)
        .max();
    let path = api
        .version
        .pipelines(kind.path, &format!("/{}/stages", pipeline.id));
    let body = stage_json(kind, stage, last.map_or(0, |last| last + 1))
        .to_string()
        .into_bytes();
    let mut lost = LostWrites::default();
    loop {
        let cause = match api.post(&path, body.clone(), Repeat::Never).await {
            Ok(body) => match read::<StageAnswer>(&body, &doing) {
                Ok(made) => return Ok(made.id),
                Err(error) => error.to_string(),
            },
            Err(Failed::Lost(cause)) => cause,
            Err(failed) => return Err(failed.stop(&doing)),
        };
        lost.wait(cause).await?;
        let present = fetch_pipelines(api, kind).await?;
        let stages = present
            .into_iter()
            .filter(|present| present.id == pipeline.id)
            .flat_map(|present| present.stages);
        let mut same = stages.filter(|present| present.label == stage.label);
        if let Some(found) = same.next() {
            return Ok(found.id);
        }
    }
}

fn stage_json(kind: &Kind, stage: &Stage, order: i64) -> Value {
    let mut json = json!({"label": stage.label, "displayOrder": order});
    json["metadata"] = if kind.standard == model::catalog::StandardObject::Deal {
        json!({"probability": probability(stage)})
    } else {
        json!({})
    };
    json
}

/// As text, two decimals: HubSpot wants one on every stage of deals, 1 means won and 0 lost.
fn probability(stage: &Stage) -> String {
    let share = match stage.meaning {
        StageMeaning::Won => 1.0,
        StageMeaning::Lost => 0.0,
        StageMeaning::Open => stage.probability.map_or(OPEN_UNKNOWN, |percent| {
            (f64::from(percent) / 100.0).clamp(OPEN_LEAST, OPEN_MOST)
        }),
    };
    format!("{share:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(meaning: StageMeaning, probability: Option<u8>, expected: &str) {
        let stage = Stage {
            id: "1".into(),
            label: "x".into(),
            probability,
            meaning,
        };
        assert_eq!(super::probability(&stage), expected);
    }

    #[test]
    fn an_open_stage_is_never_made_won_or_lost_by_its_probability() {
        check(StageMeaning::Open, Some(100), "0.90");
        check(StageMeaning::Open, Some(0), "0.10");
        check(StageMeaning::Open, Some(35), "0.35");
        check(StageMeaning::Open, None, "0.50");
        check(StageMeaning::Won, Some(80), "1.00");
        check(StageMeaning::Lost, Some(20), "0.00");
    }
}
