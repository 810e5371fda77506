//! The mapping for a person: object by object, what each field fills, whether anything is lost, and what stays behind.

use model::Catalog;
use model::mapping::{Blank, Direction, FieldMapping, Matching, ObjectMapping, StageTarget, Write};
use run::Discovered;

/// One line each.
pub(super) fn lines(found: &Discovered) -> Vec<String> {
    let mut lines = Vec::new();
    for object in &found.mapping.objects {
        lines.push(format!(
            "{} becomes {}: {} fields mapped, {} not mapped",
            object.source,
            object.destination,
            object.fields.len(),
            object.unmapped.len()
        ));
        match &object.matching {
            Matching::Default => {}
            Matching::Never => {
                lines.push("  never matched: every record becomes a new one".to_owned())
            }
            Matching::Field {
                source,
                destination,
            } => {
                lines.push(format!("  matched by {source} and {destination} alone"));
            }
        }
        if let Some(filter) = &object.filter {
            lines.push(format!("  only where {filter}"));
        }
        for field in &object.fields {
            lines.push(format!("  {}", field_line(found, object, field)));
        }
        for (field, reason) in &object.unmapped {
            lines.push(format!("  {field} -> nothing: {reason}"));
        }
    }
    for object in &found.mapping.unmapped_objects {
        lines.push(format!("{object} becomes nothing"));
    }
    lines.extend(stage_lines(found));
    lines
}

fn field_line(found: &Discovered, object: &ObjectMapping, field: &FieldMapping) -> String {
    let kind = |catalog: &Catalog, object: &str, name: &str| {
        let fields = &catalog.find_object(object)?.fields;
        Some(fields.get(fields.find(name)?)?.kind.name())
    };
    let from = kind(&found.source, object.source.as_str(), &field.source).unwrap_or("?");
    let to = match &field.create {
        Some(create) => create.kind.name(),
        None => kind(
            &found.destination,
            object.destination.as_str(),
            &field.destination,
        )
        .unwrap_or("?"),
    };
    let mut line = format!(
        "{} -> {} ({from} into {to}",
        field.source, field.destination
    );
    line.push_str(if field.lossless {
        ", lossless"
    } else {
        ", lossy"
    });
    if field.create.is_some() {
        line.push_str(", created");
    }
    let rules = &field.rules;
    line.push_str(match rules.direction {
        Direction::Both => "",
        Direction::ToDestination => ", to the destination only",
        Direction::ToSource => ", to the source only: not written",
    });
    line.push_str(match rules.write {
        Write::Always => "",
        Write::FillIfEmpty => ", fills what is empty",
        Write::NeverOverwrite => ", never overwrites",
    });
    if rules.blank == Blank::Clear {
        line.push_str(", a blank clears");
    }
    if !rules.transform.is_empty() {
        let (steps, tests) = (rules.transform.len(), rules.examples.len());
        line.push_str(&format!(
            ", transformed in {steps} steps with {tests} tests"
        ));
    }
    line.push(')');
    line
}

fn stage_lines(found: &Discovered) -> Vec<String> {
    let mut lines = Vec::new();
    for pipeline in &found.mapping.pipelines {
        let target = found.destination.pipelines.iter();
        let target = target
            .clone()
            .find(|other| Some(&other.id) == pipeline.destination.as_ref());
        let becomes = target.map_or_else(
            || "a new pipeline".to_owned(),
            |target| format!("{:?}", target.label),
        );
        lines.push(format!("pipeline {:?} becomes {becomes}", pipeline.label));
        for stage in &pipeline.stages {
            let to = match &stage.target {
                StageTarget::Existing(id) => {
                    let stages = target
                        .map(|target| target.stages.as_slice())
                        .unwrap_or_default();
                    let label = stages
                        .iter()
                        .find(|other| other.id == *id)
                        .map(|other| other.label.as_str());
                    format!("{:?}", label.unwrap_or(id.as_str()))
                }
                StageTarget::Create => "a new stage".to_owned(),
                StageTarget::Unmapped => "nothing".to_owned(),
            };
            lines.push(format!(
                "  {:?} -> {to} ({})",
                stage.source.label, stage.reason
            ));
        }
    }
    lines.extend(reconcile::stages::explain_none(
        &found.source,
        &found.findings,
    ));
    lines
}
