//! Stores and loads the secrets of connections, each encrypted by itself and bound to its name.
//!
//! It keeps no secret in memory between calls: each call reads the file, so that several processes see each other's refreshes.

use std::fmt;
use std::path::{Path, PathBuf};

use std::sync::{Mutex, PoisonError, RwLock};

use model::ConnectionId;

use crate::error::VaultError;
use crate::file::{Contents, Place};
use crate::key::{self, KeySource};
use crate::seal::{Sealer, decode, encode};
use crate::secret::Secret;

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
    place: Place,
    sources: Vec<KeySource>,
    /// Replaced when another process gave the vault a new key.
    opened: RwLock<Opened>,
}

/// A key that fits, and where it was found.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) sealer: Sealer,
    pub(crate) source: KeySource,
}

/// What a person may know of a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where the key that opens it is.
    pub key: KeySource,
    /// The first digits of a hash of the key: two keys can be told apart by it.
    pub key_id: String,
    /// Whether that is not where the key is expected: a rotation was cut off after the vault had its new key.
    pub unfinished: bool,
    /// The names of all entries, in order.
    pub entries: Vec<EntryName>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("path", &self.path())
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
        Self::open_any(path, vec![source])
    }

    /// Opens a vault whose key is in one of several places, the first being the one for a new vault: it is being moved.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); the error speaks of the first place.
    ///
    /// # Panics
    ///
    /// Without a place.
    pub fn open_any(path: impl Into<PathBuf>, sources: Vec<KeySource>) -> Result<Self, VaultError> {
        let place = Place::File(path.into());
        let opened = match place.read()? {
            Some(contents) => unlock(&place, &sources, &contents)?,
            None => start(&place, &sources)?,
        };
        Ok(Self {
            place,
            sources,
            opened: RwLock::new(opened),
        })
    }

    /// A vault in memory with a key of its own, for a secret that is tried before it is kept. It ends with this value.
    pub fn in_memory() -> Self {
        let key = key::random();
        let source = KeySource::Bytes(key.clone());
        let opened = Opened {
            sealer: Sealer::new(&key),
            source: source.clone(),
        };
        Self {
            place: Place::Memory(Mutex::default()),
            sources: vec![source],
            opened: RwLock::new(opened),
        }
    }

    /// Where the vault is.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// What a person may know of it.
    ///
    /// # Errors
    ///
    /// What reading can meet.
    pub fn status(&self) -> Result<Status, VaultError> {
        let entries = self.list()?;
        let opened = self.opened();
        Ok(Status {
            unfinished: self.sources.first() != Some(&opened.source),
            key: opened.source,
            key_id: opened.sealer.key_id,
            entries,
        })
    }

    /// Puts a secret in, over the one of that name. When this returns, it survives a crash.
    ///
    /// # Errors
    ///
    /// The file cannot be written (the old one then stays as it was), or what is there is no vault of this key.
    pub fn store(&self, name: &EntryName, secret: &Secret) -> Result<(), VaultError> {
        let _lock = self.place.lock()?;
        let contents = self.read()?;
        let sealer = self.opened().sealer;
        let mut contents = contents.unwrap_or_else(|| sealer.empty());
        let key = entry_key(name);
        let sealed = sealer.seal(&key, &encode(secret));
        contents.entries.insert(key, sealed);
        self.place.write(&contents)
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
                file: self.path().to_owned(),
                connection: name.connection.to_string(),
                credential: name.credential.clone(),
            })?;
        let tampered = || VaultError::Tampered {
            file: self.path().to_owned(),
            entry: name.to_string(),
        };
        let sealer = self.opened().sealer;
        let text = sealer.unseal(&key, sealed).ok_or_else(tampered)?;
        decode(&text).ok_or_else(tampered)
    }

    /// Takes a secret out. Says whether there was one.
    ///
    /// # Errors
    ///
    /// As [`store`](Self::store).
    pub fn remove(&self, name: &EntryName) -> Result<bool, VaultError> {
        let _lock = self.place.lock()?;
        let Some(mut contents) = self.read()? else {
            return Ok(false);
        };
        if contents.entries.remove(&entry_key(name)).is_none() {
            return Ok(false);
        }
        self.place.write(&contents)?;
        Ok(true)
    }

    /// The names of all entries, in order. Decrypts nothing.
    ///
    /// # Errors
    ///
    /// What reading can meet.
    pub fn list(&self) -> Result<Vec<EntryName>, VaultError> {
        match self.read()? {
            Some(contents) => self.list_of(&contents),
            None => Ok(Vec::new()),
        }
    }

    pub(crate) fn list_of(&self, contents: &Contents) -> Result<Vec<EntryName>, VaultError> {
        contents
            .entries
            .keys()
            .map(|key| {
                parse_entry_key(key).ok_or_else(|| VaultError::Corrupt {
                    file: self.path().to_owned(),
                    what: "it has an entry without a readable name".to_owned(),
                })
            })
            .collect()
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn sources(&self) -> &[KeySource] {
        &self.sources
    }

    pub(crate) fn opened(&self) -> Opened {
        self.opened
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the file and makes sure that the key is its key. Where another process gave it a new one meanwhile, that is taken up.
    pub(crate) fn read(&self) -> Result<Option<Contents>, VaultError> {
        let Some(contents) = self.place.read()? else {
            return Ok(None);
        };
        if !self.opened().sealer.fits(&contents) {
            let opened = unlock(&self.place, &self.sources, &contents)?;
            *self.opened.write().unwrap_or_else(PoisonError::into_inner) = opened;
        }
        Ok(Some(contents))
    }
}

/// The key for a vault that does not exist yet. Locked, so that two who start at once agree on one key.
fn start(place: &Place, sources: &[KeySource]) -> Result<Opened, VaultError> {
    let source = sources.first().expect("a vault has a place for its key");
    let _lock = place.lock()?;
    match place.read()? {
        Some(contents) => unlock(place, sources, &contents),
        None => Ok(Opened {
            sealer: Sealer::new(&source.find_or_make(place.path())?),
            source: source.clone(),
        }),
    }
}

/// The key that fits, from one of the places or from where a rotation to it keeps the next one.
///
/// A rotation puts the next key in its place right after the vault has it, so a place is asked once more when neither fitted.
fn unlock(place: &Place, sources: &[KeySource], contents: &Contents) -> Result<Opened, VaultError> {
    let mut found_one = false;
    let mut failed = None;
    for source in sources
        .iter()
        .flat_map(|source| [Some(source.clone()), source.next(), Some(source.clone())])
        .flatten()
    {
        match source.find() {
            Ok(Some(key)) => {
                found_one = true;
                let sealer = Sealer::new(&key);
                if sealer.fits(contents) {
                    return Ok(Opened { sealer, source });
                }
            }
            Ok(None) => (),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let first = sources.first().expect("a vault has a place for its key");
    Err(match failed {
        Some(error) => error,
        None if found_one => VaultError::WrongKey {
            file: place.path().to_owned(),
            origin: first.origin(),
        },
        None => first.missing(place.path()),
    })
}

/// A JSON list, so that no pair of names can look like another pair.
fn entry_key(name: &EntryName) -> String {
    serde_json::to_string(&(name.connection.as_str(), &name.credential))
        .expect("two texts are JSON")
}

fn parse_entry_key(key: &str) -> Option<EntryName> {
    let (connection, credential) = serde_json::from_str::<(String, String)>(key).ok()?;
    Some(EntryName {
        connection: connection.into(),
        credential,
    })
}

#[cfg(test)]
mod tests;
