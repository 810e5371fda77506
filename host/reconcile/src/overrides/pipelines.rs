//! Pipelines and stages: where each goes where a person says so, and whether its meaning allows it.

use model::catalog::{Catalog, Pipeline, Stage};
use model::mapping::{Mapping, PipelineMapping, StageMapping, StageTarget};
use model::{Finding, FindingCode, ObjectName};

use super::{At, MappingFault, PipelineOverride, StageOverride, did_you_mean, fault};
use crate::automap::{auto_map, meaning};
use crate::normal;
use crate::stages::{explain_none, map_stages, unmapped_stages, with_labels_once};

/// Puts the pipelines over the default ones.
pub(super) fn override_pipelines(
    (source, destination, told): (&Catalog, &Catalog, &[Finding]),
    mapping: &mut Mapping,
    said: &[(At<String>, PipelineOverride)],
    findings: &mut Vec<Finding>,
    faults: &mut Vec<MappingFault>,
) {
    for (at, said) in said {
        let found = source
            .pipelines
            .iter()
            .find(|pipeline| is_named(pipeline.id.as_str(), &pipeline.label, &at.value));
        let entry = found.and_then(|pipeline| {
            let entry = mapping
                .pipelines
                .iter_mut()
                .find(|entry| entry.source == pipeline.id)?;
            Some((pipeline, entry))
        });
        let Some((pipeline, entry)) = entry else {
            let message = match (source.pipelines.is_empty(), found) {
                (true, _) => explain_none(source, told).unwrap_or_default(),
                (false, Some(_)) => {
                    format!("pipeline {:?} is of an object that is not mapped", at.value)
                }
                (false, None) => format!(
                    "the source has no pipeline {:?}{}",
                    at.value,
                    did_you_mean(
                        &at.value,
                        source.pipelines.iter().map(|other| other.label.as_str())
                    )
                ),
            };
            faults.push(fault(at.line, message));
            continue;
        };
        let before = unmapped_stages(entry, &pipeline.object);
        findings.retain(|finding| !before.contains(finding));
        override_pipeline(pipeline, destination, entry, said, faults);
        findings.extend(unmapped_stages(entry, &pipeline.object));
        findings.extend(other_probabilities(entry, destination, &pipeline.object));
    }
}

fn is_named(id: &str, label: &str, name: &str) -> bool {
    id == name || normal::label(label) == normal::label(name)
}

fn override_pipeline(
    pipeline: &Pipeline,
    destination: &Catalog,
    entry: &mut PipelineMapping,
    said: &PipelineOverride,
    faults: &mut Vec<MappingFault>,
) {
    let there = || {
        destination
            .pipelines
            .iter()
            .filter(|other| other.object == entry.object)
    };
    let target = match &said.to {
        Some(to) => {
            let found = there().find(|other| is_named(other.id.as_str(), &other.label, &to.value));
            if found.is_none() {
                let message = format!(
                    "the destination has no pipeline {:?} of {}{}",
                    to.value,
                    entry.object,
                    did_you_mean(&to.value, there().map(|other| other.label.as_str()))
                );
                faults.push(fault(to.line, message));
                return;
            }
            found
        }
        None => there().find(|other| Some(&other.id) == entry.destination.as_ref()),
    };
    let pipeline = with_labels_once(pipeline);
    entry.destination = target.map(|target| target.id.clone());
    entry.stages = match target {
        Some(target) if said.auto_map => auto_map(&pipeline, target),
        target => map_stages(&pipeline, target),
    };
    for (at, to) in &said.stages {
        let mut stages = entry.stages.iter_mut();
        let found =
            stages.find(|stage| is_named(stage.source.id.as_str(), &stage.source.label, &at.value));
        let Some(stage) = found else {
            let labels = pipeline.stages.iter().map(|stage| stage.label.as_str());
            let message = format!(
                "pipeline {:?} has no stage {:?}{}",
                entry.label,
                at.value,
                did_you_mean(&at.value, labels)
            );
            faults.push(fault(at.line, message));
            continue;
        };
        if let Err(message) = override_stage(stage, target, &to.value) {
            faults.push(fault(to.line, message));
        }
    }
}

fn override_stage(
    stage: &mut StageMapping,
    target: Option<&Pipeline>,
    said: &StageOverride,
) -> Result<(), String> {
    let to = match said {
        StageOverride::Unmapped => StageTarget::Unmapped,
        StageOverride::New => StageTarget::Create,
        StageOverride::To(name) => {
            let Some(target) = target else {
                return Err("the pipeline is new and has no stages of its own yet".to_owned());
            };
            let found = find_stage(target, name).ok_or_else(|| {
                let labels = target.stages.iter().map(|stage| stage.label.as_str());
                format!(
                    "pipeline {:?} of the destination has no stage {name:?}{}",
                    target.label,
                    did_you_mean(name, labels)
                )
            })?;
            if found.meaning != stage.source.meaning {
                return Err(format!(
                    "stage {:?} is {} at the source and {:?} is {} at the destination",
                    stage.source.label,
                    meaning(stage.source.meaning),
                    found.label,
                    meaning(found.meaning)
                ));
            }
            StageTarget::Existing(found.id.clone())
        }
    };
    // What a person says as it is by default keeps its reason, so that a file which changes nothing makes the same plan.
    if stage.target != to {
        stage.target = to;
        "so says the mapping file".clone_into(&mut stage.reason);
    }
    Ok(())
}

fn find_stage<'t>(target: &'t Pipeline, name: &str) -> Option<&'t Stage> {
    let mut stages = target.stages.iter();
    stages.find(|stage| is_named(stage.id.as_str(), &stage.label, name))
}

/// Stages whose deals will be weighed otherwise than they were: a forecast changes by that.
fn other_probabilities<'e>(
    entry: &'e PipelineMapping,
    destination: &'e Catalog,
    object: &'e ObjectName,
) -> impl Iterator<Item = Finding> + 'e {
    let target = destination
        .pipelines
        .iter()
        .find(|other| Some(&other.id) == entry.destination.as_ref());
    entry.stages.iter().filter_map(move |stage| {
        let StageTarget::Existing(id) = &stage.target else {
            return None;
        };
        let there = target?.stages.iter().find(|other| other.id == *id)?;
        let (here, other) = (stage.source.probability?, there.probability?);
        (here != other).then(|| Finding {
            code: FindingCode::SourceNote,
            object: object.clone(),
            record: None,
            field: None,
            message: format!(
                "stage {:?} of pipeline {:?} has a probability of {here} % and becomes {:?}, which has {other} %",
                stage.source.label, entry.label, there.label
            ),
        })
    })
}
