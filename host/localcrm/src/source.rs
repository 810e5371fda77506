//! The local CRM as a source: the same records, with their associations.
//!
//! An association is told from both of its ends. Archived records are not told as deleted; they are simply absent.

use async_trait::async_trait;
use model::source::PageRequest;
use model::{Account, Catalog, Finding, RecordPage, Source, SourceError};

use crate::destination::{account, catalog};
use crate::open::LocalCrm;
use crate::read::{self, Links};

#[async_trait]
impl Source for LocalCrm {
    async fn check(&self) -> Result<Account, SourceError> {
        Ok(account(self)?)
    }

    async fn fetch_catalog(&self) -> Result<(Catalog, Vec<Finding>), SourceError> {
        Ok((catalog(&self.core())?, Vec::new()))
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<RecordPage, SourceError> {
        let core = self.core();
        let Some(object) = core.schema().find(request.object.as_str()) else {
            return Err(SourceError::Unsupported(format!(
                "local CRM has no object {:?}",
                request.object.as_str()
            )));
        };
        let (since, limit) = (request.updated_since, request.limit);
        let (records, next) = read::fetch_page(
            core.conn(),
            object,
            request.cursor.as_ref(),
            since,
            limit,
            Links::Read,
        )?;
        Ok(RecordPage {
            records,
            rejected: Vec::new(),
            next,
        })
    }
}
