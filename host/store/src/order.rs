//! The order of a plan: by id, whatever the order in which the source handed its records out, so that the same records make the same plan.
//!
//! Ids are ordered by length and then by bytes: numbers as numbers are, which is mostly the order in which they lie in the file.

use model::{ConnectionId, ObjectName};
use rusqlite::params;

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::staging::{ADDED, StagedRows, positions, take_rows};

impl Store {
    /// Puts the staged records of one object into the plan's order, for [`Self::load_ordered`]; those of another object are forgotten.
    ///
    /// # Errors
    /// As every write.
    pub fn order_staged(
        &mut self,
        connection: &ConnectionId,
        object: &ObjectName,
    ) -> Result<(), StoreError> {
        let id = self.find_object(connection.as_str(), object)?;
        self.write(Commit::State, format_args!("order staged {object}"), |tx| {
            tx.execute("DELETE FROM scratch.staged_order", [])?;
            if let Some(id) = id {
                tx.execute(
                    "INSERT INTO scratch.staged_order (position)
                     SELECT position FROM staged_record WHERE object = ?1 ORDER BY length(source_id), source_id",
                    [id],
                )?;
            }
            Ok(())
        })
    }

    /// As [`Self::load_staged`], in the plan's order. `after` is the `last` of the batch before, 0 for the first.
    ///
    /// # Errors
    /// As every read.
    pub fn load_ordered(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        after: i64,
        max_rows: u32,
        max_bytes: usize,
    ) -> Result<StagedRows, StoreError> {
        let mut staged = StagedRows {
            last: after,
            ..StagedRows::default()
        };
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(staged);
        };
        self.read(format_args!("load {object} in order"), |db| {
            let mut select = db.prepare_cached(match self.is_corrected {
                false => {
                    "SELECT o.n, s.row FROM scratch.staged_order o JOIN staged_record s ON s.position = o.position
                     WHERE o.n > ?1 ORDER BY o.n LIMIT ?2"
                }
                true => {
                    "SELECT o.n, coalesce(l.row, s.row) FROM scratch.staged_order o JOIN staged_record s ON s.position = o.position
                     LEFT JOIN scratch.laid l ON l.object = s.object AND l.source_id = s.source_id
                     WHERE o.n > ?1 ORDER BY o.n LIMIT ?2"
                }
            })?;
            take_rows(select.query(params![after, max_rows])?, max_bytes, &mut staged)?;
            if staged.len == 0 && self.is_corrected {
                // Behind all of them what corrections make of broken rows.
                let first = positions(id).0 + ADDED;
                let mut select = db.prepare_cached(
                    "SELECT ?2 + l.adds, l.row FROM scratch.laid l
                     WHERE l.object = ?4 AND l.adds > ?1 - ?2 ORDER BY l.adds LIMIT ?3",
                )?;
                let rows = select.query(params![after.max(first), first, max_rows, id])?;
                take_rows(rows, max_bytes, &mut staged)?;
            }
            Ok(staged)
        })
    }
}
