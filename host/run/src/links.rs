//! The associations of a plan, made once both ends are at the destination, in whatever order they came.

use std::collections::{HashMap, HashSet};

use model::destination::{Link, LinkRefused};
use model::ledger::{LinkOutcome, OutcomeKind, RemovalOutcome};
use model::plan::{Plan, PlannedLink};
use model::{DestinationRecordId, Finding, FindingCode, ObjectName};

use crate::context::Context;
use crate::error::RunError;
use crate::progress::Phase;

/// Links of one call. They are short, and lie scattered over the files of both sides: the more of them there are in one transaction,
/// the more find their place on a page that is at hand already.
const BATCH_LINKS: u32 = 10_000;

/// What became of a plan's associations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Of those that were to be made.
    pub made: Vec<(LinkOutcome, u64)>,
    /// Of those that were to be taken away.
    pub removed: Vec<(RemovalOutcome, u64)>,
}

impl LinkCounts {
    /// How many have an outcome.
    pub(crate) fn total(&self) -> u64 {
        let made = self.made.iter().map(|(_, count)| count);
        made.chain(self.removed.iter().map(|(_, count)| count))
            .sum()
    }
}

/// Makes every planned association that has no outcome yet. One whose end is missing is noted so.
pub(crate) async fn apply_links(ctx: &mut Context<'_>, plan: &Plan) -> Result<(), RunError> {
    ctx.progress.begin(
        Phase::Apply,
        &"associations".into(),
        Some(plan.header.links),
    );
    let made = make_links(ctx, plan).await;
    ctx.progress.end();
    made
}

async fn make_links(ctx: &mut Context<'_>, plan: &Plan) -> Result<(), RunError> {
    let mapped = plan.header.mapping.objects.iter();
    let mapped = mapped.map(|object| (object.source.clone(), object.destination.clone()));
    let destinations: HashMap<_, _> = mapped.collect();
    let has_failures = mark_failures(ctx, plan)?;
    let mut after = 0;
    loop {
        ctx.go_on()?;
        let planned = ctx
            .store
            .load_unfinished_links(&plan.id, after, BATCH_LINKS)?;
        let Some((last, _)) = planned.last() else {
            return Ok(());
        };
        after = *last;
        let froms = find_ends(ctx, &planned, |link| {
            (&link.from_object, link.from.as_str())
        })?;
        let tos = find_ends(ctx, &planned, |link| (&link.to_object, link.to.as_str()))?;
        let mut findings = Vec::new();
        if has_failures {
            findings = find_missing(ctx, &planned, &froms, &tos)?;
        }
        let (mut links, mut places) = (Vec::new(), Vec::new());
        let mut outcomes: Vec<_> = planned
            .iter()
            .map(|(at, _)| (*at, LinkOutcome::MissingEnd, None))
            .collect();
        for (place, ((_, link), ends)) in planned.iter().zip(froms.into_iter().zip(tos)).enumerate()
        {
            let objects = (
                destinations.get(&link.from_object),
                destinations.get(&link.to_object),
            );
            if let ((Some(from), Some(to)), (Some(from_object), Some(to_object))) = (ends, objects)
            {
                let (from_object, to_object) = (from_object.clone(), to_object.clone());
                links.push(Link {
                    from_object,
                    from,
                    to_object,
                    to,
                    label: link.label.clone(),
                });
                places.push(place);
            }
        }
        let answers = ctx.destination.write_links(&links).await;
        let answers =
            answers.map_err(|error| RunError::destination("making associations", error))?;
        for (place, answer) in places.into_iter().zip(answers) {
            let outcome = match answer {
                Ok(true) => (LinkOutcome::Made, None),
                Ok(false) => (LinkOutcome::Existing, None),
                Err(LinkRefused(reason)) => {
                    findings.push(refused(&planned[place].1, &reason));
                    (LinkOutcome::Failed, Some(reason))
                }
            };
            (outcomes[place].1, outcomes[place].2) = outcome;
        }
        ctx.store.add_findings(ctx.run, &findings)?;
        ctx.store
            .write_link_outcomes(ctx.run, &plan.id, &outcomes)?;
        ctx.progress.advance(planned.len() as u64);
    }
}

/// Whether records failed that links may name; then the missing ends that the plan has told are ready to be loaded.
fn mark_failures(ctx: &mut Context<'_>, plan: &Plan) -> Result<bool, RunError> {
    let outcomes = ctx.store.outcome_counts(&plan.id)?;
    let mut kinds = outcomes.iter().map(|(_, kind, _)| *kind);
    let has_failures = kinds.any(|kind| kind == OutcomeKind::Failed);
    if has_failures {
        ctx.store.mark_missing_ends(&plan.id)?;
    }
    Ok(has_failures)
}

/// A finding for each link whose end was to be written and is not there. Ends that were never to come are told by the plan.
fn find_missing(
    ctx: &Context<'_>,
    planned: &[(i64, PlannedLink)],
    froms: &[Option<DestinationRecordId>],
    tos: &[Option<DestinationRecordId>],
) -> Result<Vec<Finding>, RunError> {
    let (Some((first, _)), Some((last, _))) = (planned.first(), planned.last()) else {
        return Ok(Vec::new());
    };
    let (mut told, mut after) = (HashSet::new(), first - 1);
    while after < *last {
        let missing = ctx.store.load_missing_links(after, BATCH_LINKS)?;
        after = missing.last().map_or(*last, |missing| missing.position);
        told.extend(missing.iter().map(|missing| missing.position));
    }
    let links = planned.iter().zip(froms.iter().zip(tos));
    let missing = links
        .filter(|((at, _), (from, to))| (from.is_none() || to.is_none()) && !told.contains(at));
    let findings =
        missing.map(|((_, link), (from, to))| not_there(link, from.is_some(), to.is_some()));
    Ok(findings.collect())
}

/// A link whose end was to be written and is not there: the destination refused it, or what it is the same as.
fn not_there(link: &PlannedLink, has_from: bool, has_to: bool) -> Finding {
    let to = format!("{} {}", link.to_object, link.to);
    let end = match (has_from, has_to) {
        (false, true) => "this record is not at the destination".to_owned(),
        (false, false) => format!("neither this record nor {to} is at the destination"),
        _ => format!("{to} is not at the destination"),
    };
    Finding {
        code: FindingCode::MissingEnd,
        object: link.from_object.clone(),
        record: Some(link.from.to_string()),
        message: format!("association to {to} is not made: {end}"),
        field: Some(to),
    }
}

fn refused(link: &PlannedLink, reason: &str) -> Finding {
    let PlannedLink {
        from_object,
        from,
        to_object,
        to,
        label,
    } = link;
    let label = label
        .as_ref()
        .map_or_else(String::new, |label| format!(" labelled {label:?}"));
    Finding {
        code: FindingCode::RefusedRecord,
        object: from_object.clone(),
        record: Some(from.to_string()),
        field: Some(format!("{to_object} {to}{label}")),
        message: format!(
            "destination refused the association{label} to {to_object} {to}: {reason}"
        ),
    }
}

/// The destination's record at one end of each link, asked for object by object and in the order of the ids: neighbours lie together,
/// and an end that many links share is looked up once.
pub(crate) fn find_ends<'l>(
    ctx: &Context<'_>,
    planned: &'l [(i64, PlannedLink)],
    end: fn(&'l PlannedLink) -> (&'l ObjectName, &'l str),
) -> Result<Vec<Option<DestinationRecordId>>, RunError> {
    let mut by_object: HashMap<&ObjectName, Vec<(&str, usize)>> = HashMap::new();
    for (place, (_, link)) in planned.iter().enumerate() {
        let (object, id) = end(link);
        by_object.entry(object).or_default().push((id, place));
    }
    let mut found = vec![None; planned.len()];
    for (object, mut ends) in by_object {
        ends.sort_unstable();
        let (ids, places): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
        let identities = ctx.store.find_identities(&ctx.connection, object, &ids)?;
        places
            .into_iter()
            .zip(identities)
            .for_each(|(place, identity)| found[place] = identity);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(has_from: bool, has_to: bool, message: &str) {
        let link = PlannedLink {
            from_object: "note".into(),
            from: "37".into(),
            to_object: "lead".into(),
            to: "a-1".into(),
            label: None,
        };
        let finding = not_there(&link, has_from, has_to);
        assert_eq!(
            (finding.code, finding.object.as_str()),
            (FindingCode::MissingEnd, "note")
        );
        assert_eq!(
            (finding.record.as_deref(), finding.field.as_deref()),
            (Some("37"), Some("lead a-1"))
        );
        assert_eq!(finding.message, message);
    }

    #[test]
    fn a_link_to_what_the_destination_refused_names_both_ends() {
        let made = "association to lead a-1 is not made: ";
        check(
            true,
            false,
            &format!("{made}lead a-1 is not at the destination"),
        );
        check(
            false,
            true,
            &format!("{made}this record is not at the destination"),
        );
        check(
            false,
            false,
            &format!("{made}neither this record nor lead a-1 is at the destination"),
        );
    }
}
