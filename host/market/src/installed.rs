//! The installed connectors: a folder with one file a package, named by its digest, and an index.
//!
//! Files are written aside and renamed, so that a crash leaves the old set. Who consented is recorded by the caller.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::consent::Consent;
use crate::digest::Digest;
use crate::inspect::{InspectError, Inspection, inspect};

const INDEX: &str = "installed.toml";

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
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    #[serde(default)]
    connectors: BTreeMap<String, InstalledConnector>,
}

/// Why a connector was not installed or not loaded.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The disk said no.
    #[error("{action} {} failed", path.display())]
    Disk {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The index is no index.
    #[error("index of connectors {} cannot be read: restore it, or remove it and install the connectors again", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// No connector of that id is installed.
    #[error("connector {0:?} is not installed")]
    NotInstalled(String),
    /// The package is not the one that was consented to.
    #[error(
        "package of connector {id:?} is {found}, consented to was {expected}: install it again (`longshore connect`)"
    )]
    Digest {
        /// The connector.
        id: String,
        /// What was consented to.
        expected: Digest,
        /// What is there.
        found: Digest,
    },
    /// The package is refused.
    #[error("package is refused")]
    Refused(#[from] InspectError),
}

/// The set of installed connectors in a folder.
#[derive(Clone, Debug)]
pub struct Installed {
    folder: PathBuf,
}

impl Installed {
    /// The set in that folder, which is made by the first install.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Every installed connector by its id.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn list(&self) -> Result<BTreeMap<String, InstalledConnector>, InstallError> {
        self.read_index().map(|index| index.connectors)
    }

    /// Installs a package that `consent` was given to, in place of an older version.
    ///
    /// # Errors
    /// When the package is refused, is not the one consented to, or the disk says no.
    pub fn install(&self, package: &[u8], consent: &Consent) -> Result<Inspection, InstallError> {
        let inspection = inspect(package)?;
        let id = inspection.manifest.id.clone();
        let digests = [
            (inspection.component_digest, &consent.component_digest),
            (inspection.manifest_digest, &consent.manifest_digest),
        ];
        for (found, expected) in digests {
            if found.to_string() != *expected {
                let expected = expected.parse().unwrap_or_else(|_| Digest::of(b""));
                return Err(InstallError::Digest {
                    id,
                    expected,
                    found,
                });
            }
        }
        let path = self.package_path(&id, inspection.component_digest);
        write_aside(&path, package)?;
        let mut index = self.read_index()?;
        let entry = InstalledConnector {
            version: inspection.manifest.version.to_string(),
            publisher: inspection.manifest.publisher.clone(),
            component: inspection.component_digest,
            manifest: inspection.manifest_digest,
        };
        let replaced = index.connectors.insert(id.clone(), entry);
        self.write_index(&index)?;
        if let Some(old) = replaced.filter(|old| old.component != inspection.component_digest) {
            // The index no longer names it; a file left behind by a failure here does no harm.
            let _ = fs::remove_file(self.package_path(&id, old.component));
        }
        Ok(inspection)
    }

    /// Removes a connector.
    ///
    /// # Errors
    /// When it is not installed, or the disk says no.
    pub fn remove(&self, id: &str) -> Result<(), InstallError> {
        let mut index = self.read_index()?;
        let entry = index
            .connectors
            .remove(id)
            .ok_or_else(|| InstallError::NotInstalled(id.to_owned()))?;
        self.write_index(&index)?;
        let path = self.package_path(id, entry.component);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(InstallError::Disk {
                action: "removing",
                path,
                source,
            }),
            _ => Ok(()),
        }
    }

    /// The bytes of an installed package, checked against the digest that was consented to, and what it is.
    ///
    /// # Errors
    /// When it is not installed, was changed on disk, or the disk says no.
    pub fn load(&self, id: &str) -> Result<(Vec<u8>, Inspection), InstallError> {
        let entry = self
            .read_index()?
            .connectors
            .remove(id)
            .ok_or_else(|| InstallError::NotInstalled(id.to_owned()))?;
        let path = self.package_path(id, entry.component);
        let package = fs::read(&path).map_err(|source| InstallError::Disk {
            action: "reading",
            path,
            source,
        })?;
        let found = Digest::of(&package);
        if found != entry.component {
            return Err(InstallError::Digest {
                id: id.to_owned(),
                expected: entry.component,
                found,
            });
        }
        let inspection = inspect(&package)?;
        if inspection.manifest_digest != entry.manifest {
            let (expected, found) = (entry.manifest, inspection.manifest_digest);
            return Err(InstallError::Digest {
                id: id.to_owned(),
                expected,
                found,
            });
        }
        Ok((package, inspection))
    }

    /// `id` comes from a checked manifest, or from an index that only this type writes and that is asked by key.
    fn package_path(&self, id: &str, digest: Digest) -> PathBuf {
        self.folder.join(id).join(format!("{}.wasm", digest.hex()))
    }

    fn read_index(&self) -> Result<Index, InstallError> {
        let path = self.folder.join(INDEX);
        match fs::read(&path) {
            Ok(bytes) => toml::from_slice(&bytes).map_err(|source| InstallError::Index {
                path,
                source: Box::new(source),
            }),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(Index::default()),
            Err(source) => Err(InstallError::Disk {
                action: "reading",
                path,
                source,
            }),
        }
    }

    fn write_index(&self, index: &Index) -> Result<(), InstallError> {
        let text = toml::to_string(index).expect("an index of texts can be written as TOML");
        write_aside(&self.folder.join(INDEX), text.as_bytes())
    }
}

/// Writes a whole file aside, makes sure of it, and puts it in place.
fn write_aside(path: &Path, bytes: &[u8]) -> Result<(), InstallError> {
    let failed = |action| {
        move |source| InstallError::Disk {
            action,
            path: path.to_owned(),
            source,
        }
    };
    let folder = path
        .parent()
        .expect("every file of the set lies in a folder");
    fs::create_dir_all(folder).map_err(failed("making the folder of"))?;
    let mut aside = tempfile::NamedTempFile::new_in(folder).map_err(failed("writing"))?;
    aside
        .write_all(bytes)
        .and_then(|()| aside.as_file().sync_all())
        .map_err(failed("writing"))?;
    aside
        .persist(path)
        .map_err(|error| failed("writing")(error.error))?;
    Ok(())
}
