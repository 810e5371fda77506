//! The match keys of both sides while a plan is made: which record is the first of those that share a key.
//!
//! They are derived and kept in a temporary database: they cost no syncing, and a crash takes nothing that a new plan would not
//! make again. What a key is, and what follows from two equal ones, is `reconcile`'s.

use model::ObjectName;
use rusqlite::{OptionalExtension as _, params};

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::names::NO_CONNECTION;

/// One of the two sides of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The side read from.
    Source,
    /// The side written to.
    Destination,
}

impl Side {
    fn number(self) -> i64 {
        match self {
            Self::Source => 0,
            Self::Destination => 1,
        }
    }
}

impl Store {
    /// Forgets all match keys, before a plan is made.
    ///
    /// # Errors
    /// As every write.
    pub fn clear_match_keys(&mut self) -> Result<(), StoreError> {
        self.write(Commit::State, format_args!("clear match keys"), |tx| {
            tx.execute("DELETE FROM scratch.match_key", [])?;
            Ok(())
        })
    }

    /// Adds keys of records as (rule, key, record). Of several records with one key the smallest id is kept, by length and then
    /// by bytes, so that the order in which they come does not matter.
    ///
    /// # Errors
    /// As every write; none of these keys is then added.
    pub fn add_match_keys<'k>(
        &mut self,
        side: Side,
        object: &ObjectName,
        keys: &mut dyn Iterator<Item = (&'k str, &'k str, &'k str)>,
    ) -> Result<(), StoreError> {
        let smaller = "WHERE (octet_length(excluded.record_id), excluded.record_id) < (octet_length(record_id), record_id)";
        self.put_match_keys(side, object, keys, smaller)
    }

    /// As [`Self::add_match_keys`], in place of whatever the keys stood for.
    ///
    /// # Errors
    /// As every write; none of these keys is then set.
    pub fn set_match_keys<'k>(
        &mut self,
        side: Side,
        object: &ObjectName,
        keys: &mut dyn Iterator<Item = (&'k str, &'k str, &'k str)>,
    ) -> Result<(), StoreError> {
        self.put_match_keys(side, object, keys, "")
    }

    fn put_match_keys<'k>(
        &mut self,
        side: Side,
        object: &ObjectName,
        keys: &mut dyn Iterator<Item = (&'k str, &'k str, &'k str)>,
        condition: &str,
    ) -> Result<(), StoreError> {
        let id = self.intern_object(NO_CONNECTION, object)?;
        self.write(Commit::State, format_args!("add match keys of {object}"), |tx| {
            let mut upsert = tx.prepare_cached(&format!(
                "INSERT INTO scratch.match_key (side, object, rule, key, record_id) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (side, object, rule, key) DO UPDATE SET record_id = excluded.record_id {condition}"
            ))?;
            for (rule, key, record) in keys {
                upsert.execute(params![side.number(), id, rule, key, record])?;
            }
            Ok(())
        })
    }

    /// The record with that key, the smallest of several.
    ///
    /// # Errors
    /// As every read.
    pub fn find_match(
        &self,
        side: Side,
        object: &ObjectName,
        rule: &str,
        key: &str,
    ) -> Result<Option<String>, StoreError> {
        let Some(id) = self.find_object(NO_CONNECTION, object)? else {
            return Ok(None);
        };
        self.read(format_args!("find a match of {object}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT record_id FROM scratch.match_key WHERE side = ?1 AND object = ?2 AND rule = ?3 AND key = ?4",
            )?;
            select.query_row(params![side.number(), id, rule, key], |row| row.get(0)).optional()
        })
    }
}
