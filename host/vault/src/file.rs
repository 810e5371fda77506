//! Holds the vault's file: encrypted entries by name, replaced as a whole so that a crash leaves the old one or the new one.
//!
//! It does not know what an entry says, and sees no key. A vault that is only tried out has no file: it is held in memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::error::VaultError;

/// The file's format; also part of what each entry is authenticated with.
pub(crate) const FORMAT: u32 = 1;

/// The whole file.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contents {
    pub(crate) format: u32,
    /// A known text under the key: tells a wrong key from a damaged entry.
    pub(crate) check: Sealed,
    pub(crate) entries: BTreeMap<String, Sealed>,
}

/// One encrypted text, both in base64.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    pub(crate) nonce: String,
    pub(crate) text: String,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// Where a vault's contents are.
pub(crate) enum Place {
    File(PathBuf),
    /// Gone with the process: for a secret that is tried before it is kept.
    Memory(Mutex<Option<Contents>>),
}

impl Place {
    /// The file's path, or what stands for it in a message.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Memory(_) => Path::new("in memory"),
        }
    }

    /// `None` when nothing was stored yet.
    pub(crate) fn read(&self) -> Result<Option<Contents>, VaultError> {
        match self {
            Self::File(path) => read(path),
            Self::Memory(held) => Ok(held.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }

    pub(crate) fn write(&self, contents: &Contents) -> Result<(), VaultError> {
        match self {
            Self::File(path) => write(path, contents),
            Self::Memory(held) => {
                *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(contents.clone());
                Ok(())
            }
        }
    }

    /// Keeps others from writing until the answer is dropped. In memory there are no others: one process, which reads before it writes
    /// in one call of the credential that owns it.
    pub(crate) fn lock(&self) -> Result<Option<File>, VaultError> {
        match self {
            Self::File(path) => lock(path).map(Some),
            Self::Memory(_) => Ok(None),
        }
    }
}

/// Reads the file. `None` when there is none.
pub(crate) fn read(file: &Path) -> Result<Option<Contents>, VaultError> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(VaultError::io("read", file)(source)),
    };
    let corrupt = |error: serde_json::Error| VaultError::Corrupt {
        file: file.to_owned(),
        what: format!(
            "it does not read as a vault (line {}, column {})",
            error.line(),
            error.column()
        ),
    };
    let FormatOnly { format } = serde_json::from_slice(&bytes).map_err(corrupt)?;
    if format > FORMAT {
        return Err(VaultError::TooNew {
            file: file.to_owned(),
            found: format,
            known: FORMAT,
        });
    }
    serde_json::from_slice(&bytes).map(Some).map_err(corrupt)
}

/// Writes the file aside, makes it durable, then puts it in place. Mode 0600.
pub(crate) fn write(file: &Path, contents: &Contents) -> Result<(), VaultError> {
    let folder = folder_of(file);
    let replace = || -> io::Result<()> {
        let mut aside = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut aside, contents)?;
        aside.write_all(b"\n")?;
        aside.as_file().sync_all()?;
        aside.persist(file).map_err(|failed| failed.error)?;
        sync_folder(folder)
    };
    replace().map_err(VaultError::io("write", file))
}

/// Keeps other processes, and other `Vault`s of this one, from writing until the answer is dropped.
pub(crate) fn lock(file: &Path) -> Result<File, VaultError> {
    let mut name = file.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let take = || -> io::Result<File> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        file.lock()?;
        Ok(file)
    };
    take().map_err(VaultError::io("lock", &path))
}

/// The folder a file stands in; `.` for a bare name.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Makes a rename durable, where the system can.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}
