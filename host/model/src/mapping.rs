//! The mapping: which object, field and stage of the source becomes which at the destination.
//!
//! It is part of a plan and is hashed with it. How a default one is made from two catalogs is `reconcile`'s.

use serde::{Deserialize, Serialize};

use crate::catalog::{FieldInfo, Stage, StandardObject};
use crate::condition::Condition;
use crate::id::{ObjectName, PipelineId, StageId};
use crate::transform::{Example, Step};

/// Everything that decides what goes where.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// One entry for each source object that migrates, in the order of writing.
    pub objects: Vec<ObjectMapping>,
    /// Source objects that nothing at the destination takes.
    pub unmapped_objects: Vec<ObjectName>,
    /// One entry for each source pipeline.
    pub pipelines: Vec<PipelineMapping>,
}

impl Mapping {
    /// The entry of that source object.
    pub fn find_object(&self, source: &ObjectName) -> Option<&ObjectMapping> {
        self.objects.iter().find(|object| object.source == *source)
    }

    /// The first source object that becomes that standard object.
    pub fn find_standard(&self, standard: StandardObject) -> Option<&ObjectMapping> {
        self.objects
            .iter()
            .find(|object| object.standard == standard)
    }

    /// Where a source stage goes: the pipeline entry and the stage entry.
    pub fn find_stage(&self, stage: &str) -> Option<(&PipelineMapping, &StageMapping)> {
        self.pipelines.iter().find_map(|pipeline| {
            let found = pipeline
                .stages
                .iter()
                .find(|entry| entry.source.id.as_str() == stage)?;
            Some((pipeline, found))
        })
    }
}

/// One source object and what becomes of its records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectMapping {
    /// The source's object.
    pub source: ObjectName,
    /// What it is.
    pub standard: StandardObject,
    /// The destination's object.
    pub destination: ObjectName,
    /// Field by field. A destination property is named at most once.
    pub fields: Vec<FieldMapping>,
    /// Source fields that nothing takes, with the reason.
    pub unmapped: Vec<(String, String)>,
    /// Association by association.
    pub associations: Vec<AssociationMapping>,
    /// What a record must be like to migrate; without one all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Condition>,
    /// How records of both sides are found to be one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub matching: Matching,
    /// Who wins where both sides changed one field.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conflict: ConflictRule,
}

/// Who wins where both sides changed one field of one record, and when that is a conflict. It is for the sync that follows a migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictRule {
    /// Who wins, unless the field says otherwise.
    #[serde(default)]
    pub winner: Winner,
    /// When two edits are a conflict.
    #[serde(default)]
    pub mode: ConflictMode,
}

/// Who wins a conflict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Winner {
    /// The destination: HubSpot.
    #[default]
    Destination,
    /// The source: the app.
    Source,
    /// Who edited it last; the destination where that cannot be told.
    LatestEdit,
}

/// When two edits of one field are a conflict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictMode {
    /// Always.
    #[default]
    Always,
    /// Only within five minutes of each other; else the later one wins.
    Close,
}

/// How records of both sides are found to be one. What was bound once stays bound, whatever this says later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matching {
    /// By the object's own rules.
    #[default]
    Default,
    /// By one field alone.
    Field {
        /// The source's field.
        source: String,
        /// The destination's property that it is compared with.
        destination: String,
    },
    /// Not at all: every record becomes a new one.
    Never,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One source field and the property it fills.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldMapping {
    /// The source's field.
    pub source: String,
    /// The destination's property.
    pub destination: String,
    /// The property as it must be created; `None` where it exists.
    pub create: Option<FieldInfo>,
    /// What the value means beyond itself.
    pub binding: Binding,
    /// Whether every value of the source's kind is kept as it is.
    pub lossless: bool,
    /// When it is written, and what is done to it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rules: FieldRules,
}

/// When a field's value is written, and what is done to it on the way. The default writes every value that is not blank, as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldRules {
    /// Which way it goes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub direction: Direction,
    /// What becomes of a value that the destination has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub write: Write,
    /// What a blank at the source does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub blank: Blank,
    /// Who wins a conflict, where that is not the object's rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub winner: Option<Winner>,
    /// What is done to the value, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transform: Vec<Step>,
    /// What the transform must make of some values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
}

/// Which way a field's value goes. A migration writes the destination only, so a field that goes to the source only is not written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// Only to the destination.
    ToDestination,
    /// Only to the source.
    ToSource,
}

/// What becomes of a value that the destination has already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Write {
    /// The source's value takes its place.
    #[default]
    Always,
    /// It stays; only a property that has none is filled.
    FillIfEmpty,
    /// A record that the destination has is left as it is, also where it has no value; only new records get one.
    NeverOverwrite,
}

/// What a blank at the source does to the value at the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blank {
    /// Nothing: a blank overwrites nothing.
    #[default]
    Keep,
    /// It clears it.
    Clear,
}

/// What a mapped value refers to; `apply` puts the destination's id in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// Nothing: it is the value.
    None,
    /// A pipeline of the source.
    Pipeline,
    /// A stage of the source.
    Stage,
    /// A record of that source object (an owner, a product).
    Record(ObjectName),
}

/// One association of the source and the one it becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociationMapping {
    /// The source's association, by its name in the rows.
    pub source: String,
    /// The source object at the other end.
    pub to_source: ObjectName,
    /// The destination object at the other end.
    pub to: ObjectName,
    /// The label at the destination, `None` for the plain link.
    pub label: Option<String>,
}

/// One pipeline of the source and the one it becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineMapping {
    /// The source's pipeline.
    pub source: PipelineId,
    /// Its label.
    pub label: String,
    /// The destination's object.
    pub object: ObjectName,
    /// The destination's pipeline; `None` where one of the same label is created.
    pub destination: Option<PipelineId>,
    /// Stage by stage, in the source's order.
    pub stages: Vec<StageMapping>,
}

/// One stage of the source and the one it becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageMapping {
    /// The source's stage.
    pub source: Stage,
    /// Where it goes.
    pub target: StageTarget,
    /// Why, for a person.
    pub reason: String,
}

/// Where a stage goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageTarget {
    /// To that stage of the destination.
    Existing(StageId),
    /// To a new stage of the same label, probability and meaning.
    Create,
    /// Nowhere: its deals are excluded.
    Unmapped,
}
