//! Laws of the ledger of roll backs.

use model::undo::{UndoKind, UndoLinkKind, UndoOutcome};

use super::*;

fn outcome(position: i64, outcome: Outcome) -> ActionOutcome {
    ActionOutcome {
        position,
        record: position.to_string().as_str().into(),
        outcome,
    }
}

fn undone(position: i64, kind: UndoKind) -> UndoOutcome {
    UndoOutcome {
        position,
        kind,
        exceptions: Vec::new(),
    }
}

/// A plan of five records in every outcome, and of two links, carried out by one run.
fn carried_out(store: &mut Store) -> (Plan, RunId) {
    let actions: Vec<_> = (1..=5)
        .map(|record| create("person", &record.to_string()))
        .collect();
    let plan = seal(
        store,
        &actions,
        &[link("1", "7", None), link("2", "7", None)],
    );
    let (run, _) = approve(store, &plan);
    let row = "{\"id\":\"c2\"}".to_owned();
    let outcomes = [
        outcome(1, Outcome::Created("c1".into())),
        outcome(2, Outcome::Updated("c2".into(), row)),
        outcome(3, Outcome::Unchanged("c3".into())),
        outcome(4, Outcome::Linked("c3".into())),
        outcome(5, Outcome::Failed("no".into())),
    ];
    let (connection, person) = (connection(), person());
    store
        .write_outcomes(
            run,
            &plan.id,
            &connection,
            &person,
            &"contact".into(),
            &outcomes,
        )
        .unwrap();
    store
        .write_link_outcomes(
            run,
            &plan.id,
            &[
                (1, LinkOutcome::Made, None),
                (2, LinkOutcome::Existing, None),
            ],
        )
        .unwrap();
    (plan, run)
}

fn write(store: &mut Store, run: RunId, outcome: UndoOutcome) -> Result<(), StoreError> {
    store.write_undo_outcomes(run, &"contact".into(), &[outcome], &[])
}

/// Deleting what was there before is the worst that can happen, so the file itself refuses to note it.
#[test]
fn nothing_is_noted_as_archived_that_the_run_did_not_make() {
    let mut store = Store::open_in_memory().unwrap();
    let (plan, run) = carried_out(&mut store);
    // Another run of the same plan wrote nothing of its own.
    let (other, _) = approve(&mut store, &plan);
    let rollback = store.start_run("rollback").unwrap();
    store.begin_rollback(rollback, run, &plan.id).unwrap();
    for position in 2..=6 {
        let refused = write(&mut store, rollback, undone(position, UndoKind::Archived));
        assert!(refused.is_err(), "{position}");
    }
    for position in 3..=5 {
        let refused = write(&mut store, rollback, undone(position, UndoKind::Restored));
        assert!(refused.is_err(), "{position}");
    }
    write(&mut store, rollback, undone(1, UndoKind::Archived)).unwrap();
    write(&mut store, rollback, undone(2, UndoKind::Restored)).unwrap();
    assert!(
        write(&mut store, rollback, undone(1, UndoKind::Left)).is_err(),
        "once"
    );
    let second = store.start_run("rollback").unwrap();
    store.begin_rollback(second, other, &plan.id).unwrap();
    assert!(
        store
            .load_undoable(other, &plan.id, &person(), i64::MAX, 10)
            .unwrap()
            .is_empty(),
        "it wrote nothing"
    );
    let links = |run, position| [(position, UndoLinkKind::Removed, None)].map(|link| (run, link));
    for (run, link) in links(second, 1).into_iter().chain(links(rollback, 2)) {
        assert!(
            store.write_undo_link_outcomes(run, &[link]).is_err(),
            "not its own"
        );
    }
    store
        .write_undo_link_outcomes(rollback, &[(1, UndoLinkKind::Removed, None)])
        .unwrap();
}

#[test]
fn what_can_be_undone_comes_last_first_and_each_until_it_is() {
    let mut store = Store::open_in_memory().unwrap();
    let (plan, run) = carried_out(&mut store);
    let places = |store: &Store| -> Vec<i64> {
        let found = store.load_undoable(run, &plan.id, &person(), i64::MAX, 10);
        found
            .unwrap()
            .iter()
            .map(|action| action.position)
            .collect()
    };
    assert_eq!(places(&store), [2, 1]);
    let rollback = store.start_run("rollback").unwrap();
    store.begin_rollback(rollback, run, &plan.id).unwrap();
    store.write_undo_intent(rollback, 1, 2).unwrap();
    assert_eq!(store.undo_intents(rollback).unwrap(), [(1, 2)]);
    let mut left = undone(2, UndoKind::Left);
    left.exceptions = vec!["a".to_owned(), "b".to_owned()];
    write(&mut store, rollback, left).unwrap();
    assert_eq!(places(&store), [1]);
    assert_eq!(
        store.undo_counts(rollback).unwrap(),
        [(person(), UndoKind::Left, 1, 2)]
    );
    let told = store.load_undo_exceptions(rollback, 10).unwrap();
    let told: Vec<_> = told.iter().map(|told| told.message.as_str()).collect();
    assert_eq!(told, ["a", "b"]);
}

/// The record is gone, and what stood for it stands for nothing: one fact, one transaction.
#[test]
fn an_archived_record_is_released_with_its_outcome() {
    let mut store = Store::open_in_memory().unwrap();
    let (plan, run) = carried_out(&mut store);
    let rollback = store.start_run("rollback").unwrap();
    store.begin_rollback(rollback, run, &plan.id).unwrap();
    let bound = |store: &Store| {
        store
            .find_identities(&connection(), &person(), &["1", "2", "3"])
            .unwrap()
            .into_iter()
            .map(|id| id.map(|id| id.to_string()))
            .collect::<Vec<_>>()
    };
    let ids = |ids: [&str; 3]| {
        ids.map(|id| (!id.is_empty()).then(|| id.to_owned()))
            .to_vec()
    };
    let released = ["c1".into()];
    let refused = store.write_undo_outcomes(
        rollback,
        &"contact".into(),
        &[undone(3, UndoKind::Archived)],
        &released,
    );
    assert!(refused.is_err());
    assert_eq!(bound(&store), ids(["c1", "c2", "c3"]));
    store
        .write_undo_outcomes(
            rollback,
            &"contact".into(),
            &[undone(1, UndoKind::Archived), undone(2, UndoKind::Restored)],
            &released,
        )
        .unwrap();
    assert_eq!(bound(&store), ids(["", "c2", "c3"]));
}

#[test]
fn a_run_is_rolled_back_once_and_entries_never_change() {
    let mut store = Store::open_in_memory().unwrap();
    let (plan, run) = carried_out(&mut store);
    assert_eq!(store.applied_runs().unwrap(), [(run, plan.id.clone())]);
    let rollback = store.start_run("rollback").unwrap();
    assert!(
        store.begin_rollback(rollback, rollback, &plan.id).is_err(),
        "it wrote nothing"
    );
    store.begin_rollback(rollback, run, &plan.id).unwrap();
    assert!(!store.rollbacks().unwrap()[0].0.is_finished);
    let again = store.start_run("rollback").unwrap();
    assert!(store.begin_rollback(again, run, &plan.id).is_err());
    write(&mut store, rollback, undone(1, UndoKind::Archived)).unwrap();
    store.write_undo_intent(rollback, 1, 2).unwrap();
    store
        .write_undo_link_outcomes(rollback, &[(1, UndoLinkKind::Gone, None)])
        .unwrap();
    store.finish_rollback(rollback).unwrap();
    assert!(store.rollbacks().unwrap()[0].0.is_finished);
    for table in [
        "rollback",
        "rollback_end",
        "undo_intent",
        "undo_outcome",
        "undo_link_outcome",
    ] {
        for change in ["DELETE FROM", "UPDATE"] {
            let sql = match change {
                "UPDATE" => format!("UPDATE {table} SET run = run"),
                _ => format!("DELETE FROM {table}"),
            };
            let refused = store.db.execute(&sql, []).unwrap_err().to_string();
            assert!(refused.contains("append-only"), "{sql}: {refused}");
        }
    }
}

/// Whose an association is: with what was there before it goes alone, with what the run made it goes or stays.
#[test]
fn an_association_goes_with_the_record_that_the_run_made() {
    let mut store = Store::open_in_memory().unwrap();
    let (plan, run) = carried_out(&mut store);
    let objects = [
        (person(), ObjectName::from("contact")),
        ("organization".into(), "company".into()),
    ];
    let connection = connection();
    let written = Written {
        run,
        plan: &plan.id,
        connection: &connection,
        objects: &objects,
    };
    store.gather_written(&written).unwrap();
    let made = |store: &Store| {
        store
            .load_made_links(&written, Labels::Without, 0, 10)
            .unwrap()
    };
    let links = made(&store);
    assert_eq!(links.len(), 1, "only what was made: {links:?}");
    assert_eq!(
        (links[0].link.from.as_str(), links[0].hold),
        ("c1", Hold::Going)
    );
    store.mark_kept(&person(), &["1".into()]).unwrap();
    assert_eq!(made(&store)[0].hold, Hold::Kept);
    assert_eq!(
        store
            .load_made_links(&written, Labels::With, 0, 10)
            .unwrap(),
        []
    );
    assert_eq!(store.find_later_runs(&written).unwrap(), []);
}

#[test]
fn a_later_run_that_wrote_to_the_same_record_is_found() {
    let mut store = Store::open_in_memory().unwrap();
    let (plan, run) = carried_out(&mut store);
    let later_plan = seal(
        &mut store,
        &[create("person", "1"), create("person", "9")],
        &[],
    );
    let (later, _) = approve(&mut store, &later_plan);
    let (connection, person) = (connection(), person());
    let outcomes = [
        outcome(
            6,
            Outcome::Updated("c1".into(), "{\"id\":\"c1\"}".to_owned()),
        ),
        outcome(7, Outcome::Created("c9".into())),
    ];
    store
        .write_outcomes(
            later,
            &later_plan.id,
            &connection,
            &person,
            &"contact".into(),
            &outcomes,
        )
        .unwrap();
    let objects = [(person.clone(), ObjectName::from("contact"))];
    let of = |run, plan| Written {
        run,
        plan,
        connection: &connection,
        objects: &objects,
    };
    store.gather_written(&of(run, &plan.id)).unwrap();
    let found = store.find_later_runs(&of(run, &plan.id)).unwrap();
    assert_eq!(found, [(later, 1)]);
    let rollback = store.start_run("rollback").unwrap();
    store
        .begin_rollback(rollback, later, &later_plan.id)
        .unwrap();
    assert_eq!(
        store.find_later_runs(&of(run, &plan.id)).unwrap(),
        [(later, 1)],
        "it is not done"
    );
    store.finish_rollback(rollback).unwrap();
    assert_eq!(store.find_later_runs(&of(run, &plan.id)).unwrap(), []);
}
