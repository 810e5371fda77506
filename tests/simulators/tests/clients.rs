//! Holds the HubSpot simulator against the vendor's own client packages, as customers use them.
//!
//! Nothing is taken from a registry here: `tests/clients/hubspot/build` installs the packages. Without them a client is skipped, and said so,
//! unless `LONGSHORE_NEEDS_LANGUAGES` names its language.

use simulators::hubspot::{Options, start};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder that a language's client is installed in; none where it is not, and need not be.
fn installed(language: &str) -> Option<PathBuf> {
    let required = std::env::var("LONGSHORE_NEEDS_LANGUAGES").unwrap_or_default();
    let tools = root().join("target/clients").join(language);
    if tools.join("ready").is_file() {
        return Some(tools);
    }
    assert!(
        !required.split_whitespace().any(|needed| needed == language),
        "HubSpot's client for {language} is not installed; `tests/clients/hubspot/build {language}` does that"
    );
    // Straight to the terminal: what a passing test prints is not shown.
    let mut terminal = std::io::stderr().lock();
    writeln!(
        terminal,
        "SKIPPED: HubSpot's client for {language}: it is not installed; `tests/clients/hubspot/build {language}` does that"
    )
    .expect("standard error is open");
    None
}

/// Runs a script against a fresh portal with the limits of a real one; tells what it printed.
async fn run(mut script: Command) -> Output {
    let running = start(Options::default())
        .await
        .expect("a free port is there");
    let facts = running.facts();
    let text = |fact: &serde_json::Value| {
        let given = fact.as_str().map(str::to_owned);
        given.unwrap_or_else(|| fact.to_string())
    };
    script
        .env("HUBSPOT_BASE", &running.base_url)
        .env("HUBSPOT_TOKEN", &running.token)
        .env("HUBSPOT_APP", text(&facts["app"]))
        .env("HUBSPOT_DEVELOPER_KEY", text(&facts["developer_key"]))
        .env("HUBSPOT_CLIENT_ID", &running.client_id)
        .env("HUBSPOT_CLIENT_SECRET", &running.client_secret);
    let output =
        tokio::task::spawn_blocking(move || script.output().expect("the interpreter is there"));
    let output = output.await.expect("nothing panics there");
    running.stop().await;
    output
}

#[track_caller]
fn without_surprise(output: &Output, steps: usize) {
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    let passed = printed.lines().filter(|line| line.starts_with("ok "));
    assert_eq!(passed.count(), steps, "{printed}{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_for_node_is_not_surprised() {
    let Some(modules) = installed("javascript") else {
        return;
    };
    let mut script = Command::new("node");
    script
        .arg(root().join("tests/clients/hubspot/script.mjs"))
        .env("MODULES", modules);
    without_surprise(&run(script).await, 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_for_python_is_not_surprised() {
    let Some(tools) = installed("python") else {
        return;
    };
    let mut script = Command::new(tools.join("bin/python"));
    script.arg(root().join("tests/clients/hubspot/script.py"));
    without_surprise(&run(script).await, 9);
}
