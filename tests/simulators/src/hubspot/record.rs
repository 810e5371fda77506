//! Holds the records of a portal with the indexes that keep writes and reads by id cheap.
//!
//! It decides nothing about what may be written; associations are held apart.

use super::objects::ObjectType;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// Name of a property, shared by all records that have it.
pub type Name = Arc<str>;

/// Values that were written, as strings; an absent one is null.
pub type Values = BTreeMap<Name, String>;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id, unique in the portal over all kinds.
    pub id: u64,
    /// Its values; the computed ones (dates, id, counts) are not among them.
    pub values: Arc<Values>,
    /// Milliseconds since 1970.
    pub created: i64,
    /// Milliseconds since 1970.
    pub updated: i64,
    /// When it went to the recycle bin, in milliseconds since 1970.
    pub archived: Option<i64>,
    /// Ids that were merged into it, oldest first.
    pub merged: Vec<u64>,
    /// The app that created it.
    pub app: u64,
}

/// Ids of records by the value of one unique property.
type ByValue = HashMap<String, u64>;

/// The property that contacts are told apart by; further addresses are in `hs_additional_emails`.
pub(super) const EMAIL: &str = "email";
/// Further addresses of a contact, with semicolons between them.
pub(super) const MORE_EMAILS: &str = "hs_additional_emails";

/// What search knew at some time; only kept where search lags.
#[derive(Debug, Default)]
struct Index {
    lag_ms: i64,
    waiting: VecDeque<(i64, u64, Option<Record>)>,
    known: BTreeMap<u64, Record>,
}

/// All records of one kind.
#[derive(Debug, Default)]
pub(super) struct Table {
    live: BTreeMap<u64, Record>,
    archived: BTreeMap<u64, Record>,
    merged_into: HashMap<u64, u64>,
    unique: HashMap<Name, ByValue>,
    emails: ByValue,
    index: Option<Index>,
}

impl Table {
    /// A table whose search lags so many milliseconds.
    pub(super) fn new(lag_ms: i64) -> Self {
        let index = (lag_ms > 0).then(|| Index {
            lag_ms,
            ..Index::default()
        });
        Self {
            index,
            ..Self::default()
        }
    }

    pub(super) fn live(&self) -> &BTreeMap<u64, Record> {
        &self.live
    }

    pub(super) fn archived(&self) -> &BTreeMap<u64, Record> {
        &self.archived
    }

    /// The record of that id, or the one it was merged into.
    pub(super) fn survivor(&self, id: u64) -> Option<&Record> {
        let mut id = id;
        while let Some(next) = self.merged_into.get(&id) {
            id = *next;
        }
        self.live.get(&id)
    }

    /// The live record that has the value of a unique property (or, for contacts, the address in any case).
    pub(super) fn by_value(&self, name: &str, value: &str) -> Option<u64> {
        if name == EMAIL {
            return self.emails.get(&value.to_lowercase()).copied();
        }
        self.unique.get(name)?.get(value).copied()
    }

    /// Puts a new record in; `unique` tells which of its properties are unique.
    pub(super) fn insert(&mut self, record: Record, unique: impl Fn(&str) -> bool) {
        let id = record.id;
        for (name, value) in record.values.iter() {
            if is_address(name) || unique(name) {
                self.claim(name, value, id);
            }
        }
        self.changed(&record, record.created);
        self.live.insert(id, record);
    }

    /// Changes a live record: `set` holds new values, none clears; `at` becomes its time of change.
    pub(super) fn update(
        &mut self,
        id: u64,
        set: Vec<(Name, Option<String>)>,
        at: i64,
        unique: impl Fn(&str) -> bool,
    ) {
        let Some(mut record) = self.live.remove(&id) else {
            return;
        };
        record.updated = at.max(record.updated);
        let values = Arc::make_mut(&mut record.values);
        for (name, value) in set {
            let special = is_address(&name) || unique(&name);
            if special && let Some(old) = values.get(&name) {
                self.release(&name, old, id);
            }
            match value {
                Some(value) => {
                    if special {
                        self.claim(&name, &value, id);
                    }
                    values.insert(name, value);
                }
                None => {
                    values.remove(&name);
                }
            }
        }
        // An address may have moved between the two properties.
        for name in [EMAIL, MORE_EMAILS] {
            if let Some(value) = values.get(name) {
                for address in addresses(value) {
                    self.emails.entry(address).or_insert(id);
                }
            }
        }
        self.changed(&record, at);
        self.live.insert(id, record);
    }

    /// Moves a record to the recycle bin; its unique values are free again.
    pub(super) fn archive(&mut self, id: u64, at: i64) -> bool {
        let Some(mut record) = self.take(id, at) else {
            return false;
        };
        record.archived = Some(at);
        record.updated = at.max(record.updated);
        self.archived.insert(id, record);
        true
    }

    /// Takes a record out for good, from the recycle bin too.
    pub(super) fn purge(&mut self, id: u64, at: i64) -> Option<Record> {
        self.take(id, at).or_else(|| self.archived.remove(&id))
    }

    /// Takes the loser out and remembers who survived.
    pub(super) fn merge(&mut self, loser: u64, survivor: u64, at: i64) -> Option<Record> {
        let record = self.take(loser, at)?;
        self.merged_into.insert(loser, survivor);
        if let Some(kept) = self.live.get_mut(&survivor) {
            kept.merged.extend(record.merged.iter().copied());
            kept.merged.push(loser);
        }
        Some(record)
    }

    /// Lets search know what it can know at that time.
    pub(super) fn catch_up(&mut self, now: i64) {
        if let Some(index) = &mut self.index {
            index.catch_up(now);
        }
    }

    /// What search finds, as of the last time it caught up.
    pub(super) fn searchable(&self) -> &BTreeMap<u64, Record> {
        self.index.as_ref().map_or(&self.live, |index| &index.known)
    }

    fn take(&mut self, id: u64, at: i64) -> Option<Record> {
        let record = self.live.remove(&id)?;
        for (name, value) in record.values.iter() {
            if is_address(name) || self.unique.contains_key(name) {
                self.release(name, value, id);
            }
        }
        if let Some(index) = &mut self.index {
            index.waiting.push_back((at, id, None));
        }
        Some(record)
    }

    fn claim(&mut self, name: &Name, value: &str, id: u64) {
        if is_address(name) {
            for address in addresses(value) {
                self.emails.insert(address, id);
            }
        } else {
            self.unique
                .entry(Name::clone(name))
                .or_default()
                .insert(value.to_owned(), id);
        }
    }

    fn release(&mut self, name: &str, value: &str, id: u64) {
        if is_address(name) {
            for address in addresses(value) {
                if self.emails.get(&address) == Some(&id) {
                    self.emails.remove(&address);
                }
            }
        } else if let Some(by_value) = self.unique.get_mut(name)
            && by_value.get(value) == Some(&id)
        {
            by_value.remove(value);
        }
    }

    fn changed(&mut self, record: &Record, at: i64) {
        if let Some(index) = &mut self.index {
            index.catch_up(at);
            index
                .waiting
                .push_back((at, record.id, Some(record.clone())));
        }
    }
}

impl Index {
    fn catch_up(&mut self, now: i64) {
        while self
            .waiting
            .front()
            .is_some_and(|(at, _, _)| at + self.lag_ms <= now)
        {
            match self.waiting.pop_front() {
                Some((_, id, Some(record))) => {
                    self.known.insert(id, record);
                }
                Some((_, id, None)) => {
                    self.known.remove(&id);
                }
                None => (),
            }
        }
    }
}

/// Whether a property holds addresses of a contact. Other kinds have no such properties that count: an `email` of theirs is harmless here.
fn is_address(name: &str) -> bool {
    name == EMAIL || name == MORE_EMAILS
}

/// The addresses in a value of `email` or `hs_additional_emails`, in lower case.
pub(super) fn addresses(value: &str) -> impl Iterator<Item = String> + '_ {
    value
        .split(';')
        .map(|address| address.trim().to_lowercase())
        .filter(|address| !address.is_empty())
}

/// All records of a portal.
#[derive(Debug)]
pub(super) struct Store {
    tables: HashMap<ObjectType, Table>,
    lag_ms: i64,
    next: u64,
}

/// Larger than 32 bits, as ids of portals of our days are.
const FIRST_ID: u64 = 20_000_000_001;

impl Store {
    /// An empty one, whose search lags so many milliseconds.
    pub(super) fn new(lag_ms: i64) -> Self {
        Self {
            tables: HashMap::new(),
            lag_ms,
            next: FIRST_ID,
        }
    }

    /// The next id; one sequence for all kinds, so that a mixed-up kind is never found by chance.
    pub(super) fn next_id(&mut self) -> u64 {
        let id = self.next;
        self.next += 1;
        id
    }

    pub(super) fn table(&self, object_type: ObjectType) -> Option<&Table> {
        self.tables.get(&object_type)
    }

    pub(super) fn table_mut(&mut self, object_type: ObjectType) -> &mut Table {
        let lag = self.lag_ms;
        self.tables
            .entry(object_type)
            .or_insert_with(|| Table::new(lag))
    }

    /// The live record of that very id.
    pub(super) fn live(&self, object_type: ObjectType, id: u64) -> Option<&Record> {
        self.table(object_type)?.live.get(&id)
    }
}
