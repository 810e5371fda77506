//! Archiving: a record stays in its table, marked, and is found by nothing any more; its associations end.
//!
//! It frees its source key and its unique values, so that the same record can be made anew.

use model::destination::Archived;
use model::{DestinationRecordId, Instant};
use rusqlite::{Connection, params};

use crate::failure::Failure;
use crate::schema::{ObjectSchema, read_id};

/// Archives records; one answer for each, in order. The caller holds the transaction.
pub(crate) fn archive_records(
    conn: &Connection,
    object: &ObjectSchema,
    ids: &[DestinationRecordId],
) -> Result<Vec<Archived>, Failure> {
    let now = Instant::now().to_string();
    let mut mark = conn.prepare_cached(&format!(
        "UPDATE {} SET archived = 1, updated_at = ?2 WHERE id = ?1 AND archived = 0",
        object.table.table
    ))?;
    let mut forward =
        conn.prepare_cached("DELETE FROM associations WHERE from_object = ?1 AND from_id = ?2")?;
    let mut back =
        conn.prepare_cached("DELETE FROM associations WHERE to_object = ?1 AND to_id = ?2")?;
    let mut archived = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(number) = read_id(id.as_str()) else {
            archived.push(Archived::Gone);
            continue;
        };
        if mark.execute(params![number, now])? == 0 {
            archived.push(Archived::Gone);
            continue;
        }
        forward.execute(params![object.name(), number])?;
        back.execute(params![object.name(), number])?;
        archived.push(Archived::Done);
    }
    Ok(archived)
}
