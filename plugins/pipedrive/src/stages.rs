//! Pipelines and stages, and the two stages of each pipeline that Pipedrive keeps as a deal's status: won and lost.
//!
//! It decides which stage a deal stands in. It leaves out no stage that a deal may still be in, deleted ones among them.

use std::rc::Rc;

use longshore_sdk::{Context, Pipeline, Result, Stage, StageMeaning};
use serde::Deserialize;

use crate::envelope;

#[derive(Debug, Deserialize)]
struct PipelineRow {
    id: i64,
    name: String,
    #[serde(default)]
    order_nr: i64,
    #[serde(default)]
    is_deleted: bool,
    #[serde(default)]
    is_deal_probability_enabled: bool,
}

#[derive(Debug, Deserialize)]
struct StageRow {
    id: i64,
    name: String,
    pipeline_id: i64,
    #[serde(default)]
    order_nr: i64,
    #[serde(default)]
    is_deleted: bool,
    #[serde(default)]
    deal_probability: Option<i64>,
}

/// The id of the stage that a won or lost deal of a pipeline stands in; `None` while the deal is open.
///
/// A deleted deal keeps the stage it was deleted in.
pub(crate) fn closed_stage(pipeline_id: &str, status: &str) -> Option<String> {
    matches!(status, "won" | "lost").then(|| [pipeline_id, ":", status].concat())
}

/// Describes the pipelines: their open stages in order, deleted ones last, then won and lost.
///
/// # Errors
/// `permission` when the account may not see them; else as the requests fail.
pub(crate) fn describe(ctx: &Context) -> Result<Vec<Pipeline>> {
    let mut pipelines: Vec<PipelineRow> = envelope::read_all(ctx, "/v2/pipelines")?;
    pipelines.sort_by_key(|pipeline| (pipeline.is_deleted, pipeline.order_nr, pipeline.id));
    let stages = stages(ctx)?;
    Ok(pipelines
        .iter()
        .map(|pipeline| describe_one(pipeline, &stages))
        .collect())
}

/// The stages' ids and names, for the field that says where a closed deal stood. Deleted ones are marked.
///
/// # Errors
/// As the request fails.
pub(crate) fn names(ctx: &Context) -> Result<Vec<(String, String)>> {
    Ok(stages(ctx)?
        .iter()
        .map(|stage| (stage.id.to_string(), label(&stage.name, stage.is_deleted)))
        .collect())
}

fn stages(ctx: &Context) -> Result<Rc<Vec<StageRow>>> {
    ctx.cached("stages", || {
        let mut stages: Vec<StageRow> = envelope::read_all(ctx, "/v2/stages")?;
        stages.sort_by_key(|stage| (stage.is_deleted, stage.order_nr, stage.id));
        Ok(stages)
    })
}

fn describe_one(pipeline: &PipelineRow, stages: &[StageRow]) -> Pipeline {
    let id = pipeline.id.to_string();
    let mut described = Pipeline::new(&id, label(&pipeline.name, pipeline.is_deleted), "deal");
    for row in stages
        .iter()
        .filter(|stage| stage.pipeline_id == pipeline.id)
    {
        let mut stage = Stage::new(row.id, label(&row.name, row.is_deleted), StageMeaning::Open);
        let probability = row
            .deal_probability
            .and_then(|percent| u8::try_from(percent.clamp(0, 100)).ok());
        if let Some(percent) = probability.filter(|_| pipeline.is_deal_probability_enabled) {
            stage = stage.probability(percent);
        }
        described = described.stage(stage);
    }
    for (status, name, meaning, percent) in [
        ("won", "Won", StageMeaning::Won, 100),
        ("lost", "Lost", StageMeaning::Lost, 0),
    ] {
        let id = closed_stage(&id, status).unwrap_or_default();
        described = described.stage(Stage::new(id, name, meaning).probability(percent));
    }
    described
}

fn label(name: &str, is_deleted: bool) -> String {
    if is_deleted {
        format!("{name} (deleted)")
    } else {
        name.to_owned()
    }
}
