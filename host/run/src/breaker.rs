//! The breaker: pauses a phase when too many records fail for one cause, so that a person looks before thousands do.
//!
//! How many are too many is `reconcile`'s to say. What was done until then is committed, and a person who has seen the cause can have it
//! ignored: for a plan, or for the reading that is under way.

use std::collections::{BTreeSet, HashMap};

use model::plan::{ActionKind, Plan, Reason};
use model::{ConnectionId, ObjectName, PlanId};
use reconcile::{Cause, trips};
use store::Store;

use crate::context::BATCH_RECORDS;
use crate::error::{RunError, Tripped};

/// Kind of the documents that hold which causes a person has seen and wants ignored, by plan or by reading.
const IGNORED: &str = "ignored-causes";

/// Causes that are counted; a side that says something else of each record is beyond counting.
const CAUSES_MAX: usize = 10_000;

/// Has causes ignored while a plan is carried out, in addition to those that are already.
///
/// # Errors
/// When the state cannot be read or written.
pub fn ignore_causes(store: &mut Store, plan: &PlanId, handles: &[String]) -> Result<(), RunError> {
    ignore(store, plan.as_str(), handles)
}

/// Has causes ignored in the reading that is under way, or the next one where none is.
///
/// # Errors
/// When the state cannot be read or written.
pub fn ignore_reading_causes(
    store: &mut Store,
    connection: &ConnectionId,
    handles: &[String],
) -> Result<(), RunError> {
    if handles.is_empty() {
        return Ok(());
    }
    let extraction = store.begin_extraction(connection)?;
    ignore(store, &reading(extraction), handles)
}

fn reading(extraction: i64) -> String {
    format!("extraction {extraction}")
}

fn ignore(store: &mut Store, key: &str, handles: &[String]) -> Result<(), RunError> {
    if handles.is_empty() {
        return Ok(());
    }
    let mut ignored: BTreeSet<String> = store.load_document(IGNORED, key)?.unwrap_or_default();
    ignored.extend(handles.iter().cloned());
    Ok(store.save_document(IGNORED, key, &ignored)?)
}

/// What failed for one cause.
#[derive(Debug)]
struct Failures {
    count: u64,
    record: String,
    message: String,
}

/// Counts the failures of one object by their causes.
#[derive(Debug)]
pub(crate) struct Breaker {
    object: ObjectName,
    verb: &'static str,
    ignored: BTreeSet<String>,
    causes: HashMap<Cause, Failures>,
}

impl Breaker {
    fn new(
        store: &Store,
        object: &ObjectName,
        verb: &'static str,
        key: &str,
    ) -> Result<Self, RunError> {
        Ok(Self {
            object: object.clone(),
            verb,
            ignored: store.load_document(IGNORED, key)?.unwrap_or_default(),
            causes: HashMap::new(),
        })
    }

    /// Over the writes of a plan: it knows what failed of them in an earlier run. What the plan itself holds back was approved with it.
    pub(crate) fn of_plan(
        store: &Store,
        plan: &Plan,
        object: &ObjectName,
    ) -> Result<Self, RunError> {
        let mut breaker = Self::new(store, object, "failed", plan.id.as_str())?;
        let mut after = 0;
        loop {
            let failed = store.load_failed(&plan.id, after, BATCH_RECORDS)?;
            let Some(last) = failed.last() else {
                return Ok(breaker);
            };
            after = last.position;
            let mine = failed.iter().filter(|action| {
                action.object == *object
                    && matches!(action.kind, ActionKind::Create | ActionKind::Update)
            });
            mine.for_each(|action| breaker.add(action.record.as_str(), &action.error));
        }
    }

    /// Over the rows that a reading brought.
    pub(crate) fn of_reading(
        store: &Store,
        connection: &ConnectionId,
        object: &ObjectName,
        extraction: i64,
    ) -> Result<Self, RunError> {
        let mut breaker = Self::new(store, object, "are broken", &reading(extraction))?;
        let mut after = 0;
        loop {
            let rows = store.load_quarantined(connection, object, after, BATCH_RECORDS)?;
            let Some(last) = rows.last() else {
                return Ok(breaker);
            };
            after = last.position;
            for row in rows.iter().filter(|row| row.extraction == extraction) {
                breaker.add_broken(row.record().as_str(), &row.reason);
            }
        }
    }

    /// One more failure.
    pub(crate) fn add(&mut self, record: &str, message: &str) {
        let cause = Cause::of(message);
        if let Some(failures) = self.causes.get_mut(&cause) {
            failures.count += 1;
        } else if self.causes.len() < CAUSES_MAX {
            let failures = Failures {
                count: 1,
                record: record.to_owned(),
                message: message.to_owned(),
            };
            self.causes.insert(cause, failures);
        }
    }

    /// One more broken row, in the words in which a plan holds it.
    pub(crate) fn add_broken(&mut self, record: &str, reason: &str) {
        let error = reason.to_owned();
        self.add(record, &Reason::BrokenRow { error }.to_string());
    }

    /// The most failures of one cause that nobody wants ignored.
    pub(crate) fn most(&self) -> u64 {
        self.worst().map_or(0, |(_, failures)| failures.count)
    }

    fn worst(&self) -> Option<(&Cause, &Failures)> {
        let open = self
            .causes
            .iter()
            .filter(|(cause, _)| !self.ignored.contains(&cause.handle()));
        open.max_by(|left, right| (left.1.count, right.0).cmp(&(right.1.count, left.0)))
    }

    /// Pauses the phase where that is too many among so many records.
    pub(crate) fn check(&self, selected: u64) -> Result<(), RunError> {
        let Some((cause, failures)) = self.worst() else {
            return Ok(());
        };
        if !trips(failures.count, selected) {
            return Ok(());
        }
        Err(RunError::Paused(Box::new(Tripped {
            object: self.object.clone(),
            failures: failures.count,
            selected,
            verb: self.verb,
            handle: cause.handle(),
            cause: cause.to_string(),
            record: failures.record.clone(),
            message: failures.message.clone(),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker {
            object: "deal".into(),
            verb: "failed",
            ignored: BTreeSet::new(),
            causes: HashMap::new(),
        }
    }

    #[test]
    fn one_cause_pauses_and_many_small_ones_do_not() {
        let mut many = breaker();
        for at in 0..100 {
            let name = char::from(b'a' + at % 26);
            many.add("1", &format!("property \"{name}\" is wrong: \"{at}\""));
        }
        assert!(many.check(400).is_ok());
        let mut one = breaker();
        (0..20).for_each(|at| one.add(&at.to_string(), &format!("no room for deal {at}")));
        let told = one.check(400).unwrap_err().to_string();
        assert_eq!(
            told,
            format!(
                "paused: 20 of 400 deal records failed for one cause, {}: no room for deal #; for example deal 0: no room for deal 0",
                Cause::of("no room for deal #").handle()
            )
        );
    }

    #[test]
    fn what_a_person_has_seen_is_ignored_and_the_rest_is_not() {
        let mut breaker = breaker();
        (0..30).for_each(|_| breaker.add("1", "no room"));
        (0..25).for_each(|_| breaker.add("2", "no colour"));
        breaker.ignored.insert(Cause::of("no room").handle());
        let told = breaker.check(400).unwrap_err().to_string();
        assert!(
            told.starts_with("paused: 25 of 400 deal records failed for one cause"),
            "{told}"
        );
        assert!(breaker.check(501).is_ok());
    }

    #[test]
    fn what_is_ignored_is_kept_with_the_plan() {
        let mut store = Store::open_in_memory().unwrap();
        let plan = PlanId::from("0123");
        ignore_causes(&mut store, &plan, &["aa".to_owned()]).unwrap();
        ignore_causes(&mut store, &plan, &["bb".to_owned()]).unwrap();
        ignore_causes(&mut store, &plan, &[]).unwrap();
        let breaker = Breaker::new(&store, &"deal".into(), "failed", plan.as_str()).unwrap();
        assert_eq!(breaker.ignored, ["aa".to_owned(), "bb".to_owned()].into());
    }
}
