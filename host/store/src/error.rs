//! What can go wrong with the state, one variant for each way of handling it.
//!
//! It never repairs and never deletes: every message says what the person can do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::PlanId;
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// Why the state could not be read or written. Unless it says otherwise, nothing of the call was kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process works on the same state: wait, or stop it.
    #[error("another process{} works on the state in {}: wait until it has ended, or stop it", Pid(*pid), folder.display())]
    Busy {
        /// The project's folder.
        folder: PathBuf,
        /// The other process, where it is known.
        pid: Option<u32>,
    },
    /// The state file cannot be read as one. It was left as it is.
    #[error("state file {} is damaged: {detail}; it was left untouched: put a backup in its place, or move it away and start anew", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A later Longshore wrote the state file. It was left as it is.
    #[error("state file {} has version {found}, this Longshore knows up to {known}: use the version that wrote it, or a later one", path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The last version that is known here.
        known: i64,
    },
    /// The disk is full. What was committed before is safe; free some space and run again.
    #[error("no space left on the disk to {doing} in {}: what was stored before is safe; free some space and run again", path.display())]
    DiskFull {
        /// What was being done.
        doing: String,
        /// The state file.
        path: PathBuf,
        /// What SQLite or the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something that must never change was to be changed: a sealed plan or the ledger. It is a mistake of the caller.
    #[error("state refuses to {doing}: {detail}")]
    Sealed {
        /// What was being done.
        doing: String,
        /// What is sealed.
        detail: String,
    },
    /// The stored plan is not the one that was approved: plan again.
    #[error("stored plan {plan} does not match its hash: {detail}; make a new plan")]
    Altered {
        /// The plan.
        plan: PlanId,
        /// Where the difference is.
        detail: String,
    },
    /// A plan, action or link is named that is not in the state.
    #[error("state has no {what}")]
    Unknown {
        /// What was asked for.
        what: String,
    },
    /// A document could not be written as JSON, or a stored one is not of the type asked for.
    #[error("{kind} {key:?} in the state is not of the expected form")]
    Document {
        /// Its kind.
        kind: String,
        /// Its key.
        key: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The system refused a file of the state.
    #[error("could not {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Everything else that SQLite says.
    #[error("could not {doing} in the state")]
    Sqlite {
        /// What was being done.
        doing: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

struct Pid(Option<u32>);

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) => write!(f, " (process {pid})"),
            None => Ok(()),
        }
    }
}

/// The state file, to name it in errors.
#[derive(Clone, Debug)]
pub(crate) struct Place(Arc<Path>);

impl Place {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.into())
    }

    /// Sorts an error of SQLite by how it is handled.
    pub(crate) fn explain(&self, doing: fmt::Arguments<'_>, error: rusqlite::Error) -> StoreError {
        let path = self.0.to_path_buf();
        let doing = doing.to_string();
        if let rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) = error
        {
            return StoreError::Corrupt {
                path,
                detail: format!("could not {doing}: {error}"),
            };
        }
        let extended = error
            .sqlite_error()
            .map_or(0, |sqlite| sqlite.extended_code);
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::DiskFull {
                doing,
                path,
                source: error.into(),
            },
            _ if extended == ffi::SQLITE_IOERR_SHMSIZE => StoreError::DiskFull {
                doing,
                path,
                source: error.into(),
            },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt {
                path,
                detail: error.to_string(),
            },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy {
                folder: self.0.parent().unwrap_or(&self.0).to_path_buf(),
                pid: None,
            },
            _ if extended == ffi::SQLITE_CONSTRAINT_TRIGGER => StoreError::Sealed {
                doing,
                detail: error.to_string(),
            },
            _ => StoreError::Sqlite {
                doing,
                source: error,
            },
        }
    }

    /// Sorts an error of the system.
    pub(crate) fn explain_io(path: &Path, doing: &'static str, source: io::Error) -> StoreError {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull => StoreError::DiskFull {
                doing: doing.to_owned(),
                path,
                source: source.into(),
            },
            _ => StoreError::Io {
                doing,
                path,
                source,
            },
        }
    }

    pub(crate) fn corrupt(&self, detail: impl Into<String>) -> StoreError {
        StoreError::Corrupt {
            path: self.0.to_path_buf(),
            detail: detail.into(),
        }
    }
}
