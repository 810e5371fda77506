//! Reads a page's records in one pass, each as the raw values of its table's keys, and writes rows from them.
//!
//! No tree and no allocation per record: the values are slices of the answer, in a list that is used again for the next record. Keys
//! are first tried at the place they had in the record before, which is where they nearly always are.

use std::collections::BTreeSet;
use std::fmt;

use longshore_sdk::{Context, Failure, Level, Page, Response, Result, Row};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::envelope::{self, Paging};
use crate::json;
use crate::table::{Table, Use};
use crate::value;

/// How many unknown keys are remembered for the log.
const UNKNOWN_MAX: usize = 32;
/// A place in the order of keys whose key is not in the table.
const UNKNOWN: usize = usize::MAX;

/// One record: raw JSON by the table's positions.
pub(crate) struct Record<'r, 'a> {
    table: &'r Table,
    values: &'r [Option<&'a str>],
}

impl<'a> Record<'_, 'a> {
    /// The raw value at a position; `None` when the key is absent.
    pub(crate) fn raw(&self, slot: usize) -> Option<&'a str> {
        self.values[slot]
    }

    /// The text at a position; `None` when absent or null.
    pub(crate) fn text(&self, slot: usize) -> Option<std::borrow::Cow<'a, str>> {
        self.values[slot].and_then(json::text)
    }

    /// The id at a position; `None` when absent, null or none.
    pub(crate) fn id(&self, slot: usize) -> Option<std::borrow::Cow<'a, str>> {
        self.values[slot].and_then(json::id)
    }

    /// The flag at a position; false when absent.
    pub(crate) fn is(&self, slot: usize) -> bool {
        self.values[slot].and_then(json::boolean) == Some(true)
    }

    /// Begins the record's row and writes everything but what the object's own code adds.
    ///
    /// # Errors
    /// `bad-data` when the record has no id.
    pub(crate) fn row<'p>(&self, page: &'p mut Page) -> Result<Row<'p>> {
        self.row_with_prefix("", page)
    }

    /// As [`Record::row`], with text before the id.
    ///
    /// # Errors
    /// As [`Record::row`].
    pub(crate) fn row_with_prefix<'p>(&self, prefix: &str, page: &'p mut Page) -> Result<Row<'p>> {
        let id = self.id(self.table.id).ok_or_else(|| {
            Failure::bad_data("pipedrive.no-id", "a record of pipedrive has no id")
        })?;
        let mut row = if prefix.is_empty() {
            page.begin(id)
        } else {
            page.begin([prefix, &*id].concat())
        };
        let changed = self.table.updated_at.and_then(|at| self.text(at));
        if let Some(instant) = changed.filter(|text| !value::is_no_moment(text)) {
            row.updated_at(instant);
        }
        if self.table.deleted.is_some_and(|at| self.is(at)) {
            row.deleted();
        }
        for (slot, raw) in self.table.slots.iter().zip(self.values) {
            match *raw {
                Some(raw) => write_slot(&mut row, &slot.key, &slot.what, raw),
                None if slot.absent_is_empty && !matches!(slot.what, Use::Link(_)) => {
                    row.null(&slot.key);
                }
                None => {}
            }
        }
        Ok(row)
    }
}

fn write_slot(row: &mut Row<'_>, key: &str, what: &Use, raw: &str) {
    match what {
        Use::Nothing | Use::Nested => {}
        Use::Field(kind) => value::write(row, key, *kind, raw),
        Use::Link(name) => {
            if let Some(id) = json::id(raw) {
                row.association(name, id);
            }
        }
        Use::Links(name) => json::for_each_element(raw, |element| {
            if let Some(id) = json::id(element) {
                row.association(name, id);
            }
        }),
        Use::Compound(kind, parts) if raw.starts_with('{') => {
            json::for_each_member(raw, |member, inner| {
                if member == "value" {
                    value::write(row, key, *kind, inner);
                } else if let Some((_, name, kind)) =
                    parts.iter().find(|(part, ..)| *part == member)
                {
                    value::write(row, name, *kind, inner);
                }
            })
        }
        Use::Compound(kind, parts) => {
            value::write(row, key, *kind, raw);
            if json::is_null(raw) {
                for (_, name, _) in parts {
                    row.null(name);
                }
            }
        }
    }
}

/// Reads a list's answer, calling back for each record in order.
///
/// # Errors
/// What the callback fails with; `bad-data` when the answer is not the envelope of a list; `permanent` when it says that it did not
/// succeed and why.
pub(crate) fn for_each_record(
    ctx: &Context,
    response: &Response,
    path: &str,
    table: &Table,
    each: &mut dyn FnMut(&Record<'_, '_>) -> Result<()>,
) -> Result<Ending> {
    let body = envelope::body_text(response, path)?;
    let mut values = vec![None; table.slots.len()];
    let mut walk = Walk {
        table,
        values: &mut values,
        orders: [Vec::with_capacity(64), Vec::with_capacity(64)],
        unknown: BTreeSet::new(),
        count: 0,
        failure: None,
        each,
    };
    let mut reader = serde_json::Deserializer::from_str(body);
    let opened = (&mut reader)
        .deserialize_map(Envelope(&mut walk))
        .and_then(|ending| reader.end().map(|()| ending));
    if !walk.unknown.is_empty() {
        let names: Vec<&str> = walk.unknown.iter().map(String::as_str).collect();
        ctx.log(
            Level::Warn,
            &format!(
                "keys of {path} that no field is declared for are left out: {}",
                names.join(", ")
            ),
        );
    }
    if let Some(failure) = walk.failure {
        return Err(failure);
    }
    let count = walk.count;
    match opened {
        Ok(mut ending) => {
            ending.count = count;
            ending.check(path)
        }
        Err(error) => {
            let start: String = body
                .chars()
                .take(120)
                .filter(|letter| !letter.is_control())
                .collect();
            Err(Failure::bad_data(
                "pipedrive.json",
                format!("the answer for {path} can not be read: {error}; it begins with {start}"),
            ))
        }
    }
}

/// What stands around a page's records.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub(crate) paging: Paging,
    /// How many records there were.
    pub(crate) count: u64,
    has_data: bool,
    failed: Option<String>,
}

impl Ending {
    /// An answer may call itself unsuccessful and have an empty list: that is Pipedrive's way to say "none". Without a list it is an error.
    fn check(self, path: &str) -> Result<Self> {
        match &self.failed {
            Some(said) if !self.has_data => Err(Failure::permanent(
                "pipedrive.rejected",
                format!("pipedrive did not succeed with {path}: {said}"),
            )),
            _ => Ok(self),
        }
    }
}

struct Walk<'w, 'a> {
    table: &'w Table,
    values: &'w mut Vec<Option<&'a str>>,
    /// The table's positions in the order in which the record before had its keys: top level, custom fields.
    orders: [Vec<usize>; 2],
    unknown: BTreeSet<String>,
    count: u64,
    failure: Option<Failure>,
    each: &'w mut dyn FnMut(&Record<'_, '_>) -> Result<()>,
}

struct Envelope<'s, 'w, 'a>(&'s mut Walk<'w, 'a>);

impl<'de> Visitor<'de> for Envelope<'_, '_, 'de> {
    type Value = Ending;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope with `data`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Ending, A::Error> {
        let mut ending = Ending::default();
        let (mut success, mut said) = (true, None);
        while let Some(key) = members.next_key::<&'de str>()? {
            match key {
                "data" => ending.has_data = members.next_value_seed(List(self.0))?,
                "additional_data" => {
                    ending.paging = members.next_value::<Option<Paging>>()?.unwrap_or_default()
                }
                "success" => {
                    success = json::boolean(members.next_value::<&RawValue>()?.get()) != Some(false)
                }
                "error" => {
                    said = json::text(members.next_value::<&RawValue>()?.get())
                        .map(|text| text.into_owned())
                }
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        if !success {
            ending.failed = Some(said.unwrap_or_else(|| "no reason given".to_owned()));
        }
        Ok(ending)
    }
}

/// The list under `data`; whether there was one.
struct List<'s, 'w, 'a>(&'s mut Walk<'w, 'a>);

impl<'de> DeserializeSeed<'de> for List<'_, '_, 'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_, 'de> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records or null")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<bool, A::Error> {
        let walk = self.0;
        loop {
            walk.values.fill(None);
            if records
                .next_element_seed(Object { walk, depth: 0 })?
                .is_none()
            {
                return Ok(true);
            }
            walk.count += 1;
            let record = Record {
                table: walk.table,
                values: walk.values,
            };
            if let Err(failure) = (walk.each)(&record) {
                walk.failure = Some(failure);
                return Err(A::Error::custom("stopped"));
            }
        }
    }
}

/// One record, or the object with its custom fields.
struct Object<'s, 'w, 'a> {
    walk: &'s mut Walk<'w, 'a>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    /// An empty object that PHP has made an empty list of.
    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { walk, depth } = self;
        let mut place = 0;
        while let Some(slot) = members.next_key_seed(Key { walk, depth, place })? {
            place += 1;
            match slot {
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
                Some(slot) if depth == 0 && matches!(walk.table.slots[slot].what, Use::Nested) => {
                    members.next_value_seed(Object { walk, depth: 1 })?;
                }
                Some(slot) => {
                    walk.values[slot] = Some(members.next_value::<&'de RawValue>()?.get())
                }
            }
        }
        Ok(())
    }
}

/// A key's position in the table.
struct Key<'s, 'w, 'a> {
    walk: &'s mut Walk<'w, 'a>,
    depth: usize,
    place: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_, 'de> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_, '_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        let Self { walk, depth, place } = self;
        let table = walk.table;
        let order = &mut walk.orders[depth];
        if let Some(slot) = order.get(place).and_then(|slot| {
            table
                .slots
                .get(*slot)
                .filter(|known| known.key == key)
                .map(|_| *slot)
        }) {
            return Ok(Some(slot));
        }
        let found = table.find(key);
        let guess = found.unwrap_or(UNKNOWN);
        match order.get_mut(place) {
            Some(known) => *known = guess,
            None => order.push(guess),
        }
        if found.is_none()
            && !table.is_partial
            && walk.unknown.len() < UNKNOWN_MAX
            && !walk.unknown.contains(key)
        {
            walk.unknown.insert(key.to_owned());
        }
        Ok(found)
    }
}
