//! Opening the file: it is made where there is none, taken where it is ours, and left untouched where it is not.
//!
//! One program at a time has it open for writing; its owner's other programs may read it meanwhile.

use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::ddl;
use crate::failure::Failure;
use crate::schema::Schema;

/// Why a file cannot be the local CRM. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another program, or another part of this one, has it open for writing.
    #[error("local CRM {} is in use by another longshore process", .0.display())]
    InUse(PathBuf),
    /// The file is something else.
    #[error("{} is not a local CRM: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// A newer Longshore made it.
    #[error("local CRM {} has layout {found}; this longshore knows layouts up to {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i32,
        /// The newest layout known here.
        known: i32,
    },
    /// The file or its folder cannot be read or written.
    #[error("local CRM {} cannot be opened", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is ours, but damaged or on a full disk.
    #[error("local CRM {} cannot be used: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
}

/// The embedded CRM, open for reading and writing.
#[derive(Debug)]
pub struct LocalCrm {
    core: Mutex<Core>,
    path: PathBuf,
    // Declared last: the lock outlives the connection.
    _lock: File,
}

/// The connection and what is known of the file.
#[derive(Debug)]
pub(crate) struct Core {
    conn: Connection,
    schema: Arc<Schema>,
}

impl LocalCrm {
    /// Opens the CRM in that file, and makes it, for its owner only, where there is none. Beside it lies `<file>.lock`, which says who writes; SQLite's
    /// own `-wal` and `-shm` are there while it is open.
    ///
    /// # Errors
    /// When it is in use, is something else, is newer, is damaged, or the system refuses it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        look_at(path)?;
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock = File::options()
            .create(true)
            .append(true)
            .open(&lock_path)
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let unusable = |failure: Failure| OpenError::Unusable {
            path: path.to_owned(),
            reason: failure.to_string(),
        };
        make_private(path).map_err(io)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn =
            Connection::open_with_flags(path, flags).map_err(|error| unusable(error.into()))?;
        let version = find_version(&conn).map_err(unusable)?;
        match version {
            Version::Ours(found) if found > ddl::LAYOUT_VERSION => {
                return Err(OpenError::Newer {
                    path: path.to_owned(),
                    found,
                    known: ddl::LAYOUT_VERSION,
                });
            }
            Version::Foreign => {
                let reason = "it is another program's SQLite file".to_owned();
                return Err(OpenError::Foreign {
                    path: path.to_owned(),
                    reason,
                });
            }
            Version::Ours(_) | Version::Empty => {}
        }
        let schema = set_up(&mut conn, version).map_err(unusable)?;
        let core = Mutex::new(Core {
            conn,
            schema: Arc::new(schema),
        });
        Ok(Self {
            core,
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The connection, for one short call.
    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        // A panic in the middle of a call has rolled its transaction back, so what it left is sound.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the file, empty, where there is none: it will hold other people's data, so that only the owner may read it. SQLite gives its journal
/// the same mode. A file that is there keeps the mode it has.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Refuses what is no SQLite file by its first bytes, before SQLite may touch it.
fn look_at(path: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(io(source)),
    };
    let mut head = Vec::new();
    file.by_ref().take(16).read_to_end(&mut head).map_err(io)?;
    if head.is_empty() || head == b"SQLite format 3\0" {
        return Ok(());
    }
    Err(OpenError::Foreign {
        path: path.to_owned(),
        reason: "it is not an SQLite file".to_owned(),
    })
}

#[derive(Clone, Copy)]
enum Version {
    Empty,
    Ours(i32),
    Foreign,
}

/// Reads whose file it is, and leaves it as it was even when this connection is the last one to close it.
fn find_version(conn: &Connection) -> Result<Version, Failure> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.busy_timeout(Duration::from_secs(10))?;
    let number = |pragma| conn.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let entries: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match number("application_id")? {
        ddl::APPLICATION_ID => Version::Ours(number("user_version")?),
        0 if entries == 0 => Version::Empty,
        _ => Version::Foreign,
    })
}

fn set_up(conn: &mut Connection, version: Version) -> Result<Schema, Failure> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Every commit reaches the disk: what is answered as written stays written.
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
         PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 8000; PRAGMA temp_store = MEMORY;",
    )?;
    conn.set_prepared_statement_cache_capacity(256);
    if let Version::Empty = version {
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        ddl::create(&transaction)?;
        transaction.commit().map_err(Failure::Commit)?;
    }
    Schema::load(conn)
}

impl Core {
    /// What is known of the file.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The connection, to read.
    pub(crate) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Reads in one transaction; without it each statement would take and give back its own lock on the file.
    pub(crate) fn read<T>(
        &mut self,
        ask: impl FnOnce(&Connection, &Schema) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let transaction = self.conn.transaction()?;
        ask(&transaction, &self.schema)
    }

    /// Does something in one transaction: all of it is kept, or nothing.
    pub(crate) fn write<T>(
        &mut self,
        act: impl FnOnce(&Connection, &Schema) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let schema = self.schema.clone();
        let transaction = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = act(&transaction, &schema)?;
        transaction.commit().map_err(Failure::Commit)?;
        Ok(done)
    }

    /// Reads again what is known of the file, after it was changed.
    pub(crate) fn reload(&mut self) -> Result<(), Failure> {
        self.conn.flush_prepared_statement_cache();
        self.schema = Arc::new(Schema::load(&self.conn)?);
        Ok(())
    }
}
