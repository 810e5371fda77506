//! What can go wrong inside, and how it is told at the two doors.
//!
//! A refused record is no failure; it is an outcome.

use model::DestinationError;
use model::SourceError;
use rusqlite::ErrorCode;

/// Why a call did not work. Nothing of the call was written, but for [`Failure::Commit`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{}", explain(.0))]
    Sql(#[from] rusqlite::Error),
    #[error("{}", explain(.0))]
    Commit(rusqlite::Error),
    #[error("{0}")]
    Asked(String),
    #[error("the position in the list is not one this CRM gave")]
    Cursor,
}

/// Says in words a person can act on what SQLite said.
fn explain(error: &rusqlite::Error) -> String {
    let hint = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program is writing to its file"
        }
        Some(ErrorCode::ReadOnly) => "its file is read-only",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "its file is damaged",
        Some(ErrorCode::SystemIoFailure) => "its file cannot be read or written",
        _ => return format!("local CRM: {error}"),
    };
    format!("local CRM: {hint} ({error})")
}

impl From<Failure> for DestinationError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Commit(_) => Self::Ambiguous(failure.to_string()),
            Failure::Sql(_) | Failure::Asked(_) | Failure::Cursor => {
                Self::Unusable(failure.to_string())
            }
        }
    }
}

impl From<Failure> for SourceError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Cursor => Self::StaleCursor(failure.to_string()),
            Failure::Asked(message) => Self::BadData(message),
            Failure::Sql(_) | Failure::Commit(_) => Self::Transient(failure.to_string()),
        }
    }
}
