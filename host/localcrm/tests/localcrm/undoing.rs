//! Undoing: records are archived, associations taken away, and what others made of both stays.

use model::destination::{Archived, Write, WriteOutcome};
use model::{Destination, DestinationRecordId, ObjectName, Value};

use crate::support::{House, link, now, text, written};

#[test]
fn an_archived_record_is_gone_with_its_associations_and_frees_what_was_its_own() {
    let house = House::new();
    let email = |text: &str| Value::Text(text.to_owned());
    let ada = house.create("contact", "1", &[("email", email("ada@ex.test"))]);
    let bob = house.create("contact", "2", &[("email", email("bob@ex.test"))]);
    let company = house.create("company", "1", &[]);
    let links = [&ada, &bob].map(|contact| link(("contact", contact), ("company", &company), None));
    assert!(
        now(house.crm.write_links(&links))
            .unwrap()
            .iter()
            .all(Result::is_ok)
    );
    let contact = ObjectName::new("contact");
    let asked = [
        ada.clone(),
        DestinationRecordId::new("999"),
        DestinationRecordId::new("x"),
    ];
    assert_eq!(
        now(house.crm.archive_records(&contact, &asked)).unwrap(),
        [Archived::Done, Archived::Gone, Archived::Gone]
    );
    assert_eq!(
        now(house
            .crm
            .archive_records(&contact, std::slice::from_ref(&ada)))
        .unwrap(),
        [Archived::Gone],
        "it may be repeated"
    );
    let read = now(house
        .crm
        .read_records(&contact, &[], &[ada.clone(), bob.clone()]))
    .unwrap();
    assert_eq!(
        read.iter().map(|record| record.id()).collect::<Vec<_>>(),
        [bob.as_str()]
    );
    let left = now(house
        .crm
        .read_links(&"company".into(), std::slice::from_ref(&company)));
    let left: Vec<_> = left
        .unwrap()
        .unwrap()
        .into_iter()
        .map(|link| link.to)
        .collect();
    assert_eq!(left, [bob]);
    // The same record comes back as another one.
    let again = house.create("contact", "1", &[("email", email("ada@ex.test"))]);
    assert_ne!(again, ada);
}

#[test]
fn an_association_is_taken_away_by_its_label_and_whichever_end_names_it() {
    let house = House::new();
    let labels = vec![("contact".into(), "company".into(), "Partner".to_owned())];
    house.prepare(&model::destination::Preparation {
        labels,
        ..Default::default()
    });
    let (contact, company) = (
        house.create("contact", "1", &[]),
        house.create("company", "1", &[]),
    );
    let plain = link(("contact", &contact), ("company", &company), None);
    let partner = link(
        ("company", &company),
        ("contact", &contact),
        Some("Partner"),
    );
    now(house.crm.write_links(&[plain.clone(), partner.clone()])).unwrap();
    let back = link(("company", &company), ("contact", &contact), None);
    assert_eq!(
        now(house.crm.remove_links(&[back, plain])).unwrap(),
        [Ok(true), Ok(false)]
    );
    let left = now(house.crm.read_links(&"contact".into(), &[contact]))
        .unwrap()
        .unwrap();
    assert_eq!(
        left.iter()
            .map(|link| link.label.as_deref())
            .collect::<Vec<_>>(),
        [Some("Partner")]
    );
    assert_eq!(now(house.crm.remove_links(&[partner])).unwrap(), [Ok(true)]);
    let nobody = link(
        ("contact", &DestinationRecordId::new("77")),
        ("table", &DestinationRecordId::new("1")),
        None,
    );
    assert_eq!(now(house.crm.remove_links(&[nobody])).unwrap(), [Ok(false)]);
}

/// Who asks for a new record and gets one that was there is told so: a roll back must not take it for its own.
#[test]
fn a_record_that_was_there_is_told_as_it_was_before() {
    let house = House::new();
    house.create("company", "1", &[("name", text("Old"))]);
    let again = house.write("company", "1", Write::Create, &[("name", text("New"))]);
    let (_, before) = written(again);
    assert!(
        before
            .as_deref()
            .is_some_and(|row| row.contains(r#""name":"Old""#)),
        "{before:?}"
    );
    let new = house.write("company", "2", Write::Create, &[]);
    assert!(matches!(new, WriteOutcome::Written { before: None, .. }));
}
