//! What a record costs: contacts of 40 properties created, read back, found and changed, in processor time of this thread.
//!
//! It proves nothing about rules; the tests do. Run it with `cargo bench -p localcrm`.
#![expect(clippy::print_stdout, reason = "its figures are its output")]

use std::error::Error;
use std::time::Instant as Clock;

use localcrm::LocalCrm;
use model::catalog::FieldOption;
use model::destination::{Preparation, SourceKey, Write, WriteBatch, WriteOutcome};
use model::{Batch, BatchBuilder, Destination, FieldInfo, FieldKind, ObjectName, Value};

const RECORDS: usize = 100_000;
const BATCH: usize = 500;

/// Properties that are added to the built-in ones, and the built-in ones that are filled: 40 in all.
const CUSTOM: [(&str, FieldKind); 25] = [
    ("c_text_1", FieldKind::Text),
    ("c_text_2", FieldKind::Text),
    ("c_text_3", FieldKind::Text),
    ("c_text_4", FieldKind::Text),
    ("c_text_5", FieldKind::Text),
    ("c_text_6", FieldKind::Text),
    ("c_text_7", FieldKind::Text),
    ("c_html", FieldKind::Html),
    ("c_phone", FieldKind::Phone),
    ("c_url", FieldKind::Url),
    ("c_integer_1", FieldKind::Integer),
    ("c_integer_2", FieldKind::Integer),
    ("c_decimal_1", FieldKind::Decimal),
    ("c_decimal_2", FieldKind::Decimal),
    ("c_money_1", FieldKind::Money),
    ("c_money_2", FieldKind::Money),
    ("c_flag_1", FieldKind::Boolean),
    ("c_flag_2", FieldKind::Boolean),
    ("c_date_1", FieldKind::Date),
    ("c_date_2", FieldKind::Date),
    ("c_instant_1", FieldKind::Instant),
    ("c_instant_2", FieldKind::Instant),
    ("c_time", FieldKind::Time),
    ("c_option", FieldKind::Option),
    ("c_options", FieldKind::Options),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let crm = LocalCrm::open(&dir.path().join("crm.sqlite"))?;
    let contact = ObjectName::new("contact");
    let properties = CUSTOM
        .iter()
        .map(|(name, kind)| (contact.clone(), property(name, *kind)))
        .collect();
    crm.prepare(&Preparation {
        properties,
        ..Preparation::default()
    })
    .await?;

    let batches: Vec<Batch> = batches(&crm, RECORDS).await?;
    let mut ids = Vec::with_capacity(RECORDS);
    let meter = Meter::start();
    for records in batches {
        let writes = vec![Write::Create; records.len()];
        for outcome in crm.write_records(&batch(records, writes)).await? {
            match outcome {
                WriteOutcome::Written { id, .. } => ids.push(id),
                WriteOutcome::Refused(why) => return Err(why.into()),
            }
        }
    }
    meter.tell("create", RECORDS);

    let meter = Meter::start();
    let (mut cursor, mut values) = (None, 0);
    loop {
        let (page, next) = crm.fetch_page(&contact, cursor.as_ref(), 500).await?;
        values += page
            .iter()
            .map(|record| record.fields().count())
            .sum::<usize>();
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    meter.tell("fetch_page", RECORDS);
    assert!(values >= RECORDS * 40);

    let meter = Meter::start();
    for ids in ids.chunks(BATCH) {
        assert_eq!(crm.read_records(&contact, &[], ids).await?.len(), ids.len());
    }
    meter.tell("read_records", RECORDS);

    let meter = Meter::start();
    for chunk in (0..RECORDS).collect::<Vec<_>>().chunks(BATCH) {
        let key = |n: &usize| SourceKey {
            connection: "acme".into(),
            object: "person".into(),
            record: n.to_string(),
        };
        let keys: Vec<SourceKey> = chunk.iter().map(key).collect();
        assert!(
            crm.find_records(&contact, &keys)
                .await?
                .iter()
                .all(Option::is_some)
        );
    }
    meter.tell("find_records", RECORDS);

    let updated = RECORDS / 10;
    let batches = self::batches(&crm, updated).await?;
    let meter = Meter::start();
    for (records, ids) in batches.into_iter().zip(ids.chunks(BATCH)) {
        let writes = ids.iter().cloned().map(Write::Update).collect();
        crm.write_records(&batch(records, writes)).await?;
    }
    meter.tell("update, 40 properties with before", updated);
    Ok(())
}

fn batch(records: Batch, writes: Vec<Write>) -> WriteBatch {
    WriteBatch {
        connection: "acme".into(),
        source_object: "person".into(),
        records,
        writes,
        ties: Vec::new(),
    }
}

fn property(name: &str, kind: FieldKind) -> FieldInfo {
    let option = |value: &str| FieldOption {
        value: value.to_owned(),
        label: value.to_owned(),
    };
    let options = match kind {
        FieldKind::Option | FieldKind::Options => {
            vec![option("red"), option("green"), option("blue")]
        }
        _ => Vec::new(),
    };
    FieldInfo {
        options,
        custom: true,
        ..FieldInfo::new(name, kind)
    }
}

async fn batches(crm: &LocalCrm, records: usize) -> Result<Vec<Batch>, Box<dyn Error>> {
    let catalog = crm.fetch_catalog().await?;
    let info = catalog.find_object("contact").ok_or("no contacts")?;
    // All built-in properties but the owner, and all custom ones: 14 + 25, and the source key makes 40.
    let skipped = ["longshore_source_id", "hubspot_owner_id"];
    let filled: Vec<(u16, &FieldInfo)> = (0_u16..)
        .zip(info.fields.iter())
        .filter(|(_, field)| !skipped.contains(&field.name.as_str()))
        .collect();
    let mut made = Vec::new();
    for chunk in (0..records).collect::<Vec<_>>().chunks(BATCH) {
        let mut builder = BatchBuilder::new(info.clone());
        for n in chunk {
            builder.begin(&n.to_string(), None);
            for (at, field) in &filled {
                builder.field(*at, value(field, *n)?.as_ref());
            }
        }
        made.push(builder.finish());
    }
    Ok(made)
}

fn value(field: &FieldInfo, n: usize) -> Result<Value, Box<dyn Error>> {
    let number = i64::try_from(n)?;
    Ok(match field.kind {
        FieldKind::Integer => Value::Integer(number * 1_000),
        FieldKind::Decimal | FieldKind::Money => Value::Decimal(format!("{n}.25").parse()?),
        FieldKind::Boolean => Value::Boolean(n.is_multiple_of(2)),
        FieldKind::Date => Value::Date(
            format!("20{:02}-{:02}-{:02}", n % 90 + 10, n % 12 + 1, n % 28 + 1).parse()?,
        ),
        FieldKind::Instant => Value::Instant(
            model::Instant::from_unix_us(1_700_000_000_000_000 + number * 1_000_000)
                .ok_or("out of range")?,
        ),
        FieldKind::Time => Value::Time(format!("{:02}:{:02}:00", n % 24, n % 60).parse()?),
        FieldKind::Option => Value::Text("green".to_owned()),
        FieldKind::Options => Value::Options(vec!["red".to_owned(), "blue".to_owned()]),
        // E-mails come in no order, as in life.
        FieldKind::Email => Value::Text(format!(
            "{:x}@example.org",
            n.wrapping_mul(0x9E37_79B9) & 0xFFFF_FFFF
        )),
        _ => Value::Text(format!("{} of {n}", field.name)),
    })
}

/// Processor and wall time since it was started.
struct Meter {
    cpu: Option<f64>,
    wall: Clock,
}

impl Meter {
    fn start() -> Self {
        Self {
            cpu: cpu_us(),
            wall: Clock::now(),
        }
    }

    fn tell(&self, what: &str, records: usize) {
        let each = |us: f64| us / f64::from(u32::try_from(records).unwrap_or(u32::MAX));
        let wall = each(self.wall.elapsed().as_secs_f64() * 1e6);
        match self.cpu.zip(cpu_us()) {
            Some((before, after)) => {
                println!(
                    "{what}: {:.2} µs of processor time a record, {wall:.2} µs of wall time",
                    each(after - before)
                );
            }
            None => println!(
                "{what}: {wall:.2} µs of wall time a record (processor time is told on Linux only)"
            ),
        }
    }
}

/// Processor time of this thread in microseconds, where the system tells it.
fn cpu_us() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace()
        .next()?
        .parse::<f64>()
        .ok()
        .map(|ns| ns / 1e3)
}
