//! Decides which records a page holds and how the next one is asked for, in both generations.
//!
//! It knows places, not records: what stands at a place, and whether it is shown, it is told.

use super::account::Account;
use super::call::{Call, Refusal};
use super::json::Json;
use super::options::{EmptyV1, EnvelopeV1};
use crate::truth::Kind;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// An order that records are listed in.
pub(super) struct Order<'a> {
    pub(super) field: &'static str,
    pub(super) places: u64,
    pub(super) at: Box<dyn Fn(u64) -> Option<u64> + 'a>,
}

/// What a cursor says; opaque to callers.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    field: String,
    #[serde(rename = "sortDirection")]
    direction: String,
    /// Where the next page starts.
    place: u64,
    /// Where the page before started.
    before: u64,
    /// The page before was served once more already.
    again: bool,
}

impl Cursor {
    fn encode(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("a cursor is plain data"))
    }

    fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

pub(super) const SORTABLE: &[&str] = &["id", "update_time", "add_time"];

/// The order that `ids`, or else `sort_by`, asks for.
pub(super) fn order<'a>(
    account: &'a Account,
    call: &Call,
    kind: Kind,
) -> Result<Order<'a>, Refusal> {
    if let Some(order) = by_ids(call)? {
        return Ok(order);
    }
    let live = &account.live;
    let places = live.base().count(kind);
    Ok(match call.word("sort_by", SORTABLE)? {
        Some("update_time") => Order {
            field: "update_time",
            places: live.update_places(kind),
            at: Box::new(move |place| live.at_update_place(kind, place)),
        },
        Some("add_time") => Order {
            field: "add_time",
            places,
            at: Box::new(move |place| Some(live.base().by_add(kind, place))),
        },
        _ => Order {
            field: "id",
            places,
            at: Box::new(|place| Some(place + 1)),
        },
    })
}

/// The order of the `ids` asked for, if any.
pub(super) fn by_ids<'a>(call: &Call) -> Result<Option<Order<'a>>, Refusal> {
    let mut ids = call.numbers("ids")?;
    if ids.is_empty() {
        return Ok(None);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(Some(Order {
        field: "id",
        places: ids.len() as u64,
        at: Box::new(move |place| ids.get(place as usize).copied()),
    }))
}

/// Numbers in the order they are given.
pub(super) fn fixed<'a>(field: &'static str, ids: Vec<u64>) -> Order<'a> {
    Order {
        field,
        places: ids.len() as u64,
        at: Box::new(move |place| ids.get(place as usize).copied()),
    }
}

fn limit(call: &Call, most: u64) -> Result<u64, Refusal> {
    match call.number("limit")? {
        Some(limit) if limit == 0 || limit > most => Err(Refusal::bad_request(&format!(
            "limit must be an integer between 1 and {most}"
        ))),
        limit => Ok(limit.unwrap_or(100.min(most))),
    }
}

/// A page of the second generation: `make` fetches a record if it is shown, `write` tells it.
pub(super) fn page_v2<T>(
    call: &Call,
    order: &Order<'_>,
    make: impl Fn(u64) -> Option<T>,
    mut write: impl FnMut(&mut Json, &T),
) -> Result<Vec<u8>, Refusal> {
    let limit = limit(call, 500)?;
    let descending = call.word("sort_direction", &["asc", "desc"])? == Some("desc");
    let direction = if descending { "desc" } else { "asc" };
    let cursor = call.get("cursor").map(|text| {
        let cursor = Cursor::decode(text)
            .filter(|cursor| cursor.field == order.field && cursor.direction == direction);
        cursor.ok_or_else(|| Refusal::bad_request("cursor is invalid"))
    });
    let cursor = cursor.transpose()?;
    let repeated = cursor
        .as_ref()
        .filter(|cursor| call.repeat && !cursor.again);
    let start = cursor.as_ref().map_or(0, |cursor| cursor.place);
    let (start, end) = repeated.map_or((start, order.places), |cursor| {
        (cursor.before, cursor.place)
    });
    let record = |place: u64| {
        (order.at)(if descending {
            order.places - 1 - place
        } else {
            place
        })
        .and_then(&make)
    };
    let mut out = Json::with_capacity(limit as usize * 1600 + 200);
    let mut place = start;
    out.object(|out| {
        out.key("success").bool(true);
        out.key("data").array(|out| {
            let mut told = 0;
            while place < end && told < limit {
                if let Some(record) = record(place) {
                    write(out, &record);
                    told += 1;
                }
                place += 1;
            }
        });
        while repeated.is_none() && place < end && record(place).is_none() {
            place += 1;
        }
        let next = match repeated {
            Some(cursor) => Some(Cursor {
                again: true,
                field: cursor.field.clone(),
                direction: direction.to_owned(),
                ..*cursor
            }),
            None if place >= end => None,
            None => Some(Cursor {
                field: order.field.to_owned(),
                direction: direction.to_owned(),
                place,
                before: start,
                again: false,
            }),
        };
        out.key("additional_data").object(|out| {
            out.key("next_cursor")
                .or_null(next, |out, cursor| out.text(&cursor.encode()));
        });
    });
    Ok(out.into_bytes())
}

/// One record of the second generation, or of the first where it is told alike.
pub(super) fn one<T>(
    record: Option<T>,
    missing: &str,
    write: impl FnOnce(&mut Json, &T),
) -> Result<Vec<u8>, Refusal> {
    let record = record.ok_or_else(|| Refusal::not_found(missing))?;
    let mut out = Json::default();
    out.object(|out| {
        out.key("success").bool(true);
        write(out.key("data"), &record);
    });
    Ok(out.into_bytes())
}

/// A list that is not paged.
pub(super) fn whole<T>(records: &[T], write: impl Fn(&mut Json, &T)) -> Vec<u8> {
    let mut out = Json::default();
    out.object(|out| {
        out.key("success").bool(true);
        out.key("data")
            .array(|out| records.iter().for_each(|record| write(out, record)));
    });
    out.into_bytes()
}

/// How a list of the first generation is paged.
pub(super) struct PagingV1 {
    pub(super) most: u64,
    pub(super) envelope: EnvelopeV1,
    /// At every place stands a record that is shown, so that the start can be found at once.
    pub(super) dense: bool,
}

/// A page of the first generation, by `start` and `limit`.
pub(super) fn page_v1<T>(
    account: &Account,
    call: &Call,
    paging: &PagingV1,
    order: &Order<'_>,
    make: impl Fn(u64) -> Option<T>,
    write: impl Fn(&mut Json, &T),
) -> Result<Vec<u8>, Refusal> {
    let limit = limit(call, paging.most)?;
    let asked = call.number("start")?.unwrap_or(0);
    let start = if call.repeat {
        asked.saturating_sub(limit)
    } else {
        asked
    };
    let record = |place: u64| (order.at)(place).and_then(&make);
    let mut place = if paging.dense {
        start.min(order.places)
    } else {
        0
    };
    let mut skip = if paging.dense { 0 } else { start };
    let mut told = 0;
    let mut data = Json::with_capacity(limit as usize * 600);
    data.array(|out| {
        while place < order.places && told < limit {
            if let Some(record) = record(place) {
                if skip > 0 {
                    skip -= 1;
                } else {
                    write(out, &record);
                    told += 1;
                }
            }
            place += 1;
        }
    });
    let more = (place..order.places).any(|place| record(place).is_some());
    let data = String::from_utf8(data.into_bytes()).expect("json is utf-8");
    let facts = |out: &mut Json| {
        out.key("start").number(asked);
        out.key("limit").number(limit);
        out.key("more_items_in_collection").bool(more);
        if more {
            out.key("next_start").number(if call.repeat && asked > 0 {
                asked
            } else {
                start + told
            });
        }
    };
    let mut out = Json::with_capacity(data.len() + 200);
    out.object(|out| {
        let empty = account.options.empty_v1;
        out.key("success")
            .bool(told > 0 || empty != EmptyV1::Unsuccessful);
        out.key("data").raw(if told == 0 && empty == EmptyV1::Null {
            "null"
        } else {
            &data
        });
        out.key("additional_data")
            .object(|out| match paging.envelope {
                EnvelopeV1::Flat => facts(out),
                EnvelopeV1::Nested => out.key("pagination").object(facts),
            });
    });
    Ok(out.into_bytes())
}

/// The order that the first generation's `sort` asks for: a field and `ASC` or `DESC`; none where it is not given.
pub(super) fn sort_v1<'a>(
    account: &'a Account,
    call: &Call,
    kind: Kind,
) -> Result<Option<Order<'a>>, Refusal> {
    let Some(sort) = call.get("sort") else {
        return Ok(None);
    };
    let mut words = sort.split_whitespace();
    let field = words.next().unwrap_or_default();
    let descending = match words.next().map(str::to_ascii_uppercase).as_deref() {
        None | Some("ASC") => false,
        Some("DESC") => true,
        Some(_) => return Err(Refusal::bad_request("sort mode must be ASC or DESC")),
    };
    let live = &account.live;
    let places = live.base().count(kind);
    let at: Box<dyn Fn(u64) -> u64 + 'a> = match field {
        "id" => Box::new(|place| place + 1),
        "add_time" => Box::new(move |place| live.base().by_add(kind, place)),
        "update_time" => Box::new(move |place| live.base().by_update(kind, place)),
        _ => return Err(Refusal::bad_request(&format!("cannot sort by {field}"))),
    };
    let at = move |place: u64| {
        Some(at(if descending {
            places - 1 - place
        } else {
            place
        }))
    };
    Ok(Some(Order {
        field: "sort",
        places,
        at: Box::new(at),
    }))
}
