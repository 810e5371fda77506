//! One object's mapping, compiled: for each source field its property, conversion and binding by position.
//!
//! It checks the mapping against both catalogs, so that planning a record needs no look-ups and cannot fail. What becomes of a
//! record is [`crate::record`]'s.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::catalog::StandardObject;
use model::destination::SOURCE_KEY_PROPERTY;
use model::mapping::{
    AssociationMapping, Binding, Blank, Direction, FieldMapping, Mapping, ObjectMapping,
    StageTarget, Write,
};
use model::{Choices, FieldInfo, FieldKind, ObjectInfo, RecordRef};

use crate::choice::OptionTable;
use crate::convert::{Conversion, find_conversion, find_standard_conversion};
use crate::fault::{MappingError, MappingErrors};
use crate::filter::Filter;
use crate::mapping::is_writable;
use crate::matching::{MatchKeys, Matcher};
use crate::transform::{Transform, read};

/// What the planner knows of one mapped field.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Position in the source's table.
    pub(crate) source: u16,
    /// Position in the planned table.
    pub(crate) planned: u16,
    /// Position in the table as it is now; `None` where the property is to be created.
    pub(crate) current: Option<u16>,
    pub(crate) field: String,
    pub(crate) property: String,
    pub(crate) kind: FieldKind,
    pub(crate) source_kind: FieldKind,
    pub(crate) conversion: Conversion,
    pub(crate) binding: Binding,
    pub(crate) options: Option<Box<OptionTable>>,
    pub(crate) choices: Choices,
    /// Characters, for texts.
    pub(crate) text_max: Option<u32>,
    /// Whether the destination takes only real addresses here.
    pub(crate) is_address: bool,
    /// Whether it holds a currency code.
    pub(crate) is_currency: bool,
    /// What becomes of a value that the destination has.
    pub(crate) write: Write,
    /// Whether a blank clears the property.
    pub(crate) clears: bool,
    /// Whether it is written at all: what goes to the source only is not.
    pub(crate) is_carried: bool,
    /// What is done to the value; `conversion` is not used then.
    pub(crate) transform: Option<Box<Transform>>,
    /// The next entry that the same field fills.
    pub(crate) next: Option<u16>,
}

impl Entry {
    /// Whether it is worked out once a record, also where its field is blank.
    fn is_whole(&self) -> bool {
        self.transform
            .as_ref()
            .is_some_and(|transform| transform.is_whole)
    }
}

/// Where deals of a stage go.
#[derive(Clone, Debug)]
pub(crate) struct StageEntry {
    /// The source's pipeline that the stage is in.
    pub(crate) pipeline: String,
    pub(crate) label: String,
    pub(crate) is_mapped: bool,
}

/// One object's mapping, compiled. It is made once a phase and then asked for each record.
#[derive(Clone, Debug)]
pub struct ObjectPlanner {
    pub(crate) source: Arc<ObjectInfo>,
    pub(crate) planned: Arc<ObjectInfo>,
    pub(crate) standard: StandardObject,
    pub(crate) entries: Vec<Entry>,
    /// First entry by position in the source's table.
    pub(crate) by_field: Vec<Option<u16>>,
    /// Entries that are worked out from the whole record.
    pub(crate) whole: Vec<u16>,
    /// Whether a blank clears anything.
    pub(crate) has_clears: bool,
    filter: Option<Filter>,
    /// Entry that holds the stage, and the one that holds the pipeline.
    pub(crate) stage: Option<u16>,
    pub(crate) pipeline: Option<u16>,
    pub(crate) stages: HashMap<String, StageEntry>,
    pub(crate) pipelines: HashSet<String>,
    pub(crate) is_writable: bool,
    matcher: Matcher,
    associations: Vec<AssociationMapping>,
    /// By position in the source's associations: entry, and the first entry that makes the same link.
    by_association: Vec<Option<(u16, u16)>>,
}

impl ObjectPlanner {
    /// Compiles the mapping of one object. `source` is the source's object; `current` is the destination's as it is now, whose table
    /// the records from the destination have; `planned` is the same object of [`crate::planned_catalog`], whose table the planned
    /// rows have.
    ///
    /// # Errors
    /// Everything in the mapping that the catalogs do not bear out. A default mapping of the same catalogs has none.
    pub fn new(
        mapping: &Mapping,
        object: &ObjectMapping,
        source: &Arc<ObjectInfo>,
        current: &ObjectInfo,
        planned: &Arc<ObjectInfo>,
    ) -> Result<Self, MappingErrors> {
        let (mut entries, mut errors) = (Vec::with_capacity(object.fields.len()), Vec::new());
        let mut filled = HashSet::new();
        for field in &object.fields {
            if !filled.insert(field.destination.as_str()) {
                errors.push(MappingError::FilledTwice(field.destination.clone()));
                continue;
            }
            match compile_field(object.standard, field, source, current, planned) {
                Ok(entry) => entries.push(entry),
                Err(error) => errors.push(error),
            }
        }
        let by_association = compile_associations(&object.associations, source, &mut errors);
        let filter = object
            .filter
            .as_ref()
            .map(|condition| Filter::new(condition, source))
            .transpose();
        let filter = filter.unwrap_or_else(|unfit| {
            errors.extend(unfit);
            None
        });
        if !errors.is_empty() {
            return Err(MappingErrors {
                object: object.source.to_string(),
                errors,
            });
        }
        let (by_field, whole) = chain(&mut entries, source.fields.len());
        let find = |binding: &Binding| {
            (0_u16..)
                .zip(&entries)
                .find(|(_, entry)| entry.binding == *binding)
                .map(|(at, _)| at)
        };
        let (stage, pipeline) = (find(&Binding::Stage), find(&Binding::Pipeline));
        let (stages, pipelines) = compile_stages(mapping, object);
        Ok(Self {
            matcher: Matcher::of_source(object, source),
            source: source.clone(),
            planned: planned.clone(),
            standard: object.standard,
            has_clears: entries.iter().any(|entry| entry.clears),
            entries,
            by_field,
            whole,
            filter,
            stage,
            pipeline,
            stages,
            pipelines,
            is_writable: is_writable(planned),
            associations: object.associations.clone(),
            by_association,
        })
    }

    /// The source's object.
    pub fn source(&self) -> &Arc<ObjectInfo> {
        &self.source
    }

    /// The destination's object as planned; planned rows are rows of it.
    pub fn planned(&self) -> &Arc<ObjectInfo> {
        &self.planned
    }

    /// The match keys of a record of the source.
    pub fn match_keys(&self, record: RecordRef<'_>) -> MatchKeys {
        self.matcher.match_keys(record)
    }

    /// Whether records of this object can have match keys at all.
    pub fn has_match_rules(&self) -> bool {
        self.matcher.has_rules()
    }

    /// The condition of the object's filter that the record does not meet, for a person; `None` where it meets them all.
    pub fn find_unmet(&self, record: RecordRef<'_>) -> Option<&str> {
        self.filter.as_ref()?.find_unmet(record)
    }

    /// The properties whose planned values are ids of the source, as (position in the planned table, what they refer to): `apply` puts
    /// the destination's ids in their place.
    pub fn bindings(&self) -> impl Iterator<Item = (u16, &Binding)> {
        self.entries
            .iter()
            .filter(|entry| entry.binding != Binding::None)
            .map(|entry| (entry.planned, &entry.binding))
    }

    /// The source's stage that the record is in, where it says so.
    pub(crate) fn find_stage_id<'a>(&self, record: RecordRef<'a>) -> Option<&'a str> {
        let entry = &self.entries[usize::from(self.stage?)];
        record.find_text(entry.source).filter(|id| !id.is_empty())
    }

    /// Whether a deal or lead is tied to nobody: it migrates as it is, and a person should know that no company and no contact
    /// leads to it.
    pub fn is_unlinked(&self, record: RecordRef<'_>) -> bool {
        let is_tied = matches!(self.standard, StandardObject::Deal | StandardObject::Lead)
            && !self.associations.is_empty();
        is_tied
            && !record.is_deleted()
            && self.find_unmet(record).is_none()
            && self.plan_links(record).next().is_none()
    }

    /// The links that a record of the source carries and that the mapping takes, as (association, id at the other end); each once,
    /// also where two associations of the source come to the same. A deleted record carries none.
    pub fn plan_links<'p>(
        &'p self,
        record: RecordRef<'p>,
    ) -> impl Iterator<Item = (&'p AssociationMapping, &'p str)> {
        let links = move || {
            record.associations().filter_map(move |(name, id)| {
                let (entry, first) = self
                    .by_association
                    .get(usize::from(name))
                    .copied()
                    .flatten()?;
                Some((entry, first, id))
            })
        };
        // Few links are compared with each other; only many are worth a table.
        let mut seen = (links().nth(16).is_some()).then(HashSet::new);
        links()
            .enumerate()
            .filter(move |_| !record.is_deleted())
            .filter_map(move |(at, (entry, first, id))| {
                let is_new = match &mut seen {
                    Some(seen) => seen.insert((first, id)),
                    None => !links()
                        .take(at)
                        .any(|(_, other, other_id)| (other, other_id) == (first, id)),
                };
                is_new.then(|| (&self.associations[usize::from(entry)], id))
            })
    }
}

/// Chains the entries that one field fills, in order: the first by position in the source's table. Those that are worked out from the
/// whole record stand apart.
fn chain(entries: &mut [Entry], fields: usize) -> (Vec<Option<u16>>, Vec<u16>) {
    let (mut by_field, mut whole) = (vec![None; fields], Vec::new());
    for (at, entry) in entries.iter_mut().enumerate().rev() {
        let at = u16::try_from(at).expect("no more entries than properties");
        if !entry.is_carried {
            continue;
        }
        if entry.is_whole() {
            whole.push(at);
        } else {
            entry.next = by_field[usize::from(entry.source)].replace(at);
        }
    }
    whole.reverse();
    (by_field, whole)
}

/// Compiles one field. `current` is the destination's object as it is now, `planned` as it will be.
pub(crate) fn compile_field(
    standard: StandardObject,
    field: &FieldMapping,
    source: &ObjectInfo,
    current: &ObjectInfo,
    planned: &ObjectInfo,
) -> Result<Entry, MappingError> {
    let find = |table: &model::FieldTable, name: &str| table.find(name);
    let position = find(&source.fields, &field.source)
        .ok_or_else(|| MappingError::NoField(field.source.clone()))?;
    let info = source.fields.get(position).expect("found in the table");
    let target = find(&planned.fields, &field.destination)
        .ok_or_else(|| MappingError::NoProperty(field.destination.clone()))?;
    let property = planned.fields.get(target).expect("found in the table");
    if property.read_only || property.name == SOURCE_KEY_PROPERTY {
        return Err(MappingError::ReadOnly(field.destination.clone()));
    }
    let kinds = || MappingError::Kinds {
        field: field.source.clone(),
        from: info.kind,
        property: field.destination.clone(),
        to: property.kind,
    };
    let transform = compile_transform(field, (position, info), source, property)?;
    let conversion = match field.binding {
        _ if transform.is_some() => Conversion::Same,
        Binding::None => {
            let same = info
                .standard
                .as_deref()
                .filter(|name| *name == property.name && !property.custom);
            let found = match same {
                Some(standard) => find_standard_conversion(standard, info.kind, property.kind),
                None => find_conversion(info.kind, property.kind),
            };
            found.ok_or_else(kinds)?
        }
        _ if info.kind.is_textual() && property.kind.is_textual() => Conversion::Same,
        _ => return Err(kinds()),
    };
    let options = match &transform {
        // What comes out of a transform is no option of the source's any more.
        Some(_) => matches!(property.kind, FieldKind::Option | FieldKind::Options)
            .then(|| OptionTable::new(&FieldInfo::new("", FieldKind::Text), property)),
        None => conversion
            .has_options()
            .then(|| OptionTable::new(info, property)),
    };
    Ok(Entry {
        source: position,
        planned: target,
        current: find(&current.fields, &field.destination),
        field: field.source.clone(),
        property: field.destination.clone(),
        kind: property.kind,
        source_kind: info.kind,
        conversion,
        binding: field.binding.clone(),
        options: options.map(Box::new),
        choices: property.choices,
        text_max: property
            .max_chars
            .filter(|_| is_cut(property, &field.binding)),
        is_address: standard == StandardObject::Contact && property.name == "email",
        is_currency: is_currency(planned, property),
        write: field.rules.write,
        clears: field.rules.blank == Blank::Clear,
        is_carried: field.rules.direction != Direction::ToSource,
        transform: transform.map(Box::new),
        next: None,
    })
}

/// Compiles the field's transform, where it has one, and holds it against its examples.
fn compile_transform(
    field: &FieldMapping,
    at: (u16, &FieldInfo),
    source: &ObjectInfo,
    property: &FieldInfo,
) -> Result<Option<Transform>, MappingError> {
    let rules = &field.rules;
    let failed = |problem: String| MappingError::Transform {
        field: field.source.clone(),
        problem,
    };
    if rules.transform.is_empty() && rules.examples.is_empty() {
        return Ok(None);
    }
    let is_id = |kind| matches!(kind, FieldKind::Owner | FieldKind::Reference);
    if field.binding != Binding::None || is_id(at.1.kind) || is_id(property.kind) {
        return Err(failed(
            "ids of other records are bound, not transformed".to_owned(),
        ));
    }
    let transform = Transform::new(&rules.transform, at, source)?;
    for example in &rules.examples {
        transform.check(&field.source, example)?;
        let is_read = property.kind.is_textual()
            || property.kind == FieldKind::Options
            || example.to.is_empty()
            || read(property.kind, &example.to).is_some();
        if !is_read {
            let (to, kind) = (&example.to, property.kind);
            return Err(failed(format!(
                "the test's {to:?} cannot be read as {kind}, which {:?} is",
                property.name
            )));
        }
    }
    Ok((!rules.transform.is_empty()).then_some(transform))
}

fn is_cut(property: &FieldInfo, binding: &Binding) -> bool {
    *binding == Binding::None
        && matches!(
            property.kind,
            FieldKind::Text | FieldKind::Html | FieldKind::Phone | FieldKind::Url
        )
}

fn is_currency(object: &ObjectInfo, property: &FieldInfo) -> bool {
    let is_named =
        matches!(property.name.as_str(), "deal_currency_code" | "hs_currency") && !property.custom;
    is_named
        || object
            .fields
            .iter()
            .any(|other| other.currency_field.as_deref() == Some(&property.name))
}

fn compile_associations(
    associations: &[AssociationMapping],
    source: &ObjectInfo,
    errors: &mut Vec<MappingError>,
) -> Vec<Option<(u16, u16)>> {
    let mut by_association = vec![None; source.associations.len()];
    for (at, association) in (0_u16..).zip(associations) {
        let same = |other: &&AssociationMapping| {
            other.to_source == association.to_source && other.label == association.label
        };
        let first = (0_u16..)
            .zip(associations)
            .find(|(_, other)| same(other))
            .map_or(at, |(first, _)| first);
        match source.find_association(&association.source) {
            Some(position) => by_association[usize::from(position)] = Some((at, first)),
            None => errors.push(MappingError::NoAssociation(association.source.clone())),
        }
    }
    by_association
}

fn compile_stages(
    mapping: &Mapping,
    object: &ObjectMapping,
) -> (HashMap<String, StageEntry>, HashSet<String>) {
    let (mut stages, mut pipelines) = (HashMap::new(), HashSet::new());
    for pipeline in mapping
        .pipelines
        .iter()
        .filter(|pipeline| pipeline.object == object.destination)
    {
        pipelines.insert(pipeline.source.as_str().to_owned());
        for stage in &pipeline.stages {
            stages
                .entry(stage.source.id.as_str().to_owned())
                .or_insert_with(|| StageEntry {
                    pipeline: pipeline.source.as_str().to_owned(),
                    label: stage.source.label.clone(),
                    is_mapped: stage.target != StageTarget::Unmapped,
                });
        }
    }
    (stages, pipelines)
}
