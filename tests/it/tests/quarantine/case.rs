//! A planned project whose local CRM refuses what a test says, and whose rows break where a test says.

use std::path::Path;

use it::Ended;
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::failures_site::Site;

/// A planned project in the folder `p`; nothing of it is written yet.
pub(super) struct Case {
    pub(super) site: Site,
}

impl Case {
    pub(super) fn planned() -> Self {
        let site = Site::connected();
        site.copy("p");
        site.desk.run_expecting(&[0, 1], &["plan", "--dir", "p"]);
        Self { site }
    }

    pub(super) fn file(&self, name: &str) -> Connection {
        open(&self.site.desk.path().join("p").join(name))
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ended {
        self.site.desk.run(&[arguments, &["--dir", "p"]].concat())
    }

    /// The command's JSON; it must end with one of the codes.
    #[track_caller]
    pub(super) fn json(&self, codes: &[i32], arguments: &[&str]) -> Value {
        let all = [arguments, &["--dir", "p", "--json"]].concat();
        self.site.desk.run_expecting(codes, &all).json()
    }

    /// The one cause for which something is held.
    #[track_caller]
    pub(super) fn cause(&self) -> Value {
        let held = self.json(&[1], &["quarantine", "list"]);
        assert_eq!(held["found"], 1, "{held:#}");
        held["causes"][0].clone()
    }

    #[track_caller]
    pub(super) fn nothing_is_held(&self) {
        let held = self.json(&[0], &["quarantine", "list"]);
        assert_eq!(held["records"], 0, "{held:#}");
    }

    /// Makes the CRM refuse contacts to which the condition applies, as it refuses a clash.
    pub(super) fn refuse(&self, condition: &str) {
        let sql = format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON contacts WHEN {condition} BEGIN SELECT RAISE (IGNORE); END"
        );
        self.file("local-crm.db").execute_batch(&sql).unwrap();
    }

    pub(super) fn refuse_nobody(&self) {
        let crm = self.file("local-crm.db");
        crm.execute_batch("DROP TRIGGER refuse").unwrap();
    }

    /// The persons with an address that were read, by id.
    pub(super) fn addresses(&self) -> Vec<(String, String)> {
        let db = self.file("state.db");
        let mut select = db
            .prepare(
                "SELECT s.source_id, s.row ->> '$.fields.email' AS email FROM staged_record s JOIN object o ON o.id = s.object
                 WHERE o.name = 'person' AND email IS NOT NULL ORDER BY s.position",
            )
            .unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Puts a person among the broken rows, as if the last reading had brought it with that text.
    pub(super) fn break_person(&self, id: &str, row: &str, reason: &str) {
        let db = self.file("state.db");
        let (object, extraction): (i64, i64) = db
            .query_row(
                "DELETE FROM staged_record WHERE source_id = ?1
                 AND object = (SELECT id FROM object WHERE name = 'person' AND connection <> '') RETURNING object, extraction",
                [id],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        db.execute(
            "INSERT INTO quarantined_row (object, extraction, source_id, page, line, mark, reason, row)
             VALUES (?1, ?2, ?3, 1, 1, 'id ' || ?3, ?4, ?5)",
            params![object, extraction, id, reason, row],
        )
        .unwrap();
    }

    /// Puts a line without an id among the broken rows of persons.
    pub(super) fn break_line(&self, row: &str, reason: &str) {
        let insert = "INSERT INTO quarantined_row (object, extraction, source_id, page, line, mark, reason, row)
             SELECT max(object), max(extraction), NULL, 3, 9, 'page 3 line 9', ?1, ?2 FROM staged_record
             WHERE object = (SELECT id FROM object WHERE name = 'person' AND connection <> '')";
        let inserted = self.file("state.db").execute(insert, [reason, row]);
        assert_eq!(inserted.unwrap(), 1);
    }

    /// The address of the contact that stands for that person.
    pub(super) fn email_of(&self, id: &str) -> Option<String> {
        let select = "SELECT email FROM contacts WHERE longshore_source_id LIKE '%/person/' || ?1";
        self.file("local-crm.db")
            .query_row(select, [id], |row| row.get(0))
            .unwrap()
    }

    pub(super) fn contacts(&self) -> i64 {
        let select = "SELECT count(*) FROM contacts";
        self.file("local-crm.db")
            .query_row(select, [], |row| row.get(0))
            .unwrap()
    }

    /// Audits; every account adds up and both sides have the same money.
    #[track_caller]
    pub(super) fn audit(&self) -> Value {
        let report = self.json(&[0, 1], &["audit"]);
        for (name, object) in report["objects"].as_object().unwrap() {
            let of = |key: &str| object[key].as_u64().unwrap();
            let sum =
                of("created") + of("updated") + of("unchanged") + of("excluded") + of("failed");
            assert_eq!(of("selected"), sum, "{name}: {object}");
            assert_eq!(of("differing"), 0, "{name}: {object}");
        }
        let money = report["money"].as_array().unwrap();
        assert!(money.iter().all(|line| line["equal"] == true), "{money:#?}");
        report["objects"]["contact"].clone()
    }
}

pub(super) fn open(path: &Path) -> Connection {
    assert!(path.exists(), "{}", path.display());
    Connection::open(path).unwrap()
}
