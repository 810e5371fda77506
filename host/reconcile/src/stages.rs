//! Pipelines and stages: which of the destination's a source's pipeline and its stages become by default.
//!
//! Names are compared as words. Likeness in spelling or sound, and a person's own choice, are not decided here.

use std::collections::HashSet;

use model::catalog::{Catalog, Pipeline, Stage, StageMeaning};
use model::mapping::{ObjectMapping, PipelineMapping, StageMapping, StageTarget};
use model::{Finding, FindingCode, ObjectName};

use crate::automap::meaning;
use crate::normal;

/// Maps every pipeline of an object that is mapped: to the destination's pipeline of the same label, else to a new one with all its
/// stages. Two pipelines of the source never share one, because their deals could not be told apart again: the second of one label is
/// called `Label (2)`.
pub fn map_pipelines(
    source: &Catalog,
    destination: &Catalog,
    objects: &[ObjectMapping],
) -> (Vec<PipelineMapping>, Vec<Finding>) {
    let (mut mapped, mut findings) = (Vec::new(), Vec::new());
    let mut taken: HashSet<(&str, String)> = HashSet::new();
    for pipeline in &source.pipelines {
        let Some(object) = objects
            .iter()
            .find(|object| object.source == pipeline.object)
        else {
            let message = format!(
                "pipeline {:?} is left out: object {} is not mapped",
                pipeline.label, pipeline.object
            );
            findings.push(finding(
                FindingCode::UnmappedStage,
                &pipeline.object,
                message,
            ));
            continue;
        };
        let base = if pipeline.label.trim().is_empty() {
            pipeline.id.as_str()
        } else {
            pipeline.label.as_str()
        };
        let numbered = (2_u32..).map(|number| format!("{base} ({number})"));
        let label = std::iter::once(base.to_owned())
            .chain(numbered)
            .find(|label| !taken.contains(&(object.destination.as_str(), normal::label(label))))
            .expect("numbers do not end");
        let words = normal::label(&label);
        if label != base {
            let message = format!(
                "two pipelines are called {base:?}; {} becomes {label:?}",
                pipeline.id
            );
            findings.push(finding(FindingCode::SourceNote, &pipeline.object, message));
        }
        let target = destination.pipelines.iter().find(|candidate| {
            candidate.object == object.destination && normal::label(&candidate.label) == words
        });
        taken.insert((object.destination.as_str(), words));
        let stages = map_stages(&with_labels_once(pipeline), target);
        findings.extend(renamed(pipeline, &label, &stages));
        let entry = PipelineMapping {
            source: pipeline.id.clone(),
            label,
            object: object.destination.clone(),
            destination: target.map(|target| target.id.clone()),
            stages,
        };
        findings.extend(unmapped_stages(&entry, &pipeline.object));
        mapped.push(entry);
    }
    (mapped, findings)
}

/// Why there are no stages, where there are none: because the connected user may not see them, which the source then said as a finding about
/// `stages`, or because there is no process in stages. An empty list would hide which.
pub fn explain_none(source: &Catalog, findings: &[Finding]) -> Option<String> {
    if !source.pipelines.is_empty() {
        return None;
    }
    let hidden = findings.iter().find(|finding| {
        finding.code == FindingCode::NoPermission && finding.object.as_str() == "stages"
    });
    Some(match hidden {
        Some(hidden) => format!(
            "no stages are visible: the connected user lacks the permission to see them ({})",
            hidden.message
        ),
        None => "no stages: the source has no process in stages".to_owned(),
    })
}

/// What a person should know of the stages that nothing takes: the deals in them are left out.
pub(crate) fn unmapped_stages(entry: &PipelineMapping, object: &ObjectName) -> Vec<Finding> {
    let stages = entry.stages.iter();
    let unmapped = stages.filter(|stage| stage.target == StageTarget::Unmapped);
    let told = unmapped.map(|stage| {
        let message = format!(
            "stage {:?} of pipeline {:?} is not mapped: {}",
            stage.source.label, entry.label, stage.reason
        );
        finding(FindingCode::UnmappedStage, object, message)
    });
    told.collect()
}

/// Stages that got a number because another one has their label.
fn renamed<'s>(
    pipeline: &'s Pipeline,
    label: &'s str,
    stages: &'s [StageMapping],
) -> impl Iterator<Item = Finding> + 's {
    let pairs = pipeline.stages.iter().zip(stages);
    let renamed = pairs.filter(|(stage, mapped)| mapped.source.label != stage.label);
    renamed.map(move |(stage, mapped)| {
        let message = format!(
            "two stages of pipeline {label:?} are called {:?}; {} becomes {:?}",
            stage.label, stage.id, mapped.source.label
        );
        finding(FindingCode::SourceNote, &pipeline.object, message)
    })
}

fn finding(code: FindingCode, object: &ObjectName, message: String) -> Finding {
    Finding {
        code,
        object: object.clone(),
        record: None,
        field: None,
        message,
    }
}

/// The pipeline with every label once: the second stage that is called `Won` is `Won (2)`, because a destination may want that, and because
/// two stages that became one could not be told apart again.
pub(crate) fn with_labels_once(pipeline: &Pipeline) -> Pipeline {
    let mut taken = HashSet::new();
    let mut pipeline = pipeline.clone();
    for stage in &mut pipeline.stages {
        let base = std::mem::take(&mut stage.label);
        let others = (2_u32..).map(|number| format!("{base} ({number})"));
        let free = std::iter::once(base.clone())
            .chain(others)
            .find(|label| taken.insert(normal::label(label)));
        stage.label = free.expect("numbers do not end");
    }
    pipeline
}

/// The stages by default: each to the one of its label, else to a new one.
pub(crate) fn map_stages(pipeline: &Pipeline, target: Option<&Pipeline>) -> Vec<StageMapping> {
    let Some(target) = target else {
        let create = |stage: &Stage| StageMapping {
            source: stage.clone(),
            target: StageTarget::Create,
            reason: "the pipeline is new".to_owned(),
        };
        return pipeline.stages.iter().map(create).collect();
    };
    let words: Vec<String> = pipeline
        .stages
        .iter()
        .map(|stage| normal::label(&stage.label))
        .collect();
    // Equal labels come first, so that a likeness never takes a stage from its equal.
    let mut targets: Vec<Option<(StageTarget, String)>> = pipeline
        .stages
        .iter()
        .zip(&words)
        .map(|(stage, words)| find_equal(stage, words, target))
        .collect();
    let mut taken: HashSet<String> = HashSet::new();
    for (stage, _) in targets.iter().flatten() {
        if let StageTarget::Existing(id) = stage {
            taken.insert(id.as_str().to_owned());
        }
    }
    for (at, stage) in pipeline.stages.iter().enumerate() {
        if targets[at].is_none()
            && let Some(alike) = find_closed(stage, &words[at], target, &taken)
        {
            taken.insert(alike.id.as_str().to_owned());
            let reason = format!(
                "{:?} is like {:?}, and both are {}",
                stage.label,
                alike.label,
                meaning(stage.meaning)
            );
            targets[at] = Some((StageTarget::Existing(alike.id.clone()), reason));
        }
    }
    let complete = |(stage, found): (&Stage, Option<(StageTarget, String)>)| {
        let (target, reason) = found.unwrap_or_else(|| {
            (
                StageTarget::Create,
                "the pipeline has no such stage".to_owned(),
            )
        });
        StageMapping {
            source: stage.clone(),
            target,
            reason,
        }
    };
    pipeline.stages.iter().zip(targets).map(complete).collect()
}

/// The stage of the same label. Where it means something else (won there, open here), the stage stays unmapped: a deal must not
/// become won by a name.
fn find_equal(stage: &Stage, words: &str, target: &Pipeline) -> Option<(StageTarget, String)> {
    let same = || {
        target
            .stages
            .iter()
            .filter(|candidate| normal::label(&candidate.label) == words)
    };
    if let Some(equal) = same().find(|candidate| candidate.meaning == stage.meaning) {
        return Some((
            StageTarget::Existing(equal.id.clone()),
            "same label".to_owned(),
        ));
    }
    let other = same().next()?;
    let (here, there) = (meaning(stage.meaning), meaning(other.meaning));
    Some((
        StageTarget::Unmapped,
        format!(
            "{:?} is {here} at the source and {there} at the destination",
            stage.label
        ),
    ))
}

/// The one stage that closes deals in the same way and whose label says the same with more or fewer words: "Won", "Closed won".
fn find_closed<'t>(
    stage: &Stage,
    words: &str,
    target: &'t Pipeline,
    taken: &HashSet<String>,
) -> Option<&'t Stage> {
    if stage.meaning == StageMeaning::Open || words.is_empty() {
        return None;
    }
    let has_all = |all: &str, of: &str| {
        of.split(' ')
            .all(|word| all.split(' ').any(|other| other == word))
    };
    let mut alike = target.stages.iter().filter(|candidate| {
        let other = normal::label(&candidate.label);
        candidate.meaning == stage.meaning
            && !other.is_empty()
            && !taken.contains(candidate.id.as_str())
            && (has_all(&other, words) || has_all(words, &other))
    });
    let first = alike.next()?;
    alike.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use StageMeaning::{Lost, Open, Won};

    fn pipeline(id: &str, label: &str, object: &str, stages: &[(&str, StageMeaning)]) -> Pipeline {
        let stage = |(label, meaning): &(&str, StageMeaning)| Stage {
            id: format!("{id}-{label}").into(),
            label: (*label).into(),
            probability: None,
            meaning: *meaning,
        };
        Pipeline {
            id: id.into(),
            label: label.into(),
            object: object.into(),
            stages: stages.iter().map(stage).collect(),
        }
    }

    fn map(
        source: Vec<Pipeline>,
        destination: Vec<Pipeline>,
    ) -> (Vec<PipelineMapping>, Vec<Finding>) {
        let object = ObjectMapping {
            source: "opportunity".into(),
            standard: model::catalog::StandardObject::Deal,
            destination: "deal".into(),
            fields: vec![],
            unmapped: vec![],
            associations: vec![],
            filter: None,
            matching: model::mapping::Matching::Default,
            conflict: model::mapping::ConflictRule::default(),
        };
        let catalog = |pipelines| Catalog {
            pipelines,
            ..Catalog::default()
        };
        map_pipelines(&catalog(source), &catalog(destination), &[object])
    }

    #[track_caller]
    fn check(
        source: &[(&str, StageMeaning)],
        destination: &[(&str, StageMeaning)],
        expected: &[&str],
    ) {
        let (mapped, _) = map(
            vec![pipeline("s", "Sales", "opportunity", source)],
            vec![pipeline("d", " sales ", "deal", destination)],
        );
        let told: Vec<String> = mapped[0]
            .stages
            .iter()
            .map(|stage| match &stage.target {
                StageTarget::Existing(id) => id.as_str()[2..].to_owned(),
                StageTarget::Create => "create".to_owned(),
                StageTarget::Unmapped => "unmapped".to_owned(),
            })
            .collect();
        assert_eq!(told, expected);
        assert_eq!(mapped[0].destination, Some("d".into()));
    }

    #[test]
    fn stages_go_by_label_and_meaning() {
        check(
            &[("Won", Won), ("Lost", Lost)],
            &[("Closed won", Won), ("Closed lost", Lost)],
            &["Closed won", "Closed lost"],
        );
        check(
            &[("Demo", Open), ("Call", Open)],
            &[("DEMO ", Open)],
            &["DEMO ", "create"],
        );
        check(&[("Closed won", Won)], &[("Won", Won)], &["Won"]);
        // Same word, other meaning: not by likeness, and not by equality.
        check(&[("Won", Open)], &[("Closed won", Won)], &["create"]);
        check(&[("Done", Open)], &[("Done", Won)], &["unmapped"]);
        // A likeness does not take what belongs to an equal label, and two likenesses are none.
        check(
            &[("Won", Won), ("Closed won", Won)],
            &[("Closed won", Won)],
            &["create", "Closed won"],
        );
        check(
            &[("Won", Won)],
            &[("Won back", Won), ("Closed won", Won)],
            &["create"],
        );
        check(&[("Sent", Open)], &[("Proposal sent", Open)], &["create"]);
    }

    #[test]
    fn two_stages_of_one_label_stay_two_also_when_they_are_there_already() {
        let source = || {
            vec![pipeline(
                "s",
                "Sales",
                "opportunity",
                &[("Won", Won), ("won", Won), ("New", Open)],
            )]
        };
        let (mapped, findings) = map(source(), vec![]);
        let labels: Vec<_> = mapped[0]
            .stages
            .iter()
            .map(|stage| stage.source.label.as_str())
            .collect();
        assert_eq!(labels, ["Won", "won (2)", "New"]);
        assert_eq!(
            findings
                .iter()
                .map(|finding| finding.code)
                .collect::<Vec<_>>(),
            [FindingCode::SourceNote]
        );
        let made = vec![pipeline(
            "d",
            "Sales",
            "deal",
            &[("Won", Won), ("won (2)", Won), ("New", Open)],
        )];
        let (mapped, _) = map(source(), made);
        let targets: Vec<_> = mapped[0]
            .stages
            .iter()
            .map(|stage| stage.target.clone())
            .collect();
        assert_eq!(
            targets,
            ["d-Won", "d-won (2)", "d-New"].map(|id| StageTarget::Existing(id.into()))
        );
    }

    #[test]
    fn another_pipeline_is_created_whole_and_two_of_one_name_stay_two() {
        let source = vec![
            pipeline("1", "Renewals", "opportunity", &[("Won", Won)]),
            pipeline("2", "renewals", "opportunity", &[("Won", Won)]),
            pipeline("3", "Board", "project", &[]),
        ];
        let (mapped, findings) = map(
            source,
            vec![pipeline("d", "Renewals", "lead", &[("Won", Won)])],
        );
        let told: Vec<_> = mapped
            .iter()
            .map(|entry| {
                (
                    entry.label.as_str(),
                    &entry.destination,
                    &entry.stages[0].target,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("Renewals", &None, &StageTarget::Create),
                ("renewals (2)", &None, &StageTarget::Create)
            ]
        );
        let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [FindingCode::SourceNote, FindingCode::UnmappedStage]);
    }

    #[test]
    fn mapping_again_after_the_pipelines_were_made_finds_them() {
        let source = || {
            vec![
                pipeline("1", "A", "opportunity", &[("Won", Won)]),
                pipeline("2", "A", "opportunity", &[("Won", Won)]),
            ]
        };
        let made = vec![
            pipeline("x", "A", "deal", &[("Won", Won)]),
            pipeline("y", "A (2)", "deal", &[("Won", Won)]),
        ];
        let (mapped, _) = map(source(), made);
        let ids: Vec<_> = mapped
            .iter()
            .map(|entry| entry.destination.clone())
            .collect();
        assert_eq!(ids, [Some("x".into()), Some("y".into())]);
        assert!(
            mapped
                .iter()
                .all(|entry| matches!(entry.stages[0].target, StageTarget::Existing(_)))
        );
    }

    #[test]
    fn rule_10_a_user_who_may_not_see_stages_gets_that_message_and_no_empty_list() {
        let none = Catalog::default();
        let refused = finding(
            FindingCode::NoPermission,
            &"stages".into(),
            "scope deals:read is missing".to_owned(),
        );
        let told = explain_none(&none, std::slice::from_ref(&refused)).unwrap();
        assert!(
            told.contains("lacks the permission") && told.contains("deals:read"),
            "{told}"
        );
        let told = explain_none(&none, &[]).unwrap();
        assert!(told.contains("has no process in stages"), "{told}");
        let shown = Catalog {
            pipelines: vec![pipeline("s", "Sales", "opportunity", &[])],
            ..Catalog::default()
        };
        assert_eq!(explain_none(&shown, &[refused]), None);
    }
}
