//! The order of work: discover, extract, plan, apply, audit; and rolling back. Each phase reads what the one before it stored, so each can be stopped and run
//! again.
//!
//! It knows neither WebAssembly nor HubSpot: it takes `&dyn Source` and `&dyn Destination`. What is decided is `reconcile`'s, what is
//! remembered is `store`'s.

pub mod error;
pub mod progress;
pub mod context;
pub mod discover;
pub mod breaker;
pub mod extract;
mod open;
pub mod staged;
pub mod correct;
pub mod replay;
pub mod held;
mod keys;
mod bind;
mod lookup;
pub mod estimate;
mod facts;
mod broken;
mod decided;
mod decide;
pub mod plan;
mod prepare;
mod links;
mod removals;
mod hold;
pub mod apply;
mod file;
pub mod workbook;
mod sheets;
mod money;
pub mod audit;
pub mod export;
pub mod certificate;
pub mod undone;
pub mod undo_file;
mod undo_records;
mod undo_links;
mod undo_work;
pub mod rollback;

pub use apply::{ApplySummary, apply};
pub use audit::{AuditSummary, MoneyReport, ObjectReport, audit};
pub use breaker::{ignore_causes, ignore_reading_causes};
pub use certificate::{Certificate, Files, LinkProof, ObjectProof, certify};
pub use context::Context;
pub use correct::{CheckError, check_correction, find_broken_row, told_correction};
pub use discover::{Discovered, discover, find_plan_mapping, find_source_catalog};
pub use error::{RunError, Tripped};
pub use estimate::find_estimate;
pub use export::{Exported, PlanFilter, PlanLine, export_plan, load_lines};
pub use extract::{ExtractSummary, extract};
pub use held::{
    HeldCause, HeldFilter, HeldRecord, ReplayReport, find_held_causes, report_replay, visit_held,
};
pub use links::LinkCounts;
pub use open::{find_open_plan, find_plan_run, find_rollback};
pub use plan::{plan, plan_replay};
pub use progress::{Phase, Progress, Silent};
pub use replay::{Replay, Selection};
pub use rollback::{find_undoable, rollback};
pub use staged::visit_staged;
pub use undo_file::UndoFile;
pub use undone::{Aim, RollbackContext, RollbackSummary, Undoing, UndoneLinks, UndoneObject};
