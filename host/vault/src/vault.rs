//! Stores and loads the secrets of connections, each encrypted by itself and bound to its name.
//!
//! It keeps no secret in memory between calls: each call reads the file, so that several processes see each other's refreshes.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, AeadCore as _, KeyInit as _, OsRng, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use model::{ConnectionId, Instant};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::VaultError;
use crate::file::{self, Contents, FORMAT, Sealed};
use crate::key::KeySource;
use crate::secret::{Secret, SecretText};

const CHECK_NAME: &str = "check";
const CHECK_TEXT: &[u8] = b"longshore vault";

/// Which secret: one way to log in of one connection. Not secret itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryName {
    /// The connection.
    pub connection: ConnectionId,
    /// The id of the credential in the connector's manifest.
    pub credential: String,
}

impl EntryName {
    /// Names an entry.
    pub fn new(connection: ConnectionId, credential: impl Into<String>) -> Self {
        Self {
            connection,
            credential: credential.into(),
        }
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.connection, self.credential)
    }
}

/// The secrets of a project, in one file. Safe to share between threads and to open in several processes.
pub struct Vault {
    path: PathBuf,
    cipher: XChaCha20Poly1305,
    origin: String,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("path", &self.path)
            .field("key", &"[redacted]")
            .finish()
    }
}

impl Vault {
    /// Opens the vault at `path`, which need not exist yet: the first [`store`](Self::store) makes it. Its folder must exist.
    ///
    /// # Errors
    ///
    /// The key is missing, malformed, exposed or not the vault's; the file cannot be read or is no vault.
    pub fn open(path: impl Into<PathBuf>, source: KeySource) -> Result<Self, VaultError> {
        let path = path.into();
        let key = source.load(&path)?;
        let cipher = XChaCha20Poly1305::new((&*key).into());
        let vault = Self {
            path,
            cipher,
            origin: source.origin(),
        };
        vault.read()?;
        Ok(vault)
    }

    /// Where the vault is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a secret in, over the one of that name. When this returns, it survives a crash.
    ///
    /// # Errors
    ///
    /// The file cannot be written (the old one then stays as it was), or what is there is no vault of this key.
    pub fn store(&self, name: &EntryName, secret: &Secret) -> Result<(), VaultError> {
        let _lock = file::lock(&self.path)?;
        let mut contents = match self.read()? {
            Some(contents) => contents,
            None => Contents {
                format: FORMAT,
                check: self.seal(CHECK_NAME, CHECK_TEXT),
                entries: Default::default(),
            },
        };
        let key = entry_key(name);
        let sealed = self.seal(&key, &encode(secret));
        contents.entries.insert(key, sealed);
        file::write(&self.path, &contents)
    }

    /// The secret of that name.
    ///
    /// # Errors
    ///
    /// [`VaultError::NotFound`] when there is none; [`VaultError::Tampered`] when it was changed; what reading can meet.
    pub fn load(&self, name: &EntryName) -> Result<Secret, VaultError> {
        let key = entry_key(name);
        let contents = self.read()?;
        let sealed = contents
            .as_ref()
            .and_then(|contents| contents.entries.get(&key))
            .ok_or_else(|| VaultError::NotFound {
                file: self.path.clone(),
                connection: name.connection.to_string(),
                credential: name.credential.clone(),
            })?;
        let tampered = || VaultError::Tampered {
            file: self.path.clone(),
            entry: name.to_string(),
        };
        let text = self.unseal(&key, sealed).ok_or_else(tampered)?;
        decode(&text).ok_or_else(tampered)
    }

    /// Takes a secret out. Says whether there was one.
    ///
    /// # Errors
    ///
    /// As [`store`](Self::store).
    pub fn remove(&self, name: &EntryName) -> Result<bool, VaultError> {
        let _lock = file::lock(&self.path)?;
        let Some(mut contents) = self.read()? else {
            return Ok(false);
        };
        if contents.entries.remove(&entry_key(name)).is_none() {
            return Ok(false);
        }
        file::write(&self.path, &contents)?;
        Ok(true)
    }

    /// The names of all entries, in order. Decrypts nothing.
    ///
    /// # Errors
    ///
    /// What reading can meet.
    pub fn list(&self) -> Result<Vec<EntryName>, VaultError> {
        let entries = self
            .read()?
            .map(|contents| contents.entries)
            .unwrap_or_default();
        entries
            .keys()
            .map(|key| {
                let (connection, credential) = serde_json::from_str::<(String, String)>(key)
                    .map_err(|_| VaultError::Corrupt {
                        file: self.path.clone(),
                        what: "it has an entry without a readable name".to_owned(),
                    })?;
                Ok(EntryName {
                    connection: connection.into(),
                    credential,
                })
            })
            .collect()
    }

    /// Reads the file and makes sure that the key is its key.
    fn read(&self) -> Result<Option<Contents>, VaultError> {
        let Some(contents) = file::read(&self.path)? else {
            return Ok(None);
        };
        if self
            .unseal(CHECK_NAME, &contents.check)
            .is_none_or(|text| *text != CHECK_TEXT)
        {
            return Err(VaultError::WrongKey {
                file: self.path.clone(),
                origin: self.origin.clone(),
            });
        }
        Ok(Some(contents))
    }

    fn seal(&self, name: &str, text: &[u8]) -> Sealed {
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let aad = associated_data(name);
        let sealed = self.cipher.encrypt(
            &nonce,
            Payload {
                msg: text,
                aad: aad.as_bytes(),
            },
        );
        let sealed = sealed.expect("XChaCha20-Poly1305 refuses only texts of 256 GiB and more");
        Sealed {
            nonce: STANDARD.encode(nonce),
            text: STANDARD.encode(sealed),
        }
    }

    fn unseal(&self, name: &str, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let nonce = STANDARD
            .decode(&sealed.nonce)
            .ok()
            .filter(|nonce| nonce.len() == 24)?;
        let text = STANDARD.decode(&sealed.text).ok()?;
        let aad = associated_data(name);
        self.cipher
            .decrypt(
                XNonce::from_slice(&nonce),
                Payload {
                    msg: &text,
                    aad: aad.as_bytes(),
                },
            )
            .ok()
            .map(Zeroizing::new)
    }
}

/// Name and format are authenticated with each entry, so that none can be passed off as another's.
fn associated_data(name: &str) -> String {
    format!("longshore vault {FORMAT}\n{name}")
}

/// A JSON list, so that no pair of names can look like another pair.
fn entry_key(name: &EntryName) -> String {
    serde_json::to_string(&(name.connection.as_str(), &name.credential))
        .expect("two texts are JSON")
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Stored<T> {
    Key {
        key: T,
    },
    Oauth {
        access: T,
        refresh: Option<T>,
        expires_at_us: Option<i64>,
        client_id: String,
        client_secret: Option<T>,
        account: Option<String>,
    },
}

fn encode(secret: &Secret) -> Zeroizing<Vec<u8>> {
    let stored = match secret {
        Secret::Key(key) => Stored::Key { key: key.expose() },
        Secret::Oauth {
            access,
            refresh,
            expires_at,
            client_id,
            client_secret,
            account,
        } => Stored::Oauth {
            access: access.expose(),
            refresh: refresh.as_ref().map(SecretText::expose),
            expires_at_us: expires_at.map(Instant::unix_us),
            client_id: client_id.clone(),
            client_secret: client_secret.as_ref().map(SecretText::expose),
            account: account.clone(),
        },
    };
    // Large enough for most, so that growing leaves no copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(16 * 1024));
    serde_json::to_writer(&mut *text, &stored)
        .expect("texts and numbers are JSON, and memory takes them");
    text
}

fn decode(text: &[u8]) -> Option<Secret> {
    Some(match serde_json::from_slice::<Stored<String>>(text).ok()? {
        Stored::Key { key } => Secret::Key(key.into()),
        Stored::Oauth {
            access,
            refresh,
            expires_at_us,
            client_id,
            client_secret,
            account,
        } => Secret::Oauth {
            access: access.into(),
            refresh: refresh.map(SecretText::from),
            expires_at: expires_at_us.and_then(Instant::from_unix_us),
            client_id,
            client_secret: client_secret.map(SecretText::from),
            account,
        },
    })
}

#[cfg(test)]
mod tests;
