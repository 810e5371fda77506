//! The cases about what a connector says when its vendor refuses, fails or talks nonsense.
//!
//! Each asks once in trouble and once after it: no answer may depend on the trouble before.

use std::sync::Arc;
use std::time::Duration;

use egress::FailureKind;
use model::{Cursor, Instant, ObjectName, Source as _, SourceError};

use super::bench::{Account, Bench, Subject};
use super::wire::Fault;

/// Orders a fault, asks for the first page of each object and for the account, and ends the fault.
async fn each_call(
    subject: &Subject,
    fault: Fault,
    is_right: impl Fn(&Bench, &SourceError) -> bool,
) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    for object in bench.objects() {
        let right = bench.page(&object, None, None, 7).await.unwrap();
        // A fresh instance has nothing to fall back on.
        bench.source.rest().await;
        bench.wire.order(Some(fault.clone()));
        let refused = bench.page(&object, None, None, 7).await;
        let error = refused.expect_err("a page was told in spite of the fault");
        assert!(
            is_right(&bench, &error),
            "{object} under {fault:?}: {error:?}"
        );
        bench.wire.order(None);
        let after = bench.page(&object, None, None, 7).await.unwrap();
        assert_eq!(after, right, "{object} after {fault:?}");
    }
    bench.wire.order(Some(fault.clone()));
    let error = bench.source.check().await.unwrap_err();
    assert!(is_right(&bench, &error), "check under {fault:?}: {error:?}");
}

pub(crate) async fn a_lost_token_is_auth(subject: &Subject) {
    let is_auth = |_: &Bench, error: &SourceError| matches!(error, SourceError::Auth(_));
    each_call(subject, Fault::Status(401, None), is_auth).await;
    each_call(subject, Fault::Gateway(FailureKind::Auth), is_auth).await;
}

pub(crate) async fn what_the_account_may_not_see_is_permission(subject: &Subject) {
    let is_permission =
        |_: &Bench, error: &SourceError| matches!(error, SourceError::Permission(_));
    each_call(subject, Fault::Status(403, None), is_permission).await;
}

pub(crate) async fn what_is_not_there_is_not_found(subject: &Subject) {
    let is_missing = |_: &Bench, error: &SourceError| matches!(error, SourceError::Unsupported(_));
    each_call(subject, Fault::Status(404, None), is_missing).await;
}

pub(crate) async fn a_rate_limit_hands_on_the_wait(subject: &Subject) {
    let asked = Duration::from_secs(7);
    let hands_on = |bench: &Bench, error: &SourceError| {
        let waits = bench.wire.waits();
        let is_kept = !waits.is_empty() && waits.iter().all(|wait| *wait == asked);
        let SourceError::RateLimited { retry_after, .. } = error else {
            return false;
        };
        is_kept && *retry_after == Some(asked)
    };
    each_call(subject, Fault::Status(429, Some(7)), hands_on).await;
    let is_limited =
        |_: &Bench, error: &SourceError| matches!(error, SourceError::RateLimited { .. });
    each_call(
        subject,
        Fault::Gateway(FailureKind::RateLimited),
        is_limited,
    )
    .await;
}

pub(crate) async fn a_failing_server_is_transient(subject: &Subject) {
    let is_transient = |_: &Bench, error: &SourceError| matches!(error, SourceError::Transient(_));
    for status in [500, 503] {
        each_call(subject, Fault::Status(status, None), is_transient).await;
    }
    for kind in [FailureKind::Transient, FailureKind::Timeout] {
        each_call(subject, Fault::Gateway(kind), is_transient).await;
    }
}

pub(crate) async fn nonsense_is_bad_data_and_no_trap(subject: &Subject) {
    let is_bad = |_: &Bench, error: &SourceError| matches!(error, SourceError::BadData(_));
    each_call(subject, Fault::Cut, is_bad).await;
    each_call(subject, Fault::Gateway(FailureKind::TooLarge), is_bad).await;
    // A notice of maintenance may also be worth another try.
    let is_told = |_: &Bench, error: &SourceError| {
        matches!(error, SourceError::BadData(_) | SourceError::Transient(_))
    };
    each_call(subject, Fault::Html, is_told).await;
}

pub(crate) async fn a_foreign_cursor_is_stale_and_no_trap(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    for object in bench.objects() {
        for foreign in [&b"\xff\xfe not yours"[..], b"{\"zz\":", b"0"] {
            let cursor = Cursor::new(foreign.to_vec());
            match bench.page(&object, Some(&cursor), None, 7).await {
                Err(SourceError::StaleCursor(_)) => {}
                // A list without pages never gave a cursor away, and may begin again by itself.
                Ok((records, None)) => assert_eq!(records, bench.list(&object, None, 7).await),
                other => panic!("{object} with {foreign:?}: {other:?}"),
            }
        }
    }
}

pub(crate) async fn an_unknown_object_is_told(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    let mut catalog = bench.catalog.clone();
    let mut foreign = (*catalog.objects[0]).clone();
    foreign.name = ObjectName::new("no-such-object");
    catalog.objects.push(Arc::new(foreign));
    bench.source.use_catalog(Arc::new(catalog)).await;
    let since = Instant::from_unix_us(0);
    for since in [None, since] {
        let refused = bench.page("no-such-object", None, since, 7).await;
        assert!(
            matches!(refused, Err(SourceError::Unsupported(_))),
            "{refused:?}"
        );
    }
}
