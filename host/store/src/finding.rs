//! Findings of a run, each kept once.
//!
//! They are for people and for the audit. Nothing reads them to decide but a roll back, which asks what a record was made without.

use model::{Finding, FindingCode, ObjectName, RunId};
use rusqlite::params;

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::names::NO_CONNECTION;
use crate::progress::unknown_word;

/// The columns that [`read_finding`] reads, from tables `f` and `o`.
pub(crate) const FINDING_COLUMNS: &str = "f.position, f.code, o.name, f.record, f.field, f.message";

impl Store {
    /// Adds findings of a run and says how many were new. Within a run, one about the same code, object, record and field is
    /// kept once, the first; those that name no record are told apart by their messages too.
    ///
    /// # Errors
    /// As every write; none of them is then added.
    pub fn add_findings(&mut self, run: RunId, findings: &[Finding]) -> Result<u64, StoreError> {
        if findings.is_empty() {
            return Ok(0);
        }
        let mut objects = Vec::with_capacity(findings.len());
        for finding in findings {
            objects.push(self.intern_object(NO_CONNECTION, &finding.object)?);
        }
        self.write(Commit::Findings, format_args!("add findings of run {run}"), |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO finding (run, code, object, record, field, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO NOTHING",
            )?;
            let mut added = 0;
            for (finding, object) in findings.iter().zip(objects) {
                let (record, field) = (finding.record.as_deref(), finding.field.as_deref());
                added += insert.execute(params![
                    run.0,
                    finding.code.name(),
                    object,
                    record.unwrap_or(""),
                    field.unwrap_or(""),
                    finding.message
                ])? as u64;
            }
            Ok(added)
        })
    }

    /// What the findings of a run say of one record under that code.
    ///
    /// # Errors
    /// As every read.
    pub fn find_messages(
        &self,
        run: RunId,
        code: FindingCode,
        object: &ObjectName,
        record: &str,
    ) -> Result<Vec<String>, StoreError> {
        let Some(number) = self.find_object(NO_CONNECTION, object)? else {
            return Ok(Vec::new());
        };
        self.read(format_args!("look for findings of {object} {record}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT message FROM finding WHERE run = ?1 AND code = ?2 AND object = ?3 AND record = ?4",
            )?;
            select
                .query_map(params![run.0, code.name(), number, record], |row| row.get(0))?
                .collect()
        })
    }

    /// How many findings a run has, by code and object, in their order.
    ///
    /// # Errors
    /// As every read.
    pub fn finding_counts(
        &self,
        run: RunId,
    ) -> Result<Vec<(FindingCode, ObjectName, u64)>, StoreError> {
        self.read(format_args!("count findings of run {run}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT f.code, o.name, count(*) FROM finding f CROSS JOIN object o ON o.id = f.object
                 WHERE f.run = ?1 GROUP BY f.code, o.name",
            )?;
            let rows = select.query_map([run.0], |row| {
                let object = ObjectName::from(row.get::<_, String>(1)?);
                Ok((read_code(row, 0)?, object, row.get::<_, i64>(2)?.unsigned_abs()))
            })?;
            let mut counts: Vec<_> = rows.collect::<Result<_, _>>()?;
            counts.sort();
            Ok(counts)
        })
    }

    /// The next findings of a run behind the position `after` (0 for the first), at most `max`, in the order of adding.
    ///
    /// # Errors
    /// As every read.
    pub fn load_findings(
        &self,
        run: RunId,
        after: i64,
        max: u32,
    ) -> Result<Vec<(i64, Finding)>, StoreError> {
        self.read(format_args!("load findings of run {run}"), |db| {
            let mut select = db.prepare_cached(&format!(
                "SELECT {FINDING_COLUMNS} FROM finding f CROSS JOIN object o ON o.id = f.object
                 WHERE +f.run = ?1 AND f.position > ?2 ORDER BY f.position LIMIT ?3"
            ))?;
            let rows = select.query_map(params![run.0, after, max], read_finding)?;
            rows.collect()
        })
    }
}

/// Reads [`FINDING_COLUMNS`]: the position and the finding.
pub(crate) fn read_finding(row: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, Finding)> {
    let blank_is_none = |text: String| Some(text).filter(|text| !text.is_empty());
    let finding = Finding {
        code: read_code(row, 1)?,
        object: row.get::<_, String>(2)?.into(),
        record: blank_is_none(row.get(3)?),
        field: blank_is_none(row.get(4)?),
        message: row.get(5)?,
    };
    Ok((row.get(0)?, finding))
}

fn read_code(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<FindingCode> {
    let name = row.get_ref(column)?.as_str()?;
    FindingCode::find(name).ok_or_else(|| unknown_word(column, name))
}
