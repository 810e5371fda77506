//! What was read of an object, record by record, for who wants to look at it without a plan.

use std::sync::Arc;

use model::{ConnectionId, ObjectInfo, RecordRef};
use store::Store;

use crate::context::{BATCH_BYTES, BATCH_RECORDS, decode_stored};
use crate::error::RunError;

/// Shows each record that is not deleted, in the order in which they lie, until `visit` answers `false`.
///
/// # Errors
/// When the state cannot be read.
pub fn visit_staged(
    store: &Store,
    connection: &ConnectionId,
    info: &Arc<ObjectInfo>,
    mut visit: impl FnMut(RecordRef<'_>) -> bool,
) -> Result<(), RunError> {
    let mut after = 0;
    loop {
        let staged = store.load_staged(
            connection,
            &info.name.as_str().into(),
            after,
            4 * BATCH_RECORDS,
            BATCH_BYTES,
        )?;
        if staged.len == 0 {
            return Ok(());
        }
        after = staged.last;
        let records = decode_stored(info, staged.rows)?;
        for record in records.iter().filter(|record| !record.is_deleted()) {
            if !visit(record) {
                return Ok(());
            }
        }
    }
}
