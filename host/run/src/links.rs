//! The associations of a plan, made once both ends are at the destination, in whatever order they came.

use std::collections::{HashMap, HashSet};

use model::destination::{Link, LinkRefused};
use model::ledger::{LinkOutcome, OutcomeKind, RemovalOutcome};
use model::plan::{Plan, PlannedLink};
use model::{DestinationRecordId, Finding, FindingCode, ObjectName};
use store::{Announced, LinkChange};

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
    let work = Work {
        plan,
        destinations: mapped.collect(),
        met: find_met(plan),
        announced: ctx.store.link_intents(&plan.id, LinkChange::Make)?,
        has_failures: mark_failures(ctx, plan)?,
    };
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
        work.make(ctx, &planned).await?;
        ctx.progress.advance(planned.len() as u64);
    }
}

/// The source objects of which some records were at the destination before the plan.
fn find_met(plan: &Plan) -> HashSet<ObjectName> {
    let counts = plan.header.counts.iter();
    let met = counts.filter(|(.., counts)| counts.update + counts.keep > 0);
    met.map(|(object, ..)| object.clone()).collect()
}

/// Planned links by position.
type Planned = [(i64, PlannedLink)];

/// What came of a link, by position.
type Outcomes = Vec<(i64, LinkOutcome, Option<String>)>;

struct Work<'w> {
    plan: &'w Plan,
    destinations: HashMap<ObjectName, ObjectName>,
    met: HashSet<ObjectName>,
    /// What a run that died was about to make.
    announced: Announced,
    has_failures: bool,
}

impl Work<'_> {
    /// Makes those of one batch: those that are there before have their outcome first, so that what is announced and there is ours.
    async fn make(&self, ctx: &mut Context<'_>, planned: &Planned) -> Result<(), RunError> {
        let froms = find_ends(ctx, planned, |link| (&link.from_object, link.from.as_str()))?;
        let tos = find_ends(ctx, planned, |link| (&link.to_object, link.to.as_str()))?;
        if self.has_failures {
            let findings = find_missing(ctx, planned, &froms, &tos)?;
            ctx.store.add_findings(ctx.run, &findings)?;
        }
        let (mut links, mut missing) = (Vec::new(), Outcomes::new());
        for (place, ((at, link), ends)) in
            planned.iter().zip(froms.into_iter().zip(tos)).enumerate()
        {
            let objects = (
                self.destinations.get(&link.from_object),
                self.destinations.get(&link.to_object),
            );
            let ((Some(from), Some(to)), (Some(from_object), Some(to_object))) = (ends, objects)
            else {
                missing.push((*at, LinkOutcome::MissingEnd, None));
                continue;
            };
            let (from_object, to_object) = (from_object.clone(), to_object.clone());
            let label = link.label.clone();
            links.push((
                place,
                Link {
                    from_object,
                    from,
                    to_object,
                    to,
                    label,
                },
            ));
        }
        let there = self.find_there(ctx, planned, &links).await?;
        missing.extend(
            there
                .iter()
                .map(|place| (planned[*place].0, LinkOutcome::Existing, None)),
        );
        if !missing.is_empty() {
            ctx.store
                .write_link_outcomes(ctx.run, &self.plan.id, &missing)?;
        }
        links.retain(|(place, _)| !there.contains(place));
        self.write(ctx, planned, links).await
    }

    /// The places of those that are there although nobody of us was about to make them. Where a record at an end was made by this plan
    /// there is none.
    async fn find_there(
        &self,
        ctx: &Context<'_>,
        planned: &Planned,
        links: &[(usize, Link)],
    ) -> Result<HashSet<usize>, RunError> {
        let asked = links.iter().filter(|(place, _)| {
            let (at, link) = &planned[*place];
            self.met.contains(&link.from_object)
                && self.met.contains(&link.to_object)
                && !self.announced.has(*at)
        });
        let (places, asked): (Vec<_>, Vec<_>) = asked.cloned().unzip();
        if asked.is_empty() {
            return Ok(HashSet::new());
        }
        let answers = ctx.destination.find_links(&asked).await;
        let answers =
            answers.map_err(|error| RunError::destination("reading associations", error))?;
        let there = places.into_iter().zip(answers);
        let there = there.filter(|(_, answer)| matches!(answer, Ok(true)));
        Ok(there.map(|(place, _)| place).collect())
    }

    async fn write(
        &self,
        ctx: &mut Context<'_>,
        planned: &Planned,
        links: Vec<(usize, Link)>,
    ) -> Result<(), RunError> {
        let (Some((first, _)), Some((last, _))) = (links.first(), links.last()) else {
            return Ok(());
        };
        let (first, last) = (planned[*first].0, planned[*last].0);
        ctx.store
            .write_link_intent(ctx.run, LinkChange::Make, first, last)?;
        let (places, links): (Vec<_>, Vec<_>) = links.into_iter().unzip();
        let answers = ctx.destination.write_links(&links).await;
        let answers =
            answers.map_err(|error| RunError::destination("making associations", error))?;
        let (mut outcomes, mut findings) = (Outcomes::new(), Vec::new());
        for (place, answer) in places.into_iter().zip(answers) {
            let (at, link) = &planned[place];
            let (outcome, error) = match answer {
                Ok(true) => (LinkOutcome::Made, None),
                // A run that was cut off made it and could not say so any more.
                Ok(false) if self.announced.has(*at) => (LinkOutcome::Made, None),
                Ok(false) => (LinkOutcome::Existing, None),
                Err(LinkRefused(reason)) => {
                    findings.push(refused(link, &reason));
                    (LinkOutcome::Failed, Some(reason))
                }
            };
            outcomes.push((*at, outcome, error));
        }
        ctx.store.add_findings(ctx.run, &findings)?;
        Ok(ctx
            .store
            .write_link_outcomes(ctx.run, &self.plan.id, &outcomes)?)
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
