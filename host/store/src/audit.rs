//! What the audit reads: every action of a plan side by side with what came of it.
//!
//! It compares nothing; that is `reconcile`'s.

use model::ledger::OutcomeKind;
use model::plan::{Action, PlannedAction};
use model::{ObjectName, PlanId};
use rusqlite::{Row, params};

use crate::action::{ACTION_COLUMNS, BATCH_MAX_BYTES, read_action};
use crate::database::Store;
use crate::error::StoreError;
use crate::ledger::RecordedOutcome;
use crate::progress::unknown_word;

/// The columns that [`read_outcome`] reads, from table `r`.
pub(crate) const OUTCOME_COLUMNS: &str = "r.kind, r.destination_id, r.error, r.before";

/// One action and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedAction {
    /// Its position in the plan.
    pub position: i64,
    /// The action.
    pub planned: PlannedAction,
    /// What came of it; `None` where it was not carried out yet.
    pub outcome: Option<RecordedOutcome>,
}

impl Store {
    /// The next actions of one source object behind the position `after` (0 for the first) with their outcomes, at most `max`.
    /// A batch may be shorter where rows are large; the end is reached when there is none.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn load_outcomes(
        &self,
        plan: &PlanId,
        object: &ObjectName,
        after: i64,
        max: u32,
    ) -> Result<Vec<AuditedAction>, StoreError> {
        let Some((id, first, last)) = self.find_object_extent(plan, object)? else {
            return Ok(Vec::new());
        };
        self.read(format_args!("load outcomes of {object}"), |db| {
            let mut select = db.prepare_cached(&format!(
                "SELECT {ACTION_COLUMNS}, {OUTCOME_COLUMNS}
                 FROM action a LEFT JOIN outcome r ON r.position = a.position
                 WHERE a.position > ?1 AND a.position <= ?2 AND a.object = ?3 ORDER BY a.position LIMIT ?4"
            ))?;
            let mut rows = select.query(params![after.max(first - 1), last, id, max])?;
            let (mut audited, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let (position, record, action) = read_action(row)?;
                bytes += text_bytes(&action);
                let planned = PlannedAction { object: object.clone(), record, action };
                audited.push(AuditedAction { position, planned, outcome: read_outcome(row)? });
                if bytes >= BATCH_MAX_BYTES {
                    break;
                }
            }
            Ok(audited)
        })
    }
}

/// Reads [`OUTCOME_COLUMNS`] behind those of the action; `None` where there is no outcome.
pub(crate) fn read_outcome(row: &Row<'_>) -> rusqlite::Result<Option<RecordedOutcome>> {
    let Some(name) = row.get_ref(8)?.as_str_or_null()? else {
        return Ok(None);
    };
    let kind = OutcomeKind::find(name).ok_or_else(|| unknown_word(8, name))?;
    let destination = row.get::<_, Option<String>>(9)?.map(Into::into);
    Ok(Some(RecordedOutcome {
        kind,
        destination,
        error: row.get(10)?,
        before: row.get(11)?,
    }))
}

/// An update counts twice over: its outcome holds the values before once more.
fn text_bytes(action: &Action) -> usize {
    match action {
        Action::Create { row, .. } => row.len(),
        Action::Update { row, before, .. } => row.len() + 2 * before.len(),
        _ => 0,
    }
}
