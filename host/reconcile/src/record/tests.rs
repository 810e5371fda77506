//! What becomes of a record, case by case, and the laws of planning.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use model::catalog::{
    AssociationInfo, Catalog, FieldOption, FieldTable, Pipeline, Stage, StageMeaning,
};
use model::mapping::{Mapping, StageTarget};
use model::row::RowLimits;
use model::{Batch, BatchBuilder, FieldInfo, FieldKind, ObjectInfo, ObjectName, Value};
use proptest::prelude::*;

use super::*;
use crate::audit::ReadBack;
use crate::mapping::{default_mapping, planned_catalog};
use crate::matching::MatchRule;

mod rules;

/// Owners 1 to 3, products 1 to 3; everything else is bound to `d-` and its id.
struct World;

impl Directory for World {
    fn has_record(&self, _: &ObjectName, id: &str) -> bool {
        matches!(id, "1" | "2" | "3")
    }

    fn find_bound(&self, _: &Binding, id: &str) -> Option<Cow<'_, str>> {
        Some(format!("d-{id}").into())
    }
}

fn standard(name: &str, kind: FieldKind) -> FieldInfo {
    FieldInfo {
        standard: Some(name.into()),
        ..FieldInfo::new(name, kind)
    }
}

fn object(name: &str, standard: StandardObject, fields: Vec<FieldInfo>) -> ObjectInfo {
    ObjectInfo {
        name: name.into(),
        standard: Some(standard),
        fields: FieldTable::new(fields).unwrap(),
        ..ObjectInfo::default()
    }
}

fn contact(with_custom: bool) -> ObjectInfo {
    use FieldKind::{Date, Decimal, Email, Instant, Integer, Money, Option, Options, Owner, Text};
    let choice = |value: &str| FieldOption {
        value: value.into(),
        label: value.to_uppercase(),
    };
    let options = vec![choice("a"), choice("b")];
    let custom = |name: &str, label: &str, kind| FieldInfo {
        custom: true,
        label: label.into(),
        ..FieldInfo::new(name, kind)
    };
    let mut fields = vec![
        standard("firstname", Text),
        standard("email", Email),
        standard("date_of_birth", if with_custom { Instant } else { Date }),
        FieldInfo {
            options: options.clone(),
            ..standard("tier", Option)
        },
        FieldInfo {
            max_chars: (!with_custom).then_some(5),
            ..standard("city", Text)
        },
        standard("hubspot_owner_id", Owner),
        standard("numberofkids", if with_custom { Decimal } else { Integer }),
    ];
    if with_custom {
        fields.push(FieldInfo {
            options,
            ..custom("tags", "Tags", Options)
        });
        fields.push(custom("budget", "Budget", Money));
    }
    let mut contact = object("contact", StandardObject::Contact, fields);
    if with_custom {
        let to = |name: &str, label: std::option::Option<&str>| AssociationInfo {
            name: name.into(),
            to: "deal".into(),
            label: label.map(str::to_owned),
        };
        contact.associations = vec![to("main", None), to("also", None), to("boss", Some("Boss"))];
    }
    contact
}

fn pipeline(id: &str) -> Pipeline {
    let stage = |number: u8, label: &str| Stage {
        id: format!("{id}{number}").into(),
        label: label.into(),
        probability: None,
        meaning: StageMeaning::Open,
    };
    Pipeline {
        id: id.into(),
        label: format!("Pipeline {id}"),
        object: "deal".into(),
        stages: vec![stage(1, "New"), stage(2, "Parked")],
    }
}

fn side(with_custom: bool, id: FieldKind) -> Catalog {
    use FieldKind::{Email, Text};
    let deal = vec![
        standard("dealname", Text),
        standard("deal_currency_code", Text),
        standard("dealstage", id),
        standard("pipeline", id),
    ];
    let objects = vec![
        object(
            "owner",
            StandardObject::Owner,
            vec![standard("email", Email)],
        ),
        contact(with_custom),
        object("deal", StandardObject::Deal, deal),
        object(
            "line_item",
            StandardObject::LineItem,
            vec![standard("hs_product_id", id)],
        ),
        object(
            "product",
            StandardObject::Product,
            vec![standard("name", Text)],
        ),
    ];
    let pipelines = if with_custom {
        vec![pipeline("p"), pipeline("q")]
    } else {
        vec![]
    };
    Catalog {
        objects: objects.into_iter().map(Arc::new).collect(),
        pipelines,
        ..Catalog::default()
    }
}

struct Setup {
    source: Catalog,
    destination: Catalog,
    planned: Catalog,
    mapping: Mapping,
}

impl Setup {
    fn new() -> Self {
        let (source, destination) = (
            side(true, FieldKind::Reference),
            side(false, FieldKind::Reference),
        );
        let (mut mapping, _) = default_mapping(&source, &destination);
        mapping.pipelines[0].stages[1].target = StageTarget::Unmapped;
        let planned = planned_catalog(&destination, &mapping);
        Self {
            source,
            destination,
            planned,
            mapping,
        }
    }

    /// `is_applied`: whether the destination already has the planned properties.
    fn planner(&self, object: &str, is_applied: bool) -> ObjectPlanner {
        let current = if is_applied {
            &self.planned
        } else {
            &self.destination
        };
        let find = |catalog: &Catalog| catalog.find_object(object).unwrap().clone();
        let entry = self.mapping.find_object(&object.into()).unwrap();
        ObjectPlanner::new(
            &self.mapping,
            entry,
            &find(&self.source),
            &find(current),
            &find(&self.planned),
        )
        .unwrap()
    }
}

fn read(object: &Arc<ObjectInfo>, row: &str) -> Batch {
    let (batch, rejected) = Batch::decode(
        object.clone(),
        row.as_bytes().to_vec(),
        &RowLimits::default(),
    )
    .unwrap();
    assert_eq!((batch.len(), rejected), (1, vec![]), "{row}");
    batch
}

fn plan(object: &str, row: &str, known: &Known<'_>) -> (Action, PlannerOutput) {
    let setup = Setup::new();
    let planner = setup.planner(object, false);
    let mut output = PlannerOutput::default();
    let action = planner.plan_record(
        read(planner.source(), row).record(0),
        known,
        &World,
        &mut output,
    );
    (action, output)
}

/// A new record with these fields: the fields of the row that is created, and the findings as (code, field).
#[track_caller]
fn check(object: &str, fields: &str, expected: &str, findings: &[(FindingCode, &str)]) {
    let (action, output) = plan(
        object,
        &format!("{{\"id\":\"7\",\"fields\":{fields}}}"),
        &Known::default(),
    );
    let Action::Create {
        row,
        reason: Reason::New,
    } = action
    else {
        panic!("{action:?}")
    };
    assert_eq!(row, format!("{{\"id\":\"7\",\"fields\":{expected}}}"));
    let told: Vec<_> = output
        .findings
        .iter()
        .map(|finding| (finding.code, finding.field.as_deref().unwrap()))
        .collect();
    assert_eq!(told, findings);
    assert!(
        output
            .findings
            .iter()
            .all(|finding| finding.record.as_deref() == Some("7"))
    );
}

#[test]
fn a_new_record_is_created_with_all_that_is_not_blank() {
    check(
        "contact",
        r#"{"firstname":"Ann","city":"","email":null}"#,
        r#"{"firstname":"Ann"}"#,
        &[],
    );
    check(
        "contact",
        r#"{"budget":"10.50","tags":["b","a"]}"#,
        r#"{"budget":"10.50","tags":["b","a"]}"#,
        &[],
    );
    check(
        "contact",
        r#"{"numberofkids":"2.0"}"#,
        r#"{"numberofkids":2}"#,
        &[],
    );
}

#[test]
fn what_does_not_fit_is_left_out_and_told() {
    use FindingCode::LossyValue;
    check(
        "contact",
        r#"{"firstname":"A","date_of_birth":"1990-01-05T09:00:00Z"}"#,
        r#"{"firstname":"A","date_of_birth":"1990-01-05"}"#,
        &[(LossyValue, "date_of_birth")],
    );
    check(
        "contact",
        r#"{"firstname":"A","numberofkids":"1.5"}"#,
        r#"{"firstname":"A"}"#,
        &[(LossyValue, "numberofkids")],
    );
    check(
        "contact",
        r#"{"firstname":"A","email":"n/a"}"#,
        r#"{"firstname":"A"}"#,
        &[(LossyValue, "email")],
    );
    check(
        "contact",
        r#"{"city":"Zürich"}"#,
        r#"{"city":"Züric"}"#,
        &[(LossyValue, "city")],
    );
}

#[test]
fn options_that_nobody_lists_are_added_and_told_once() {
    check(
        "contact",
        r#"{"tier":"z"}"#,
        r#"{"tier":"z"}"#,
        &[(FindingCode::UnknownOption, "tier")],
    );
    check(
        "contact",
        r#"{"tags":["a","y","z"]}"#,
        r#"{"tags":["a","y","z"]}"#,
        &[
            (FindingCode::UnknownOption, "tags"),
            (FindingCode::UnknownOption, "tags"),
        ],
    );
    let (_, output) = plan(
        "contact",
        r#"{"id":"7","fields":{"tier":"z"}}"#,
        &Known::default(),
    );
    let z = FieldOption {
        value: "z".into(),
        label: "z".into(),
    };
    assert_eq!(
        output.extra_options.list(),
        [("contact".into(), "tier".into(), vec![z])]
    );
}

#[test]
fn owners_and_products_that_nobody_has_are_told_and_left_blank() {
    check(
        "contact",
        r#"{"firstname":"A","hubspot_owner_id":"9"}"#,
        r#"{"firstname":"A"}"#,
        &[(FindingCode::UnknownOwner, "hubspot_owner_id")],
    );
    check(
        "contact",
        r#"{"hubspot_owner_id":"2"}"#,
        r#"{"hubspot_owner_id":"2"}"#,
        &[],
    );
    check(
        "line_item",
        r#"{"hs_product_id":"3"}"#,
        r#"{"hs_product_id":"3"}"#,
        &[],
    );
    let (action, output) = plan(
        "line_item",
        r#"{"id":"7","fields":{"hs_product_id":"8"}}"#,
        &Known::default(),
    );
    assert!(matches!(action, Action::Create { row, .. } if row == r#"{"id":"7"}"#));
    assert_eq!(output.findings[0].code, FindingCode::UnknownProduct);
}

#[test]
fn a_deal_is_in_the_pipeline_of_its_stage() {
    use FindingCode::{LossyValue, UnknownCurrency};
    check(
        "deal",
        r#"{"dealstage":"q2","pipeline":"q"}"#,
        r#"{"dealstage":"q2","pipeline":"q"}"#,
        &[],
    );
    check(
        "deal",
        r#"{"dealstage":"q2"}"#,
        r#"{"dealstage":"q2","pipeline":"q"}"#,
        &[],
    );
    check(
        "deal",
        r#"{"dealstage":"q2","pipeline":"p"}"#,
        r#"{"dealstage":"q2","pipeline":"q"}"#,
        &[(LossyValue, "pipeline")],
    );
    check(
        "deal",
        r#"{"dealstage":"p1","deal_currency_code":"Euro"}"#,
        r#"{"dealstage":"p1","deal_currency_code":"Euro","pipeline":"p"}"#,
        &[(UnknownCurrency, "deal_currency_code")],
    );
}

#[test]
fn rule_01_a_deal_in_an_unmapped_stage_is_excluded_by_its_name() {
    let excluded = |fields: &str| match plan(
        "deal",
        &format!("{{\"id\":\"7\",\"fields\":{fields}}}"),
        &Known::default(),
    )
    .0
    {
        Action::Exclude {
            reason: Reason::UnmappedStage { stage },
        } => stage,
        action => panic!("{action:?}"),
    };
    assert_eq!(excluded(r#"{"dealstage":"p2"}"#), "Parked");
    assert_eq!(excluded(r#"{"dealstage":"unheard"}"#), "unheard");
    assert_eq!(excluded(r#"{"dealname":"x"}"#), "(none)");
}

#[test]
fn rule_03_deleted_records_are_excluded_on_either_side() {
    let (action, _) = plan("deal", r#"{"id":"7","deleted":true}"#, &Known::default());
    assert_eq!(
        action,
        Action::Exclude {
            reason: Reason::DeletedAtSource
        }
    );
    let id = DestinationRecordId::new("70");
    let known = Known {
        bound: Some(&id),
        deleted_at_destination: true,
        ..Known::default()
    };
    let (action, _) = plan(
        "contact",
        r#"{"id":"7","fields":{"firstname":"Ann"}}"#,
        &known,
    );
    assert_eq!(
        action,
        Action::Exclude {
            reason: Reason::DeletedAtDestination
        }
    );
}

fn key() -> MatchKey {
    MatchKey {
        rule: MatchRule::Email,
        key: "a@x.de".into(),
    }
}

/// A matched contact with these fields on both sides: the changed row and the row before, or nothing where it is kept.
#[track_caller]
fn check_update(source: &str, current: &str, expected: Option<(&str, &str)>) {
    let (id, key, setup) = (DestinationRecordId::new("70"), key(), Setup::new());
    let current = read(
        setup.destination.find_object("contact").unwrap(),
        &format!("{{\"id\":\"70\",\"fields\":{current}}}"),
    );
    let matched = Some(Matched {
        destination: &id,
        key: &key,
    });
    let known = Known {
        matched,
        current: Some(current.record(0)),
        ..Known::default()
    };
    let (action, _) = plan(
        "contact",
        &format!("{{\"id\":\"7\",\"fields\":{source}}}"),
        &known,
    );
    let told = match &action {
        Action::Update { row, before, .. } => Some((row.as_str(), before.as_str())),
        Action::Keep { .. } => None,
        action => panic!("{action:?}"),
    };
    assert_eq!(told, expected);
    assert_eq!(
        *action.reason(),
        Reason::Matched {
            rule: "e-mail".into(),
            key: "a@x.de".into()
        }
    );
}

#[test]
fn an_update_has_only_what_changes_and_what_was_before() {
    check_update(
        r#"{"firstname":"Ann","city":"Bonn"}"#,
        r#"{"firstname":"Ann","city":"Köln"}"#,
        Some((
            r#"{"id":"7","fields":{"city":"Bonn"}}"#,
            r#"{"id":"70","fields":{"city":"Köln"}}"#,
        )),
    );
    check_update(
        r#"{"budget":"5"}"#,
        r#"{"firstname":"Ann"}"#,
        Some((
            r#"{"id":"7","fields":{"budget":"5"}}"#,
            r#"{"id":"70","fields":{"budget":null}}"#,
        )),
    );
    check_update(
        r#"{"hubspot_owner_id":"2"}"#,
        r#"{"hubspot_owner_id":"d-1"}"#,
        Some((
            r#"{"id":"7","fields":{"hubspot_owner_id":"2"}}"#,
            r#"{"id":"70","fields":{"hubspot_owner_id":"d-1"}}"#,
        )),
    );
}

#[test]
fn blank_never_overwrites_and_equal_values_are_kept() {
    check_update(
        r#"{"firstname":"","city":null}"#,
        r#"{"firstname":"Ann","city":"Köln"}"#,
        None,
    );
    check_update(
        r#"{"hubspot_owner_id":"2","email":"Ann@x.de"}"#,
        r#"{"hubspot_owner_id":"d-2","email":"ann@x.de"}"#,
        None,
    );
    check_update(r#"{"city":"Zürich"}"#, r#"{"city":"Züric"}"#, None);
}

#[test]
fn a_duplicate_is_linked_and_what_the_survivor_lacks_is_told() {
    let (setup, key) = (Setup::new(), key());
    let contact = setup.source.find_object("contact").unwrap();
    let kept = read(
        contact,
        r#"{"id":"3","fields":{"firstname":"Ann","email":"A@x.de"}}"#,
    );
    let survivor = Survivor {
        id: "3",
        key: &key,
        record: Some(kept.record(0)),
        bound: None,
    };
    let known = Known {
        survivor: Some(survivor),
        ..Known::default()
    };
    let (action, output) = plan(
        "contact",
        r#"{"id":"7","fields":{"firstname":"Anna","email":"a@x.de","city":"Bonn"}}"#,
        &known,
    );
    assert_eq!(
        action,
        Action::Link {
            survivor: "3".into(),
            reason: Reason::Duplicate {
                rule: "e-mail".into(),
                key: "a@x.de".into()
            }
        }
    );
    let messages: Vec<_> = output
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    let expected = [
        "same e-mail as record 3, which is kept: a@x.de",
        "\"Anna\" is left out: record 3, which is kept, has \"Ann\"",
        "\"Bonn\" is left out: record 3, which is kept, has nothing",
    ];
    assert_eq!(messages, expected);
}

#[test]
fn rule_13_what_was_bound_stays_bound() {
    let (own, other, key) = (
        DestinationRecordId::new("70"),
        DestinationRecordId::new("30"),
        key(),
    );
    let survivor = |bound| {
        Some(Survivor {
            id: "3",
            key: &key,
            record: None,
            bound,
        })
    };
    let row = r#"{"id":"7","fields":{"firstname":"Ann"}}"#;
    let matched = Some(Matched {
        destination: &other,
        key: &key,
    });
    let (action, _) = plan(
        "contact",
        row,
        &Known {
            bound: Some(&own),
            survivor: survivor(Some(&other)),
            matched,
            ..Known::default()
        },
    );
    assert!(
        matches!(&action, Action::Update { destination, reason: Reason::Bound, .. } if *destination == own),
        "{action:?}"
    );
    // A record that was linked before stays linked: it never writes to the survivor's record.
    let (action, _) = plan(
        "contact",
        row,
        &Known {
            bound: Some(&other),
            survivor: survivor(Some(&other)),
            ..Known::default()
        },
    );
    assert!(matches!(action, Action::Link { .. }), "{action:?}");
}

#[test]
fn links_are_planned_once_each() {
    let setup = Setup::new();
    let planner = setup.planner("contact", false);
    let links = |associations: &str| -> Vec<(Option<String>, String)> {
        let batch = read(
            planner.source(),
            &format!("{{\"id\":\"7\",\"associations\":{associations}}}"),
        );
        planner
            .plan_links(batch.record(0))
            .map(|(association, id)| (association.label.clone(), id.to_owned()))
            .collect()
    };
    let plain = |id: &str| (None, id.to_owned());
    assert_eq!(
        links(r#"[["main","1"],["also","2"],["also","1"],["boss","1"]]"#),
        [plain("1"), plain("2"), (Some("Boss".into()), "1".into())]
    );
    let many: Vec<String> = (0..60)
        .map(|number| format!("[\"{}\",\"{}\"]", ["main", "also"][number % 2], number / 3))
        .collect();
    let expected: Vec<_> = (0..20).map(|id| plain(&id.to_string())).collect();
    assert_eq!(links(&format!("[{}]", many.join(","))), expected);
}

#[test]
fn a_wrong_mapping_is_told_with_all_its_faults() {
    let mut setup = Setup::new();
    let at = setup
        .mapping
        .objects
        .iter()
        .position(|entry| entry.source.as_str() == "contact")
        .unwrap();
    let fields = &mut setup.mapping.objects[at].fields;
    fields[0].source = "nothing".into();
    fields[1].destination = "nowhere".into();
    fields[2].destination = "email".into();
    fields[3].destination = "numberofkids".into();
    let object = |catalog: &Catalog| catalog.find_object("contact").unwrap().clone();
    let error = ObjectPlanner::new(
        &setup.mapping,
        &setup.mapping.objects[at],
        &object(&setup.source),
        &object(&setup.destination),
        &object(&setup.planned),
    )
    .unwrap_err();
    let expected = "mapping of source object contact cannot be used: source field \"nothing\" does not exist; \
        destination property \"nowhere\" does not exist; source field \"date_of_birth\" is instant, which does not go into \"email\", \
        a property of kind email; source field \"tier\" is option, which does not go into \"numberofkids\", a property of kind integer; \
        destination property \"numberofkids\" is filled twice";
    assert_eq!(error.to_string(), expected);
}

fn any_value(kind: FieldKind) -> BoxedStrategy<Value> {
    let day = || {
        (0_i64..20_000).prop_map(|day| model::Instant::from_unix_us(day * 86_400_000_000).unwrap())
    };
    let filled = match kind {
        FieldKind::Decimal | FieldKind::Money => (any::<i32>(), 0_u32..3)
            .prop_map(|(number, scale)| Value::Decimal(model::Decimal::new(number.into(), scale)))
            .boxed(),
        FieldKind::Instant => (day(), 0_i64..2)
            .prop_map(|(day, off)| {
                Value::Instant(model::Instant::from_unix_us(day.unix_us() + off).unwrap())
            })
            .boxed(),
        FieldKind::Option => "[abz]".prop_map(Value::Text).boxed(),
        FieldKind::Options => prop::collection::vec("[abyz]", 0..4)
            .prop_map(Value::Options)
            .boxed(),
        FieldKind::Owner | FieldKind::Reference => "[1-4]".prop_map(Value::Text).boxed(),
        FieldKind::Email => "[a-zA-Z]{1,3}(@x\\.de)?".prop_map(Value::Text).boxed(),
        _ => "\\PC{0,8}".prop_map(Value::Text).boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 4 => filled].boxed()
}

fn any_contact() -> impl Strategy<Value = Vec<Option<Value>>> {
    let kinds: Vec<FieldKind> = side(true, FieldKind::Reference)
        .find_object("contact")
        .unwrap()
        .fields
        .iter()
        .map(|field| field.kind)
        .collect();
    kinds
        .into_iter()
        .map(|kind| prop::option::of(any_value(kind)))
        .collect::<Vec<_>>()
}

fn build(object: &Arc<ObjectInfo>, id: &str, values: &[Option<Value>]) -> Batch {
    let mut builder = BatchBuilder::new(object.clone());
    builder.begin(id, None);
    for (at, value) in (0_u16..).zip(values) {
        if let Some(value) = value {
            builder.field(at, value.as_ref());
        }
    }
    builder.finish()
}

/// The destination's record after a perfect apply: what it had, and over it the planned row with its ids bound.
fn applied(
    planner: &ObjectPlanner,
    before: &HashMap<u16, Value>,
    row: &str,
) -> (Batch, HashMap<u16, Value>) {
    let planned = read(planner.planned(), row);
    let bound: Vec<u16> = planner.bindings().map(|(position, _)| position).collect();
    let mut values = before.clone();
    for (position, value) in planned.record(0).fields() {
        let value = match value {
            ValueRef::Text(id) if bound.contains(&position) => Value::Text(format!("d-{id}")),
            value => value.to_owned(),
        };
        values.insert(position, value);
    }
    let mut builder = BatchBuilder::new(planner.planned().clone());
    builder.begin("70", None);
    values.iter().for_each(|(position, value)| {
        builder.field(*position, value.as_ref());
    });
    (builder.finish(), values)
}

proptest! {
    #[test]
    fn planning_after_a_perfect_apply_keeps_everything_and_reads_back_equal(first in any_contact(), second in any_contact()) {
        let setup = Setup::new();
        let (planner, id) = (setup.planner("contact", true), DestinationRecordId::new("70"));
        let mut output = PlannerOutput::default();
        let source = build(planner.source(), "7", &first);
        let created = planner.plan_record(source.record(0), &Known::default(), &World, &mut output);
        let repeated = planner.plan_record(source.record(0), &Known::default(), &World, &mut PlannerOutput::default());
        prop_assert_eq!(&created, &repeated);
        let Action::Create { row, .. } = created else { panic!("{created:?}") };
        let (there, values) = applied(&planner, &HashMap::new(), &row);

        let mut differences = Vec::new();
        ReadBack::new(&planner, planner.planned()).compare(read(planner.planned(), &row).record(0), there.record(0), &World, &mut differences);
        prop_assert_eq!(differences, vec![]);

        let known = Known { bound: Some(&id), current: Some(there.record(0)), ..Known::default() };
        let again = planner.plan_record(source.record(0), &known, &World, &mut output);
        prop_assert_eq!(again, Action::Keep { destination: id.clone(), reason: Reason::Bound });

        // The source changes; after that is applied too, nothing is left to do.
        let changed = build(planner.source(), "7", &second);
        if let Action::Update { row, .. } = planner.plan_record(changed.record(0), &known, &World, &mut output) {
            let (there, _) = applied(&planner, &values, &row);
            let known = Known { bound: Some(&id), current: Some(there.record(0)), ..Known::default() };
            let again = planner.plan_record(changed.record(0), &known, &World, &mut output);
            prop_assert_eq!(again, Action::Keep { destination: id.clone(), reason: Reason::Bound });
        }
    }

    #[test]
    fn every_value_arrives_or_is_told(values in any_contact()) {
        let setup = Setup::new();
        let planner = setup.planner("contact", false);
        let mut output = PlannerOutput::default();
        let source = build(planner.source(), "7", &values);
        let Action::Create { row, .. } = planner.plan_record(source.record(0), &Known::default(), &World, &mut output) else { panic!() };
        let planned = read(planner.planned(), &row);
        for (position, value) in source.record(0).fields() {
            let name = &planner.source().fields.get(position).unwrap().name;
            let there = planned.record(0).find_field(planner.planned().fields.find(name).unwrap());
            let is_told = output.findings.iter().any(|finding| finding.field.as_ref() == Some(name));
            match there {
                None => prop_assert!(value.is_blank() || is_told, "{} {:?}", name, value),
                // Nothing is invented: what is there says the same, or the difference is told.
                Some(there) => prop_assert!(!value.is_blank() && (is_told || there.to_string() == value.to_string() || is_alike(there, value)), "{} {:?} {:?}", name, value, there),
            }
        }
        prop_assert_eq!(planned.record(0).fields().filter(|(_, value)| value.is_blank()).count(), 0);
    }
}

fn is_alike(there: ValueRef<'_>, value: ValueRef<'_>) -> bool {
    match (there, value) {
        (ValueRef::Date(date), ValueRef::Instant(instant)) => date.midnight() == instant,
        (ValueRef::Integer(there), ValueRef::Decimal(value)) => {
            model::Decimal::from(there) == value
        }
        (ValueRef::Options(there), ValueRef::Options(value)) => is_equal(
            FieldKind::Options,
            ValueRef::Options(there),
            ValueRef::Options(value),
        ),
        _ => false,
    }
}
