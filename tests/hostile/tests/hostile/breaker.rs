//! A connector that is stopped time after time is left alone for a while; other connectors are not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{ConnectionId, Source as _, SourceError};
use sandbox::{Breaker, BreakerOptions, Connector, ConnectorSource, Shared};

use crate::beside::{Silence, compile, fetch, limits};
use crate::guest::Guest;

const PAUSE: Duration = Duration::from_secs(10);

fn source(connector: &Connector, name: &str, breaker: &Breaker) -> ConnectorSource {
    let shared = Shared {
        breaker: Some(breaker.clone()),
        quotas: Vec::new(),
    };
    let (connection, settings) = (ConnectionId::new(name), BTreeMap::new());
    ConnectorSource::sharing(
        connector.clone(),
        &connection,
        Arc::new(Silence),
        settings,
        limits(),
        shared,
    )
}

/// Works in `check`, traps in `fetch-records`.
fn half_broken() -> Connector {
    compile(&Guest::fetching("(unreachable)"))
}

fn breaker() -> Breaker {
    Breaker::new(BreakerOptions {
        stops_max: 3,
        pause: PAUSE,
        pause_max: PAUSE * 3,
    })
}

async fn check_trapped(source: &ConnectorSource) {
    source.use_catalog(catalog()).await;
    let told = fetch(source).await;
    assert!(matches!(told, Err(SourceError::Trapped(_))), "{told:?}");
}

/// The object that is asked for, so that a question is one call.
fn catalog() -> Arc<model::Catalog> {
    use model::{FieldTable, ObjectInfo, ObjectName};
    let object = ObjectInfo {
        name: ObjectName::new("thing"),
        label: String::new(),
        standard: None,
        fields: FieldTable::new(Vec::new()).unwrap(),
        associations: Vec::new(),
        incremental: false,
        count: None,
    };
    Arc::new(model::Catalog {
        objects: vec![Arc::new(object)],
        pipelines: Vec::new(),
        ..model::Catalog::default()
    })
}

#[track_caller]
fn check_paused<T: std::fmt::Debug>(told: Result<T, SourceError>, within: Duration) {
    let Err(SourceError::Paused { until, message }) = told else {
        panic!("{told:?}")
    };
    let wait_us = until.unix_us() - model::Instant::now().unix_us();
    assert!(
        wait_us > 0 && wait_us <= i64::try_from(within.as_micros()).unwrap(),
        "{wait_us}"
    );
    assert!(message.contains("times in a row"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn after_stops_in_a_row_calls_of_every_connection_are_refused_until_one_trial_works() {
    let (connector, breaker) = (half_broken(), breaker());
    let (first, second) = (
        source(&connector, "first", &breaker),
        source(&connector, "second", &breaker),
    );
    check_trapped(&first).await;
    check_trapped(&second).await;
    check_trapped(&first).await;
    check_paused(second.check().await, PAUSE);
    check_paused(fetch(&first).await, PAUSE);
    // The trial fails: twice as long.
    tokio::time::advance(PAUSE).await;
    check_trapped(&first).await;
    check_paused(second.check().await, PAUSE * 2);
    tokio::time::advance(PAUSE).await;
    check_paused(second.check().await, PAUSE);
    // The trial works: as before.
    tokio::time::advance(PAUSE).await;
    assert_eq!(second.check().await.unwrap().name, "acme");
    check_trapped(&first).await;
    check_trapped(&first).await;
    assert!(second.check().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn another_connector_is_not_left_alone_with_it() {
    let (bad, good) = (breaker(), breaker());
    let hostile = source(&half_broken(), "hostile", &bad);
    let neighbour = source(&compile(&Guest::new()), "neighbour", &good);
    for _ in 0..3 {
        check_trapped(&hostile).await;
    }
    check_paused(fetch(&hostile).await, PAUSE);
    assert_eq!(fetch(&neighbour).await.unwrap().records.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn failures_that_a_connector_reports_are_no_stops() {
    let mut guest = Guest::new();
    guest.check = crate::guest::answer(guest.image.failure(8, b"no"));
    let source = source(&compile(&guest), "failing", &breaker());
    for _ in 0..10 {
        let told = source.check().await;
        assert!(matches!(told, Err(SourceError::Permanent(_))), "{told:?}");
    }
}
