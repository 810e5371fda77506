//! The rules that a CRM keeps, and how a refusal is told.

use model::catalog::FieldOption;
use model::destination::{Preparation, Write, WriteOutcome};
use model::{
    BatchBuilder, Destination, DestinationRecordId, FieldInfo, FieldKind, ObjectName, Value,
    ValueRef,
};

use crate::support::{House, decimal, now, planned, refused, text, written};

#[test]
fn creating_one_source_record_twice_makes_one_record_with_the_later_values() {
    let house = House::new();
    let first = house.create(
        "contact",
        "1",
        &[("email", text("ada@example.org")), ("city", text("London"))],
    );
    let second = house.create(
        "contact",
        "1",
        &[
            ("email", text("ada@example.org")),
            ("firstname", text("Ada")),
        ],
    );
    assert_eq!(first, second);
    assert_eq!(house.value("contact", &first, "firstname"), text("Ada"));
    assert_eq!(house.value("contact", &first, "city"), text("London"));
    assert_eq!(house.object("contact").count, Some(1));
}

#[test]
fn one_source_record_twice_in_one_batch_is_one_record() {
    let house = House::new();
    let mut builder = BatchBuilder::new(house.object("company"));
    builder.begin("1", None).begin("1", None);
    let outcomes = house.write_batch(builder.finish(), vec![Write::Create, Write::Create]);
    let [first, second] = <[_; 2]>::try_from(outcomes).unwrap().map(written);
    assert_eq!(first.0, second.0);
    assert!(first.1.is_none() && second.1.is_some(), "made once");
    assert_eq!(house.object("company").count, Some(1));
}

#[test]
fn a_deal_created_again_needs_no_stage() {
    let house = House::new();
    let id = house.deal("d", 0, "1", "EUR");
    assert_eq!(
        house.create("deal", "d", &[("dealname", text("new name"))]),
        id
    );
    assert_eq!(house.value("deal", &id, "dealname"), text("new name"));
}

#[test]
fn an_email_that_another_contact_has_is_refused_by_name() {
    let house = House::new();
    let ada = house.create("contact", "1", &[("email", text("ada@example.org"))]);
    let why = refused(house.write(
        "contact",
        "4711",
        Write::Create,
        &[("email", text("ADA@Example.org"))],
    ));
    let expected = format!(
        "destination refused contact 4711: property \"email\" has the value \"ADA@Example.org\" of contact {ada}"
    );
    assert_eq!(why, expected);
    let grace = house.create("contact", "2", &[("email", text("grace@example.org"))]);
    let why = refused(house.write(
        "contact",
        "2",
        Write::Update(grace.clone()),
        &[("email", text("ada@EXAMPLE.org"))],
    ));
    assert!(
        why.contains("contact 2") && why.contains("\"email\""),
        "{why}"
    );
    assert_eq!(
        house.value("contact", &grace, "email"),
        text("grace@example.org")
    );
    // Blank e-mails are no e-mails, and one's own in other letters is fine.
    house.create("contact", "3", &[("email", text(""))]);
    house.create("contact", "4", &[("email", text(""))]);
    house.create("contact", "5", &[("email", Value::Null)]);
    written(house.write(
        "contact",
        "1",
        Write::Update(ada),
        &[("email", text("Ada@Example.org"))],
    ));
}

#[test]
fn one_bad_record_leaves_the_rest_of_its_batch() {
    let house = House::new();
    let info = house.object("contact");
    let email = info.fields.find("email").unwrap();
    let mut builder = BatchBuilder::new(info);
    for (id, address) in [("1", "a@x.org"), ("2", "a@x.org"), ("3", "b@x.org")] {
        builder
            .begin(id, None)
            .field(email, ValueRef::Text(address));
    }
    let outcomes = house.write_batch(builder.finish(), vec![Write::Create; 3]);
    assert!(matches!(outcomes[0], WriteOutcome::Written { .. }));
    assert!(matches!(outcomes[1], WriteOutcome::Refused(_)));
    assert!(matches!(outcomes[2], WriteOutcome::Written { .. }));
    assert_eq!(house.object("contact").count, Some(2));
}

#[test]
fn an_update_tells_the_written_properties_as_they_were() {
    let house = House::new();
    let values = [
        ("firstname", text("Ada")),
        ("city", text("London")),
        ("date_of_birth", Value::Date("1815-12-10".parse().unwrap())),
    ];
    let id = house.create("contact", "9", &values);
    let change = [
        ("city", text("Paris")),
        ("phone", text("1")),
        ("date_of_birth", Value::Null),
    ];
    let (same, before) = written(house.write("contact", "9", Write::Update(id.clone()), &change));
    assert_eq!(same, id);
    let row = before.unwrap();
    assert!(
        row.contains(r#""fields":{"city":"London","phone":null,"date_of_birth":"1815-12-10"}}"#),
        "{row}"
    );
    let limits = model::row::RowLimits::default();
    let (batch, rejected) =
        model::Batch::decode(house.object("contact"), row.into_bytes(), &limits).unwrap();
    assert!(rejected.is_empty(), "{rejected:?}");
    assert_eq!(batch.record(0).id(), id.as_str());
    assert_eq!(house.value("contact", &id, "city"), text("Paris"));
    assert_eq!(house.value("contact", &id, "firstname"), text("Ada"));
}

#[test]
fn an_update_of_a_record_that_is_not_there_is_refused() {
    let house = House::new();
    for id in ["1", "01", "x", "", "1 or 1=1", "99999999999999999999"] {
        let why = refused(house.write(
            "company",
            "c",
            Write::Update(DestinationRecordId::new(id)),
            &[("name", text("x"))],
        ));
        assert!(
            why.starts_with("destination refused company c: company ")
                && why.ends_with("does not exist"),
            "{why}"
        );
    }
}

#[test]
fn an_unknown_option_is_refused_until_it_is_added() {
    let house = House::new();
    for (name, kind) in [
        ("colour", FieldKind::Option),
        ("colours", FieldKind::Options),
    ] {
        let option = FieldOption {
            value: "red".to_owned(),
            label: "Red".to_owned(),
        };
        house.property(
            "contact",
            FieldInfo {
                options: vec![option],
                ..FieldInfo::new(name, kind)
            },
        );
    }
    let blue = || FieldOption {
        value: "blue".to_owned(),
        label: "Blue".to_owned(),
    };
    let both = Value::Options(vec!["red".to_owned(), "blue".to_owned()]);
    for (property, value) in [("colour", text("blue")), ("colours", both)] {
        let why =
            refused(house.write("contact", "c1", Write::Create, &[(property, value.clone())]));
        assert_eq!(
            why,
            format!("destination refused contact c1: property {property:?} has no option \"blue\"")
        );
        let options = vec![(
            ObjectName::new("contact"),
            property.to_owned(),
            vec![blue()],
        )];
        let preparation = Preparation {
            options,
            ..Preparation::default()
        };
        house.prepare(&preparation);
        house.prepare(&preparation);
        let id = house.create("contact", "c1", &[(property, value.clone())]);
        assert_eq!(house.value("contact", &id, property), value);
        let info = house.object("contact");
        assert_eq!(
            info.fields
                .iter()
                .find(|field| field.name == property)
                .unwrap()
                .options
                .len(),
            2
        );
    }
}

#[test]
fn a_deal_needs_a_pipeline_and_one_of_its_stages() {
    let house = House::new();
    let (pipeline, stages) = house.sales();
    let cases = [
        (
            vec![("dealname", text("x"))],
            "property \"pipeline\" is required",
        ),
        (
            vec![("pipeline", text(&pipeline))],
            "property \"dealstage\" is required",
        ),
        (
            vec![("pipeline", text("77")), ("dealstage", text(&stages[0]))],
            "property \"pipeline\" names pipeline 77",
        ),
        (
            vec![("pipeline", text("s-1")), ("dealstage", text(&stages[0]))],
            "property \"pipeline\" names pipeline \"s-1\"",
        ),
        (
            vec![("pipeline", text(&pipeline)), ("dealstage", text("77"))],
            "property \"dealstage\" names stage 77",
        ),
        (
            vec![("pipeline", text(&pipeline)), ("dealstage", Value::Null)],
            "property \"dealstage\" is required",
        ),
    ];
    for (values, expected) in cases {
        let why = refused(house.write("deal", "d1", Write::Create, &values));
        assert!(
            why.starts_with(&format!("destination refused deal d1: {expected}")),
            "{why}"
        );
    }
    let id = house.deal("d1", 0, "1", "EUR");
    written(house.write(
        "deal",
        "d1",
        Write::Update(id.clone()),
        &[("dealstage", text(&stages[1]))],
    ));
    let why = refused(house.write(
        "deal",
        "d1",
        Write::Update(id.clone()),
        &[("dealstage", text("77"))],
    ));
    assert!(why.contains("dealstage"), "{why}");
    assert_eq!(house.value("deal", &id, "dealstage"), text(&stages[1]));
}

#[test]
fn owners_and_products_must_exist() {
    let house = House::new();
    let why = refused(house.write(
        "contact",
        "c",
        Write::Create,
        &[("hubspot_owner_id", text("12"))],
    ));
    assert_eq!(
        why,
        "destination refused contact c: property \"hubspot_owner_id\" names owner \"12\", which does not exist"
    );
    let owner = house.create("owner", "o", &[("email", text("o@x.org"))]);
    let id = house.create(
        "contact",
        "c",
        &[("hubspot_owner_id", text(owner.as_str()))],
    );
    assert_eq!(
        house.value("contact", &id, "hubspot_owner_id"),
        text(owner.as_str())
    );
    let why = refused(house.write(
        "line_item",
        "l",
        Write::Create,
        &[("hs_product_id", text("007"))],
    ));
    assert!(why.contains("names product \"007\""), "{why}");
}

#[test]
fn a_text_may_have_65536_characters_and_no_more() {
    let house = House::new();
    house.create("note", "1", &[("hs_note_body", text(&"🧀".repeat(65_536)))]);
    let why = refused(house.write(
        "note",
        "2",
        Write::Create,
        &[("hs_note_body", text(&"a".repeat(65_537)))],
    ));
    assert_eq!(
        why,
        "destination refused note 2: property \"hs_note_body\" is longer than 65536 characters"
    );
}

#[test]
fn properties_that_are_not_there_or_of_another_kind_are_refused_by_name() {
    let house = House::new();
    let fields = vec![
        FieldInfo::new("nope", FieldKind::Text),
        FieldInfo::new("phone", FieldKind::Integer),
    ];
    let info = planned("contact", fields);
    let mut builder = BatchBuilder::new(info);
    builder.begin("1", None).field(0, ValueRef::Text("x"));
    builder.begin("2", None).field(1, ValueRef::Integer(1));
    builder.begin("3", None);
    let mut outcomes = house.write_batch(builder.finish(), vec![Write::Create; 3]);
    written(outcomes.pop().unwrap());
    assert_eq!(
        refused(outcomes.pop().unwrap()),
        "destination refused contact 2: property \"phone\" has another kind here"
    );
    assert_eq!(
        refused(outcomes.pop().unwrap()),
        "destination refused contact 1: property \"nope\" does not exist"
    );
}

#[test]
fn the_source_key_is_longshores_own() {
    let house = House::new();
    let why = refused(house.write(
        "company",
        "1",
        Write::Create,
        &[("longshore_source_id", text("forged"))],
    ));
    assert_eq!(
        why,
        "destination refused company 1: property \"longshore_source_id\" is set by Longshore itself"
    );
}

#[test]
fn an_archived_record_frees_its_source_key_and_email() {
    let house = House::new();
    let values = [("email", text("a@x.org"))];
    let old = house.create("contact", "1", &values);
    house
        .sql()
        .execute("UPDATE contacts SET archived = 1", [])
        .unwrap();
    let new = house.create("contact", "1", &values);
    assert_ne!(old, new);
    let read = now(house
        .crm
        .read_records(&ObjectName::new("contact"), &[], &[old, new.clone()]))
    .unwrap();
    assert_eq!(
        read.iter()
            .map(|record| record.id().to_owned())
            .collect::<Vec<_>>(),
        [new.to_string()]
    );
    assert_eq!(house.object("contact").count, Some(1));
}

#[test]
fn a_unique_custom_property_is_kept_unique() {
    let house = House::new();
    house.property(
        "product",
        FieldInfo {
            unique: true,
            ..FieldInfo::new("ean", FieldKind::Text)
        },
    );
    house.create(
        "product",
        "1",
        &[("ean", text("4006381333931")), ("price", decimal("1.10"))],
    );
    let why = refused(house.write(
        "product",
        "2",
        Write::Create,
        &[("ean", text("4006381333931"))],
    ));
    assert_eq!(
        why,
        "destination refused product 2: property \"ean\" has the value \"4006381333931\" of product 1"
    );
}
