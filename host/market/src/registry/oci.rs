//! One repository of an OCI registry, through the client that the ecosystem's tools use.
//!
//! It speaks `http` to loopback only. Redirects and the address where tokens are given out are the registry's, as with every OCI
//! client: whoever names a registry trusts it with that, and with the login, and with nothing else.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{Reference, RegistryOperation};

use super::error::{OciFailure, RegistryError};
use super::{Choice, Published, find_newest, layout};
use crate::digest::Digest;
use crate::inspect::{Inspection, PACKAGE_MAX_BYTES};
use crate::offer::{Offer, Origin};
use crate::revocation::Revocations;
use crate::signature::SignatureFile;
use crate::statement::STATEMENTS_MAX_BYTES;
use crate::trust::Backing;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two pieces of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Tags of a page, and pages at most: a registry that always has another page is left.
const TAGS_PER_PAGE: usize = 1_000;
const TAG_PAGES_MAX: usize = 20;

/// Who one is to the registry.
#[derive(Clone, Default)]
pub enum Login {
    /// Nobody.
    #[default]
    Anonymous,
    /// A name and a password or token.
    Password {
        /// The name.
        user: String,
        /// The password or token.
        password: String,
    },
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Password { .. } => "Password([redacted])",
        })
    }
}

/// One repository: the versions of one connector.
pub struct OciRepository {
    client: Client,
    registry: String,
    repository: String,
    auth: RegistryAuth,
}

impl std::fmt::Debug for OciRepository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OciRepository").field(&self.whole()).finish()
    }
}

/// Refuses what is no `host/name`. A host without dot or port would be taken for a name at a registry nobody named.
pub(super) fn check_repository(text: &str) -> Result<(), RegistryError> {
    parse(text).map(|_| ())
}

fn parse(text: &str) -> Result<Reference, RegistryError> {
    let refused = || RegistryError::Location(format!("oci://{text}"));
    let (host, name) = text.split_once('/').ok_or_else(refused)?;
    let parsed: Reference = text.parse().map_err(|_| refused())?;
    let is_as_written = parsed.registry() == host
        && parsed.repository() == name
        && parsed.digest().is_none()
        && !name.contains(':');
    is_as_written.then_some(parsed).ok_or_else(refused)
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl OciRepository {
    /// The repository of that `host/name`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`RegistryError::Location`] when it is none.
    pub fn open(text: &str, login: Login) -> Result<Self, RegistryError> {
        let reference = parse(text)?;
        let registry = reference.registry().to_owned();
        // reqwest takes the process's provider; a second call finds the first one's and leaves it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = ClientConfig {
            protocol: if is_loopback(&registry) {
                ClientProtocol::Http
            } else {
                ClientProtocol::Https
            },
            platform_resolver: None,
            connect_timeout: Some(CONNECT_TIMEOUT),
            read_timeout: Some(READ_TIMEOUT),
            user_agent: concat!("longshore/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| RegistryError::Unusable {
            registry: format!("oci://{text}"),
            source: OciFailure::new(&error),
        })?;
        Ok(Self {
            client,
            registry,
            repository: reference.repository().to_owned(),
            auth: match login {
                Login::Anonymous => RegistryAuth::Anonymous,
                Login::Password { user, password } => RegistryAuth::Basic(user, password),
            },
        })
    }

    fn whole(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    pub(super) fn origin(&self) -> Origin {
        Origin::Oci(self.whole())
    }

    fn tagged(&self, tag: &str) -> Reference {
        Reference::with_tag(
            self.registry.clone(),
            self.repository.clone(),
            tag.to_owned(),
        )
    }

    /// Every version there is, in no order.
    ///
    /// # Errors
    /// When the registry cannot be used.
    pub async fn list_versions(&self) -> Result<Vec<semver::Version>, RegistryError> {
        let (mut versions, mut last) = (Vec::new(), None::<String>);
        for _ in 0..TAG_PAGES_MAX {
            let reference = self.tagged("latest");
            let page = self
                .client
                .list_tags(&reference, &self.auth, Some(TAGS_PER_PAGE), last.as_deref())
                .await;
            let page = match page {
                Err(error) if is_missing(&error) => break,
                other => other.map_err(|error| self.explain(&error))?,
            };
            versions.extend(
                page.tags
                    .iter()
                    .filter_map(|tag| layout::version_of_tag(tag)),
            );
            // Some registries ignore the size of a page and always give all.
            let next = page.tags.last().cloned();
            if page.tags.len() < TAGS_PER_PAGE || next == last {
                break;
            }
            last = next;
        }
        Ok(versions)
    }

    pub(super) async fn fetch(&self, choice: &Choice) -> Result<Offer, RegistryError> {
        let (wanted, reference) = match choice {
            Choice::Newest => {
                let versions = self.list_versions().await?;
                let newest = find_newest(versions.iter().cloned())
                    .ok_or_else(|| self.not_found("in any version"))?;
                (
                    newest.to_string(),
                    self.tagged(&layout::tag_of_version(&newest)),
                )
            }
            Choice::Version(version) => {
                let tag = layout::tag_of_version(version);
                (version.to_string(), self.tagged(&tag))
            }
            Choice::Artifact(digest) => {
                // Checked before it goes into an address; the client checks the manifest against it.
                digest.parse::<Digest>().map_err(|_| {
                    RegistryError::Location(format!("oci://{}@{digest}", self.whole()))
                })?;
                let (registry, repository) = (self.registry.clone(), self.repository.clone());
                let reference = Reference::with_digest(registry, repository, digest.clone());
                (digest.clone(), reference)
            }
        };
        let manifest = self
            .pull_manifest(&reference)
            .await?
            .ok_or_else(|| self.not_found(&wanted))?;
        let layer = layout::find_component(&manifest).map_err(|told| self.layout(told))?;
        let package = self.pull(&reference, layer, PACKAGE_MAX_BYTES).await?;
        let signature =
            layout::find_signature(&manifest).map_err(|source| RegistryError::Signature {
                registry: self.origin().to_string(),
                wanted,
                source,
            })?;
        Ok(Offer {
            package,
            backing: signature.map_or(Backing::Unsigned, |file| Backing::Signed(Box::new(file))),
            origin: self.origin(),
        })
    }

    pub(super) async fn publish(
        &self,
        package: &[u8],
        inspection: &Inspection,
        signature: &SignatureFile,
    ) -> Result<Published, RegistryError> {
        let version = &inspection.manifest.version;
        let reference = self.tagged(&layout::tag_of_version(version));
        let artifact = layout::artifact(package, inspection, signature);
        let present = self.pull_manifest(&reference).await?;
        let was_there = present.is_some();
        let component = inspection.component_digest.to_string();
        if let Some(present) = present {
            let layer = layout::find_component(&present).ok();
            if layer.is_none_or(|layer| layer.digest != component) {
                return Err(RegistryError::Exists {
                    registry: self.origin().to_string(),
                    wanted: version.to_string(),
                });
            }
        }
        if !was_there {
            self.push(&reference, artifact).await?;
        }
        let digest = self
            .client
            .fetch_manifest_digest(&reference, &self.auth)
            .await
            .map_err(|error| self.explain(&error))?;
        Ok(Published {
            at: format!("oci://{}", reference.whole()),
            artifact: Some(digest),
            was_there,
        })
    }

    pub(super) async fn fetch_revocations(&self) -> Result<Option<String>, RegistryError> {
        let reference = self.tagged(layout::REVOCATIONS_TAG);
        let Some(manifest) = self.pull_manifest(&reference).await? else {
            return Ok(None);
        };
        let layer = layout::find_revocations(&manifest).map_err(|told| self.layout(told))?;
        let bytes = self.pull(&reference, layer, STATEMENTS_MAX_BYTES).await?;
        let text = String::from_utf8(bytes);
        text.map(Some)
            .map_err(|_| self.layout("its list of revocations is no text".to_owned()))
    }

    pub(super) async fn publish_revocations(
        &self,
        list: &Revocations,
    ) -> Result<(), RegistryError> {
        let reference = self.tagged(layout::REVOCATIONS_TAG);
        self.push(&reference, layout::revocations_artifact(list))
            .await
    }

    async fn push(
        &self,
        reference: &Reference,
        artifact: layout::Artifact,
    ) -> Result<(), RegistryError> {
        let explain = |error| self.explain(&error);
        self.client
            .auth(reference, &self.auth, RegistryOperation::Push)
            .await
            .map_err(explain)?;
        let layout::Artifact {
            manifest,
            config,
            layer,
        } = artifact;
        self.client
            .push(reference, &[layer], config, &self.auth, Some(manifest))
            .await
            .map_err(explain)?;
        Ok(())
    }

    /// `None` where there is none.
    async fn pull_manifest(
        &self,
        reference: &Reference,
    ) -> Result<Option<OciImageManifest>, RegistryError> {
        let pulled = self.client.pull_image_manifest(reference, &self.auth).await;
        match pulled {
            Ok((manifest, _)) => Ok(Some(manifest)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// The bytes of a layer, which the client checks against its digest while they come.
    async fn pull(
        &self,
        reference: &Reference,
        layer: &OciDescriptor,
        max_bytes: usize,
    ) -> Result<Vec<u8>, RegistryError> {
        let mut bounded = Bounded {
            bytes: Vec::new(),
            max_bytes,
        };
        self.client
            .pull_blob(reference, layer, &mut bounded)
            .await
            .map_err(|error| self.explain(&error))?;
        Ok(bounded.bytes)
    }

    fn not_found(&self, wanted: &str) -> RegistryError {
        RegistryError::NotFound {
            registry: self.origin().to_string(),
            wanted: wanted.to_owned(),
        }
    }

    fn layout(&self, told: String) -> RegistryError {
        RegistryError::Layout {
            registry: self.origin().to_string(),
            told,
        }
    }

    fn explain(&self, error: &OciDistributionError) -> RegistryError {
        let (registry, source) = (self.origin().to_string(), OciFailure::new(error));
        match error {
            OciDistributionError::AuthenticationFailure(_)
            | OciDistributionError::UnauthorizedError { .. } => {
                RegistryError::Login { registry, source }
            }
            _ => RegistryError::Unusable { registry, source },
        }
    }
}

fn is_missing(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::ImageManifestNotFoundError(_) => true,
        OciDistributionError::ServerError { code, .. } => *code == 404,
        OciDistributionError::RegistryError { envelope, .. } => {
            envelope.errors.iter().any(|error| {
                matches!(
                    error.code,
                    OciErrorCode::ManifestUnknown
                        | OciErrorCode::NameUnknown
                        | OciErrorCode::NotFound
                )
            })
        }
        _ => false,
    }
}

/// Takes what comes, up to a number of bytes: the size that the registry told may be a lie.
struct Bounded {
    bytes: Vec<u8>,
    max_bytes: usize,
}

impl tokio::io::AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        piece: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.bytes.len() + piece.len() > self.max_bytes {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        self.bytes.extend_from_slice(piece);
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_spoken_to_in_clear() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:5000",
            "localhost:5000",
            "[::1]:5000",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "127.0.0.1.evil.com",
            "ghcr.io",
            "10.0.0.1:5000",
            "localhost.evil.com",
            "[::2]:1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_repository_names_its_host() {
        for good in ["ghcr.io/acme/crm", "127.0.0.1:5000/acme", "localhost/a"] {
            assert_eq!(
                OciRepository::open(good, Login::Anonymous).unwrap().whole(),
                good
            );
        }
        for wrong in [
            "",
            "acme",
            "acme/crm",
            "ghcr.io",
            "ghcr.io/",
            "ghcr.io/a:1",
            "ghcr.io/../a",
            "user@ghcr.io/a",
            "docker.io/a",
            "ghcr.io/A",
            "ghcr.io/a b",
            "ghcr.io/a?x",
            "ghcr.io/a@sha256:00",
        ] {
            assert!(check_repository(wrong).is_err(), "{wrong:?}");
        }
    }
}
