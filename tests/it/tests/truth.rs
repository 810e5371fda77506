//! What the source's people know, compared with what stands at the destination after the real binary moved it: value for value.
//!
//! The same comparisons are made for a local CRM and for a HubSpot portal; where HubSpot says or does a thing differently, `portal`, and
//! `house::At` where a check asks for it, say how. `LONGSHORE_TRUTH_RECORDS=5000` makes the account larger than the usual 300 contacts.
//!
//! The truth is computed here by the simulator's own generator; nothing of the connector or the host is asked. A value that is not in
//! its place must be named in the audit workbook, by record and field.

mod house;

mod local_crm;

mod source;

mod portal;

mod expected;

mod pair;

mod custom;

mod standard;

mod sales;

mod engagements;

mod associations;

mod into_hubspot;

mod crm_sample;

use std::collections::BTreeMap;

/// What a comparison came to: how many values were compared, which of them only the workbook accounts for, and what is wrong.
#[derive(Debug, Default)]
struct Tally {
    compared: u64,
    /// Values that are not in their place and that the workbook names, by what they are.
    accounted: BTreeMap<&'static str, u64>,
    wrong: Vec<String>,
}

impl Tally {
    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        self.compared += 1;
        if !holds {
            self.wrong.push(what());
        }
    }

    fn account(&mut self, what: &'static str) {
        self.compared += 1;
        *self.accounted.entry(what).or_default() += 1;
    }

    /// Ends the comparison: nothing is wrong, and enough was compared to mean something.
    #[track_caller]
    fn end(self, least: u64) {
        let first: Vec<_> = self.wrong.iter().take(60).collect();
        assert!(
            self.wrong.is_empty(),
            "{} of {} values are wrong, among them {first:#?}",
            self.wrong.len(),
            self.compared
        );
        assert!(
            self.compared >= least,
            "only {} values were compared; accounted: {:?}",
            self.compared,
            self.accounted
        );
    }
}

/// Makes each check a test for each destination.
macro_rules! checks {
    ($($file:ident: $($check:ident),+;)+) => {
        mod in_local_crm {
            $($(#[test]
            fn $check() {
                super::$file::$check(super::pair::in_local_crm());
            })+)+
        }

        mod in_hubspot {
            $($(#[test]
            fn $check() {
                super::$file::$check(&super::pair::in_portal().house);
            })+)+
        }
    };
}

checks! {
    custom:
        every_custom_field_value_is_at_the_destination_or_accounted;
    standard:
        every_visible_record_is_there_once,
        organizations_keep_their_standard_fields,
        persons_keep_names_addresses_numbers_and_organization,
        products_keep_their_standard_fields,
        projects_keep_their_standard_fields;
    sales:
        deals_keep_stage_money_owner_and_people,
        leads_keep_their_standard_fields,
        line_items_keep_price_quantity_deal_and_product;
    engagements:
        every_engagement_is_there_once,
        notes_keep_their_text_author_and_parents,
        activities_keep_subject_time_owner_and_parents,
        calls_have_what_the_telephone_noted,
        sales_e_mails_keep_body_ends_and_parents;
    associations:
        the_associations_are_those_of_the_truth_and_no_other;
}
