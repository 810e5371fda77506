//! What of a hostile catalog is refused, what becomes a finding, and what comes through.

use super::*;

fn object(name: &str, standard: &str, fields: Vec<wit::FieldInfo>) -> wit::ObjectInfo {
    let (name, label) = (name.to_owned(), name.to_owned());
    let (standard, associations, attributes) = (Some(standard.to_owned()), vec![], vec![]);
    let (incremental, count) = (false, None);
    wit::ObjectInfo {
        name,
        label,
        standard,
        fields,
        associations,
        incremental,
        count,
        attributes,
    }
}

fn field(name: &str, standard: Option<&str>, attributes: &[(&str, &str)]) -> wit::FieldInfo {
    wit::FieldInfo {
        name: name.to_owned(),
        label: name.to_owned(),
        kind: wit::FieldKind::Option,
        custom: false,
        read_only: false,
        standard: standard.map(str::to_owned),
        options: ["a", "", "a", "b"]
            .map(|value| wit::FieldOption {
                value: value.into(),
                label: value.into(),
            })
            .into(),
        attributes: attributes
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
    }
}

fn read(objects: Vec<wit::ObjectInfo>, by: ListedBy) -> Result<CatalogReader, CatalogError> {
    let mut reader = CatalogReader::default();
    reader.take_objects(objects, by).map(|()| reader)
}

#[test]
fn a_name_that_comes_twice_refuses_the_catalog() {
    let twice = vec![
        object("deal", "deal", vec![]),
        object("deal", "lead", vec![]),
    ];
    assert_eq!(
        read(twice, ListedBy::Source).err(),
        Some(CatalogError::Twice {
            what: "object",
            name: "deal".into()
        })
    );
    let fields = vec![field("x", None, &[]), field("x", None, &[])];
    let twice = read(vec![object("deal", "deal", fields)], ListedBy::Source);
    assert_eq!(
        twice.err(),
        Some(CatalogError::Twice {
            what: "field",
            name: "x".into()
        })
    );
    let fields = (0..=FIELDS_MAX)
        .map(|number| field(&number.to_string(), None, &[]))
        .collect();
    let many = read(vec![object("deal", "deal", fields)], ListedBy::Source);
    assert!(matches!(
        many.err(),
        Some(CatalogError::TooMany { what: "fields", .. })
    ));
}

#[test]
fn what_the_host_does_not_know_becomes_a_finding() {
    let fields = vec![
        field(
            "x",
            Some("amount"),
            &[
                ("currency-field", "nowhere"),
                ("max-chars", "12"),
                ("unknown", "y"),
            ],
        ),
        field("y", Some("amount"), &[("currency-field", "x")]),
    ];
    let reader = read(
        vec![object("deal", "opportunity", fields)],
        ListedBy::Source,
    )
    .unwrap();
    let deal = &reader.objects[0];
    assert_eq!((deal.standard, reader.findings.len()), (None, 3));
    let (x, y) = (deal.fields.get(0).unwrap(), deal.fields.get(1).unwrap());
    assert_eq!(
        (
            x.standard.as_deref(),
            x.currency_field.as_deref(),
            x.max_chars
        ),
        (Some("amount"), None, Some(12))
    );
    assert_eq!(
        (y.standard.as_deref(), y.currency_field.as_deref()),
        (None, Some("x"))
    );
    assert_eq!(
        x.options
            .iter()
            .map(|option| option.value.as_str())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    // An engagement is none among objects, and an object none among engagements.
    assert_eq!(
        read(vec![object("n", "note", vec![])], ListedBy::Source)
            .unwrap()
            .objects[0]
            .standard,
        None
    );
    let left_out = read(vec![object("d", "deal", vec![])], ListedBy::Engagements).unwrap();
    assert!(left_out.objects.is_empty() && left_out.findings.len() == 2);
}

#[test]
fn pipelines_need_their_object_and_stages_are_unique() {
    let stage = |id: &str, probability| {
        let (id, label, attributes) = (id.to_owned(), id.to_owned(), vec![]);
        wit::Stage {
            id,
            label,
            probability,
            meaning: wit::StageMeaning::Won,
            attributes,
        }
    };
    let pipeline = |id: &str, object: &str, stages| {
        let (id, label, object) = (id.to_owned(), id.to_owned(), object.to_owned());
        wit::Pipeline {
            id,
            label,
            object,
            stages,
            attributes: vec![],
        }
    };
    let mut reader = read(vec![object("deal", "deal", vec![])], ListedBy::Source).unwrap();
    let pipelines = vec![
        pipeline("p", "deal", vec![stage("s", Some(101))]),
        pipeline("q", "ghost", vec![]),
    ];
    reader.take_pipelines(pipelines).unwrap();
    assert_eq!(
        (
            reader.pipelines.len(),
            reader.pipelines[0].stages[0].probability,
            reader.findings.len()
        ),
        (1, None, 2)
    );
    let twice = vec![
        pipeline("r", "deal", vec![stage("s", None)]),
        pipeline("t", "deal", vec![stage("s", None)]),
    ];
    assert!(matches!(
        reader.take_pipelines(twice),
        Err(CatalogError::Twice { what: "stage", .. })
    ));
}
