//! What the file holds, kept in memory: objects with their columns and rules, stages, labels.
//!
//! It is read when the file is opened and after each preparation. It holds no record.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;
use std::sync::Arc;

use model::catalog::{FieldOption, StandardObject};
use model::destination::SOURCE_KEY_PROPERTY;
use model::id::PipelineId;
use model::{
    AssociationInfo, Choices, FieldInfo, FieldKind, FieldTable, ObjectInfo, ObjectName, Pipeline,
    Stage, StageId, StageMeaning,
};
use rusqlite::Connection;

use crate::failure::Failure;
use crate::name::ColumnName;
use crate::standard::{TABLES, Table};

/// The longest text a property takes, in characters; HubSpot's limit for a multi-line text.
pub(crate) const TEXT_MAX_CHARS: u32 = 65_536;

/// All objects, stages and labels.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) objects: Vec<ObjectSchema>,
    pub(crate) pipelines: Vec<Pipeline>,
    /// Stage to its pipeline.
    pub(crate) stages: HashMap<i64, i64>,
    /// From object, to object, label; in the direction associations are kept in.
    pub(crate) labels: HashSet<(String, String, String)>,
}

/// One object: `info.fields` and `columns` have the same order.
#[derive(Debug)]
pub(crate) struct ObjectSchema {
    pub(crate) table: &'static Table,
    pub(crate) info: Arc<ObjectInfo>,
    pub(crate) columns: Vec<Column>,
    /// The columns, quoted and joined by commas.
    pub(crate) column_list: String,
}

/// One property's column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) quoted: String,
    pub(crate) kind: FieldKind,
    pub(crate) rule: Rule,
    pub(crate) unique: bool,
}

/// What a value must be beyond its kind.
#[derive(Debug)]
pub(crate) enum Rule {
    /// Nothing.
    Free,
    /// One of these options, or several.
    Choice(HashSet<Box<str>>),
    /// The id of a record of that object.
    Record(&'static Table),
    /// The id of a pipeline of deals.
    Pipeline,
    /// The id of a stage.
    Stage,
    /// The source key: only Longshore sets it.
    SourceKey,
}

impl Schema {
    /// Reads it all from the file.
    pub(crate) fn load(conn: &Connection) -> Result<Self, Failure> {
        let labels = load_labels(conn)?;
        let mut objects = Vec::with_capacity(TABLES.len());
        for table in &TABLES {
            objects.push(load_object(conn, table, &labels)?);
        }
        let (pipelines, stages) = load_pipelines(conn)?;
        Ok(Self {
            objects,
            pipelines,
            stages,
            labels: labels.into_iter().collect(),
        })
    }

    /// The object of that name.
    pub(crate) fn object(&self, name: &str) -> Result<&ObjectSchema, Failure> {
        self.find(name)
            .ok_or_else(|| Failure::Asked(format!("local CRM has no object {name:?}")))
    }

    /// The object of that name, where there is one.
    pub(crate) fn find(&self, name: &str) -> Option<&ObjectSchema> {
        self.objects
            .iter()
            .find(|object| object.info.name.as_str() == name)
    }
}

impl ObjectSchema {
    /// The object's name.
    pub(crate) fn name(&self) -> &'static str {
        self.table.object.name()
    }
}

type Label = (String, String, String);

fn load_labels(conn: &Connection) -> Result<Vec<Label>, Failure> {
    let mut select = conn.prepare_cached(
        "SELECT from_object, to_object, label FROM association_labels ORDER BY 1, 2, 3",
    )?;
    let labels = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(labels.collect::<Result<_, _>>()?)
}

fn load_object(
    conn: &Connection,
    table: &'static Table,
    labels: &[Label],
) -> Result<ObjectSchema, Failure> {
    let mut key = FieldInfo::new(SOURCE_KEY_PROPERTY, FieldKind::Text);
    key.label = "Longshore source id".to_owned();
    (key.read_only, key.unique, key.custom) = (true, true, true);
    let mut columns = vec![Column {
        name: key.name.clone(),
        quoted: format!("\"{SOURCE_KEY_PROPERTY}\""),
        kind: FieldKind::Text,
        rule: Rule::SourceKey,
        unique: true,
    }];
    let mut fields = vec![key];
    let mut select = conn.prepare_cached(
        "SELECT name, label, kind, custom, options, currency_field, refers_to, is_unique
         FROM properties WHERE object = ?1 ORDER BY position",
    )?;
    let mut rows = select.query([table.object.name()])?;
    while let Some(row) = rows.next()? {
        let (field, column) = load_property(table, row)?;
        fields.push(field);
        columns.push(column);
    }
    let column_list: Vec<&str> = columns
        .iter()
        .map(|column| column.quoted.as_str())
        .collect();
    let column_list = column_list.join(", ");
    let fields = FieldTable::new(fields).map_err(|error| damaged(table, &error.to_string()))?;
    let info = ObjectInfo {
        name: ObjectName::new(table.object.name()),
        label: table.label.to_owned(),
        standard: Some(table.object),
        fields,
        associations: associations(table.object, labels),
        incremental: true,
        count: None,
    };
    Ok(ObjectSchema {
        table,
        info: Arc::new(info),
        columns,
        column_list,
    })
}

fn damaged(table: &Table, what: &str) -> Failure {
    Failure::Asked(format!(
        "local CRM: its table properties is damaged: {}: {what}",
        table.object
    ))
}

fn load_property(table: &Table, row: &rusqlite::Row<'_>) -> Result<(FieldInfo, Column), Failure> {
    let name: String = row.get(0)?;
    let column = ColumnName::new(&name)
        .map_err(|error| damaged(table, &format!("property {name:?}: {error}")))?;
    let kind_name: String = row.get(2)?;
    let kind = FieldKind::find(&kind_name)
        .ok_or_else(|| damaged(table, &format!("no kind {kind_name:?}")))?;
    let mut field = FieldInfo::new(name.as_str(), kind);
    (field.label, field.custom, field.currency_field) = (row.get(1)?, row.get(3)?, row.get(5)?);
    field.unique = row.get(7)?;
    field.standard = (!field.custom).then(|| name.clone());
    field.max_chars = matches!(
        kind,
        FieldKind::Text | FieldKind::Html | FieldKind::Email | FieldKind::Phone | FieldKind::Url
    )
    .then_some(TEXT_MAX_CHARS);
    let options: Option<String> = row.get(4)?;
    if kind == FieldKind::Options && options.is_none() {
        field.choices = Choices::Open;
    }
    let refers_to: Option<String> = row.get(6)?;
    if let Some(options) = &options {
        field.options = read_options(options)
            .map_err(|error| damaged(table, &format!("options of {name:?}: {error}")))?;
    }
    let rule = match refers_to.as_deref() {
        Some("pipeline") => Rule::Pipeline,
        Some("stage") => Rule::Stage,
        Some(object) => Rule::Record(
            Table::find(object)
                .ok_or_else(|| damaged(table, &format!("{name:?} refers to {object:?}")))?,
        ),
        None if options.is_some() => Rule::Choice(
            field
                .options
                .iter()
                .map(|option| option.value.as_str().into())
                .collect(),
        ),
        None => Rule::Free,
    };
    let unique = field.unique;
    Ok((
        field,
        Column {
            quoted: column.to_string(),
            name,
            kind,
            rule,
            unique,
        },
    ))
}

/// Reads the JSON of the column `properties.options`.
pub(crate) fn read_options(json: &str) -> Result<Vec<FieldOption>, serde_json::Error> {
    serde_json::from_str(json)
}

/// The associations an object's records may carry: to every object but the settings, plain and by each label.
fn associations(object: StandardObject, labels: &[Label]) -> Vec<AssociationInfo> {
    let is_setting = |object| matches!(object, StandardObject::Owner | StandardObject::Currency);
    if is_setting(object) {
        return Vec::new();
    }
    let mut associations = Vec::new();
    for to in StandardObject::ALL
        .into_iter()
        .filter(|to| !is_setting(*to))
    {
        associations.push(AssociationInfo {
            name: to.name().to_owned(),
            to: ObjectName::new(to.name()),
            label: None,
        });
        for (from, at, label) in labels {
            let here = (from == object.name() && at == to.name())
                || (at == object.name() && from == to.name());
            if here {
                let name = format!("{to}:{label}");
                associations.push(AssociationInfo {
                    name,
                    to: ObjectName::new(to.name()),
                    label: Some(label.clone()),
                });
            }
        }
    }
    associations
}

fn load_pipelines(conn: &Connection) -> Result<(Vec<Pipeline>, HashMap<i64, i64>), Failure> {
    let mut select = conn.prepare_cached(
        "SELECT p.id, p.label, p.object, s.id, s.label, s.probability, s.meaning
         FROM pipelines p LEFT JOIN stages s ON s.pipeline_id = p.id
         ORDER BY p.object, p.position, p.id, s.position, s.id",
    )?;
    let (mut pipelines, mut stages): (Vec<Pipeline>, _) = (Vec::new(), HashMap::new());
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let pipeline: i64 = row.get(0)?;
        let id = PipelineId::new(pipeline.to_string());
        if pipelines.last().is_none_or(|last| last.id != id) {
            let object = ObjectName::new(row.get::<_, String>(2)?);
            pipelines.push(Pipeline {
                id,
                label: row.get(1)?,
                object,
                stages: Vec::new(),
            });
        }
        let Some(stage) = row.get::<_, Option<i64>>(3)? else {
            continue;
        };
        stages.insert(stage, pipeline);
        let meaning = row.get::<_, String>(6)?;
        let stage = Stage {
            id: StageId::new(stage.to_string()),
            label: row.get(4)?,
            probability: row.get(5)?,
            meaning: meaning_of(&meaning),
        };
        pipelines
            .last_mut()
            .expect("pushed above")
            .stages
            .push(stage);
    }
    Ok((pipelines, stages))
}

fn meaning_of(name: &str) -> StageMeaning {
    match name {
        "won" => StageMeaning::Won,
        "lost" => StageMeaning::Lost,
        _ => StageMeaning::Open,
    }
}

/// The word for a meaning in the column `stages.meaning`.
pub(crate) fn meaning_name(meaning: StageMeaning) -> &'static str {
    match meaning {
        StageMeaning::Open => "open",
        StageMeaning::Won => "won",
        StageMeaning::Lost => "lost",
    }
}

/// Reads an id of this CRM: digits without leading zeros, above 0.
pub(crate) fn read_id(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| i64::from_str(text).ok()).flatten()
}
