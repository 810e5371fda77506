//! What did not come through: told by cause, corrected by hand, tried again; and the breaker that pauses a run before thousands fail.
//!
//! Refusals are ordered from the local CRM by a trigger; broken rows are put where a reading would have put them.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::failures_site::{Site, assert_refused, migration};

/// A migrated project in the folder `p`.
struct Case {
    site: Site,
}

impl Case {
    fn new() -> Self {
        let site = Site::connected();
        site.copy("p");
        site.desk.run_expecting(&[0, 1], &["plan", "--dir", "p"]);
        Self { site }
    }

    fn file(&self, name: &str) -> Connection {
        open(&self.site.desk.path().join("p").join(name))
    }

    /// The command's JSON; it must end with one of the codes.
    #[track_caller]
    fn json(&self, codes: &[i32], arguments: &[&str]) -> Value {
        let all = [arguments, &["--dir", "p", "--json"]].concat();
        self.site.desk.run_expecting(codes, &all).json()
    }

    #[track_caller]
    fn audit(&self) -> Value {
        self.json(&[0, 1], &["audit"])
    }

    /// Makes the CRM refuse contacts to which the condition applies, as it refuses a clash. Its tables are made by the first plan.
    fn refuse(&self, condition: &str) {
        let sql = format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON contacts WHEN {condition} BEGIN SELECT RAISE (IGNORE); END"
        );
        self.file("local-crm.db").execute_batch(&sql).unwrap();
    }

    fn refuse_nobody(&self) {
        self.file("local-crm.db")
            .execute_batch("DROP TRIGGER refuse")
            .unwrap();
    }

    /// Breaks the staged row of a record, as a reading would have found it that brought it with that text.
    fn break_row(&self, object: &str, id: &str, row: &str, reason: &str) {
        let db = self.file("state.db");
        let (number, position, extraction): (i64, i64, i64) = db
            .query_row(
                "SELECT o.id, s.position, s.extraction FROM staged_record s JOIN object o ON o.id = s.object
                 WHERE o.name = ?1 AND s.source_id = ?2",
                [object, id],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        db.execute("DELETE FROM staged_record WHERE position = ?1", [position])
            .unwrap();
        db.execute(
            "INSERT INTO quarantined_row (object, extraction, source_id, page, line, mark, reason, row)
             VALUES (?1, ?2, ?3, 1, 1, 'id ' || ?3, ?4, ?5)",
            params![number, extraction, id, reason, row],
        )
        .unwrap();
    }

    /// The rows of an object as they were read, by id.
    fn rows(&self, object: &str) -> Vec<(String, Value)> {
        let db = self.file("state.db");
        let mut select = db
            .prepare("SELECT s.source_id, s.row FROM staged_record s JOIN object o ON o.id = s.object WHERE o.name = ?1 ORDER BY s.position")
            .unwrap();
        let rows = select
            .query_map([object], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
            .unwrap();
        rows.map(Result::unwrap)
            .map(|(id, row)| (id, serde_json::from_str(&row).unwrap()))
            .collect()
    }
}

fn open(path: &Path) -> Connection {
    assert!(path.exists(), "{}", path.display());
    Connection::open(path).unwrap()
}

#[track_caller]
fn number(db: &Connection, select: &str) -> i64 {
    db.query_row(select, [], |row| row.get(0)).unwrap()
}

/// The account of an object adds up.
#[track_caller]
fn assert_balanced(report: &Value) {
    for (name, object) in report["objects"].as_object().unwrap() {
        let of = |key: &str| object[key].as_u64().unwrap();
        let sum = of("created") + of("updated") + of("unchanged") + of("excluded") + of("failed");
        assert_eq!(of("selected"), sum, "{name}: {object}");
        assert_eq!(of("differing"), 0, "{name}: {object}");
    }
    let money = report["money"].as_array().unwrap();
    assert!(money.iter().all(|line| line["equal"] == true), "{money:#?}");
}

/// Two of the contacts that the CRM refuses: those whose address stands first in the account.
fn two_addresses(case: &Case) -> [(String, String); 2] {
    let rows = case.rows("person");
    let mut with = rows.into_iter().filter_map(|(id, row)| {
        let email = row["fields"]["email"].as_str()?.to_owned();
        Some((id, email))
    });
    [with.next().unwrap(), with.next().unwrap()]
}

#[test]
fn what_failed_is_told_by_cause_and_comes_through_when_it_is_tried_again() {
    let case = Case::new();
    let [(first, email), (second, other)] = two_addresses(&case);
    let condition = format!("NEW.email IN ('{email}', '{other}')");
    // The tables are there once something was prepared.
    case.json(&[0, 1], &["apply", "--yes"]);
    case.file("local-crm.db").execute_batch("DELETE FROM contacts").unwrap();
    case.site.desk.run_expecting(&[0, 1], &["plan", "--dir", "p", "--no-extract"]);
    case.refuse(&condition);
    let _ = (first, second);
    case.json(&[0, 1], &["apply", "--yes"]);
    let held = case.json(&[1], &["quarantine", "list"]);
    eprintln!("{held:#}");
    case.refuse_nobody();
}
