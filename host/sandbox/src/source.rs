//! A connector as a [`Source`]: cells are opened and dropped, failures waited for or handed on, answers checked.
//!
//! One call at a time goes into a cell; whoever wants several lists of one connection read at once makes several sources.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use model::estimate::Pace;
use model::source::PageRequest;
use model::{
    Account, Batch, Catalog, ConnectionId, Cursor, Finding, FindingCode, ObjectInfo, RecordPage,
    Source, SourceError,
};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::bindings::longshore::connector::types as wit;
use crate::breaker::{Breaker, Paused};
use crate::cell::{Answer, Cell, Surroundings};
use crate::convert::{CatalogError, CatalogReader, ListedBy, account_of};
use crate::engine::Connector;
use crate::limits::CellLimits;
use crate::outbound::Outbound;
use crate::progress::Progress;
use crate::quota::Quota;
use crate::stop::Stop;
use crate::text::{MESSAGE_MAX_CHARS, clean};

/// Repeats of a call that failed with `transient` or `rate-limited`, after the first try, by what the connector made of an answer. A
/// request without an answer was repeated by the way out.
const REPEATS_MAX: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// A source that asks for a longer wait gets it from the phase, which can say so and be stopped.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What a connection shares with others in a process of many.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// The connector's breaker.
    pub breaker: Option<Breaker>,
    /// The shares that its cells take from: the tenant's, then the connector's; in this order everywhere.
    pub quotas: Vec<Quota>,
}

/// One connection, read through its connector. Cheap to clone; clones share the cell.
#[derive(Clone)]
pub struct ConnectorSource(Arc<Inner>);

struct Inner {
    connector: Connector,
    around: Surroundings,
    breaker: Option<Breaker>,
    cell: Mutex<Slot>,
    catalog: Mutex<Option<Arc<Catalog>>>,
    progress: std::sync::Mutex<Progress>,
    is_watched: AtomicBool,
}

struct Slot {
    cell: Option<Cell>,
    last_call: Instant,
}

impl ConnectorSource {
    /// A source for that connection. No code of the connector runs before the first call; `settings` are by the manifest's names,
    /// defaults included.
    pub fn new(
        connector: Connector,
        connection: &ConnectionId,
        outbound: Arc<dyn Outbound>,
        settings: BTreeMap<String, String>,
        limits: CellLimits,
    ) -> Self {
        Self::sharing(
            connector,
            connection,
            outbound,
            settings,
            limits,
            Shared::default(),
        )
    }

    /// As [`new`](Self::new), in a process where other connections are.
    pub fn sharing(
        connector: Connector,
        connection: &ConnectionId,
        outbound: Arc<dyn Outbound>,
        settings: BTreeMap<String, String>,
        limits: CellLimits,
        shared: Shared,
    ) -> Self {
        let (name, settings, limits) = (
            connection.as_str().into(),
            Arc::new(settings),
            Arc::new(limits),
        );
        let around = Surroundings {
            name,
            outbound,
            settings,
            limits,
            quotas: shared.quotas.into(),
        };
        let cell = Mutex::new(Slot {
            cell: None,
            last_call: Instant::now(),
        });
        let (catalog, progress, is_watched) = (
            Mutex::default(),
            std::sync::Mutex::default(),
            AtomicBool::new(false),
        );
        Self(Arc::new(Inner {
            connector,
            around,
            breaker: shared.breaker,
            cell,
            catalog,
            progress,
            is_watched,
        }))
    }

    /// Reads pages by a catalog that was fetched and stored earlier, so that it need not be fetched again.
    pub async fn use_catalog(&self, catalog: Arc<Catalog>) {
        *self.0.catalog.lock().await = Some(catalog);
    }

    /// Drops the instance now; the next call makes a new one.
    pub async fn rest(&self) {
        self.0.cell.lock().await.cell = None;
    }
}

type Pending<'a, T> = Pin<Box<dyn Future<Output = Answer<T>> + Send + 'a>>;

impl Inner {
    /// Puts one question to the guest and repeats it after a wait where its failure says that this may help.
    async fn ask<T>(
        self: &Arc<Self>,
        call: impl Fn(&mut Cell) -> Pending<'_, T> + Sync,
    ) -> Result<T, Refusal> {
        let mut repeats = 0;
        loop {
            let (answer, has_outbound_given_up) = self.ask_once(&call).await?;
            let failure = match answer {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            // Only one side repeats a request: where the way out did so in vain, a repeated call would do it all over again.
            let is_over = has_outbound_given_up && failure.kind == wit::FailureKind::Transient;
            let Some(wait) = find_wait(&failure, repeats).filter(|_| !is_over) else {
                return Err(Refusal::Failure(failure));
            };
            tracing::debug!(
                connector = &*self.around.name,
                code = failure.code,
                wait_ms = wait.as_millis(),
                "call is repeated"
            );
            self.around.outbound.pause(wait).await;
            repeats += 1;
        }
    }

    async fn ask_once<T>(
        self: &Arc<Self>,
        call: &impl Fn(&mut Cell) -> Pending<'_, T>,
    ) -> Result<(Result<T, wit::Failure>, bool), Refusal> {
        let mut slot = self.cell.lock().await;
        let pass = self.breaker.as_ref().map(Breaker::admit).transpose()?;
        let answer = self.call(&mut slot, call).await;
        match (&answer, pass) {
            (Ok(_), Some(pass)) => pass.answered(),
            (Err(stop), Some(pass)) if stop.is_its_own() => pass.stopped(),
            _ => {}
        }
        Ok(answer?)
    }

    async fn call<T>(
        self: &Arc<Self>,
        slot: &mut Slot,
        call: &impl Fn(&mut Cell) -> Pending<'_, T>,
    ) -> Result<(Result<T, wit::Failure>, bool), Stop> {
        // Taken out, so that a cell whose call was stopped, or given up by the caller, is gone.
        let mut cell = match slot.cell.take().filter(|cell| !cell.is_spent()) {
            Some(cell) => cell,
            None => Cell::open(&self.connector, &self.around).await?,
        };
        let answer = call(&mut cell).await?;
        let has_outbound_given_up = cell.has_outbound_given_up();
        slot.cell = Some(cell);
        slot.last_call = Instant::now();
        if !self.is_watched.swap(true, Ordering::Relaxed) {
            tokio::spawn(drop_when_idle(
                Arc::downgrade(self),
                self.around.limits.idle,
            ));
        }
        Ok((answer, has_outbound_given_up))
    }

    async fn find_object(
        self: &Arc<Self>,
        request: &PageRequest,
    ) -> Result<Arc<ObjectInfo>, SourceError> {
        let mut known = self.catalog.lock().await;
        let catalog = match &*known {
            Some(catalog) => catalog,
            None => known.insert(Arc::new(self.fetch_catalog().await?.0)),
        };
        let object = catalog.find_object(request.object.as_str()).cloned();
        object.ok_or_else(|| {
            SourceError::Unsupported(format!(
                "{} has no object {}",
                self.around.name, request.object
            ))
        })
    }

    async fn fetch_catalog(self: &Arc<Self>) -> Result<(Catalog, Vec<Finding>), SourceError> {
        let mut reader = CatalogReader::default();
        let objects = self
            .ask(|cell| Box::pin(cell.list_objects()))
            .await
            .map_err(|refusal| self.refused("list of objects", refusal))?;
        self.checked(reader.take_objects(objects, ListedBy::Source))?;
        if self.connector.has_engagements() {
            let kinds = self.ask(|cell| Box::pin(cell.list_engagements())).await;
            if let Some(kinds) = self.or_missing(kinds, "engagements", &mut reader)? {
                self.checked(reader.take_objects(kinds, ListedBy::Engagements))?;
            }
        }
        if self.connector.has_stages() {
            let pipelines = self.ask(|cell| Box::pin(cell.describe_stages())).await;
            if let Some(pipelines) = self.or_missing(pipelines, "stages", &mut reader)? {
                self.checked(reader.take_pipelines(pipelines))?;
            }
        }
        Ok((
            Catalog {
                objects: reader.objects,
                pipelines: reader.pipelines,
                kinds: Vec::new(),
                unlinkable: Vec::new(),
            },
            reader.findings,
        ))
    }

    /// A part that the account may not see, or does not have, becomes a finding.
    fn or_missing<T>(
        &self,
        answer: Result<T, Refusal>,
        part: &str,
        reader: &mut CatalogReader,
    ) -> Result<Option<T>, SourceError> {
        let refusal = match answer {
            Ok(answer) => return Ok(Some(answer)),
            Err(refusal) => refusal,
        };
        let error = self.refused(part, refusal);
        let code = match &error {
            SourceError::Permission(_) => FindingCode::NoPermission,
            SourceError::Unsupported(_) => FindingCode::SourceNote,
            _ => return Err(error),
        };
        reader.missing(code, part, error.to_string());
        Ok(None)
    }

    fn checked(&self, catalog: Result<(), CatalogError>) -> Result<(), SourceError> {
        catalog.map_err(|error| {
            SourceError::BadData(format!("catalog of {}: {error}", self.around.name))
        })
    }

    fn refused(&self, what: &str, refusal: Refusal) -> SourceError {
        let failure = match refusal {
            Refusal::Stop(stop) => {
                return SourceError::Trapped(format!("{} ({what}): {stop}", self.around.name));
            }
            Refusal::Paused(paused) => {
                let message = format!("{} ({what}): {paused}", self.around.name);
                let until = wall_clock(paused.until);
                return SourceError::Paused { until, message };
            }
            Refusal::Failure(failure) => failure,
        };
        let message = self.around.outbound.redact(&failure.message);
        let message = format!(
            "{what}: {} ({})",
            clean(&message, MESSAGE_MAX_CHARS),
            clean(&failure.code, 100)
        );
        match failure.kind {
            wit::FailureKind::Auth => SourceError::Auth(message),
            wit::FailureKind::Permission => SourceError::Permission(message),
            wit::FailureKind::RateLimited => SourceError::RateLimited {
                retry_after: failure.retry_after_ms.map(Duration::from_millis),
                message,
            },
            wit::FailureKind::Transient => SourceError::Transient(message),
            wit::FailureKind::StaleCursor => SourceError::StaleCursor(message),
            wit::FailureKind::NotFound | wit::FailureKind::Unsupported => {
                SourceError::Unsupported(message)
            }
            wit::FailureKind::BadData => SourceError::BadData(message),
            wit::FailureKind::Permanent => SourceError::Permanent(message),
        }
    }

    async fn fetch_wit_page(
        self: &Arc<Self>,
        object: &ObjectInfo,
        request: &PageRequest,
    ) -> Result<wit::Page, SourceError> {
        let rows_max = u32::try_from(self.around.limits.rows.rows_max).unwrap_or(u32::MAX);
        let updated_since = request.updated_since.filter(|_| object.incremental);
        let question = Arc::new(wit::PageRequest {
            object: object.name.as_str().to_owned(),
            cursor: request
                .cursor
                .as_ref()
                .map(|cursor| cursor.as_bytes().to_vec()),
            updated_since: updated_since.map(|instant| instant.to_string()),
            limit: request.limit.clamp(1, rows_max),
            attributes: Vec::new(),
        });
        // The catalog has a kind of engagement only from `list-engagements`, and nothing else from there.
        let page = if object
            .standard
            .is_some_and(|standard| standard.is_engagement())
        {
            self.ask(|cell| {
                let question = question.clone();
                Box::pin(async move { cell.fetch_engagements(&question).await })
            })
            .await
        } else {
            self.ask(|cell| {
                let question = question.clone();
                Box::pin(async move { cell.fetch_records(&question).await })
            })
            .await
        };
        page.map_err(|refusal| self.refused(object.name.as_str(), refusal))
    }
}

/// Why a question was not answered.
enum Refusal {
    Stop(Stop),
    Paused(Paused),
    Failure(wit::Failure),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<Paused> for Refusal {
    fn from(paused: Paused) -> Self {
        Self::Paused(paused)
    }
}

/// The same moment on the clock that people read.
fn wall_clock(moment: Instant) -> model::Instant {
    let now = model::Instant::now();
    let wait = moment.saturating_duration_since(Instant::now());
    let wait_us = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    model::Instant::from_unix_us(now.unix_us().saturating_add(wait_us)).unwrap_or(now)
}

/// How long to wait before the call is repeated; `None` where it is not.
fn find_wait(failure: &wit::Failure, repeats: u32) -> Option<Duration> {
    let asked = failure.retry_after_ms.map(Duration::from_millis);
    let wait = match failure.kind {
        wit::FailureKind::RateLimited | wit::FailureKind::Transient => {
            asked.unwrap_or(FIRST_WAIT * 2_u32.pow(repeats))
        }
        _ => return None,
    };
    (repeats < REPEATS_MAX && wait <= WAIT_MAX).then_some(wait)
}

async fn drop_when_idle(source: Weak<Inner>, idle: Duration) {
    loop {
        tokio::time::sleep(idle).await;
        let Some(source) = source.upgrade() else {
            return;
        };
        // One that is being called is not idle.
        let Ok(mut slot) = source.cell.try_lock() else {
            continue;
        };
        if slot.last_call.elapsed() >= idle {
            slot.cell = None;
            source.is_watched.store(false, Ordering::Relaxed);
            return;
        }
    }
}

#[async_trait]
impl Source for ConnectorSource {
    async fn check(&self) -> Result<Account, SourceError> {
        let account = self.0.ask(|cell| Box::pin(cell.check())).await;
        account
            .map(account_of)
            .map_err(|refusal| self.0.refused("check", refusal))
    }

    async fn fetch_catalog(&self) -> Result<(Catalog, Vec<Finding>), SourceError> {
        let (catalog, findings) = self.0.fetch_catalog().await?;
        *self.0.catalog.lock().await = Some(Arc::new(catalog.clone()));
        Ok((catalog, findings))
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<RecordPage, SourceError> {
        let object = self.0.find_object(request).await?;
        let page = self.0.fetch_wit_page(&object, request).await?;
        let limits = &self.0.around.limits;
        let step = {
            let mut progress = self
                .0
                .progress
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let (cursor, next) = (request.cursor.as_ref(), page.next.as_deref());
            progress.step(&request.object, cursor, next, !page.rows.is_empty(), limits)
        };
        step.map_err(|error| SourceError::Permanent(format!("{}: {error}", self.0.around.name)))?;
        let decoded = Batch::decode(object, page.rows, &limits.rows);
        let (records, rejected) = decoded.map_err(|error| {
            SourceError::BadData(format!(
                "{} of {}: {error}",
                request.object, self.0.around.name
            ))
        })?;
        Ok(RecordPage {
            records,
            rejected,
            next: page.next.map(Cursor::new),
        })
    }

    fn pace(&self) -> Option<Pace> {
        self.0.around.outbound.pace()
    }
}

impl std::fmt::Debug for ConnectorSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectorSource")
            .field("connection", &self.0.around.name)
            .finish_non_exhaustive()
    }
}
