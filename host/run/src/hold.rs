//! Holding back: before an update is written, the record is read as it is now, and what somebody changed since the plan is left alone.
//!
//! Whether it was changed is `reconcile`'s to say.

use std::collections::HashMap;

use model::DestinationRecordId;
use model::destination::Prepared;
use model::mapping::ObjectMapping;
use model::plan::{Action, PlannedAction};
use model::row::RowWriter;
use reconcile::{Difference, ObjectPlanner, ReadBack, find_changed};

use crate::bind::Binder;
use crate::context::{Context, decode_stored, properties};
use crate::error::RunError;
use crate::lookup::Memory;

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
        let (mut rows, mut befores) = (RowWriter::new(), RowWriter::new());
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
                befores.append_row(before);
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
        let before = decode_stored(self.planner.planned(), befores.into_bytes())?;
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
