//! Makes a connector package: the component that a core module holds, with its manifest at the component's top level.
//!
//! It builds nothing from source and signs nothing.

use std::borrow::Cow;

use wasm_encoder::{ComponentSection, CustomSection, Encode};
use wasmparser::{Encoding, Parser, Payload};
use wit_component::ComponentEncoder;

use crate::manifest::{Manifest, ManifestError};

/// The custom section that holds the manifest as TOML.
pub const MANIFEST_SECTION: &str = "longshore:manifest";

/// Why a package was not made.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The manifest makes no sense.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The module is none that the SDK made.
    #[error("module cannot be made a component: build it with the SDK for wasm32-unknown-unknown")]
    Module(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The module is a package already.
    #[error("component has a manifest already: pack the module that the compiler made")]
    Packed,
}

/// Makes a package of a core module from the SDK, or of a component that another language's tools made.
///
/// # Errors
/// When the manifest is refused, the module was not made by the SDK, or it is a package already.
pub fn pack(module: &[u8], manifest_toml: &str) -> Result<Vec<u8>, PackError> {
    Manifest::parse(manifest_toml)?;
    let mut component = if is_component(module) {
        module.to_vec()
    } else {
        encode(module)?
    };
    let refused = |error: wasmparser::BinaryReaderError| PackError::Module(Box::new(error));
    if !list_manifests(&component).map_err(refused)?.is_empty() {
        return Err(PackError::Packed);
    }
    append_section(&mut component, manifest_toml);
    Ok(component)
}

fn encode(module: &[u8]) -> Result<Vec<u8>, PackError> {
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode());
    encoded.map_err(|error| PackError::Module(error.into()))
}

fn is_component(bytes: &[u8]) -> bool {
    Parser::is_component(bytes)
}

fn append_section(component: &mut Vec<u8>, manifest_toml: &str) {
    let data = Cow::Borrowed(manifest_toml.as_bytes());
    let section = CustomSection {
        name: Cow::Borrowed(MANIFEST_SECTION),
        data,
    };
    component.push(section.id());
    section.encode(component);
}

/// The manifests at the component's top level, of which there should be one; a section of that name further inside does not count.
pub(crate) fn list_manifests(
    component: &[u8],
) -> Result<Vec<&[u8]>, wasmparser::BinaryReaderError> {
    let (mut depth, mut found) = (0_usize, Vec::new());
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version {
                encoding: Encoding::Module | Encoding::Component,
                ..
            } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if depth == 1 && section.name() == MANIFEST_SECTION => {
                found.push(section.data());
            }
            _ => {}
        }
    }
    Ok(found)
}
