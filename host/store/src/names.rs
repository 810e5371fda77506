//! The numbers that stand for the names of objects and kinds of links in the large tables.
//!
//! A number is given once and never changes; it is given outside of any other transaction, so that none can take it back.

use std::cell::RefCell;
use std::collections::HashMap;

use model::ObjectName;
use model::plan::PlannedLink;
use rusqlite::{Connection, OptionalExtension as _, params};

/// Stands in place of a connection where a name is not about one.
pub(crate) const NO_CONNECTION: &str = "";

/// Numbers by name.
type Numbers = HashMap<Box<str>, i64>;

/// What was looked up before, by connection.
#[derive(Debug, Default)]
pub(crate) struct Names {
    objects: RefCell<HashMap<Box<str>, Numbers>>,
}

impl Names {
    /// The number of that object, where it has one.
    pub(crate) fn find_object(
        &self,
        db: &Connection,
        connection: &str,
        object: &str,
    ) -> rusqlite::Result<Option<i64>> {
        let known = self
            .objects
            .borrow()
            .get(connection)
            .and_then(|objects| objects.get(object))
            .copied();
        if known.is_some() {
            return Ok(known);
        }
        let mut select =
            db.prepare_cached("SELECT id FROM object WHERE connection = ?1 AND name = ?2")?;
        let found = select
            .query_row(params![connection, object], |row| row.get(0))
            .optional()?;
        if let Some(id) = found {
            self.objects
                .borrow_mut()
                .entry(connection.into())
                .or_default()
                .insert(object.into(), id);
        }
        Ok(found)
    }

    /// The number of that object, given now where it has none.
    pub(crate) fn intern_object(
        &self,
        db: &Connection,
        connection: &str,
        object: &str,
    ) -> rusqlite::Result<i64> {
        if let Some(id) = self.find_object(db, connection, object)? {
            return Ok(id);
        }
        db.execute(
            "INSERT INTO object (connection, name) VALUES (?1, ?2)",
            params![connection, object],
        )?;
        Ok(db.last_insert_rowid())
    }

    /// The number of that kind of link, given now where it has none.
    pub(crate) fn intern_association(
        &self,
        db: &Connection,
        link: &PlannedLink,
    ) -> rusqlite::Result<i64> {
        let from = self.intern_object(db, NO_CONNECTION, link.from_object.as_str())?;
        let to = self.intern_object(db, NO_CONNECTION, link.to_object.as_str())?;
        let (labelled, label) = (link.label.is_some(), link.label.as_deref().unwrap_or(""));
        let kind = params![from, to, labelled, label];
        let mut select = db.prepare_cached(
            "SELECT id FROM association WHERE from_object = ?1 AND to_object = ?2 AND labelled = ?3 AND label = ?4",
        )?;
        if let Some(id) = select.query_row(kind, |row| row.get(0)).optional()? {
            return Ok(id);
        }
        db.execute("INSERT INTO association (from_object, to_object, labelled, label) VALUES (?1, ?2, ?3, ?4)", kind)?;
        Ok(db.last_insert_rowid())
    }
}

/// All names by their numbers; there are few.
pub(crate) fn load_objects(db: &Connection) -> rusqlite::Result<HashMap<i64, ObjectName>> {
    let mut select = db.prepare_cached("SELECT id, name FROM object")?;
    select
        .query_map([], |row| {
            Ok((row.get(0)?, ObjectName::from(row.get::<_, String>(1)?)))
        })?
        .collect()
}
