//! The breaker: one cause that takes too many records pauses the run, and a person who has seen it lets it go on.

use super::case::Case;
use crate::failures_site::{assert_refused, assert_same, migration};

#[test]
fn one_cause_that_takes_too_many_records_pauses_the_writing() {
    let case = Case::planned();
    case.site.copy("undisturbed");
    case.site.migrate("undisturbed");
    case.refuse("NEW.email IS NOT NULL");
    let apply = ["apply", "--yes"];
    let paused = case.run(&apply);
    let cause = case.cause();
    let handle = cause["handle"].as_str().unwrap();
    let failed = cause["records"].as_u64().unwrap();
    assert!(failed >= 20, "{cause}");
    assert_refused(
        &paused,
        &[
            &format!(
                "paused: {failed} of 59 person records failed for one cause, {handle}: destination refused contact #"
            ),
            "for example person ",
            "hint: what is done is kept",
            &format!("--ignore-cause {handle}"),
        ],
    );
    let deals = "SELECT count(*) FROM deals";
    let crm = case.file("local-crm.db");
    let count = || {
        crm.query_row(deals, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count(), 0, "it stopped before what comes behind");
    // Every write that was announced has its outcome.
    let open = "SELECT count(*) FROM intent i WHERE EXISTS (SELECT 1 FROM action a WHERE a.position BETWEEN i.first_action AND i.last_action
                AND NOT EXISTS (SELECT 1 FROM outcome r WHERE r.position = a.position))";
    let open: i64 = case
        .file("state.db")
        .query_row(open, [], |row| row.get(0))
        .unwrap();
    assert_eq!(open, 0);
    assert_refused(&case.run(&apply), &["paused: "]);
    assert_refused(
        &case.run(&["quarantine", "replay", "--yes"]),
        &["migrate first", "are not carried out yet"],
    );
    let ended = case.run(&["apply", "--yes", "--ignore-cause", "everything"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("eight hexadecimal digits"),
        "{ended:#?}"
    );
    // Another cause does not help; this one does, and is remembered with the plan.
    assert_refused(
        &case.run(&["apply", "--yes", "--ignore-cause", "0badcafe"]),
        &["paused: "],
    );
    let mut migrate = migration("p").to_vec();
    migrate.extend(["--ignore-cause", handle]);
    let report = case.site.desk.run_expecting(&[1], &migrate).json();
    assert_eq!(report["objects"]["contact"]["failed"], failed);
    assert!(count() > 0);
    case.audit();
    case.refuse_nobody();
    let done = case.json(&[0, 1], &["quarantine", "replay", "--yes"]);
    assert_eq!(done["came_through"], failed, "{done:#}");
    assert_same(
        "resumed",
        &case.site.dump("undisturbed"),
        &case.site.dump("p"),
    );
}

/// A reading that was cut off behind a list of which too much is broken is paused before anything is decided.
#[test]
fn one_cause_that_breaks_too_many_rows_pauses_the_reading() {
    let case = Case::planned();
    let db = case.file("state.db");
    let connection: String = db
        .query_row("SELECT connection FROM extraction", [], |row| row.get(0))
        .unwrap();
    db.execute(
        "INSERT INTO extraction (connection, started_at) VALUES (?1, 0)",
        [&connection],
    )
    .unwrap();
    let extraction = db.last_insert_rowid();
    let object: i64 = db
        .query_row(
            "SELECT id FROM object WHERE name = 'person' AND connection = ?1",
            [&connection],
            |row| row.get(0),
        )
        .unwrap();
    db.execute(
        "INSERT INTO checkpoint (extraction, object, cursor, pages, done) VALUES (?1, ?2, NULL, 1, 1)",
        [extraction, object],
    )
    .unwrap();
    for line in 1..=25 {
        db.execute(
            "INSERT INTO quarantined_row (object, extraction, source_id, page, line, mark, reason, row)
             VALUES (?1, ?2, 'b' || ?3, 1, ?3, 'id b' || ?3, 'field \"age\": invalid type at line 1 column ' || ?3, '{}')",
            [object, extraction, line],
        )
        .unwrap();
    }
    let paused = case.run(&["plan"]);
    let handle = case.cause()["handle"].as_str().unwrap().to_owned();
    assert_refused(
        &paused,
        &[
            &format!("paused: 25 of 84 person records are broken for one cause, {handle}"),
            "field \"age\": invalid type",
            "hint: ",
        ],
    );
    let planned = case.json(&[0, 1], &["plan", "--ignore-cause", &handle]);
    assert_eq!(planned["objects"]["contact"]["quarantine"], 25);
    // They were approved with the plan, so they do not pause it.
    case.json(&[0, 1], &["apply", "--yes"]);
    assert_eq!(case.audit()["failed"], 25);
}
