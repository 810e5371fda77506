//! Rule 25 in a HubSpot portal: what the run made is in the recycle bin, what was there is as it was, and what people built stays.

use std::collections::{BTreeMap, BTreeSet};

use model::destination::SOURCE_KEY_PROPERTY;
use serde_json::{Value, json};
use simulators::hubspot::{Call, Method, ObjectType, Portal, Running};

use crate::failures_site::migration;
use crate::portal_site::{KINDS, Office, ask};

/// Values of live records by kind and id, and the pairs that are associated with their types.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    records: BTreeMap<(&'static str, u64), BTreeMap<String, String>>,
    links: BTreeSet<String>,
}

/// What the portal dates and counts by itself is nobody's value. A date of creation that was set and set back stands in the record, one that
/// never was does not; they read alike.
fn is_value(name: &str) -> bool {
    !name.contains("createdate")
        && !name.contains("modifieddate")
        && !name.starts_with("num_")
        && !name.contains("lastmodified")
}

fn state(portal: &Portal) -> State {
    let (mut records, mut links) = (BTreeMap::new(), BTreeSet::new());
    for (kind, object) in KINDS {
        for record in portal.records(object) {
            let values = record
                .values
                .iter()
                .filter(|(name, value)| is_value(name) && !value.is_empty());
            let values = values.map(|(name, value)| (name.to_string(), value.clone()));
            records.insert((kind, record.id), values.collect());
            for (other, specs) in portal.associations((object, record.id)) {
                links.insert(format!(
                    "{object} {} - {} {} {specs:?}",
                    record.id, other.0, other.1
                ));
            }
        }
    }
    State { records, links }
}

#[track_caller]
fn assert_is(left: &State, right: &State, what: &str) {
    let keys: BTreeSet<_> = left.records.keys().chain(right.records.keys()).collect();
    let differ = keys
        .into_iter()
        .filter(|key| left.records.get(*key) != right.records.get(*key));
    let differ: Vec<_> = differ
        .take(3)
        .map(|key| (key, left.records.get(key), right.records.get(key)))
        .collect();
    assert!(differ.is_empty(), "{what}: (is, should be) {differ:#?}");
    let extra: Vec<_> = left.links.difference(&right.links).take(4).collect();
    let missing: Vec<_> = right.links.difference(&left.links).take(4).collect();
    assert!(
        extra.is_empty() && missing.is_empty(),
        "{what}: links too many {extra:#?}, missing {missing:#?}"
    );
}

fn post(portal: &Running, path: &str, body: &Value) -> Value {
    ask(&portal.portal, &Call::new(Method::Post, path).body(body))
}

fn patch(portal: &Running, object: &str, id: u64, body: &Value) {
    let path = format!("/crm/v3/objects/{object}/{id}");
    ask(
        &portal.portal,
        &Call::new(Method::Patch, &path).body(&json!({"properties": body})),
    );
}

const APPLY: [&str; 7] = [
    "rollback", "latest", "--dir", "base", "--apply", "--yes", "--json",
];

/// The live records of a kind, ascending.
fn ids(portal: &Running, object: ObjectType) -> Vec<u64> {
    let records = portal.portal.records(object);
    records.iter().map(|record| record.id).collect()
}

/// Contacts that people have already, of which the source knows the addresses too.
fn add_known_contacts(office: &Office, portal: &Running) {
    let desk = &office.desk;
    desk.run_expecting(&[0, 1], &["plan", "--dir", "base", "--json"]);
    let show = [
        "plan", "show", "--dir", "base", "--object", "contact", "--limit", "0", "--json",
    ];
    let planned = desk.run_expecting(&[0], &show).json();
    let email = |action: &Value| {
        let changes = action["changes"].as_array()?;
        let email = changes
            .iter()
            .find(|change| change["property"] == "email")?;
        email["to"].as_str().map(|email| email.trim().to_owned())
    };
    let emails = planned["actions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(email);
    for email in emails.take(12) {
        let values = json!({"email": email, "firstname": "Known", "lastname": "Before"});
        let body = json!({"properties": values});
        post(portal, "/crm/v3/objects/contacts", &body);
    }
}

#[test]
fn rule_25_a_portal_is_as_it_was_before_the_run() {
    let office = Office::new(60);
    let portal = office.start(office.options());
    office.connect_by_token("base", &portal);
    let desk = &office.desk;
    add_known_contacts(&office, &portal);
    let before = state(&portal.portal);
    let report = desk.run_expecting(&[0, 1], &migration("base")).json();
    assert!(
        report["objects"]["contact"]["updated"].as_u64().unwrap() >= 10,
        "{report:#}"
    );
    let after = state(&portal.portal);

    let told = desk
        .run_expecting(
            &[0, 1],
            &["rollback", "latest", "--dir", "base", "--plan", "--json"],
        )
        .json();
    assert_is(&state(&portal.portal), &after, "a plan writes nothing");
    assert_eq!(told["exceptions_total"], 0, "{told:#}");
    let done = desk.run_expecting(&[0, 1], &APPLY).json();
    assert_eq!(done["objects"], told["objects"]);
    assert_is(&state(&portal.portal), &before, "after it");
    for (kind, object) in KINDS {
        let archived = portal.portal.archived(object).len();
        let made = report["objects"][kind]["created"].as_u64().unwrap_or(0);
        assert_eq!(
            archived as u64, made,
            "{kind}: only what the run made is in the bin"
        );
    }
    // And the same source comes again.
    let again = desk.run_expecting(&[0, 1], &migration("base")).json();
    assert_eq!(
        again["objects"]["contact"]["created"],
        report["objects"]["contact"]["created"]
    );
}

#[test]
fn rule_25_what_people_did_in_the_portal_since_stays() {
    let office = Office::new(60);
    let portal = office.start(office.options());
    office.connect_by_token("base", &portal);
    let desk = &office.desk;
    desk.run_expecting(&[0, 1], &migration("base"));
    let contacts = portal.portal.records(ObjectType::CONTACT);
    let leads = portal.portal.records(ObjectType::LEAD);
    let (edited, ticketed) = (contacts[0].id, contacts[1].id);
    patch(
        &portal,
        "contacts",
        edited,
        &json!({"firstname": "By hand"}),
    );
    // A note of somebody's own on a contact that the run made.
    let note = post(
        &portal,
        "/crm/v3/objects/notes",
        &json!({
            "properties": {"hs_timestamp": "2026-01-05T09:30:00Z", "hs_note_body": "Called"},
            "associations": [{"to": {"id": ticketed.to_string()}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}],
        }),
    );
    // A lead cannot be without its contact, so what is left of the one keeps the other.
    let lead = leads[0].id;
    patch(&portal, "leads", lead, &json!({"hs_lead_name": "By hand"}));
    let done = desk.run_expecting(&[1], &APPLY).json();
    let left = ids(&portal, ObjectType::CONTACT);
    assert!(
        left.contains(&edited) && left.contains(&ticketed),
        "{left:?}: {done:#}"
    );
    assert_eq!(ids(&portal, ObjectType::LEAD), [lead], "{done:#}");
    assert!((3..=4).contains(&left.len()), "{left:?}");
    let note: u64 = note["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(ids(&portal, ObjectType::NOTE), [note]);
    let told = done["exceptions"].to_string();
    for words in [
        "firstname was written",
        "somebody associated it with note",
        "which is left, cannot be without it",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let key = portal
        .portal
        .record(ObjectType::CONTACT, edited)
        .unwrap()
        .values[SOURCE_KEY_PROPERTY]
        .clone();
    let key = key.rsplit('/').next().unwrap().to_owned();
    let story = desk
        .run_expecting(&[0, 1], &["explain", "contact", &key, "--dir", "base"])
        .stdout;
    assert!(
        story.contains("rolled back") && story.contains("By hand"),
        "{story}"
    );
}
