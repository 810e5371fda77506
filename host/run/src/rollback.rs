//! Roll back: what one run wrote is taken back, unless somebody edited it since.
//!
//! Records that the run made are archived, values that it overwrote set back, associations that it made taken away and those that it took
//! away made again. Every step is in the ledger: the intent before, the outcome after; each may be repeated, so that a roll back that was cut off goes on where it was.

use model::destination::{Prepared, SourceKey};
use model::ledger::{ActionOutcome, Outcome};
use model::plan::{Action, Plan};
use model::row::RowWriter;
use model::{DestinationRecordId, RunId, SourceRecordId};
use store::{Store, Written};

use crate::bind::Binder;
use crate::discover::check_account;
use crate::error::RunError;
use crate::lookup::Memory;
use crate::open::PREPARED;
use crate::plan::find_planner;
use crate::progress::Phase;
use crate::undo_links::undo_links;
use crate::undo_records::Judge;
use crate::undo_work::{BATCH_MAX, TOLD_MAX, Work};
use crate::undone::{
    Aim, RollbackContext, RollbackSummary, Undoing, UndoneLinks, UndoneObject, stop_if_asked,
};

/// The run and its plan that a roll back of `run` is about. `None` takes the newest run that wrote.
///
/// # Errors
/// When the run wrote nothing or is rolled back already, and when the state cannot be read.
pub fn find_undoable(store: &Store, run: Option<RunId>) -> Result<(RunId, Plan), RunError> {
    let applied = store.applied_runs()?;
    let found = match run {
        None => applied.first(),
        Some(run) => applied.iter().find(|(applied, _)| *applied == run),
    };
    let Some((run, plan)) = found else {
        return Err(RunError::NothingWritten {
            run,
            runs: applied.iter().map(|(run, _)| *run).collect(),
        });
    };
    if let Some((rollback, _)) = store
        .rollbacks()?
        .iter()
        .find(|(rollback, _)| rollback.undone == *run && rollback.is_finished)
    {
        return Err(RunError::RolledBack {
            run: *run,
            by: rollback.run,
        });
    }
    let missing = || RunError::Inconsistent(format!("plan {plan} of run {run} is gone"));
    Ok((*run, store.load_plan(plan)?.ok_or_else(missing)?))
}

/// Takes back what the run wrote by that plan, or says what would be taken back. A roll back that was cut off goes on under its own run.
/// `tell` hears each step of a plan.
///
/// # Errors
/// When a later run built on what this one wrote, and when the destination or the state fails. What is done is in the ledger.
pub async fn rollback(
    ctx: &mut RollbackContext<'_>,
    (undone, plan): (RunId, &Plan),
    aim: Aim,
    tell: &mut (dyn FnMut(Undoing) -> Result<(), RunError> + Send),
) -> Result<RollbackSummary, RunError> {
    let connection = &plan.header.connection;
    check_account(ctx.store, ctx.destination, connection).await?;
    let objects: Vec<_> = plan
        .header
        .mapping
        .objects
        .iter()
        .map(|object| (object.source.clone(), object.destination.clone()))
        .collect();
    let written = Written {
        run: undone,
        plan: &plan.id,
        connection,
        objects: &objects,
    };
    ctx.store.gather_written(&written)?;
    if let Some((later, count)) = ctx.store.find_later_runs(&written)?.first() {
        return Err(RunError::BuiltOn {
            run: undone,
            later: *later,
            count: *count,
        });
    }
    let mut summary = nothing_yet(undone, plan);
    let unsettled = ctx.store.intents_without_outcome(&plan.id)?;
    match aim {
        Aim::Plan => summary.unsettled = unsettled.len() as u64,
        Aim::Apply(run) => {
            begin(ctx, run, undone, plan)?;
            if !unsettled.is_empty() {
                settle(ctx, undone, plan, &unsettled).await?;
                ctx.store.gather_written(&written)?;
            }
        }
    }
    undo_records(ctx, (undone, plan), aim, tell, &mut summary).await?;
    ctx.progress
        .begin(Phase::RollBack, &"associations".into(), None);
    let (progress, destination) = (ctx.progress, ctx.destination);
    let go_on = || stop_if_asked(progress);
    let links = undo_links(
        ctx.store,
        destination,
        &written,
        &aim,
        &mut summary.links,
        go_on,
    )
    .await;
    ctx.progress.end();
    links?;
    if let Aim::Apply(run) = aim {
        ctx.store.finish_rollback(run)?;
        load_summary(ctx.store, run, &mut summary)?;
    }
    Ok(summary)
}

fn nothing_yet(undone: RunId, plan: &Plan) -> RollbackSummary {
    let objects = plan.header.mapping.objects.iter();
    RollbackSummary {
        undone,
        objects: objects.map(UndoneObject::new).collect(),
        links: UndoneLinks::default(),
        exceptions: Vec::new(),
        left_in_place: left_in_place(plan),
        unsettled: 0,
    }
}

/// Notes the roll back, unless it goes on.
fn begin(
    ctx: &mut RollbackContext<'_>,
    run: RunId,
    undone: RunId,
    plan: &Plan,
) -> Result<(), RunError> {
    let known = ctx.store.rollbacks()?;
    if known.iter().any(|(rollback, _)| rollback.run == run) {
        return Ok(());
    }
    Ok(ctx.store.begin_rollback(run, undone, &plan.id)?)
}

/// What preparation makes is not undone: it may be in use by now, and an empty property does no harm.
fn left_in_place(plan: &Plan) -> Vec<String> {
    let mut left = Vec::new();
    for object in &plan.header.mapping.objects {
        let made = object.fields.iter().filter(|field| field.create.is_some());
        let made = made.count();
        if made > 0 {
            left.push(format!("{made} properties of {}", object.destination));
        }
    }
    let pipelines = plan.header.mapping.pipelines.iter();
    let pipelines = pipelines
        .filter(|pipeline| pipeline.destination.is_none())
        .count();
    if pipelines > 0 {
        left.push(format!("{pipelines} pipelines with their stages"));
    }
    left
}

fn load_summary(store: &Store, run: RunId, summary: &mut RollbackSummary) -> Result<(), RunError> {
    for (object, kind, number, exceptions) in store.undo_counts(run)? {
        if let Some(undone) = summary
            .objects
            .iter_mut()
            .find(|undone| undone.source == object)
        {
            undone.add(kind, number, exceptions);
        }
    }
    for (kind, number) in store.undo_link_counts(run)? {
        summary.links.add(kind, number);
    }
    for (outcome, number) in store.undo_removal_counts(run)? {
        summary.links.add_restored(outcome, number);
    }
    let most = u32::try_from(TOLD_MAX).expect("the most is small");
    summary.exceptions = store.load_undo_exceptions(run, most)?;
    Ok(())
}

/// Finds out what became of writes that were announced and have no outcome, and notes it for the run that announced them. Where the run
/// found records of its own keys that it had not made, one more of them may be so too: then none counts as made.
async fn settle(
    ctx: &mut RollbackContext<'_>,
    undone: RunId,
    plan: &Plan,
    unsettled: &[i64],
) -> Result<(), RunError> {
    let is_certain = !ctx.store.has_found_creates(&plan.id)?;
    for object in &plan.header.mapping.objects {
        let mut after = 0;
        loop {
            let actions = ctx
                .store
                .load_unfinished(&plan.id, &object.source, after, BATCH_MAX)?;
            let Some((last, _)) = actions.last() else {
                break;
            };
            after = *last;
            let open: Vec<_> = actions
                .into_iter()
                .filter(|(position, _)| unsettled.binary_search(position).is_ok())
                .collect();
            if open.is_empty() {
                continue;
            }
            let key = |record: &SourceRecordId| SourceKey {
                connection: plan.header.connection.clone(),
                object: object.source.clone(),
                record: record.to_string(),
            };
            let keys: Vec<_> = open
                .iter()
                .map(|(_, planned)| key(&planned.record))
                .collect();
            let found = ctx
                .destination
                .find_records(&object.destination, &keys)
                .await;
            let found = found.map_err(|error| {
                RunError::destination(format!("looking up {} records", object.destination), error)
            })?;
            let outcomes =
                open.into_iter()
                    .zip(found)
                    .filter_map(|((position, planned), found)| {
                        let outcome = match planned.action {
                            Action::Create { .. } if is_certain => Outcome::Created(found?),
                            Action::Create { .. } => unknown_before(found?),
                            // Whether it was written shows by the values themselves.
                            Action::Update {
                                destination,
                                before,
                                ..
                            } => Outcome::Updated(destination, before),
                            _ => return None,
                        };
                        Some(ActionOutcome {
                            position,
                            record: planned.record,
                            outcome,
                        })
                    });
            let outcomes: Vec<_> = outcomes.collect();
            ctx.store.write_outcomes(
                undone,
                &plan.id,
                &plan.header.connection,
                &object.source,
                &object.destination,
                &outcomes,
            )?;
        }
    }
    Ok(())
}

/// It is there, and how it was before is not known.
fn unknown_before(id: DestinationRecordId) -> Outcome {
    let mut row = RowWriter::new();
    row.begin(id.as_str(), None);
    row.end();
    let before = row.as_str().trim_end_matches('\n').to_owned();
    Outcome::Updated(id, before)
}

/// The records of every object, those that were written last first: nothing is taken away from under what hangs on it.
async fn undo_records(
    ctx: &mut RollbackContext<'_>,
    (undone, plan): (RunId, &Plan),
    aim: Aim,
    tell: &mut (dyn FnMut(Undoing) -> Result<(), RunError> + Send),
    summary: &mut RollbackSummary,
) -> Result<(), RunError> {
    let header = &plan.header;
    let prepared: Option<Prepared> = ctx.store.load_document(PREPARED, plan.id.as_str())?;
    let binder = Binder::new(&header.connection, &prepared.unwrap_or_default());
    let memory = Memory::new(&header.connection, binder);
    let objects = &header.mapping.objects;
    for (at, object) in objects.iter().enumerate().rev() {
        let planner = find_planner(
            &header.mapping,
            &header.source,
            &header.target,
            &header.target,
            object,
        )?;
        let holders = objects.iter().map(|other| &other.destination);
        let holders = holders
            .filter(|other| ctx.destination.ties(other).contains(&object.destination))
            .cloned()
            .collect();
        let mut work = Work {
            judge: Judge {
                run: undone,
                connection: &header.connection,
                object,
                planner: &planner,
                memory: &memory,
                destination: ctx.destination,
                holders,
            },
            plan,
            aim,
            intents: match aim {
                Aim::Plan => Vec::new(),
                Aim::Apply(run) => ctx.store.undo_intents(run)?,
            },
            tell: &mut *tell,
            counts: &mut summary.objects[at],
            exceptions: &mut summary.exceptions,
        };
        ctx.progress.begin(Phase::RollBack, &object.source, None);
        let done = work.undo_object(ctx.store, ctx.progress).await;
        ctx.progress.end();
        done?;
    }
    Ok(())
}
