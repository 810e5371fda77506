//! Measures the page path: 500-record pages of Pipedrive persons, through the sandbox into checked values, against the same connector
//! compiled natively. Run it with `cargo bench -p it --bench page_path`.
//!
//! No network: both get the same canned answers. Times are CPU times of the process; take the ratio, machines differ.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use connector_pipedrive::Pipedrive;
use egress::{EgressError, Request, Response};
use longshore_sdk::{Connector as _, Context, HttpRequest, HttpResponse, Page, Transport};
use model::row::RowLimits;
use model::source::PageRequest;
use model::{Batch, ConnectionId, ObjectInfo, Source as _};
use sandbox::{CellLimits, ConnectorSource, Engine, EngineOptions, Outbound};

const PAGE_RECORDS: usize = 500;
const PAGES: usize = 300;
const ROUNDS: usize = 5;
/// Stands in the canned page where each answer gets a cursor of its own.
const CURSOR: &str = "cursor-0000000000";

/// The answers of a Pipedrive account, made once.
struct Answers {
    page: Vec<u8>,
    cursor_at: usize,
    fields: Vec<u8>,
    served: AtomicU64,
}

impl Answers {
    fn new() -> Self {
        let page = persons_page().into_bytes();
        let cursor_at = page
            .windows(CURSOR.len())
            .rposition(|window| window == CURSOR.as_bytes())
            .expect("the page has a cursor");
        Self {
            page,
            cursor_at,
            fields: person_fields().into_bytes(),
            served: AtomicU64::new(0),
        }
    }

    fn body(&self, path: &str) -> Vec<u8> {
        if path.ends_with("/v2/persons") {
            let mut page = self.page.clone();
            let number = format!("{:010}", self.served.fetch_add(1, Ordering::Relaxed));
            let digits = self.cursor_at + CURSOR.len() - number.len();
            page[digits..digits + number.len()].copy_from_slice(number.as_bytes());
            return page;
        }
        if path.ends_with("/v2/personFields") {
            return self.fields.clone();
        }
        br#"{"success":true,"data":[],"additional_data":{"next_cursor":null}}"#.to_vec()
    }

    fn headers() -> Vec<(String, String)> {
        vec![(
            "content-type".to_owned(),
            "application/json; charset=utf-8".to_owned(),
        )]
    }
}

const CUSTOM: [(&str, &str); 8] = [
    ("varchar", "Account manager's note"),
    ("text", "Background"),
    ("double", "Score"),
    ("enum", "Tier"),
    ("set", "Interests"),
    ("date", "Customer since"),
    ("monetary", "Budget"),
    ("phone", "Fax"),
];

fn key(position: usize) -> String {
    format!(
        "{:040x}",
        (position as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    )
}

fn person_fields() -> String {
    let mut fields = String::new();
    for (position, (kind, name)) in CUSTOM.iter().enumerate() {
        let options = match *kind {
            "enum" | "set" => {
                r#"[{"id":31,"label":"Gold"},{"id":32,"label":"Silver"},{"id":33,"label":"Übergrößen"}]"#
            }
            _ => "null",
        };
        let separator = if position == 0 { "" } else { "," };
        write!(
            fields,
            r#"{separator}{{"field_name":"{name}","field_code":"{}","field_type":"{kind}","is_custom_field":true,"is_optional_response_field":false,"options":{options},"subfields":null}}"#,
            key(position)
        )
        .expect("a String takes every write");
    }
    format!(r#"{{"success":true,"data":[{fields}],"additional_data":{{"next_cursor":null}}}}"#)
}

fn persons_page() -> String {
    let people: Vec<String> = (0..PAGE_RECORDS).map(person).collect();
    format!(
        r#"{{"success":true,"data":[{}],"additional_data":{{"next_cursor":"{CURSOR}"}}}}"#,
        people.join(",")
    )
}

/// One person with the dirt of real accounts: escapes, umlauts, CJK, emoji, nulls against empty texts, several addresses.
fn person(number: usize) -> String {
    let names = [
        ("Zoë", "Müller"),
        ("Ada", "O'Neil \\\"Ace\\\""),
        ("健", "渡辺"),
        ("anna ", " SCHMIDT"),
        ("Łukasz", "Nowak 🚀"),
    ];
    let (first, last) = names[number % names.len()];
    let org = if number.is_multiple_of(7) {
        "null".to_owned()
    } else {
        (number / 3).to_string()
    };
    let mail = format!(
        r#"{{"value":"person.{number}@Example-{}.com","primary":true,"label":"work"}}"#,
        number % 50
    );
    let mails = if number.is_multiple_of(4) {
        format!(r#"{mail},{{"value":"p{number}@home.example","primary":false,"label":"home"}}"#)
    } else {
        mail
    };
    let custom: Vec<String> = (0..CUSTOM.len())
        .map(|position| format!(r#""{}":{}"#, key(position), custom_value(position, number)))
        .collect();
    format!(
        concat!(
            r#"{{"id":{id},"name":"{first} {last}","first_name":"{first}","last_name":"{last}","owner_id":{owner},"org_id":{org},"#,
            r#""add_time":"2023-0{month}-11T08:15:30Z","update_time":"2025-1{half}-03T17:45:0{half}Z","is_deleted":false,"visible_to":3,"#,
            r#""label_ids":[{label}],"picture_id":null,"job_title":"Head of\tOperations","birthday":null,"notes":"","#,
            r#""postal_address":{{"value":"Hauptstraße {id}, 10115 Berlin","country":"Germany","admin_area_level_1":"Berlin","#,
            r#""admin_area_level_2":null,"locality":"Berlin","sublocality":null,"route":"Hauptstraße","street_number":"{id}","#,
            r#""subpremise":"","postal_code":"10115","formatted_address":"Hauptstraße {id}, 10115 Berlin, Germany"}},"#,
            r#""emails":[{mails}],"phones":[{{"value":"+49 30 {id:07}","primary":true,"label":"mobile"}}],"im":[],"#,
            r#""custom_fields":{{{custom}}}}}"#,
        ),
        id = number + 1,
        first = first,
        last = last,
        org = org,
        mails = mails,
        owner = 1000 + number % 9,
        month = number % 9 + 1,
        half = number % 2,
        label = 31 + number % 3,
        custom = custom.join(","),
    )
}

fn custom_value(position: usize, number: usize) -> String {
    if (number + position).is_multiple_of(6) {
        return "null".to_owned();
    }
    match CUSTOM[position].0 {
        "varchar" => format!(r#""value {number} of \u00fcber {position}""#),
        "text" => r#""Met at the fair.\nWants a call back; \"soon\"""#.to_owned(),
        "double" => format!("{}.25", number % 100),
        "enum" => (31 + number % 3).to_string(),
        "set" => "[31,33]".to_owned(),
        "date" => format!(r#""2024-05-{:02}""#, number % 28 + 1),
        "monetary" => format!(r#"{{"value":{}.5,"currency":"EUR"}}"#, number * 10),
        _ => format!(r#""030/{number}""#),
    }
}

struct Native(Arc<Answers>);

impl Transport for Native {
    fn send(&self, request: &HttpRequest) -> longshore_sdk::Result<HttpResponse> {
        Ok(HttpResponse {
            status: 200,
            headers: Answers::headers(),
            body: self.0.body(&request.path),
        })
    }

    fn now(&self) -> longshore_sdk::Instant {
        unreachable!("reading persons does not ask for the time")
    }
}

struct Canned(Arc<Answers>);

#[async_trait]
impl Outbound for Canned {
    async fn send(
        &self,
        request: Request,
        _: tokio::time::Instant,
    ) -> Result<Response, EgressError> {
        Ok(Response {
            status: 200,
            headers: Answers::headers(),
            body: self.0.body(&request.path),
        })
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }
}

/// CPU seconds of this process so far, all threads.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells the CPU time");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |position: usize| {
        after_name
            .split_whitespace()
            .nth(position)
            .and_then(|text| text.parse::<f64>().ok())
    };
    // The kernel tells it in hundredths of a second, whatever its own clock is.
    (ticks(11).expect("user time") + ticks(12).expect("system time")) / 100.0
}

/// Records per CPU second of a run that gives back how many records it checked.
fn measure(run: impl FnOnce() -> usize) -> f64 {
    let (before, start) = (cpu_seconds(), Instant::now());
    let records = run();
    let (cpu, wall) = (cpu_seconds() - before, start.elapsed().as_secs_f64());
    assert_eq!(
        records,
        PAGES * PAGE_RECORDS,
        "every record came and was good (in {wall:.1} s)"
    );
    records as f64 / cpu
}

fn run_native(answers: &Arc<Answers>, object: &Arc<ObjectInfo>) -> usize {
    let ctx = Context::native(Native(answers.clone()));
    let (records, mut request) = (Cell::new(0), longshore_sdk::PageRequest::new("person"));
    for _ in 0..PAGES {
        let mut page = Page::new(request.limit);
        let next = Pipedrive::fetch_records(&ctx, &request, &mut page)
            .expect("the canned answers are good");
        let (batch, rejected) =
            Batch::decode(object.clone(), page.into_bytes(), &RowLimits::default())
                .expect("a page");
        assert!(rejected.is_empty(), "{:?}", rejected[0]);
        records.set(records.get() + batch.len());
        request = longshore_sdk::PageRequest::new("person")
            .at(next.expect("there is always a next page"));
    }
    records.get()
}

async fn run_sandboxed(source: &ConnectorSource) -> usize {
    let mut request = PageRequest {
        object: "person".into(),
        cursor: None,
        updated_since: None,
        limit: 500,
    };
    let mut records = 0;
    for _ in 0..PAGES {
        let page = source
            .fetch_page(&request)
            .await
            .expect("the canned answers are good");
        assert!(page.rejected.is_empty(), "{:?}", page.rejected[0]);
        records += page.records.len();
        request.cursor = page.next;
    }
    records
}

/// The official connector as a component, built as it is for release.
fn build_component() -> Vec<u8> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let guests = root.join("target/guests");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "-p",
            "connector-pipedrive",
            "--profile",
            "guest",
            "--target",
            "wasm32-unknown-unknown",
            "--target-dir",
        ])
        .arg(&guests)
        .current_dir(root)
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the connector does not build");
    let module =
        std::fs::read(guests.join("wasm32-unknown-unknown/guest/connector_pipedrive.wasm"))
            .expect("the module was built");
    let manifest = std::fs::read_to_string(root.join("plugins/pipedrive/manifest.toml"))
        .expect("the manifest is there");
    let package = market::pack(&module, &manifest).expect("module and manifest are good");
    market::inspect(&package).expect("the package is good");
    package
}

fn main() {
    let answers = Arc::new(Answers::new());
    println!(
        "page: {PAGE_RECORDS} persons, {} bytes each, {PAGES} pages a round",
        answers.page.len() / PAGE_RECORDS
    );
    let component = build_component();
    let start = Instant::now();
    let engine = Engine::new(EngineOptions::default()).expect("an engine");
    let connector = engine.compile(&component).expect("the connector is one");
    println!(
        "component: {} bytes, compiled in {} ms",
        component.len(),
        start.elapsed().as_millis()
    );
    let outbound = Arc::new(Canned(answers.clone()));
    let source = ConnectorSource::new(
        connector,
        &ConnectionId::new("bench"),
        outbound,
        BTreeMap::new(),
        CellLimits::default(),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (catalog, _) = runtime.block_on(source.fetch_catalog()).expect("a catalog");
    let object = catalog
        .find_object("person")
        .expect("there are persons")
        .clone();
    println!("person: {} fields", object.fields.len());
    let (mut native, mut sandboxed) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        native.push(measure(|| run_native(&answers, &object)));
        sandboxed.push(measure(|| runtime.block_on(run_sandboxed(&source))));
        let (n, s) = (native[round - 1], sandboxed[round - 1]);
        println!(
            "round {round}: native {n:.0}, sandbox {s:.0} records per CPU second, ratio {:.2}",
            s / n
        );
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (n, s) = (median(&mut native), median(&mut sandboxed));
    println!(
        "median: native {n:.0}, sandbox {s:.0} records per CPU second, ratio {:.2}",
        s / n
    );
}
