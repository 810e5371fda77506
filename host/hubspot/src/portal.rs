//! One connected portal: the way to it, and what is remembered of it between calls.
//!
//! Nothing remembered is needed for correctness: a new process asks again.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use egress::Gateway;
use model::{Account, Batch, DestinationError, ObjectName};

use tokio::time::Instant;

use crate::api::Api;
use crate::body::FirstStage;
use crate::describe::{Described, describe, fetch_pipelines};
use crate::link::{LinkTypes, fetch_types};
use crate::objects::Kind;
use crate::office;
use crate::version::ApiVersion;

/// How long a description counts as that of now.
const FRESH: Duration = Duration::from_secs(5);

/// A portal, as destination and as source.
pub struct Portal {
    pub(crate) api: Api,
    memory: Mutex<Memory>,
    /// Objects that were found to have no upsert.
    without_upsert: HashMap<&'static str, AtomicBool>,
}

#[derive(Default)]
struct Memory {
    described: Option<(Arc<Described>, Instant)>,
    account: Option<(Account, Vec<String>)>,
    owners: Option<Arc<Batch>>,
    links: HashMap<(ObjectName, ObjectName), Arc<Result<LinkTypes, String>>>,
    first_stages: HashMap<ObjectName, Option<FirstStage>>,
}

impl Portal {
    /// A portal behind that guarded client, which was made with [`crate::grant`]. Asks nothing yet.
    pub fn new(gateway: Gateway, version: ApiVersion) -> Self {
        let objects = crate::objects::KINDS
            .iter()
            .map(|kind| (kind.path, AtomicBool::new(false)));
        Self {
            api: Api::new(gateway, version),
            memory: Mutex::default(),
            without_upsert: objects.collect(),
        }
    }

    pub(crate) fn without_upsert(&self, kind: &Kind) -> &AtomicBool {
        self.without_upsert
            .get(kind.path)
            .expect("every object has its mark")
    }

    /// Forgets what a change of properties or pipelines made old.
    pub(crate) fn forget(&self) {
        let mut memory = self.memory();
        memory.described = None;
        memory.first_stages.clear();
        memory.links.clear();
    }

    /// Forgets it where it is old enough for somebody to have changed something: a description costs some thirty requests.
    pub(crate) fn forget_old(&self) {
        let is_old = |(_, at): &(_, Instant)| at.elapsed() > FRESH;
        if self.memory().described.as_ref().is_some_and(is_old) {
            self.forget();
        }
    }

    pub(crate) async fn described(&self) -> Result<Arc<Described>, DestinationError> {
        if let Some((described, _)) = self.memory().described.clone() {
            return Ok(described);
        }
        let described = Arc::new(describe(&self.api).await?);
        self.memory().described = Some((described.clone(), Instant::now()));
        Ok(described)
    }

    /// The account and the codes of its currencies. An object that cannot be seen is told as a missing scope.
    pub(crate) async fn account(&self) -> Result<(Account, Vec<String>), DestinationError> {
        if let Some(account) = self.memory().account.clone() {
            return Ok(account);
        }
        let (mut account, codes) = office::account(&self.api).await?;
        let described = self.described().await?;
        if let (true, Some((_, why))) = (described.objects.is_empty(), described.denied.first()) {
            return Err(DestinationError::Auth(format!(
                "it may read no object of the portal: {why}"
            )));
        }
        account.missing_scopes = described
            .denied
            .iter()
            .map(|(object, why)| format!("{object} is left out: {why}"))
            .collect();
        self.memory().account = Some((account.clone(), codes.clone()));
        Ok((account, codes))
    }

    pub(crate) async fn owners(&self) -> Result<Arc<Batch>, DestinationError> {
        if let Some(owners) = self.memory().owners.clone() {
            return Ok(owners);
        }
        let owners = Arc::new(office::owners(&self.api).await?);
        self.memory().owners = Some(owners.clone());
        Ok(owners)
    }

    pub(crate) async fn link_types(
        &self,
        from: &Kind,
        to: &Kind,
    ) -> Result<Arc<Result<LinkTypes, String>>, DestinationError> {
        let pair = (from.name(), to.name());
        if let Some(types) = self.memory().links.get(&pair).cloned() {
            return Ok(types);
        }
        let types = Arc::new(fetch_types(&self.api, from, to).await?);
        self.memory().links.insert(pair, types.clone());
        Ok(types)
    }

    /// Where a new record goes that must be in a stage and says none.
    pub(crate) async fn first_stage(
        &self,
        kind: &Kind,
    ) -> Result<Option<FirstStage>, DestinationError> {
        if kind.stage.is_none() {
            return Ok(None);
        }
        if let Some(known) = self.memory().first_stages.get(&kind.name()).cloned() {
            return Ok(known);
        }
        let pipelines = fetch_pipelines(&self.api, kind).await?;
        let first = pipelines.into_iter().find_map(|pipeline| {
            let stage = pipeline.stages.into_iter().next()?;
            Some(FirstStage {
                pipeline: pipeline.id,
                stage: stage.id,
                label: stage.label,
            })
        });
        self.memory()
            .first_stages
            .insert(kind.name(), first.clone());
        Ok(first)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
