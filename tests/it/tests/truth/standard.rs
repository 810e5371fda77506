//! Compares the standard fields, owners, stages, line items and associations of the truth with the destination.
//!
//! Custom values and engagements are other files'.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use simulators::truth::{Contact, DealStatus, Kind, Person};

use super::Tally;
use super::expected::{day, is_amount, is_number};
use super::house::{House, Row};
use super::source::{Account, RECORDS, SEED, object};

/// The account, computed once.
pub(crate) fn account() -> &'static Account {
    static ACCOUNT: OnceLock<Account> = OnceLock::new();
    ACCOUNT.get_or_init(Account::new)
}

/// What its migration left, run once.
pub(crate) fn house() -> &'static House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(|| House::of_demo(&["--records", &RECORDS.to_string(), "--seed", &SEED.to_string()]))
}

/// A record of the truth beside the record that it became.
pub(crate) struct Pair<'a> {
    pub(crate) house: &'a House,
    pub(crate) source: &'static str,
    pub(crate) id: String,
    pub(crate) row: &'a Row,
}

impl<'a> Pair<'a> {
    /// The pair; where the record is not at the destination, that is wrong.
    pub(crate) fn find(source: &'static str, id: String, tally: &mut Tally) -> Option<Self> {
        let house = house();
        let row = house.find(source, &id);
        tally.check(row.is_some(), || {
            format!("{source} {id} is not at the destination: {:?}", house.why_left_out(source, &id))
        });
        row.map(|row| Self { house, source, id, row })
    }

    /// Checks a column. A duplicate's own value may be left out where the workbook names it.
    pub(crate) fn check(&self, column: &str, field: &str, tally: &mut Tally, holds: impl FnOnce(Option<&str>) -> bool) {
        let cell = self.row.text(column);
        if holds(cell.as_deref()) {
            tally.compared += 1;
        } else if self.is_left_out(field) {
            tally.account("value of a duplicate");
        } else {
            tally.check(false, || format!("{} {}: {column} holds {cell:?}", self.source, self.id));
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
            tally.check(false, || format!("{} {}: {column} holds {kept:?}, not {want:?}", self.source, self.id));
        }
    }

    /// Checks a custom property that the field of that label got.
    pub(crate) fn property(&self, label: &str, field: &str, want: Option<&str>, tally: &mut Tally) {
        match self.house.property(House::object(self.source), label) {
            Ok(property) => self.text(&property.name, field, want, tally),
            Err(why) => tally.wrong.push(why),
        }
    }

    fn is_left_out(&self, field: &str) -> bool {
        self.house.is_duplicate(self.source, &self.id) && self.house.names(&["lossy-value"], self.source, &self.id, field)
    }

    /// Checks the owner: the user by e-mail, or nothing and a finding where there is no such user.
    pub(crate) fn owner(&self, number: u64, tally: &mut Tally) {
        let owner = self.row.text("hubspot_owner_id");
        let users = account().crm.base().users();
        let Some(user) = users.iter().find(|user| user.id == number) else {
            // The one who was deleted is in no list.
            let told = self.house.names(&["unknown-owner", "lossy-value"], self.source, &self.id, self.owner_field());
            let is_blank = owner.is_none() || self.house.is_duplicate(self.source, &self.id);
            tally.check(is_blank && told, || format!("{} {}: owner {owner:?} of user {number}, told: {told}", self.source, self.id));
            tally.accounted.entry("unknown owner").and_modify(|count| *count += 1).or_insert(1);
            return;
        };
        let rows = self.house.rows("owner");
        let kept = rows.iter().find(|row| Some(row.id.to_string()) == owner).and_then(|row| row.text("email"));
        if kept.as_deref() == Some(&user.email) {
            tally.compared += 1;
        } else if self.is_left_out(self.owner_field()) {
            tally.account("value of a duplicate");
        } else {
            tally.check(false, || format!("{} {}: owner is {kept:?}, not {}", self.source, self.id, user.email));
        }
    }

    fn owner_field(&self) -> &'static str {
        if self.source == "note" { "user_id" } else { "owner_id" }
    }

    /// Checks an association; where the other end is not shown by the vendor, a finding must say so.
    pub(crate) fn link(&self, kind: Kind, number: u64, label: &str, tally: &mut Tally) {
        let (other, id) = (object(kind), account().id(kind, number));
        let end = format!("{other} {id}");
        match self.house.find(other, &id) {
            Some(row) => {
                let linked = self.house.is_linked((House::object(self.source), self.row.id), (House::object(other), row.id), label);
                tally.check(linked, || format!("{} {} is not linked to {end} by {label:?}", self.source, self.id));
            }
            None => {
                let told = self.house.names(&["missing-end"], self.source, &self.id, &end);
                tally.check(told && !account().is_visible(kind, number), || {
                    format!("{} {}: no finding says that {end} is missing", self.source, self.id)
                });
                *tally.accounted.entry("missing end").or_default() += 1;
            }
        }
    }

    /// Checks all plain associations.
    pub(crate) fn links(&self, kind: Kind, numbers: impl IntoIterator<Item = u64>, tally: &mut Tally) {
        numbers.into_iter().for_each(|number| self.link(kind, number, "", tally));
    }
}

/// The destination has the records that the vendor shows, each once, and no other.
fn check_all_are_there(source: &'static str, ids: impl Iterator<Item = String>, tally: &mut Tally) {
    let house = house();
    let ids: BTreeSet<String> = ids.collect();
    let expected: BTreeSet<String> = ids.iter().map(|id| format!("pipedrive/{source}/{}", house.kept(source, id))).collect();
    let rows = house.rows(House::object(source));
    let there: BTreeSet<String> = rows.iter().filter_map(|row| row.text("longshore_source_id")).collect();
    tally.check(there == expected, || {
        let missing: Vec<_> = expected.difference(&there).take(5).collect();
        let more: Vec<_> = there.difference(&expected).take(5).collect();
        format!("{source}: {} are there, {} expected; missing {missing:?}, not expected {more:?}", there.len(), expected.len())
    });
    let account = &house.summary["objects"][House::object(source)];
    let duplicates = ids.iter().filter(|id| house.is_duplicate(source, id)).count() as u64;
    tally.check(account["selected"] == ids.len() as u64, || format!("{source}: selected is {}, not {}", account["selected"], ids.len()));
    tally.check(account["linked"] == duplicates, || format!("{source}: linked is {}, not {duplicates}", account["linked"]));
}

#[test]
fn every_visible_record_is_there_once() {
    let account = account();
    let mut tally = Tally::default();
    check_all_are_there("organization", account.organizations().iter().map(|found| found.id.to_string()), &mut tally);
    check_all_are_there("person", account.persons().iter().map(|found| found.id.to_string()), &mut tally);
    check_all_are_there("deal", account.deals().iter().map(|found| found.id.to_string()), &mut tally);
    check_all_are_there("lead", account.leads().iter().map(|found| account.id(Kind::Lead, found.id)), &mut tally);
    check_all_are_there("product", account.products().iter().map(|found| found.id.to_string()), &mut tally);
    check_all_are_there("project", account.projects().iter().map(|found| found.id.to_string()), &mut tally);
    check_all_are_there("user", account.crm.base().users().iter().map(|user| user.id.to_string()), &mut tally);
    let deals = account.deals();
    let items = deals.iter().flat_map(|deal| account.crm.base().line_items(deal.id));
    check_all_are_there("deal_product", items.map(|item| item.id.to_string()), &mut tally);
    tally.end(20);
}

#[test]
fn organizations_keep_their_standard_fields() {
    let mut tally = Tally::default();
    for found in account().organizations() {
        let Some(pair) = Pair::find("organization", found.id.to_string(), &mut tally) else { continue };
        pair.text("name", "name", Some(&found.name), &mut tally);
        pair.text("website", "website", found.website.as_deref(), &mut tally);
        pair.text("linkedin_company_page", "linkedin", found.linkedin.as_deref(), &mut tally);
        pair.text("industry", "industry", found.industry.as_deref(), &mut tally);
        if let Some(revenue) = found.annual_revenue {
            pair.check("annualrevenue", "annual_revenue", &mut tally, |cell| is_amount(cell, revenue));
        }
        let employees = found.employees.map(|count| count.to_string());
        pair.text("numberofemployees", "employee_count", employees.as_deref(), &mut tally);
        if let Some(address) = &found.address {
            pair.text("address", "address", Some(&address.whole), &mut tally);
            pair.text("city", "address_locality", Some(&address.town), &mut tally);
            pair.text("state", "address_admin_area_level_1", Some(&address.region), &mut tally);
            pair.text("zip", "address_postal_code", Some(&address.postal_code), &mut tally);
            pair.text("country", "address_country", Some(&address.country), &mut tally);
        }
        pair.owner(found.owner, &mut tally);
    }
    tally.end(500);
}

#[test]
fn persons_keep_names_addresses_numbers_and_organization() {
    let mut tally = Tally::default();
    for found in account().persons() {
        let Some(pair) = Pair::find("person", found.id.to_string(), &mut tally) else { continue };
        pair.text("firstname", "first_name", Some(&found.first_name), &mut tally);
        pair.text("lastname", "last_name", Some(&found.last_name), &mut tally);
        pair.property("Name", "name", Some(&found.name), &mut tally);
        check_emails(&pair, &found, &mut tally);
        check_phones(&pair, &found, &mut tally);
        pair.owner(found.owner, &mut tally);
        pair.links(Kind::Organization, found.organization, &mut tally);
    }
    tally.end(1_800);
}

fn filled(contacts: &[Contact]) -> Vec<&Contact> {
    contacts.iter().filter(|contact| !contact.value.is_empty()).collect()
}

/// The first address is the person's own; the kept spelling may differ in case and padding, as HubSpot's does.
fn check_emails(pair: &Pair<'_>, person: &Person, tally: &mut Tally) {
    let normal = |text: &str| text.trim().to_lowercase();
    let emails = filled(&person.emails);
    if let Some(first) = emails.first() {
        pair.check("email", "email", tally, |cell| cell.map(normal) == Some(normal(&first.value)));
    }
    if emails.len() > 1 {
        pair.check("hs_additional_emails", "other_emails", tally, |cell| {
            let kept: Vec<String> = cell.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
            emails[1..].iter().all(|email| kept.contains(&email.value))
        });
    }
    let all: Vec<_> = emails.iter().map(|email| format!("{}: {}", email.label, email.value)).collect();
    pair.property("E-mails with their labels", "email_labels", Some(&all.join("; ")), tally);
}

fn check_phones(pair: &Pair<'_>, person: &Person, tally: &mut Tally) {
    let phones = filled(&person.phones);
    let mobile = phones.iter().find(|phone| phone.label == "mobile");
    let phone = phones.iter().find(|phone| phone.label != "mobile").or(mobile);
    pair.text("mobilephone", "mobile", mobile.map(|phone| phone.value.as_str()), tally);
    pair.text("phone", "phone", phone.map(|phone| phone.value.as_str()), tally);
    let all: Vec<_> = phones.iter().map(|phone| format!("{}: {}", phone.label, phone.value)).collect();
    pair.property("Phones with their labels", "phone_labels", Some(&all.join("; ")), tally);
}

#[test]
fn deals_keep_stage_money_owner_and_people() {
    let (account, house) = (account(), house());
    let crm = account.crm.base();
    let mut tally = Tally::default();
    for found in account.deals() {
        let Some(pair) = Pair::find("deal", found.id.to_string(), &mut tally) else { continue };
        pair.text("dealname", "title", Some(&found.title), &mut tally);
        pair.check("amount", "value", &mut tally, |cell| is_amount(cell, found.value));
        pair.text("deal_currency_code", "currency", Some(found.currency), &mut tally);
        pair.text("closed_lost_reason", "lost_reason", found.lost_reason.as_deref(), &mut tally);
        pair.text("expected_close_date", "expected_close_date", found.expected_close.map(day).as_deref(), &mut tally);
        let closed = found.closed.map(instant);
        pair.text("closedate", "close_time", closed.as_deref(), &mut tally);
        let probability = found.probability.map(|percent| percent.to_string());
        if let Some(percent) = &probability {
            pair.check("hs_deal_probability", "probability", &mut tally, |cell| is_number(cell, percent));
        }
        let stage = crm.stages().iter().find(|stage| stage.id == found.stage).expect("the deal's stage");
        let pipeline = crm.pipelines().iter().find(|pipeline| pipeline.id == found.pipeline).expect("the deal's pipeline");
        let (label, meaning) = match found.status {
            DealStatus::Won => ("Won".to_owned(), "won"),
            DealStatus::Lost => ("Lost".to_owned(), "lost"),
            DealStatus::Open => (stage.name.clone(), "open"),
        };
        let there = pair.row.text("dealstage").and_then(|id| house.stages.get(&id));
        let want = (pipeline.name.clone(), label, meaning.to_owned());
        tally.check(there == Some(&want), || format!("deal {}: stage {there:?}, not {want:?}", found.id));
        pair.owner(found.owner, &mut tally);
        pair.links(Kind::Person, found.person, &mut tally);
        pair.links(Kind::Organization, found.organization, &mut tally);
        for participant in crm.participants(found.id) {
            pair.link(Kind::Person, participant.person, "Participant", &mut tally);
        }
    }
    tally.end(1_200);
}

/// An instant as the local CRM keeps it.
pub(crate) fn instant(at: simulators::truth::Moment) -> String {
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

#[test]
fn leads_products_and_projects_keep_their_standard_fields() {
    let account = account();
    let mut tally = Tally::default();
    for found in account.leads() {
        let Some(pair) = Pair::find("lead", account.id(Kind::Lead, found.id), &mut tally) else { continue };
        pair.text("hs_lead_name", "title", Some(&found.title), &mut tally);
        if let Some((amount, currency)) = found.value {
            pair.check("amount", "value", &mut tally, |cell| is_amount(cell, amount));
            pair.text("currency", "currency", Some(currency), &mut tally);
        }
        pair.text("expected_close_date", "expected_close_date", found.expected_close.map(day).as_deref(), &mut tally);
        pair.text("source", "source_name", Some(found.source), &mut tally);
        pair.owner(found.owner, &mut tally);
        pair.links(Kind::Person, found.person, &mut tally);
        pair.links(Kind::Organization, found.organization, &mut tally);
    }
    for found in account.products() {
        let Some(pair) = Pair::find("product", found.id.to_string(), &mut tally) else { continue };
        pair.text("name", "name", Some(&found.name), &mut tally);
        pair.text("hs_sku", "code", found.code.as_deref(), &mut tally);
        pair.text("description", "description", found.description.as_deref(), &mut tally);
        pair.text("unit", "unit", found.unit.as_deref(), &mut tally);
        let own = found.prices.iter().find(|price| price.currency == "EUR").expect("a price in the company's own currency");
        pair.check("price", "price", &mut tally, |cell| is_amount(cell, own.price));
        pair.check("hs_cost_of_goods_sold", "cost", &mut tally, |cell| is_amount(cell, own.cost));
        pair.text("currency", "currency", Some("EUR"), &mut tally);
        pair.check("tax", "tax", &mut tally, |cell| is_number(cell, &found.tax_percent.to_string()));
    }
    for found in account.projects() {
        let Some(pair) = Pair::find("project", found.id.to_string(), &mut tally) else { continue };
        pair.text("hs_name", "title", Some(&found.title), &mut tally);
        pair.text("hs_description", "description", found.description.as_deref(), &mut tally);
        pair.text("hs_start_date", "start_date", found.start.map(day).as_deref(), &mut tally);
        pair.text("hs_target_due_date", "end_date", found.end.map(day).as_deref(), &mut tally);
        pair.owner(found.owner, &mut tally);
        pair.links(Kind::Deal, found.deals.iter().copied(), &mut tally);
        pair.links(Kind::Person, found.persons.iter().copied(), &mut tally);
        pair.links(Kind::Organization, found.organizations.iter().copied(), &mut tally);
    }
    tally.end(300);
}

#[test]
fn line_items_keep_price_quantity_deal_and_product() {
    let (account, house) = (account(), house());
    let mut tally = Tally::default();
    for item in account.deals().iter().flat_map(|deal| account.crm.base().line_items(deal.id)) {
        let Some(pair) = Pair::find("deal_product", item.id.to_string(), &mut tally) else { continue };
        pair.text("name", "name", Some(&item.name), &mut tally);
        pair.check("price", "item_price", &mut tally, |cell| is_amount(cell, item.price));
        pair.check("quantity", "quantity", &mut tally, |cell| is_number(cell, &item.quantity.to_string()));
        let percent = item.discount_percent.to_string();
        pair.check("hs_discount_percentage", "discount_percentage", &mut tally, |cell| is_number(cell, &percent));
        pair.check("tax", "tax", &mut tally, |cell| is_number(cell, &item.tax_percent.to_string()));
        pair.text("currency", "currency", Some(item.currency), &mut tally);
        let worth = simulators::truth::Amount {
            units: item.price.units * item.quantity as i64 * i64::from(100 - item.discount_percent),
            scale: item.price.scale + 2,
        };
        pair.check("amount", "sum", &mut tally, |cell| is_amount(cell, worth));
        pair.links(Kind::Deal, [item.deal], &mut tally);
        let product = pair.row.text("hs_product_id");
        match house.find("product", &item.product.to_string()) {
            Some(row) => {
                tally.check(product == Some(row.id.to_string()), || format!("deal_product {}: product {product:?}", item.id));
                pair.links(Kind::Product, [item.product], &mut tally);
            }
            None => {
                let told = house.names(&["unknown-product"], "deal_product", &pair.id, "product_id");
                tally.check(product.is_none() && told, || format!("deal_product {}: product {product:?}, told: {told}", item.id));
            }
        }
    }
    tally.end(500);
}
