//! Finds the package that a person named: an official one, a file, an address of an OCI registry, or a name in a registry.
//!
//! What it finds is only offered; nothing of it is believed here.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use market::registry::{Choice, Login, OciAddress, OciRepository, Registry};
use market::{Backing, Offer, Origin, SignatureFile};

use crate::bundle::find_official;
use crate::failure::WithHint;

/// Where a name is looked up, and which version is taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Where {
    /// A registry; without it, what the environment names.
    pub(crate) registry: Option<String>,
    /// A version; without it, the newest.
    pub(crate) version: Option<semver::Version>,
}

/// A package that was found.
pub(crate) struct Found {
    pub(crate) offer: Offer,
    /// The registry that it came from, whose list of revocations is to be asked for.
    pub(crate) registry: Option<Registry>,
}

/// The package of that name. An official name means the one in the binary unless a registry is named with it.
pub(crate) async fn find_offer(named: &str, place: &Where) -> Result<Found> {
    let choice = place
        .version
        .clone()
        .map_or(Choice::Newest, Choice::Version);
    if place.registry.is_none()
        && place.version.is_none()
        && let Some(package) = find_official(named)
    {
        return Ok(unregistered(bundled(package)));
    }
    if let Some(address) = OciAddress::parse(named) {
        let address = address?;
        let opened = OciRepository::open(&address.repository, login())?;
        let registry = Registry::Oci(Box::new(opened));
        let choice = if address.choice == Choice::Newest {
            choice
        } else {
            address.choice
        };
        return fetch(registry, named, &choice).await;
    }
    let path = Path::new(named);
    if place.registry.is_none() && path.is_file() {
        return Ok(unregistered(read_file(path)?));
    }
    let Some(location) = place.registry.clone().or_else(default_registry) else {
        let message =
            format!("{named:?} is neither an official connector nor a package that can be read");
        return Err(WithHint::error(
            message,
            "give the path of a package, an address oci://HOST/REPOSITORY, or a registry with --registry; \
             `longshore connectors list` shows the official ones",
        ));
    };
    let registry = Registry::of_connector(&location, named, login())?;
    let found = fetch(registry, named, &choice).await?;
    let id = market::inspect(&found.offer.package)?.manifest.id;
    if id != named {
        let message = format!("the registry gave the connector {id:?} for the name {named:?}");
        return Err(WithHint::error(
            message,
            "this is a fault of the registry: report it to who runs it",
        ));
    }
    Ok(found)
}

/// Fetches from a registry.
pub(crate) async fn fetch(registry: Registry, id: &str, choice: &Choice) -> Result<Found> {
    let offer = registry.fetch(id, choice).await?;
    Ok(Found {
        offer,
        registry: Some(registry),
    })
}

fn unregistered(offer: Offer) -> Found {
    Found {
        offer,
        registry: None,
    }
}

/// An official connector, as the binary carries it.
pub(crate) fn bundled(package: &[u8]) -> Offer {
    Offer {
        package: package.to_vec(),
        backing: Backing::Bundled,
        origin: Origin::Bundled,
    }
}

/// A package of a file, with the signature that lies beside it.
pub(crate) fn read_file(path: &Path) -> Result<Offer> {
    let package = read(path, market::inspect::PACKAGE_MAX_BYTES)?;
    let beside = signature_path(path);
    let backing = if beside.is_file() {
        Backing::Signed(Box::new(read_signature(&beside)?))
    } else {
        Backing::Unsigned
    };
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Ok(Offer {
        package,
        backing,
        origin: Origin::File(absolute.display().to_string()),
    })
}

/// The signature of a file, checked in itself.
pub(crate) fn read_signature(path: &Path) -> Result<SignatureFile> {
    let bytes = read(path, market::STATEMENTS_MAX_BYTES)?;
    SignatureFile::parse(&String::from_utf8_lossy(&bytes))
        .with_context(|| format!("{} is refused", path.display()))
}

fn read(path: &Path, max_bytes: usize) -> Result<Vec<u8>> {
    let file =
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut bytes = Vec::new();
    // One more than may be, so that what reads it sees that there is too much.
    let most = u64::try_from(max_bytes)? + 1;
    file.take(most)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

/// Where the signature of a package file lies.
pub(crate) fn signature_path(package: &Path) -> PathBuf {
    let mut name = package.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

fn default_registry() -> Option<String> {
    std::env::var("LONGSHORE_REGISTRY")
        .ok()
        .filter(|location| !location.is_empty())
}

/// The registry that was named, else the environment's.
pub(crate) fn registry_location(named: Option<String>) -> Result<String> {
    named.or_else(default_registry).ok_or_else(|| {
        WithHint::error(
            "no registry was named",
            "give --registry with a folder or oci://HOST/PREFIX, or set LONGSHORE_REGISTRY",
        )
    })
}

/// A login never comes as an argument: other users of the machine can read those.
pub(crate) fn login() -> Login {
    let variable = |name| std::env::var(name).ok();
    match (
        variable("LONGSHORE_REGISTRY_USER"),
        variable("LONGSHORE_REGISTRY_PASSWORD"),
    ) {
        (Some(user), Some(password)) => Login::Password { user, password },
        _ => Login::Anonymous,
    }
}
