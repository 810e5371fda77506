//! Holds which connectors are tested, how each is built, and which account it reads.
//!
//! Nothing is taken from a registry here: the tools of other languages are installed by their build commands, see `sdk/README.md`.
#![expect(non_upper_case_globals, reason = "a subject is named as its tests are")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use simulators::{example_crm, pipedrive as simulated, truth};

use super::bench::{Account, Subject, Vendor};
use super::stranger;

pub(crate) static pipedrive: Subject = Subject::new(pipedrive_package, |account| {
    Box::pin(start_pipedrive(account))
});
pub(crate) static example_rust: Subject =
    Subject::new(rust_package, |account| Box::pin(start_example(account)));
pub(crate) static example_python: Subject = Subject::new(
    || built_by("python"),
    |account| Box::pin(start_example(account)),
);
pub(crate) static example_javascript: Subject = Subject::new(
    || built_by("javascript"),
    |account| Box::pin(start_example(account)),
);
pub(crate) static a_stranger: Subject = Subject::new(stranger::package, |account| {
    Box::pin(stranger::start(account))
});

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pipedrive_package() -> Option<Vec<u8>> {
    Some(guest("connector-pipedrive", "plugins/pipedrive"))
}

fn rust_package() -> Option<Vec<u8>> {
    Some(guest("connector-example", "sdk/rust"))
}

/// A Rust connector, built as it is for release.
pub(crate) fn guest(package: &str, folder: &str) -> Vec<u8> {
    let target = root().join("target/guests");
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--locked", "--profile", "guest"])
        .args(["--target", "wasm32-unknown-unknown", "-p", package])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(root())
        .env_remove("RUSTFLAGS");
    assert!(
        build.status().unwrap().success(),
        "{package} does not build"
    );
    let file = format!("{}.wasm", package.replace('-', "_"));
    let module = target.join("wasm32-unknown-unknown/guest").join(file);
    let module = std::fs::read(module).unwrap();
    let manifest = root().join(folder).join("manifest.toml");
    market::pack(&module, &std::fs::read_to_string(manifest).unwrap()).unwrap()
}

/// A connector of another language, built by its one command where its tools were installed by it before.
fn built_by(language: &str) -> Option<Vec<u8>> {
    let root = root();
    let required = std::env::var("LONGSHORE_NEEDS_LANGUAGES").unwrap_or_default();
    let is_required = required.split_whitespace().any(|needed| needed == language);
    let tools = root.join("target/sdk").join(format!("{language}-tools"));
    if !is_required && !tools.join("ready").is_file() {
        // Straight to the terminal: what a passing test prints is not shown.
        let mut terminal = std::io::stderr().lock();
        writeln!(
            terminal,
            "SKIPPED: conformance of the {language} connector: its tools are not installed; `sdk/{language}/build` does that"
        )
        .unwrap();
        return None;
    }
    let build = Command::new(root.join("sdk").join(language).join("build"))
        .env("LONGSHORE", it::binary())
        .status()
        .unwrap();
    assert!(build.success(), "sdk/{language}/build");
    let package = root.join(format!("target/sdk/example-{language}.wasm"));
    Some(std::fs::read(package).unwrap())
}

async fn start_pipedrive(account: Account) -> Vendor {
    let records = match account {
        Account::Full => 100,
        Account::Empty => 0,
    };
    let options = simulated::Options {
        // The seed of an account that deleted a deal within the last 30 days: later the vendor forgets it.
        truth: truth::Source::Generated { records, seed: 2 },
        limits: simulated::Limits::Off,
        ..simulated::Options::default()
    };
    let running = simulated::start(options).await.unwrap();
    let truth = running.truth();
    let persons = (1..=records).filter_map(|id| truth.person(id));
    let persons = persons.filter(|person| !person.deleted);
    let texts = persons.map(|person| ("person", person.name)).collect();
    Vendor {
        base_url: running.base_url.clone(),
        token: running.token.clone(),
        parameters: BTreeMap::from([("company".to_owned(), "demo".to_owned())]),
        account: truth.base().company().id.to_string(),
        texts,
        never_empty: ["user", "currency", "product"].map(str::to_owned).into(),
        // The user's call logs are read whole, after the calls, and repeat some with outcome and numbers; a message comes with each person
        // and deal that it belongs to.
        loose: vec!["call".to_owned(), "email".to_owned()],
        _running: Box::new(running),
    }
}

async fn start_example(account: Account) -> Vendor {
    let contacts = match account {
        Account::Full => 120,
        Account::Empty => 0,
    };
    let options = example_crm::Options { contacts, port: 0 };
    let running = example_crm::start(options).await.unwrap();
    let names = example_crm::UNICODE_NAMES.iter();
    let names = names.flat_map(|(first, last)| [*first, *last]);
    let mut texts: Vec<_> = names.map(|name| ("contact", name.to_owned())).collect();
    texts.push(("note", "<p>Anruf 3: „später“ &amp; 再见 🙂</p>".to_owned()));
    Vendor {
        base_url: running.base_url.clone(),
        token: running.token.clone(),
        parameters: BTreeMap::new(),
        account: "ex-1".to_owned(),
        texts,
        never_empty: Vec::new(),
        loose: Vec::new(),
        _running: Box::new(running),
    }
}
