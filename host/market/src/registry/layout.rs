//! How a component lies in an OCI registry: the ecosystem's layout, as `wkg` writes and reads it.
//!
//! Source: the CNCF TAG Runtime "Wasm OCI Artifact layout", as the crates `oci-wasm` 0.6 and `wasm-pkg-client` 0.16 implement it. Those
//! crates are not used: they bring `oci-client` 0.17 and a second `wit-component`, to fill the few fields below.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci_client::annotations::{
    ORG_OPENCONTAINERS_IMAGE_AUTHORS, ORG_OPENCONTAINERS_IMAGE_DESCRIPTION,
    ORG_OPENCONTAINERS_IMAGE_TITLE, ORG_OPENCONTAINERS_IMAGE_URL, ORG_OPENCONTAINERS_IMAGE_VERSION,
};
use oci_client::client::{Config, ImageLayer};
use oci_client::manifest::{OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest};
use serde::Serialize;

use crate::inspect::{Inspection, PACKAGE_MAX_BYTES};
use crate::revocation::Revocations;
use crate::signature::SignatureFile;
use crate::statement::{STATEMENTS_MAX_BYTES, StatementError};

const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const COMPONENT: &str = "application/wasm";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const REVOCATIONS: &str = "application/vnd.longshore.revocations.v1";
/// The signature file in base64. An annotation, since the layout allows a component no second layer.
const SIGNATURE: &str = "longshore.signature.v1";
/// The tag of the list of revocations.
pub(super) const REVOCATIONS_TAG: &str = "revocations";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WasmConfig<'a> {
    created: &'static str,
    author: Option<&'a str>,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [String; 1],
    component: WasmComponent<'a>,
}

#[derive(Serialize)]
struct WasmComponent<'a> {
    exports: &'a [String],
    imports: Vec<&'a str>,
    target: Option<&'a str>,
}

/// An artifact, ready to be pushed.
pub(super) struct Artifact {
    pub(super) manifest: OciImageManifest,
    pub(super) config: Config,
    pub(super) layer: ImageLayer,
}

/// The artifact of a signed package. One package has one artifact: no time of day is in it.
pub(super) fn artifact(
    package: &[u8],
    inspection: &Inspection,
    signature: &SignatureFile,
) -> Artifact {
    let manifest = &inspection.manifest;
    let imports = inspection.imports.iter().chain(&inspection.wasi_imports);
    let config = WasmConfig {
        created: "1970-01-01T00:00:00Z",
        author: Some(&manifest.publisher),
        architecture: "wasm",
        os: "wasip2",
        layer_digests: [inspection.component_digest.to_string()],
        component: WasmComponent {
            exports: &inspection.exports,
            imports: imports.map(String::as_str).collect(),
            target: None,
        },
    };
    let config = serde_json::to_vec(&config).expect("texts can be written as JSON");
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let title = pair(
        ORG_OPENCONTAINERS_IMAGE_TITLE,
        &format!("{}.wasm", manifest.id),
    );
    let mut annotations = BTreeMap::from([
        pair(
            ORG_OPENCONTAINERS_IMAGE_VERSION,
            &manifest.version.to_string(),
        ),
        pair(ORG_OPENCONTAINERS_IMAGE_AUTHORS, &manifest.publisher),
        pair(SIGNATURE, &STANDARD.encode(signature.text())),
    ]);
    // The manifest is sent in a canonical JSON that leaves line ends as they are, which no reader takes.
    let description: Vec<_> = manifest.description.split_whitespace().collect();
    if !description.is_empty() {
        let description = description.join(" ");
        annotations.extend([pair(ORG_OPENCONTAINERS_IMAGE_DESCRIPTION, &description)]);
    }
    if let Some(homepage) = &manifest.homepage {
        annotations.extend([pair(ORG_OPENCONTAINERS_IMAGE_URL, homepage)]);
    }
    let layer = ImageLayer::new(
        package.to_vec(),
        COMPONENT.to_owned(),
        Some(BTreeMap::from([title])),
    );
    assemble(
        layer,
        Config::new(config, CONFIG.to_owned(), None),
        annotations,
    )
}

/// The artifact of a list of revocations.
pub(super) fn revocations_artifact(list: &Revocations) -> Artifact {
    let layer = ImageLayer::new(list.text().to_owned(), REVOCATIONS.to_owned(), None);
    let config = Config::new(b"{}".to_vec(), EMPTY.to_owned(), None);
    let mut artifact = assemble(layer, config, BTreeMap::new());
    artifact.manifest.artifact_type = Some(REVOCATIONS.to_owned());
    artifact
}

fn assemble(layer: ImageLayer, config: Config, annotations: BTreeMap<String, String>) -> Artifact {
    let annotations = Some(annotations).filter(|annotations| !annotations.is_empty());
    let mut manifest = OciImageManifest::build(std::slice::from_ref(&layer), &config, annotations);
    manifest.media_type = Some(OCI_IMAGE_MEDIA_TYPE.to_owned());
    Artifact {
        manifest,
        config,
        layer,
    }
}

/// The one layer of a component's manifest.
pub(super) fn find_component(manifest: &OciImageManifest) -> Result<&OciDescriptor, String> {
    if manifest.config.media_type != CONFIG {
        let found = &manifest.config.media_type;
        return Err(format!("its config is {found:?} and not {CONFIG}"));
    }
    find_layer(manifest, COMPONENT, PACKAGE_MAX_BYTES)
}

/// The one layer of a list's manifest.
pub(super) fn find_revocations(manifest: &OciImageManifest) -> Result<&OciDescriptor, String> {
    find_layer(manifest, REVOCATIONS, STATEMENTS_MAX_BYTES)
}

fn find_layer<'a>(
    manifest: &'a OciImageManifest,
    media_type: &str,
    max_bytes: usize,
) -> Result<&'a OciDescriptor, String> {
    let [layer] = &manifest.layers[..] else {
        let count = manifest.layers.len();
        return Err(format!("it has {count} layers and not one"));
    };
    if layer.media_type != media_type {
        let found = &layer.media_type;
        return Err(format!("its layer is {found:?} and not {media_type}"));
    }
    // A digest of another kind, or a size that lies, is found out by what comes.
    if !usize::try_from(layer.size).is_ok_and(|size| size <= max_bytes) {
        let size = layer.size;
        return Err(format!(
            "its layer has {size} bytes; the most is {max_bytes}"
        ));
    }
    Ok(layer)
}

/// The signature that came with a component; `None` where there is none.
pub(super) fn find_signature(
    manifest: &OciImageManifest,
) -> Result<Option<SignatureFile>, StatementError> {
    let Some(text) = manifest
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(SIGNATURE))
    else {
        return Ok(None);
    };
    let refused = || StatementError::Line {
        line: 1,
        expected: "a signature file in base64".to_owned(),
    };
    if text.len() > STATEMENTS_MAX_BYTES * 2 {
        return Err(StatementError::TooLong);
    }
    let bytes = STANDARD.decode(text).map_err(|_| refused())?;
    let text = String::from_utf8(bytes).map_err(|_| refused())?;
    SignatureFile::parse(&text).map(Some)
}

/// The tag of a version. A tag has no `+`.
pub(super) fn tag_of_version(version: &semver::Version) -> String {
    version.to_string().replace('+', "_")
}

/// The version of a tag; other tags have none.
pub(super) fn version_of_tag(tag: &str) -> Option<semver::Version> {
    semver::Version::parse(&tag.replace('_', "+")).ok()
}
