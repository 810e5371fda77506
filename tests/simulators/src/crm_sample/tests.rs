//! Holds the sample's truth against the facts known of the CSV files.

use super::told::{ENGAGING, PROSPECTING, UNKNOWN_PRODUCT};
use super::*;
use crate::truth::{Amount, Day, DealStatus, FieldValue};
use std::path::PathBuf;

fn sample() -> Option<CrmSample> {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/crm-sample"
    ));
    if !folder.exists() {
        println!("SKIPPED: the crm sample is not at {}", folder.display());
        return None;
    }
    Some(CrmSample::read(&folder).expect("the sample can be read"))
}

#[test]
fn counts_are_those_of_the_files() {
    let Some(crm) = sample() else { return };
    let count = |test: &dyn Fn(&Deal) -> bool| crm.deals.iter().filter(|deal| test(deal)).count();
    assert_eq!(count(&|deal| deal.status == DealStatus::Won), 4238);
    assert_eq!(count(&|deal| deal.status == DealStatus::Lost), 2473);
    assert_eq!(
        count(&|deal| deal.status == DealStatus::Open && deal.stage == ENGAGING),
        1589
    );
    assert_eq!(count(&|deal| deal.stage == PROSPECTING), 500);
    assert_eq!(count(&|deal| deal.organization.is_none()), 1425);
    let unknown = crm
        .line_items
        .iter()
        .filter(|item| item.product == UNKNOWN_PRODUCT);
    let names: Vec<&str> = unknown.map(|item| item.name.as_str()).collect();
    assert_eq!(names.len(), 1480);
    assert!(names.iter().all(|name| *name == "GTXPro"));
    assert_eq!(
        (
            crm.count(Kind::Organization),
            crm.count(Kind::Product),
            crm.count(Kind::User)
        ),
        (85, 7, 35)
    );
    assert_eq!(crm.count(Kind::Person), 0);
}

#[test]
fn one_row_is_told_as_it_is_written() {
    let Some(crm) = sample() else { return };
    let deal = crm.deal(2).unwrap();
    assert_eq!(deal.title, "GTXPro Z063OYW0");
    assert_eq!(deal.value, Amount::whole(4514));
    assert_eq!(deal.added, Day::of(2016, 10, 25).start());
    assert_eq!(deal.closed, Some(Day::of(2017, 3, 11).start()));
    assert_eq!(
        crm.organization(deal.organization.unwrap()).unwrap().name,
        "Isdom"
    );
    let parent = crm
        .organizations
        .iter()
        .find(|one| one.custom.0[3].is_some())
        .unwrap();
    assert!(matches!(parent.custom.0[3], Some(FieldValue::Link(1..=85))));
    let worth: i64 = crm.deals.iter().map(|deal| deal.value.in_cents()).sum();
    let told: i64 = crm
        .deals
        .iter()
        .filter_map(|deal| match &deal.custom.0[3] {
            Some(FieldValue::Money(amount, _)) => Some(amount.in_cents()),
            _ => None,
        })
        .sum();
    assert_eq!(worth, told);
}
