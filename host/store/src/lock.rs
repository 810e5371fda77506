//! The lock that keeps a second process away from a project, and tells whether the last one ended in order.
//!
//! The system releases the lock when a process dies, however it dies; the file itself stays.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::error::{Place, StoreError};

/// The name of the lock file in a project's folder.
const FILE_NAME: &str = "lock";

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub(crate) struct FolderLock {
    file: File,
    /// Whether the process before this one left without saying so.
    pub(crate) was_unclean: bool,
}

impl FolderLock {
    /// Takes the lock without waiting, and writes this process's id into the file.
    pub(crate) fn take(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        let fail = |source| Place::explain_io(&path, "lock", source);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(fail)?;
        let mut text = String::new();
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = file
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| text.trim().parse().ok());
                return Err(StoreError::Busy {
                    folder: folder.to_path_buf(),
                    pid,
                });
            }
            Err(TryLockError::Error(source)) => return Err(fail(source)),
        }
        file.read_to_string(&mut text).map_err(fail)?;
        let was_unclean = !text.trim().is_empty();
        file.set_len(0).and_then(|()| file.rewind()).map_err(fail)?;
        writeln!(file, "{}", std::process::id()).map_err(fail)?;
        Ok(Self { file, was_unclean })
    }
}

impl Drop for FolderLock {
    /// An empty file says that this process ended in order. Where that cannot be written the next one looks closer, that is all.
    fn drop(&mut self) {
        if let Err(error) = self.file.set_len(0) {
            tracing::debug!(%error, "lock file keeps the process id");
        }
    }
}
