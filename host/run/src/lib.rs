//! The order of work: discover, extract, plan, apply, audit; and rolling back. Each phase reads what the one before it stored, so each can be stopped and run
//! again.
//!
//! It knows neither WebAssembly nor HubSpot: it takes `&dyn Source` and `&dyn Destination`. What is decided is `reconcile`'s, what is
//! remembered is `store`'s.

pub mod error;
pub mod progress;
pub mod context;
pub mod discover;
pub mod extract;
mod open;
mod keys;
mod bind;
mod lookup;
pub mod plan;
mod prepare;
mod links;
mod hold;
pub mod apply;
mod file;
mod workbook;
mod sheets;
mod money;
pub mod audit;
pub mod export;
pub mod undone;
pub mod undo_file;
mod undo_records;
mod undo_links;
mod undo_work;
pub mod rollback;

pub use apply::{ApplySummary, apply};
pub use audit::{AuditSummary, MoneyReport, ObjectReport, audit};
pub use context::Context;
pub use discover::{Discovered, discover, find_plan_mapping};
pub use error::RunError;
pub use export::{Exported, PlanFilter, PlanLine, export_plan, load_lines};
pub use extract::{ExtractSummary, extract};
pub use open::{find_open_plan, find_plan_run, find_rollback};
pub use plan::plan;
pub use progress::{Phase, Progress, Silent};
pub use rollback::{find_undoable, rollback};
pub use undo_file::UndoFile;
pub use undone::{Aim, RollbackContext, RollbackSummary, Undoing, UndoneLinks, UndoneObject};
