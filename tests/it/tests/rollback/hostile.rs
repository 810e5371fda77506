//! What a run did not make is never archived, whatever has become of the two sides, of the ledger and of the ids in it.

use crate::failures_site::assert_refused;
use crate::rollback::crm::{House, count};
use crate::rollback::{rollback, sum};

/// Records that were there, found by e-mail or name, written to or only bound: none of them goes.
#[test]
fn rule_25_what_was_there_before_the_run_is_never_archived() {
    let mut house = House::new(1);
    house.migrate();
    // The state is lost: to a new project everything at the destination is somebody's own.
    let state = house.desk.path().join("p/state.db");
    std::fs::remove_file(&state).unwrap();
    let before = house.state();
    house.read_from(2);
    let report = house.migrate();
    assert!(
        count(&report, "updated") > 20 && count(&report, "created") > 0,
        "{report:#}"
    );
    let done = rollback(&house, "latest", &[0, 1]).json();
    let after = house.state();
    for (record, values) in &before.records {
        assert!(
            after.records.contains_key(record),
            "{record:?} was there: {values:?}"
        );
    }
    assert_eq!(
        sum(&done, "archived"),
        count(&report, "created"),
        "{done:#}"
    );
    after.assert_is(&before, "and nothing of it is changed");
}

/// Row numbers come again: the record that now has the id of one that the run made is another one.
#[test]
fn rule_25_a_record_that_took_the_place_of_one_is_left() {
    let house = House::new(1);
    house.migrate();
    let db = house.db();
    let last: i64 = db
        .query_row("SELECT max(id) FROM contacts", [], |row| row.get(0))
        .unwrap();
    let sql = [
        format!(
            "DELETE FROM associations WHERE (from_object = 'contact' AND from_id = {last}) OR (to_object = 'contact' AND to_id = {last})"
        ),
        // It even has every value of the one before, but for the key that only a run gives.
        format!("UPDATE contacts SET longshore_source_id = NULL WHERE id = {last}"),
        "UPDATE contacts SET longshore_source_id = 'other/person/1' WHERE id = 1".to_owned(),
    ];
    sql.iter().for_each(|sql| house.sql(sql));
    let done = rollback(&house, "latest", &[1]).json();
    let contacts = house
        .state()
        .records
        .into_keys()
        .filter(|(table, _)| table == "contacts");
    assert_eq!(contacts.map(|(_, id)| id).collect::<Vec<_>>(), [1, last]);
    let told = done["exceptions"].to_string();
    assert_eq!(told.matches("it is another record").count(), 2, "{told}");
}

/// A blank that somebody filled in is an edit, although the run wrote nothing there; and what is gone is no error.
#[test]
fn rule_25_blanks_filled_in_and_records_gone_are_told_apart() {
    let house = House::new(1);
    house.migrate();
    let blank = "(SELECT min(id) FROM contacts WHERE phone IS NULL)";
    house.sql(&format!(
        "UPDATE contacts SET phone = '+49 1' WHERE id = {blank}"
    ));
    house.sql("UPDATE contacts SET archived = 1 WHERE id = (SELECT max(id) FROM contacts)");
    let done = rollback(&house, "latest", &[1]).json();
    let contact = &done["objects"]["contact"];
    assert_eq!(
        (&contact["edited_since"], &contact["already_gone"]),
        (&1.into(), &1.into()),
        "{contact}"
    );
    let left: Vec<_> = house
        .state()
        .records
        .into_iter()
        .filter(|((table, _), _)| table == "contacts")
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].1["phone"], "+49 1");
}

/// A ledger that somebody added to by hand: the file refuses, and so does the command.
#[test]
fn rule_25_a_forged_entry_archives_nothing() {
    let house = House::new(1);
    house.migrate();
    house.sql("INSERT INTO contacts (id, created_at, updated_at, firstname) VALUES (9001, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'Mine')");
    let state = rusqlite::Connection::open(house.desk.path().join("p/state.db")).unwrap();
    // An outcome cannot be changed, and a second one of its action not be added.
    let forged = state.execute(
        "UPDATE outcome SET destination_id = '9001' WHERE kind = 'created'",
        [],
    );
    assert!(forged.unwrap_err().to_string().contains("append-only"));
    let forged = state.execute(
        "INSERT INTO outcome SELECT position, run, object, 'created', '9001', NULL, NULL FROM outcome LIMIT 1",
        [],
    );
    assert!(forged.is_err());
    // With the triggers away it says so; the record itself then says that it is none of the run's.
    state
        .execute_batch("DROP TRIGGER outcome_update; DROP TRIGGER outcome_delete;")
        .unwrap();
    let changed = state
        .execute(
            "UPDATE outcome SET destination_id = '9001' WHERE kind = 'created' AND position =
                 (SELECT max(r.position) FROM outcome r JOIN object o ON o.id = r.object WHERE o.name = 'person')",
            [],
        )
        .unwrap();
    assert_eq!(changed, 1);
    drop(state);
    rollback(&house, "latest", &[1]);
    assert!(
        house
            .state()
            .records
            .contains_key(&("contacts".to_owned(), 9_001))
    );
}

#[test]
fn a_roll_back_that_nobody_approves_writes_nothing() {
    let house = House::new(1);
    house.migrate();
    let before = house.state();
    let refused = house
        .desk
        .run(&["rollback", "latest", "--dir", "p", "--apply"]);
    assert_refused(
        &refused,
        &[
            "the roll back was not approved",
            "hint: nothing was written",
        ],
    );
    for wrong in [
        &["rollback", "latest", "--dir", "p"][..],
        &["rollback", "first", "--dir", "p", "--plan"],
    ] {
        assert_eq!(house.desk.run(wrong).code, Some(2));
    }
    assert_eq!(house.state(), before);
}
