//! Reads rows, which are hostile input, into a [`Batch`]: streaming, every value checked, no tree.
//!
//! A row that breaks the grammar is set aside with its reason and never half taken; what becomes of it is the caller's to decide.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::batch::{Batch, Cell, Row, Slot, Span, push};
use crate::catalog::ObjectInfo;
use crate::row::RowLimits;
use crate::time::Instant;
use crate::value::{Decimal, FieldKind};

/// Says why a whole page is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The page is not text.
    #[error("page is not UTF-8: first wrong byte at {0}")]
    NotUtf8(usize),
    /// The page is larger than agreed.
    #[error("page has {bytes} bytes; the most is {max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The page has more rows than agreed.
    #[error("page has more than {0} rows")]
    TooManyRows(usize),
}

/// A row that broke the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRow {
    /// Its line in the page, from 1.
    pub line: usize,
    /// Its id, where it could be read.
    pub id: Option<String>,
    /// What is wrong with it, for a person.
    pub reason: String,
}

impl Batch {
    /// Reads a page of rows. The rows that break the grammar are given back beside the batch; an id that comes twice keeps its
    /// first row.
    ///
    /// # Errors
    /// When the page as a whole is not text or over its limits.
    pub fn decode(
        object: Arc<ObjectInfo>,
        page: Vec<u8>,
        limits: &RowLimits,
    ) -> Result<(Self, Vec<RejectedRow>), PageError> {
        if page.len() > limits.page_max_bytes {
            return Err(PageError::TooLarge {
                bytes: page.len(),
                max: limits.page_max_bytes,
            });
        }
        let text = String::from_utf8(page)
            .map_err(|error| PageError::NotUtf8(error.utf8_error().valid_up_to()))?;
        let mut reader = PageReader {
            base: text.as_ptr() as usize,
            batch: Self::empty(object.clone(), String::new()),
            object: &object,
            limits,
            generation: 0,
            filled: vec![0; object.fields.len()],
        };
        let (mut rejected, mut seen) = (Vec::new(), HashSet::new());
        for (number, line) in text
            .split('\n')
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
        {
            if reader.batch.rows.len() + rejected.len() >= limits.rows_max {
                return Err(PageError::TooManyRows(limits.rows_max));
            }
            let row = reader.read_row(line).and_then(|row| {
                let id = reader.resolve(&text, row.id);
                if seen.insert(id.to_owned()) {
                    Ok(row)
                } else {
                    Err((Some(id.to_owned()), "id comes twice in one page".to_owned()))
                }
            });
            match row {
                Ok(row) => reader.batch.rows.push(row),
                Err((id, reason)) => {
                    reader.forget_row();
                    rejected.push(RejectedRow {
                        line: number + 1,
                        id,
                        reason,
                    });
                }
            }
        }
        let mut batch = reader.batch;
        batch.text = text;
        Ok((batch, rejected))
    }
}

struct PageReader<'a> {
    base: usize,
    batch: Batch,
    object: &'a ObjectInfo,
    limits: &'a RowLimits,
    generation: u32,
    filled: Vec<u32>,
}

type Refusal = (Option<String>, String);

impl PageReader<'_> {
    fn read_row(&mut self, line: &str) -> Result<Row, Refusal> {
        if line.len() > self.limits.row_max_bytes {
            return Err((
                None,
                format!(
                    "row has {} bytes; the most is {}",
                    line.len(),
                    self.limits.row_max_bytes
                ),
            ));
        }
        self.generation += 1;
        let at = |len: usize| u32::try_from(len).expect("a page is far below 4 GiB");
        let (cells, links) = (at(self.batch.cells.len()), at(self.batch.links.len()));
        let mut draft = Draft::default();
        let mut input = serde_json::Deserializer::from_str(line);
        let read = RowSeed {
            reader: self,
            draft: &mut draft,
        }
        .deserialize(&mut input)
        .and_then(|()| input.end());
        let id = draft.id;
        let named = |reader: &Self| id.map(|span| reader.resolve_in_line(line, span).to_owned());
        if let Err(error) = read {
            return Err((named(self), error.to_string()));
        }
        let Some(id) = id else {
            return Err((None, "row has no id".to_owned()));
        };
        if id.len == 0 || id.len as usize > self.limits.id_max_bytes {
            return Err((
                None,
                format!(
                    "id has {} bytes; it needs 1 to {}",
                    id.len, self.limits.id_max_bytes
                ),
            ));
        }
        let start =
            u32::try_from(line.as_ptr() as usize - self.base).expect("a page is far below 4 GiB");
        Ok(Row {
            id,
            updated_at: draft.updated_at,
            deleted: draft.deleted,
            line: Some(Span {
                start,
                len: at(line.len()),
                added: false,
            }),
            cells: cells..at(self.batch.cells.len()),
            links: links..at(self.batch.links.len()),
        })
    }

    /// Drops what the refused row left behind. Its texts stay until the batch goes: they are few and cannot be reached.
    fn forget_row(&mut self) {
        let (cells, links) = self
            .batch
            .rows
            .last()
            .map_or((0, 0), |row| (row.cells.end, row.links.end));
        self.batch.cells.truncate(cells as usize);
        self.batch.links.truncate(links as usize);
    }

    fn resolve<'t>(&'t self, text: &'t str, span: Span) -> &'t str {
        let whole = if span.added { &self.batch.added } else { text };
        &whole[span.start as usize..(span.start + span.len) as usize]
    }

    fn resolve_in_line<'t>(&'t self, line: &'t str, span: Span) -> &'t str {
        if span.added {
            return self.resolve("", span);
        }
        let start = self.base + span.start as usize - line.as_ptr() as usize;
        &line[start..start + span.len as usize]
    }

    fn keep(&mut self, text: Cow<'_, str>) -> Span {
        match text {
            Cow::Borrowed(text) => {
                let start = u32::try_from(text.as_ptr() as usize - self.base)
                    .expect("borrowed texts lie in the page");
                Span {
                    start,
                    len: u32::try_from(text.len()).expect("a page is far below 4 GiB"),
                    added: false,
                }
            }
            Cow::Owned(text) => push(&mut self.batch.added, &text),
        }
    }
}

#[derive(Default)]
struct Draft {
    id: Option<Span>,
    updated_at: Option<Instant>,
    deleted: bool,
}

struct RowSeed<'r, 'p> {
    reader: &'r mut PageReader<'p>,
    draft: &'r mut Draft,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row: one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut had_fields, mut had_associations) = (false, false);
        while let Some(key) = map.next_key_seed(TextSeed)? {
            match &*key {
                "id" if self.draft.id.is_none() => {
                    let id = map.next_value_seed(TextSeed)?;
                    self.draft.id = Some(self.reader.keep(id));
                }
                "updated_at" => self.draft.updated_at = map.next_value::<Option<Instant>>()?,
                "deleted" => self.draft.deleted = map.next_value()?,
                "fields" if !std::mem::replace(&mut had_fields, true) => {
                    map.next_value_seed(FieldsSeed {
                        reader: self.reader,
                    })?;
                }
                "associations" if !std::mem::replace(&mut had_associations, true) => {
                    map.next_value_seed(LinksSeed {
                        reader: self.reader,
                    })?;
                }
                "id" | "fields" | "associations" => {
                    return Err(de::Error::custom(format_args!("{key} comes twice")));
                }
                _ => {
                    return Err(de::Error::custom(format_args!(
                        "key {key:?} is not of row grammar 1"
                    )));
                }
            }
        }
        Ok(())
    }
}

struct FieldsSeed<'r, 'p> {
    reader: &'r mut PageReader<'p>,
}

impl<'de> DeserializeSeed<'de> for FieldsSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fields: one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let reader = self.reader;
        let mut guess = 0_u16;
        while let Some(key) = map.next_key_seed(TextSeed)? {
            // Rows mostly list their fields in the catalog's order, so the next field is tried before the table is asked.
            let next = reader
                .object
                .fields
                .get(guess)
                .filter(|field| field.name == *key)
                .map(|_| guess);
            let Some(field) = next.or_else(|| reader.object.fields.find(&key)) else {
                return Err(de::Error::custom(format_args!(
                    "field {key:?} is not declared"
                )));
            };
            guess = field + 1;
            let generation = reader.generation;
            if std::mem::replace(&mut reader.filled[usize::from(field)], generation) == generation {
                return Err(de::Error::custom(format_args!("field {key:?} comes twice")));
            }
            let kind = reader
                .object
                .fields
                .get(field)
                .expect("found in the table")
                .kind;
            let slot = map
                .next_value_seed(SlotSeed { reader, kind })
                .map_err(|error| de::Error::custom(format_args!("field {key:?}: {error}")))?;
            reader.batch.cells.push(Cell { field, slot });
        }
        Ok(())
    }
}

struct SlotSeed<'r, 'p> {
    reader: &'r mut PageReader<'p>,
    kind: FieldKind,
}

impl SlotSeed<'_, '_> {
    fn text<E: de::Error>(self, text: Cow<'_, str>) -> Result<Slot, E> {
        let wrong = |error: crate::time::TimeError| E::custom(error);
        Ok(match self.kind {
            FieldKind::Decimal | FieldKind::Money => Slot::Decimal(parse_decimal(&text)?),
            FieldKind::Date => Slot::Date(text.parse().map_err(wrong)?),
            FieldKind::Instant => Slot::Instant(text.parse().map_err(wrong)?),
            FieldKind::Time => Slot::Time(text.parse().map_err(wrong)?),
            kind if kind.is_textual() => Slot::Text(self.reader.keep(text)),
            kind => return Err(E::custom(format_args!("a text where {kind} is declared"))),
        })
    }
}

/// Parses `-?digits(.digits)?` of at most 28 digits: no exponent, no plus sign, no spaces.
fn parse_decimal<E: de::Error>(text: &str) -> Result<Decimal, E> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(E::custom("not a decimal such as -1200.50"));
    }
    Decimal::from_str_exact(text).map_err(|_| E::custom("a decimal of more than 28 digits"))
}

impl<'de> DeserializeSeed<'de> for SlotSeed<'_, '_> {
    type Value = Slot;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Slot, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SlotSeed<'_, '_> {
    type Value = Slot;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of kind {}", self.kind)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Slot, E> {
        Ok(Slot::Null)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Slot, E> {
        match self.kind {
            FieldKind::Boolean => Ok(Slot::Boolean(flag)),
            kind => Err(E::custom(format_args!(
                "true or false where {kind} is declared"
            ))),
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Slot, E> {
        match self.kind {
            FieldKind::Integer => Ok(Slot::Integer(number)),
            kind => Err(E::custom(format_args!("a number where {kind} is declared"))),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Slot, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::custom("an integer of more than 64 bits")),
        }
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Slot, E> {
        self.text(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Slot, E> {
        self.text(Cow::Owned(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Slot, A::Error> {
        if self.kind != FieldKind::Options {
            return Err(de::Error::custom(format_args!(
                "a list where {} is declared",
                self.kind
            )));
        }
        let start = push(&mut self.reader.batch.added, "").start;
        while let Some(option) = seq.next_element_seed(TextSeed)? {
            if option.contains('\n') {
                return Err(de::Error::custom("an option with a line feed"));
            }
            self.reader.batch.added.push_str(&option);
            self.reader.batch.added.push('\n');
        }
        let end = u32::try_from(self.reader.batch.added.len()).expect("a page is far below 4 GiB");
        Ok(Slot::Options(Span {
            start,
            len: end - start,
            added: true,
        }))
    }
}

struct LinksSeed<'r, 'p> {
    reader: &'r mut PageReader<'p>,
}

impl<'de> DeserializeSeed<'de> for LinksSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for LinksSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("associations: a list of [name, id]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let reader = self.reader;
        let mut count = 0;
        while let Some((name, id)) = seq.next_element_seed(PairSeed)? {
            count += 1;
            if count > reader.limits.associations_max {
                let max = reader.limits.associations_max;
                return Err(de::Error::custom(format_args!(
                    "row has more than {max} associations"
                )));
            }
            let Some(association) = reader.object.find_association(&name) else {
                return Err(de::Error::custom(format_args!(
                    "association {name:?} is not declared"
                )));
            };
            if id.is_empty() || id.len() > reader.limits.id_max_bytes {
                return Err(de::Error::custom(format_args!(
                    "association {name:?} has an id of {} bytes",
                    id.len()
                )));
            }
            let span = reader.keep(id);
            reader.batch.links.push((association, span));
        }
        Ok(())
    }
}

struct PairSeed;

impl<'de> DeserializeSeed<'de> for PairSeed {
    type Value = (Cow<'de, str>, Cow<'de, str>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for PairSeed {
    type Value = (Cow<'de, str>, Cow<'de, str>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[name, id]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let name = seq
            .next_element_seed(TextSeed)?
            .ok_or_else(|| de::Error::invalid_length(0, &"[name, id]"))?;
        let id = seq
            .next_element_seed(TextSeed)?
            .ok_or_else(|| de::Error::invalid_length(1, &"[name, id]"))?;
        match seq.next_element::<IgnoredAny>()? {
            Some(_) => Err(de::Error::invalid_length(3, &"[name, id]")),
            None => Ok((name, id)),
        }
    }
}

/// A JSON string, borrowed from the input where it has no escapes.
struct TextSeed;

impl<'de> DeserializeSeed<'de> for TextSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for TextSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
