//! Whether this CRM takes a record as it is: the rules for values, told in words that name the property.
//!
//! Uniqueness is not judged here; the indexes know it.

use std::collections::HashSet;

use model::catalog::StandardObject;
use model::{FieldInfo, FieldKind, FieldTable, RecordRef, ValueRef};
use rusqlite::{CachedStatement, Connection};

use crate::failure::Failure;
use crate::schema::{Column, ObjectSchema, Rule, Schema, TEXT_MAX_CHARS, read_id};
use crate::standard::Table;

/// Which column a field of a batch goes into.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Column(u16),
    Unknown,
    OtherKind,
}

/// The columns of an object's deal stage and pipeline, where it is the deal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StageColumns {
    pub(crate) pipeline: u16,
    pub(crate) stage: u16,
}

impl StageColumns {
    pub(crate) fn of(object: &ObjectSchema) -> Option<Self> {
        let find = |name| {
            object
                .info
                .fields
                .find(name)
                .expect("a built-in property of deals")
        };
        (object.table.object == StandardObject::Deal).then(|| Self {
            pipeline: find("pipeline"),
            stage: find("dealstage"),
        })
    }
}

/// Finds the column of each field of a batch, by name.
pub(crate) fn find_targets(object: &ObjectSchema, fields: &FieldTable) -> Vec<Target> {
    let fits = |planned: FieldKind, kept: FieldKind| {
        let is_number = |kind| matches!(kind, FieldKind::Decimal | FieldKind::Money);
        planned == kept
            || (planned.is_textual() && kept.is_textual())
            || (is_number(planned) && is_number(kept))
    };
    let target = |field: &FieldInfo| match object.info.fields.find(&field.name) {
        Some(at) if fits(field.kind, object.columns[usize::from(at)].kind) => Target::Column(at),
        Some(_) => Target::OtherKind,
        None => Target::Unknown,
    };
    fields.iter().map(target).collect()
}

/// Judges the records of one batch.
#[derive(Debug)]
pub(crate) struct Checker<'a> {
    conn: &'a Connection,
    schema: &'a Schema,
    object: &'a ObjectSchema,
    fields: &'a FieldTable,
    targets: &'a [Target],
    known: HashSet<(&'static str, i64)>,
}

impl<'a> Checker<'a> {
    /// `fields` is the batch's own table, `targets` its columns.
    pub(crate) fn new(
        conn: &'a Connection,
        schema: &'a Schema,
        object: &'a ObjectSchema,
        fields: &'a FieldTable,
        targets: &'a [Target],
    ) -> Self {
        Self {
            conn,
            schema,
            object,
            fields,
            targets,
            known: HashSet::new(),
        }
    }

    /// What is wrong with the values, `None` where nothing is.
    pub(crate) fn find_fault(
        &mut self,
        record: RecordRef<'_>,
        source_key: &str,
    ) -> Result<Option<String>, Failure> {
        let object = self.object;
        for (field, value) in record.fields() {
            let fault = match self.targets[usize::from(field)] {
                Target::Column(at) => {
                    let column = &object.columns[usize::from(at)];
                    self.find_value_fault(column, value, source_key)?
                        .map(|fault| format!("property {:?} {fault}", column.name))
                }
                Target::Unknown => {
                    Some(format!("property {:?} does not exist", self.name_of(field)))
                }
                Target::OtherKind => Some(format!(
                    "property {:?} has another kind here",
                    self.name_of(field)
                )),
            };
            if fault.is_some() {
                return Ok(fault);
            }
        }
        Ok(None)
    }

    fn find_value_fault(
        &mut self,
        column: &Column,
        value: ValueRef<'_>,
        source_key: &str,
    ) -> Result<Option<String>, Failure> {
        let text = match value {
            ValueRef::Text(text) => text,
            ValueRef::Options(options) => {
                let Rule::Choice(known) = &column.rule else {
                    return Ok(None);
                };
                let unknown = options.iter().find(|option| !known.contains(*option));
                return Ok(unknown.map(|option| format!("has no option {:?}", shorten(option))));
            }
            _ => return Ok(None),
        };
        Ok(match &column.rule {
            Rule::Free => {
                is_too_long(text).then(|| format!("is longer than {TEXT_MAX_CHARS} characters"))
            }
            Rule::Choice(known) => (!text.is_empty() && !known.contains(text))
                .then(|| format!("has no option {:?}", shorten(text))),
            Rule::Record(table) => (!self.is_known(table, text)?).then(|| {
                format!(
                    "names {} {:?}, which does not exist",
                    table.object,
                    shorten(text)
                )
            }),
            Rule::Stage | Rule::Pipeline => None,
            Rule::SourceKey => {
                (text != source_key).then(|| "is set by Longshore itself".to_owned())
            }
        })
    }

    fn name_of(&self, field: u16) -> &str {
        self.fields.get(field).map_or("", |info| &info.name)
    }

    fn is_known(&mut self, table: &'static Table, text: &str) -> Result<bool, Failure> {
        let Some(id) = read_id(text) else {
            return Ok(false);
        };
        let known = self.known.contains(&(table.table, id))
            || prepare_exists(self.conn, table.table)?.exists([id])?;
        if known {
            self.known.insert((table.table, id));
        }
        Ok(known)
    }

    /// What is wrong with a deal's pipeline and stage; `kept` is what the record has already.
    pub(crate) fn find_stage_fault(
        &self,
        record: RecordRef<'_>,
        columns: StageColumns,
        kept: Option<(Option<i64>, Option<i64>)>,
    ) -> Option<String> {
        let said = |at: u16| {
            let said = record.fields().find(|(field, _)| {
                matches!(self.targets[usize::from(*field)], Target::Column(column) if column == at)
            });
            said.map(|(_, value)| value)
        };
        let (pipeline, stage) = (said(columns.pipeline), said(columns.stage));
        if kept.is_some() && pipeline.is_none() && stage.is_none() {
            return None;
        }
        let (kept_pipeline, kept_stage) = kept.unwrap_or_default();
        let number = |value: Option<ValueRef<'_>>, kept: Option<i64>| match value {
            Some(ValueRef::Text(text)) => read_id(text).ok_or_else(|| shorten(text).to_owned()),
            Some(_) => Err(String::new()),
            None => kept.ok_or_else(String::new),
        };
        let pipeline = match number(pipeline, kept_pipeline) {
            Ok(id) if self.schema.stages.values().any(|of| *of == id) => id,
            Ok(id) => {
                return Some(format!(
                    "property \"pipeline\" names pipeline {id}, which does not exist or has no stage"
                ));
            }
            Err(text) if text.is_empty() => {
                return Some("property \"pipeline\" is required".to_owned());
            }
            Err(text) => {
                return Some(format!(
                    "property \"pipeline\" names pipeline {text:?}, which does not exist"
                ));
            }
        };
        match number(stage, kept_stage) {
            Ok(id) if self.schema.stages.get(&id) == Some(&pipeline) => None,
            Ok(id) => Some(format!(
                "property \"dealstage\" names stage {id}, which is not one of pipeline {pipeline}"
            )),
            Err(text) if text.is_empty() => Some("property \"dealstage\" is required".to_owned()),
            Err(text) => Some(format!(
                "property \"dealstage\" names stage {text:?}, which is not one of pipeline {pipeline}"
            )),
        }
    }
}

/// Asks of that table whether the record of an id exists and is not archived.
pub(crate) fn prepare_exists<'a>(
    conn: &'a Connection,
    table: &str,
) -> rusqlite::Result<CachedStatement<'a>> {
    conn.prepare_cached(&format!(
        "SELECT 1 FROM {table} WHERE id = ?1 AND archived = 0"
    ))
}

/// The first characters of a value, for a message.
pub(crate) fn shorten(text: &str) -> &str {
    text.char_indices()
        .nth(80)
        .map_or(text, |(end, _)| &text[..end])
}

fn is_too_long(text: &str) -> bool {
    let max = TEXT_MAX_CHARS as usize;
    text.len() > max && text.chars().nth(max).is_some()
}
