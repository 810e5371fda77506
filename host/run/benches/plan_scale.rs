//! Planning a large account: contacts with their companies and deals, staged before, decided one by one into an empty local CRM.
//!
//! Prints CPU seconds of the plan phase and the peak memory of it, as the kernel counts them, for each object and what lies between.
//! `cargo bench -p run --bench plan_scale -- 1000000` takes the number of contacts (100,000 is the default); there is a company for every
//! five and a deal for every two. It asserts nothing but that everything is planned: figures are for people.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use model::catalog::{FieldTable, StandardObject};
use model::source::PageRequest;
use model::{
    Account, AssociationInfo, BatchBuilder, Catalog, Cursor, Decimal, FieldInfo, FieldKind,
    Finding, ObjectInfo, Pipeline, RecordPage, Source, SourceError, Stage, StageMeaning, ValueRef,
};

const PER_COMPANY: u64 = 5;
const PER_DEAL: u64 = 2;
/// Text properties of our own of a contact.
const TEXTS: u16 = 8;
/// Of how many contacts one has the e-mail address of another.
const PER_DUPLICATE: u64 = 50;

fn main() {
    let sizes = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok());
    let mut sizes: Vec<u64> = sizes.collect();
    if sizes.is_empty() {
        sizes.push(100_000);
    }
    println!(
        "{:>9} {:>9} {:>12} {:>10} {:>12} {:>9}",
        "contacts", "records", "extract CPU", "plan CPU", "us/record", "peak MiB"
    );
    for size in sizes {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime starts").block_on(measure(size));
    }
}

/// CPU seconds of this thread, as the kernel counts them.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns: f64 = stat
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0.0);
    ns / 1e9
}

/// Begins the peak anew.
fn forget_peak() {
    // Where the kernel does not let us, the peak is that of the whole process, which is more.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib: u64 = line
        .and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0);
    kib / 1024
}

async fn measure(contacts: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = store::Store::open(folder.path()).expect("a store");
    let destination =
        localcrm::LocalCrm::open(&folder.path().join("local-crm.db")).expect("a local CRM");
    let run = store.start_run("bench").expect("a run");
    let clock = || model::Instant::from_unix_us(1_767_600_000_000_000).expect("a time of our days");
    let owners = BTreeMap::new();
    let told = Told::default();
    let mut ctx = run::Context {
        store: &mut store,
        run,
        connection: "bench".into(),
        source: &Large { contacts },
        destination: &destination,
        owners: &owners,
        overrides: None,
        progress: &told,
        now: &clock,
    };
    let discovered = run::discover(&mut ctx).await.expect("both sides are read");
    let before = cpu_s();
    run::extract(&mut ctx, &discovered.source, &discovered.mapping)
        .await
        .expect("the source is read");
    let (extracted, begun) = (cpu_s() - before, cpu_s());
    forget_peak();
    let plan = run::plan(&mut ctx, &discovered, None)
        .await
        .expect("a plan");
    let took = cpu_s() - begun;
    let counts = plan.header.counts.iter();
    let (selected, linked) = counts.fold((0, 0), |(selected, linked), (.., counts)| {
        (selected + counts.selected, linked + counts.link)
    });
    assert_eq!(
        selected,
        contacts + contacts / PER_COMPANY + contacts / PER_DEAL
    );
    assert_eq!(linked, contacts / PER_DUPLICATE, "every duplicate is found");
    println!(
        "{contacts:>9} {selected:>9} {extracted:>12.1} {took:>10.1} {:>12.1} {:>9}",
        took * 1e6 / selected as f64,
        peak_mib()
    );
    for (phase, object, seconds) in told.list().iter() {
        if *phase == run::Phase::Plan && *seconds > 0.0 {
            println!("{:>9} {object:<18} {seconds:>13.1}", "");
        }
    }
}

/// CPU seconds inside each object.
#[derive(Default)]
struct Told(Mutex<Vec<(run::Phase, model::ObjectName, f64)>>);

impl Told {
    fn list(&self) -> std::sync::MutexGuard<'_, Vec<(run::Phase, model::ObjectName, f64)>> {
        self.0.lock().expect("nobody panics holding it")
    }
}

impl run::Progress for Told {
    fn begin(&self, phase: run::Phase, object: &model::ObjectName, _: Option<u64>) {
        self.list().push((phase, object.clone(), -cpu_s()));
    }

    fn advance(&self, _: u64) {}

    fn end(&self) {
        if let Some((.., seconds)) = self.list().last_mut() {
            *seconds += cpu_s();
        }
    }
}

/// Where the records come from: nothing is kept.
struct Large {
    contacts: u64,
}

fn object(
    name: &str,
    standard: StandardObject,
    fields: Vec<FieldInfo>,
    links: &[&str],
) -> ObjectInfo {
    let link = |to: &&str| AssociationInfo {
        name: (*to).to_owned(),
        to: (*to).into(),
        label: None,
    };
    ObjectInfo {
        name: name.into(),
        label: name.to_owned(),
        standard: Some(standard),
        fields: FieldTable::new(fields).expect("names differ"),
        associations: links.iter().map(link).collect(),
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
    use FieldKind::{Email, Integer, Money, Reference, Text};
    let company = vec![
        field("title", Some("name"), Text),
        field("site", Some("domain"), Text),
        field("size", None, Integer),
    ];
    let mut person = vec![
        field("first", Some("firstname"), Text),
        field("last", Some("lastname"), Text),
        field("mail", Some("email"), Email),
        field("score", None, Integer),
    ];
    person.extend((0..TEXTS).map(|number| field(&format!("text_{number}"), None, Text)));
    let deal = vec![
        field("title", Some("dealname"), Text),
        field("stage", Some("dealstage"), Reference),
        field("pipeline", Some("pipeline"), Reference),
        field("value", Some("amount"), Money),
    ];
    let stage = |number: u8| Stage {
        id: format!("stage-{number}").into(),
        label: format!("Stage {number}"),
        probability: Some(number * 10),
        meaning: StageMeaning::Open,
    };
    let objects = [
        object("company", StandardObject::Company, company, &[]),
        object("person", StandardObject::Contact, person, &["company"]),
        object("deal", StandardObject::Deal, deal, &["person", "company"]),
    ];
    Catalog {
        objects: objects.map(Into::into).to_vec(),
        pipelines: vec![Pipeline {
            id: "sales".into(),
            label: "Sales".to_owned(),
            object: "deal".into(),
            stages: (1..=5).map(stage).collect(),
        }],
        ..Catalog::default()
    }
}

impl Large {
    fn count(&self, object: &str) -> u64 {
        match object {
            "person" => self.contacts,
            "company" => self.contacts / PER_COMPANY,
            _ => self.contacts / PER_DEAL,
        }
    }

    fn record(&self, page: &mut BatchBuilder, object: &str, number: u64) {
        page.begin(&(number + 1).to_string(), None);
        let company = (number % self.count("company").max(1) + 1).to_string();
        match object {
            "company" => {
                page.field(0, ValueRef::Text(&format!("Company {number} GmbH")));
                page.field(1, ValueRef::Text(&format!("company{number}.com")));
                page.field(2, ValueRef::Integer((number % 5_000).cast_signed()));
            }
            "person" => {
                page.field(0, ValueRef::Text(&format!("First{}", number % 5_000)));
                page.field(1, ValueRef::Text(&format!("Last{}", number % 50_000)));
                // The last of each fifty is the first once more.
                let same = match number % PER_DUPLICATE {
                    last if last + 1 == PER_DUPLICATE => number - last,
                    _ => number,
                };
                page.field(
                    2,
                    ValueRef::Text(&format!("person{same}@mail{}.com", same % 977)),
                );
                page.field(3, ValueRef::Integer((number % 100).cast_signed()));
                for text in 0..TEXTS {
                    let value = format!("value {} of property {text}", number % 1_000);
                    page.field(4 + text, ValueRef::Text(&value));
                }
                page.association(0, &company);
            }
            _ => {
                page.field(0, ValueRef::Text(&format!("Deal {number}")));
                page.field(1, ValueRef::Text(&format!("stage-{}", number % 5 + 1)));
                page.field(2, ValueRef::Text("sales"));
                let amount = Decimal::new((number % 1_000_000).cast_signed(), 2);
                page.field(3, ValueRef::Decimal(amount));
                page.association(0, &(number % self.contacts + 1).to_string());
                page.association(1, &company);
            }
        }
    }
}

#[async_trait]
impl Source for Large {
    async fn check(&self) -> Result<Account, SourceError> {
        Ok(Account::default())
    }

    async fn fetch_catalog(&self) -> Result<(Catalog, Vec<Finding>), SourceError> {
        Ok((catalog(), Vec::new()))
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<RecordPage, SourceError> {
        let name = request.object.as_str();
        let catalog = catalog();
        let info = catalog.find_object(name).expect("an object of the catalog");
        let from = request.cursor.as_ref().map_or(0, |cursor| {
            std::str::from_utf8(cursor.as_bytes())
                .ok()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0)
        });
        let count = self.count(name);
        let until = (from + 2_000).min(count);
        let mut page = BatchBuilder::new(info.clone());
        (from..until).for_each(|number| self.record(&mut page, name, number));
        Ok(RecordPage {
            records: page.finish(),
            rejected: Vec::new(),
            next: (until < count).then(|| Cursor::new(until.to_string().into_bytes())),
        })
    }
}
