//! Associations that a run of ours made, that the source has no longer, and that are still at the destination.

use model::destination::Link;
use model::mapping::ObjectMapping;
use model::plan::Action;

use super::{DifferenceLine, Proof};
use crate::context::Context;
use crate::decide::Decided;
use crate::error::RunError;

/// Associations of one question.
const BATCH_LINKS: u32 = 2_000;

/// Notes which records are brought and what they are associated with.
pub(super) fn want(
    ctx: &mut Context<'_>,
    object: &ObjectMapping,
    decided: &Decided,
) -> Result<(), RunError> {
    let brought = decided.actions.iter().filter(|planned| {
        !matches!(
            planned.action,
            Action::Exclude { .. } | Action::Quarantine { .. }
        )
    });
    let brought: Vec<_> = brought.map(|planned| &planned.record).collect();
    Ok(ctx.store.want(&object.source, &brought, &decided.links)?)
}

impl Proof {
    /// Asks the destination for each that is not wanted.
    pub(super) async fn add_surplus(&mut self, ctx: &mut Context<'_>) -> Result<(), RunError> {
        ctx.store.gather_unwanted(&ctx.connection)?;
        let mut after = 0;
        loop {
            ctx.go_on()?;
            let unwanted = ctx
                .store
                .load_unwanted(&ctx.connection, after, BATCH_LINKS)?;
            let Some((last, ..)) = unwanted.last() else {
                return Ok(());
            };
            after = *last;
            let asked: Vec<Link> = unwanted
                .iter()
                .filter_map(|(.., link)| link.clone())
                .collect();
            let answers = ctx.destination.find_links(&asked).await;
            let answers =
                answers.map_err(|error| RunError::destination("reading associations", error))?;
            let known = unwanted.into_iter().filter(|(.., link)| link.is_some());
            for ((_, planned, _), answer) in known.zip(answers) {
                if !matches!(answer, Ok(true)) {
                    continue;
                }
                self.links.surplus += 1;
                let label = planned.label.as_ref();
                let label = label.map_or_else(String::new, |label| format!(" labelled {label:?}"));
                self.differ(DifferenceLine {
                    object: planned.from_object,
                    record: planned.from,
                    destination: None,
                    difference: format!(
                        "the association{label} to {} {} is there, and the source has it no longer",
                        planned.to_object, planned.to
                    ),
                })?;
            }
        }
    }
}
