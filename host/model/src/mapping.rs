//! The mapping: which object, field and stage of the source becomes which at the destination.
//!
//! It is part of a plan and is hashed with it. How a default one is made from two catalogs is `reconcile`'s.

use serde::{Deserialize, Serialize};

use crate::catalog::{FieldInfo, Stage, StandardObject};
use crate::id::{ObjectName, PipelineId, StageId};

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
