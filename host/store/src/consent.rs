//! The ledger of consents: which connector was let in, on what word, and what was agreed to. Entries are only ever added.
//!
//! What may be agreed to, and whether somebody must be asked, is decided elsewhere.

use model::Instant;
use rusqlite::params;
use rusqlite::types::Type;

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;
use crate::progress::instant;

/// One agreement, bound to the digests of the package and its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentEntry {
    /// The connector's id.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// Its publisher, as the package says.
    pub publisher: String,
    /// The digest of the whole package.
    pub component: String,
    /// The digest of its manifest.
    pub manifest: String,
    /// On what it is trusted: `bundled`, `unsigned`, or the key.
    pub trust: String,
    /// Where it came from.
    pub origin: String,
    /// How it came to be: a person's answer, or that nothing was wider.
    pub agreement: String,
    /// What was agreed to, in the words that were shown; of an upgrade that asks for more, what it asks for in addition.
    pub lines: Vec<String>,
}

impl Store {
    /// Adds an agreement to the ledger.
    ///
    /// # Errors
    /// As every write.
    pub fn write_consent(&mut self, entry: &ConsentEntry) -> Result<(), StoreError> {
        let lines = serde_json::to_string(&entry.lines).expect("texts can be written as JSON");
        self.write(
            Commit::State,
            format_args!("note the consent to connector {}", entry.connector),
            |tx| {
                tx.execute(
                    "INSERT INTO consent (connector, version, publisher, component, manifest, trust, origin, agreement, lines, given_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                    params![
                        entry.connector,
                        entry.version,
                        entry.publisher,
                        entry.component,
                        entry.manifest,
                        entry.trust,
                        entry.origin,
                        entry.agreement,
                        lines,
                        Instant::now().unix_us()
                    ],
                )?;
                Ok(())
            },
        )
    }

    /// Every agreement and when it was given, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub fn consents(&self) -> Result<Vec<(Instant, ConsentEntry)>, StoreError> {
        self.read(format_args!("load the consents"), |db| {
            let mut select = db.prepare_cached(
                "SELECT connector, version, publisher, component, manifest, trust, origin, agreement, lines, given_at
                 FROM consent ORDER BY id",
            )?;
            let entries = select.query_map([], |row| {
                let lines: String = row.get(8)?;
                let lines = serde_json::from_str(&lines).map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(8, Type::Text, Box::new(error))
                })?;
                let entry = ConsentEntry {
                    connector: row.get(0)?,
                    version: row.get(1)?,
                    publisher: row.get(2)?,
                    component: row.get(3)?,
                    manifest: row.get(4)?,
                    trust: row.get(5)?,
                    origin: row.get(6)?,
                    agreement: row.get(7)?,
                    lines,
                };
                Ok((instant(row, 9)?, entry))
            })?;
            entries.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consents_are_kept_in_order_and_never_changed() {
        let mut store = Store::open_in_memory().unwrap();
        let entry = |version: &str| ConsentEntry {
            connector: "acme".to_owned(),
            version: version.to_owned(),
            publisher: "Acme".to_owned(),
            component: "sha256:00".to_owned(),
            manifest: "sha256:01".to_owned(),
            trust: "unsigned".to_owned(),
            origin: "file:acme.wasm".to_owned(),
            agreement: "answered".to_owned(),
            lines: vec!["read \"person\" records".to_owned(), "use 1 MiB".to_owned()],
        };
        store.write_consent(&entry("1.0.0")).unwrap();
        store.write_consent(&entry("1.1.0")).unwrap();
        let found: Vec<_> = store.consents().unwrap();
        let kept: Vec<_> = found.into_iter().map(|(_, entry)| entry).collect();
        assert_eq!(kept, [entry("1.0.0"), entry("1.1.0")]);
        for change in [
            "UPDATE consent SET trust = 'bundled'",
            "DELETE FROM consent",
        ] {
            let refused = store.db.execute(change, []).unwrap_err();
            assert!(refused.to_string().contains("append-only"), "{refused}");
        }
    }
}
