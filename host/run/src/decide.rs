//! Deciding: what becomes of every staged record of an object, batch by batch. A plan stores it, a certificate only looks at it.
//!
//! The decisions are `reconcile`'s.

use model::mapping::ObjectMapping;
use model::plan::{PlannedAction, PlannedLink};
use model::{Batch, Finding, FindingCode};
use reconcile::{ObjectPlanner, PlannerOutput};

use crate::context::{BATCH_BYTES, BATCH_RECORDS, Context, decode_stored};
use crate::decided::{find_decided, find_undecided};
use crate::error::RunError;
use crate::facts::Facts;
use crate::lookup::Memory;
use crate::replay::Replay;

/// Goes through the staged records of one object, by id. One at a time: the store keeps one order.
pub(crate) struct Decider<'d> {
    object: &'d ObjectMapping,
    planner: &'d ObjectPlanner,
    replay: Option<&'d Replay>,
    after: i64,
}

/// One batch.
pub(crate) struct Decided {
    /// The source's records.
    pub(crate) records: Batch,
    /// The records of the destination that they are bound to or matched with, in any order.
    pub(crate) current: Option<Batch>,
    /// What is to become of each, in their order.
    pub(crate) actions: Vec<PlannedAction>,
    /// The links that they carry.
    pub(crate) links: Vec<PlannedLink>,
}

impl<'d> Decider<'d> {
    /// From the first record on.
    /// Where only some records are decided anew, `replay` knows which, and what was decided of the others.
    pub(crate) fn new(
        ctx: &mut Context<'_>,
        object: &'d ObjectMapping,
        planner: &'d ObjectPlanner,
        replay: Option<&'d Replay>,
    ) -> Result<Self, RunError> {
        ctx.store.order_staged(&ctx.connection, &object.source)?;
        Ok(Self {
            object,
            planner,
            replay,
            after: 0,
        })
    }

    /// The next batch; `None` after the last. Findings and options that are missing are added to the output.
    pub(crate) async fn next(
        &mut self,
        ctx: &Context<'_>,
        memory: &Memory,
        output: &mut PlannerOutput,
    ) -> Result<Option<Decided>, RunError> {
        ctx.go_on()?;
        let (object, planner) = (self.object, self.planner);
        let staged = ctx.store.load_ordered(
            &ctx.connection,
            &object.source,
            self.after,
            BATCH_RECORDS,
            BATCH_BYTES,
        )?;
        if staged.len == 0 {
            return Ok(None);
        }
        self.after = staged.last;
        let records = decode_stored(planner.source(), staged.rows)?;
        let mut decided = find_decided(ctx, self.replay, object, &records)?;
        let undecided = find_undecided(ctx, planner, &records, &decided)?;
        let open = undecided.as_ref().unwrap_or(&records);
        let facts = Facts::gather(ctx, object, planner, open).await?;
        let directory = memory.over(ctx.store);
        let (mut actions, mut next) = (Vec::with_capacity(records.len()), 0);
        for (record, decided) in records.iter().zip(decided.iter_mut()) {
            let action = decided.take().unwrap_or_else(|| {
                let (record, known) = (open.record(next), facts.known(next));
                next += 1;
                planner.plan_record(record, &known, &directory, output)
            });
            actions.push(PlannedAction {
                object: object.source.clone(),
                record: record.id().into(),
                action,
            });
        }
        directory.finish()?;
        output.findings.extend(unlinked(object, planner, open));
        let mut links = links(object, planner, &records);
        if let Some(replay) = self.replay {
            links.retain(|link| replay.has_end(link));
        }
        Ok(Some(Decided {
            current: facts.current,
            records,
            actions,
            links,
        }))
    }
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
