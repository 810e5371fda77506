//! A HubSpot portal as the destination: connecting it, owners and currencies that it lacks, both ways to log in, both path families.
//!
//! What it holds afterwards is compared in `truth`, what goes wrong in `portal_failures`, kills in `portal_kill`.

use std::collections::BTreeSet;

use it::{Desk, Ended};
use serde_json::Value;
use simulators::hubspot::{self, Limits, Mishap, Options, Owner, Planned};
use simulators::pipedrive;
use simulators::truth::Source;

use crate::canary::Canaries;
use crate::failures_site::{assert_refused, connect, migration};
use crate::login::{begin, get};

const ACCOUNT: Source = Source::Generated {
    records: 60,
    seed: 1,
};

/// Both vendors in this process, and a project that reads the one and has not been connected to the other.
struct House {
    runtime: tokio::runtime::Runtime,
    portal: hubspot::Running,
    desk: Desk,
    _source: pipedrive::Running,
}

impl House {
    fn new(change: impl FnOnce(&mut Options)) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut options = Options {
            limits: Limits::Off,
            ..Options::of_company(&ACCOUNT).unwrap()
        };
        change(&mut options);
        let (source, portal) = runtime.block_on(async {
            let source = pipedrive::Options {
                truth: ACCOUNT,
                limits: pipedrive::Limits::Off,
                ..pipedrive::Options::default()
            };
            (
                pipedrive::start(source).await.unwrap(),
                hubspot::start(options).await.unwrap(),
            )
        });
        let mut desk = Desk::new();
        desk.run_expecting(&[0], &["init", "--dir", "p"]);
        desk.set_environment("LONGSHORE_TOKEN", &source.token);
        connect(&desk, "p", &source.base_url);
        desk.set_environment("LONGSHORE_TOKEN", &portal.token);
        Self {
            runtime,
            portal,
            desk,
            _source: source,
        }
    }

    fn connection<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let base = [
            "connect",
            "hubspot",
            "--dir",
            "p",
            "--base-url",
            &self.portal.base_url,
            "--allow-loopback",
            "--no-rate-limits",
        ];
        [&base[..], more].concat()
    }

    fn connect(&self, more: &[&str]) -> Ended {
        self.desk.run_expecting(&[0], &self.connection(more))
    }

    fn migrate(&self) -> Value {
        self.desk.run_expecting(&[0, 1], &migration("p")).json()
    }

    fn project(&self) -> std::path::PathBuf {
        self.desk.path().join("p/longshore.toml")
    }

    /// The owners of all live contacts, by id.
    fn contact_owners(&self) -> BTreeSet<Option<String>> {
        let contacts = self.portal.portal.object("contacts").unwrap();
        let owner = |record: &hubspot::Record| record.values.get("hubspot_owner_id").cloned();
        self.portal
            .portal
            .records(contacts)
            .iter()
            .map(owner)
            .collect()
    }
}

fn count(report: &Value, object: &str, what: &str) -> u64 {
    report["objects"][object][what].as_u64().unwrap()
}

fn findings(report: &Value, code: &str) -> u64 {
    report["findings"]["by_code"][code].as_u64().unwrap_or(0)
}

#[test]
fn a_portal_is_connected_written_to_and_the_local_crm_can_be_gone_back_to() {
    let house = House::new(|_| {});
    let connected = house.connect(&["--json", "--daily-share", "60"]).json();
    assert_eq!(connected["account"]["id"], "51234567");
    let report = house.migrate();
    assert_eq!(report["destination"], "HubSpot portal 51234567");
    assert_eq!(report["local_crm"], Value::Null);
    let contacts = house.portal.portal.object("contacts").unwrap();
    assert_eq!(
        house.portal.portal.count(contacts) as u64,
        count(&report, "contact", "created")
    );
    assert!(!house.desk.path().join("p/local-crm.db").exists());
    let project = std::fs::read_to_string(house.project()).unwrap();
    assert!(
        project.contains("destination = \"hubspot\"")
            && project.contains("daily_share_percent = 60"),
        "{project}"
    );
    assert!(
        !project.contains(&house.portal.token),
        "the token is in the vault only"
    );
    // What was bound was bound in the portal: another destination is refused before anything is written there.
    std::fs::write(
        house.project(),
        project.replace("\"hubspot\"\n", "\"local-crm\"\n"),
    )
    .unwrap();
    let refused = house.desk.run(&migration("p"));
    assert_refused(&refused, &["this project wrote into account 51234567"]);
}

#[test]
fn a_wrong_token_takes_the_place_of_none() {
    let mut house = House::new(|_| {});
    house.connect(&[]);
    house.desk.set_environment(
        "LONGSHORE_TOKEN",
        "pat-na1-00000000-0000-0000-0000-000000000000",
    );
    let refused = house.desk.run(&house.connection(&[]));
    assert_refused(
        &refused,
        &["HubSpot cannot be connected", "credential", "hint: "],
    );
    house.migrate();
}

#[test]
fn what_is_for_connectors_is_refused_for_the_destination() {
    let house = House::new(|_| {});
    let refused = house
        .desk
        .run(&house.connection(&["--param", "company=acme"]));
    assert_refused(&refused, &["--param is for connectors", "hint: "]);
    let refused = house.desk.run(&house.connection(&["--api-version", "v7"]));
    assert_refused(&refused, &["\"v7\" is neither"]);
}

#[test]
fn owners_are_matched_by_address_and_the_table_names_the_rest() {
    let house = House::new(|options| {
        // Two of the people have no seat, and one who has one under another address.
        options.owners.truncate(options.owners.len() - 2);
        options.owners.push(Owner {
            id: 99,
            user: 990,
            email: Some("new.name@ex.test".to_owned()),
            first_name: "New".to_owned(),
            ..Owner::default()
        });
    });
    house.connect(&[]);
    let report = house.migrate();
    assert_eq!(count(&report, "owner", "excluded"), 2, "two have no seat");
    assert!(findings(&report, "unknown-owner") >= 2, "{report:#}");
    let before = house.contact_owners();
    assert!(
        !before.contains(&Some("99".to_owned())),
        "nobody is put in the place of another by himself"
    );

    let everybody = Options::of_company(&ACCOUNT).unwrap().owners;
    let gone = everybody.last().unwrap().email.clone().unwrap();
    let table = |row: &str| {
        let text = std::fs::read_to_string(house.project()).unwrap();
        let text = text.split("\n[owners]").next().unwrap().to_owned();
        std::fs::write(house.project(), format!("{text}\n[owners]\n{row}\n")).unwrap();
    };
    table(&format!(
        "\"{gone}\" = \"nobody@ex.test\"\n\"ada\" = \"99\""
    ));
    let refused = house.desk.run(&migration("p"));
    assert_refused(
        &refused,
        &[
            "table of owners",
            "no owner \"nobody@ex.test\"",
            "\"ada\" is no e-mail address",
            "[owners]",
        ],
    );
    table(&format!("\"{gone}\" = \"New.Name@ex.test\""));
    let report = house.migrate();
    assert_eq!(count(&report, "owner", "excluded"), 1);
    let after = house.contact_owners();
    let is_owner = after.contains(&Some("99".to_owned()));
    let owns = everybody.len() as u64 > 0 && count(&report, "contact", "updated") > 0;
    assert!(
        is_owner == owns,
        "the table's owner has what is theirs: {after:?}"
    );
}

#[test]
fn a_currency_that_the_portal_lacks_is_told_before_and_refused_by_name() {
    let house = House::new(|options| options.currencies.retain(|(code, _)| code != "JPY"));
    house.connect(&[]);
    let plan = house
        .desk
        .run_expecting(&[1], &["plan", "--dir", "p", "--json"])
        .json();
    assert!(findings(&plan, "unknown-currency") > 0, "{plan:#}");
    let report = house.migrate();
    let failed = count(&report, "deal", "failed");
    assert!(
        failed > 0 && count(&report, "deal", "created") > 0,
        "only those deals are refused: {report:#}"
    );
    let deals = house.portal.portal.object("deals").unwrap();
    let in_yen = house.portal.portal.records(deals).iter().any(|deal| {
        deal.values
            .get("deal_currency_code")
            .is_some_and(|code| code == "JPY")
    });
    assert!(!in_yen);
}

#[test]
fn a_person_logs_in_with_oauth_and_tokens_that_end_on_the_way_are_renewed() {
    let house = House::new(|_| {});
    let client = format!(
        "client_id = \"{}\"\nclient_secret = \"{}\"\n",
        house.portal.client_id, house.portal.client_secret
    );
    std::fs::write(house.desk.path().join("client.toml"), client).unwrap();
    let login = begin(
        &house.desk,
        &house.connection(&[
            "--auth",
            "oauth",
            "--client-file",
            "client.toml",
            "--no-browser",
        ]),
    );
    let back = get(&login.address);
    let page = get(&back.location);
    assert!(page.whole.contains("<h1>connected</h1>"), "{page:#?}");
    let ended = login.end();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    // In the midst of the writes every token is refused once, as one that ran out is.
    for path in [
        "/objects/contacts/batch/upsert",
        "/objects/deals/batch/upsert",
        "/associations/",
    ] {
        house.portal.portal.plan(Planned {
            method: None,
            path: path.to_owned(),
            skip: 0,
            times: 1,
            mishap: Mishap::before(401),
        });
    }
    let report = house.migrate();
    assert!(count(&report, "contact", "created") > 50 && count(&report, "contact", "failed") == 0);
    let counters = house.portal.portal.counters();
    let asked: u64 = counters
        .requests
        .iter()
        .filter(|(what, _)| what.contains("/oauth/"))
        .map(|(_, count)| count)
        .sum();
    assert!(
        asked >= 4,
        "the code, and a token anew each time: {:?}",
        counters.requests
    );
}

#[test]
fn a_dated_version_of_the_api_comes_to_the_same() {
    let house = House::new(|_| {});
    house.connect(&["--api-version", "2026-03"]);
    let report = house.migrate();
    let other = House::new(|_| {});
    other.connect(&[]);
    assert_eq!(report["objects"], other.migrate()["objects"]);
    let counters = house.portal.portal.counters();
    let is_old = |what: &String| what.contains("/crm/v3/") || what.contains("/crm/v4/");
    assert!(
        !counters.requests.keys().any(is_old),
        "{:?}",
        counters.requests
    );
    drop((house.runtime, other.runtime));
}

/// A portal that repeats the credential in its refusals, and one that ran out: the token is in the vault and nowhere else.
#[test]
fn the_portals_credential_is_nowhere_though_the_portal_repeats_it() {
    let mut house = House::new(|_| {});
    house
        .desk
        .set_environment("RUST_LOG", crate::canary::EVERYTHING);
    let mut canaries = Canaries::default();
    canaries.plant("portal's token", &house.portal.token);
    let connected = house.connect(&[]);
    canaries.assert_none_printed("connect hubspot", &connected);
    for (path, mishap) in [
        ("/objects/contacts/batch/upsert", Mishap::Echo),
        ("/objects/deals/batch/upsert", Mishap::Echo),
        ("/objects/deals/batch/upsert", Mishap::Truncate),
        ("/associations/", Mishap::Echo),
        ("/objects/notes/batch/upsert", Mishap::after(502)),
    ] {
        house.portal.portal.plan(Planned {
            method: None,
            path: path.to_owned(),
            skip: 0,
            times: 9,
            mishap,
        });
    }
    let migrated = house.desk.run(&migration("p"));
    canaries.assert_none_printed("migrate", &migrated);
    assert!(
        migrated.code.is_some_and(|code| code <= 1),
        "{:?}: {}",
        migrated.code,
        migrated
            .stderr
            .lines()
            .rev()
            .take(5)
            .collect::<Vec<_>>()
            .join("\n")
    );
    let report = migrated.json();
    assert!(
        findings(&report, "refused-record") > 0,
        "what the portal repeated is told, without the credential: {report:#}"
    );
    canaries.assert_none_below(&house.desk.path().join("p"), &[]);
    house.desk.set_environment(
        "LONGSHORE_TOKEN",
        "pat-na1-99999999-9999-4999-9999-999999999999",
    );
    canaries.plant(
        "wrong token",
        "pat-na1-99999999-9999-4999-9999-999999999999",
    );
    let refused = house.desk.run(&house.connection(&[]));
    canaries.assert_none_printed("connect with a wrong token", &refused);
    canaries.assert_none_below(&house.desk.path().join("p"), &[]);
}
