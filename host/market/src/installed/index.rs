//! The index of the installed set, as it lies on the disk: what is installed, what was pinned, which revocations were seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::offer::Origin;
use crate::revocation::Revocations;
use crate::trust::{Pin, Trust};

/// One installed connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstalledConnector {
    /// Its version.
    pub version: String,
    /// Who made it, as the package says.
    pub publisher: String,
    /// The digest of the whole package.
    pub component: Digest,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// On what it is trusted.
    pub trust: Trust,
    /// Where it came from.
    pub origin: Origin,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Index {
    #[serde(default)]
    pub(super) connectors: BTreeMap<String, InstalledConnector>,
    #[serde(default)]
    pub(super) pins: BTreeMap<String, Pin>,
    #[serde(default)]
    pub(super) registries: BTreeMap<String, KnownRegistry>,
}

impl Index {
    /// Every list that was seen. A list of one registry counts for the connectors of all: it can only take away.
    pub(super) fn revocations(&self) -> Vec<Revocations> {
        let lists = self.registries.values();
        lists.map(|registry| registry.revocations.clone()).collect()
    }
}

/// What is remembered of a registry.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownRegistry {
    /// Its newest list, signature and all.
    #[serde(with = "text")]
    pub(super) revocations: Revocations,
}

/// A list is kept as its text and its signature is checked whenever it is read.
mod text {
    use super::Revocations;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(
        list: &Revocations,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(list.text())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Revocations, D::Error> {
        Revocations::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
