//! The work of a roll back on one object, batch by batch: judged, announced, carried out, noted.
//!
//! Nothing is archived here but what the ledger says that the run made: it is asked once more right before the call.

use std::collections::HashSet;

use model::destination::{Archived, Write, WriteBatch, WriteOutcome};
use model::plan::Plan;
use model::undo::{UndoException, UndoKind, UndoOutcome};
use model::{BatchBuilder, RunId, Value};
use store::{AuditedAction, Store};

use crate::error::RunError;
use crate::progress::Progress;
use crate::undo_records::{Judge, Step, id_of, is_own};
use crate::undone::{Aim, Undoing, UndoneObject, stop_if_asked};

/// The most exceptions that are told one by one.
pub(crate) const TOLD_MAX: usize = 1_000;

/// The most records of one batch.
pub(crate) const BATCH_MAX: u32 = 2_000;

/// The work on one object.
pub(crate) struct Work<'w> {
    pub(crate) judge: Judge<'w>,
    pub(crate) plan: &'w Plan,
    pub(crate) aim: Aim,
    /// What this roll back announced before it was cut off.
    pub(crate) intents: Vec<(i64, i64)>,
    pub(crate) tell: &'w mut (dyn FnMut(Undoing) -> Result<(), RunError> + Send),
    pub(crate) counts: &'w mut UndoneObject,
    pub(crate) exceptions: &'w mut Vec<UndoException>,
}

impl Work<'_> {
    /// Undoes what the run wrote of the object, the last write first.
    pub(crate) async fn undo_object(
        &mut self,
        store: &mut Store,
        progress: &dyn Progress,
    ) -> Result<(), RunError> {
        let (mut before, run) = (i64::MAX, self.judge.run);
        let most = self.judge.destination.batch_records().min(BATCH_MAX);
        loop {
            stop_if_asked(progress)?;
            let (plan, source) = (&self.plan.id, &self.judge.object.source);
            let mut actions = store.load_undoable(run, plan, source, before, most)?;
            // Two changes of one record are undone one after the other, each read as the one before it left it.
            let mut seen = HashSet::new();
            let alone = actions
                .iter()
                .take_while(|action| seen.insert(id_of(action).clone()));
            actions.truncate(alone.count());
            let Some(last) = actions.last() else {
                return Ok(());
            };
            before = last.position;
            let steps = self.judge.judge(store, &actions).await?;
            match self.aim {
                Aim::Plan => self.tell_steps(store, &actions, steps)?,
                Aim::Apply(run) => self.carry_out(store, run, &actions, steps).await?,
            }
            progress.advance(actions.len() as u64);
        }
    }

    fn tell_steps(
        &mut self,
        store: &mut Store,
        actions: &[AuditedAction],
        steps: Vec<Step>,
    ) -> Result<(), RunError> {
        let mut kept = Vec::new();
        for (action, step) in actions.iter().zip(steps) {
            let (becomes, values, exceptions) = match step {
                Step::Archive => (UndoKind::Archived, Vec::new(), Vec::new()),
                Step::Restore { values, exceptions } => (UndoKind::Restored, values, exceptions),
                Step::Settled { kind, exceptions } => (kind, Vec::new(), exceptions),
            };
            if becomes == UndoKind::Left {
                kept.push(action.planned.record.clone());
            }
            self.counts.add(becomes, 1, exceptions.len() as u64);
            let room = TOLD_MAX.saturating_sub(self.exceptions.len());
            self.exceptions
                .extend(exceptions.iter().take(room).map(|message| UndoException {
                    object: self.judge.object.source.clone(),
                    record: action.planned.record.clone(),
                    destination: Some(id_of(action).clone()),
                    message: message.clone(),
                }));
            let fields = &self.judge.planner.planned().fields;
            let name = |at: u16| {
                fields
                    .get(at)
                    .map_or_else(String::new, |field| field.name.clone())
            };
            (self.tell)(Undoing {
                object: self.judge.object.source.clone(),
                record: action.planned.record.clone(),
                destination: id_of(action).clone(),
                becomes,
                values: values
                    .into_iter()
                    .map(|(at, value)| (name(at), value.as_ref().to_string()))
                    .collect(),
                exceptions,
            })?;
        }
        Ok(store.mark_kept(&self.judge.object.source, &kept)?)
    }

    async fn carry_out(
        &mut self,
        store: &mut Store,
        run: RunId,
        actions: &[AuditedAction],
        steps: Vec<Step>,
    ) -> Result<(), RunError> {
        let acts = |step: &Step| !matches!(step, Step::Settled { .. });
        if steps.iter().any(acts) {
            // They come from the last to the first.
            let positions = actions.iter().map(|action| action.position);
            let (first, last) = (positions.clone().min(), positions.max());
            let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
            store.write_undo_intent(run, first, last)?;
        }
        let archived = self.archive(actions, &steps).await?;
        let restored = self.restore(store, actions, &steps).await?;
        let (mut archived, mut restored) = (archived.into_iter(), restored.into_iter());
        let (mut outcomes, mut kept, mut released) = (Vec::new(), Vec::new(), Vec::new());
        for (action, step) in actions.iter().zip(steps) {
            let (kind, exceptions) = match step {
                Step::Archive => archived.next().expect("each has an answer"),
                Step::Restore { .. } => restored.next().expect("each has an answer"),
                Step::Settled {
                    kind: UndoKind::Gone,
                    exceptions,
                } if is_own(action) && self.was_announced(action.position) => {
                    (UndoKind::Archived, exceptions)
                }
                Step::Settled { kind, exceptions } => (kind, exceptions),
            };
            match kind {
                UndoKind::Archived | UndoKind::Gone if is_own(action) => {
                    released.push(id_of(action).clone());
                }
                UndoKind::Left | UndoKind::Failed => kept.push(action.planned.record.clone()),
                _ => {}
            }
            outcomes.push(UndoOutcome {
                position: action.position,
                kind,
                exceptions,
            });
        }
        let object = self.judge.object;
        store.write_undo_outcomes(run, &object.destination, &outcomes, &released)?;
        Ok(store.mark_kept(&object.source, &kept)?)
    }

    /// Whether an earlier attempt was about to undo it: then it is gone by that.
    fn was_announced(&self, position: i64) -> bool {
        self.intents
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&position))
    }

    /// Archives what is to be archived: only what the ledger says that the run made.
    async fn archive(
        &self,
        actions: &[AuditedAction],
        steps: &[Step],
    ) -> Result<Vec<(UndoKind, Vec<String>)>, RunError> {
        let meant = actions
            .iter()
            .zip(steps)
            .filter(|(_, step)| **step == Step::Archive);
        let mut ids = Vec::new();
        for (action, _) in meant {
            if !is_own(action) {
                return Err(RunError::Inconsistent(format!(
                    "{} {} is to be archived, and the run did not make it",
                    self.judge.object.destination,
                    id_of(action)
                )));
            }
            ids.push(id_of(action).clone());
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let object = &self.judge.object.destination;
        let answers = self.judge.destination.archive_records(object, &ids).await;
        let answers = answers
            .map_err(|error| RunError::destination(format!("archiving {object} records"), error))?;
        self.check_answers(answers.len(), ids.len())?;
        let kinds = answers.into_iter().map(|answer| match answer {
            Archived::Done => (UndoKind::Archived, Vec::new()),
            Archived::Gone => (UndoKind::Gone, Vec::new()),
            Archived::Refused(why) => (UndoKind::Failed, vec![why]),
        });
        Ok(kinds.collect())
    }

    /// Sets values back, and reads whether they are.
    async fn restore(
        &self,
        store: &Store,
        actions: &[AuditedAction],
        steps: &[Step],
    ) -> Result<Vec<(UndoKind, Vec<String>)>, RunError> {
        let (mut meant, mut told, mut writes) = (Vec::new(), Vec::new(), Vec::new());
        let mut records = BatchBuilder::new(self.judge.planner.planned().clone());
        for (action, step) in actions.iter().zip(steps) {
            let Step::Restore { values, exceptions } = step else {
                continue;
            };
            records.begin(action.planned.record.as_str(), None);
            for (field, value) in values {
                records.field(*field, Value::as_ref(value));
            }
            writes.push(Write::Update(id_of(action).clone()));
            meant.push(action.clone());
            told.push(exceptions.clone());
        }
        if meant.is_empty() {
            return Ok(Vec::new());
        }
        let object = &self.judge.object.destination;
        let connection = self.judge.connection;
        let batch = WriteBatch {
            connection: connection.clone(),
            source_object: self.judge.object.source.clone(),
            records: records.finish(),
            writes,
            ties: Vec::new(),
        };
        let answers = self.judge.destination.write_records(&batch).await;
        let answers = answers
            .map_err(|error| RunError::destination(format!("restoring {object} records"), error))?;
        self.check_answers(answers.len(), meant.len())?;
        let now = self.judge.judge(store, &meant).await?;
        let outcomes = answers.into_iter().zip(now).zip(told);
        Ok(outcomes
            .map(|((answer, now), mut exceptions)| match (answer, now) {
                (WriteOutcome::Refused(why), _) => {
                    exceptions.push(why);
                    (UndoKind::Failed, exceptions)
                }
                (_, Step::Restore { values, .. }) => {
                    exceptions.push(self.unmoved(&values));
                    (UndoKind::Failed, exceptions)
                }
                _ => (UndoKind::Restored, exceptions),
            })
            .collect())
    }

    fn unmoved(&self, values: &[(u16, Value)]) -> String {
        let fields = &self.judge.planner.planned().fields;
        let names = values
            .iter()
            .filter_map(|(at, _)| Some(fields.get(*at)?.name.as_str()));
        let names = names.collect::<Vec<_>>().join(", ");
        format!("the destination took the values before and did not keep them: {names}")
    }

    fn check_answers(&self, got: usize, asked: usize) -> Result<(), RunError> {
        if got == asked {
            return Ok(());
        }
        Err(RunError::Inconsistent(format!(
            "the destination answered {got} of {asked} {} records",
            self.judge.object.destination
        )))
    }
}
