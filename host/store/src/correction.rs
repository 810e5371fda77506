//! Corrections: what people decided of single records, kept for good, and laid over what is staged for as long as a phase works.
//!
//! Entries are only ever added. What they make of a row is decided elsewhere; staging hands out what was laid.

use model::{ConnectionId, Correction, Decision, Instant, ObjectName, SourceRecordId};
use rusqlite::types::Type;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::progress::{instant, unknown_word};
use crate::staging::{QUARANTINED_COLUMNS, QuarantinedRow, read_quarantined};

const COLUMNS: &str =
    "c.id, c.source_id, c.decision, c.fields, c.row, c.broken_row, c.made_by, c.made_at";

/// What stands for a record's own row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laid {
    /// The row; `None` where the record is left out.
    pub row: Option<String>,
    /// The position of the broken row that it makes a record of, where the record is not staged.
    pub adds: Option<i64>,
    /// Whether only the broken row of its id is left out.
    pub only_broken: bool,
    /// Who decided, and when.
    pub why: String,
}

impl Store {
    /// Keeps a decision of each of the records. It takes the place of what was decided of it before.
    ///
    /// # Errors
    /// As every write; none of them is then kept.
    pub fn write_corrections(
        &mut self,
        connection: &ConnectionId,
        object: &ObjectName,
        decisions: &[(SourceRecordId, Decision)],
        made_by: &str,
    ) -> Result<(), StoreError> {
        let id = self.intern_object(connection.as_str(), object)?;
        self.write(Commit::State, format_args!("keep corrections of {object}"), |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO correction (object, source_id, decision, fields, row, broken_row, made_by, made_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            let now = Instant::now().unix_us();
            for (record, decision) in decisions {
                let fields = match decision {
                    Decision::Set(fields) => {
                        Some(serde_json::to_string(fields).expect("values can be written as JSON"))
                    }
                    _ => None,
                };
                let rows = match decision {
                    Decision::Row { row, of } => (Some(row), Some(of)),
                    _ => (None, None),
                };
                insert.execute(params![id, record.as_str(), decision.name(), fields, rows.0, rows.1, made_by, now])?;
            }
            Ok(())
        })
    }

    /// The number of the newest correction, 0 where there is none.
    ///
    /// # Errors
    /// As every read.
    pub fn last_correction(&self) -> Result<i64, StoreError> {
        self.read(format_args!("look for corrections"), |db| {
            db.query_row("SELECT coalesce(max(id), 0) FROM correction", [], |row| {
                row.get(0)
            })
        })
    }

    /// What holds of the object's records among the corrections up to the number `until`: the newest of each record, without those that
    /// were undone. The next ones behind the record `after` (empty for the first), in the order of the ids, at most `max`.
    ///
    /// # Errors
    /// As every read.
    pub fn load_corrections(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        until: i64,
        after: &str,
        max: u32,
    ) -> Result<Vec<Correction>, StoreError> {
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(Vec::new());
        };
        self.read(format_args!("load corrections of {object}"), |db| {
            let mut select = db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM correction c
                 WHERE c.object = ?1 AND c.id <= ?2 AND c.source_id > ?3 AND c.decision <> 'undo' AND NOT EXISTS
                     (SELECT 1 FROM correction n WHERE n.object = c.object AND n.source_id = c.source_id AND n.id > c.id AND n.id <= ?2)
                 ORDER BY c.source_id LIMIT ?4"
            ))?;
            select.query_map(params![id, until, after, max], read_correction)?.collect()
        })
    }

    /// The object's records of which something was decided, or taken back, after the correction of that number. The next ones behind the
    /// record `after` (empty for the first), in the order of the ids, at most `max`.
    ///
    /// # Errors
    /// As every read.
    pub fn load_corrected_since(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        number: i64,
        after: &str,
        max: u32,
    ) -> Result<Vec<SourceRecordId>, StoreError> {
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(Vec::new());
        };
        self.read(format_args!("load corrected {object}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT DISTINCT source_id FROM correction WHERE object = ?1 AND id > ?2 AND source_id > ?3 ORDER BY source_id LIMIT ?4",
            )?;
            let rows = select.query_map(params![id, number, after, max], |row| row.get::<_, String>(0))?;
            rows.map(|id| Ok(id?.into())).collect()
        })
    }

    /// Everything that was decided of one record, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub fn correction_history(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        record: &SourceRecordId,
    ) -> Result<Vec<Correction>, StoreError> {
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(Vec::new());
        };
        self.read(format_args!("load corrections of {object} {record}"), |db| {
            let mut select = db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM correction c WHERE c.object = ?1 AND c.source_id = ?2 ORDER BY c.id"
            ))?;
            select.query_map(params![id, record.as_str()], read_correction)?.collect()
        })
    }

    /// What the source said last of a record that a correction may be laid over: its staged row, and its broken one where there is one.
    ///
    /// # Errors
    /// As every read.
    pub fn find_as_it_came(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        record: &SourceRecordId,
    ) -> Result<(Option<String>, Option<QuarantinedRow>), StoreError> {
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok((None, None));
        };
        self.read(format_args!("find {object} {record}"), |db| {
            let mut select = db.prepare_cached("SELECT row FROM staged_record WHERE object = ?1 AND source_id = ?2")?;
            let staged = select.query_row(params![id, record.as_str()], |row| row.get(0)).optional()?;
            // The mark leads the index; a row without an id goes by its page and line.
            let mut select = db.prepare_cached(&format!(
                "SELECT {QUARANTINED_COLUMNS} FROM quarantined_row q WHERE q.object = ?1 AND q.mark IN ('id ' || ?2, ?2)
                 ORDER BY q.extraction DESC, q.position DESC LIMIT 1"
            ))?;
            let broken = select.query_row(params![id, record.as_str()], read_quarantined).optional()?;
            Ok((staged, broken))
        })
    }

    /// Forgets what was laid over what is staged.
    ///
    /// # Errors
    /// As every write.
    pub fn lay_nothing(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.is_corrected) {
            self.write(Commit::State, format_args!("forget what was laid"), |tx| {
                tx.execute("DELETE FROM scratch.laid", [])
            })?;
        }
        Ok(())
    }

    /// Lays rows over what is staged of the object, until this process ends or [`Self::lay_nothing`] is called.
    ///
    /// # Errors
    /// As every write.
    pub fn lay(
        &mut self,
        connection: &ConnectionId,
        object: &ObjectName,
        rows: &[(SourceRecordId, Laid)],
    ) -> Result<(), StoreError> {
        let id = self.intern_object(connection.as_str(), object)?;
        self.is_corrected |= !rows.is_empty();
        self.write(Commit::State, format_args!("lay corrections over {object}"), |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT OR REPLACE INTO scratch.laid (object, source_id, row, adds, only_broken, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for (record, laid) in rows {
                insert.execute(params![id, record.as_str(), laid.row, laid.adds, laid.only_broken, laid.why])?;
            }
            Ok(())
        })
    }

    /// Whether each of the broken rows was made a record of, in the order of their positions.
    ///
    /// # Errors
    /// As every read.
    pub fn find_added(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        positions: &[i64],
    ) -> Result<Vec<bool>, StoreError> {
        let id = self.find_object(connection.as_str(), object)?;
        let (true, Some(id)) = (self.is_corrected, id) else {
            return Ok(vec![false; positions.len()]);
        };
        self.read(format_args!("find what was laid over {object}"), |db| {
            let mut select =
                db.prepare_cached("SELECT 1 FROM scratch.laid WHERE object = ?1 AND adds = ?2")?;
            positions
                .iter()
                .map(|position| select.exists([id, *position]))
                .collect()
        })
    }

    /// What was laid over each of the records, in the order of the ids.
    ///
    /// # Errors
    /// As every read.
    pub fn find_laid(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        ids: &[&str],
    ) -> Result<Vec<Option<Laid>>, StoreError> {
        let object_id = self.find_object(connection.as_str(), object)?;
        let (true, Some(object_id)) = (self.is_corrected, object_id) else {
            return Ok(vec![None; ids.len()]);
        };
        self.read(format_args!("find what was laid over {object}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT row, adds, only_broken, why FROM scratch.laid WHERE object = ?1 AND source_id = ?2",
            )?;
            let mut find = |id: &&str| {
                let found = select.query_row(params![object_id, id], |row| {
                    Ok(Laid {
                        row: row.get(0)?,
                        adds: row.get(1)?,
                        only_broken: row.get(2)?,
                        why: row.get(3)?,
                    })
                });
                found.optional()
            };
            ids.iter().map(&mut find).collect()
        })
    }
}

fn read_correction(row: &Row<'_>) -> rusqlite::Result<Correction> {
    let name = row.get_ref(2)?.as_str()?;
    let decision = match name {
        "set" => {
            let fields = serde_json::from_str(row.get_ref(3)?.as_str()?).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(3, Type::Text, Box::new(error))
            })?;
            Decision::Set(fields)
        }
        "row" => Decision::Row {
            row: row.get(4)?,
            of: row.get(5)?,
        },
        "leave-out" => Decision::LeaveOut,
        "undo" => Decision::Undo,
        other => return Err(unknown_word(2, other)),
    };
    Ok(Correction {
        number: row.get(0)?,
        record: row.get::<_, String>(1)?.into(),
        decision,
        made_by: row.get(6)?,
        made_at: instant(row, 7)?,
    })
}

#[cfg(test)]
mod tests;
