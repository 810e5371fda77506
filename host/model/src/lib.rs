//! The words of Longshore: ids, values, records, catalogs, mappings, plans and the ledger, and the two doors
//! [`Source`] and [`Destination`].
//!
//! It knows no network, no database, no WebAssembly and no vendor. Everyone in the host speaks it, so a type belongs here only
//! when two crates say it to each other.

pub mod id;
pub mod time;
pub mod value;
pub mod catalog;
pub mod row;
pub mod batch;
pub mod decode;
pub mod grant;
pub mod finding;
pub mod condition;
pub mod transform;
pub mod mapping;
pub mod plan;
pub mod estimate;
pub mod ledger;
pub mod correction;
pub mod undo;
pub mod source;
pub mod destination;

pub use batch::{Batch, BatchBuilder, RecordRef};
pub use catalog::{
    Account, AssociationInfo, Catalog, Choices, FieldInfo, FieldTable, ObjectInfo, Pipeline, Stage,
    StageMeaning,
};

pub use correction::{Correction, Decision};
pub use destination::{Destination, DestinationError};
pub use finding::{Finding, FindingCode};
pub use id::{
    ConnectionId, Cursor, DestinationRecordId, ObjectName, PlanId, RunId, SourceRecordId, StageId,
};
pub use source::{RecordPage, Source, SourceError};
pub use time::{Date, Instant, TimeOfDay};
pub use value::{Decimal, FieldKind, Value, ValueRef};
