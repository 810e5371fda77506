//! How far a reading of a connection came: extractions and their checkpoints.
//!
//! The cursor of a page is written together with the page's records, by [`crate::staging`].

use model::{ConnectionId, Cursor, Instant, ObjectName};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;

/// Where an extraction goes on with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// With the first page.
    Start,
    /// With the page at that cursor; so many pages are staged.
    At(Cursor, u64),
    /// Nowhere: everything is staged.
    Done {
        /// How many pages there were.
        pages: u64,
    },
}

impl Store {
    /// The connection's unfinished extraction, or a new one.
    ///
    /// # Errors
    /// As every write.
    pub fn begin_extraction(&mut self, connection: &ConnectionId) -> Result<i64, StoreError> {
        self.write(
            Commit::State,
            format_args!("begin an extraction of {connection}"),
            |tx| {
                let select =
                    "SELECT max(id) FROM extraction WHERE connection = ?1 AND finished_at IS NULL";
                if let Some(id) = tx.query_row(select, [connection.as_str()], |row| row.get(0))? {
                    return Ok(id);
                }
                let insert = "INSERT INTO extraction (connection, started_at) VALUES (?1, ?2)";
                tx.execute(
                    insert,
                    params![connection.as_str(), Instant::now().unix_us()],
                )?;
                Ok(tx.last_insert_rowid())
            },
        )
    }

    /// Ends an extraction: the next one reads everything anew. May be repeated.
    ///
    /// # Errors
    /// As every write.
    pub fn finish_extraction(&mut self, extraction: i64) -> Result<(), StoreError> {
        self.write(
            Commit::State,
            format_args!("finish extraction {extraction}"),
            |tx| {
                tx.execute(
                    "UPDATE extraction SET finished_at = ?2 WHERE id = ?1 AND finished_at IS NULL",
                    params![extraction, Instant::now().unix_us()],
                )?;
                Ok(())
            },
        )
    }

    /// The connection's newest finished extraction and its end, `None` where there is none.
    ///
    /// # Errors
    /// As every read.
    pub fn find_finished_extraction(
        &self,
        connection: &ConnectionId,
    ) -> Result<Option<i64>, StoreError> {
        self.read(format_args!("find the last extraction of {connection}"), |db| {
            let select = "SELECT max(id) FROM extraction WHERE connection = ?1 AND finished_at IS NOT NULL";
            db.query_row(select, [connection.as_str()], |row| row.get(0))
        })
    }

    /// When the connection was last read to its end, `None` where it never was.
    ///
    /// # Errors
    /// As every read.
    pub fn last_extracted_at(
        &self,
        connection: &ConnectionId,
    ) -> Result<Option<Instant>, StoreError> {
        self.read(
            format_args!("find the last extraction of {connection}"),
            |db| {
                let select = "SELECT max(finished_at) FROM extraction WHERE connection = ?1";
                let at: Option<i64> =
                    db.query_row(select, [connection.as_str()], |row| row.get(0))?;
                Ok(at.and_then(Instant::from_unix_us))
            },
        )
    }

    /// How many pages each object's list had when the connection was read last.
    ///
    /// # Errors
    /// As every read.
    pub fn extracted_pages(
        &self,
        connection: &ConnectionId,
    ) -> Result<Vec<(ObjectName, u64)>, StoreError> {
        self.read(format_args!("count the pages of {connection}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT o.name, c.pages FROM checkpoint c JOIN object o ON o.id = c.object
                 WHERE c.extraction = (SELECT max(id) FROM extraction WHERE connection = ?1 AND finished_at IS NOT NULL) ORDER BY o.name",
            )?;
            let pages = select.query_map([connection.as_str()], |row| {
                let name: String = row.get(0)?;
                Ok((name.into(), row.get::<_, i64>(1)?.unsigned_abs()))
            });
            pages?.collect()
        })
    }

    /// Where the extraction goes on with the object.
    ///
    /// # Errors
    /// As every read.
    pub fn load_checkpoint(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        extraction: i64,
    ) -> Result<Checkpoint, StoreError> {
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(Checkpoint::Start);
        };
        let found: Option<(Option<Vec<u8>>, i64, bool)> =
            self.read(format_args!("load the checkpoint of {object}"), |db| {
                let mut select = db.prepare_cached(
                    "SELECT cursor, pages, done FROM checkpoint WHERE extraction = ?1 AND object = ?2",
                )?;
                select.query_row([extraction, id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
            })?;
        Ok(match found {
            Some((_, pages, true)) => Checkpoint::Done {
                pages: pages.unsigned_abs(),
            },
            Some((Some(cursor), pages, false)) => {
                Checkpoint::At(Cursor::new(cursor), pages.unsigned_abs())
            }
            Some((None, ..)) | None => Checkpoint::Start,
        })
    }

    /// Has the object read from its first page again, because the source no longer knows the cursor. What is staged stays.
    ///
    /// # Errors
    /// As every write.
    pub fn reset_checkpoint(
        &mut self,
        connection: &ConnectionId,
        object: &ObjectName,
        extraction: i64,
    ) -> Result<(), StoreError> {
        let id = self.intern_object(connection.as_str(), object)?;
        self.write(
            Commit::State,
            format_args!("reset the checkpoint of {object}"),
            |tx| {
                tx.execute(
                    "DELETE FROM checkpoint WHERE extraction = ?1 AND object = ?2",
                    [extraction, id],
                )?;
                Ok(())
            },
        )
    }

    /// Ends the object in this extraction, also where the source has none or does not let it be seen, and forgets the broken
    /// rows of earlier extractions. May be repeated.
    ///
    /// # Errors
    /// As every write.
    pub fn finish_object(
        &mut self,
        connection: &ConnectionId,
        object: &ObjectName,
        extraction: i64,
    ) -> Result<(), StoreError> {
        let id = self.intern_object(connection.as_str(), object)?;
        self.write(
            Commit::State,
            format_args!("finish object {object}"),
            |tx| {
                let pages = load_pages(tx, extraction, id)?;
                save_checkpoint(tx, extraction, id, None, pages)?;
                tx.execute(
                    "DELETE FROM quarantined_row WHERE object = ?1 AND extraction < ?2",
                    [id, extraction],
                )?;
                Ok(())
            },
        )
    }
}

/// How many pages of the object this extraction has staged.
pub(crate) fn load_pages(
    tx: &Transaction<'_>,
    extraction: i64,
    object: i64,
) -> rusqlite::Result<i64> {
    let mut select =
        tx.prepare_cached("SELECT pages FROM checkpoint WHERE extraction = ?1 AND object = ?2")?;
    Ok(select
        .query_row([extraction, object], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

/// Notes where to go on; without a cursor the object is done.
pub(crate) fn save_checkpoint(
    tx: &Transaction<'_>,
    extraction: i64,
    object: i64,
    cursor: Option<&Cursor>,
    pages: i64,
) -> rusqlite::Result<()> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO checkpoint (extraction, object, cursor, pages, done) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (extraction, object)
         DO UPDATE SET cursor = excluded.cursor, pages = excluded.pages, done = excluded.done",
    )?;
    upsert.execute(params![
        extraction,
        object,
        cursor.map(Cursor::as_bytes),
        pages,
        cursor.is_none()
    ])?;
    Ok(())
}
