//! Decides which pipelines and stages there are, what their metadata may say, and when one may go.
//!
//! It does not know the records; whoever asks says which stages are in use.

mod stage;

mod defaults;

use super::answer::{Answer, Failure};
use super::call::{Call, Method};
use super::clock::iso;
use super::context::{self, Ctx};
use super::objects::ObjectType;
use defaults::DEFAULTS;
use serde::Deserialize;
use serde_json::{Value, json};
pub use stage::Stage;
use stage::{StageInput, check_stages, metadata, own_metadata, required};

/// A pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Unique among the pipelines of the kind.
    pub id: String,
    /// Unique among them, too.
    pub label: String,
    /// Place among them.
    pub display_order: i64,
    /// Steps, ordered by `display_order`.
    pub stages: Vec<Stage>,
    created: i64,
    updated: i64,
}

/// Something that was done to a pipeline or stage.
#[derive(Debug, Clone, PartialEq)]
struct Audit {
    object: ObjectType,
    /// Id of the pipeline or stage.
    id: String,
    action: &'static str,
    at: i64,
    user: u64,
    /// What it became.
    after: Value,
}

/// Whether records of a kind stand in a stage of a pipeline; no stage means any of them.
pub(super) type InUse<'a> = &'a dyn Fn(ObjectType, &str, Option<&str>) -> bool;

/// The pipelines of all kinds of record.
#[derive(Debug, Clone)]
pub struct Pipelines {
    all: Vec<(ObjectType, Pipeline)>,
    audits: Vec<Audit>,
    /// Most pipelines of deals; of other kinds as well.
    most: usize,
    next_id: u64,
}

/// What is sent to create or change a pipeline.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PipelineInput {
    label: Option<String>,
    display_order: Option<i64>,
    stages: Option<Vec<StageInput>>,
}

impl Pipeline {
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "label": self.label,
            "displayOrder": self.display_order,
            "stages": self.stages.iter().map(Stage::json).collect::<Vec<_>>(),
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "archived": false,
        })
    }

    /// The stage of that id.
    pub fn stage(&self, id: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }
}

impl Pipelines {
    /// The vendor's pipelines; at most `most` of a kind can be had.
    pub(super) fn new(most: usize) -> Self {
        let pipeline = |(object, id, label, stages): &defaults::Row| {
            let stage = |(row, place): (&defaults::StageRow, i64)| Stage {
                id: row.0.to_owned(),
                label: row.1.to_owned(),
                display_order: place,
                metadata: own_metadata(*object, row.2),
                created: 0,
                updated: 0,
            };
            let pipeline = Pipeline {
                id: (*id).to_owned(),
                label: (*label).to_owned(),
                display_order: 0,
                stages: stages.iter().zip(0..).map(stage).collect(),
                created: 0,
                updated: 0,
            };
            (*object, pipeline)
        };
        Self {
            all: DEFAULTS.iter().map(pipeline).collect(),
            audits: Vec::new(),
            most,
            next_id: 700_000_001,
        }
    }

    /// The pipelines of a kind, in order.
    pub fn of(&self, object: ObjectType) -> impl Iterator<Item = &Pipeline> {
        let all = self.all.iter();
        all.filter(move |(of, _)| *of == object)
            .map(|(_, pipeline)| pipeline)
    }

    /// The pipeline of that id.
    pub fn get(&self, object: ObjectType, id: &str) -> Option<&Pipeline> {
        self.of(object).find(|pipeline| pipeline.id == id)
    }

    /// The pipeline that a record gets which names none: the first.
    pub fn default_of(&self, object: ObjectType) -> Option<&Pipeline> {
        self.of(object).next()
    }

    /// The stage of that id, of whichever pipeline.
    pub fn stage(&self, object: ObjectType, id: &str) -> Option<(&Pipeline, &Stage)> {
        self.of(object)
            .find_map(|pipeline| Some((pipeline, pipeline.stage(id)?)))
    }

    /// Most pipelines of a kind.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Answers below `/crm/v3/pipelines/{object}`; `rest` is what follows.
    ///
    /// # Errors
    ///
    /// 400, 404, 405 or 409 in the vendor's envelope.
    pub(super) fn answer(
        &mut self,
        ctx: Ctx,
        object: ObjectType,
        call: &Call,
        rest: &[&str],
        in_use: InUse<'_>,
    ) -> Result<Answer, Failure> {
        match (call.method, rest) {
            (Method::Get, []) => {
                let results: Vec<_> = self.of(object).map(Pipeline::json).collect();
                Ok(Answer::json(200, &json!({ "results": results })))
            }
            (Method::Post, []) => self.create(ctx, object, context::body(call)?),
            (Method::Get, [id]) => {
                let place = self.place(object, id)?;
                Ok(Answer::json(200, &self.all[place].1.json()))
            }
            (Method::Patch | Method::Put, [id]) => {
                let place = self.place(object, id)?;
                let replaces = call.method == Method::Put;
                let checked = checks_use(call).then_some(in_use);
                let input = context::body(call)?;
                self.change(ctx, place, input, replaces, checked)
            }
            (Method::Delete, [id]) => {
                let place = self.place(object, id)?;
                if checks_use(call) && in_use(object, id, None) {
                    return Err(stage_in_use(id));
                }
                let (_, pipeline) = self.all.remove(place);
                self.audit(ctx, object, id, "DELETE", pipeline.json());
                Ok(Answer::no_content())
            }
            (Method::Get, [id, "audit"]) => {
                self.place(object, id)?;
                Ok(self.audits(ctx, object, id))
            }
            (_, [id, "stages", rest @ ..]) => {
                let place = self.place(object, id)?;
                self.stages(ctx, place, call, rest, in_use)
            }
            (_, [] | [_] | [_, "audit"]) => Err(Failure::method()),
            _ => Err(Failure::no_endpoint()),
        }
    }

    fn place(&self, object: ObjectType, id: &str) -> Result<usize, Failure> {
        let found = self
            .all
            .iter()
            .position(|(of, pipeline)| *of == object && pipeline.id == id);
        found.ok_or_else(|| {
            Failure::new(
                404,
                "OBJECT_NOT_FOUND",
                format!("Pipeline '{id}' was not found"),
            )
            .context("pipelineId", [id])
        })
    }

    fn create(
        &mut self,
        ctx: Ctx,
        object: ObjectType,
        input: PipelineInput,
    ) -> Result<Answer, Failure> {
        let label = required(input.label, "label")?;
        let order = required(input.display_order, "displayOrder")?;
        let inputs = required(input.stages, "stages")?;
        self.check_label(object, &label, None)?;
        if self.of(object).count() >= self.most {
            return Err(Failure::validation(format!(
                "The limit of {} pipelines has been reached for this account",
                self.most
            ))
            .sub("PipelineError.LIMIT_EXCEEDED"));
        }
        let id = self.fresh_id();
        let stages = self.staged(ctx, object, inputs, &[])?;
        let pipeline = Pipeline {
            id,
            label,
            display_order: order,
            stages,
            created: ctx.now,
            updated: ctx.now,
        };
        let body = pipeline.json();
        self.audit(ctx, object, &pipeline.id, "CREATE", body.clone());
        self.all.push((object, pipeline));
        self.sort();
        Ok(Answer::json(201, &body))
    }

    /// PATCH changes what it names; PUT needs all, and drops the stages that it does not name by id or label.
    fn change(
        &mut self,
        ctx: Ctx,
        place: usize,
        input: PipelineInput,
        replaces: bool,
        in_use: Option<InUse<'_>>,
    ) -> Result<Answer, Failure> {
        let (object, mut changed) = self.all[place].clone();
        if replaces {
            required(input.label.as_ref(), "label")?;
            required(input.display_order, "displayOrder")?;
            required(input.stages.as_ref(), "stages")?;
        }
        if let Some(label) = input.label {
            self.check_label(object, &label, Some(&changed.id))?;
            changed.label = label;
        }
        changed.display_order = input.display_order.unwrap_or(changed.display_order);
        if let Some(inputs) = input.stages.filter(|_| replaces) {
            let stages = self.staged(ctx, object, inputs, &changed.stages)?;
            let dropped = changed
                .stages
                .iter()
                .filter(|old| stages.iter().all(|new| new.id != old.id));
            for stage in dropped {
                if in_use.is_some_and(|used| used(object, &changed.id, Some(&stage.id))) {
                    return Err(stage_in_use(&stage.id));
                }
            }
            changed.stages = stages;
        }
        changed.updated = ctx.now;
        let body = changed.json();
        self.audit(ctx, object, &changed.id, "UPDATE", body.clone());
        self.all[place].1 = changed;
        self.sort();
        Ok(Answer::json(200, &body))
    }

    fn stages(
        &mut self,
        ctx: Ctx,
        place: usize,
        call: &Call,
        rest: &[&str],
        in_use: InUse<'_>,
    ) -> Result<Answer, Failure> {
        let object = self.all[place].0;
        let find = |pipeline: &Pipeline, id: &str| {
            let found = pipeline.stages.iter().position(|stage| stage.id == id);
            found.ok_or_else(|| {
                Failure::new(
                    404,
                    "OBJECT_NOT_FOUND",
                    format!("Stage '{id}' was not found in pipeline '{}'", pipeline.id),
                )
                .context("stageId", [id])
            })
        };
        match (call.method, rest) {
            (Method::Get, []) => {
                let stages = self.all[place].1.stages.iter();
                let results: Vec<_> = stages.map(Stage::json).collect();
                Ok(Answer::json(200, &json!({ "results": results })))
            }
            (Method::Post, []) => self.add_stage(ctx, place, context::body(call)?),
            (Method::Get, [id]) => {
                let pipeline = &self.all[place].1;
                let stage = &pipeline.stages[find(pipeline, id)?];
                Ok(Answer::json(200, &stage.json()))
            }
            (Method::Get, [id, "audit"]) => {
                find(&self.all[place].1, id)?;
                Ok(self.audits(ctx, object, id))
            }
            (Method::Patch | Method::Put, [id]) => {
                let at = find(&self.all[place].1, id)?;
                let replaces = call.method == Method::Put;
                self.change_stage(ctx, place, at, context::body(call)?, replaces)
            }
            (Method::Delete, [id]) => {
                let at = find(&self.all[place].1, id)?;
                if in_use(object, &self.all[place].1.id, Some(id)) {
                    return Err(stage_in_use(id));
                }
                let stage = self.all[place].1.stages.remove(at);
                self.audit(ctx, object, id, "DELETE", stage.json());
                Ok(Answer::no_content())
            }
            (_, [] | [_] | [_, "audit"]) => Err(Failure::method()),
            _ => Err(Failure::no_endpoint()),
        }
    }

    fn add_stage(&mut self, ctx: Ctx, place: usize, input: StageInput) -> Result<Answer, Failure> {
        let object = self.all[place].0;
        required(input.label.as_ref(), "label")?;
        required(input.display_order, "displayOrder")?;
        let mut made = self.staged(ctx, object, vec![input], &[])?;
        let stage = made.pop().expect("one came in");
        let pipeline = &mut self.all[place].1;
        pipeline.stages.push(stage.clone());
        check_stages(object, &pipeline.stages).inspect_err(|_| {
            pipeline.stages.pop();
        })?;
        pipeline.stages.sort_by_key(|stage| stage.display_order);
        let body = stage.json();
        self.audit(ctx, object, &stage.id, "CREATE", body.clone());
        Ok(Answer::json(201, &body))
    }

    fn change_stage(
        &mut self,
        ctx: Ctx,
        place: usize,
        at: usize,
        input: StageInput,
        replaces: bool,
    ) -> Result<Answer, Failure> {
        let object = self.all[place].0;
        let mut changed = self.all[place].1.stages.clone();
        let stage = &mut changed[at];
        if replaces {
            required(input.label.as_ref(), "label")?;
            required(input.display_order, "displayOrder")?;
            stage.metadata.clear();
        }
        stage.label = input.label.unwrap_or_else(|| stage.label.clone());
        stage.display_order = input.display_order.unwrap_or(stage.display_order);
        stage.metadata.extend(input.metadata);
        stage.metadata = metadata(object, std::mem::take(&mut stage.metadata))?;
        stage.updated = ctx.now;
        let (id, body) = (stage.id.clone(), stage.json());
        check_stages(object, &changed)?;
        changed.sort_by_key(|stage| stage.display_order);
        self.all[place].1.stages = changed;
        self.audit(ctx, object, &id, "UPDATE", body.clone());
        Ok(Answer::json(200, &body))
    }

    /// Stages from what was sent; those that were there before, by id or label, keep their ids.
    fn staged(
        &mut self,
        ctx: Ctx,
        object: ObjectType,
        inputs: Vec<StageInput>,
        before: &[Stage],
    ) -> Result<Vec<Stage>, Failure> {
        let mut stages = Vec::with_capacity(inputs.len());
        for (input, place) in inputs.into_iter().zip(0..) {
            let label = required(input.label, "label")?;
            let old = before.iter().find(|stage| match &input.stage_id {
                Some(id) => stage.id == *id,
                None => stage.label == label,
            });
            stages.push(Stage {
                id: old.map_or_else(|| self.fresh_id(), |stage| stage.id.clone()),
                label,
                display_order: input.display_order.unwrap_or(place),
                metadata: metadata(object, input.metadata)?,
                created: old.map_or(ctx.now, |stage| stage.created),
                updated: ctx.now,
            });
        }
        check_stages(object, &stages)?;
        stages.sort_by_key(|stage| stage.display_order);
        Ok(stages)
    }

    fn check_label(
        &self,
        object: ObjectType,
        label: &str,
        but: Option<&str>,
    ) -> Result<(), Failure> {
        let taken = self
            .of(object)
            .any(|pipeline| pipeline.label == label && Some(pipeline.id.as_str()) != but);
        if taken {
            return Err(Failure::new(
                409,
                "CONFLICT",
                format!("A pipeline with label '{label}' already exists"),
            ));
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.all.sort_by_key(|(_, pipeline)| pipeline.display_order);
    }

    fn fresh_id(&mut self) -> String {
        self.next_id += 1;
        (self.next_id - 1).to_string()
    }

    fn audit(
        &mut self,
        ctx: Ctx,
        object: ObjectType,
        id: &str,
        action: &'static str,
        after: Value,
    ) {
        self.audits.push(Audit {
            object,
            id: id.to_owned(),
            action,
            at: ctx.now,
            user: ctx.user,
            after,
        });
    }

    /// What was done to a pipeline or stage, the latest first.
    fn audits(&self, ctx: Ctx, object: ObjectType, id: &str) -> Answer {
        let of_it = |audit: &&Audit| audit.object == object && audit.id == id;
        let entries = self.audits.iter().rev().filter(of_it);
        let results: Vec<_> = entries
            .map(|audit| {
                json!({
                    "portalId": ctx.portal,
                    "identifier": audit.id,
                    "action": audit.action,
                    "timestamp": iso(audit.at),
                    "fromUserId": audit.user,
                    "rawObject": audit.after,
                })
            })
            .collect();
        Answer::json(200, &json!({ "results": results }))
    }
}

/// Whether the call asks that stages in use stay; both spellings are in the vendor's client packages.
fn checks_use(call: &Call) -> bool {
    call.flag("validateReferencesBeforeDelete") || call.flag("validateDealStageUsagesBeforeDelete")
}

fn stage_in_use(id: &str) -> Failure {
    Failure::validation(format!("Stage or pipeline '{id}' is in use by records"))
        .sub("PipelineError.STAGE_ID_IN_USE")
        .context("stageId", [id])
}
