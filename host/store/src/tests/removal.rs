//! Laws of associations that are taken away: only what a run made, once, and told by the plan's hash.

use super::*;

/// A plan of persons and one organization, of whom the first works there.
fn plan(store: &mut Store, persons: &[&str], links: &[PlannedLink]) -> Plan {
    let keep = |object: &str, record: &str| PlannedAction {
        object: object.into(),
        record: record.into(),
        action: Action::Keep {
            destination: record.into(),
            reason: Reason::Bound,
        },
    };
    let mut actions = vec![keep("organization", "7")];
    actions.extend(persons.iter().map(|person| keep("person", person)));
    let mut writer = store.begin_plan().unwrap();
    writer.add_actions(store, &actions).unwrap();
    writer.add_links(store, links).unwrap();
    let removals = writer.add_removals(store, &connection()).unwrap();
    let header = PlanHeader {
        links: links.len() as u64,
        removals,
        ..header()
    };
    writer.seal(store, header).unwrap()
}

/// Carries the plan out; each of its links came to that.
fn carry_out(store: &mut Store, plan: &Plan, outcome: LinkOutcome) -> RunId {
    let (run, _) = approve(store, plan);
    for (object, destination) in [("organization", "company"), ("person", "contact")] {
        let actions = store.load_unfinished(&plan.id, &object.into(), 0, 10);
        let outcomes: Vec<_> = actions
            .unwrap()
            .into_iter()
            .map(|(position, planned)| ActionOutcome {
                position,
                outcome: Outcome::Unchanged(planned.record.as_str().into()),
                record: planned.record,
            })
            .collect();
        let (connection, destination) = (connection(), destination.into());
        store
            .write_outcomes(
                run,
                &plan.id,
                &connection,
                &object.into(),
                &destination,
                &outcomes,
            )
            .unwrap();
    }
    let links = store.load_unfinished_links(&plan.id, 0, 10).unwrap();
    let outcomes: Vec<_> = links
        .into_iter()
        .map(|(position, _)| (position, outcome, None))
        .collect();
    store.write_link_outcomes(run, &plan.id, &outcomes).unwrap();
    run
}

fn removed(store: &Store, plan: &Plan) -> Vec<(String, Option<String>)> {
    let removals = store.load_removals(&plan.id, 0, 10).unwrap();
    let told = removals
        .into_iter()
        .map(|(_, link)| (link.from.to_string(), link.label));
    told.collect()
}

#[test]
fn only_what_a_run_made_goes_and_the_hash_says_so() {
    let mut store = Store::open_in_memory().unwrap();
    let first = plan(&mut store, &["1", "2"], &[link("1", "7", None)]);
    carry_out(&mut store, &first, LinkOutcome::Made);
    let second = plan(&mut store, &["1", "2"], &[link("2", "7", None)]);
    assert_eq!(removed(&store, &second), [("1".to_owned(), None)]);
    store.verify_plan(&second).unwrap();
    store
        .db
        .execute_batch("DROP TRIGGER planned_removal_sealed_delete; DELETE FROM planned_removal")
        .unwrap();
    assert!(matches!(
        store.verify_plan(&second),
        Err(StoreError::Altered { .. })
    ));
    let mut store = Store::open_in_memory().unwrap();
    let first = plan(&mut store, &["1"], &[link("1", "7", None)]);
    carry_out(&mut store, &first, LinkOutcome::Existing);
    let second = plan(&mut store, &["1"], &[]);
    assert_eq!(removed(&store, &second), [], "it was there before");
    assert!(
        store
            .db
            .execute("INSERT INTO plan (hash) VALUES (NULL)", [])
            .and_then(|_| store.db.execute(
                "INSERT INTO planned_removal (plan, made) VALUES ((SELECT max(id) FROM plan), 1)",
                []
            ))
            .is_err(),
        "the file refuses it too"
    );
}

#[test]
fn one_of_a_record_that_did_not_come_stays_and_one_taken_away_is_not_planned_again() {
    let mut store = Store::open_in_memory().unwrap();
    let links = [link("1", "7", None), link("2", "7", None)];
    let first = plan(&mut store, &["1", "2"], &links);
    carry_out(&mut store, &first, LinkOutcome::Made);
    let second = plan(&mut store, &["1"], &[]);
    assert_eq!(removed(&store, &second), [("1".to_owned(), None)]);
    let run = carry_out(&mut store, &second, LinkOutcome::Made);
    let open = |store: &Store| {
        store
            .load_open_removals(&second.id, &connection(), Labels::Without, 0, 10)
            .unwrap()
    };
    let removal = open(&store).remove(0);
    let ends = removal.link.unwrap();
    assert_eq!(
        (
            ends.from_object.as_str(),
            ends.from.as_str(),
            ends.to_object.as_str(),
            ends.to.as_str()
        ),
        ("contact", "1", "company", "7")
    );
    store
        .write_removal_outcomes(run, &[(removal.position, RemovalOutcome::Removed, None)])
        .unwrap();
    assert_eq!(open(&store), []);
    assert_eq!(
        store.removal_counts(&second.id).unwrap(),
        [(RemovalOutcome::Removed, 1)]
    );
    let third = plan(&mut store, &["1"], &[]);
    assert_eq!(removed(&store, &third), []);
}

/// A plain association carries the labels of its pair, so it stays as long as one of them does.
#[test]
fn a_plain_one_stays_under_a_label_and_a_label_goes_alone() {
    let mut store = Store::open_in_memory().unwrap();
    let links = [
        link("1", "7", None),
        link("1", "7", Some("CEO")),
        link("1", "7", Some("owner")),
    ];
    let first = plan(&mut store, &["1"], &links);
    carry_out(&mut store, &first, LinkOutcome::Made);
    let second = plan(&mut store, &["1"], &[link("1", "7", Some("CEO"))]);
    let owner = ("1".to_owned(), Some("owner".to_owned()));
    assert_eq!(removed(&store, &second), std::slice::from_ref(&owner));
    let third = plan(&mut store, &["1"], &[]);
    let ceo = ("1".to_owned(), Some("CEO".to_owned()));
    assert_eq!(
        removed(&store, &third),
        [ceo, owner, ("1".to_owned(), None)],
        "those with a label first"
    );
}
