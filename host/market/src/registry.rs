//! Registries: where packages are published, searched and fetched. A plain folder, or a repository of an OCI registry.
//!
//! Whatever comes out of a registry is only offered: whether it may be trusted is decided by [`crate::trust`], from the package
//! and its signature, and needs no word of the registry.

mod error;

mod layout;

mod folder;

mod oci;

pub use error::RegistryError;
pub use folder::FolderRegistry;
pub use oci::{Login, OciRepository};

use std::path::Path;

use serde::Serialize;

use crate::aside::DiskError;
use crate::inspect::Inspection;
use crate::key::PublicKey;
use crate::offer::{Offer, Origin};
use crate::revocation::Revocations;
use crate::signature::SignatureFile;

const OCI_SCHEME: &str = "oci://";

/// Which package of a connector is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The highest version; one before a release only where there is no other.
    Newest,
    /// That version.
    Version(semver::Version),
    /// The artifact of that digest, in a registry that knows artifacts.
    Artifact(String),
}

/// One connector of a registry, as its index tells it. Nothing of it is proved before it is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The connector's id.
    pub id: String,
    /// Its name for a person.
    pub name: String,
    /// Who made it.
    pub publisher: String,
    /// What it does.
    pub description: String,
    /// The key of the newest version.
    pub key: PublicKey,
    /// Every version, newest first. Never empty.
    pub versions: Vec<semver::Version>,
}

/// What publishing did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Published {
    /// Where the package can be fetched, for a person and for `install`.
    pub at: String,
    /// The digest of the OCI artifact, where it is one.
    pub artifact: Option<String>,
    /// Whether the very same package was there before, so that nothing was done.
    pub was_there: bool,
}

/// A registry of one of the two kinds.
#[derive(Debug)]
pub enum Registry {
    /// A folder.
    Folder(FolderRegistry),
    /// A repository: the versions of one connector.
    Oci(Box<OciRepository>),
}

/// What a person names to install from: `oci://host/repository`, with `:version` or `@digest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OciAddress {
    /// The registry and repository, `host/name`.
    pub repository: String,
    /// Which artifact of it.
    pub choice: Choice,
}

impl OciAddress {
    /// Reads an address; `None` where the text is none of OCI at all.
    ///
    /// # Errors
    /// [`RegistryError::Location`] when it begins as one and is none.
    pub fn parse(text: &str) -> Option<Result<Self, RegistryError>> {
        let rest = text.strip_prefix(OCI_SCHEME)?;
        let refused = || RegistryError::Location(text.to_owned());
        let (repository, choice) = if let Some((repository, digest)) = rest.split_once('@') {
            (repository, Choice::Artifact(digest.to_owned()))
        } else {
            match rest.rsplit_once('/') {
                Some((above, last)) if last.contains(':') => {
                    let (name, tag) = last.split_once(':').expect("it has one");
                    let version = layout::version_of_tag(tag).ok_or_else(refused);
                    match version {
                        Ok(version) => (
                            &rest[..above.len() + 1 + name.len()],
                            Choice::Version(version),
                        ),
                        Err(error) => return Some(Err(error)),
                    }
                }
                _ => (rest, Choice::Newest),
            }
        };
        Some(oci::check_repository(repository).map(|()| Self {
            repository: repository.to_owned(),
            choice,
        }))
    }
}

impl Registry {
    /// The registry that holds a connector: `location` is a folder, or `oci://host/prefix` below which each connector has a
    /// repository of its name.
    ///
    /// # Errors
    /// [`RegistryError::Location`] when it is no such place.
    pub fn of_connector(location: &str, id: &str, login: Login) -> Result<Self, RegistryError> {
        match location.strip_prefix(OCI_SCHEME) {
            None => Self::folder(location),
            Some(prefix) => {
                let repository = format!("{}/{id}", prefix.trim_end_matches('/'));
                Ok(Self::Oci(Box::new(OciRepository::open(
                    &repository,
                    login,
                )?)))
            }
        }
    }

    /// The folder of that path.
    ///
    /// # Errors
    /// When it has no absolute path, by which it is remembered.
    pub fn folder(path: &str) -> Result<Self, RegistryError> {
        let absolute =
            std::path::absolute(path).map_err(DiskError::new("finding", Path::new(path)))?;
        Ok(Self::Folder(FolderRegistry::new(absolute)))
    }

    /// The registry that an installed package came from; `None` where it came from none.
    ///
    /// # Errors
    /// [`RegistryError::Location`] when the origin is no place.
    pub fn of_origin(origin: &Origin, login: Login) -> Option<Result<Self, RegistryError>> {
        match origin {
            Origin::Bundled | Origin::File(_) => None,
            Origin::Folder(path) => Some(Self::folder(path)),
            Origin::Oci(repository) => Some(
                OciRepository::open(repository, login).map(|opened| Self::Oci(Box::new(opened))),
            ),
        }
    }

    /// By what the registry is remembered, and where its packages come from.
    pub fn origin(&self) -> Origin {
        match self {
            Self::Folder(folder) => folder.origin(),
            Self::Oci(repository) => repository.origin(),
        }
    }

    /// Fetches a package of a connector, with its signature where it has one.
    ///
    /// # Errors
    /// When there is none, it is not what the registry's index or manifest says, or the registry cannot be reached.
    pub async fn fetch(&self, id: &str, choice: &Choice) -> Result<Offer, RegistryError> {
        match self {
            Self::Folder(folder) => folder.fetch(id, choice),
            Self::Oci(repository) => repository.fetch(choice).await,
        }
    }

    /// Publishes a signed package. A version that is there with other bytes stays as it is.
    ///
    /// # Errors
    /// [`RegistryError::Exists`]; else when it cannot be written.
    pub async fn publish(
        &self,
        package: &[u8],
        inspection: &Inspection,
        signature: &SignatureFile,
    ) -> Result<Published, RegistryError> {
        match self {
            Self::Folder(folder) => folder.publish(package, inspection, signature),
            Self::Oci(repository) => repository.publish(package, inspection, signature).await,
        }
    }

    /// The registry's list of revocations, unread; `None` where it has none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn fetch_revocations(&self) -> Result<Option<String>, RegistryError> {
        match self {
            Self::Folder(folder) => folder.fetch_revocations(),
            Self::Oci(repository) => repository.fetch_revocations().await,
        }
    }

    /// Puts a list of revocations in place of the one before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn publish_revocations(&self, list: &Revocations) -> Result<(), RegistryError> {
        match self {
            Self::Folder(folder) => folder.publish_revocations(list),
            Self::Oci(repository) => repository.publish_revocations(list).await,
        }
    }
}

/// The version to take of those: the highest release, else the highest of all.
fn find_newest(versions: impl Iterator<Item = semver::Version> + Clone) -> Option<semver::Version> {
    let releases = versions.clone().filter(|version| version.pre.is_empty());
    releases.max().or_else(|| versions.max())
}
