//! The cut-over certificate: equal after a migration, and after it was tampered with every difference by name.

use calamine::{Data, Reader as _, Xlsx};
use serde_json::Value;

use crate::failures_site::{Site, migration};

const VERIFY: [&str; 5] = ["audit", "--verify", "--dir", "p", "--json"];

#[test]
fn both_sides_are_equal_after_a_migration_and_every_later_difference_is_listed() {
    let site = Site::connected();
    let folder = site.copy("p");
    site.desk.run_expecting(&[0, 1], &migration("p"));
    let plans = |folder: &std::path::Path| -> i64 {
        let db = rusqlite::Connection::open(folder.join("state.db")).unwrap();
        db.query_row("SELECT count(*) FROM plan", [], |row| row.get(0))
            .unwrap()
    };
    let before = plans(&folder);
    assert_equal(&site.desk.run_expecting(&[0], &VERIFY).json());
    assert_eq!(
        plans(&folder),
        before,
        "a certificate leaves the plans alone"
    );

    let tampered = tamper(&folder);
    let told = site.desk.run_expecting(&[1], &VERIFY).json();
    assert_eq!(told["equal"], false);
    assert_eq!(told["associations"]["missing"], 1);
    let file = std::fs::read(folder.join("certificate.json")).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&file).unwrap()["listed"],
        told["listed"]
    );
    let unequal = told["money"].as_array().unwrap().iter();
    assert_eq!(
        unequal.filter(|line| line["equal"] == false).count(),
        1,
        "{}",
        told["money"]
    );
    let listed = told["listed"].as_array().unwrap();
    let texts: Vec<String> = listed
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            format!(
                "{} {}: {}",
                text("object"),
                text("record"),
                text("difference")
            )
        })
        .collect();
    for expected in &tampered {
        assert!(
            texts.iter().any(|text| text.starts_with(expected)),
            "{expected} in {texts:#?}"
        );
    }
    assert_eq!(texts.len(), tampered.len(), "{texts:#?}");
    assert_eq!(told["differences"], tampered.len());
    assert_sheets(&folder, tampered.len());
}

fn assert_sheets(folder: &std::path::Path, differences: usize) {
    let mut book: Xlsx<_> = calamine::open_workbook(folder.join("certificate.xlsx")).unwrap();
    let sheet = book.worksheet_range("Differences").unwrap();
    assert_eq!(sheet.rows().count(), differences + 1);
    let summary = book.worksheet_range("Certificate").unwrap();
    let has = |text: &str| {
        let mut cells = summary.cells();
        cells.any(|(.., cell)| matches!(cell, Data::String(found) if found == text))
    };
    assert!(has("the sides differ; see the sheet Differences") && has("DIFFERENT"));
}

fn assert_equal(equal: &Value) {
    assert_eq!(
        (&equal["equal"], &equal["differences"]),
        (&true.into(), &0.into()),
        "{equal}"
    );
    for object in equal["objects"].as_array().unwrap() {
        let number = |key: &str| object[key].as_u64().unwrap();
        let excluded: u64 = object["excluded"]
            .as_object()
            .unwrap()
            .values()
            .map(|count| count.as_u64().unwrap())
            .sum();
        let accounted = number("equal") + number("merged") + number("held") + excluded;
        assert_eq!(number("selected"), accounted, "{object}");
    }
    let links = &equal["associations"];
    assert!(links["present"].as_u64().unwrap() > 100, "{links}");
    assert_eq!(links["missing"], 0);
    assert!(
        equal["money"]
            .as_array()
            .unwrap()
            .iter()
            .all(|line| line["equal"] == true)
    );
}

/// Changes the local CRM behind Longshore's back; what the certificate must list of it.
fn tamper(folder: &std::path::Path) -> Vec<String> {
    let db = rusqlite::Connection::open(folder.join("local-crm.db")).unwrap();
    let text = |select: &str| -> (i64, String) {
        db.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
    };
    let source = |key: &str| {
        let mut parts = key.rsplitn(3, '/');
        let (id, object) = (parts.next().unwrap(), parts.next().unwrap());
        format!("{object} {id}: ")
    };
    let run = |sql: &str, id: i64| assert_eq!(db.execute(sql, [id]).unwrap(), 1, "{sql}");
    let (contact, contact_key) = text(
        "SELECT id, longshore_source_id FROM contacts WHERE lastname IS NOT NULL ORDER BY id LIMIT 1",
    );
    run(
        "UPDATE contacts SET lastname = 'by hand' WHERE id = ?1",
        contact,
    );
    let (deal, deal_key) =
        text("SELECT id, longshore_source_id FROM deals WHERE amount > 1 ORDER BY id LIMIT 1");
    run(
        "UPDATE deals SET amount = amount + 0.01 WHERE id = ?1",
        deal,
    );
    let (note, note_key) = text(
        "SELECT n.id, n.longshore_source_id FROM notes n
         WHERE (SELECT count(*) FROM associations a WHERE a.from_object = 'note' AND a.from_id = n.id AND a.to_object = 'contact') = 1
         ORDER BY n.id LIMIT 1",
    );
    run(
        "DELETE FROM associations WHERE from_object = 'note' AND from_id = ?1 AND to_object = 'contact'",
        note,
    );
    vec![
        format!("{}lastname: by hand -> ", source(&contact_key)),
        format!("{}amount: ", source(&deal_key)),
        format!("{}the association to person ", source(&note_key)),
    ]
}
