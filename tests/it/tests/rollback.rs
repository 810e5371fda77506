//! Rule 25: after a roll back the destination equals its state before the run, field for field and link for link, apart from what people
//! edited since. What a run did not make is never archived.

mod crm;
mod hostile;
mod kill;
mod portal;

use std::collections::BTreeSet;

use it::Ended;
use serde_json::Value;

use crate::failures_site::{assert_refused, migration};
use crate::rollback::crm::{Dice, Edit, House, State};

/// Which accounts the two runs read, and what the edits are chosen by.
const SEEDS: [(u64, u64, u64); 3] = [(1, 2, 11), (3, 1, 12), (2, 4, 13)];

fn rollback(house: &House, run: &str, codes: &[i32]) -> Ended {
    let arguments = ["rollback", run, "--dir", "p", "--apply", "--yes", "--json"];
    house.desk.run_expecting(codes, &arguments)
}

fn sum(report: &Value, what: &str) -> u64 {
    let objects = report["objects"].as_object().unwrap().values();
    objects.map(|object| object[what].as_u64().unwrap()).sum()
}

/// The state that is right after rolling back what lies between `before` and `after`: what was there before is as it was, but for edits;
/// what was made since is there only where it was edited or tied to what others made.
fn right(before: &State, after: &State, edits: &[Edit]) -> State {
    let mut right = before.clone();
    let mut kept = BTreeSet::new();
    for edit in edits {
        match edit {
            Edit::Value { record, .. } => {
                if !before.records.contains_key(record) {
                    kept.insert(record.clone());
                }
            }
            Edit::Link(link) => {
                let ends = link.ends();
                for (end, other) in [(&ends[0], &ends[1]), (&ends[1], &ends[0])] {
                    if !before.records.contains_key(end) && before.records.contains_key(other) {
                        kept.insert(end.clone());
                    }
                }
            }
        }
    }
    for record in &kept {
        right
            .records
            .insert(record.clone(), after.records[record].clone());
    }
    for edit in edits {
        if let Edit::Value {
            record,
            column,
            value,
        } = edit
        {
            let row = right.records.get_mut(record).unwrap();
            row.insert(column.clone(), value.clone());
        }
    }
    let is_there = |record: &crm::Key| before.records.contains_key(record) || kept.contains(record);
    let hangs = after.links.iter().filter(|link| {
        let ends = link.ends();
        ends.iter().any(|end| kept.contains(end)) && ends.iter().all(is_there)
    });
    right.links.extend(hangs.cloned());
    let made = edits.iter().filter_map(|edit| match edit {
        Edit::Link(link) => Some(link.clone()),
        Edit::Value { .. } => None,
    });
    right
        .links
        .extend(made.filter(|link| link.ends().iter().all(is_there)));
    right
}

#[test]
fn rule_25_a_run_is_taken_back_apart_from_what_people_edited_since() {
    for (first, second, chance) in SEEDS {
        let what = format!("accounts {first} and {second}, edits {chance}");
        let mut dice = Dice(chance);
        let mut house = House::new(first);
        house.migrate();
        let before_hand = house.state();
        assert!(
            before_hand.records.len() > 100,
            "{what}: there is something to lose"
        );
        // People work with what was brought, and with records of their own.
        house.add_own_records();
        house.edit(&mut dice, &house.state(), 10);
        let before = house.state();

        house.read_from(second);
        let report = house.migrate();
        let after = house.state();
        assert!(crm::count(&report, "updated") > 20, "{what}: {report:#}");
        assert!(
            after.records.len() > before.records.len(),
            "{what}: some are new"
        );
        assert!(after.links != before.links, "{what}: some are associated");
        let edits = house.edit(&mut dice, &after, 25);
        assert!(edits.len() > 10, "{what}: {edits:?}");

        let told = house.desk.run_expecting(
            &[1],
            &["rollback", "latest", "--dir", "p", "--plan", "--json"],
        );
        assert_eq!(
            house.state(),
            house.with(&after, &edits),
            "{what}: a plan writes nothing"
        );
        let done = rollback(&house, "latest", &[1]).json();
        let expected = right(&before, &after, &edits);
        house.state().assert_is(&expected, &what);
        // A record that the run wrote to twice is planned as if each were the only time, so properties may be told as edited.
        for key in ["archived", "already_gone", "failed"] {
            assert_eq!(sum(&told.json(), key), sum(&done, key), "{what}: {key}");
        }
        assert_eq!(sum(&done, "failed"), 0, "{what}: {done:#}");

        // The first run goes as well, and leaves what people made and edited.
        let first = house.wrote().pop().unwrap();
        rollback(&house, &first, &[1]);
        let left = house.state();
        let is_own = |record: &crm::Key| !before_hand.records.contains_key(record);
        assert!(
            before
                .records
                .keys()
                .filter(|record| is_own(record))
                .all(|record| left.records.contains_key(record)),
            "{what}"
        );
        assert!(
            left.records.len() < 60,
            "{what}: {} are left",
            left.records.len()
        );
    }
}

/// With nobody in between it is gone to the last record, and comes again as it was.
#[test]
fn rule_25_what_nobody_edited_is_gone_and_can_be_made_again() {
    let house = House::new(1);
    let planned = house.migrate();
    let after = house.state();
    let latest = house.wrote().pop().unwrap();
    let file = house.desk.path().join("steps.jsonl");
    let told = house.desk.run_expecting(
        &[0],
        &[
            "rollback",
            &latest,
            "--dir",
            "p",
            "--plan",
            "--json",
            "--out",
            file.to_str().unwrap(),
        ],
    );
    let steps = std::fs::read_to_string(&file).unwrap();
    assert_eq!(steps.lines().count() as u64, sum(&told.json(), "archived"));
    let done = rollback(&house, &latest, &[0]).json();
    assert_eq!(sum(&done, "archived"), crm::count(&planned, "created"));
    assert_eq!(
        done["associations"]["removed"],
        planned["associations"]["made"]
    );
    assert!(done["left_in_place"].as_array().unwrap().len() > 3);
    let state = house.state();
    assert!(
        state.records.is_empty() && state.links.is_empty(),
        "{state:#?}"
    );

    let shown = house
        .desk
        .run_expecting(&[0], &["status", "--dir", "p"])
        .stdout;
    assert!(
        shown.contains("rolled back by run") && shown.contains("next        longshore plan"),
        "{shown}"
    );
    let twice = house
        .desk
        .run(&["rollback", &latest, "--dir", "p", "--apply", "--yes"]);
    assert_refused(&twice, &["was rolled back already, by run"]);
    let applied = house.desk.run(&["apply", "--dir", "p", "--yes"]);
    assert_refused(&applied, &["is rolled back by run", "make a new plan"]);
    let audited = house.desk.run(&["audit", "--dir", "p"]);
    assert_refused(&audited, &["is rolled back by run"]);
    let unknown = house.desk.run(&["rollback", "99", "--dir", "p", "--plan"]);
    assert_refused(&unknown, &["run 99 wrote nothing; these did: 1"]);

    let again = house.migrate();
    assert_eq!(
        crm::count(&again, "created"),
        crm::count(&planned, "created")
    );
    assert_eq!(house.state().told(), after.told());
}

#[test]
fn rule_25_a_run_that_others_built_on_waits_for_them() {
    let mut house = House::new(1);
    house.migrate();
    house.read_from(2);
    house.migrate();
    let [second, first] = &house.wrote()[..] else {
        panic!("two runs wrote");
    };
    for aim in ["--plan", "--apply"] {
        let mut command = vec!["rollback", first.as_str(), "--dir", "p", aim];
        command.extend((aim == "--apply").then_some("--yes"));
        let refused = house.desk.run(&command);
        let word = format!("roll back run {second} first");
        assert_refused(&refused, &[word.as_str(), "built on run"]);
    }
    rollback(&house, second, &[0, 1]);
    rollback(&house, first, &[0, 1]);
    // A run that wrote nothing new is in nobody's way.
    house.desk.run_expecting(&[0, 1], &migration("p"));
    house.desk.run_expecting(&[0, 1], &migration("p"));
    let [_, third, ..] = &house.wrote()[..] else {
        panic!("four runs wrote");
    };
    rollback(&house, third, &[0, 1]);
}

/// A record's story tells of its end.
#[test]
fn what_was_rolled_back_is_told_in_the_records_story() {
    let house = House::new(1);
    house.migrate();
    house.sql("UPDATE contacts SET firstname = 'Mine' WHERE id = 2");
    rollback(&house, "latest", &[1]);
    let explain = |id: &str| {
        let key = house.source_of("contacts", id);
        house
            .desk
            .run_expecting(&[0, 1], &["explain", "contact", &key, "--dir", "p"])
            .stdout
    };
    let (archived, left) = (explain("1"), explain("2"));
    assert!(
        archived.contains("rolled back") && archived.contains(": archived"),
        "{archived}"
    );
    assert!(
        left.contains(": left") && left.contains("is \"Mine\""),
        "{left}"
    );
}
