//! One planned action as the columns of its table, both ways.
//!
//! Which actions are read, and in which order, is for [`crate::plan`], [`crate::ledger`] and [`crate::audit`].

use model::SourceRecordId;
use model::plan::{Action, ActionKind, PlannedAction, Reason};
use rusqlite::Row;
use rusqlite::types::Type;

use crate::canon::ActionText;
use crate::progress::unknown_word;

/// A batch of actions ends after so many bytes of rows, however many were asked for.
pub(crate) const BATCH_MAX_BYTES: usize = 8 << 20;

/// The columns that [`read_action`] reads, from table `a`.
pub(crate) const ACTION_COLUMNS: &str =
    "a.position, a.kind, a.source_id, a.reason, a.destination_id, a.survivor, a.row, a.before";

/// The action as it is stored and hashed; `reason` is its reason as JSON.
pub(crate) fn action_text<'a>(planned: &'a PlannedAction, reason: &'a str) -> ActionText<'a> {
    let mut text = ActionText {
        object: planned.object.as_str(),
        record: planned.record.as_str(),
        kind: planned.action.kind().name(),
        reason,
        destination: None,
        survivor: None,
        row: None,
        before: None,
    };
    match &planned.action {
        Action::Create { row, .. } => text.row = Some(row.as_str()),
        Action::Update {
            destination,
            row,
            before,
            ..
        } => {
            (text.destination, text.row, text.before) = (
                Some(destination.as_str()),
                Some(row.as_str()),
                Some(before.as_str()),
            );
        }
        Action::Keep { destination, .. } => text.destination = Some(destination.as_str()),
        Action::Link { survivor, .. } => text.survivor = Some(survivor.as_str()),
        Action::Exclude { .. } | Action::Quarantine { .. } => {}
    }
    text
}

/// Reads [`ACTION_COLUMNS`].
pub(crate) fn read_action(row: &Row<'_>) -> rusqlite::Result<(i64, SourceRecordId, Action)> {
    let kind = row.get_ref(1)?.as_str()?;
    let kind = ActionKind::find(kind).ok_or_else(|| unknown_word(1, kind))?;
    let reason = read_reason(row, 3)?;
    let action = match kind {
        ActionKind::Create => Action::Create {
            row: row.get(6)?,
            reason,
        },
        ActionKind::Update => Action::Update {
            destination: row.get::<_, String>(4)?.into(),
            row: row.get(6)?,
            before: row.get(7)?,
            reason,
        },
        ActionKind::Keep => Action::Keep {
            destination: row.get::<_, String>(4)?.into(),
            reason,
        },
        ActionKind::Link => Action::Link {
            survivor: row.get::<_, String>(5)?.into(),
            reason,
        },
        ActionKind::Exclude => Action::Exclude { reason },
        ActionKind::Quarantine => Action::Quarantine { reason },
    };
    Ok((row.get(0)?, row.get::<_, String>(2)?.into(), action))
}

fn read_reason(row: &Row<'_>, column: usize) -> rusqlite::Result<Reason> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// How much memory its rows take.
pub(crate) fn row_bytes(action: &Action) -> usize {
    match action {
        Action::Create { row, .. } => row.len(),
        Action::Update { row, before, .. } => row.len() + before.len(),
        _ => 0,
    }
}

/// The condition on `a` that lets only these kinds through; none given lets all.
pub(crate) fn kind_filter(kinds: &[ActionKind]) -> String {
    if kinds.is_empty() {
        return String::new();
    }
    let names: Vec<String> = kinds
        .iter()
        .map(|kind| format!("'{}'", kind.name()))
        .collect();
    format!("AND a.kind IN ({})", names.join(", "))
}
