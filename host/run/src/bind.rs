//! Late binding: puts the destination's own ids where a plan holds ids of the source, for owners, pipelines, stages and products.

use std::collections::HashMap;

use model::destination::Prepared;
use model::mapping::Binding;
use model::{Batch, ConnectionId, ObjectName};
use reconcile::ObjectPlanner;
use store::Store;

use crate::error::RunError;

/// Ids that are remembered before the memory is emptied: owners and products are few, and few is what this is for.
const REMEMBERED_MAX: usize = 100_000;

/// A value whose record is not at the destination; the property stays blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unbound {
    /// The source's record that has the value.
    pub(crate) record: String,
    /// The property.
    pub(crate) property: String,
    /// The object that it refers to.
    pub(crate) object: ObjectName,
    /// The id that it refers to.
    pub(crate) id: String,
}

/// Knows the destination's id for each of the source's.
#[derive(Debug)]
pub(crate) struct Binder {
    connection: ConnectionId,
    pipelines: HashMap<String, String>,
    stages: HashMap<String, String>,
    records: HashMap<ObjectName, HashMap<String, Option<String>>>,
}

impl Binder {
    /// Knows the pipelines and stages that preparation found or made.
    pub(crate) fn new(connection: &ConnectionId, prepared: &Prepared) -> Self {
        let pipelines = prepared
            .pipelines
            .iter()
            .map(|(source, made)| (source.to_string(), made.to_string()));
        let stages = prepared
            .stages
            .iter()
            .map(|(source, made)| (source.to_string(), made.to_string()));
        Self {
            connection: connection.clone(),
            pipelines: pipelines.collect(),
            stages: stages.collect(),
            records: HashMap::new(),
        }
    }

    /// The destination's id for the source's, `None` where it has none (yet).
    pub(crate) fn find(
        &mut self,
        store: &Store,
        binding: &Binding,
        id: &str,
    ) -> Result<Option<String>, RunError> {
        let object = match binding {
            Binding::None => return Ok(Some(id.to_owned())),
            Binding::Pipeline => return Ok(self.pipelines.get(id).cloned()),
            Binding::Stage => return Ok(self.stages.get(id).cloned()),
            Binding::Record(object) => object,
        };
        let known = self.records.entry(object.clone()).or_default();
        if let Some(found) = known.get(id) {
            return Ok(found.clone());
        }
        let found = store
            .find_identities(&self.connection, object, &[id])?
            .pop()
            .flatten()
            .map(|found| found.to_string());
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(id.to_owned(), found.clone());
        Ok(found)
    }

    /// Forgets what is known of an object's records, because more of them were written.
    pub(crate) fn forget(&mut self, object: &ObjectName) {
        self.records.remove(object);
    }

    /// Puts the destination's ids into a batch of planned rows.
    pub(crate) fn bind(
        &mut self,
        store: &Store,
        planner: &ObjectPlanner,
        batch: &mut Batch,
    ) -> Result<Vec<Unbound>, RunError> {
        let mut unbound = Vec::new();
        for (field, binding) in planner.bindings() {
            for position in 0..batch.len() {
                let record = batch.record(position);
                let Some(id) = record.find_text(field).map(str::to_owned) else {
                    continue;
                };
                let found = self.find(store, binding, &id)?;
                if found.is_none() {
                    let property = planner
                        .planned()
                        .fields
                        .get(field)
                        .map_or_else(String::new, |info| info.name.clone());
                    let object = match binding {
                        Binding::Record(object) => object.clone(),
                        _ => planner.source().name.clone(),
                    };
                    unbound.push(Unbound {
                        record: record.id().to_owned(),
                        property,
                        object,
                        id,
                    });
                }
                batch.replace_text(position, field, found.as_deref());
            }
        }
        Ok(unbound)
    }
}
