//! Acceptance rules of a migration that need the whole house, by their numbers; those of single decisions stand beside these.

use calamine::{Data, Range, Reader as _, Xlsx};
use model::Instant;
use proptest::prelude::*;
use rusqlite::Connection;

use crate::failures_site::{Site, migration};
use crate::sheet::{House, Line, Sheet};

fn open(site: &Site, project: &str) -> Connection {
    Connection::open(site.desk.path().join(project).join("local-crm.db")).unwrap()
}

#[track_caller]
fn number(db: &Connection, select: &str) -> i64 {
    db.query_row(select, [], |row| row.get(0)).unwrap()
}

/// Two identical deals, one on each side: both remain.
#[test]
fn rule_02_two_identical_deals_one_on_each_side_both_remain() {
    let mut house = House::new();
    let mut sheet = Sheet {
        page: 10,
        ..Sheet::default()
    };
    sheet.lines.insert("deal", vec![Line::deal("1", "Big one")]);
    let plan = house.plan(&sheet);
    house.apply(&sheet, plan);
    // Somebody makes the same deal by hand; then both are there before the next run.
    house.run(
        "CREATE TEMP TABLE twin AS SELECT * FROM deals;
         UPDATE twin SET id = id + 100, longshore_source_id = NULL; INSERT INTO deals SELECT * FROM twin",
    );
    sheet.lines.insert(
        "deal",
        vec![Line::deal("1", "Big one"), Line::deal("2", "Big one")],
    );
    let plan = house.plan(&sheet);
    house.apply(&sheet, plan);
    let named = "SELECT count(*) FROM deals WHERE dealname = 'Big one'";
    assert_eq!(house.count(named), 3);
    let by_hand = "SELECT count(*) FROM deals WHERE longshore_source_id IS NULL";
    assert_eq!(house.count(by_hand), 1, "nobody took it over");
}

/// A deal deleted at the source stays at the destination.
#[test]
fn rule_03_a_deal_that_is_gone_at_the_source_stays() {
    let mut house = House::new();
    let mut sheet = Sheet {
        page: 10,
        ..Sheet::default()
    };
    sheet.lines.insert(
        "deal",
        vec![Line::deal("1", "First"), Line::deal("2", "Second")],
    );
    let plan = house.plan(&sheet);
    house.apply(&sheet, plan);
    sheet.lines.insert("deal", vec![Line::deal("2", "Second")]);
    let plan = house.plan(&sheet);
    house.apply(&sheet, plan);
    assert_eq!(house.count("SELECT count(*) FROM deals"), 2);
}

/// All three kinds of association between contacts, companies and deals; deals alone have none, and nothing fails.
#[test]
fn rule_08_associations_of_three_kinds_or_none_for_deals_alone() {
    let site = Site::connected();
    site.copy("p");
    site.desk.run_expecting(&[0, 1], &migration("p"));
    let db = open(&site, "p");
    let between = |from: &str, to: &str| {
        number(
            &db,
            &format!(
                "SELECT count(*) FROM associations WHERE from_object = '{from}' AND to_object = '{to}'"
            ),
        )
    };
    for (from, to) in [
        ("contact", "company"),
        ("deal", "company"),
        ("deal", "contact"),
    ] {
        let made = between(from, to) + between(to, from);
        assert!(made > 0, "{from} with {to}");
    }
    let alone = site.copy("alone");
    let others = [
        "person",
        "organization",
        "lead",
        "product",
        "deal_product",
        "project",
    ];
    let engagements = ["note", "call", "task", "meeting", "email"];
    let left_out: String = others
        .iter()
        .chain(&engagements)
        .map(|object| format!("[objects.{object}]\nleave-out = true\n"))
        .collect();
    std::fs::write(alone.join("mapping.toml"), left_out).unwrap();
    let report = site.desk.run_expecting(&[0, 1], &migration("alone")).json();
    assert_eq!(report["objects"]["deal"]["failed"], 0);
    assert!(report["objects"]["deal"]["created"].as_u64().unwrap() > 0);
    let db = open(&site, "alone");
    assert_eq!(number(&db, "SELECT count(*) FROM associations"), 0);
}

/// The audit workbook: "Export results", and a sheet per object that names each property, its kind, the destination's, and further
/// information; its numbers are those of the destination.
#[test]
fn rule_16_the_workbook_has_export_results_and_a_sheet_per_object() {
    let site = Site::connected();
    let folder = site.copy("p");
    let report = site.desk.run_expecting(&[0, 1], &migration("p")).json();
    let mut book: Xlsx<_> = calamine::open_workbook(folder.join("audit.xlsx")).unwrap();
    let names = book.sheet_names();
    let results = book.worksheet_range("Export results").unwrap();
    let db = open(&site, "p");
    let tables = [
        ("contact", "contacts", "person"),
        ("company", "companies", "organization"),
        ("deal", "deals", "deal"),
        ("note", "notes", "note"),
    ];
    for (standard, table, source) in tables {
        // Sheets are called as the objects are at the destination.
        let told = &report["objects"][standard];
        let there = number(&db, &format!("SELECT count(*) FROM {table}"));
        assert_eq!(told["created"].as_i64(), Some(there), "{standard}");
        let row = find_row(&results, source);
        let has = |count: &serde_json::Value| {
            let count = count.as_f64().unwrap();
            row.iter()
                .any(|cell| matches!(cell, Data::Float(number) if *number == count))
        };
        assert!(has(&told["selected"]) && has(&told["created"]), "{row:?}");
        let name = names
            .iter()
            .find(|name| name.as_str() == standard)
            .unwrap_or_else(|| panic!("no sheet {standard} among {names:?}"));
        let sheet = book.worksheet_range(name).unwrap();
        let heads: Vec<String> = sheet
            .rows()
            .next()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        for head in [
            "Name",
            "Data type",
            "Matching data type",
            "Further information",
        ] {
            assert!(
                heads.iter().any(|found| found.eq_ignore_ascii_case(head)),
                "{head} in {heads:?}"
            );
        }
        assert!(sheet.rows().count() > 3);
    }
}

fn find_row<'r>(sheet: &'r Range<Data>, object: &str) -> &'r [Data] {
    let mut rows = sheet.rows();
    let is_it = |row: &&[Data]| {
        row.iter()
            .any(|cell| matches!(cell, Data::String(text) if text == object))
    };
    rows.find(is_it)
        .unwrap_or_else(|| panic!("no row of {object}"))
}

/// 10,001 records with one identical modified time: none is lost, and neither reading nor the next run is endless.
#[test]
fn rule_22_ten_thousand_and_one_records_of_one_modified_time() {
    let line = |number: u32| Line {
        id: number.to_string(),
        fields: vec![(1, format!("Person {number}"))],
        ..Line::default()
    };
    let mut sheet = Sheet {
        page: 500,
        updated_at: Instant::from_unix_us(1_790_000_000_000_000),
        ..Sheet::default()
    };
    sheet
        .lines
        .insert("person", (1..=10_001).map(line).collect());
    let mut house = House::new();
    let plan = house.plan(&sheet);
    house.apply(&sheet, plan);
    let all = "SELECT count(DISTINCT longshore_source_id) FROM contacts";
    assert_eq!(house.count(all), 10_001);
    assert_eq!(house.count("SELECT count(*) FROM contacts"), 10_001);
    let again = house.plan(&sheet);
    let kept: u64 = again
        .header
        .counts
        .iter()
        .map(|(.., counts)| counts.keep)
        .sum();
    assert_eq!(kept, 10_001, "the plan after a perfect apply is empty");
}

/// An account with everything that order might decide: duplicates within the source, links in both directions of time, equal names.
pub(crate) fn account() -> impl Strategy<Value = Sheet> {
    let person = (
        0_u32..12,
        0_u32..8,
        prop::option::of(0_u32..6),
        prop::option::of(0_u32..5),
    );
    let people = prop::collection::vec(person, 1..30);
    let companies = prop::collection::vec((0_u32..5, prop::option::of(0_u32..4)), 0..8);
    (
        people,
        companies,
        prop::collection::vec((0_u32..30, 0_u32..8), 0..10),
    )
        .prop_map(|(people, companies, deals)| {
            let mut sheet = Sheet::default();
            let text = |at: u16, word: &str, number: u32| (at, format!("{word}{number}"));
            let people = people.into_iter().zip(1_u32..);
            let people = people.map(|((first, last, mail, company), id)| Line {
                id: id.to_string(),
                fields: [text(0, "First", first), text(1, "Last", last)]
                    .into_iter()
                    .chain(mail.map(|mail| (2, format!("m{mail}@example.com"))))
                    .collect(),
                links: company
                    .map(|company| (0, (company + 1).to_string()))
                    .into_iter()
                    .collect(),
            });
            sheet.lines.insert("person", people.collect());
            let companies = companies.into_iter().zip(1_u32..);
            let companies = companies.map(|((name, domain), id)| Line {
                id: id.to_string(),
                fields: std::iter::once(text(0, "Company ", name))
                    .chain(domain.map(|domain| (1, format!("d{domain}.com"))))
                    .collect(),
                links: Vec::new(),
            });
            sheet.lines.insert("company", companies.collect());
            let deals = deals.into_iter().zip(1_u32..);
            let deals = deals.map(|((person, company), id)| Line {
                links: vec![
                    (0, (person + 1).to_string()),
                    (1, (company + 1).to_string()),
                ],
                ..Line::deal(&id.to_string(), &format!("Deal {person}"))
            });
            sheet.lines.insert("deal", deals.collect());
            sheet
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the order and the pages in which the source hands out its records: the plan is the same, to its hash.
    #[test]
    fn any_permutation_of_the_input_gives_the_same_plan(
        sheet in account(),
        page in 1_usize..12,
        seed in any::<u64>(),
    ) {
        let straight = Sheet { page: 100, ..sheet.clone() };
        let mut shuffled = Sheet { page, ..sheet };
        let mut state = seed | 1;
        for lines in shuffled.lines.values_mut() {
            for at in (1..lines.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                lines.swap(at, (state >> 33) as usize % (at + 1));
            }
        }
        let (one, other) = (House::new().plan(&straight), House::new().plan(&shuffled));
        prop_assert_eq!(one.hash, other.hash);
    }
}
