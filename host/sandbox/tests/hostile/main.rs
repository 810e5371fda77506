//! Hostile connectors, each stopped with a typed error while a well-behaved neighbour goes on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod guest;
mod trace;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use egress::{EgressError, Request, Response};
use guest::{GOOD_ROWS, Guest};
use model::source::PageRequest;
use model::{ConnectionId, Cursor, RecordPage, Source, SourceError};
use sandbox::{CellLimits, ConnectorSource, Engine, EngineOptions, Outbound, SandboxError};

type IsExpected = fn(&SourceError) -> bool;

/// Core parameters of the import `send`; the last one is where its answer goes.
const SEND_PARAMS: usize = 14;

const LIMIT: Duration = Duration::from_millis(300);

/// An outside that never answers.
struct Silence;

#[async_trait]
impl Outbound for Silence {
    async fn send(&self, _: Request, _: tokio::time::Instant) -> Result<Response, EgressError> {
        std::future::pending().await
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Owned(text.replace("s3cret", "[redacted]"))
    }
}

fn limits() -> CellLimits {
    let mut limits = CellLimits {
        memory_max_bytes: 4 << 20,
        call_timeout: LIMIT,
        ..CellLimits::default()
    };
    limits.rows.page_max_bytes = 512 << 10;
    limits
}

fn source(engine: &Engine, guest: &Guest) -> ConnectorSource {
    source_over(engine, guest, Arc::new(Silence))
}

fn source_over(engine: &Engine, guest: &Guest, outbound: Arc<dyn Outbound>) -> ConnectorSource {
    let connector = engine
        .compile(&guest.build())
        .expect("the guest is a connector");
    let connection = ConnectionId::new("test");
    ConnectorSource::new(connector, &connection, outbound, BTreeMap::new(), limits())
}

fn request(cursor: Option<&str>) -> PageRequest {
    let cursor = cursor.map(|cursor| Cursor::new(cursor.as_bytes().to_vec()));
    PageRequest {
        object: "thing".into(),
        cursor,
        updated_since: None,
        limit: 100,
    }
}

async fn fetch(source: &ConnectorSource) -> Result<RecordPage, SourceError> {
    source.fetch_page(&request(None)).await
}

/// Runs `hostile` while a neighbour on the same thread reads page after page, and gives back what it said and how long it took.
async fn beside_neighbour<T>(engine: &Engine, hostile: impl Future<Output = T>) -> (T, Duration) {
    let neighbour = source(engine, &Guest::new());
    fetch(&neighbour).await.expect("the neighbour works alone");
    let start = Instant::now();
    let mut hostile = std::pin::pin!(hostile);
    let mut pages = 0;
    let answer = loop {
        tokio::select! {
            answer = &mut hostile => break answer,
            page = fetch(&neighbour) => {
                assert_eq!(page.expect("the neighbour is unharmed").records.len(), 2);
                pages += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    let took = start.elapsed();
    assert!(
        took < Duration::from_millis(50) || pages > 2,
        "the neighbour read {pages} pages in {took:?}"
    );
    fetch(&neighbour)
        .await
        .expect("the neighbour works afterwards");
    (answer, took)
}

/// Checks that fetching is stopped by the limit whose words are `expected`, in time.
#[track_caller]
fn check_stopped(answer: &(Result<RecordPage, SourceError>, Duration), expected: &str) {
    let (answer, took) = answer;
    match answer {
        Err(SourceError::Trapped(message)) if message.contains(expected) => {}
        other => panic!("expected a stop for {expected:?}, got {other:?}"),
    }
    assert!(
        *took < LIMIT + Duration::from_millis(200),
        "stopped after {took:?}"
    );
}

async fn fetch_hostile(guest: &Guest) -> (Result<RecordPage, SourceError>, Duration) {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let hostile = source(&engine, guest);
    beside_neighbour(&engine, fetch(&hostile)).await
}

#[tokio::test]
async fn a_good_connector_is_read() {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let good = source(&engine, &Guest::new());
    assert_eq!(good.check().await.unwrap().name, "acme");
    let (catalog, findings) = good.fetch_catalog().await.unwrap();
    assert_eq!((catalog.objects.len(), findings.len()), (1, 0));
    let page = fetch(&good).await.unwrap();
    assert_eq!(
        (page.records.len(), page.rejected.len(), page.next),
        (2, 0, None)
    );
    assert_eq!(page.records.record(0).row_text(), GOOD_ROWS.lines().next());
    let unknown = PageRequest {
        object: "nothing".into(),
        ..request(None)
    };
    assert!(matches!(
        good.fetch_page(&unknown).await,
        Err(SourceError::Unsupported(_))
    ));
}

#[tokio::test]
async fn an_endless_loop_is_stopped() {
    check_stopped(
        &fetch_hostile(&Guest::fetching("(loop (br 0)) (unreachable)")).await,
        "time limit",
    );
}

#[tokio::test]
async fn a_loop_at_instantiation_is_stopped() {
    let head = "(func $spin (loop (br 0))) (start $spin)".to_owned();
    check_stopped(
        &fetch_hostile(&Guest {
            head,
            ..Guest::new()
        })
        .await,
        "time limit",
    );
}

#[tokio::test]
async fn endless_calls_of_the_host_are_stopped() {
    let head =
        r#"(import "longshore:connector/runtime@0.1.0" "deadline-ms" (func $ask (result i64)))"#
            .to_owned();
    let guest = Guest {
        head,
        ..Guest::fetching("(loop (drop (call $ask)) (br 0)) (unreachable)")
    };
    check_stopped(&fetch_hostile(&guest).await, "time limit");
}

#[tokio::test]
async fn waiting_for_an_answer_that_never_comes_is_stopped() {
    let params = "i32 ".repeat(14);
    let head = format!(
        r#"(import "longshore:connector/http@0.1.0" "send" (func $send (param {params})))"#
    );
    // A GET of nothing from nowhere: empty texts, no body, the answer to 640.
    let arguments = "(i32.const 0) ".repeat(13);
    let guest = Guest {
        head,
        ..Guest::fetching(&format!(
            "(call $send {arguments} (i32.const 640)) (unreachable)"
        ))
    };
    check_stopped(&fetch_hostile(&guest).await, "time limit");
}

#[tokio::test]
async fn a_memory_bomb_is_stopped() {
    let bomb = "(loop (drop (memory.grow (i32.const 16))) (br 0)) (unreachable)";
    check_stopped(&fetch_hostile(&Guest::fetching(bomb)).await, "memory limit");
}

#[tokio::test]
async fn a_table_bomb_is_stopped() {
    let head = "(table $t 1 funcref)".to_owned();
    let bomb =
        "(loop (drop (table.grow $t (ref.null func) (i32.const 50000))) (br 0)) (unreachable)";
    check_stopped(
        &fetch_hostile(&Guest {
            head,
            ..Guest::fetching(bomb)
        })
        .await,
        "table limit",
    );
}

#[tokio::test]
async fn deep_recursion_is_stopped() {
    let head =
        "(func $deep (param i64) (result i64) (i64.add (call $deep (local.get 0)) (i64.const 1)))"
            .to_owned();
    let guest = Guest {
        head,
        ..Guest::fetching("(drop (call $deep (i64.const 0))) (unreachable)")
    };
    check_stopped(&fetch_hostile(&guest).await, "stack limit");
}

#[tokio::test]
async fn a_trap_in_any_export_is_an_error_and_the_next_call_gets_a_fresh_instance() {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let trap = || "(unreachable)".to_owned();
    let in_check = source(
        &engine,
        &Guest {
            check: trap(),
            ..Guest::new()
        },
    );
    assert!(matches!(
        in_check.check().await,
        Err(SourceError::Trapped(_))
    ));
    let in_list = source(
        &engine,
        &Guest {
            list_objects: trap(),
            ..Guest::new()
        },
    );
    assert!(matches!(
        in_list.fetch_catalog().await,
        Err(SourceError::Trapped(_))
    ));
    check_stopped(
        &fetch_hostile(&Guest::fetching("(unreachable)")).await,
        "gave up",
    );
    assert_eq!(
        fetch(&in_check).await.unwrap().records.len(),
        2,
        "other exports still work"
    );
    // Traps on its second call: works again and again only if each instance that trapped is thrown away.
    let mut second = Guest::new();
    second.head = "(global $calls (mut i32) (i32.const 0))".to_owned();
    let good = second.check.clone();
    let count = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))";
    second.check = format!(
        "{count} (if (i32.gt_u (global.get $calls) (i32.const 1)) (then (unreachable))) {good}"
    );
    let second = source(&engine, &second);
    for _ in 0..3 {
        assert!(second.check().await.is_ok());
        assert!(matches!(second.check().await, Err(SourceError::Trapped(_))));
    }
}

#[tokio::test]
async fn text_that_is_no_text_is_stopped() {
    let mut guest = Guest::new();
    guest.fetch_records = format!("(i32.const {})", guest.image.failure(8, b"\xff\xfe"));
    check_stopped(&fetch_hostile(&guest).await, "broke the contract");
}

#[tokio::test]
async fn an_answer_beyond_the_output_limit_is_stopped_before_it_is_copied() {
    let mut guest = Guest::new();
    guest.fetch_records = format!("(i32.const {})", guest.image.page_claiming(1_000_000));
    check_stopped(&fetch_hostile(&guest).await, "output limit");
    // Outside of the guest's memory.
    guest.fetch_records = format!("(i32.const {})", guest.image.page_claiming(0x7fff_ffff));
    assert!(matches!(
        fetch_hostile(&guest).await.0,
        Err(SourceError::Trapped(_))
    ));
}

#[tokio::test]
async fn a_page_larger_than_agreed_is_refused() {
    let mut guest = Guest::new();
    guest.fetch_records = format!("(i32.const {})", guest.image.page_claiming(600_000));
    let (answer, _) = fetch_hostile(&guest).await;
    assert!(
        matches!(&answer, Err(SourceError::BadData(message)) if message.contains("600000 bytes")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn malformed_rows_are_set_aside_and_the_others_come() {
    let rows = "{\"id\":\"1\",\"fields\":{\"name\":\"Ada\"}}\n\
        not json\n\
        {\"id\":\"2\",\"fields\":{\"amount\":12.5}}\n\
        {\"id\":\"3\",\"fields\":{\"undeclared\":\"x\"}}\n\
        {\"id\":\"1\",\"fields\":{\"name\":\"again\"}}\n\
        {\"id\":\"4\",\"fields\":{\"name\":\"\\u001b[31m<script>\"}}\n";
    let (answer, _) = fetch_hostile(&Guest::paging(rows.as_bytes(), None)).await;
    let page = answer.unwrap();
    let ids: Vec<_> = page
        .records
        .iter()
        .map(|record| record.id().to_owned())
        .collect();
    assert_eq!(ids, ["1", "4"]);
    let lines: Vec<_> = page.rejected.iter().map(|row| row.line).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
}

#[tokio::test]
async fn a_page_that_is_not_text_is_refused() {
    let (answer, _) = fetch_hostile(&Guest::paging(b"{\"id\":\"\xff\"}\n", None)).await;
    assert!(matches!(answer, Err(SourceError::BadData(_))), "{answer:?}");
}

#[tokio::test]
async fn a_cursor_that_stands_still_or_is_too_long_is_refused() {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let still = source(&engine, &Guest::paging(GOOD_ROWS.as_bytes(), Some(b"here")));
    assert_eq!(
        fetch(&still).await.unwrap().next,
        Some(Cursor::new(b"here".to_vec()))
    );
    let again = still.fetch_page(&request(Some("here"))).await;
    assert!(matches!(again, Err(SourceError::Permanent(_))), "{again:?}");
    let long = source(
        &engine,
        &Guest::paging(b"", Some(&vec![b'x'; 64 * 1024 + 1])),
    );
    assert!(matches!(fetch(&long).await, Err(SourceError::Permanent(_))));
}

#[tokio::test]
async fn an_object_whose_name_has_terminal_escapes_is_refused() {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let mut guest = Guest::new();
    guest.list_objects = format!("(i32.const {})", guest.image.objects("a\u{1b}[2Jb"));
    let error = source(&engine, &guest).fetch_catalog().await.unwrap_err();
    assert!(
        matches!(&error, SourceError::BadData(_)) && !error.to_string().contains('\u{1b}'),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_repeated_and_a_lasting_one_told_without_escapes_and_secrets() {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let mut guest = Guest::new();
    guest.head = "(global $calls (mut i32) (i32.const 0))".to_owned();
    let (good, failure) = (guest.check.clone(), guest.image.failure(3, b"try again"));
    let count = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))";
    guest.check = format!(
        "{count} (if (result i32) (i32.lt_u (global.get $calls) (i32.const 3)) (then (i32.const {failure})) (else {good}))"
    );
    assert!(source(&engine, &guest).check().await.is_ok());
    guest.check = format!("(i32.const {failure})");
    assert!(matches!(
        source(&engine, &guest).check().await,
        Err(SourceError::Transient(_))
    ));
    let kinds: [(u32, IsExpected); 6] = [
        (0, |error| matches!(error, SourceError::Auth(_))),
        (1, |error| matches!(error, SourceError::Permission(_))),
        (4, |error| matches!(error, SourceError::StaleCursor(_))),
        (5, |error| matches!(error, SourceError::Unsupported(_))),
        (6, |error| matches!(error, SourceError::BadData(_))),
        (8, |error| matches!(error, SourceError::Permanent(_))),
    ];
    for (kind, is_expected) in kinds {
        guest.fetch_records = format!(
            "(i32.const {})",
            guest.image.failure(kind, b"the key s3cret\x1b[31m")
        );
        let error = fetch(&source(&engine, &guest)).await.unwrap_err();
        assert!(is_expected(&error), "{kind}: {error:?}");
        let text = error.to_string();
        assert!(
            text.contains("the key [redacted] [31m") && text.contains("test.code"),
            "{text:?}"
        );
    }
}

/// An outside that gives up on every request, and counts them.
#[derive(Default)]
struct Outage(AtomicU32);

#[async_trait]
impl Outbound for Outage {
    async fn send(&self, _: Request, _: tokio::time::Instant) -> Result<Response, EgressError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let (endpoint, path) = ("api".to_owned(), "/".to_owned());
        let (cause, attempts) = ("cannot connect".to_owned(), 5);
        let place = egress::Place { endpoint, path };
        Err(EgressError::Transient {
            place,
            cause,
            attempts,
        })
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }
}

/// The way out repeats; were the call repeated too, an address where nobody answers would be tried 25 times.
#[tokio::test(start_paused = true)]
async fn a_call_whose_request_got_no_answer_is_not_repeated() {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let mut guest = Guest::new();
    let params = "i32 ".repeat(SEND_PARAMS);
    guest.head = format!(
        r#"(import "longshore:connector/http@0.1.0" "send" (func $send (param {params})))"#
    );
    let failure = guest.image.failure(3, b"no answer");
    let arguments = "(i32.const 0)".repeat(SEND_PARAMS - 1);
    guest.check = format!("(call $send {arguments} (i32.const 640)) (i32.const {failure})");
    let outage = Arc::new(Outage::default());
    let source = source_over(&engine, &guest, outage.clone());
    let begun = tokio::time::Instant::now();
    let error = source.check().await.unwrap_err();
    assert!(matches!(error, SourceError::Transient(_)), "{error:?}");
    assert_eq!(outage.0.load(Ordering::Relaxed), 1);
    assert!(begun.elapsed() < Duration::from_secs(1), "nobody waited");
}

#[test]
fn a_log_flood_is_capped_and_cleaned() {
    let entries = trace::collect(|| {
        let mut guest = Guest::new();
        guest.head =
            r#"(import "longshore:connector/runtime@0.1.0" "log" (func $log (param i32 i32 i32)))
            (data (i32.const 512) "a s3cret\1b[31m")
            (global $n (mut i32) (i32.const 0))"#
                .to_owned();
        let good = guest.fetch_records.clone();
        guest.fetch_records = format!(
            "(loop
                (call $log (i32.const 1) (i32.const 512) (i32.const 13))
                (global.set $n (i32.add (global.get $n) (i32.const 1)))
                (br_if 0 (i32.lt_u (global.get $n) (i32.const 10000)))) {good}"
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let engine = Engine::new(EngineOptions::default()).unwrap();
            assert_eq!(
                fetch(&source(&engine, &guest)).await.unwrap().records.len(),
                2
            );
        });
    });
    assert_eq!(entries.len(), 64);
    assert!(
        entries
            .iter()
            .all(|entry| entry.contains("a [redacted] [31m") && !entry.contains('\u{1b}')),
        "{:?}",
        entries[0]
    );
}

#[test]
fn foreign_imports_other_lines_and_lacking_exports_are_refused_by_name() {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let refused = |component: &[u8]| engine.compile(component).unwrap_err();
    let foreign =
        wat::parse_str(r#"(component (import "wasi:sockets/tcp@0.2.0" (instance)))"#).unwrap();
    assert!(
        matches!(refused(&foreign), SandboxError::ForeignImport { name } if name == "wasi:sockets/tcp@0.2.0")
    );
    let odd =
        wat::parse_str(r#"(component (import "longshore:connector/secrets@0.1.0" (instance)))"#)
            .unwrap();
    assert!(matches!(refused(&odd), SandboxError::ForeignImport { .. }));
    let empty = wat::parse_str("(component)").unwrap();
    assert!(matches!(
        refused(&empty),
        SandboxError::MissingExport {
            interface: "source"
        }
    ));
    let other = refused(
        &Guest {
            version: "0.2.0",
            ..Guest::new()
        }
        .build(),
    )
    .to_string();
    assert!(
        other.contains("contract 0.2.0")
            && other.contains("speaks 0.1")
            && other.contains("install"),
        "{other}"
    );
    assert!(matches!(refused(b"no wasm"), SandboxError::Compile(_)));
    let hollow =
        r#"(component (instance $i) (export "longshore:connector/source@0.1.0" (instance $i)))"#;
    assert!(matches!(
        refused(&wat::parse_str(hollow).unwrap()),
        SandboxError::Mismatch(_)
    ));
    // A later patch of the same line is spoken.
    assert!(
        engine
            .compile(
                &Guest {
                    version: "0.1.7",
                    ..Guest::new()
                }
                .build()
            )
            .is_ok()
    );
}

#[tokio::test]
async fn a_pool_serves_cells_and_limits_them_too() {
    let allocation = sandbox::Allocation::Pooled {
        cells: 8,
        memory_max_bytes: 8 << 20,
    };
    let engine = Engine::new(EngineOptions { allocation }).unwrap();
    let bomb = source(
        &engine,
        &Guest::fetching("(loop (drop (memory.grow (i32.const 16))) (br 0)) (unreachable)"),
    );
    check_stopped(
        &beside_neighbour(&engine, fetch(&bomb)).await,
        "memory limit",
    );
}
