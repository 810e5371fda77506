//! Associations: which type a link has in a portal, and making many of them without touching what is there.
//!
//! The types come from the portal itself, never from a table: taking 1 for 279 would make a company primary without a word.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::DestinationError;
use model::destination::{Link, LinkRefused};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{List, Paging};
use crate::api::{Api, Failed, Repeat, at_once, read};
use crate::objects::Kind;
use crate::read::AT_ONCE;

/// The most links of one call, and the most records whose links one call reads.
pub(crate) const CREATE_MAX: usize = 2_000;
pub(crate) const READ_MAX: usize = 1_000;

/// One type of association as a portal has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkType {
    pub(crate) category: String,
    #[serde(alias = "typeId")]
    pub(crate) type_id: u32,
    #[serde(default)]
    pub(crate) label: Option<String>,
}

impl LinkType {
    /// Whether both name one type; what it is called may differ.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.type_id == other.type_id && self.category == other.category
    }
}

/// The types of associations from one object to another.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkTypes {
    /// The plain one.
    pub(crate) plain: Option<LinkType>,
    /// By label.
    pub(crate) labels: BTreeMap<String, LinkType>,
}

impl LinkTypes {
    pub(crate) fn find(&self, label: Option<&str>) -> Option<&LinkType> {
        label.map_or(self.plain.as_ref(), |label| self.labels.get(label))
    }
}

/// Asks a portal for the types; the inner error says why it has none.
pub(crate) async fn fetch_types(
    api: &Api,
    from: &Kind,
    to: &Kind,
) -> Result<Result<LinkTypes, String>, DestinationError> {
    let doing = format!(
        "reading the association types of {} and {}",
        from.path, to.path
    );
    let path = api.version.associations(from.path, to.path, "/labels");
    let body = match api.get(&path, Vec::new()).await {
        Ok(body) => body,
        Err(Failed::Refused {
            status: 400 | 404,
            refusal,
        }) => return Ok(Err(refusal.explain())),
        Err(failed) => return Err(failed.stop(&doing)),
    };
    let list: List<LinkType> = read(&body, &doing)?;
    let mut types = LinkTypes::default();
    for link_type in list.results {
        match &link_type.label {
            Some(label) => drop(types.labels.insert(label.clone(), link_type)),
            None if link_type.category == "HUBSPOT_DEFINED" => types.plain = Some(link_type),
            None => {}
        }
    }
    Ok(Ok(types))
}

/// What became of a link: whether it is new, or why it is refused.
pub(crate) type Answer = Result<bool, LinkRefused>;

/// What links of one pair of objects and one label are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Make what is not there; `true` where it is new.
    Make,
    /// Only say what is there.
    Find,
}

/// Makes or finds links of one pair of objects and one label, in any order; one answer for each, in order.
pub(crate) async fn ask_links(
    api: &Api,
    (from, to): (&Kind, &Kind),
    types: &Result<LinkTypes, String>,
    links: &[&Link],
    ask: Ask,
) -> Result<Vec<Answer>, DestinationError> {
    let refuse_all = |why: String| Ok(vec![Err(LinkRefused(why)); links.len()]);
    let label = links.first().and_then(|link| link.label.as_deref());
    let link_type = match types {
        Ok(types) => types.find(label),
        Err(why) => return refuse_all(why.clone()),
    };
    let Some(link_type) = link_type else {
        let what = label.map_or_else(
            || "association".to_owned(),
            |label| format!("association label {label:?}"),
        );
        return refuse_all(format!(
            "HubSpot has no {what} between {} and {}",
            from.path, to.path
        ));
    };
    let pair = Pair {
        api,
        from,
        to,
        link_type,
    };
    let present = pair.present(links).await?;
    let is_present = |link: &Link| present.contains(&(link.from.as_str(), link.to.as_str()));
    // Both ends may be one record where two of the source were: HubSpot would refuse it each time it is asked.
    let is_own = |link: &Link| from.path == to.path && link.from == link.to;
    let answer = |link: &&Link| match ask {
        _ if is_own(link) => Err(LinkRefused(format!(
            "{} {} would be associated with itself",
            from.standard, link.from
        ))),
        Ask::Make => Ok(false),
        Ask::Find => Ok(is_present(link)),
    };
    let mut answers: Vec<Answer> = links.iter().map(answer).collect();
    if ask == Ask::Find {
        return Ok(answers);
    }
    // The same link twice is made once.
    let mut seen = HashSet::new();
    let open: Vec<usize> = (0..links.len())
        .filter(|place| !is_own(links[*place]) && !is_present(links[*place]))
        .filter(|place| seen.insert((links[*place].from.as_str(), links[*place].to.as_str())))
        .collect();
    let made: Vec<Vec<(usize, Answer)>> = at_once(
        open.chunks(CREATE_MAX)
            .map(|places| pair.create(links, places.to_vec())),
        AT_ONCE,
    )
    .await?;
    made.into_iter()
        .flatten()
        .for_each(|(place, answer)| answers[place] = answer);
    Ok(answers)
}

struct Pair<'p> {
    api: &'p Api,
    from: &'p Kind,
    to: &'p Kind,
    link_type: &'p LinkType,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Links {
    from: EndId,
    #[serde(default)]
    to: Vec<OtherEnd>,
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Debug, Deserialize)]
struct EndId {
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OtherEnd {
    to_object_id: Value,
    #[serde(default)]
    association_types: Vec<LinkType>,
}

/// An answer to a batch whose results are not looked at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Batch {
    num_errors: u64,
    errors: Vec<Value>,
}

impl Pair<'_> {
    /// Which of those links are there, of just this type.
    async fn present<'l>(
        &self,
        links: &[&'l Link],
    ) -> Result<HashSet<(&'l str, &'l str)>, DestinationError> {
        let mut wanted: HashMap<&str, HashMap<&'l str, &'l str>> = HashMap::new();
        for link in links {
            wanted
                .entry(link.from.as_str())
                .or_default()
                .insert(link.to.as_str(), link.from.as_str());
        }
        let froms: Vec<&str> = wanted.keys().copied().collect();
        let read: Vec<Vec<(String, String)>> =
            at_once(froms.chunks(READ_MAX).map(|ids| self.read(ids)), AT_ONCE).await?;
        let found = read.iter().flatten().filter_map(|(from, to)| {
            let (to, from) = wanted.get(from.as_str())?.get_key_value(to.as_str())?;
            Some((*from, *to))
        });
        Ok(found.collect())
    }

    /// All links of this type that those records have.
    async fn read(&self, ids: &[&str]) -> Result<Vec<(String, String)>, DestinationError> {
        let tied = read_pairs(self.api, self.from.path, self.to.path, ids).await?;
        let is_it = |tied: &Tied| tied.types.iter().any(|other| other.is(self.link_type));
        let found = tied.into_iter().filter(is_it);
        Ok(found.map(|tied| (tied.from, tied.to)).collect())
    }

    /// Makes those links. What is refused is asked for in halves until the one that is at fault stands alone; making a link twice is
    /// making it once, so nothing has to be looked up.
    async fn create(
        &self,
        links: &[&Link],
        places: Vec<usize>,
    ) -> Result<Vec<(usize, Answer)>, DestinationError> {
        let path = self
            .api
            .version
            .associations(self.from.path, self.to.path, "/batch/create");
        let (mut open, mut done) = (vec![places], Vec::new());
        while let Some(places) = open.pop() {
            let (category, type_id) = (&self.link_type.category, self.link_type.type_id);
            let inputs = places.iter().map(|place| {
                json!({
                    "from": {"id": links[*place].from.as_str()},
                    "to": {"id": links[*place].to.as_str()},
                    "types": [{"associationCategory": category, "associationTypeId": type_id}],
                })
            });
            let body = json!({"inputs": inputs.collect::<Vec<_>>()})
                .to_string()
                .into_bytes();
            let why = match self.api.post(&path, body, Repeat::Safe).await {
                Ok(body) => {
                    let answer: Batch = read(&body, "making associations")?;
                    if answer.num_errors == 0 && answer.errors.is_empty() {
                        done.extend(places.into_iter().map(|place| (place, Ok(true))));
                        continue;
                    }
                    let first = answer
                        .errors
                        .first()
                        .and_then(|error| serde_json::from_value(error.clone()).ok());
                    let refusal: crate::explain::Refusal = first.unwrap_or_default();
                    refusal.explain()
                }
                Err(Failed::Refused {
                    status: 400 | 404 | 409 | 422,
                    refusal,
                }) => refusal.explain(),
                Err(failed) => {
                    return Err(failed.stop(&format!(
                        "making associations of {} with {}",
                        self.from.path, self.to.path
                    )));
                }
            };
            if let [place] = places[..] {
                done.push((place, Err(LinkRefused(why))));
            } else {
                let (left, right) = places.split_at(places.len() / 2);
                open.extend([left.to_vec(), right.to_vec()]);
            }
        }
        Ok(done)
    }
}

/// Two records that are associated, and the types that they are associated under.
#[derive(Debug)]
pub(crate) struct Tied {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) types: Vec<LinkType>,
}

/// Everything of one object that records of another are associated with, page after page; a thousand records at most.
pub(crate) async fn read_pairs(
    api: &Api,
    from: &str,
    to: &str,
    ids: &[&str],
) -> Result<Vec<Tied>, DestinationError> {
    let doing = format!("reading the associations of {from} with {to}");
    let path = api.version.associations(from, to, "/batch/read");
    let mut inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let mut found = Vec::new();
    while !inputs.is_empty() {
        let body = json!({"inputs": inputs}).to_string().into_bytes();
        let body = match api.post(&path, body, Repeat::Safe).await {
            Ok(body) => body,
            // None of them has any.
            Err(Failed::Refused { status: 404, .. }) => return Ok(found),
            Err(failed) => return Err(failed.stop(&doing)),
        };
        let list: List<Links> = read(&body, &doing)?;
        inputs.clear();
        for links in list.results {
            found.extend(links.to.into_iter().map(|end| Tied {
                from: links.from.id.clone(),
                to: id_text(&end.to_object_id),
                types: end.association_types,
            }));
            if let Some(next) = links.paging.and_then(|paging| paging.next) {
                inputs.push(json!({"id": links.from.id, "after": next.after}));
            }
        }
    }
    Ok(found)
}

/// HubSpot tells ids of other ends as numbers.
fn id_text(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
