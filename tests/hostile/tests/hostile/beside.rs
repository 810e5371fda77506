//! Where attacks happen: a process with a hostile connector of one tenant and a well-behaved one of another, on the same thread.
//!
//! Every attack goes through [`attack`], which asserts what holds for all: it ends in time, it has no more memory than its limit, it
//! leaves none behind, the process does not grow, and the neighbour reads its pages throughout.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use egress::{EgressError, Request, Response};
use model::source::PageRequest;
use model::{Catalog, ConnectionId, Cursor, Finding, RecordPage, Source, SourceError};
use sandbox::{
    CellLimits, Connector, ConnectorSource, Engine, EngineOptions, Outbound, Quota, QuotaLimits,
    Shared, Stop,
};
use tokio::sync::Mutex;

use crate::guest::{GOOD_ROWS, Guest};

/// What a call of a hostile connector may take.
pub(crate) const LIMIT: Duration = Duration::from_millis(200);
/// How much later it may be stopped, on a machine that does other things too. The benchmark says how much it is.
const SLACK: Duration = Duration::from_millis(400);
/// What a hostile cell may have.
pub(crate) const MEMORY_MAX_BYTES: usize = 4 << 20;
/// What the whole process may grow by during an attack, neighbour included.
const GROWTH_MAX_BYTES: usize = 48 << 20;

/// An outside that never answers.
pub(crate) struct Silence;

#[async_trait]
impl Outbound for Silence {
    async fn send(&self, _: Request, _: tokio::time::Instant) -> Result<Response, EgressError> {
        std::future::pending().await
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Owned(text.replace("s3cret", "[redacted]"))
    }
}

/// An outside that answers everything at once with the same small body.
pub(crate) struct Parrot;

#[async_trait]
impl Outbound for Parrot {
    async fn send(&self, _: Request, _: tokio::time::Instant) -> Result<Response, EgressError> {
        Ok(Response {
            status: 200,
            headers: Vec::new(),
            body: b"ok".to_vec(),
        })
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }
}

pub(crate) fn limits() -> CellLimits {
    let mut limits = CellLimits {
        memory_max_bytes: MEMORY_MAX_BYTES,
        call_timeout: LIMIT,
        ..CellLimits::default()
    };
    limits.rows.page_max_bytes = 512 << 10;
    limits
}

/// The engine of all attacks.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(EngineOptions::default()).unwrap())
}

pub(crate) fn compile(guest: &Guest) -> Connector {
    engine()
        .compile(&guest.build())
        .expect("the guest is a connector")
}

/// A source of a tenant with a quota of its own.
pub(crate) fn source(
    connector: Connector,
    name: &str,
    outbound: Arc<dyn Outbound>,
    limits: CellLimits,
) -> (ConnectorSource, Quota) {
    let quota = Quota::new(&format!("tenant {name}"), QuotaLimits::default());
    let shared = Shared {
        breaker: None,
        quotas: vec![quota.clone()],
    };
    let (connection, settings) = (ConnectionId::new(name), BTreeMap::new());
    let source =
        ConnectorSource::sharing(connector, &connection, outbound, settings, limits, shared);
    (source, quota)
}

pub(crate) fn request(cursor: Option<&str>) -> PageRequest {
    let cursor = cursor.map(|cursor| Cursor::new(cursor.as_bytes().to_vec()));
    PageRequest {
        object: "thing".into(),
        cursor,
        updated_since: None,
        limit: 100,
    }
}

pub(crate) async fn fetch(source: &ConnectorSource) -> Result<RecordPage, SourceError> {
    source.fetch_page(&request(None)).await
}

/// The ways to put a question to a connector.
pub(crate) async fn read_catalog(
    source: &ConnectorSource,
) -> Result<(Catalog, Vec<Finding>), SourceError> {
    source.fetch_catalog().await
}

/// Reads a list to its end, at most so many pages.
pub(crate) async fn read_list(
    source: &ConnectorSource,
    pages_max: usize,
) -> Result<usize, SourceError> {
    let mut request = request(None);
    for pages in 1..=pages_max {
        request.cursor = source.fetch_page(&request).await?.next;
        if request.cursor.is_none() {
            return Ok(pages);
        }
    }
    Ok(pages_max)
}

/// The neighbour's connector.
fn neighbour() -> Connector {
    static NEIGHBOUR: OnceLock<Connector> = OnceLock::new();
    NEIGHBOUR.get_or_init(|| compile(&Guest::new())).clone()
}

async fn read_as_neighbour(source: &ConnectorSource) {
    let page = fetch(source).await.expect("the neighbour is unharmed");
    let ids: Vec<_> = page
        .records
        .iter()
        .map(|record| record.id().to_owned())
        .collect();
    assert_eq!(ids, ["1", "2"]);
    assert_eq!(page.records.record(0).row_text(), GOOD_ROWS.lines().next());
}

/// One attack at a time, so that time and memory are its own.
pub(crate) static TURN: Mutex<()> = Mutex::const_new(());

/// Puts the question to a hostile connector while its neighbour reads page after page, and hands back the answer. A connector that is still
/// answering after its limit fails the test.
pub(crate) async fn attack<T>(
    guest: &Guest,
    ask: impl AsyncFnOnce(&ConnectorSource) -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    attack_with(guest, Arc::new(Silence), limits(), ask).await
}

/// As [`attack`], with another outside and other limits.
pub(crate) async fn attack_with<T>(
    guest: &Guest,
    outbound: Arc<dyn Outbound>,
    limits: CellLimits,
    ask: impl AsyncFnOnce(&ConnectorSource) -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    let _turn = TURN.lock().await;
    let (near, _) = source(neighbour(), "neighbour", Arc::new(Silence), self::limits());
    let (time_max, memory_max) = (limits.call_timeout + SLACK, limits.memory_max_bytes);
    let (hostile, quota) = source(compile(guest), "hostile", outbound, limits);
    read_as_neighbour(&near).await;
    let (resident, start) = (resident_bytes(), Instant::now());
    let (mut pages, mut most, mut growth) = (0, 0, 0);
    let answer = {
        let mut asked = std::pin::pin!(ask(&hostile));
        loop {
            tokio::select! {
                answer = &mut asked => break answer,
                () = read_as_neighbour(&near) => {
                    pages += 1;
                    most = most.max(quota.memory_bytes());
                    growth = growth.max(resident_bytes().saturating_sub(resident));
                    // A thread that is never idle would not look at its timers.
                    tokio::task::yield_now().await;
                }
            }
        }
    };
    let took = start.elapsed();
    assert!(took < time_max, "stopped after {took:?}");
    assert!(most <= memory_max, "it had {most} bytes");
    assert!(
        growth < GROWTH_MAX_BYTES,
        "the process grew by {growth} bytes"
    );
    let fair = took < Duration::from_millis(50) || pages > 2;
    assert!(fair, "the neighbour read {pages} pages in {took:?}");
    drop(hostile);
    assert_eq!(quota.memory_bytes(), 0, "it left memory behind");
    read_as_neighbour(&near).await;
    answer
}

/// What the process has in memory, as Linux counts it; elsewhere 0, and only the cells are counted.
pub(crate) fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or(0) * 4_096
}

/// The answer is the error of exactly that stop.
#[track_caller]
pub(crate) fn check_stopped<T>(answer: &Result<T, SourceError>, stop: &Stop) {
    match answer {
        Err(SourceError::Trapped(message)) if message.ends_with(&stop.to_string()) => {}
        Err(other) => panic!("expected {stop:?}, got {other:?}"),
        Ok(_) => panic!("expected {stop:?}, got an answer"),
    }
}

/// Checks that fetching from this guest ends in that stop.
pub(crate) async fn check_fetch_stopped(guest: &Guest, stop: &Stop) {
    let answer = attack(guest, async |source| fetch(source).await).await;
    check_stopped(&answer, stop);
}
