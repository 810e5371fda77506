//! Why a cell was stopped: the limit it hit, or the trap it fell into.
//!
//! Handling it is the caller's; every stopped cell is dropped and never called again.

use std::time::Duration;

use wasmtime::Trap;

/// Why a cell was stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The call took longer than it may.
    #[error("time limit of {} ms for a call was hit", .0.as_millis())]
    Time(Duration),
    /// It wanted more memory than it may have.
    #[error("memory limit was hit: it wanted {wanted_bytes} bytes and may have {max_bytes}")]
    Memory {
        /// What it would have had.
        wanted_bytes: usize,
        /// What it may have.
        max_bytes: usize,
    },
    /// It wanted larger tables than it may have.
    #[error("table limit was hit: it wanted {wanted} elements and may have {max}")]
    Table {
        /// What it would have had.
        wanted: usize,
        /// What it may have.
        max: usize,
    },
    /// It handed more to the host in one call than it may.
    #[error("output limit was hit: a call may hand over {max_bytes} bytes")]
    Output {
        /// What it may hand over.
        max_bytes: usize,
    },
    /// Its calls went deeper than its stack.
    #[error("stack limit was hit: its calls are nested too deeply")]
    Stack,
    /// Its tenant, or its connector, has as much memory as they may have together.
    #[error(
        "memory limit of {quota} was hit: together its cells wanted {wanted_bytes} bytes and may have {max_bytes}"
    )]
    Quota {
        /// Whose limit.
        quota: String,
        /// What they would have had.
        wanted_bytes: usize,
        /// What they may have.
        max_bytes: usize,
    },
    /// Its tenant, or its connector, has as many cells as they may have, and none became free in time.
    #[error(
        "cell limit of {quota} was hit: it may have {max} at once, and none became free in time"
    )]
    Cells {
        /// Whose limit.
        quota: String,
        /// How many.
        max: u32,
    },
    /// It ended itself, as a program of another language does.
    #[error("it ended itself")]
    Exit,
    /// It gave up by itself, which is how a panic looks from outside.
    #[error("it gave up: {0}")]
    Trap(Trap),
    /// It broke the rules of the component model, for example with text that is not UTF-8.
    #[error("it broke the contract: {0}")]
    Contract(String),
}

impl Stop {
    /// Whether the connector did it, and not the load that others make.
    pub(crate) fn is_its_own(&self) -> bool {
        !matches!(self, Self::Quota { .. } | Self::Cells { .. })
    }

    /// Reads why out of the engine's error. `max_bytes` is the cell's output limit.
    pub(crate) fn from_engine(error: &wasmtime::Error, max_bytes: usize) -> Self {
        if let Some(stop) = error.downcast_ref::<Self>() {
            return stop.clone();
        }
        if let Some(trap) = error.downcast_ref::<Trap>() {
            return match trap {
                Trap::StackOverflow => Self::Stack,
                other => Self::Trap(*other),
            };
        }
        // The engine has a private type for its hostcall budget; its text is all there is to know it by (held by a test).
        let text = error.root_cause().to_string();
        if text.contains("fuel allocated for hostcalls") {
            return Self::Output { max_bytes };
        }
        Self::Contract(text)
    }
}
