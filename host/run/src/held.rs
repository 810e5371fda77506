//! What is held: records that failed and rows that are broken, by the causes for which they are.
//!
//! It reads the newest plan that was approved and the broken rows of the newest reading; it changes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::ledger::OutcomeKind;
use model::plan::{ActionKind, Plan, Reason};
use model::{ConnectionId, Correction, ObjectName, SourceRecordId};
use reconcile::Cause;
use serde::Serialize;
use store::Store;

use crate::context::BATCH_RECORDS;
use crate::correct::CORRECTIONS;
use crate::discover::find_source_catalog;
use crate::error::RunError;
use crate::replay::Replay;

/// Which held records are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldFilter {
    /// Source objects; none lets all through.
    pub objects: Vec<ObjectName>,
    /// The handle of a cause.
    pub cause: Option<String>,
}

/// A record that did not come through.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldRecord {
    /// The source's object.
    pub object: ObjectName,
    /// The source's id, or the place of a broken row without one.
    pub record: SourceRecordId,
    /// Whether the row itself is broken; else the destination refused it, or it was held back.
    pub is_broken: bool,
    /// Why, for a person.
    pub message: String,
    /// Why, without what only this record has.
    pub cause: Cause,
    /// What a person decided of it since, which no plan knows yet.
    pub waiting: Option<Correction>,
}

/// The held records of one object and cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldCause {
    /// The cause's handle.
    pub handle: String,
    /// The cause.
    pub cause: String,
    /// The source's object.
    pub object: ObjectName,
    /// Whether the rows themselves are broken.
    pub is_broken: bool,
    /// How many records.
    pub records: u64,
    /// How many of them a person has corrected since; they wait to be tried again.
    pub waiting: u64,
    /// One of them.
    pub example: SourceRecordId,
    /// Why that one failed.
    pub message: String,
}

/// The held records by object and cause, most first.
///
/// # Errors
/// As every read.
pub fn find_held_causes(
    store: &Store,
    connection: &ConnectionId,
    filter: &HeldFilter,
) -> Result<Vec<HeldCause>, RunError> {
    count_causes(store, connection, filter, |_| true)
}

/// What became of the records that a plan tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// They are at the destination now.
    pub came_through: u64,
    /// They are left out by a rule, or by a person.
    pub excluded: u64,
    /// They failed again.
    pub failed: u64,
    /// Why they did.
    pub causes: Vec<HeldCause>,
}

/// Tells what became of the records that a plan, which was carried out, tried again.
///
/// # Errors
/// As every read.
pub fn report_replay(
    store: &mut Store,
    connection: &ConnectionId,
    plan: &Plan,
    replay: &Replay,
) -> Result<ReplayReport, RunError> {
    store.index_earlier(&plan.id)?;
    let mut report = ReplayReport::default();
    for (object, records) in replay.chosen() {
        let ids: Vec<_> = records.iter().map(String::as_str).collect();
        for ids in ids.chunks(BATCH_RECORDS as usize) {
            for action in store.find_earlier(object, ids)?.into_iter().flatten() {
                match action.outcome.map(|outcome| outcome.kind) {
                    Some(OutcomeKind::Failed) | None => report.failed += 1,
                    Some(OutcomeKind::Excluded) => report.excluded += 1,
                    Some(_) => report.came_through += 1,
                }
            }
        }
    }
    let filter = HeldFilter::default();
    report.causes = count_causes(store, connection, &filter, |held| {
        replay.has(&held.object, held.record.as_str())
    })?;
    Ok(report)
}

fn count_causes(
    store: &Store,
    connection: &ConnectionId,
    filter: &HeldFilter,
    is_meant: impl Fn(&HeldRecord) -> bool,
) -> Result<Vec<HeldCause>, RunError> {
    let mut causes: BTreeMap<(ObjectName, Cause), HeldCause> = BTreeMap::new();
    visit_held(store, connection, filter, |held| {
        if !is_meant(&held) {
            return Ok(true);
        }
        let key = (held.object.clone(), held.cause.clone());
        let entry = causes.entry(key).or_insert_with(|| HeldCause {
            handle: held.cause.handle(),
            cause: held.cause.to_string(),
            object: held.object,
            is_broken: held.is_broken,
            records: 0,
            waiting: 0,
            example: held.record,
            message: held.message,
        });
        entry.records += 1;
        entry.waiting += u64::from(held.waiting.is_some());
        Ok(true)
    })?;
    let mut causes: Vec<_> = causes.into_values().collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.records));
    Ok(causes)
}

/// Shows each held record, object by object: broken rows first. The visitor says whether it wants more.
///
/// # Errors
/// As every read; else the visitor's.
pub fn visit_held(
    store: &Store,
    connection: &ConnectionId,
    filter: &HeldFilter,
    mut visit: impl FnMut(HeldRecord) -> Result<bool, RunError>,
) -> Result<(), RunError> {
    let view = View::load(store, connection, filter)?;
    for object in &view.objects {
        let corrections = view.corrections(object)?;
        // Of a row that was corrected the plan says that it is still broken, or what became of the record.
        let failed = view.failed.get(object).into_iter().flatten();
        let still: HashSet<_> = failed
            .filter(|(_, kind, _)| *kind == ActionKind::Quarantine)
            .map(|(record, _, message)| (record.clone(), message.clone()))
            .collect();
        let mut broken = HashSet::new();
        let mut after = 0;
        loop {
            let rows = store.load_quarantined(connection, object, after, BATCH_RECORDS)?;
            let Some(last) = rows.last() else { break };
            after = last.position;
            for row in rows {
                let (record, error) = (row.record(), row.reason);
                let message = Reason::BrokenRow { error }.to_string();
                let correction = corrections.get(&record);
                let told = (record.clone(), message.clone());
                let is_settled = view.knows(correction) && !still.contains(&told);
                broken.insert(told);
                if is_settled {
                    continue;
                }
                let held = view.held(object, record, true, message, correction);
                if view.lets(&held) && !visit(held)? {
                    return Ok(());
                }
            }
        }
        for (record, kind, message) in view.failed.get(object).into_iter().flatten() {
            let told = (record.clone(), message.clone());
            if *kind == ActionKind::Quarantine && broken.contains(&told) {
                continue;
            }
            let correction = corrections.get(record);
            let held = view.held(object, record.clone(), false, message.clone(), correction);
            if view.lets(&held) && !visit(held)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What failed of an object.
type Failed = Vec<(SourceRecordId, ActionKind, String)>;

/// The state of the project, as far as it says what is held.
struct View<'s> {
    store: &'s Store,
    connection: &'s ConnectionId,
    objects: Vec<ObjectName>,
    /// The correction up to which the plan knew of them.
    known: i64,
    failed: HashMap<ObjectName, Failed>,
    cause: Option<String>,
}

impl<'s> View<'s> {
    fn load(
        store: &'s Store,
        connection: &'s ConnectionId,
        filter: &HeldFilter,
    ) -> Result<Self, RunError> {
        let plan = store.find_approved_plan()?;
        let mut objects = find_objects(store, connection, plan.as_ref())?;
        objects.retain(|object| filter.objects.is_empty() || filter.objects.contains(object));
        let (mut failed, mut known) = (HashMap::<_, Failed>::new(), 0);
        if let Some(plan) = &plan {
            known = store
                .load_document(CORRECTIONS, plan.id.as_str())?
                .unwrap_or(0);
            let mut after = 0;
            loop {
                let batch = store.load_failed(&plan.id, after, BATCH_RECORDS)?;
                let Some(last) = batch.last() else { break };
                after = last.position;
                for action in batch {
                    let of_object = failed.entry(action.object).or_default();
                    of_object.push((action.record, action.kind, action.error));
                }
            }
        }
        Ok(Self {
            store,
            connection,
            objects,
            known,
            failed,
            cause: filter.cause.clone(),
        })
    }

    /// What holds of the object's records.
    fn corrections(
        &self,
        object: &ObjectName,
    ) -> Result<HashMap<SourceRecordId, Correction>, RunError> {
        let (mut found, mut after) = (HashMap::new(), String::new());
        loop {
            let batch = self.store.load_corrections(
                self.connection,
                object,
                i64::MAX,
                &after,
                BATCH_RECORDS,
            )?;
            let Some(last) = batch.last() else {
                return Ok(found);
            };
            after = last.record.to_string();
            let batch = batch.into_iter();
            found.extend(batch.map(|correction| (correction.record.clone(), correction)));
        }
    }

    /// Whether the plan was made with that correction.
    fn knows(&self, correction: Option<&Correction>) -> bool {
        correction.is_some_and(|correction| correction.number <= self.known)
    }

    fn held(
        &self,
        object: &ObjectName,
        record: SourceRecordId,
        is_broken: bool,
        message: String,
        correction: Option<&Correction>,
    ) -> HeldRecord {
        let waiting = correction.filter(|correction| correction.number > self.known);
        HeldRecord {
            object: object.clone(),
            record,
            is_broken,
            cause: Cause::of(&message),
            message,
            waiting: waiting.cloned(),
        }
    }

    fn lets(&self, held: &HeldRecord) -> bool {
        let cause = self.cause.as_ref();
        cause.is_none_or(|handle| held.cause.handle() == *handle)
    }
}

/// The objects that something may be held of: those of the newest plan, else of what was discovered.
fn find_objects(
    store: &Store,
    connection: &ConnectionId,
    approved: Option<&Plan>,
) -> Result<Vec<ObjectName>, RunError> {
    if let Some(plan) = store.latest_plan()?.as_ref().or(approved) {
        let objects = plan.header.mapping.objects.iter();
        return Ok(objects.map(|object| object.source.clone()).collect());
    }
    let catalog = find_source_catalog(store, connection)?;
    let objects = catalog.into_iter().flat_map(|catalog| catalog.objects);
    Ok(objects.map(|object| object.name.clone()).collect())
}
