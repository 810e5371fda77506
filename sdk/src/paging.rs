//! Holds the two ways in which most vendors page, as positions that go into a [`Cursor`].
//!
//! It does not stop a vendor that sends the same page for ever: the host does, which sees all pages.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::connector::PageRequest;
use crate::cursor::Cursor;
use crate::failure::Result;

/// Pages by an offset: `start` and `limit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetPager {
    /// Where the page starts, from 0.
    #[serde(rename = "s")]
    pub start: u64,
}

impl OffsetPager {
    /// Goes on where the request says.
    ///
    /// # Errors
    /// `stale-cursor` when the cursor is not one of this pager.
    pub fn resume(request: &PageRequest) -> Result<Self> {
        request.position()
    }

    /// The cursor behind a page. `next_start` is the vendor's where it says so; otherwise pass `start` plus what came. `None` ends the
    /// list.
    ///
    /// # Errors
    /// None that can happen with an offset; the signature is [`Cursor::encode`]'s.
    pub fn next(self, next_start: Option<u64>) -> Result<Option<Cursor>> {
        next_start
            .map(|start| Cursor::encode(&Self { start }))
            .transpose()
    }
}

/// Pages by the vendor's own opaque cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorPager<'a> {
    /// The vendor's cursor; absent on the first page.
    #[serde(rename = "c", borrow, default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cow<'a, str>>,
}

impl<'a> CursorPager<'a> {
    /// Goes on where the request says.
    ///
    /// # Errors
    /// `stale-cursor` when the cursor is not one of this pager.
    pub fn resume(request: &'a PageRequest) -> Result<Self> {
        request.position()
    }

    /// The vendor's cursor to ask with.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The cursor behind a page, from the vendor's next one. `None` (or an empty one) ends the list.
    ///
    /// # Errors
    /// `permanent` when the vendor's cursor is too long to be kept.
    pub fn next(&self, next_cursor: Option<&str>) -> Result<Option<Cursor>> {
        let next = next_cursor.filter(|cursor| !cursor.is_empty());
        next.map(|cursor| {
            Cursor::encode(&CursorPager {
                cursor: Some(cursor.into()),
            })
        })
        .transpose()
    }
}
