//! Writes the records of a page as rows, straight into one buffer: no tree, no allocation a record.
//!
//! It does not check values against the catalog; the host does, and sets aside the row that breaks a rule.

use serde_json::value::RawValue;

use crate::catalog::FieldKind;
use crate::decimal::Decimal;
use crate::encode::write_string;
use crate::time::{Date, Instant, Time};
use crate::value::{FieldValue, kind, write_raw};

/// The rows of one page, in the order in which they were finished.
#[derive(Debug, Default)]
pub struct Page {
    rows: Vec<u8>,
    /// What the unfinished row has to say after its fields.
    tail: Vec<u8>,
    len: usize,
    limit: usize,
}

impl Page {
    /// An empty page that should get about `limit` rows.
    pub fn new(limit: u32) -> Self {
        Self::with_capacity(limit, 0)
    }

    /// An empty page with memory for `bytes` of rows.
    pub fn with_capacity(limit: u32, bytes: usize) -> Self {
        Self {
            rows: Vec::with_capacity(bytes),
            tail: Vec::new(),
            len: 0,
            limit: limit as usize,
        }
    }

    /// Begins a row. It counts once [`Row::finish`] is called; dropped before, it leaves nothing behind.
    pub fn begin(&mut self, id: impl FieldValue<kind::Id>) -> Row<'_> {
        let start = self.rows.len();
        self.tail.clear();
        self.rows.extend_from_slice(b"{\"id\":");
        id.write(&mut self.rows);
        Row {
            page: self,
            start,
            in_fields: false,
            in_associations: false,
            finished: false,
        }
    }

    /// Adds a record that was put together elsewhere.
    pub fn push(&mut self, record: &Record) {
        let mut row = self.begin(&record.id);
        if let Some(instant) = record.updated_at {
            row.updated_at(instant);
        }
        if record.deleted {
            row.deleted();
        }
        for (name, value) in &record.fields {
            match value {
                Value::Null => row.null(name),
                Value::Text(text) => row.text(name, text),
                Value::Integer(number) => row.integer(name, number),
                Value::Decimal(number) => row.decimal(name, number),
                Value::Boolean(flag) => row.boolean(name, flag),
                Value::Date(date) => row.date(name, date),
                Value::Instant(instant) => row.instant(name, instant),
                Value::Time(time) => row.time(name, time),
                Value::Options(options) => row.options(name, options),
            };
        }
        for (name, id) in &record.associations {
            row.association(name, id);
        }
        row.finish();
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many rows the host would like.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many rows are still wanted.
    pub fn remaining(&self) -> usize {
        self.limit.saturating_sub(self.len)
    }

    /// Whether it has the rows that the host would like. A few more do no harm.
    pub fn is_full(&self) -> bool {
        self.len >= self.limit
    }

    /// The rows: JSON lines.
    pub fn bytes(&self) -> &[u8] {
        &self.rows
    }

    /// Gives the rows away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.rows
    }

    /// Empties the page and keeps its memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.len = 0;
    }
}

/// One row being written. Fields, `updated_at`, `deleted` and associations may come in any order, each field once.
///
/// A field that is left out is unknown; one written as `null` (or `None`) is known to be empty.
#[must_use = "a row that is not finished is dropped"]
#[derive(Debug)]
pub struct Row<'p> {
    page: &'p mut Page,
    start: usize,
    in_fields: bool,
    in_associations: bool,
    finished: bool,
}

impl Row<'_> {
    /// When the source says the record changed last.
    pub fn updated_at(&mut self, instant: impl FieldValue<kind::Instant>) -> &mut Self {
        self.reserved(b",\"updated_at\":", |out| instant.write(out))
    }

    /// The source says the record is deleted.
    pub fn deleted(&mut self) -> &mut Self {
        self.reserved(b",\"deleted\":true", |_| ())
    }

    /// A `text`, `html`, `email`, `phone` or `url` field.
    pub fn text(&mut self, name: impl FieldKey, value: impl FieldValue<kind::Text>) -> &mut Self {
        self.field(name, |out| value.write(out))
    }

    /// The same; `None` is `null`.
    pub fn text_opt(
        &mut self,
        name: impl FieldKey,
        value: Option<impl FieldValue<kind::Text>>,
    ) -> &mut Self {
        self.text(name, value)
    }

    /// A field that is known to be empty, of any kind.
    pub fn null(&mut self, name: impl FieldKey) -> &mut Self {
        self.field(name, |out| out.extend_from_slice(b"null"))
    }

    /// An `integer` field.
    pub fn integer(
        &mut self,
        name: impl FieldKey,
        value: impl FieldValue<kind::Integer>,
    ) -> &mut Self {
        self.field(name, |out| value.write(out))
    }

    /// A `decimal` field.
    pub fn decimal(
        &mut self,
        name: impl FieldKey,
        value: impl FieldValue<kind::Decimal>,
    ) -> &mut Self {
        self.field(name, |out| value.write(out))
    }

    /// A `money` field; its currency is a field of its own.
    pub fn money(
        &mut self,
        name: impl FieldKey,
        value: impl FieldValue<kind::Decimal>,
    ) -> &mut Self {
        self.field(name, |out| value.write(out))
    }

    /// A `boolean` field.
    pub fn boolean(
        &mut self,
        name: impl FieldKey,
        value: impl FieldValue<kind::Boolean>,
    ) -> &mut Self {
        self.field(name, |out| value.write(out))
    }

    /// A `date` field, from a [`Date`] or a text with one.
    pub fn date(&mut self, name: impl FieldKey, value: impl FieldValue<kind::Date>) -> &mut Self {
        self.field(name, |out| value.write(out))
    }

    /// An `instant` field, from an [`Instant`] or a text with one (RFC 3339, or `YYYY-MM-DD HH:MM:SS` in UTC).
    pub fn instant(
        &mut self,
        name: impl FieldKey,
        value: impl FieldValue<kind::Instant>,
    ) -> &mut Self {
        self.field(name, |out| value.write(out))
    }

    /// A `time` field, from a [`Time`] or a text with one.
    pub fn time(&mut self, name: impl FieldKey, value: impl FieldValue<kind::Time>) -> &mut Self {
        self.field(name, |out| value.write(out))
    }

    /// An `option` field: the option's value.
    pub fn option(&mut self, name: impl FieldKey, value: impl FieldValue<kind::Id>) -> &mut Self {
        self.field(name, |out| value.write(out))
    }

    /// An `options` field: the values of the chosen options.
    pub fn options<I>(&mut self, name: impl FieldKey, values: I) -> &mut Self
    where
        I: IntoIterator<Item: FieldValue<kind::Id>>,
    {
        self.field(name, |out| {
            out.push(b'[');
            let mut separator = None;
            for value in values {
                out.extend(separator.replace(b','));
                value.write(out);
            }
            out.push(b']');
        })
    }

    /// An `owner` field: the owner's id.
    pub fn owner(&mut self, name: impl FieldKey, id: impl FieldValue<kind::Id>) -> &mut Self {
        self.field(name, |out| id.write(out))
    }

    /// A `reference` field: the id of a record of the same source.
    pub fn reference(&mut self, name: impl FieldKey, id: impl FieldValue<kind::Id>) -> &mut Self {
        self.field(name, |out| id.write(out))
    }

    /// A field whose kind is known only when running, from the vendor's own JSON. Strings are copied as they stand. Numbers become
    /// text where the kind wants text; `0`, `1` and their texts become booleans; a list of scalars, or a text such as `"1,2"`, becomes
    /// options. What does not fit is written as text, for the host to set the row aside.
    pub fn value(&mut self, name: impl FieldKey, kind: FieldKind, raw: &RawValue) -> &mut Self {
        self.field(name, |out| write_raw(out, kind, raw))
    }

    /// A link to the record `id` of the object that the catalog declares for the association `name`.
    pub fn association(&mut self, name: &str, id: impl FieldValue<kind::Id>) -> &mut Self {
        let tail = &mut self.page.tail;
        // The list is kept closed, so that the tail is whole after each call; what the row says of itself goes in front of it.
        if self.in_associations {
            tail.pop();
            tail.push(b',');
        } else {
            tail.extend_from_slice(b",\"associations\":[");
            self.in_associations = true;
        }
        tail.push(b'[');
        write_string(tail, name);
        tail.push(b',');
        id.write(tail);
        tail.extend_from_slice(b"]]");
        self
    }

    /// Ends the row; now it counts.
    pub fn finish(mut self) {
        let Page {
            rows, tail, len, ..
        } = &mut *self.page;
        if self.in_fields {
            rows.push(b'}');
        }
        rows.extend_from_slice(tail);
        rows.extend_from_slice(b"}\n");
        *len += 1;
        self.finished = true;
    }

    fn field(&mut self, name: impl FieldKey, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        let rows = &mut self.page.rows;
        if !self.in_fields {
            rows.extend_from_slice(b",\"fields\":{");
        }
        name.write_key(rows, std::mem::replace(&mut self.in_fields, true));
        write(rows);
        self
    }

    /// Writes one of the row's own keys: before the fields while there are none, else in front of what comes after them.
    fn reserved(&mut self, key: &[u8], write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        if !self.in_fields {
            self.page.rows.extend_from_slice(key);
            write(&mut self.page.rows);
            return self;
        }
        let mut tail = Vec::with_capacity(48 + self.page.tail.len());
        tail.extend_from_slice(key);
        write(&mut tail);
        tail.append(&mut self.page.tail);
        self.page.tail = tail;
        self
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.page.rows.truncate(self.start);
        }
    }
}

/// What names a field: a text, or a [`FieldName`].
pub trait FieldKey {
    /// Writes the key, behind a comma where another field stands before it.
    #[doc(hidden)]
    fn write_key(&self, out: &mut Vec<u8>, behind_another: bool);
}

impl<K: FieldKey + ?Sized> FieldKey for &K {
    fn write_key(&self, out: &mut Vec<u8>, behind_another: bool) {
        (**self).write_key(out, behind_another);
    }
}

impl FieldKey for str {
    fn write_key(&self, out: &mut Vec<u8>, behind_another: bool) {
        if behind_another {
            out.push(b',');
        }
        write_string(out, self);
        out.push(b':');
    }
}

impl FieldKey for String {
    fn write_key(&self, out: &mut Vec<u8>, behind_another: bool) {
        self.as_str().write_key(out, behind_another);
    }
}

/// A field's name in the form in which the rows hold it: made once, written into many rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName {
    /// `,"name":`
    json: Vec<u8>,
}

impl FieldName {
    /// Prepares a name.
    pub fn new(name: &str) -> Self {
        let mut json = Vec::with_capacity(name.len() + 4);
        name.write_key(&mut json, true);
        Self { json }
    }
}

impl FieldKey for FieldName {
    fn write_key(&self, out: &mut Vec<u8>, behind_another: bool) {
        out.extend_from_slice(&self.json[usize::from(!behind_another)..]);
    }
}

/// A value of an owned [`Record`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Known to be empty.
    Null,
    /// A text, an option, an owner or a reference.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A decimal or an amount of money.
    Decimal(Decimal<'static>),
    /// True or false.
    Boolean(bool),
    /// A day.
    Date(Date),
    /// A moment.
    Instant(Instant),
    /// A time of day.
    Time(Time),
    /// Several options.
    Options(Vec<String>),
}

/// One record, for authors who prefer to put it together first; [`Page::begin`] is faster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The source's id.
    pub id: String,
    /// When the source says it changed last.
    pub updated_at: Option<Instant>,
    /// Whether the source says it is deleted.
    pub deleted: bool,
    /// Names and values, each name once.
    pub fields: Vec<(String, Value)>,
    /// Association names and the ids at the other end.
    pub associations: Vec<(String, String)>,
}

impl Record {
    /// A record without fields.
    pub fn new(id: impl ToString) -> Self {
        Self {
            id: id.to_string(),
            updated_at: None,
            deleted: false,
            fields: Vec::new(),
            associations: Vec::new(),
        }
    }

    /// Adds when the source says it changed last.
    #[must_use]
    pub fn updated_at(mut self, instant: Instant) -> Self {
        self.updated_at = Some(instant);
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: Value) -> Self {
        self.fields.push((name.into(), value));
        self
    }

    /// Adds a link.
    #[must_use]
    pub fn association(mut self, name: impl Into<String>, id: impl ToString) -> Self {
        self.associations.push((name.into(), id.to_string()));
        self
    }
}
