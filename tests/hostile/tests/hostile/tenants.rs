//! Tenants in one process: what one has, holds and gets, the other never sees; and one that takes all its share takes nothing of another's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{ConnectionId, Source as _, SourceError};
use sandbox::{
    Allocation, CellLimits, ConnectorSource, Engine, EngineOptions, Outbound, Quota, QuotaLimits,
    Shared, Stop,
};

use crate::beside::{LIMIT, Silence, check_stopped, compile, fetch, limits, read_catalog};
use crate::guest::{Ask, Guest, answer, asking, copy_list};
use crate::outside::{HEADER, Vendor, reply, way_out};

const SETTING: &str =
    r#"(import "longshore:connector/runtime@0.1.0" "setting" (func $setting (param i32 i32 i32)))"#;

/// Remembers in its memory the setting `region` and how often it was called, asks the vendor, and hands over the vendor's rows with the
/// setting as its cursor.
fn reader() -> Guest {
    let head = format!("{SETTING} (global $calls (mut i32) (i32.const 0))");
    let mut guest = asking(&Ask::get("/rows"), &head, |image, page| {
        let [at, len] = image.list(b"region");
        let cursor = copy_list(page + 20, 604);
        format!(
            "(call $setting (i32.const {at}) (i32.const {len}) (i32.const 600))
            (i32.store8 (i32.const {}) (i32.const 1)) {cursor}
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))",
            page + 16
        )
    });
    // The account's id is as long as this instance has answered calls.
    let account = guest.image.account(b"xxxxxxxxxxxxxxxx");
    guest.check = format!(
        "(i32.store (i32.const {}) (global.get $calls)) {}",
        account + 12,
        answer(account)
    );
    guest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tenants_of_one_connector_see_only_their_own() {
    let vendor = Vendor::start(|seen| {
        let owner = seen.header(HEADER).replace("-0123456789abcdef", "");
        let row = format!("{{\"id\":\"1\",\"fields\":{{\"name\":\"data of {owner}\"}}}}\n");
        reply(200, &[], row)
    })
    .await;
    let connector = compile(&reader());
    let read = async |tenant: &'static str, calls: usize| {
        let way = way_out(
            &vendor.origin,
            tenant,
            &format!("{tenant}-0123456789abcdef"),
        );
        let settings = BTreeMap::from([("region".to_owned(), format!("region of {tenant}"))]);
        let outbound: Arc<dyn Outbound> = way.gateway.clone();
        let limits = CellLimits {
            call_timeout: Duration::from_secs(5),
            ..limits()
        };
        let (connection, connector) = (ConnectionId::new(tenant), connector.clone());
        let source = ConnectorSource::new(connector, &connection, outbound, settings, limits);
        for _ in 0..calls {
            let page = fetch(&source).await.unwrap();
            let row = page.records.record(0).row_text().unwrap().to_owned();
            assert!(row.contains(&format!("data of {tenant}")), "{row}");
            let cursor = page.next.unwrap();
            let region = format!("region of {tenant}");
            assert_eq!(cursor.as_bytes(), region.as_bytes());
        }
        // The instance counted its own calls only.
        assert_eq!(source.check().await.unwrap().id.len(), calls);
    };
    tokio::join!(read("ada", 9), read("bob", 5), read("eve", 13));
    assert_eq!(vendor.seen().len(), 27);
}

/// Writes a canary all over its memory, in `check`; hands over all of its memory that it has not written, in `fetch-records`.
fn scribbler() -> Guest {
    let mut guest = Guest::new();
    let good = guest.check.clone();
    guest.check =
        format!("(memory.fill (i32.const 524288) (i32.const 67) (i32.const 524288)) {good}");
    guest.fetch_records = answer(guest.image.page_at([524_288, 524_288], None));
    guest
}

#[tokio::test]
async fn memory_that_a_tenant_left_in_the_pool_is_empty_for_the_next() {
    let allocation = Allocation::Pooled {
        cells: 1,
        memory_max_bytes: 8 << 20,
    };
    let engine = Engine::new(EngineOptions { allocation }).unwrap();
    let connector = engine.compile(&scribbler().build()).unwrap();
    let mut limits = limits();
    limits.rows.page_max_bytes = 1 << 20;
    let source = |name: &'static str| {
        let (connection, settings) = (ConnectionId::new(name), BTreeMap::new());
        ConnectorSource::new(
            connector.clone(),
            &connection,
            Arc::new(Silence),
            settings,
            limits.clone(),
        )
    };
    // The pool has place for one cell, so each tenant is where another was.
    for tenant in ["first", "second", "third", "fourth"] {
        let source = source(tenant);
        let page = fetch(&source).await.unwrap();
        assert_eq!((page.records.len(), page.rejected.len()), (0, 1));
        let told = format!("{page:?}");
        assert!(
            !told.contains("CCCC"),
            "bytes of the tenant before {tenant}"
        );
        source.check().await.unwrap();
        source.rest().await;
    }
}

fn share(cells_max: u32, memory_max_bytes: usize) -> Quota {
    let limits = QuotaLimits {
        cells_max,
        memory_max_bytes,
    };
    Quota::new("tenant greedy", limits)
}

fn source_of(guest: &Guest, quota: &Quota) -> ConnectorSource {
    limited_source_of(guest, quota, limits())
}

fn limited_source_of(guest: &Guest, quota: &Quota, limits: CellLimits) -> ConnectorSource {
    let shared = Shared {
        breaker: None,
        quotas: vec![quota.clone()],
    };
    let (connection, settings) = (ConnectionId::new("greedy"), BTreeMap::new());
    ConnectorSource::sharing(
        compile(guest),
        &connection,
        Arc::new(Silence),
        settings,
        limits,
        shared,
    )
}

#[tokio::test]
async fn a_tenant_with_all_its_cells_waits_and_is_told_and_others_go_on() {
    let quota = share(1, 8 << 20);
    let (first, second) = (
        source_of(&Guest::new(), &quota),
        source_of(&Guest::new(), &quota),
    );
    fetch(&first).await.unwrap();
    let other = source_of(&Guest::new(), &share(1, 8 << 20));
    let (told, others) = tokio::join!(fetch(&second), fetch(&other));
    let full = Stop::Cells {
        quota: "tenant greedy".to_owned(),
        max: 1,
    };
    check_stopped(&told, &full);
    assert_eq!(others.unwrap().records.len(), 2);
    first.rest().await;
    assert_eq!(fetch(&second).await.unwrap().records.len(), 2);
}

#[tokio::test]
async fn a_tenants_cells_have_one_memory_together() {
    // Each starts with 1 MiB and takes another while it answers; there are 3 for both.
    let quota = share(8, 3 << 20);
    let mut guest = Guest::new();
    guest.fetch_records = format!(
        "(drop (memory.grow (i32.const 16))) {}",
        guest.fetch_records
    );
    let (first, second) = (source_of(&guest, &quota), source_of(&guest, &quota));
    // The catalog is in another call, so that one cell is not two.
    read_catalog(&first).await.unwrap();
    fetch(&first).await.unwrap();
    let told = fetch(&second).await;
    let full = Stop::Quota {
        quota: "tenant greedy".to_owned(),
        wanted_bytes: 4 << 20,
        max_bytes: 3 << 20,
    };
    check_stopped(&told, &full);
    assert_eq!(
        quota.memory_bytes(),
        2 << 20,
        "what the stopped one had is free again"
    );
    first.rest().await;
    fetch(&second).await.unwrap();
}

#[tokio::test]
async fn many_tenants_run_at_once_beside_runaways() {
    let quota = share(200, 400 << 20);
    let runaway = Guest::fetching("(loop (br 0)) (unreachable)");
    let good = Guest::new();
    // All share one thread, so a good call waits its turn ten times as long.
    let patient = CellLimits {
        call_timeout: Duration::from_secs(10),
        ..limits()
    };
    let (bad, good): (Vec<_>, Vec<_>) = (0..10)
        .map(|_| {
            let good = limited_source_of(&good, &quota, patient.clone());
            (source_of(&runaway, &quota), good)
        })
        .unzip();
    let runaways = bad
        .into_iter()
        .map(|source| tokio::spawn(async move { fetch(&source).await }));
    let runaways: Vec<_> = runaways.collect();
    for source in &good {
        assert_eq!(fetch(source).await.unwrap().records.len(), 2);
    }
    for runaway in runaways {
        check_stopped(&runaway.await.unwrap(), &Stop::Time(LIMIT));
    }
}

#[tokio::test]
async fn a_pool_serves_cells_and_limits_them_too() {
    let allocation = Allocation::Pooled {
        cells: 4,
        memory_max_bytes: 8 << 20,
    };
    let engine = Engine::new(EngineOptions { allocation }).unwrap();
    let bomb = "(loop (drop (memory.grow (i32.const 16))) (br 0)) (unreachable)";
    let source = |guest: &Guest| {
        let connector = engine.compile(&guest.build()).unwrap();
        let (connection, settings) = (ConnectionId::new("pooled"), BTreeMap::new());
        ConnectorSource::new(
            connector,
            &connection,
            Arc::new(Silence),
            settings,
            limits(),
        )
    };
    let told: Result<_, SourceError> = fetch(&source(&Guest::fetching(bomb))).await;
    let stop = Stop::Memory {
        wanted_bytes: 5 << 20,
        max_bytes: 4 << 20,
    };
    check_stopped(&told, &stop);
    assert_eq!(
        fetch(&source(&Guest::new())).await.unwrap().records.len(),
        2
    );
}
