//! Associations: kept once, whichever end names them, plain and by label.

use model::destination::{Link, Preparation};
use model::{Destination, ObjectName};

use crate::support::{House, link, now, text};

fn write(house: &House, links: &[Link]) -> Vec<Result<bool, String>> {
    let answers = now(house.crm.write_links(links)).unwrap();
    answers
        .into_iter()
        .map(|answer| answer.map_err(|refused| refused.to_string()))
        .collect()
}

fn count(house: &House, from: &str, to: &str) -> u64 {
    house
        .crm
        .count_links(&ObjectName::new(from), &ObjectName::new(to))
        .unwrap()
}

#[test]
fn an_association_is_one_whichever_end_names_it_and_however_often() {
    let house = House::new();
    let contact = house.create("contact", "1", &[]);
    let company = house.create("company", "1", &[]);
    let there = link(("contact", &contact), ("company", &company), None);
    let back = link(("company", &company), ("contact", &contact), None);
    assert_eq!(
        write(&house, &[there.clone(), back.clone()]),
        [Ok(true), Ok(false)]
    );
    assert_eq!(write(&house, &[back, there]), [Ok(false), Ok(false)]);
    assert_eq!(
        (
            count(&house, "contact", "company"),
            count(&house, "company", "contact")
        ),
        (1, 1)
    );
    assert_eq!(count(&house, "contact", "deal"), 0);
}

#[test]
fn a_label_is_an_association_of_its_own_and_must_be_known() {
    let house = House::new();
    let (deal, contact) = (
        house.deal("d", 0, "1", "EUR"),
        house.create("contact", "1", &[]),
    );
    let maker = link(
        ("contact", &contact),
        ("deal", &deal),
        Some("Decision maker"),
    );
    let why =
        "destination refused the association: deal and contact have no label \"Decision maker\"";
    assert_eq!(
        write(&house, std::slice::from_ref(&maker)),
        [Err(why.to_owned())]
    );
    let labels = vec![(
        ObjectName::new("contact"),
        ObjectName::new("deal"),
        "Decision maker".to_owned(),
    )];
    let preparation = Preparation {
        labels,
        ..Preparation::default()
    };
    house.prepare(&preparation);
    house.prepare(&preparation);
    let plain = link(("deal", &deal), ("contact", &contact), None);
    assert_eq!(
        write(&house, &[maker.clone(), maker, plain]),
        [Ok(true), Ok(false), Ok(true)]
    );
    assert_eq!(count(&house, "deal", "contact"), 2);
    let known = |object: &str| {
        let info = house.object(object);
        info.associations
            .iter()
            .filter(|association| association.label.as_deref() == Some("Decision maker"))
            .count()
    };
    assert_eq!(
        (known("deal"), known("contact"), known("company")),
        (1, 1, 0)
    );
}

#[test]
fn ends_that_do_not_exist_are_refused_and_the_rest_is_written() {
    let house = House::new();
    let (note, contact) = (
        house.create("note", "1", &[]),
        house.create("contact", "1", &[]),
    );
    let absent = "99".into();
    let links = [
        link(("note", &note), ("contact", &absent), None),
        link(("note", &absent), ("contact", &contact), None),
        link(("poem", &note), ("contact", &contact), None),
        link(("contact", &contact), ("contact", &contact), None),
        link(("note", &note), ("contact", &contact), None),
    ];
    let refused = |why: &str| Err(format!("destination refused the association: {why}"));
    let expected = [
        refused("contact \"99\" does not exist"),
        refused("note \"99\" does not exist"),
        refused("there is no object \"poem\""),
        refused("contact 1 would be linked with itself"),
        Ok(true),
    ];
    assert_eq!(write(&house, &links), expected);
}

#[test]
fn a_line_item_belongs_to_one_deal() {
    let house = House::new();
    let (first, second) = (
        house.deal("d1", 0, "1", "EUR"),
        house.deal("d2", 0, "1", "EUR"),
    );
    let item = house.create("line_item", "1", &[("name", text("Widget"))]);
    let own = link(("line_item", &item), ("deal", &first), None);
    let other = link(("deal", &second), ("line_item", &item), None);
    let why =
        "destination refused the association: line_item 1 belongs to deal 1 already, not to deal 2"
            .to_owned();
    assert_eq!(
        write(&house, &[own.clone(), other, own]),
        [Ok(true), Err(why), Ok(false)]
    );
    assert_eq!(count(&house, "line_item", "deal"), 1);
}

#[test]
fn records_of_one_object_may_be_linked_and_a_label_keeps_its_direction() {
    let house = House::new();
    let (parent, child) = (
        house.create("company", "1", &[]),
        house.create("company", "2", &[]),
    );
    let labels = vec![(
        ObjectName::new("company"),
        ObjectName::new("company"),
        "Parent".to_owned(),
    )];
    house.prepare(&Preparation {
        labels,
        ..Preparation::default()
    });
    let plain = link(("company", &parent), ("company", &child), None);
    let turned = link(("company", &child), ("company", &parent), None);
    let labelled = link(("company", &parent), ("company", &child), Some("Parent"));
    assert_eq!(
        write(&house, &[plain, turned, labelled]),
        [Ok(true), Ok(false), Ok(true)]
    );
    let from: i64 = house
        .sql()
        .query_row(
            "SELECT from_id FROM associations WHERE label = 'Parent'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(from.to_string(), parent.as_str());
}
