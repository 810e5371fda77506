//! The file as a person writes it, and every mistake with its line.

use model::condition::{Condition, Test};
use model::mapping::{Blank, ConflictMode, ConflictRule, Direction, Winner, Write};
use model::transform::Step;

use super::*;

const EVERYTHING: &str = r#"
[objects.person]
match = { field = "tax_id" }
filter = { all = [
  { field = "email", known = true },
  { any = [{ field = "city", in = ["Bonn", "Köln"] }, { field = "kids", greater = 2 }] },
] }
[objects.person.fields]
email = "email"
label = false
phone = { to = "phone", direction = "to-destination", write = "fill-if-empty", blank = "clear", conflict = "source" }
name = [
  { to = "firstname", transform = ["trim", "first-name"], tests = [{ from = " Ann Lee", to = "Ann" }] },
  { to = "lastname", transform = [{ join = { with = ["x"], separator = "-" } }, { number = { decimal = "," } }] },
]
[objects.organization]
conflict = "latest-edit"
conflict-mode = "close"
[pipelines."Big sales"]
auto-map = true
[pipelines."Big sales".stages]
Won = "Closed won"
Parked = false
Demo = { new = true }
"#;

#[test]
fn everything_that_can_be_said_is_read() {
    let said = parse(EVERYTHING.to_owned());
    assert_eq!(said.faults, []);
    let rule = ConflictRule {
        winner: Winner::LatestEdit,
        mode: ConflictMode::Close,
    };
    assert_eq!(said.objects[1].1.conflict, rule);
    let (at, person) = &said.objects[0];
    assert_eq!((at.line, at.value.as_str()), (2, "person"));
    assert_eq!(
        person.filter.as_ref().unwrap().value.to_string(),
        "email is known and (city is one of [\"Bonn\", \"Köln\"] or kids is greater than 2)"
    );
    let matching = MatchOverride::Field("tax_id".into(), None);
    assert_eq!(person.matching.as_ref().unwrap().value, matching);
    let lines: Vec<_> = person
        .fields
        .iter()
        .map(|(at, _)| (at.line, at.value.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            (9, "email"),
            (10, "label"),
            (11, "phone"),
            (13, "name"),
            (14, "name")
        ]
    );
    let FieldOverride::Filled { rules, .. } = &person.fields[2].1 else {
        panic!("{:?}", person.fields[2]);
    };
    assert_eq!(rules.winner, Some(Winner::Source));
    assert_eq!(
        (rules.direction, rules.write, rules.blank),
        (Direction::ToDestination, Write::FillIfEmpty, Blank::Clear)
    );
    let FieldOverride::Filled { rules, .. } = &person.fields[4].1 else {
        panic!("{:?}", person.fields[4]);
    };
    let join = Step::Join {
        with: vec!["x".into()],
        separator: "-".into(),
    };
    let number = Step::Number {
        decimal: ',',
        group: None,
    };
    assert_eq!(rules.transform, [join, number]);
    let (_, pipeline) = &said.pipelines[0];
    let stages: Vec<_> = pipeline
        .stages
        .iter()
        .map(|(_, to)| to.value.clone())
        .collect();
    assert!(pipeline.auto_map);
    assert_eq!(
        stages,
        [
            StageOverride::To("Closed won".into()),
            StageOverride::Unmapped,
            StageOverride::New
        ]
    );
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let said = parse(
        r#"[objects.person]
filtre = { field = "email", known = true }
filter = { field = "email", known = true, is = "x" }
match = "sometimes"
[objects.person.fields]
a = 7
b = { to = "b", write = "seldom", transform = ["shout"] }
c = { to = "c", tests = [{ from = "x" }] }
[pipelines.Sales.stages]
Won = 3
"#
        .to_owned(),
    );
    let told: Vec<_> = said.faults.iter().map(ToString::to_string).collect();
    let parts = [
        "line 2: unknown key \"filtre\"; did you mean \"filter\"?",
        "line 3: a condition is `field` with one of is, is-not",
        "line 4: match is \"default\", \"never\"",
        "line 6: a field is the name of a property",
        "line 7: unknown variant `seldom`",
        "line 8: a test is { from",
        "line 10: a stage is the name of a stage",
    ];
    for part in parts {
        assert!(
            told.iter().any(|told| told.starts_with(part)),
            "{part} in {told:#?}"
        );
    }
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let said = parse("[objects.person]\nmatch = = 3\n".to_owned());
    assert!(!said.faults.is_empty());
    assert!(
        said.faults.iter().all(|fault| fault.line == 2),
        "{:?}",
        said.faults
    );
}

#[test]
fn a_word_for_a_value_is_a_text_whatever_toml_makes_of_it() {
    let said = parse("[objects.o]\nfilter = { field = \"d\", before = 2026-01-31 }\n".to_owned());
    let filter = Condition::Field {
        field: "d".into(),
        test: Test::Before("2026-01-31".into()),
    };
    assert_eq!(said.objects[0].1.filter.as_ref().unwrap().value, filter);
}
