//! A project with a mapping file, from the vendor's simulator into the local CRM: what the file says is what the destination holds.

use std::path::{Path, PathBuf};

use it::{Desk, Simulation};
use rusqlite::Connection;
use serde_json::Value;

const RECORDS: &str = "120";

/// A project over a small simulated account.
struct Office {
    desk: Desk,
    _simulation: Simulation,
}

impl Office {
    fn new() -> Self {
        let desk = Desk::new();
        let simulation = desk.simulate("pipedrive", &["--records", RECORDS, "--limits", "off"]);
        std::fs::write(desk.path().join("token"), simulation.token()).unwrap();
        desk.run_expecting(&[0], &["init"]);
        let connect = [
            "connect",
            "pipedrive",
            "--param",
            "company=acme",
            "--yes",
            "--token-file",
            "token",
            "--allow-loopback",
            "--no-rate-limits",
            "--base-url",
            simulation.base_url(),
        ];
        desk.run_expecting(&[0], &connect);
        Self {
            desk,
            _simulation: simulation,
        }
    }

    fn file(&self) -> PathBuf {
        self.desk.path().join("mapping.toml")
    }

    fn plan(&self) -> Value {
        self.desk.run_expecting(&[0, 1], &["plan", "--json"]).json()
    }

    fn state(&self) -> Connection {
        open(&self.desk.path().join("state.db"))
    }

    fn crm(&self) -> Connection {
        open(&self.desk.path().join("local-crm.db"))
    }
}

fn open(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

#[track_caller]
fn number(db: &Connection, select: &str) -> i64 {
    db.query_row(select, [], |row| row.get(0)).unwrap()
}

#[track_caller]
fn texts(db: &Connection, select: &str) -> Vec<String> {
    let mut select = db.prepare(select).unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The plan's own words: its mapping, its actions and links, without the day it was made and the plan before it.
fn planned(office: &Office) -> (String, Vec<String>) {
    let db = office.state();
    let last = "(SELECT max(id) FROM plan WHERE hash IS NOT NULL)";
    let header: String = db
        .query_row(
            &format!("SELECT header FROM plan WHERE id = {last}"),
            [],
            |row| row.get(0),
        )
        .unwrap();
    let header: Value = serde_json::from_str(&header).unwrap();
    let actions = texts(
        &db,
        &format!(
            "SELECT a.source_id || a.kind || a.reason || coalesce(a.row, '') FROM action a, plan p
             WHERE p.id = {last} AND a.position BETWEEN p.first_action AND p.last_action ORDER BY a.position"
        ),
    );
    (header["mapping"].to_string(), actions)
}

#[test]
fn the_file_that_init_writes_changes_nothing() {
    let office = Office::new();
    office.plan();
    let without = planned(&office);
    office.desk.run_expecting(&[0], &["mapping", "init"]);
    assert_eq!(
        office.desk.run(&["mapping", "init"]).code,
        Some(2),
        "what a person wrote stays"
    );
    let check = office
        .desk
        .run_expecting(&[0], &["mapping", "check", "--json"])
        .json();
    assert_eq!(check["tests"], 0);
    office.plan();
    let with = planned(&office);
    assert_eq!(
        with.0, without.0,
        "the mapping is the default one, to the byte"
    );
    assert_eq!(with.1, without.1);
    let kept = office
        .desk
        .run_expecting(&[0], &["mapping", "show", "--plan"]);
    let file = std::fs::read_to_string(office.file()).unwrap();
    assert_eq!(
        kept.stdout.trim_end(),
        file.trim_end(),
        "the plan keeps the file it was made with"
    );
}

#[test]
fn everything_wrong_is_told_at_once_and_no_plan_is_made() {
    let office = Office::new();
    let file = r#"[objects.person]
filter = { field = "emial", known = true }
[objects.person.fields]
name = { to = "lastname", transform = ["last-name"], tests = [{ from = "Ann Lee", to = "Ann" }] }
nonesuch = "city"
[objects.persons]
colour = "red"
"#;
    std::fs::write(office.file(), file).unwrap();
    for command in [&["mapping", "check"][..], &["plan"]] {
        let ended = office.desk.run_expecting(&[2], command);
        for part in [
            "line 2: filter: source field \"emial\" does not exist",
            "line 4: transform of source field \"name\" fails its test: \"Ann Lee\" becomes \"Lee\", expected \"Ann\"",
            "line 5: source field \"nonesuch\" does not exist",
            "line 6: the source has no object \"persons\"; did you mean \"person\"?",
            "line 7: unknown key \"colour\"",
            "hint: correct mapping.toml",
        ] {
            assert!(ended.stderr.contains(part), "{part} in {}", ended.stderr);
        }
    }
    assert_eq!(number(&office.state(), "SELECT count(*) FROM plan"), 0);
}

const FILE: &str = r#"[objects.person]
filter = { field = "email", known = true }
[objects.person.fields]
name = [
  { to = "firstname", transform = ["trim", "first-name", "upper"], tests = [{ from = "Ann Lee", to = "ANN" }] },
  { to = "lastname", transform = ["trim", "last-name"], tests = [{ from = "Ann Lee", to = "Lee" }] },
]
first_name = false
last_name = false
[objects.product.fields]
code = false
[objects.lead]
leave-out = true
"#;

#[test]
fn a_migration_does_what_the_file_says() {
    let office = Office::new();
    std::fs::write(office.file(), FILE).unwrap();
    let check = office
        .desk
        .run_expecting(&[0], &["mapping", "check", "--json"])
        .json();
    assert_eq!(check["tests"], 2);
    let migrate = ["migrate", "--yes", "--json"];
    let report = office.desk.run_expecting(&[0, 1], &migrate).json();
    let (crm, state) = (office.crm(), office.state());
    // Nobody without e-mail came, and each who did not is accounted for with the condition.
    let blank = "SELECT count(*) FROM contacts WHERE email IS NULL OR email = ''";
    assert_eq!(number(&crm, blank), 0);
    let filtered = "SELECT count(*) FROM action WHERE reason LIKE '%\"filtered\"%email is known%'";
    let excluded = number(&state, filtered);
    assert!(excluded > 0, "the account has persons without e-mail");
    assert_eq!(report["objects"]["contact"]["excluded"], excluded);
    check_names(&crm);
    // The SKU is not carried over and can still be read; leads stayed where they were.
    assert!(number(&crm, "SELECT count(*) FROM products") > 0);
    let sku = "SELECT count(*) FROM products WHERE hs_sku IS NOT NULL";
    assert_eq!(number(&crm, sku), 0);
    let kept = "SELECT count(*) FROM staged_record WHERE row LIKE '%\"code\":\"%'";
    assert!(number(&state, kept) > 0);
    assert_eq!(number(&crm, "SELECT count(*) FROM leads"), 0);
}

fn check_names(crm: &Connection) {
    let of = |name: &str| {
        texts(
            crm,
            &format!("SELECT {name} FROM contacts WHERE {name} IS NOT NULL"),
        )
    };
    let (first, last) = (of("firstname"), of("lastname"));
    assert!(first.len() > 50, "{first:?}");
    assert!(
        first.iter().all(|name| *name == name.to_uppercase()),
        "{first:?}"
    );
    assert!(
        last.iter().any(|name| *name != name.to_uppercase()),
        "only the first name is changed"
    );
    assert!(last.iter().all(|name| !name.contains(' ')), "{last:?}");
}

#[test]
fn rule_15_a_record_that_leaves_the_filter_is_excluded_and_stays_as_it_is() {
    let office = Office::new();
    std::fs::write(office.file(), FILE).unwrap();
    let migrate = ["migrate", "--yes", "--json"];
    office.desk.run_expecting(&[0, 1], &migrate);
    let named = "firstname IS NOT NULL AND email IS NOT NULL";
    let email = texts(
        &office.crm(),
        &format!("SELECT email FROM contacts WHERE {named} ORDER BY id LIMIT 1"),
    )
    .remove(0);
    // From now on first names are small, which changes everyone but the one who leaves.
    let known = r#"{ field = "email", known = true }"#;
    let others = format!("{{ all = [{known}, {{ field = \"email\", is-not = {email:?} }}] }}");
    let changed = FILE
        .replace(known, &others)
        .replace(r#""upper"]"#, r#""lower"]"#)
        .replace(r#"to = "ANN""#, r#"to = "ann""#);
    std::fs::write(office.file(), changed).unwrap();
    office.desk.run_expecting(&[0, 1], &migrate);
    let capitals = format!(
        "SELECT email FROM contacts WHERE {named} AND firstname <> lower(firstname) COLLATE BINARY"
    );
    assert_eq!(texts(&office.crm(), &capitals), [email]);
    let left =
        "SELECT count(*) FROM action WHERE kind = 'exclude' AND reason LIKE '%email is not%'";
    assert_eq!(number(&office.state(), left), 1);
}
