//! Runs and their phases: what was started, what was finished, for `status`.
//!
//! It is an account for people. What a phase goes on from is its checkpoint, plan and ledger, not these notes.

use model::{Instant, RunId};
use rusqlite::params;
use rusqlite::types::Type;

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;

/// Where a phase stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhaseState {
    /// It was started, and may have been interrupted.
    Started,
    /// It came to its end.
    Finished,
    /// It stopped with an error.
    Stopped,
}

impl PhaseState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Started, Self::Finished, Self::Stopped];

    /// The state as it is written in JSON and SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
        }
    }
}

/// One execution of phases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// What was asked for, for example `migrate`.
    pub kind: String,
    /// When it was started.
    pub started_at: Instant,
    /// What was noted of its phases, oldest first; a phase that was resumed is started again.
    pub notes: Vec<PhaseNote>,
}

/// One change of a phase's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseNote {
    /// The phase.
    pub phase: String,
    /// Where it stands since then.
    pub state: PhaseState,
    /// Since when.
    pub at: Instant,
    /// More about it, in the caller's form.
    pub detail: String,
}

impl Store {
    /// Starts a run.
    ///
    /// # Errors
    /// As every write.
    pub fn start_run(&mut self, kind: &str) -> Result<RunId, StoreError> {
        self.write(Commit::State, format_args!("start a run"), |tx| {
            let now = Instant::now().unix_us();
            tx.execute(
                "INSERT INTO run (kind, started_at) VALUES (?1, ?2)",
                params![kind, now],
            )?;
            Ok(RunId(tx.last_insert_rowid()))
        })
    }

    /// Notes that a phase of a run changed its state.
    ///
    /// # Errors
    /// As every write; also when there is no such run.
    pub fn note_phase(
        &mut self,
        run: RunId,
        phase: &str,
        state: PhaseState,
        detail: &str,
    ) -> Result<(), StoreError> {
        self.write(Commit::State, format_args!("note phase {phase} of run {run}"), |tx| {
            tx.execute(
                "INSERT INTO phase_note (run, phase, state, noted_at, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![run.0, phase, state.name(), Instant::now().unix_us(), detail],
            )?;
            Ok(())
        })
    }

    /// All runs, newest first.
    ///
    /// # Errors
    /// As every read.
    pub fn runs(&self) -> Result<Vec<Run>, StoreError> {
        self.read(format_args!("load runs"), |db| {
            let mut runs =
                db.prepare_cached("SELECT id, kind, started_at FROM run ORDER BY id DESC")?;
            let mut notes = db.prepare_cached(
                "SELECT phase, state, noted_at, detail FROM phase_note WHERE run = ?1 ORDER BY id",
            )?;
            let runs = runs.query_map([], |row| {
                let started_at = instant(row, 2)?;
                Ok(Run {
                    id: RunId(row.get(0)?),
                    kind: row.get(1)?,
                    started_at,
                    notes: Vec::new(),
                })
            })?;
            runs.map(|run| {
                let mut run = run?;
                run.notes = notes
                    .query_map([run.id.0], read_note)?
                    .collect::<Result<_, _>>()?;
                Ok(run)
            })
            .collect()
        })
    }
}

fn read_note(row: &rusqlite::Row<'_>) -> rusqlite::Result<PhaseNote> {
    let name: String = row.get(1)?;
    let state = PhaseState::ALL
        .into_iter()
        .find(|state| state.name() == name);
    let state = state.ok_or_else(|| unknown_word(1, &name))?;
    Ok(PhaseNote {
        phase: row.get(0)?,
        state,
        at: instant(row, 2)?,
        detail: row.get(3)?,
    })
}

/// Reads microseconds since 1970.
pub(crate) fn instant(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Instant> {
    let us = row.get(column)?;
    Instant::from_unix_us(us).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, us))
}

/// Says that a column holds a word that the model does not have.
pub(crate) fn unknown_word(column: usize, word: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        column,
        Type::Text,
        format!("unknown word {word:?}").into(),
    )
}
