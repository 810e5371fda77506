//! The words of a roll back: what became of each write that was to be undone. Like the rest of the ledger they are only ever added.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{DestinationRecordId, ObjectName, RunId, SourceRecordId};

/// What became of a record that a run had written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndoKind {
    /// The run had made it, and it is archived now.
    Archived,
    /// The values that the run had overwritten are back, but for those that somebody edited since.
    Restored,
    /// Somebody edited it since, so it is left as it is.
    Left,
    /// It was not there any more.
    Gone,
    /// The destination refused it.
    Failed,
}

impl UndoKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Archived,
        Self::Restored,
        Self::Left,
        Self::Gone,
        Self::Failed,
    ];

    /// The kind as it is written in JSON, SQL and workbooks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Archived => "archived",
            Self::Restored => "restored",
            Self::Left => "left",
            Self::Gone => "gone",
            Self::Failed => "failed",
        }
    }

    /// The kind of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for UndoKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What became of an association that a run had made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndoLinkKind {
    /// It is taken away, by itself or with the record that is archived.
    Removed,
    /// It was not there any more.
    Gone,
    /// It stays with a record that the run had made and that is left.
    Kept,
    /// The destination refused it, or somebody built on it since.
    Failed,
}

impl UndoLinkKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Removed, Self::Gone, Self::Kept, Self::Failed];

    /// The kind as it is written in JSON and SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Gone => "gone",
            Self::Kept => "kept",
            Self::Failed => "failed",
        }
    }

    /// The kind of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What became of one write, by the position of its action in the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoOutcome {
    /// Position in the plan.
    pub position: i64,
    /// What became of it.
    pub kind: UndoKind,
    /// What is not as it was before the run, each in words for a person: a property that was edited since, a refusal.
    pub exceptions: Vec<String>,
}

/// Something that a roll back leaves as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UndoException {
    /// The source's object.
    pub object: ObjectName,
    /// The source's record; of an association the one that carries it.
    pub record: SourceRecordId,
    /// The destination's record.
    pub destination: Option<DestinationRecordId>,
    /// Why, for a person.
    pub message: String,
}

/// A roll back as the ledger has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// The run that rolls back.
    pub run: RunId,
    /// The run whose writes are undone.
    pub undone: RunId,
    /// Whether it came to its end.
    pub is_finished: bool,
}
