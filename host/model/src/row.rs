//! The row grammar, version 1, from the writing side: one record is one JSON object on one line.
//!
//! It is the form in which a connector hands over records, in which the store keeps them, and in which a plan holds its
//! writes. Reading it, with every value checked, is [`crate::decode`].

use std::io::Write as _;

use crate::id::Cursor;
use crate::time::Instant;
use crate::value::ValueRef;

/// The version of the grammar that this host reads and writes.
pub const GRAMMAR_VERSION: u32 = 1;

/// What one page may hold before it is refused. Sizes are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowLimits {
    /// A whole page.
    pub page_max_bytes: usize,
    /// One row.
    pub row_max_bytes: usize,
    /// Rows of one page.
    pub rows_max: usize,
    /// Associations of one row.
    pub associations_max: usize,
    /// The id of a record.
    pub id_max_bytes: usize,
}

impl Default for RowLimits {
    /// 16 MiB a page, 1 MiB a row, 10,000 rows, 1,000 associations a row, 255 bytes an id.
    fn default() -> Self {
        Self {
            page_max_bytes: 16 << 20,
            row_max_bytes: 1 << 20,
            rows_max: 10_000,
            associations_max: 1_000,
            id_max_bytes: 255,
        }
    }
}

const _: () = assert!(Cursor::MAX_BYTES < 1 << 20);

/// Writes rows into a buffer, one value after another, without building a tree.
#[derive(Debug, Default)]
pub struct RowWriter {
    out: Vec<u8>,
    in_fields: bool,
    in_associations: bool,
    first: bool,
}

impl RowWriter {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a row. `end` must have closed the row before.
    pub fn begin(&mut self, id: &str, updated_at: Option<Instant>) {
        self.out.extend_from_slice(b"{\"id\":");
        self.text(id);
        if let Some(instant) = updated_at {
            write!(self.out, ",\"updated_at\":\"{instant}\"").expect("a Vec takes every write");
        }
        (self.in_fields, self.in_associations) = (false, false);
    }

    /// Marks the row as one of a deleted record.
    pub fn deleted(&mut self) {
        self.out.extend_from_slice(b",\"deleted\":true");
    }

    /// Adds a field. All fields come before the first association.
    pub fn field(&mut self, name: &str, value: ValueRef<'_>) {
        if self.in_fields {
            self.out.push(b',');
        } else {
            self.out.extend_from_slice(b",\"fields\":{");
            self.in_fields = true;
        }
        self.text(name);
        self.out.push(b':');
        self.value(value);
    }

    /// Adds a link to the record `id`.
    pub fn association(&mut self, name: &str, id: &str) {
        if self.in_associations {
            self.out.push(b',');
        } else {
            if self.in_fields {
                self.out.push(b'}');
                self.in_fields = false;
            }
            self.out.extend_from_slice(b",\"associations\":[");
            self.in_associations = true;
        }
        self.out.push(b'[');
        self.text(name);
        self.out.push(b',');
        self.text(id);
        self.out.push(b']');
    }

    /// Ends the row with a line feed.
    pub fn end(&mut self) {
        if self.in_fields {
            self.out.push(b'}');
        }
        if self.in_associations {
            self.out.push(b']');
        }
        self.out.extend_from_slice(b"}\n");
        (self.in_fields, self.in_associations) = (false, false);
    }

    /// Appends a row that was written before, with or without its line feed.
    pub fn append_row(&mut self, row: &str) {
        self.out
            .extend_from_slice(row.trim_end_matches('\n').as_bytes());
        self.out.push(b'\n');
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The rows.
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// The rows as text; they are always UTF-8.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.out).expect("only text is written")
    }

    /// Gives the rows away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Empties the buffer and keeps its memory.
    pub fn clear(&mut self) {
        self.out.clear();
    }

    fn text(&mut self, text: &str) {
        serde_json::to_writer(&mut self.out, text).expect("a Vec takes every write");
    }

    fn value(&mut self, value: ValueRef<'_>) {
        let written = match value {
            ValueRef::Null => self.out.write_all(b"null"),
            ValueRef::Text(text) => return self.text(text),
            ValueRef::Integer(number) => write!(self.out, "{number}"),
            ValueRef::Decimal(number) => write!(self.out, "\"{number}\""),
            ValueRef::Boolean(flag) => write!(self.out, "{flag}"),
            ValueRef::Date(date) => write!(self.out, "\"{date}\""),
            ValueRef::Instant(instant) => write!(self.out, "\"{instant}\""),
            ValueRef::Time(time) => write!(self.out, "\"{time}\""),
            ValueRef::Options(options) => {
                self.out.push(b'[');
                self.first = true;
                for option in options.iter() {
                    if !std::mem::take(&mut self.first) {
                        self.out.push(b',');
                    }
                    self.text(option);
                }
                self.out.write_all(b"]")
            }
        };
        written.expect("a Vec takes every write");
    }
}
