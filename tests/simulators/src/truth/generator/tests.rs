//! Holds the generator to its promises: the same record twice, flat memory, and the dirt that was ordered.

use super::*;
use std::collections::HashSet;

#[test]
fn a_record_is_the_same_whenever_it_is_told() {
    let (one, two) = (Generated::new(1_000_000, 7), Generated::new(1_000_000, 7));
    for id in [1, 2, 999, 123_456, 250_000] {
        assert_eq!(one.person(id), two.person(id));
        assert_eq!(one.organization(id), two.organization(id));
        assert_eq!(one.deal(id), two.deal(id));
        assert_eq!(one.note(id), two.note(id));
        assert_eq!(one.activity(id), two.activity(id));
        assert_eq!(one.line_items(id), two.line_items(id));
    }
    assert_ne!(one.person(5), Generated::new(1_000_000, 8).person(5));
    assert_eq!(one.person(0), None);
    assert_eq!(one.person(1_000_001), None);
}

#[test]
fn one_instant_is_shared_by_more_than_a_page_holds() {
    let crm = Generated::new(21_000, 3);
    let (first, last) = import(21_000);
    assert!(last - first >= 10_001);
    let at: HashSet<i64> = (first..last)
        .map(|rank| {
            crm.updated(Kind::Person, crm.by_update(Kind::Person, rank))
                .0
        })
        .collect();
    assert_eq!(at.len(), 1);
    let mut before = Moment(0);
    for rank in 0..21_000 {
        let updated = crm.updated(Kind::Person, crm.by_update(Kind::Person, rank));
        assert!(updated >= before, "order by update breaks at {rank}");
        before = updated;
    }
}

#[test]
fn the_dirt_that_was_ordered_is_there() {
    let crm = Generated::new(4000, 1);
    let persons: Vec<Person> = (1..=4000).filter_map(|id| crm.person(id)).collect();
    let count =
        |test: &dyn Fn(&Person) -> bool| persons.iter().filter(|person| test(person)).count();
    assert!(count(&|p| p.emails.is_empty()) > 200);
    assert!(count(&|p| p.emails.iter().any(|email| email.value.is_empty())) > 20);
    assert!(count(&|p| p.emails.iter().any(|email| email.value.starts_with(' '))) > 50);
    assert!(count(&|p| p.organization.is_none()) > 300);
    assert!(count(&|p| p.owner == DELETED_USER) > 40);
    assert!(count(&|p| p.name.starts_with('=')) > 0);
    assert!(count(&|p| p.name.len() > 255) > 0);
    let mut seen = HashSet::new();
    let addresses = persons
        .iter()
        .flat_map(|p| &p.emails)
        .map(|e| e.value.trim().to_lowercase());
    assert!(
        addresses
            .filter(|address| !seen.insert(address.clone()))
            .count()
            > 100
    );
    let twins: Vec<&Person> = persons
        .iter()
        .filter(|p| p.duplicate_of.is_some())
        .collect();
    assert!(twins.len() > 50);
    for twin in twins {
        let original = crm.person(twin.duplicate_of.unwrap()).unwrap();
        assert_eq!(original.duplicate_of, None);
        assert_eq!(original.first_name, twin.first_name);
    }
    let deals: Vec<Deal> = (1..=2000).filter_map(|id| crm.deal(id)).collect();
    assert!(
        deals.iter().any(|deal| deal.value.units < 0)
            && deals.iter().any(|deal| deal.value.units == 0)
    );
    assert_eq!(
        deals
            .iter()
            .map(|deal| deal.currency)
            .collect::<HashSet<_>>()
            .len(),
        3
    );
    assert!(
        (1..=2000)
            .filter_map(|id| crm.note(id))
            .any(|note| note.html.len() > 60_000)
    );
    let sold = (1..=2000)
        .filter(|deal| !crm.line_items(*deal).is_empty())
        .count();
    assert!((500..700).contains(&sold), "{sold} deals with products");
}
