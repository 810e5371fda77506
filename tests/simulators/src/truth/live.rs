//! Decides what changed after the truth was told: edits made while somebody reads, on top of records that never change.
//!
//! It changes one text of a record and its time of change; it neither adds nor deletes.

use super::{Activity, Crm, Deal, Kind, Moment, Organization, Person};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// One edit made while somebody was reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Kind of the record.
    pub kind: Kind,
    /// Its number.
    pub id: u64,
    /// Its new time of change; later than any other.
    pub at: Moment,
}

#[derive(Default)]
struct Edits {
    log: Vec<Change>,
    by_record: HashMap<(Kind, u64), Moment>,
}

/// A company's truth with the edits made since.
#[derive(Clone)]
pub struct Live {
    base: Arc<dyn Crm>,
    edits: Arc<RwLock<Edits>>,
    edited: Arc<AtomicBool>,
}

impl Live {
    /// Wraps a truth nobody has edited yet.
    pub fn new(base: Arc<dyn Crm>) -> Self {
        Self {
            base,
            edits: Arc::default(),
            edited: Arc::default(),
        }
    }

    /// The truth as it was at the start.
    pub fn base(&self) -> &dyn Crm {
        self.base.as_ref()
    }

    /// The edits in the order they were made.
    pub fn changes(&self) -> Vec<Change> {
        self.edits
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .log
            .clone()
    }

    /// Edits a person, organization, deal or activity: the name (title, subject) gets " (edited)", the time
    /// of change becomes the latest of all. A record is edited once; true if this was it.
    pub fn edit(&self, kind: Kind, id: u64) -> bool {
        let mut edits = self.edits.write().unwrap_or_else(PoisonError::into_inner);
        if edits.by_record.contains_key(&(kind, id)) {
            return false;
        }
        let at = self
            .base
            .company()
            .now
            .plus_seconds(edits.log.len() as i64 + 1);
        edits.log.push(Change { kind, id, at });
        edits.by_record.insert((kind, id), at);
        self.edited.store(true, Ordering::Release);
        true
    }

    fn edited_at(&self, kind: Kind, id: u64) -> Option<Moment> {
        if !self.edited.load(Ordering::Acquire) {
            return None;
        }
        self.edits
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_record
            .get(&(kind, id))
            .copied()
    }

    /// How many places the order by last change has: an edited record leaves its place and takes one at the end.
    pub fn update_places(&self, kind: Kind) -> u64 {
        let edits = self.edits.read().unwrap_or_else(PoisonError::into_inner);
        self.base.count(kind)
            + edits
                .log
                .iter()
                .filter(|change| change.kind == kind)
                .count() as u64
    }

    /// The record at a place of the order by last change; none where an edited record stood.
    pub fn at_update_place(&self, kind: Kind, place: u64) -> Option<u64> {
        let count = self.base.count(kind);
        if place < count {
            return Some(self.base.by_update(kind, place))
                .filter(|id| self.edited_at(kind, *id).is_none());
        }
        let edits = self.edits.read().unwrap_or_else(PoisonError::into_inner);
        edits
            .log
            .iter()
            .filter(|change| change.kind == kind)
            .nth((place - count) as usize)
            .map(|change| change.id)
    }

    /// The organization as it is now.
    pub fn organization(&self, id: u64) -> Option<Organization> {
        let mut record = self.base.organization(id)?;
        if let Some(at) = self.edited_at(Kind::Organization, id) {
            edit(&mut record.name, &mut record.updated, at);
        }
        Some(record)
    }

    /// The person as it is now.
    pub fn person(&self, id: u64) -> Option<Person> {
        let mut record = self.base.person(id)?;
        if let Some(at) = self.edited_at(Kind::Person, id) {
            edit(&mut record.name, &mut record.updated, at);
        }
        Some(record)
    }

    /// The deal as it is now.
    pub fn deal(&self, id: u64) -> Option<Deal> {
        let mut record = self.base.deal(id)?;
        if let Some(at) = self.edited_at(Kind::Deal, id) {
            edit(&mut record.title, &mut record.updated, at);
        }
        Some(record)
    }

    /// The activity as it is now.
    pub fn activity(&self, id: u64) -> Option<Activity> {
        let mut record = self.base.activity(id)?;
        if let Some(at) = self.edited_at(Kind::Activity, id) {
            edit(&mut record.subject, &mut record.updated, at);
        }
        Some(record)
    }
}

fn edit(text: &mut String, updated: &mut Moment, at: Moment) {
    text.push_str(" (edited)");
    *updated = at;
}
