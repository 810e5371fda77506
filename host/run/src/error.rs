//! What stops a phase. Everything that was committed before it stays, and the phase can be run again.

use model::{DestinationError, ObjectName, PlanId, RunId, SourceError};

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
    /// The run to be rolled back wrote nothing.
    #[error("{}", told(*run, runs))]
    NothingWritten {
        /// The run; `None` where the newest that wrote was asked for.
        run: Option<RunId>,
        /// The runs that wrote, newest first.
        runs: Vec<RunId>,
    },
    /// The run is rolled back already.
    #[error("run {run} was rolled back already, by run {by}")]
    RolledBack {
        /// The run.
        run: RunId,
        /// The run that did it.
        by: RunId,
    },
    /// A later run wrote to what this one wrote.
    #[error(
        "run {later} built on run {run}: it wrote to {count} of the same records and associations; roll back run {later} first"
    )]
    BuiltOn {
        /// The run.
        run: RunId,
        /// The newest of the later ones.
        later: RunId,
        /// How many writes.
        count: u64,
    },
    /// The plan was carried out and rolled back: it is over.
    #[error("plan {plan} is rolled back by run {by}: make a new plan")]
    PlanRolledBack {
        /// The plan.
        plan: PlanId,
        /// The run that rolls it back.
        by: RunId,
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
    /// Too many records failed for one cause.
    #[error(transparent)]
    Paused(Box<Tripped>),
    /// There is nothing to be tried again.
    #[error("nothing is held that could be tried again")]
    NothingHeld,
    /// A person stopped it.
    #[error("stopped; run the same command again to go on")]
    Stopped,
}

/// Too many records failed for one cause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "paused: {failures} of {selected} {object} records {verb} for one cause, {handle}: {cause}; for example {object} {record}: {message}"
)]
pub struct Tripped {
    /// The source's object.
    pub object: ObjectName,
    /// How many failed for it.
    pub failures: u64,
    /// How many of the object there are, as far as is known.
    pub selected: u64,
    /// What they did: `failed`, or `are broken` where they were being read.
    pub verb: &'static str,
    /// The cause's handle.
    pub handle: String,
    /// The cause.
    pub cause: String,
    /// The first of them.
    pub record: String,
    /// Why that one failed.
    pub message: String,
}

fn told(run: Option<RunId>, runs: &[RunId]) -> String {
    let Some(run) = run.filter(|_| !runs.is_empty()) else {
        return "no run of this project wrote anything".to_owned();
    };
    let runs: Vec<_> = runs.iter().map(ToString::to_string).collect();
    format!("run {run} wrote nothing; these did: {}", runs.join(", "))
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
