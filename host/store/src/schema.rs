//! The versions of the state file, each a script that leads from the one before it.
//!
//! A script that was released is never edited; what is wrong with it is put right by the next one.

use rusqlite::Connection;

/// Marks a SQLite file as a Longshore state: `Long` in ASCII.
pub(crate) const APPLICATION_ID: i64 = 0x4C6F_6E67;

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001-state.sql"),
    include_str!("migrations/0002-consent.sql"),
    include_str!("migrations/0003-correction.sql"),
    include_str!("migrations/0004-rollback.sql"),
    include_str!("migrations/0005-removal.sql"),
];

/// The tables that live only as long as the process: a private temporary database that SQLite removes by itself.
const SCRATCH: &str = include_str!("migrations/scratch.sql");

/// The version that this Longshore writes.
pub(crate) fn newest_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// The version of the open file.
pub(crate) fn load_version(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Runs the scripts that the file has not seen, each in its own transaction. Does nothing on a file of the newest version.
pub(crate) fn migrate(db: &mut Connection) -> rusqlite::Result<()> {
    let version = load_version(db)?;
    for (number, script) in (1_i64..)
        .zip(MIGRATIONS)
        .filter(|(number, _)| *number > version)
    {
        let tx = db.transaction()?;
        tx.execute_batch(script)?;
        tx.pragma_update(None, "user_version", number)?;
        tx.commit()?;
    }
    Ok(())
}

/// Makes the temporary tables.
pub(crate) fn attach_scratch(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(SCRATCH)
}
