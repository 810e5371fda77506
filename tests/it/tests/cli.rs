//! The commands as a person or a script gives them, one after the other: names, keys and exit codes that other tools rely on.
//!
//! What the numbers are is not looked at here, only that they fit together.

use std::fmt::Write as _;
use std::path::Path;

use it::{Desk, Ended};
use serde_json::Value;

use crate::failures_site::{ACCOUNT, Site, assert_refused, connection, simulate_at};

/// The help of the program and of every command below it.
fn help(desk: &Desk, command: &[&str], whole: &mut String) {
    let ended = desk.run_expecting(&[0], &[command, &["--help"]].concat());
    writeln!(
        whole,
        "$ longshore {}\n\n{}",
        [command, &["--help"]].concat().join(" "),
        ended.stdout
    )
    .unwrap();
    let listed = ended.stdout.split("Commands:\n").nth(1).unwrap_or_default();
    let names = listed
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next());
    for name in names.filter(|name| *name != "help") {
        help(desk, &[command, &[name]].concat(), whole);
    }
}

/// Wherever the help changed on purpose: `UPDATE_SNAPSHOTS=1` rewrites the file, to be read before it is committed.
#[test]
fn the_help_is_as_agreed() {
    let mut found = String::new();
    help(&Desk::new(), &[], &mut found);
    for command in [
        "demo",
        "simulate",
        "init",
        "connect",
        "discover",
        "mapping init",
        "mapping show",
        "mapping check",
        "plan",
        "plan show",
        "apply",
        "migrate",
        "status",
        "explain",
        "audit",
        "match",
        "connectors list",
        "connectors inspect",
        "connectors install",
        "connectors upgrade",
        "connectors remove",
        "connectors search",
        "connectors verify",
        "connectors pack",
        "connectors keygen",
        "connectors sign",
        "connectors publish",
        "connectors revoke",
    ] {
        assert!(
            found.contains(&format!("$ longshore {command} --help\n")),
            "there is a command {command}"
        );
    }
    let snapshot = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/help.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&snapshot, &found).unwrap();
    }
    let agreed = std::fs::read_to_string(&snapshot).unwrap();
    let first = agreed
        .lines()
        .zip(found.lines())
        .position(|(agreed, found)| agreed != found);
    assert!(
        agreed == found,
        "the help differs from tests/help.txt, first in line {first:?}; UPDATE_SNAPSHOTS=1 rewrites it:\n{found}"
    );
}

#[test]
fn connectors_are_listed_and_inspected() {
    let desk = Desk::new();
    let list = desk
        .run_expecting(&[0], &["connectors", "list", "--json"])
        .json();
    let pipedrive = list["connectors"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["id"] == "pipedrive")
        .unwrap();
    assert_eq!(
        (&pipedrive["origin"], &pipedrive["installed"]),
        (&"official".into(), &false.into()),
        "{pipedrive}"
    );
    let found = desk
        .run_expecting(&[0], &["connectors", "inspect", "pipedrive", "--json"])
        .json();
    for key in [
        "id",
        "name",
        "version",
        "publisher",
        "contract",
        "component_digest",
        "manifest_digest",
        "imports",
        "wasi_imports",
        "exports",
        "wants",
    ] {
        assert!(!found[key].is_null(), "{key} is told: {found}");
    }
    assert_eq!(
        found["wasi_imports"],
        Value::Array(Vec::new()),
        "a connector gets nothing of the system"
    );
    assert_eq!(found["version"], pipedrive["version"]);
    let wants = found["wants"].as_array().unwrap();
    assert!(
        wants.iter().any(|line| line
            .as_str()
            .unwrap()
            .contains("https://{company}.pipedrive.com")),
        "it says what it may reach: {wants:?}"
    );
    assert!(
        wants
            .iter()
            .all(|line| !line.as_str().unwrap().contains("POST")),
        "it only reads: {wants:?}"
    );
    assert_refused(
        &desk.run(&["connectors", "inspect", "nonesuch"]),
        &["\"nonesuch\" is neither an official connector nor a package"],
    );
}

fn sum(objects: &Value, key: &str) -> u64 {
    objects
        .as_object()
        .unwrap()
        .values()
        .map(|object| {
            object[key]
                .as_u64()
                .unwrap_or_else(|| panic!("{key} in {object}"))
        })
        .sum()
}

/// Phase by phase, each with its JSON, and then once more: a plan after a perfect apply is empty.
#[test]
fn the_phases_one_by_one_and_the_second_plan_is_empty() {
    let mut desk = Desk::new();
    let simulation = desk.simulate("pipedrive", &ACCOUNT);
    desk.set_environment("LONGSHORE_TOKEN", simulation.token());
    up_to_discover(&desk, simulation.base_url());
    let planned = desk
        .run_expecting(&[0, 1], &["plan", "--dir", "p", "--json"])
        .json();
    let hash = planned["plan"]["hash"].as_str().unwrap().to_owned();
    assert!(
        sum(&planned["objects"], "create") > 200 && sum(&planned["objects"], "update") == 0,
        "{planned}"
    );
    let crm = desk.path().join("p/local-crm.db");
    let contacts = || -> i64 {
        rusqlite::Connection::open(&crm)
            .unwrap()
            .query_row("SELECT count(*) FROM contacts", [], |row| row.get(0))
            .unwrap()
    };
    refuse_wrong_approvals(&desk, &hash);
    assert_eq!(
        contacts(),
        0,
        "nothing is written before a plan is approved"
    );
    let applied = desk
        .run_expecting(
            &[0, 1],
            &["apply", "--dir", "p", "--approve", &hash, "--json"],
        )
        .json();
    assert_eq!(applied["plan"]["hash"], hash.as_str());
    assert_eq!(
        applied["outcomes"]["person"]["created"], planned["objects"]["contact"]["create"],
        "{applied}"
    );
    assert_eq!(
        contacts(),
        planned["objects"]["contact"]["create"].as_i64().unwrap()
    );
    audited(&desk, &planned);
    #[cfg(unix)]
    only_the_owner_reads(&desk);
    let status = desk
        .run_expecting(&[0], &["status", "--dir", "p", "--json"])
        .json();
    assert_eq!(status["plan"]["hash"], hash.as_str());
    assert!(
        status["staged"]["person"].as_u64().unwrap() > 50
            && !status["outcomes"].as_array().unwrap().is_empty(),
        "{status}"
    );
    second_plan_is_empty(&desk, &planned);
}

/// Whatever holds customer data or a secret.
#[cfg(unix)]
fn only_the_owner_reads(desk: &Desk) {
    use std::os::unix::fs::PermissionsExt as _;
    for file in [
        "p/state.db",
        "p/local-crm.db",
        "p/vault.json",
        "p/vault.key",
        "p/compiled/key",
        "proof.xlsx",
    ] {
        let facts = std::fs::metadata(desk.path().join(file)).unwrap();
        assert_eq!(facts.permissions().mode() & 0o777, 0o600, "{file}");
    }
}

/// A project, its connection and what both sides have; what comes too early is refused.
fn up_to_discover(desk: &Desk, base_url: &str) {
    let at = |command: &'static str| vec![command, "--dir", "p", "--json"];
    assert_eq!(desk.run_expecting(&[0], &at("init")).json()["project"], "p");
    assert_eq!(
        desk.run_expecting(&[0], &at("status")).json()["connection"],
        Value::Null
    );
    assert_refused(
        &desk.run(&at("plan")),
        &["no source yet", "hint: ", "longshore connect"],
    );
    let mut connect: Vec<_> = connection("p", base_url).to_vec();
    connect.push("--json");
    let connected = desk.run_expecting(&[0], &connect).json();
    assert_eq!(
        (&connected["connection"], &connected["connector"]),
        (&"pipedrive".into(), &"pipedrive".into())
    );
    assert!(connected["account"]["name"].is_string(), "{connected}");
    let discovered = desk.run_expecting(&[0, 1], &at("discover")).json();
    for key in ["account", "source", "mapping", "findings"] {
        assert!(!discovered[key].is_null(), "discover tells {key}");
    }
    assert_refused(
        &desk.run(&[&at("apply")[..], &["--yes"]].concat()),
        &["there is no plan yet", "hint: ", "longshore plan"],
    );
}

fn audited(desk: &Desk, planned: &Value) {
    let audited = desk
        .run_expecting(
            &[0, 1],
            &["audit", "--dir", "p", "--out", "proof.xlsx", "--json"],
        )
        .json();
    assert_eq!(
        sum(&audited["objects"], "created"),
        sum(&planned["objects"], "create"),
        "{audited}"
    );
    assert_eq!(sum(&audited["objects"], "differing"), 0, "{audited}");
    assert!(
        std::fs::read(desk.path().join("proof.xlsx"))
            .unwrap()
            .starts_with(b"PK"),
        "the workbook is where it was asked for"
    );
    assert!(
        !desk.path().join("p/audit.xlsx").exists(),
        "and nowhere else"
    );
}

fn refuse_wrong_approvals(desk: &Desk, hash: &str) {
    let wrong = format!(
        "{}{}",
        if hash.starts_with('0') { "1" } else { "0" },
        &hash[1..]
    );
    for wrong in [&wrong, &hash[..8], ""] {
        assert_refused(
            &desk.run(&["apply", "--dir", "p", "--approve", wrong, "--json"]),
            &["plan"],
        );
    }
    let unasked = desk.run(&["apply", "--dir", "p", "--json"]);
    assert_refused(
        &unasked,
        &[
            "the plan was not approved",
            "hint: nothing was written",
            hash,
        ],
    );
}

/// Nothing changed at the source or the destination, so there is nothing to do; and doing it does nothing.
fn second_plan_is_empty(desk: &Desk, first: &Value) {
    let crm = desk.path().join("p/local-crm.db");
    let before = crate::failures_site::dump(&crm);
    let second = desk
        .run_expecting(&[0, 1], &["plan", "--dir", "p", "--json"])
        .json();
    for (name, object) in second["objects"].as_object().unwrap() {
        assert_eq!(
            (&object["create"], &object["update"]),
            (&0.into(), &0.into()),
            "a plan after a perfect apply is empty: {name}: {object}"
        );
        assert_eq!(
            object["selected"], first["objects"][name]["selected"],
            "and knows every record: {name}"
        );
    }
    assert_eq!(
        second["plan"]["parent"], first["plan"]["id"],
        "it follows the first"
    );
    let hash = second["plan"]["hash"].as_str().unwrap();
    desk.run_expecting(
        &[0, 1],
        &["apply", "--dir", "p", "--approve", hash, "--json"],
    );
    crate::failures_site::assert_same("the empty plan", &before, &crate::failures_site::dump(&crm));
}

#[test]
fn the_simulator_says_where_it_is_first() {
    let desk = Desk::new();
    let (_simulator, facts) =
        simulate_at(desk.command(&["simulate", "pipedrive", "--port", "0", "--records", "5"]));
    let base_url = facts["base_url"].as_str().unwrap();
    assert!(
        base_url.starts_with("http://127.0.0.1:") && facts["token"].as_str().unwrap().len() == 40,
        "{facts}"
    );
    let port = base_url.rsplit(':').next().unwrap();
    let taken = desk.run(&["simulate", "pipedrive", "--port", port, "--records", "5"]);
    assert_refused(
        &taken,
        &["cannot listen on 127.0.0.1 port", port, "in use", "hint: "],
    );
    assert_eq!(taken.stdout, "", "it does not claim to be somewhere");
}

#[test]
fn what_cannot_be_understood_is_refused_with_a_pointer() {
    let desk = Desk::new();
    desk.run_expecting(&[0], &["init", "--dir", "p"]);
    let twice = desk.run(&["simulate", "pipedrive", "--port", "0", "--port", "0"]);
    assert_refused(
        &twice,
        &["--port", "cannot be used multiple times", "--help"],
    );
    assert_refused(
        &desk.run(&["simulate", "pipedrive", "--faults", "bad=1"]),
        &["--faults", "unknown fault \"bad", "known: "],
    );
    assert_refused(
        &desk.run(&["sail"]),
        &["unrecognized subcommand 'sail'", "--help"],
    );
    let without_consent: Ended = desk.run(&[
        "connect",
        "pipedrive",
        "--dir",
        "p",
        "--param",
        "company=demo",
    ]);
    assert_refused(
        &without_consent,
        &[
            "the connector was not agreed to",
            "hint: answer y, or give --yes",
        ],
    );
    let argument = [
        "connect",
        "pipedrive",
        "--dir",
        "p",
        "--yes",
        "--param",
        "company=a/b",
    ];
    let mut command = desk.command(&argument);
    let output = command
        .env(
            "LONGSHORE_TOKEN",
            "0123456789abcdef0123456789abcdef01234567",
        )
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("company"),
        "the parameter is named: {output:?}"
    );
}

/// With `--json` a failure is JSON too, and standard output has nothing else.
#[test]
fn a_failure_is_json_where_json_was_asked_for() {
    let site = Site::connected();
    let ended = site.desk.run(&["audit", "--dir", "base", "--json"]);
    assert_refused(&ended, &["there is no plan yet", "hint: "]);
    let failure: Value = serde_json::from_str(ended.stdout.trim()).unwrap();
    assert_eq!(failure["error"], "there is no plan yet", "{failure}");
}

/// A disk that fills up under `longshore migrate --json > report.json` is an error and no crash; `longshore … | head` is neither.
#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_told() {
    let desk = Desk::new();
    desk.run_expecting(&[0], &["init"]);
    let end = |stdout: std::process::Stdio| {
        let mut command = desk.command(&["connectors", "list", "--json"]);
        let ended = command.stdout(stdout).output().unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        (ended.status.code(), stderr)
    };
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let (code, stderr) = end(full.into());
    assert_eq!(code, Some(2), "{stderr}");
    assert!(
        stderr.starts_with("error: cannot write to standard output: No space left on device")
            && stderr.contains("hint: "),
        "{stderr}"
    );
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(end(writer.into()), (Some(0), String::new()));
}
