use std::sync::Arc;

use model::row::RowLimits;
use model::{Batch, FieldInfo, FieldKind, FieldTable, ObjectInfo, RecordPage};
use serde_json::json;

use super::*;

fn connection() -> ConnectionId {
    "acme".into()
}

fn deal() -> ObjectName {
    "deal".into()
}

/// Reads that page as a whole account.
fn read(store: &mut Store, page: &str) {
    let object = Arc::new(ObjectInfo {
        name: deal(),
        fields: FieldTable::new(vec![FieldInfo::new("value", FieldKind::Money)]).unwrap(),
        ..ObjectInfo::default()
    });
    let limits = RowLimits::default();
    let (records, rejected) = Batch::decode(object, page.as_bytes().to_vec(), &limits).unwrap();
    let next = None;
    let page = RecordPage {
        records,
        rejected,
        next,
    };
    let extraction = store.begin_extraction(&connection()).unwrap();
    store
        .stage_page(&connection(), &deal(), extraction, &page)
        .unwrap();
    store
        .finish_object(&connection(), &deal(), extraction)
        .unwrap();
    store.finish_extraction(extraction).unwrap();
}

fn decide(store: &mut Store, id: &str, decision: Decision) {
    store
        .write_corrections(&connection(), &deal(), &[(id.into(), decision)], "ada")
        .unwrap();
}

fn in_force(store: &Store, until: i64) -> Vec<(String, Decision)> {
    let found = store
        .load_corrections(&connection(), &deal(), until, "", 10)
        .unwrap();
    found
        .into_iter()
        .map(|found| (found.record.to_string(), found.decision))
        .collect()
}

#[test]
fn of_each_record_the_newest_decision_holds_and_none_is_lost() {
    let mut store = Store::open_in_memory().unwrap();
    let set = |value: &str| Decision::Set([("value".to_owned(), json!(value))].into());
    let row = Decision::Row {
        row: "{}".to_owned(),
        of: "{".to_owned(),
    };
    decide(&mut store, "7", set("1"));
    decide(&mut store, "8", row.clone());
    let before = store.last_correction().unwrap();
    decide(&mut store, "7", set("2"));
    decide(&mut store, "8", Decision::Undo);
    decide(&mut store, "9", Decision::LeaveOut);
    assert_eq!(
        in_force(&store, i64::MAX),
        [
            ("7".to_owned(), set("2")),
            ("9".to_owned(), Decision::LeaveOut)
        ]
    );
    assert_eq!(
        in_force(&store, before),
        [("7".to_owned(), set("1")), ("8".to_owned(), row)]
    );
    let since = |number| {
        let found = store.load_corrected_since(&connection(), &deal(), number, "", 10);
        found
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        since(0),
        ["7", "8", "9"],
        "each once, also where it was taken back"
    );
    assert_eq!(since(before + 1), ["8", "9"]);
    let told = store
        .correction_history(&connection(), &deal(), &"7".into())
        .unwrap();
    let told: Vec<_> = told
        .iter()
        .map(|told| (&*told.made_by, &told.decision))
        .collect();
    assert_eq!(told, [("ada", &set("1")), ("ada", &set("2"))]);
    for change in [
        "UPDATE correction SET made_by = 'bob'",
        "DELETE FROM correction",
    ] {
        let refused = store.db.execute(change, []).unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
}

#[test]
fn a_broken_row_is_kept_as_it_came_and_says_whether_the_record_is_staged() {
    let mut store = Store::open_in_memory().unwrap();
    read(
        &mut store,
        "{\"id\":\"7\"}\n{\"id\":\"8\",\"fields\":{\"value\":3}}\n{\"id\":\"7\"}\nno row\n",
    );
    let told = |store: &Store| -> Vec<_> {
        let rows = store
            .load_quarantined(&connection(), &deal(), 0, 10)
            .unwrap();
        rows.into_iter()
            .map(|row| {
                (
                    row.record().to_string(),
                    row.text,
                    row.is_staged,
                    row.is_second,
                )
            })
            .collect()
    };
    let line =
        |name: &str, text: &str, staged, second| (name.to_owned(), text.to_owned(), staged, second);
    let eight = "{\"id\":\"8\",\"fields\":{\"value\":3}}";
    assert_eq!(
        told(&store),
        [
            line("8", eight, false, false),
            line("7", "{\"id\":\"7\"}", true, true),
            line("page 1 line 4", "no row", false, false),
        ]
    );
    // What was sound in one reading may be broken in the next.
    let broken = "{\"id\":\"7\",\"fields\":{\"value\":4}}";
    read(&mut store, broken);
    assert_eq!(told(&store), [line("7", broken, true, false)]);
    let (staged, row) = store
        .find_as_it_came(&connection(), &deal(), &"7".into())
        .unwrap();
    assert_eq!(staged.as_deref(), Some("{\"id\":\"7\"}"));
    assert_eq!(row.unwrap().text, broken);
    let nobody = store
        .find_as_it_came(&connection(), &deal(), &"1".into())
        .unwrap();
    assert_eq!(nobody, (None, None));
}

#[test]
fn what_is_laid_stands_for_what_is_staged_until_it_is_forgotten() {
    let mut store = Store::open_in_memory().unwrap();
    let bare = "{\"id\":\"1\"}\n{\"id\":\"2\"}\n{\"id\":\"3\"}\n";
    read(
        &mut store,
        &format!("{bare}{{\"id\":\"4\",\"fields\":{{\"value\":3}}}}\nno row\n"),
    );
    let broken = store
        .load_quarantined(&connection(), &deal(), 0, 10)
        .unwrap();
    let laid = |row: Option<&str>, adds| Laid {
        row: row.map(str::to_owned),
        adds,
        only_broken: false,
        why: "by ada".to_owned(),
    };
    let all = |store: &Store, at_once| {
        let (mut after, mut text) = (0, String::new());
        loop {
            let staged = store
                .load_staged(&connection(), &deal(), after, at_once, 1 << 20)
                .unwrap();
            if staged.len == 0 {
                return text;
            }
            after = staged.last;
            text += &String::from_utf8(staged.rows).unwrap();
        }
    };
    let (two, four, five) = (
        "{\"id\":\"2\",\"x\":1}",
        "{\"id\":\"4\",\"x\":2}",
        "{\"id\":\"5\"}",
    );
    let rows = [
        ("2".into(), laid(Some(two), None)),
        ("3".into(), laid(None, None)),
        ("4".into(), laid(Some(four), Some(broken[0].position))),
        (
            "page 1 line 5".into(),
            laid(Some(five), Some(broken[1].position)),
        ),
    ];
    store.lay(&connection(), &deal(), &rows).unwrap();
    let expected = format!("{{\"id\":\"1\"}}\n{two}\n{{\"id\":\"3\"}}\n{four}\n{five}\n");
    for at_once in [1, 2, 3, 100] {
        assert_eq!(all(&store, at_once), expected, "{at_once} at once");
    }
    let found = store
        .find_staged_rows(&connection(), &deal(), &["4", "2", "1", "9"])
        .unwrap();
    assert_eq!(
        String::from_utf8(found.rows).unwrap(),
        format!("{four}\n{two}\n{{\"id\":\"1\"}}\n")
    );
    let there = store
        .find_staged(&connection(), &deal(), &["4", "1", "9"])
        .unwrap();
    assert_eq!(there, [true, true, false]);
    let why = store
        .find_laid(&connection(), &deal(), &["3", "1"])
        .unwrap();
    assert_eq!(why, [Some(laid(None, None)), None]);
    store.lay_nothing().unwrap();
    assert_eq!(all(&store, 100), bare);
}
