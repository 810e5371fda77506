//! Planned links read back, and those of them that cannot be made because an end is not brought over.
//!
//! The ends are checked all at once by the database, against the plan's own actions; nothing of the plan is changed by it.

use model::plan::PlannedLink;
use model::{ObjectName, PlanId};
use rusqlite::{Row, Transaction, params};

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::names::load_objects;
use crate::plan::Extent;

/// The columns that [`read_link`] reads, from tables `l` and `s`.
pub(crate) const LINK_COLUMNS: &str =
    "l.position, s.from_object, l.from_id, s.to_object, l.to_id, iif(s.labelled, s.label, NULL)";

/// Which ends of a planned link are not brought over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MissingEnds {
    /// The record that carries it.
    From,
    /// The record at the other end.
    To,
    /// Both.
    Both,
}

/// A planned link that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingLink {
    /// Its position among the links.
    pub position: i64,
    /// The link.
    pub link: PlannedLink,
    /// What it lacks.
    pub missing: MissingEnds,
}

impl Store {
    /// The next links of the plan behind the position `after` (0 for the first), at most `max`, in the order of planning.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn load_links(
        &self,
        plan: &PlanId,
        after: i64,
        max: u32,
    ) -> Result<Vec<(i64, PlannedLink)>, StoreError> {
        self.load_links_where(plan, after, max, "")
    }

    /// As [`Self::load_links`], only those without an outcome.
    ///
    /// # Errors
    /// As [`Self::load_links`].
    pub fn load_unfinished_links(
        &self,
        plan: &PlanId,
        after: i64,
        max: u32,
    ) -> Result<Vec<(i64, PlannedLink)>, StoreError> {
        let condition =
            "AND NOT EXISTS (SELECT 1 FROM link_outcome r WHERE r.position = l.position)";
        self.load_links_where(plan, after, max, condition)
    }

    /// Both ends of every plain link of the plan that a record of `from` has to one of `to`, in the order of planning. What a label says
    /// of two records is no more than that.
    ///
    /// # Errors
    /// As [`Self::load_links`].
    pub fn load_plain_links_between(
        &self,
        plan: &PlanId,
        from: &ObjectName,
        to: &ObjectName,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let extent = self.extent(plan)?;
        self.read(format_args!("load links from {from} to {to}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT l.from_id, l.to_id FROM planned_link l
                 WHERE l.position BETWEEN ?1 AND ?2 AND l.association IN (
                     SELECT s.id FROM association s
                     JOIN object f ON f.id = s.from_object JOIN object t ON t.id = s.to_object
                     WHERE f.name = ?3 AND t.name = ?4 AND s.labelled = 0)
                 ORDER BY l.position",
            )?;
            let between = params![
                extent.first_link,
                extent.last_link,
                from.as_str(),
                to.as_str()
            ];
            let rows = select.query_map(between, |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
    }

    fn load_links_where(
        &self,
        plan: &PlanId,
        after: i64,
        max: u32,
        condition: &str,
    ) -> Result<Vec<(i64, PlannedLink)>, StoreError> {
        let extent = self.extent(plan)?;
        self.read(format_args!("load links of plan {plan}"), |db| {
            let names = load_objects(db)?;
            let mut select = db.prepare_cached(&format!(
                "SELECT {LINK_COLUMNS} FROM planned_link l CROSS JOIN association s ON s.id = l.association
                 WHERE l.position > ?1 AND l.position <= ?2 {condition} ORDER BY l.position LIMIT ?3"
            ))?;
            let after = after.max(extent.first_link - 1);
            let rows = select.query_map(params![after, extent.last_link, max], |row| read_link(row, &names))?;
            rows.collect()
        })
    }

    /// Finds the links of the plan that name a record which the plan neither creates, updates, keeps nor links, and says how
    /// many there are. [`Self::load_missing_links`] hands them out until this is called again or the process ends.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every write.
    pub fn mark_missing_ends(&mut self, plan: &PlanId) -> Result<u64, StoreError> {
        let extent = self.extent(plan)?;
        let marked = self.write(Commit::State, format_args!("look for missing ends in plan {plan}"), |tx| {
            tx.execute("DELETE FROM scratch.missing_end", [])?;
            gather_present(tx, &extent)?;
            tx.execute(
                "INSERT INTO scratch.missing_end (position, ends)
                 SELECT position, from_is_missing + 2 * to_is_missing FROM (
                     SELECT l.position AS position,
                            NOT EXISTS (SELECT 1 FROM scratch.present p
                                        WHERE p.object = s.from_object AND p.source_id = l.from_id) AS from_is_missing,
                            NOT EXISTS (SELECT 1 FROM scratch.present p
                                        WHERE p.object = s.to_object AND p.source_id = l.to_id) AS to_is_missing
                     FROM planned_link l CROSS JOIN association s ON s.id = l.association
                     WHERE l.position BETWEEN ?1 AND ?2)
                 WHERE from_is_missing OR to_is_missing",
                [extent.first_link, extent.last_link],
            )
        })?;
        Ok(marked as u64)
    }

    /// The next links with a missing end behind the position `after` (0 for the first), at most `max`.
    ///
    /// # Errors
    /// As every read.
    pub fn load_missing_links(&self, after: i64, max: u32) -> Result<Vec<MissingLink>, StoreError> {
        self.read(format_args!("load links with missing ends"), |db| {
            let names = load_objects(db)?;
            let mut select = db.prepare_cached(&format!(
                "SELECT {LINK_COLUMNS}, m.ends FROM scratch.missing_end m
                 CROSS JOIN planned_link l ON l.position = m.position CROSS JOIN association s ON s.id = l.association
                 WHERE m.position > ?1 ORDER BY m.position LIMIT ?2"
            ))?;
            let rows = select.query_map(params![after, max], |row| {
                let (position, link) = read_link(row, &names)?;
                let missing = match row.get(6)? {
                    1 => MissingEnds::From,
                    2 => MissingEnds::To,
                    3 => MissingEnds::Both,
                    other => return Err(rusqlite::Error::IntegralValueOutOfRange(6, other)),
                };
                Ok(MissingLink { position, link, missing })
            })?;
            rows.collect()
        })
    }
}

/// Gathers the records that the plan brings to the destination.
pub(crate) fn gather_present(tx: &Transaction<'_>, extent: &Extent) -> rusqlite::Result<usize> {
    tx.execute("DELETE FROM scratch.present", [])?;
    tx.execute(
        "INSERT OR IGNORE INTO scratch.present (object, source_id)
         SELECT object, source_id FROM action
         WHERE position BETWEEN ?1 AND ?2 AND kind IN ('create', 'update', 'keep', 'link')",
        [extent.first_action, extent.last_action],
    )
}

pub(crate) fn read_link(
    row: &Row<'_>,
    names: &std::collections::HashMap<i64, ObjectName>,
) -> rusqlite::Result<(i64, PlannedLink)> {
    let name = |column: usize| {
        let id = row.get(column)?;
        names
            .get(&id)
            .cloned()
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, id))
    };
    let link = PlannedLink {
        from_object: name(1)?,
        from: row.get::<_, String>(2)?.into(),
        to_object: name(3)?,
        to: row.get::<_, String>(4)?.into(),
        label: row.get(5)?,
    };
    Ok((row.get(0)?, link))
}
