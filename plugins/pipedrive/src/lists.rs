//! Reads lists of the second generation page by page, one after the other where an object is spread over several (deals and archived deals).
//!
//! What a record's row holds is the object's own business.

use longshore_sdk::{
    Context, Cursor, Failure, FailureKind, Instant, Level, PageRequest, Response, Result,
};
use serde::{Deserialize, Serialize};

use crate::envelope::{self, PAGE_MAX};
use crate::reading::{self, Ending, Record};
use crate::table::Table;

/// One list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub(crate) path: &'static str,
    /// Computed values to ask for.
    pub(crate) include_fields: Option<&'static str>,
    pub(crate) changes: Changes,
}

/// How a list is narrowed to what changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changes {
    /// Not at all.
    None,
    /// By `updated_since`.
    Since,
    /// The same, and deleted records come only when asked for by status.
    SinceWithStatus,
}

/// A place in an object's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Which list.
    #[serde(rename = "l", default)]
    pub(crate) list: usize,
    /// Pipedrive's cursor in it.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

impl Position {
    /// The place behind a page; `None` behind the last list.
    pub(crate) fn next(&self, lists: usize, ending: &Ending) -> Option<Self> {
        match &ending.paging.next_cursor {
            Some(cursor) if !cursor.is_empty() => Some(Self {
                list: self.list,
                cursor: Some(cursor.clone()),
            }),
            _ => self.next_list(lists),
        }
    }

    /// The start of the next list; `None` behind the last one.
    pub(crate) fn next_list(&self, lists: usize) -> Option<Self> {
        (self.list + 1 < lists).then(|| Self {
            list: self.list + 1,
            cursor: None,
        })
    }
}

/// The list at a place.
///
/// # Errors
/// `stale-cursor` when there is none: an end that was never reached must not look like one.
pub(crate) fn pick<T>(lists: &[T], at: usize) -> Result<&T> {
    lists.get(at).ok_or_else(|| {
        Failure::stale_cursor(
            "pipedrive.cursor",
            "the cursor names a list that is not read",
        )
    })
}

/// How many rows to ask for.
pub(crate) fn limit(request: &PageRequest) -> u32 {
    request.limit.clamp(1, PAGE_MAX)
}

/// The instant to read changes from, to the second, rounded down: Pipedrive's filters know no fractions.
pub(crate) fn since(request: &PageRequest) -> Option<Instant> {
    request
        .updated_since
        .and_then(|instant| Instant::from_unix_seconds(instant.unix_seconds()))
}

/// Asks for the page at a place. `None` when a list behind the first does not exist in this account.
///
/// # Errors
/// As the request fails.
pub(crate) fn open(
    ctx: &Context,
    list: &List,
    position: &Position,
    limit: u32,
    since: Option<Instant>,
) -> Result<Option<Response>> {
    let since = since.filter(|_| list.changes != Changes::None);
    let statuses = since
        .filter(|_| list.changes == Changes::SinceWithStatus)
        .map(|_| "open,won,lost,deleted");
    let query = envelope::get(ctx, list.path)
        .query("limit", limit)
        .query_opt("cursor", position.cursor.as_deref())
        .query_opt("include_fields", list.include_fields)
        .query_opt("updated_since", since)
        .query_opt("status", statuses);
    match envelope::send(ctx, query, list.path) {
        Err(failure) if failure.kind == FailureKind::NotFound && position.list > 0 => {
            ctx.log(
                Level::Warn,
                &format!("{} is left out: {}", list.path, failure.message),
            );
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// Reads one page of an object's lists, calling back for each record.
///
/// # Errors
/// As the request or the callback fails.
pub(crate) fn fetch(
    ctx: &Context,
    lists: &[List],
    table: &Table,
    request: &PageRequest,
    each: &mut dyn FnMut(&Record<'_, '_>) -> Result<()>,
) -> Result<Option<Cursor>> {
    let position: Position = request.position()?;
    let list = pick(lists, position.list)?;
    let next = match open(ctx, list, &position, limit(request), since(request))? {
        Some(response) => {
            let ending = reading::for_each_record(ctx, &response, list.path, table, each)?;
            position.next(lists.len(), &ending)
        }
        None => position.next_list(lists.len()),
    };
    next.map(|next| Cursor::encode(&next)).transpose()
}
