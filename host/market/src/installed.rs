//! The installed connectors: a folder with one file a package, named by its digest, and an index that pins digests and keys.
//!
//! Files are written aside and renamed, the index last, so that a crash leaves the old set. Who consented is recorded by the caller.

mod index;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::aside::{DiskError, FolderLock, read_bounded, write_aside};
use crate::consent::Consent;
use crate::digest::Digest;
use crate::inspect::{InspectError, Inspection, PACKAGE_MAX_BYTES, inspect};
use crate::line::Line;
use crate::offer::{Agreed, Change, Examined, Offer, Origin};
use crate::revocation::Revocations;
use crate::signature::{SignatureError, SignatureFile};
use crate::statement::{STATEMENTS_MAX_BYTES, StatementError};
use crate::trust::{
    Backing, Pin, Trust, TrustError, UnsignedPackages, Verdict, judge, refuse_revoked,
};

pub use index::InstalledConnector;
use index::{Index, KnownRegistry};

/// The index, in the folder of the set.
const INDEX: &str = "installed.toml";
const INDEX_MAX_BYTES: usize = 16 << 20;

/// Why a connector was not installed or not loaded.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
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
    /// The package may not be trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A registry's list of revocations may not be trusted.
    #[error("list of revocations of {registry} is refused")]
    Revocations {
        /// The registry.
        registry: String,
        /// Why.
        #[source]
        source: RevocationsError,
    },
}

/// Why a list of revocations may not be trusted.
#[derive(Debug, thiserror::Error)]
pub enum RevocationsError {
    /// It is none.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// There was one before.
    #[error("it is gone, there was one before")]
    Gone,
    /// It is older than the one seen before, or another one of the same number.
    #[error("it has number {found}, number {seen} was seen before")]
    Older {
        /// Its number.
        found: u64,
        /// The number seen before.
        seen: u64,
    },
    /// Somebody else signed it.
    #[error("it is signed with {found}, the lists before were signed with {pinned}")]
    OtherKey {
        /// Who signed it.
        found: String,
        /// Who signed the first one.
        pinned: String,
    },
}

/// What removing a connector leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The pinned key and version stay: another key or an older version is refused later, too.
    KeepPin,
    /// All is forgotten: the next key that comes is believed.
    ForgetPin,
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

    /// Looks into an offered package, decides whether it may be trusted, and finds what it changes. Nothing is written.
    ///
    /// # Errors
    /// When it is refused or may not be trusted, or when the installed one, to compare with, cannot be read.
    pub fn examine(
        &self,
        offer: Offer,
        unsigned: UnsignedPackages,
    ) -> Result<Examined, InstallError> {
        let inspection = inspect(&offer.package)?;
        let index = self.read_index()?;
        let id = inspection.manifest.id.as_str();
        let revocations = index.revocations();
        let pin = index.pins.get(id);
        let verdict = judge(&inspection, &offer.backing, pin, &revocations, unsigned)?;
        let entry = index.connectors.get(id);
        let change = match entry {
            None => Change::New,
            Some(entry) if entry.component == inspection.component_digest => Change::Same,
            Some(entry) => self.compare(id, entry, &inspection, verdict)?,
        };
        let mut consent = Consent::new(&inspection);
        consent.trust = Some(verdict);
        let replaces = entry.map(|entry| entry.version.clone());
        Ok(Examined {
            offer,
            inspection,
            consent,
            verdict,
            change,
            replaces,
        })
    }

    /// What a package does that the installed one does not. An installed one that was damaged gives nothing to compare with.
    fn compare(
        &self,
        id: &str,
        entry: &InstalledConnector,
        new: &Inspection,
        verdict: Verdict,
    ) -> Result<Change, InstallError> {
        let old = match self.read_package(id, entry) {
            Ok((_, old)) => old,
            Err(InstallError::Disk(error)) if error.source.kind() == io::ErrorKind::NotFound => {
                return Ok(Change::New);
            }
            Err(InstallError::Digest { .. } | InstallError::Refused(_)) => return Ok(Change::New),
            Err(error) => return Err(error),
        };
        let mut wider = Consent::difference(&old.manifest, &new.manifest);
        if let Verdict::FirstKey { key } = verdict {
            wider.push(Line::Key {
                key: key.to_string(),
            });
        }
        Ok(if wider.is_empty() {
            Change::NotWider
        } else {
            Change::Wider(wider)
        })
    }

    /// Installs a package that was agreed to, in place of an older version.
    ///
    /// # Errors
    /// When the index changed meanwhile so that it may not be trusted any more, or the disk says no.
    pub fn install(&self, agreed: &Agreed) -> Result<(), InstallError> {
        let Examined {
            offer, inspection, ..
        } = &agreed.examined;
        let _lock = FolderLock::take(&self.folder)?;
        let mut index = self.read_index()?;
        let id = inspection.manifest.id.as_str();
        // A second time, of the index that is written to: another process may have installed, or revoked, since the question.
        let verdict = judge(
            inspection,
            &offer.backing,
            index.pins.get(id),
            &index.revocations(),
            UnsignedPackages::Allowed,
        )?;
        let digest = inspection.component_digest;
        write_aside(&self.package_path(id, digest), &offer.package)?;
        if let Backing::Signed(signature) = &offer.backing {
            let path = self.signature_path(id, digest);
            write_aside(&path, signature.text().as_bytes())?;
        }
        let entry = InstalledConnector {
            version: inspection.manifest.version.to_string(),
            publisher: inspection.manifest.publisher.clone(),
            component: digest,
            manifest: inspection.manifest_digest,
            trust: verdict.trust(),
            origin: offer.origin.clone(),
        };
        let pin = Pin {
            trust: verdict.trust(),
            version: inspection.manifest.version.clone(),
            component: digest,
        };
        index.pins.insert(id.to_owned(), pin);
        let replaced = index.connectors.insert(id.to_owned(), entry);
        self.write_index(&index)?;
        if let Some(old) = replaced.filter(|old| old.component != digest) {
            // The index no longer names them; files left behind by a failure here do no harm.
            let _ = fs::remove_file(self.package_path(id, old.component));
            let _ = fs::remove_file(self.signature_path(id, old.component));
        }
        Ok(())
    }

    /// Removes a connector.
    ///
    /// # Errors
    /// When it is not installed, or the disk says no.
    pub fn remove(&self, id: &str, removal: Removal) -> Result<(), InstallError> {
        let _lock = FolderLock::take(&self.folder)?;
        let mut index = self.read_index()?;
        let entry = index.connectors.remove(id);
        let pin = match removal {
            Removal::ForgetPin => index.pins.remove(id),
            Removal::KeepPin => None,
        };
        if entry.is_none() && pin.is_none() {
            return Err(InstallError::NotInstalled(id.to_owned()));
        }
        self.write_index(&index)?;
        let Some(entry) = entry else { return Ok(()) };
        remove_file(&self.package_path(id, entry.component))?;
        remove_file(&self.signature_path(id, entry.component))
    }

    /// The bytes of an installed package and what it is: checked against the digest that was consented to, its signature, and what
    /// was revoked since. Needs no network.
    ///
    /// # Errors
    /// When it is not installed, was changed on disk, was revoked, or the disk says no.
    pub fn load(&self, id: &str) -> Result<(Vec<u8>, Inspection), InstallError> {
        let index = self.read_index()?;
        let entry = index
            .connectors
            .get(id)
            .ok_or_else(|| InstallError::NotInstalled(id.to_owned()))?;
        let (package, inspection) = self.read_package(id, entry)?;
        let keys = match entry.trust {
            Trust::Key(key) => {
                self.check_signature(id, entry, &inspection)?;
                vec![key]
            }
            Trust::Bundled | Trust::Unsigned => Vec::new(),
        };
        refuse_revoked(&inspection, &keys, &index.revocations())?;
        Ok((package, inspection))
    }

    fn check_signature(
        &self,
        id: &str,
        entry: &InstalledConnector,
        inspection: &Inspection,
    ) -> Result<(), InstallError> {
        let refused = |source| TrustError::Signature {
            id: id.to_owned(),
            source,
        };
        let path = self.signature_path(id, entry.component);
        let bytes = read_bounded(&path, STATEMENTS_MAX_BYTES)?.unwrap_or_default();
        let file = SignatureFile::parse(&String::from_utf8_lossy(&bytes))
            .map_err(|source| refused(SignatureError::Statement(source)))?;
        file.check(inspection).map_err(refused)?;
        let offered = Trust::Key(file.envelope.key);
        if offered != entry.trust {
            let (id, pinned) = (id.to_owned(), entry.trust);
            return Err(TrustError::Changed {
                id,
                pinned,
                offered,
            }
            .into());
        }
        Ok(())
    }

    fn read_package(
        &self,
        id: &str,
        entry: &InstalledConnector,
    ) -> Result<(Vec<u8>, Inspection), InstallError> {
        let path = self.package_path(id, entry.component);
        let missing = || DiskError::new("reading", &path)(io::ErrorKind::NotFound.into());
        let package = read_bounded(&path, PACKAGE_MAX_BYTES)?.ok_or_else(missing)?;
        let differs = |expected, found| InstallError::Digest {
            id: id.to_owned(),
            expected,
            found,
        };
        let found = Digest::of(&package);
        if found != entry.component {
            return Err(differs(entry.component, found));
        }
        let inspection = inspect(&package)?;
        if inspection.manifest_digest != entry.manifest {
            return Err(differs(entry.manifest, inspection.manifest_digest));
        }
        Ok((package, inspection))
    }

    /// Takes note of a registry's list of revocations, which counts from then on for every connector of the set. `None` is that the
    /// registry has none. Whoever signed the first one signs all.
    ///
    /// # Errors
    /// When a list that was seen before is gone, is older, or somebody else signed it; the list seen before then still counts.
    pub fn note_revocations(
        &self,
        registry: &Origin,
        text: Option<&str>,
    ) -> Result<(), InstallError> {
        let _lock = FolderLock::take(&self.folder)?;
        let mut index = self.read_index()?;
        let name = registry.to_string();
        let seen = index.registries.get(&name);
        let refused = |source: RevocationsError| InstallError::Revocations {
            registry: name.clone(),
            source,
        };
        let Some(text) = text else {
            return seen.map_or(Ok(()), |_| Err(refused(RevocationsError::Gone)));
        };
        let list = Revocations::parse(text).map_err(|source| refused(source.into()))?;
        if let Some(KnownRegistry { revocations: seen }) = seen {
            if seen.text() == list.text() {
                return Ok(());
            }
            if seen.operator != list.operator {
                return Err(refused(RevocationsError::OtherKey {
                    found: list.operator.to_string(),
                    pinned: seen.operator.to_string(),
                }));
            }
            if list.serial <= seen.serial {
                return Err(refused(RevocationsError::Older {
                    found: list.serial,
                    seen: seen.serial,
                }));
            }
        }
        index
            .registries
            .insert(name, KnownRegistry { revocations: list });
        self.write_index(&index)
    }

    /// `id` comes from a checked manifest, or from an index that only this type writes and that is asked by key.
    fn package_path(&self, id: &str, digest: Digest) -> PathBuf {
        self.folder.join(id).join(format!("{}.wasm", digest.hex()))
    }

    fn signature_path(&self, id: &str, digest: Digest) -> PathBuf {
        let name = format!("{}.wasm.sig", digest.hex());
        self.folder.join(id).join(name)
    }

    fn read_index(&self) -> Result<Index, InstallError> {
        let path = self.folder.join(INDEX);
        match read_bounded(&path, INDEX_MAX_BYTES)? {
            None => Ok(Index::default()),
            Some(bytes) => toml::from_slice(&bytes).map_err(|source| InstallError::Index {
                path,
                source: Box::new(source),
            }),
        }
    }

    fn write_index(&self, index: &Index) -> Result<(), InstallError> {
        let text = toml::to_string(index).expect("an index of texts can be written as TOML");
        let path = self.folder.join(INDEX);
        Ok(write_aside(&path, text.as_bytes())?)
    }
}

fn remove_file(path: &Path) -> Result<(), InstallError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(DiskError::new("removing", path)(source).into())
        }
        _ => Ok(()),
    }
}
