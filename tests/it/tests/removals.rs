//! Associations that the source has no longer: taken away where a run made them, and nowhere else.

use std::collections::BTreeSet;

use proptest::prelude::*;
use store::Commit;

use crate::rules::account;
use crate::sheet::{House, Line, Sheet};

/// One company per name, and a person who works for that one.
fn sheet(companies: &[&str], works_for: &[&str]) -> Sheet {
    let mut sheet = Sheet {
        page: 10,
        ..Sheet::default()
    };
    let company = |id: &&str| Line {
        id: (*id).to_owned(),
        fields: vec![(0, format!("Company {id}"))],
        links: Vec::new(),
    };
    sheet
        .lines
        .insert("company", companies.iter().map(company).collect());
    let person = Line {
        id: "7".to_owned(),
        fields: vec![(0, "Ada".to_owned()), (2, "ada@example.com".to_owned())],
        links: works_for.iter().map(|id| (0, (*id).to_owned())).collect(),
    };
    sheet.lines.insert("person", vec![person]);
    sheet
}

fn link(person: &str, company: &str) -> (String, String) {
    (
        format!("sheet/person/{person}"),
        format!("sheet/company/{company}"),
    )
}

#[track_caller]
fn check(house: &House, companies: &[&str]) {
    let expected: BTreeSet<_> = companies.iter().map(|id| link("7", id)).collect();
    assert_eq!(house.links(), expected);
}

/// Somebody changed the company between two passes: HubSpot must not show both.
#[test]
fn who_changed_the_company_has_the_new_one_only_and_the_old_one_after_a_roll_back() {
    let mut house = House::new();
    let before = sheet(&["1", "2"], &["1"]);
    let plan = house.plan(&before);
    assert_eq!(plan.header.removals, 0);
    house.apply(&before, plan);
    let after = sheet(&["1", "2"], &["2"]);
    let plan = house.plan(&after);
    assert_eq!((plan.header.links, plan.header.removals), (1, 1));
    let run = house.apply(&after, plan);
    check(&house, &["2"]);
    let again = house.plan(&after);
    assert_eq!(
        again.header.removals, 0,
        "what is done is not planned again"
    );
    let undone = house.roll_back(run);
    assert_eq!((undone.links.removed, undone.links.restored), (1, 1));
    check(&house, &["1"]);
    let plan = house.plan(&after);
    assert_eq!(plan.header.removals, 1, "the next plan decides anew");
    house.apply(&after, plan);
    check(&house, &["2"]);
}

/// What was there before us, and what somebody added, is theirs.
#[test]
fn an_association_that_no_run_made_stays() {
    let mut house = House::new();
    let before = sheet(&["1", "2", "3"], &[]);
    let plan = house.plan(&before);
    house.apply(&before, plan);
    house.run(
        "INSERT INTO associations SELECT 'contact', p.id, 'company', c.id, '' FROM contacts p, companies c
         WHERE c.name IN ('Company 1', 'Company 3')",
    );
    let met = sheet(&["1", "2", "3"], &["1", "2"]);
    let plan = house.plan(&met);
    house.apply(&met, plan);
    check(&house, &["1", "2", "3"]);
    let plan = house.plan(&before);
    assert_eq!(plan.header.removals, 1);
    house.apply(&before, plan);
    check(&house, &["1", "3"]);
}

/// A company that is gone, left out or was not read says nothing about who works there.
#[test]
fn an_association_of_a_record_that_did_not_come_stays() {
    let mut house = House::new();
    let before = sheet(&["1", "2"], &["1", "2"]);
    let plan = house.plan(&before);
    house.apply(&before, plan);
    let mut after = sheet(&["1", "2"], &[]);
    after.lines.insert("person", Vec::new());
    let plan = house.plan(&after);
    assert_eq!(plan.header.removals, 0);
    house.apply(&after, plan);
    check(&house, &["1", "2"]);
}

/// Two persons of the source that are one: what one of them still says holds.
#[test]
fn an_association_that_a_duplicate_still_has_stays() {
    let mut house = House::new();
    let mut both = sheet(&["1"], &["1"]);
    let twin = Line {
        id: "8".to_owned(),
        ..both.lines["person"][0].clone()
    };
    both.lines.get_mut("person").unwrap().push(twin.clone());
    let plan = house.plan(&both);
    house.apply(&both, plan);
    check(&house, &["1"]);
    let mut after = sheet(&["1"], &[]);
    after.lines.get_mut("person").unwrap().push(twin);
    let plan = house.plan(&after);
    assert_eq!(plan.header.removals, 0);
    let mut last = sheet(&["1"], &[]);
    let mut twin = after.lines["person"][1].clone();
    twin.links.clear();
    last.lines.get_mut("person").unwrap().push(twin);
    let plan = house.plan(&last);
    house.apply(&last, plan);
    check(&house, &[]);
}

/// A certificate is no certificate where one side has more than the other.
#[test]
fn an_association_too_many_is_a_difference_until_it_is_taken_away() {
    let mut house = House::new();
    let before = sheet(&["1", "2"], &["1"]);
    let plan = house.plan(&before);
    house.apply(&before, plan);
    assert!(house.certify(&before).equal);
    let after = sheet(&["1", "2"], &[]);
    let differing = house.certify(&after);
    assert!(!differing.equal);
    assert_eq!(differing.associations.surplus, 1);
    assert_eq!(
        differing.listed[0].difference,
        "the association to company 1 is there, and the source has it no longer"
    );
    let plan = house.plan(&after);
    house.apply(&after, plan);
    let equal = house.certify(&after);
    assert!(equal.equal, "{:#?}", equal.listed);
}

/// The destination took it away, and the process died before it could note that: it was this run all the same, and a roll back knows it.
#[test]
fn a_removal_that_was_cut_off_is_this_runs() {
    let mut house = House::new();
    let before = sheet(&["1"], &["1"]);
    let plan = house.plan(&before);
    house.apply(&before, plan);
    let after = sheet(&["1"], &[]);
    let plan = house.plan(&after);
    let run = house.apply_dying_at((Commit::Removals, 1), &after, plan);
    check(&house, &[]);
    house.roll_back(run);
    check(&house, &["1"]);
}

/// The same for one that was made: whose it is shows by what was there before it was announced.
#[test]
fn an_association_that_was_cut_off_is_this_runs_and_one_that_was_there_is_not() {
    let mut house = House::new();
    let before = sheet(&["1", "2"], &[]);
    let plan = house.plan(&before);
    house.apply(&before, plan);
    house.run(
        "INSERT INTO associations SELECT 'contact', p.id, 'company', c.id, '' FROM contacts p, companies c
         WHERE c.name = 'Company 1'",
    );
    let after = sheet(&["1", "2"], &["1", "2"]);
    // First what was there is noted, then what was made.
    let plan = house.plan(&after);
    let run = house.apply_dying_at((Commit::Links, 2), &after, plan);
    check(&house, &["1", "2"]);
    house.roll_back(run);
    check(&house, &["1"]);
}

/// The same records with other associations.
fn with_other_links(sheet: &Sheet, seed: u64) -> Sheet {
    let (mut other, mut state) = (sheet.clone(), seed | 1);
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for lines in other.lines.values_mut() {
        for line in lines {
            line.links.retain(|_| next(3) > 0);
            for (_, to) in &mut line.links {
                if next(3) == 0 {
                    *to = (next(6) + 1).to_string();
                }
            }
        }
    }
    other
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the associations were before, they are those of the source afterwards; and those before after a roll back.
    #[test]
    fn a_second_pass_leaves_the_associations_of_the_source_and_a_roll_back_those_before(
        sheet in account(),
        seed in any::<u64>(),
    ) {
        let first = Sheet { page: 100, ..sheet };
        let second = with_other_links(&first, seed);
        let mut house = House::new();
        let plan = house.plan(&first);
        house.apply(&first, plan);
        let before = house.links();
        let plan = house.plan(&second);
        let run = house.apply(&second, plan);
        let mut fresh = House::new();
        let plan = fresh.plan(&second);
        fresh.apply(&second, plan);
        prop_assert_eq!(house.links(), fresh.links());
        house.roll_back(run);
        prop_assert_eq!(house.links(), before);
    }
}
