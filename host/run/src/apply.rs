//! Apply: carries out an approved plan, batch by batch: intent, write, outcome.
//!
//! It makes no choice: what to write is in the plan. After a crash it asks the destination, by source key, what became of an intent
//! without an outcome.

use std::collections::HashMap;

use model::destination::{SourceKey, Write, WriteBatch, WriteOutcome};
use model::ledger::{ActionOutcome, Outcome};
use model::mapping::ObjectMapping;
use model::plan::{Action, ApprovedPlan, Plan, PlannedAction};
use model::row::RowWriter;
use model::{Batch, DestinationRecordId, Finding, FindingCode, ObjectName, PlanId};
use reconcile::ObjectPlanner;

use crate::bind::{Binder, Unbound};
use crate::breaker::Breaker;
use crate::context::{BATCH_RECORDS, Context, decode_stored};
use crate::correct::lay_plan_corrections;
use crate::discover::check_destination;
use crate::error::RunError;
use crate::hold::Watch;
use crate::links::apply_links;
use crate::open::{APPROVED, PREPARED, refuse_rolled_back};
use crate::plan::find_planner;
use crate::prepare::prepare;
use crate::progress::Phase;
use crate::removals::apply_removals;

/// What an apply came to; the counts are in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplySummary {
    /// The plan that was carried out.
    pub plan: PlanId,
    /// Intents of an earlier run whose outcome was found at the destination.
    pub recovered: u64,
}

/// Outcomes of one commit.
const OUTCOMES_MAX: usize = 2_000;

/// Carries out the plan, going on where an earlier run stopped.
///
/// # Errors
/// When the plan is not as it was approved, or a side or the state fails. What is done is in the ledger.
pub async fn apply(
    ctx: &mut Context<'_>,
    approved: &ApprovedPlan,
) -> Result<ApplySummary, RunError> {
    let plan = approved.plan();
    check_destination(ctx).await?;
    refuse_rolled_back(ctx.store, &plan.id)?;
    ctx.store.verify_plan(plan)?;
    lay_plan_corrections(ctx, plan)?;
    ctx.store
        .save_document(APPROVED, plan.id.as_str(), &approved.approved_at())?;
    ctx.store.begin_apply(ctx.run, approved)?;
    let prepared = prepare(ctx.destination, plan).await?;
    ctx.store
        .save_document(PREPARED, plan.id.as_str(), &prepared)?;
    let mut binder = Binder::new(&ctx.connection, &prepared);
    let intents = ctx.store.intents_without_outcome(&plan.id)?;
    let mut summary = ApplySummary {
        plan: plan.id.clone(),
        recovered: 0,
    };
    for object in &plan.header.mapping.objects {
        let planner = find_planner(
            &plan.header.mapping,
            &plan.header.source,
            &plan.header.target,
            &plan.header.target,
            object,
        )?;
        let counts = plan
            .header
            .counts
            .iter()
            .find(|(name, ..)| *name == object.source);
        let selected = counts.map(|(.., counts)| counts.selected);
        ctx.progress.begin(Phase::Apply, &object.source, selected);
        let mut work = Work {
            plan,
            breaker: Breaker::of_plan(ctx.store, plan, &object.source)?,
            selected: selected.unwrap_or_default(),
            object,
            planner: &planner,
            binder: &mut binder,
            intents: &intents,
            watch: Watch::new(ctx, object, &planner, &prepared),
            deferred: Vec::new(),
        };
        let applied = work.apply_object(ctx).await;
        ctx.progress.end();
        summary.recovered += applied?;
        binder.forget(&object.source);
    }
    apply_removals(ctx, plan).await?;
    apply_links(ctx, plan).await?;
    Ok(summary)
}

/// Actions with their positions in the plan.
type Placed = Vec<(i64, PlannedAction)>;

struct Work<'w> {
    plan: &'w Plan,
    object: &'w ObjectMapping,
    planner: &'w ObjectPlanner,
    binder: &'w mut Binder,
    intents: &'w [i64],
    watch: Watch<'w>,
    /// Links to survivors that were not yet bound when their turn came.
    deferred: Placed,
    breaker: Breaker,
    selected: u64,
}

impl Work<'_> {
    async fn apply_object(&mut self, ctx: &mut Context<'_>) -> Result<u64, RunError> {
        let (mut after, mut recovered) = (0, 0);
        loop {
            ctx.go_on()?;
            self.breaker.check(self.selected)?;
            let actions = ctx.store.load_unfinished(
                &self.plan.id,
                &self.object.source,
                after,
                // Each batch costs three commits, so it is as large as the destination takes; the store ends it earlier where rows are large.
                ctx.destination.batch_records(),
            )?;
            let (Some((first, _)), Some((last, _))) = (actions.first(), actions.last()) else {
                break;
            };
            let (first, last) = (*first, *last);
            after = last;
            let count = actions.len() as u64;
            let (known, fresh) = self.split(actions);
            if !known.is_empty() {
                recovered += self.recover(ctx, known).await?;
            }
            if !fresh.is_empty() {
                ctx.store
                    .write_intent(ctx.run, &self.plan.id, first, last)?;
                self.carry_out(ctx, fresh).await?;
            }
            ctx.progress.advance(count);
        }
        self.settle_deferred(ctx)?;
        Ok(recovered)
    }

    /// Parts actions into those announced by a run that died and those that nobody touched.
    fn split(&self, actions: Placed) -> (Placed, Placed) {
        if self.intents.is_empty() {
            return (Vec::new(), actions);
        }
        let is_write =
            |action: &Action| matches!(action, Action::Create { .. } | Action::Update { .. });
        actions.into_iter().partition(|(position, planned)| {
            is_write(&planned.action) && self.intents.binary_search(position).is_ok()
        })
    }

    /// Asks the destination what became of announced writes. Creates that are there have their outcome; everything else is carried out
    /// (again): an update only sets the same values once more.
    async fn recover(&mut self, ctx: &mut Context<'_>, announced: Placed) -> Result<u64, RunError> {
        let key = |planned: &PlannedAction| SourceKey {
            connection: ctx.connection.clone(),
            object: self.object.source.clone(),
            record: planned.record.to_string(),
        };
        let keys: Vec<_> = announced.iter().map(|(_, planned)| key(planned)).collect();
        let found = ctx
            .destination
            .find_records(&self.object.destination, &keys)
            .await;
        let failed = |error| {
            RunError::destination(
                format!("looking up {} records", self.object.destination),
                error,
            )
        };
        let found = found.map_err(failed)?;
        let (mut outcomes, mut open) = (Vec::new(), Vec::new());
        for ((position, planned), found) in announced.into_iter().zip(found) {
            match (found, &planned.action) {
                (Some(id), Action::Create { .. }) => {
                    outcomes.push(ActionOutcome {
                        position,
                        record: planned.record,
                        outcome: Outcome::Created(id),
                    });
                }
                _ => open.push((position, planned)),
            }
        }
        let recovered = outcomes.len() as u64;
        self.note(ctx, &outcomes)?;
        if !open.is_empty() {
            self.carry_out(ctx, open).await?;
        }
        Ok(recovered)
    }

    async fn carry_out(&mut self, ctx: &mut Context<'_>, actions: Placed) -> Result<(), RunError> {
        let (mut rows, mut writes, mut written, mut outcomes) =
            (RowWriter::new(), Vec::new(), Vec::new(), Vec::new());
        let mut held = self.watch.find_changed(ctx, &actions).await?;
        self.tell_held(ctx, &actions, &held)?;
        for (position, planned) in actions {
            let outcome = match &planned.action {
                Action::Update { .. } if held.contains_key(&position) => {
                    let why = held.remove(&position).expect("just found");
                    self.breaker.add(planned.record.as_str(), &why);
                    Outcome::Failed(why)
                }
                Action::Create { row, .. } => {
                    rows.append_row(row);
                    writes.push(Write::Create);
                    written.push((position, planned));
                    continue;
                }
                Action::Update {
                    destination, row, ..
                } => {
                    rows.append_row(row);
                    writes.push(Write::Update(destination.clone()));
                    written.push((position, planned));
                    continue;
                }
                Action::Keep { destination, .. } => Outcome::Unchanged(destination.clone()),
                Action::Link { .. } => {
                    self.deferred.push((position, planned));
                    continue;
                }
                Action::Exclude { .. } => Outcome::Excluded,
                Action::Quarantine { reason } => Outcome::Failed(reason.to_string()),
            };
            outcomes.push(ActionOutcome {
                position,
                record: planned.record,
                outcome,
            });
        }
        if !writes.is_empty() {
            self.write(ctx, rows, writes, written, &mut outcomes)
                .await?;
        }
        self.note(ctx, &outcomes)
    }

    fn tell_held(
        &self,
        ctx: &mut Context<'_>,
        actions: &Placed,
        held: &HashMap<i64, String>,
    ) -> Result<(), RunError> {
        let findings = actions.iter().filter_map(|(position, planned)| {
            let why = held.get(position)?.clone();
            let code = FindingCode::ChangedSincePlan;
            Some(self.finding(code, planned.record.as_str(), None, why))
        });
        let findings: Vec<_> = findings.collect();
        ctx.store.add_findings(ctx.run, &findings)?;
        Ok(())
    }

    async fn write(
        &mut self,
        ctx: &mut Context<'_>,
        rows: RowWriter,
        writes: Vec<Write>,
        written: Placed,
        outcomes: &mut Vec<ActionOutcome>,
    ) -> Result<(), RunError> {
        let mut records = decode_stored(self.planner.planned(), rows.into_bytes())?;
        let unbound = self.binder.bind(ctx.store, self.planner, &mut records)?;
        self.tell_unbound(ctx, unbound)?;
        let connection = ctx.connection.clone();
        let ties = self.find_ties(ctx, &records)?;
        let batch = WriteBatch {
            connection,
            source_object: self.object.source.clone(),
            records,
            writes,
            ties,
        };
        let answers = ctx.destination.write_records(&batch).await;
        let answers = answers.map_err(|error| {
            RunError::destination(
                format!("writing {} records", self.object.destination),
                error,
            )
        })?;
        if answers.len() != written.len() {
            let (asked, got) = (written.len(), answers.len());
            return Err(RunError::Inconsistent(format!(
                "the destination answered {got} of {asked} {} writes",
                self.object.destination
            )));
        }
        let mut findings = Vec::new();
        for ((position, planned), answer) in written.into_iter().zip(answers) {
            let outcome = self.settle(&planned, answer, &mut findings);
            outcomes.push(ActionOutcome {
                position,
                record: planned.record,
                outcome,
            });
        }
        ctx.store.add_findings(ctx.run, &findings)?;
        Ok(())
    }

    /// What an answer comes to, and what a person should know of it.
    fn settle(
        &mut self,
        planned: &PlannedAction,
        answer: WriteOutcome,
        findings: &mut Vec<Finding>,
    ) -> Outcome {
        let record = planned.record.as_str();
        match (answer, &planned.action) {
            (WriteOutcome::Refused(message), _) => {
                let code = FindingCode::RefusedRecord;
                findings.push(self.finding(code, record, None, message.clone()));
                self.breaker.add(record, &message);
                Outcome::Failed(message)
            }
            (WriteOutcome::Written { id, before, notes }, action) => {
                let notes = notes.into_iter();
                let code = FindingCode::FilledIn;
                findings.extend(notes.map(|note| self.finding(code, record, None, note)));
                match action {
                    // What was there already was not made by this run, and no roll back may archive it.
                    Action::Create { .. } => match before {
                        None => Outcome::Created(id),
                        Some(before) => Outcome::Updated(id, before),
                    },
                    Action::Update {
                        before: planned, ..
                    } => Outcome::Updated(id, before.unwrap_or_else(|| planned.clone())),
                    _ => Outcome::Unchanged(id),
                }
            }
        }
    }

    /// What each record is tied to at once, where the destination asks for it: the ends of its planned plain links that are there already.
    fn find_ties(
        &self,
        ctx: &Context<'_>,
        records: &Batch,
    ) -> Result<Vec<Vec<(ObjectName, DestinationRecordId)>>, RunError> {
        let wanted = ctx.destination.ties(&self.object.destination);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let objects = &self.plan.header.mapping.objects;
        let places: HashMap<&str, usize> =
            records.iter().map(|record| record.id()).zip(0..).collect();
        let mut ties = vec![Vec::new(); records.len()];
        for other in objects
            .iter()
            .filter(|other| wanted.contains(&other.destination))
        {
            let links = ctx.store.load_plain_links_between(
                &self.plan.id,
                &self.object.source,
                &other.source,
            )?;
            let links: Vec<_> = links
                .iter()
                .filter_map(|(from, to)| Some((*places.get(from.as_str())?, to.as_str())))
                .collect();
            let ends: Vec<_> = links.iter().map(|(_, to)| *to).collect();
            let found = ctx
                .store
                .find_identities(&ctx.connection, &other.source, &ends)?;
            for ((place, _), end) in links.into_iter().zip(found) {
                ties[place].extend(end.map(|end| (other.destination.clone(), end)));
            }
        }
        Ok(ties)
    }

    /// Binds each linked record to its survivor's, in rounds: a survivor may itself be linked to another.
    fn settle_deferred(&mut self, ctx: &mut Context<'_>) -> Result<(), RunError> {
        let mut open = std::mem::take(&mut self.deferred);
        loop {
            let before = open.len();
            let (mut outcomes, mut left) = (Vec::new(), Vec::new());
            for chunk in open.chunks(BATCH_RECORDS as usize) {
                let survivors: Vec<_> = chunk
                    .iter()
                    .map(|(_, planned)| survivor_of(planned))
                    .collect();
                let found =
                    ctx.store
                        .find_identities(&ctx.connection, &self.object.source, &survivors)?;
                for ((position, planned), identity) in chunk.iter().zip(found) {
                    match identity {
                        Some(id) => outcomes.push(linked(*position, planned, id)),
                        None => left.push((*position, planned.clone())),
                    }
                }
            }
            self.note(ctx, &outcomes)?;
            open = left;
            if open.len() == before {
                break;
            }
        }
        let orphan = |(position, planned): &(i64, PlannedAction)| {
            let message = format!(
                "record {}, which it is the same as, is not at the destination",
                survivor_of(planned)
            );
            ActionOutcome {
                position: *position,
                record: planned.record.clone(),
                outcome: Outcome::Failed(message),
            }
        };
        self.note(ctx, &open.iter().map(orphan).collect::<Vec<_>>())
    }

    fn note(&self, ctx: &mut Context<'_>, outcomes: &[ActionOutcome]) -> Result<(), RunError> {
        for chunk in outcomes.chunks(OUTCOMES_MAX) {
            let object = self.object;
            ctx.store.write_outcomes(
                ctx.run,
                &self.plan.id,
                &ctx.connection,
                &object.source,
                &object.destination,
                chunk,
            )?;
        }
        Ok(())
    }

    fn tell_unbound(&self, ctx: &mut Context<'_>, unbound: Vec<Unbound>) -> Result<(), RunError> {
        let findings = unbound.into_iter().map(|unbound| {
            let Unbound {
                record,
                property,
                object,
                id,
            } = unbound;
            let message =
                format!("{property} stays blank: {object} {id} is not at the destination");
            self.finding(FindingCode::MissingEnd, &record, Some(property), message)
        });
        ctx.store
            .add_findings(ctx.run, &findings.collect::<Vec<_>>())?;
        Ok(())
    }

    fn finding(
        &self,
        code: FindingCode,
        record: &str,
        field: Option<String>,
        message: String,
    ) -> Finding {
        Finding {
            code,
            object: self.object.source.clone(),
            record: Some(record.to_owned()),
            field,
            message,
        }
    }
}

fn survivor_of(planned: &PlannedAction) -> &str {
    match &planned.action {
        Action::Link { survivor, .. } => survivor.as_str(),
        _ => unreachable!("only links are deferred"),
    }
}

fn linked(position: i64, planned: &PlannedAction, id: DestinationRecordId) -> ActionOutcome {
    ActionOutcome {
        position,
        record: planned.record.clone(),
        outcome: Outcome::Linked(id),
    }
}
