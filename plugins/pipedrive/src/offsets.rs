//! Reads lists of the first generation page by page (`start` and `limit`), one after the other where an object is spread over several.
//!
//! What a record's row holds is the object's own business.

use longshore_sdk::{Context, FailureKind, Level, Result};
use serde::{Deserialize, Serialize};

use crate::envelope;
use crate::reading::{self, Record};
use crate::table::Table;

/// A place in an object's lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Which list.
    #[serde(rename = "l", default)]
    pub(crate) list: usize,
    /// How many records are behind.
    #[serde(rename = "s", default)]
    pub(crate) start: u64,
}

/// What to ask of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) path: &'a str,
    pub(crate) start: u64,
    pub(crate) limit: u32,
    /// Where the list knows `updated_since`: the instant.
    pub(crate) since: Option<longshore_sdk::Instant>,
}

/// Reads one page, calling back for each record; answers where the list goes on.
///
/// # Errors
/// As the request or the callback fails.
pub(crate) fn read(
    ctx: &Context,
    ask: &Ask<'_>,
    table: &Table,
    each: &mut dyn FnMut(&Record<'_, '_>) -> Result<()>,
) -> Result<Option<u64>> {
    let request = envelope::get(ctx, ask.path)
        .query("start", ask.start)
        .query("limit", ask.limit)
        .query_opt("updated_since", ask.since);
    let response = envelope::send(ctx, request, ask.path)?;
    let ending = reading::for_each_record(ctx, &response, ask.path, table, each)?;
    Ok(ending.paging.next_start(ask.start, ending.count))
}

/// Passes on a list's answer, or nothing where a list that only some accounts have is missing or may not be seen.
///
/// # Errors
/// Every other failure.
pub(crate) fn optional<T: Default>(ctx: &Context, what: &str, answer: Result<T>) -> Result<T> {
    match answer {
        Err(failure)
            if matches!(
                failure.kind,
                FailureKind::Permission | FailureKind::NotFound | FailureKind::Unsupported
            ) =>
        {
            ctx.log(
                Level::Warn,
                &format!("{what} is left out: {}", failure.message),
            );
            Ok(T::default())
        }
        other => other,
    }
}
