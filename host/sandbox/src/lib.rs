//! The connector's cell: it compiles a component, bounds it in memory, time and output, and presents it as a
//! [`model::Source`]. The only crate that knows wasmtime.
//!
//! It has no network and no secrets; both are behind [`Outbound`]. Manifests and consent are `market`'s.

pub mod limits;

pub mod stop;

mod text;

mod setup;

mod artifact;

pub mod compile;

mod names;

mod console;

mod bindings;

pub mod outbound;

pub mod quota;

pub mod breaker;

mod state;

mod wasi;

pub mod engine;

pub mod cache;

mod cell;

mod convert;

mod progress;

pub mod source;

pub use breaker::{Breaker, BreakerOptions};
pub use cache::ConnectorCache;
pub use compile::{CompileError, CompileLimits, Compiler, compile_in_child};
pub use engine::{Allocation, Connector, Engine, EngineOptions};
pub use limits::{CellLimits, LogLimits};
pub use names::{CONTRACT_LINES, SandboxError, WASI_INTERFACES};
pub use outbound::Outbound;
pub use quota::{Quota, QuotaLimits};
pub use source::{ConnectorSource, Shared};
pub use stop::Stop;
