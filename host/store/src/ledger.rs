//! The ledger: what was approved, what was about to be written, and what came of it. Entries are only ever added.
//!
//! An intent is durable before the call it announces; outcomes and the identities they make become durable together after it.

use model::ledger::{ActionOutcome, LinkOutcome, Outcome, OutcomeKind};
use model::plan::{ActionKind, ApprovedPlan, PlannedAction};
use model::{ConnectionId, DestinationRecordId, Instant, ObjectName, PlanId, RunId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::action::kind_filter;
use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::identity::save_identity;
use crate::names::NO_CONNECTION;
use crate::plan::Extent;
use crate::progress::unknown_word;

const UNFINISHED: &str = "AND NOT EXISTS (SELECT 1 FROM outcome r WHERE r.position = a.position)";

/// An outcome as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedOutcome {
    /// Which kind it is.
    pub kind: OutcomeKind,
    /// The record of the destination, where there is one.
    pub destination: Option<DestinationRecordId>,
    /// Why it failed, where it did.
    pub error: Option<String>,
    /// The values before an update, as a row.
    pub before: Option<String>,
}

/// What is done about an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// It is made.
    Make,
    /// It is taken away.
    Remove,
}

/// Positions that a run was about to carry out: what became of them may not be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced(Vec<(i64, i64)>);

impl Announced {
    /// Whether that one was.
    pub fn has(&self, position: i64) -> bool {
        let mut ranges = self.0.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&position))
    }
}

impl Store {
    /// Notes that a run carries out an approved plan. It comes before the first intent; the same run may note it again.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when the plan is not in this state; else as every write.
    pub fn begin_apply(&mut self, run: RunId, approved: &ApprovedPlan) -> Result<(), StoreError> {
        let plan = approved.plan();
        let extent = self.extent(&plan.id)?;
        self.write(
            Commit::State,
            format_args!("note the approval of plan {}", plan.id),
            |tx| {
                tx.execute(
                    "INSERT INTO approval (run, plan, hash, approved_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (run, plan) DO NOTHING",
                    params![
                        run.0,
                        extent.plan,
                        plan.hash,
                        approved.approved_at().unix_us()
                    ],
                )?;
                Ok(())
            },
        )
    }

    /// Notes that the actions from `first` to `last` are about to be carried out.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when they are not of this plan; [`StoreError::Sqlite`] when the run has no approval of it; else
    /// as every write.
    pub fn write_intent(
        &mut self,
        run: RunId,
        plan: &PlanId,
        first: i64,
        last: i64,
    ) -> Result<(), StoreError> {
        let extent = self.extent(plan)?;
        refuse_outside(
            plan,
            "action",
            first.min(last),
            extent.first_action,
            extent.last_action,
        )?;
        refuse_outside(
            plan,
            "action",
            first.max(last),
            extent.first_action,
            extent.last_action,
        )?;
        self.write(Commit::Intent, format_args!("note an intent for plan {plan}"), |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO intent (run, plan, first_action, last_action, written_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            insert.execute(params![run.0, extent.plan, first, last, Instant::now().unix_us()])?;
            Ok(())
        })
    }

    /// Notes what came of actions of one object, together with the identities that follow, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when an action is not of this plan; else as every write, also when one of them has an outcome
    /// already. None of them is then kept.
    pub fn write_outcomes(
        &mut self,
        run: RunId,
        plan: &PlanId,
        connection: &ConnectionId,
        object: &ObjectName,
        destination_object: &ObjectName,
        outcomes: &[ActionOutcome],
    ) -> Result<(), StoreError> {
        let extent = self.extent(plan)?;
        for outcome in outcomes {
            refuse_outside(
                plan,
                "action",
                outcome.position,
                extent.first_action,
                extent.last_action,
            )?;
        }
        let planned = self.intern_object(NO_CONNECTION, object)?;
        let source = self.intern_object(connection.as_str(), object)?;
        let destination = self.intern_object(NO_CONNECTION, destination_object)?;
        self.write(
            Commit::Outcome,
            format_args!("note outcomes of {object} for plan {plan}"),
            |tx| {
                let mut insert = tx.prepare_cached(
                "INSERT INTO outcome (position, run, object, kind, destination_id, error, before)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
                for entry in outcomes {
                    let (error, before) = match &entry.outcome {
                        Outcome::Failed(error) => (Some(error.as_str()), None),
                        Outcome::Updated(_, before) => (None, Some(before.as_str())),
                        _ => (None, None),
                    };
                    let (kind, id) = (entry.outcome.kind().name(), entry.outcome.destination());
                    let id_text = id.map(DestinationRecordId::as_str);
                    insert.execute(params![
                        entry.position,
                        run.0,
                        planned,
                        kind,
                        id_text,
                        error,
                        before
                    ])?;
                    if let Some(id) = id {
                        save_identity(tx, source, &entry.record, destination, id)?;
                    }
                }
                Ok(())
            },
        )
    }

    /// The writes that were announced and have no outcome: each may or may not have happened. In order, each once.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn intents_without_outcome(&self, plan: &PlanId) -> Result<Vec<i64>, StoreError> {
        let extent = self.extent(plan)?;
        self.read(format_args!("look for open intents of plan {plan}"), |db| {
            let mut intents = db.prepare_cached(
                "SELECT DISTINCT first_action, last_action FROM intent WHERE plan = ?1 ORDER BY first_action, last_action",
            )?;
            // Counting outcomes reads short rows only; the actions are looked at where some are lacking.
            let mut count = db.prepare_cached("SELECT count(*) FROM outcome WHERE position BETWEEN ?1 AND ?2")?;
            let writes = kind_filter(&[ActionKind::Create, ActionKind::Update]);
            let mut open = db.prepare_cached(&format!(
                "SELECT a.position FROM action a WHERE a.position BETWEEN ?1 AND ?2 {writes} {UNFINISHED}"
            ))?;
            let mut positions: Vec<i64> = Vec::new();
            let mut ranges = intents.query([extent.plan])?;
            while let Some(range) = ranges.next()? {
                let (first, last): (i64, i64) = (range.get(0)?, range.get(1)?);
                if count.query_row([first, last], |row| row.get::<_, i64>(0))? > last - first {
                    continue;
                }
                for position in open.query_map([first, last], |row| row.get::<_, i64>(0))? {
                    positions.push(position?);
                }
            }
            positions.sort_unstable();
            positions.dedup();
            Ok(positions)
        })
    }

    /// The first action of the object behind the position `after` (0 for the first) that has no outcome, `None` when all have.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn next_unfinished(
        &self,
        plan: &PlanId,
        object: &ObjectName,
        after: i64,
    ) -> Result<Option<i64>, StoreError> {
        let Some((id, first, last)) = self.find_object_extent(plan, object)? else {
            return Ok(None);
        };
        self.read(format_args!("look for unfinished actions of {object}"), |db| {
            let start = first_gap(db, after.max(first - 1) + 1, last)?;
            let mut select = db.prepare_cached(&format!(
                "SELECT a.position FROM action a
                 WHERE a.position BETWEEN ?1 AND ?2 AND a.object = ?3 {UNFINISHED} ORDER BY a.position LIMIT 1"
            ))?;
            select.query_row([start, last, id], |row| row.get(0)).optional()
        })
    }

    /// As [`Self::load_actions`] of every kind, only those without an outcome.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn load_unfinished(
        &self,
        plan: &PlanId,
        object: &ObjectName,
        after: i64,
        max: u32,
    ) -> Result<Vec<(i64, PlannedAction)>, StoreError> {
        let Some(start) = self.next_unfinished(plan, object, after)? else {
            return Ok(Vec::new());
        };
        self.load_actions_where(plan, object, start - 1, max, UNFINISHED)
    }

    /// Notes that planned links, or removals, from `first` to `last` are about to be carried out.
    ///
    /// # Errors
    /// As every write.
    pub fn write_link_intent(
        &mut self,
        run: RunId,
        change: LinkChange,
        first: i64,
        last: i64,
    ) -> Result<(), StoreError> {
        self.write(Commit::LinkIntent, format_args!("note an intent of run {run}"), |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO link_intent (run, removes, first, last, written_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            let removes = change == LinkChange::Remove;
            insert.execute(params![run.0, removes, first, last, Instant::now().unix_us()])?;
            Ok(())
        })
    }

    /// Which links, or removals, of the plan were announced by now.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn link_intents(&self, plan: &PlanId, change: LinkChange) -> Result<Announced, StoreError> {
        let extent = self.extent(plan)?;
        self.read(format_args!("look for announced associations of plan {plan}"), |db| {
            let (first, last) = match change {
                LinkChange::Make => (extent.first_link, extent.last_link),
                LinkChange::Remove => {
                    let select = "SELECT coalesce(min(position), 1), coalesce(max(position), 0) FROM planned_removal WHERE plan = ?1";
                    db.query_row(select, [extent.plan], |row| Ok((row.get(0)?, row.get(1)?)))?
                }
            };
            let mut select = db.prepare_cached(
                "SELECT DISTINCT first, last FROM link_intent WHERE removes = ?1 AND first BETWEEN ?2 AND ?3",
            )?;
            let removes = change == LinkChange::Remove;
            let ranges = select.query_map(params![removes, first, last], |row| Ok((row.get(0)?, row.get(1)?)))?;
            ranges.collect::<Result<_, _>>().map(Announced)
        })
    }

    /// Notes what came of planned links, by their positions, with the reason where one failed.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when a link is not of this plan; else as every write, also when one of them has an outcome
    /// already. None of them is then kept.
    pub fn write_link_outcomes(
        &mut self,
        run: RunId,
        plan: &PlanId,
        outcomes: &[(i64, LinkOutcome, Option<String>)],
    ) -> Result<(), StoreError> {
        let extent = self.extent(plan)?;
        for (position, ..) in outcomes {
            refuse_outside(plan, "link", *position, extent.first_link, extent.last_link)?;
        }
        self.write(
            Commit::Links,
            format_args!("note outcomes of links for plan {plan}"),
            |tx| {
                let mut insert = tx.prepare_cached(
                    "INSERT INTO link_outcome (position, run, kind, error) VALUES (?1, ?2, ?3, ?4)",
                )?;
                for (position, outcome, error) in outcomes {
                    insert.execute(params![position, run.0, outcome.name(), error])?;
                }
                Ok(())
            },
        )
    }

    /// How many actions of the plan came to what, by object and kind, in their order; kinds that did not occur are left out.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn outcome_counts(
        &self,
        plan: &PlanId,
    ) -> Result<Vec<(ObjectName, OutcomeKind, u64)>, StoreError> {
        let Extent {
            first_action,
            last_action,
            ..
        } = self.extent(plan)?;
        self.read(format_args!("count outcomes of plan {plan}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT o.name, c.kind, c.number FROM
                     (SELECT object, kind, count(*) AS number, min(position) AS first FROM outcome
                      WHERE position BETWEEN ?1 AND ?2 GROUP BY object, kind) c
                 JOIN object o ON o.id = c.object ORDER BY o.name",
            )?;
            let rows = select.query_map([first_action, last_action], |row| {
                let name: String = row.get(1)?;
                let kind = OutcomeKind::find(&name).ok_or_else(|| unknown_word(1, &name))?;
                Ok((
                    ObjectName::from(row.get::<_, String>(0)?),
                    kind,
                    row.get::<_, i64>(2)?.unsigned_abs(),
                ))
            })?;
            let mut counts: Vec<_> = rows.collect::<Result<_, _>>()?;
            counts.sort();
            Ok(counts)
        })
    }

    /// How many links of the plan came to what; outcomes that did not occur are left out.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn link_outcome_counts(
        &self,
        plan: &PlanId,
    ) -> Result<Vec<(LinkOutcome, u64)>, StoreError> {
        let Extent {
            first_link,
            last_link,
            ..
        } = self.extent(plan)?;
        self.read(format_args!("count outcomes of links of plan {plan}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT kind, count(*) FROM link_outcome WHERE position BETWEEN ?1 AND ?2 GROUP BY kind",
            )?;
            let rows = select.query_map([first_link, last_link], |row| {
                let name: String = row.get(0)?;
                let kind = LinkOutcome::find(&name);
                Ok((kind.ok_or_else(|| unknown_word(0, &name))?, row.get::<_, i64>(1)?.unsigned_abs()))
            })?;
            let mut counts: Vec<_> = rows.collect::<Result<_, _>>()?;
            counts.sort();
            Ok(counts)
        })
    }
}

/// The first position from `start` on that has no outcome, found without reading actions; behind `last` when all have one.
fn first_gap(db: &Connection, start: i64, last: i64) -> rusqlite::Result<i64> {
    let mut exists = db.prepare_cached("SELECT 1 FROM outcome WHERE position = ?1")?;
    if !exists.exists([start])? {
        return Ok(start);
    }
    let mut select = db.prepare_cached(
        "SELECT r.position + 1 FROM outcome r WHERE r.position BETWEEN ?1 AND ?2
         AND NOT EXISTS (SELECT 1 FROM outcome n WHERE n.position = r.position + 1) ORDER BY r.position LIMIT 1",
    )?;
    Ok(select
        .query_row([start, last], |row| row.get(0))
        .optional()?
        .unwrap_or(last + 1))
}

fn refuse_outside(
    plan: &PlanId,
    what: &str,
    position: i64,
    first: i64,
    last: i64,
) -> Result<(), StoreError> {
    if (first..=last).contains(&position) {
        return Ok(());
    }
    Err(StoreError::Unknown {
        what: format!("{what} {position} in plan {plan}"),
    })
}
