//! The memory of a project: connections, staged records, identity, plans, the ledger and findings, in one SQLite file.
//!
//! It holds the only SQL of the host's state and makes no decision about data; every write of it is one durable transaction.
//! A project is worked on by one process at a time; others may read ([`Store::open_read_only`]).

pub mod error;
pub mod commit;
mod lock;
mod schema;
mod names;
mod sieve;
pub mod database;
pub mod document;
pub mod progress;
pub mod consent;
pub mod extraction;
pub mod staging;
pub mod order;
pub mod correction;
pub mod matching;
pub mod identity;
mod canon;
mod action;
pub mod plan;
pub mod writer;
pub mod link;
pub mod ledger;
pub mod audit;
pub mod failure;
pub mod finding;
pub mod undo;
pub mod undo_scope;
pub mod wanted;
pub mod removal;
pub mod story;
#[cfg(test)]
mod tests;

pub use audit::AuditedAction;
pub use commit::{Commit, CommitHook, CommitPoint, Moment};
pub use consent::ConsentEntry;
pub use correction::Laid;
pub use database::Store;
pub use error::StoreError;
pub use extraction::Checkpoint;
pub use failure::FailedAction;
pub use identity::{Identity, SourceEnd};
pub use ledger::{Announced, LinkChange, RecordedOutcome};
pub use link::{MissingEnds, MissingLink};
pub use matching::Side;
pub use plan::LinkCount;
pub use progress::{PhaseNote, PhaseState, Run};
pub use removal::{OpenRemoval, RemovedLink};
pub use staging::{QuarantinedRow, StagedPage, StagedRows};
pub use story::{Chapter, StoredLinkOutcome, StoredRemoval, Story, Undone};
pub use undo_scope::{Hold, Labels, MadeLink, Written};
pub use wanted::UnwantedLink;
pub use writer::PlanWriter;
