//! Files that appear whole or not at all, for their owner only: they hold customer data.

use std::fs::File;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// A file that is being written aside. Dropped unfinished, nothing of it stays: what is half-written is of no use, and a full disk needs
/// its place.
#[derive(Debug)]
pub(crate) struct WholeFile {
    path: PathBuf,
    aside: PathBuf,
    is_finished: bool,
}

impl WholeFile {
    /// Begins the file that will be at `path`; what is there stays until it is finished.
    pub(crate) fn create(path: &Path) -> Result<(Self, File)> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(Error::other("the path names no file"));
        }
        name.push(".part");
        let aside = path.with_file_name(name);
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&aside)?;
        let whole = Self {
            path: path.to_owned(),
            aside,
            is_finished: false,
        };
        Ok((whole, file))
    }

    /// Puts it in its place. Whoever wrote has flushed.
    pub(crate) fn finish(mut self) -> Result<()> {
        std::fs::rename(&self.aside, &self.path)?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.is_finished {
            // There is nobody to tell, and the cause is told already.
            let _ = std::fs::remove_file(&self.aside);
        }
    }
}
