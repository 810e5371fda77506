//! Rows that broke the grammar: shown as they came, corrected by hand, and then records like any other.

use serde_json::json;

use super::case::Case;
use crate::failures_site::assert_refused;

/// A planned project with three broken rows: two for one cause, and one that is no JSON.
fn broken() -> (Case, [(String, String); 3]) {
    let case = Case::planned();
    let addresses = case.addresses();
    let three = [0, 1, 2].map(|at: usize| addresses[at].clone());
    let [(first, email), (second, other), (third, _)] = &three;
    let broken = |id: &str, email: &str| {
        json!({"id": id, "fields": {"email": email, "first_name": 7, "last_name": "\u{1b}[31mRed"}})
            .to_string()
    };
    let reason = |column: u32| {
        format!(
            "field \"first_name\": invalid type: integer `7`, expected text at line 1 column {column}"
        )
    };
    case.break_person(first, &broken(first, email), &reason(40));
    case.break_person(second, &broken(second, other), &reason(52));
    case.break_person(third, "no row at all", "expected value at line 1 column 1");
    case.site
        .desk
        .run_expecting(&[0, 1], &["plan", "--dir", "p", "--no-extract"]);
    (case, three)
}

/// A row that the host could not read is corrected in its fields, or replaced, and then is a record like any other.
#[test]
fn a_broken_row_becomes_a_record_by_hand() {
    let (case, [(first, email), _, (third, _)]) = broken();
    let (first, third) = (&first, &third);
    let all = case.contacts();
    case.json(&[1], &["apply", "--yes"]);
    assert_eq!(case.audit()["failed"], 3);
    let held = case.json(&[1], &["quarantine", "list", "--object", "contact"]);
    assert_eq!(
        (&held["found"], &held["records"]),
        (&2.into(), &3.into()),
        "{held:#}"
    );
    let cause = &held["causes"][0];
    assert_eq!(
        (&cause["records"], &cause["is_broken"]),
        (&2.into(), &true.into())
    );
    let handle = cause["handle"].as_str().unwrap();
    let shown = case.run(&["quarantine", "show", "person", first]).stdout;
    assert!(
        shown.contains("field  last_name = \"\\u001b[31mRed\""),
        "{shown}"
    );
    assert!(
        !shown.contains('\u{1b}'),
        "a terminal is commanded to nothing"
    );

    correct(&case, handle, [first, third]);
    let done = case.json(&[0], &["quarantine", "replay", "--yes"]);
    assert_eq!(
        (&done["tried"], &done["came_through"]),
        (&3.into(), &3.into()),
        "{done:#}"
    );
    case.nothing_is_held();
    assert_eq!(case.contacts(), all + 59);
    assert_eq!(case.email_of(first).as_deref(), Some(email.as_str()));
    assert_eq!(case.email_of(third).as_deref(), Some("third@lee.test"));
    let contact = case.audit();
    assert_eq!(
        (&contact["selected"], &contact["failed"]),
        (&59.into(), &0.into())
    );
    // The source mends its rows: fields that were set stay, the row that was given does not hide the source's.
    case.site.migrate("p");
    assert_ne!(case.email_of(third).as_deref(), Some("third@lee.test"));
    assert_eq!(case.audit()["selected"], 59);
    let name: String = case
        .file("local-crm.db")
        .query_row(
            "SELECT firstname FROM contacts WHERE longshore_source_id LIKE '%/person/' || ?1",
            [first],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(name, "Seven");
}

/// Sets what is wrong in the two rows of the cause, and gives the third a row.
#[track_caller]
fn correct(case: &Case, handle: &str, [first, third]: [&str; 2]) {
    // A field that is not the broken one leaves it broken; nothing is kept.
    let ended = case.run(&[
        "quarantine",
        "fix",
        "person",
        first,
        "--set",
        "last_name=Red",
    ]);
    assert_refused(
        &ended,
        &[
            "with it the row is still broken: field \"first_name\"",
            "nothing was kept",
        ],
    );
    let by_cause = [
        "quarantine",
        "fix",
        "--cause",
        handle,
        "--set",
        "first_name=Seven",
    ];
    assert_eq!(case.json(&[0], &by_cause)["corrected"], 2);
    // One that cannot be read at all needs a whole row, of its own id.
    let ended = case.run(&[
        "quarantine",
        "fix",
        "person",
        third,
        "--set",
        "first_name=Seven",
    ]);
    assert_refused(&ended, &["is no JSON object"]);
    let row = case.site.desk.path().join("row.json");
    std::fs::write(&row, json!({"id": "other", "fields": {}}).to_string()).unwrap();
    let whole = ["quarantine", "fix", "person", third, "--row", "row.json"];
    assert_refused(&case.run(&whole), &["the row has the id \"other\""]);
    let right = json!({"id": third, "fields": {"email": "third@lee.test", "first_name": "Third"}});
    std::fs::write(&row, format!("{right:#}")).unwrap();
    assert_eq!(case.run(&whole).code, Some(0));
}

/// A row that nobody could tell whose it is goes by its place, and gets the id of the row that is given for it.
#[test]
fn a_row_without_an_id_is_given_one_by_hand() {
    let case = Case::planned();
    case.break_line("{\"fields\":{}}", "row has no id");
    case.site
        .desk
        .run_expecting(&[0, 1], &["plan", "--dir", "p", "--no-extract"]);
    case.json(&[1], &["apply", "--yes"]);
    let name = "page 3 line 9";
    assert_eq!(case.cause()["example"], name);
    let row = case.site.desk.path().join("row.json");
    let whole = ["quarantine", "fix", "person", name, "--row", "row.json"];
    let taken = case.addresses()[0].0.clone();
    for (id, email) in [(&*taken, "taken@lee.test"), ("n-1", "new@lee.test")] {
        let fields = json!({"first_name": "New", "email": email});
        std::fs::write(&row, json!({"id": id, "fields": fields}).to_string()).unwrap();
        assert_eq!(case.run(&whole).code, Some(0));
        let plan = case.json(&[0, 1], &["plan", "--no-extract"]);
        let held = u64::from(id == taken);
        let contact = &plan["objects"]["contact"];
        assert_eq!(
            (&contact["selected"], &contact["quarantine"]),
            (&60.into(), &held.into()),
            "an id that is taken is not given twice"
        );
    }
    let done = case.json(&[0], &["quarantine", "replay", "person", name, "--yes"]);
    assert_eq!(done["came_through"], 1, "{done:#}");
    assert_eq!(case.email_of("n-1").as_deref(), Some("new@lee.test"));
    case.nothing_is_held();
    let contact = case.audit();
    assert_eq!(
        (&contact["selected"], &contact["created"]),
        (&60.into(), &1.into())
    );
}
