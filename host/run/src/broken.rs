//! Broken rows in a plan: each is held for a person with its cause, unless a person has spoken of it.
//!
//! One that was corrected is planned among the staged records, which is not done here.

use model::mapping::ObjectMapping;
use model::plan::{Action, PlannedAction, Reason};
use model::{Finding, FindingCode};
use store::{Laid, PlanWriter, QuarantinedRow};

use crate::context::{BATCH_RECORDS, Context};
use crate::error::RunError;

/// What is decided of a batch of them, and what a person should know of it.
pub(crate) type BrokenRows = (Vec<PlannedAction>, Vec<Finding>);

/// Plans the rows of an object that broke the grammar.
pub(crate) fn plan_broken(
    ctx: &mut Context<'_>,
    writer: &mut PlanWriter,
    object: &ObjectMapping,
) -> Result<(), RunError> {
    let mut after = 0;
    while let Some((actions, findings)) = decide_broken(ctx, object, &mut after)? {
        writer.add_actions(ctx.store, &actions)?;
        ctx.store.add_findings(ctx.run, &findings)?;
    }
    Ok(())
}

/// What becomes of the next of them behind the position `after`, which moves; `None` behind the last.
pub(crate) fn decide_broken(
    ctx: &Context<'_>,
    object: &ObjectMapping,
    after: &mut i64,
) -> Result<Option<BrokenRows>, RunError> {
    let (connection, source) = (&ctx.connection, &object.source);
    let rows = ctx
        .store
        .load_quarantined(connection, source, *after, BATCH_RECORDS)?;
    let Some(last) = rows.last() else {
        return Ok(None);
    };
    *after = last.position;
    let positions: Vec<_> = rows.iter().map(|row| row.position).collect();
    let names: Vec<_> = rows.iter().map(QuarantinedRow::record).collect();
    let ids: Vec<_> = names.iter().map(|name| name.as_str()).collect();
    let added = ctx.store.find_added(connection, source, &positions)?;
    let laid = ctx.store.find_laid(connection, source, &ids)?;
    let (mut actions, mut findings) = (Vec::new(), Vec::new());
    for (((row, record), added), laid) in rows.iter().zip(names).zip(added).zip(laid) {
        if added {
            continue;
        }
        let action = match left_out(row, laid) {
            Some(why) => Action::Exclude {
                reason: Reason::LeftOutByHand { why },
            },
            None => Action::Quarantine {
                reason: Reason::BrokenRow {
                    error: row.reason.clone(),
                },
            },
        };
        if let Action::Quarantine { reason } = &action {
            findings.push(Finding {
                code: FindingCode::QuarantinedRecord,
                object: source.clone(),
                record: Some(record.to_string()),
                field: None,
                message: format!("held: {reason}"),
            });
        }
        actions.push(PlannedAction {
            object: source.clone(),
            record,
            action,
        });
    }
    Ok(Some((actions, findings)))
}

/// Why the row itself is not held, where a person spoke of its record.
fn left_out(row: &QuarantinedRow, laid: Option<Laid>) -> Option<String> {
    match laid? {
        Laid { row: None, why, .. } => Some(why),
        // The correction went to the staged record of that id, not to this row.
        Laid { .. } if row.is_second => None,
        Laid { why, .. } => Some(format!("its corrected row stands for it, {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is_second: bool, laid: Option<Option<&str>>, expected: Option<&str>) {
        let row = QuarantinedRow {
            position: 1,
            extraction: 1,
            id: Some("7".into()),
            page: 1,
            line: 1,
            reason: "id comes twice in one page".to_owned(),
            text: String::new(),
            is_staged: true,
            is_second,
        };
        let laid = laid.map(|row| Laid {
            row: row.map(str::to_owned),
            adds: None,
            only_broken: false,
            why: "by ada".to_owned(),
        });
        assert_eq!(left_out(&row, laid).as_deref(), expected);
    }

    #[test]
    fn a_row_is_held_unless_a_person_left_it_out_or_corrected_it() {
        check(false, None, None);
        check(false, Some(None), Some("by ada"));
        check(
            false,
            Some(Some("{}")),
            Some("its corrected row stands for it, by ada"),
        );
        // A correction went to the record that came first.
        check(true, Some(Some("{}")), None);
        check(true, Some(None), Some("by ada"));
    }
}
