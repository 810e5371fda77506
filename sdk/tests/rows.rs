//! Holds the rows that a page writes against the row grammar.

use longshore_sdk::{
    Cursor, Date, Decimal, FieldKind, Instant, Page, RawValue, Record, Time, Value,
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn rows(page: &Page) -> Vec<Json> {
    let text = std::str::from_utf8(page.bytes()).expect("rows are text");
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a row is JSON"))
        .collect()
}

#[test]
fn a_row_holds_every_kind_in_the_form_of_the_grammar() {
    let mut page = Page::new(500);
    let mut row = page.begin(7_u64);
    row.updated_at("2026-02-01 08:00:00")
        .text("name", "Ada \"Byron\"\n\u{1}漢")
        .text_opt("nick", None::<&str>)
        .null("gone")
        .integer("employees", -12_i64)
        .decimal("share", Decimal::parse("1.5e-2").unwrap())
        .money("value", Some("1e3"))
        .boolean("active", true)
        .date("born", Date::new(1815, 12, 10).unwrap())
        .date("since", "2026-03-31T00:00:00Z")
        .instant("met", Instant::parse("2026-01-05T09:30:00.213Z").unwrap())
        .instant("called", Some("2026-01-05 09:30:00"))
        .time("at", Time::new(14, 30, 0).unwrap())
        .time("until", "15:00")
        .option("status", 31)
        .options("labels", [5, 6])
        .options("tags", Vec::<&str>::new())
        .owner("owner_id", 3_u32)
        .reference("stage", "4")
        .association("organization", 9_u64)
        .association("participant", "p\"8");
    row.finish();
    assert_eq!(
        rows(&page),
        [json!({
            "id": "7",
            "updated_at": "2026-02-01T08:00:00Z",
            "fields": {
                "name": "Ada \"Byron\"\n\u{1}漢",
                "nick": null,
                "gone": null,
                "employees": -12,
                "share": "0.015",
                "value": "1000",
                "active": true,
                "born": "1815-12-10",
                "since": "2026-03-31",
                "met": "2026-01-05T09:30:00.213Z",
                "called": "2026-01-05T09:30:00Z",
                "at": "14:30:00",
                "until": "15:00:00",
                "status": "31",
                "labels": ["5", "6"],
                "tags": [],
                "owner_id": "3",
                "stage": "4",
            },
            "associations": [["organization", "9"], ["participant", "p\"8"]],
        })]
    );
}

#[test]
fn the_parts_of_a_row_may_come_in_any_order() {
    let mut page = Page::new(2);
    let mut row = page.begin(format_args!("mail-{}", 5));
    row.association("deal", 1)
        .text("a", "x")
        .deleted()
        .association("person", 2)
        .updated_at("2026-01-01T00:00:00Z");
    row.text("b", "y");
    row.finish();
    page.begin("bare").finish();
    let expected = [
        json!({
            "id": "mail-5", "updated_at": "2026-01-01T00:00:00Z", "deleted": true, "fields": {"a": "x", "b": "y"},
            "associations": [["deal", "1"], ["person", "2"]],
        }),
        json!({"id": "bare"}),
    ];
    assert_eq!(rows(&page), expected);
    assert!(page.is_full() && page.len() == 2 && page.remaining() == 0);
}

#[test]
fn a_row_that_is_not_finished_leaves_nothing_behind() {
    let mut page = Page::new(10);
    page.begin(1).finish();
    let mut row = page.begin(2);
    row.text("name", "half").association("deal", 1);
    drop(row);
    page.begin(3).finish();
    assert_eq!(rows(&page), [json!({"id": "1"}), json!({"id": "3"})]);
    page.clear();
    assert!(page.is_empty() && page.bytes().is_empty());
}

#[test]
fn a_text_that_does_not_fit_is_handed_on_for_the_host_to_refuse() {
    let mut page = Page::new(1);
    let mut row = page.begin(1);
    row.date("born", "0000-00-00")
        .instant("met", "soon")
        .money("value", "n/a")
        .time("at", "noon");
    row.finish();
    assert_eq!(
        rows(&page)[0]["fields"],
        json!({"born": "0000-00-00", "met": "soon", "value": "n/a", "at": "noon"})
    );
}

#[track_caller]
fn check_raw(kind: FieldKind, raw: &str, expected: Json) {
    let mut page = Page::new(1);
    let mut row = page.begin(1);
    row.value(
        "f",
        kind,
        &RawValue::from_string(raw.to_owned()).expect("well-formed JSON"),
    );
    row.finish();
    assert_eq!(rows(&page)[0]["fields"]["f"], expected, "{kind:?} {raw}");
}

#[test]
fn a_vendors_json_takes_the_form_of_the_kind() {
    check_raw(FieldKind::Text, r#""a\u00e9\"b""#, json!("aé\"b"));
    check_raw(FieldKind::Text, "12.50", json!("12.50"));
    check_raw(
        FieldKind::Text,
        r#"{"a": [1, "x"]}"#,
        json!(r#"{"a": [1, "x"]}"#),
    );
    check_raw(FieldKind::Text, "null", Json::Null);
    check_raw(FieldKind::Integer, "12", json!(12));
    check_raw(FieldKind::Integer, "12.0", json!(12));
    check_raw(FieldKind::Integer, "\"12\"", json!(12));
    check_raw(FieldKind::Integer, "12.5", json!("12.5"));
    check_raw(FieldKind::Money, "99", json!("99"));
    check_raw(FieldKind::Money, "1.5e3", json!("1500"));
    check_raw(FieldKind::Decimal, "\"0.10\"", json!("0.10"));
    check_raw(FieldKind::Boolean, "true", json!(true));
    check_raw(FieldKind::Boolean, "\"0\"", json!(false));
    check_raw(FieldKind::Boolean, "\"maybe\"", json!("maybe"));
    check_raw(FieldKind::Date, "\"2026-01-31\"", json!("2026-01-31"));
    check_raw(
        FieldKind::Instant,
        "\"2026-01-31 10:00:00\"",
        json!("2026-01-31T10:00:00Z"),
    );
    check_raw(FieldKind::Time, "\"10:00\"", json!("10:00:00"));
    check_raw(FieldKind::Option, "31", json!("31"));
    check_raw(FieldKind::Owner, "3", json!("3"));
    check_raw(FieldKind::Options, "[1, \"b\" ,3]", json!(["1", "b", "3"]));
    check_raw(FieldKind::Options, "\"1, 2\"", json!(["1", "2"]));
    check_raw(FieldKind::Options, "\"\"", json!([]));
    check_raw(FieldKind::Options, "4", json!(["4"]));
    check_raw(FieldKind::Options, "null", Json::Null);
}

#[test]
fn an_owned_record_gives_the_same_row_as_one_written_at_once() {
    let instant = Instant::parse("2026-01-05T09:30:00Z").unwrap();
    let record = Record::new(7)
        .updated_at(instant)
        .field("name", Value::Text("Ada".to_owned()))
        .field(
            "value",
            Value::Decimal(Decimal::parse("10.50").unwrap().into_owned()),
        )
        .field("labels", Value::Options(vec!["a".to_owned()]))
        .field("none", Value::Null)
        .association("organization", 9);
    let mut pushed = Page::new(1);
    pushed.push(&record);
    let mut written = Page::new(1);
    let mut row = written.begin(7);
    row.updated_at(instant)
        .text("name", "Ada")
        .money("value", "10.50")
        .options("labels", ["a"])
        .null("none");
    row.association("organization", 9);
    row.finish();
    assert_eq!(pushed.bytes(), written.bytes());
}

#[test]
fn debug_of_a_cursor_is_readable() {
    assert_eq!(format!("{:?}", Cursor::encode(&5).unwrap()), "Cursor(5)");
}

proptest! {
    #[test]
    fn any_texts_come_back(id in ".{1,20}", texts in proptest::collection::vec((".{0,30}", ".{0,80}"), 0..6)) {
        let mut page = Page::new(1);
        let mut row = page.begin(&id);
        let mut expected = serde_json::Map::new();
        for (index, (name, text)) in texts.iter().enumerate() {
            let name = format!("{index}{name}");
            row.text(&name, text);
            expected.insert(name, json!(text));
        }
        row.finish();
        let rows = rows(&page);
        prop_assert_eq!(&rows[0]["id"], &json!(id));
        if !expected.is_empty() {
            prop_assert_eq!(&rows[0]["fields"], &Json::Object(expected));
        }
        prop_assert_eq!(page.bytes().iter().filter(|byte| **byte == b'\n').count(), 1);
    }
}
