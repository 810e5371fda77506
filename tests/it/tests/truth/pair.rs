//! Holds a record of the truth beside the record it became, and the checks that both must stand: columns, owner, associations.
//!
//! Which columns and associations there must be is the tests'.

use std::collections::HashSet;
use std::sync::OnceLock;

use simulators::truth::{Kind, Moment};

use super::Tally;
use super::house::{At, House, Row};
use super::local_crm::of_demo;
use super::portal::{Moved, migrate_twice};
use super::source::{Account, SEED, object, records, truth};

/// The account, computed once.
pub(crate) fn account() -> &'static Account {
    static ACCOUNT: OnceLock<Account> = OnceLock::new();
    ACCOUNT.get_or_init(Account::new)
}

/// What its migration into a local CRM left, run once.
pub(crate) fn in_local_crm() -> &'static House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(|| {
        let (records, seed) = (records().to_string(), SEED.to_string());
        of_demo(&["--records", &records, "--seed", &seed])
    })
}

/// What its migration into a HubSpot portal left, run once.
pub(crate) fn in_portal() -> &'static Moved {
    static MOVED: OnceLock<Moved> = OnceLock::new();
    MOVED.get_or_init(|| migrate_twice(&truth()))
}

/// Whether HubSpot does not take that record: a lead whose contact is not there. The workbook must name it.
pub(crate) fn is_refused(house: &House, source: &str, id: &str) -> bool {
    static ALONE: OnceLock<HashSet<String>> = OnceLock::new();
    let alone = ALONE.get_or_init(|| {
        let account = account();
        let leads = account.leads().into_iter().filter(|lead| {
            let person = lead.person;
            !person.is_some_and(|person| account.is_visible(Kind::Person, person))
        });
        leads.map(|lead| account.id(Kind::Lead, lead.id)).collect()
    });
    house.at() == At::Hubspot && source == "lead" && alone.contains(id)
}

/// Whether the destination has associations between the objects that those of the source become: HubSpot has none of products, none
/// between leads and leads or projects, and none between projects.
pub(crate) fn can_link(house: &House, from: &str, to: &str) -> bool {
    let is_product = from == "product" || to == "product";
    let is_lead_with =
        |one: &str, other: &str| one == "lead" && matches!(other, "lead" | "project");
    let are_projects = from == "project" && to == "project";
    let is_refused = is_product || are_projects || is_lead_with(from, to) || is_lead_with(to, from);
    house.at() == At::LocalCrm || !is_refused
}

/// A record of the truth beside the record that it became.
pub(crate) struct Pair<'a> {
    pub(crate) house: &'a House,
    pub(crate) source: &'static str,
    pub(crate) id: String,
    pub(crate) row: &'a Row,
}

impl<'a> Pair<'a> {
    /// The pair; where the record is not at the destination, that is wrong, unless the destination does not take it and the workbook
    /// says so.
    pub(crate) fn find(
        house: &'a House,
        source: &'static str,
        id: String,
        tally: &mut Tally,
    ) -> Option<Self> {
        let row = house.find(source, &id);
        if is_refused(house, source, &id) {
            let why = house.why_left_out(source, &id).unwrap_or_default();
            let told = house.names(&["refused-record"], source, &id, "");
            tally.check(row.is_none() && told && why.contains("contact"), || {
                format!("{source} {id} without a contact: {row:?}, told: {told}, {why:?}")
            });
            tally.account("lead without a contact");
            return None;
        }
        tally.check(row.is_some(), || {
            format!(
                "{source} {id} is not at the destination: {:?}",
                house.why_left_out(source, &id)
            )
        });
        row.map(|row| Self {
            house,
            source,
            id,
            row,
        })
    }

    /// Checks a column. A duplicate's own value may be left out where the workbook names it.
    pub(crate) fn check(
        &self,
        column: &str,
        field: &str,
        tally: &mut Tally,
        holds: impl FnOnce(Option<&str>) -> bool,
    ) {
        let cell = self.row.text(column);
        if holds(cell.as_deref()) {
            tally.compared += 1;
        } else if self.is_left_out(field) {
            tally.account("value of a duplicate");
        } else {
            tally.check(false, || {
                format!("{} {}: {column} holds {cell:?}", self.source, self.id)
            });
        }
    }

    /// Checks a column that holds a text as it is; an empty one may be NULL.
    pub(crate) fn text(&self, column: &str, field: &str, want: Option<&str>, tally: &mut Tally) {
        let want = want.filter(|text| !text.is_empty());
        if want.is_none() && self.house.is_duplicate(self.source, &self.id) {
            return;
        }
        let kept = self.row.text(column);
        if kept.as_deref() == want {
            tally.compared += 1;
        } else if self.is_left_out(field) {
            tally.account("value of a duplicate");
        } else {
            tally.check(false, || {
                format!(
                    "{} {}: {column} holds {kept:?}, not {want:?}",
                    self.source, self.id
                )
            });
        }
    }

    /// Checks a custom property that the field of that label got.
    pub(crate) fn property(&self, label: &str, field: &str, want: Option<&str>, tally: &mut Tally) {
        match self.house.property(House::object(self.source), label) {
            Ok(property) => self.text(&property.name, field, want, tally),
            Err(why) => tally.wrong.push(why),
        }
    }

    /// Checks a custom property of options by the labels that people see.
    pub(crate) fn options(&self, label: &str, field: &str, want: &[String], tally: &mut Tally) {
        let property = match self.house.property(House::object(self.source), label) {
            Ok(property) => property,
            Err(why) => return tally.wrong.push(why),
        };
        if want.is_empty() && self.house.is_duplicate(self.source, &self.id) {
            return;
        }
        let mut want = want.to_vec();
        want.sort_unstable();
        self.check(&property.name, field, tally, |cell| {
            let mut labels = property.labels(cell);
            labels.sort_unstable();
            labels == want
        });
    }

    fn is_left_out(&self, field: &str) -> bool {
        self.house.is_duplicate(self.source, &self.id)
            && self
                .house
                .names(&["lossy-value"], self.source, &self.id, field)
    }

    /// Checks the owner: the user by e-mail, or nothing and a finding where there is no such user.
    pub(crate) fn owner(&self, number: u64, tally: &mut Tally) {
        let owner = self.row.text("hubspot_owner_id");
        let users = account().crm.base().users();
        let Some(user) = users.iter().find(|user| user.id == number) else {
            // The one who was deleted is in no list.
            let told = self.house.names(
                &["unknown-owner", "lossy-value"],
                self.source,
                &self.id,
                self.owner_field(),
            );
            let is_blank = owner.is_none() || self.house.is_duplicate(self.source, &self.id);
            tally.check(is_blank && told, || {
                format!(
                    "{} {}: owner {owner:?} of user {number}, told: {told}",
                    self.source, self.id
                )
            });
            tally
                .accounted
                .entry("unknown owner")
                .and_modify(|count| *count += 1)
                .or_insert(1);
            return;
        };
        let rows = self.house.rows("owner");
        let kept = rows
            .iter()
            .find(|row| Some(row.id.to_string()) == owner)
            .and_then(|row| row.text("email"));
        if kept.as_deref() == Some(&user.email) {
            tally.compared += 1;
        } else if self.is_left_out(self.owner_field()) {
            tally.account("value of a duplicate");
        } else {
            tally.check(false, || {
                format!(
                    "{} {}: owner is {kept:?}, not {}",
                    self.source, self.id, user.email
                )
            });
        }
    }

    fn owner_field(&self) -> &'static str {
        if self.source == "note" {
            "user_id"
        } else {
            "owner_id"
        }
    }

    /// Checks an association; where the other end is not shown by the vendor, a finding must say so.
    pub(crate) fn link(&self, kind: Kind, number: u64, label: &str, tally: &mut Tally) {
        let (other, id) = (object(kind), account().id(kind, number));
        let end = format!("{other} {id}");
        match self.house.find(other, &id) {
            Some(row) => {
                let linked = self.house.is_linked(
                    (House::object(self.source), self.row.id),
                    (House::object(other), row.id),
                    label,
                );
                tally.check(linked, || {
                    format!(
                        "{} {} is not linked to {end} by {label:?}",
                        self.source, self.id
                    )
                });
            }
            None => {
                let told = self
                    .house
                    .names(&["missing-end"], self.source, &self.id, &end);
                let is_nowhere =
                    !account().is_visible(kind, number) || is_refused(self.house, other, &id);
                tally.check(told && is_nowhere, || {
                    format!(
                        "{} {}: no finding says that {end} is missing",
                        self.source, self.id
                    )
                });
                *tally.accounted.entry("missing end").or_default() += 1;
            }
        }
    }

    /// Checks all plain associations.
    pub(crate) fn links(
        &self,
        kind: Kind,
        numbers: impl IntoIterator<Item = u64>,
        tally: &mut Tally,
    ) {
        numbers
            .into_iter()
            .for_each(|number| self.link(kind, number, "", tally));
    }
}

/// An instant as the local CRM keeps it.
pub(crate) fn instant(at: Moment) -> String {
    let mut text = Vec::new();
    at.write(&mut text, b'T');
    if at.0.rem_euclid(1000) != 0 {
        at.write_millis(&mut text);
    }
    let mut text = String::from_utf8(text).expect("digits");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').len());
    }
    text + "Z"
}
