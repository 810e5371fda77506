//! Notices a list that would never end: a cursor that stands still or comes back, or pages that stay empty.
//!
//! It keeps sixteen bytes a page of the lists that are being read, and nothing of their records.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use model::{Cursor, ObjectName};

use crate::limits::CellLimits;

/// How often one cursor may come in one pass over a list: a host that repeats a page gets it again.
const RETURNS_MAX: u32 = 8;

/// Why a list counts as one that never ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndlessList {
    #[error("the page of {0} names itself as the next one")]
    StandsStill(ObjectName),
    #[error("the list of {0} goes round in a circle: one cursor came {RETURNS_MAX} times")]
    Circle(ObjectName),
    #[error("the list of {object} had {pages} empty pages in a row")]
    Empty { object: ObjectName, pages: u32 },
    #[error("the list of {object} does not end: it had {pages} pages")]
    TooLong { object: ObjectName, pages: u32 },
    #[error(
        "the cursor of {object} has {bytes} bytes; the most is {}",
        Cursor::MAX_BYTES
    )]
    CursorTooLong { object: ObjectName, bytes: usize },
}

/// The lists that are being read.
#[derive(Default)]
pub(crate) struct Progress {
    hasher: RandomState,
    lists: HashMap<ObjectName, Pass>,
}

#[derive(Default)]
struct Pass {
    seen: HashMap<u64, u32>,
    pages: u32,
    empty_pages: u32,
}

impl Progress {
    /// Takes note of one page: the cursor it was asked with, the one it answered with, and whether it had rows.
    pub(crate) fn step(
        &mut self,
        object: &ObjectName,
        cursor: Option<&Cursor>,
        next: Option<&[u8]>,
        has_rows: bool,
        limits: &CellLimits,
    ) -> Result<(), EndlessList> {
        let Some(next) = next else {
            self.lists.remove(object);
            return Ok(());
        };
        if next.len() > Cursor::MAX_BYTES {
            return Err(EndlessList::CursorTooLong {
                object: object.clone(),
                bytes: next.len(),
            });
        }
        if cursor.is_some_and(|cursor| cursor.as_bytes() == next) {
            return Err(EndlessList::StandsStill(object.clone()));
        }
        if cursor.is_none() {
            self.lists.remove(object);
        }
        let pass = self.lists.entry(object.clone()).or_default();
        pass.empty_pages = if has_rows { 0 } else { pass.empty_pages + 1 };
        if pass.empty_pages > limits.empty_pages_max {
            return Err(EndlessList::Empty {
                object: object.clone(),
                pages: pass.empty_pages,
            });
        }
        pass.pages += 1;
        if pass.pages > limits.pages_max {
            return Err(EndlessList::TooLong {
                object: object.clone(),
                pages: pass.pages,
            });
        }
        let times = pass.seen.entry(self.hasher.hash_one(next)).or_default();
        *times += 1;
        if *times >= RETURNS_MAX {
            Err(EndlessList::Circle(object.clone()))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(steps: &[(Option<&str>, Option<&str>, bool)]) -> Result<(), EndlessList> {
        let (mut progress, object) = (Progress::default(), ObjectName::new("deal"));
        let limits = CellLimits {
            empty_pages_max: 3,
            pages_max: 20,
            ..CellLimits::default()
        };
        steps.iter().try_for_each(|(cursor, next, has_rows)| {
            let cursor = cursor.map(|cursor| Cursor::new(cursor.as_bytes().to_vec()));
            progress.step(
                &object,
                cursor.as_ref(),
                next.map(str::as_bytes),
                *has_rows,
                &limits,
            )
        })
    }

    #[test]
    fn an_ordinary_list_and_a_repeated_page_pass() {
        let first = (None, Some("a"), true);
        let second = (Some("a"), Some("b"), true);
        assert_eq!(
            walk(&[first, second, second, second, (Some("b"), None, false)]),
            Ok(())
        );
        assert_eq!(
            walk(&[first; 50]),
            Ok(()),
            "each first page starts a new pass"
        );
    }

    #[test]
    fn a_list_without_end_is_noticed() {
        let deal = ObjectName::new("deal");
        assert_eq!(
            walk(&[(None, Some("a"), true), (Some("a"), Some("a"), true)]),
            Err(EndlessList::StandsStill(deal.clone()))
        );
        let round = [(Some("a"), Some("b"), true), (Some("b"), Some("a"), true)];
        assert_eq!(
            walk(&round.repeat(8)),
            Err(EndlessList::Circle(deal.clone()))
        );
        let empty = [(Some("a"), Some("b"), false), (Some("b"), Some("c"), false)];
        assert_eq!(
            walk(&empty.repeat(2)),
            Err(EndlessList::Empty {
                object: deal.clone(),
                pages: 4
            })
        );
        let cursors: Vec<String> = (0..22).map(|number| number.to_string()).collect();
        let pages: Vec<_> = cursors
            .windows(2)
            .map(|pair| (Some(pair[0].as_str()), Some(pair[1].as_str()), true))
            .collect();
        assert_eq!(
            walk(&pages),
            Err(EndlessList::TooLong {
                object: deal.clone(),
                pages: 21
            })
        );
        let long = "x".repeat(Cursor::MAX_BYTES + 1);
        let error = walk(&[(None, Some(&long), true)]);
        assert_eq!(
            error,
            Err(EndlessList::CursorTooLong {
                object: deal,
                bytes: Cursor::MAX_BYTES + 1
            })
        );
    }
}
