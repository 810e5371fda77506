//! Which record of the destination stands for which record of a source.
//!
//! An identity is written with the outcome that made it, by [`crate::ledger`], and never alone.

use model::{ConnectionId, DestinationRecordId, ObjectName, SourceRecordId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::database::Store;
use crate::error::StoreError;
use crate::names::NO_CONNECTION;

/// One source record's stand-in at the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The source's record.
    pub source: SourceRecordId,
    /// The destination's object.
    pub destination_object: ObjectName,
    /// The destination's record.
    pub destination: DestinationRecordId,
}

/// A source record that a destination's record stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceEnd {
    /// The connection it was read through.
    pub connection: ConnectionId,
    /// The source's object.
    pub object: ObjectName,
    /// The source's record.
    pub record: SourceRecordId,
}

impl Store {
    /// The destination's record for each of the source's, in the order of the ids. Equal ids that follow each other are looked up once.
    ///
    /// # Errors
    /// As every read.
    pub fn find_identities(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        ids: &[&str],
    ) -> Result<Vec<Option<DestinationRecordId>>, StoreError> {
        let Some(object_id) = self.find_object(connection.as_str(), object)? else {
            return Ok(vec![None; ids.len()]);
        };
        let find = |db: &Connection| {
            let mut select = db.prepare_cached(
                "SELECT destination_id FROM identity WHERE object = ?1 AND source_id = ?2",
            )?;
            let mut found: Vec<Option<DestinationRecordId>> = Vec::with_capacity(ids.len());
            for (place, id) in ids.iter().enumerate() {
                let identity = match place.checked_sub(1) {
                    Some(before) if ids[before] == *id => found[before].clone(),
                    _ => select
                        .query_row(params![object_id, id], |row| row.get::<_, String>(0))
                        .optional()?
                        .map(DestinationRecordId::from),
                };
                found.push(identity);
            }
            Ok(found)
        };
        let doing = format_args!("find identities of {object}");
        match ids.len() {
            0 | 1 => self.read(doing, find),
            _ => self.read_many(doing, find),
        }
    }

    /// The next identities of the object behind the source's record `after` (`None` for the first), at most `max`, in the order
    /// of the source ids' bytes.
    ///
    /// # Errors
    /// As every read.
    pub fn load_identities(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        after: Option<&SourceRecordId>,
        max: u32,
    ) -> Result<Vec<Identity>, StoreError> {
        let Some(id) = self.find_object(connection.as_str(), object)? else {
            return Ok(Vec::new());
        };
        self.read(format_args!("load identities of {object}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT i.source_id, o.name, i.destination_id FROM identity i CROSS JOIN object o ON o.id = i.destination_object
                 WHERE i.object = ?1 AND i.source_id > ?2 ORDER BY i.source_id LIMIT ?3",
            )?;
            let after = after.map_or("", SourceRecordId::as_str);
            let rows = select.query_map(params![id, after, max], |row| {
                Ok(Identity {
                    source: row.get::<_, String>(0)?.into(),
                    destination_object: row.get::<_, String>(1)?.into(),
                    destination: row.get::<_, String>(2)?.into(),
                })
            })?;
            rows.collect()
        })
    }

    /// The records of all sources that a destination's record stands for: several where they were found to be the same.
    ///
    /// # Errors
    /// As every read.
    pub fn find_sources(
        &self,
        destination_object: &ObjectName,
        destination: &DestinationRecordId,
    ) -> Result<Vec<SourceEnd>, StoreError> {
        let Some(id) = self.find_object(NO_CONNECTION, destination_object)? else {
            return Ok(Vec::new());
        };
        self.read(format_args!("find the sources of {destination_object} {destination}"), |db| {
            let mut select = db.prepare_cached(
                "SELECT o.connection, o.name, i.source_id FROM identity i CROSS JOIN object o ON o.id = i.object
                 WHERE i.destination_object = ?1 AND i.destination_id = ?2 ORDER BY o.connection, o.name, i.source_id",
            )?;
            let rows = select.query_map(params![id, destination.as_str()], |row| {
                Ok(SourceEnd {
                    connection: row.get::<_, String>(0)?.into(),
                    object: row.get::<_, String>(1)?.into(),
                    record: row.get::<_, String>(2)?.into(),
                })
            })?;
            rows.collect()
        })
    }
}

/// Binds a source's record to the destination's, in place of an earlier one.
pub(crate) fn save_identity(
    tx: &Transaction<'_>,
    object: i64,
    record: &SourceRecordId,
    destination_object: i64,
    destination: &DestinationRecordId,
) -> rusqlite::Result<()> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO identity (object, source_id, destination_object, destination_id) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (object, source_id)
         DO UPDATE SET destination_object = excluded.destination_object, destination_id = excluded.destination_id
         WHERE destination_object <> excluded.destination_object OR destination_id <> excluded.destination_id",
    )?;
    upsert.execute(params![
        object,
        record.as_str(),
        destination_object,
        destination.as_str()
    ])?;
    Ok(())
}
