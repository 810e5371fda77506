//! The associations of a plan, made once both ends are at the destination, in whatever order they came.

use std::collections::HashMap;

use model::destination::{Link, LinkRefused};
use model::ledger::LinkOutcome;
use model::plan::{Plan, PlannedLink};
use model::{DestinationRecordId, Finding, FindingCode, ObjectName};

use crate::context::Context;
use crate::error::RunError;
use crate::progress::Phase;

/// Links of one call. They are short, and lie scattered over the files of both sides: the more of them there are in one transaction,
/// the more find their place on a page that is at hand already.
const BATCH_LINKS: u32 = 10_000;

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
        let mut findings = Vec::new();
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
fn find_ends<'l>(
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
