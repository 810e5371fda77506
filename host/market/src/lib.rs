//! Connector packages: the manifest, packing and inspecting a component, what a person consents to, and the installed set.
//!
//! It runs no connector and opens no network; signatures and registries come later.

pub mod digest;

pub mod manifest;

pub mod package;

pub mod inspect;

pub mod consent;

pub mod installed;

pub use consent::{Consent, Line};
pub use digest::Digest;
pub use inspect::{InspectError, Inspection, inspect};
pub use installed::{InstallError, Installed, InstalledConnector};
pub use manifest::{Manifest, ManifestError};
pub use package::{PackError, pack};
