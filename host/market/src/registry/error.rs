//! Why a registry gave or took nothing.

use std::path::PathBuf;

use crate::aside::DiskError;
use crate::digest::Digest;
use crate::statement::StatementError;

/// Why a registry gave or took nothing.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It is no place that can be a registry.
    #[error("{0:?} is no registry: name a folder, or oci://HOST/REPOSITORY")]
    Location(String),
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The folder's index is no index.
    #[error("index of the registry {} cannot be read", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// An entry of the folder's index says what no package says.
    #[error("index of the registry {} has an entry for {id:?} that cannot be one", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// The connector as the entry has it.
        id: String,
    },
    /// There is no such package.
    #[error("{registry} has no connector {wanted}")]
    NotFound {
        /// The registry.
        registry: String,
        /// The connector and version.
        wanted: String,
    },
    /// The package is another than the registry's index or manifest says.
    #[error(
        "{registry} gave another package for {wanted} than its index names: {found} instead of {expected}"
    )]
    Digest {
        /// The registry.
        registry: String,
        /// The connector and version.
        wanted: String,
        /// As the index has it.
        expected: String,
        /// What came.
        found: Digest,
    },
    /// What lies beside the package as its signature is none.
    #[error("signature of {wanted} in {registry} is refused")]
    Signature {
        /// The registry.
        registry: String,
        /// The connector and version.
        wanted: String,
        /// Why.
        #[source]
        source: StatementError,
    },
    /// The artifact is no component.
    #[error("{registry} holds no connector: {told}")]
    Layout {
        /// The registry and artifact.
        registry: String,
        /// What is wrong.
        told: String,
    },
    /// That version is published already.
    #[error("{registry} has {wanted} already, with other content")]
    Exists {
        /// The registry.
        registry: String,
        /// The connector and version.
        wanted: String,
    },
    /// The registry wants to know who asks, or does not let him.
    #[error("{registry} lets nobody in without a login that may do this")]
    Login {
        /// The registry.
        registry: String,
        /// What it said.
        #[source]
        source: OciFailure,
    },
    /// The registry cannot be reached, or answers what it should not.
    #[error("{registry} cannot be used")]
    Unusable {
        /// The registry.
        registry: String,
        /// What it said.
        #[source]
        source: OciFailure,
    },
}

/// What an OCI registry answered, as text. It may be a stranger's, so it is cut and holds no control characters.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OciFailure(String);

impl OciFailure {
    pub(super) fn new(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            let told = next.to_string();
            if !text.contains(&told) {
                text = format!("{text}: {told}");
            }
            cause = next.source();
        }
        let clean = |c: char| if c.is_control() { ' ' } else { c };
        Self(text.chars().take(500).map(clean).collect())
    }
}
