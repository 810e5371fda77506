//! Which associations are wanted, and which that were made are not: what a plan takes away, and what a certificate tells of.
//!
//! It is gathered into tables that go with the process. What follows from it is [`crate::removal`]'s, or the caller's.

use std::collections::HashMap;

use model::destination::Link;
use model::plan::PlannedLink;
use model::{ConnectionId, ObjectName, SourceRecordId};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::link::{LINK_COLUMNS, read_link};
use crate::names::{NO_CONNECTION, load_objects};
use crate::plan::Extent;

/// The destination's ends of the link `l` of kind `s` under the connection `?1`.
pub(crate) const ENDS: &str = "LEFT JOIN object fo ON fo.id = s.from_object LEFT JOIN object fb ON fb.connection = ?1 AND fb.name = fo.name
     LEFT JOIN identity fi ON fi.object = fb.id AND fi.source_id = l.from_id
     LEFT JOIN object t_o ON t_o.id = s.to_object LEFT JOIN object tb ON tb.connection = ?1 AND tb.name = t_o.name
     LEFT JOIN identity ti ON ti.object = tb.id AND ti.source_id = l.to_id";

pub(crate) const END_COLUMNS: &str =
    "fi.destination_object, fi.destination_id, ti.destination_object, ti.destination_id";

/// An association that was made and is not wanted: its position, in the source's ids, and in the destination's.
pub type UnwantedLink = (i64, PlannedLink, Option<Link>);

impl Store {
    /// Forgets what is wanted.
    ///
    /// # Errors
    /// As every write.
    pub fn forget_wanted(&mut self) -> Result<(), StoreError> {
        self.write(Commit::State, format_args!("forget what is wanted"), |tx| {
            tx.execute_batch(
                "DELETE FROM scratch.wanted; DELETE FROM scratch.present; DELETE FROM scratch.removal;",
            )
        })
    }

    /// Wants those associations, and says that those records of one object are brought to the destination.
    ///
    /// # Errors
    /// As every write.
    pub fn want(
        &mut self,
        object: &ObjectName,
        records: &[&SourceRecordId],
        links: &[PlannedLink],
    ) -> Result<(), StoreError> {
        let id = self.intern_object(NO_CONNECTION, object)?;
        self.write(Commit::State, format_args!("note what is wanted of {object}"), |tx| {
            let mut present = tx.prepare_cached(
                "INSERT OR IGNORE INTO scratch.present (object, source_id) VALUES (?1, ?2)",
            )?;
            for record in records {
                present.execute(params![id, record.as_str()])?;
            }
            // What has no number yet was never made.
            let mut find = tx.prepare_cached(
                "SELECT s.id FROM association s JOIN object f ON f.id = s.from_object JOIN object t ON t.id = s.to_object
                 WHERE f.connection = '' AND f.name = ?1 AND t.connection = '' AND t.name = ?2 AND s.labelled = ?3 AND s.label = ?4",
            )?;
            let mut wanted = tx.prepare_cached(
                "INSERT OR IGNORE INTO scratch.wanted (association, from_id, to_id) VALUES (?1, ?2, ?3)",
            )?;
            let mut known: HashMap<(&ObjectName, &ObjectName, Option<&str>), Option<i64>> = HashMap::new();
            for link in links {
                let kind = (&link.from_object, &link.to_object, link.label.as_deref());
                let number = match known.get(&kind) {
                    Some(number) => *number,
                    None => {
                        let (labelled, label) = (link.label.is_some(), link.label.as_deref().unwrap_or(""));
                        let kind_of = params![link.from_object.as_str(), link.to_object.as_str(), labelled, label];
                        let number = find.query_row(kind_of, |row| row.get(0)).optional()?;
                        known.insert(kind, number);
                        number
                    }
                };
                if let Some(number) = number {
                    wanted.execute(params![number, link.from.as_str(), link.to.as_str()])?;
                }
            }
            Ok(())
        })
    }

    /// Gathers the associations of the connection that were made and are not wanted, although both ends are brought.
    ///
    /// # Errors
    /// As every write.
    pub fn gather_unwanted(&mut self, connection: &ConnectionId) -> Result<(), StoreError> {
        self.write(
            Commit::State,
            format_args!("look for what is not wanted"),
            |tx| {
                gather_made(tx, connection, i64::MAX)?;
                leave_what_stays(tx, connection)
            },
        )
    }

    /// The next of those that were gathered behind the position `after` (0 for the first), at most `max`.
    ///
    /// # Errors
    /// As every read.
    pub fn load_unwanted(
        &self,
        connection: &ConnectionId,
        after: i64,
        max: u32,
    ) -> Result<Vec<UnwantedLink>, StoreError> {
        self.read(format_args!("load what is not wanted"), |db| {
            let names = load_objects(db)?;
            let mut select = db.prepare_cached(&format!(
                "SELECT {LINK_COLUMNS}, {END_COLUMNS} FROM scratch.removal m CROSS JOIN planned_link l ON l.position = m.made
                 CROSS JOIN association s ON s.id = l.association {ENDS}
                 WHERE m.made > ?2 ORDER BY m.made LIMIT ?3"
            ))?;
            let rows = select.query_map(params![connection.as_str(), after, max], |row| {
                let (position, planned) = read_link(row, &names)?;
                let link = read_ends(row, 6, &names, planned.label.clone())?;
                Ok((position, planned, link))
            })?;
            rows.collect()
        })
    }
}

/// Wants the associations of a plan.
pub(crate) fn want_planned(tx: &Transaction<'_>, extent: &Extent) -> rusqlite::Result<usize> {
    tx.execute("DELETE FROM scratch.wanted", [])?;
    tx.execute(
        "INSERT INTO scratch.wanted (association, from_id, to_id)
         SELECT DISTINCT association, from_id, to_id FROM planned_link WHERE position BETWEEN ?1 AND ?2 ORDER BY 1, 2, 3",
        [extent.first_link, extent.last_link],
    )
}

/// Gathers the associations that were made before that position, are there as far as is known, and are not wanted.
pub(crate) fn gather_made(
    tx: &Transaction<'_>,
    connection: &ConnectionId,
    before: i64,
) -> rusqlite::Result<usize> {
    let connection = connection.as_str();
    tx.execute("DELETE FROM scratch.removal", [])?;
    tx.execute(
        &format!(
            "INSERT INTO scratch.removal (made, source_from, source_from_id, source_to, source_to_id, labelled, label,
                 from_object, from_id, to_object, to_id)
             SELECT r.position, s.from_object, l.from_id, s.to_object, l.to_id, s.labelled, s.label, {END_COLUMNS}
             FROM link_outcome r CROSS JOIN planned_link l ON l.position = r.position
             CROSS JOIN association s ON s.id = l.association {ENDS}
             WHERE r.kind = 'made' AND r.position < ?2
                 AND NOT EXISTS (SELECT 1 FROM scratch.wanted w
                                 WHERE w.association = l.association AND w.from_id = l.from_id AND w.to_id = l.to_id)
                 AND l.plan IN (SELECT id FROM plan WHERE hash IS NOT NULL AND json_extract(header, '$.connection') = ?1)
                 AND NOT EXISTS (SELECT 1 FROM undo_link_outcome u WHERE u.position = r.position AND u.kind IN ('removed', 'gone'))
                 AND NOT EXISTS (SELECT 1 FROM planned_removal m JOIN removal_outcome o ON o.position = m.position
                                 WHERE m.made = r.position AND o.kind IN ('removed', 'gone') AND NOT EXISTS (
                                     SELECT 1 FROM undo_removal_outcome x WHERE x.position = m.position AND x.kind IN ('made', 'existing')))
                 AND fi.destination_id IS NOT NULL AND ti.destination_id IS NOT NULL"
        ),
        params![connection, before],
    )
}

/// Of those that were gathered, leaves what says nothing: an end did not come, or a record that is one with another one wants it still.
pub(crate) fn leave_what_stays(
    tx: &Transaction<'_>,
    connection: &ConnectionId,
) -> rusqlite::Result<()> {
    let connection = connection.as_str();
    tx.execute(
        "DELETE FROM scratch.removal AS m
         WHERE NOT EXISTS (SELECT 1 FROM scratch.present p WHERE p.object = m.source_from AND p.source_id = m.source_from_id)
             OR NOT EXISTS (SELECT 1 FROM scratch.present p WHERE p.object = m.source_to AND p.source_id = m.source_to_id)",
        [],
    )?;
    // Two records of the source may be one at the destination, and either end may carry the association. A plain one that goes would
    // take every label of the pair with it.
    for (from, to) in [("a", "b"), ("b", "a")] {
        tx.execute(
            &format!(
                "DELETE FROM scratch.removal AS m WHERE EXISTS (
                     SELECT 1 FROM identity a
                     JOIN object ab ON ab.id = a.object AND ab.connection = ?1 JOIN object ao ON ao.connection = '' AND ao.name = ab.name
                     JOIN identity b ON b.destination_object = m.to_object AND b.destination_id = m.to_id
                     JOIN object bb ON bb.id = b.object AND bb.connection = ?1 JOIN object bo ON bo.connection = '' AND bo.name = bb.name
                     JOIN association s ON s.from_object = {from}o.id AND s.to_object = {to}o.id
                     JOIN scratch.wanted w ON w.association = s.id AND w.from_id = {from}.source_id AND w.to_id = {to}.source_id
                     WHERE a.destination_object = m.from_object AND a.destination_id = m.from_id
                         AND (m.labelled = 0 OR (s.labelled = 1 AND s.label = m.label)))"
            ),
            [connection],
        )?;
    }
    Ok(())
}

/// Reads [`END_COLUMNS`] from the column `first` on.
pub(crate) fn read_ends(
    row: &Row<'_>,
    first: usize,
    names: &HashMap<i64, ObjectName>,
    label: Option<String>,
) -> rusqlite::Result<Option<Link>> {
    let end = |column: usize| {
        let object: Option<i64> = row.get(column)?;
        let id: Option<String> = row.get(column + 1)?;
        let object = object.and_then(|object| names.get(&object).cloned());
        Ok::<_, rusqlite::Error>(object.zip(id))
    };
    Ok(end(first)?
        .zip(end(first + 2)?)
        .map(|((from_object, from), (to_object, to))| Link {
            from_object,
            from: from.into(),
            to_object,
            to: to.into(),
            label,
        }))
}
