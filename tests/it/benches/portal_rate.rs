//! Apply into a HubSpot portal with the vendor's limits on, in simulated time: how much of what the limits allow is used, how far from the
//! arithmetic bound it ends, and what a written record costs in CPU time.
//!
//! Everything is the product's but the network and the clock: requests go through the guarded client and its limits, and are answered by
//! the simulator in this process. Time is Tokio's, paused: it passes when everybody waits. The CPU time of the simulator is taken off.
//! No sockets, TLS or compression are in the figures.
//!
//! `cargo bench -p it --features simulated --bench portal_rate -- 20000 100000` takes the numbers of contacts; 20,000 is the default.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use egress::simulated::{Incoming, Outgoing};
use hubspot::{ApiVersion, grant};
use model::catalog::{AssociationInfo, FieldTable, StandardObject};
use model::source::PageRequest;
use model::{
    Account, BatchBuilder, Catalog, Cursor, FieldInfo, FieldKind, Finding, ObjectInfo, RecordPage,
    Source, SourceError, ValueRef,
};
use simulators::hubspot as simulated;

/// What a request takes, as a portal's do: writes of a hundred records longer than others.
const BATCH_MS: u64 = 450;
const OTHER_MS: u64 = 120;

/// The vendor's window for a paying portal's private app.
const WINDOW: u32 = 190;
const WINDOW_S: f64 = 10.0;

/// One company for so many contacts.
const PER_COMPANY: u64 = 4;

/// Texts of a contact beside name and address.
const TEXTS: u16 = 16;

fn main() {
    let sizes = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok());
    let mut sizes: Vec<u64> = sizes.collect();
    if sizes.is_empty() {
        sizes.push(20_000);
    }
    println!(
        "{:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7} {:>6} {:>6} {:>12}",
        "contacts",
        "records",
        "requests",
        "fewest",
        "bound s",
        "took s",
        "over %",
        "used %",
        "429",
        "CPU us/record"
    );
    for size in sizes {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build();
        runtime.expect("a runtime starts").block_on(measure(size));
    }
}

/// CPU time of this thread, in nanoseconds, as the kernel counts it.
fn cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

async fn measure(contacts: u64) {
    let start = tokio::time::Instant::now();
    let epoch_ms: i64 = 1_767_600_000_000;
    let now_ms = move || epoch_ms + i64::try_from(start.elapsed().as_millis()).unwrap_or(0);
    let portal = Arc::new(simulated::Portal::new(simulated::Options {
        clock: Arc::new(now_ms),
        ..simulated::Options::default()
    }));
    let (requests, simulator_ns) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let gateway = {
        let (portal, requests, simulator_ns) =
            (portal.clone(), requests.clone(), simulator_ns.clone());
        let now =
            move || model::Instant::from_unix_us(now_ms() * 1_000).expect("a time of our days");
        egress::simulated::gateway(options(portal.token()), now, move |outgoing| {
            answer(
                portal.clone(),
                requests.clone(),
                simulator_ns.clone(),
                outgoing,
            )
        })
        .expect("the grant fits together")
    };
    let destination = hubspot::Portal::new(gateway, ApiVersion::V3);
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = store::Store::open(folder.path()).expect("a store");
    let run = store.start_run("bench").expect("a run");
    let clock = || model::Instant::from_unix_us(1_767_600_000_000_000).expect("a time of our days");
    let owners = BTreeMap::new();
    let mut ctx = run::Context {
        store: &mut store,
        run,
        connection: "bench".into(),
        source: &Company { contacts },
        destination: &destination,
        owners: &owners,
        overrides: None,
        progress: &Told(start),
        now: &clock,
    };
    let discovered = run::discover(&mut ctx).await.expect("both sides are read");
    run::extract(&mut ctx, &discovered.source, &discovered.mapping)
        .await
        .expect("the source is read");
    let plan = run::plan(&mut ctx, &discovered, None)
        .await
        .expect("a plan");
    let hash = plan.hash.clone();
    let approved = plan.approve(&hash, clock()).expect("its own hash");
    // The apply begins with a window of its own.
    tokio::time::advance(Duration::from_secs(20)).await;
    requests.store(0, Ordering::Relaxed);
    simulator_ns.store(0, Ordering::Relaxed);
    let (begun, before) = (tokio::time::Instant::now(), cpu_ns());
    run::apply(&mut ctx, &approved)
        .await
        .expect("the plan is carried out");
    let cpu = cpu_ns() - before - simulator_ns.load(Ordering::Relaxed);
    tell(
        contacts,
        requests.load(Ordering::Relaxed),
        begun.elapsed().as_secs_f64(),
        cpu,
        &portal,
    );
}

fn tell(contacts: u64, requests: u64, took: f64, cpu_ns: u64, portal: &simulated::Portal) {
    let companies = contacts.div_ceil(PER_COMPANY);
    let records = contacts + companies;
    let count = |word: &str| {
        portal
            .object(word)
            .map_or(0, |object| portal.count(object) as u64)
    };
    assert_eq!(
        (count("contacts"), count("companies")),
        (contacts, companies),
        "everything is there once"
    );
    // Batches of a hundred, links by two thousand, and what links are there already by a thousand.
    let fewest = contacts.div_ceil(100)
        + companies.div_ceil(100)
        + contacts.div_ceil(2_000)
        + contacts.div_ceil(1_000);
    // A short run may beat it: the first window can be full at once.
    let bound = requests as f64 * WINDOW_S / f64::from(WINDOW);
    let used = requests as f64 / (took / WINDOW_S * f64::from(WINDOW));
    let refused: u64 = portal.counters().rate_limited.values().sum();
    println!(
        "{contacts:>9} {records:>9} {requests:>9} {fewest:>9} {bound:>9.1} {took:>7.1} {:>7.1} {:>6.1} {refused:>6} {:>12.1}",
        (took / bound - 1.0) * 100.0,
        used * 100.0,
        cpu_ns as f64 / 1_000.0 / records as f64,
    );
}

fn options(token: &str) -> egress::GatewayOptions {
    let vault = vault::Vault::in_memory();
    let entry = vault::EntryName::new("hubspot".into(), grant::TOKEN);
    let secret = vault::Secret::Key(vault::SecretText::new(token.to_owned()));
    vault.store(&entry, &secret).expect("a vault in memory");
    egress::GatewayOptions {
        connection: "hubspot".into(),
        endpoints: grant::endpoints(None),
        parameters: BTreeMap::new(),
        credential: grant::credentials().swap_remove(0),
        origin_override: Some("http://127.0.0.1:1".parse().expect("an address")),
        vault: Arc::new(vault),
        rate_limits: egress::RateLimits::Declared,
        user_agent: "bench".to_owned(),
        caps: egress::Caps::default(),
        recorder: None,
    }
}

async fn answer(
    portal: Arc<simulated::Portal>,
    requests: Arc<AtomicU64>,
    simulator_ns: Arc<AtomicU64>,
    outgoing: Outgoing,
) -> Incoming {
    let latency = if outgoing.target.contains("/batch/") {
        BATCH_MS
    } else {
        OTHER_MS
    };
    // The server counts a request when it comes in: half of the way is behind it then.
    tokio::time::sleep(Duration::from_millis(latency / 2)).await;
    let before = cpu_ns();
    let method = match outgoing.method.as_str() {
        "POST" => simulated::Method::Post,
        "PUT" => simulated::Method::Put,
        "PATCH" => simulated::Method::Patch,
        "DELETE" => simulated::Method::Delete,
        _ => simulated::Method::Get,
    };
    let mut call = simulated::Call::new(method, &outgoing.target).bytes(outgoing.body);
    call.headers = outgoing.headers;
    let answer = portal.handle(&call);
    simulator_ns.fetch_add(cpu_ns() - before, Ordering::Relaxed);
    requests.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(latency - latency / 2)).await;
    let headers = answer
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value));
    (answer.status, headers.collect(), answer.body)
}

/// Prints when work on an object begins, in simulated seconds, where `LONGSHORE_PHASES` asks for it.
struct Told(tokio::time::Instant);

impl run::Progress for Told {
    fn begin(&self, phase: run::Phase, object: &model::ObjectName, _: Option<u64>) {
        if std::env::var_os("LONGSHORE_PHASES").is_some() {
            println!(
                "{:>9.1} s {} {object}",
                self.0.elapsed().as_secs_f64(),
                phase.name()
            );
        }
    }

    fn advance(&self, _: u64) {}

    fn end(&self) {}
}

/// A source of companies and contacts, made as they are asked for.
struct Company {
    contacts: u64,
}

fn object(name: &str, standard: StandardObject, fields: Vec<FieldInfo>) -> ObjectInfo {
    ObjectInfo {
        name: name.into(),
        label: name.to_owned(),
        standard: Some(standard),
        fields: FieldTable::new(fields).expect("names differ"),
        ..ObjectInfo::default()
    }
}

fn field(name: &str, standard: Option<&str>, kind: FieldKind) -> FieldInfo {
    FieldInfo {
        standard: standard.map(str::to_owned),
        custom: standard.is_none(),
        ..FieldInfo::new(name, kind)
    }
}

fn catalog() -> Catalog {
    let company = vec![
        field("title", Some("name"), FieldKind::Text),
        field("site", Some("domain"), FieldKind::Text),
    ];
    let mut person = vec![
        field("first", Some("firstname"), FieldKind::Text),
        field("last", Some("lastname"), FieldKind::Text),
        field("mail", Some("email"), FieldKind::Email),
        field("score", None, FieldKind::Integer),
    ];
    person.extend((0..TEXTS).map(|number| field(&format!("text_{number}"), None, FieldKind::Text)));
    let mut person = object("person", StandardObject::Contact, person);
    person.associations.push(AssociationInfo {
        name: "company".to_owned(),
        to: "company".into(),
        label: None,
    });
    Catalog {
        objects: vec![
            object("company", StandardObject::Company, company).into(),
            person.into(),
        ],
        ..Catalog::default()
    }
}

#[async_trait]
impl Source for Company {
    async fn check(&self) -> Result<Account, SourceError> {
        Ok(Account::default())
    }

    async fn fetch_catalog(&self) -> Result<(Catalog, Vec<Finding>), SourceError> {
        Ok((catalog(), Vec::new()))
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<RecordPage, SourceError> {
        let catalog = catalog();
        let info = catalog
            .find_object(request.object.as_str())
            .expect("an object of the catalog");
        let companies = self.contacts.div_ceil(PER_COMPANY);
        let count = if request.object.as_str() == "person" {
            self.contacts
        } else {
            companies
        };
        let from = request.cursor.as_ref().map_or(0, |cursor| {
            std::str::from_utf8(cursor.as_bytes())
                .ok()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0)
        });
        let until = (from + 1_000).min(count);
        let mut page = BatchBuilder::new(info.clone());
        for number in from..until {
            page.begin(&(number + 1).to_string(), None);
            if request.object.as_str() == "person" {
                person(&mut page, number, number % companies + 1);
            } else {
                page.field(0, ValueRef::Text(&format!("Company {number}")));
                page.field(1, ValueRef::Text(&format!("company{number}.example")));
            }
        }
        Ok(RecordPage {
            records: page.finish(),
            rejected: Vec::new(),
            next: (until < count).then(|| Cursor::new(until.to_string().into_bytes())),
        })
    }
}

fn person(page: &mut BatchBuilder, number: u64, company: u64) {
    page.field(0, ValueRef::Text("Ada"));
    page.field(1, ValueRef::Text(&format!("Byron {number}")));
    page.field(
        2,
        ValueRef::Text(&format!("ada.{number}@ex{}.example", number % 977)),
    );
    page.field(
        3,
        ValueRef::Integer(i64::try_from(number % 100).unwrap_or(0)),
    );
    for text in 0..TEXTS {
        page.field(
            4 + text,
            ValueRef::Text(&format!("a value of twenty and {number}")),
        );
    }
    page.association(0, &company.to_string());
}
