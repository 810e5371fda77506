//! What stops a phase. Everything that was committed before it stays, and the phase can be run again.

use model::{DestinationError, ObjectName, SourceError};

/// Why a phase stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source did not deliver.
    #[error("reading {object} from the source failed")]
    Source {
        /// The source's object, or `catalog`.
        object: ObjectName,
        /// What it answered.
        #[source]
        error: SourceError,
    },
    /// The source's list does not come to an end.
    #[error("source object {object} repeats itself: {pages} pages in a row brought nothing new")]
    Endless {
        /// The source's object.
        object: ObjectName,
        /// How many pages.
        pages: u64,
    },
    /// The destination did not take it.
    #[error("{doing} at the destination failed")]
    Destination {
        /// What was being done.
        doing: String,
        /// What it answered.
        #[source]
        error: DestinationError,
    },
    /// The destination is not the one that this project wrote into.
    #[error(
        "the destination is account {found}, and this project wrote into account {known}: put that one back, or start \
         another project for this one"
    )]
    OtherDestination {
        /// The account that the project wrote into.
        known: String,
        /// The account that is there now.
        found: String,
    },
    /// The project's state could not be read or written.
    #[error("the project's state failed")]
    Store(#[from] store::StoreError),
    /// What the store holds does not fit together.
    #[error("the project's state does not fit together: {0}")]
    Inconsistent(String),
    /// The table of owners names somebody who is not there.
    #[error("the table of owners cannot be used: {}", .0.join("; "))]
    Owners(Vec<String>),
    /// What a person said of the mapping is not borne out by the two sides.
    #[error("the mapping file cannot be used:{}", list(.0))]
    Mapping(Vec<reconcile::MappingFault>),
    /// A phase before this one is missing.
    #[error("{missing} first: {why}")]
    NotYet {
        /// The command that makes it.
        missing: &'static str,
        /// What is not there.
        why: String,
    },
    /// The workbook could not be written.
    #[error("the workbook {path:?} could not be written")]
    Workbook {
        /// Where.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        error: rust_xlsxwriter::XlsxError,
    },
    /// A file for a person could not be written.
    #[error("the file {path:?} could not be written")]
    File {
        /// Where.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// A person stopped it.
    #[error("stopped; run the same command again to go on")]
    Stopped,
}

fn list(faults: &[reconcile::MappingFault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

impl RunError {
    pub(crate) fn source(object: &ObjectName, error: SourceError) -> Self {
        Self::Source {
            object: object.clone(),
            error,
        }
    }

    pub(crate) fn destination(doing: impl Into<String>, error: DestinationError) -> Self {
        Self::Destination {
            doing: doing.into(),
            error,
        }
    }
}
