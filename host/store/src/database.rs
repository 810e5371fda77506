//! The state file: how it is created, opened, refused, and written in transactions.
//!
//! It holds no table's meaning. Whatever it cannot read it leaves as it is.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use model::ObjectName;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::commit::{Commit, CommitHook, CommitPoint, Moment};
use crate::error::{Place, StoreError};
use crate::lock::FolderLock;
use crate::names::Names;
use crate::schema;
use crate::sieve::Sieve;

const FILE_NAME: &str = "state.db";
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Above this size an unclean end is not followed by a check of the whole file: SQLite's journal has already put it right, and
/// reading gigabytes would cost more than it finds. Damage is still told where it is met.
const CHECK_MAX_BYTES: u64 = 256 << 20;

/// How long a reader waits while the working process recovers the journal.
const READER_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of one project.
pub struct Store {
    // Fields are dropped in this order: the file is closed before the lock is given back.
    pub(crate) db: Connection,
    pub(crate) hook: Option<CommitHook>,
    pub(crate) place: Place,
    pub(crate) names: Names,
    /// Whether corrections are laid over what is staged.
    pub(crate) is_corrected: bool,
    /// Which match keys can be there.
    pub(crate) sieve: Sieve,
    _lock: Option<FolderLock>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the state in the project's folder, and creates both where they do not exist. The state is this process's alone
    /// until it is dropped.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process has it open; [`StoreError::Corrupt`] and [`StoreError::NewerVersion`] when the
    /// file cannot be used, which is then left untouched; [`StoreError::DiskFull`] and [`StoreError::Io`] from the system.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder)
            .map_err(|source| Place::explain_io(folder, "create the folder", source))?;
        let lock = FolderLock::take(folder)?;
        let path = folder.join(FILE_NAME);
        let place = Place::new(&path);
        if !is_there(&path)? {
            refuse_orphaned_journal(folder, &place)?;
            create(folder, &place)?;
        }
        refuse_foreign_file(&path, &place)?;
        let explain = |error| place.explain(format_args!("open it"), error);
        let mut db = Connection::open_with_flags(&path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))
            .map_err(explain)?;
        refuse_foreign_database(&db, &path, &place)?;
        if lock.was_unclean {
            check(&db, &path, &place)?;
        }
        configure(&db).map_err(explain)?;
        schema::migrate(&mut db).map_err(explain)?;
        schema::attach_scratch(&db).map_err(explain)?;
        Ok(Self {
            db,
            hook: None,
            place,
            names: Names::default(),
            is_corrected: false,
            sieve: Sieve::default(),
            _lock: Some(lock),
        })
    }

    /// Opens the state to be read, also while another process works on it. Every write is refused.
    ///
    /// # Errors
    /// As [`Self::open`], and [`StoreError::Io`] when there is no state yet.
    pub fn open_read_only(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        let place = Place::new(&path);
        refuse_foreign_file(&path, &place)?;
        let explain = |error| place.explain(format_args!("open it"), error);
        let db = Connection::open_with_flags(&path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY))
            .map_err(explain)?;
        db.busy_timeout(READER_TIMEOUT).map_err(explain)?;
        refuse_foreign_database(&db, &path, &place)?;
        let version = schema::load_version(&db).map_err(explain)?;
        if version < schema::newest_version() {
            return Err(place.corrupt(format!(
                "it has version {version}, which a working process must bring up to date first"
            )));
        }
        Ok(Self {
            db,
            hook: None,
            place,
            names: Names::default(),
            is_corrected: false,
            sieve: Sieve::default(),
            _lock: None,
        })
    }

    /// A state that lives only in memory, for tests.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn open_in_memory() -> Result<Self, StoreError> {
        let place = Place::new(Path::new(":memory:"));
        let explain = |error| place.explain(format_args!("open it"), error);
        let mut db = Connection::open_in_memory().map_err(explain)?;
        configure(&db).map_err(explain)?;
        schema::migrate(&mut db).map_err(explain)?;
        schema::attach_scratch(&db).map_err(explain)?;
        Ok(Self {
            db,
            hook: None,
            place,
            names: Names::default(),
            is_corrected: false,
            sieve: Sieve::default(),
            _lock: None,
        })
    }

    /// Has `hook` called right before and right after every commit: for tests that kill the process there.
    pub fn set_commit_hook(&mut self, hook: CommitHook) {
        self.hook = Some(hook);
    }

    /// Does the work in one durable transaction: all of it, or nothing.
    pub(crate) fn write<T>(
        &mut self,
        commit: Commit,
        doing: fmt::Arguments<'_>,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let Self {
            db, hook, place, ..
        } = self;
        let explain = |error| place.explain(doing, error);
        let tx = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(explain)?;
        let value = work(&tx).map_err(explain)?;
        notify(hook, commit, Moment::Before);
        tx.commit().map_err(explain)?;
        notify(hook, commit, Moment::After);
        Ok(value)
    }

    /// Reads.
    pub(crate) fn read<T>(
        &self,
        doing: fmt::Arguments<'_>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        work(&self.db).map_err(|error| self.place.explain(doing, error))
    }

    /// Reads with many statements, in one transaction: without it each of them would take and give back its own lock on the file.
    pub(crate) fn read_many<T>(
        &self,
        doing: fmt::Arguments<'_>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let read = || work(&*self.db.unchecked_transaction()?);
        read().map_err(|error| self.place.explain(doing, error))
    }

    /// The number of an object, given now where it has none.
    pub(crate) fn intern_object(
        &self,
        connection: &str,
        object: &ObjectName,
    ) -> Result<i64, StoreError> {
        self.read(format_args!("note object {object}"), |db| {
            self.names.intern_object(db, connection, object.as_str())
        })
    }

    /// The number of an object, where it has one.
    pub(crate) fn find_object(
        &self,
        connection: &str,
        object: &ObjectName,
    ) -> Result<Option<i64>, StoreError> {
        self.read(format_args!("find object {object}"), |db| {
            self.names.find_object(db, connection, object.as_str())
        })
    }
}

fn notify(hook: &mut Option<CommitHook>, commit: Commit, moment: Moment) {
    if let Some(hook) = hook {
        hook(CommitPoint { commit, moment });
    }
}

/// One thread at a time uses a connection, which the compiler sees to, so that SQLite need not.
fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn configure(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(Duration::ZERO)?;
    db.set_prepared_statement_cache_capacity(96);
    // REPLACE would otherwise delete from the ledger without its trigger being asked.
    db.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 4000;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -49152;
         PRAGMA foreign_keys = ON;
         PRAGMA recursive_triggers = ON;",
    )
}

fn is_there(path: &Path) -> Result<bool, StoreError> {
    path.try_exists()
        .map_err(|source| Place::explain_io(path, "look for", source))
}

/// A journal without its file would be played into the new one.
fn refuse_orphaned_journal(folder: &Path, place: &Place) -> Result<(), StoreError> {
    if is_there(&folder.join("state.db-wal"))? {
        return Err(place.corrupt("it is missing, and its journal state.db-wal is there"));
    }
    Ok(())
}

/// Makes the file aside and renames it, so that a file of that name is always a whole one.
fn create(folder: &Path, place: &Place) -> Result<(), StoreError> {
    let (aside, path) = (folder.join("state.db.new"), folder.join(FILE_NAME));
    for left in [aside.clone(), folder.join("state.db.new-journal")] {
        match fs::remove_file(&left) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Place::explain_io(&left, "remove", source));
            }
            _ => {}
        }
    }
    let made = File::create_new(&aside).and_then(|file| make_private(&file));
    made.map_err(|source| Place::explain_io(&aside, "create", source))?;
    let explain = |error| place.explain(format_args!("create it"), error);
    let mut db = Connection::open(&aside).map_err(explain)?;
    db.pragma_update(None, "page_size", 8192).map_err(explain)?;
    db.pragma_update(None, "application_id", schema::APPLICATION_ID)
        .map_err(explain)?;
    schema::migrate(&mut db).map_err(explain)?;
    db.close().map_err(|(_, error)| explain(error))?;
    let renamed = fs::rename(&aside, &path).and_then(|()| sync_folder(folder));
    renamed.map_err(|source| Place::explain_io(&path, "create", source))
}

/// It holds other people's data: nobody but the owner may read it. SQLite gives its journal the same mode.
#[cfg(unix)]
fn make_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Looks at the first bytes before SQLite does: it would take an empty file for a new database.
fn refuse_foreign_file(path: &Path, place: &Place) -> Result<(), StoreError> {
    let mut head = Vec::with_capacity(MAGIC.len());
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut head));
    read.map_err(|source| Place::explain_io(path, "open", source))?;
    match head.as_slice() {
        [] => Err(place.corrupt("it is empty")),
        head if head != MAGIC => Err(place.corrupt("it is not a SQLite database")),
        _ => Ok(()),
    }
}

fn refuse_foreign_database(db: &Connection, path: &Path, place: &Place) -> Result<(), StoreError> {
    let explain = |error| place.explain(format_args!("open it"), error);
    let application: i64 = db
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(explain)?;
    if application != schema::APPLICATION_ID {
        return Err(place.corrupt("it is a SQLite database of another program"));
    }
    let (found, known) = (
        schema::load_version(db).map_err(explain)?,
        schema::newest_version(),
    );
    if found > known {
        return Err(StoreError::NewerVersion {
            path: path.to_path_buf(),
            found,
            known,
        });
    }
    Ok(())
}

fn check(db: &Connection, path: &Path, place: &Place) -> Result<(), StoreError> {
    let bytes = fs::metadata(path)
        .map_err(|source| Place::explain_io(path, "look at", source))?
        .len();
    if bytes > CHECK_MAX_BYTES {
        return Ok(());
    }
    let answer: String = db
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| place.explain(format_args!("check it"), error))?;
    if answer == "ok" {
        Ok(())
    } else {
        Err(place.corrupt(answer))
    }
}
