//! The decisions of a migration: what goes where, which records are one, what is written and whether it added up.
//!
//! Everything here is a pure function of its arguments: no IO, clock, randomness, environment or logging. Doubtful data is no
//! error; it becomes a [`model::Finding`] beside the answer.

pub mod normal;

pub mod cause;

pub mod correction;

pub mod matching;

pub mod naming;

pub mod convert;

pub mod choice;

mod fault;

pub mod filter;

mod transform;

pub mod likeness;

pub mod linkage;

pub mod automap;

pub mod stages;

pub mod mapping;

pub mod planner;

pub mod overrides;

pub mod carry;

pub mod record;

pub mod account;

pub mod money;

pub mod audit;

pub mod hold;

pub mod resolve;

pub mod undo;

pub use account::{Account, Tally, Unbalanced};
pub use audit::{Difference, Distinct, FieldStatistics, ObjectStatistics, ReadBack};
pub use carry::Directory;
pub use cause::{Cause, trips};
pub use correction::{CorrectionError, lay_over, parse_value};
pub use fault::{MappingError, MappingErrors};
pub use filter::Filter;
pub use hold::find_changed;
pub use mapping::{default_mapping, is_writable, planned_catalog};
pub use matching::{MatchKey, MatchKeys, MatchRule, Matcher, currency_key, owner_key};
pub use money::{ExactSum, MoneyDifference, MoneyKey, MoneyTotal, MoneyTotals};
pub use overrides::{MappingFault, Overrides, map_with};
pub use planner::ObjectPlanner;
pub use record::{Known, Matched, PlannerOutput, Survivor};
pub use undo::{UndoneUpdate, Verdict};
