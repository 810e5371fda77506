//! Lists without end, and pages that lie about what comes next.

use std::sync::Arc;

use model::{Cursor, Source as _, SourceError};

use crate::beside::{Silence, attack, attack_with, fetch, limits, read_list, request};
use crate::guest::{GOOD_ROWS, Guest, answer};

/// Pages without end: each names a next one that no page named before.
fn counting(rows: &str) -> Guest {
    let mut guest = Guest::new();
    let rows = guest.image.list(rows.as_bytes());
    let page = guest.image.page_at(rows, Some(&[0; 8]));
    // Counts in the cursor's bytes, which lie before the page.
    guest.fetch_records = format!(
        "(i32.store (i32.load (i32.const {at})) (i32.add (i32.load (i32.load (i32.const {at}))) (i32.const 1))) {}",
        answer(page),
        at = page + 20,
    );
    guest
}

#[track_caller]
fn check_refused<T: std::fmt::Debug>(told: Result<T, SourceError>, expected: &str) {
    match told {
        Err(SourceError::Permanent(message)) if message.contains(expected) => {}
        other => panic!("expected {expected:?}, got {other:?}"),
    }
}

#[tokio::test]
async fn a_page_that_names_itself_as_the_next_one_is_refused() {
    let guest = Guest::paging(GOOD_ROWS.as_bytes(), Some(b"here"));
    let told = attack(&guest, async |source| {
        assert_eq!(
            fetch(source).await?.next,
            Some(Cursor::new(b"here".to_vec()))
        );
        source.fetch_page(&request(Some("here"))).await
    });
    check_refused(told.await, "names itself");
}

#[tokio::test]
async fn a_list_that_goes_round_in_a_circle_is_refused() {
    // The last byte of the cursor is 0 or 1 in turn.
    let mut guest = Guest::new();
    let rows = guest.image.list(GOOD_ROWS.as_bytes());
    let page = guest.image.page_at(rows, Some(&[0; 8]));
    guest.fetch_records = format!(
        "(i32.store (i32.load (i32.const {at})) (i32.xor (i32.load (i32.load (i32.const {at}))) (i32.const 1))) {}",
        answer(page),
        at = page + 20,
    );
    let told = attack(&guest, async |source| read_list(source, 1_000).await);
    check_refused(told.await, "circle");
}

#[tokio::test]
async fn empty_pages_without_end_are_refused() {
    let mut limits = limits();
    limits.empty_pages_max = 100;
    let guest = counting("");
    let told = attack_with(&guest, Arc::new(Silence), limits, async |source| {
        read_list(source, 1_000).await
    });
    check_refused(told.await, "101 empty pages");
}

#[tokio::test]
async fn full_pages_without_end_are_refused() {
    let mut limits = limits();
    limits.pages_max = 150;
    let guest = counting(GOOD_ROWS);
    let told = attack_with(&guest, Arc::new(Silence), limits, async |source| {
        read_list(source, 1_000).await
    });
    check_refused(told.await, "does not end");
}

#[tokio::test]
async fn a_cursor_that_is_too_long_is_refused() {
    let guest = Guest::paging(b"", Some(&vec![b'x'; 64 * 1024 + 1]));
    check_refused(attack(&guest, fetch).await, "cursor");
}

#[tokio::test]
async fn an_empty_cursor_does_not_start_the_list_again_for_ever() {
    let guest = Guest::paging(GOOD_ROWS.as_bytes(), Some(b""));
    let told = attack(&guest, async |source| read_list(source, 1_000).await);
    check_refused(told.await, "names itself");
}

#[tokio::test]
async fn a_page_that_changes_the_ids_of_its_records_is_no_harm_to_others() {
    // The same page, asked for twice, has other ids: both come, and the caller sees two sets of records, each whole.
    let mut guest = Guest::new();
    let rows = guest.image.list(b"{\"id\":\"1\",\"fields\":{}}\n");
    let page = guest.image.page_at(rows, None);
    guest.fetch_records = format!(
        "(i32.store8 (i32.const {at}) (i32.add (i32.load8_u (i32.const {at})) (i32.const 1))) {}",
        answer(page),
        at = rows[0] + 7,
    );
    let ids = attack(&guest, async |source| {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let page = fetch(source).await?;
            ids.extend(page.records.iter().map(|record| record.id().to_owned()));
        }
        Ok(ids)
    });
    assert_eq!(ids.await.unwrap(), ["2", "3"]);
}
