//! What goes wrong with a portal, as a person sees it: the message with the remedy, the exit code, and the same command afterwards that
//! comes to the end of a run that nothing disturbed.
//!
//! Every status and body of HubSpot's is in the tests of `hubspot`; kills are in `portal_kill`.

use serde_json::{Value, json};
use simulators::hubspot::{
    Access, Call, Method, Mishap, ObjectType, Options, Planned, Policy, Running, Tier,
};

use crate::failures_site::{Dump, assert_refused, assert_same, migration};
use crate::portal_site::{KINDS, Office, ask, assert_once, dump};

const RECORDS: u64 = 30;

/// A project with a plan that was approved by nobody yet, and what comes of it where nothing goes wrong.
struct Site {
    office: Office,
    /// Where the portal was that it was planned against.
    address: String,
    right: Dump,
}

impl Site {
    fn new() -> Self {
        let office = Office::new(RECORDS);
        let portal = office.start(office.options());
        office.connect_by_token("base", &portal);
        let address = portal.base_url.clone();
        let planned = office.copy("base", "planned", &address, &portal);
        office
            .desk
            .run_expecting(&[0, 1], &["plan", "--dir", "planned"]);
        assert!(planned.join("state.db").exists());
        office.desk.run_expecting(&[0, 1], &migration("base"));
        let right = dump(&portal.portal);
        assert!(right["contact"].len() > 20, "there is something to lose");
        office.stop(portal);
        Self {
            office,
            address,
            right,
        }
    }

    /// A fresh portal, and a copy of the planned project that writes into it.
    fn portal(&self, folder: &str) -> Running {
        let portal = self.office.start(self.office.options());
        self.office.copy("planned", folder, &self.address, &portal);
        portal
    }
}

fn apply(folder: &str) -> [&str; 5] {
    ["apply", "--dir", folder, "--yes", "--json"]
}

fn mishap(path: &str, times: u64, mishap: Mishap) -> Planned {
    Planned {
        method: None,
        path: path.to_owned(),
        skip: 0,
        times,
        mishap,
    }
}

#[test]
fn a_portal_that_stops_the_writing_is_told_and_the_same_command_goes_on() {
    let site = Site::new();
    let cases = [
        (
            "revoked",
            Mishap::before(401),
            &[
                "destination refused the credential",
                "hint: run `longshore connect hubspot` again with a valid token",
            ][..],
        ),
        (
            "day",
            Mishap::RateLimited(Policy::Daily),
            &[
                "destination asks to wait",
                "hint: wait, then give the same command again",
            ][..],
        ),
        (
            "moved",
            Mishap::Status {
                status: 477,
                after: false,
                retry_after: Some(40_000),
            },
            &["another data centre", "hint: wait"][..],
        ),
    ];
    for (name, trouble, words) in cases {
        let portal = site.portal(name);
        // Everything that comes before deals is written by then.
        portal
            .portal
            .plan(mishap("/objects/deals/batch/", 1, trouble));
        let stopped = site.office.desk.run(&apply(name));
        assert_refused(&stopped, words);
        assert!(
            portal.portal.count(ObjectType::CONTACT) > 20
                && portal.portal.count(ObjectType::DEAL) == 0,
            "{name}: it stopped in the midst"
        );
        let ended = site.office.desk.run(&migration(name));
        assert!(matches!(ended.code, Some(0 | 1)), "{name}: {ended:#?}");
        assert_once(name, &portal.portal);
        assert_same(name, &site.right, &dump(&portal.portal));
        site.office.stop(portal);
    }
}

/// A contact that somebody made between plan and apply is never overwritten; the next plan finds it.
#[test]
fn a_contact_made_since_the_plan_is_refused_by_name_and_matched_by_the_next_plan() {
    let site = Site::new();
    let reference = site.portal("reference");
    site.office.desk.run_expecting(&[0, 1], &apply("reference"));
    let contacts = reference.portal.records(ObjectType::CONTACT);
    let email = contacts
        .iter()
        .find_map(|contact| contact.values.get("email"))
        .expect("somebody has an address")
        .clone();
    site.office.stop(reference);

    let portal = site.portal("conflict");
    let made = Call::new(Method::Post, "/crm/v3/objects/contacts")
        .body(&json!({"properties": {"email": email, "firstname": "Made by hand"}}));
    let by_hand = ask(&portal.portal, &made)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ended = site.office.desk.run_expecting(&[1], &apply("conflict"));
    let report = site
        .office
        .desk
        .run_expecting(&[1], &["audit", "--dir", "conflict", "--json"])
        .json();
    assert_eq!(report["objects"]["contact"]["failed"], 1, "{ended:#?}");
    let by_hand: u64 = by_hand.parse().unwrap();
    let values = portal
        .portal
        .record(ObjectType::CONTACT, by_hand)
        .unwrap()
        .values;
    assert_eq!(
        values["firstname"], "Made by hand",
        "what people made is not overwritten"
    );
    let refused = told(&site, "conflict", "refused-record");
    assert!(
        refused.contains("Existing ID") && refused.contains("plan again, and it is matched"),
        "{refused}"
    );
    site.office
        .desk
        .run_expecting(&[0, 1], &migration("conflict"));
    assert_eq!(
        portal.portal.count(ObjectType::CONTACT),
        site.right["contact"].len(),
        "the one by hand and the source's are one"
    );
}

/// The texts of a project's findings of that code, read where a person would: in the state file.
fn told(site: &Site, folder: &str, code: &str) -> String {
    let file = site.office.desk.path().join(folder).join("state.db");
    let db = rusqlite::Connection::open(file).unwrap();
    let mut select = db
        .prepare("SELECT message FROM finding WHERE code = ?1")
        .unwrap();
    let found = select.query_map([code], |row| row.get::<_, String>(0));
    let found: Vec<_> = found.unwrap().map(Result::unwrap).collect();
    found.join("\n")
}

/// The smallest plan has room for one pipeline; nothing is written before that is known.
#[test]
fn a_plan_without_room_for_the_pipelines_is_told_before_any_record_is_written() {
    let site = Site::new();
    let options = Options {
        tier: Tier::Starter,
        ..site.office.options()
    };
    let portal = site.office.start(options);
    site.office.copy("planned", "small", &site.address, &portal);
    let stopped = site.office.desk.run(&apply("small"));
    assert_refused(
        &stopped,
        &[
            "making the pipeline",
            "no room",
            "make room, or name an existing pipeline",
        ],
    );
    for object in [ObjectType::CONTACT, ObjectType::COMPANY, ObjectType::DEAL] {
        assert_eq!(portal.portal.count(object), 0);
    }
}

/// Scopes that a token lacks are told object by object when it is connected; without any it is refused.
#[test]
fn scopes_that_a_token_lacks_are_told_when_it_is_connected() {
    let office = Office::new(RECORDS);
    let connection = |scopes: &[&str]| {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let options = Options {
            access: Access {
                private_scopes: Some(scopes),
                ..Access::default()
            },
            ..office.options()
        };
        let portal = office.start(options);
        let ended = office.try_token("base", &portal, &portal.token);
        office.stop(portal);
        ended
    };
    let some = connection(&[
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.schemas.contacts.read",
        "crm.schemas.contacts.write",
        "crm.objects.owners.read",
    ]);
    assert_eq!(some.code, Some(1), "{some:#?}");
    for words in [
        "deal is left out: the credential lacks the scopes crm.schemas.deals.read",
        "give them to the app in HubSpot, then connect again",
    ] {
        assert!(some.stdout.contains(words), "{words:?} in {some:#?}");
    }
    let none = connection(&["oauth"]);
    assert_refused(&none, &["HubSpot cannot be connected", "scopes", "hint: "]);
}

/// Without the source's id no write could be looked up, and an archived property keeps its name for itself.
#[test]
fn a_property_of_ours_that_was_archived_is_told_before_any_record_is_written() {
    let site = Site::new();
    let portal = site.portal("archived");
    let body = json!({"name": "longshore_source_id", "label": "Old", "type": "string", "fieldType": "text",
        "groupName": "contactinformation", "hasUniqueValue": true});
    let properties = "/crm/v3/properties/contacts";
    ask(
        &portal.portal,
        &Call::new(Method::Post, properties).body(&body),
    );
    let gone = format!("{properties}/longshore_source_id");
    let archive = Call::new(Method::Delete, &gone);
    assert_eq!(ask(&portal.portal, &archive), Value::Null);
    let refused = site.office.desk.run(&migration("archived"));
    assert_refused(
        &refused,
        &[
            "property \"longshore_source_id\" of contacts was archived in HubSpot",
            "restore it there (Settings, Properties, Archived)",
            "hint: nothing is lost",
        ],
    );
    for (kind, object) in KINDS {
        assert_eq!(portal.portal.count(object), 0, "no {kind} is half-written");
    }
}
