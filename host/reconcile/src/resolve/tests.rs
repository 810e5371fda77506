//! The rules of conflicts by their numbers, and the laws that hold for any two sides.

use proptest::prelude::*;

use super::*;

const MINUTE_US: i64 = 60 * 1_000_000;

fn held<'v>(base: Option<&'v str>, now: &'v str, minute: Option<i64>) -> Held<'v> {
    Held {
        value: text(now),
        base: base.map(text),
        edited_at: minute.and_then(|minute| Instant::from_unix_us(minute * MINUTE_US)),
    }
}

fn text(value: &str) -> ValueRef<'_> {
    if value.is_empty() {
        ValueRef::Null
    } else {
        ValueRef::Text(value)
    }
}

/// What both sides hold afterwards, and how many conflicts there were.
#[track_caller]
fn check(
    (source, destination): (Held<'_>, Held<'_>),
    rules: &FieldRules,
    rule: ConflictRule,
    expected: (&str, &str, usize),
) {
    let field = Field {
        property: "city",
        kind: FieldKind::Text,
        source,
        destination,
        rules,
    };
    let resolved = resolve_record(&"person".into(), &"1".into(), [field], rule);
    let after = |held: Held<'_>, written: &[(String, Value)]| match written {
        [(_, value)] => value.as_ref().to_string(),
        _ => held.value.to_string(),
    };
    let told = (
        after(source, &resolved.to_source),
        after(destination, &resolved.to_destination),
        resolved.conflicts.len(),
    );
    assert_eq!(
        (told.0.as_str(), told.1.as_str(), told.2),
        expected,
        "{resolved:?}"
    );
}

fn wins(winner: Winner) -> ConflictRule {
    ConflictRule {
        winner,
        ..ConflictRule::default()
    }
}

#[test]
fn rule_04_the_same_field_edited_on_both_sides() {
    let both = (
        held(Some("Rome"), "Berlin", None),
        held(Some("Rome"), "Paris", None),
    );
    let (rules, default) = (FieldRules::default(), ConflictRule::default());
    check(both, &rules, default, ("Paris", "Paris", 1));
    check(both, &rules, wins(Winner::Source), ("Berlin", "Berlin", 1));
    // A field may have a rule of its own.
    let own = FieldRules {
        winner: Some(Winner::Source),
        ..FieldRules::default()
    };
    check(both, &own, default, ("Berlin", "Berlin", 1));
    let later = (
        held(Some("Rome"), "Berlin", Some(2)),
        held(Some("Rome"), "Paris", Some(1)),
    );
    check(
        later,
        &rules,
        wins(Winner::LatestEdit),
        ("Berlin", "Berlin", 1),
    );
    // Which is later cannot be told: HubSpot's stays, and the log says why.
    check(
        both,
        &rules,
        wins(Winner::LatestEdit),
        ("Paris", "Paris", 1),
    );
}

#[test]
fn rule_05_different_fields_edited_on_both_sides_are_both_kept() {
    let rules = FieldRules::default();
    let field = |property, source, destination| Field {
        property,
        kind: FieldKind::Text,
        source,
        destination,
        rules: &rules,
    };
    let fields = [
        field(
            "city",
            held(Some("Rome"), "Berlin", None),
            held(Some("Rome"), "Rome", None),
        ),
        field(
            "phone",
            held(Some("1"), "1", None),
            held(Some("1"), "2", None),
        ),
    ];
    let resolved = resolve_record(
        &"person".into(),
        &"1".into(),
        fields,
        ConflictRule::default(),
    );
    let value = |text: &str| Value::Text(text.to_owned());
    assert_eq!(
        resolved.to_destination,
        [("city".to_owned(), value("Berlin"))]
    );
    assert_eq!(resolved.to_source, [("phone".to_owned(), value("2"))]);
    assert_eq!(resolved.conflicts, []);
}

#[test]
fn rule_06_one_way_the_side_that_the_data_come_from_wins() {
    let both = (
        held(Some("Rome"), "Berlin", None),
        held(Some("Rome"), "Paris", None),
    );
    for (direction, expected) in [
        (Direction::ToDestination, "Berlin"),
        (Direction::ToSource, "Paris"),
    ] {
        let rules = FieldRules {
            direction,
            ..FieldRules::default()
        };
        for winner in [Winner::Source, Winner::Destination, Winner::LatestEdit] {
            check(both, &rules, wins(winner), (expected, expected, 0));
        }
    }
}

#[test]
fn rule_07_a_winner_that_is_empty_leaves_the_other_value() {
    let rules = FieldRules::default();
    let cleared = (
        held(Some("Rome"), "Berlin", None),
        held(Some("Rome"), "", None),
    );
    check(cleared, &rules, ConflictRule::default(), ("Berlin", "", 1));
    let only_cleared = (
        held(Some("Rome"), "Rome", None),
        held(Some("Rome"), "", None),
    );
    check(
        only_cleared,
        &rules,
        ConflictRule::default(),
        ("Rome", "", 0),
    );
    let clears = FieldRules {
        blank: Blank::Clear,
        ..FieldRules::default()
    };
    check(cleared, &clears, ConflictRule::default(), ("", "", 1));
}

#[test]
fn edits_far_apart_are_no_conflict_where_only_close_ones_are() {
    let rules = FieldRules::default();
    let close = ConflictRule {
        winner: Winner::Destination,
        mode: ConflictMode::Close,
    };
    let apart = |minutes: i64| {
        (
            held(Some("Rome"), "Berlin", Some(10 + minutes)),
            held(Some("Rome"), "Paris", Some(10)),
        )
    };
    check(apart(5), &rules, close, ("Paris", "Paris", 1));
    check(apart(6), &rules, close, ("Berlin", "Berlin", 0));
    check(apart(-6), &rules, close, ("Paris", "Paris", 0));
    let unknown = (
        held(Some("Rome"), "Berlin", None),
        held(Some("Rome"), "Paris", Some(99)),
    );
    check(unknown, &rules, close, ("Paris", "Paris", 1));
}

#[test]
fn two_sides_that_meet_first_fill_each_other_and_conflict_where_both_have_a_value() {
    let (rules, default) = (FieldRules::default(), ConflictRule::default());
    check(
        (held(None, "Berlin", None), held(None, "", None)),
        &rules,
        default,
        ("Berlin", "Berlin", 0),
    );
    check(
        (held(None, "", None), held(None, "Paris", None)),
        &rules,
        default,
        ("Paris", "Paris", 0),
    );
    check(
        (held(None, "Berlin", None), held(None, "Paris", None)),
        &rules,
        default,
        ("Paris", "Paris", 1),
    );
    check(
        (held(None, "Rome", None), held(None, "Rome", None)),
        &rules,
        default,
        ("Rome", "Rome", 0),
    );
}

#[test]
fn a_protected_value_of_the_destination_stays() {
    let edited = (
        held(Some("Rome"), "Berlin", None),
        held(Some("Rome"), "Rome", None),
    );
    for write in [Write::FillIfEmpty, Write::NeverOverwrite] {
        let rules = FieldRules {
            write,
            ..FieldRules::default()
        };
        check(
            edited,
            &rules,
            ConflictRule::default(),
            ("Berlin", "Rome", 0),
        );
    }
}

#[test]
fn numbers_that_are_written_otherwise_are_no_conflict() {
    let decimal = |text: &str| ValueRef::Decimal(text.parse().unwrap());
    let side = |now| Held {
        value: decimal(now),
        base: Some(decimal("2")),
        edited_at: None,
    };
    let field = Field {
        property: "amount",
        kind: FieldKind::Decimal,
        source: side("1"),
        destination: side("1.00"),
        rules: &FieldRules::default(),
    };
    assert_eq!(
        resolve(&field, ConflictRule::default()),
        Resolution::Nothing
    );
}

#[test]
fn a_conflict_is_told_with_both_values_and_its_rule() {
    let field = Field {
        property: "city",
        kind: FieldKind::Text,
        source: held(Some("Rome"), "Berlin", Some(1)),
        destination: held(Some("Rome"), "Paris", Some(2)),
        rules: &FieldRules::default(),
    };
    let resolved = resolve_record(
        &"person".into(),
        &"7".into(),
        [field],
        wins(Winner::LatestEdit),
    );
    let entry = &resolved.conflicts[0];
    assert_eq!(entry.base, Some(Value::Text("Rome".to_owned())));
    let finding = entry.finding();
    assert_eq!(
        (finding.code, finding.field.as_deref()),
        (FindingCode::Conflict, Some("city"))
    );
    assert_eq!(
        finding.message,
        "both sides were edited: the source has \"Berlin\", the destination \"Paris\"; the destination wins as the later edit"
    );
}

/// One side as a test makes it: what it held, what it holds, when it was edited.
type Made = (Option<String>, String, Option<i64>);

fn side() -> impl Strategy<Value = Made> {
    let value = prop_oneof![Just(String::new()), "[ab]"];
    (
        prop::option::of(value.clone()),
        value,
        prop::option::of(0_i64..12),
    )
}

fn rules() -> impl Strategy<Value = FieldRules> {
    let blank = prop_oneof![Just(Blank::Keep), Just(Blank::Clear)];
    let direction = prop_oneof![
        Just(Direction::Both),
        Just(Direction::ToDestination),
        Just(Direction::ToSource)
    ];
    let write = prop_oneof![
        Just(Write::Always),
        Just(Write::FillIfEmpty),
        Just(Write::NeverOverwrite)
    ];
    (blank, direction, write).prop_map(|(blank, direction, write)| FieldRules {
        blank,
        direction,
        write,
        ..FieldRules::default()
    })
}

fn rule() -> impl Strategy<Value = ConflictRule> {
    let winner = prop_oneof![
        Just(Winner::Destination),
        Just(Winner::Source),
        Just(Winner::LatestEdit)
    ];
    let mode = prop_oneof![Just(ConflictMode::Always), Just(ConflictMode::Close)];
    (winner, mode).prop_map(|(winner, mode)| ConflictRule { winner, mode })
}

fn field<'v>(source: &'v Made, destination: &'v Made, rules: &'v FieldRules) -> Field<'v> {
    let held = |made: &'v Made| held(made.0.as_deref(), &made.1, made.2);
    Field {
        property: "city",
        kind: FieldKind::Text,
        source: held(source),
        destination: held(destination),
        rules,
    }
}

/// Who writes, where anything is written.
fn writer(resolution: &Resolution) -> Option<Side> {
    match resolution {
        Resolution::Take(side) => Some(*side),
        Resolution::Conflict { winner, writes, .. } => writes.then_some(*winner),
        Resolution::Nothing => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What was resolved is settled: both sides looked at again, nothing is left to do.
    #[test]
    fn resolving_twice_is_resolving_once(source in side(), destination in side(), rules in rules(), rule in rule()) {
        let writer = writer(&resolve(&field(&source, &destination, &rules), rule));
        let (mut a, mut b) = (source.1.clone(), destination.1.clone());
        match writer {
            Some(Side::Source) => b.clone_from(&a),
            Some(Side::Destination) => a.clone_from(&b),
            None => {}
        }
        let (a, b) = ((Some(a.clone()), a, source.2), (Some(b.clone()), b, destination.2));
        // One-way fields are brought into step for good; whatever may not be written still may not.
        prop_assert_eq!(super::tests::writer(&resolve(&field(&a, &b, &rules), rule)), None);
    }

    /// No blank takes the place of a value, unless the field says so.
    #[test]
    fn a_blank_overwrites_nothing(source in side(), destination in side(), rules in rules(), rule in rule()) {
        let written = match writer(&resolve(&field(&source, &destination, &rules), rule)) {
            Some(Side::Source) => &source.1,
            Some(Side::Destination) => &destination.1,
            None => return Ok(()),
        };
        prop_assert!(!written.is_empty() || rules.blank == Blank::Clear);
    }

    /// Seen from the other side everything is turned round; only where the latest edit cannot be told the destination wins.
    #[test]
    fn the_sides_are_alike(source in side(), destination in side(), rule in rule(), blank in prop_oneof![Just(Blank::Keep), Just(Blank::Clear)]) {
        let rules = FieldRules { blank, ..FieldRules::default() };
        let turned = ConflictRule {
            winner: match rule.winner {
                Winner::Source => Winner::Destination,
                Winner::Destination => Winner::Source,
                Winner::LatestEdit => Winner::LatestEdit,
            },
            ..rule
        };
        let one = resolve(&field(&source, &destination, &rules), rule);
        let other = resolve(&field(&destination, &source, &rules), turned);
        if !matches!(one, Resolution::Conflict { because: Because::NoLatest, .. }) {
            prop_assert_eq!(writer(&one), writer(&other).map(Side::other));
        }
    }

    /// Edits of one side alone are no conflict.
    #[test]
    fn a_conflict_has_two_edits(source in side(), destination in side(), rules in rules(), rule in rule()) {
        if let Resolution::Conflict { .. } = resolve(&field(&source, &destination, &rules), rule) {
            prop_assert!(source.0.as_ref() != Some(&source.1) && destination.0.as_ref() != Some(&destination.1));
            prop_assert!(source.1 != destination.1);
        }
    }
}
