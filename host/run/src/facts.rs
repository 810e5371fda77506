//! What a decision about a record needs to know: what it is bound to, matched with and the same as, and what that holds now.

use std::collections::{BTreeSet, HashMap};

use model::mapping::ObjectMapping;
use model::{Batch, DestinationRecordId, RecordRef};
use reconcile::{Known, MatchKeys, Matched, ObjectPlanner, Survivor};
use store::Side;

use crate::context::{Context, decode_stored, properties};
use crate::error::RunError;

/// What is known of the records of one batch, by position.
pub(crate) struct Facts {
    keys: Vec<MatchKeys>,
    bound: Vec<Option<DestinationRecordId>>,
    matched: Vec<Option<DestinationRecordId>>,
    survivors: Vec<Option<String>>,
    survivor_bound: Vec<Option<DestinationRecordId>>,
    survivor_records: Batch,
    survivor_positions: HashMap<String, usize>,
    pub(crate) current: Option<Batch>,
    current_positions: HashMap<String, usize>,
}

impl Facts {
    /// Gathers it for the records of a batch.
    pub(crate) async fn gather(
        ctx: &Context<'_>,
        object: &ObjectMapping,
        planner: &ObjectPlanner,
        records: &Batch,
    ) -> Result<Self, RunError> {
        let ids: Vec<_> = records.iter().map(|record| record.id()).collect();
        let bound = ctx
            .store
            .find_identities(&ctx.connection, &object.source, &ids)?;
        let keys: Vec<_> = records
            .iter()
            .map(|record| planner.match_keys(record))
            .collect();
        let (mut matched, mut survivors) = (vec![None; ids.len()], vec![None; ids.len()]);
        for (position, query) in keys.iter().enumerate() {
            let Some(key) = query.query() else { continue };
            let find = |side| {
                ctx.store
                    .find_match(side, &object.source, key.rule.name(), &key.key)
            };
            survivors[position] = find(Side::Source)?.filter(|survivor| survivor != ids[position]);
            matched[position] = find(Side::Destination)?.map(DestinationRecordId::from);
        }
        let survivor_ids: Vec<_> = survivors.iter().flatten().map(String::as_str).collect();
        // Several records of a batch may have one survivor; its row is read once.
        let once: BTreeSet<_> = survivor_ids.iter().copied().collect();
        let once: Vec<_> = once.into_iter().collect();
        let rows = ctx
            .store
            .find_staged_rows(&ctx.connection, &object.source, &once)?;
        let survivor_records = decode_stored(planner.source(), rows.rows)?;
        let mut survivor_bound = vec![None; ids.len()];
        let found = ctx
            .store
            .find_identities(&ctx.connection, &object.source, &survivor_ids)?;
        let places = survivors
            .iter()
            .enumerate()
            .filter(|(_, survivor)| survivor.is_some())
            .map(|(place, _)| place);
        places
            .zip(found)
            .for_each(|(place, identity)| survivor_bound[place] = identity);
        let current = read_current(ctx, object, &bound, &matched).await?;
        Ok(Self {
            survivor_positions: positions(&survivor_records),
            current_positions: current.as_ref().map_or_else(HashMap::new, positions),
            keys,
            bound,
            matched,
            survivors,
            survivor_bound,
            survivor_records,
            current,
        })
    }

    /// What is known of one of them.
    pub(crate) fn known(&self, position: usize) -> Known<'_> {
        let (bound, key) = (self.bound[position].as_ref(), self.keys[position].query());
        let survivor = self.survivors[position]
            .as_deref()
            .zip(key)
            .map(|(id, key)| Survivor {
                id,
                key,
                record: self
                    .survivor_positions
                    .get(id)
                    .map(|at| self.survivor_records.record(*at)),
                bound: self.survivor_bound[position].as_ref(),
            });
        let matched = self.matched[position]
            .as_ref()
            .zip(key)
            .map(|(destination, key)| Matched { destination, key });
        let target = bound.or_else(|| matched.map(|matched| matched.destination));
        let current = target.and_then(|target| self.find_current(target.as_str()));
        Known {
            bound,
            current,
            survivor,
            matched,
            deleted_at_destination: bound.is_some() && current.is_none(),
        }
    }

    fn find_current(&self, id: &str) -> Option<RecordRef<'_>> {
        let position = self.current_positions.get(id)?;
        self.current.as_ref().map(|batch| batch.record(*position))
    }
}

fn positions(batch: &Batch) -> HashMap<String, usize> {
    batch
        .iter()
        .enumerate()
        .map(|(position, record)| (record.id().to_owned(), position))
        .collect()
}

/// Reads the destination's records that the batch is bound to or matched with.
async fn read_current(
    ctx: &Context<'_>,
    object: &ObjectMapping,
    bound: &[Option<DestinationRecordId>],
    matched: &[Option<DestinationRecordId>],
) -> Result<Option<Batch>, RunError> {
    let mut wanted: Vec<_> = bound.iter().chain(matched).flatten().cloned().collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(None);
    }
    let read = ctx
        .destination
        .read_records(&object.destination, &properties(object), &wanted)
        .await;
    read.map(Some).map_err(|error| {
        RunError::destination(format!("reading {} records", object.destination), error)
    })
}
