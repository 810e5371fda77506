//! Finds the key that encrypts the vault: environment, key file, or bytes the caller has.
//!
//! It derives nothing from passwords: a key is 32 random bytes.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{KeyInit as _, OsRng};
use zeroize::Zeroizing;

use crate::error::VaultError;

/// The length of a key, in bytes.
pub const KEY_BYTES: usize = 32;

/// Where the key comes from.
#[derive(Clone)]
pub enum KeySource {
    /// The environment variable of this name: 32 bytes in base64 or hexadecimal.
    Environment(String),
    /// This file, readable by its owner only. Made with a random key when neither it nor the vault exists.
    File(PathBuf),
    /// The caller has it, for example from the keyring of the operating system.
    Bytes(Zeroizing<[u8; KEY_BYTES]>),
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.origin())
    }
}

impl KeySource {
    /// Names the place for a message; never the key.
    pub fn origin(&self) -> String {
        match self {
            Self::Environment(name) => format!("environment variable {name}"),
            Self::File(file) => format!("key file {}", file.display()),
            Self::Bytes(_) => "the caller".to_owned(),
        }
    }

    pub(crate) fn load(&self, vault: &Path) -> Result<Zeroizing<[u8; KEY_BYTES]>, VaultError> {
        match self {
            Self::Bytes(key) => Ok(key.clone()),
            Self::Environment(name) => {
                let text = std::env::var(name)
                    .map_err(|_| VaultError::KeyNotSet { name: name.clone() })?;
                parse(&Zeroizing::new(text)).ok_or_else(|| VaultError::KeyMalformed {
                    origin: self.origin(),
                })
            }
            Self::File(file) => {
                if !file.try_exists().map_err(VaultError::io("read", file))? {
                    create(file, vault)?;
                }
                refuse_exposed(file)?;
                let bytes = Zeroizing::new(fs::read(file).map_err(VaultError::io("read", file))?);
                let text = std::str::from_utf8(&bytes).ok();
                text.and_then(parse)
                    .ok_or_else(|| VaultError::KeyMalformed {
                        origin: self.origin(),
                    })
            }
        }
    }
}

fn parse(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let text = text.trim();
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    if text.len() == KEY_BYTES * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        return Some(key);
    }
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    key.copy_from_slice(bytes.get(..).filter(|bytes| bytes.len() == KEY_BYTES)?);
    Some(key)
}

/// Two processes may start at once: the first file stays, the other process reads it.
fn create(file: &Path, vault: &Path) -> Result<(), VaultError> {
    if vault.try_exists().map_err(VaultError::io("read", vault))? {
        return Err(VaultError::KeyFileMissing {
            key: file.to_owned(),
            vault: vault.to_owned(),
        });
    }
    let folder = crate::file::folder_of(file);
    let write = || -> std::io::Result<()> {
        let mut aside = tempfile::NamedTempFile::new_in(folder)?; // 0600 from the start
        let text = Zeroizing::new(STANDARD.encode(XChaCha20Poly1305::generate_key(&mut OsRng)));
        aside.write_all(text.as_bytes())?;
        aside.write_all(b"\n")?;
        aside.as_file().sync_all()?;
        match aside.persist_noclobber(file) {
            Ok(_) => crate::file::sync_folder(folder),
            Err(taken) if taken.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(failed) => Err(failed.error),
        }
    };
    write().map_err(VaultError::io("create", file))
}

#[cfg(unix)]
fn refuse_exposed(file: &Path) -> Result<(), VaultError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(file)
        .map_err(VaultError::io("read", file))?
        .permissions()
        .mode();
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(VaultError::KeyExposed {
            file: file.to_owned(),
        })
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_file: &Path) -> Result<(), VaultError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u8>) {
        assert_eq!(parse(text).map(|key| key[31]), expected, "{text}");
    }

    #[test]
    fn keys_are_32_bytes_in_hex_or_base64() {
        check(&"0a".repeat(32), Some(10));
        check(&format!(" {}\n", "FF".repeat(32)), Some(255));
        check("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", Some(1));
        check("", None);
        check("hunter2", None);
        check(&"0a".repeat(31), None);
        check(&"zz".repeat(32), None);
        check(&"A".repeat(88), None);
    }
}
