//! CPU time of planning one contact of 30 fields: created, kept, and its match keys.
//!
//! It measures and prints; it judges nothing.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints what its clock says"
)]

use std::borrow::Cow;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use model::catalog::{Catalog, FieldTable, StandardObject};
use model::mapping::Binding;
use model::{
    BatchBuilder, DestinationRecordId, FieldInfo, FieldKind, ObjectInfo, ObjectName, ValueRef,
};
use reconcile::{Directory, Known, ObjectPlanner, PlannerOutput, default_mapping, planned_catalog};

const RECORDS: u32 = 200_000;

struct Everybody;

impl Directory for Everybody {
    fn has_record(&self, _: &ObjectName, _: &str) -> bool {
        true
    }

    fn find_bound(&self, _: &Binding, id: &str) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(id.to_owned()))
    }
}

fn contact(name: &str) -> Arc<ObjectInfo> {
    let field = |at: u16| {
        let (name, kind) = match at {
            0 => ("email".to_owned(), FieldKind::Email),
            at if at % 5 == 1 => (format!("number{at}"), FieldKind::Decimal),
            at if at % 5 == 2 => (format!("day{at}"), FieldKind::Date),
            at => (format!("text{at}"), FieldKind::Text),
        };
        FieldInfo {
            standard: Some(name.clone()),
            ..FieldInfo::new(name, kind)
        }
    };
    let fields = FieldTable::new((0..30).map(field).collect()).expect("names differ");
    Arc::new(ObjectInfo {
        name: name.into(),
        standard: Some(StandardObject::Contact),
        fields,
        ..ObjectInfo::default()
    })
}

fn measure(what: &str, mut work: impl FnMut()) {
    let start = Instant::now();
    for _ in 0..RECORDS {
        work();
    }
    println!(
        "{what}: {:.2} us a record",
        start.elapsed().as_secs_f64() * 1e6 / f64::from(RECORDS)
    );
}

fn main() {
    let catalog = |object: &Arc<ObjectInfo>| Catalog {
        objects: vec![object.clone()],
        ..Catalog::default()
    };
    let (source, destination) = (contact("person"), contact("contact"));
    let (mapping, _) = default_mapping(&catalog(&source), &catalog(&destination));
    let planned = planned_catalog(&catalog(&destination), &mapping).objects[0].clone();
    let planner = ObjectPlanner::new(
        &mapping,
        &mapping.objects[0],
        &source,
        &destination,
        &planned,
    );
    let planner = planner.expect("a default mapping fits");
    let build = |object: &Arc<ObjectInfo>| {
        let mut builder = BatchBuilder::new(object.clone());
        builder.begin("4711", None);
        for (at, field) in (0_u16..).zip(object.fields.iter()) {
            let day = "2026-01-05".parse().expect("a date");
            builder.field(
                at,
                match field.kind {
                    FieldKind::Decimal => ValueRef::Decimal(model::Decimal::new(123_456, 2)),
                    FieldKind::Date => ValueRef::Date(day),
                    _ => ValueRef::Text("ann.lee@example.com"),
                },
            );
        }
        builder.finish()
    };
    let (record, current) = (build(&source), build(&destination));
    let (record, current) = (record.record(0), current.record(0));
    let mut output = PlannerOutput::default();
    let id = DestinationRecordId::new("1");
    let kept = Known {
        bound: Some(&id),
        current: Some(current),
        ..Known::default()
    };
    measure("create", || {
        drop(black_box(planner.plan_record(
            record,
            &Known::default(),
            &Everybody,
            &mut output,
        )))
    });
    measure("keep", || {
        drop(black_box(planner.plan_record(
            record,
            &kept,
            &Everybody,
            &mut output,
        )))
    });
    measure("match keys", || drop(black_box(planner.match_keys(record))));
}
