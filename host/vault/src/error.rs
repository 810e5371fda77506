//! Says why the vault could not answer; each variant is a different thing for the person to do.
//!
//! It never carries a secret or a key.

use std::io;
use std::path::{Path, PathBuf};

/// Why the vault could not answer.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The disk did not do it: full, read-only, missing folder, permissions.
    #[error("vault cannot {doing} {}", file.display())]
    Io {
        /// `read`, `write`, …
        doing: &'static str,
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The environment variable that should hold the key is not set.
    #[error(
        "vault key is missing: environment variable {name} is not set; set it to 32 random bytes in base64 (openssl rand -base64 32)"
    )]
    KeyNotSet {
        /// The variable.
        name: String,
    },
    /// The vault exists, its key file does not. A new key would not open it, so none is made.
    #[error("vault key file {} is missing, and {} cannot be read without it; put the file back, or remove the vault and connect again", key.display(), vault.display())]
    KeyFileMissing {
        /// The key file.
        key: PathBuf,
        /// The vault.
        vault: PathBuf,
    },
    /// The vault exists, its key is gone from the place it was kept in. A new key would not open it, so none is made.
    #[error("vault key is gone from {origin}, and {} cannot be read without it; the Linux kernel's keyring forgets when the machine stops: remove the vault and connect again", vault.display())]
    KeyGone {
        /// Where it should be.
        origin: String,
        /// The vault.
        vault: PathBuf,
    },
    /// The keyring of the operating system did not do it.
    #[error(
        "the operating system's keyring does not answer for entry {name:?}: {cause}; keep the key in a file or in an environment variable instead"
    )]
    Keyring {
        /// The entry.
        name: String,
        /// What the system said.
        cause: String,
    },
    /// A rotation to the key that the vault has already.
    #[error("vault {} has the key from {origin} already; give another one", file.display())]
    SameKey {
        /// The vault.
        file: PathBuf,
        /// Where the key came from.
        origin: String,
    },
    /// A rotation that was cut off has to be finished first, and only the person can.
    #[error("vault {} has the key from {next} since a rotation; put that key in {origin} first", file.display())]
    Unfinished {
        /// The vault.
        file: PathBuf,
        /// Where its key is.
        next: String,
        /// Where its key should be.
        origin: String,
    },
    /// The key is not 32 bytes in base64 or hexadecimal.
    #[error(
        "vault key from {origin} is not 32 bytes in base64 or hexadecimal; make one with: openssl rand -base64 32"
    )]
    KeyMalformed {
        /// The environment variable or key file.
        origin: String,
    },
    /// Other users of the machine can read the key.
    #[error("vault key file {} can be read by other users; run: chmod 600 {}", file.display(), file.display())]
    KeyExposed {
        /// The key file.
        file: PathBuf,
    },
    /// The key is well-formed, and not the one the vault was made with.
    #[error("vault {} was made with another key than the one from {origin}; give the key it was made with, or remove the file and connect again", file.display())]
    WrongKey {
        /// The vault.
        file: PathBuf,
        /// Where the key came from.
        origin: String,
    },
    /// The file is no vault: cut off, overwritten, not ours.
    #[error("vault {} is damaged: {what}; restore it from a backup, or remove it and connect again", file.display())]
    Corrupt {
        /// The vault.
        file: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// The key fits and an entry does not: someone or something changed it.
    #[error("entry {entry} of vault {} was tampered with or damaged; remove it and connect again", file.display())]
    Tampered {
        /// The vault.
        file: PathBuf,
        /// The entry.
        entry: String,
    },
    /// The file was written by a later Longshore.
    #[error("vault {} has format {found}, this version reads up to {known}; use the newer Longshore that wrote it", file.display())]
    TooNew {
        /// The vault.
        file: PathBuf,
        /// Its format.
        found: u32,
        /// The highest that is known here.
        known: u32,
    },
    /// There is no such entry.
    #[error("vault {} has no credential {credential} for connection {connection}; connect it first", file.display())]
    NotFound {
        /// The vault.
        file: PathBuf,
        /// The connection.
        connection: String,
        /// The way to log in.
        credential: String,
    },
}

impl VaultError {
    pub(crate) fn io(doing: &'static str, file: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            doing,
            file: file.to_owned(),
            source,
        }
    }
}
