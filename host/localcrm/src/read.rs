//! Reading records back: by page, by id, by source key, and the columns of one record before it is changed.
//!
//! Archived records are not there. A value that only another program can have put there is an error that names it.

use model::destination::SourceKey;
use model::row::RowWriter;
use model::{Batch, BatchBuilder, Cursor, DestinationRecordId, Instant};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row};

use crate::failure::Failure;
use crate::schema::{Column, ObjectSchema, read_id};
use crate::value::{self, Scratch};

/// Whether records are read with their associations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    Left,
    Read,
}

/// The most records of one page.
const PAGE_MAX: u32 = 10_000;

/// Reads one page in the order of the ids.
pub(crate) fn fetch_page(
    conn: &Connection,
    object: &ObjectSchema,
    cursor: Option<&Cursor>,
    since: Option<Instant>,
    limit: u32,
    links: Links,
) -> Result<(Batch, Option<Cursor>), Failure> {
    let after = match cursor {
        None => 0,
        Some(cursor) => std::str::from_utf8(cursor.as_bytes())
            .ok()
            .and_then(read_id)
            .ok_or(Failure::Cursor)?,
    };
    let limit = limit.clamp(1, PAGE_MAX);
    let mut reader = Reader::new(conn, object, links)?;
    let (columns, table) = (&object.column_list, object.table.table);
    // RFC 3339 texts with and without a fraction do not sort as texts, so instants are compared by julianday, a little early.
    let narrowed = if since.is_some() {
        " AND julianday(updated_at) >= julianday(?3) - 0.00001"
    } else {
        ""
    };
    let sql = format!(
        "SELECT id, updated_at, {columns} FROM {table} WHERE id > ?1 AND archived = 0{narrowed} ORDER BY id LIMIT ?2"
    );
    let mut select = conn.prepare_cached(&sql)?;
    select.raw_bind_parameter(1, after)?;
    select.raw_bind_parameter(2, i64::from(limit) + 1)?;
    if let Some(since) = since {
        select.raw_bind_parameter(3, since.to_string())?;
    }
    let (mut rows, mut last, mut count) = (select.raw_query(), after, 0);
    while let Some(row) = rows.next()? {
        if count == limit {
            return Ok((
                reader.finish(),
                Some(Cursor::new(last.to_string().into_bytes())),
            ));
        }
        last = reader.take(row)?;
        count += 1;
    }
    Ok((reader.finish(), None))
}

/// Reads records by id, in the order of `ids`; those that do not exist are left out.
pub(crate) fn read_records(
    conn: &Connection,
    object: &ObjectSchema,
    ids: &[DestinationRecordId],
) -> Result<Batch, Failure> {
    let mut reader = Reader::new(conn, object, Links::Left)?;
    let (columns, table) = (&object.column_list, object.table.table);
    let sql =
        format!("SELECT id, updated_at, {columns} FROM {table} WHERE id = ?1 AND archived = 0");
    let mut select = conn.prepare_cached(&sql)?;
    for id in ids.iter().filter_map(|id| read_id(id.as_str())) {
        let mut rows = select.query([id])?;
        if let Some(row) = rows.next()? {
            reader.take(row)?;
        }
    }
    Ok(reader.finish())
}

/// Finds records by their source keys, in the order of the keys.
pub(crate) fn find_records(
    conn: &Connection,
    object: &ObjectSchema,
    keys: &[SourceKey],
) -> Result<Vec<Option<DestinationRecordId>>, Failure> {
    let mut select = prepare_find(conn, object)?;
    let mut find = |key: &SourceKey| -> Result<Option<DestinationRecordId>, Failure> {
        let id: Option<i64> = select
            .query_row([key.to_string()], |row| row.get(0))
            .optional()?;
        Ok(id.map(to_id))
    };
    keys.iter().map(&mut find).collect()
}

/// The record of that source key.
pub(crate) fn find_by_source(
    conn: &Connection,
    object: &ObjectSchema,
    key: &str,
) -> rusqlite::Result<Option<i64>> {
    prepare_find(conn, object)?
        .query_row([key], |row| row.get(0))
        .optional()
}

fn prepare_find<'a>(
    conn: &'a Connection,
    object: &ObjectSchema,
) -> rusqlite::Result<CachedStatement<'a>> {
    let table = object.table.table;
    conn.prepare_cached(&format!(
        "SELECT id FROM {table} WHERE longshore_source_id = ?1 AND archived = 0"
    ))
}

/// The id as the doors speak it.
pub(crate) fn to_id(id: i64) -> DestinationRecordId {
    DestinationRecordId::new(id.to_string())
}

/// How many records of that object there are.
pub(crate) fn count(conn: &Connection, object: &ObjectSchema) -> rusqlite::Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM {} WHERE archived = 0",
        object.table.table
    );
    let count: i64 = conn.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Writes those columns of a record as a row into `out`; `None` where there is no such record.
pub(crate) fn write_columns(
    conn: &Connection,
    object: &ObjectSchema,
    id: i64,
    columns: &[u16],
    scratch: &mut Scratch,
    out: &mut RowWriter,
) -> Result<Option<()>, Failure> {
    let mut sql = "SELECT updated_at".to_owned();
    for at in columns {
        sql.push_str(", ");
        sql.push_str(&object.columns[usize::from(*at)].quoted);
    }
    sql.push_str(" FROM ");
    sql.push_str(object.table.table);
    sql.push_str(" WHERE id = ?1 AND archived = 0");
    let mut select = conn.prepare_cached(&sql)?;
    let mut rows = select.query([id])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    out.begin(&id.to_string(), updated_at(object, id, row, 0)?);
    for (place, at) in columns.iter().enumerate() {
        let column = &object.columns[usize::from(*at)];
        let value = value::read(column.kind, row.get_ref(place + 1)?, scratch);
        out.field(
            &column.name,
            value.ok_or_else(|| unreadable(object, id, column))?,
        );
    }
    out.end();
    Ok(Some(()))
}

fn updated_at(
    object: &ObjectSchema,
    id: i64,
    row: &Row<'_>,
    place: usize,
) -> Result<Option<Instant>, Failure> {
    let text = row
        .get_ref(place)?
        .as_str()
        .ok()
        .and_then(|text| text.parse().ok());
    let wrong = || {
        Failure::Asked(format!(
            "local CRM: {} {id}: updated_at is not an instant",
            object.name()
        ))
    };
    text.map(Some).ok_or_else(wrong)
}

fn unreadable(object: &ObjectSchema, id: i64, column: &Column) -> Failure {
    let (object, name, kind) = (object.name(), &column.name, column.kind);
    Failure::Asked(format!(
        "local CRM: {object} {id}: property {name:?} holds something else than {kind}"
    ))
}

/// Builds a batch from rows of `id, updated_at, every column`.
struct Reader<'a> {
    object: &'a ObjectSchema,
    builder: BatchBuilder,
    scratch: Scratch,
    id: String,
    links: Option<CachedStatement<'a>>,
}

impl<'a> Reader<'a> {
    fn new(conn: &'a Connection, object: &'a ObjectSchema, links: Links) -> Result<Self, Failure> {
        let links = match links {
            Links::Left => None,
            Links::Read => Some(conn.prepare_cached(
                "SELECT to_object, to_id, label FROM associations WHERE from_object = ?1 AND from_id = ?2
                 UNION ALL
                 SELECT from_object, from_id, label FROM associations WHERE to_object = ?1 AND to_id = ?2",
            )?),
        };
        let builder = BatchBuilder::new(object.info.clone());
        Ok(Self {
            object,
            builder,
            scratch: Scratch::default(),
            id: String::new(),
            links,
        })
    }

    fn take(&mut self, row: &Row<'_>) -> Result<i64, Failure> {
        let id: i64 = row.get(0)?;
        self.id.clear();
        std::fmt::Write::write_fmt(&mut self.id, format_args!("{id}"))
            .expect("a String takes every write");
        self.builder
            .begin(&self.id, updated_at(self.object, id, row, 1)?);
        for (at, column) in (0_u16..).zip(&self.object.columns) {
            let raw = row.get_ref(usize::from(at) + 2)?;
            let value = value::read(column.kind, raw, &mut self.scratch);
            self.builder.field(
                at,
                value.ok_or_else(|| unreadable(self.object, id, column))?,
            );
        }
        if let Some(links) = &mut self.links {
            let mut rows = links.query(rusqlite::params![self.object.name(), id])?;
            while let Some(row) = rows.next()? {
                let (to, label) = (row.get_ref(0)?.as_str(), row.get_ref(2)?.as_str());
                let (to, label) = (to.unwrap_or_default(), label.unwrap_or_default());
                let association = self
                    .object
                    .info
                    .associations
                    .iter()
                    .position(|association| {
                        association.to.as_str() == to
                            && association.label.as_deref().unwrap_or_default() == label
                    });
                if let Some(name) = association.and_then(|at| u16::try_from(at).ok()) {
                    self.builder
                        .association(name, &row.get::<_, i64>(1)?.to_string());
                }
            }
        }
        Ok(id)
    }

    fn finish(self) -> Batch {
        self.builder.finish()
    }
}
