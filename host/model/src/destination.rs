//! The door to a destination: what is written to, whatever lies behind it.
//!
//! Every written record carries its [`SourceKey`] in a unique property, so that a write whose outcome is unknown can be looked up.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::catalog::{Account, Catalog, FieldInfo};
use crate::estimate::{Call, Pace, Workload};
use crate::id::{ConnectionId, Cursor, DestinationRecordId, ObjectName, PipelineId, StageId};
use crate::mapping::PipelineMapping;

/// Name of the unique property that holds a record's [`SourceKey`].
pub const SOURCE_KEY_PROPERTY: &str = "longshore_source_id";

/// Which record of which source a destination's record came from; unique over all connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceKey {
    /// The connection it was read through.
    pub connection: ConnectionId,
    /// The source's object.
    pub object: ObjectName,
    /// The source's id.
    pub record: String,
}

impl fmt::Display for SourceKey {
    /// `connection/object/record`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.connection, self.object, self.record)
    }
}

/// What has to exist before records can be written.
#[derive(Clone, Debug, Default)]
pub struct Preparation {
    /// Properties to create, by the destination's object.
    pub properties: Vec<(ObjectName, FieldInfo)>,
    /// Options to add to existing properties: object, property, options.
    pub options: Vec<(ObjectName, String, Vec<crate::catalog::FieldOption>)>,
    /// Pipelines and stages to create or to find; entries that create nothing are looked up.
    pub pipelines: Vec<PipelineMapping>,
    /// Labels of associations to create: from object, to object, label.
    pub labels: Vec<(ObjectName, ObjectName, String)>,
}

/// The ids that preparation found or made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// Source pipeline to destination pipeline.
    pub pipelines: Vec<(PipelineId, PipelineId)>,
    /// Source stage to destination stage.
    pub stages: Vec<(StageId, StageId)>,
}

/// What to do with one record of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Make a new record.
    Create,
    /// Change the properties that the record has.
    Update(DestinationRecordId),
}

/// Records to write: all of one destination object. Field positions are those of the destination's object as planned.
#[derive(Debug)]
pub struct WriteBatch {
    /// The connection the records came through.
    pub connection: ConnectionId,
    /// The source's object.
    pub source_object: ObjectName,
    /// The values; each record's id is the source's.
    pub records: Batch,
    /// What to do with each; as many as `records` has.
    pub writes: Vec<Write>,
    /// For each record what a new one is tied to at once: the records of [`Destination::ties`] that it has a link to. Empty where
    /// the destination asks for none.
    pub ties: Vec<Vec<(ObjectName, DestinationRecordId)>>,
}

/// What a destination answered to one record of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// Done.
    Written {
        /// The record.
        id: DestinationRecordId,
        /// The written properties as they were, as a row: for an update, and for a record to be made that was there already. The row has
        /// no properties where it is not known how they were.
        before: Option<String>,
        /// What a person should know of how it was written: a value that the destination insists on and the record lacked.
        notes: Vec<String>,
    },
    /// Refused for good: the message for a person, naming the property.
    Refused(String),
}

/// An association between two records of the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Object at one end.
    pub from_object: ObjectName,
    /// Record at one end.
    pub from: DestinationRecordId,
    /// Object at the other end.
    pub to_object: ObjectName,
    /// Record at the other end.
    pub to: DestinationRecordId,
    /// Label, `None` for the plain link.
    pub label: Option<String>,
}

/// What became of a record that was to be archived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Archived {
    /// It is archived now.
    Done,
    /// It was not there any more.
    Gone,
    /// It stays: the message for a person.
    Refused(String),
}

/// Why a destination did not answer. Each variant is handled differently.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// The credential is refused: a person must connect again.
    #[error("destination refused the credential: {0}")]
    Auth(String),
    /// Wait, then go on.
    #[error("destination asks to wait: {message}")]
    RateLimited {
        /// How long.
        retry_after: Option<Duration>,
        /// What it said.
        message: String,
    },
    /// It is not known whether the write happened: it must be looked up before it is tried again.
    #[error("destination did not answer: {0}")]
    Ambiguous(String),
    /// The destination cannot be used as it is; nothing of this call was written.
    #[error("destination cannot be written: {0}")]
    Unusable(String),
}

/// A side that is written to.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Tells which account is connected.
    async fn check(&self) -> Result<Account, DestinationError>;

    /// Describes objects, properties and pipelines as they are now. Object names are the standard ones.
    async fn fetch_catalog(&self) -> Result<Catalog, DestinationError>;

    /// Creates what is missing; what exists is left as it is. May be repeated.
    async fn prepare(&self, preparation: &Preparation) -> Result<Prepared, DestinationError>;

    /// Reads all records of an object, page by page, in a stable order: for matching. Properties that no match rule reads may be left
    /// out.
    async fn fetch_page(
        &self,
        object: &ObjectName,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<(Batch, Option<Cursor>), DestinationError>;

    /// Reads those properties of records by id, in any order; records that do not exist are missing from the answer. More
    /// properties may be read than were asked for.
    async fn read_records(
        &self,
        object: &ObjectName,
        properties: &[&str],
        ids: &[DestinationRecordId],
    ) -> Result<Batch, DestinationError>;

    /// Finds records by their source key, in the order of the keys.
    async fn find_records(
        &self,
        object: &ObjectName,
        keys: &[SourceKey],
    ) -> Result<Vec<Option<DestinationRecordId>>, DestinationError>;

    /// Writes records: one outcome for each, in order. An error means that nothing is known of any of them unless it says so.
    async fn write_records(
        &self,
        batch: &WriteBatch,
    ) -> Result<Vec<WriteOutcome>, DestinationError>;

    /// Makes associations; an existing one stays. `true` where it is new, in order; `Err` of a message where it is refused.
    async fn write_links(
        &self,
        links: &[Link],
    ) -> Result<Vec<Result<bool, LinkRefused>>, DestinationError>;

    /// Says which associations are there, in order, and changes nothing; `Err` of a message where the destination cannot have it.
    async fn find_links(
        &self,
        links: &[Link],
    ) -> Result<Vec<Result<bool, LinkRefused>>, DestinationError>;

    /// Archives records, and with each of them its associations; one answer for each, in order. A record that is not there is no error, so
    /// that it may be repeated.
    async fn archive_records(
        &self,
        object: &ObjectName,
        ids: &[DestinationRecordId],
    ) -> Result<Vec<Archived>, DestinationError>;

    /// Takes associations away, each of just its label: what else connects the two records stays. `true` where it was there, in order;
    /// `Err` of a message where it stays. May be repeated.
    async fn remove_links(
        &self,
        links: &[Link],
    ) -> Result<Vec<Result<bool, LinkRefused>>, DestinationError>;

    /// Reads all associations that those records have, whatever their label and in any order, each from the record that was asked for;
    /// `None` where the destination cannot tell.
    async fn read_links(
        &self,
        _object: &ObjectName,
        _ids: &[DestinationRecordId],
    ) -> Result<Option<Vec<Link>>, DestinationError> {
        Ok(None)
    }

    /// The objects that a new record of `object` has to be tied to from its first moment on, because it is refused otherwise; none
    /// unless the destination says so.
    fn ties(&self, _object: &ObjectName) -> Vec<ObjectName> {
        Vec::new()
    }

    /// What that work takes, line by line: from preparation to reading it back.
    /// Every record and association by itself unless the destination says otherwise.
    fn estimate(&self, work: &Workload) -> Vec<Call> {
        work.one_by_one()
    }

    /// How much it lets through, as far as it is known now; `None` where no limit is known.
    fn pace(&self) -> Option<Pace> {
        None
    }

    /// The properties that the destination fills in by itself where a new record lacks them: what stands in them is nobody's edit.
    fn fills(&self, _object: &ObjectName) -> &'static [&'static str] {
        &[]
    }

    /// How many records one call of [`Self::write_records`] takes best.
    fn batch_records(&self) -> u32 {
        2_000
    }
}

/// Says why an association was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("destination refused the association: {0}")]
pub struct LinkRefused(pub String);
