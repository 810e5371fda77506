//! The ledger's words: what was intended and what came of it. Entries are only ever added.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{DestinationRecordId, SourceRecordId};

/// What became of one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A new record.
    Created(DestinationRecordId),
    /// New values, and the values before as a row.
    Updated(DestinationRecordId, String),
    /// Nothing had to be done.
    Unchanged(DestinationRecordId),
    /// Bound to the survivor's record; nothing was written.
    Linked(DestinationRecordId),
    /// Left out by a rule.
    Excluded,
    /// The destination refused it, or it was held back: the message for a person.
    Failed(String),
}

/// The kinds of outcome, as the accounting equation names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeKind {
    /// See [`Outcome::Created`].
    Created,
    /// See [`Outcome::Updated`].
    Updated,
    /// See [`Outcome::Unchanged`].
    Unchanged,
    /// See [`Outcome::Linked`]; counted among the excluded.
    Linked,
    /// See [`Outcome::Excluded`].
    Excluded,
    /// See [`Outcome::Failed`].
    Failed,
}

impl Outcome {
    /// Which kind it is.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Created(_) => OutcomeKind::Created,
            Self::Updated(..) => OutcomeKind::Updated,
            Self::Unchanged(_) => OutcomeKind::Unchanged,
            Self::Linked(_) => OutcomeKind::Linked,
            Self::Excluded => OutcomeKind::Excluded,
            Self::Failed(_) => OutcomeKind::Failed,
        }
    }

    /// The record of the destination that now stands for the source's.
    pub fn destination(&self) -> Option<&DestinationRecordId> {
        match self {
            Self::Created(id) | Self::Updated(id, _) | Self::Unchanged(id) | Self::Linked(id) => {
                Some(id)
            }
            Self::Excluded | Self::Failed(_) => None,
        }
    }
}

impl OutcomeKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Updated,
        Self::Unchanged,
        Self::Linked,
        Self::Excluded,
        Self::Failed,
    ];

    /// The kind as it is written in JSON, SQL and workbooks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Linked => "linked",
            Self::Excluded => "excluded",
            Self::Failed => "failed",
        }
    }

    /// The kind of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The outcome of one planned action, by the action's position in its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionOutcome {
    /// Position in the plan.
    pub position: i64,
    /// The source's record.
    pub record: SourceRecordId,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a planned link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkOutcome {
    /// It was made.
    Made,
    /// It was there already.
    Existing,
    /// One of its ends is not at the destination.
    MissingEnd,
    /// The destination refused it.
    Failed,
}

/// What became of an association that was to be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalOutcome {
    /// It is taken away.
    Removed,
    /// It was not there any more.
    Gone,
    /// The destination refused it, or somebody built on it since.
    Failed,
}

impl RemovalOutcome {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Removed, Self::Gone, Self::Failed];

    /// The outcome as it is written in JSON, SQL and workbooks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Gone => "gone",
            Self::Failed => "failed",
        }
    }

    /// The outcome of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl LinkOutcome {
    /// The outcome of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Made, Self::Existing, Self::MissingEnd, Self::Failed];

    /// The outcome as it is written in JSON, SQL and workbooks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Existing => "existing",
            Self::MissingEnd => "missing-end",
            Self::Failed => "failed",
        }
    }
}
