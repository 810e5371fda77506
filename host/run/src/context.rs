//! What every phase works with.

use model::mapping::ObjectMapping;
use model::row::RowLimits;
use model::{Batch, ConnectionId, Destination, ObjectInfo, Source};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;

use crate::error::RunError;
use crate::progress::Progress;

/// One connection between a source and a destination, and the state of its project.
pub struct Context<'a> {
    /// The project's state.
    pub store: &'a mut Store,
    /// The run that findings belong to.
    pub run: model::RunId,
    /// The connection that is read.
    pub connection: ConnectionId,
    /// What is read from.
    pub source: &'a dyn Source,
    /// What is written to.
    pub destination: &'a dyn Destination,
    /// Owners that a person paired: e-mail address at the source, and e-mail address or id at the destination.
    pub owners: &'a BTreeMap<String, String>,
    /// What a person said of the mapping, where they did.
    pub overrides: Option<&'a reconcile::Overrides>,
    /// Hears how far it is.
    pub progress: &'a dyn Progress,
    /// Tells the time that a plan says it was made at: that of the exchanges where these are recorded or replayed, so that a replay makes
    /// the same plan.
    pub now: &'a (dyn Fn() -> model::Instant + Send + Sync),
}

/// Records that are worked on at once: small enough for memory, large enough for one transaction each to be cheap.
pub(crate) const BATCH_RECORDS: u32 = 500;

/// Bytes of rows that are worked on at once.
pub(crate) const BATCH_BYTES: usize = 4 << 20;

/// The properties that a mapping fills: what of a destination's record is worth reading.
pub(crate) fn properties(object: &ObjectMapping) -> Vec<&str> {
    let filled = object.fields.iter().map(|field| field.destination.as_str());
    filled.collect()
}

impl Context<'_> {
    /// Ends the phase where a person asked for it.
    pub(crate) fn go_on(&self) -> Result<(), RunError> {
        if self.progress.is_stopped() {
            Err(RunError::Stopped)
        } else {
            Ok(())
        }
    }
}

/// Reads rows that the host itself stored, so a broken one is a broken state.
pub(crate) fn decode_stored(object: &Arc<ObjectInfo>, rows: Vec<u8>) -> Result<Batch, RunError> {
    let limits = RowLimits {
        page_max_bytes: usize::MAX,
        row_max_bytes: usize::MAX,
        rows_max: usize::MAX,
        ..RowLimits::default()
    };
    let (batch, rejected) = Batch::decode(object.clone(), rows, &limits).map_err(|error| {
        RunError::Inconsistent(format!("stored rows of {}: {error}", object.name))
    })?;
    match rejected.first() {
        None => Ok(batch),
        Some(row) => {
            let id = row.id.as_deref().unwrap_or("?");
            Err(RunError::Inconsistent(format!(
                "stored {} {id}: {}",
                object.name, row.reason
            )))
        }
    }
}
