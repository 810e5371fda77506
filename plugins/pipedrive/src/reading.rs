//! Reads a page's records in one pass, each as the raw values of its table's keys, and writes rows from them.
//!
//! No tree and no allocation per record: the values are slices of the answer, in a list that is used again for the next record. Keys
//! are first tried at the place they had in the record before, which is where they nearly always are.

use std::collections::BTreeSet;

use longshore_sdk::json::{JsonFault, Scanner};
use longshore_sdk::{Context, Failure, Level, Page, Response, Result, Row};

use crate::envelope::{self, Paging};
use crate::json;
use crate::table::{Slot, Table, Use};
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
                Some(raw) => write_slot(&mut row, slot, raw),
                None if slot.absent_is_empty && !matches!(slot.what, Use::Link(_)) => {
                    row.null(&slot.name);
                }
                None => {}
            }
        }
        Ok(row)
    }
}

fn write_slot(row: &mut Row<'_>, slot: &Slot, raw: &str) {
    let key = &slot.name;
    match &slot.what {
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
    let mut walk = Walk {
        table,
        values: vec![None; table.slots.len()],
        orders: [Vec::with_capacity(64), Vec::with_capacity(64)],
        unknown: BTreeSet::new(),
        count: 0,
        each,
    };
    let opened = walk.envelope(body);
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
    match opened {
        Ok(ending) => ending.check(path),
        Err(Stop::Failure(failure)) => Err(failure),
        Err(Stop::Json(fault)) => {
            let start: String = body
                .chars()
                .take(120)
                .filter(|letter| !letter.is_control())
                .collect();
            Err(Failure::bad_data(
                "pipedrive.json",
                format!("the answer for {path} can not be read: {fault}; it begins with {start}"),
            ))
        }
    }
}

/// Why a page is not read to its end.
enum Stop {
    Json(JsonFault),
    Failure(Failure),
}

impl From<JsonFault> for Stop {
    fn from(fault: JsonFault) -> Self {
        Self::Json(fault)
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
    values: Vec<Option<&'a str>>,
    /// The table's positions in the order in which the record before had its keys: top level, custom fields.
    orders: [Vec<usize>; 2],
    unknown: BTreeSet<String>,
    count: u64,
    each: &'w mut dyn FnMut(&Record<'_, '_>) -> Result<()>,
}

impl<'a> Walk<'_, 'a> {
    fn envelope(&mut self, body: &'a str) -> Result<Ending, Stop> {
        let mut ending = Ending::default();
        let (mut success, mut said) = (true, None);
        let mut scanner = Scanner::new(body);
        scanner.object(|scanner, key| {
            match key {
                "data" => ending.has_data = self.list(scanner)?,
                "additional_data" => ending.paging = paging(scanner)?,
                "success" => success = json::boolean(scanner.value()?) != Some(false),
                "error" => said = json::text(scanner.value()?).map(|text| text.into_owned()),
                _ => {
                    scanner.value()?;
                }
            }
            Ok::<(), Stop>(())
        })?;
        scanner.end()?;
        if !success {
            ending.failed = Some(said.unwrap_or_else(|| "no reason given".to_owned()));
        }
        ending.count = self.count;
        Ok(ending)
    }

    /// The list under `data`; whether there was one, and not null.
    fn list(&mut self, scanner: &mut Scanner<'a>) -> Result<bool, Stop> {
        if scanner.peek() == Some(b'n') {
            scanner.value()?;
            return Ok(false);
        }
        scanner.array(|scanner| {
            self.values.fill(None);
            self.object(scanner, 0)?;
            self.count += 1;
            let (table, values) = (self.table, &*self.values);
            (self.each)(&Record { table, values }).map_err(Stop::Failure)
        })?;
        Ok(true)
    }

    /// One record, or at depth 1 the object with its custom fields. Null is an empty one, and so is the empty list that PHP makes of it.
    fn object(&mut self, scanner: &mut Scanner<'a>, depth: usize) -> Result<(), Stop> {
        if matches!(scanner.peek(), Some(b'n' | b'[')) {
            scanner.value()?;
            return Ok(());
        }
        let mut place = 0;
        scanner.object(|scanner, key| {
            let slot = self.slot(key, depth, place);
            place += 1;
            match slot {
                Some(slot) if depth == 0 && matches!(self.table.slots[slot].what, Use::Nested) => {
                    self.object(scanner, 1)
                }
                Some(slot) => {
                    self.values[slot] = Some(scanner.value()?);
                    Ok(())
                }
                None => {
                    scanner.value()?;
                    Ok(())
                }
            }
        })
    }

    /// A key's position in the table.
    fn slot(&mut self, key: &str, depth: usize, place: usize) -> Option<usize> {
        let order = &mut self.orders[depth];
        if let Some(slot) = order.get(place)
            && let Some(known) = self.table.slots.get(*slot)
            && is_same(&known.key, key)
        {
            return Some(*slot);
        }
        let found = self.table.find(key);
        let guess = found.unwrap_or(UNKNOWN);
        match order.get_mut(place) {
            Some(known) => *known = guess,
            None => order.push(guess),
        }
        if found.is_none()
            && !self.table.is_partial
            && self.unknown.len() < UNKNOWN_MAX
            && !self.unknown.contains(key)
        {
            self.unknown.insert(key.to_owned());
        }
        found
    }
}

/// Compares eight bytes at a time: keys of custom fields have 40, and WebAssembly has no instruction for it.
fn is_same(known: &str, key: &str) -> bool {
    let (known_words, known_rest) = known.as_bytes().as_chunks::<8>();
    let (words, rest) = key.as_bytes().as_chunks::<8>();
    let same =
        |(one, other): (&[u8; 8], &[u8; 8])| u64::from_le_bytes(*one) == u64::from_le_bytes(*other);
    known.len() == key.len()
        && known_words.iter().zip(words).all(same)
        && known_rest.iter().zip(rest).all(|(one, other)| one == other)
}

fn paging(scanner: &mut Scanner<'_>) -> Result<Paging, Stop> {
    let raw = scanner.value()?;
    let paging: Option<Paging> = serde_json::from_str(raw).map_err(|error| {
        Stop::Failure(Failure::bad_data(
            "pipedrive.paging",
            format!("the answer does not say where its list goes on: {error}"),
        ))
    })?;
    Ok(paging.unwrap_or_default())
}
