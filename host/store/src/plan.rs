//! Plans as they are read back: whole headers, and actions in batches.
//!
//! A sealed plan never changes; the file itself refuses. Writing one is [`crate::writer`]'s, approving it `model`'s.

use model::plan::{ActionKind, Plan, PlanHeader, PlannedAction};
use model::{ObjectName, PlanId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, Rows, params};

use crate::action::{ACTION_COLUMNS, BATCH_MAX_BYTES, kind_filter, read_action, row_bytes};
use crate::canon::{ActionText, LinkText, PlanHasher};
use crate::database::Store;
use crate::error::StoreError;
use crate::names::{NO_CONNECTION, load_objects};
use crate::progress::unknown_word;

/// Where a sealed plan's actions and links lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) plan: i64,
    pub(crate) first_action: i64,
    pub(crate) last_action: i64,
    pub(crate) first_link: i64,
    pub(crate) last_link: i64,
}

/// From object, to object, label, and how many associations.
pub type LinkCount = (ObjectName, ObjectName, Option<String>, u64);

impl Store {
    /// The sealed plan of that id, `None` where there is none.
    ///
    /// # Errors
    /// As every read.
    pub fn load_plan(&self, id: &PlanId) -> Result<Option<Plan>, StoreError> {
        self.read(format_args!("load plan {id}"), |db| {
            let select = "SELECT hash, header FROM plan WHERE plan_id = ?1";
            db.query_row(select, [id.as_str()], read_plan).optional()
        })
    }

    /// The plan that was sealed last, `None` where there is none.
    ///
    /// # Errors
    /// As every read.
    pub fn latest_plan(&self) -> Result<Option<Plan>, StoreError> {
        self.read(format_args!("load the latest plan"), |db| {
            let select =
                "SELECT hash, header FROM plan WHERE hash IS NOT NULL ORDER BY id DESC LIMIT 1";
            db.query_row(select, [], read_plan).optional()
        })
    }

    /// Takes the hash of everything that is stored of the plan again, and holds it against the plan's own.
    ///
    /// # Errors
    /// [`StoreError::Altered`] when they differ; else as every read.
    pub fn verify_plan(&self, plan: &Plan) -> Result<(), StoreError> {
        let extent = self.extent(&plan.id)?;
        let (header, hash) = self.read(format_args!("verify plan {}", plan.id), |db| {
            let select = "SELECT header FROM plan WHERE id = ?1";
            let header: String = db.query_row(select, [extent.plan], |row| row.get(0))?;
            let mut hasher = PlanHasher::default();
            hash_actions(db, extent, &mut hasher)?;
            hash_links(db, extent, &mut hasher)?;
            hash_removals(db, extent, &mut hasher)?;
            let hash = hasher.finish(&header);
            Ok((header, hash))
        })?;
        let altered = |detail: String| {
            Err(StoreError::Altered {
                plan: plan.id.clone(),
                detail,
            })
        };
        if hash != plan.hash {
            return altered(format!(
                "what is stored has hash {hash}, the plan has {}",
                plan.hash
            ));
        }
        if header != header_text(&plan.header)? {
            return altered(
                "the header that was approved is not the one that is stored".to_owned(),
            );
        }
        Ok(())
    }

    /// The next actions of one source object behind the position `after` (0 for the first), at most `max`, of these kinds only
    /// (none given: of every kind). A batch may be shorter where rows are large; the end is reached when there is none.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn load_actions(
        &self,
        plan: &PlanId,
        object: &ObjectName,
        after: i64,
        max: u32,
        kinds: &[ActionKind],
    ) -> Result<Vec<(i64, PlannedAction)>, StoreError> {
        self.load_actions_where(plan, object, after, max, &kind_filter(kinds))
    }

    /// As [`Self::load_actions`], with a condition of our own on `a`.
    pub(crate) fn load_actions_where(
        &self,
        plan: &PlanId,
        object: &ObjectName,
        after: i64,
        max: u32,
        condition: &str,
    ) -> Result<Vec<(i64, PlannedAction)>, StoreError> {
        let Some((id, first, last)) = self.find_object_extent(plan, object)? else {
            return Ok(Vec::new());
        };
        self.read(format_args!("load actions of {object}"), |db| {
            let mut select = db.prepare_cached(&format!(
                "SELECT {ACTION_COLUMNS} FROM action a
                 WHERE a.position > ?1 AND a.position <= ?2 AND a.object = ?3 {condition} ORDER BY a.position LIMIT ?4"
            ))?;
            let mut rows = select.query(params![after.max(first - 1), last, id, max])?;
            let (mut actions, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let (position, record, action) = read_action(row)?;
                bytes += row_bytes(&action);
                actions.push((position, PlannedAction { object: object.clone(), record, action }));
                if bytes >= BATCH_MAX_BYTES {
                    break;
                }
            }
            Ok(actions)
        })
    }

    /// How many associations of each kind are planned: from object, to object (of the source), label, and how many.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such plan; else as every read.
    pub fn planned_link_counts(&self, plan: &PlanId) -> Result<Vec<LinkCount>, StoreError> {
        let extent = self.extent(plan)?;
        let links =
            "SELECT association FROM planned_link WHERE position BETWEEN ?1 AND ?2 AND plan = ?3";
        self.count_links(plan, links, extent)
    }

    /// As [`Self::planned_link_counts`], of the associations that are to be taken away.
    ///
    /// # Errors
    /// As [`Self::planned_link_counts`].
    pub fn planned_removal_counts(&self, plan: &PlanId) -> Result<Vec<LinkCount>, StoreError> {
        let extent = self.extent(plan)?;
        let links =
            "SELECT l.association FROM planned_removal m JOIN planned_link l ON l.position = m.made
             WHERE m.plan = ?3 AND ?1 IS NOT NULL AND ?2 IS NOT NULL";
        self.count_links(plan, links, extent)
    }

    fn count_links(
        &self,
        plan: &PlanId,
        links: &str,
        extent: Extent,
    ) -> Result<Vec<LinkCount>, StoreError> {
        self.read(format_args!("count the associations of plan {plan}"), |db| {
            let mut select = db.prepare_cached(&format!(
                "SELECT f.name, t.name, a.labelled, a.label, n.links
                 FROM (SELECT association, count(*) AS links FROM ({links}) GROUP BY association) n
                 JOIN association a ON a.id = n.association
                 JOIN object f ON f.id = a.from_object JOIN object t ON t.id = a.to_object ORDER BY f.name, t.name, a.labelled, a.label"
            ))?;
            let counts = select.query_map([extent.first_link, extent.last_link, extent.plan], |row| {
                let (from, to): (String, String) = (row.get(0)?, row.get(1)?);
                let label = row.get::<_, bool>(2)?.then(|| row.get(3)).transpose()?;
                let links = row.get::<_, i64>(4)?.unsigned_abs();
                Ok((from.into(), to.into(), label, links))
            });
            counts?.collect()
        })
    }

    /// Where the plan lies, `None` where there is no such sealed plan.
    pub(crate) fn find_extent(&self, plan: &PlanId) -> Result<Option<Extent>, StoreError> {
        self.read(format_args!("find plan {plan}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT id, first_action, last_action, first_link, last_link FROM plan WHERE plan_id = ?1",
            )?;
            let extent = select.query_row([plan.as_str()], |row| {
                let (first_action, last_action) = (row.get(1)?, row.get(2)?);
                Ok(Extent { plan: row.get(0)?, first_action, last_action, first_link: row.get(3)?, last_link: row.get(4)? })
            });
            extent.optional()
        })
    }

    /// Where the plan lies.
    pub(crate) fn extent(&self, plan: &PlanId) -> Result<Extent, StoreError> {
        self.find_extent(plan)?.ok_or_else(|| StoreError::Unknown {
            what: format!("plan {plan}"),
        })
    }

    /// The number of an object and the first and last position of its actions in the plan, `None` where it has none.
    pub(crate) fn find_object_extent(
        &self,
        plan: &PlanId,
        object: &ObjectName,
    ) -> Result<Option<(i64, i64, i64)>, StoreError> {
        let extent = self.extent(plan)?;
        let Some(id) = self.find_object(NO_CONNECTION, object)? else {
            return Ok(None);
        };
        self.read(format_args!("find {object} in plan {plan}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT first_action, last_action FROM plan_object WHERE plan = ?1 AND object = ?2",
            )?;
            select
                .query_row([extent.plan, id], |row| Ok((id, row.get(0)?, row.get(1)?)))
                .optional()
        })
    }
}

/// The header as it is stored and hashed.
pub(crate) fn header_text(header: &PlanHeader) -> Result<String, StoreError> {
    serde_json::to_string(header).map_err(|source| StoreError::Document {
        kind: "plan header".to_owned(),
        key: header.connection.to_string(),
        source,
    })
}

pub(crate) fn read_plan(row: &Row<'_>) -> rusqlite::Result<Plan> {
    let hash: String = row.get(0)?;
    let header = serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(error))
    })?;
    let id = hash.get(..16).ok_or_else(|| unknown_word(0, &hash))?;
    Ok(Plan {
        id: PlanId::from(id),
        hash,
        header,
    })
}

fn hash_actions(db: &Connection, extent: Extent, hasher: &mut PlanHasher) -> rusqlite::Result<()> {
    let names = load_objects(db)?;
    let mut select = db.prepare_cached(&format!(
        "SELECT {ACTION_COLUMNS}, a.object FROM action a WHERE a.position BETWEEN ?1 AND ?2 ORDER BY a.position"
    ))?;
    let mut rows = select.query([extent.first_action, extent.last_action])?;
    while let Some(row) = rows.next()? {
        hasher.action(&ActionText {
            object: names.get(&row.get(8)?).map_or("", ObjectName::as_str),
            record: row.get_ref(2)?.as_str()?,
            kind: row.get_ref(1)?.as_str()?,
            reason: row.get_ref(3)?.as_str()?,
            destination: row.get_ref(4)?.as_str_or_null()?,
            survivor: row.get_ref(5)?.as_str_or_null()?,
            row: row.get_ref(6)?.as_str_or_null()?,
            before: row.get_ref(7)?.as_str_or_null()?,
        });
    }
    Ok(())
}

const LINK_TEXT: &str =
    "s.from_object, l.from_id, s.to_object, l.to_id, iif(s.labelled, s.label, NULL)";

fn hash_links(db: &Connection, extent: Extent, hasher: &mut PlanHasher) -> rusqlite::Result<()> {
    let mut select = db.prepare_cached(&format!(
        "SELECT {LINK_TEXT} FROM planned_link l CROSS JOIN association s ON s.id = l.association
         WHERE l.position BETWEEN ?1 AND ?2 ORDER BY l.position"
    ))?;
    let rows = select.query([extent.first_link, extent.last_link])?;
    for_each_link(db, rows, |link| hasher.link(link))
}

fn hash_removals(db: &Connection, extent: Extent, hasher: &mut PlanHasher) -> rusqlite::Result<()> {
    let mut select = db.prepare_cached(&format!(
        "SELECT {LINK_TEXT} FROM planned_removal m CROSS JOIN planned_link l ON l.position = m.made
         CROSS JOIN association s ON s.id = l.association WHERE m.plan = ?1 ORDER BY m.position"
    ))?;
    let rows = select.query([extent.plan])?;
    for_each_link(db, rows, |link| hasher.removal(link))
}

fn for_each_link(
    db: &Connection,
    mut rows: Rows<'_>,
    mut take: impl FnMut(&LinkText<'_>),
) -> rusqlite::Result<()> {
    let names = load_objects(db)?;
    while let Some(row) = rows.next()? {
        take(&LinkText {
            from_object: names.get(&row.get(0)?).map_or("", ObjectName::as_str),
            from: row.get_ref(1)?.as_str()?,
            to_object: names.get(&row.get(2)?).map_or("", ObjectName::as_str),
            to: row.get_ref(3)?.as_str()?,
            label: row.get_ref(4)?.as_str_or_null()?,
        });
    }
    Ok(())
}
