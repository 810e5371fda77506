//! Plan: every write is decided and stored with its reason; nothing is written to the destination.
//!
//! It gathers what the decisions need, batch by batch; the decisions are `reconcile`'s.

use std::collections::HashMap;
use std::sync::Arc;

use model::catalog::{FieldTable, StandardObject};
use model::destination::Prepared;
use model::mapping::{Mapping, ObjectMapping, StageTarget};
use model::plan::{ObjectCounts, Plan, PlanHeader};
use model::{Catalog, Date, Finding, FindingCode, ObjectInfo, ObjectName};
use reconcile::{ObjectPlanner, PlannerOutput, is_writable};
use store::{MissingEnds, PlanWriter};

use crate::bind::Binder;
use crate::broken::plan_broken;
use crate::context::{BATCH_RECORDS, Context};
use crate::correct::{CORRECTIONS, lay_corrections};
use crate::decide::Decider;
use crate::discover::{Discovered, keep_mapping};
use crate::error::RunError;
use crate::estimate::keep_estimate;
use crate::keys::collect_keys;
use crate::lookup::Memory;
use crate::open::PLAN_RUN;
use crate::progress::Phase;
use crate::replay::Replay;

/// Decides every write from what is staged, and seals the plan.
///
/// # Errors
/// When the state or the destination cannot be read; the unfinished plan is then dropped when the next one is begun.
pub async fn plan(
    ctx: &mut Context<'_>,
    discovered: &Discovered,
    cutover: Option<Date>,
) -> Result<Plan, RunError> {
    make_plan(ctx, discovered, cutover, None).await
}

/// As [`plan`], only for the chosen records; the others stay as the plan before left them.
///
/// # Errors
/// As [`plan`].
pub async fn plan_replay(
    ctx: &mut Context<'_>,
    discovered: &Discovered,
    replay: &mut Replay,
) -> Result<Plan, RunError> {
    let cutover = replay.plan().header.cutover;
    ctx.store.index_earlier(&replay.plan.id)?;
    make_plan(ctx, discovered, cutover, Some(replay)).await
}

async fn make_plan(
    ctx: &mut Context<'_>,
    discovered: &Discovered,
    cutover: Option<Date>,
    mut replay: Option<&mut Replay>,
) -> Result<Plan, RunError> {
    let mapping = &discovered.mapping;
    let target = reconcile::planned_catalog(&discovered.destination, mapping);
    ctx.store.add_findings(ctx.run, &discovered.findings)?;
    let corrections = ctx.store.last_correction()?;
    let laid = lay_corrections(ctx, &discovered.source, &mapping.objects, corrections)?;
    ctx.store.add_findings(ctx.run, &laid.findings)?;
    let currencies = fixed_currencies(mapping, &discovered.destination);
    let mut matched = mapping.objects.clone();
    if let Some(replay) = &mut replay {
        replay.rename(&laid);
        let is_asked =
            |source: &ObjectName| replay.has_any(source) || currencies.as_ref() == Some(source);
        matched.retain(|object| is_asked(&object.source));
    }
    collect_keys(ctx, &discovered.source, &target, &matched).await?;
    let parent = ctx.store.latest_plan()?.map(|plan| plan.id);
    let memory = Memory::new(
        &ctx.connection,
        Binder::new(&ctx.connection, &existing_stages(discovered)),
    )
    .with_currencies(currencies);
    let mut draft = Draft {
        writer: ctx.store.begin_plan()?,
        memory,
        output: PlannerOutput::default(),
        replay: replay.as_deref(),
    };
    for object in &mapping.objects {
        let planner = find_planner(
            mapping,
            &discovered.source,
            &discovered.destination,
            &target,
            object,
        )?;
        let staged = ctx.store.staged_count(&ctx.connection, &object.source)?;
        ctx.progress
            .begin(Phase::Plan, &object.source, Some(staged));
        let planned = plan_object(ctx, &mut draft, object, &planner).await;
        ctx.progress.end();
        planned?;
    }
    // What is not decided anew keeps its associations.
    if draft.replay.is_none() {
        draft.writer.add_removals(ctx.store, &ctx.connection)?;
    }
    let header = PlanHeader {
        connection: ctx.connection.clone(),
        destination: discovered.destination_account.name.clone(),
        parent,
        created_at: (ctx.now)(),
        cutover,
        mapping: mapping.clone(),
        source: discovered.source.clone(),
        target: with_options(target, &draft.output),
        counts: in_order(mapping, &draft.writer),
        links: draft.writer.links(),
        removals: draft.writer.removals(),
    };
    let plan = draft.writer.seal(ctx.store, header)?;
    note_missing_ends(ctx, &plan)?;
    ctx.store
        .save_document(PLAN_RUN, plan.id.as_str(), &ctx.run)?;
    ctx.store
        .save_document(CORRECTIONS, plan.id.as_str(), &corrections)?;
    keep_mapping(ctx, &plan.id)?;
    keep_estimate(ctx, &plan)?;
    Ok(plan)
}

/// What each object comes to, in the order of writing.
fn in_order(
    mapping: &Mapping,
    writer: &PlanWriter,
) -> Vec<(ObjectName, StandardObject, ObjectCounts)> {
    let written: HashMap<_, _> = writer.counts().into_iter().collect();
    let objects = mapping.objects.iter().map(|object| {
        let counts = written.get(&object.source).cloned().unwrap_or_default();
        (object.source.clone(), object.standard, counts)
    });
    objects.collect()
}

/// The source's object of currencies, where the destination keeps its own and takes no new ones.
pub(crate) fn fixed_currencies(mapping: &Mapping, destination: &Catalog) -> Option<ObjectName> {
    let entry = mapping.find_standard(StandardObject::Currency)?;
    let target = destination.find_object(entry.destination.as_str())?;
    (!is_writable(target)).then(|| entry.source.clone())
}

struct Draft<'r> {
    writer: PlanWriter,
    memory: Memory,
    output: PlannerOutput,
    replay: Option<&'r Replay>,
}

/// Pipelines and stages that the mapping found at the destination: what a later run compares with.
pub(crate) fn existing_stages(discovered: &Discovered) -> Prepared {
    let mut prepared = Prepared::default();
    for pipeline in &discovered.mapping.pipelines {
        if let Some(destination) = &pipeline.destination {
            prepared
                .pipelines
                .push((pipeline.source.clone(), destination.clone()));
        }
        for stage in &pipeline.stages {
            if let StageTarget::Existing(destination) = &stage.target {
                prepared
                    .stages
                    .push((stage.source.id.clone(), destination.clone()));
            }
        }
    }
    prepared
}

/// Compiles the mapping of one object against those catalogs.
pub(crate) fn find_planner(
    mapping: &Mapping,
    source: &Catalog,
    current: &Catalog,
    target: &Catalog,
    object: &ObjectMapping,
) -> Result<ObjectPlanner, RunError> {
    let find = |catalog: &Catalog, name: &str| -> Result<Arc<ObjectInfo>, RunError> {
        let missing =
            || RunError::Inconsistent(format!("object {name} is mapped and is in no catalog"));
        catalog.find_object(name).cloned().ok_or_else(missing)
    };
    let source = find(source, object.source.as_str())?;
    let (current, planned) = (
        find(current, object.destination.as_str())?,
        find(target, object.destination.as_str())?,
    );
    ObjectPlanner::new(mapping, object, &source, &current, &planned)
        .map_err(|errors| RunError::Inconsistent(errors.to_string()))
}

/// Adds the options that records need to the planned properties, so that the plan says what `apply` will create.
fn with_options(mut target: Catalog, output: &PlannerOutput) -> Catalog {
    for (object, property, options) in output.extra_options.list() {
        let Some(info) = target.objects.iter_mut().find(|info| info.name == object) else {
            continue;
        };
        let mut fields: Vec<_> = info.fields.iter().cloned().collect();
        if let Some(field) = fields.iter_mut().find(|field| field.name == property) {
            field.options.extend(options);
        }
        let mut grown = ObjectInfo::clone(info);
        grown.fields = FieldTable::new(fields).expect("the names were a table before");
        *info = Arc::new(grown);
    }
    target
}

async fn plan_object(
    ctx: &mut Context<'_>,
    draft: &mut Draft<'_>,
    object: &ObjectMapping,
    planner: &ObjectPlanner,
) -> Result<(), RunError> {
    let mut decider = Decider::new(ctx, object, planner, draft.replay)?;
    while let Some(decided) = decider.next(ctx, &draft.memory, &mut draft.output).await? {
        draft.writer.add_actions(ctx.store, &decided.actions)?;
        if !decided.links.is_empty() {
            draft.writer.add_links(ctx.store, &decided.links)?;
        }
        flush_findings(ctx, &mut draft.output)?;
        ctx.progress.advance(decided.actions.len() as u64);
    }
    plan_broken(ctx, &mut draft.writer, object)
}

fn flush_findings(ctx: &mut Context<'_>, output: &mut PlannerOutput) -> Result<(), RunError> {
    if !output.findings.is_empty() {
        ctx.store.add_findings(ctx.run, &output.findings)?;
        output.findings.clear();
    }
    Ok(())
}

/// A link to a record that never came is a finding, not a failure.
fn note_missing_ends(ctx: &mut Context<'_>, plan: &Plan) -> Result<(), RunError> {
    ctx.store.mark_missing_ends(&plan.id)?;
    let mut after = 0;
    loop {
        let missing = ctx.store.load_missing_links(after, BATCH_RECORDS)?;
        let Some(last) = missing.last() else {
            return Ok(());
        };
        after = last.position;
        let findings = missing.into_iter().map(|missing| {
            let link = missing.link;
            let end = match missing.missing {
                MissingEnds::From => "this record does not migrate".to_owned(),
                MissingEnds::To => format!(
                    "{} {} does not migrate or does not exist",
                    link.to_object, link.to
                ),
                MissingEnds::Both => format!(
                    "neither this record nor {} {} migrates",
                    link.to_object, link.to
                ),
            };
            Finding {
                code: FindingCode::MissingEnd,
                object: link.from_object.clone(),
                record: Some(link.from.to_string()),
                field: Some(format!("{} {}", link.to_object, link.to)),
                message: format!(
                    "association to {} {} is not made: {end}",
                    link.to_object, link.to
                ),
            }
        });
        ctx.store
            .add_findings(ctx.run, &findings.collect::<Vec<_>>())?;
    }
}
