//! Writes whole files: aside first, made sure of, then put in place, so that a crash leaves the old one or the new one.
//!
//! It knows nothing of what is in them.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The disk said no.
#[derive(Debug, thiserror::Error)]
#[error("{action} {} failed", path.display())]
pub struct DiskError {
    /// What was tried.
    pub action: &'static str,
    /// With which file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub source: io::Error,
}

impl DiskError {
    pub(crate) fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whoever the system's defaults let.
    Usual,
    /// Its owner alone.
    OwnerOnly,
}

/// Puts a whole file in place of the one that may be there. Its folder is made where it is missing.
///
/// # Errors
/// When the disk says no; the file that was there is then still whole.
pub fn write_aside(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let aside = prepare(path, bytes, Readers::Usual)?;
    aside
        .persist(path)
        .map_err(|error| DiskError::new("writing", path)(error.error))?;
    Ok(())
}

/// Puts a whole file where there is none yet; one that is there stays.
pub(crate) fn write_new(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), DiskError> {
    let aside = prepare(path, bytes, readers)?;
    aside
        .persist_noclobber(path)
        .map_err(|error| DiskError::new("writing", path)(error.error))?;
    Ok(())
}

fn prepare(
    path: &Path,
    bytes: &[u8],
    readers: Readers,
) -> Result<tempfile::NamedTempFile, DiskError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(DiskError::new("making the folder of", path))?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    if readers == Readers::Usual {
        // A temporary file is its owner's alone; a package or an index is read by whoever shares the folder.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    let mut aside = builder
        .tempfile_in(folder)
        .map_err(DiskError::new("writing", path))?;
    aside
        .write_all(bytes)
        .and_then(|()| aside.as_file().sync_all())
        .map_err(DiskError::new("writing", path))?;
    Ok(aside)
}

/// One process at a time changes what lies in a folder; others wait. It is given back when this is dropped, or the process ends.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: fs::File,
}

impl FolderLock {
    /// Takes the lock of a folder, which is made where it is missing.
    pub(crate) fn take(folder: &Path) -> Result<Self, DiskError> {
        fs::create_dir_all(folder).map_err(DiskError::new("making", folder))?;
        let path = folder.join(".lock");
        let mut options = fs::OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(DiskError::new("opening", &path))?;
        file.lock().map_err(DiskError::new("locking", &path))?;
        Ok(Self { _file: file })
    }
}

/// Reads a whole file of at most `max_bytes`; `None` where there is none.
///
/// A longer one is refused with [`io::ErrorKind::FileTooLarge`]: the file may be a stranger's.
pub(crate) fn read_bounded(path: &Path, max_bytes: usize) -> Result<Option<Vec<u8>>, DiskError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(DiskError::new("reading", path)(source)),
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(max_bytes).unwrap_or(u64::MAX);
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(DiskError::new("reading", path))?;
    if bytes.len() > max_bytes {
        let told = io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {max_bytes} bytes"),
        );
        return Err(DiskError::new("reading", path)(told));
    }
    Ok(Some(bytes))
}
