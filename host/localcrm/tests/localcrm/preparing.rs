//! Preparation: it makes what is missing, may be repeated, and lets no name become SQL.

use model::catalog::StandardObject;
use model::destination::Preparation;
use model::mapping::{PipelineMapping, StageTarget};
use model::{Destination, DestinationError, FieldInfo, FieldKind, ObjectName, StageMeaning, Value};

use crate::support::{House, now, sales, text};

fn asked(house: &House, preparation: &Preparation) -> String {
    match now(house.crm.prepare(preparation)) {
        Err(DestinationError::Unusable(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn property(object: &str, field: FieldInfo) -> Preparation {
    Preparation {
        properties: vec![(ObjectName::new(object), field)],
        ..Preparation::default()
    }
}

#[test]
fn a_hostile_name_is_refused_and_nothing_of_its_preparation_is_kept() {
    let house = House::new();
    let hostile = [
        "x\" TEXT); DROP TABLE contacts; --",
        "x'y",
        "x y",
        "x;",
        "",
        "1x",
        "_x",
        "X",
        "käse",
        "x\0",
        "id",
        "archived",
        "created_at",
        "updated_at",
        "rowid",
        "oid",
        "x--",
        "x/*",
        "a.b",
        "[x]",
        "`x`",
    ];
    for name in hostile {
        let mut preparation = property("contact", FieldInfo::new("innocent", FieldKind::Text));
        preparation.properties.push((
            ObjectName::new("contact"),
            FieldInfo::new(name, FieldKind::Text),
        ));
        let why = asked(&house, &preparation);
        assert!(
            why.contains(&format!("destination refused property {name:?} of contact")),
            "{why}"
        );
    }
    let info = house.object("contact");
    assert_eq!(info.fields.find("innocent"), None);
    let too_long = "x".repeat(101);
    assert!(
        asked(
            &house,
            &property("contact", FieldInfo::new(too_long, FieldKind::Text))
        )
        .contains("99")
    );
    assert!(
        asked(
            &house,
            &property("contacts; --", FieldInfo::new("x", FieldKind::Text))
        )
        .contains("no object")
    );
}

#[test]
fn words_of_sql_may_be_properties() {
    let house = House::new();
    for name in ["order", "group", "select", "table", "index", "values"] {
        house.property("deal", FieldInfo::new(name, FieldKind::Text));
        house.property("contact", FieldInfo::new(name, FieldKind::Text));
        let id = house.create("contact", name, &[(name, text("x"))]);
        assert_eq!(house.value("contact", &id, name), text("x"));
    }
}

#[test]
fn preparing_twice_changes_nothing_and_another_kind_is_refused() {
    let house = House::new();
    let field = FieldInfo {
        label: "Shoe size".to_owned(),
        ..FieldInfo::new("shoe_size", FieldKind::Decimal)
    };
    let mut preparation = property("contact", field.clone());
    preparation.pipelines.push(sales());
    let first = house.prepare(&preparation);
    assert_eq!(house.prepare(&preparation), first);
    let house = house.reopen();
    assert_eq!(house.prepare(&preparation), first);
    let info = house.object("contact");
    let made = info
        .fields
        .iter()
        .find(|field| field.name == "shoe_size")
        .unwrap();
    assert_eq!(
        (made.label.as_str(), made.kind, made.custom),
        ("Shoe size", FieldKind::Decimal, true)
    );
    let why = asked(
        &house,
        &property(
            "contact",
            FieldInfo {
                kind: FieldKind::Text,
                ..field
            },
        ),
    );
    assert_eq!(
        why,
        "destination refused property \"shoe_size\" of contact: it exists already and holds decimal, not text"
    );
}

#[test]
fn pipelines_and_stages_are_found_by_label_or_made() {
    let house = House::new();
    let (pipeline, stages) = house.sales();
    let catalog = now(house.crm.fetch_catalog()).unwrap();
    let made = &catalog.pipelines[0];
    assert_eq!(
        (made.id.as_str(), made.label.as_str(), made.object.as_str()),
        (pipeline.as_str(), "Sales", "deal")
    );
    let told: Vec<_> = made
        .stages
        .iter()
        .map(|stage| (stage.label.as_str(), stage.probability, stage.meaning))
        .collect();
    let expected = [
        ("Qualified", Some(20), StageMeaning::Open),
        ("Closed won", Some(100), StageMeaning::Won),
        ("Closed lost", None, StageMeaning::Lost),
    ];
    assert_eq!(told, expected);
    // A second account's pipeline: one stage by id, one new, one left out.
    let mut other = PipelineMapping {
        destination: Some(pipeline.into()),
        ..sales()
    };
    other.stages[0].target = StageTarget::Existing(stages[2].as_str().into());
    other.stages[1].source.label = "Signed".to_owned();
    other.stages[2].target = StageTarget::Unmapped;
    let prepared = house.prepare(&Preparation {
        pipelines: vec![other],
        ..Preparation::default()
    });
    assert_eq!(prepared.stages.len(), 2);
    assert_eq!(prepared.stages[0].1.as_str(), stages[2]);
    assert_eq!(
        now(house.crm.fetch_catalog()).unwrap().pipelines[0]
            .stages
            .len(),
        4
    );
}

#[test]
fn two_stages_of_one_label_stay_two() {
    let house = House::new();
    let mut twice = sales();
    twice.stages[1].source.label = "Qualified".to_owned();
    let preparation = Preparation {
        pipelines: vec![twice, sales()],
        ..Preparation::default()
    };
    let prepared = house.prepare(&preparation);
    assert_ne!(prepared.stages[0].1, prepared.stages[1].1);
    assert_ne!(
        prepared.pipelines[0].1, prepared.pipelines[1].1,
        "two pipelines of one label stay two"
    );
    assert_eq!(house.prepare(&preparation), prepared);
}

#[test]
fn ids_that_do_not_exist_are_refused() {
    let house = House::new();
    let (pipeline, _) = house.sales();
    let gone = PipelineMapping {
        destination: Some("77".into()),
        ..sales()
    };
    assert!(
        asked(
            &house,
            &Preparation {
                pipelines: vec![gone],
                ..Preparation::default()
            }
        )
        .contains("no pipeline 77")
    );
    let mut gone = PipelineMapping {
        destination: Some(pipeline.into()),
        ..sales()
    };
    gone.stages[0].target = StageTarget::Existing("78".into());
    assert!(
        asked(
            &house,
            &Preparation {
                pipelines: vec![gone],
                ..Preparation::default()
            }
        )
        .contains("no stage 78")
    );
}

#[test]
fn the_catalog_has_every_standard_object_with_its_properties() {
    let house = House::new();
    let catalog = now(house.crm.fetch_catalog()).unwrap();
    let names: Vec<_> = catalog
        .objects
        .iter()
        .map(|object| object.name.as_str())
        .collect();
    assert_eq!(names, StandardObject::ALL.map(StandardObject::name));
    let contract = include_str!("../../../../wit/README.md");
    for object in StandardObject::ALL {
        let line = contract
            .lines()
            .find(|line| line.starts_with(&format!("| {object} | `")))
            .unwrap();
        let list = line.split('|').nth(2).unwrap();
        let info = catalog.find_object(object.name()).unwrap();
        let mut listed = 0;
        for entry in list.split(", `") {
            let entry = entry.trim().trim_start_matches('`');
            let (name, rest) = entry.split_once('`').unwrap();
            let at = info
                .fields
                .find_standard(name)
                .unwrap_or_else(|| panic!("{object} has no {name}"));
            let field = info.fields.get(at).unwrap();
            assert_eq!(field.name, name);
            let kind = rest
                .trim_start_matches([' ', '('])
                .split([',', ')', ':'])
                .next()
                .unwrap();
            if !kind.is_empty() {
                assert_eq!(field.kind.name(), kind, "{object} {name}");
            }
            listed += 1;
        }
        assert_eq!(
            info.fields.len(),
            listed + 1,
            "{object} has the listed properties and the source key"
        );
        assert!(info.fields.find("longshore_source_id").is_some());
    }
}

#[test]
fn the_most_properties_are_told() {
    let house = House::new();
    let properties = (0..1_900).map(|n| {
        (
            ObjectName::new("note"),
            FieldInfo::new(format!("p{n}"), FieldKind::Text),
        )
    });
    let why = asked(
        &house,
        &Preparation {
            properties: properties.collect(),
            ..Preparation::default()
        },
    );
    assert!(
        why.contains("note has 1900 properties, which is the most"),
        "{why}"
    );
    let properties = (0..1_890).map(|n| {
        (
            ObjectName::new("note"),
            FieldInfo::new(format!("p{n}"), FieldKind::Text),
        )
    });
    house.prepare(&Preparation {
        properties: properties.collect(),
        ..Preparation::default()
    });
    let id = house.create("note", "1", &[("p1889", text("x"))]);
    assert_eq!(house.value("note", &id, "p1889"), text("x"));
    assert_eq!(house.value("note", &id, "p0"), Value::Null);
}
