//! Holding back: before an update is written, the record is read as it is now, and what somebody changed since the plan is left alone.
//!
//! Whether it was changed is `reconcile`'s to say.

use std::collections::HashMap;
use std::sync::Arc;

use model::destination::Prepared;
use model::mapping::ObjectMapping;
use model::plan::{Action, PlannedAction};
use model::row::RowWriter;
use model::{Batch, DestinationRecordId, ObjectInfo, RecordRef};
use reconcile::{Difference, ObjectPlanner, ReadBack, find_changed};

use crate::bind::Binder;
use crate::context::{Context, decode_stored, properties};
use crate::error::RunError;
use crate::lookup::Memory;

/// Rows of the destination's records, of which one may come more than once: two records of the source may be one there, and no id may stand
/// twice in a batch.
#[derive(Default)]
struct Rounds<'r> {
    rows: Vec<RowWriter>,
    seen: HashMap<&'r str, usize>,
    /// For each row the round it is in, and its place there.
    places: Vec<(usize, usize)>,
    lengths: Vec<usize>,
}

impl<'r> Rounds<'r> {
    fn add(&mut self, id: &'r DestinationRecordId, row: &str) {
        let seen = self.seen.entry(id.as_str()).or_default();
        let round = *seen;
        *seen += 1;
        if self.rows.len() == round {
            self.rows.push(RowWriter::new());
            self.lengths.push(0);
        }
        self.rows[round].append_row(row);
        self.places.push((round, self.lengths[round]));
        self.lengths[round] += 1;
    }

    fn decode(self, object: &Arc<ObjectInfo>) -> Result<Decoded, RunError> {
        let rows = self.rows.into_iter();
        let batches = rows.map(|rows| decode_stored(object, rows.into_bytes()));
        Ok(Decoded {
            batches: batches.collect::<Result<_, _>>()?,
            places: self.places,
        })
    }
}

struct Decoded {
    batches: Vec<Batch>,
    places: Vec<(usize, usize)>,
}

impl Decoded {
    fn record(&self, at: usize) -> RecordRef<'_> {
        let (round, place) = self.places[at];
        self.batches[round].record(place)
    }
}

/// Compares records with what a plan knew of them.
pub(crate) struct Watch<'w> {
    object: &'w ObjectMapping,
    planner: &'w ObjectPlanner,
    memory: Memory,
}

impl<'w> Watch<'w> {
    /// A watch over one object's updates; `prepared` says which stages are which.
    pub(crate) fn new(
        ctx: &Context<'_>,
        object: &'w ObjectMapping,
        planner: &'w ObjectPlanner,
        prepared: &Prepared,
    ) -> Self {
        Self {
            object,
            planner,
            memory: Memory::new(&ctx.connection, Binder::new(&ctx.connection, prepared)),
        }
    }

    /// Of these actions the updates that must not be written, by position in the plan, each with the reason for a person.
    pub(crate) async fn find_changed(
        &self,
        ctx: &Context<'_>,
        actions: &[(i64, PlannedAction)],
    ) -> Result<HashMap<i64, String>, RunError> {
        let (mut rows, mut befores) = (RowWriter::new(), Rounds::default());
        let mut updates: Vec<(i64, &DestinationRecordId)> = Vec::new();
        for (position, planned) in actions {
            if let Action::Update {
                destination,
                row,
                before,
                ..
            } = &planned.action
            {
                rows.append_row(row);
                befores.add(destination, before);
                updates.push((*position, destination));
            }
        }
        if updates.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<_> = updates.iter().map(|(_, id)| (*id).clone()).collect();
        let now = ctx
            .destination
            .read_records(&self.object.destination, &properties(self.object), &ids)
            .await
            .map_err(|error| {
                let doing = format!("reading {} records", self.object.destination);
                RunError::destination(doing, error)
            })?;
        let places: HashMap<&str, usize> = now
            .iter()
            .enumerate()
            .map(|(place, record)| (record.id(), place))
            .collect();
        let planned = decode_stored(self.planner.planned(), rows.into_bytes())?;
        let before = befores.decode(self.planner.planned())?;
        let read_back = ReadBack::new(self.planner, now.object());
        let directory = self.memory.over(ctx.store);
        let mut held = HashMap::new();
        for (at, (position, id)) in updates.into_iter().enumerate() {
            let Some(place) = places.get(id.as_str()) else {
                let gone = format!(
                    "held back: {} {id} is no longer there",
                    self.object.destination
                );
                held.insert(position, gone);
                continue;
            };
            let changed = find_changed(
                &read_back,
                planned.record(at),
                (before.record(at), self.planner.planned()),
                (now.record(*place), now.object()),
                &directory,
            );
            if !changed.is_empty() {
                held.insert(position, self.reason(id, &changed));
            }
        }
        directory.finish()?;
        Ok(held)
    }

    fn reason(&self, id: &DestinationRecordId, changed: &[Difference]) -> String {
        let told = changed.iter().map(|difference| {
            let Difference {
                property,
                planned,
                actual,
            } = difference;
            format!("{property} was {planned:?} and is {actual:?}")
        });
        let told = told.collect::<Vec<_>>().join("; ");
        format!(
            "held back: {} {id} was changed since the plan: {told}; plan again",
            self.object.destination
        )
    }
}
