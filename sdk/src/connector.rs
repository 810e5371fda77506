//! Holds the traits that a connector implements, and what the host asks of them.
//!
//! It does not know how a call reaches them: off the sandbox they are called like any trait.

use crate::catalog::{Account, ObjectInfo, Pipeline};
use crate::context::Context;
use crate::cursor::Cursor;
use crate::failure::{Failure, Result};
use crate::page::Page;
use crate::time::Instant;

/// Asks for one page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageRequest {
    /// The object or kind of engagement, by its name in the catalog.
    pub object: String,
    /// Where to go on. Absent for the first page.
    pub cursor: Option<Cursor>,
    /// Only records changed at or after this instant. Ignored where the object is not incremental.
    pub updated_since: Option<Instant>,
    /// How many rows the host would like; a page may have fewer, none, or somewhat more.
    pub limit: u32,
}

impl PageRequest {
    /// Asks for the first page of an object, 500 rows.
    pub fn new(object: impl Into<String>) -> Self {
        Self {
            object: object.into(),
            cursor: None,
            updated_since: None,
            limit: 500,
        }
    }

    /// Goes on at a cursor.
    #[must_use]
    pub fn at(mut self, cursor: Cursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// Asks only for records changed at or after an instant.
    #[must_use]
    pub fn since(mut self, instant: Instant) -> Self {
        self.updated_since = Some(instant);
        self
    }

    /// Asks for this many rows.
    #[must_use]
    pub fn with_limit(mut self, rows: u32) -> Self {
        self.limit = rows;
        self
    }

    /// The position of the cursor, or the type's default on the first page.
    ///
    /// # Errors
    /// `stale-cursor` when the cursor is not of this type.
    pub fn position<'de, T: serde::Deserialize<'de> + Default>(&'de self) -> Result<T> {
        self.cursor
            .as_ref()
            .map_or_else(|| Ok(T::default()), Cursor::decode)
    }

    /// The failure for an object that the connector does not know.
    pub fn unknown_object(&self) -> Failure {
        Failure::unknown_object(&self.object)
    }
}

/// Reads the objects of a CRM. Every connector implements it.
pub trait Connector {
    /// Tells which account the credential reaches, with the cheapest authenticated request there is.
    ///
    /// # Errors
    /// `auth` when the credential is refused.
    fn check(ctx: &Context) -> Result<Account>;

    /// Lists the objects with their fields, custom ones too, without engagements. An object that the account may not see is left out.
    ///
    /// # Errors
    /// Any; the host starts no run without a catalog.
    fn list_objects(ctx: &Context) -> Result<Vec<ObjectInfo>>;

    /// Writes one page of an object's records and says where to go on; `None` on the last page. A page may be empty and still have a
    /// next one. The same cursor gives the same page as far as the source allows: keep nothing between calls that changes the answer.
    ///
    /// # Errors
    /// `not-found` for an unknown object, `stale-cursor` for a cursor that no longer names a position, any other as it is.
    fn fetch_records(
        ctx: &Context,
        request: &PageRequest,
        page: &mut Page,
    ) -> Result<Option<Cursor>>;
}

/// Reads engagements: notes, calls, tasks, meetings, e-mails. Named in the export macro by a connector that has them.
pub trait Engagements {
    /// Lists the kinds of engagement with their fields.
    ///
    /// # Errors
    /// As [`Connector::list_objects`].
    fn list_engagements(ctx: &Context) -> Result<Vec<ObjectInfo>>;

    /// Writes one page of a kind's engagements; the same promises as [`Connector::fetch_records`].
    ///
    /// # Errors
    /// As [`Connector::fetch_records`].
    fn fetch_engagements(
        ctx: &Context,
        request: &PageRequest,
        page: &mut Page,
    ) -> Result<Option<Cursor>>;
}

/// Describes pipelines. Named in the export macro by a connector that has a stage-based process.
pub trait Stages {
    /// Lists the pipelines with their stages.
    ///
    /// # Errors
    /// `permission`, never an empty list, when the account may not see them.
    fn describe_stages(ctx: &Context) -> Result<Vec<Pipeline>>;
}
