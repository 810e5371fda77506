//! Looks into a package without running any of its code: what it is, what it wants, what it imports and exports.
//!
//! It refuses what no connector may import, so that a person is never asked to consent to it.

use std::collections::BTreeSet;

use serde::Serialize;
use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::digest::Digest;
use crate::manifest::{Manifest, ManifestError};
use crate::package::list_manifests;

const PACKAGE: &str = "longshore:connector/";
const IMPORTS: [&str; 3] = ["types", "http", "runtime"];
/// What a component of another language may import; it gets clocks, random numbers and captured output, never sockets, files or
/// the environment.
const WASI: [&str; 11] = [
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/exit",
];
/// The largest package that is looked into.
pub const PACKAGE_MAX_BYTES: usize = 64 << 20;

/// What a package is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// Its manifest, checked.
    pub manifest: Manifest,
    /// The digest of the whole package.
    pub component_digest: Digest,
    /// The digest of the manifest's text.
    pub manifest_digest: Digest,
    /// The contract's interfaces that it imports, sorted.
    pub imports: Vec<String>,
    /// The WASI interfaces that it imports, sorted; only components of other languages have any.
    pub wasi_imports: Vec<String>,
    /// The contract's interfaces that it exports, sorted.
    pub exports: Vec<String>,
    /// Its size.
    pub size_bytes: usize,
}

/// Why a package is refused.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It is larger than a package may be.
    #[error("package has {bytes} bytes; the most is {PACKAGE_MAX_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It is a core module, or no WebAssembly at all.
    #[error(
        "file is no WebAssembly component: make one of the module with `longshore connectors pack`"
    )]
    NoComponent,
    /// Its bytes are not valid.
    #[error("component is not valid")]
    Invalid(#[source] wasmparser::BinaryReaderError),
    /// It has no manifest.
    #[error("component has no manifest: add it with `longshore connectors pack`")]
    NoManifest,
    /// Its manifest is no text.
    #[error("manifest is not UTF-8 text: write it as TOML in UTF-8")]
    ManifestText,
    /// Its manifest is refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It imports what no connector gets.
    #[error(
        "component imports {0:?}, which no connector gets: build it with the SDK, without that import"
    )]
    ForeignImport(String),
    /// It speaks another contract line than its manifest says.
    #[error(
        "component uses {name}, its manifest says contract {contract}: build it with the SDK of that line"
    )]
    ContractLine {
        /// The interface with its version.
        name: String,
        /// The manifest's line.
        contract: String,
    },
    /// It lacks what every connector exports.
    #[error(
        "component does not export {PACKAGE}source, which every connector does: export it with the SDK"
    )]
    MissingExport,
    /// Its manifest and its exports say different things.
    #[error("manifest and component differ: {0}")]
    Differs(&'static str),
}

/// Looks into a package.
///
/// # Errors
/// When it is not valid, has no acceptable manifest, or imports what no connector gets.
pub fn inspect(component: &[u8]) -> Result<Inspection, InspectError> {
    let manifest_text = find_manifest(component)?;
    let manifest =
        Manifest::parse(str::from_utf8(manifest_text).map_err(|_| InspectError::ManifestText)?)?;
    let (all_imports, all_exports) = list_names(component).map_err(InspectError::Invalid)?;
    let (mut imports, mut wasi_imports) = (Vec::new(), Vec::new());
    for name in all_imports {
        if check_contract_name(&name, &manifest.contract)?
            .is_some_and(|interface| IMPORTS.contains(&interface))
        {
            imports.push(name);
        } else if is_allowed_wasi(&name) {
            wasi_imports.push(name);
        } else {
            return Err(InspectError::ForeignImport(name));
        }
    }
    let mut exports = Vec::new();
    for name in all_exports {
        if check_contract_name(&name, &manifest.contract)?.is_some() {
            exports.push(name);
        }
    }
    compare(&manifest, &exports)?;
    Ok(Inspection {
        manifest,
        component_digest: Digest::of(component),
        manifest_digest: Digest::of(manifest_text),
        imports,
        wasi_imports,
        exports,
        size_bytes: component.len(),
    })
}

/// The one manifest of a component that is valid as a whole.
fn find_manifest(component: &[u8]) -> Result<&[u8], InspectError> {
    if component.len() > PACKAGE_MAX_BYTES {
        return Err(InspectError::TooLarge {
            bytes: component.len(),
        });
    }
    if !Parser::is_component(component) {
        return Err(InspectError::NoComponent);
    }
    let more = WasmFeatures::EXTENDED_CONST | WasmFeatures::TAIL_CALL;
    let features = WasmFeatures::WASM2 | WasmFeatures::COMPONENT_MODEL | more;
    Validator::new_with_features(features)
        .validate_all(component)
        .map_err(InspectError::Invalid)?;
    match list_manifests(component).map_err(InspectError::Invalid)?[..] {
        [] => Err(InspectError::NoManifest),
        [one] => Ok(one),
        _ => Err(InspectError::Differs(
            "the component has more than one manifest",
        )),
    }
}

/// Refuses a component that does not export what its manifest says, or more.
fn compare(manifest: &Manifest, exports: &[String]) -> Result<(), InspectError> {
    let offers = |interface: &str| {
        exports
            .iter()
            .any(|name| name.starts_with(&format!("{PACKAGE}{interface}@")))
    };
    if !offers("source") {
        return Err(InspectError::MissingExport);
    }
    match (manifest.engagements.is_empty(), offers("engagements")) {
        (false, false) => Err(InspectError::Differs(
            "the manifest declares engagements, the component does not export them",
        )),
        (true, true) => Err(InspectError::Differs(
            "the component exports engagements, the manifest declares none",
        )),
        _ => Ok(()),
    }
}

/// The interface's name where it is one of the contract's; refuses another line than the manifest's.
fn check_contract_name<'a>(name: &'a str, contract: &str) -> Result<Option<&'a str>, InspectError> {
    let Some((interface, version)) = name
        .strip_prefix(PACKAGE)
        .and_then(|rest| rest.split_once('@'))
    else {
        return Ok(None);
    };
    let version = semver::Version::parse(version).ok();
    let line = version.map(|version| format!("{}.{}", version.major, version.minor));
    if line.as_deref() == Some(contract) {
        return Ok(Some(interface));
    }
    Err(InspectError::ContractLine {
        name: name.to_owned(),
        contract: contract.to_owned(),
    })
}

fn is_allowed_wasi(name: &str) -> bool {
    let Some((interface, version)) = name.split_once('@') else {
        return false;
    };
    let known = WASI.contains(&interface);
    known && version.starts_with("0.2.")
}

/// The names of imports and exports at the component's top level, sorted.
fn list_names(
    component: &[u8],
) -> Result<(BTreeSet<String>, BTreeSet<String>), wasmparser::BinaryReaderError> {
    let (mut depth, mut imports, mut exports) = (0_usize, BTreeSet::new(), BTreeSet::new());
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version {
                encoding: Encoding::Module | Encoding::Component,
                ..
            } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports.insert(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    exports.insert(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}
