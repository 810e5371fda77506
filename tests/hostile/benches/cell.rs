//! Measures what a cell costs: compiling apart, loading from the cache, instantiating, 200 tenants in one process, and how far past its limit
//! a runaway is stopped. Run it with `cargo bench -p hostile`. It prints figures and asserts nothing.

#![expect(clippy::print_stdout, reason = "its output is the figures")]
#![expect(
    clippy::unwrap_used,
    reason = "the guests are those of the tests, where what cannot go on panics"
)]

#[path = "../tests/hostile/guest.rs"]
#[expect(dead_code, reason = "the attacks use the rest")]
mod guest;
#[path = "../tests/hostile/image.rs"]
#[expect(dead_code, reason = "the attacks use the rest")]
mod image;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use egress::{EgressError, Request, Response};
use model::source::PageRequest;
use model::{ConnectionId, Source as _};
use sandbox::{
    Allocation, CellLimits, CompileLimits, Compiler, Connector, ConnectorCache, ConnectorSource,
    Engine, EngineOptions, Outbound,
};

const TENANTS: usize = 200;
const PAGE_RECORDS: usize = 500;
const ROUNDS: usize = 200;
const LIMIT: Duration = Duration::from_millis(200);

/// A vendor that answers everything at once: the one page of persons that it has, and elsewhere an empty list.
struct Vendor {
    persons: Vec<u8>,
}

impl Vendor {
    /// Persons as a page of the contract's measurement has them: 500 of 1.3 KB.
    fn new() -> Self {
        let person = |id: usize| {
            let note = "Met at the fair; wants a call back. ".repeat(33);
            format!(r#"{{"id":{id},"name":"Ada Lovelace {id}","notes":"{note}"}}"#)
        };
        let persons: Vec<String> = (1..=PAGE_RECORDS).map(person).collect();
        let persons = list_of(&persons.join(",")).into_bytes();
        Self { persons }
    }
}

fn list_of(items: &str) -> String {
    format!(r#"{{"success":true,"data":[{items}],"additional_data":{{"next_cursor":null}}}}"#)
}

#[async_trait]
impl Outbound for Vendor {
    async fn send(
        &self,
        request: Request,
        _: tokio::time::Instant,
    ) -> Result<Response, EgressError> {
        let body = if request.path.ends_with("/v2/persons") {
            self.persons.clone()
        } else {
            list_of("").into_bytes()
        };
        Ok(Response {
            status: 200,
            headers: Vec::new(),
            body,
        })
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }
}

/// The official connector as a component, built as it is for release.
fn build_component() -> Vec<u8> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let (guests, target) = (root.join("target/guests"), "wasm32-unknown-unknown");
    let status = Command::new(env!("CARGO"))
        .args(["build", "-p", "connector-pipedrive", "--profile", "guest"])
        .args(["--target", target, "--target-dir"])
        .arg(&guests)
        .current_dir(root)
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the connector does not build");
    let module = guests.join(target).join("guest/connector_pipedrive.wasm");
    let module = std::fs::read(module).expect("the module was built");
    let manifest = std::fs::read_to_string(root.join("plugins/pipedrive/manifest.toml"));
    market::pack(&module, &manifest.expect("the manifest is there")).expect("both are good")
}

fn engine(allocation: Allocation) -> Engine {
    Engine::new(EngineOptions { allocation }).expect("an engine")
}

fn source(connector: &Connector, vendor: &Arc<Vendor>, limits: &CellLimits) -> ConnectorSource {
    ConnectorSource::new(
        connector.clone(),
        &ConnectionId::new("bench"),
        vendor.clone(),
        BTreeMap::new(),
        limits.clone(),
    )
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn time<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (run(), start.elapsed())
}

/// What the process has in memory now (`VmRSS`), or had at most (`VmHWM`).
fn memory_mib(which: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(which));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

fn measure_cache(component: &[u8], engine: &Engine) -> Connector {
    let folder = tempfile::tempdir().expect("a folder");
    let compiler = Compiler {
        program: env!("CARGO_BIN_EXE_cell-compiler").into(),
        arguments: Vec::new(),
        limits: CompileLimits::default(),
    };
    let cache = ConnectorCache::open(folder.path(), compiler).expect("a cache");
    let load = || cache.load(engine, component).expect("a connector");
    let (connector, first) = time(load);
    println!("compiled in a child process, kept and loaded: {first:?}");
    let times = (0..20).map(|_| time(load).1).collect();
    println!("loaded from the cache: {:?}", median(times));
    connector
}

/// The difference between a call of a fresh instance and one of an instance that is there.
async fn measure_instantiation(what: &str, connector: &Connector, vendor: &Arc<Vendor>) {
    let source = source(connector, vendor, &CellLimits::default());
    let (mut fresh, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        source.rest().await;
        for times in [&mut fresh, &mut warm] {
            let start = Instant::now();
            // What it makes of an empty answer is not the point.
            let _ = source.check().await;
            times.push(start.elapsed());
        }
    }
    let (fresh, warm) = (median(fresh), median(warm));
    println!(
        "{what}: instantiated in {:?} (first call {fresh:?}, next {warm:?})",
        fresh.saturating_sub(warm)
    );
}

/// Every tenant reads a whole page at the same time, and keeps its instance.
async fn measure_tenants(connector: &Connector, vendor: &Arc<Vendor>) {
    let before = memory_mib("VmRSS");
    let limits = CellLimits::default();
    let start = Instant::now();
    let reads: Vec<_> = (0..TENANTS)
        .map(|_| {
            let source = source(connector, vendor, &limits);
            tokio::spawn(async move {
                let request = PageRequest {
                    object: "person".into(),
                    cursor: None,
                    updated_since: None,
                    limit: 500,
                };
                let page = source.fetch_page(&request).await;
                let page = page.expect("the vendor's answers are good");
                assert_eq!((page.records.len(), page.rejected.len()), (PAGE_RECORDS, 0));
                source
            })
        })
        .collect();
    let mut sources = Vec::new();
    for read in reads {
        sources.push(read.await.expect("no panic"));
    }
    println!(
        "{TENANTS} tenants that each read {PAGE_RECORDS} records at once, in {:?}: {:.0} MiB before, {:.0} MiB with all cells live, {:.0} MiB at the peak",
        start.elapsed(),
        before,
        memory_mib("VmRSS"),
        memory_mib("VmHWM"),
    );
}

async fn measure_runaways(engine: &Engine, vendor: &Arc<Vendor>) {
    let mut guest = guest::Guest::new();
    guest.check = "(loop (br 0)) (unreachable)".to_owned();
    let connector = engine.compile(&guest.build()).expect("a connector");
    let limits = CellLimits {
        call_timeout: LIMIT,
        ..CellLimits::default()
    };
    for at_once in [1, 8] {
        let mut late = Vec::new();
        for _ in 0..10 {
            let calls = (0..at_once).map(|_| {
                let source = source(&connector, vendor, &limits);
                tokio::spawn(async move {
                    let start = Instant::now();
                    assert!(source.check().await.is_err(), "it never answers");
                    start.elapsed().saturating_sub(LIMIT)
                })
            });
            for call in calls.collect::<Vec<_>>() {
                late.push(call.await.expect("no panic"));
            }
        }
        let worst = late.iter().max().expect("there were calls");
        println!(
            "{at_once} runaways at once with {LIMIT:?} each: stopped {:?} late, {worst:?} at worst",
            median(late.clone())
        );
    }
}

fn main() {
    let component = build_component();
    println!("component: {} bytes", component.len());
    let pool = Allocation::Pooled {
        cells: 256,
        memory_max_bytes: 64 << 20,
    };
    let (pooled, on_demand) = (engine(pool), engine(Allocation::OnDemand));
    let connector = measure_cache(&component, &pooled);
    let alone = on_demand.compile(&component).expect("a connector");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let vendor = Arc::new(Vendor::new());
    runtime.block_on(async {
        measure_instantiation("pooled", &connector, &vendor).await;
        measure_instantiation("on demand", &alone, &vendor).await;
        measure_tenants(&connector, &vendor).await;
        measure_runaways(&pooled, &vendor).await;
    });
}
