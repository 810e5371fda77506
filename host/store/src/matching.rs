//! The match keys of both sides while a plan is made: which record is the first of those that share a key.
//!
//! They are derived and kept in a temporary database: they cost no syncing, and a crash takes nothing that a new plan would not
//! make again. What a key is, and what follows from two equal ones, is `reconcile`'s.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

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
        self.sieve.clear();
        self.write(Commit::State, format_args!("clear match keys"), |tx| {
            tx.execute_batch("DELETE FROM scratch.match_claim; DELETE FROM scratch.match_key;")
        })
    }

    /// Adds keys of records as (rule, key, record). They are found once they are [settled](Self::settle_match_keys).
    ///
    /// # Errors
    /// As every write; none of these keys is then added.
    pub fn add_match_keys<'k>(
        &mut self,
        side: Side,
        object: &ObjectName,
        keys: &mut dyn Iterator<Item = (&'k str, &'k str, &'k str)>,
    ) -> Result<(), StoreError> {
        let id = self.intern_object(NO_CONNECTION, object)?;
        self.write(Commit::State, format_args!("add match keys of {object}"), |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO scratch.match_claim (hash, side, object, rule, key, record_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for (rule, key, record) in keys {
                insert.execute(params![number(id, rule, key), side.number(), id, rule, key, record])?;
            }
            Ok(())
        })
    }

    /// Finds the keys that several records have, on one side or on both. Of several on one side the smallest id counts, by length and
    /// then by bytes, so that the order in which they came does not matter.
    ///
    /// # Errors
    /// As every write.
    pub fn settle_match_keys(&mut self) -> Result<(), StoreError> {
        let doing = format_args!("settle match keys");
        self.write(Commit::State, doing, |tx| {
            tx.execute_batch(
                "INSERT INTO scratch.shared_hash SELECT hash FROM scratch.match_claim GROUP BY hash HAVING count(*) > 1;
                 INSERT OR IGNORE INTO scratch.match_key (side, object, rule, key, record_id)
                 SELECT side, object, rule, key, record_id FROM scratch.match_claim
                 WHERE hash IN (SELECT hash FROM scratch.shared_hash)
                 ORDER BY side, object, rule, key, octet_length(record_id), record_id;
                 DELETE FROM scratch.match_claim;",
            )
        })?;
        let mut sieve = std::mem::take(&mut self.sieve);
        let filled = self.read(doing, |db| {
            let mut select = db.prepare_cached("SELECT hash FROM scratch.shared_hash")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                sieve.add(row.get(0)?);
            }
            Ok(())
        });
        self.sieve = sieve;
        filled?;
        self.write(Commit::State, doing, |tx| {
            tx.execute_batch("DELETE FROM scratch.shared_hash")
        })
    }

    /// Keys that are found at once and whether others have them or not, in place of whatever they stood for: for what is few.
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

    /// As [`Self::set_match_keys`], but of several records with one key the smallest id is kept.
    ///
    /// # Errors
    /// As [`Self::set_match_keys`].
    pub fn add_few_match_keys<'k>(
        &mut self,
        side: Side,
        object: &ObjectName,
        keys: &mut dyn Iterator<Item = (&'k str, &'k str, &'k str)>,
    ) -> Result<(), StoreError> {
        let smaller = "WHERE (octet_length(excluded.record_id), excluded.record_id) < (octet_length(record_id), record_id)";
        self.put_match_keys(side, object, keys, smaller)
    }

    fn put_match_keys<'k>(
        &mut self,
        side: Side,
        object: &ObjectName,
        keys: &mut dyn Iterator<Item = (&'k str, &'k str, &'k str)>,
        condition: &str,
    ) -> Result<(), StoreError> {
        let id = self.intern_object(NO_CONNECTION, object)?;
        let mut sieve = std::mem::take(&mut self.sieve);
        let put = self.write(Commit::State, format_args!("set match keys of {object}"), |tx| {
            let mut upsert = tx.prepare_cached(&format!(
                "INSERT INTO scratch.match_key (side, object, rule, key, record_id) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (side, object, rule, key) DO UPDATE SET record_id = excluded.record_id {condition}"
            ))?;
            for (rule, key, record) in keys {
                sieve.add(number(id, rule, key));
                upsert.execute(params![side.number(), id, rule, key, record])?;
            }
            Ok(())
        });
        self.sieve = sieve;
        put
    }

    /// The record with that key, the smallest of several; `None` where no record has it or one alone.
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
        if !self.sieve.lets_through(number(id, rule, key)) {
            return Ok(None);
        }
        self.read(format_args!("find a match of {object}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT record_id FROM scratch.match_key WHERE side = ?1 AND object = ?2 AND rule = ?3 AND key = ?4",
            )?;
            select.query_row(params![side.number(), id, rule, key], |row| row.get(0)).optional()
        })
    }
}

/// The number of a key, the same on both sides.
fn number(object: i64, rule: &str, key: &str) -> i64 {
    let mut hasher = DefaultHasher::new();
    (object, rule, key).hash(&mut hasher);
    hasher.finish().cast_signed()
}
