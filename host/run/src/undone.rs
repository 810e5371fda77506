//! What a roll back comes to, in words for its caller: step by step, object by object, with what stays as it is.

use model::catalog::StandardObject;
use model::destination::Destination;
use model::ledger::LinkOutcome;
use model::mapping::ObjectMapping;
use model::undo::{UndoException, UndoKind, UndoLinkKind};
use model::{ObjectName, RunId, SourceRecordId};
use serde::Serialize;
use store::Store;

use crate::error::RunError;
use crate::progress::Progress;

/// What a roll back works with. It needs no source: the account that was left may be gone.
pub struct RollbackContext<'a> {
    /// The project's state.
    pub store: &'a mut Store,
    /// What was written to.
    pub destination: &'a dyn Destination,
    /// Hears how far it is.
    pub progress: &'a dyn Progress,
}

/// Whether it is done or only told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The destination is read and nothing is written.
    Plan,
    /// It is carried out, under this run.
    Apply(RunId),
}

/// One step, as it is told while planning.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Undoing {
    /// The source's object.
    pub object: ObjectName,
    /// The source's record.
    pub record: SourceRecordId,
    /// The destination's record.
    pub destination: model::DestinationRecordId,
    /// What becomes of it.
    pub becomes: UndoKind,
    /// The properties that are set back, each to this value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(String, String)>,
    /// What stays as somebody edited it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<String>,
}

/// What a roll back comes to for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneObject {
    /// The source's object.
    pub source: ObjectName,
    /// What it is.
    pub standard: StandardObject,
    /// Records that the run made and that are archived.
    pub archived: u64,
    /// Records whose values are back.
    pub restored: u64,
    /// Records that the run made, and properties that it overwrote, which somebody edited since.
    pub edited: u64,
    /// Records that were not there any more.
    pub gone: u64,
    /// Records that the destination refused.
    pub failed: u64,
}

/// What a roll back comes to for associations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UndoneLinks {
    /// Taken away.
    pub removed: u64,
    /// That the run had taken away, made again.
    pub restored: u64,
    /// Were not there any more, or have an end that is not.
    pub gone: u64,
    /// Stay with a record that is left.
    pub kept: u64,
    /// Refused, or built on since.
    pub failed: u64,
}

/// What a roll back comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollbackSummary {
    /// The run that is undone.
    pub undone: RunId,
    /// Object by object, in the order of writing.
    pub objects: Vec<UndoneObject>,
    /// Associations.
    pub links: UndoneLinks,
    /// What stays as it is, a thousand at most.
    pub exceptions: Vec<UndoException>,
    /// What preparation had made and stays: properties, pipelines and stages, labels.
    pub left_in_place: Vec<String>,
    /// Writes of which nothing is known yet, because the run was cut off: they are looked up when the roll back is carried out.
    pub unsettled: u64,
}

impl RollbackSummary {
    /// How many things are not as they were before the run.
    pub fn exception_count(&self) -> u64 {
        let records: u64 = self
            .objects
            .iter()
            .map(|object| object.edited + object.failed)
            .sum();
        records + self.links.failed
    }
}

impl UndoneLinks {
    pub(crate) fn add_restored(&mut self, outcome: LinkOutcome, number: u64) {
        *match outcome {
            LinkOutcome::Made | LinkOutcome::Existing => &mut self.restored,
            LinkOutcome::MissingEnd => &mut self.gone,
            LinkOutcome::Failed => &mut self.failed,
        } += number;
    }

    pub(crate) fn add(&mut self, kind: UndoLinkKind, number: u64) {
        *match kind {
            UndoLinkKind::Removed => &mut self.removed,
            UndoLinkKind::Gone => &mut self.gone,
            UndoLinkKind::Kept => &mut self.kept,
            UndoLinkKind::Failed => &mut self.failed,
        } += number;
    }
}

impl UndoneObject {
    pub(crate) fn new(object: &ObjectMapping) -> Self {
        Self {
            source: object.source.clone(),
            standard: object.standard,
            archived: 0,
            restored: 0,
            edited: 0,
            gone: 0,
            failed: 0,
        }
    }

    pub(crate) fn add(&mut self, kind: UndoKind, number: u64, exceptions: u64) {
        match kind {
            UndoKind::Archived => self.archived += number,
            UndoKind::Restored => self.restored += number,
            UndoKind::Left => {}
            UndoKind::Gone => self.gone += number,
            UndoKind::Failed => self.failed += number,
        }
        if kind != UndoKind::Failed {
            self.edited += exceptions;
        }
    }
}

/// Ends the roll back where a person asked for it.
pub(crate) fn stop_if_asked(progress: &dyn Progress) -> Result<(), RunError> {
    if progress.is_stopped() {
        Err(RunError::Stopped)
    } else {
        Ok(())
    }
}
