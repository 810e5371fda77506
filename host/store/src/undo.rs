//! The ledger of roll backs: which run undoes which, what was about to be undone, and what came of it. Entries are only ever added.
//!
//! What a run wrote is read from [`crate::ledger`]'s tables; what is to become of it is not decided here.

use model::plan::PlannedAction;
use model::undo::{Rollback, UndoException, UndoKind, UndoLinkKind, UndoOutcome};
use model::{DestinationRecordId, Instant, ObjectName, PlanId, RunId};
use rusqlite::params;

use crate::action::{ACTION_COLUMNS, BATCH_MAX_BYTES, read_action, row_bytes};
use crate::audit::{AuditedAction, OUTCOME_COLUMNS, read_outcome};
use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::names::NO_CONNECTION;
use crate::progress::unknown_word;

impl Store {
    /// The runs that carried out a plan, newest first, each with its plans.
    ///
    /// # Errors
    /// As every read.
    pub fn applied_runs(&self) -> Result<Vec<(RunId, PlanId)>, StoreError> {
        self.read(format_args!("look for runs that wrote"), |db| {
            let mut select = db.prepare_cached(
                "SELECT v.run, p.plan_id FROM approval v JOIN plan p ON p.id = v.plan ORDER BY v.run DESC, v.plan DESC",
            )?;
            let rows = select.query_map([], |row| {
                Ok((RunId(row.get(0)?), PlanId::from(row.get::<_, String>(1)?.as_str())))
            })?;
            rows.collect()
        })
    }

    /// Every roll back with the plan whose writes it undoes, newest first.
    ///
    /// # Errors
    /// As every read.
    pub fn rollbacks(&self) -> Result<Vec<(Rollback, PlanId)>, StoreError> {
        self.read(format_args!("look for roll backs"), |db| {
            let mut select = db.prepare_cached(
                "SELECT b.run, b.undone, EXISTS (SELECT 1 FROM rollback_end e WHERE e.run = b.run), p.plan_id
                 FROM rollback b JOIN plan p ON p.id = b.plan ORDER BY b.run DESC",
            )?;
            let rows = select.query_map([], |row| {
                let rollback = Rollback {
                    run: RunId(row.get(0)?),
                    undone: RunId(row.get(1)?),
                    is_finished: row.get(2)?,
                };
                Ok((rollback, PlanId::from(row.get::<_, String>(3)?.as_str())))
            })?;
            rows.collect()
        })
    }

    /// Notes that `run` rolls back what `undone` wrote of the plan.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; [`StoreError::Sqlite`] when `undone` did not carry it out, and when it is
    /// rolled back already; else as every write.
    pub fn begin_rollback(
        &mut self,
        run: RunId,
        undone: RunId,
        plan: &PlanId,
    ) -> Result<(), StoreError> {
        let extent = self.extent(plan)?;
        self.write(
            Commit::State,
            format_args!("note the roll back of run {undone}"),
            |tx| {
                tx.execute(
                    "INSERT INTO rollback (run, undone, plan, begun_at) VALUES (?1, ?2, ?3, ?4)",
                    params![run.0, undone.0, extent.plan, Instant::now().unix_us()],
                )?;
                Ok(())
            },
        )
    }

    /// Notes that a roll back came to its end.
    ///
    /// # Errors
    /// As every write.
    pub fn finish_rollback(&mut self, run: RunId) -> Result<(), StoreError> {
        self.write(
            Commit::State,
            format_args!("note the end of roll back {run}"),
            |tx| {
                tx.execute(
                    "INSERT INTO rollback_end (run, ended_at) VALUES (?1, ?2)",
                    params![run.0, Instant::now().unix_us()],
                )?;
                Ok(())
            },
        )
    }

    /// The writes of a run that can be undone and are not yet: records it made and values it overwrote, the last one first, those
    /// before the position `before`. A batch may be shorter where rows are large; the end is reached when there is none.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn load_undoable(
        &self,
        undone: RunId,
        plan: &PlanId,
        object: &ObjectName,
        before: i64,
        max: u32,
    ) -> Result<Vec<AuditedAction>, StoreError> {
        let Some((id, first, last)) = self.find_object_extent(plan, object)? else {
            return Ok(Vec::new());
        };
        self.read(
            format_args!("load what run {undone} wrote of {object}"),
            |db| {
                let mut select = db.prepare_cached(&format!(
                    "SELECT {ACTION_COLUMNS}, {OUTCOME_COLUMNS}
                 FROM outcome r CROSS JOIN action a ON a.position = r.position
                 WHERE r.position >= ?1 AND r.position < ?2 AND r.object = ?3 AND r.run = ?4
                     AND r.kind IN ('created', 'updated')
                     AND NOT EXISTS (SELECT 1 FROM undo_outcome u WHERE u.position = r.position)
                 ORDER BY r.position DESC LIMIT ?5"
                ))?;
                let mut rows = select.query(params![
                    first,
                    before.min(last.saturating_add(1)),
                    id,
                    undone.0,
                    max
                ])?;
                let (mut found, mut bytes) = (Vec::new(), 0);
                while let Some(row) = rows.next()? {
                    let (position, record, action) = read_action(row)?;
                    bytes += row_bytes(&action);
                    let planned = PlannedAction {
                        object: object.clone(),
                        record,
                        action,
                    };
                    found.push(AuditedAction {
                        position,
                        planned,
                        outcome: read_outcome(row)?,
                    });
                    if bytes >= BATCH_MAX_BYTES {
                        break;
                    }
                }
                Ok(found)
            },
        )
    }

    /// Whether a record that the plan meant to make was at the destination already, so that somebody had written under the same keys.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn has_found_creates(&self, plan: &PlanId) -> Result<bool, StoreError> {
        let extent = self.extent(plan)?;
        self.read(format_args!("look for records that plan {plan} found"), |db| {
            let mut select = db.prepare_cached(
                "SELECT 1 FROM outcome r CROSS JOIN action a ON a.position = r.position
                 WHERE r.position BETWEEN ?1 AND ?2 AND r.kind = 'updated' AND a.kind = 'create' LIMIT 1",
            )?;
            select.exists([extent.first_action, extent.last_action])
        })
    }

    /// Notes that the writes from `first` to `last` are about to be undone.
    ///
    /// # Errors
    /// As every write.
    pub fn write_undo_intent(
        &mut self,
        run: RunId,
        first: i64,
        last: i64,
    ) -> Result<(), StoreError> {
        self.write(
            Commit::UndoIntent,
            format_args!("note an intent of roll back {run}"),
            |tx| {
                let mut insert = tx.prepare_cached(
                    "INSERT INTO undo_intent (run, first_action, last_action, written_at) VALUES (?1, ?2, ?3, ?4)",
                )?;
                insert.execute(params![run.0, first, last, Instant::now().unix_us()])?;
                Ok(())
            },
        )
    }

    /// Between which positions a roll back has announced what it undoes, before this process began or since.
    ///
    /// # Errors
    /// As every read.
    pub fn undo_intents(&self, run: RunId) -> Result<Vec<(i64, i64)>, StoreError> {
        self.read(format_args!("look for intents of roll back {run}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT first_action, last_action FROM undo_intent WHERE run = ?1 ORDER BY id",
            )?;
            select
                .query_map([run.0], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }

    /// Notes what became of writes of one object that were to be undone. In the same transaction the records of `released` stand for
    /// nothing any more, so that the next plan makes them anew.
    ///
    /// # Errors
    /// As every write, also when one of them has an outcome already, was not written by the run that is undone, or is said to be
    /// archived and was not made by it. None of them is then kept.
    pub fn write_undo_outcomes(
        &mut self,
        run: RunId,
        destination_object: &ObjectName,
        outcomes: &[UndoOutcome],
        released: &[DestinationRecordId],
    ) -> Result<(), StoreError> {
        let destination = self.intern_object(NO_CONNECTION, destination_object)?;
        self.write(Commit::Undo, format_args!("note outcomes of roll back {run}"), |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO undo_outcome (position, run, kind, exceptions, noted_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            let now = Instant::now().unix_us();
            for entry in outcomes {
                let exceptions = (!entry.exceptions.is_empty())
                    .then(|| serde_json::to_string(&entry.exceptions).expect("texts are plain JSON"));
                insert.execute(params![entry.position, run.0, entry.kind.name(), exceptions, now])?;
            }
            let mut release = tx.prepare_cached(
                "DELETE FROM identity WHERE destination_object = ?1 AND destination_id = ?2",
            )?;
            for id in released {
                release.execute(params![destination, id.as_str()])?;
            }
            Ok(())
        })
    }

    /// Notes what became of associations that were to be taken away, by their positions, with the reason where one stays.
    ///
    /// # Errors
    /// As every write, also when one of them has an outcome already or was not made by the run that is undone. None of them is then
    /// kept.
    pub fn write_undo_link_outcomes(
        &mut self,
        run: RunId,
        outcomes: &[(i64, UndoLinkKind, Option<String>)],
    ) -> Result<(), StoreError> {
        self.write(Commit::Undo, format_args!("note associations of roll back {run}"), |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO undo_link_outcome (position, run, kind, error) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (position, kind, error) in outcomes {
                insert.execute(params![position, run.0, kind.name(), error])?;
            }
            Ok(())
        })
    }

    /// What became of records, by source object and kind in their order: how many, and how many exceptions they have together.
    ///
    /// # Errors
    /// As every read.
    pub fn undo_counts(
        &self,
        run: RunId,
    ) -> Result<Vec<(ObjectName, UndoKind, u64, u64)>, StoreError> {
        self.read(format_args!("count outcomes of roll back {run}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT o.name, u.kind, count(*), total(coalesce(json_array_length(u.exceptions), 0))
                 FROM undo_outcome u JOIN outcome r ON r.position = u.position JOIN object o ON o.id = r.object
                 WHERE u.run = ?1 GROUP BY o.name, u.kind",
            )?;
            let rows = select.query_map([run.0], |row| {
                let name: String = row.get(1)?;
                let kind = UndoKind::find(&name).ok_or_else(|| unknown_word(1, &name))?;
                // Counts are far below 2^53, so a float holds them.
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count is whole and not negative")]
                let exceptions = row.get::<_, f64>(3)? as u64;
                Ok((ObjectName::from(row.get::<_, String>(0)?), kind, row.get::<_, i64>(2)?.unsigned_abs(), exceptions))
            })?;
            let mut counts: Vec<_> = rows.collect::<Result<_, _>>()?;
            counts.sort();
            Ok(counts)
        })
    }

    /// What became of associations: how many of each kind.
    ///
    /// # Errors
    /// As every read.
    pub fn undo_link_counts(&self, run: RunId) -> Result<Vec<(UndoLinkKind, u64)>, StoreError> {
        self.read(
            format_args!("count associations of roll back {run}"),
            |db| {
                let mut select = db.prepare_cached(
                    "SELECT kind, count(*) FROM undo_link_outcome WHERE run = ?1 GROUP BY kind",
                )?;
                let rows = select.query_map([run.0], |row| {
                    let name: String = row.get(0)?;
                    let kind = UndoLinkKind::find(&name).ok_or_else(|| unknown_word(0, &name))?;
                    Ok((kind, row.get::<_, i64>(1)?.unsigned_abs()))
                })?;
                let mut counts: Vec<_> = rows.collect::<Result<_, _>>()?;
                counts.sort();
                Ok(counts)
            },
        )
    }

    /// What a roll back left as it is: records first, then associations, `max` at most.
    ///
    /// # Errors
    /// As every read.
    pub fn load_undo_exceptions(
        &self,
        run: RunId,
        max: u32,
    ) -> Result<Vec<UndoException>, StoreError> {
        self.read(format_args!("load exceptions of roll back {run}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT object, record, destination, message FROM (
                     SELECT 1 AS part, u.position AS position, o.name AS object, a.source_id AS record,
                            r.destination_id AS destination, e.value AS message
                     FROM undo_outcome u CROSS JOIN json_each(u.exceptions) e
                     JOIN outcome r ON r.position = u.position JOIN action a ON a.position = u.position
                     JOIN object o ON o.id = r.object
                     WHERE u.run = ?1 AND u.exceptions IS NOT NULL
                     UNION ALL
                     SELECT 2, u.position, o.name, l.from_id, NULL, u.error
                     FROM undo_link_outcome u JOIN planned_link l ON l.position = u.position
                     JOIN association s ON s.id = l.association JOIN object o ON o.id = s.from_object
                     WHERE u.run = ?1 AND u.kind = 'failed'
                     UNION ALL
                     SELECT 3, u.position, o.name, l.from_id, NULL, u.error
                     FROM undo_removal_outcome u JOIN planned_removal m ON m.position = u.position
                     JOIN planned_link l ON l.position = m.made
                     JOIN association s ON s.id = l.association JOIN object o ON o.id = s.from_object
                     WHERE u.run = ?1 AND u.kind = 'failed')
                 ORDER BY part, position LIMIT ?2",
            )?;
            let rows = select.query_map(params![run.0, max], |row| {
                Ok(UndoException {
                    object: row.get::<_, String>(0)?.into(),
                    record: row.get::<_, String>(1)?.into(),
                    destination: row.get::<_, Option<String>>(2)?.map(Into::into),
                    message: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                })
            })?;
            rows.collect()
        })
    }
}
