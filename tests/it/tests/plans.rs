//! The plan as an artefact: every write stands in it with its reason before the first one is made, in a file and on the screen, and what is
//! written is what it said.

use std::collections::BTreeMap;
use std::path::Path;

use calamine::{Data, Reader as _, Xlsx};
use serde_json::Value;

use crate::failures_site::{Site, assert_refused, migration};

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The numbers of a plan's account that are actions, by object and kind.
fn counts(objects: &Value) -> BTreeMap<(String, String), u64> {
    let mut counts = BTreeMap::new();
    for entry in objects.as_object().unwrap().values() {
        let object = entry["source_object"].as_str().unwrap();
        for kind in ["create", "update", "keep", "link", "exclude", "quarantine"] {
            let number = entry[kind].as_u64().unwrap();
            if number > 0 {
                counts.insert((object.to_owned(), kind.to_owned()), number);
            }
        }
    }
    counts
}

#[test]
fn every_write_stands_in_the_plan_with_its_reason_and_only_those_are_made() {
    let site = Site::connected();
    let folder = site.copy("p");
    let file = site.desk.path().join("plan.jsonl");
    let out = file.to_str().unwrap();
    let planned = site
        .desk
        .run_expecting(&[0, 1], &["plan", "--dir", "p", "--json", "--out", out])
        .json();
    let told = lines(&file);
    let (head, rest) = told.split_first().unwrap();
    assert_eq!(head["plan"]["hash"], planned["plan"]["hash"]);
    let (links, actions): (Vec<&Value>, Vec<&Value>) =
        rest.iter().partition(|line| !line["association"].is_null());
    assert_eq!(
        links.len() as u64,
        planned["associations"].as_u64().unwrap()
    );
    let mut found: BTreeMap<_, u64> = BTreeMap::new();
    for action in &actions {
        let text = |key: &str| action[key].as_str().unwrap().to_owned();
        assert!(
            !text("why").is_empty(),
            "no action without a reason: {action}"
        );
        *found.entry((text("object"), text("action"))).or_default() += 1;
    }
    assert_eq!(found, counts(&planned["objects"]));

    let ended = site
        .desk
        .run_expecting(&[0, 1], &["apply", "--dir", "p", "--yes", "--json"]);
    assert_eq!(ended.json()["plan"]["hash"], planned["plan"]["hash"]);
    let db = rusqlite::Connection::open(folder.join("local-crm.db")).unwrap();
    for action in actions
        .iter()
        .filter(|action| action["object"] == "person" && action["action"] == "create")
    {
        let record = action["record"].as_str().unwrap();
        let select = "SELECT firstname, lastname, email FROM contacts WHERE longshore_source_id LIKE '%/person/' || ?1";
        let written: [Option<String>; 3] = db
            .query_row(select, [record], |row| {
                Ok([row.get(0)?, row.get(1)?, row.get(2)?])
            })
            .unwrap();
        let changes = action["changes"].as_array().unwrap();
        let expected = ["firstname", "lastname", "email"].map(|property| {
            let change = changes.iter().find(|change| change["property"] == property);
            change
                .and_then(|change| change["to"].as_str())
                .map(str::to_owned)
        });
        assert_eq!(written, expected, "person {record}");
    }
}

/// What differs is told as it is and as it will be.
#[test]
fn a_change_stands_in_the_plan_with_old_and_new_value() {
    let site = Site::connected();
    let folder = site.copy("p");
    site.desk.run_expecting(&[0, 1], &migration("p"));
    let db = rusqlite::Connection::open(folder.join("local-crm.db")).unwrap();
    let again = site
        .desk
        .run_expecting(&[0, 1], &["plan", "--dir", "p", "--json"])
        .json();
    assert!(
        counts(&again["objects"])
            .keys()
            .all(|(_, kind)| kind != "create" && kind != "update"),
        "{again}"
    );
    let email = "UPDATE contacts SET email = 'edited@by.hand' WHERE email IS NOT NULL AND id = (SELECT min(id) FROM contacts WHERE email IS NOT NULL)";
    assert_eq!(db.execute(email, []).unwrap(), 1);
    drop(db);
    site.desk.run_expecting(&[0, 1], &["plan", "--dir", "p"]);
    let shown = site
        .desk
        .run_expecting(
            &[0],
            &["plan", "show", "--dir", "p", "--action", "update", "--json"],
        )
        .json();
    assert_eq!(shown["found"], 1, "{shown}");
    let change = &shown["actions"][0]["changes"][0];
    assert_eq!(
        (&change["property"], &change["from"]),
        (&"email".into(), &"edited@by.hand".into())
    );
    assert!(
        change["to"].as_str().is_some_and(|to| to.contains('@')),
        "{change}"
    );
}

#[test]
fn a_plan_is_shown_filtered_and_as_a_workbook() {
    let site = Site::connected();
    site.copy("p");
    site.desk.run_expecting(&[0, 1], &migration("p"));
    let planned = site
        .desk
        .run_expecting(&[0, 1], &["plan", "--dir", "p", "--json"])
        .json();
    let book = site.desk.path().join("plan.xlsx");
    let show = |more: &[&str]| {
        let base = ["plan", "show", "--dir", "p"];
        site.desk.run(&[&base[..], more].concat())
    };
    let ended = show(&["--out", book.to_str().unwrap(), "--json"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let total: u64 = counts(&planned["objects"]).values().sum();
    assert_eq!(ended.json()["actions"], total);
    let mut workbook: Xlsx<_> = calamine::open_workbook(&book).unwrap();
    let names = workbook.sheet_names();
    assert_eq!(names.first().map(String::as_str), Some("Plan"));
    let persons = workbook.worksheet_range("person").unwrap();
    let in_plan = planned["objects"]["contact"]["selected"].as_u64().unwrap();
    assert_eq!(
        persons.height() as u64,
        in_plan + 1,
        "a heading, and a row for each"
    );
    assert!(
        persons
            .rows()
            .skip(1)
            .all(|row| matches!(&row[2], Data::String(why) if !why.is_empty())),
        "every row has its reason"
    );
    let deals = show(&[
        "--object", "deal", "--action", "keep", "--reason", "bound", "--limit", "2", "--json",
    ])
    .json();
    assert_eq!(deals["found"], planned["objects"]["deal"]["keep"]);
    assert_eq!(deals["actions"].as_array().unwrap().len(), 2);
    assert_eq!(deals["actions"][0]["object"], "deal");
    assert_eq!(show(&["--reason", "new", "--json"]).json()["found"], 0);
    assert_refused(
        &show(&["--object", "table"]),
        &["has no object \"table\"", "hint: it has", "contact"],
    );
    assert_refused(
        &show(&["--plan", "0123"]),
        &["there is no plan 0123", "hint: "],
    );
}

/// Rule 18: source, data, duration estimate with its arithmetic, and cut-over date, in all forms in which a plan is shown.
#[test]
fn rule_18_a_plan_states_source_data_estimate_and_cut_over() {
    let site = Site::connected();
    site.copy("p");
    let plan = ["plan", "--dir", "p", "--cutover", "2026-12-24"];
    let plan_json = [&plan[..], &["--json", "--out", "p/plan.jsonl"]].concat();
    let told = site.desk.run_expecting(&[0, 1], &plan_json).json();
    assert_eq!(told["source"], "pipedrive");
    assert_eq!(told["plan"]["cutover"], "2026-12-24");
    let destination = &told["estimate"]["destination"];
    let calls = destination["calls"].as_array().unwrap();
    let of = |work: &str| -> u64 {
        let calls = calls.iter().filter(|call| call["work"] == work);
        calls.map(|call| call["items"].as_u64().unwrap()).sum()
    };
    let counts = |kind: &str| -> u64 {
        let objects = told["objects"].as_object().unwrap().values();
        objects.map(|object| object[kind].as_u64().unwrap()).sum()
    };
    assert_eq!(of("create"), counts("create") + counts("update"));
    assert_eq!(of("associate"), told["associations"].as_u64().unwrap());
    assert_eq!(of("prove"), of("create") + counts("keep"));
    let requests: u64 = calls
        .iter()
        .map(|call| call["requests"].as_u64().unwrap())
        .sum();
    assert_eq!(destination["requests"], requests);
    let seconds = |end: &str| destination["seconds"][end].as_u64().unwrap();
    let (fast, slow) = (
        destination["pace"]["machine"]["fast"].as_u64().unwrap(),
        destination["pace"]["machine"]["slow"].as_u64().unwrap(),
    );
    assert_eq!(
        (seconds("low"), seconds("high")),
        (requests.div_ceil(fast), requests.div_ceil(slow))
    );
    let source = &told["estimate"]["source"];
    assert!(source["requests"].as_u64().unwrap() >= 14, "{source}");
    let first = std::fs::read_to_string(site.desk.path().join("p/plan.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(first["plan"]["cutover"], "2026-12-24");
    assert_eq!(
        &first["plan"]["estimate"]["destination"]["calls"],
        &destination["calls"]
    );
    let shown = site.desk.run_expecting(&[0, 1], &plan).stdout;
    for part in [
        "pipedrive into",
        "changes are brought over until 2026-12-24",
        "contact ",
        "estimate: ",
        "make associations",
        "a later pass over the source: ",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

/// Whoever edits a record between plan and apply is not overwritten: it is told, and the next plan knows of the edit.
#[test]
fn a_record_that_was_changed_since_the_plan_is_held_back() {
    let site = Site::connected();
    let folder = site.copy("p");
    site.desk.run_expecting(&[0, 1], &migration("p"));
    let db = rusqlite::Connection::open(folder.join("local-crm.db")).unwrap();
    let edit = |id: i64, value: &str| {
        let update = "UPDATE contacts SET email = ?2 WHERE id = ?1";
        assert_eq!(db.execute(update, rusqlite::params![id, value]).unwrap(), 1);
    };
    let email = |id: i64| -> String {
        let select = "SELECT email FROM contacts WHERE id = ?1";
        db.query_row(select, [id], |row| row.get(0)).unwrap()
    };
    let mut select = db
        .prepare("SELECT id, email FROM contacts WHERE email IS NOT NULL ORDER BY id LIMIT 3")
        .unwrap();
    let three: Vec<(i64, String)> = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let [(first, _), (second, right), (third, known)] = &three[..] else {
        panic!("three contacts have an address");
    };
    edit(*first, "first@by.hand");
    edit(*second, "second@by.hand");
    edit(*third, "third@by.hand");
    site.desk
        .run_expecting(&[0, 1], &["plan", "--dir", "p", "--no-extract"]);
    // One is edited again, one is left, one has by chance what would be written.
    edit(*first, "again@by.hand");
    edit(*third, known);
    site.desk
        .run_expecting(&[1], &["apply", "--dir", "p", "--yes"]);
    assert_eq!(
        [email(*first), email(*second), email(*third)],
        ["again@by.hand".to_owned(), right.clone(), known.clone()]
    );
    let report = site
        .desk
        .run_expecting(&[1], &["audit", "--dir", "p", "--json"])
        .json();
    let contact = &report["objects"]["contact"];
    assert_eq!(
        (&contact["failed"], &contact["updated"]),
        (&1.into(), &2.into()),
        "{contact}"
    );
    assert_eq!(report["findings"]["by_code"]["changed-since-plan"], 1);
    let shown = site
        .desk
        .run_expecting(
            &[1],
            &["explain", "contact", &source_id(&db, *first), "--dir", "p"],
        )
        .stdout;
    assert!(
        shown.contains("was changed since the plan: email was \"first@by.hand\" and is \"again@by.hand\"; plan again"),
        "{shown}"
    );
    site.desk.run_expecting(&[0, 1], &migration("p"));
    assert_ne!(email(*first), "again@by.hand", "the next plan knew of it");
}

fn source_id(db: &rusqlite::Connection, contact: i64) -> String {
    let select = "SELECT longshore_source_id FROM contacts WHERE id = ?1";
    let key: String = db.query_row(select, [contact], |row| row.get(0)).unwrap();
    key.rsplit('/').next().unwrap().to_owned()
}

/// One record's story: where each value came from, which rule, which plan line, which write, when.
#[test]
fn a_records_story_names_source_reason_write_and_time() {
    let site = Site::connected();
    let folder = site.copy("p");
    let migrated = site.desk.run_expecting(&[0, 1], &migration("p")).json();
    let db = rusqlite::Connection::open(folder.join("local-crm.db")).unwrap();
    let (id, key, email): (i64, String, String) = db
        .query_row(
            "SELECT c.id, c.longshore_source_id, c.email FROM contacts c
             JOIN associations a ON a.from_object = 'contact' AND a.from_id = c.id AND a.to_object = 'company'
             WHERE c.email IS NOT NULL ORDER BY c.id LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    let record = key.rsplit('/').next().unwrap();
    let explain = |object: &str, id: &str, more: &[&str]| {
        let base = ["explain", object, id, "--dir", "p"];
        site.desk.run(&[&base[..], more].concat())
    };
    let ended = explain("contact", record, &["--json"]);
    assert!(matches!(ended.code, Some(0 | 1)), "{ended:#?}");
    let told = ended.json();
    assert_eq!(told["destination"]["id"], id.to_string());
    assert!(told["source"]["fields"].as_object().unwrap().len() > 3);
    let chapter = &told["plans"][0];
    assert_eq!(
        (&chapter["action"], &chapter["because"]),
        (&"create".into(), &"new".into())
    );
    assert_eq!(chapter["plan"], migrated["plan"]["id"]);
    let changes = chapter["changes"].as_array().unwrap();
    let address = changes
        .iter()
        .find(|change| change["property"] == "email")
        .unwrap();
    assert_eq!(
        (address["to"].as_str(), address["source_field"].as_str()),
        (Some(email.as_str()), Some("email"))
    );
    assert_eq!(chapter["outcome"]["outcome"], "created");
    let (approved, written) = (&chapter["approved_at"], &chapter["intended_at"][0]);
    assert!(
        approved.as_str().unwrap() <= written.as_str().unwrap(),
        "{chapter}"
    );
    let links = told["associations"].as_array().unwrap();
    assert!(
        links
            .iter()
            .any(|link| link["to_object"] == "organization" && link["outcome"] == "made"),
        "{told}"
    );

    // Another plan is another chapter.
    site.desk.run_expecting(&[0, 1], &["plan", "--dir", "p"]);
    let told = explain("person", record, &["--json"]).json();
    assert_eq!(told["plans"][1]["action"], "keep");
    assert_eq!(told["plans"][1]["outcome"], Value::Null);
    let shown = explain("contact", record, &[]).stdout;
    for words in [
        &format!("email = {email}   (from E-mail)"),
        "created",
        "not approved",
        "associated  person",
    ] {
        assert!(shown.contains(words), "{words:?} in {shown}");
    }
    assert_refused(
        &explain("contact", "no-such", &[]),
        &["nothing is known of contact no-such", "hint: "],
    );
}

/// What is in the way of the file is told, and no half of it stays.
#[test]
fn a_plan_that_cannot_be_written_down_leaves_no_half_of_a_file() {
    let site = Site::connected();
    site.copy("p");
    site.desk.run_expecting(&[0, 1], &["plan", "--dir", "p"]);
    let folder = site.desk.path().join("taken.jsonl");
    std::fs::create_dir(&folder).unwrap();
    let ended = site
        .desk
        .run(&["plan", "show", "--dir", "p", "--out", "taken.jsonl"]);
    assert_refused(&ended, &["the file \"taken.jsonl\" could not be written"]);
    assert!(!site.desk.path().join("taken.jsonl.part").exists());
    let ended = site
        .desk
        .run(&["plan", "show", "--dir", "p", "--out", "nowhere/plan.xlsx"]);
    assert_refused(&ended, &["nowhere/plan.xlsx", "could not be written"]);
}
