//! Answers searches: what the index knew some time ago, filtered, sorted by one property, in windows of 10,000 (fact sheet, section 4).
//!
//! Single conditions are decided elsewhere.

use super::answer::{Answer, Failure};
use super::call::Call;
use super::draft::number;
use super::filter::{Compared, Filter, Key, compared, key, parse, words};
use super::objects::{Object, ObjectType};
use super::record::Record;
use super::state::State;
use super::view::{View, Wanted, value};
use serde::Serialize;
use serde_json::{Value, json};
use std::cmp::Ordering;

const LONGEST_BODY: usize = 3000;
const GROUPS: usize = 5;
const IN_A_GROUP: usize = 6;
const FILTERS: usize = 18;
const PAGE: u64 = 200;
const WINDOW: u64 = 10_000;

/// One order.
struct Sort {
    name: String,
    compared: Compared,
    descending: bool,
}

/// A search, taken apart.
struct Search {
    groups: Vec<Vec<Filter>>,
    words: Vec<String>,
    sort: Option<Sort>,
    limit: u64,
    after: u64,
}

#[derive(Serialize)]
struct Found<'a> {
    total: usize,
    results: Vec<View<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paging: Option<Value>,
}

fn wrong(what: &str) -> Failure {
    Failure::validation(format!("There was a problem with the request: {what}"))
}

/// Answers `POST …/search`.
///
/// # Errors
///
/// 400 for requests beyond the limits, and beyond the window.
pub(super) fn answer(
    state: &mut State,
    call: &Call,
    object: ObjectType,
) -> Result<Answer, Failure> {
    if call.body.len() > LONGEST_BODY
        && call.body.iter().filter(|byte| is_start(**byte)).count() > LONGEST_BODY
    {
        return Err(wrong("the body is longer than 3000 characters"));
    }
    let body = call.json()?;
    let search = Search::parse(state, object, &body)?;
    let now = state.now;
    state.store.table_mut(object).catch_up(now);
    let state = &*state;
    let kind = state.objects.get(object);
    let table = state.store.table(object).expect("made above");
    let mut found: Vec<(Option<Key>, &Record)> = table
        .searchable()
        .values()
        .filter(|record| search.finds(state, kind, record))
        .map(|record| (search.key(state, kind, record), record))
        .collect();
    search.sort(&mut found);
    let names = body["properties"].as_array().map(Vec::as_slice);
    let names = names.unwrap_or_default().iter().filter_map(Value::as_str);
    let wanted = Wanted::new(state, kind, names);
    let total = found.len();
    let end = search.after + search.limit;
    let results: Vec<View<'_>> = found
        .into_iter()
        .skip(usize::try_from(search.after).expect("within the window"))
        .take(usize::try_from(search.limit).expect("at most 200"))
        .map(|(_, record)| View::new(state, kind, record, &wanted))
        .collect();
    let more = total as u64 > end;
    let paging = more.then(|| json!({ "next": { "after": end.to_string() } }));
    let found = Found {
        total,
        results,
        paging,
    };
    Ok(Answer::json(200, &found))
}

/// Whether a byte starts a character.
const fn is_start(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

impl Search {
    fn parse(state: &State, object: ObjectType, body: &Value) -> Result<Self, Failure> {
        let limit = match &body["limit"] {
            Value::Null => 10,
            limit => number(limit)
                .filter(|limit| (1..=PAGE).contains(limit))
                .ok_or_else(|| wrong("limit must be between 1 and 200"))?,
        };
        let after = match &body["after"] {
            Value::Null => 0,
            Value::String(text) if text.is_empty() => 0,
            after => number(after).ok_or_else(|| wrong("after must be an integer"))?,
        };
        if after.saturating_add(limit) > WINDOW {
            return Err(wrong("paging beyond 10000 results is not possible"));
        }
        Ok(Self {
            groups: groups(state, object, body)?,
            words: words(body["query"].as_str().unwrap_or_default()),
            sort: sort(state, object, &body["sorts"])?,
            limit,
            after,
        })
    }

    fn finds(&self, state: &State, object: &Object, record: &Record) -> bool {
        let by_filter = self.groups.is_empty()
            || self.groups.iter().any(|filters| {
                filters
                    .iter()
                    .all(|filter| filter.holds(state, object, record))
            });
        by_filter && (self.words.is_empty() || self.says(state, object, record))
    }

    /// Whether every word of the query starts a word of some searched property.
    fn says(&self, state: &State, object: &Object, record: &Record) -> bool {
        let have: Vec<String> = searched(object)
            .iter()
            .filter_map(|name| value(state, object, record, name))
            .flat_map(|value| words(&value))
            .collect();
        self.words
            .iter()
            .all(|wanted| have.iter().any(|word| word.starts_with(wanted)))
    }

    fn key(&self, state: &State, object: &Object, record: &Record) -> Option<Key> {
        let sort = self.sort.as_ref()?;
        key(state, object, record, &sort.name, sort.compared)
    }

    /// By the property asked for, those without a value last; else, and among equals, by id.
    fn sort(&self, found: &mut [(Option<Key>, &Record)]) {
        let Some(sort) = &self.sort else {
            return;
        };
        found.sort_by(|(one, first), (two, second)| {
            let order = match (one, two) {
                (Some(one), Some(two)) if sort.descending => two.compare(one),
                (Some(one), Some(two)) => one.compare(two),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            };
            order.then(first.id.cmp(&second.id))
        });
    }
}

/// `filterGroups`, or the older `filters`: one group.
fn groups(state: &State, object: ObjectType, body: &Value) -> Result<Vec<Vec<Filter>>, Failure> {
    let mut groups: Vec<&[Value]> = Vec::new();
    if let Some(filters) = body["filters"].as_array() {
        groups.push(filters);
    }
    for group in body["filterGroups"].as_array().into_iter().flatten() {
        groups.push(group["filters"].as_array().map_or(&[], Vec::as_slice));
    }
    if groups.len() > GROUPS {
        return Err(wrong("at most 5 filterGroups are allowed"));
    }
    if groups.iter().any(|group| group.len() > IN_A_GROUP) {
        return Err(wrong("at most 6 filters are allowed in a group"));
    }
    if groups.iter().map(|group| group.len()).sum::<usize>() > FILTERS {
        return Err(wrong("at most 18 filters are allowed"));
    }
    groups
        .into_iter()
        .filter(|group| !group.is_empty())
        .map(|group| {
            group
                .iter()
                .map(|filter| parse(state, object, filter))
                .collect()
        })
        .collect()
}

/// `[{propertyName, direction}]`, or the short form `["-name"]`.
fn sort(state: &State, object: ObjectType, sorts: &Value) -> Result<Option<Sort>, Failure> {
    let sorts = sorts.as_array().map_or(&[][..], Vec::as_slice);
    let (name, descending) = match sorts {
        [] => return Ok(None),
        [Value::String(name)] => match name.strip_prefix('-') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        },
        [sort] => {
            let name = sort["propertyName"].as_str().unwrap_or_default();
            let descending = match sort["direction"].as_str() {
                None | Some("ASCENDING") => false,
                Some("DESCENDING") => true,
                Some(_) => return Err(wrong("direction must be ASCENDING or DESCENDING")),
            };
            (name, descending)
        }
        _ => return Err(wrong("only one sort is allowed")),
    };
    let compared = compared(state, object, name)
        .ok_or_else(|| wrong(&format!("property '{name}' does not exist")))?;
    Ok(Some(Sort {
        name: name.to_owned(),
        compared,
        descending,
    }))
}

/// Properties that a query is held against.
fn searched(object: &Object) -> Vec<&str> {
    let own: &[&str] = match object.object_type {
        ObjectType::CONTACT => &[
            "firstname",
            "lastname",
            "email",
            "hs_additional_emails",
            "phone",
            "mobilephone",
            "fax",
            "company",
        ],
        ObjectType::COMPANY => &["name", "domain", "website", "phone"],
        ObjectType::DEAL => &[
            "dealname",
            "pipeline",
            "dealstage",
            "description",
            "dealtype",
        ],
        ObjectType::PRODUCT => &["name", "description", "price", "hs_sku"],
        ObjectType::LEAD => &["hs_lead_name"],
        ObjectType::PROJECT => &["hs_name"],
        ObjectType::NOTE => &["hs_note_body"],
        ObjectType::CALL => &["hs_call_title", "hs_call_body"],
        ObjectType::TASK => &["hs_task_subject", "hs_task_body"],
        ObjectType::MEETING => &["hs_meeting_title", "hs_meeting_body"],
        ObjectType::EMAIL => &["hs_email_subject", "hs_email_text"],
        _ => return object.defaults.iter().map(String::as_str).collect(),
    };
    own.to_vec()
}
