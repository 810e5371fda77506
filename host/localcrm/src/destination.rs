//! The local CRM as a destination.
//!
//! Each call is one short transaction on one connection; nothing waits inside.

use async_trait::async_trait;
use model::destination::{
    Archived, Link, LinkRefused, Preparation, Prepared, SourceKey, WriteBatch, WriteOutcome,
};
use model::estimate::Pace;
use model::{
    Account, Batch, Catalog, Cursor, Destination, DestinationError, DestinationRecordId,
    ObjectInfo, ObjectName,
};

use crate::archive;
use crate::failure::Failure;
use crate::link;
use crate::open::{Core, LocalCrm};
use crate::prepare;
use crate::read::{self, Links};
use crate::write;

/// Tells the account: the file itself.
pub(crate) fn account(crm: &LocalCrm) -> Result<Account, Failure> {
    let core = crm.core();
    let id = core.conn().query_row(
        "SELECT value FROM crm WHERE key = 'account_id'",
        [],
        |row| row.get(0),
    )?;
    let mut account = Account {
        id,
        name: "Local CRM".to_owned(),
        ..Account::default()
    };
    account
        .attributes
        .insert("file".to_owned(), crm.path().display().to_string());
    Ok(account)
}

/// Describes the file as it is now, with counts.
pub(crate) fn catalog(core: &Core) -> Result<Catalog, Failure> {
    let schema = core.schema();
    let mut objects = Vec::with_capacity(schema.objects.len());
    for object in &schema.objects {
        let count = Some(read::count(core.conn(), object)?);
        objects.push(
            ObjectInfo {
                count,
                ..ObjectInfo::clone(&object.info)
            }
            .into(),
        );
    }
    Ok(Catalog {
        objects,
        pipelines: schema.pipelines.clone(),
        kinds: Vec::new(),
        unlinkable: Vec::new(),
    })
}

#[async_trait]
impl Destination for LocalCrm {
    async fn check(&self) -> Result<Account, DestinationError> {
        Ok(account(self)?)
    }

    async fn fetch_catalog(&self) -> Result<Catalog, DestinationError> {
        Ok(catalog(&self.core())?)
    }

    async fn prepare(&self, preparation: &Preparation) -> Result<Prepared, DestinationError> {
        let mut core = self.core();
        let prepared = core.write(|conn, schema| prepare::prepare(conn, schema, preparation))?;
        core.reload()?;
        Ok(prepared)
    }

    async fn fetch_page(
        &self,
        object: &ObjectName,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<(Batch, Option<Cursor>), DestinationError> {
        let core = self.core();
        let object = core.schema().object(object.as_str())?;
        Ok(read::fetch_page(
            core.conn(),
            object,
            cursor,
            None,
            limit,
            Links::Left,
        )?)
    }

    async fn read_records(
        &self,
        object: &ObjectName,
        _properties: &[&str],
        ids: &[DestinationRecordId],
    ) -> Result<Batch, DestinationError> {
        Ok(self
            .core()
            .read(|conn, schema| read::read_records(conn, schema.object(object.as_str())?, ids))?)
    }

    async fn find_records(
        &self,
        object: &ObjectName,
        keys: &[SourceKey],
    ) -> Result<Vec<Option<DestinationRecordId>>, DestinationError> {
        Ok(self
            .core()
            .read(|conn, schema| read::find_records(conn, schema.object(object.as_str())?, keys))?)
    }

    async fn write_records(
        &self,
        batch: &WriteBatch,
    ) -> Result<Vec<WriteOutcome>, DestinationError> {
        Ok(self
            .core()
            .write(|conn, schema| write::write_records(conn, schema, batch))?)
    }

    async fn write_links(
        &self,
        links: &[Link],
    ) -> Result<Vec<Result<bool, LinkRefused>>, DestinationError> {
        Ok(self
            .core()
            .write(|conn, schema| link::write_links(conn, schema, links))?)
    }

    async fn find_links(
        &self,
        links: &[Link],
    ) -> Result<Vec<Result<bool, LinkRefused>>, DestinationError> {
        Ok(self
            .core()
            .read(|conn, schema| link::find_links(conn, schema, links))?)
    }

    async fn archive_records(
        &self,
        object: &ObjectName,
        ids: &[DestinationRecordId],
    ) -> Result<Vec<Archived>, DestinationError> {
        Ok(self.core().write(|conn, schema| {
            archive::archive_records(conn, schema.object(object.as_str())?, ids)
        })?)
    }

    async fn remove_links(
        &self,
        links: &[Link],
    ) -> Result<Vec<Result<bool, LinkRefused>>, DestinationError> {
        Ok(self
            .core()
            .write(|conn, schema| link::remove_links(conn, schema, links))?)
    }

    async fn read_links(
        &self,
        object: &ObjectName,
        ids: &[DestinationRecordId],
    ) -> Result<Option<Vec<Link>>, DestinationError> {
        let links = self
            .core()
            .read(|conn, schema| link::read_links(conn, schema.object(object.as_str())?, ids))?;
        Ok(Some(links))
    }

    /// On two cores of 2024 an optimised build wrote 45,000 contacts of 40 properties a second and read back 125,000 (2026-11); slow discs and
    /// builds without optimisation are the other end.
    fn pace(&self) -> Option<Pace> {
        Some(Pace::Machine {
            slow: 1_500,
            fast: 40_000,
        })
    }
}

impl LocalCrm {
    /// Counts all associations between two objects, whatever their label.
    ///
    /// # Errors
    /// When the file cannot be read, or there is no such object.
    pub fn count_links(
        &self,
        from_object: &ObjectName,
        to_object: &ObjectName,
    ) -> Result<u64, DestinationError> {
        let core = self.core();
        Ok(link::count(
            core.conn(),
            core.schema(),
            from_object.as_str(),
            to_object.as_str(),
        )?)
    }
}
