//! Trying failures again: a plan over everything that is staged, in which only the chosen records are decided anew.
//!
//! The others stand in it as the plan before left them, without being looked at: nothing of theirs is written, and the account of the whole
//! still adds up.

use std::collections::{HashMap, HashSet};

use model::ledger::OutcomeKind;
use model::plan::{Action, Plan, PlannedLink, Reason};
use model::{ConnectionId, ObjectName, SourceRecordId};
use reconcile::Cause;
use store::{AuditedAction, Store};

use crate::context::BATCH_RECORDS;
use crate::correct::{CORRECTIONS, LaidCorrections};
use crate::error::RunError;

/// Which failures are tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of them, and whatever a person corrected since.
    All,
    /// Those of one cause, by its handle.
    Cause(String),
    /// One record, failed or not.
    Record(ObjectName, SourceRecordId),
}

/// The plan whose failures are tried again, and which.
#[derive(Debug)]
pub struct Replay {
    pub(crate) plan: Plan,
    chosen: HashMap<ObjectName, HashSet<String>>,
}

impl Replay {
    /// Finds the records that are meant.
    ///
    /// # Errors
    /// When no plan was carried out to its end, or nothing is there to be tried again.
    pub fn find(
        store: &Store,
        connection: &ConnectionId,
        selection: &Selection,
    ) -> Result<Self, RunError> {
        let plan = find_finished(store)?;
        let mut chosen: HashMap<ObjectName, HashSet<String>> = HashMap::new();
        let mut choose = |object: &ObjectName, record: &SourceRecordId| {
            let records = chosen.entry(object.clone()).or_default();
            records.insert(record.to_string());
        };
        if let Selection::Record(object, record) = selection {
            choose(object, record);
        }
        let mut after = 0;
        loop {
            let failed = store.load_failed(&plan.id, after, BATCH_RECORDS)?;
            let Some(last) = failed.last() else { break };
            after = last.position;
            for action in &failed {
                let is_meant = match selection {
                    Selection::All => true,
                    Selection::Cause(handle) => Cause::of(&action.error).handle() == *handle,
                    Selection::Record(..) => false,
                };
                if is_meant {
                    choose(&action.object, &action.record);
                }
            }
        }
        if *selection == Selection::All {
            let known = store.load_document(CORRECTIONS, plan.id.as_str())?;
            for object in &plan.header.mapping.objects {
                let (source, known) = (&object.source, known.unwrap_or(0));
                let mut after = String::new();
                loop {
                    let max = BATCH_RECORDS;
                    let corrected =
                        store.load_corrected_since(connection, source, known, &after, max)?;
                    let Some(last) = corrected.last() else { break };
                    after = last.to_string();
                    corrected.iter().for_each(|record| choose(source, record));
                }
            }
        }
        match chosen.is_empty() {
            true => Err(RunError::NothingHeld),
            false => Ok(Self { plan, chosen }),
        }
    }

    /// The plan whose failures are tried again.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many records are tried again.
    pub fn count(&self) -> u64 {
        self.chosen
            .values()
            .map(|records| records.len() as u64)
            .sum()
    }

    /// Whether that record is tried again.
    pub fn has(&self, object: &ObjectName, record: &str) -> bool {
        let chosen = self.chosen.get(object);
        chosen.is_some_and(|records| records.contains(record))
    }

    /// The records, by object.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = (&ObjectName, &HashSet<String>)> {
        self.chosen.iter()
    }

    /// Whether any record of the object is.
    pub(crate) fn has_any(&self, object: &ObjectName) -> bool {
        self.chosen.contains_key(object)
    }

    /// A broken row without an id becomes a record with one.
    pub(crate) fn rename(&mut self, laid: &LaidCorrections) {
        for ((object, name), id) in &laid.renamed {
            if let Some(records) = self.chosen.get_mut(object)
                && records.remove(name.as_str())
            {
                records.insert(id.to_string());
            }
        }
    }

    /// Whether an association has a record at an end that is tried again; the others were made, or told, before.
    pub(crate) fn has_end(&self, link: &PlannedLink) -> bool {
        self.has(&link.from_object, link.from.as_str())
            || self.has(&link.to_object, link.to.as_str())
    }

    /// What the plan says of a record that is not tried again; `None` where it is.
    pub(crate) fn carry(
        &self,
        object: &ObjectName,
        record: &str,
        earlier: Option<AuditedAction>,
    ) -> Option<Action> {
        (!self.has(object, record)).then(|| carried(earlier))
    }
}

/// The plan that was approved last, where nothing of it is left to do.
fn find_finished(store: &Store) -> Result<Plan, RunError> {
    let Some(plan) = store.find_approved_plan()? else {
        return Err(RunError::NotYet {
            missing: "migrate",
            why: "no plan was carried out, so nothing failed".to_owned(),
        });
    };
    let done: u64 = store
        .outcome_counts(&plan.id)?
        .iter()
        .map(|(.., count)| count)
        .sum();
    let planned: u64 = plan
        .header
        .counts
        .iter()
        .map(|(.., counts)| counts.selected)
        .sum();
    if done < planned {
        return Err(RunError::NotYet {
            missing: "migrate",
            why: format!(
                "plan {} is approved, and {} of its {planned} actions are not carried out yet",
                plan.id,
                planned - done
            ),
        });
    }
    Ok(plan)
}

/// The action that leaves a record as an earlier plan left it.
fn carried(earlier: Option<AuditedAction>) -> Action {
    let not_replayed = || Action::Exclude {
        reason: Reason::NotReplayed,
    };
    let Some(AuditedAction {
        planned,
        outcome: Some(outcome),
        ..
    }) = earlier
    else {
        return not_replayed();
    };
    match (outcome.kind, outcome.destination, planned.action) {
        (OutcomeKind::Linked, _, action @ Action::Link { .. })
        | (OutcomeKind::Excluded, _, action @ Action::Exclude { .. }) => action,
        (OutcomeKind::Failed, ..) => Action::Quarantine {
            reason: Reason::StillHeld {
                error: outcome.error.unwrap_or_default(),
            },
        },
        (_, Some(destination), _) => Action::Keep {
            destination,
            reason: Reason::Bound,
        },
        (_, None, _) => not_replayed(),
    }
}

#[cfg(test)]
mod tests {
    use model::plan::PlannedAction;
    use store::RecordedOutcome;

    use super::*;

    #[track_caller]
    fn check(action: Action, kind: OutcomeKind, destination: Option<&str>, expected: Action) {
        let outcome = RecordedOutcome {
            kind,
            destination: destination.map(Into::into),
            error: (kind == OutcomeKind::Failed).then(|| "no room".to_owned()),
            before: None,
        };
        let earlier = AuditedAction {
            position: 1,
            planned: PlannedAction {
                object: "deal".into(),
                record: "7".into(),
                action,
            },
            outcome: Some(outcome),
        };
        assert_eq!(carried(Some(earlier)), expected);
    }

    #[test]
    fn what_is_not_tried_again_stays_as_it_was_left() {
        let create = || Action::Create {
            row: "{}".to_owned(),
            reason: Reason::New,
        };
        let keep = |id: &str| Action::Keep {
            destination: id.into(),
            reason: Reason::Bound,
        };
        let link = || Action::Link {
            survivor: "3".into(),
            reason: Reason::New,
        };
        let out = || Action::Exclude {
            reason: Reason::DeletedAtSource,
        };
        let held = Action::Quarantine {
            reason: Reason::StillHeld {
                error: "no room".to_owned(),
            },
        };
        check(create(), OutcomeKind::Created, Some("50"), keep("50"));
        check(keep("50"), OutcomeKind::Unchanged, Some("50"), keep("50"));
        check(link(), OutcomeKind::Linked, Some("50"), link());
        check(out(), OutcomeKind::Excluded, None, out());
        check(create(), OutcomeKind::Failed, None, held.clone());
        check(held.clone(), OutcomeKind::Failed, None, held);
        let unknown = Action::Exclude {
            reason: Reason::NotReplayed,
        };
        assert_eq!(carried(None), unknown);
    }
}
