//! Makes what records need before they come: properties, options, pipelines with their stages, labels of associations.
//!
//! What exists is left as it is, so it may run again. It writes no record.

use std::collections::HashSet;

use model::catalog::FieldOption;
use model::destination::{Preparation, Prepared};
use model::id::PipelineId;
use model::mapping::{PipelineMapping, StageTarget};
use model::{FieldInfo, FieldKind, ObjectName, Stage, StageId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::ddl::{column_definition, unique_index};
use crate::failure::Failure;
use crate::link::normalise;
use crate::name::ColumnName;
use crate::schema::{ObjectSchema, Schema, meaning_name, read_id, read_options};

/// The most properties one object has: SQLite takes 2,000 columns.
const PROPERTIES_MAX: i64 = 1_900;

/// Makes what is missing. The caller holds the transaction and loads the schema again.
pub(crate) fn prepare(
    conn: &Connection,
    schema: &Schema,
    preparation: &Preparation,
) -> Result<Prepared, Failure> {
    let mut made = HashSet::new();
    for (object, field) in &preparation.properties {
        let object = schema.object(object.as_str())?;
        create_property(conn, object, field, &mut made)
            .map_err(|failure| name_property(failure, object, &field.name))?;
    }
    for (object, property, options) in &preparation.options {
        let object = schema.object(object.as_str())?;
        add_options(conn, object, property, options)
            .map_err(|failure| name_property(failure, object, property))?;
    }
    for (from, to, label) in &preparation.labels {
        create_label(conn, schema, from, to, label)?;
    }
    let mut prepared = Prepared::default();
    let mut taken = HashSet::new();
    // The pipelines that are named by id go first, so that no other mapping takes them by their label.
    let (named, labelled): (Vec<_>, Vec<_>) = preparation
        .pipelines
        .iter()
        .partition(|entry| entry.destination.is_some());
    for entry in named.into_iter().chain(labelled) {
        let pipeline = find_or_create_pipeline(conn, schema, entry, &taken)?;
        taken.insert(pipeline);
        prepared
            .pipelines
            .push((entry.source.clone(), PipelineId::new(pipeline.to_string())));
        prepare_stages(conn, entry, pipeline, &mut prepared)?;
    }
    Ok(prepared)
}

fn name_property(failure: Failure, object: &ObjectSchema, property: &str) -> Failure {
    match failure {
        Failure::Asked(why) => Failure::Asked(format!(
            "destination refused property {property:?} of {}: {why}",
            object.name()
        )),
        other => other,
    }
}

fn create_property(
    conn: &Connection,
    object: &ObjectSchema,
    field: &FieldInfo,
    made: &mut HashSet<(&'static str, String)>,
) -> Result<(), Failure> {
    let column = ColumnName::new(&field.name).map_err(|error| Failure::Asked(error.to_string()))?;
    if let Some(at) = object.info.fields.find(&field.name) {
        let kind = object.columns[usize::from(at)].kind;
        if kind == field.kind {
            return Ok(());
        }
        return Err(Failure::Asked(format!(
            "it exists already and holds {kind}, not {}",
            field.kind
        )));
    }
    if !made.insert((object.name(), field.name.clone())) {
        return Err(Failure::Asked("it is asked for twice".to_owned()));
    }
    let count: i64 = conn.query_row(
        "SELECT count(*) FROM properties WHERE object = ?1",
        [object.name()],
        |row| row.get(0),
    )?;
    if count >= PROPERTIES_MAX {
        return Err(Failure::Asked(format!(
            "{} has {PROPERTIES_MAX} properties, which is the most",
            object.name()
        )));
    }
    // A reference to a record of some other object of the source is kept as the text that it is.
    let refers_to = (field.kind == FieldKind::Owner).then_some("owner");
    let table = object.table.table;
    let definition = column_definition(&column, field.kind, refers_to);
    conn.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {definition};"))?;
    if field.unique {
        conn.execute_batch(&unique_index(table, &column, field.kind))?;
    }
    let options = matches!(field.kind, FieldKind::Option | FieldKind::Options)
        .then(|| options_json(&field.options));
    conn.prepare_cached(
        "INSERT INTO properties (object, position, name, label, kind, custom, options, currency_field, refers_to, is_unique)
         SELECT ?1, coalesce(max(position), -1) + 1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8 FROM properties WHERE object = ?1",
    )?
    .execute(params![
        object.name(),
        field.name,
        field.label,
        field.kind.name(),
        options,
        field.currency_field,
        refers_to,
        field.unique,
    ])?;
    Ok(())
}

fn options_json(options: &[FieldOption]) -> String {
    serde_json::to_string(options).expect("options are texts")
}

fn add_options(
    conn: &Connection,
    object: &ObjectSchema,
    property: &str,
    options: &[FieldOption],
) -> Result<(), Failure> {
    // The property may have been created a moment ago, so the file is asked, not the schema.
    let kept: Option<(String, Option<String>)> = conn
        .prepare_cached("SELECT kind, options FROM properties WHERE object = ?1 AND name = ?2")?
        .query_row([object.name(), property], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (kind, kept) = kept.ok_or_else(|| Failure::Asked("it does not exist".to_owned()))?;
    let Some(kept) = kept else {
        if kind == FieldKind::Options.name() {
            return Ok(()); // Any value may be chosen already.
        }
        return Err(Failure::Asked(format!("it holds {kind}, not options")));
    };
    let mut all = read_options(&kept)
        .map_err(|error| Failure::Asked(format!("its options are damaged: {error}")))?;
    let mut known: HashSet<String> = all.iter().map(|option| option.value.clone()).collect();
    all.extend(
        options
            .iter()
            .filter(|option| known.insert(option.value.clone()))
            .cloned(),
    );
    conn.prepare_cached("UPDATE properties SET options = ?3 WHERE object = ?1 AND name = ?2")?
        .execute(params![object.name(), property, options_json(&all)])?;
    Ok(())
}

fn create_label(
    conn: &Connection,
    schema: &Schema,
    from: &ObjectName,
    to: &ObjectName,
    label: &str,
) -> Result<(), Failure> {
    let (from, to) = (schema.object(from.as_str())?, schema.object(to.as_str())?);
    if label.is_empty() {
        return Err(Failure::Asked(format!(
            "destination refused a label of {} and {}: it is empty",
            from.name(),
            to.name()
        )));
    }
    let ((from, _), (to, _)) = normalise((from.table, 0), (to.table, 0), label);
    conn.prepare_cached("INSERT OR IGNORE INTO association_labels VALUES (?1, ?2, ?3)")?
        .execute([from.object.name(), to.object.name(), label])?;
    Ok(())
}

fn find_or_create_pipeline(
    conn: &Connection,
    schema: &Schema,
    entry: &PipelineMapping,
    taken: &HashSet<i64>,
) -> Result<i64, Failure> {
    let object = schema.object(entry.object.as_str())?.name();
    if let Some(id) = &entry.destination {
        let found: Option<i64> = match read_id(id.as_str()) {
            Some(id) => conn
                .prepare_cached("SELECT id FROM pipelines WHERE id = ?1 AND object = ?2")?
                .query_row(params![id, object], |row| row.get(0))
                .optional()?,
            None => None,
        };
        return found.ok_or_else(|| {
            Failure::Asked(format!("destination has no pipeline {id} of {object}"))
        });
    }
    let mut select = conn
        .prepare_cached("SELECT id FROM pipelines WHERE object = ?1 AND label = ?2 ORDER BY id")?;
    let found: Vec<i64> = select
        .query_map([object, &entry.label], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if let Some(id) = found.into_iter().find(|id| !taken.contains(id)) {
        return Ok(id);
    }
    conn.prepare_cached(
        "INSERT INTO pipelines (object, label, position)
         SELECT ?1, ?2, coalesce(max(position), -1) + 1 FROM pipelines WHERE object = ?1",
    )?
    .execute([object, &entry.label])?;
    Ok(conn.last_insert_rowid())
}

fn prepare_stages(
    conn: &Connection,
    entry: &PipelineMapping,
    pipeline: i64,
    prepared: &mut Prepared,
) -> Result<(), Failure> {
    let mut select = conn.prepare_cached(
        "SELECT id, label FROM stages WHERE pipeline_id = ?1 ORDER BY position, id",
    )?;
    let kept: Vec<(i64, String)> = select
        .query_map([pipeline], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    // Two stages of one label stay two: each takes the next one that no other mapping has.
    let mut taken = HashSet::new();
    for stage in &entry.stages {
        let StageTarget::Existing(id) = &stage.target else {
            continue;
        };
        let found = read_id(id.as_str()).filter(|id| kept.iter().any(|(kept, _)| kept == id));
        let id = found.ok_or_else(|| {
            Failure::Asked(format!(
                "destination has no stage {id} in pipeline {pipeline}"
            ))
        })?;
        taken.insert(id);
        prepared
            .stages
            .push((stage.source.id.clone(), StageId::new(id.to_string())));
    }
    for stage in entry
        .stages
        .iter()
        .filter(|stage| stage.target == StageTarget::Create)
    {
        let found = kept
            .iter()
            .find(|(id, label)| *label == stage.source.label && !taken.contains(id));
        let id = match found {
            Some((id, _)) => *id,
            None => create_stage(conn, pipeline, &stage.source)?,
        };
        taken.insert(id);
        prepared
            .stages
            .push((stage.source.id.clone(), StageId::new(id.to_string())));
    }
    Ok(())
}

fn create_stage(conn: &Connection, pipeline: i64, stage: &Stage) -> Result<i64, Failure> {
    conn.prepare_cached(
        "INSERT INTO stages (pipeline_id, label, position, probability, meaning)
         SELECT ?1, ?2, coalesce(max(position), -1) + 1, ?3, ?4 FROM stages WHERE pipeline_id = ?1",
    )?
    .execute(params![
        pipeline,
        stage.label,
        stage.probability.map(|percent| percent.min(100)),
        meaning_name(stage.meaning)
    ])?;
    Ok(conn.last_insert_rowid())
}
