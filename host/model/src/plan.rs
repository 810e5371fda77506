//! The plan: every single write, each with its reason, before the first one is made.
//!
//! A plan is immutable data with a hash. `apply` takes an [`ApprovedPlan`] only, and [`Plan::approve`] is the one way to get one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, StandardObject};
use crate::id::{ConnectionId, DestinationRecordId, ObjectName, PlanId, SourceRecordId};
use crate::mapping::Mapping;
use crate::time::Instant;

/// What is to become of one record of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It becomes a new record.
    Create {
        /// The properties, as a row of the destination's object; its id is the source's.
        row: String,
        /// Why.
        reason: Reason,
    },
    /// A record of the destination gets new values.
    Update {
        /// Which one.
        destination: DestinationRecordId,
        /// The properties that change, as a row.
        row: String,
        /// The same properties as the destination has them now, as a row.
        before: String,
        /// Why.
        reason: Reason,
    },
    /// A record of the destination already has all values.
    Keep {
        /// Which one.
        destination: DestinationRecordId,
        /// Why.
        reason: Reason,
    },
    /// It is the same as another record of the source: links to it go to that one's record, and nothing is written.
    Link {
        /// The survivor of the cluster.
        survivor: SourceRecordId,
        /// Why.
        reason: Reason,
    },
    /// A rule leaves it out.
    Exclude {
        /// Why.
        reason: Reason,
    },
    /// It is held for a person.
    Quarantine {
        /// Why.
        reason: Reason,
    },
}

impl Action {
    /// Which kind of action it is.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Create { .. } => ActionKind::Create,
            Self::Update { .. } => ActionKind::Update,
            Self::Keep { .. } => ActionKind::Keep,
            Self::Link { .. } => ActionKind::Link,
            Self::Exclude { .. } => ActionKind::Exclude,
            Self::Quarantine { .. } => ActionKind::Quarantine,
        }
    }

    /// Why.
    pub fn reason(&self) -> &Reason {
        match self {
            Self::Create { reason, .. }
            | Self::Update { reason, .. }
            | Self::Keep { reason, .. }
            | Self::Link { reason, .. }
            | Self::Exclude { reason }
            | Self::Quarantine { reason } => reason,
        }
    }
}

/// The kinds of action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionKind {
    /// See [`Action::Create`].
    Create,
    /// See [`Action::Update`].
    Update,
    /// See [`Action::Keep`].
    Keep,
    /// See [`Action::Link`].
    Link,
    /// See [`Action::Exclude`].
    Exclude,
    /// See [`Action::Quarantine`].
    Quarantine,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Create,
        Self::Update,
        Self::Keep,
        Self::Link,
        Self::Exclude,
        Self::Quarantine,
    ];

    /// The kind as it is written in JSON, SQL and workbooks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Keep => "keep",
            Self::Link => "link",
            Self::Exclude => "exclude",
            Self::Quarantine => "quarantine",
        }
    }

    /// The kind of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an action is in the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "kebab-case")]
pub enum Reason {
    /// Nothing at the destination is the same.
    New,
    /// It was written by an earlier run and is bound to that record.
    Bound,
    /// A match rule found it at the destination.
    Matched {
        /// The rule, for example `e-mail`.
        rule: String,
        /// The value that was equal.
        key: String,
    },
    /// A match rule found it among the source's own records.
    Duplicate {
        /// The rule.
        rule: String,
        /// The value that was equal.
        key: String,
    },
    /// Its stage has no counterpart.
    UnmappedStage {
        /// The stage's label, or its id where the source does not describe it.
        stage: String,
    },
    /// It does not meet the filter of its object.
    Filtered {
        /// The condition that does not hold.
        condition: String,
    },
    /// The source says that it is deleted.
    DeletedAtSource,
    /// It was bound, and the destination no longer has it.
    DeletedAtDestination,
    /// The connector's row broke the grammar.
    BrokenRow {
        /// What is wrong with it.
        error: String,
    },
    /// The destination keeps these by itself and takes none, and has no counterpart.
    NotWritable,
    /// A person left it out.
    LeftOutByHand {
        /// Who and when, or what stands for it.
        why: String,
    },
    /// It failed before, and this plan does not try it again.
    StillHeld {
        /// Why it failed.
        error: String,
    },
    /// It was read after the plan whose failures this one tries again.
    NotReplayed,
}

impl Reason {
    /// The names of all reasons, as they stand in JSON after `because`.
    pub const NAMES: [&'static str; 13] = [
        "new",
        "bound",
        "matched",
        "duplicate",
        "unmapped-stage",
        "filtered",
        "deleted-at-source",
        "deleted-at-destination",
        "broken-row",
        "not-writable",
        "left-out-by-hand",
        "still-held",
        "not-replayed",
    ];

    /// Its name, one of [`Self::NAMES`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Bound => "bound",
            Self::Matched { .. } => "matched",
            Self::Duplicate { .. } => "duplicate",
            Self::UnmappedStage { .. } => "unmapped-stage",
            Self::Filtered { .. } => "filtered",
            Self::DeletedAtSource => "deleted-at-source",
            Self::DeletedAtDestination => "deleted-at-destination",
            Self::BrokenRow { .. } => "broken-row",
            Self::NotWritable => "not-writable",
            Self::LeftOutByHand { .. } => "left-out-by-hand",
            Self::StillHeld { .. } => "still-held",
            Self::NotReplayed => "not-replayed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("nothing at the destination is the same"),
            Self::Bound => f.write_str("bound to it by an earlier run"),
            Self::Matched { rule, key } => write!(f, "same {rule} at the destination: {key}"),
            Self::Duplicate { rule, key } => {
                write!(f, "same {rule} as another record of the source: {key}")
            }
            Self::UnmappedStage { stage } => write!(f, "stage {stage:?} is not mapped"),
            Self::Filtered { condition } => write!(f, "the filter wants: {condition}"),
            Self::DeletedAtSource => f.write_str("deleted at the source"),
            Self::DeletedAtDestination => f.write_str("deleted at the destination"),
            Self::BrokenRow { error } => write!(f, "the connector's row is broken: {error}"),
            Self::NotWritable => {
                f.write_str("the destination has no counterpart and takes no new ones")
            }
            Self::LeftOutByHand { why } => write!(f, "left out by hand: {why}"),
            // The message of its failure, unchanged: it keeps its cause.
            Self::StillHeld { error } => f.write_str(error),
            Self::NotReplayed => f.write_str(
                "read since the plan whose failures are tried again; the next plan decides",
            ),
        }
    }
}

/// One action in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedAction {
    /// The source's object.
    pub object: ObjectName,
    /// The source's id; for a broken row without id, its line as `line N`.
    pub record: SourceRecordId,
    /// What is to become of it.
    pub action: Action,
}

/// A planned association between two records of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedLink {
    /// The source object that carries the link.
    pub from_object: ObjectName,
    /// Its record.
    pub from: SourceRecordId,
    /// The source object at the other end.
    pub to_object: ObjectName,
    /// The record at the other end.
    pub to: SourceRecordId,
    /// The label at the destination.
    pub label: Option<String>,
}

/// What one object comes to in a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectCounts {
    /// Records of the source.
    pub selected: u64,
    /// To be created.
    pub create: u64,
    /// To be changed.
    pub update: u64,
    /// Already as they should be.
    pub keep: u64,
    /// Same as another record of the source.
    pub link: u64,
    /// Ruled out.
    pub exclude: u64,
    /// Held for a person.
    pub quarantine: u64,
}

impl ObjectCounts {
    /// Counts one more action of that kind.
    pub fn add(&mut self, kind: ActionKind) {
        self.selected += 1;
        *match kind {
            ActionKind::Create => &mut self.create,
            ActionKind::Update => &mut self.update,
            ActionKind::Keep => &mut self.keep,
            ActionKind::Link => &mut self.link,
            ActionKind::Exclude => &mut self.exclude,
            ActionKind::Quarantine => &mut self.quarantine,
        } += 1;
    }
}

/// What a plan says of itself; its actions and links are streamed from the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanHeader {
    /// The source's connection.
    pub connection: ConnectionId,
    /// The destination, for a person.
    pub destination: String,
    /// The plan before this one.
    pub parent: Option<PlanId>,
    /// When it was made.
    pub created_at: Instant,
    /// The day after which no more changes of the source are brought over, where a person set one.
    pub cutover: Option<crate::time::Date>,
    /// The mapping.
    pub mapping: Mapping,
    /// The source's catalog as it was read.
    pub source: Catalog,
    /// The destination's catalog as it will be, new properties included.
    pub target: Catalog,
    /// What each source object comes to, in the order of writing.
    pub counts: Vec<(ObjectName, StandardObject, ObjectCounts)>,
    /// How many associations are planned.
    pub links: u64,
    /// How many associations that an earlier run made are to be taken away, because the source has them no longer.
    #[serde(default, skip_serializing_if = "is_none")]
    pub removals: u64,
}

/// Plans without removals are written, and hashed, as those of versions that knew none.
fn is_none(removals: &u64) -> bool {
    *removals == 0
}

/// A plan that is complete and hashed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its id, taken from its hash.
    pub id: PlanId,
    /// SHA-256 over header, actions and links, in hexadecimal.
    pub hash: String,
    /// What it says of itself.
    pub header: PlanHeader,
}

/// A plan that a person (or a flag that a person gave) has approved by its hash.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovedPlan {
    plan: Plan,
    approved_at: Instant,
}

/// Says that an approval names another plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("approval is for plan hash {approved}, this plan's hash is {actual}")]
pub struct ApprovalError {
    /// The hash the approval names.
    pub approved: String,
    /// The plan's own.
    pub actual: String,
}

impl Plan {
    /// Approves the plan. `hash` is what the person saw.
    ///
    /// # Errors
    /// When it is not this plan's hash.
    pub fn approve(self, hash: &str, approved_at: Instant) -> Result<ApprovedPlan, ApprovalError> {
        if self.hash == hash {
            Ok(ApprovedPlan {
                plan: self,
                approved_at,
            })
        } else {
            Err(ApprovalError {
                approved: hash.to_owned(),
                actual: self.hash,
            })
        }
    }
}

impl ApprovedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// When it was approved.
    pub fn approved_at(&self) -> Instant {
        self.approved_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_one_name_in_json_and_in_filters() {
        let text = || "x".to_owned();
        let all = [
            Reason::New,
            Reason::Bound,
            Reason::Matched {
                rule: text(),
                key: text(),
            },
            Reason::Duplicate {
                rule: text(),
                key: text(),
            },
            Reason::UnmappedStage { stage: text() },
            Reason::Filtered { condition: text() },
            Reason::DeletedAtSource,
            Reason::DeletedAtDestination,
            Reason::BrokenRow { error: text() },
            Reason::NotWritable,
            Reason::LeftOutByHand { why: text() },
            Reason::StillHeld { error: text() },
            Reason::NotReplayed,
        ];
        let named: Vec<_> = all.iter().map(Reason::name).collect();
        assert_eq!(named, Reason::NAMES);
        for reason in all {
            let json = serde_json::to_value(&reason).unwrap();
            assert_eq!(json["because"], reason.name());
        }
    }
}
