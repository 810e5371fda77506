use proptest::prelude::*;

use super::*;
use crate::batch::BatchBuilder;
use crate::catalog::{AssociationInfo, FieldInfo, FieldTable};
use crate::row::RowWriter;
use crate::value::{Decimal, FieldKind, Value, ValueRef};

fn object() -> Arc<ObjectInfo> {
    let fields = FieldKind::ALL
        .into_iter()
        .map(|kind| FieldInfo::new(kind.name(), kind))
        .collect();
    let association = AssociationInfo {
        name: "organization".into(),
        to: "organization".into(),
        label: None,
    };
    Arc::new(ObjectInfo {
        name: "person".into(),
        fields: FieldTable::new(fields).unwrap(),
        associations: vec![association],
        ..ObjectInfo::default()
    })
}

fn decode(page: &str) -> (Batch, Vec<RejectedRow>) {
    Batch::decode(object(), page.as_bytes().to_vec(), &RowLimits::default()).unwrap()
}

#[track_caller]
fn check_refused(row: &str, reason: &str) {
    let good = r#"{"id":"before","fields":{"text":"kept"}}"#;
    let page = format!("{good}\n{row}\n{}\n", good.replace("before", "after"));
    let (batch, rejected) = decode(&page);
    let ids: Vec<_> = batch.iter().map(|record| record.id()).collect();
    assert_eq!(ids, ["before", "after"], "the neighbours are kept");
    assert!(
        batch
            .iter()
            .all(|record| record.fields().eq([(0, ValueRef::Text("kept"))]))
    );
    assert_eq!(rejected.len(), 1, "{row}");
    assert_eq!(rejected[0].line, 2);
    assert!(
        rejected[0].reason.contains(reason),
        "{:?} should say {reason:?}",
        rejected[0].reason
    );
}

#[test]
fn every_kind_is_read_and_checked() {
    let row = concat!(
        r#"{"id":"7","updated_at":"2026-02-01T08:00:00Z","fields":{"text":"Ada \"A\" \u00fc\ud83d\ude00","html":"<p>","email":"a@b","#,
        r#""phone":"+3","url":"x","integer":-9007199254740993,"decimal":"-0.10","money":"1200.50","boolean":true,"#,
        r#""date":"2026-03-31","instant":"2026-01-05T09:30:00Z","time":"14:30:00","option":"31","options":["1","2"],"#,
        r#""owner":"3","reference":null},"associations":[["organization","9"],["organization","10"]]}"#
    );
    let (batch, rejected) = decode(row);
    assert_eq!(rejected, []);
    let record = batch.record(0);
    let shown: Vec<_> = record
        .fields()
        .map(|(_, value)| value.to_string())
        .collect();
    let expected = [
        "Ada \"A\" ü😀",
        "<p>",
        "a@b",
        "+3",
        "x",
        "-9007199254740993",
        "-0.10",
        "1200.50",
        "true",
        "2026-03-31",
        "2026-01-05T09:30:00Z",
        "14:30:00",
        "31",
        "1; 2",
        "3",
        "",
    ];
    assert_eq!(shown, expected);
    assert_eq!(
        record.updated_at().unwrap().to_string(),
        "2026-02-01T08:00:00Z"
    );
    assert!(record.associations().eq([(0, "9"), (0, "10")]));
    assert_eq!(record.row_text(), Some(row));
}

#[test]
fn a_value_of_the_wrong_kind_sets_its_row_aside_and_keeps_the_neighbours() {
    check_refused(
        r#"{"id":"1","fields":{"text":"half","integer":"12"}}"#,
        "a text where integer is declared",
    );
    check_refused(r#"{"id":"1","fields":{"decimal":12.5}}"#, "12.5");
    check_refused(r#"{"id":"1","fields":{"decimal":"1e3"}}"#, "not a decimal");
    check_refused(
        r#"{"id":"1","fields":{"money":"99999999999999999999999999999999"}}"#,
        "28 digits",
    );
    check_refused(r#"{"id":"1","fields":{"money":"NaN"}}"#, "not a decimal");
    check_refused(
        r#"{"id":"1","fields":{"integer":18446744073709551615}}"#,
        "64 bits",
    );
    check_refused(r#"{"id":"1","fields":{"date":"2026-02-30"}}"#, "not a date");
    check_refused(
        r#"{"id":"1","fields":{"instant":"2026-02-03 10:00:00"}}"#,
        "RFC 3339",
    );
    check_refused(r#"{"id":"1","fields":{"time":"25:00:00"}}"#, "time of day");
    check_refused(
        r#"{"id":"1","fields":{"boolean":1}}"#,
        "a number where boolean is declared",
    );
    check_refused(
        r#"{"id":"1","fields":{"text":["a"]}}"#,
        "a list where text is declared",
    );
    check_refused(
        r#"{"id":"1","fields":{"text":{"a":1}}}"#,
        "a value of kind text",
    );
    check_refused(r#"{"id":"1","fields":{"options":["a\nb"]}}"#, "line feed");
}

#[test]
fn a_row_of_another_shape_is_set_aside_too() {
    check_refused(
        r#"{"id":"1","fields":{"salary":"1"}}"#,
        "\"salary\" is not declared",
    );
    check_refused(
        r#"{"id":"1","fields":{"text":"a","text":"b"}}"#,
        "comes twice",
    );
    check_refused(
        r#"{"id":"1","associations":[["boss","1"]]}"#,
        "\"boss\" is not declared",
    );
    check_refused(
        r#"{"id":"1","associations":[["organization"]]}"#,
        "[name, id]",
    );
    check_refused(
        r#"{"id":"1","associations":[["organization","1","2"]]}"#,
        "[name, id]",
    );
    check_refused(
        r#"{"id":"1","associations":[["organization",""]]}"#,
        "0 bytes",
    );
    check_refused(r#"{"fields":{}}"#, "no id");
    check_refused(r#"{"id":""}"#, "1 to 255");
    check_refused(r#"{"id":7}"#, "a string");
    check_refused(r#"{"id":"1","id":"2"}"#, "id comes twice");
    check_refused(r#"{"id":"1","secret":"2"}"#, "not of row grammar 1");
    check_refused(r#"{"id":"1"} {"id":"2"}"#, "trailing characters");
    check_refused(r#"{"id":"1","fields":{"text":"cut"#, "EOF");
    check_refused(r#"["id"]"#, "one JSON object");
    check_refused(
        r#"{"id":"before","fields":{"text":"again"}}"#,
        "id comes twice in one page",
    );
    check_refused(
        &format!(
            r#"{{"id":"1","fields":{{"text":"{}"}}}}"#,
            "x".repeat(1 << 20)
        ),
        "the most is 1048576",
    );
    check_refused(&"[".repeat(100_000), "one JSON object");
}

#[test]
fn a_page_over_its_limits_is_refused_whole() {
    let limits = RowLimits {
        page_max_bytes: 100,
        rows_max: 2,
        ..RowLimits::default()
    };
    let refuse = |page: &[u8]| {
        Batch::decode(object(), page.to_vec(), &limits)
            .map(|_| ())
            .unwrap_err()
    };
    assert_eq!(
        refuse(&[b'\n'; 101]),
        PageError::TooLarge {
            bytes: 101,
            max: 100
        }
    );
    assert_eq!(
        refuse(b"{\"id\":\"1\"}\nx\n{\"id\":\"2\"}\n"),
        PageError::TooManyRows(2)
    );
    assert_eq!(refuse(b"{\"id\":\"\xff\"}"), PageError::NotUtf8(7));
}

#[test]
fn a_replaced_text_is_written_and_the_others_stay() {
    let (mut batch, _) = decode(r#"{"id":"1","fields":{"text":"kept","owner":"3"}}"#);
    let owner = batch.object().fields.find("owner").unwrap();
    batch.replace_text(0, owner, Some("77"));
    let mut out = RowWriter::new();
    batch.record(0).write_row(&mut out);
    assert_eq!(
        out.as_str(),
        "{\"id\":\"1\",\"fields\":{\"text\":\"kept\",\"owner\":\"77\"}}\n"
    );
}

fn value_of(kind: FieldKind) -> BoxedStrategy<Value> {
    let second = -62_135_596_800_i64..253_402_300_799;
    let some = match kind {
        FieldKind::Integer => any::<i64>().prop_map(Value::Integer).boxed(),
        FieldKind::Decimal | FieldKind::Money => (any::<i64>(), 0..10_u32)
            .prop_map(|(digits, scale)| Value::Decimal(Decimal::new(digits, scale)))
            .boxed(),
        FieldKind::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        FieldKind::Instant => second
            .prop_map(|at| Value::Instant(Instant::from_unix_us(at * 1_000_000).unwrap()))
            .boxed(),
        FieldKind::Date => second
            .prop_map(|at| Value::Date(Instant::from_unix_us(at * 1_000_000).unwrap().date()))
            .boxed(),
        FieldKind::Time => (0..24, 0..60, 0..60)
            .prop_map(|(h, m, s)| Value::Time(format!("{h:02}:{m:02}:{s:02}").parse().unwrap()))
            .boxed(),
        FieldKind::Options => prop::collection::vec("[^\n]{0,8}", 0..4)
            .prop_map(Value::Options)
            .boxed(),
        _ => any::<String>().prop_map(Value::Text).boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 9 => some].boxed()
}

proptest! {
    /// What is written as rows is read back value for value.
    #[test]
    fn rows_round_trip(values in FieldKind::ALL.map(value_of), id in "[^\u{0}]{1,40}", links in prop::collection::vec(".{1,20}", 0..4)) {
        let mut builder = BatchBuilder::new(object());
        builder.begin(&id, None);
        for (field, value) in values.iter().enumerate() {
            builder.field(u16::try_from(field).unwrap(), value.as_ref());
        }
        for link in &links {
            builder.association(0, link);
        }
        let mut out = RowWriter::new();
        builder.finish().record(0).write_row(&mut out);
        let (batch, rejected) = decode(out.as_str());
        prop_assert_eq!(rejected, vec![]);
        let record = batch.record(0);
        prop_assert_eq!(record.id(), &id);
        let read: Vec<_> = record.fields().map(|(_, value)| value.to_owned()).collect();
        prop_assert_eq!(&read[..], &values[..]);
        prop_assert!(record.associations().map(|(_, id)| id).eq(links.iter().map(String::as_str)));
    }

    /// No bytes make the reader panic, and what it accepts it can write again.
    #[test]
    fn arbitrary_bytes_do_no_harm(page in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok((batch, _)) = Batch::decode(object(), page, &RowLimits::default()) {
            let mut out = RowWriter::new();
            batch.iter().for_each(|record| record.write_row(&mut out));
        }
    }

    /// The same for texts that look like rows.
    #[test]
    fn almost_rows_do_no_harm(page in r#"(\{"id":"[a-c]{0,3}"(,"fields":\{("text":("x|\\u00e4"?|null|[0-9]{1,3}|\[|\{))?,?\})?(,"deleted":(true|1))?\}?\n){0,6}"#) {
        let (batch, rejected) = decode(&page);
        let lines = page.split('\n').filter(|line| !line.is_empty()).count();
        prop_assert_eq!(batch.len() + rejected.len(), lines);
    }
}

/// Pieces that pages are broken with: whole rows, halves of rows, and what JSON and UTF-8 stumble over.
const PIECES: [&[u8]; 22] = [
    br#"{"id":"7","fields":{"text":"Ada","integer":-9007199254740993,"decimal":"-0.10","boolean":true}}"#,
    br#"{"id":"1","updated_at":"2026-02-01T08:00:00Z","deleted":true,"associations":[["organization","9"]]}"#,
    br#"{"id":"#,
    br#""fields":{"#,
    br#""associations":[["organization","#,
    br#""options":["1","2"]"#,
    br#""date":"2026-03-31""#,
    br#""text":"\ud83d\ude00""#,
    br#""text":"\ud83d"#,
    br#"\u0000"#,
    b"{",
    b"}",
    b"[[",
    b"]]",
    b"\"",
    b",",
    b":",
    b"\n",
    b"\r\n",
    b"1e400",
    b"null",
    b"\xff\xc0\xaf",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The bounded half of the fuzz target `rows`: whatever a page holds, it is read or refused, and what was read comes back the same.
    #[test]
    fn any_page_is_read_or_refused(parts in prop::collection::vec(prop_oneof![
        4 => prop::sample::select(PIECES.to_vec()).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ], 0..24)) {
        let limits = RowLimits { rows_max: 16, associations_max: 4, id_max_bytes: 8, ..RowLimits::default() };
        let Ok((batch, rejected)) = Batch::decode(object(), parts.concat(), &limits) else { return Ok(()) };
        prop_assert!(batch.len() + rejected.len() <= limits.rows_max);
        let mut out = RowWriter::new();
        for record in batch.iter() {
            prop_assert!(!record.id().is_empty() && record.id().len() <= limits.id_max_bytes);
            record.write_row(&mut out);
        }
        let (again, rejected) = Batch::decode(object(), out.into_bytes(), &RowLimits::default()).unwrap();
        prop_assert!(rejected.is_empty(), "{:?}", rejected);
        prop_assert_eq!(batch.len(), again.len());
        for (one, two) in batch.iter().zip(again.iter()) {
            prop_assert_eq!(one.id(), two.id());
            prop_assert!(one.fields().eq(two.fields()));
            prop_assert!(one.associations().eq(two.associations()));
        }
    }
}
