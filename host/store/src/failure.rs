//! What failed of a plan, and what became of the rest: for the list of causes, the breaker, and a plan that tries failures again.
//!
//! Which failures are of one cause is decided elsewhere.

use model::plan::{ActionKind, Plan, PlannedAction};
use model::{ObjectName, PlanId, SourceRecordId};
use rusqlite::{OptionalExtension as _, params};

use crate::action::{ACTION_COLUMNS, read_action};
use crate::audit::{AuditedAction, OUTCOME_COLUMNS, read_outcome};
use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::names::{NO_CONNECTION, load_objects};
use crate::plan::read_plan;
use crate::progress::unknown_word;

/// A record that did not come through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAction {
    /// Its position in the plan.
    pub position: i64,
    /// The source's object.
    pub object: ObjectName,
    /// The source's id, or the place of a broken row without one.
    pub record: SourceRecordId,
    /// What was planned.
    pub kind: ActionKind,
    /// Why it failed, for a person.
    pub error: String,
}

impl Store {
    /// The newest plan that was approved, `None` where none was.
    ///
    /// # Errors
    /// As every read.
    pub fn find_approved_plan(&self) -> Result<Option<Plan>, StoreError> {
        self.read(
            format_args!("look for the plan that was approved last"),
            |db| {
                let select =
                    "SELECT hash, header FROM plan WHERE id = (SELECT max(plan) FROM approval)";
                db.query_row(select, [], read_plan).optional()
            },
        )
    }

    /// The next failed actions of the plan behind the position `after` (0 for the first), at most `max`.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn load_failed(
        &self,
        plan: &PlanId,
        after: i64,
        max: u32,
    ) -> Result<Vec<FailedAction>, StoreError> {
        let extent = self.extent(plan)?;
        self.read(format_args!("load what failed of plan {plan}"), |db| {
            let names = load_objects(db)?;
            let mut select = db.prepare_cached(
                "SELECT r.position, r.object, a.source_id, a.kind, coalesce(r.error, '')
                 FROM outcome r CROSS JOIN action a ON a.position = r.position
                 WHERE r.position > ?1 AND r.position <= ?2 AND r.kind = 'failed' ORDER BY r.position LIMIT ?3",
            )?;
            let after = after.max(extent.first_action - 1);
            let rows = select.query_map(params![after, extent.last_action, max], |row| {
                let kind = row.get_ref(3)?.as_str()?;
                Ok(FailedAction {
                    position: row.get(0)?,
                    object: names.get(&row.get(1)?).cloned().unwrap_or_default(),
                    record: row.get::<_, String>(2)?.into(),
                    kind: ActionKind::find(kind).ok_or_else(|| unknown_word(3, kind))?,
                    error: row.get(4)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Makes the plan's actions ready to be found by their records, in place of those of another plan.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every write.
    pub fn index_earlier(&mut self, plan: &PlanId) -> Result<(), StoreError> {
        let extent = self.extent(plan)?;
        self.write(Commit::State, format_args!("index plan {plan}"), |db| {
            db.execute_batch("DELETE FROM scratch.earlier")?;
            db.execute(
                "INSERT OR IGNORE INTO scratch.earlier (object, source_id, position)
                 SELECT object, source_id, position FROM action WHERE position BETWEEN ?1 AND ?2 ORDER BY position",
                [extent.first_action, extent.last_action],
            )
        })?;
        Ok(())
    }

    /// What the indexed plan decided of each of the records and what came of it, in the order of the ids.
    ///
    /// # Errors
    /// As every read.
    pub fn find_earlier(
        &self,
        object: &ObjectName,
        ids: &[&str],
    ) -> Result<Vec<Option<AuditedAction>>, StoreError> {
        let Some(number) = self.find_object(NO_CONNECTION, object)? else {
            return Ok(vec![None; ids.len()]);
        };
        self.read_many(format_args!("find what was planned of {object}"), |db| {
            let mut select = db.prepare_cached(&format!(
                "SELECT {ACTION_COLUMNS}, {OUTCOME_COLUMNS} FROM scratch.earlier e
                 CROSS JOIN action a ON a.position = e.position LEFT JOIN outcome r ON r.position = a.position
                 WHERE e.object = ?1 AND e.source_id = ?2"
            ))?;
            let mut find = |id: &&str| {
                let found = select.query_row(params![number, id], |row| {
                    let (position, record, action) = read_action(row)?;
                    let planned = PlannedAction {
                        object: object.clone(),
                        record,
                        action,
                    };
                    Ok(AuditedAction {
                        position,
                        planned,
                        outcome: read_outcome(row)?,
                    })
                });
                found.optional()
            };
            ids.iter().map(&mut find).collect()
        })
    }
}
