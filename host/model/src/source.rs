//! The door to a source: what is read from, whatever lies behind it.
//!
//! Waiting, repeating and rate limits are behind the door; a [`SourceError`] that comes out is for the phase to handle.

use std::time::Duration;

use async_trait::async_trait;

use crate::batch::Batch;
use crate::catalog::{Account, Catalog};
use crate::decode::RejectedRow;
use crate::estimate::Pace;
use crate::finding::Finding;
use crate::id::{Cursor, ObjectName};
use crate::time::Instant;

/// One page of records.
#[derive(Debug)]
pub struct RecordPage {
    /// The records, checked.
    pub records: Batch,
    /// Rows that broke the grammar.
    pub rejected: Vec<RejectedRow>,
    /// Where to go on; `None` on the last page.
    pub next: Option<Cursor>,
}

/// Asks a source for a page.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The object, by its name in the source's catalog.
    pub object: ObjectName,
    /// Where to go on; `None` for the first page.
    pub cursor: Option<Cursor>,
    /// Only what changed at or after this instant, where the object is incremental.
    pub updated_since: Option<Instant>,
    /// How many records would be welcome.
    pub limit: u32,
}

/// Why a source did not answer. Each variant is handled differently.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The credential is refused: a person must connect again.
    #[error("source refused the credential: {0}")]
    Auth(String),
    /// The account may not see it: a finding, and on without.
    #[error("source does not let this account see it: {0}")]
    Permission(String),
    /// Wait, then ask again.
    #[error("source asks to wait: {message}")]
    RateLimited {
        /// How long.
        retry_after: Option<Duration>,
        /// What the source said.
        message: String,
    },
    /// It did not work after repeats; the phase stops and can be resumed.
    #[error("source did not answer: {0}")]
    Transient(String),
    /// The cursor is no longer good: the object's list is read from its start.
    #[error("source no longer knows the position: {0}")]
    StaleCursor(String),
    /// This source does not have it: a finding, and on without.
    #[error("source does not have it: {0}")]
    Unsupported(String),
    /// The source's answer makes no sense; the phase stops.
    #[error("source answered with data that cannot be read: {0}")]
    BadData(String),
    /// The connector broke down or broke a limit of its cell; the phase stops.
    #[error("connector was stopped: {0}")]
    Trapped(String),
    /// The connector was stopped so often that it is left alone for a while; the phase stops and can be resumed then.
    #[error("connector is left alone until {until}: {message}")]
    Paused {
        /// When it is tried again.
        until: Instant,
        /// Why.
        message: String,
    },
    /// It will not work the next time either; the phase stops.
    #[error("source refused: {0}")]
    Permanent(String),
}

/// A side that is read from.
#[async_trait]
pub trait Source: Send + Sync {
    /// Tells which account is connected.
    async fn check(&self) -> Result<Account, SourceError>;

    /// Describes objects, engagement kinds and pipelines. A part that the account may not see is left out and told as a finding.
    async fn fetch_catalog(&self) -> Result<(Catalog, Vec<Finding>), SourceError>;

    /// Fetches one page of an object's records or a kind's engagements. A record may come again on a later page.
    async fn fetch_page(&self, request: &PageRequest) -> Result<RecordPage, SourceError>;

    /// How much it lets through, where a limit is known.
    fn pace(&self) -> Option<Pace> {
        None
    }
}
