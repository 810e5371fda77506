//! Writing a batch of records: each is created, changed or refused by itself, all in one transaction.
//!
//! Associations of the records are not read; they come by `write_links`.

use model::catalog::StandardObject;
use model::destination::{SourceKey, Write, WriteBatch, WriteOutcome};
use model::row::RowWriter;
use model::{Instant, RecordRef};
use rusqlite::{CachedStatement, Connection};

use crate::check::{Checker, StageColumns, Target, find_targets, shorten};
use crate::ddl::collation;
use crate::failure::Failure;
use crate::read::{find_by_source, to_id, write_columns};
use crate::schema::{ObjectSchema, Schema, read_id};
use crate::value::{self, Scratch};

/// Writes the batch: one outcome for each record, in order. The caller holds the transaction.
pub(crate) fn write_records(
    conn: &Connection,
    schema: &Schema,
    batch: &WriteBatch,
) -> Result<Vec<WriteOutcome>, Failure> {
    let (records, writes) = (&batch.records, &batch.writes);
    let object = schema.object(records.object().name.as_str())?;
    if records.len() != writes.len() {
        let (records, writes) = (records.len(), writes.len());
        return Err(Failure::Asked(format!(
            "a batch of {records} records of {} has {writes} writes",
            object.name()
        )));
    }
    let targets = find_targets(object, &records.object().fields);
    let mut key = SourceKey {
        connection: batch.connection.clone(),
        object: batch.source_object.clone(),
        record: String::new(),
    };
    let mut writer = Writer {
        conn,
        object,
        targets: &targets,
        checker: Checker::new(conn, schema, object, &records.object().fields, &targets),
        stages: StageColumns::of(object),
        now: Instant::now().to_string(),
        source_key: String::new(),
        scratch: Scratch::default(),
        before: RowWriter::new(),
    };
    let mut insert = match writes.contains(&Write::Create) {
        true => Some(Insert::prepare(conn, object, &targets, batch)?),
        false => None,
    };
    let mut outcomes = Vec::with_capacity(writes.len());
    for (record, write) in records.iter().zip(writes) {
        key.record.clear();
        key.record.push_str(record.id());
        writer.source_key.clear();
        std::fmt::Write::write_fmt(&mut writer.source_key, format_args!("{key}"))
            .expect("a String takes every write");
        let answer = match (write, &mut insert) {
            (Write::Create, Some(insert)) => writer.create(record, insert)?,
            (Write::Create, None) => {
                unreachable!("the insert is prepared where any record is created")
            }
            (Write::Update(id), _) => writer.update(record, id.as_str())?,
        };
        outcomes.push(answer.unwrap_or_else(|why| {
            WriteOutcome::Refused(format!(
                "destination refused {} {}: {why}",
                object.name(),
                record.id()
            ))
        }));
    }
    Ok(outcomes)
}

/// What became of one record, or why it is refused.
type Answer = Result<WriteOutcome, String>;

/// The one INSERT of a batch: it names each column that any of the records has.
struct Insert<'a> {
    statement: CachedStatement<'a>,
    /// For each field of the batch the place of its parameter, 0 where it has none.
    places: Vec<usize>,
}

impl<'a> Insert<'a> {
    fn prepare(
        conn: &'a Connection,
        object: &ObjectSchema,
        targets: &[Target],
        batch: &WriteBatch,
    ) -> Result<Self, Failure> {
        let mut used = vec![false; targets.len()];
        for record in batch.records.iter() {
            record
                .fields()
                .for_each(|(field, _)| used[usize::from(field)] = true);
        }
        let mut places = vec![0; targets.len()];
        let mut sql = format!(
            "INSERT INTO {} (longshore_source_id, created_at, updated_at",
            object.table.table
        );
        let mut next = 3;
        for (field, target) in targets.iter().enumerate().filter(|(field, _)| used[*field]) {
            // Column 0 is the source key, which every record gets anyway.
            let Target::Column(at @ 1..) = target else {
                continue;
            };
            sql.push_str(", ");
            sql.push_str(&object.columns[usize::from(*at)].quoted);
            places[field] = next;
            next += 1;
        }
        sql.push_str(") VALUES (?1, ?2, ?2");
        sql.extend(std::iter::repeat_n(", ?", next - 3));
        sql.push_str(") ON CONFLICT DO NOTHING");
        Ok(Self {
            statement: conn.prepare_cached(&sql)?,
            places,
        })
    }
}

struct Writer<'a> {
    conn: &'a Connection,
    object: &'a ObjectSchema,
    targets: &'a [Target],
    checker: Checker<'a>,
    stages: Option<StageColumns>,
    now: String,
    source_key: String,
    scratch: Scratch,
    before: RowWriter,
}

impl Writer<'_> {
    fn create(
        &mut self,
        record: RecordRef<'_>,
        insert: &mut Insert<'_>,
    ) -> Result<Answer, Failure> {
        if let Some(fault) = self.checker.find_fault(record, &self.source_key)? {
            return Ok(Err(fault));
        }
        let fault = self
            .stages
            .and_then(|columns| self.checker.find_stage_fault(record, columns, None));
        if let Some(fault) = fault {
            // A record that is there already needs to say its stage as little as any other update.
            return match find_by_source(self.conn, self.object, &self.source_key)? {
                Some(id) => self.set_values(record, id),
                None => Ok(Err(fault)),
            };
        }
        let statement = &mut insert.statement;
        statement.clear_bindings();
        statement.raw_bind_parameter(1, self.source_key.as_str())?;
        statement.raw_bind_parameter(2, self.now.as_str())?;
        for (field, value) in record.fields() {
            let place = insert.places[usize::from(field)];
            if place > 0 {
                value::bind(statement, place, value, &mut self.scratch)?;
            }
        }
        if statement.raw_execute()? == 1 {
            return Ok(Ok(WriteOutcome::Written {
                id: to_id(self.conn.last_insert_rowid()),
                before: None,
                notes: Vec::new(),
            }));
        }
        match find_by_source(self.conn, self.object, &self.source_key)? {
            Some(id) => self.set_values(record, id),
            None => Ok(Err(self.explain_clash(record, 0)?)),
        }
    }

    /// Sets the values of a record that was there before: it is told as it was, because nobody may take it for a new one.
    fn set_values(&mut self, record: RecordRef<'_>, id: i64) -> Result<Answer, Failure> {
        self.replace_values(record, id, to_id(id).as_str())
    }

    fn update(&mut self, record: RecordRef<'_>, id: &str) -> Result<Answer, Failure> {
        let Some(number) = read_id(id) else {
            return Ok(Err(self.absent(id)));
        };
        if let Some(fault) = self.checker.find_fault(record, &self.source_key)? {
            return Ok(Err(fault));
        }
        self.replace_values(record, number, id)
    }

    fn replace_values(
        &mut self,
        record: RecordRef<'_>,
        number: i64,
        id: &str,
    ) -> Result<Answer, Failure> {
        let columns: Vec<u16> = self.columns_of(record).map(|(at, _)| at).collect();
        self.before.clear();
        let (scratch, before) = (&mut self.scratch, &mut self.before);
        match write_columns(self.conn, self.object, number, &columns, scratch, before) {
            Ok(Some(())) => {}
            Ok(None) => return Ok(Err(self.absent(id))),
            // What cannot be told as it was is not changed; the rest of the batch is.
            Err(Failure::Asked(why)) => return Ok(Err(why)),
            Err(failure) => return Err(failure),
        }
        if let Err(fault) = self.change(record, number)? {
            return Ok(Err(fault));
        }
        let before = self.before.as_str().trim_end_matches('\n').to_owned();
        Ok(Ok(WriteOutcome::Written {
            id: to_id(number),
            before: Some(before),
            notes: Vec::new(),
        }))
    }

    fn absent(&self, id: &str) -> String {
        format!("{} {:?} does not exist", self.object.name(), shorten(id))
    }

    /// The record's fields with the columns they go into; all of them have one once the record is checked.
    fn columns_of<'r>(
        &self,
        record: RecordRef<'r>,
    ) -> impl Iterator<Item = (u16, model::ValueRef<'r>)> + use<'_, 'r> {
        let targets = self.targets;
        record
            .fields()
            .filter_map(move |(field, value)| match targets[usize::from(field)] {
                Target::Column(at) => Some((at, value)),
                Target::Unknown | Target::OtherKind => None,
            })
    }

    fn change(&mut self, record: RecordRef<'_>, id: i64) -> Result<Result<(), String>, Failure> {
        if let Some(fault) = self.find_stage_fault(record, id)? {
            return Ok(Err(fault));
        }
        let mut sql = format!(
            "UPDATE OR IGNORE {} SET updated_at = ?",
            self.object.table.table
        );
        for (at, _) in self.columns_of(record) {
            sql.push_str(", ");
            sql.push_str(&self.object.columns[usize::from(at)].quoted);
            sql.push_str(" = ?");
        }
        sql.push_str(" WHERE id = ?");
        let mut update = self.conn.prepare_cached(&sql)?;
        update.raw_bind_parameter(1, self.now.as_str())?;
        let (targets, mut place) = (self.targets, 1);
        for (field, value) in record.fields() {
            if let Target::Column(_) = targets[usize::from(field)] {
                place += 1;
                value::bind(&mut update, place, value, &mut self.scratch)?;
            }
        }
        update.raw_bind_parameter(place + 1, id)?;
        if update.raw_execute()? == 1 {
            return Ok(Ok(()));
        }
        Ok(Err(self.explain_clash(record, id)?))
    }

    fn find_stage_fault(&self, record: RecordRef<'_>, id: i64) -> Result<Option<String>, Failure> {
        let Some(columns) = self.stages else {
            return Ok(None);
        };
        debug_assert_eq!(self.object.table.object, StandardObject::Deal);
        let kept = self
            .conn
            .prepare_cached("SELECT pipeline, dealstage FROM deals WHERE id = ?1")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(self.checker.find_stage_fault(record, columns, Some(kept)))
    }

    /// Says which unique property a write broke, and whose value it is.
    fn explain_clash(&mut self, record: RecordRef<'_>, own: i64) -> Result<String, Failure> {
        let targets = self.targets;
        for (field, value) in record.fields().filter(|(_, value)| !value.is_blank()) {
            let Target::Column(at) = targets[usize::from(field)] else {
                continue;
            };
            let column = &self.object.columns[usize::from(at)];
            if !column.unique {
                continue;
            }
            let sql = format!(
                "SELECT id FROM {} WHERE {} = ?1{} AND archived = 0 AND id <> ?2",
                self.object.table.table,
                column.quoted,
                collation(column.kind)
            );
            let mut select = self.conn.prepare_cached(&sql)?;
            value::bind(&mut select, 1, value, &mut self.scratch)?;
            select.raw_bind_parameter(2, own)?;
            let other: Option<i64> = select
                .raw_query()
                .next()?
                .map(|row| row.get(0))
                .transpose()?;
            if let Some(other) = other {
                let (name, value) = (&column.name, value.to_string());
                return Ok(format!(
                    "property {name:?} has the value {:?} of {} {other}",
                    shorten(&value),
                    self.object.name()
                ));
            }
        }
        Ok("another record has one of its unique values".to_owned())
    }
}
