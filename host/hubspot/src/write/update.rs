//! Changes of records that are there: read as they are, changed by their ids, each with an outcome of its own.

use std::collections::HashMap;

use model::destination::{Write, WriteOutcome};
use model::row::RowWriter;
use model::{Batch, DestinationError};

use super::{Settled, TRACE, Writer, halves};
use crate::answer::Records;
use crate::api::{Failed, Repeat, read};
use crate::body::Inputs;
use crate::email::{Parties, TEXTS};
use crate::explain::Refusal;
use crate::read::read_records;

impl Writer<'_> {
    /// Changes those records.
    pub(super) async fn update(&self, places: Vec<usize>) -> Result<Settled, DestinationError> {
        let before = self.before(&places).await?;
        let position: HashMap<&str, usize> = before
            .iter()
            .enumerate()
            .map(|(at, record)| (record.id(), at))
            .collect();
        let (mut open, mut settled) = (vec![places], Settled::new());
        while let Some(places) = open.pop() {
            let body = self.update_body(&places, &before, &position);
            let path = self.api.version.objects(self.kind.path, "/batch/update");
            match self.api.post(&path, body, Repeat::Safe).await {
                Ok(body) => {
                    let rest =
                        self.settle_update(&places, &body, &before, &position, &mut settled)?;
                    open.extend(halves(rest));
                }
                Err(Failed::Refused {
                    status: 400 | 404 | 409 | 413 | 422,
                    refusal,
                }) => match places[..] {
                    [place] => settled.push((
                        place,
                        WriteOutcome::Refused(format!(
                            "destination refused {}: {}",
                            self.name(place),
                            refusal.explain()
                        )),
                    )),
                    _ => open.extend(halves(places)),
                },
                Err(failed) => return Err(failed.stop(&format!("changing {}", self.kind.path))),
            }
        }
        Ok(settled)
    }

    fn id(&self, place: usize) -> &str {
        match &self.batch.writes[place] {
            Write::Update(id) => id.as_str(),
            Write::Create => unreachable!("only updates have an id"),
        }
    }

    /// The records as they are before they are changed: what a roll back needs is what was there now, not when the plan was made.
    async fn before(&self, places: &[usize]) -> Result<Batch, DestinationError> {
        let object = self.batch.records.object();
        let mut names: Vec<&str> = Vec::new();
        for place in places {
            for (at, _) in self.batch.records.record(*place).fields() {
                let name = object
                    .fields
                    .get(at)
                    .expect("cells name declared fields")
                    .name
                    .as_str();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let ids: Vec<&str> = places.iter().map(|place| self.id(*place)).collect();
        read_records(self.api, self.kind, self.info, &names, &ids).await
    }

    fn update_body(
        &self,
        places: &[usize],
        before: &Batch,
        position: &HashMap<&str, usize>,
    ) -> Vec<u8> {
        let mut inputs = Inputs::new(self.kind, self.batch.records.object());
        for place in places {
            let known = position.get(self.id(*place)).map(|at| before.record(*at));
            let parties = known.map(|record| {
                Parties(TEXTS.map(|(name, _)| {
                    let at = self.info.fields.find(name);
                    at.and_then(|at| record.find_text(at))
                        .unwrap_or_default()
                        .to_owned()
                }))
            });
            inputs.update(
                self.batch.records.record(*place),
                *place,
                self.id(*place),
                parties,
            );
        }
        inputs.finish()
    }

    fn settle_update(
        &self,
        places: &[usize],
        body: &[u8],
        before: &Batch,
        position: &HashMap<&str, usize>,
        settled: &mut Settled,
    ) -> Result<Vec<usize>, DestinationError> {
        let answer: Records<'_> = read(body, &format!("changing {}", self.kind.path))?;
        let mut open: HashMap<&str, usize> = places
            .iter()
            .map(|place| (self.id(*place), *place))
            .collect();
        for record in &answer.results {
            if let Some(place) = open.remove(record.id.as_ref()) {
                let before = position
                    .get(record.id.as_ref())
                    .map(|at| self.row_before(place, before, *at));
                settled.push((
                    place,
                    WriteOutcome::Written {
                        id: record.id.as_ref().into(),
                        before,
                        notes: Vec::new(),
                    },
                ));
            }
        }
        for refusal in &answer.errors {
            let traced = refusal
                .context(TRACE)
                .into_iter()
                .filter_map(|trace| trace.parse::<usize>().ok());
            let named = refusal
                .context("ids")
                .into_iter()
                .chain(refusal.context("id"));
            let ids: Vec<String> = traced
                .filter(|place| places.contains(place))
                .map(|place| self.id(place).to_owned())
                .chain(named)
                .collect();
            for id in ids {
                if let Some(place) = open.remove(id.as_str()) {
                    settled.push((
                        place,
                        WriteOutcome::Refused(format!(
                            "destination refused {}: {}",
                            self.name(place),
                            refusal.explain()
                        )),
                    ));
                }
            }
        }
        let rest: Vec<usize> = open.into_values().collect();
        match (&rest[..], answer.errors.first()) {
            ([place], refusal) if places.len() == 1 => {
                let why = refusal
                    .map_or_else(|| "HubSpot said nothing of it".to_owned(), Refusal::explain);
                settled.push((
                    *place,
                    WriteOutcome::Refused(format!(
                        "destination refused {}: {why}",
                        self.name(*place)
                    )),
                ));
                Ok(Vec::new())
            }
            _ => Ok(rest),
        }
    }

    /// The written properties as they were, as a row.
    fn row_before(&self, place: usize, before: &Batch, at: usize) -> String {
        let (record, object) = (before.record(at), self.batch.records.object());
        let mut row = RowWriter::new();
        row.begin(record.id(), record.updated_at());
        for (field, _) in self.batch.records.record(place).fields() {
            let name = &object
                .fields
                .get(field)
                .expect("cells name declared fields")
                .name;
            if let Some(value) = self
                .info
                .fields
                .find(name)
                .and_then(|at| record.find_field(at))
            {
                row.field(name, value);
            }
        }
        row.end();
        row.as_str().trim_end_matches('\n').to_owned()
    }
}
