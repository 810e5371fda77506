//! Records a connection's exchanges into a file, and tells the time that a replay will tell too.
//!
//! What it is given is redacted already.

use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use model::Instant;

use super::{About, Exchange, TapeError, Writer};

/// A tape that is being recorded. Whoever made it must [`finish`](Self::finish) it, else it counts as cut.
pub struct Recorder {
    path: PathBuf,
    connector: String,
    state: Mutex<State>,
}

struct State {
    file: Stage,
    /// When the last exchange ended. Time stands still between two exchanges: so it is the same when they are replayed.
    now: Instant,
    problem: Option<Arc<TapeError>>,
}

enum Stage {
    Made(File),
    Begun(Writer<BufWriter<File>>),
    Over,
}

impl Recorder {
    /// Makes the file, readable by its owner only: a tape holds customer data. `connector` says who asks: id, version and digest.
    ///
    /// # Errors
    /// [`TapeError::Exists`], or when the file cannot be made.
    pub fn create(path: &Path, connector: &str) -> Result<Self, TapeError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let name = path.display().to_string();
        let file = options.open(path).map_err(|source| {
            if source.kind() == std::io::ErrorKind::AlreadyExists {
                TapeError::Exists { name }
            } else {
                let doing = "made";
                TapeError::Io {
                    name,
                    doing,
                    source,
                }
            }
        })?;
        let state = State {
            file: Stage::Made(file),
            now: Instant::now(),
            problem: None,
        };
        Ok(Self {
            path: path.to_owned(),
            connector: connector.to_owned(),
            state: Mutex::new(state),
        })
    }

    /// The time that a connector may know while this tape is recorded: when its last exchange ended.
    pub fn now(&self) -> Instant {
        self.state().now
    }

    /// What went wrong with the tape; nothing more is sent or recorded then.
    pub fn problem(&self) -> Option<Arc<TapeError>> {
        self.state().problem.clone()
    }

    /// Marks the end and hands everything to the disk.
    ///
    /// # Errors
    /// When this, or anything before it, could not be written.
    pub fn finish(&self) -> Result<(), Arc<TapeError>> {
        let mut state = self.state();
        if let Some(problem) = &state.problem {
            return Err(problem.clone());
        }
        let ended = match std::mem::replace(&mut state.file, Stage::Over) {
            Stage::Begun(writer) => writer.end().and_then(|file| {
                let file = file.into_inner().map_err(std::io::Error::from)?;
                file.sync_all()
            }),
            // Nothing was ever asked: an empty file is no tape, so none is left.
            Stage::Made(_) => std::fs::remove_file(&self.path),
            Stage::Over => Ok(()),
        };
        ended.map_err(|source| self.failed(&mut state, source))
    }

    /// Says what the tape is of.
    pub(crate) fn begin(
        &self,
        connection: &str,
        endpoints: std::collections::BTreeMap<String, String>,
    ) -> Result<(), Arc<TapeError>> {
        let mut state = self.state();
        let Stage::Made(file) = std::mem::replace(&mut state.file, Stage::Over) else {
            let source = std::io::Error::other("it was begun before");
            return Err(self.failed(&mut state, source));
        };
        let about = About {
            connection: connection.to_owned(),
            connector: self.connector.clone(),
            endpoints,
            begun_at: state.now,
        };
        match Writer::begin(BufWriter::new(file), &about) {
            Ok(writer) => {
                state.file = Stage::Begun(writer);
                Ok(())
            }
            Err(source) => Err(self.failed(&mut state, source)),
        }
    }

    /// Puts one exchange on the tape.
    pub(crate) fn record(&self, exchange: &Exchange) -> Result<(), Arc<TapeError>> {
        let mut state = self.state();
        if let Some(problem) = &state.problem {
            return Err(problem.clone());
        }
        let Stage::Begun(writer) = &mut state.file else {
            return Ok(());
        };
        if let Err(source) = writer.exchange(exchange) {
            return Err(self.failed(&mut state, source));
        }
        // Two exchanges at once may end in another order than they are written; time does not go back.
        state.now = state.now.max(exchange.timing.ended_at);
        Ok(())
    }

    fn failed(&self, state: &mut State, source: std::io::Error) -> Arc<TapeError> {
        let name = self.path.display().to_string();
        let doing = "written";
        let problem = Arc::new(TapeError::Io {
            name,
            doing,
            source,
        });
        state.file = Stage::Over;
        state.problem = Some(problem.clone());
        problem
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Recorder {
    /// A tape on which nothing is would only stand in the way of the next one.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let is_empty = match &state.file {
            Stage::Made(_) => true,
            Stage::Begun(writer) => writer.is_empty(),
            Stage::Over => false,
        };
        if is_empty {
            // Where even this fails, the file is found to be cut when it is replayed.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
