//! What becomes of each record that a run wrote: read as it is now and held against the ledger.
//!
//! It writes nothing. Whether a value was edited since is `reconcile`'s to say; whether a record is this run's own is said here, and twice:
//! by the ledger, and by the source key that the record itself bears.

use std::collections::HashMap;

use model::destination::{Destination, SOURCE_KEY_PROPERTY, SourceKey};
use model::ledger::OutcomeKind;
use model::mapping::ObjectMapping;
use model::plan::Action;
use model::row::RowWriter;
use model::undo::UndoKind;
use model::{
    Batch, ConnectionId, DestinationRecordId, FindingCode, ObjectName, RecordRef, RunId, Value,
};
use reconcile::{Difference, Directory, ObjectPlanner, ReadBack};
use store::{AuditedAction, Store};

use crate::context::{decode_stored, properties};
use crate::error::RunError;
use crate::lookup::Memory;

/// What is to become of one record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// The run made it and nobody touched it since.
    Archive,
    /// These properties, by position in the planned table, are to be set; `exceptions` says which stay as somebody edited them.
    Restore {
        values: Vec<(u16, Value)>,
        exceptions: Vec<String>,
    },
    /// Nothing is to be done.
    Settled {
        kind: UndoKind,
        exceptions: Vec<String>,
    },
}

impl Step {
    fn left(why: String) -> Self {
        Self::Settled {
            kind: UndoKind::Left,
            exceptions: vec![why],
        }
    }
}

/// Judges the records of one object.
pub(crate) struct Judge<'j> {
    pub(crate) run: RunId,
    pub(crate) connection: &'j ConnectionId,
    pub(crate) object: &'j ObjectMapping,
    pub(crate) planner: &'j ObjectPlanner,
    pub(crate) memory: &'j Memory,
    pub(crate) destination: &'j dyn Destination,
    /// Objects whose records must stay tied to one of this object.
    pub(crate) holders: Vec<ObjectName>,
}

/// The rows of a batch, each action's at its place; blank ones stand for what there is none of.
struct Rows {
    written: Batch,
    before: Batch,
    planned_before: Batch,
    now: Batch,
}

/// The destination's record that an action wrote.
pub(crate) fn id_of(action: &AuditedAction) -> &DestinationRecordId {
    let outcome = action
        .outcome
        .as_ref()
        .expect("what can be undone has an outcome");
    outcome
        .destination
        .as_ref()
        .expect("what was written is a record")
}

impl Judge<'_> {
    /// Reads the records and says what is to become of each, in order.
    pub(crate) async fn judge(
        &self,
        store: &Store,
        actions: &[AuditedAction],
    ) -> Result<Vec<Step>, RunError> {
        let rows = self.load_rows(actions).await?;
        let places: HashMap<&str, usize> = rows
            .now
            .iter()
            .enumerate()
            .map(|(place, record)| (record.id(), place))
            .collect();
        let read_back = ReadBack::new(self.planner, rows.now.object());
        let directory = self.memory.over(store);
        let fills = self.destination.fills(&self.object.destination);
        let mut steps = Vec::with_capacity(actions.len());
        for (at, action) in actions.iter().enumerate() {
            let Some(place) = places.get(id_of(action).as_str()) else {
                steps.push(Step::Settled {
                    kind: UndoKind::Gone,
                    exceptions: Vec::new(),
                });
                continue;
            };
            let now = rows.now.record(*place);
            steps.push(if is_own(action) {
                let edited = read_back.find_edited(rows.written.record(at), now, fills, &directory);
                self.judge_created(store, action, edited, (now, rows.now.object()))?
            } else {
                self.judge_updated(action, &read_back, &rows, (at, *place), &directory)
            });
        }
        directory.finish()?;
        self.keep_linked(store, actions, &mut steps).await?;
        Ok(steps)
    }

    async fn load_rows(&self, actions: &[AuditedAction]) -> Result<Rows, RunError> {
        let ids: Vec<_> = actions.iter().map(|action| id_of(action).clone()).collect();
        let mut asked = properties(self.object);
        asked.push(SOURCE_KEY_PROPERTY);
        let now = self
            .destination
            .read_records(&self.object.destination, &asked, &ids)
            .await
            .map_err(|error| {
                let doing = format!("reading {} records", self.object.destination);
                RunError::destination(doing, error)
            })?;
        let (mut written, mut before, mut planned_before) =
            (RowWriter::new(), RowWriter::new(), RowWriter::new());
        // Rows before are of the destination's records, so a blank one bears the destination's id too: no id may be there twice.
        let or_blank = |rows: &mut RowWriter, id: &str, row: Option<&str>| match row {
            Some(row) => rows.append_row(row),
            None => {
                rows.begin(id, None);
                rows.end();
            }
        };
        for action in actions {
            let (row, planned) = match &action.planned.action {
                Action::Create { row, .. } => (Some(row.as_str()), None),
                Action::Update { row, before, .. } => (Some(row.as_str()), Some(before.as_str())),
                _ => (None, None),
            };
            let known = action
                .outcome
                .as_ref()
                .and_then(|outcome| outcome.before.as_deref());
            or_blank(&mut written, action.planned.record.as_str(), row);
            or_blank(&mut before, id_of(action).as_str(), known);
            or_blank(&mut planned_before, id_of(action).as_str(), planned);
        }
        let decode = |rows: RowWriter| decode_stored(self.planner.planned(), rows.into_bytes());
        Ok(Rows {
            written: decode(written)?,
            before: decode(before)?,
            planned_before: decode(planned_before)?,
            now,
        })
    }

    /// A record that the ledger says this run made.
    fn judge_created(
        &self,
        store: &Store,
        action: &AuditedAction,
        mut edited: Vec<Difference>,
        (now, info): (RecordRef<'_>, &model::ObjectInfo),
    ) -> Result<Step, RunError> {
        let key = SourceKey {
            connection: self.connection.clone(),
            object: self.object.source.clone(),
            record: action.planned.record.to_string(),
        };
        let key = key.to_string();
        let borne = info.fields.find(SOURCE_KEY_PROPERTY);
        let borne = borne.and_then(|at| now.find_text(at)).unwrap_or_default();
        if borne != key {
            return Ok(Step::left(format!(
                "edited since: {SOURCE_KEY_PROPERTY} was written {key:?}, is {borne:?}: it is another record"
            )));
        }
        if edited.iter().any(|difference| difference.actual.is_empty()) {
            // What the destination did not take was never there.
            let record = action.planned.record.as_str();
            let notes = store.find_messages(
                self.run,
                FindingCode::FilledIn,
                &self.object.source,
                record,
            )?;
            edited.retain(|difference| {
                let without = format!("left without its {}:", difference.property);
                !(difference.actual.is_empty()
                    && notes.iter().any(|note| note.starts_with(&without)))
            });
        }
        if edited.is_empty() {
            return Ok(Step::Archive);
        }
        let told: Vec<_> = edited.iter().map(tell).collect();
        Ok(Step::left(format!("edited since: {}", told.join("; "))))
    }

    /// A record that was there before the run.
    fn judge_updated(
        &self,
        action: &AuditedAction,
        read_back: &ReadBack<'_>,
        rows: &Rows,
        (at, place): (usize, usize),
        directory: &dyn Directory,
    ) -> Step {
        let planned = self.planner.planned();
        let (written, before) = (rows.written.record(at), rows.before.record(at));
        let is_update = matches!(action.planned.action, Action::Update { .. });
        if !is_update && before.fields().next().is_none() {
            return Step::left(
                "it was at the destination before the run, and how it was then is not known"
                    .to_owned(),
            );
        }
        let undone = read_back.undo_update(
            written,
            (before, planned),
            is_update.then(|| (rows.planned_before.record(at), &**planned)),
            (rows.now.record(place), rows.now.object()),
            directory,
        );
        let exceptions: Vec<_> = undone
            .edited
            .iter()
            .map(|difference| format!("edited since: {}", tell(difference)))
            .collect();
        let written = written.fields().count();
        match undone.restore.is_empty() {
            false => Step::Restore {
                values: undone.restore,
                exceptions,
            },
            true if written > 0 && exceptions.len() == written => Step::Settled {
                kind: UndoKind::Left,
                exceptions,
            },
            // It holds the values before: put back by a roll back that was cut off, or by somebody.
            true => Step::Settled {
                kind: UndoKind::Restored,
                exceptions,
            },
        }
    }

    /// Leaves records that somebody else associated with something, and those that a record hangs on that is left itself.
    async fn keep_linked(
        &self,
        store: &Store,
        actions: &[AuditedAction],
        steps: &mut [Step],
    ) -> Result<(), RunError> {
        let archived = |(_, (step, _)): &(usize, (&Step, &AuditedAction))| **step == Step::Archive;
        let places: Vec<usize> = steps
            .iter()
            .zip(actions)
            .enumerate()
            .filter(archived)
            .map(|(place, _)| place)
            .collect();
        let ids: Vec<_> = places
            .iter()
            .map(|place| id_of(&actions[*place]).clone())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let object = &self.object.destination;
        let held = store.find_holders(object, &ids, &self.holders)?;
        for (place, holder) in places.iter().zip(held) {
            if let Some((holder, id)) = holder {
                steps[*place] = Step::left(format!(
                    "{holder} {id}, which is left, cannot be without it"
                ));
            }
        }
        let links = self.destination.read_links(object, &ids).await;
        let links = links.map_err(|error| {
            RunError::destination(format!("reading associations of {object} records"), error)
        })?;
        let links = links.unwrap_or_default();
        let foreign = store.find_foreign_links(&links)?;
        let mut told: HashMap<&DestinationRecordId, String> = HashMap::new();
        for (link, _) in links.iter().zip(foreign).filter(|(_, foreign)| *foreign) {
            told.entry(&link.from)
                .or_insert_with(|| format!("{} {}", link.to_object, link.to));
        }
        for (place, id) in places.iter().zip(&ids) {
            if let Some(other) = told.get(id) {
                steps[*place] =
                    Step::left(format!("edited since: somebody associated it with {other}"));
            }
        }
        Ok(())
    }
}

/// Whether the ledger says that this write made the record. Nothing else is ever archived.
pub(crate) fn is_own(action: &AuditedAction) -> bool {
    let kind = action.outcome.as_ref().map(|outcome| outcome.kind);
    kind == Some(OutcomeKind::Created) && matches!(action.planned.action, Action::Create { .. })
}

fn tell(difference: &Difference) -> String {
    let Difference {
        property,
        planned,
        actual,
    } = difference;
    format!("{property} was written {planned:?}, is {actual:?}")
}
