//! Archiving records: to the recycle bin, where a person finds them for 90 days. Their associations end with it.
//!
//! Whether a record may be archived is not asked here. HubSpot answers a batch with nothing, so who wants to know what was there before
//! reads it before.

use model::destination::Archived;
use model::{DestinationError, DestinationRecordId};
use serde_json::json;

use crate::answer::Records;
use crate::api::{Api, Failed, LostWrites, Repeat, at_once};
use crate::objects::Kind;
use crate::read::{AT_ONCE, BATCH_MAX};

/// Archives records, a hundred a call; one answer for each, in order.
pub(crate) async fn archive_records(
    api: &Api,
    kind: &Kind,
    ids: &[DestinationRecordId],
) -> Result<Vec<Archived>, DestinationError> {
    let places: Vec<usize> = (0..ids.len()).collect();
    let calls = places
        .chunks(BATCH_MAX)
        .map(|places| archive(api, kind, ids, places.to_vec()));
    let settled: Vec<Vec<(usize, Archived)>> = at_once(calls, AT_ONCE).await?;
    let mut answers = vec![Archived::Done; ids.len()];
    settled
        .into_iter()
        .flatten()
        .for_each(|(place, answer)| answers[place] = answer);
    Ok(answers)
}

/// Archives those. What is refused is asked for in halves until the one that is at fault stands alone; archiving twice is archiving once,
/// so nothing has to be looked up.
async fn archive(
    api: &Api,
    kind: &Kind,
    ids: &[DestinationRecordId],
    places: Vec<usize>,
) -> Result<Vec<(usize, Archived)>, DestinationError> {
    let path = api.version.objects(kind.path, "/batch/archive");
    let (mut open, mut settled, mut lost) = (vec![places], Vec::new(), LostWrites::default());
    while let Some(places) = open.pop() {
        let inputs = places
            .iter()
            .map(|place| json!({"id": ids[*place].as_str()}));
        let body = json!({"inputs": inputs.collect::<Vec<_>>()}).to_string();
        let refusal = match api.post(&path, body.into_bytes(), Repeat::Safe).await {
            Ok(body) => match find_fault(&body)? {
                None => {
                    settled.extend(places.into_iter().map(|place| (place, Archived::Done)));
                    continue;
                }
                Some(refusal) => refusal,
            },
            Err(Failed::Lost(cause)) => {
                lost.wait(cause).await?;
                open.push(places);
                continue;
            }
            Err(Failed::Refused {
                status: 400 | 404 | 409 | 422,
                refusal,
            }) => *refusal,
            Err(failed) => return Err(failed.stop(&format!("archiving {}", kind.path))),
        };
        if let [place] = places[..] {
            let answer = if refusal.category == "OBJECT_NOT_FOUND" {
                Archived::Gone
            } else {
                let (object, id) = (kind.standard, &ids[place]);
                let why = refusal.explain();
                Archived::Refused(format!(
                    "destination refused to archive {object} {id}: {why}"
                ))
            };
            settled.push((place, answer));
        } else {
            let (left, right) = places.split_at(places.len() / 2);
            open.extend([left.to_vec(), right.to_vec()]);
        }
    }
    Ok(settled)
}

/// The first error within an answer; HubSpot says nothing at all where everything went well.
fn find_fault(body: &[u8]) -> Result<Option<crate::explain::Refusal>, DestinationError> {
    if body.is_empty() {
        return Ok(None);
    }
    let answer: Records<'_> = crate::api::read(body, "archiving records")?;
    Ok(answer.errors.into_iter().next())
}
