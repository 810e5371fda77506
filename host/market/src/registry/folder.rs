//! A registry that is a plain folder: an index, the packages, their signatures, and a list of revocations. It can lie on a file share,
//! a stick, or in version control.
//!
//! ```text
//! index.toml                        what there is, each package pinned by its digest
//! packages/acme/1.0.0.wasm          and 1.0.0.wasm.sig beside it
//! revocations.txt
//! ```

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::RegistryError;
use super::{Choice, Listing, Published, find_newest};
use crate::aside::{FolderLock, read_bounded, write_aside};
use crate::digest::Digest;
use crate::inspect::{Inspection, PACKAGE_MAX_BYTES};
use crate::key::PublicKey;
use crate::manifest::{is_id, is_shown};
use crate::offer::{Offer, Origin};
use crate::revocation::Revocations;
use crate::signature::SignatureFile;
use crate::statement::STATEMENTS_MAX_BYTES;
use crate::trust::Backing;

const INDEX: &str = "index.toml";
const INDEX_MAX_BYTES: usize = 16 << 20;
const REVOCATIONS: &str = "revocations.txt";

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    #[serde(default)]
    packages: Vec<Entry>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    version: semver::Version,
    name: String,
    publisher: String,
    #[serde(default)]
    description: String,
    component: Digest,
    key: PublicKey,
}

impl Entry {
    /// What is shown is checked as in a manifest, and what becomes a path, too: the index may be a stranger's.
    fn is_sound(&self) -> bool {
        is_id(&self.id)
            && is_shown(&self.name, 80)
            && is_shown(&self.publisher, 80)
            && (self.description.is_empty() || is_shown(&self.description, 2_000))
    }

    fn wanted(&self) -> String {
        format!("{} {}", self.id, self.version)
    }
}

/// A registry in a folder.
#[derive(Clone, Debug)]
pub struct FolderRegistry {
    path: PathBuf,
}

impl FolderRegistry {
    /// The registry in that folder, given as an absolute path; the first package makes it.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn origin(&self) -> Origin {
        Origin::Folder(self.path.display().to_string())
    }

    fn package_path(&self, id: &str, version: &semver::Version) -> PathBuf {
        let folder = self.path.join("packages").join(id);
        folder.join(format!("{version}.wasm"))
    }

    fn signature_path(&self, id: &str, version: &semver::Version) -> PathBuf {
        let folder = self.path.join("packages").join(id);
        folder.join(format!("{version}.wasm.sig"))
    }

    fn read_index(&self) -> Result<Index, RegistryError> {
        let path = self.path.join(INDEX);
        let Some(bytes) = read_bounded(&path, INDEX_MAX_BYTES)? else {
            return Ok(Index::default());
        };
        let index: Index = toml::from_slice(&bytes).map_err(|source| RegistryError::Index {
            path: path.clone(),
            source: Box::new(source),
        })?;
        match index.packages.iter().find(|entry| !entry.is_sound()) {
            Some(entry) => Err(RegistryError::Entry {
                path,
                id: entry.id.clone(),
            }),
            None => Ok(index),
        }
    }

    /// The connectors whose id, name, publisher or description has every word of `words`, in the order of their ids; no word finds all.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn search(&self, words: &str) -> Result<Vec<Listing>, RegistryError> {
        let mut entries = self.read_index()?.packages;
        entries.sort_by(|a, b| (&a.id, &b.version).cmp(&(&b.id, &a.version)));
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let mut found: Vec<Listing> = Vec::new();
        for entry in entries {
            match found.last_mut().filter(|last| last.id == entry.id) {
                Some(listing) => listing.versions.push(entry.version),
                None => found.push(Listing {
                    id: entry.id,
                    name: entry.name,
                    publisher: entry.publisher,
                    description: entry.description,
                    key: entry.key,
                    versions: vec![entry.version],
                }),
            }
        }
        found.retain(|listing| {
            let Listing {
                id,
                name,
                publisher,
                description,
                ..
            } = listing;
            let text = format!("{id} {name} {publisher} {description}").to_lowercase();
            words.iter().all(|word| text.contains(word.as_str()))
        });
        Ok(found)
    }

    pub(super) fn fetch(&self, id: &str, choice: &Choice) -> Result<Offer, RegistryError> {
        let registry = || self.origin().to_string();
        let not_found = |wanted: String| RegistryError::NotFound {
            registry: registry(),
            wanted,
        };
        let mut entries = self.read_index()?.packages;
        entries.retain(|entry| entry.id == id);
        let versions = entries.iter().map(|entry| entry.version.clone());
        let version = match choice {
            Choice::Newest => find_newest(versions).ok_or_else(|| not_found(format!("{id:?}")))?,
            Choice::Version(version) => version.clone(),
            Choice::Artifact(digest) => return Err(not_found(format!("{id:?} {digest}"))),
        };
        let entry = entries
            .into_iter()
            .find(|entry| entry.version == version)
            .ok_or_else(|| not_found(format!("{id:?} {version}")))?;
        let package = read_bounded(&self.package_path(id, &version), PACKAGE_MAX_BYTES)?
            .ok_or_else(|| not_found(entry.wanted()))?;
        let found = Digest::of(&package);
        if found != entry.component {
            return Err(RegistryError::Digest {
                registry: registry(),
                wanted: entry.wanted(),
                expected: entry.component.to_string(),
                found,
            });
        }
        let signature = read_bounded(&self.signature_path(id, &version), STATEMENTS_MAX_BYTES)?;
        let backing = match signature {
            None => Backing::Unsigned,
            Some(bytes) => {
                let file = SignatureFile::parse(&String::from_utf8_lossy(&bytes));
                Backing::Signed(Box::new(file.map_err(|source| {
                    RegistryError::Signature {
                        registry: registry(),
                        wanted: entry.wanted(),
                        source,
                    }
                })?))
            }
        };
        Ok(Offer {
            package,
            backing,
            origin: self.origin(),
        })
    }

    pub(super) fn publish(
        &self,
        package: &[u8],
        inspection: &Inspection,
        signature: &SignatureFile,
    ) -> Result<Published, RegistryError> {
        let manifest = &inspection.manifest;
        let _lock = FolderLock::take(&self.path)?;
        let mut index = self.read_index()?;
        let entry = Entry {
            id: manifest.id.clone(),
            version: manifest.version.clone(),
            name: manifest.name.clone(),
            publisher: manifest.publisher.clone(),
            description: manifest
                .description
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            component: inspection.component_digest,
            key: signature.envelope.key,
        };
        let published = |was_there| Published {
            at: format!("{} ({})", self.origin(), entry.wanted()),
            artifact: None,
            was_there,
        };
        let same = |other: &&Entry| other.id == entry.id && other.version == entry.version;
        match index.packages.iter().find(same) {
            Some(present) if present.component == entry.component => return Ok(published(true)),
            Some(_) => {
                return Err(RegistryError::Exists {
                    registry: self.origin().to_string(),
                    wanted: entry.wanted(),
                });
            }
            None => {}
        }
        let path = self.package_path(&entry.id, &entry.version);
        write_aside(&path, package)?;
        let path = self.signature_path(&entry.id, &entry.version);
        write_aside(&path, signature.text().as_bytes())?;
        let done = published(false);
        // The index comes last: what it does not name is not there.
        index.packages.push(entry);
        let text = toml::to_string(&index).expect("an index of texts can be written as TOML");
        write_aside(&self.path.join(INDEX), text.as_bytes())?;
        Ok(done)
    }

    pub(super) fn fetch_revocations(&self) -> Result<Option<String>, RegistryError> {
        let bytes = read_bounded(&self.path.join(REVOCATIONS), STATEMENTS_MAX_BYTES)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    pub(super) fn publish_revocations(&self, list: &Revocations) -> Result<(), RegistryError> {
        let path = self.path.join(REVOCATIONS);
        Ok(write_aside(&path, list.text().as_bytes())?)
    }
}
