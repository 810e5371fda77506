//! Associations that a plan takes away: an earlier run made them, both ends still migrate, and the source has them no longer.
//!
//! What somebody else made is never among them, nor what a record says that did not come, is left out or is gone: an association goes
//! only where the record that carried it was read anew without it.

use model::destination::Link;
use model::ledger::{LinkOutcome, RemovalOutcome};
use model::plan::PlannedLink;
use model::{ConnectionId, PlanId, RunId};
use rusqlite::{Row, Transaction, params};

use crate::canon::LinkText;
use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::link::{LINK_COLUMNS, gather_present, read_link};
use crate::names::load_objects;
use crate::progress::unknown_word;
use crate::undo_scope::{Labels, Written};
use crate::wanted::{END_COLUMNS, ENDS, gather_made, leave_what_stays, read_ends, want_planned};
use crate::writer::PlanWriter;

/// An association that is to be taken away and has no outcome yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRemoval {
    /// Its position among the removals.
    pub position: i64,
    /// In the source's ids.
    pub planned: PlannedLink,
    /// In the destination's; `None` where an end is not there any more.
    pub link: Option<Link>,
}

/// An association that a run took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedLink {
    /// Its position among the removals.
    pub position: i64,
    /// The association; `None` where an end is not there any more.
    pub link: Option<Link>,
}

impl PlanWriter {
    /// Adds what is to be taken away, once all actions and links are added; says how many associations it is. The order is that of the
    /// associations themselves, whichever run made them.
    ///
    /// # Errors
    /// As every write; nothing is then added, and it may be tried again.
    pub fn add_removals(
        &mut self,
        store: &mut Store,
        connection: &ConnectionId,
    ) -> Result<u64, StoreError> {
        let extent = self.extent();
        let has_made = store.read(format_args!("look for associations that were made"), |db| {
            let mut select = db.prepare_cached(
                "SELECT 1 FROM link_outcome WHERE kind = 'made' AND position < ?1 LIMIT 1",
            )?;
            select.exists([extent.first_link])
        })?;
        if !has_made {
            return Ok(0);
        }
        let mut hasher = self.hasher.clone();
        let added = store.write(
            Commit::PlanBatch,
            format_args!("add associations to take away to the plan"),
            |tx| {
                want_planned(tx, &extent)?;
                if gather_made(tx, connection, extent.first_link)? > 0 {
                    gather_present(tx, &extent)?;
                    leave_what_stays(tx, connection)?;
                }
                insert(tx, extent.plan, |link| hasher.removal(link))
            },
        )?;
        (self.hasher, self.removals) = (hasher, added);
        Ok(added)
    }
}

/// Puts what was gathered into the plan, those with a label first: a plain one may carry them.
fn insert(
    tx: &Transaction<'_>,
    plan: i64,
    mut add: impl FnMut(&LinkText<'_>),
) -> rusqlite::Result<u64> {
    let mut select = tx.prepare_cached(
        "SELECT m.made, f.name, m.source_from_id, t.name, m.source_to_id, iif(m.labelled, m.label, NULL)
         FROM scratch.removal m JOIN object f ON f.id = m.source_from JOIN object t ON t.id = m.source_to
         ORDER BY m.labelled DESC, f.name, length(m.source_from_id), m.source_from_id, t.name, length(m.source_to_id), m.source_to_id,
             m.label, m.made",
    )?;
    let mut insert =
        tx.prepare_cached("INSERT INTO planned_removal (plan, made) VALUES (?1, ?2)")?;
    let (mut rows, mut added) = (select.query([])?, 0);
    while let Some(row) = rows.next()? {
        insert.execute([plan, row.get(0)?])?;
        add(&LinkText {
            from_object: row.get_ref(1)?.as_str()?,
            from: row.get_ref(2)?.as_str()?,
            to_object: row.get_ref(3)?.as_str()?,
            to: row.get_ref(4)?.as_str()?,
            label: row.get_ref(5)?.as_str_or_null()?,
        });
        added += 1;
    }
    Ok(added)
}

impl Store {
    /// The next associations that the plan takes away behind the position `after` (0 for the first), at most `max`.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn load_removals(
        &self,
        plan: &PlanId,
        after: i64,
        max: u32,
    ) -> Result<Vec<(i64, PlannedLink)>, StoreError> {
        let extent = self.extent(plan)?;
        self.read(format_args!("load what plan {plan} takes away"), |db| {
            let names = load_objects(db)?;
            let mut select = db.prepare_cached(&format!(
                "SELECT {LINK_COLUMNS}, m.position FROM planned_removal m CROSS JOIN planned_link l ON l.position = m.made
                 CROSS JOIN association s ON s.id = l.association
                 WHERE m.plan = ?1 AND m.position > ?2 ORDER BY m.position LIMIT ?3"
            ))?;
            let rows = select.query_map(params![extent.plan, after, max], |row| {
                Ok((row.get(6)?, read_link(row, &names)?.1))
            })?;
            rows.collect()
        })
    }

    /// As [`Self::load_removals`], of those with a label or of the others, and without an outcome, with their ends as the connection's
    /// records are bound now.
    ///
    /// # Errors
    /// As [`Self::load_removals`].
    pub fn load_open_removals(
        &self,
        plan: &PlanId,
        connection: &ConnectionId,
        labels: Labels,
        after: i64,
        max: u32,
    ) -> Result<Vec<OpenRemoval>, StoreError> {
        let extent = self.extent(plan)?;
        self.read(format_args!("load what plan {plan} takes away"), |db| {
            let names = load_objects(db)?;
            let mut select = db.prepare_cached(&format!(
                "SELECT {LINK_COLUMNS}, m.position, {END_COLUMNS}
                 FROM planned_removal m CROSS JOIN planned_link l ON l.position = m.made
                 CROSS JOIN association s ON s.id = l.association {ENDS}
                 WHERE m.plan = ?2 AND m.position > ?3 AND s.labelled = ?4
                     AND NOT EXISTS (SELECT 1 FROM removal_outcome o WHERE o.position = m.position)
                 ORDER BY m.position LIMIT ?5"
            ))?;
            let labelled = labels == Labels::With;
            let bound = params![connection.as_str(), extent.plan, after, labelled, max];
            let rows = select.query_map(bound, |row| {
                let planned = read_link(row, &names)?.1;
                Ok(OpenRemoval {
                    position: row.get(6)?,
                    link: read_ends(row, 7, &names, planned.label.clone())?,
                    planned,
                })
            })?;
            rows.collect()
        })
    }

    /// Notes what became of associations that were to be taken away, by their positions, with the reason where one stays.
    ///
    /// # Errors
    /// As every write, also when one of them has an outcome already. None of them is then kept.
    pub fn write_removal_outcomes(
        &mut self,
        run: RunId,
        outcomes: &[(i64, RemovalOutcome, Option<String>)],
    ) -> Result<(), StoreError> {
        self.write(
            Commit::Removals,
            format_args!("note removals of run {run}"),
            |tx| {
                let mut insert = tx.prepare_cached(
                "INSERT INTO removal_outcome (position, run, kind, error) VALUES (?1, ?2, ?3, ?4)",
            )?;
                for (position, kind, error) in outcomes {
                    insert.execute(params![position, run.0, kind.name(), error])?;
                }
                Ok(())
            },
        )
    }

    /// How many removals of the plan came to what; outcomes that did not occur are left out.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn removal_counts(&self, plan: &PlanId) -> Result<Vec<(RemovalOutcome, u64)>, StoreError> {
        let extent = self.extent(plan)?;
        self.read(format_args!("count removals of plan {plan}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT o.kind, count(*) FROM planned_removal m JOIN removal_outcome o ON o.position = m.position
                 WHERE m.plan = ?1 GROUP BY o.kind",
            )?;
            let rows = select.query_map([extent.plan], |row| {
                Ok((read_outcome(row, 0)?, row.get::<_, i64>(1)?.unsigned_abs()))
            })?;
            let mut counts: Vec<_> = rows.collect::<Result<_, _>>()?;
            counts.sort();
            Ok(counts)
        })
    }

    /// The next associations that the run took away and of which no roll back noted anything, behind the position `after`, at most `max`.
    ///
    /// # Errors
    /// As every read.
    pub fn load_removed_links(
        &self,
        written: &Written<'_>,
        labels: Labels,
        after: i64,
        max: u32,
    ) -> Result<Vec<RemovedLink>, StoreError> {
        self.read(format_args!("load associations that run {} took away", written.run), |db| {
            let names = load_objects(db)?;
            let mut select = db.prepare_cached(&format!(
                "SELECT o.position, iif(s.labelled, s.label, NULL), {END_COLUMNS}
                 FROM removal_outcome o CROSS JOIN planned_removal m ON m.position = o.position
                 CROSS JOIN planned_link l ON l.position = m.made CROSS JOIN association s ON s.id = l.association {ENDS}
                 WHERE o.run = ?2 AND o.kind = 'removed' AND o.position > ?3 AND s.labelled = ?4
                     AND NOT EXISTS (SELECT 1 FROM undo_removal_outcome u WHERE u.position = o.position)
                 ORDER BY o.position LIMIT ?5"
            ))?;
            let labelled = labels == Labels::With;
            let bound = params![written.connection.as_str(), written.run.0, after, labelled, max];
            let rows = select.query_map(bound, |row| {
                Ok(RemovedLink { position: row.get(0)?, link: read_ends(row, 2, &names, row.get(1)?)? })
            })?;
            rows.collect()
        })
    }

    /// Notes what became of associations that were to be made again because the run that took them away is rolled back.
    ///
    /// # Errors
    /// As every write, also when one of them was not taken away by that run. None of them is then kept.
    pub fn write_undo_removal_outcomes(
        &mut self,
        run: RunId,
        outcomes: &[(i64, LinkOutcome, Option<String>)],
    ) -> Result<(), StoreError> {
        self.write(Commit::Undo, format_args!("note associations of roll back {run}"), |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO undo_removal_outcome (position, run, kind, error) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (position, kind, error) in outcomes {
                insert.execute(params![position, run.0, kind.name(), error])?;
            }
            Ok(())
        })
    }

    /// What became of associations that a roll back was to make again: how many of each kind.
    ///
    /// # Errors
    /// As every read.
    pub fn undo_removal_counts(&self, run: RunId) -> Result<Vec<(LinkOutcome, u64)>, StoreError> {
        self.read(
            format_args!("count associations of roll back {run}"),
            |db| {
                let mut select = db.prepare_cached(
                    "SELECT kind, count(*) FROM undo_removal_outcome WHERE run = ?1 GROUP BY kind",
                )?;
                let rows = select.query_map([run.0], |row| {
                    let name: String = row.get(0)?;
                    let kind = LinkOutcome::find(&name).ok_or_else(|| unknown_word(0, &name))?;
                    Ok((kind, row.get::<_, i64>(1)?.unsigned_abs()))
                })?;
                let mut counts: Vec<_> = rows.collect::<Result<_, _>>()?;
                counts.sort();
                Ok(counts)
            },
        )
    }
}

/// The outcome in that column.
pub(crate) fn read_outcome(row: &Row<'_>, column: usize) -> rusqlite::Result<RemovalOutcome> {
    let name: String = row.get(column)?;
    RemovalOutcome::find(&name).ok_or_else(|| unknown_word(column, &name))
}
