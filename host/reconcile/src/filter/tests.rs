//! Filters, test by test, and what is refused.

use std::sync::Arc;

use model::catalog::{FieldOption, FieldTable};
use model::row::RowLimits;
use model::{Batch, FieldInfo};

use super::*;

fn object() -> Arc<ObjectInfo> {
    use FieldKind::{Boolean, Date, Email, Instant, Integer, Money, Option, Options, Text, Time};
    let option = |value: &str, label: &str| FieldOption {
        value: value.into(),
        label: label.into(),
    };
    let options = vec![option("1", "Hot"), option("2", "Cold")];
    let with = |name: &str, kind| FieldInfo {
        options: options.clone(),
        ..FieldInfo::new(name, kind)
    };
    let fields = vec![
        FieldInfo::new("email", Email),
        FieldInfo::new("city", Text),
        FieldInfo::new("kids", Integer),
        FieldInfo::new("value", Money),
        FieldInfo::new("vip", Boolean),
        FieldInfo::new("born", Date),
        FieldInfo::new("seen", Instant),
        FieldInfo::new("at", Time),
        with("tier", Option),
        with("tags", Options),
    ];
    Arc::new(ObjectInfo {
        name: "person".into(),
        fields: FieldTable::new(fields).unwrap(),
        ..ObjectInfo::default()
    })
}

fn is(field: &str, test: Test) -> Condition {
    Condition::Field {
        field: field.into(),
        test,
    }
}

/// Whether a record with these fields meets the condition.
#[track_caller]
fn check(field: &str, test: Test, fields: &str, expected: bool) {
    let object = object();
    let filter = Filter::new(&is(field, test.clone()), &object).unwrap();
    let row = format!("{{\"id\":\"7\",\"fields\":{fields}}}");
    let (batch, rejected) = Batch::decode(object, row.into_bytes(), &RowLimits::default()).unwrap();
    assert_eq!(rejected, []);
    let unmet = filter.find_unmet(batch.record(0));
    assert_eq!(unmet.is_none(), expected, "{field} {test:?} {fields}");
}

#[test]
fn known_and_unknown_ask_for_a_value_and_a_blank_is_none() {
    check("email", Test::Known, r#"{"email":"a@x.de"}"#, true);
    for blank in ["{}", r#"{"email":null}"#, r#"{"email":""}"#] {
        check("email", Test::Known, blank, false);
        check("email", Test::Unknown, blank, true);
        check("email", Test::Is("a@x.de".into()), blank, false);
        check("email", Test::IsNot("a@x.de".into()), blank, true);
        check("email", Test::Contains("a".into()), blank, false);
    }
}

#[test]
fn values_are_equal_by_their_kind() {
    let is = |value: &str| Test::Is(value.into());
    check("city", is("berlin"), r#"{"city":" Berlin"}"#, true);
    check("city", is("berlin"), r#"{"city":"Berlin Mitte"}"#, false);
    check("value", is("10.5"), r#"{"value":"10.50"}"#, true);
    check("kids", is("2.0"), r#"{"kids":2}"#, true);
    check("vip", is("true"), r#"{"vip":false}"#, false);
    check("born", is("1990-01-05"), r#"{"born":"1990-01-05"}"#, true);
    check(
        "seen",
        is("2026-01-05"),
        r#"{"seen":"2026-01-05T23:00:00Z"}"#,
        true,
    );
    check("tier", is("Hot"), r#"{"tier":"1"}"#, true);
    check("tier", is("2"), r#"{"tier":"1"}"#, false);
    check(
        "tier",
        Test::In(vec!["Cold".into(), "hot".into()]),
        r#"{"tier":"1"}"#,
        true,
    );
    check(
        "city",
        Test::IsNot("berlin".into()),
        r#"{"city":"Bonn"}"#,
        true,
    );
    check(
        "city",
        Test::IsNot("berlin".into()),
        r#"{"city":"BERLIN"}"#,
        false,
    );
}

#[test]
fn texts_contain_parts_and_lists_contain_options() {
    check(
        "city",
        Test::Contains("LIN".into()),
        r#"{"city":"Berlin"}"#,
        true,
    );
    check(
        "tags",
        Test::Contains("Hot".into()),
        r#"{"tags":["2","1"]}"#,
        true,
    );
    check(
        "tags",
        Test::Contains("Hot".into()),
        r#"{"tags":["2"]}"#,
        false,
    );
}

#[test]
fn numbers_and_moments_have_an_order() {
    check(
        "value",
        Test::Greater("1000".into()),
        r#"{"value":"1000.01"}"#,
        true,
    );
    check(
        "value",
        Test::Greater("1000".into()),
        r#"{"value":"1000.00"}"#,
        false,
    );
    check("kids", Test::Less("2".into()), r#"{"kids":1}"#, true);
    check(
        "born",
        Test::Before("1990-01-05".into()),
        r#"{"born":"1990-01-04"}"#,
        true,
    );
    check(
        "born",
        Test::Before("1990-01-05".into()),
        r#"{"born":"1990-01-05"}"#,
        false,
    );
    // An instant within the day is neither before nor after it.
    let noon = r#"{"seen":"2026-01-05T12:00:00Z"}"#;
    check("seen", Test::After("2026-01-05".into()), noon, false);
    check("seen", Test::Before("2026-01-05".into()), noon, false);
    check("seen", Test::After("2026-01-04".into()), noon, true);
    check(
        "seen",
        Test::After("2026-01-05T11:59:59Z".into()),
        noon,
        true,
    );
}

#[test]
fn the_first_condition_that_does_not_hold_is_named() {
    let object = object();
    let any = Condition::Any(vec![
        is("city", Test::Is("Berlin".into())),
        is("kids", Test::Greater("2".into())),
    ]);
    let all = Condition::All(vec![is("email", Test::Known), any]);
    let filter = Filter::new(&all, &object).unwrap();
    let unmet = |fields: &str| {
        let row = format!("{{\"id\":\"7\",\"fields\":{fields}}}");
        let batch = Batch::decode(object.clone(), row.into_bytes(), &RowLimits::default());
        filter
            .find_unmet(batch.unwrap().0.record(0))
            .map(str::to_owned)
    };
    assert_eq!(
        unmet(r#"{"city":"Bonn"}"#).as_deref(),
        Some("email is known")
    );
    assert_eq!(
        unmet(r#"{"email":"a@x.de","city":"Bonn"}"#).as_deref(),
        Some("city is \"Berlin\" or kids is greater than 2")
    );
    assert_eq!(unmet(r#"{"email":"a@x.de","kids":3}"#), None);
}

#[test]
fn everything_that_the_catalog_does_not_bear_out_is_told_at_once() {
    let wrong = Condition::All(vec![
        is("nonesuch", Test::Known),
        is("city", Test::Greater("1".into())),
        is("value", Test::Is("much".into())),
        Condition::Any(vec![
            is("tier", Test::Is("Warm".into())),
            is("tags", Test::Is("Hot".into())),
            is("born", Test::Before("soon".into())),
        ]),
    ]);
    let errors = Filter::new(&wrong, &object()).unwrap_err();
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let parts = [
        "\"nonesuch\" does not exist",
        "\"city\": it is text, and only a number can be asked this",
        "\"much\" is no number",
        "it has no option \"Warm\"",
        "use `contains`",
        "\"soon\" is neither a date nor an instant",
    ];
    assert_eq!(told.len(), parts.len(), "{told:#?}");
    for (told, part) in told.iter().zip(parts) {
        assert!(told.contains(part), "{told} has {part}");
    }
}
