//! Keeps a key in the keyring of the operating system: the kernel's on Linux, the keychain on macOS, the credential manager on Windows.
//!
//! The desktop's secret service is not used on Linux: its client brings libdbus (C) or a second async runtime, and a server has none.

use zeroize::Zeroizing;

use super::{KEY_BYTES, Key};
use crate::error::VaultError;

const SERVICE: &str = "longshore";

fn entry(name: &str) -> Result<keyring::Entry, VaultError> {
    keyring::Entry::new(SERVICE, name).map_err(|error| failed(name, &error))
}

/// The crate's error is not passed on as a source: its `Debug` may show what was read.
fn failed(name: &str, error: &keyring::Error) -> VaultError {
    VaultError::Keyring {
        name: name.to_owned(),
        cause: error.to_string(),
    }
}

pub(super) fn find(name: &str) -> Result<Option<Key>, VaultError> {
    match entry(name)?.get_secret() {
        Ok(bytes) => {
            let bytes = Zeroizing::new(bytes);
            let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice());
            key.map(|key| Some(Zeroizing::new(key)))
                .map_err(|_| VaultError::KeyMalformed {
                    origin: super::KeySource::Keyring(name.to_owned()).origin(),
                })
        }
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(failed(name, &error)),
    }
}

pub(super) fn put(name: &str, key: &Key) -> Result<(), VaultError> {
    entry(name)?
        .set_secret(key.as_slice())
        .map_err(|error| failed(name, &error))
}

pub(super) fn remove(name: &str) -> Result<(), VaultError> {
    match entry(name)?.delete_credential() {
        Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
        Err(error) => Err(failed(name, &error)),
    }
}
