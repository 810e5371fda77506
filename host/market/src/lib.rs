//! Connector packages: the manifest, packing and inspecting a component, signatures, what a person consents to, the installed set, and the
//! registries they come from.
//!
//! It runs no connector. Only `registry` opens the network, and what comes from there is offered, never believed.

mod aside;

pub mod digest;

pub mod key;

mod statement;

pub mod manifest;

pub mod package;

pub mod inspect;

pub mod signature;

pub mod revocation;

pub mod trust;

mod line;

pub mod consent;

pub mod offer;

pub mod installed;

#[cfg(feature = "registry")]
pub mod registry;

pub use aside::{DiskError, write_aside};
pub use consent::Consent;
pub use digest::Digest;
pub use inspect::{InspectError, Inspection, inspect};
pub use installed::{InstallError, Installed, InstalledConnector, Removal, RevocationsError};
pub use key::{KeyError, PublicKey, SecretKey};
pub use line::Line;
pub use manifest::{Manifest, ManifestError};
pub use offer::{Agreed, Agreement, Change, Examined, Offer, Origin};
pub use package::{PackError, pack};
pub use revocation::{Revocations, Revoked};
pub use signature::{Envelope, Rotation, SignatureError, SignatureFile};
pub use statement::{STATEMENTS_MAX_BYTES, StatementError};
pub use trust::{Backing, Pin, Trust, TrustError, UnsignedPackages, Verdict};
