//! Overrides: what a person says of a mapping, put over the default one and held against both catalogs.
//!
//! Everything that is wrong is told together, each with its line. What nobody speaks of stays as [`crate::default_mapping`] has it. The
//! file that a person writes is read elsewhere.

mod fields;
mod pipelines;

use std::fmt;
use std::sync::Arc;

use model::catalog::{Catalog, StandardObject};
use model::condition::Condition;
use model::mapping::{ConflictRule, FieldRules, Mapping, Matching, ObjectMapping};
use model::{FieldKind, Finding, FindingCode, ObjectInfo, ObjectName};

use crate::filter::Filter;
use crate::likeness;
use crate::mapping::{default_mapping, planned_catalog};

/// Something a person said, and the line where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// Counted from 1.
    pub line: usize,
    /// What.
    pub value: T,
}

/// One thing that is wrong with what a person said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MappingFault {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, lower case, no full stop.
    pub message: String,
}

impl fmt::Display for MappingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Everything that a person said of a mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// By the source's object.
    pub objects: Vec<(At<String>, ObjectOverride)>,
    /// By the label or id of the source's pipeline.
    pub pipelines: Vec<(At<String>, PipelineOverride)>,
    /// What was wrong already when it was read.
    pub faults: Vec<MappingFault>,
    /// The text that it was read from, which is kept with the plan.
    pub text: String,
}

impl Overrides {
    fn find_object(&self, source: &str) -> Option<&ObjectOverride> {
        let mut objects = self.objects.iter();
        objects
            .find(|(at, _)| at.value == source)
            .map(|(_, said)| said)
    }
}

/// What a person said of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectOverride {
    /// Whether it stays at the source as a whole.
    pub left_out: bool,
    /// What a record must be like to migrate.
    pub filter: Option<At<Condition>>,
    /// How records are found to be one.
    pub matching: Option<At<MatchOverride>>,
    /// Who wins a conflict, where that is said.
    pub conflict: ConflictRule,
    /// By the source's field; one field may fill several properties.
    pub fields: Vec<(At<String>, FieldOverride)>,
}

/// How records are found to be one, as a person says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchOverride {
    /// By the object's own rules.
    Default,
    /// Not at all.
    Never,
    /// By that field of the source and that property, or the one that the field fills.
    Field(String, Option<String>),
}

/// What a person said of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldOverride {
    /// It fills nothing.
    LeftOut,
    /// It fills a property.
    Filled {
        /// The property; the default one where it is not said.
        to: Option<String>,
        /// The kind of a property that is to be created.
        create: Option<FieldKind>,
        /// When and how.
        rules: FieldRules,
    },
}

/// What a person said of one pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipelineOverride {
    /// Label or id of the destination's pipeline; the default one where it is not said.
    pub to: Option<At<String>>,
    /// Whether stages go where they look or sound like, and nowhere else.
    pub auto_map: bool,
    /// By the label or id of the source's stage.
    pub stages: Vec<(At<String>, At<StageOverride>)>,
}

/// Where a stage goes, as a person says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageOverride {
    /// Nowhere: its deals are left out.
    Unmapped,
    /// To a new stage of its label.
    New,
    /// To the stage of that label or id.
    To(String),
}

/// The mapping as a person wants it. `told` is what the source said of its catalog.
///
/// # Errors
/// Everything that is wrong, in the order of the lines.
pub fn map_with(
    source: &Catalog,
    destination: &Catalog,
    overrides: &Overrides,
    told: &[Finding],
) -> Result<(Mapping, Vec<Finding>), Vec<MappingFault>> {
    let mut faults = overrides.faults.clone();
    let (kept, left_out) = leave_out(source, overrides, &mut faults);
    let (mut mapping, mut findings) = default_mapping(&kept, destination);
    for (object, line) in left_out {
        findings.push(unmapped_finding(
            &object.name,
            None,
            format!(
                "object {} is left out by line {line} of the mapping file",
                object.name
            ),
        ));
        mapping.unmapped_objects.push(object.name.clone());
    }
    for entry in &mut mapping.objects {
        let name = entry.source.clone();
        let (Some(info), Some(target)) = (
            source.find_object(name.as_str()),
            destination.find_object(entry.destination.as_str()),
        ) else {
            continue;
        };
        if let Some(said) = overrides.find_object(name.as_str()) {
            let mut draft = fields::Draft {
                info,
                target,
                faults: &mut faults,
                findings: &mut findings,
            };
            draft.override_fields(entry, &said.fields);
            entry.conflict = said.conflict;
            override_filter(entry, info, said, &mut faults);
            override_matching(entry, info, said, &mut faults);
        }
    }
    pipelines::override_pipelines(
        (source, destination, told),
        &mut mapping,
        &overrides.pipelines,
        &mut findings,
        &mut faults,
    );
    // Everything else is known to fit; what is left is held against the properties as they will be.
    let planned = planned_catalog(destination, &mapping);
    for entry in &mapping.objects {
        if let Some(said) = overrides.find_object(entry.source.as_str()) {
            fields::check_fields(
                (&kept, destination, &planned),
                entry,
                &said.fields,
                &mut faults,
            );
            check_match_property(entry, said, &planned, &mut faults);
        }
    }
    if faults.is_empty() {
        return Ok((mapping, findings));
    }
    faults.sort();
    faults.dedup();
    Err(faults)
}

/// The source without the objects that stay there; and these, with the line that says so.
fn leave_out<'s>(
    source: &'s Catalog,
    overrides: &Overrides,
    faults: &mut Vec<MappingFault>,
) -> (Catalog, Vec<(&'s Arc<ObjectInfo>, usize)>) {
    let (mut kept, mut left_out) = (source.clone(), Vec::new());
    for (at, said) in &overrides.objects {
        match source.find_object(&at.value) {
            None => {
                let names = source.objects.iter().map(|object| object.name.as_str());
                let message = format!(
                    "the source has no object {:?}{}",
                    at.value,
                    did_you_mean(&at.value, names)
                );
                faults.push(fault(at.line, message));
            }
            Some(object) if said.left_out => {
                kept.objects.retain(|other| other.name != object.name);
                left_out.push((object, at.line));
            }
            Some(_) => {}
        }
    }
    (kept, left_out)
}

fn override_filter(
    entry: &mut ObjectMapping,
    info: &ObjectInfo,
    said: &ObjectOverride,
    faults: &mut Vec<MappingFault>,
) {
    let Some(At { line, value }) = &said.filter else {
        return;
    };
    match Filter::new(value, info) {
        Ok(_) => entry.filter = Some(value.clone()),
        Err(errors) => faults.extend(errors.iter().map(|error| {
            let hint = match error {
                crate::fault::MappingError::NoField(name) => did_you_mean(name, names(info)),
                _ => String::new(),
            };
            fault(*line, format!("filter: {error}{hint}"))
        })),
    }
}

/// The objects that a person may match by a field of theirs, or not at all. Deals and what hangs on records are never matched; owners and
/// currencies always by e-mail address and code.
const MATCHED: [StandardObject; 6] = [
    StandardObject::Company,
    StandardObject::Contact,
    StandardObject::Lead,
    StandardObject::Product,
    StandardObject::Invoice,
    StandardObject::Project,
];

fn override_matching(
    entry: &mut ObjectMapping,
    info: &ObjectInfo,
    said: &ObjectOverride,
    faults: &mut Vec<MappingFault>,
) {
    let Some(At { line, value }) = &said.matching else {
        return;
    };
    if *value != MatchOverride::Default && !MATCHED.contains(&entry.standard) {
        let rule = match entry.standard {
            StandardObject::Owner => "owners are always matched by e-mail address",
            StandardObject::Currency => "currencies are always matched by their code",
            StandardObject::Deal => "deals are never matched or merged",
            _ => "its records are never matched",
        };
        faults.push(fault(*line, format!("match of {}: {rule}", entry.source)));
        return;
    }
    entry.matching = match value {
        MatchOverride::Default => Matching::Default,
        MatchOverride::Never => Matching::Never,
        MatchOverride::Field(field, property) => {
            if info.fields.find(field).is_none() {
                let message = format!(
                    "match: source field {field:?} does not exist{}",
                    did_you_mean(field, names(info))
                );
                faults.push(fault(*line, message));
                return;
            }
            let filled = entry.fields.iter().find(|other| other.source == *field);
            let property = property
                .clone()
                .or_else(|| filled.map(|filled| filled.destination.clone()));
            let Some(destination) = property else {
                let message = format!(
                    "match: {field:?} fills no property; say which one it is compared with: `property = …`"
                );
                faults.push(fault(*line, message));
                return;
            };
            Matching::Field {
                source: field.clone(),
                destination,
            }
        }
    };
}

fn check_match_property(
    entry: &ObjectMapping,
    said: &ObjectOverride,
    planned: &Catalog,
    faults: &mut Vec<MappingFault>,
) {
    let (Some(at), Matching::Field { destination, .. }) = (&said.matching, &entry.matching) else {
        return;
    };
    let target = planned.find_object(entry.destination.as_str());
    if let Some(target) = target.filter(|target| target.fields.find(destination).is_none()) {
        let message = format!(
            "match: destination property {destination:?} does not exist{}",
            did_you_mean(destination, names(target))
        );
        faults.push(fault(at.line, message));
    }
}

fn names(info: &ObjectInfo) -> impl Iterator<Item = &str> {
    info.fields.iter().map(|field| field.name.as_str())
}

fn fault(line: usize, message: String) -> MappingFault {
    MappingFault { line, message }
}

fn unmapped_finding(object: &ObjectName, field: Option<&str>, message: String) -> Finding {
    Finding {
        code: FindingCode::UnmappedField,
        object: object.clone(),
        record: None,
        field: field.map(str::to_owned),
        message,
    }
}

/// `; did you mean "…"?` with the name that is most like it, nothing where none is.
pub fn did_you_mean<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> String {
    likeness::find_meant(name, names)
        .map_or_else(String::new, |other| format!("; did you mean {other:?}?"))
}

#[cfg(test)]
mod tests;
