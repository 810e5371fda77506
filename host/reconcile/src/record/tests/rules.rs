//! The acceptance rules that a mapping file decides: filters, blanks, and custom fields of every kind.

use model::condition::{Condition, Test};
use model::mapping::{Blank, FieldRules, Write};
use model::transform::Step;

use super::*;

/// The setup with the contact's mapping changed.
fn setup(change: impl FnOnce(&mut model::mapping::ObjectMapping)) -> Setup {
    let mut setup = Setup::new();
    let contact = setup.mapping.objects.iter_mut();
    change(
        contact
            .filter(|entry| entry.source.as_str() == "contact")
            .last()
            .unwrap(),
    );
    setup
}

fn rules<'m>(setup: &'m mut model::mapping::ObjectMapping, source: &str) -> &'m mut FieldRules {
    let mut fields = setup.fields.iter_mut();
    &mut fields.find(|entry| entry.source == source).unwrap().rules
}

fn plan_in(setup: &Setup, fields: &str, known: &Known<'_>) -> Action {
    let planner = setup.planner("contact", true);
    let row = format!("{{\"id\":\"7\",\"fields\":{fields}}}");
    let batch = read(planner.source(), &row);
    planner.plan_record(
        batch.record(0),
        known,
        &World,
        &mut PlannerOutput::default(),
    )
}

fn with_email_only(entry: &mut model::mapping::ObjectMapping) {
    entry.filter = Some(Condition::Field {
        field: "email".into(),
        test: Test::Known,
    });
}

fn excluded(condition: &str) -> Action {
    Action::Exclude {
        reason: Reason::Filtered {
            condition: condition.into(),
        },
    }
}

#[test]
fn rule_14_a_contact_without_e_mail_is_excluded_with_that_reason_where_the_filter_is_on() {
    let (on, off) = (setup(with_email_only), setup(|_| ()));
    let (with, without) = (
        r#"{"firstname":"Ann","email":"a@x.de"}"#,
        r#"{"firstname":"Ann"}"#,
    );
    let new = Known::default();
    let action = plan_in(&on, without, &new);
    assert_eq!(action, excluded("email is known"));
    assert_eq!(
        action.reason().to_string(),
        "the filter wants: email is known"
    );
    assert!(matches!(plan_in(&on, with, &new), Action::Create { .. }));
    assert!(matches!(
        plan_in(&off, without, &new),
        Action::Create { .. }
    ));
}

#[test]
fn rule_15_a_bound_record_that_leaves_the_filter_is_excluded_and_its_pair_is_untouched() {
    let on = setup(with_email_only);
    let (id, planner) = (DestinationRecordId::new("70"), on.planner("contact", true));
    let current = read(
        on.planned.find_object("contact").unwrap(),
        r#"{"id":"70","fields":{"firstname":"Ann","email":"a@x.de"}}"#,
    );
    let known = Known {
        bound: Some(&id),
        current: Some(current.record(0)),
        ..Known::default()
    };
    // An exclusion names no record of the destination and has no row, so nothing can be written.
    assert_eq!(
        plan_in(&on, r#"{"firstname":"Anna","email":""}"#, &known),
        excluded("email is known")
    );
    let back = plan_in(&on, r#"{"firstname":"Anna","email":"a@x.de"}"#, &known);
    assert!(matches!(back, Action::Update { destination, .. } if destination == id));
    assert!(
        planner
            .find_unmet(read(planner.source(), r#"{"id":"7"}"#).record(0))
            .is_some()
    );
}

/// What is written of a bound contact: the row and the one before, where anything is.
fn update(setup: &Setup, source: &str, current: &str) -> Option<(String, String)> {
    let id = DestinationRecordId::new("70");
    let current = read(
        setup.planned.find_object("contact").unwrap(),
        &format!("{{\"id\":\"70\",\"fields\":{current}}}"),
    );
    let known = Known {
        bound: Some(&id),
        current: Some(current.record(0)),
        ..Known::default()
    };
    match plan_in(setup, source, &known) {
        Action::Update { row, before, .. } => Some((row, before)),
        Action::Keep { .. } => None,
        action => panic!("{action:?}"),
    }
}

fn rows(row: &str, before: &str) -> Option<(String, String)> {
    Some((
        format!("{{\"id\":\"7\",\"fields\":{row}}}"),
        format!("{{\"id\":\"70\",\"fields\":{before}}}"),
    ))
}

#[test]
fn rule_07_a_blank_overwrites_nothing_unless_the_field_says_clear() {
    let (keep, clear) = (
        setup(|_| ()),
        setup(|entry| rules(entry, "city").blank = Blank::Clear),
    );
    let there = r#"{"firstname":"Ann","city":"Bonn"}"#;
    for blank in [r#"{"city":""}"#, r#"{"city":null}"#] {
        assert_eq!(update(&keep, blank, there), None);
        assert_eq!(
            update(&clear, blank, there),
            rows(r#"{"city":null}"#, r#"{"city":"Bonn"}"#)
        );
    }
    // What the record does not speak of is unknown, not blank, and what is blank already stays.
    assert_eq!(update(&clear, r#"{"firstname":"Ann"}"#, there), None);
    assert_eq!(
        update(&clear, r#"{"city":""}"#, r#"{"firstname":"Ann"}"#),
        None
    );
    let created = plan_in(
        &clear,
        r#"{"firstname":"Ann","city":""}"#,
        &Known::default(),
    );
    assert!(
        matches!(created, Action::Create { row, .. } if row == r#"{"id":"7","fields":{"firstname":"Ann"}}"#)
    );
}

#[test]
fn a_field_fills_what_is_empty_or_never_overwrites_where_it_says_so() {
    let fill = setup(|entry| rules(entry, "city").write = Write::FillIfEmpty);
    let never = setup(|entry| rules(entry, "city").write = Write::NeverOverwrite);
    let source = r#"{"city":"Bonn"}"#;
    assert_eq!(update(&fill, source, r#"{"city":"Köln"}"#), None);
    assert_eq!(
        update(&fill, source, "{}"),
        rows(source, r#"{"city":null}"#)
    );
    assert_eq!(update(&never, source, r#"{"city":"Köln"}"#), None);
    assert_eq!(update(&never, source, "{}"), None);
    for setup in [fill, never] {
        let created = plan_in(&setup, source, &Known::default());
        assert!(matches!(created, Action::Create { row, .. } if row.contains("Bonn")));
    }
}

#[test]
fn a_transformed_value_is_written_once_and_then_kept() {
    let upper = setup(|entry| rules(entry, "firstname").transform = vec![Step::Trim, Step::Upper]);
    let source = r#"{"firstname":" Ann "}"#;
    let created = plan_in(&upper, source, &Known::default());
    assert!(
        matches!(created, Action::Create { row, .. } if row == r#"{"id":"7","fields":{"firstname":"ANN"}}"#)
    );
    assert_eq!(update(&upper, source, r#"{"firstname":"ANN"}"#), None);
    assert_eq!(
        update(&upper, source, r#"{"firstname":"Ann"}"#),
        rows(r#"{"firstname":"ANN"}"#, r#"{"firstname":"Ann"}"#)
    );
    // A constant is there for every record, also one whose field is blank.
    let constant =
        setup(|entry| rules(entry, "city").transform = vec![Step::Constant("Ulm".into())]);
    let created = plan_in(&constant, r#"{"firstname":"Ann"}"#, &Known::default());
    assert!(matches!(created, Action::Create { row, .. } if row.contains(r#""city":"Ulm""#)));
}

#[test]
fn a_transform_that_cannot_read_a_value_leaves_it_out_and_tells() {
    let number = Step::Number {
        decimal: ',',
        group: None,
    };
    let setup = setup(|entry| rules(entry, "budget").transform = vec![number]);
    let planner = setup.planner("contact", true);
    let mut output = PlannerOutput::default();
    let batch = read(planner.source(), r#"{"id":"7","fields":{"budget":"1.5"}}"#);
    planner.plan_record(batch.record(0), &Known::default(), &World, &mut output);
    assert_eq!(
        output.findings.len(),
        0,
        "a decimal goes in as 1.5, which reads as a number"
    );
    let city = |entry: &mut model::mapping::ObjectMapping| {
        rules(entry, "city").transform = vec![Step::Round(0)];
    };
    let planner_of_city = self::setup(city).planner("contact", true);
    let batch = read(
        planner_of_city.source(),
        r#"{"id":"7","fields":{"city":"Bonn"}}"#,
    );
    planner_of_city.plan_record(batch.record(0), &Known::default(), &World, &mut output);
    let told: Vec<_> = output
        .findings
        .iter()
        .map(|finding| (finding.code, finding.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [(
            FindingCode::LossyValue,
            "\"Bonn\" left blank: the transform wants a number"
        )]
    );
}

#[test]
fn rule_23_custom_fields_of_every_kind_arrive_value_for_value() {
    let sample = |kind: FieldKind| match kind {
        FieldKind::Text | FieldKind::Html => r#""a <b>""#,
        FieldKind::Email => r#""a@x.de""#,
        FieldKind::Phone => r#""+49 1""#,
        FieldKind::Url => r#""https://x.de/?q=1""#,
        FieldKind::Integer => "9007199254740993",
        FieldKind::Decimal | FieldKind::Money => r#""12345678901234567890.12""#,
        FieldKind::Boolean => "true",
        FieldKind::Date => r#""2024-02-29""#,
        FieldKind::Instant => r#""2026-01-05T09:30:00.123456Z""#,
        FieldKind::Time => r#""23:59:59""#,
        FieldKind::Option => r#""a""#,
        FieldKind::Options => r#"["b","a"]"#,
        FieldKind::Owner => r#""2""#,
        FieldKind::Reference => r#""88""#,
    };
    let option = |value: &str| FieldOption {
        value: value.into(),
        label: value.to_uppercase(),
    };
    let fields = FieldKind::ALL.into_iter().map(|kind| FieldInfo {
        custom: true,
        label: format!("My {kind}"),
        options: vec![option("a"), option("b")],
        ..FieldInfo::new(format!("c_{kind}"), kind)
    });
    let contact = object("contact", StandardObject::Contact, fields.collect());
    let (mut source, destination) = (
        side(true, FieldKind::Reference),
        side(false, FieldKind::Reference),
    );
    for other in source
        .objects
        .iter_mut()
        .filter(|other| other.name.as_str() == "contact")
    {
        *other = Arc::new(contact.clone());
    }
    let (mapping, _) = default_mapping(&source, &destination);
    let planned = planned_catalog(&destination, &mapping);
    let setup = Setup {
        source,
        destination,
        planned,
        mapping,
    };
    let cells = FieldKind::ALL.map(|kind| format!("\"c_{kind}\":{}", sample(kind)));
    let entry = setup.mapping.find_object(&"contact".into()).unwrap();
    assert_eq!(entry.unmapped, []);
    let expected = FieldKind::ALL.map(|kind| {
        let name = format!("c_{kind}");
        let field = entry
            .fields
            .iter()
            .find(|field| field.source == name)
            .unwrap();
        format!("\"{}\":{}", field.destination, sample(kind))
    });
    let Action::Create { row, .. } = plan_in(
        &setup,
        &format!("{{{}}}", cells.join(",")),
        &Known::default(),
    ) else {
        panic!("created");
    };
    for expected in expected {
        assert!(row.contains(&expected), "{expected} in {row}");
    }
}
