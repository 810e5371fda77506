//! Laws of the whole store.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};

use model::ledger::{ActionOutcome, LinkOutcome, Outcome, OutcomeKind, RemovalOutcome};
use model::plan::{
    Action, ActionKind, ApprovedPlan, Plan, PlanHeader, PlannedAction, PlannedLink, Reason,
};
use model::row::RowLimits;
use model::{
    Batch, Catalog, ConnectionId, Cursor, DestinationRecordId, FieldInfo, FieldKind, FieldTable,
    Finding, FindingCode, Instant, ObjectInfo, ObjectName, RecordPage, RunId,
};
use proptest::prelude::*;

use crate::*;

mod removal;
mod undo;

fn connection() -> ConnectionId {
    "pipedrive-acme".into()
}

fn person() -> ObjectName {
    "person".into()
}

fn page(rows: &[(&str, &str)], next: Option<&str>) -> RecordPage {
    let fields = FieldTable::new(vec![FieldInfo::new("name", FieldKind::Text)]).unwrap();
    let object = Arc::new(ObjectInfo {
        name: person(),
        fields,
        ..ObjectInfo::default()
    });
    let mut text = String::new();
    for (id, name) in rows {
        text += &format!("{{\"id\":\"{id}\",\"fields\":{{\"name\":{name}}}}}\n");
    }
    let (records, rejected) =
        Batch::decode(object, text.into_bytes(), &RowLimits::default()).unwrap();
    RecordPage {
        records,
        rejected,
        next: next.map(|cursor| Cursor::new(cursor.as_bytes().to_vec())),
    }
}

fn staged_text(store: &Store) -> String {
    let staged = store
        .load_staged(&connection(), &person(), 0, 1000, 1 << 20)
        .unwrap();
    String::from_utf8(staged.rows).unwrap()
}

fn create(object: &str, record: &str) -> PlannedAction {
    let action = Action::Create {
        row: format!("{{\"id\":\"{record}\"}}"),
        reason: Reason::New,
    };
    PlannedAction {
        object: object.into(),
        record: record.into(),
        action,
    }
}

fn link(from: &str, to: &str, label: Option<&str>) -> PlannedLink {
    let (from_object, to_object) = ("person".into(), "organization".into());
    PlannedLink {
        from_object,
        from: from.into(),
        to_object,
        to: to.into(),
        label: label.map(str::to_owned),
    }
}

fn header() -> PlanHeader {
    PlanHeader {
        connection: connection(),
        destination: "local CRM".into(),
        parent: None,
        created_at: "2026-11-21T22:40:00Z".parse().unwrap(),
        cutover: None,
        mapping: model::mapping::Mapping::default(),
        source: Catalog::default(),
        target: Catalog::default(),
        counts: Vec::new(),
        links: 0,
        removals: 0,
    }
}

fn seal(store: &mut Store, actions: &[PlannedAction], links: &[PlannedLink]) -> Plan {
    let mut writer = store.begin_plan().unwrap();
    for batch in actions.chunks(2) {
        writer.add_actions(store, batch).unwrap();
    }
    writer.add_links(store, links).unwrap();
    writer.seal(store, header()).unwrap()
}

fn approve(store: &mut Store, plan: &Plan) -> (RunId, ApprovedPlan) {
    let approved = plan
        .clone()
        .approve(&plan.hash, Instant::from_unix_us(0).unwrap())
        .unwrap();
    let run = store.start_run("apply").unwrap();
    store.begin_apply(run, &approved).unwrap();
    (run, approved)
}

fn created(position: i64, record: &str, destination: &str) -> ActionOutcome {
    ActionOutcome {
        position,
        record: record.into(),
        outcome: Outcome::Created(destination.into()),
    }
}

#[test]
fn a_store_is_sent_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<Store>();
}

#[test]
fn opening_twice_migrates_once_and_keeps_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store
        .save_document("catalog", "source", &vec![1, 2])
        .unwrap();
    store.save_connection(&connection(), &"settings").unwrap();
    drop(store);
    assert_eq!(
        fs::read_to_string(folder.path().join("lock")).unwrap(),
        "",
        "the process ended in order"
    );
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(
        store
            .load_document::<Vec<i32>>("catalog", "source")
            .unwrap(),
        Some(vec![1, 2])
    );
    assert_eq!(
        store
            .load_connection::<String>(&connection())
            .unwrap()
            .as_deref(),
        Some("settings")
    );
    assert_eq!(store.list_connections().unwrap(), [connection()]);
    assert_eq!(
        crate::schema::load_version(&store.db).unwrap(),
        crate::schema::newest_version()
    );
    assert!(matches!(
        store.load_document::<String>("catalog", "source"),
        Err(StoreError::Document { .. })
    ));
}

#[test]
fn a_second_opener_is_refused_by_name_and_a_reader_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.start_run("migrate").unwrap();
    let refused = Store::open(folder.path()).unwrap_err();
    let message = refused.to_string();
    assert!(
        matches!(refused, StoreError::Busy { pid: Some(pid), .. } if pid == std::process::id()),
        "{message}"
    );
    assert!(
        message.contains(&folder.path().display().to_string()),
        "{message}"
    );
    let mut reader = Store::open_read_only(folder.path()).unwrap();
    assert_eq!(reader.runs().unwrap().len(), 1);
    assert!(reader.start_run("migrate").is_err());
    drop((reader, store));
    Store::open(folder.path()).unwrap();
}

#[track_caller]
fn refused_untouched(content: &[u8], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    fs::write(&path, content).unwrap();
    for opened in [
        Store::open(folder.path()),
        Store::open_read_only(folder.path()),
    ] {
        let error = opened.unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{message}");
        assert!(
            message.contains(expected) && message.contains(&path.display().to_string()),
            "{message}"
        );
    }
    assert_eq!(fs::read(&path).unwrap(), content);
}

#[test]
fn what_is_not_a_state_file_is_refused_and_left_as_it_is() {
    refused_untouched(b"", "empty");
    refused_untouched(
        b"not a database, and longer than a header of sixteen bytes",
        "not a SQLite database",
    );
    let broken = [b"SQLite format 3\0".as_slice(), &[7; 5000]].concat();
    refused_untouched(&broken, "damaged");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    refused_untouched(&fs::read(&path).unwrap(), "another program");
}

#[test]
fn a_cut_off_file_is_refused_and_a_later_version_named() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path()).unwrap());
    let path = folder.path().join("state.db");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(
        Store::open(folder.path()),
        Err(StoreError::Corrupt { .. })
    ));
    fs::write(&path, &whole).unwrap();
    rusqlite::Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let newer = Store::open(folder.path());
    assert!(
        matches!(
            newer,
            Err(StoreError::NewerVersion { found: 99, known, .. }) if known == crate::schema::newest_version()
        ),
        "{newer:?}"
    );
}

#[test]
fn damage_is_found_after_an_unclean_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    for number in 0..50 {
        store
            .save_document("catalog", &number.to_string(), &"x".repeat(3000))
            .unwrap();
    }
    drop(store);
    let path = folder.path().join("state.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() - 3 * 8192;
    bytes[middle..middle + 8192].fill(0xA5);
    fs::write(&path, &bytes).unwrap();
    fs::write(folder.path().join("lock"), "4711\n").unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_journal_without_its_file_is_not_played_into_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("state.db-wal"), b"left over").unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(
        matches!(error, StoreError::Corrupt { .. }) && error.to_string().contains("state.db-wal"),
        "{error}"
    );
    assert!(!folder.path().join("state.db").exists());
}

#[test]
fn a_page_repeated_or_changed_is_staged_once() {
    let mut store = Store::open_in_memory().unwrap();
    let extraction = store.begin_extraction(&connection()).unwrap();
    let mut stage = |page: &RecordPage| {
        store
            .stage_page(&connection(), &person(), extraction, page)
            .unwrap()
    };
    let first = page(
        &[("2", "\"Ann\""), ("10", "\"Bob\""), ("3", "7")],
        Some("c1"),
    );
    assert_eq!(
        stage(&first),
        StagedPage {
            new: 2,
            rejected: 1,
            ..StagedPage::default()
        }
    );
    assert_eq!(
        stage(&first),
        StagedPage {
            repeated: 2,
            rejected: 1,
            ..StagedPage::default()
        }
    );
    let second = page(&[("2", "\"Anna\""), ("11", "\"Cy\"")], None);
    assert_eq!(
        stage(&second),
        StagedPage {
            new: 1,
            changed: 1,
            ..StagedPage::default()
        }
    );
    let expected = [("2", "Anna"), ("10", "Bob"), ("11", "Cy")]
        .map(|(id, name)| format!("{{\"id\":\"{id}\",\"fields\":{{\"name\":\"{name}\"}}}}\n"));
    assert_eq!(
        staged_text(&store),
        expected.concat(),
        "the later row, in the first one's place"
    );
    let quarantined = store
        .load_quarantined(&connection(), &person(), 0, 10)
        .unwrap();
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0].id.as_ref().map(|id| id.as_str()), Some("3"));
    assert_eq!(store.staged_count(&connection(), &person()).unwrap(), 3);
    assert_eq!(
        store
            .find_staged(&connection(), &person(), &["11", "3", "2"])
            .unwrap(),
        [true, false, true]
    );
}

#[test]
fn staged_rows_come_in_batches_and_only_of_their_object() {
    let mut store = Store::open_in_memory().unwrap();
    let extraction = store.begin_extraction(&connection()).unwrap();
    let other = ObjectName::from("organization");
    for number in 0..7 {
        let id = number.to_string();
        let one = page(&[(&id, "\"Ann\"")], Some("more"));
        store
            .stage_page(&connection(), &person(), extraction, &one)
            .unwrap();
        store
            .stage_page(&connection(), &other, extraction, &one)
            .unwrap();
    }
    let (mut after, mut ids) = (0, Vec::new());
    loop {
        let staged = store
            .load_staged(&connection(), &person(), after, 3, 70)
            .unwrap();
        if staged.len == 0 {
            break;
        }
        assert!(
            staged.len <= 2,
            "two rows of 31 bytes fit into 70, three do not: {}",
            staged.len
        );
        ids.extend(
            String::from_utf8(staged.rows)
                .unwrap()
                .lines()
                .map(|row| row[7..8].to_owned()),
        );
        after = staged.last;
    }
    assert_eq!(ids, ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(
        store
            .load_staged(&connection(), &person(), 0, 3, 1)
            .unwrap()
            .len,
        1,
        "a single row is always given"
    );
}

#[test]
fn page_and_cursor_commit_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let extraction = store.begin_extraction(&connection()).unwrap();
    let checkpoint = |store: &Store| {
        store
            .load_checkpoint(&connection(), &person(), extraction)
            .unwrap()
    };
    store
        .stage_page(
            &connection(),
            &person(),
            extraction,
            &page(&[("1", "\"Ann\"")], Some("c1")),
        )
        .unwrap();
    let second = page(&[("2", "\"Bob\""), ("3", "5")], None);
    store.set_commit_hook(Box::new(|point| {
        assert!(
            point
                != CommitPoint {
                    commit: Commit::StagePage,
                    moment: Moment::Before
                },
            "killed before the commit"
        );
    }));
    let killed = catch_unwind(AssertUnwindSafe(|| {
        let _ = store.stage_page(&connection(), &person(), extraction, &second);
    }));
    assert!(killed.is_err());
    assert_eq!(
        checkpoint(&store),
        Checkpoint::At(Cursor::new(b"c1".to_vec()), 1)
    );
    assert_eq!(staged_text(&store).lines().count(), 1);
    assert!(
        store
            .load_quarantined(&connection(), &person(), 0, 10)
            .unwrap()
            .is_empty()
    );
    store.set_commit_hook(Box::new(|point| {
        assert!(
            point
                != CommitPoint {
                    commit: Commit::StagePage,
                    moment: Moment::After
                },
            "killed after the commit"
        );
    }));
    let killed = catch_unwind(AssertUnwindSafe(|| {
        let _ = store.stage_page(&connection(), &person(), extraction, &second);
    }));
    assert!(killed.is_err());
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(checkpoint(&store), Checkpoint::Done { pages: 2 });
    assert_eq!(staged_text(&store).lines().count(), 2);
    assert_eq!(
        store
            .load_quarantined(&connection(), &person(), 0, 10)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_stale_cursor_starts_the_object_again_and_keeps_what_is_staged() {
    let mut store = Store::open_in_memory().unwrap();
    let extraction = store.begin_extraction(&connection()).unwrap();
    store
        .stage_page(
            &connection(),
            &person(),
            extraction,
            &page(&[("1", "\"Ann\"")], Some("c1")),
        )
        .unwrap();
    store
        .reset_checkpoint(&connection(), &person(), extraction)
        .unwrap();
    assert_eq!(
        store
            .load_checkpoint(&connection(), &person(), extraction)
            .unwrap(),
        Checkpoint::Start
    );
    assert_eq!(staged_text(&store).lines().count(), 1);
    assert_eq!(
        store.begin_extraction(&connection()).unwrap(),
        extraction,
        "an unfinished extraction goes on"
    );
}

#[test]
fn a_later_extraction_tells_what_it_no_longer_saw() {
    let mut store = Store::open_in_memory().unwrap();
    let first = store.begin_extraction(&connection()).unwrap();
    let both = page(&[("1", "\"Ann\""), ("2", "\"Bob\""), ("3", "4")], None);
    store
        .stage_page(&connection(), &person(), first, &both)
        .unwrap();
    store
        .finish_object(&connection(), &person(), first)
        .unwrap();
    store.finish_extraction(first).unwrap();
    let second = store.begin_extraction(&connection()).unwrap();
    assert_ne!(first, second);
    assert_eq!(
        store
            .load_checkpoint(&connection(), &person(), second)
            .unwrap(),
        Checkpoint::Start
    );
    let staged = store
        .stage_page(
            &connection(),
            &person(),
            second,
            &page(&[("2", "\"Bob\"")], None),
        )
        .unwrap();
    assert_eq!(
        staged,
        StagedPage {
            unchanged: 1,
            ..StagedPage::default()
        }
    );
    assert_eq!(
        store.count_unseen(&connection(), &person()).unwrap(),
        0,
        "it is not finished"
    );
    store
        .finish_object(&connection(), &person(), second)
        .unwrap();
    store.finish_extraction(second).unwrap();
    assert_eq!(store.count_unseen(&connection(), &person()).unwrap(), 1);
    assert_eq!(
        store.load_unseen(&connection(), &person(), 0, 10).unwrap()[0]
            .1
            .as_str(),
        "1"
    );
    assert!(
        store
            .load_quarantined(&connection(), &person(), 0, 10)
            .unwrap()
            .is_empty(),
        "the broken row is gone too"
    );
}

#[test]
fn a_full_disk_is_named_and_loses_no_earlier_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let extraction = store.begin_extraction(&connection()).unwrap();
    store
        .stage_page(
            &connection(),
            &person(),
            extraction,
            &page(&[("1", "\"Ann\"")], Some("c1")),
        )
        .unwrap();
    let pages: i64 = store
        .db
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    store
        .db
        .pragma_update_and_check(None, "max_page_count", pages + 2, |_| Ok(()))
        .unwrap();
    let large = format!("\"{}\"", "x".repeat(100_000));
    let full = store.stage_page(
        &connection(),
        &person(),
        extraction,
        &page(&[("2", "\"B\""), ("3", &large)], None),
    );
    assert!(matches!(full, Err(StoreError::DiskFull { .. })), "{full:?}");
    assert_eq!(staged_text(&store).lines().count(), 1);
    drop(store);
    let mut store = Store::open(folder.path()).unwrap();
    let at = store
        .load_checkpoint(&connection(), &person(), extraction)
        .unwrap();
    assert_eq!(at, Checkpoint::At(Cursor::new(b"c1".to_vec()), 1));
    store
        .stage_page(
            &connection(),
            &person(),
            extraction,
            &page(&[("2", "\"B\""), ("3", &large)], None),
        )
        .unwrap();
    assert_eq!(store.staged_count(&connection(), &person()).unwrap(), 3);
}

#[test]
fn a_sealed_plan_refuses_every_change() {
    let mut store = Store::open_in_memory().unwrap();
    let plan = seal(
        &mut store,
        &[create("person", "1"), create("person", "2")],
        &[link("1", "7", None)],
    );
    for change in [
        "UPDATE action SET row = 'x'",
        "UPDATE action SET position = position + 100",
        "DELETE FROM action",
        "INSERT OR REPLACE INTO action (position, plan, object, kind, source_id, reason) VALUES (1, 1, 1, 'keep', '1', '{}')",
        "INSERT INTO action (position, plan, object, kind, source_id, reason) VALUES (9, 1, 1, 'keep', '1', '{}')",
        "UPDATE planned_link SET to_id = '8'",
        "DELETE FROM planned_link",
        "INSERT INTO planned_link (position, plan, association, from_id, to_id) VALUES (9, 1, 1, '1', '2')",
        "UPDATE plan SET header = ''",
        "DELETE FROM plan",
        "INSERT OR REPLACE INTO plan (id, hash) VALUES (1, NULL)",
        "UPDATE plan_object SET last_action = 1",
        "DELETE FROM plan_object",
        "UPDATE association SET label = 'x'",
        "UPDATE object SET name = 'x'",
    ] {
        let refused = store.write(Commit::State, format_args!("change it"), |tx| {
            tx.execute(change, [])
        });
        assert!(
            matches!(refused, Err(StoreError::Sealed { .. })),
            "{change}: {refused:?}"
        );
    }
    store.verify_plan(&plan).unwrap();
    assert_eq!(store.latest_plan().unwrap(), Some(plan.clone()));
    assert_eq!(store.load_plan(&plan.id).unwrap(), Some(plan));
}

#[test]
fn the_ledger_refuses_change() {
    let mut store = Store::open_in_memory().unwrap();
    let plan = seal(
        &mut store,
        &[create("person", "1")],
        &[link("1", "7", None)],
    );
    let (run, _) = approve(&mut store, &plan);
    store.write_intent(run, &plan.id, 1, 1).unwrap();
    let outcomes = [created(1, "1", "d1")];
    store
        .write_outcomes(
            run,
            &plan.id,
            &connection(),
            &person(),
            &"contact".into(),
            &outcomes,
        )
        .unwrap();
    store
        .write_link_outcomes(
            run,
            &plan.id,
            &[(1, LinkOutcome::Failed, Some("no".into()))],
        )
        .unwrap();
    for table in ["approval", "intent", "outcome", "link_outcome"] {
        let column = if table == "approval" { "hash" } else { "run" };
        let changes = [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}"),
        ];
        for change in changes {
            let refused = store.write(Commit::State, format_args!("change it"), |tx| {
                tx.execute(&change, [])
            });
            assert!(
                matches!(refused, Err(StoreError::Sealed { .. })),
                "{change}: {refused:?}"
            );
        }
    }
    let again = store.write_outcomes(
        run,
        &plan.id,
        &connection(),
        &person(),
        &"contact".into(),
        &outcomes,
    );
    assert!(
        matches!(again, Err(StoreError::Sqlite { .. })),
        "an action has one outcome: {again:?}"
    );
}

#[test]
fn an_intent_needs_an_approval_and_positions_of_its_plan() {
    let mut store = Store::open_in_memory().unwrap();
    let plan = seal(&mut store, &[create("person", "1")], &[]);
    let run = store.start_run("apply").unwrap();
    assert!(store.write_intent(run, &plan.id, 1, 1).is_err());
    let (run, _) = approve(&mut store, &plan);
    store.write_intent(run, &plan.id, 1, 1).unwrap();
    assert!(matches!(
        store.write_intent(run, &plan.id, 1, 2),
        Err(StoreError::Unknown { .. })
    ));
    let other = store.write_outcomes(
        run,
        &plan.id,
        &connection(),
        &person(),
        &"contact".into(),
        &[created(2, "1", "d")],
    );
    assert!(
        matches!(other, Err(StoreError::Unknown { .. })),
        "{other:?}"
    );
    assert!(matches!(
        store.load_links(&"none".into(), 0, 1),
        Err(StoreError::Unknown { .. })
    ));
}

/// Six contacts planned, the first three announced.
fn announced() -> (Store, Plan, RunId) {
    let mut store = Store::open_in_memory().unwrap();
    let actions: Vec<_> = (1..=6)
        .map(|id| create("person", &id.to_string()))
        .collect();
    let plan = seal(&mut store, &actions, &[]);
    let (run, _) = approve(&mut store, &plan);
    store.write_intent(run, &plan.id, 1, 3).unwrap();
    (store, plan, run)
}

fn note(store: &mut Store, plan: &Plan, run: RunId, outcomes: &[ActionOutcome]) {
    let noted = store.write_outcomes(
        run,
        &plan.id,
        &connection(),
        &person(),
        &"contact".into(),
        outcomes,
    );
    noted.unwrap();
}

#[test]
fn outcome_and_identity_commit_together() {
    let (mut store, plan, run) = announced();
    store.set_commit_hook(Box::new(|point| {
        let before = CommitPoint {
            commit: Commit::Outcome,
            moment: Moment::Before,
        };
        assert!(point != before, "killed");
    }));
    let batch = [created(1, "1", "d1"), created(2, "2", "d2")];
    let killed = catch_unwind(AssertUnwindSafe(|| note(&mut store, &plan, run, &batch)));
    assert!(killed.is_err());
    let identities = |store: &Store| {
        store
            .find_identities(&connection(), &person(), &["2", "1"])
            .unwrap()
    };
    assert_eq!(identities(&store), [None, None]);
    assert!(store.outcome_counts(&plan.id).unwrap().is_empty());
    store.set_commit_hook(Box::new(|_| {}));
    note(&mut store, &plan, run, &batch);
    assert_eq!(identities(&store), [Some("d2".into()), Some("d1".into())]);
    assert_eq!(
        store.outcome_counts(&plan.id).unwrap(),
        [(person(), OutcomeKind::Created, 2)]
    );
}

#[test]
fn what_was_announced_and_has_no_outcome_is_told() {
    let (mut store, plan, run) = announced();
    let open = |store: &Store| store.intents_without_outcome(&plan.id).unwrap();
    let next = |store: &Store, after| store.next_unfinished(&plan.id, &person(), after).unwrap();
    assert_eq!(
        (open(&store), next(&store, 0), next(&store, 3)),
        (vec![1, 2, 3], Some(1), Some(4))
    );
    note(
        &mut store,
        &plan,
        run,
        &[created(1, "1", "d1"), created(3, "3", "d3")],
    );
    assert_eq!(
        (open(&store), next(&store, 0), next(&store, 2)),
        (vec![2], Some(2), Some(4))
    );
    note(
        &mut store,
        &plan,
        run,
        &[created(2, "2", "d2"), created(4, "4", "d4")],
    );
    assert_eq!((open(&store), next(&store, 0)), (vec![], Some(5)));
    let unfinished = store.load_unfinished(&plan.id, &person(), 0, 10).unwrap();
    assert_eq!(
        unfinished,
        [(5, create("person", "5")), (6, create("person", "6"))]
    );
    note(
        &mut store,
        &plan,
        run,
        &[created(6, "6", "d6"), created(5, "5", "d5")],
    );
    assert_eq!(
        (
            next(&store, 0),
            store.load_unfinished(&plan.id, &person(), 0, 9).unwrap()
        ),
        (None, vec![])
    );
}

#[test]
fn an_identity_asked_for_several_times_is_answered_each_time() {
    let (mut store, plan, run) = announced();
    note(&mut store, &plan, run, &[created(1, "1", "d1")]);
    let found = store
        .find_identities(&connection(), &person(), &["1", "1", "9", "9", "1"])
        .unwrap();
    let d1 = || Some("d1".into());
    assert_eq!(found, [d1(), d1(), None, None, d1()]);
}

#[test]
fn outcomes_and_identities_are_read_back() {
    let (mut store, plan, run) = announced();
    let failed = ActionOutcome {
        position: 3,
        record: "3".into(),
        outcome: Outcome::Failed("no".into()),
    };
    let updated = Outcome::Updated("d2".into(), "before".into());
    let updated = ActionOutcome {
        position: 2,
        record: "2".into(),
        outcome: updated,
    };
    note(
        &mut store,
        &plan,
        run,
        &[created(1, "1", "d2"), updated, failed],
    );
    let audited = store.load_outcomes(&plan.id, &person(), 1, 3).unwrap();
    let outcomes: Vec<_> = audited
        .iter()
        .map(|audited| audited.outcome.clone())
        .collect();
    let recorded = |kind, destination: Option<&str>, error: Option<&str>, before: Option<&str>| {
        let (error, before) = (error.map(str::to_owned), before.map(str::to_owned));
        Some(RecordedOutcome {
            kind,
            destination: destination.map(DestinationRecordId::from),
            error,
            before,
        })
    };
    let expected = [
        recorded(OutcomeKind::Updated, Some("d2"), None, Some("before")),
        recorded(OutcomeKind::Failed, None, Some("no"), None),
        None,
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(
        (audited[0].position, &audited[0].planned),
        (2, &create("person", "2"))
    );
    let sources = store.find_sources(&"contact".into(), &"d2".into()).unwrap();
    let records: Vec<_> = sources.iter().map(|end| end.record.as_str()).collect();
    assert_eq!(records, ["1", "2"]);
    let identities = store
        .load_identities(&connection(), &person(), Some(&"1".into()), 5)
        .unwrap();
    let only = Identity {
        source: "2".into(),
        destination_object: "contact".into(),
        destination: "d2".into(),
    };
    assert_eq!(identities, [only]);
}

#[test]
fn every_kind_of_action_comes_back_as_it_was() {
    let mut store = Store::open_in_memory().unwrap();
    let matched = Reason::Matched {
        rule: "e-mail".into(),
        key: "ä@example.com".into(),
    };
    let duplicate = Reason::Duplicate {
        rule: "e-mail".into(),
        key: "k".into(),
    };
    let broken = Reason::BrokenRow {
        error: "no id".into(),
    };
    let (row, before) = ("r".to_owned(), "b".to_owned());
    let all = [
        Action::Create {
            row: "{\"id\":\"1\"}".into(),
            reason: Reason::New,
        },
        Action::Update {
            destination: "d2".into(),
            row,
            before,
            reason: matched,
        },
        Action::Keep {
            destination: "d3".into(),
            reason: Reason::Bound,
        },
        Action::Link {
            survivor: "1".into(),
            reason: duplicate,
        },
        Action::Exclude {
            reason: Reason::DeletedAtSource,
        },
        Action::Quarantine { reason: broken },
    ];
    let plan_one = |(id, action): (i32, Action)| {
        let record = id.to_string().into();
        PlannedAction {
            object: person(),
            record,
            action,
        }
    };
    let planned: Vec<_> = (1..).zip(all).map(plan_one).collect();
    let plan = seal(&mut store, &planned, &[]);
    let loaded = store
        .load_actions(&plan.id, &person(), 0, 100, &[])
        .unwrap();
    let loaded: Vec<_> = loaded.into_iter().map(|(_, action)| action).collect();
    assert_eq!(loaded, planned);
    let kinds = [ActionKind::Create, ActionKind::Keep];
    let some = store
        .load_actions(&plan.id, &person(), 1, 100, &kinds)
        .unwrap();
    assert_eq!(some, [(3, planned[2].clone())]);
    store.verify_plan(&plan).unwrap();
}

#[test]
fn links_come_back_as_they_were_with_their_outcomes() {
    let mut store = Store::open_in_memory().unwrap();
    let links = [
        link("1", "7", None),
        link("2", "7", Some("")),
        link("3", "8", Some("Primary")),
    ];
    let plan = seal(&mut store, &[], &links);
    let loaded = store.load_links(&plan.id, 0, 100).unwrap();
    let loaded: Vec<_> = loaded.into_iter().map(|(_, link)| link).collect();
    assert_eq!(loaded, links);
    let (from, to) = (&links[0].from_object, &links[0].to_object);
    let plain = store.load_plain_links_between(&plan.id, from, to).unwrap();
    assert_eq!(plain, [("1".to_owned(), "7".to_owned())]);
    let run = store.start_run("apply").unwrap();
    let made = [(1, LinkOutcome::Made, None), (3, LinkOutcome::Made, None)];
    store.write_link_outcomes(run, &plan.id, &made).unwrap();
    let unfinished = store.load_unfinished_links(&plan.id, 0, 9).unwrap();
    assert_eq!(unfinished, [(2, links[1].clone())]);
    assert_eq!(
        store.link_outcome_counts(&plan.id).unwrap(),
        [(LinkOutcome::Made, 2)]
    );
    store.verify_plan(&plan).unwrap();
}

#[test]
fn an_abandoned_plan_is_removed_and_a_sealed_one_stays() {
    let mut store = Store::open_in_memory().unwrap();
    let sealed = seal(
        &mut store,
        &[create("person", "1")],
        &[link("1", "7", None)],
    );
    let mut abandoned = store.begin_plan().unwrap();
    abandoned
        .add_actions(&mut store, &[create("person", "2"), create("deal", "1")])
        .unwrap();
    abandoned
        .add_links(&mut store, &[link("2", "7", None)])
        .unwrap();
    assert_eq!((abandoned.counts().len(), abandoned.links()), (2, 1));
    let again = seal(
        &mut store,
        &[create("person", "1")],
        &[link("1", "7", None)],
    );
    assert_eq!(again, sealed, "the same content is the same plan");
    let count = |table: &str| {
        let select = format!("SELECT count(*) FROM {table}");
        store
            .db
            .query_row(&select, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(["plan", "action", "planned_link"].map(count), [1, 1, 1]);
    let late = abandoned.add_actions(&mut store, &[create("person", "3")]);
    assert!(matches!(late, Err(StoreError::Sealed { .. })), "{late:?}");
}

#[test]
fn links_without_their_ends_are_found() {
    let mut store = Store::open_in_memory().unwrap();
    let excluded = PlannedAction {
        object: person(),
        record: "2".into(),
        action: Action::Exclude {
            reason: Reason::DeletedAtSource,
        },
    };
    let actions = [create("person", "1"), excluded, create("organization", "7")];
    let links = [
        link("1", "7", None),
        link("1", "8", None),
        link("2", "7", Some("x")),
        link("3", "9", None),
    ];
    let plan = seal(&mut store, &actions, &links);
    for _ in 0..2 {
        assert_eq!(store.mark_missing_ends(&plan.id).unwrap(), 3);
        let missing = store.load_missing_links(0, 10).unwrap();
        let ends: Vec<_> = missing
            .iter()
            .map(|missing| (missing.position, missing.missing))
            .collect();
        assert_eq!(
            ends,
            [
                (2, MissingEnds::To),
                (3, MissingEnds::From),
                (4, MissingEnds::Both)
            ]
        );
        assert_eq!(missing[1].link, links[2]);
    }
}

#[test]
fn a_stored_plan_that_was_altered_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let plan = seal(
        &mut store,
        &[create("person", "1"), create("person", "2")],
        &[link("1", "7", None)],
    );
    store.verify_plan(&plan).unwrap();
    for change in [
        "UPDATE action SET row = row || ' ' WHERE position = 2",
        "UPDATE action SET source_id = '3' WHERE position = 2",
        "UPDATE action SET before = '' WHERE position = 2",
        "DELETE FROM action WHERE position = 2",
        "UPDATE planned_link SET to_id = '8'",
        "UPDATE association SET labelled = 1",
        "UPDATE object SET name = 'organisation' WHERE name = 'organization'",
        "UPDATE plan SET header = replace(header, 'local CRM', 'other CRM')",
    ] {
        // Someone with a database tool can do what the file refuses.
        store.db.execute_batch("SAVEPOINT tamper").unwrap();
        for (table, rest) in [
            ("action", "update"),
            ("action", "sealed_delete"),
            ("planned_link", "update"),
            ("association", "update"),
            ("object", "update"),
            ("plan", "sealed_update"),
        ] {
            store
                .db
                .execute_batch(&format!("DROP TRIGGER {table}_{rest}"))
                .unwrap();
        }
        assert!(store.db.execute(change, []).unwrap() > 0, "{change}");
        let verified = store.verify_plan(&plan);
        assert!(
            matches!(verified, Err(StoreError::Altered { .. })),
            "{change}: {verified:?}"
        );
        store
            .db
            .execute_batch("ROLLBACK TO tamper; RELEASE tamper")
            .unwrap();
    }
    store.verify_plan(&plan).unwrap();
    let mut other = plan.clone();
    other.header.destination = "other CRM".into();
    assert!(matches!(
        store.verify_plan(&other),
        Err(StoreError::Altered { .. })
    ));
}

#[test]
fn findings_are_kept_once_and_those_about_no_record_by_their_message() {
    let mut store = Store::open_in_memory().unwrap();
    let run = store.start_run("plan").unwrap();
    let finding = |code, record: Option<&str>, message: &str| Finding {
        code,
        object: "deal".into(),
        record: record.map(str::to_owned),
        field: None,
        message: message.into(),
    };
    let all = [
        finding(
            FindingCode::UnmappedStage,
            None,
            "stage \"A\" is not mapped",
        ),
        finding(
            FindingCode::UnmappedStage,
            None,
            "stage \"B\" is not mapped",
        ),
        finding(
            FindingCode::UnmappedStage,
            Some("4711"),
            "stage \"A\" is not mapped",
        ),
        finding(FindingCode::LossyValue, Some("4711"), "cut"),
    ];
    assert_eq!(store.add_findings(run, &all).unwrap(), 4);
    let mut later = all.clone();
    later[3].message = "cut in another way".into();
    assert_eq!(store.add_findings(run, &later).unwrap(), 0);
    let other = store.start_run("plan").unwrap();
    assert_eq!(store.add_findings(other, &all[..1]).unwrap(), 1);
    let counts = store.finding_counts(run).unwrap();
    let deal = ObjectName::from("deal");
    assert_eq!(
        counts,
        [
            (FindingCode::UnmappedStage, deal.clone(), 3),
            (FindingCode::LossyValue, deal, 1)
        ]
    );
    let (first, rest) = (
        store.load_findings(run, 0, 1).unwrap(),
        store.load_findings(run, 1, 10).unwrap(),
    );
    let loaded: Vec<_> = first
        .into_iter()
        .chain(rest)
        .map(|(_, finding)| finding)
        .collect();
    assert_eq!(loaded, all);
}

#[test]
fn runs_tell_their_phases() {
    let mut store = Store::open_in_memory().unwrap();
    let run = store.start_run("migrate").unwrap();
    store
        .note_phase(run, "extract", PhaseState::Started, "")
        .unwrap();
    store
        .note_phase(run, "extract", PhaseState::Finished, "{\"records\":7}")
        .unwrap();
    let later = store.start_run("audit").unwrap();
    assert!(
        store
            .note_phase(RunId(99), "plan", PhaseState::Started, "")
            .is_err()
    );
    let runs = store.runs().unwrap();
    assert_eq!(
        runs.iter().map(|run| run.id).collect::<Vec<_>>(),
        [later, run]
    );
    let states: Vec<_> = runs[1]
        .notes
        .iter()
        .map(|note| (note.state, note.detail.as_str()))
        .collect();
    assert_eq!(
        states,
        [
            (PhaseState::Started, ""),
            (PhaseState::Finished, "{\"records\":7}")
        ]
    );
}

#[test]
fn no_findings_are_no_commit() {
    let mut store = Store::open_in_memory().unwrap();
    let run = store.start_run("apply").unwrap();
    store.set_commit_hook(Box::new(|point| panic!("{point:?} makes nothing durable")));
    assert_eq!(store.add_findings(run, &[]).unwrap(), 0);
}

#[test]
fn every_commit_is_announced_before_and_after() {
    let mut store = Store::open_in_memory().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    store.set_commit_hook(Box::new(move |point| sink.lock().unwrap().push(point)));
    let extraction = store.begin_extraction(&connection()).unwrap();
    store
        .stage_page(
            &connection(),
            &person(),
            extraction,
            &page(&[("1", "\"Ann\"")], None),
        )
        .unwrap();
    let plan = seal(
        &mut store,
        &[create("person", "1")],
        &[link("1", "7", None)],
    );
    let (run, _) = approve(&mut store, &plan);
    store.write_intent(run, &plan.id, 1, 1).unwrap();
    store
        .write_outcomes(
            run,
            &plan.id,
            &connection(),
            &person(),
            &"contact".into(),
            &[created(1, "1", "d")],
        )
        .unwrap();
    store
        .write_link_outcomes(run, &plan.id, &[(1, LinkOutcome::MissingEnd, None)])
        .unwrap();
    let finding = Finding {
        code: FindingCode::Duplicate,
        object: person(),
        record: Some("1".to_owned()),
        field: None,
        message: "same e-mail".to_owned(),
    };
    store.add_findings(run, &[finding]).unwrap();
    let rollback = store.start_run("rollback").unwrap();
    store.begin_rollback(rollback, run, &plan.id).unwrap();
    store.write_undo_intent(rollback, 1, 1).unwrap();
    store
        .write_undo_outcomes(rollback, &"contact".into(), &[], &[])
        .unwrap();
    store
        .write_link_intent(run, LinkChange::Remove, 1, 1)
        .unwrap();
    store
        .write_removal_outcomes(run, &[(1, RemovalOutcome::Gone, None)])
        .unwrap();
    let seen = seen.lock().unwrap();
    for commit in Commit::ALL {
        let moments: Vec<_> = seen
            .iter()
            .filter(|point| point.commit == commit)
            .map(|point| point.moment)
            .collect();
        assert!(!moments.is_empty(), "{}", commit.name());
        assert!(
            moments
                .chunks(2)
                .all(|pair| pair == [Moment::Before, Moment::After]),
            "{}",
            commit.name()
        );
    }
}

fn is_folder_clean(folder: &Path) -> bool {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .into_iter()
        .all(|name| name == "state.db" || name == "lock")
}

#[test]
fn a_closed_state_is_two_files_that_only_their_owner_reads() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("state.db.new"), b"left by a crash").unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    store.start_run("migrate").unwrap();
    drop(store);
    assert!(is_folder_clean(folder.path()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder.path().join("state.db"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_kept_match_is_the_smallest_id_in_whatever_order(
        keys in prop::collection::vec(("[ab]", "[xyz]{1,2}", "[0-9é]{1,3}", any::<bool>()), 1..40),
        split in 0_usize..40,
        seed in any::<u64>(),
    ) {
        let contact = ObjectName::from("contact");
        let mut shuffled = keys.clone();
        shuffled.sort_by_key(|(rule, key, id, _)| {
            let bytes = rule.bytes().chain(key.bytes()).chain(id.bytes());
            bytes.fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(17))
        });
        let side_of = |is_source: bool| if is_source { Side::Source } else { Side::Destination };
        for order in [&keys, &shuffled] {
            let (mut store, mut few) = (Store::open_in_memory().unwrap(), Store::open_in_memory().unwrap());
            store.clear_match_keys().unwrap();
            let (first, second) = order.split_at(split.min(order.len()));
            for (part, is_source) in [(first, true), (first, false), (second, true), (second, false)] {
                let of_side = || part.iter().filter(|key| key.3 == is_source).map(|key| (key.0.as_str(), key.1.as_str(), key.2.as_str()));
                store.add_match_keys(side_of(is_source), &contact, &mut of_side()).unwrap();
                few.add_few_match_keys(side_of(is_source), &contact, &mut of_side()).unwrap();
            }
            store.settle_match_keys().unwrap();
            for (rule, key, ..) in &keys {
                let same: Vec<_> = keys.iter().filter(|other| other.0 == *rule && other.1 == *key).collect();
                for is_source in [true, false] {
                    let here = same.iter().filter(|other| other.3 == is_source).map(|other| other.2.as_str());
                    let smallest = here.min_by_key(|id| (id.len(), *id)).map(str::to_owned);
                    prop_assert_eq!(&few.find_match(side_of(is_source), &contact, rule, key).unwrap(), &smallest);
                    let shared = smallest.filter(|_| same.len() > 1);
                    prop_assert_eq!(store.find_match(side_of(is_source), &contact, rule, key).unwrap(), shared);
                }
            }
        }
    }

    #[test]
    fn the_hash_changes_with_any_byte_and_with_nothing_else(
        rows in prop::collection::vec("[ -~]{0,20}", 1..8),
        at in any::<prop::sample::Index>(),
        byte in any::<prop::sample::Index>(),
    ) {
        let plan_of = |rows: &[String], chunk: usize| {
            let mut store = Store::open_in_memory().unwrap();
            let mut writer = store.begin_plan().unwrap();
            let actions: Vec<_> = rows.iter().enumerate().map(|(id, row)| PlannedAction {
                object: person(),
                record: id.to_string().into(),
                action: Action::Create { row: row.clone(), reason: Reason::New },
            }).collect();
            for batch in actions.chunks(chunk) {
                writer.add_actions(&mut store, batch).unwrap();
            }
            writer.seal(&mut store, header()).unwrap().hash
        };
        let hash = plan_of(&rows, 1);
        prop_assert_eq!(&hash, &plan_of(&rows, 3));
        let mut changed = rows.clone();
        let row = &mut changed[at.index(rows.len())];
        if row.is_empty() {
            row.push('x');
        } else {
            let byte = byte.index(row.len());
            let other = if row.as_bytes()[byte] == b'x' { "y" } else { "x" };
            row.replace_range(byte..=byte, other);
        }
        prop_assert_ne!(&hash, &plan_of(&changed, 3));
    }
}
