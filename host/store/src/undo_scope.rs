//! What belongs to a run that is to be rolled back: the records at the ends of its associations, and which later runs built on them.
//!
//! It is gathered anew for each roll back into tables that go with the process: the ledger is what holds.

use model::destination::Link;
use model::{ConnectionId, DestinationRecordId, ObjectName, PlanId, RunId, SourceRecordId};
use rusqlite::{Transaction, params};

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::names::NO_CONNECTION;
use crate::plan::Extent;

/// Whose an association is that a run made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Both ends were there before the run.
    Free,
    /// An end was made by the run and goes with it.
    Going,
    /// An end was made by the run and is left, and no end goes.
    Kept,
}

/// An association that a run made, in the destination's ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeLink {
    /// Position in the plan.
    pub position: i64,
    /// The association.
    pub link: Link,
    /// Whose it is.
    pub hold: Hold,
}

/// Which associations are meant: those with a label are taken away before the plain ones, which may carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// Those with one.
    With,
    /// The plain ones.
    Without,
}

/// What a run wrote: the run, its plan, and for each source object of that plan what it becomes.
#[derive(Clone, Copy, Debug)]
pub struct Written<'w> {
    /// The run.
    pub run: RunId,
    /// The plan that it carried out.
    pub plan: &'w PlanId,
    /// The connection that the plan reads.
    pub connection: &'w ConnectionId,
    /// Source object and destination object.
    pub objects: &'w [(ObjectName, ObjectName)],
}

impl Store {
    /// Gathers what the run left behind: the record at each end, and each pair that it associated.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every write.
    pub fn gather_written(&mut self, written: &Written<'_>) -> Result<(), StoreError> {
        let extent = self.extent(written.plan)?;
        let mut objects = Vec::new();
        for (source, destination) in written.objects {
            objects.push((
                self.intern_object(NO_CONNECTION, source)?,
                self.intern_object(written.connection.as_str(), source)?,
                destination.clone(),
            ));
        }
        let run = written.run;
        self.write(
            Commit::State,
            format_args!("gather what run {run} wrote"),
            |tx| {
                tx.execute_batch(
                    "DELETE FROM scratch.undo_end; DELETE FROM scratch.undo_object; DELETE FROM scratch.undo_pair;",
                )?;
                for (object, bound, destination) in &objects {
                    gather_ends(tx, run, &extent, *object, *bound, destination)?;
                }
                gather_pairs(tx, &extent)
            },
        )
    }

    /// Marks records of one source object as left: what the run tied them to stays with them.
    ///
    /// # Errors
    /// As every write.
    pub fn mark_kept(
        &mut self,
        object: &ObjectName,
        records: &[SourceRecordId],
    ) -> Result<(), StoreError> {
        let number = self.intern_object(NO_CONNECTION, object)?;
        self.write(
            Commit::State,
            format_args!("mark what is left of {object}"),
            |tx| {
                let mut update = tx.prepare_cached(
                    "UPDATE scratch.undo_end SET kept = 1 WHERE object = ?1 AND source_id = ?2",
                )?;
                for record in records {
                    update.execute(params![number, record.as_str()])?;
                }
                Ok(())
            },
        )
    }

    /// Of these associations those that tell of somebody else's work: the run did not make the pair, nor the record at the other end.
    ///
    /// # Errors
    /// As every read.
    pub fn find_foreign_links(&self, links: &[Link]) -> Result<Vec<bool>, StoreError> {
        self.read_many(format_args!("look for associations of others"), |db| {
            let mut own = db.prepare_cached(
                "SELECT 1 FROM scratch.undo_pair WHERE from_object = ?1 AND from_id = ?2 AND to_object = ?3 AND to_id = ?4
                 UNION ALL
                 SELECT 1 FROM scratch.undo_end WHERE destination_object = ?3 AND destination_id = ?4 AND created = 1",
            )?;
            let is_foreign = |link: &Link| {
                let ends = params![
                    link.from_object.as_str(),
                    link.from.as_str(),
                    link.to_object.as_str(),
                    link.to.as_str()
                ];
                own.exists(ends).map(|found| !found)
            };
            links.iter().map(is_foreign).collect()
        })
    }

    /// For each record of the destination's object, whether a record of one of those objects hangs on it that the run made and that is
    /// left.
    ///
    /// # Errors
    /// As every read.
    pub fn find_holders(
        &self,
        object: &ObjectName,
        ids: &[DestinationRecordId],
        holders: &[ObjectName],
    ) -> Result<Vec<Option<(ObjectName, DestinationRecordId)>>, StoreError> {
        self.read_many(format_args!("look for what hangs on {object}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT e.destination_id FROM scratch.undo_pair p
                 JOIN scratch.undo_end e ON e.destination_object = p.to_object AND e.destination_id = p.to_id
                 WHERE p.from_object = ?1 AND p.from_id = ?2 AND p.to_object = ?3 AND e.kept = 1 LIMIT 1",
            )?;
            let mut find = |id: &DestinationRecordId| {
                for holder in holders {
                    let mut rows =
                        select.query(params![object.as_str(), id.as_str(), holder.as_str()])?;
                    if let Some(row) = rows.next()? {
                        return Ok(Some((holder.clone(), row.get::<_, String>(0)?.into())));
                    }
                }
                Ok(None)
            };
            ids.iter().map(&mut find).collect()
        })
    }

    /// The next associations that the run made and of which nothing is noted yet, behind the position `after`, at most `max`.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn load_made_links(
        &self,
        written: &Written<'_>,
        labels: Labels,
        after: i64,
        max: u32,
    ) -> Result<Vec<MadeLink>, StoreError> {
        let extent = self.extent(written.plan)?;
        self.read(format_args!("load associations of run {}", written.run), |db| {
            // An end that the plan itself did not write is known by its identity.
            let mut select = db.prepare_cached(
                "SELECT l.position, fo.destination_object, coalesce(f.destination_id, fi.destination_id),
                        t_o.destination_object, coalesce(t.destination_id, ti.destination_id), iif(s.labelled, s.label, NULL),
                        coalesce(f.created AND NOT f.kept, 0) OR coalesce(t.created AND NOT t.kept, 0),
                        coalesce(f.created, 0) OR coalesce(t.created, 0)
                 FROM link_outcome r CROSS JOIN planned_link l ON l.position = r.position
                 CROSS JOIN association s ON s.id = l.association
                 JOIN scratch.undo_object fo ON fo.object = s.from_object
                 JOIN scratch.undo_object t_o ON t_o.object = s.to_object
                 LEFT JOIN scratch.undo_end f ON f.object = s.from_object AND f.source_id = l.from_id
                 LEFT JOIN scratch.undo_end t ON t.object = s.to_object AND t.source_id = l.to_id
                 LEFT JOIN identity fi ON fi.object = fo.bound AND fi.source_id = l.from_id
                 LEFT JOIN identity ti ON ti.object = t_o.bound AND ti.source_id = l.to_id
                 WHERE r.position > ?1 AND r.position <= ?2 AND r.run = ?3 AND r.kind = 'made' AND s.labelled = ?4
                     AND NOT EXISTS (SELECT 1 FROM undo_link_outcome u WHERE u.position = r.position)
                 ORDER BY r.position LIMIT ?5",
            )?;
            let after = after.max(extent.first_link - 1);
            let labelled = labels == Labels::With;
            let rows = select.query_map(
                params![after, extent.last_link, written.run.0, labelled, max],
                |row| {
                    let id = |column| {
                        Ok::<_, rusqlite::Error>(
                            row.get::<_, Option<String>>(column)?.unwrap_or_default().into(),
                        )
                    };
                    Ok(MadeLink {
                        position: row.get(0)?,
                        link: Link {
                            from_object: row.get::<_, String>(1)?.into(),
                            from: id(2)?,
                            to_object: row.get::<_, String>(3)?.into(),
                            to: id(4)?,
                            label: row.get(5)?,
                        },
                        hold: match (row.get(6)?, row.get(7)?) {
                            (true, _) => Hold::Going,
                            (false, true) => Hold::Kept,
                            (false, false) => Hold::Free,
                        },
                    })
                },
            )?;
            rows.collect()
        })
    }

    /// Later runs that wrote to the same records or associated a record that the run made, newest first, and are not rolled back
    /// themselves; each with a number of records or associations. What the run left is gathered before.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn find_later_runs(&self, written: &Written<'_>) -> Result<Vec<(RunId, u64)>, StoreError> {
        let extent = self.extent(written.plan)?;
        self.read(format_args!("look for runs after run {}", written.run), |db| {
            let mut select = db.prepare_cached(
                "SELECT later, sum(number) FROM (
                     SELECT r.run AS later, count(*) AS number FROM outcome r
                     LEFT JOIN scratch.undo_object o ON o.object = r.object
                     WHERE r.position > ?1 AND r.kind IN ('created', 'updated') AND EXISTS (
                         SELECT 1 FROM scratch.undo_end e
                         WHERE e.destination_id = r.destination_id AND e.written = 1 AND e.destination_object IN (
                             SELECT u.destination_object FROM scratch.undo_object u
                             WHERE o.object IS NULL OR u.object = o.object))
                     GROUP BY r.run
                     UNION ALL
                     SELECT r.run, count(*) FROM link_outcome r JOIN planned_link l ON l.position = r.position
                     JOIN association s ON s.id = l.association
                     WHERE r.position > ?2 AND r.kind = 'made' AND (
                         EXISTS (SELECT 1 FROM scratch.undo_end e
                                 WHERE e.object = s.from_object AND e.source_id = l.from_id AND e.created = 1)
                         OR EXISTS (SELECT 1 FROM scratch.undo_end e
                                    WHERE e.object = s.to_object AND e.source_id = l.to_id AND e.created = 1))
                     GROUP BY r.run
                     UNION ALL
                     SELECT r.run, count(*) FROM removal_outcome r JOIN planned_removal m ON m.position = r.position
                     JOIN link_outcome made ON made.position = m.made
                     WHERE made.run = ?3 AND r.kind = 'removed' GROUP BY r.run)
                 WHERE later <> ?3 AND NOT EXISTS (
                     SELECT 1 FROM rollback b JOIN rollback_end x ON x.run = b.run WHERE b.undone = later)
                 GROUP BY later ORDER BY later DESC",
            )?;
            let rows = select.query_map(
                [extent.last_action, extent.last_link, written.run.0],
                |row| Ok((RunId(row.get(0)?), row.get::<_, i64>(1)?.unsigned_abs())),
            )?;
            rows.collect()
        })
    }
}

fn gather_ends(
    tx: &Transaction<'_>,
    run: RunId,
    extent: &Extent,
    object: i64,
    bound: i64,
    destination: &ObjectName,
) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO scratch.undo_object (object, destination_object, bound) VALUES (?1, ?2, ?3)",
        params![object, destination.as_str(), bound],
    )?;
    tx.execute(
        "INSERT OR IGNORE INTO scratch.undo_end (object, source_id, destination_object, destination_id, created, written, kept)
         SELECT r.object, a.source_id, ?1, r.destination_id, r.kind = 'created' AND r.run = ?2,
                r.kind IN ('created', 'updated') AND r.run = ?2,
                EXISTS (SELECT 1 FROM undo_outcome u WHERE u.position = r.position AND u.kind IN ('left', 'failed'))
         FROM outcome r CROSS JOIN action a ON a.position = r.position
         WHERE r.position BETWEEN ?3 AND ?4 AND r.object = ?5 AND r.destination_id IS NOT NULL",
        params![
            destination.as_str(),
            run.0,
            extent.first_action,
            extent.last_action,
            object
        ],
    )?;
    Ok(())
}

fn gather_pairs(tx: &Transaction<'_>, extent: &Extent) -> rusqlite::Result<()> {
    // An end that the plan did not write, because it was refused or excluded, is known by its identity.
    for [from, to] in [["f", "t"], ["t", "f"]] {
        tx.execute(
            &format!(
                "INSERT OR IGNORE INTO scratch.undo_pair (from_object, from_id, to_object, to_id)
                 SELECT {from}w.destination_object, coalesce({from}.destination_id, {from}i.destination_id),
                        {to}w.destination_object, coalesce({to}.destination_id, {to}i.destination_id)
                 FROM link_outcome r CROSS JOIN planned_link l ON l.position = r.position
                 CROSS JOIN association s ON s.id = l.association
                 JOIN scratch.undo_object fw ON fw.object = s.from_object
                 JOIN scratch.undo_object tw ON tw.object = s.to_object
                 LEFT JOIN scratch.undo_end f ON f.object = s.from_object AND f.source_id = l.from_id
                 LEFT JOIN scratch.undo_end t ON t.object = s.to_object AND t.source_id = l.to_id
                 LEFT JOIN identity fi ON fi.object = fw.bound AND fi.source_id = l.from_id
                 LEFT JOIN identity ti ON ti.object = tw.bound AND ti.source_id = l.to_id
                 WHERE r.position BETWEEN ?1 AND ?2 AND r.kind IN ('made', 'existing')
                     AND coalesce(f.destination_id, fi.destination_id) IS NOT NULL
                     AND coalesce(t.destination_id, ti.destination_id) IS NOT NULL"
            ),
            [extent.first_link, extent.last_link],
        )?;
    }
    Ok(())
}
