//! The points at which something becomes durable, named, so that a test can kill the process at each of them.
//!
//! Nothing in the store depends on a hook being there.

/// What a commit makes durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Commit {
    /// A page of records and its cursor.
    StagePage,
    /// Actions or links of a plan that is being written.
    PlanBatch,
    /// The plan's header and hash: from here on it exists.
    PlanSeal,
    /// The intent to carry out a batch of actions.
    Intent,
    /// Outcomes of actions and the identities they made.
    Outcome,
    /// Outcomes of links.
    Links,
    /// The intent to make associations, or to take them away.
    LinkIntent,
    /// What became of associations that were to be taken away.
    Removals,
    /// The intent to undo a batch of writes.
    UndoIntent,
    /// What became of undone writes, and the identities that go with them.
    Undo,
    /// Findings.
    Findings,
    /// Everything else: connections, documents, runs, checkpoints.
    State,
}

impl Commit {
    /// Every commit, in declaration order.
    pub const ALL: [Self; 12] = [
        Self::StagePage,
        Self::PlanBatch,
        Self::PlanSeal,
        Self::Intent,
        Self::Outcome,
        Self::Links,
        Self::LinkIntent,
        Self::Removals,
        Self::UndoIntent,
        Self::Undo,
        Self::Findings,
        Self::State,
    ];

    /// Its name, for example `stage-page`.
    pub fn name(self) -> &'static str {
        match self {
            Self::StagePage => "stage-page",
            Self::PlanBatch => "plan-batch",
            Self::PlanSeal => "plan-seal",
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Links => "links",
            Self::LinkIntent => "link-intent",
            Self::Removals => "removals",
            Self::UndoIntent => "undo-intent",
            Self::Undo => "undo",
            Self::Findings => "findings",
            Self::State => "state",
        }
    }
}

/// Whether the commit is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// All statements were run; nothing is durable yet.
    Before,
    /// It is durable; the caller does not know yet.
    After,
}

/// One side of one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitPoint {
    /// Which commit.
    pub commit: Commit,
    /// Which side of it.
    pub moment: Moment,
}

/// Called right before and right after every commit.
pub type CommitHook = Box<dyn FnMut(CommitPoint) + Send>;
