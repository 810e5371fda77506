//! The default mapping, rule by rule.

use model::catalog::{AssociationInfo, FieldOption, Pipeline, Stage, StageMeaning};
use proptest::prelude::*;

use super::*;
use crate::naming::is_property_name;
use crate::planner::ObjectPlanner;

fn standard(name: &str, standard: &str, kind: FieldKind) -> FieldInfo {
    FieldInfo {
        standard: Some(standard.into()),
        ..FieldInfo::new(name, kind)
    }
}

fn custom(name: &str, label: &str, kind: FieldKind) -> FieldInfo {
    FieldInfo {
        label: label.into(),
        custom: true,
        ..FieldInfo::new(name, kind)
    }
}

fn object(name: &str, standard: Option<StandardObject>, fields: Vec<FieldInfo>) -> ObjectInfo {
    ObjectInfo {
        name: name.into(),
        label: name.into(),
        standard,
        fields: FieldTable::new(fields).unwrap(),
        ..ObjectInfo::default()
    }
}

fn catalog(objects: Vec<ObjectInfo>) -> Catalog {
    Catalog {
        objects: objects.into_iter().map(Arc::new).collect(),
        pipelines: vec![],
        ..Catalog::default()
    }
}

/// A destination with contacts, owners and deals as the local CRM has them, in short.
fn destination() -> Catalog {
    use FieldKind::{Date, Email, Instant, Money, Option, Owner, Reference, Text};
    let key = || FieldInfo {
        unique: true,
        ..FieldInfo::new(SOURCE_KEY_PROPERTY, Text)
    };
    let read_only = FieldInfo {
        read_only: true,
        ..standard("createdate", "createdate", Instant)
    };
    let contact = vec![
        key(),
        standard("firstname", "firstname", Text),
        standard("email", "email", Email),
        standard("date_of_birth", "date_of_birth", Date),
        standard("status", "status", Option),
        standard("hubspot_owner_id", "hubspot_owner_id", Owner),
        read_only,
    ];
    let deal = vec![
        key(),
        standard("amount", "amount", Money),
        standard("deal_currency_code", "deal_currency_code", Text),
        standard("pipeline", "pipeline", Reference),
        standard("dealstage", "dealstage", Reference),
    ];
    let line = vec![key(), standard("hs_product_id", "hs_product_id", Reference)];
    catalog(vec![
        object(
            "owner",
            Some(StandardObject::Owner),
            vec![key(), standard("email", "email", Email)],
        ),
        object("contact", Some(StandardObject::Contact), contact),
        object("deal", Some(StandardObject::Deal), deal),
        object("line_item", Some(StandardObject::LineItem), line),
        object(
            "product",
            Some(StandardObject::Product),
            vec![key(), standard("name", "name", Text)],
        ),
    ])
}

fn person(fields: Vec<FieldInfo>) -> Catalog {
    let user = object("user", Some(StandardObject::Owner), vec![]);
    catalog(vec![
        object("person", Some(StandardObject::Contact), fields),
        user,
    ])
}

/// `expected`: property, whether it is created, binding.
#[track_caller]
fn check(field: FieldInfo, expected: (&str, Option<FieldKind>, Binding)) {
    let (mapping, findings) = default_mapping(&person(vec![field]), &destination());
    let entry = &mapping.find_object(&"person".into()).unwrap().fields[0];
    assert_eq!(
        (
            entry.destination.as_str(),
            entry.create.as_ref().map(|create| create.kind),
            entry.binding.clone()
        ),
        expected
    );
    assert_eq!(findings, []);
}

#[test]
fn standard_fields_fill_the_standard_property_of_a_kind_that_agrees() {
    use FieldKind as K;
    check(
        standard("first_name", "firstname", K::Text),
        ("firstname", None, Binding::None),
    );
    check(
        standard("mail", "email", K::Text),
        ("email", None, Binding::None),
    );
    check(
        standard("birthday", "date_of_birth", K::Instant),
        ("date_of_birth", None, Binding::None),
    );
    check(
        standard("birthday", "date_of_birth", K::Text),
        ("birthday", Some(K::Text), Binding::None),
    );
    check(
        standard("owner", "hubspot_owner_id", K::Owner),
        ("hubspot_owner_id", None, Binding::Record("user".into())),
    );
    check(
        standard("owner", "hubspot_owner_id", K::Text),
        ("owner", Some(K::Text), Binding::None),
    );
    check(
        standard("add_time", "createdate", K::Instant),
        ("add_time", Some(K::Instant), Binding::None),
    );
    check(
        standard("key", SOURCE_KEY_PROPERTY, K::Text),
        ("key", Some(K::Text), Binding::None),
    );
}

#[test]
fn every_other_field_gets_a_property_of_its_own() {
    use FieldKind as K;
    check(
        custom("9dc8", "Favourite colour", K::Option),
        ("favourite_colour", Some(K::Option), Binding::None),
    );
    check(
        FieldInfo::new("won_time", K::Instant),
        ("won_time", Some(K::Instant), Binding::None),
    );
    check(
        custom("9dc8", "First name!", K::Text),
        ("first_name", Some(K::Text), Binding::None),
    );
    check(
        custom("9dc8", "Firstname", K::Text),
        ("firstname_2", Some(K::Text), Binding::None),
    );
    check(
        custom("9dc8", "Helper", K::Owner),
        ("helper", Some(K::Owner), Binding::Record("user".into())),
    );
    check(
        custom("9dc8", "Parent", K::Reference),
        ("parent", Some(K::Text), Binding::None),
    );
    check(
        custom("9dc8", "Longshore source id", K::Text),
        ("source_longshore_source_id", Some(K::Text), Binding::None),
    );
}

#[test]
fn a_lossy_mapping_says_so() {
    let (mapping, _) = default_mapping(
        &person(vec![
            standard("b", "date_of_birth", FieldKind::Instant),
            standard("f", "firstname", FieldKind::Url),
        ]),
        &destination(),
    );
    let told: Vec<bool> = mapping
        .find_object(&"person".into())
        .unwrap()
        .fields
        .iter()
        .map(|entry| entry.lossless)
        .collect();
    assert_eq!(told, [false, true]);
}

#[test]
fn a_created_property_carries_label_options_and_the_currency_under_its_new_name() {
    let choice = |value: &str| FieldOption {
        value: value.into(),
        label: value.to_uppercase(),
    };
    let mut colour = custom("c1", "Colour", FieldKind::Option);
    colour.options = vec![choice("red"), choice("blue"), choice("red")];
    let mut budget = custom("b1", "Budget", FieldKind::Money);
    budget.currency_field = Some("b1_currency".into());
    let source = person(vec![
        budget,
        custom("b1_currency", "Currency of Budget", FieldKind::Text),
        colour,
    ]);
    let (mapping, _) = default_mapping(&source, &destination());
    let fields = &mapping.find_object(&"person".into()).unwrap().fields;
    assert_eq!(
        fields[0].create.as_ref().unwrap().currency_field.as_deref(),
        Some("currency_of_budget")
    );
    let colour = fields[2].create.as_ref().unwrap();
    assert_eq!(
        (colour.label.as_str(), colour.options.clone()),
        ("Colour", vec![choice("red"), choice("blue")])
    );
}

#[test]
fn two_fields_never_fill_one_property() {
    let fields = vec![
        custom("1", "E-mail", FieldKind::Email),
        standard("2", "email", FieldKind::Email),
        standard("3", "email", FieldKind::Email),
        custom("4", "e mail", FieldKind::Email),
    ];
    let (mapping, _) = default_mapping(&person(fields), &destination());
    let names: Vec<_> = mapping
        .find_object(&"person".into())
        .unwrap()
        .fields
        .iter()
        .map(|entry| entry.destination.clone())
        .collect();
    assert_eq!(names, ["e_mail", "email", "field_3", "e_mail_2"]);
}

#[test]
fn what_has_no_counterpart_is_told() {
    let mut source = person(vec![]);
    let mut gadget = object("gadget", None, vec![]);
    gadget.count = Some(7);
    source.objects.push(Arc::new(gadget));
    let mut contact = ObjectInfo::clone(&source.objects[0]);
    contact.associations = ["user", "gadget"]
        .map(|to| AssociationInfo {
            name: to.into(),
            to: to.into(),
            label: Some("Helper".into()),
        })
        .into();
    source.objects[0] = Arc::new(contact);
    let (mapping, findings) = default_mapping(&source, &destination());
    assert_eq!(mapping.unmapped_objects, ["gadget".into()]);
    let order: Vec<_> = mapping.objects.iter().map(|entry| entry.standard).collect();
    assert_eq!(order, [StandardObject::Owner, StandardObject::Contact]);
    let links = &mapping.objects[1].associations;
    assert_eq!(
        (links.len(), links[0].to.as_str(), links[0].label.as_deref()),
        (1, "owner", Some("Helper"))
    );
    let messages: Vec<_> = findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    let expected = [
        "object gadget has no counterpart at the destination, with 7 records",
        "association \"gadget\" is left out: object gadget is not mapped",
    ];
    assert_eq!(messages, expected);
}

#[test]
fn an_object_that_the_destination_keeps_by_itself_takes_no_fields() {
    let read_only = FieldInfo {
        read_only: true,
        ..standard("email", "email", FieldKind::Email)
    };
    let target = catalog(vec![object(
        "owner",
        Some(StandardObject::Owner),
        vec![read_only],
    )]);
    let source = catalog(vec![object(
        "user",
        Some(StandardObject::Owner),
        vec![standard("mail", "email", FieldKind::Email)],
    )]);
    let (mapping, findings) = default_mapping(&source, &target);
    assert_eq!(
        mapping.objects[0].unmapped,
        [(
            "mail".into(),
            "the destination keeps owner by itself".into()
        )]
    );
    assert_eq!(findings, [], "nobody expects them to go anywhere");
}

#[test]
fn pipelines_stages_and_products_are_bound() {
    let deal = vec![
        standard("pipeline_id", "pipeline", FieldKind::Reference),
        standard("stage_id", "dealstage", FieldKind::Reference),
    ];
    let line = vec![standard("product", "hs_product_id", FieldKind::Reference)];
    let mut source = catalog(vec![
        object("line", Some(StandardObject::LineItem), line),
        object("deal", Some(StandardObject::Deal), deal),
        object("item", Some(StandardObject::Product), vec![]),
    ]);
    let stage = Stage {
        id: "9".into(),
        label: "New".into(),
        probability: None,
        meaning: StageMeaning::Open,
    };
    source.pipelines = vec![Pipeline {
        id: "1".into(),
        label: "Sales".into(),
        object: "deal".into(),
        stages: vec![stage],
    }];
    let (mapping, _) = default_mapping(&source, &destination());
    let bindings = |name: &str| -> Vec<Binding> {
        mapping
            .find_object(&name.into())
            .unwrap()
            .fields
            .iter()
            .map(|entry| entry.binding.clone())
            .collect()
    };
    assert_eq!(bindings("deal"), [Binding::Pipeline, Binding::Stage]);
    assert_eq!(bindings("line"), [Binding::Record("item".into())]);
    assert_eq!(mapping.pipelines[0].object.as_str(), "deal");
}

#[test]
fn planned_properties_follow_the_existing_ones() {
    let source = person(vec![custom("1", "Colour", FieldKind::Text)]);
    let bare = catalog(vec![object(
        "contact",
        Some(StandardObject::Contact),
        vec![standard("email", "email", FieldKind::Email)],
    )]);
    let (mapping, _) = default_mapping(&source, &bare);
    let planned = planned_catalog(&bare, &mapping);
    let names: Vec<_> = planned.objects[0]
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(names, ["email", "colour", SOURCE_KEY_PROPERTY]);
    assert_eq!(planned_catalog(&planned, &mapping), planned);
}

#[test]
fn two_objects_that_become_one_share_alike_properties_and_part_unlike_ones() {
    let fields = |kind| {
        vec![
            custom("1", "Colour", FieldKind::Text),
            custom("2", "Size", kind),
        ]
    };
    let source = catalog(vec![
        object(
            "person",
            Some(StandardObject::Contact),
            fields(FieldKind::Text),
        ),
        object(
            "subscriber",
            Some(StandardObject::Contact),
            fields(FieldKind::Integer),
        ),
    ]);
    let (mapping, _) = default_mapping(&source, &destination());
    let names = |at: usize| -> Vec<_> {
        mapping.objects[at]
            .fields
            .iter()
            .map(|entry| entry.destination.as_str())
            .collect()
    };
    assert_eq!(
        (names(0), names(1)),
        (vec!["colour", "size"], vec!["colour", "size_2"])
    );
}

fn any_field() -> impl Strategy<Value = FieldInfo> {
    let label = prop_oneof![
        "[a-zA-Zäöß ]{0,8}",
        "\\PC{0,8}",
        Just("Email".to_owned()),
        Just("id".to_owned())
    ];
    let meaning = prop::option::of(prop::sample::select(vec![
        "firstname",
        "email",
        "date_of_birth",
        "status",
        "hubspot_owner_id",
        "createdate",
        "pipeline",
        "unheard",
    ]));
    (
        label,
        prop::sample::select(FieldKind::ALL.to_vec()),
        any::<bool>(),
        meaning,
    )
        .prop_map(|(label, kind, custom, standard)| FieldInfo {
            label,
            custom,
            standard: standard.map(str::to_owned),
            ..FieldInfo::new("", kind)
        })
}

proptest! {
    #[test]
    fn every_field_is_mapped_once_and_mapping_again_finds_what_was_made(fields in prop::collection::vec(any_field(), 0..20)) {
        let named = fields.into_iter().enumerate().map(|(at, field)| FieldInfo { name: format!("{at:x}f"), ..field });
        let source = person(named.collect());
        let before = destination();
        let (mapping, _) = default_mapping(&source, &before);
        let entry = mapping.find_object(&"person".into()).unwrap();
        prop_assert_eq!(entry.fields.len() + entry.unmapped.len(), source.objects[0].fields.len());
        let names: HashSet<&str> = entry.fields.iter().map(|field| field.destination.as_str()).collect();
        prop_assert_eq!(names.len(), entry.fields.len());
        prop_assert!(!names.contains(SOURCE_KEY_PROPERTY) && !names.contains("createdate"));
        prop_assert!(entry.fields.iter().filter(|field| field.create.is_some()).all(|field| is_property_name(&field.destination)));

        let after = planned_catalog(&before, &mapping);
        let (again, _) = default_mapping(&source, &after);
        let same = again.find_object(&"person".into()).unwrap();
        prop_assert!(same.fields.iter().all(|field| field.create.is_none()));
        let pairs = |entry: &ObjectMapping| -> Vec<(String, String)> {
            entry.fields.iter().map(|field| (field.source.clone(), field.destination.clone())).collect()
        };
        prop_assert_eq!(pairs(entry), pairs(same));

        let current = before.find_object("contact").unwrap();
        let planner = ObjectPlanner::new(&mapping, entry, &source.objects[0], current, after.find_object("contact").unwrap());
        prop_assert!(planner.is_ok(), "{:?}", planner.err());
    }
}
