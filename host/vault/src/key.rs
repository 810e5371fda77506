//! Finds and keeps the key that encrypts the vault: environment, key file, the keyring of the operating system, or bytes the caller has.
//!
//! It derives nothing from passwords: a key is 32 random bytes. Whether a key is the vault's it cannot know.

mod keyring;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{KeyInit as _, OsRng};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::VaultError;

/// The length of a key, in bytes.
pub const KEY_BYTES: usize = 32;

/// A key; wiped when dropped.
pub(crate) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// Where the key is.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The environment variable of this name: 32 bytes in base64 or hexadecimal. It is never made here.
    Environment(String),
    /// This file, readable by its owner only. Made with a random key when neither it nor the vault exists.
    File(PathBuf),
    /// The keyring of the operating system, under this name. Made as the file is. On Linux it is the kernel's keyring, which forgets when the
    /// machine stops, or when nobody asked for three days (keyctl_get_persistent(3)).
    Keyring(String),
    /// The caller has it.
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
            Self::Keyring(name) => {
                format!("entry {name:?} of the operating system's keyring")
            }
            Self::Bytes(_) => "the caller".to_owned(),
        }
    }

    /// Where the key of a rotation stands until the vault is sealed with it. `None` for bytes of the caller.
    pub(crate) fn next(&self) -> Option<Self> {
        match self {
            Self::Environment(name) => Some(Self::Environment(format!("{name}_NEXT"))),
            Self::File(file) => {
                let mut name = file.as_os_str().to_owned();
                name.push(".next");
                Some(Self::File(name.into()))
            }
            Self::Keyring(name) => Some(Self::Keyring(format!("{name} next"))),
            Self::Bytes(_) => None,
        }
    }

    /// The key that is there. `None` when there is none.
    pub(crate) fn find(&self) -> Result<Option<Key>, VaultError> {
        let malformed = || VaultError::KeyMalformed {
            origin: self.origin(),
        };
        match self {
            Self::Bytes(key) => Ok(Some(key.clone())),
            Self::Environment(name) => match std::env::var(name) {
                Ok(text) => parse(&Zeroizing::new(text)).ok_or_else(malformed).map(Some),
                Err(std::env::VarError::NotPresent) => Ok(None),
                Err(std::env::VarError::NotUnicode(_)) => Err(malformed()),
            },
            Self::File(file) => {
                if !file.try_exists().map_err(VaultError::io("read", file))? {
                    return Ok(None);
                }
                refuse_exposed(file)?;
                let bytes = Zeroizing::new(fs::read(file).map_err(VaultError::io("read", file))?);
                let text = std::str::from_utf8(&bytes).ok();
                text.and_then(parse).ok_or_else(malformed).map(Some)
            }
            Self::Keyring(name) => keyring::find(name),
        }
    }

    /// The error for a key that must be there and is not.
    pub(crate) fn missing(&self, vault: &Path) -> VaultError {
        match self {
            Self::Environment(name) => VaultError::KeyNotSet { name: name.clone() },
            Self::File(file) => VaultError::KeyFileMissing {
                key: file.clone(),
                vault: vault.to_owned(),
            },
            Self::Keyring(_) | Self::Bytes(_) => VaultError::KeyGone {
                origin: self.origin(),
                vault: vault.to_owned(),
            },
        }
    }

    /// The key for a vault that does not exist yet, made where there is none.
    pub(crate) fn find_or_make(&self, vault: &Path) -> Result<Key, VaultError> {
        if let Some(key) = self.find()? {
            return Ok(key);
        }
        match self {
            Self::Environment(_) | Self::Bytes(_) => return Err(self.missing(vault)),
            Self::File(file) => write(file, &random(), Taken::Stays)?,
            Self::Keyring(name) => keyring::put(name, &random())?,
        }
        self.find()?.ok_or_else(|| self.missing(vault))
    }

    /// Puts a key there, in place of what was.
    pub(crate) fn put(&self, key: &Key) -> Result<(), VaultError> {
        match self {
            Self::File(file) => write(file, key, Taken::IsReplaced),
            Self::Keyring(name) => keyring::put(name, key),
            Self::Environment(_) | Self::Bytes(_) => Ok(()),
        }
    }

    /// Destroys the key that is there, if one is.
    ///
    /// # Errors
    ///
    /// The file cannot be removed, or the keyring does not answer. An environment variable is the person's to unset.
    pub fn forget(&self) -> Result<(), VaultError> {
        match self {
            Self::File(file) => match fs::remove_file(file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(VaultError::io("remove", file)(error))
                }
                _ => Ok(()),
            },
            Self::Keyring(name) => keyring::remove(name),
            Self::Environment(_) | Self::Bytes(_) => Ok(()),
        }
    }

    /// Puts the key of [`next`](Self::next) in this place: a rename, or a copy and then the end of the other.
    pub(crate) fn promote(&self) -> Result<(), VaultError> {
        match (self, self.next()) {
            (Self::File(file), Some(Self::File(next))) => {
                let rename = || -> std::io::Result<()> {
                    fs::rename(&next, file)?;
                    crate::file::sync_folder(crate::file::folder_of(file))
                };
                rename().map_err(VaultError::io("replace", file))
            }
            (Self::Keyring(name), Some(Self::Keyring(next))) => {
                if let Some(key) = keyring::find(&next)? {
                    keyring::put(name, &key)?;
                    keyring::remove(&next)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// A fresh key.
pub(crate) fn random() -> Key {
    Zeroizing::new(XChaCha20Poly1305::generate_key(&mut OsRng).into())
}

/// Tells keys apart without giving one away: the first eight hexadecimal digits of a hash of 32 random bytes.
pub(crate) fn id(key: &Key) -> String {
    let mut hash = Sha256::new();
    hash.update(b"longshore vault key id\n");
    hash.update(key.as_slice());
    hash.finalize()[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn parse(text: &str) -> Option<Key> {
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

/// What becomes of a key file that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Two processes may start at once: the first file stays, the other process reads it.
    Stays,
    IsReplaced,
}

fn write(file: &Path, key: &Key, taken: Taken) -> Result<(), VaultError> {
    let folder = crate::file::folder_of(file);
    let write = || -> std::io::Result<()> {
        let mut aside = tempfile::NamedTempFile::new_in(folder)?; // 0600 from the start
        let text = Zeroizing::new(STANDARD.encode(key.as_slice()));
        aside.write_all(text.as_bytes())?;
        aside.write_all(b"\n")?;
        aside.as_file().sync_all()?;
        let placed = match taken {
            Taken::Stays => aside.persist_noclobber(file),
            Taken::IsReplaced => aside.persist(file),
        };
        match placed {
            Ok(_) => crate::file::sync_folder(folder),
            Err(failed)
                if taken == Taken::Stays
                    && failed.error.kind() == std::io::ErrorKind::AlreadyExists =>
            {
                Ok(())
            }
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

    #[test]
    fn the_id_of_a_key_tells_keys_apart_and_is_no_part_of_them() {
        let (one, two) = (Zeroizing::new([1; 32]), Zeroizing::new([2; 32]));
        assert_ne!(id(&one), id(&two));
        assert_eq!((id(&one).len(), id(&one) == "01010101"), (8, false));
    }
}
