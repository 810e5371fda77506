//! Sends a request and opens both generations' envelopes: `next_cursor` of the second, `start`/`limit` of the first, flat or nested.
//!
//! What is inside `data` it leaves alone, but for small lists that are read whole.

use longshore_sdk::{Context, Failure, Request, Response, Result};
use serde::{Deserialize, Deserializer};

use crate::fault::{self, Signs};

/// The most rows of a page, in both generations.
pub(crate) const PAGE_MAX: u32 = 500;
/// The id of the manifest's endpoint.
pub(crate) const ENDPOINT: &str = "api";

/// A small answer, read whole. `data` may be null or absent.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer<T> {
    #[serde(default = "none")]
    pub(crate) data: Option<T>,
    #[serde(default)]
    pub(crate) additional_data: Option<Paging>,
}

fn none<T>() -> Option<T> {
    None
}

/// Where a list goes on, as either generation says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Paging {
    /// Second generation.
    #[serde(default)]
    pub(crate) next_cursor: Option<String>,
    #[serde(default, deserialize_with = "lenient_bool")]
    more_items_in_collection: bool,
    #[serde(default)]
    next_start: Option<u64>,
    #[serde(default)]
    pagination: Option<Box<Paging>>,
}

impl Paging {
    /// Where a list of the first generation goes on, after a page of `got` rows that began at `start`. `None` at its end.
    pub(crate) fn next_start(&self, start: u64, got: u64) -> Option<u64> {
        let paging = self.pagination.as_deref().unwrap_or(self);
        let next = paging
            .next_start
            .filter(|next| *next > start)
            .unwrap_or(start + got);
        // An empty page that claims more would never end.
        (paging.more_items_in_collection && next > start).then_some(next)
    }
}

/// `true`, `1` or `"1"`; anything else is false.
fn lenient_bool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let raw = <&serde_json::value::RawValue>::deserialize(deserializer)?;
    Ok(crate::json::boolean(raw.get()) == Some(true))
}

/// Starts a GET.
pub(crate) fn get<'c>(ctx: &'c Context, path: &str) -> Request<'c> {
    ctx.http().get(ENDPOINT, path)
}

/// Sends a request and hands back the answer when it is a good one.
///
/// # Errors
/// What the host's client failed with, and Pipedrive's own error answers, in the kinds of [`fault`].
pub(crate) fn send(ctx: &Context, request: Request<'_>, path: &str) -> Result<Response> {
    let response = request
        .send()
        .map_err(|failure| fault::rename(failure, path))?;
    let header = |name: &str| response.header(name);
    let seconds = |name: &str| header(name).and_then(|value| value.trim().parse::<u64>().ok());
    let signs = Signs {
        path,
        status: response.status,
        is_html: response.is_html(),
        reset_seconds: seconds("retry-after").max(seconds("x-ratelimit-reset")),
        day_is_spent: header("x-daily-requests-left").is_some_and(|left| left.trim() == "0"),
        until_midnight_seconds: if response.status == 429 {
            until_midnight_seconds(ctx)
        } else {
            0
        },
    };
    match fault::find(&signs, &response.body) {
        Some(failure) => Err(failure),
        None => Ok(response),
    }
}

/// Reads an unpaged list, or one record, whole; `None` when `data` is null.
///
/// # Errors
/// As [`send`], and `bad-data` when the answer is not of that type.
pub(crate) fn read_whole<T: for<'de> Deserialize<'de>>(
    ctx: &Context,
    path: &str,
) -> Result<Option<T>> {
    let response = send(ctx, get(ctx, path), path)?;
    Ok(response.json::<Answer<T>>()?.data)
}

/// Reads a list of the second generation whole, page by page. For small lists only.
///
/// # Errors
/// As [`read_whole`].
pub(crate) fn read_all<T: for<'de> Deserialize<'de>>(ctx: &Context, path: &str) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let request = get(ctx, path)
            .query("limit", PAGE_MAX)
            .query_opt("cursor", cursor.as_deref());
        let response = send(ctx, request, path)?;
        let answer: Answer<Vec<T>> = response.json()?;
        rows.extend(answer.data.unwrap_or_default());
        let next = answer.additional_data.and_then(|paging| paging.next_cursor);
        if next.is_none() || next == cursor {
            return Ok(rows);
        }
        cursor = next;
    }
}

/// The answer's text.
///
/// # Errors
/// `bad-data` when it is not UTF-8.
pub(crate) fn body_text<'r>(response: &'r Response, path: &str) -> Result<&'r str> {
    std::str::from_utf8(&response.body).map_err(|error| {
        Failure::bad_data(
            "pipedrive.utf-8",
            format!("the answer for {path} is not utf-8: {error}"),
        )
    })
}

fn until_midnight_seconds(ctx: &Context) -> u64 {
    let of_day = ctx.now().unix_seconds().rem_euclid(86_400);
    u64::try_from(86_400 - of_day).unwrap_or(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(additional_data: &str, start: u64, got: u64, expected: Option<u64>) {
        let paging: Paging = serde_json::from_str(additional_data).unwrap();
        assert_eq!(paging.next_start(start, got), expected, "{additional_data}");
    }

    #[test]
    fn the_first_generation_pages_flat_and_nested() {
        check(
            r#"{"start":0,"limit":100,"more_items_in_collection":true}"#,
            0,
            100,
            Some(100),
        );
        check(
            r#"{"pagination":{"start":0,"limit":100,"more_items_in_collection":true,"next_start":100}}"#,
            0,
            100,
            Some(100),
        );
        check(
            r#"{"pagination":{"start":100,"limit":100,"more_items_in_collection":false}}"#,
            100,
            3,
            None,
        );
        check(
            r#"{"start":100,"limit":100,"more_items_in_collection":0}"#,
            100,
            3,
            None,
        );
        check("{}", 0, 7, None);
    }

    #[test]
    fn a_page_that_stands_still_ends_the_list() {
        check(
            r#"{"pagination":{"more_items_in_collection":true,"next_start":100}}"#,
            100,
            0,
            None,
        );
    }

    #[test]
    fn an_empty_answer_has_no_data() {
        let empty: Answer<Vec<u8>> =
            serde_json::from_str(r#"{"success":true,"data":null,"additional_data":null}"#).unwrap();
        assert!(empty.data.is_none() && empty.additional_data.is_none());
        let empty: Answer<Vec<u8>> =
            serde_json::from_str(r#"{"success":false,"data":[]}"#).unwrap();
        assert_eq!(empty.data, Some(Vec::new()));
    }
}
