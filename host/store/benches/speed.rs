//! What the store costs per record: extract, plan and apply of contacts of 1.3 KB, into a file, durable.
//!
//! Run with `cargo bench -p store`; the argument is the number of records (100,000 unless given). CPU time is this process's own,
//! from `/proc/self/stat` where there is one, else wall-clock time.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints and stops at the first error"
)]

use std::sync::Arc;
use std::time::Instant as Clock;

use model::ledger::{ActionOutcome, LinkOutcome, Outcome};
use model::plan::{Action, Plan, PlanHeader, PlannedAction, PlannedLink, Reason};
use model::row::RowLimits;
use model::{
    Batch, Catalog, ConnectionId, Cursor, FieldInfo, FieldKind, FieldTable, Instant, ObjectInfo,
    ObjectName, RecordPage,
};
use store::{Side, Store};

const PAGE: usize = 500;

/// CPU seconds of this process so far, at 100 ticks a second.
fn cpu_seconds(start: Clock) -> f64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/stat") else {
        return start.elapsed().as_secs_f64();
    };
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks: f64 = [11, 12]
        .iter()
        .filter_map(|at| fields.get(*at)?.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

struct Meter {
    start: Clock,
    records: usize,
}

impl Meter {
    fn measure<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        let (cpu, wall) = (cpu_seconds(self.start), Clock::now());
        let value = work();
        let us = |seconds: f64| seconds * 1e6 / self.records as f64;
        let (cpu, wall) = (
            us(cpu_seconds(self.start) - cpu),
            us(wall.elapsed().as_secs_f64()),
        );
        println!("{what:<34} {cpu:>7.2} us CPU  {wall:>7.2} us wall a record");
        value
    }
}

fn contact() -> Arc<ObjectInfo> {
    let fields = (0..30)
        .map(|number| FieldInfo::new(format!("field_{number}"), FieldKind::Text))
        .collect();
    Arc::new(ObjectInfo {
        name: "person".into(),
        fields: FieldTable::new(fields).unwrap(),
        ..ObjectInfo::default()
    })
}

fn row(id: usize) -> String {
    let fields: Vec<String> = (0..30)
        .map(|number| format!("\"field_{number}\":\"value {number} of record {id:>9}\""))
        .collect();
    format!("{{\"id\":\"{id}\",\"fields\":{{{}}}}}", fields.join(","))
}

fn pages(records: usize) -> Vec<RecordPage> {
    let object = contact();
    let build = |first: usize| {
        let rows: String = (first..(first + PAGE).min(records))
            .map(|id| row(id) + "\n")
            .collect();
        let (records, rejected) =
            Batch::decode(object.clone(), rows.into_bytes(), &RowLimits::default()).unwrap();
        RecordPage {
            records,
            rejected,
            next: Some(Cursor::new(first.to_string().into_bytes())),
        }
    };
    (0..records).step_by(PAGE).map(build).collect()
}

fn actions(first: usize, records: usize) -> Vec<PlannedAction> {
    let plan = |id: usize| PlannedAction {
        object: "person".into(),
        record: id.to_string().into(),
        action: Action::Create {
            row: row(id),
            reason: Reason::New,
        },
    };
    (first..(first + PAGE).min(records)).map(plan).collect()
}

fn links(first: usize, records: usize) -> Vec<PlannedLink> {
    let plan = |id: usize| PlannedLink {
        from_object: "person".into(),
        from: id.to_string().into(),
        to_object: "person".into(),
        to: (id / 10 * 11).to_string().into(),
        label: None,
    };
    (first..(first + PAGE).min(records)).map(plan).collect()
}

fn header(connection: &ConnectionId) -> PlanHeader {
    PlanHeader {
        connection: connection.clone(),
        destination: "local CRM".into(),
        parent: None,
        created_at: Instant::now(),
        cutover: None,
        mapping: model::mapping::Mapping::default(),
        source: Catalog::default(),
        target: Catalog::default(),
        counts: Vec::new(),
        links: 0,
        removals: 0,
    }
}

fn main() {
    let records = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(100_000);
    let meter = Meter {
        start: Clock::now(),
        records,
    };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let (connection, person) = (ConnectionId::from("pipedrive"), ObjectName::from("person"));
    println!("{records} records of {} bytes", row(records).len());
    extract(&meter, &mut store, &connection, &person);
    matching(&meter, &mut store, &person);
    let plan = plan(&meter, &mut store, &connection);
    apply(&meter, &mut store, &connection, &person, plan);
}

fn extract(meter: &Meter, store: &mut Store, connection: &ConnectionId, person: &ObjectName) {
    let extraction = store.begin_extraction(connection).unwrap();
    let pages = pages(meter.records);
    meter.measure("stage pages", || {
        for page in &pages {
            store
                .stage_page(connection, person, extraction, page)
                .unwrap();
        }
    });
    meter.measure("stage them again", || {
        for page in &pages {
            store
                .stage_page(connection, person, extraction, page)
                .unwrap();
        }
    });
    meter.measure("load staged", || {
        let mut after = 0;
        loop {
            let staged = store
                .load_staged(connection, person, after, PAGE as u32, 8 << 20)
                .unwrap();
            if staged.len == 0 {
                break;
            }
            after = staged.last;
        }
    });
}

fn matching(meter: &Meter, store: &mut Store, person: &ObjectName) {
    let scattered = |id: usize| format!("{:x}@example.com", id.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let keys: Vec<_> = (0..meter.records)
        .map(|id| (scattered(id - usize::from(id % 50 == 1)), id.to_string()))
        .collect();
    store.clear_match_keys().unwrap();
    meter.measure("add match keys", || {
        for batch in keys.chunks(PAGE) {
            let mut batch = batch
                .iter()
                .map(|(key, id)| ("e-mail", key.as_str(), id.as_str()));
            store
                .add_match_keys(Side::Source, person, &mut batch)
                .unwrap();
        }
    });
    meter.measure("settle them", || store.settle_match_keys().unwrap());
    let mut matched = 0;
    meter.measure("find matches", || {
        for (key, id) in &keys {
            let found = store
                .find_match(Side::Source, person, "e-mail", key)
                .unwrap();
            matched += usize::from(found.is_some_and(|found| found != *id));
        }
    });
    println!("{matched} records have the key of another");
}

fn plan(meter: &Meter, store: &mut Store, connection: &ConnectionId) -> Plan {
    let mut writer = store.begin_plan().unwrap();
    let batches: Vec<_> = (0..meter.records)
        .step_by(PAGE)
        .map(|first| actions(first, meter.records))
        .collect();
    meter.measure("add actions, hashed", || {
        for batch in &batches {
            writer.add_actions(store, batch).unwrap();
        }
    });
    let batches: Vec<_> = (0..meter.records)
        .step_by(PAGE)
        .map(|first| links(first, meter.records))
        .collect();
    meter.measure("add links, one a record", || {
        for batch in &batches {
            writer.add_links(store, batch).unwrap();
        }
    });
    let plan = meter.measure("seal", || writer.seal(store, header(connection)).unwrap());
    let missing = meter.measure("mark missing ends", || {
        store.mark_missing_ends(&plan.id).unwrap()
    });
    println!("{missing} links lack an end");
    meter.measure("verify", || store.verify_plan(&plan).unwrap());
    plan
}

fn apply(
    meter: &Meter,
    store: &mut Store,
    connection: &ConnectionId,
    person: &ObjectName,
    plan: Plan,
) {
    let (id, hash) = (plan.id.clone(), plan.hash.clone());
    let run = store.start_run("apply").unwrap();
    store
        .begin_apply(run, &plan.approve(&hash, Instant::now()).unwrap())
        .unwrap();
    meter.measure("load actions", || {
        let mut after = 0;
        while let Some((last, _)) = store
            .load_actions(&id, person, after, PAGE as u32, &[])
            .unwrap()
            .last()
        {
            after = *last;
        }
    });
    let all: Vec<_> = (1_i64..)
        .take(meter.records)
        .map(|position| ActionOutcome {
            position,
            record: (position - 1).to_string().into(),
            outcome: Outcome::Created((position + 1_000_000).to_string().into()),
        })
        .collect();
    meter.measure("intents, outcomes, identities", || {
        for batch in all.chunks(PAGE) {
            store
                .write_intent(run, &id, batch[0].position, batch[batch.len() - 1].position)
                .unwrap();
            store
                .write_outcomes(run, &id, connection, person, &"contact".into(), batch)
                .unwrap();
        }
    });
    let made: Vec<_> = (1_i64..)
        .take(meter.records)
        .map(|position| (position, LinkOutcome::Made, None))
        .collect();
    meter.measure("outcomes of links", || {
        for batch in made.chunks(PAGE) {
            store.write_link_outcomes(run, &id, batch).unwrap();
        }
    });
    meter.measure("next unfinished", || {
        assert_eq!(store.next_unfinished(&id, person, 0).unwrap(), None)
    });
    meter.measure("open intents", || {
        assert_eq!(
            store.intents_without_outcome(&id).unwrap(),
            Vec::<i64>::new()
        )
    });
    meter.measure("load outcomes", || {
        let mut after = 0;
        while let Some(last) = store
            .load_outcomes(&id, person, after, PAGE as u32)
            .unwrap()
            .last()
        {
            after = last.position;
        }
    });
    let path = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(line) = path.lines().find(|line| line.starts_with("VmHWM")) {
        println!("{line}");
    }
}
