//! Keeps the secrets of connections: encrypted at rest, wiped from memory when dropped, printed as `[redacted]`.
//!
//! It sends nothing and refreshes nothing: what a secret is for, and how a new one is had, is egress's business.

pub mod secret;

pub mod error;

mod file;

pub mod key;

mod seal;

pub mod vault;

mod rotation;

pub use error::VaultError;
pub use key::KeySource;
pub use secret::{Secret, SecretText};
pub use vault::{EntryName, Status, Vault};
