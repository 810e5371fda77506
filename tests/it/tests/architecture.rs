//! Who may import whom: the table of the README, compared with `cargo metadata` and with the `use` lines of every file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Crate, the crates of the house it may name, and the outside crates that it alone may name.
const LAYERS: &[(&str, &[&str], &[&str])] = &[
    ("model", &[], &[]),
    ("reconcile", &["model"], &["psl"]),
    ("store", &["model"], &[]),
    ("localcrm", &["model"], &[]),
    ("vault", &["model"], &["chacha20poly1305", "keyring"]),
    (
        "egress",
        &["model", "vault"],
        &["reqwest", "governor", "oauth2", "lettre"],
    ),
    (
        "market",
        &["model"],
        &[
            "wit-component",
            "wasm-encoder",
            "wasmparser",
            "oci-client",
            "ed25519-dalek",
        ],
    ),
    ("hubspot", &["model", "egress"], &[]),
    (
        "sandbox",
        &["model", "egress"],
        &["wasmtime", "blake3", "rustix"],
    ),
    (
        "run",
        &["model", "reconcile", "store"],
        &["rust_xlsxwriter"],
    ),
    (
        "cli",
        &[
            "model",
            "reconcile",
            "store",
            "localcrm",
            "vault",
            "egress",
            "market",
            "sandbox",
            "hubspot",
            "run",
            "simulators",
        ],
        &["clap", "console", "indicatif", "rustix", "webbrowser"],
    ),
    ("longshore-sdk", &[], &["wit-bindgen"]),
    ("connector-pipedrive", &["longshore-sdk"], &[]),
    ("simulators", &[], &[]),
    ("connector-example", &["longshore-sdk"], &[]),
    ("it", &[], &[]),
    ("hostile", &["sandbox"], &[]),
    ("connector-hunter", &["longshore-sdk"], &[]),
];

/// Outside crates with one door that more than one crate of the house may open.
const SHARED_DOORS: &[(&str, &[&str])] = &[
    ("axum", &["cli", "simulators"]),
    ("rusqlite", &["store", "localcrm"]),
    ("anyhow", &["cli"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    metadata.packages
}

fn named(package: &Package) -> BTreeSet<String> {
    let counted = |kind| matches!(kind, DependencyKind::Normal | DependencyKind::Build);
    let dependencies = package
        .dependencies
        .iter()
        .filter(|dependency| counted(dependency.kind));
    dependencies
        .map(|dependency| dependency.name.clone())
        .collect()
}

#[test]
fn crates_name_only_the_floors_below() {
    let layers: BTreeMap<_, _> = LAYERS
        .iter()
        .map(|(name, house, _)| (*name, *house))
        .collect();
    let packages = packages();
    let known: BTreeSet<_> = packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    assert_eq!(
        known,
        layers.keys().map(|name| (*name).to_owned()).collect(),
        "every crate has its line in the table"
    );
    for package in &packages {
        for dependency in named(package).intersection(&known) {
            let allowed = layers[package.name.as_str()].contains(&dependency.as_str());
            assert!(allowed, "{} may not name {dependency}", package.name);
        }
    }
}

#[test]
fn each_outside_door_is_opened_by_its_own_crate_only() {
    let mut doors: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, _, outside) in LAYERS {
        outside
            .iter()
            .for_each(|door| doors.entry(door).or_default().push(name));
    }
    doors.extend(
        SHARED_DOORS
            .iter()
            .map(|(door, names)| (*door, names.to_vec())),
    );
    for package in packages() {
        for dependency in named(&package) {
            if let Some(owners) = doors.get(dependency.as_str()) {
                assert!(
                    owners.contains(&package.name.as_str()),
                    "{} may not name {dependency}",
                    package.name
                );
            }
        }
    }
}

/// The modules that a `lib.rs` declares, in order.
fn declared(source: &str) -> Vec<String> {
    let declaration = |line: &str| {
        let line = line
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub ");
        Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    };
    source
        .lines()
        .filter_map(declaration)
        .filter(|module| module != "tests")
        .collect()
}

/// The top-level modules that a file names as `crate::module`, in code that ships: comments and tests may look down.
fn modules_named(source: &str) -> BTreeSet<String> {
    let shipped = source.split("#[cfg(test)]").next().unwrap();
    let source: String = shipped
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in source.match_indices("crate::") {
        let rest = &source[at + "crate::".len()..];
        let braced = rest
            .strip_prefix('{')
            .and_then(|rest| rest.split('}').next());
        let names = braced.map_or_else(
            || vec![rest],
            |list| list.split(',').map(str::trim).collect(),
        );
        for name in names {
            found.insert(
                name.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect::<String>(),
            );
        }
    }
    found
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn a_file_names_only_modules_declared_above_its_own() {
    for package in packages() {
        let sources = package
            .manifest_path
            .parent()
            .unwrap()
            .as_std_path()
            .join("src");
        let entrance = ["lib.rs", "main.rs"]
            .into_iter()
            .map(|name| sources.join(name))
            .find(|path| path.exists());
        let order =
            declared(&std::fs::read_to_string(entrance.expect("a crate has an entrance")).unwrap());
        let place = |module: &str| order.iter().position(|declared| declared == module);
        let mut files = Vec::new();
        files_below(&sources, &mut files);
        for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
            let inside = file.strip_prefix(&sources).unwrap();
            let own = inside
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_str()
                .unwrap()
                .trim_end_matches(".rs");
            let Some(own_place) = place(own) else {
                continue;
            };
            for module in modules_named(&std::fs::read_to_string(file).unwrap()) {
                if let Some(other) = place(&module) {
                    assert!(
                        other <= own_place,
                        "{}: {own} names {module}, which is declared below it",
                        file.display()
                    );
                }
            }
        }
    }
}
