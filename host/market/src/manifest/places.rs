//! Finds the line of a manifest where a value stands.
//!
//! It reads nothing out of the text; a place that does not exist is found at what surrounds it.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One step to a value: a key, or a position in an array.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    Key(&'a str),
    At(usize),
}

/// The line, from 1, of the byte at `offset`.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(offset)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// The lines of a text's values.
pub(super) struct Places<'a> {
    text: &'a str,
    root: Option<Spanned<DeTable<'a>>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            root: DeTable::parse(text).ok(),
        }
    }

    /// The line of the value at the end of `path`, or of the innermost one around it that exists.
    pub(super) fn line_of(&self, path: &[Step<'_>]) -> usize {
        let Some(root) = &self.root else { return 1 };
        let Some((Step::Key(first), rest)) = path.split_first() else {
            return 1;
        };
        let Some(mut place) = root.get_ref().get(*first) else {
            return 1;
        };
        for step in rest {
            let inner = match (step, place.get_ref()) {
                (Step::Key(key), DeValue::Table(table)) => table.get(*key),
                (Step::At(position), DeValue::Array(array)) => array.get(*position),
                _ => None,
            };
            let Some(inner) = inner else { break };
            place = inner;
        }
        line_at(self.text, place.span().start)
    }
}
