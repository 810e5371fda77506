//! Compares all associations at the destination with all that the truth has: none is missing, none is made up, none is turned round.
//!
//! Which of the missing ones a finding names is checked where the records are.

use std::collections::BTreeSet;

use simulators::truth::{Crm as _, FieldKind, FieldValue, Generated, Kind, Organization};

use super::engagements::{kind, mails};
use super::house::{Association, At, House, keep};
use super::local_crm::of_demo;
use super::pair::{account, can_link};
use super::source::object;

/// The associations of the truth whose ends are both at the destination.
struct Links<'a> {
    house: &'a House,
    all: BTreeSet<Association>,
    /// How many the destination refuses.
    refused: u64,
}

impl Links<'_> {
    fn add(&mut self, source: &str, id: &str, to: Kind, number: u64, label: &str) {
        let other = self
            .house
            .find(object(to), &account().id(to, number))
            .map(|row| row.id);
        let own = self.house.find(source, id).map(|row| row.id);
        let (Some(own), Some(other)) = (own, other) else {
            return;
        };
        // Two records of the source may be one at the destination, and none is associated with itself.
        let is_own = own == other && House::object(source) == House::object(object(to));
        if can_link(self.house, source, object(to)) && !is_own {
            let ends = (
                (House::object(source), own),
                (House::object(object(to)), other),
            );
            // In HubSpot a labelled association is a plain one as well.
            if self.house.at() == At::Hubspot {
                self.all.insert(keep(ends.0, ends.1, ""));
            }
            self.all.insert(keep(ends.0, ends.1, label));
        } else if source != "product" && to != Kind::Product {
            // Those of products are not even planned.
            self.refused += 1;
        }
    }

    /// Plain ones, by kind.
    fn add_all(
        &mut self,
        source: &str,
        id: &str,
        to: Kind,
        numbers: impl IntoIterator<Item = u64>,
    ) {
        for number in numbers {
            self.add(source, id, to, number, "");
        }
    }

    fn add_custom(&mut self) {
        for record in account().with_custom() {
            let fields = account().crm.base().fields(record.kind);
            for (field, value) in fields.iter().zip(&record.custom.0) {
                if let (FieldKind::Link(to), Some(FieldValue::Link(number))) = (field.kind, value)
                    && to != Kind::User
                {
                    self.add(record.object, &record.id, to, *number, &field.name);
                }
            }
        }
    }

    fn add_records(&mut self) {
        let account = account();
        for found in account.persons() {
            let id = found.id.to_string();
            self.add_all("person", &id, Kind::Organization, found.organization);
        }
        for found in account.leads() {
            let id = account.id(Kind::Lead, found.id);
            self.add_all("lead", &id, Kind::Person, found.person);
            self.add_all("lead", &id, Kind::Organization, found.organization);
        }
        for found in account.projects() {
            let id = found.id.to_string();
            self.add_all("project", &id, Kind::Deal, found.deals);
            self.add_all("project", &id, Kind::Person, found.persons);
            self.add_all("project", &id, Kind::Organization, found.organizations);
        }
        for found in account.deals() {
            let id = found.id.to_string();
            self.add_all("deal", &id, Kind::Person, found.person);
            self.add_all("deal", &id, Kind::Organization, found.organization);
            for extra in account.crm.base().participants(found.id) {
                self.add("deal", &id, Kind::Person, extra.person, "Participant");
            }
            for item in account.crm.base().line_items(found.id) {
                let id = item.id.to_string();
                self.add("deal_product", &id, Kind::Deal, item.deal, "");
                self.add("deal_product", &id, Kind::Product, item.product, "");
            }
        }
    }

    fn add_engagements(&mut self) {
        let account = account();
        for found in account.activities() {
            let (object, id) = (kind(&found), found.id.to_string());
            self.add_all(object, &id, Kind::Deal, found.deal);
            self.add_all(object, &id, Kind::Lead, found.lead);
            self.add_all(object, &id, Kind::Person, found.person);
            self.add_all(object, &id, Kind::Organization, found.organization);
            self.add_all(object, &id, Kind::Project, found.project);
            for other in found.others {
                self.add(object, &id, Kind::Person, other, "Participant");
            }
        }
        for number in 1..=account.crm.base().count(Kind::Note) {
            let found = account.crm.base().note(number).expect("a note");
            let id = number.to_string();
            self.add_all("note", &id, Kind::Deal, found.deal);
            self.add_all("note", &id, Kind::Person, found.person);
            self.add_all("note", &id, Kind::Organization, found.organization);
            self.add_all("note", &id, Kind::Lead, found.lead);
            self.add_all("note", &id, Kind::Project, found.project);
        }
        for found in mails(account) {
            let id = format!("mail-{}", found.id);
            self.add("email", &id, Kind::Deal, found.deal, "");
            self.add("email", &id, Kind::Person, found.person, "");
        }
    }
}

pub(crate) fn the_associations_are_those_of_the_truth_and_no_other(house: &House) {
    let mut links = Links {
        house,
        all: BTreeSet::new(),
        refused: 0,
    };
    links.add_custom();
    links.add_records();
    links.add_engagements();
    let there = house.associations();
    let missing: Vec<_> = links.all.difference(&there).collect();
    let made_up: Vec<_> = there.difference(&links.all).collect();
    assert!(
        missing.is_empty() && made_up.is_empty(),
        "{} of {} are missing: {missing:#?}; {} are made up: {made_up:#?}",
        missing.len(),
        links.all.len(),
        made_up.len()
    );
    assert!(there.len() > 1_500, "only {} associations", there.len());
    let told = &house.summary["associations"];
    if house.at() == At::LocalCrm {
        assert_eq!(told["made"], there.len(), "{told}");
    }
    assert_eq!(told["failed"], links.refused, "{told}");
    println!("{} associations compared; {told}", there.len());
    let missing_ends = house
        .findings
        .iter()
        .filter(|finding| finding.code == "missing-end");
    assert_eq!(told["missing_end"], missing_ends.count(), "{told}");
}

/// A record that names itself cannot be linked; its value must be accounted for like any other.
#[test]
fn a_record_linked_to_itself_is_named() {
    let crm = Generated::new(200, 1);
    let fields = crm.fields(Kind::Organization);
    let itself = |found: &Organization| {
        let values = fields.iter().zip(&found.custom.0);
        let mut links =
            values.filter(|(field, _)| field.kind == FieldKind::Link(Kind::Organization));
        links.any(|(_, value)| *value == Some(FieldValue::Link(found.id)))
    };
    let all = (1..=crm.count(Kind::Organization)).filter_map(|id| crm.organization(id));
    let named: Vec<_> = all
        .filter(|found| !found.deleted && itself(found))
        .map(|found| found.id.to_string())
        .collect();
    assert!(
        !named.is_empty(),
        "the account has organizations that name themselves"
    );
    let house = of_demo(&["--records", "200", "--seed", "1"]);
    for id in named {
        let codes = ["missing-end", "refused-record", "lossy-value"];
        let told = house.findings.iter().any(|finding| {
            let is_own = finding.object == "organization" && finding.record == id;
            is_own && !finding.field.is_empty() && codes.contains(&finding.code.as_str())
        });
        assert!(
            told,
            "no finding names organization {id}, whose parent company is itself"
        );
    }
}
