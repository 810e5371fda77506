//! Reads rows, which are hostile input, into a [`Batch`]: streaming, every value checked, no tree.
//!
//! A row that breaks the grammar is set aside with its reason and never half taken; what becomes of it is the caller's to decide.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};

use crate::batch::{Batch, Cell, Row, Span, push};
use crate::catalog::ObjectInfo;
use crate::row::RowLimits;
use crate::time::Instant;

mod link;
mod slot;

use link::LinksSeed;
use slot::{SlotSeed, TextSeed};

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
    /// The row as it came, up to [`Self::TEXT_MAX_BYTES`].
    pub text: String,
}

impl RejectedRow {
    /// What is kept of a row that broke the grammar.
    pub const TEXT_MAX_BYTES: usize = 64 << 10;
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
                let id = match row.id.added {
                    true => Cow::Owned(reader.resolve(&text, row.id).to_owned()),
                    false => Cow::Borrowed(&text[row.id.range()]),
                };
                match seen.replace(id) {
                    None => Ok(row),
                    Some(id) => Err((
                        Some(id.into_owned()),
                        "id comes twice in one page".to_owned(),
                    )),
                }
            });
            match row {
                Ok(row) => {
                    if reader.batch.rows.is_empty() {
                        reader.expect_more_like(line.len(), text.len());
                    }
                    reader.batch.rows.push(row);
                }
                Err((id, reason)) => {
                    reader.forget_row();
                    rejected.push(RejectedRow {
                        line: number + 1,
                        id,
                        reason,
                        text: line[..line.floor_char_boundary(RejectedRow::TEXT_MAX_BYTES)]
                            .to_owned(),
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

    /// Makes room for a page of rows like its first one, so that the arrays do not grow step by step.
    fn expect_more_like(&mut self, row_bytes: usize, page_bytes: usize) {
        let more = (page_bytes / (row_bytes + 1)).min(self.limits.rows_max);
        self.batch.rows.reserve(more);
        self.batch.cells.reserve(more * self.batch.cells.len());
        self.batch.links.reserve(more * self.batch.links.len());
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
        &whole[span.range()]
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

#[cfg(test)]
mod tests;
