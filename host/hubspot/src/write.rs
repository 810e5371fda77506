//! Writing a batch of records: made by their source keys, changed by their ids, each with an outcome of its own.
//!
//! A write whose answer was lost is looked up by the unique property before anything is sent again; one refusal never fails its batch.

mod update;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::catalog::StandardObject;
use model::destination::{SOURCE_KEY_PROPERTY, Write, WriteBatch, WriteOutcome};
use model::row::RowWriter;
use model::{DestinationError, DestinationRecordId, ObjectInfo, ObjectName};

use crate::answer::Records;
use crate::api::{Api, Failed, LostWrites, Repeat, at_once};
use crate::body::{FirstStage, Inputs, keys};
use crate::explain::Refusal;
use crate::objects::Kind;
use crate::read::{AT_ONCE, BATCH_MAX, find_keys};

/// The most bytes of rows in one call; bodies of e-mails are long.
const CALL_MAX_BYTES: usize = 4 << 20;

/// Where an error within an answer names the input.
const TRACE: &str = "objectWriteTraceId";

/// What a batch is written with.
pub(crate) struct Writer<'w> {
    pub(crate) api: &'w Api,
    pub(crate) kind: &'static Kind,
    /// The object as it is at HubSpot now.
    pub(crate) info: &'w Arc<ObjectInfo>,
    pub(crate) batch: &'w WriteBatch,
    pub(crate) first_stage: Option<FirstStage>,
    /// Set once HubSpot said that this object has no upsert.
    pub(crate) without_upsert: &'w AtomicBool,
}

/// Positions in the batch, and what came of each.
type Settled = Vec<(usize, WriteOutcome)>;

/// What making records came to.
#[derive(Default)]
struct Made {
    outcomes: Settled,
    /// Records whose address HubSpot does not take, and why.
    addresses: Vec<(usize, String)>,
}

/// The property that a contact is made without, where HubSpot does not take it.
const ADDRESS: &str = "email";

/// What one call is to do.
enum Call {
    Create(Vec<usize>),
    Update(Vec<usize>),
}

impl Writer<'_> {
    /// Writes everything; one outcome for each record, in order.
    pub(crate) async fn write(&self) -> Result<Vec<WriteOutcome>, DestinationError> {
        let keys = &keys(self.batch);
        let mut outcomes: Vec<Option<WriteOutcome>> = vec![None; self.batch.writes.len()];
        // Two changes of one record do not fit into one call, and their order matters: the second goes in another round.
        for round in self.rounds() {
            let settled: Vec<Settled> = at_once(
                round.into_iter().map(|call| self.carry_out(keys, call)),
                AT_ONCE,
            )
            .await?;
            settled
                .into_iter()
                .flatten()
                .for_each(|(place, outcome)| outcomes[place] = Some(outcome));
        }
        let outcomes = outcomes.into_iter().enumerate().map(|(place, outcome)| {
            outcome.ok_or_else(|| {
                DestinationError::Ambiguous(format!("{} has no outcome", self.name(place)))
            })
        });
        outcomes.collect()
    }

    async fn carry_out(&self, keys: &[String], call: Call) -> Result<Settled, DestinationError> {
        match call {
            Call::Create(places) => self.create(keys, places).await,
            Call::Update(places) => self.update(places).await,
        }
    }

    fn rounds(&self) -> Vec<Vec<Call>> {
        let mut round_of: HashMap<&str, usize> = HashMap::new();
        let mut rounds: Vec<(Vec<usize>, Vec<usize>)> = vec![Default::default()];
        for (place, write) in self.batch.writes.iter().enumerate() {
            match write {
                Write::Create => rounds[0].0.push(place),
                Write::Update(id) => {
                    let next = round_of.entry(id.as_str()).or_default();
                    if rounds.len() == *next {
                        rounds.push(Default::default());
                    }
                    rounds[*next].1.push(place);
                    *next += 1;
                }
            }
        }
        let calls = |(creates, updates): (Vec<usize>, Vec<usize>)| {
            let creates = self.chunks(&creates).into_iter().map(Call::Create);
            let updates = self.chunks(&updates).into_iter().map(Call::Update);
            creates.chain(updates).collect()
        };
        rounds.into_iter().map(calls).collect()
    }

    /// As many as one call takes, by number and by size.
    fn chunks(&self, places: &[usize]) -> Vec<Vec<usize>> {
        let (mut chunks, mut bytes): (Vec<Vec<usize>>, usize) = (Vec::new(), 0);
        for place in places {
            let size = self
                .batch
                .records
                .record(*place)
                .row_text()
                .map_or(0, str::len);
            match chunks.last_mut() {
                Some(chunk) if chunk.len() < BATCH_MAX && bytes + size <= CALL_MAX_BYTES => {
                    chunk.push(*place)
                }
                _ => {
                    chunks.push(vec![*place]);
                    bytes = 0;
                }
            }
            bytes += size;
        }
        chunks
    }

    /// Makes those records. A contact whose address HubSpot does not take is made without it.
    async fn create(
        &self,
        keys: &[String],
        places: Vec<usize>,
    ) -> Result<Settled, DestinationError> {
        let (places, untied): (Vec<_>, Vec<_>) =
            places.into_iter().partition(|place| self.is_tied(*place));
        let mut made = self.make(keys, places, None).await?;
        made.outcomes
            .extend(untied.into_iter().map(|place| (place, self.untied(place))));
        if made.addresses.is_empty() {
            return Ok(made.outcomes);
        }
        let mut why: HashMap<usize, String> =
            std::mem::take(&mut made.addresses).into_iter().collect();
        let again = self
            .make(keys, why.keys().copied().collect(), Some(ADDRESS))
            .await?;
        let still = again.addresses.into_iter().map(|(place, why)| {
            let message = format!("destination refused {}: {why}", self.name(place));
            (place, WriteOutcome::Refused(message))
        });
        made.outcomes.extend(still);
        made.outcomes
            .extend(again.outcomes.into_iter().map(|(place, mut outcome)| {
                if let (WriteOutcome::Written { notes, .. }, Some(why)) =
                    (&mut outcome, why.remove(&place))
                {
                    notes.push(format!("left without its {ADDRESS}: {why}"));
                }
                (place, outcome)
            }));
        Ok(made.outcomes)
    }

    async fn make(
        &self,
        keys: &[String],
        places: Vec<usize>,
        left_out: Option<&'static str>,
    ) -> Result<Made, DestinationError> {
        let (mut open, mut made) = (vec![places], Made::default());
        let mut lost = LostWrites::default();
        // Nothing is asked for nothing.
        open.retain(|places| !places.is_empty());
        while let Some(places) = open.pop() {
            let (path, body, mut notes) = self.create_call(keys, &places, left_out);
            let failed = match self.api.post(&path, body, Repeat::Never).await {
                Ok(body) => {
                    let rest = self
                        .settle(keys, &places, &body, &mut notes, &mut made)
                        .await?;
                    open.extend(halves(rest));
                    continue;
                }
                Err(failed) => failed,
            };
            match failed {
                Failed::Lost(cause) => {
                    lost.wait(cause).await?;
                    let rest = self.look_up(keys, places, &mut made).await?;
                    open.extend((!rest.is_empty()).then_some(rest));
                }
                Failed::Refused {
                    status: 404 | 405, ..
                } if self.upserts() => {
                    // This object has no upsert. Making it with the unique property is as safe: a second one is refused.
                    self.without_upsert.store(true, Ordering::Relaxed);
                    open.push(places);
                }
                Failed::Refused {
                    status: 400 | 409 | 413 | 422,
                    refusal,
                } => match places[..] {
                    [place] => self.refuse(keys, place, &refusal, &mut made).await?,
                    _ => open.extend(halves(places)),
                },
                failed => return Err(failed.stop(&format!("writing {}", self.kind.path))),
            }
        }
        Ok(made)
    }

    /// Nobody asks for what is known to be refused.
    fn is_tied(&self, place: usize) -> bool {
        let ties = self.batch.ties.get(place).map_or(&[][..], Vec::as_slice);
        has_first_tie(self.kind, ties)
    }

    fn untied(&self, place: usize) -> WriteOutcome {
        let first = self.kind.ties.first().map_or("", |(first, _)| first.name());
        WriteOutcome::Refused(format!(
            "{} is not written: HubSpot takes no {} without a {first}, and it has none that is there",
            self.name(place),
            self.kind.standard,
        ))
    }

    /// Ties can only be made by a plain creation.
    fn upserts(&self) -> bool {
        self.kind.ties.is_empty() && !self.without_upsert.load(Ordering::Relaxed)
    }

    fn create_call(
        &self,
        keys: &[String],
        places: &[usize],
        left_out: Option<&'static str>,
    ) -> (String, Vec<u8>, HashMap<usize, Vec<String>>) {
        let mut inputs = Inputs::new(self.kind, self.batch.records.object());
        inputs.leave_out(left_out);
        let (upserts, first, mut notes) =
            (self.upserts(), self.first_stage.as_ref(), HashMap::new());
        for place in places {
            let (record, key) = (self.batch.records.record(*place), keys[*place].as_str());
            let told = if upserts {
                inputs.upsert(record, *place, key, first)
            } else {
                let ties = self.batch.ties.get(*place).map_or(&[][..], Vec::as_slice);
                inputs.create(record, *place, key, first, ties)
            };
            if !told.is_empty() {
                notes.insert(*place, told);
            }
        }
        let rest = if upserts {
            "/batch/upsert"
        } else {
            "/batch/create"
        };
        (
            self.api.version.objects(self.kind.path, rest),
            inputs.finish(),
            notes,
        )
    }

    /// Takes what an answer says of each record. Gives back those of which it says nothing and that are not there either.
    async fn settle(
        &self,
        keys: &[String],
        places: &[usize],
        body: &[u8],
        notes: &mut HashMap<usize, Vec<String>>,
        made: &mut Made,
    ) -> Result<Vec<usize>, DestinationError> {
        let answer: Records<'_> = match serde_json::from_slice(body) {
            Ok(answer) => answer,
            // It was done, and what became of it can be asked.
            Err(_) => return self.look_up(keys, places.to_vec(), made).await,
        };
        let mut open: HashSet<usize> = places.iter().copied().collect();
        self.take_results(keys, places, &answer, (notes, &mut open), made);
        for refusal in &answer.errors {
            for trace in refusal.context(TRACE) {
                if let Some(place) = trace.parse().ok().filter(|place| open.remove(place)) {
                    self.refuse(keys, place, refusal, made).await?;
                }
            }
        }
        let first = answer.errors.first();
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let rest = places
            .iter()
            .copied()
            .filter(|place| open.contains(place))
            .collect();
        let rest = self.look_up(keys, rest, made).await?;
        match (&rest[..], first) {
            ([place], Some(refusal)) if places.len() == 1 => {
                self.refuse(keys, *place, refusal, made).await?;
                Ok(Vec::new())
            }
            ([place], None) if places.len() == 1 => Err(DestinationError::Ambiguous(format!(
                "HubSpot said nothing of {}, and it is not there",
                self.name(*place)
            ))),
            _ => Ok(rest),
        }
    }

    /// What was written, each record told by its trace id, else by its key.
    fn take_results(
        &self,
        keys: &[String],
        places: &[usize],
        answer: &Records<'_>,
        (notes, open): (&mut HashMap<usize, Vec<String>>, &mut HashSet<usize>),
        made: &mut Made,
    ) {
        let by_key: HashMap<&str, usize> = places
            .iter()
            .map(|place| (keys[*place].as_str(), *place))
            .collect();
        for record in &answer.results {
            let trace = record.object_write_trace_id.as_ref();
            let traced = trace.and_then(|trace| trace.parse().ok());
            let key = || record.properties.find(SOURCE_KEY_PROPERTY);
            let place = traced.or_else(|| by_key.get(key()?).copied());
            if let Some(place) = place.filter(|place| open.remove(place)) {
                // It was there before, and an upsert does not say as what.
                let before = (record.new == Some(false)).then(|| empty_row(&record.id));
                let written = WriteOutcome::Written {
                    id: record.id.as_ref().into(),
                    before,
                    notes: notes.remove(&place).unwrap_or_default(),
                };
                made.outcomes.push((place, written));
            }
        }
    }

    /// Takes what is there already; gives back what is not.
    async fn look_up(
        &self,
        keys: &[String],
        places: Vec<usize>,
        made: &mut Made,
    ) -> Result<Vec<usize>, DestinationError> {
        let asked: Vec<&str> = places.iter().map(|place| keys[*place].as_str()).collect();
        let found = find_keys(self.api, self.kind, &asked).await?;
        let (there, rest): (Vec<_>, Vec<_>) = places
            .into_iter()
            .partition(|place| found.contains_key(keys[*place].as_str()));
        made.outcomes.extend(there.into_iter().map(|place| {
            let id = found[keys[place].as_str()].as_str().into();
            (
                place,
                WriteOutcome::Written {
                    id,
                    before: None,
                    notes: Vec::new(),
                },
            )
        }));
        Ok(rest)
    }

    /// A refusal for good; unless the record that is in the way is this one itself, written by an attempt whose answer was lost.
    async fn refuse(
        &self,
        keys: &[String],
        place: usize,
        refusal: &Refusal,
        made: &mut Made,
    ) -> Result<(), DestinationError> {
        if self.kind.standard == StandardObject::Contact && refusal.is_about_address() {
            made.addresses.push((place, refusal.explain()));
            return Ok(());
        }
        if refusal.is_conflict() && self.look_up(keys, vec![place], made).await?.is_empty() {
            return Ok(());
        }
        let message = format!(
            "destination refused {}: {}",
            self.name(place),
            refusal.explain()
        );
        made.outcomes.push((place, WriteOutcome::Refused(message)));
        Ok(())
    }

    fn name(&self, place: usize) -> String {
        format!(
            "{} {}",
            self.kind.standard,
            self.batch.records.record(place).id()
        )
    }
}

/// A row without properties: how a record was that is not known.
fn empty_row(id: &str) -> String {
    let mut row = RowWriter::new();
    row.begin(id, None);
    row.end();
    row.as_str().trim_end_matches('\n').to_owned()
}

/// Whether a new record has the tie without which HubSpot does not take it.
fn has_first_tie(kind: &Kind, ties: &[(ObjectName, DestinationRecordId)]) -> bool {
    let first = kind.ties.first();
    first.is_none_or(|(first, _)| {
        ties.iter()
            .any(|(object, _)| object.as_str() == first.name())
    })
}

/// Two halves of what is to be tried again; nothing of nothing.
fn halves(mut places: Vec<usize>) -> impl Iterator<Item = Vec<usize>> {
    let right = places.split_off(places.len() / 2);
    [places, right].into_iter().filter(|half| !half.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_needs_its_contact_and_nothing_else_needs_anything() {
        let kind = |name: &str| Kind::find(&name.into()).unwrap();
        let tie = |name: &str| (ObjectName::from(name), DestinationRecordId::from("1"));
        let (company, contact) = (tie("company"), tie("contact"));
        assert!(!has_first_tie(kind("lead"), &[]));
        assert!(!has_first_tie(kind("lead"), std::slice::from_ref(&company)));
        assert!(has_first_tie(kind("lead"), &[company, contact]));
        assert!(has_first_tie(kind("deal"), &[]));
    }

    #[test]
    fn halves_hold_everything_once() {
        let all = |places: Vec<usize>| halves(places).collect::<Vec<_>>();
        assert_eq!(all(vec![]), Vec::<Vec<usize>>::new());
        assert_eq!(all(vec![7]), [[7]]);
        assert_eq!(all(vec![1, 2, 3]), [vec![1], vec![2, 3]]);
    }
}
