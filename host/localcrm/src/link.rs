//! Associations: kept once, in one direction, plain or by label.
//!
//! It asks that both ends exist and that a line item has one deal; everything else may be linked.

use std::collections::HashSet;

use model::DestinationRecordId;
use model::catalog::StandardObject;
use model::destination::{Link, LinkRefused};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use crate::check::{prepare_exists, shorten};
use crate::failure::Failure;
use crate::read::to_id;
use crate::schema::{ObjectSchema, Schema, read_id};
use crate::standard::Table;

/// One end: the object and the record.
type End = (&'static Table, i64);

/// Puts the ends in the direction in which they are kept: from the object that is written later (a note, a line item) to the
/// one written earlier (a contact, a deal). Between two records of one object the plain link goes from the higher id; a
/// labelled one keeps its direction, because the label may mean one.
pub(crate) fn normalise(from: End, to: End, label: &str) -> (End, End) {
    let (a, b) = (from.0.object, to.0.object);
    let turn = if a == b {
        label.is_empty() && from.1 < to.1
    } else {
        a < b
    };
    if turn { (to, from) } else { (from, to) }
}

/// Writes associations; one answer for each, `true` where it is new. The caller holds the transaction.
pub(crate) fn write_links(
    conn: &Connection,
    schema: &Schema,
    links: &[Link],
) -> Result<Vec<Result<bool, LinkRefused>>, Failure> {
    let mut insert =
        conn.prepare_cached("INSERT OR IGNORE INTO associations VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut checker = Checker::new(conn, schema, links)?;
    let write = |link| {
        let placed = checker.place(link)?;
        let Ok((from, to, label)) = placed else {
            return Ok(Err(LinkRefused(placed.err().unwrap_or_default())));
        };
        let made = insert.execute(params![
            from.0.object.name(),
            from.1,
            to.0.object.name(),
            to.1,
            label
        ])?;
        Ok(Ok(made == 1))
    };
    links.iter().map(write).collect()
}

/// Says which associations are there; one answer for each.
pub(crate) fn find_links(
    conn: &Connection,
    schema: &Schema,
    links: &[Link],
) -> Result<Vec<Result<bool, LinkRefused>>, Failure> {
    let mut select = conn.prepare_cached(
        "SELECT 1 FROM associations WHERE from_object = ?1 AND from_id = ?2 AND to_object = ?3 AND to_id = ?4 AND label = ?5",
    )?;
    let mut checker = Checker::new(conn, schema, links)?;
    let find = |link| {
        let placed = checker.place(link)?;
        let Ok((from, to, label)) = placed else {
            return Ok(Err(LinkRefused(placed.err().unwrap_or_default())));
        };
        let (a, b) = (from.0.object.name(), to.0.object.name());
        Ok(Ok(select.exists(params![a, from.1, b, to.1, label])?))
    };
    links.iter().map(find).collect()
}

/// Takes associations away, each of just its label; `true` where it was there. The caller holds the transaction.
pub(crate) fn remove_links(
    conn: &Connection,
    schema: &Schema,
    links: &[Link],
) -> Result<Vec<Result<bool, LinkRefused>>, Failure> {
    let mut delete = conn.prepare_cached(
        "DELETE FROM associations WHERE from_object = ?1 AND from_id = ?2 AND to_object = ?3 AND to_id = ?4 AND label = ?5",
    )?;
    let mut removed = Vec::with_capacity(links.len());
    for link in links {
        let end = |object: &str, id: &str| Some((schema.find(object)?.table, read_id(id)?));
        let ends = (
            end(link.from_object.as_str(), link.from.as_str()),
            end(link.to_object.as_str(), link.to.as_str()),
        );
        let (Some(from), Some(to)) = ends else {
            removed.push(Ok(false));
            continue;
        };
        let label = link.label.as_deref().unwrap_or_default();
        let (from, to) = normalise(from, to, label);
        let gone = delete.execute(params![
            from.0.object.name(),
            from.1,
            to.0.object.name(),
            to.1,
            label
        ])?;
        removed.push(Ok(gone == 1));
    }
    Ok(removed)
}

/// Reads all associations of those records, each from the record that was asked for.
pub(crate) fn read_links(
    conn: &Connection,
    object: &ObjectSchema,
    ids: &[DestinationRecordId],
) -> Result<Vec<Link>, Failure> {
    let mut select = conn.prepare_cached(
        "SELECT to_object, to_id, label FROM associations WHERE from_object = ?1 AND from_id = ?2
         UNION ALL
         SELECT from_object, from_id, label FROM associations WHERE to_object = ?1 AND to_id = ?2",
    )?;
    let mut links = Vec::new();
    for id in ids {
        let Some(number) = read_id(id.as_str()) else {
            continue;
        };
        let mut rows = select.query(params![object.name(), number])?;
        while let Some(row) = rows.next()? {
            let label: String = row.get(2)?;
            links.push(Link {
                from_object: object.name().into(),
                from: id.clone(),
                to_object: row.get::<_, String>(0)?.into(),
                to: to_id(row.get(1)?),
                label: (!label.is_empty()).then_some(label),
            });
        }
    }
    Ok(links)
}

/// Counts the associations between two objects, each label by itself.
pub(crate) fn count(
    conn: &Connection,
    schema: &Schema,
    from: &str,
    to: &str,
) -> Result<u64, Failure> {
    let (from, to) = (schema.object(from)?.table, schema.object(to)?.table);
    let ((from, _), (to, _)) = normalise((from, 0), (to, 0), "");
    let mut select = conn.prepare_cached(
        "SELECT count(*) FROM associations WHERE from_object = ?1 AND to_object = ?2",
    )?;
    let count: i64 = select.query_row([from.object.name(), to.object.name()], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Which ends of those links exist. They are looked for in the order in which they lie in the file, each once: the table of a large
/// account is larger than the memory for its pages.
fn find_known(
    conn: &Connection,
    schema: &Schema,
    links: &[Link],
) -> Result<HashSet<(&'static str, i64)>, Failure> {
    let ends = links
        .iter()
        .flat_map(|link| [(&link.from_object, &link.from), (&link.to_object, &link.to)]);
    let numbered = ends.filter_map(|(object, id)| {
        let table = schema.find(object.as_str())?.table;
        Some((table.table, read_id(id.as_str())?))
    });
    let mut ends: Vec<_> = numbered.collect();
    ends.sort_unstable();
    ends.dedup();
    let mut known = HashSet::with_capacity(ends.len());
    for same in ends.chunk_by(|(a, _), (b, _)| a == b) {
        let mut select = prepare_exists(conn, same[0].0)?;
        for (table, id) in same {
            if select.exists([id])? {
                known.insert((*table, *id));
            }
        }
    }
    Ok(known)
}

/// Where an association is kept, or why it cannot be.
type Placed<'l> = Result<(End, End, &'l str), String>;

struct Checker<'a> {
    schema: &'a Schema,
    /// Finds another deal of a line item.
    other_deal: CachedStatement<'a>,
    /// The ends that exist.
    known: HashSet<(&'static str, i64)>,
}

impl<'a> Checker<'a> {
    fn new(conn: &'a Connection, schema: &'a Schema, links: &[Link]) -> Result<Self, Failure> {
        Ok(Self {
            schema,
            other_deal: conn.prepare_cached(
                "SELECT to_id FROM associations
                 WHERE from_object = 'line_item' AND from_id = ?1 AND to_object = 'deal' AND to_id <> ?2 LIMIT 1",
            )?,
            known: find_known(conn, schema, links)?,
        })
    }

    fn place<'l>(&mut self, link: &'l Link) -> Result<Placed<'l>, Failure> {
        let from = match self.find_end(link.from_object.as_str(), link.from.as_str()) {
            Ok(end) => end,
            Err(why) => return Ok(Err(why)),
        };
        let to = match self.find_end(link.to_object.as_str(), link.to.as_str()) {
            Ok(end) => end,
            Err(why) => return Ok(Err(why)),
        };
        let label = link.label.as_deref().unwrap_or_default();
        let (from, to) = normalise(from, to, label);
        Ok(match self.find_fault(from, to, label)? {
            Some(why) => Err(why),
            None => Ok((from, to, label)),
        })
    }

    fn find_end(&self, object: &str, id: &str) -> Result<End, String> {
        let Some(object_schema) = self.schema.find(object) else {
            return Err(format!("there is no object {:?}", shorten(object)));
        };
        let table = object_schema.table;
        let number = read_id(id).filter(|number| self.known.contains(&(table.table, *number)));
        number
            .map(|number| (table, number))
            .ok_or_else(|| format!("{object} {:?} does not exist", shorten(id)))
    }

    fn find_fault(&mut self, from: End, to: End, label: &str) -> Result<Option<String>, Failure> {
        let (a, b) = (from.0.object, to.0.object);
        if a == b && from.1 == to.1 {
            return Ok(Some(format!("{a} {} would be linked with itself", from.1)));
        }
        let is_known = |a: &str, b: &str| {
            self.schema
                .labels
                .contains(&(a.to_owned(), b.to_owned(), label.to_owned()))
        };
        if !label.is_empty() && !is_known(a.name(), b.name()) {
            return Ok(Some(format!(
                "{a} and {b} have no label {:?}",
                shorten(label)
            )));
        }
        if (a, b) == (StandardObject::LineItem, StandardObject::Deal) {
            let other: Option<i64> = self
                .other_deal
                .query_row([from.1, to.1], |row| row.get(0))
                .optional()?;
            return Ok(other.map(|other| {
                format!(
                    "line_item {} belongs to deal {other} already, not to deal {}",
                    from.1, to.1
                )
            }));
        }
        Ok(None)
    }
}
