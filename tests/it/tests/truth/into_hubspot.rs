//! What only a portal shows: which types associations have, that migrating again writes nothing, and that records which were there
//! before are found, filled and never doubled.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use simulators::hubspot::{Category, Method, ObjectType};
use simulators::truth::{Crm as _, Generated, Kind, Source};

use super::house::House;
use super::pair::{account, in_portal};
use super::portal::Site;

/// The vendor's plain types, from one object to another (associations guide, 2026-03-30).
const PLAIN: [(&str, &str, u32, u32); 40] = [
    ("contact", "company", 279, 280),
    ("deal", "contact", 3, 4),
    ("deal", "company", 341, 342),
    ("contact", "contact", 449, 449),
    ("company", "company", 450, 450),
    ("deal", "deal", 451, 451),
    ("deal", "line_item", 19, 20),
    ("note", "contact", 202, 201),
    ("note", "company", 190, 189),
    ("note", "deal", 214, 213),
    ("call", "contact", 194, 193),
    ("call", "company", 182, 181),
    ("call", "deal", 206, 205),
    ("task", "contact", 204, 203),
    ("task", "company", 192, 191),
    ("task", "deal", 216, 215),
    ("meeting", "contact", 200, 199),
    ("meeting", "company", 188, 187),
    ("meeting", "deal", 212, 211),
    ("email", "contact", 198, 197),
    ("email", "company", 186, 185),
    ("email", "deal", 210, 209),
    ("lead", "contact", 608, 609),
    ("lead", "company", 610, 611),
    ("lead", "deal", 1037, 1038),
    ("lead", "call", 596, 597),
    ("lead", "email", 598, 599),
    ("lead", "meeting", 600, 601),
    ("lead", "note", 854, 855),
    ("lead", "task", 646, 647),
    ("project", "contact", 1242, 1243),
    ("project", "company", 1236, 1237),
    ("project", "deal", 1238, 1239),
    ("project", "note", 1248, 1249),
    ("project", "task", 1246, 1247),
    ("project", "call", 1257, 1258),
    ("project", "email", 1259, 1260),
    ("project", "meeting", 1255, 1256),
    ("invoice", "contact", 177, 178),
    ("invoice", "company", 179, 180),
];

/// Those that a lead's contact and company must have.
const OF_LEADS: [(&str, u32); 2] = [("contact", 578), ("company", 580)];

fn plain(from: &str, to: &str) -> u32 {
    let found = PLAIN.iter().find_map(|(one, other, there, back)| {
        if (*one, *other) == (from, to) {
            Some(*there)
        } else {
            ((*one, *other) == (to, from)).then_some(*back)
        }
    });
    found.unwrap_or_else(|| panic!("{from} and {to} are associated"))
}

/// The ends that a lead must have as its primary ones: its own person and organization, by the portal's ids.
fn primaries(house: &House) -> BTreeSet<(u64, u64)> {
    let mut primaries = BTreeSet::new();
    let id = |source: &str, id: &str| {
        let row = house.find(source, id)?;
        u64::try_from(row.id).ok()
    };
    for found in account().leads() {
        let Some(lead) = id("lead", &account().id(Kind::Lead, found.id)) else {
            continue;
        };
        let person = found
            .person
            .and_then(|number| id("person", &number.to_string()));
        let organization = found
            .organization
            .and_then(|number| id("organization", &number.to_string()));
        primaries.extend(
            [person, organization]
                .into_iter()
                .flatten()
                .map(|end| (lead, end)),
        );
    }
    primaries
}

/// Nothing is made the primary one of anything by the way: a record has its plain type and its labels, and a lead those that HubSpot
/// asks for, with its own contact and company.
#[test]
fn associations_have_the_plain_type_of_their_direction_and_no_primary_is_made() {
    let moved = in_portal();
    let primaries = primaries(&moved.house);
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for ((from, id), others) in &moved.typed {
        for (to, other, specs) in others {
            let vendors = specs
                .iter()
                .filter(|spec| spec.category == Category::HubspotDefined);
            let vendors: Vec<u32> = vendors.map(|spec| spec.id).collect();
            let mut want = vec![plain(from, to)];
            // The way back has the next number.
            let (end, back) = match *from {
                "lead" if primaries.contains(&(*id, *other)) => (*to, 0),
                _ if *to == "lead" && primaries.contains(&(*other, *id)) => (*from, 1),
                _ => ("", 0),
            };
            let primary = OF_LEADS.iter().find(|(object, _)| *object == end);
            want.extend(primary.map(|(_, there)| there + back));
            want.sort_unstable();
            assert_eq!(vendors, want, "{from} {id} and {to} {other}: {specs:?}");
            *counts.entry((from, to)).or_default() += 1;
        }
    }
    for pair in [
        ("contact", "company"),
        ("deal", "company"),
        ("lead", "contact"),
        ("lead", "company"),
        ("line_item", "deal"),
        ("note", "deal"),
    ] {
        let count = counts.get(&pair).copied().unwrap_or_default();
        assert!(count > 5, "{pair:?}: {counts:?}");
    }
}

/// Whoever migrates again, with nothing new at the source, writes nothing.
#[test]
fn a_second_migration_writes_nothing() {
    let moved = in_portal();
    assert_eq!(
        moved.again_writes,
        BTreeMap::new(),
        "{}",
        moved.again["objects"]["lead"]
    );
    let objects = moved.again["objects"].as_object().expect("objects");
    for (object, told) in objects {
        for what in ["created", "updated", "differing"] {
            assert_eq!(told[what], 0, "{object}: {told}");
        }
        let first = &moved.house.summary["objects"][object];
        // What HubSpot does not take is told again, and not sent.
        for what in ["selected", "failed"] {
            assert_eq!(told[what], first[what], "{object}: {told}");
        }
    }
    assert_eq!(moved.again["associations"]["made"], 0, "{:#}", moved.again);
}

/// Contacts are found by their address and companies by their domain or name, whoever put them there; what they have stays where the
/// source has nothing.
#[test]
fn records_that_were_there_before_are_found_filled_and_never_doubled() {
    let truth = Source::Generated {
        records: 60,
        seed: 7,
    };
    let (site, crm) = (Site::connected(&truth), Generated::new(60, 7));
    let (contacts, companies) = (make_contacts(&site, &crm), make_companies(&site, &crm));
    let stranger = make(
        &site,
        "contacts",
        &json!({"email": "stranger@elsewhere.example", "lastname": "Stranger"}),
    );
    let summary = site.migrate();
    for (object, kind, before) in [
        ("contact", ObjectType::CONTACT, contacts.len() + 1),
        ("company", ObjectType::COMPANY, companies.len()),
    ] {
        let told = &summary["objects"][object];
        let created = told["created"].as_u64().expect("a number") as usize;
        assert_eq!(
            site.portal.portal.count(kind),
            before + created,
            "{object}: {told}"
        );
    }
    assert_eq!(summary["objects"]["contact"]["updated"], contacts.len());
    assert_eq!(summary["objects"]["company"]["updated"], companies.len());
    let portal = &site.portal.portal;
    for (id, number) in contacts {
        let (record, person) = (
            portal.record(ObjectType::CONTACT, id).expect("it stays"),
            crm.person(number).expect("it is there"),
        );
        let value = |name: &str| record.values.get(name).map(String::as_str);
        assert_eq!(value("lastname"), Some(person.last_name.as_str()));
        assert_eq!(value("hs_language"), Some("de"), "its own value stays");
    }
    for (id, number) in companies {
        let (record, organization) = (
            portal.record(ObjectType::COMPANY, id).expect("it stays"),
            crm.organization(number).expect("it is there"),
        );
        let value = |name: &str| record.values.get(name).map(String::as_str);
        assert_eq!(value("name"), Some(organization.name.as_str()));
        assert_eq!(value("website"), organization.website.as_deref());
        assert_eq!(
            value("description"),
            Some("Known for years"),
            "its own value stays"
        );
    }
    let stranger = portal
        .record(ObjectType::CONTACT, stranger)
        .expect("it stays");
    assert_eq!(
        stranger.updated, stranger.created,
        "nobody touched it: {stranger:?}"
    );
    let addresses = portal
        .records(ObjectType::CONTACT)
        .into_iter()
        .filter_map(|record| {
            let email = record.values.get("email")?;
            Some(email.to_lowercase())
        });
    let mut addresses: Vec<_> = addresses.collect();
    let all = addresses.len();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), all, "an address stands twice");
}

/// The id of the record that the portal makes of those properties.
fn make(site: &Site, path: &str, properties: &Value) -> u64 {
    let body = json!({"properties": properties});
    let made = site.call(
        Method::Post,
        &format!("/crm/v3/objects/{path}"),
        Some(&body),
    );
    let id = made["id"].as_str().expect("an id");
    id.parse().expect("digits")
}

/// Some of the source's persons, known by their addresses in capitals: id and number.
fn make_contacts(site: &Site, crm: &Generated) -> Vec<(u64, u64)> {
    let mut seen = BTreeSet::new();
    let persons: Vec<_> = (1..=crm.count(Kind::Person))
        .filter_map(|number| crm.person(number))
        .filter(|person| !person.deleted)
        .filter_map(|person| {
            let first = person.emails.first()?.value.trim().to_lowercase();
            let is_plain = first.contains('@') && !first.contains(' ');
            (is_plain && seen.insert(first.clone())).then_some((person.id, first))
        })
        .take(6)
        .collect();
    assert_eq!(persons.len(), 6);
    let contact = |(number, email): (u64, String)| {
        let properties = json!({"email": email.to_uppercase(), "hs_language": "de"});
        (make(site, "contacts", &properties), number)
    };
    persons.into_iter().map(contact).collect()
}

/// Some of the source's organizations, known by the domains of their websites: id and number.
fn make_companies(site: &Site, crm: &Generated) -> Vec<(u64, u64)> {
    let mut seen = BTreeSet::new();
    let organizations: Vec<_> = (1..=crm.count(Kind::Organization))
        .filter_map(|number| crm.organization(number))
        .filter(|organization| !organization.deleted)
        .filter_map(|organization| {
            let website = organization.website?.to_lowercase();
            let host = website.split("//").last()?.split('/').next()?;
            let host = host.trim_start_matches("www.").to_owned();
            seen.insert(host.clone()).then_some((organization.id, host))
        })
        .take(4)
        .collect();
    assert_eq!(organizations.len(), 4);
    let company = |(number, domain): (u64, String)| {
        let properties =
            json!({"domain": domain, "name": "As we called it", "description": "Known for years"});
        (make(site, "companies", &properties), number)
    };
    organizations.into_iter().map(company).collect()
}
