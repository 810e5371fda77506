//! Connections and other documents that are kept as JSON and read back whole.
//!
//! What is in them is their owners' business. Secrets do not belong here; they are the vault's.

use model::{ConnectionId, Instant};
use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::commit::Commit;
use crate::database::Store;
use crate::error::StoreError;

const CONNECTION: &str = "connection";

impl Store {
    /// Keeps what is known of a connection, in place of what was known before.
    ///
    /// # Errors
    /// [`StoreError::Document`] when it cannot be written as JSON; else as every write.
    pub fn save_connection(
        &mut self,
        id: &ConnectionId,
        connection: &impl Serialize,
    ) -> Result<(), StoreError> {
        let content = to_json(CONNECTION, id.as_str(), connection)?;
        self.write(Commit::State, format_args!("save connection {id}"), |tx| {
            let now = Instant::now().unix_us();
            tx.execute(
                "INSERT INTO connection (id, content, saved_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET content = excluded.content, saved_at = excluded.saved_at",
                params![id.as_str(), content, now],
            )?;
            Ok(())
        })
    }

    /// What is known of a connection, `None` where there is no such connection.
    ///
    /// # Errors
    /// [`StoreError::Document`] when it is not a `T`; else as every read.
    pub fn load_connection<T: DeserializeOwned>(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<T>, StoreError> {
        let content: Option<String> = self.read(format_args!("load connection {id}"), |db| {
            let mut select = db.prepare_cached("SELECT content FROM connection WHERE id = ?1")?;
            select.query_row([id.as_str()], |row| row.get(0)).optional()
        })?;
        content
            .map(|content| from_json(CONNECTION, id.as_str(), &content))
            .transpose()
    }

    /// All connections, in the order of their ids.
    ///
    /// # Errors
    /// As every read.
    pub fn list_connections(&self) -> Result<Vec<ConnectionId>, StoreError> {
        self.read(format_args!("list connections"), |db| {
            let mut select = db.prepare_cached("SELECT id FROM connection ORDER BY id")?;
            select
                .query_map([], |row| Ok(ConnectionId::from(row.get::<_, String>(0)?)))?
                .collect()
        })
    }

    /// Keeps a document, in place of the one of that kind and key. Kinds are the caller's, for example `catalog`.
    ///
    /// # Errors
    /// [`StoreError::Document`] when it cannot be written as JSON; else as every write.
    pub fn save_document(
        &mut self,
        kind: &str,
        key: &str,
        document: &impl Serialize,
    ) -> Result<(), StoreError> {
        let content = to_json(kind, key, document)?;
        self.write(Commit::State, format_args!("save {kind} {key:?}"), |tx| {
            let now = Instant::now().unix_us();
            tx.execute(
                "INSERT INTO document (kind, key, content, saved_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (kind, key) DO UPDATE SET content = excluded.content, saved_at = excluded.saved_at",
                params![kind, key, content, now],
            )?;
            Ok(())
        })
    }

    /// The document of that kind and key, `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError::Document`] when it is not a `T`; else as every read.
    pub fn load_document<T: DeserializeOwned>(
        &self,
        kind: &str,
        key: &str,
    ) -> Result<Option<T>, StoreError> {
        let content: Option<String> = self.read(format_args!("load {kind} {key:?}"), |db| {
            let mut select =
                db.prepare_cached("SELECT content FROM document WHERE kind = ?1 AND key = ?2")?;
            select.query_row([kind, key], |row| row.get(0)).optional()
        })?;
        content
            .map(|content| from_json(kind, key, &content))
            .transpose()
    }

    /// The keys of all documents of that kind, in order.
    ///
    /// # Errors
    /// As every read.
    pub fn list_documents(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        self.read(format_args!("list {kind}"), |db| {
            let mut select =
                db.prepare_cached("SELECT key FROM document WHERE kind = ?1 ORDER BY key")?;
            select.query_map([kind], |row| row.get(0))?.collect()
        })
    }
}

fn to_json(kind: &str, key: &str, value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Document {
        kind: kind.to_owned(),
        key: key.to_owned(),
        source,
    })
}

fn from_json<T: DeserializeOwned>(kind: &str, key: &str, content: &str) -> Result<T, StoreError> {
    serde_json::from_str(content).map_err(|source| StoreError::Document {
        kind: kind.to_owned(),
        key: key.to_owned(),
        source,
    })
}
