//! The connector's cell: it compiles a component, bounds it in memory, time and output, and presents it as a
//! [`model::Source`]. The only crate that knows wasmtime.
//!
//! It has no network and no secrets; both are behind [`Outbound`]. Manifests and consent are `market`'s.

pub mod limits;

pub mod stop;

mod text;

mod bindings;

pub mod outbound;

mod state;

pub mod engine;

mod cell;

mod convert;

mod progress;

pub mod source;

pub use engine::{Allocation, CONTRACT_LINES, Connector, Engine, EngineOptions, SandboxError};
pub use limits::{CellLimits, LogLimits};
pub use outbound::Outbound;
pub use source::ConnectorSource;
pub use stop::Stop;
