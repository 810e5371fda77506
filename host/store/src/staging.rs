//! The source's records as they came: one row each, in the order in which they first came.
//!
//! Rows are kept as text and handed out as text; what they say is `model`'s to decode.

use model::decode::RejectedRow;
use model::row::RowWriter;
use model::{Batch, ConnectionId, ObjectName, RecordPage, SourceRecordId};
use rusqlite::{Connection, Row, Transaction, params};

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::extraction::{load_pages, save_checkpoint};

/// Bits of a position below the object's number.
const POSITION_BITS: u32 = 40;

/// What became of the rows of one page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StagedPage {
    /// Records that were not staged before.
    pub new: u64,
    /// Records that were staged with other values; the later ones were kept.
    pub changed: u64,
    /// Records that this extraction had staged already, with the same values.
    pub repeated: u64,
    /// Records that an earlier extraction had staged, with the same values.
    pub unchanged: u64,
    /// Rows that broke the grammar; they are quarantined.
    pub rejected: u64,
}

/// Staged rows of one object, in a stable order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StagedRows {
    /// The rows, each with its line feed, for [`Batch::decode`].
    pub rows: Vec<u8>,
    /// The position of the last one: what to ask for next. Where there is none, the position that was asked for.
    pub last: i64,
    /// How many there are; 0 only behind the last record.
    pub len: usize,
}

/// A row that broke the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedRow {
    /// Its position among the quarantined.
    pub position: i64,
    /// The reading that saw it last.
    pub extraction: i64,
    /// Its id, where that could be read.
    pub id: Option<SourceRecordId>,
    /// The page it came on, from 1.
    pub page: i64,
    /// Its line on that page, from 1.
    pub line: i64,
    /// What is wrong with it, for a person.
    pub reason: String,
    /// The row as it came, up to [`RejectedRow::TEXT_MAX_BYTES`]; empty where it was not kept.
    pub text: String,
    /// Whether a record of its id is staged too.
    pub is_staged: bool,
    /// Whether that one came in the same reading or later: this is then not what the source says last.
    pub is_second: bool,
}

impl QuarantinedRow {
    /// The name that it goes by: its id, else its page and line.
    pub fn record(&self) -> SourceRecordId {
        let place = || format!("page {} line {}", self.page, self.line).into();
        self.id.clone().unwrap_or_else(place)
    }
}

/// The columns that [`read_quarantined`] reads, from table `q`.
pub(crate) const QUARANTINED_COLUMNS: &str = "q.position, q.source_id, q.page, q.line, q.reason, q.row, q.extraction,
    (SELECT s.extraction FROM staged_record s WHERE s.object = q.object AND s.source_id = q.source_id)";

/// Reads [`QUARANTINED_COLUMNS`].
pub(crate) fn read_quarantined(row: &Row<'_>) -> rusqlite::Result<QuarantinedRow> {
    let (extraction, staged): (i64, Option<i64>) = (row.get(6)?, row.get(7)?);
    Ok(QuarantinedRow {
        position: row.get(0)?,
        extraction,
        id: row.get::<_, Option<String>>(1)?.map(SourceRecordId::from),
        page: row.get(2)?,
        line: row.get(3)?,
        reason: row.get(4)?,
        text: row.get(5)?,
        is_staged: staged.is_some(),
        is_second: staged.is_some_and(|staged| staged >= extraction),
    })
}

impl Store {
    /// Stages a page: its records, its broken rows and the cursor behind it, all in one transaction. A page without a next one
    /// ends the object. The same page again changes nothing but the count of pages.
    ///
    /// # Errors
    /// As every write; nothing of the page is then staged.
    pub fn stage_page(
        &mut self,
        connection: &ConnectionId,
        object: &ObjectName,
        extraction: i64,
        page: &RecordPage,
    ) -> Result<StagedPage, StoreError> {
        let id = self.intern_object(connection.as_str(), object)?;
        self.write(
            Commit::StagePage,
            format_args!("stage a page of {object} from {connection}"),
            |tx| {
                let number = load_pages(tx, extraction, id)? + 1;
                let mut staged = stage_records(tx, id, extraction, &page.records)?;
                staged.rejected = quarantine(tx, id, extraction, number, &page.rejected)?;
                save_checkpoint(tx, extraction, id, page.next.as_ref(), number)?;
                Ok(staged)
            },
        )
    }

    /// How many records of the object are staged.
    ///
    /// # Errors
    /// As every read.
    pub fn staged_count(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
    ) -> Result<u64, StoreError> {
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(0);
        };
        let select = "SELECT count(*) FROM staged_record WHERE object = ?1";
        let count: i64 = self.read(format_args!("count {object}"), |db| {
            db.query_row(select, [id], |row| row.get(0))
        })?;
        Ok(count.unsigned_abs())
    }

    /// The next rows behind the position `after` (0 for the first): at most `max_rows`, and no more than `max_bytes` unless a
    /// single row is larger. The end is reached when there is none.
    ///
    /// # Errors
    /// As every read.
    pub fn load_staged(
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
        self.read(format_args!("load staged {object}"), |db| {
            let (first, last) = positions(id);
            let (sql, added) = self.staged_queries();
            let mut select = db.prepare_cached(sql)?;
            take_rows(
                select.query(params![after.max(first), last, max_rows])?,
                max_bytes,
                &mut staged,
            )?;
            if let (0, Some(sql)) = (staged.len, added) {
                let mut select = db.prepare_cached(sql)?;
                let first = first + ADDED;
                take_rows(
                    select.query(params![after.max(first), first, max_rows, id])?,
                    max_bytes,
                    &mut staged,
                )?;
            }
            Ok(staged)
        })
    }

    /// The statement that reads staged rows, and the one for those that corrections make of broken ones.
    fn staged_queries(&self) -> (&'static str, Option<&'static str>) {
        if !self.is_corrected {
            let staged = "SELECT position, row FROM staged_record
                 WHERE position > ?1 AND position <= ?2 ORDER BY position LIMIT ?3";
            return (staged, None);
        }
        let staged = "SELECT s.position, coalesce(l.row, s.row) FROM staged_record s
             LEFT JOIN scratch.laid l ON l.object = s.object AND l.source_id = s.source_id
             WHERE s.position > ?1 AND s.position <= ?2 ORDER BY s.position LIMIT ?3";
        let added = "SELECT ?2 + l.adds, l.row FROM scratch.laid l
             WHERE l.object = ?4 AND l.adds > ?1 - ?2 ORDER BY l.adds LIMIT ?3";
        (staged, Some(added))
    }

    /// Whether each of the records is staged, in the order of the ids.
    ///
    /// # Errors
    /// As every read.
    pub fn find_staged(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        ids: &[&str],
    ) -> Result<Vec<bool>, StoreError> {
        let Some(object_id) = self.find_object(connection.as_str(), object)? else {
            return Ok(vec![false; ids.len()]);
        };
        self.read(format_args!("find staged {object}"), |db| {
            let mut select = db.prepare_cached(match self.is_corrected {
                false => "SELECT 1 FROM staged_record WHERE object = ?1 AND source_id = ?2",
                true => {
                    "SELECT 1 FROM staged_record WHERE object = ?1 AND source_id = ?2
                     UNION ALL SELECT 1 FROM scratch.laid WHERE object = ?1 AND source_id = ?2 AND adds IS NOT NULL"
                }
            })?;
            ids.iter()
                .map(|id| select.exists(params![object_id, id]))
                .collect()
        })
    }

    /// The rows of those records, in the order of the ids; those that are not staged are missing from the answer.
    ///
    /// # Errors
    /// As every read.
    pub fn find_staged_rows(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        ids: &[&str],
    ) -> Result<StagedRows, StoreError> {
        let mut staged = StagedRows::default();
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(staged);
        };
        self.read_many(format_args!("find staged rows of {object}"), |db| {
            let mut select = db.prepare_cached(match self.is_corrected {
                false => "SELECT row FROM staged_record WHERE object = ?1 AND source_id = ?2",
                true => {
                    "SELECT row FROM scratch.laid WHERE object = ?1 AND source_id = ?2 AND row IS NOT NULL
                     UNION ALL SELECT row FROM staged_record WHERE object = ?1 AND source_id = ?2"
                }
            })?;
            for source_id in ids {
                let mut rows = select.query(params![id, source_id])?;
                if let Some(row) = rows.next()? {
                    staged.rows.extend_from_slice(row.get_ref(0)?.as_bytes()?);
                    staged.rows.push(b'\n');
                    staged.len += 1;
                }
            }
            Ok(staged)
        })
    }

    /// How many broken rows of the object are held.
    ///
    /// # Errors
    /// As every read.
    pub fn quarantined_count(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
    ) -> Result<u64, StoreError> {
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(0);
        };
        let select = "SELECT count(*) FROM quarantined_row WHERE object = ?1";
        let count: i64 = self.read(format_args!("count broken rows of {object}"), |db| {
            db.query_row(select, [id], |row| row.get(0))
        })?;
        Ok(count.unsigned_abs())
    }

    /// The next broken rows behind the position `after` (0 for the first), at most `max`.
    ///
    /// # Errors
    /// As every read.
    pub fn load_quarantined(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        after: i64,
        max: u32,
    ) -> Result<Vec<QuarantinedRow>, StoreError> {
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(Vec::new());
        };
        self.read(format_args!("load quarantined {object}"), |db| {
            let mut select = db.prepare_cached(&format!(
                "SELECT {QUARANTINED_COLUMNS} FROM quarantined_row q
                 WHERE q.object = ?1 AND q.position > ?2 ORDER BY q.position LIMIT ?3"
            ))?;
            let rows = select.query_map(params![id, after, max], read_quarantined)?;
            rows.collect()
        })
    }

    /// How many staged records the connection's newest finished extraction did not see: the source may have deleted them.
    ///
    /// # Errors
    /// As every read.
    pub fn count_unseen(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
    ) -> Result<u64, StoreError> {
        let Some(extraction) = self.find_finished_extraction(connection)? else {
            return Ok(0);
        };
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(0);
        };
        let (first, last) = positions(id);
        let count: i64 = self.read(format_args!("count unseen {object}"), |db| {
            let select = "SELECT count(*) FROM staged_record WHERE position BETWEEN ?1 AND ?2 AND extraction < ?3";
            db.query_row(select, [first, last, extraction], |row| row.get(0))
        })?;
        Ok(count.unsigned_abs())
    }

    /// The next of them behind the position `after` (0 for the first), at most `max`.
    ///
    /// # Errors
    /// As every read.
    pub fn load_unseen(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        after: i64,
        max: u32,
    ) -> Result<Vec<(i64, SourceRecordId)>, StoreError> {
        let Some(extraction) = self.find_finished_extraction(connection)? else {
            return Ok(Vec::new());
        };
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(Vec::new());
        };
        let (first, last) = positions(id);
        self.read(format_args!("load unseen {object}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT position, source_id FROM staged_record
                 WHERE position > ?1 AND position <= ?2 AND extraction < ?3 ORDER BY position LIMIT ?4",
            )?;
            let rows = select.query_map(params![after.max(first), last, extraction, max], |row| {
                Ok((row.get(0)?, SourceRecordId::from(row.get::<_, String>(1)?)))
            })?;
            rows.collect()
        })
    }
}

/// Behind every staged record of an object stand those that corrections make of its broken rows.
pub(crate) const ADDED: i64 = 1 << (POSITION_BITS - 1);

/// Takes rows of a position and a text until they are enough.
pub(crate) fn take_rows(
    mut rows: rusqlite::Rows<'_>,
    max_bytes: usize,
    staged: &mut StagedRows,
) -> rusqlite::Result<()> {
    while let Some(row) = rows.next()? {
        let text = row.get_ref(1)?.as_bytes()?;
        if staged.len > 0 && staged.rows.len() + text.len() >= max_bytes {
            break;
        }
        staged.rows.extend_from_slice(text);
        staged.rows.push(b'\n');
        staged.last = row.get(0)?;
        staged.len += 1;
    }
    Ok(())
}

/// The position before an object's first record, and that of the last possible one.
pub(crate) fn positions(object: i64) -> (i64, i64) {
    (object << POSITION_BITS, ((object + 1) << POSITION_BITS) - 1)
}

fn last_position(db: &Connection, object: i64) -> rusqlite::Result<i64> {
    let (first, last) = positions(object);
    let mut select = db.prepare_cached(
        "SELECT max(position) FROM staged_record WHERE position BETWEEN ?1 AND ?2",
    )?;
    Ok(select
        .query_row([first, last], |row| row.get::<_, Option<i64>>(0))?
        .unwrap_or(first))
}

fn stage_records(
    tx: &Transaction<'_>,
    object: i64,
    extraction: i64,
    records: &Batch,
) -> rusqlite::Result<StagedPage> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO staged_record (position, object, extraction, source_id, row) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (object, source_id) DO NOTHING",
    )?;
    let (mut staged, mut built) = (StagedPage::default(), RowWriter::new());
    let mut position = last_position(tx, object)? + 1;
    for record in records.iter() {
        let row = match record.row_text() {
            Some(row) => row,
            None => {
                built.clear();
                record.write_row(&mut built);
                built.as_str().trim_end_matches('\n')
            }
        };
        if insert.execute(params![position, object, extraction, record.id(), row])? == 1 {
            position += 1;
            staged.new += 1;
        } else {
            stage_again(tx, object, extraction, record.id(), row, &mut staged)?;
        }
    }
    Ok(staged)
}

fn stage_again(
    tx: &Transaction<'_>,
    object: i64,
    extraction: i64,
    id: &str,
    row: &str,
    staged: &mut StagedPage,
) -> rusqlite::Result<()> {
    let mut select = tx.prepare_cached(
        "SELECT position, extraction = ?3, row = ?4 FROM staged_record WHERE object = ?1 AND source_id = ?2",
    )?;
    let found = select.query_row(params![object, id, extraction, row], |found| {
        Ok((
            found.get::<_, i64>(0)?,
            found.get::<_, bool>(1)?,
            found.get::<_, bool>(2)?,
        ))
    })?;
    match found {
        (_, true, true) => staged.repeated += 1,
        (position, false, true) => {
            let mut seen =
                tx.prepare_cached("UPDATE staged_record SET extraction = ?2 WHERE position = ?1")?;
            seen.execute([position, extraction])?;
            staged.unchanged += 1;
        }
        (position, _, false) => {
            let mut update = tx.prepare_cached(
                "UPDATE staged_record SET extraction = ?2, row = ?3 WHERE position = ?1",
            )?;
            update.execute(params![position, extraction, row])?;
            staged.changed += 1;
        }
    }
    Ok(())
}

/// Keeps broken rows, each once however often its page comes. One without a readable id is known by page and line.
fn quarantine(
    tx: &Transaction<'_>,
    object: i64,
    extraction: i64,
    page: i64,
    rejected: &[RejectedRow],
) -> rusqlite::Result<u64> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO quarantined_row (object, extraction, source_id, page, line, mark, reason, row)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (object, mark, reason)
         DO UPDATE SET extraction = excluded.extraction, page = excluded.page, line = excluded.line, row = excluded.row",
    )?;
    let mut count = 0;
    for row in rejected {
        let line = i64::try_from(row.line).expect("a page has few lines");
        let mark = row.id.as_ref().map_or_else(
            || format!("page {page} line {line}"),
            |id| format!("id {id}"),
        );
        upsert.execute(params![
            object, extraction, row.id, page, line, mark, row.reason, row.text
        ])?;
        count += 1;
    }
    Ok(count)
}
