//! Connectors that would have a call made again and again, or wait for ever: repeats are few, and only one side makes them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use egress::{EgressError, Request, Response};
use model::{ConnectionId, Source as _, SourceError};
use sandbox::{ConnectorSource, Outbound};
use tokio::time::Instant;

use crate::beside::{Silence, compile, fetch, limits};
use crate::guest::{Ask, Guest, answer, import_send};

/// The position of `transient` and `rate-limited` in the contract's enum.
const TRANSIENT: u32 = 3;
const RATE_LIMITED: u32 = 2;

fn source(guest: &Guest, outbound: Arc<dyn Outbound>) -> ConnectorSource {
    let (connection, settings) = (ConnectionId::new("hostile"), BTreeMap::new());
    ConnectorSource::new(compile(guest), &connection, outbound, settings, limits())
}

/// Fails in `check` with that kind on the first so many calls of an instance.
fn failing(kind: u32, times: u32) -> Guest {
    let mut guest = Guest::new();
    guest.head = "(global $calls (mut i32) (i32.const 0))".to_owned();
    let (good, failure) = (
        guest.check.clone(),
        guest.image.failure(kind, b"the key s3cret\x1b[31m"),
    );
    guest.check = format!(
        "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (if (result i32) (i32.le_u (global.get $calls) (i32.const {times})) (then {}) (else {good}))",
        answer(failure)
    );
    guest
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_repeated_four_times_and_no_more() {
    let begun = Instant::now();
    let works_at_last = source(&failing(TRANSIENT, 4), Arc::new(Silence));
    assert_eq!(works_at_last.check().await.unwrap().name, "acme");
    // 1 + 2 + 4 + 8 seconds.
    assert_eq!(begun.elapsed().as_secs(), 15);
    let never_works = source(&failing(TRANSIENT, 5), Arc::new(Silence));
    let told = never_works.check().await;
    assert!(matches!(told, Err(SourceError::Transient(_))), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_asks_to_be_waited_for_for_ever_is_not() {
    let mut guest = failing(RATE_LIMITED, u32::MAX);
    let failure = guest.image.failure(RATE_LIMITED, b"wait");
    guest.check = format!(
        "(i32.store8 (i32.const {}) (i32.const 1)) (i64.store (i32.const {}) (i64.const -1)) {}",
        failure + 32,
        failure + 40,
        answer(failure)
    );
    let begun = Instant::now();
    let told = source(&guest, Arc::new(Silence)).check().await;
    let Err(SourceError::RateLimited { retry_after, .. }) = told else {
        panic!("{told:?}")
    };
    assert_eq!(retry_after, Some(Duration::from_millis(u64::MAX)));
    assert!(begun.elapsed() < Duration::from_secs(1), "nobody waited");
}

#[tokio::test]
async fn lasting_failures_are_told_at_once_without_escapes_and_secrets() {
    type IsExpected = fn(&SourceError) -> bool;
    let kinds: [(u32, IsExpected); 6] = [
        (0, |error| matches!(error, SourceError::Auth(_))),
        (1, |error| matches!(error, SourceError::Permission(_))),
        (4, |error| matches!(error, SourceError::StaleCursor(_))),
        (5, |error| matches!(error, SourceError::Unsupported(_))),
        (6, |error| matches!(error, SourceError::BadData(_))),
        (8, |error| matches!(error, SourceError::Permanent(_))),
    ];
    for (kind, is_expected) in kinds {
        let error = source(&failing(kind, 1), Arc::new(Silence)).check().await;
        let error = error.expect_err("it fails");
        assert!(is_expected(&error), "{kind}: {error:?}");
        let text = error.to_string();
        assert!(
            text.contains("the key [redacted]") && !text.contains('\u{1b}'),
            "{text:?}"
        );
    }
}

/// An outside that gives up on every request, and counts them.
#[derive(Default)]
struct Outage(AtomicU32);

#[async_trait]
impl Outbound for Outage {
    async fn send(&self, _: Request, _: Instant) -> Result<Response, EgressError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let (endpoint, path) = ("api".to_owned(), "/".to_owned());
        Err(EgressError::Transient {
            place: egress::Place { endpoint, path },
            cause: "cannot connect".to_owned(),
            attempts: 5,
        })
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }
}

/// The way out repeats; were the call repeated too, an address where nobody answers would be tried 25 times.
#[tokio::test(start_paused = true)]
async fn a_call_whose_request_got_no_answer_is_not_repeated() {
    let mut guest = Guest::new();
    guest.head = import_send();
    let failure = guest.image.failure(TRANSIENT, b"no answer");
    let call = Ask::get("/").call(&mut guest.image);
    guest.fetch_records = format!("{call} {}", answer(failure));
    let outage = Arc::new(Outage::default());
    let begun = Instant::now();
    let told = fetch(&source(&guest, outage.clone())).await;
    assert!(matches!(told, Err(SourceError::Transient(_))), "{told:?}");
    assert_eq!(outage.0.load(Ordering::Relaxed), 1);
    assert!(begun.elapsed() < Duration::from_secs(1), "nobody waited");
}
