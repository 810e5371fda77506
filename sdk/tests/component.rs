//! Builds the connector of `tests/guest` for the sandbox and looks at the component: what it imports and exports, and that no WASI is
//! among it.
//!
//! It does not run it: that is the sandbox's.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasmparser::{ComponentExternalKind, Parser, Payload};

const TARGET: &str = "wasm32-unknown-unknown";
const SDK: &str = env!("CARGO_MANIFEST_DIR");

/// Asks rustup for the target where it is missing. Answers whether it is there.
fn has_target() -> bool {
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .expect("rustc runs");
    let sysroot = String::from_utf8(sysroot.stdout).expect("a path in UTF-8");
    let installed = Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(TARGET)
        .is_dir();
    installed
        || Command::new("rustup")
            .args(["target", "add", TARGET])
            .status()
            .is_ok_and(|status| status.success())
}

/// Copies the guest out of the source tree, so that building it leaves nothing there, and locks what this workspace locks.
fn guest_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("sdk-guest")
        .join(name);
    std::fs::create_dir_all(folder.join("src")).expect("a folder below the target folder");
    let source = Path::new(SDK).join("tests/guest");
    let manifest =
        std::fs::read_to_string(source.join("Cargo.toml")).expect("the guest's manifest");
    let here = format!("path = {SDK:?}");
    let moved = manifest.replace("path = \"../..\"", &here);
    assert!(moved.contains(&here), "the guest names the SDK by its path");
    std::fs::write(folder.join("Cargo.toml"), moved).expect("written");
    std::fs::copy(source.join("src/lib.rs"), folder.join("src/lib.rs")).expect("copied");
    let lock = Path::new(SDK).join("../Cargo.lock");
    if lock.is_file() && !folder.join("Cargo.lock").is_file() {
        std::fs::copy(lock, folder.join("Cargo.lock")).expect("copied");
    }
    folder
}

fn build(features: &str) -> Vec<u8> {
    let folder = guest_folder(if features.is_empty() {
        "source"
    } else {
        features
    });
    // One target folder for all three: only the guest itself is compiled again.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk-guest/target");
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--target",
            TARGET,
            "--features",
            features,
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(&folder)
        .env_remove("RUSTFLAGS")
        .status()
        .expect("cargo runs");
    assert!(
        built.success(),
        "guest with features {features:?} does not build"
    );
    let module =
        std::fs::read(target.join(TARGET).join("release/guest.wasm")).expect("cargo made it");
    let encoder = wit_component::ComponentEncoder::default()
        .module(&module)
        .expect("a module with its contract inside");
    encoder.validate(true).encode().expect("a component")
}

/// Names of the component's imports and exports, at the top level.
fn surface(component: &[u8]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut imports, mut exports, mut depth) = (BTreeSet::new(), BTreeSet::new(), 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("a well-formed component") {
            Payload::ComponentSection { .. } | Payload::ModuleSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports.extend(
                    section
                        .into_iter()
                        .map(|import| import.expect("readable").name.name.to_owned()),
                );
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    let export = export.expect("readable");
                    assert_eq!(export.kind, ComponentExternalKind::Instance);
                    exports.insert(export.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    (imports, exports)
}

#[track_caller]
fn check(features: &str, expected: &[&str]) {
    let component = build(features);
    let (imports, exports) = surface(&component);
    let named = |names: &[&str]| -> BTreeSet<String> {
        names
            .iter()
            .map(|name| format!("longshore:connector/{name}@0.1.0"))
            .collect()
    };
    assert_eq!(
        imports,
        named(&["http", "runtime", "types"]),
        "with features {features:?}"
    );
    assert_eq!(exports, named(expected), "with features {features:?}");
}

#[test]
fn a_component_exports_what_its_author_lists_and_imports_no_wasi() {
    if !has_target() {
        println!("SKIPPED: rustup could not install {TARGET}, so no guest was built");
        return;
    }
    check("", &["source"]);
    check("stages", &["source", "stages"]);
    check("engagements,stages", &["engagements", "source", "stages"]);
}
