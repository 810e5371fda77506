//! Opening: what is ours is kept, what is not is left untouched.

use std::path::Path;

use localcrm::{LocalCrm, OpenError};
use model::destination::Write;
use model::{Destination, DestinationError, FieldInfo, FieldKind};

use crate::support::{House, now, text};

#[test]
fn reopening_keeps_everything() {
    let house = House::new();
    house.property("contact", FieldInfo::new("nickname", FieldKind::Text));
    let id = house.create("contact", "1", &[("nickname", text("Ada"))]);
    let deal = house.deal("d", 1, "1.10", "EUR");
    let (catalog, account) = (
        now(house.crm.fetch_catalog()).unwrap(),
        now(Destination::check(&house.crm)).unwrap(),
    );
    let house = house.reopen();
    assert_eq!(now(house.crm.fetch_catalog()).unwrap(), catalog);
    assert_eq!(now(Destination::check(&house.crm)).unwrap(), account);
    assert_eq!(house.value("contact", &id, "nickname"), text("Ada"));
    assert_eq!(
        house.value("deal", &deal, "amount").as_ref().to_string(),
        "1.10"
    );
    assert_eq!(
        house.create("contact", "1", &[]),
        id,
        "the source key is kept too"
    );
}

#[test]
fn a_closed_crm_is_one_file_and_its_lock() {
    let house = House::new();
    house.create("contact", "1", &[]);
    let House { dir, crm } = house;
    drop(crm);
    let mut names: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["crm.sqlite", "crm.sqlite.lock"]);
}

#[test]
fn a_second_writer_is_told_and_a_reader_is_welcome() {
    let house = House::new();
    house.create("contact", "1", &[]);
    let path = house.dir.path().join("crm.sqlite");
    let error = LocalCrm::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    assert!(
        error
            .to_string()
            .ends_with("is in use by another longshore process"),
        "{error}"
    );
    let count: i64 = house
        .sql()
        .query_row("SELECT count(*) FROM contacts", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 1);
}

#[track_caller]
fn untouched(path: &Path, expected: impl Fn(&OpenError) -> bool) {
    let before = std::fs::read(path).unwrap();
    let error = LocalCrm::open(path).unwrap_err();
    assert!(expected(&error), "{error:?}");
    assert_eq!(std::fs::read(path).unwrap(), before);
}

#[test]
fn what_is_not_a_local_crm_is_left_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letter.txt");
    std::fs::write(&path, "Dear Ada,\n").unwrap();
    untouched(
        &path,
        |error| matches!(error, OpenError::Foreign { reason, .. } if reason == "it is not an SQLite file"),
    );
    let path = dir.path().join("photos.sqlite");
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE photos (id); INSERT INTO photos VALUES (1)",
        )
        .unwrap();
    untouched(&path, |error| matches!(error, OpenError::Foreign { .. }));
    drop(other);
    untouched(&path, |error| matches!(error, OpenError::Foreign { .. }));
}

#[test]
fn a_newer_file_is_left_untouched() {
    let house = House::new();
    house.sql().pragma_update(None, "user_version", 99).unwrap();
    let House { dir, crm } = house;
    drop(crm);
    untouched(&dir.path().join("crm.sqlite"), |error| {
        matches!(
            error,
            OpenError::Newer {
                found: 99,
                known: 1,
                ..
            }
        )
    });
}

#[test]
fn a_damaged_file_is_told_as_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("crm.sqlite");
    drop(LocalCrm::open(&path).unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..4096].fill(0xA5);
    std::fs::write(&path, &bytes).unwrap();
    untouched(
        &path,
        |error| matches!(error, OpenError::Unusable { reason, .. } if reason.contains("damaged")),
    );
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let error = LocalCrm::open(&dir.path().join("nowhere/crm.sqlite")).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
    assert!(matches!(
        LocalCrm::open(dir.path()).unwrap_err(),
        OpenError::Io { .. }
    ));
}

#[test]
fn an_empty_file_becomes_a_crm() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("crm.sqlite");
    std::fs::write(&path, "").unwrap();
    let crm = LocalCrm::open(&path).unwrap();
    assert_eq!(now(crm.fetch_catalog()).unwrap().objects.len(), 15);
}

#[test]
fn a_batch_that_cannot_be_kept_is_told_and_nothing_of_it_is_there() {
    let house = House::new();
    house
        .sql()
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON contacts BEGIN SELECT RAISE(FAIL, 'no'); END",
        )
        .unwrap();
    let mut builder = model::BatchBuilder::new(house.object("contact"));
    builder.begin("1", None);
    let batch = model::destination::WriteBatch {
        connection: "acme".into(),
        source_object: "person".into(),
        records: builder.finish(),
        writes: vec![Write::Create],
        ties: Vec::new(),
    };
    assert!(matches!(
        now(house.crm.write_records(&batch)),
        Err(DestinationError::Unusable(_))
    ));
    house.sql().execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(house.object("contact").count, Some(0));
    house.create("contact", "1", &[]);
}
