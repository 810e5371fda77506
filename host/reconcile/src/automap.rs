//! Auto-map: which stage of the destination's pipeline each stage of the source's is, by name and meaning, with score and reason.
//!
//! What is like nothing stays unmapped: its deals are then left out by the stage's name, and nothing is guessed.

use model::catalog::{Pipeline, Stage, StageMeaning};
use model::mapping::{StageMapping, StageTarget};

use crate::likeness::{Likeness, compare};

/// Maps every stage that is like one of the destination's and means the same. The best likeness comes first; a stage of the destination is
/// given once, and one for which two are equally good is given to neither.
pub fn auto_map(source: &Pipeline, destination: &Pipeline) -> Vec<StageMapping> {
    let mut pairs: Vec<(Likeness, usize, usize)> = Vec::new();
    for (from, stage) in source.stages.iter().enumerate() {
        for (to, other) in destination.stages.iter().enumerate() {
            if stage.meaning == other.meaning
                && let Some(likeness) = compare(&stage.label, &other.label)
            {
                pairs.push((likeness, from, to));
            }
        }
    }
    pairs.sort_by_key(|(likeness, from, to)| (std::cmp::Reverse(likeness.score), *from, *to));
    let mut given: Vec<Option<(Likeness, usize)>> = vec![None; source.stages.len()];
    let mut taken = vec![false; destination.stages.len()];
    for (likeness, from, to) in &pairs {
        if given[*from].is_some() || taken[*to] {
            continue;
        }
        // One stage of one name is no riddle; two that are equally like are.
        let is_rival = |(other, f, t): &&(Likeness, usize, usize)| {
            other.score == likeness.score
                && (*f == *from) != (*t == *to)
                && given[*f].is_none()
                && !taken[*t]
        };
        if pairs.iter().find(is_rival).is_none() {
            given[*from] = Some((*likeness, *to));
            taken[*to] = true;
        }
    }
    let mapped = source.stages.iter().zip(given);
    mapped
        .map(|(stage, given)| match given {
            Some((likeness, to)) => found(stage, &destination.stages[to], likeness),
            None => StageMapping {
                source: stage.clone(),
                target: StageTarget::Unmapped,
                reason: unmapped(stage, destination),
            },
        })
        .collect()
}

fn found(stage: &Stage, other: &Stage, likeness: Likeness) -> StageMapping {
    StageMapping {
        source: stage.clone(),
        target: StageTarget::Existing(other.id.clone()),
        reason: format!(
            "like {:?}: {}, score {}",
            other.label, likeness.reason, likeness.score
        ),
    }
}

fn unmapped(stage: &Stage, destination: &Pipeline) -> String {
    let alike = |other: &&Stage| compare(&stage.label, &other.label).is_some();
    match destination.stages.iter().find(alike) {
        Some(other) if other.meaning != stage.meaning => format!(
            "like {:?}, but it is {} at the source and {} at the destination",
            other.label,
            meaning(stage.meaning),
            meaning(other.meaning)
        ),
        Some(_) => "like more than one stage, or one that another stage is more like".to_owned(),
        None => "no stage of the destination looks or sounds like it".to_owned(),
    }
}

/// The meaning, for a person.
pub(crate) fn meaning(meaning: StageMeaning) -> &'static str {
    match meaning {
        StageMeaning::Open => "open",
        StageMeaning::Won => "won",
        StageMeaning::Lost => "lost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StageMeaning::{Lost, Open, Won};

    fn pipeline(stages: &[(&str, StageMeaning)]) -> Pipeline {
        let stage = |(label, meaning): &(&str, StageMeaning)| Stage {
            id: (*label).into(),
            label: (*label).into(),
            probability: None,
            meaning: *meaning,
        };
        Pipeline {
            id: "p".into(),
            label: "Sales".into(),
            object: "deal".into(),
            stages: stages.iter().map(stage).collect(),
        }
    }

    #[track_caller]
    fn check(
        source: &[(&str, StageMeaning)],
        destination: &[(&str, StageMeaning)],
        expected: &[Option<&str>],
    ) -> Vec<StageMapping> {
        let mapped = auto_map(&pipeline(source), &pipeline(destination));
        let targets: Vec<_> = mapped
            .iter()
            .map(|stage| match &stage.target {
                StageTarget::Existing(id) => Some(id.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(targets, expected);
        mapped
    }

    #[test]
    fn rule_09_auto_map_takes_won_to_closed_won_and_leaves_a_non_match_unmapped() {
        let mapped = check(
            &[("Won", Won), ("Lost", Lost), ("Site visit", Open)],
            &[("Demo", Open), ("Closed won", Won), ("Closed lost", Lost)],
            &[Some("Closed won"), Some("Closed lost"), None],
        );
        assert_eq!(
            mapped[0].reason,
            "like \"Closed won\": same words, and more, score 95"
        );
        assert_eq!(
            mapped[2].reason,
            "no stage of the destination looks or sounds like it"
        );
    }

    #[test]
    fn looks_and_sounds_count_and_the_best_likeness_comes_first() {
        check(
            &[("Negotation", Open), ("Kwalified", Open)],
            &[("Qualified", Open), ("Negotiation", Open)],
            &[Some("Negotiation"), Some("Qualified")],
        );
        check(
            &[("Proposal", Open), ("Proposal sent", Open)],
            &[("Proposal sent", Open)],
            &[None, Some("Proposal sent")],
        );
    }

    #[test]
    fn a_name_does_not_make_a_deal_won_and_two_equals_are_none() {
        let mapped = check(&[("Won", Open)], &[("Closed won", Won)], &[None]);
        assert!(
            mapped[0].reason.contains("is open at the source and won"),
            "{}",
            mapped[0].reason
        );
        check(
            &[("Sent", Open)],
            &[("Offer sent", Open), ("Mail sent", Open)],
            &[None],
        );
    }
}
