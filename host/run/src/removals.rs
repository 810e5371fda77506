//! The associations that a plan takes away, before it makes any: what has one end only may have another now.

use model::destination::LinkRefused;
use model::ledger::RemovalOutcome;
use model::plan::{Plan, PlannedLink};
use model::{Finding, FindingCode};
use store::{Announced, Labels, LinkChange, OpenRemoval};

use crate::context::Context;
use crate::error::RunError;

/// Associations of one call.
const BATCH_LINKS: u32 = 2_000;

/// Takes away every planned association that has no outcome yet: those with a label first, for a plain one may carry them.
pub(crate) async fn apply_removals(ctx: &mut Context<'_>, plan: &Plan) -> Result<(), RunError> {
    if plan.header.removals == 0 {
        return Ok(());
    }
    let announced = ctx.store.link_intents(&plan.id, LinkChange::Remove)?;
    for labels in [Labels::With, Labels::Without] {
        let mut after = 0;
        loop {
            ctx.go_on()?;
            let open = ctx.store.load_open_removals(
                &plan.id,
                &ctx.connection,
                labels,
                after,
                BATCH_LINKS,
            )?;
            let (Some(first), Some(last)) = (open.first(), open.last()) else {
                break;
            };
            after = last.position;
            ctx.store.write_link_intent(
                ctx.run,
                LinkChange::Remove,
                first.position,
                last.position,
            )?;
            carry_out(ctx, &open, &announced).await?;
        }
    }
    Ok(())
}

async fn carry_out(
    ctx: &mut Context<'_>,
    open: &[OpenRemoval],
    announced: &Announced,
) -> Result<(), RunError> {
    let links: Vec<_> = open
        .iter()
        .filter_map(|removal| removal.link.clone())
        .collect();
    let answers = ctx.destination.remove_links(&links).await;
    let answers =
        answers.map_err(|error| RunError::destination("taking associations away", error))?;
    if answers.len() != links.len() {
        return Err(RunError::Inconsistent(format!(
            "the destination answered {} of {} associations",
            answers.len(),
            links.len()
        )));
    }
    let (mut answers, mut findings) = (answers.into_iter(), Vec::new());
    let outcomes = open.iter().map(|removal| {
        let answer = removal
            .link
            .as_ref()
            .map(|_| answers.next().expect("each has an answer"));
        let (outcome, error) = match answer {
            Some(Ok(true)) => (RemovalOutcome::Removed, None),
            // A run that was cut off took it away and could not say so any more.
            Some(Ok(false)) if announced.has(removal.position) => (RemovalOutcome::Removed, None),
            Some(Ok(false)) | None => (RemovalOutcome::Gone, None),
            Some(Err(LinkRefused(why))) => {
                findings.push(stays(&removal.planned, &why));
                (RemovalOutcome::Failed, Some(why))
            }
        };
        (removal.position, outcome, error)
    });
    let outcomes: Vec<_> = outcomes.collect();
    ctx.store.add_findings(ctx.run, &findings)?;
    Ok(ctx.store.write_removal_outcomes(ctx.run, &outcomes)?)
}

fn stays(link: &PlannedLink, why: &str) -> Finding {
    let label = link
        .label
        .as_ref()
        .map_or_else(String::new, |label| format!(" labelled {label:?}"));
    Finding {
        code: FindingCode::RefusedRecord,
        object: link.from_object.clone(),
        record: Some(link.from.to_string()),
        field: Some(format!("{} {}{label}", link.to_object, link.to)),
        message: format!(
            "the association{label} to {} {} is no longer at the source and stays at the destination: {why}",
            link.to_object, link.to
        ),
    }
}
