//! Compares the standard fields of organizations, persons, products and projects with the destination, and who is there at all.
//!
//! Custom values, what is sold, and engagements are other files'.

use std::collections::BTreeSet;

use simulators::truth::{Contact, Kind, Person, ProjectStatus};

use super::Tally;
use super::expected::{day, is_amount, is_number};
use super::house::House;
use super::local_crm::of_demo;
use super::pair::{Pair, account, instant, is_refused};

/// The destination has the records that the vendor shows, each once, and no other.
fn check_all_are_there(
    house: &House,
    source: &'static str,
    ids: impl Iterator<Item = String>,
    tally: &mut Tally,
) {
    let ids: BTreeSet<String> = ids.collect();
    let expected: BTreeSet<String> = ids
        .iter()
        .filter(|id| !is_refused(house, source, id))
        .map(|id| format!("pipedrive/{source}/{}", house.kept(source, id)))
        .collect();
    let rows = house.rows(House::object(source));
    let there: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| row.text("longshore_source_id"))
        .collect();
    tally.check(there == expected, || {
        let missing: Vec<_> = expected.difference(&there).take(5).collect();
        let more: Vec<_> = there.difference(&expected).take(5).collect();
        format!(
            "{source}: {} are there, {} expected; missing {missing:?}, not expected {more:?}",
            there.len(),
            expected.len()
        )
    });
    let account = &house.summary["objects"][House::object(source)];
    let duplicates = ids
        .iter()
        .filter(|id| house.is_duplicate(source, id))
        .count() as u64;
    tally.check(account["selected"] == ids.len() as u64, || {
        format!(
            "{source}: selected is {}, not {}",
            account["selected"],
            ids.len()
        )
    });
    tally.check(account["linked"] == duplicates, || {
        format!(
            "{source}: linked is {}, not {duplicates}",
            account["linked"]
        )
    });
}

pub(crate) fn every_visible_record_is_there_once(house: &House) {
    let account = account();
    let mut tally = Tally::default();
    check_all_are_there(
        house,
        "organization",
        account
            .organizations()
            .iter()
            .map(|found| found.id.to_string()),
        &mut tally,
    );
    check_all_are_there(
        house,
        "person",
        account.persons().iter().map(|found| found.id.to_string()),
        &mut tally,
    );
    check_all_are_there(
        house,
        "deal",
        account.deals().iter().map(|found| found.id.to_string()),
        &mut tally,
    );
    check_all_are_there(
        house,
        "lead",
        account
            .leads()
            .iter()
            .map(|found| account.id(Kind::Lead, found.id)),
        &mut tally,
    );
    check_all_are_there(
        house,
        "product",
        account.products().iter().map(|found| found.id.to_string()),
        &mut tally,
    );
    check_all_are_there(
        house,
        "project",
        account.projects().iter().map(|found| found.id.to_string()),
        &mut tally,
    );
    check_all_are_there(
        house,
        "user",
        account
            .crm
            .base()
            .users()
            .iter()
            .map(|user| user.id.to_string()),
        &mut tally,
    );
    let deals = account.deals();
    let items = deals
        .iter()
        .flat_map(|deal| account.crm.base().line_items(deal.id));
    check_all_are_there(
        house,
        "deal_product",
        items.map(|item| item.id.to_string()),
        &mut tally,
    );
    tally.end(20);
}

pub(crate) fn organizations_keep_their_standard_fields(house: &House) {
    let mut tally = Tally::default();
    for found in account().organizations() {
        let Some(pair) = Pair::find(house, "organization", found.id.to_string(), &mut tally) else {
            continue;
        };
        let created = instant(found.added);
        pair.text("createdate", "add_time", Some(&created), &mut tally);
        pair.text("name", "name", Some(&found.name), &mut tally);
        pair.text("website", "website", found.website.as_deref(), &mut tally);
        pair.text(
            "linkedin_company_page",
            "linkedin",
            found.linkedin.as_deref(),
            &mut tally,
        );
        pair.text(
            "industry",
            "industry",
            found.industry.as_deref(),
            &mut tally,
        );
        if let Some(revenue) = found.annual_revenue {
            pair.check("annualrevenue", "annual_revenue", &mut tally, |cell| {
                is_amount(cell, revenue)
            });
        }
        let employees = found.employees.map(|count| count.to_string());
        pair.text(
            "numberofemployees",
            "employee_count",
            employees.as_deref(),
            &mut tally,
        );
        if let Some(address) = &found.address {
            pair.text("address", "address", Some(&address.whole), &mut tally);
            pair.text("city", "address_locality", Some(&address.town), &mut tally);
            pair.text(
                "state",
                "address_admin_area_level_1",
                Some(&address.region),
                &mut tally,
            );
            pair.text(
                "zip",
                "address_postal_code",
                Some(&address.postal_code),
                &mut tally,
            );
            pair.text(
                "country",
                "address_country",
                Some(&address.country),
                &mut tally,
            );
        }
        let labels = account().labels(Kind::Organization, &found.labels);
        pair.options("Labels", "label_ids", &labels, &mut tally);
        pair.owner(found.owner, &mut tally);
    }
    tally.end(500);
}

pub(crate) fn persons_keep_names_addresses_numbers_and_organization(house: &House) {
    let mut tally = Tally::default();
    for found in account().persons() {
        let Some(pair) = Pair::find(house, "person", found.id.to_string(), &mut tally) else {
            continue;
        };
        let created = instant(found.added);
        pair.text("createdate", "add_time", Some(&created), &mut tally);
        pair.text(
            "firstname",
            "first_name",
            Some(&found.first_name),
            &mut tally,
        );
        pair.text("lastname", "last_name", Some(&found.last_name), &mut tally);
        pair.property("Name", "name", Some(&found.name), &mut tally);
        let labels = account().labels(Kind::Person, &found.labels);
        pair.options("Labels", "label_ids", &labels, &mut tally);
        check_emails(&pair, &found, &mut tally);
        check_phones(&pair, &found, &mut tally);
        pair.owner(found.owner, &mut tally);
        pair.links(Kind::Organization, found.organization, &mut tally);
    }
    tally.end(1_800);
}

fn filled(contacts: &[Contact]) -> Vec<&Contact> {
    contacts
        .iter()
        .filter(|contact| !contact.value.is_empty())
        .collect()
}

/// The first address is the person's own; the kept spelling may differ in case and padding, as HubSpot's does.
fn check_emails(pair: &Pair<'_>, person: &Person, tally: &mut Tally) {
    let normal = |text: &str| text.trim().to_lowercase();
    let emails = filled(&person.emails);
    if let Some(first) = emails.first() {
        pair.check("email", "email", tally, |cell| {
            cell.map(normal) == Some(normal(&first.value))
        });
    }
    if emails.len() > 1 {
        pair.check("hs_additional_emails", "other_emails", tally, |cell| {
            let kept: Vec<String> = cell
                .and_then(|json| serde_json::from_str(json).ok())
                .unwrap_or_default();
            let kept: Vec<_> = kept.iter().map(|email| normal(email)).collect();
            emails[1..]
                .iter()
                .all(|email| kept.contains(&normal(&email.value)))
        });
    }
    let all: Vec<_> = emails
        .iter()
        .map(|email| format!("{}: {}", email.label, email.value))
        .collect();
    pair.property(
        "E-mails with their labels",
        "email_labels",
        Some(&all.join("; ")),
        tally,
    );
}

fn check_phones(pair: &Pair<'_>, person: &Person, tally: &mut Tally) {
    let phones = filled(&person.phones);
    let mobile = phones.iter().find(|phone| phone.label == "mobile");
    let phone = phones
        .iter()
        .find(|phone| phone.label != "mobile")
        .or(mobile);
    pair.text(
        "mobilephone",
        "mobile",
        mobile.map(|phone| phone.value.as_str()),
        tally,
    );
    pair.text(
        "phone",
        "phone",
        phone.map(|phone| phone.value.as_str()),
        tally,
    );
    let all: Vec<_> = phones
        .iter()
        .map(|phone| format!("{}: {}", phone.label, phone.value))
        .collect();
    pair.property(
        "Phones with their labels",
        "phone_labels",
        Some(&all.join("; ")),
        tally,
    );
}

pub(crate) fn products_keep_their_standard_fields(house: &House) {
    let mut tally = Tally::default();
    for found in account().products() {
        let Some(pair) = Pair::find(house, "product", found.id.to_string(), &mut tally) else {
            continue;
        };
        let created = instant(found.added);
        pair.text("createdate", "add_time", Some(&created), &mut tally);
        pair.text("name", "name", Some(&found.name), &mut tally);
        pair.text("hs_sku", "code", found.code.as_deref(), &mut tally);
        pair.text(
            "description",
            "description",
            found.description.as_deref(),
            &mut tally,
        );
        pair.text("unit", "unit", found.unit.as_deref(), &mut tally);
        let own = found
            .prices
            .iter()
            .find(|price| price.currency == "EUR")
            .expect("a price in the company's own currency");
        pair.check("price", "price", &mut tally, |cell| {
            is_amount(cell, own.price)
        });
        pair.check("hs_cost_of_goods_sold", "cost", &mut tally, |cell| {
            is_amount(cell, own.cost)
        });
        pair.text("currency", "currency", Some("EUR"), &mut tally);
        pair.check("tax", "tax", &mut tally, |cell| {
            is_number(cell, &found.tax_percent.to_string())
        });
    }
    tally.end(150);
}

pub(crate) fn projects_keep_their_standard_fields(house: &House) {
    let mut tally = Tally::default();
    for found in account().projects() {
        let Some(pair) = Pair::find(house, "project", found.id.to_string(), &mut tally) else {
            continue;
        };
        pair.text("hs_name", "title", Some(&found.title), &mut tally);
        pair.text(
            "hs_description",
            "description",
            found.description.as_deref(),
            &mut tally,
        );
        pair.text(
            "hs_start_date",
            "start_date",
            found.start.map(day).as_deref(),
            &mut tally,
        );
        pair.text(
            "hs_target_due_date",
            "end_date",
            found.end.map(day).as_deref(),
            &mut tally,
        );
        let status = match found.status {
            ProjectStatus::Open => "Open",
            ProjectStatus::Completed => "Completed",
            ProjectStatus::Canceled => "Canceled",
            ProjectStatus::Deleted => "Deleted",
        };
        pair.text("hs_status", "status", Some(status), &mut tally);
        let crm = account().crm.base();
        let board = crm.boards().iter().find(|board| board.id == found.board);
        let phase = crm.phases().iter().find(|phase| phase.id == found.phase);
        let board = board.expect("the project's board").name;
        let phase = format!("{board}: {}", phase.expect("the project's phase").name);
        pair.options("Board", "board_id", &[board.to_owned()], &mut tally);
        pair.options("Phase", "phase_id", &[phase], &mut tally);
        pair.owner(found.owner, &mut tally);
        pair.links(Kind::Deal, found.deals.iter().copied(), &mut tally);
        pair.links(Kind::Person, found.persons.iter().copied(), &mut tally);
        pair.links(
            Kind::Organization,
            found.organizations.iter().copied(),
            &mut tally,
        );
    }
    tally.end(20);
}

/// Several records of one e-mail address become one: the account has three and more such persons.
#[test]
fn several_duplicates_of_one_record_are_linked_to_it() {
    let house = of_demo(&["--records", "200", "--seed", "2"]);
    let mut kept: Vec<_> = house.sheet("Duplicates")[1..]
        .iter()
        .map(|row| (&row[0], &row[2]))
        .collect();
    let duplicates = kept.len();
    kept.sort_unstable();
    kept.dedup();
    assert!(
        kept.len() < duplicates,
        "two of {duplicates} duplicates have the same kept record"
    );
}
