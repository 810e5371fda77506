//! Plans as they are written: in batches, then sealed with a hash.
//!
//! What is in a plan is decided elsewhere; here it only becomes durable, in order, and unchangeable.

use model::plan::{ObjectCounts, Plan, PlanHeader, PlannedAction, PlannedLink};
use model::{Instant, ObjectName, PlanId};
use rusqlite::{Transaction, params};

use crate::action::action_text;
use crate::canon::{LinkText, PlanHasher};
use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::names::NO_CONNECTION;
use crate::plan::{Extent, header_text};

/// How many rows of an abandoned plan are removed in one transaction.
const REMOVED_AT_ONCE: i64 = 20_000;

/// A plan that is being written. It is given to the store with each batch, so that the store can be read in between.
#[derive(Debug)]
pub struct PlanWriter {
    pub(crate) plan: i64,
    pub(crate) hasher: PlanHasher,
    first_action: i64,
    next_action: i64,
    first_link: i64,
    next_link: i64,
    pub(crate) removals: u64,
    objects: Vec<ObjectTally>,
}

#[derive(Clone, Debug)]
struct ObjectTally {
    id: i64,
    name: ObjectName,
    first: i64,
    last: i64,
    counts: ObjectCounts,
}

impl PlanWriter {
    /// What was added so far, object by object, in the order in which they first came: for the header.
    pub fn counts(&self) -> Vec<(ObjectName, ObjectCounts)> {
        self.objects
            .iter()
            .map(|tally| (tally.name.clone(), tally.counts.clone()))
            .collect()
    }

    /// How many links were added so far: for the header.
    pub fn links(&self) -> u64 {
        (self.next_link - self.first_link).unsigned_abs()
    }

    /// How many associations are to be taken away: for the header.
    pub fn removals(&self) -> u64 {
        self.removals
    }

    /// Where what was added so far lies.
    pub(crate) fn extent(&self) -> Extent {
        Extent {
            plan: self.plan,
            first_action: self.first_action,
            last_action: self.next_action - 1,
            first_link: self.first_link,
            last_link: self.next_link - 1,
        }
    }

    /// Adds actions in this order, in one transaction.
    ///
    /// # Errors
    /// As every write; none of these actions is then added, and the batch may be tried again.
    pub fn add_actions(
        &mut self,
        store: &mut Store,
        actions: &[PlannedAction],
    ) -> Result<(), StoreError> {
        let (mut hasher, mut objects) = (self.hasher.clone(), self.objects.clone());
        let mut places = Vec::with_capacity(actions.len());
        for (action, position) in actions.iter().zip(self.next_action..) {
            let at = tally(store, &mut objects, &action.object, position)?;
            objects[at].counts.add(action.action.kind());
            places.push(objects[at].id);
        }
        let (plan, first) = (self.plan, self.next_action);
        let next = store.write(
            Commit::PlanBatch,
            format_args!("add actions to the plan"),
            |tx| insert_actions(tx, plan, first, actions, &places, &mut hasher),
        )?;
        (self.hasher, self.objects, self.next_action) = (hasher, objects, next);
        Ok(())
    }

    /// Adds links in this order, in one transaction.
    ///
    /// # Errors
    /// As every write; none of these links is then added, and the batch may be tried again.
    pub fn add_links(
        &mut self,
        store: &mut Store,
        links: &[PlannedLink],
    ) -> Result<(), StoreError> {
        let mut hasher = self.hasher.clone();
        let associations = intern_associations(store, links)?;
        let (plan, first) = (self.plan, self.next_link);
        let next = store.write(Commit::PlanBatch, format_args!("add links to the plan"), |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO planned_link (position, plan, association, from_id, to_id) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            let mut position = first;
            for (link, association) in links.iter().zip(associations) {
                insert.execute(params![position, plan, association, link.from.as_str(), link.to.as_str()])?;
                hasher.link(&LinkText {
                    from_object: link.from_object.as_str(),
                    from: link.from.as_str(),
                    to_object: link.to_object.as_str(),
                    to: link.to.as_str(),
                    label: link.label.as_deref(),
                });
                position += 1;
            }
            Ok(position)
        })?;
        (self.hasher, self.next_link) = (hasher, next);
        Ok(())
    }

    /// Completes the plan: from here on it has a hash and never changes. Where a plan of the same hash exists, it is that one.
    ///
    /// # Errors
    /// As every write; the plan is then not complete, and goes when the next one is begun.
    pub fn seal(self, store: &mut Store, header: PlanHeader) -> Result<Plan, StoreError> {
        let text = header_text(&header)?;
        let hash = self.hasher.finish(&text);
        let id = PlanId::from(&hash[..16]);
        let plan = Plan {
            id: id.clone(),
            hash: hash.clone(),
            header,
        };
        if store.find_extent(&id)?.is_some() {
            store.remove_abandoned_plans()?;
            return Ok(plan);
        }
        let (number, now) = (self.plan, Instant::now().unix_us());
        store.write(Commit::PlanSeal, format_args!("seal plan {id}"), |tx| {
            for object in &self.objects {
                tx.execute(
                    "INSERT INTO plan_object (plan, object, first_action, last_action) VALUES (?1, ?2, ?3, ?4)",
                    [number, object.id, object.first, object.last],
                )?;
            }
            tx.execute(
                "UPDATE plan SET plan_id = ?2, hash = ?3, header = ?4, sealed_at = ?5, first_action = ?6, last_action = ?7,
                 first_link = ?8, last_link = ?9 WHERE id = ?1",
                params![
                    number,
                    id.as_str(),
                    hash,
                    text,
                    now,
                    self.first_action,
                    self.next_action - 1,
                    self.first_link,
                    self.next_link - 1
                ],
            )?;
            Ok(())
        })?;
        Ok(plan)
    }
}

impl Store {
    /// Begins a plan. One that was begun before and never sealed, because of a crash, is removed.
    ///
    /// # Errors
    /// As every write.
    pub fn begin_plan(&mut self) -> Result<PlanWriter, StoreError> {
        self.remove_abandoned_plans()?;
        self.write(Commit::State, format_args!("begin a plan"), |tx| {
            let next = |table: &str| {
                let select = format!("SELECT coalesce(max(position), 0) + 1 FROM {table}");
                tx.query_row(&select, [], |row| row.get::<_, i64>(0))
            };
            let (action, link) = (next("action")?, next("planned_link")?);
            tx.execute("INSERT INTO plan (hash) VALUES (NULL)", [])?;
            Ok(PlanWriter {
                plan: tx.last_insert_rowid(),
                hasher: PlanHasher::default(),
                first_action: action,
                next_action: action,
                first_link: link,
                next_link: link,
                removals: 0,
                objects: Vec::new(),
            })
        })
    }

    /// Removes plans that were never sealed, in small transactions: a large plan would need as much journal as it is large.
    fn remove_abandoned_plans(&mut self) -> Result<(), StoreError> {
        let doing = format_args!("remove an abandoned plan");
        let abandoned: Vec<i64> = self.read(doing, |db| {
            let mut select = db.prepare_cached("SELECT id FROM plan WHERE hash IS NULL")?;
            select.query_map([], |row| row.get(0))?.collect()
        })?;
        if abandoned.is_empty() {
            return Ok(());
        }
        // Sealed plans lie before the abandoned one, which was the last to be written.
        let (action, link) = self.read(doing, |db| {
            let select = "SELECT coalesce(max(last_action), 0), coalesce(max(last_link), 0) FROM plan WHERE hash IS NOT NULL";
            db.query_row(select, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        })?;
        for (table, sealed) in [("action", action), ("planned_link", link)] {
            let select = format!("SELECT coalesce(max(position), 0) FROM {table}");
            let mut end = self.read(doing, |db| {
                db.query_row(&select, [], |row| row.get::<_, i64>(0))
            })?;
            while end > sealed {
                let start = (end - REMOVED_AT_ONCE).max(sealed);
                let delete = format!("DELETE FROM {table} WHERE position > ?1 AND position <= ?2");
                self.write(Commit::State, doing, |tx| tx.execute(&delete, [start, end]))?;
                end = start;
            }
        }
        self.write(Commit::State, doing, |tx| {
            tx.execute(
                "DELETE FROM planned_removal WHERE plan IN (SELECT id FROM plan WHERE hash IS NULL)",
                [],
            )?;
            tx.execute("DELETE FROM plan WHERE hash IS NULL", [])
        })?;
        Ok(())
    }
}

fn tally(
    store: &Store,
    objects: &mut Vec<ObjectTally>,
    name: &ObjectName,
    position: i64,
) -> Result<usize, StoreError> {
    // Actions come object by object, so the last one is nearly always it.
    if let Some(at) = objects.iter().rposition(|tally| tally.name == *name) {
        objects[at].last = position;
        return Ok(at);
    }
    let id = store.intern_object(NO_CONNECTION, name)?;
    let (first, last, counts) = (position, position, ObjectCounts::default());
    objects.push(ObjectTally {
        id,
        name: name.clone(),
        first,
        last,
        counts,
    });
    Ok(objects.len() - 1)
}

fn insert_actions(
    tx: &Transaction<'_>,
    plan: i64,
    first: i64,
    actions: &[PlannedAction],
    objects: &[i64],
    hasher: &mut PlanHasher,
) -> rusqlite::Result<i64> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO action (position, plan, object, kind, source_id, reason, destination_id, survivor, row, before)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let (mut position, mut reason_text) = (first, Vec::with_capacity(64));
    for (action, object) in actions.iter().zip(objects) {
        reason_text.clear();
        serde_json::to_writer(&mut reason_text, action.action.reason())
            .expect("a reason is plain JSON");
        let reason = std::str::from_utf8(&reason_text).expect("JSON is text");
        let text = action_text(action, reason);
        insert.execute(params![
            position,
            plan,
            object,
            text.kind,
            text.record,
            text.reason,
            text.destination,
            text.survivor,
            text.row,
            text.before
        ])?;
        hasher.action(&text);
        position += 1;
    }
    Ok(position)
}

fn intern_associations(store: &Store, links: &[PlannedLink]) -> Result<Vec<i64>, StoreError> {
    let mut associations: Vec<i64> = Vec::with_capacity(links.len());
    let mut known: Vec<(&PlannedLink, i64)> = Vec::new();
    for link in links {
        let same = |other: &&(&PlannedLink, i64)| {
            other.0.from_object == link.from_object
                && other.0.to_object == link.to_object
                && other.0.label == link.label
        };
        let id = match known.iter().find(same) {
            Some((_, id)) => *id,
            None => {
                let id = store.read(format_args!("note an association"), |db| {
                    store.names.intern_association(db, link)
                })?;
                known.push((link, id));
                id
            }
        };
        associations.push(id);
    }
    Ok(associations)
}
