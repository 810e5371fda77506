//! What a person says over the default mapping, and everything that is refused of it.

use model::FieldInfo;
use model::catalog::{FieldTable, Pipeline, Stage, StageMeaning};
use model::condition::Test;
use model::mapping::{StageTarget, Write};
use model::transform::{Example, Step};

use super::*;

fn field(name: &str, kind: FieldKind) -> FieldInfo {
    FieldInfo {
        standard: Some(name.into()),
        ..FieldInfo::new(name, kind)
    }
}

fn custom(name: &str, kind: FieldKind) -> FieldInfo {
    FieldInfo {
        custom: true,
        ..FieldInfo::new(name, kind)
    }
}

fn object(name: &str, standard: StandardObject, fields: Vec<FieldInfo>) -> Arc<ObjectInfo> {
    Arc::new(ObjectInfo {
        name: name.into(),
        standard: Some(standard),
        fields: FieldTable::new(fields).unwrap(),
        ..ObjectInfo::default()
    })
}

fn pipeline(id: &str, object: &str, stages: &[(&str, StageMeaning, u8)]) -> Pipeline {
    let stage = |(label, meaning, probability): &(&str, StageMeaning, u8)| Stage {
        id: format!("{id}-{label}").into(),
        label: (*label).into(),
        probability: Some(*probability),
        meaning: *meaning,
    };
    Pipeline {
        id: id.into(),
        label: "Sales".into(),
        object: object.into(),
        stages: stages.iter().map(stage).collect(),
    }
}

fn catalogs() -> (Catalog, Catalog) {
    use FieldKind::{Date, Email, Money, Reference, Text};
    use StageMeaning::{Lost, Open, Won};
    let source = Catalog {
        objects: vec![
            object(
                "person",
                StandardObject::Contact,
                vec![
                    field("name", Text),
                    field("email", Email),
                    custom("tax_id", Text),
                    custom("born", Date),
                ],
            ),
            object(
                "opportunity",
                StandardObject::Deal,
                vec![
                    field("dealname", Text),
                    field("dealstage", Reference),
                    field("pipeline", Reference),
                ],
            ),
        ],
        pipelines: vec![pipeline(
            "s",
            "opportunity",
            &[
                ("Won", Won, 100),
                ("Negotation", Open, 60),
                ("Parked", Open, 5),
            ],
        )],
        ..Catalog::default()
    };
    let destination = Catalog {
        objects: vec![
            object(
                "contact",
                StandardObject::Contact,
                vec![
                    field("firstname", Text),
                    field("lastname", Text),
                    field("email", Email),
                    field("worth", Money),
                    field("notes", Text),
                ],
            ),
            object(
                "deal",
                StandardObject::Deal,
                vec![
                    field("dealname", Text),
                    field("dealstage", Reference),
                    field("pipeline", Reference),
                ],
            ),
        ],
        pipelines: vec![pipeline(
            "d",
            "deal",
            &[
                ("Closed won", Won, 100),
                ("Negotiation", Open, 80),
                ("Closed lost", Lost, 0),
            ],
        )],
        ..Catalog::default()
    };
    (source, destination)
}

fn line<T>(line: usize, value: T) -> At<T> {
    At { line, value }
}

fn to(property: &str) -> FieldOverride {
    with(property, FieldRules::default())
}

fn with(property: &str, rules: FieldRules) -> FieldOverride {
    FieldOverride::Filled {
        to: Some(property.into()),
        create: None,
        rules,
    }
}

fn of_person(said: ObjectOverride) -> Overrides {
    Overrides {
        objects: vec![(line(1, "person".into()), said)],
        ..Overrides::default()
    }
}

fn fields(fields: Vec<(usize, &str, FieldOverride)>) -> Overrides {
    let fields = fields
        .into_iter()
        .map(|(at, name, said)| (line(at, name.to_owned()), said));
    of_person(ObjectOverride {
        fields: fields.collect(),
        ..ObjectOverride::default()
    })
}

#[track_caller]
fn map(overrides: &Overrides) -> (Mapping, Vec<Finding>) {
    let (source, destination) = catalogs();
    map_with(&source, &destination, overrides, &[]).unwrap()
}

#[track_caller]
fn check_refused(overrides: &Overrides, expected: &[(usize, &str)]) {
    let (source, destination) = catalogs();
    let faults = map_with(&source, &destination, overrides, &[]).unwrap_err();
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, (line, part)) in faults.iter().zip(expected) {
        assert_eq!(fault.line, *line, "{fault}");
        assert!(fault.message.contains(part), "{fault} has {part:?}");
    }
}

#[test]
fn what_nobody_speaks_of_stays_as_it_is_by_default() {
    let (source, destination) = catalogs();
    let default = default_mapping(&source, &destination);
    assert_eq!(map(&Overrides::default()), default);
    // Saying what holds anyway changes nothing either, down to the bytes that a plan hashes.
    let mut said = fields(vec![(2, "email", to("email")), (3, "tax_id", to("tax_id"))]);
    let stages = vec![(line(5, "Parked".to_owned()), line(5, StageOverride::New))];
    let pipeline = PipelineOverride {
        to: Some(line(4, "sales".to_owned())),
        auto_map: false,
        stages,
    };
    said.pipelines = vec![(line(4, "Sales".to_owned()), pipeline)];
    let (mapping, _) = map(&said);
    assert_eq!(
        serde_json::to_string(&mapping).unwrap(),
        serde_json::to_string(&default.0).unwrap()
    );
}

#[test]
fn one_field_fills_two_properties_with_transforms_and_rules() {
    let rules = |step: Step, write| FieldRules {
        write,
        transform: vec![step],
        ..FieldRules::default()
    };
    let said = fields(vec![
        (
            2,
            "name",
            with("firstname", rules(Step::FirstName, Write::Always)),
        ),
        (
            3,
            "name",
            with("lastname", rules(Step::LastName, Write::FillIfEmpty)),
        ),
    ]);
    let (mapping, _) = map(&said);
    let own: Vec<_> = mapping.objects[0]
        .fields
        .iter()
        .filter(|entry| entry.source == "name")
        .map(|entry| {
            (
                entry.destination.as_str(),
                entry.rules.write,
                entry.lossless,
            )
        })
        .collect();
    assert_eq!(
        own,
        [
            ("firstname", Write::Always, false),
            ("lastname", Write::FillIfEmpty, false)
        ]
    );
}

#[test]
fn a_field_and_an_object_that_are_left_out_are_told() {
    let (mapping, findings) = map(&fields(vec![(4, "tax_id", FieldOverride::LeftOut)]));
    assert_eq!(
        mapping.objects[0].unmapped,
        [(
            "tax_id".to_owned(),
            "left out by line 4 of the mapping file".to_owned()
        )]
    );
    assert_eq!(
        findings
            .iter()
            .filter(|finding| finding.field.as_deref() == Some("tax_id"))
            .count(),
        1
    );
    let (mapping, findings) = map(&of_person(ObjectOverride {
        left_out: true,
        ..ObjectOverride::default()
    }));
    assert_eq!(mapping.unmapped_objects, ["person".into()]);
    assert!(mapping.find_object(&"person".into()).is_none());
    assert!(
        findings
            .iter()
            .any(|finding| finding.message.contains("person is left out by line 1"))
    );
}

#[test]
fn a_new_property_has_the_kind_that_a_person_says() {
    let new = FieldOverride::Filled {
        to: Some("born_on".into()),
        create: Some(FieldKind::Text),
        rules: FieldRules::default(),
    };
    let (mapping, _) = map(&fields(vec![(2, "born", new)]));
    let born = mapping.objects[0]
        .fields
        .iter()
        .find(|entry| entry.source == "born")
        .unwrap();
    assert_eq!(born.create.as_ref().unwrap().kind, FieldKind::Text);
    assert_eq!(born.destination, "born_on");
}

#[test]
fn everything_wrong_with_fields_is_told_with_its_line() {
    let failing = FieldRules {
        transform: vec![Step::Upper],
        examples: vec![Example {
            from: vec!["a".into()],
            to: "b".into(),
        }],
        ..FieldRules::default()
    };
    let mut said = fields(vec![
        (3, "nmae", to("firstname")),
        (4, "email", to("e_mail")),
        (5, "born", to("worth")),
        (6, "tax_id", with("notes", failing)),
    ]);
    said.objects
        .push((line(9, "persons".into()), ObjectOverride::default()));
    said.faults.push(MappingFault {
        line: 2,
        message: "unknown key".into(),
    });
    check_refused(
        &said,
        &[
            (2, "unknown key"),
            (
                3,
                "source field \"nmae\" does not exist; did you mean \"name\"?",
            ),
            (4, "destination property \"e_mail\" does not exist"),
            (
                5,
                "source field \"born\" is date, which does not go into \"worth\", a property of kind money",
            ),
            (6, "\"a\" becomes \"A\", expected \"b\""),
            (
                9,
                "the source has no object \"persons\"; did you mean \"person\"?",
            ),
        ],
    );
    check_refused(
        &fields(vec![(2, "tax_id", to("email"))]),
        &[(2, "\"email\" is filled twice, by \"tax_id\" and \"email\"")],
    );
}

fn stage(name: &str, to: StageOverride) -> (At<String>, At<StageOverride>) {
    (line(5, name.to_owned()), line(5, to))
}

fn of_pipeline(auto_map: bool, stages: Vec<(At<String>, At<StageOverride>)>) -> Overrides {
    let said = PipelineOverride {
        to: None,
        auto_map,
        stages,
    };
    Overrides {
        pipelines: vec![(line(4, "s".to_owned()), said)],
        ..Overrides::default()
    }
}

#[test]
fn stages_go_where_a_person_says_and_a_won_one_is_never_opened() {
    let (mapping, findings) = map(&of_pipeline(true, vec![]));
    let targets: Vec<_> = mapping.pipelines[0]
        .stages
        .iter()
        .map(|stage| stage.target.clone())
        .collect();
    assert_eq!(
        targets,
        [
            StageTarget::Existing("d-Closed won".into()),
            StageTarget::Existing("d-Negotiation".into()),
            StageTarget::Unmapped
        ]
    );
    let told: Vec<_> = findings
        .iter()
        .map(|finding| (finding.code, finding.message.as_str()))
        .collect();
    assert!(
        told.iter()
            .any(|(code, message)| *code == FindingCode::UnmappedStage
                && message.contains("\"Parked\"")),
        "{told:?}"
    );
    assert!(
        told.iter().any(
            |(_, message)| message.contains("60 % and becomes \"Negotiation\", which has 80 %")
        ),
        "{told:?}"
    );
    let (mapping, _) = map(&of_pipeline(
        false,
        vec![
            stage("Parked", StageOverride::To("Negotiation".into())),
            stage("Won", StageOverride::Unmapped),
        ],
    ));
    let stages = &mapping.pipelines[0].stages;
    assert_eq!(stages[0].target, StageTarget::Unmapped);
    assert_eq!(
        stages[2].target,
        StageTarget::Existing("d-Negotiation".into())
    );
    check_refused(
        &of_pipeline(
            false,
            vec![
                stage("Won", StageOverride::To("Negotiation".into())),
                stage("Parkd", StageOverride::New),
            ],
        ),
        &[
            (5, "has no stage \"Parkd\"; did you mean \"Parked\"?"),
            (
                5,
                "\"Won\" is won at the source and \"Negotiation\" is open at the destination",
            ),
        ],
    );
}

#[test]
fn match_and_filter_are_held_against_the_fields() {
    let said = |object: &str, matching: MatchOverride| Overrides {
        objects: vec![(
            line(1, object.to_owned()),
            ObjectOverride {
                matching: Some(line(2, matching)),
                ..ObjectOverride::default()
            },
        )],
        ..Overrides::default()
    };
    let own = |field: &str, property: Option<&str>| {
        MatchOverride::Field(field.into(), property.map(str::to_owned))
    };
    let (mapping, _) = map(&said("person", own("tax_id", None)));
    assert_eq!(
        mapping.objects[0].matching,
        Matching::Field {
            source: "tax_id".into(),
            destination: "tax_id".into()
        }
    );
    check_refused(
        &said("person", own("taxid", None)),
        &[(2, "\"taxid\" does not exist; did you mean \"tax_id\"?")],
    );
    check_refused(
        &said("person", own("tax_id", Some("taxes"))),
        &[(2, "destination property \"taxes\" does not exist")],
    );
    check_refused(
        &said("opportunity", own("dealname", None)),
        &[(2, "deals are never matched or merged")],
    );
    let filter = Condition::Field {
        field: "emial".into(),
        test: Test::Known,
    };
    let said = of_person(ObjectOverride {
        filter: Some(line(7, filter)),
        ..ObjectOverride::default()
    });
    check_refused(
        &said,
        &[(7, "\"emial\" does not exist; did you mean \"email\"?")],
    );
}
