//! Plan: every write is decided and stored with its reason; nothing is written to the destination.
//!
//! It gathers what the decisions need, batch by batch; the decisions are `reconcile`'s.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use model::catalog::{FieldTable, StandardObject};
use model::destination::Prepared;
use model::mapping::{Mapping, ObjectMapping, StageTarget};
use model::plan::{Action, Plan, PlanHeader, PlannedAction, PlannedLink, Reason};
use model::{
    Batch, Catalog, Date, DestinationRecordId, Finding, FindingCode, ObjectInfo, ObjectName,
    RecordRef,
};
use reconcile::{Known, MatchKeys, Matched, ObjectPlanner, PlannerOutput, Survivor, is_writable};
use store::{MissingEnds, PlanWriter, Side};

use crate::bind::Binder;
use crate::context::{BATCH_BYTES, BATCH_RECORDS, Context, decode_stored, properties};
use crate::discover::{Discovered, keep_mapping};
use crate::error::RunError;
use crate::keys::collect_keys;
use crate::lookup::Memory;
use crate::open::PLAN_RUN;
use crate::progress::Phase;

/// Decides every write from what is staged, and seals the plan.
///
/// # Errors
/// When the state or the destination cannot be read; the unfinished plan is then dropped when the next one is begun.
pub async fn plan(
    ctx: &mut Context<'_>,
    discovered: &Discovered,
    cutover: Option<Date>,
) -> Result<Plan, RunError> {
    let mapping = &discovered.mapping;
    let target = reconcile::planned_catalog(&discovered.destination, mapping);
    ctx.store.add_findings(ctx.run, &discovered.findings)?;
    collect_keys(ctx, &discovered.source, &target, &mapping.objects).await?;
    let parent = ctx.store.latest_plan()?.map(|plan| plan.id);
    let memory = Memory::new(
        &ctx.connection,
        Binder::new(&ctx.connection, &existing_stages(discovered)),
    )
    .with_currencies(fixed_currencies(mapping, &discovered.destination));
    let mut draft = Draft {
        writer: ctx.store.begin_plan()?,
        memory,
        output: PlannerOutput::default(),
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
    let order = draft.writer.counts();
    let count = |object: &ObjectMapping| {
        order
            .iter()
            .find(|(name, _)| *name == object.source)
            .map(|(_, counts)| counts.clone())
    };
    let counts = mapping.objects.iter().map(|object| {
        (
            object.source.clone(),
            object.standard,
            count(object).unwrap_or_default(),
        )
    });
    let header = PlanHeader {
        connection: ctx.connection.clone(),
        destination: discovered.destination_account.name.clone(),
        parent,
        created_at: (ctx.now)(),
        cutover,
        mapping: mapping.clone(),
        source: discovered.source.clone(),
        target: with_options(target, &draft.output),
        counts: counts.collect(),
        links: draft.writer.links(),
    };
    let plan = draft.writer.seal(ctx.store, header)?;
    note_missing_ends(ctx, &plan)?;
    ctx.store
        .save_document(PLAN_RUN, plan.id.as_str(), &ctx.run)?;
    keep_mapping(ctx, &plan.id)?;
    Ok(plan)
}

/// The source's object of currencies, where the destination keeps its own and takes no new ones.
fn fixed_currencies(mapping: &Mapping, destination: &Catalog) -> Option<ObjectName> {
    let entry = mapping.find_standard(StandardObject::Currency)?;
    let target = destination.find_object(entry.destination.as_str())?;
    (!is_writable(target)).then(|| entry.source.clone())
}

struct Draft {
    writer: PlanWriter,
    memory: Memory,
    output: PlannerOutput,
}

/// Pipelines and stages that the mapping found at the destination: what a later run compares with.
fn existing_stages(discovered: &Discovered) -> Prepared {
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
    draft: &mut Draft,
    object: &ObjectMapping,
    planner: &ObjectPlanner,
) -> Result<(), RunError> {
    let mut after = 0;
    loop {
        ctx.go_on()?;
        let staged = ctx.store.load_staged(
            &ctx.connection,
            &object.source,
            after,
            BATCH_RECORDS,
            BATCH_BYTES,
        )?;
        if staged.len == 0 {
            break;
        }
        after = staged.last;
        let records = decode_stored(planner.source(), staged.rows)?;
        let facts = Facts::gather(ctx, object, planner, &records).await?;
        let directory = draft.memory.over(ctx.store);
        let mut actions = Vec::with_capacity(records.len());
        for (position, record) in records.iter().enumerate() {
            let action = planner.plan_record(
                record,
                &facts.known(position),
                &directory,
                &mut draft.output,
            );
            actions.push(PlannedAction {
                object: object.source.clone(),
                record: record.id().into(),
                action,
            });
        }
        directory.finish()?;
        draft
            .output
            .findings
            .extend(unlinked(object, planner, &records));
        draft.writer.add_actions(ctx.store, &actions)?;
        let links = links(object, planner, &records);
        if !links.is_empty() {
            draft.writer.add_links(ctx.store, &links)?;
        }
        flush_findings(ctx, &mut draft.output)?;
        ctx.progress.advance(records.len() as u64);
    }
    plan_quarantined(ctx, draft, object)
}

fn flush_findings(ctx: &mut Context<'_>, output: &mut PlannerOutput) -> Result<(), RunError> {
    if !output.findings.is_empty() {
        ctx.store.add_findings(ctx.run, &output.findings)?;
        output.findings.clear();
    }
    Ok(())
}

/// Rows that broke the grammar are held for a person, each with its cause.
fn plan_quarantined(
    ctx: &mut Context<'_>,
    draft: &mut Draft,
    object: &ObjectMapping,
) -> Result<(), RunError> {
    let mut after = 0;
    loop {
        let rows =
            ctx.store
                .load_quarantined(&ctx.connection, &object.source, after, BATCH_RECORDS)?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.position;
        let (mut actions, mut findings) = (Vec::new(), Vec::new());
        for row in rows {
            let record = row
                .id
                .unwrap_or_else(|| format!("page {} line {}", row.page, row.line).into());
            findings.push(Finding {
                code: FindingCode::QuarantinedRecord,
                object: object.source.clone(),
                record: Some(record.to_string()),
                field: None,
                message: format!("held: the connector's row is broken: {}", row.reason),
            });
            let action = Action::Quarantine {
                reason: Reason::BrokenRow { error: row.reason },
            };
            actions.push(PlannedAction {
                object: object.source.clone(),
                record,
                action,
            });
        }
        draft.writer.add_actions(ctx.store, &actions)?;
        ctx.store.add_findings(ctx.run, &findings)?;
    }
}

/// What is known of the records of one batch, by position.
struct Facts {
    keys: Vec<MatchKeys>,
    bound: Vec<Option<DestinationRecordId>>,
    matched: Vec<Option<DestinationRecordId>>,
    survivors: Vec<Option<String>>,
    survivor_bound: Vec<Option<DestinationRecordId>>,
    survivor_records: Batch,
    survivor_positions: HashMap<String, usize>,
    current: Option<Batch>,
    current_positions: HashMap<String, usize>,
}

impl Facts {
    async fn gather(
        ctx: &Context<'_>,
        object: &ObjectMapping,
        planner: &ObjectPlanner,
        records: &Batch,
    ) -> Result<Self, RunError> {
        let ids: Vec<_> = records.iter().map(|record| record.id()).collect();
        let bound = ctx
            .store
            .find_identities(&ctx.connection, &object.source, &ids)?;
        let keys: Vec<_> = records
            .iter()
            .map(|record| planner.match_keys(record))
            .collect();
        let (mut matched, mut survivors) = (vec![None; ids.len()], vec![None; ids.len()]);
        for (position, query) in keys.iter().enumerate() {
            let Some(key) = query.query() else { continue };
            let find = |side| {
                ctx.store
                    .find_match(side, &object.source, key.rule.name(), &key.key)
            };
            survivors[position] = find(Side::Source)?.filter(|survivor| survivor != ids[position]);
            matched[position] = find(Side::Destination)?.map(DestinationRecordId::from);
        }
        let survivor_ids: Vec<_> = survivors.iter().flatten().map(String::as_str).collect();
        // Several records of a batch may have one survivor; its row is read once.
        let once: BTreeSet<_> = survivor_ids.iter().copied().collect();
        let once: Vec<_> = once.into_iter().collect();
        let rows = ctx
            .store
            .find_staged_rows(&ctx.connection, &object.source, &once)?;
        let survivor_records = decode_stored(planner.source(), rows.rows)?;
        let mut survivor_bound = vec![None; ids.len()];
        let found = ctx
            .store
            .find_identities(&ctx.connection, &object.source, &survivor_ids)?;
        let places = survivors
            .iter()
            .enumerate()
            .filter(|(_, survivor)| survivor.is_some())
            .map(|(place, _)| place);
        places
            .zip(found)
            .for_each(|(place, identity)| survivor_bound[place] = identity);
        let current = read_current(ctx, object, &bound, &matched).await?;
        Ok(Self {
            survivor_positions: positions(&survivor_records),
            current_positions: current.as_ref().map_or_else(HashMap::new, positions),
            keys,
            bound,
            matched,
            survivors,
            survivor_bound,
            survivor_records,
            current,
        })
    }

    fn known(&self, position: usize) -> Known<'_> {
        let (bound, key) = (self.bound[position].as_ref(), self.keys[position].query());
        let survivor = self.survivors[position]
            .as_deref()
            .zip(key)
            .map(|(id, key)| Survivor {
                id,
                key,
                record: self
                    .survivor_positions
                    .get(id)
                    .map(|at| self.survivor_records.record(*at)),
                bound: self.survivor_bound[position].as_ref(),
            });
        let matched = self.matched[position]
            .as_ref()
            .zip(key)
            .map(|(destination, key)| Matched { destination, key });
        let target = bound.or_else(|| matched.map(|matched| matched.destination));
        let current = target.and_then(|target| self.find_current(target.as_str()));
        Known {
            bound,
            current,
            survivor,
            matched,
            deleted_at_destination: bound.is_some() && current.is_none(),
        }
    }

    fn find_current(&self, id: &str) -> Option<RecordRef<'_>> {
        let position = self.current_positions.get(id)?;
        self.current.as_ref().map(|batch| batch.record(*position))
    }
}

fn positions(batch: &Batch) -> HashMap<String, usize> {
    batch
        .iter()
        .enumerate()
        .map(|(position, record)| (record.id().to_owned(), position))
        .collect()
}

/// Reads the destination's records that the batch is bound to or matched with.
async fn read_current(
    ctx: &Context<'_>,
    object: &ObjectMapping,
    bound: &[Option<DestinationRecordId>],
    matched: &[Option<DestinationRecordId>],
) -> Result<Option<Batch>, RunError> {
    let mut wanted: Vec<_> = bound.iter().chain(matched).flatten().cloned().collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(None);
    }
    let read = ctx
        .destination
        .read_records(&object.destination, &properties(object), &wanted)
        .await;
    read.map(Some).map_err(|error| {
        RunError::destination(format!("reading {} records", object.destination), error)
    })
}

/// Deals and leads that no company and no contact leads to.
fn unlinked<'r>(
    object: &'r ObjectMapping,
    planner: &'r ObjectPlanner,
    records: &'r Batch,
) -> impl Iterator<Item = Finding> + 'r {
    records
        .iter()
        .filter(|record| planner.is_unlinked(*record))
        .map(|record| Finding {
            code: FindingCode::Unlinked,
            object: object.source.clone(),
            record: Some(record.id().to_owned()),
            field: None,
            message: format!(
                "{} {} is tied to no company and no contact",
                object.source,
                record.id()
            ),
        })
}

/// The links that the records of a batch carry.
fn links(object: &ObjectMapping, planner: &ObjectPlanner, records: &Batch) -> Vec<PlannedLink> {
    let carried = records.iter().flat_map(|record| {
        planner
            .plan_links(record)
            .map(move |(association, to)| PlannedLink {
                from_object: object.source.clone(),
                from: record.id().into(),
                to_object: association.to_source.clone(),
                to: to.into(),
                label: association.label.clone(),
            })
    });
    carried.collect()
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
