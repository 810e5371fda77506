//! What is decided of records before anybody looks at their values: a person left them out, or they are not tried again.

use model::Batch;
use model::mapping::ObjectMapping;
use model::plan::{Action, Reason};
use reconcile::ObjectPlanner;

use crate::context::{Context, decode_stored};
use crate::error::RunError;
use crate::replay::Replay;

/// What is decided of the records of a batch without looking at them: those that a person left out, and those that are not tried again.
pub(crate) fn find_decided(
    ctx: &Context<'_>,
    replay: Option<&Replay>,
    object: &ObjectMapping,
    records: &Batch,
) -> Result<Vec<Option<Action>>, RunError> {
    let ids: Vec<_> = records.iter().map(|record| record.id()).collect();
    let laid = ctx.store.find_laid(&ctx.connection, &object.source, &ids)?;
    let out = laid.into_iter().map(|laid| {
        let laid = laid.filter(|laid| laid.row.is_none() && !laid.only_broken)?;
        Some(Action::Exclude {
            reason: Reason::LeftOutByHand { why: laid.why },
        })
    });
    let Some(replay) = replay else {
        return Ok(out.collect());
    };
    let earlier = ctx.store.find_earlier(&object.source, &ids)?;
    let carried = ids.iter().zip(earlier).zip(out);
    Ok(carried
        .map(|((id, earlier), out)| replay.carry(&object.source, id, earlier).or(out))
        .collect())
}

/// The records of which nothing is decided; `None` where that is so of all.
pub(crate) fn find_undecided(
    ctx: &Context<'_>,
    planner: &ObjectPlanner,
    records: &Batch,
    decided: &[Option<Action>],
) -> Result<Option<Batch>, RunError> {
    if decided.iter().all(Option::is_none) {
        return Ok(None);
    }
    let open = records.iter().zip(decided);
    let ids: Vec<_> = open
        .filter(|(_, decided)| decided.is_none())
        .map(|(record, _)| record.id())
        .collect();
    let source = planner.source();
    let rows = ctx
        .store
        .find_staged_rows(&ctx.connection, &source.name, &ids)?;
    decode_stored(source, rows.rows).map(Some)
}
