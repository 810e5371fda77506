//! A batch of records of one object, every value checked against the kind its field declares, in four flat arrays.
//!
//! Records are read through [`RecordRef`], which borrows; nothing is allocated per record. A batch comes from rows
//! ([`crate::decode`]) or from a [`BatchBuilder`].

use std::ops::Range;
use std::sync::Arc;

use crate::catalog::ObjectInfo;
use crate::row::RowWriter;
use crate::time::{Date, Instant, TimeOfDay};
use crate::value::{Decimal, FieldKind, OptionsRef, ValueRef};

/// Where a text lies: in the rows as they came, or among the texts that were unescaped or added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
    pub(crate) added: bool,
}

impl Span {
    /// The bytes of the text it lies in.
    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot {
    Null,
    Text(Span),
    Integer(i64),
    Decimal(Decimal),
    Boolean(bool),
    Date(Date),
    Instant(Instant),
    Time(TimeOfDay),
    Options(Span),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) field: u16,
    pub(crate) slot: Slot,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: Span,
    pub(crate) updated_at: Option<Instant>,
    pub(crate) deleted: bool,
    pub(crate) line: Option<Span>,
    pub(crate) cells: Range<u32>,
    pub(crate) links: Range<u32>,
}

/// Records of one object, in order.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(crate) object: Arc<ObjectInfo>,
    pub(crate) text: String,
    pub(crate) added: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) links: Vec<(u16, Span)>,
}

impl Batch {
    pub(crate) fn empty(object: Arc<ObjectInfo>, text: String) -> Self {
        let (added, rows, cells, links) = (String::new(), Vec::new(), Vec::new(), Vec::new());
        Self {
            object,
            text,
            added,
            rows,
            cells,
            links,
        }
    }

    /// The object whose records these are; field positions are positions in its table.
    pub fn object(&self) -> &Arc<ObjectInfo> {
        &self.object
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The record at that position.
    ///
    /// # Panics
    /// When `position` is not below [`Self::len`].
    pub fn record(&self, position: usize) -> RecordRef<'_> {
        RecordRef {
            batch: self,
            row: &self.rows[position],
        }
    }

    /// The records in order.
    pub fn iter(&self) -> impl Iterator<Item = RecordRef<'_>> {
        self.rows.iter().map(|row| RecordRef { batch: self, row })
    }

    /// Replaces the text of a textual or option field where the record has that field; else does nothing. It is how `apply`
    /// puts a destination's own id where the plan holds a source's.
    pub fn replace_text(&mut self, position: usize, field: u16, value: Option<&str>) {
        let cells = self.rows[position].cells.clone();
        let slot = match value {
            Some(text) => Slot::Text(push(&mut self.added, text)),
            None => Slot::Null,
        };
        for cell in &mut self.cells[as_range(&cells)] {
            if cell.field == field {
                cell.slot = slot;
                self.rows[position].line = None;
            }
        }
    }

    pub(crate) fn str_at(&self, span: Span) -> &str {
        let whole = if span.added { &self.added } else { &self.text };
        &whole[span.range()]
    }

    fn value_at(&self, slot: Slot) -> ValueRef<'_> {
        match slot {
            Slot::Null => ValueRef::Null,
            Slot::Text(span) => ValueRef::Text(self.str_at(span)),
            Slot::Integer(number) => ValueRef::Integer(number),
            Slot::Decimal(number) => ValueRef::Decimal(number),
            Slot::Boolean(flag) => ValueRef::Boolean(flag),
            Slot::Date(date) => ValueRef::Date(date),
            Slot::Instant(instant) => ValueRef::Instant(instant),
            Slot::Time(time) => ValueRef::Time(time),
            Slot::Options(span) => ValueRef::Options(OptionsRef::Lines(self.str_at(span))),
        }
    }
}

pub(crate) fn push(added: &mut String, text: &str) -> Span {
    let start = u32::try_from(added.len()).expect("a batch is far below 4 GiB");
    added.push_str(text);
    Span {
        start,
        len: u32::try_from(text.len()).expect("a batch is far below 4 GiB"),
        added: true,
    }
}

fn as_range(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

/// One record of a batch.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    batch: &'a Batch,
    row: &'a Row,
}

impl<'a> RecordRef<'a> {
    /// Its id on its side.
    pub fn id(&self) -> &'a str {
        self.batch.str_at(self.row.id)
    }

    /// When its side says it changed last.
    pub fn updated_at(&self) -> Option<Instant> {
        self.row.updated_at
    }

    /// Whether its side says it is deleted.
    pub fn is_deleted(&self) -> bool {
        self.row.deleted
    }

    /// Its fields as (position in the object's table, value), each at most once; an absent field is unknown.
    pub fn fields(&self) -> impl Iterator<Item = (u16, ValueRef<'a>)> + use<'a> {
        let batch = self.batch;
        batch.cells[as_range(&self.row.cells)]
            .iter()
            .map(move |cell| (cell.field, batch.value_at(cell.slot)))
    }

    /// The value of the field at that position, `None` where the record does not say.
    pub fn find_field(&self, field: u16) -> Option<ValueRef<'a>> {
        let cells = &self.batch.cells[as_range(&self.row.cells)];
        cells
            .iter()
            .find(|cell| cell.field == field)
            .map(|cell| self.batch.value_at(cell.slot))
    }

    /// The text of the field at that position, `None` where it is absent, null or not textual.
    pub fn find_text(&self, field: u16) -> Option<&'a str> {
        match self.find_field(field) {
            Some(ValueRef::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Its links as (position in the object's associations, id at the other end), in the side's order.
    pub fn associations(&self) -> impl Iterator<Item = (u16, &'a str)> + use<'a> {
        let batch = self.batch;
        batch.links[as_range(&self.row.links)]
            .iter()
            .map(move |(name, span)| (*name, batch.str_at(*span)))
    }

    /// Appends the record as one row. Rows that were decoded and not changed are copied as they came.
    pub fn write_row(&self, out: &mut RowWriter) {
        let object = &self.batch.object;
        out.begin(self.id(), self.row.updated_at);
        if self.row.deleted {
            out.deleted();
        }
        for (field, value) in self.fields() {
            out.field(
                &object
                    .fields
                    .get(field)
                    .expect("cells name declared fields")
                    .name,
                value,
            );
        }
        for (name, id) in self.associations() {
            out.association(&object.associations[usize::from(name)].name, id);
        }
        out.end();
    }

    /// The row as it came, without its line feed; `None` for a built or changed record.
    pub fn row_text(&self) -> Option<&'a str> {
        self.row.line.map(|span| self.batch.str_at(span))
    }
}

/// Builds a batch record by record: for a side that does not speak rows, and for tests.
#[derive(Debug)]
pub struct BatchBuilder {
    batch: Batch,
}

impl BatchBuilder {
    /// An empty batch of that object.
    pub fn new(object: Arc<ObjectInfo>) -> Self {
        Self {
            batch: Batch::empty(object, String::new()),
        }
    }

    /// Starts the next record.
    pub fn begin(&mut self, id: &str, updated_at: Option<Instant>) -> &mut Self {
        let (cells, links) = (self.batch.cells.len(), self.batch.links.len());
        let id = push(&mut self.batch.added, id);
        let at = |len: usize| u32::try_from(len).expect("a batch is far below 4 GiB");
        let (cells, links) = (at(cells)..at(cells), at(links)..at(links));
        self.batch.rows.push(Row {
            id,
            updated_at,
            deleted: false,
            line: None,
            cells,
            links,
        });
        self
    }

    /// Adds a field to the record that was begun last.
    ///
    /// # Panics
    /// When no record was begun, the field is not in the table, or the value is not of its kind: all three are mistakes of the
    /// caller, never of data.
    pub fn field(&mut self, field: u16, value: ValueRef<'_>) -> &mut Self {
        let info = self
            .batch
            .object
            .fields
            .get(field)
            .expect("the field is in the object's table");
        assert!(
            fits(info.kind, value),
            "{} is {}, not {value:?}",
            info.name,
            info.kind
        );
        let slot = match value {
            ValueRef::Null => Slot::Null,
            ValueRef::Text(text) => Slot::Text(push(&mut self.batch.added, text)),
            ValueRef::Integer(number) => Slot::Integer(number),
            ValueRef::Decimal(number) => Slot::Decimal(number),
            ValueRef::Boolean(flag) => Slot::Boolean(flag),
            ValueRef::Date(date) => Slot::Date(date),
            ValueRef::Instant(instant) => Slot::Instant(instant),
            ValueRef::Time(time) => Slot::Time(time),
            ValueRef::Options(options) => {
                let start = push(&mut self.batch.added, "");
                for option in options.iter() {
                    self.batch.added.push_str(option);
                    self.batch.added.push('\n');
                }
                let len = u32::try_from(self.batch.added.len())
                    .expect("a batch is far below 4 GiB")
                    - start.start;
                Slot::Options(Span { len, ..start })
            }
        };
        self.batch.cells.push(Cell { field, slot });
        self.batch
            .rows
            .last_mut()
            .expect("a record was begun")
            .cells
            .end += 1;
        self
    }

    /// Adds a link to the record that was begun last.
    ///
    /// # Panics
    /// When no record was begun.
    pub fn association(&mut self, name: u16, id: &str) -> &mut Self {
        let span = push(&mut self.batch.added, id);
        self.batch.links.push((name, span));
        self.batch
            .rows
            .last_mut()
            .expect("a record was begun")
            .links
            .end += 1;
        self
    }

    /// How many records were begun.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Whether none was begun.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// The batch.
    pub fn finish(self) -> Batch {
        self.batch
    }
}

fn fits(kind: FieldKind, value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Null => true,
        ValueRef::Text(_) => kind.is_textual(),
        ValueRef::Integer(_) => kind == FieldKind::Integer,
        ValueRef::Decimal(_) => matches!(kind, FieldKind::Decimal | FieldKind::Money),
        ValueRef::Boolean(_) => kind == FieldKind::Boolean,
        ValueRef::Date(_) => kind == FieldKind::Date,
        ValueRef::Instant(_) => kind == FieldKind::Instant,
        ValueRef::Time(_) => kind == FieldKind::Time,
        ValueRef::Options(_) => kind == FieldKind::Options,
    }
}
