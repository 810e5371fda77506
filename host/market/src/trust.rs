//! Decides whether a package may be trusted as what it says it is: by its signature, the key that was pinned, and what was revoked.
//!
//! The first key that is seen for a connector is pinned; from then on only that key, or one that it announced, is accepted. It
//! does not ask anybody and writes nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::inspect::Inspection;
use crate::key::{KeyError, PublicKey};
use crate::revocation::Revocations;
use crate::signature::{SignatureError, SignatureFile};

/// On what a package is trusted. Written `bundled`, `unsigned`, or as the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Trust {
    /// It is part of the running binary, and trusted as the binary is.
    Bundled,
    /// It is signed with that key.
    Key(PublicKey),
    /// On nothing: a developer said so.
    Unsigned,
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("bundled"),
            Self::Unsigned => f.write_str("unsigned"),
            Self::Key(key) => key.fmt(f),
        }
    }
}

impl FromStr for Trust {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Ok(match text {
            "bundled" => Self::Bundled,
            "unsigned" => Self::Unsigned,
            key => Self::Key(key.parse()?),
        })
    }
}

impl From<Trust> for String {
    fn from(trust: Trust) -> Self {
        trust.to_string()
    }
}

impl TryFrom<String> for Trust {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

/// What speaks for a package that is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backing {
    /// It comes out of the running binary.
    Bundled,
    /// A signature file came with it.
    Signed(Box<SignatureFile>),
    /// Nothing.
    Unsigned,
}

/// Whether a package that nothing speaks for is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsignedPackages {
    /// It is refused.
    Refused,
    /// A developer asked for it.
    Allowed,
}

/// What was accepted last for a connector. It outlives the connector's removal, so that removing does not open the door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// On what it was trusted.
    pub trust: Trust,
    /// The version.
    pub version: semver::Version,
    /// The digest of the whole package.
    pub component: Digest,
}

/// How a package's trust follows from what was pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Verdict {
    /// It is part of the running binary.
    Bundled,
    /// Signed with a key that was never seen for this connector; it is pinned.
    FirstKey {
        /// The key.
        key: PublicKey,
    },
    /// Signed with the pinned key.
    PinnedKey {
        /// The key.
        key: PublicKey,
    },
    /// Signed with a key that the pinned one announced; it takes its place.
    AnnouncedKey {
        /// The key.
        key: PublicKey,
        /// The one pinned before.
        before: PublicKey,
    },
    /// Nothing speaks for it, and a developer let it through.
    Unsigned,
}

impl Verdict {
    /// On what the package is trusted.
    pub fn trust(self) -> Trust {
        match self {
            Self::Bundled => Trust::Bundled,
            Self::FirstKey { key } | Self::PinnedKey { key } | Self::AnnouncedKey { key, .. } => {
                Trust::Key(key)
            }
            Self::Unsigned => Trust::Unsigned,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("part of this longshore, and trusted as it is"),
            Self::FirstKey { key } => write!(
                f,
                "signed with {key}, a key never seen here before; nobody has proved whose it is, and from now on only it is accepted"
            ),
            Self::PinnedKey { key } => write!(f, "signed with {key}, the same key as before"),
            Self::AnnouncedKey { key, before } => write!(
                f,
                "signed with {key}, which the key before it, {before}, announced; from now on only the new one is accepted"
            ),
            Self::Unsigned => {
                f.write_str("not signed: anybody may have made it or changed it on its way")
            }
        }
    }
}

/// Why a package is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Nothing speaks for it.
    #[error("connector {id:?} is not signed")]
    Unsigned {
        /// The connector.
        id: String,
    },
    /// Its signature does not fit.
    #[error("signature of connector {id:?} is refused")]
    Signature {
        /// The connector.
        id: String,
        /// Why.
        #[source]
        source: SignatureError,
    },
    /// It is trusted on something else than what was pinned.
    #[error(
        "connector {id:?} was {} before, this package is {}",
        told(*pinned),
        told(*offered)
    )]
    Changed {
        /// The connector.
        id: String,
        /// What was pinned.
        pinned: Trust,
        /// What is offered.
        offered: Trust,
    },
    /// It, or a key that it rests on, is revoked.
    #[error("connector {id:?} is revoked: {reason}")]
    Revoked {
        /// The connector.
        id: String,
        /// As the list gives it.
        reason: String,
    },
    /// It is older than what was accepted before.
    #[error("connector {id:?} {offered} is older than {accepted}, which was accepted before")]
    Downgrade {
        /// The connector.
        id: String,
        /// What is offered.
        offered: semver::Version,
        /// What was accepted.
        accepted: semver::Version,
    },
    /// It has the version of another package.
    #[error("connector {id:?} {version} is another package than the {version} accepted before")]
    SameVersion {
        /// The connector.
        id: String,
        /// The version of both.
        version: semver::Version,
    },
}

fn told(trust: Trust) -> String {
    match trust {
        Trust::Bundled => "the one of this longshore".to_owned(),
        Trust::Key(key) => format!("signed with {key}"),
        Trust::Unsigned => "not signed".to_owned(),
    }
}

/// Decides on a package that was looked into.
///
/// # Errors
/// With the first reason that it may not be trusted.
pub fn judge(
    inspection: &Inspection,
    backing: &Backing,
    pin: Option<&Pin>,
    revocations: &[Revocations],
    unsigned: UnsignedPackages,
) -> Result<Verdict, TrustError> {
    let id = || inspection.manifest.id.clone();
    if let Backing::Signed(signature) = backing {
        signature
            .check(inspection)
            .map_err(|source| TrustError::Signature { id: id(), source })?;
    }
    let (verdict, keys) = follow(&id(), backing, pin, unsigned)?;
    refuse_revoked(inspection, &keys, revocations)?;
    if let Some(pin) = pin {
        refuse_older(inspection, verdict, pin)?;
    }
    Ok(verdict)
}

/// The verdict, and every key that it rests on.
fn follow(
    id: &str,
    backing: &Backing,
    pin: Option<&Pin>,
    unsigned: UnsignedPackages,
) -> Result<(Verdict, Vec<PublicKey>), TrustError> {
    let offered = match backing {
        Backing::Bundled => Trust::Bundled,
        Backing::Signed(signature) => Trust::Key(signature.envelope.key),
        Backing::Unsigned => Trust::Unsigned,
    };
    let changed = |pinned| TrustError::Changed {
        id: id.to_owned(),
        pinned,
        offered,
    };
    let pinned = pin.map(|pin| pin.trust);
    match (backing, pinned) {
        (Backing::Unsigned, _) if unsigned == UnsignedPackages::Refused => {
            Err(TrustError::Unsigned { id: id.to_owned() })
        }
        (Backing::Unsigned, None | Some(Trust::Unsigned)) => Ok((Verdict::Unsigned, Vec::new())),
        (Backing::Bundled, None | Some(Trust::Bundled | Trust::Unsigned)) => {
            Ok((Verdict::Bundled, Vec::new()))
        }
        (Backing::Signed(signature), None | Some(Trust::Unsigned)) => {
            let key = signature.envelope.key;
            Ok((Verdict::FirstKey { key }, vec![key]))
        }
        (Backing::Signed(signature), Some(Trust::Key(before))) => {
            let key = signature.envelope.key;
            let chain = signature
                .find_chain(before)
                .ok_or_else(|| changed(Trust::Key(before)))?;
            let verdict = if key == before {
                Verdict::PinnedKey { key }
            } else {
                Verdict::AnnouncedKey { key, before }
            };
            Ok((verdict, chain))
        }
        (_, Some(pinned)) => Err(changed(pinned)),
    }
}

/// Refuses what a list revokes: the package, the key that signed it, and a key that announced another.
pub(crate) fn refuse_revoked(
    inspection: &Inspection,
    keys: &[PublicKey],
    revocations: &[Revocations],
) -> Result<(), TrustError> {
    let found = revocations
        .iter()
        .find_map(|list| list.find_reason(inspection.component_digest, keys));
    match found {
        None => Ok(()),
        Some(reason) => Err(TrustError::Revoked {
            id: inspection.manifest.id.clone(),
            reason: reason.to_owned(),
        }),
    }
}

fn refuse_older(inspection: &Inspection, verdict: Verdict, pin: &Pin) -> Result<(), TrustError> {
    let offered = &inspection.manifest.version;
    let id = || inspection.manifest.id.clone();
    // Build metadata after `+` has no order; semver's own order would make one.
    match offered.cmp_precedence(&pin.version) {
        std::cmp::Ordering::Less => Err(TrustError::Downgrade {
            id: id(),
            offered: offered.clone(),
            accepted: pin.version.clone(),
        }),
        // A publisher's version is one package for good. Who builds connectors, or longshore, builds one version many times.
        std::cmp::Ordering::Equal
            if inspection.component_digest != pin.component
                && matches!(
                    verdict,
                    Verdict::PinnedKey { .. } | Verdict::AnnouncedKey { .. }
                ) =>
        {
            Err(TrustError::SameVersion {
                id: id(),
                version: offered.clone(),
            })
        }
        _ => Ok(()),
    }
}
