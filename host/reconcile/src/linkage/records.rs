//! The records that are compared, each value kept once and named by a number.
//!
//! They are in the order of their ids, and values are numbered as they first occur in it: in which order the records came in leaves
//! no trace.

use std::collections::HashMap;

use super::form;
use super::hash;
use super::kind::Kind;
use super::level::FIELDS_MAX;
use super::nickname;
use super::signature;
use crate::likeness;

/// A field of the records: what it is called, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name, for the evidence.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// Why records cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkageError {
    /// There are more columns than can be compared at once.
    #[error("{0} columns are more than the {FIELDS_MAX} that can be compared at once")]
    TooManyColumns(usize),
    /// Two records have one id.
    #[error("two records have the id {0:?}")]
    DuplicateId(String),
}

/// A record, by its place in the order of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordIndex(pub(super) u32);

impl RecordIndex {
    /// Its place.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Records on their way in, in any order.
#[derive(Debug)]
pub struct Records {
    columns: Vec<Column>,
    ids: Vec<Box<str>>,
    cells: Vec<Vec<u32>>,
    texts: Vec<HashMap<Box<str>, u32>>,
    has_people: bool,
}

impl Records {
    /// No records yet, of these columns.
    ///
    /// # Errors
    /// When there are more columns than can be compared.
    pub fn new(columns: Vec<Column>) -> Result<Self, LinkageError> {
        if columns.len() > FIELDS_MAX {
            return Err(LinkageError::TooManyColumns(columns.len()));
        }
        Ok(Self {
            has_people: columns.iter().any(|column| column.kind.is_personal()),
            ids: Vec::new(),
            cells: vec![Vec::new(); columns.len()],
            texts: vec![HashMap::new(); columns.len()],
            columns,
        })
    }

    /// Adds a record: its id, and its values in the order of the columns. What a value lacks is missing.
    pub fn push<'v>(&mut self, id: &str, values: impl IntoIterator<Item = &'v str>) {
        self.ids.push(id.into());
        let mut values = values.into_iter();
        for (at, column) in self.columns.iter().enumerate() {
            let text = form::of(column.kind, values.next().unwrap_or_default());
            // A desk's address says who works there, not who it is.
            let is_desk = |text: &String| {
                self.has_people && column.kind == Kind::Email && form::is_role(text)
            };
            let token = text.filter(|text| !is_desk(text)).map_or(0, |text| {
                let texts = &mut self.texts[at];
                let next = u32::try_from(texts.len() + 1).unwrap_or(0);
                *texts.entry(text.into_boxed_str()).or_insert(next)
            });
            self.cells[at].push(token);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Puts them in order.
    pub(super) fn sorted(self) -> Result<Sorted, LinkageError> {
        let mut order: Vec<u32> = (0..).take(self.ids.len()).collect();
        order.sort_unstable_by(|a, b| self.ids[*a as usize].cmp(&self.ids[*b as usize]));
        let twice = order
            .windows(2)
            .find(|pair| self.ids[pair[0] as usize] == self.ids[pair[1] as usize]);
        if let Some(pair) = twice {
            return Err(LinkageError::DuplicateId(
                self.ids[pair[0] as usize].to_string(),
            ));
        }
        let mut ids = self.ids;
        let ids = order
            .iter()
            .map(|at| std::mem::take(&mut ids[*at as usize]))
            .collect();
        let parts = self.columns.into_iter().zip(self.cells).zip(self.texts);
        let fields = parts
            .map(|((column, cells), texts)| Field::new(column, &cells, texts, &order))
            .collect();
        Ok(Sorted { ids, fields })
    }
}

/// Records in the order of their ids.
#[derive(Debug)]
pub(super) struct Sorted {
    pub(super) ids: Vec<Box<str>>,
    pub(super) fields: Vec<Field>,
}

impl Sorted {
    /// The fields that are a person's own; none where the records are no persons.
    pub(super) fn own_fields(&self) -> Vec<usize> {
        let has_people = self.fields.iter().any(|field| field.kind.is_personal());
        let fields = self.fields.iter().enumerate();
        fields
            .filter(|(_, field)| has_people && field.kind.is_own())
            .map(|(at, _)| at)
            .collect()
    }

    /// The first field of that kind.
    pub(super) fn find(&self, kind: Kind) -> Option<usize> {
        self.fields.iter().position(|field| field.kind == kind)
    }
}

/// One value.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) text: Box<str>,
    /// Which letters and digits occur in it, for a quick no.
    pub(super) letters: u64,
    /// The lines of the nickname table that it is on.
    pub(super) nicknames: u128,
    /// How it sounds; 0 where that does not matter.
    pub(super) sound: u64,
    /// Its words, sorted: a range of the field's.
    pub(super) words: (u32, u32),
}

/// One field of all records.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The value of each record, 0 for none.
    pub(super) cells: Vec<u32>,
    /// The values by number; the first is nobody's.
    pub(super) values: Vec<Value>,
    /// The words of all values, each a number in order of first occurrence.
    pub(super) words: Vec<u32>,
    /// How many records have each word, by its number.
    pub(super) word_counts: Vec<u32>,
    /// How many bits each word tells.
    pub(super) word_bits: Vec<f32>,
}

impl Field {
    fn new(column: Column, cells: &[u32], texts: HashMap<Box<str>, u32>, order: &[u32]) -> Self {
        let mut by_token: Vec<Box<str>> = vec!["".into(); texts.len() + 1];
        for (text, token) in texts {
            by_token[token as usize] = text;
        }
        let mut renamed = vec![0_u32; by_token.len()];
        let mut field = Self {
            name: column.name,
            kind: column.kind,
            cells: Vec::with_capacity(order.len()),
            values: vec![],
            words: vec![],
            word_counts: vec![],
            word_bits: vec![],
        };
        field.values.reserve_exact(by_token.len());
        field.values.push(value(field.kind, "".into()));
        for at in order {
            let token = cells[*at as usize] as usize;
            if token != 0 && renamed[token] == 0 {
                renamed[token] = u32::try_from(field.values.len()).unwrap_or(0);
                let text = std::mem::take(&mut by_token[token]);
                field.values.push(value(field.kind, text));
            }
            field.cells.push(renamed[token]);
        }
        if has_words(field.kind) {
            field.find_words();
        }
        field
    }

    fn find_words(&mut self) {
        let mut counts = vec![0_u32; self.values.len()];
        self.cells
            .iter()
            .for_each(|token| counts[*token as usize] += 1);
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut occurrences: Vec<u32> = Vec::new();
        let mut all = Vec::new();
        let mut ranges = Vec::with_capacity(self.values.len());
        for (value, count) in self.values.iter().zip(&counts) {
            let mut own = Vec::new();
            for word in value.text.split(' ').filter(|word| !word.is_empty()) {
                let fresh = u32::try_from(numbers.len()).unwrap_or(0);
                own.push(*numbers.entry(word).or_insert(fresh));
            }
            own.sort_unstable();
            own.dedup();
            occurrences.resize(numbers.len(), 0);
            own.iter()
                .for_each(|word| occurrences[*word as usize] += count);
            let start = u32::try_from(all.len()).unwrap_or(0);
            all.extend(own);
            ranges.push((start, u32::try_from(all.len()).unwrap_or(0)));
        }
        let records = self.cells.len() as f64;
        self.word_bits = occurrences
            .iter()
            .map(|count| (1.0 + records / f64::from((*count).max(1))).log2() as f32)
            .collect();
        self.word_counts = occurrences;
        self.words = all;
        for (value, range) in self.values.iter_mut().zip(ranges) {
            value.words = range;
        }
    }

    /// The value of a record.
    pub(super) fn value(&self, record: u32) -> Option<&Value> {
        match self.cells[record as usize] {
            0 => None,
            token => self.values.get(token as usize),
        }
    }

    /// The words of a value.
    pub(super) fn words_of(&self, value: &Value) -> &[u32] {
        &self.words[value.words.0 as usize..value.words.1 as usize]
    }
}

/// Whether values of that kind are compared by their words, too.
pub(super) fn has_words(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::FullName | Kind::AddressLine | Kind::Company | Kind::Text
    )
}

fn value(kind: Kind, text: Box<str>) -> Value {
    let letters = signature::letters(&text);
    let nicknames = match kind {
        Kind::GivenName => nickname::lines(&text),
        _ => 0,
    };
    let sound = match kind {
        Kind::GivenName | Kind::Surname | Kind::City if !text.is_empty() => {
            hash::text(&likeness::sound(&text))
        }
        _ => 0,
    };
    Value {
        text,
        letters,
        nicknames,
        sound,
        words: (0, 0),
    }
}
