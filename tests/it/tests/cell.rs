//! What a person sees of the cell: a connector is compiled once in a project, by a process of its own, and what does not fit is not installed.
//!
//! What hostile code can do inside of the cell is in `tests/hostile`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use it::Desk;

use crate::failures_site::{Site, assert_refused};

/// The one compiled connector of a project.
fn entry(project: &Path) -> PathBuf {
    let files = fs::read_dir(project.join("compiled")).unwrap();
    let mut entries: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "aot"))
        .collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.pop().unwrap()
}

fn written(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn a_connector_is_compiled_once_in_a_project_and_again_when_its_entry_was_tampered_with() {
    let site = Site::connected();
    let entry = entry(&site.desk.path().join("base"));
    let discover = ["discover", "--dir", "base", "--json"];
    let first = written(&entry);
    let found = site.desk.run_expecting(&[0, 1], &discover);
    assert_eq!(written(&entry), first, "it was there");

    let mut bytes = fs::read(&entry).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&entry, &bytes).unwrap();
    let again = site.desk.run_expecting(&[0, 1], &discover);
    assert_eq!(again.json(), found.json(), "the same as before");
    assert!(
        fs::read(&entry).unwrap() != bytes,
        "compiled again, not run"
    );
    let mended = written(&entry);
    site.desk.run_expecting(&[0, 1], &discover);
    assert_eq!(written(&entry), mended);
}

/// A package whose exports are no connector's, which only compiling shows.
fn hollow(desk: &Desk) -> &'static str {
    let module = r#"(component (import "longshore:connector/http@0.1.0" (instance))
        (instance $i) (export "longshore:connector/source@0.1.0" (instance $i)))"#;
    let manifest = "id = \"acme\"\nname = \"Acme\"\nversion = \"1.0.0\"\npublisher = \"Acme\"\ncontract = \"0.1\"\ndescription = \"None.\"\n\
        [[endpoints]]\nid = \"api\"\nurl = \"https://api.acme.com\"\nmethods = [\"GET\"]\n\
        [[objects]]\nname = \"person\"\nsupports = [\"read\"]\n";
    let path = |name: &str| desk.path().join(name);
    fs::write(path("module.wasm"), wat::parse_str(module).unwrap()).unwrap();
    fs::write(path("manifest.toml"), manifest).unwrap();
    let pack = [
        "connectors",
        "pack",
        "module.wasm",
        "--manifest",
        "manifest.toml",
        "--out",
        "acme.wasm",
    ];
    desk.run_expecting(&[0], &pack);
    "acme.wasm"
}

#[test]
fn what_does_not_fit_the_contract_is_refused_before_it_is_installed() {
    let desk = Desk::new();
    desk.run_expecting(&[0], &["init", "--dir", "p"]);
    let package = hollow(&desk);
    let install = [
        "connectors",
        "install",
        package,
        "--dir",
        "p",
        "--yes",
        "--allow-unsigned",
    ];
    let words = ["connector acme was refused", "does not fit contract 0.1"];
    assert_refused(&desk.run(&install), &words);
    assert!(!desk.path().join("p/connectors/acme").exists());
    let listed = desk.run_expecting(&[0], &["connectors", "list", "--dir", "p", "--json"]);
    assert!(!listed.stdout.contains("acme"), "{listed:#?}");
}

#[test]
fn the_compiling_process_refuses_what_is_no_component_and_says_why() {
    let desk = Desk::new();
    let limits = [(1_u64 << 30).to_le_bytes(), 10_u64.to_le_bytes()].concat();
    for input in [
        b"".as_slice(),
        &limits,
        &[&limits, b"no wasm".as_slice()].concat(),
    ] {
        let mut command = desk.command(&["compile-connector"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert!(!ended.status.success() && ended.stdout.is_empty());
        let told = String::from_utf8(ended.stderr).unwrap();
        assert!(!told.is_empty() && !told.contains("panicked"), "{told}");
    }
}
