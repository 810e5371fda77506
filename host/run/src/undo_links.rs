//! The associations that a run made, taken away again: those between records that were there before it. The others go, or stay, with the
//! record that the run made. Those that it took away are made again.

use model::destination::{Destination, Link, LinkRefused};
use model::ledger::LinkOutcome;
use model::undo::UndoLinkKind;
use store::{Hold, Labels, MadeLink, RemovedLink, Store, Written};

use crate::error::RunError;
use crate::undone::{Aim, UndoneLinks};

/// Associations of one call.
const BATCH_LINKS: u32 = 2_000;

/// Carries out, or counts, what becomes of the run's associations. Nothing is added to `counts` where the ledger holds it.
pub(crate) async fn undo_links(
    store: &mut Store,
    destination: &dyn Destination,
    written: &Written<'_>,
    aim: &Aim,
    counts: &mut UndoneLinks,
    mut go_on: impl FnMut() -> Result<(), RunError>,
) -> Result<(), RunError> {
    take_away(store, destination, written, aim, counts, &mut go_on).await?;
    make_again(store, destination, written, aim, counts, &mut go_on).await
}

async fn take_away(
    store: &mut Store,
    destination: &dyn Destination,
    written: &Written<'_>,
    aim: &Aim,
    counts: &mut UndoneLinks,
    go_on: &mut impl FnMut() -> Result<(), RunError>,
) -> Result<(), RunError> {
    // A plain association may carry labels of this very run, which go first.
    for labels in [Labels::With, Labels::Without] {
        let mut after = 0;
        loop {
            go_on()?;
            let made = store.load_made_links(written, labels, after, BATCH_LINKS)?;
            let Some(last) = made.last() else { break };
            after = last.position;
            match aim {
                Aim::Plan => made
                    .iter()
                    .for_each(|made| counts.add(planned(made.hold), 1)),
                Aim::Apply(run) => {
                    let outcomes = carry_out(destination, &made).await?;
                    store.write_undo_link_outcomes(*run, &outcomes)?;
                }
            }
        }
    }
    Ok(())
}

/// Makes the associations again that the run had taken away, the plain ones first.
async fn make_again(
    store: &mut Store,
    destination: &dyn Destination,
    written: &Written<'_>,
    aim: &Aim,
    counts: &mut UndoneLinks,
    go_on: &mut impl FnMut() -> Result<(), RunError>,
) -> Result<(), RunError> {
    for labels in [Labels::Without, Labels::With] {
        let mut after = 0;
        loop {
            go_on()?;
            let removed = store.load_removed_links(written, labels, after, BATCH_LINKS)?;
            let Some(last) = removed.last() else { break };
            after = last.position;
            match aim {
                Aim::Plan => removed.iter().for_each(|removed| {
                    let outcome = removed
                        .link
                        .as_ref()
                        .map_or(LinkOutcome::MissingEnd, |_| LinkOutcome::Made);
                    counts.add_restored(outcome, 1);
                }),
                Aim::Apply(run) => {
                    let outcomes = write_again(destination, &removed).await?;
                    store.write_undo_removal_outcomes(*run, &outcomes)?;
                }
            }
        }
    }
    Ok(())
}

async fn write_again(
    destination: &dyn Destination,
    removed: &[RemovedLink],
) -> Result<Vec<(i64, LinkOutcome, Option<String>)>, RunError> {
    let links: Vec<_> = removed
        .iter()
        .filter_map(|removed| removed.link.clone())
        .collect();
    let answers = destination.write_links(&links).await;
    let answers =
        answers.map_err(|error| RunError::destination("making associations again", error))?;
    check_answers(answers.len(), links.len())?;
    let mut answers = answers.into_iter();
    let outcomes = removed.iter().map(|removed| {
        let answer = removed
            .link
            .as_ref()
            .map(|_| answers.next().expect("each has an answer"));
        let (outcome, error) = match answer {
            None => (LinkOutcome::MissingEnd, None),
            Some(Ok(true)) => (LinkOutcome::Made, None),
            Some(Ok(false)) => (LinkOutcome::Existing, None),
            Some(Err(LinkRefused(why))) => (LinkOutcome::Failed, Some(why)),
        };
        (removed.position, outcome, error)
    });
    Ok(outcomes.collect())
}

fn check_answers(got: usize, asked: usize) -> Result<(), RunError> {
    if got == asked {
        return Ok(());
    }
    Err(RunError::Inconsistent(format!(
        "the destination answered {got} of {asked} associations"
    )))
}

fn planned(hold: Hold) -> UndoLinkKind {
    match hold {
        Hold::Free | Hold::Going => UndoLinkKind::Removed,
        Hold::Kept => UndoLinkKind::Kept,
    }
}

/// Taking an association away twice is taking it away once, so no intent is needed.
async fn carry_out(
    destination: &dyn Destination,
    made: &[MadeLink],
) -> Result<Vec<(i64, UndoLinkKind, Option<String>)>, RunError> {
    // An end that nothing stands for any more has no associations either.
    let is_known = |link: &Link| !link.from.as_str().is_empty() && !link.to.as_str().is_empty();
    let free: Vec<Link> = made
        .iter()
        .filter(|made| made.hold == Hold::Free && is_known(&made.link))
        .map(|made| made.link.clone())
        .collect();
    let mut answers = Vec::new();
    if !free.is_empty() {
        let answered = destination.remove_links(&free).await;
        answers =
            answered.map_err(|error| RunError::destination("taking associations away", error))?;
        check_answers(answers.len(), free.len())?;
    }
    let mut answers = answers.into_iter();
    let outcomes = made.iter().map(|made| {
        let (kind, error) = match made.hold {
            Hold::Free if !is_known(&made.link) => (UndoLinkKind::Gone, None),
            Hold::Free => match answers.next().expect("each free one has an answer") {
                Ok(true) => (UndoLinkKind::Removed, None),
                Ok(false) => (UndoLinkKind::Gone, None),
                Err(LinkRefused(why)) => (UndoLinkKind::Failed, Some(why)),
            },
            hold => (planned(hold), None),
        };
        (made.position, kind, error)
    });
    Ok(outcomes.collect())
}
