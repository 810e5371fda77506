//! Associations read whole, and taken away without touching what else connects two records.
//!
//! A pair's plain association carries its labels: HubSpot takes them all away with it (associations guide, 2026). So it is taken away only
//! where nothing else is on it.

use std::collections::HashMap;

use model::destination::{Link, LinkRefused};
use model::{DestinationError, DestinationRecordId};
use serde_json::{Value, json};

use crate::api::{Api, Failed, LostWrites, Repeat, at_once};
use crate::link::{Answer, CREATE_MAX, LinkType, LinkTypes, READ_MAX, Tied, read_pairs};
use crate::objects::Kind;
use crate::read::AT_ONCE;

/// Objects that are not written and whose records people associate with those that are, by their names in paths.
const OTHERS: [(&str, &str); 4] = [
    ("ticket", "tickets"),
    ("communication", "communications"),
    ("quote", "quotes"),
    ("order", "orders"),
];

/// Takes links of one pair of objects and one label away, in any order; one answer for each, in order.
pub(crate) async fn remove_links(
    api: &Api,
    (from, to): (&Kind, &Kind),
    types: &Result<LinkTypes, String>,
    links: &[&Link],
) -> Result<Vec<Answer>, DestinationError> {
    let label = links.first().and_then(|link| link.label.as_deref());
    let link_type = types.as_ref().ok().and_then(|types| types.find(label));
    let Some(link_type) = link_type else {
        // A type that the portal does not have any more took its associations with it.
        return Ok(vec![Ok(false); links.len()]);
    };
    let mut froms: Vec<&str> = links.iter().map(|link| link.from.as_str()).collect();
    froms.sort_unstable();
    froms.dedup();
    let read = froms
        .chunks(READ_MAX)
        .map(|ids| read_pairs(api, from.path, to.path, ids));
    let tied: Vec<Vec<Tied>> = at_once(read, AT_ONCE).await?;
    let tied: HashMap<(&str, &str), &[LinkType]> = tied
        .iter()
        .flatten()
        .map(|tied| ((tied.from.as_str(), tied.to.as_str()), &tied.types[..]))
        .collect();
    let (mut answers, mut open): (Vec<Answer>, Vec<usize>) = (Vec::new(), Vec::new());
    for (place, link) in links.iter().enumerate() {
        let present = tied.get(&(link.from.as_str(), link.to.as_str()));
        let present = present.copied().unwrap_or_default();
        let is_there = present.iter().any(|other| other.is(link_type));
        let other = present.iter().find(|other| !other.is(link_type));
        answers.push(match other.filter(|_| is_there && label.is_none()) {
            Some(other) => Err(LinkRefused(built_on(link, other))),
            None => Ok(is_there),
        });
        if answers[place] == Ok(true) {
            open.push(place);
        }
    }
    let pair = Pair {
        api,
        from,
        to,
        label: label.map(|_| link_type),
    };
    let calls = open
        .chunks(CREATE_MAX)
        .map(|places| pair.remove(links, places.to_vec()));
    let refused: Vec<Vec<(usize, LinkRefused)>> = at_once(calls, AT_ONCE).await?;
    refused
        .into_iter()
        .flatten()
        .for_each(|(place, why)| answers[place] = Err(why));
    Ok(answers)
}

fn built_on(link: &Link, other: &LinkType) -> String {
    let named = other.label.as_deref().unwrap_or("another association");
    format!(
        "edited since: {} {} and {} {} are associated as {named:?} too, which would go with the plain association",
        link.from_object, link.from, link.to_object, link.to
    )
}

struct Pair<'p> {
    api: &'p Api,
    from: &'p Kind,
    to: &'p Kind,
    /// The label's type; `None` for the plain association.
    label: Option<&'p LinkType>,
}

impl Pair<'_> {
    /// Takes those away; gives back those that stay. What is refused is asked for in halves.
    async fn remove(
        &self,
        links: &[&Link],
        places: Vec<usize>,
    ) -> Result<Vec<(usize, LinkRefused)>, DestinationError> {
        let rest = self
            .label
            .map_or("/batch/archive", |_| "/batch/labels/archive");
        let path = self
            .api
            .version
            .associations(self.from.path, self.to.path, rest);
        let (mut open, mut refused, mut lost) = (vec![places], Vec::new(), LostWrites::default());
        while let Some(places) = open.pop() {
            let body = self.body(links, &places);
            match self.api.post(&path, body, Repeat::Safe).await {
                Ok(_) => {}
                Err(Failed::Lost(cause)) => {
                    lost.wait(cause).await?;
                    open.push(places);
                }
                Err(Failed::Refused {
                    status: 400 | 404 | 409 | 422,
                    refusal,
                }) => match places[..] {
                    [place] => refused.push((place, LinkRefused(refusal.explain()))),
                    _ => {
                        let (left, right) = places.split_at(places.len() / 2);
                        open.extend([left.to_vec(), right.to_vec()]);
                    }
                },
                Err(failed) => {
                    return Err(failed.stop(&format!(
                        "taking away associations of {} with {}",
                        self.from.path, self.to.path
                    )));
                }
            }
        }
        Ok(refused)
    }

    fn body(&self, links: &[&Link], places: &[usize]) -> Vec<u8> {
        let inputs = places.iter().map(|place| {
            let (from, to) = (links[*place].from.as_str(), links[*place].to.as_str());
            match self.label {
                None => json!({"from": {"id": from}, "to": [{"id": to}]}),
                Some(label) => json!({
                    "from": {"id": from},
                    "to": {"id": to},
                    "types": [{"associationCategory": label.category, "associationTypeId": label.type_id}],
                }),
            }
        });
        let inputs: Vec<Value> = inputs.collect();
        json!({"inputs": inputs}).to_string().into_bytes()
    }
}

/// Everything that those records are associated with, of those objects and of those that are never written. Of the latter an object that
/// the credential may not read is passed over.
pub(crate) async fn read_links(
    api: &Api,
    kind: &Kind,
    others: &[&Kind],
    ids: &[DestinationRecordId],
) -> Result<Vec<Link>, DestinationError> {
    let ids: Vec<&str> = ids.iter().map(DestinationRecordId::as_str).collect();
    let own = others
        .iter()
        .map(|other| (other.standard.name(), other.path, true));
    let foreign = OTHERS.iter().map(|(name, path)| (*name, *path, false));
    let mut links = Vec::new();
    for (name, path, is_own) in own.chain(foreign) {
        let read = ids
            .chunks(READ_MAX)
            .map(|ids| read_pairs(api, kind.path, path, ids));
        let tied: Vec<Vec<Tied>> = match at_once(read, AT_ONCE).await {
            Err(DestinationError::Auth(_) | DestinationError::Unusable(_)) if !is_own => {
                tracing::debug!(
                    from = kind.path,
                    to = path,
                    "associations that cannot be read"
                );
                continue;
            }
            answer => answer?,
        };
        links.extend(tied.into_iter().flatten().map(|tied| Link {
            from_object: kind.name(),
            from: tied.from.as_str().into(),
            to_object: name.into(),
            to: tied.to.as_str().into(),
            label: None,
        }));
    }
    Ok(links)
}
