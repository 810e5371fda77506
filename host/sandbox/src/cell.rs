//! A cell: one instance of a connector with its store, called by one caller at a time.
//!
//! It bounds each call in time and tells why one was stopped. What an answer means is not its business.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::{Store, UpdateDeadline};

use crate::bindings::exports::longshore::connector::{engagements, source, stages};
use crate::bindings::longshore::connector::types::{self, Failure};
use crate::engine::{Compiled, Connector};
use crate::limits::CellLimits;
use crate::outbound::Outbound;
use crate::quota::{Quota, Share};
use crate::state::CellState;
use crate::stop::Stop;

/// What a cell is made of besides its connector.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) name: Arc<str>,
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) settings: Arc<BTreeMap<String, String>>,
    pub(crate) limits: Arc<CellLimits>,
    pub(crate) quotas: Arc<[Quota]>,
}

/// The typed exports of an instance.
struct Guest {
    source: source::Guest,
    engagements: Option<engagements::Guest>,
    stages: Option<stages::Guest>,
}

/// One instance. Once a call was stopped, the cell must be dropped.
pub(crate) struct Cell {
    store: Store<CellState>,
    guest: Guest,
    calls: u32,
}

pub(crate) type Answer<T> = Result<Result<T, Failure>, Stop>;

impl Cell {
    /// Instantiates the connector; its start functions run within the time of a call.
    pub(crate) async fn open(connector: &Connector, around: &Surroundings) -> Result<Self, Stop> {
        let Surroundings {
            name,
            outbound,
            settings,
            limits,
            quotas,
        } = around.clone();
        let shares = enter(&quotas, limits.call_timeout).await?;
        let compiled = &connector.0;
        let max_bytes = limits.transfer_max_bytes();
        let mut store = Store::new(
            compiled.pre.engine(),
            CellState::new(name, outbound, settings, limits, shares),
        );
        store.limiter(|state| &mut state.usage);
        store.set_hostcall_fuel(max_bytes);
        // Between two ticks a guest runs undisturbed; at each it lets others have the thread, and learns whether its time is over.
        store.epoch_deadline_callback(|context| {
            context.data().check_deadline()?;
            Ok(UpdateDeadline::Yield(1))
        });
        let bound = begin(&mut store);
        let guest = bound.run(instantiate(compiled, &mut store)).await?;
        Ok(Self {
            store,
            guest,
            calls: 0,
        })
    }

    /// Whether the cell has done its share: it answered its calls, or has grown to more than half of what it may.
    pub(crate) fn is_spent(&self) -> bool {
        let state = self.store.data();
        let limits = state.limits();
        self.calls >= limits.calls_per_instance
            || state.usage.memory_bytes() > limits.memory_max_bytes / 2
    }

    /// Whether the last call got no answer from outside, repeats included.
    pub(crate) fn has_outbound_given_up(&self) -> bool {
        self.store.data().has_outbound_given_up()
    }

    pub(crate) async fn check(&mut self) -> Answer<types::Account> {
        let bound = self.begin();
        bound
            .run(self.guest.source.call_check(&mut self.store))
            .await
    }

    pub(crate) async fn list_objects(&mut self) -> Answer<Vec<types::ObjectInfo>> {
        let bound = self.begin();
        bound
            .run(self.guest.source.call_list_objects(&mut self.store))
            .await
    }

    pub(crate) async fn fetch_records(
        &mut self,
        request: &types::PageRequest,
    ) -> Answer<types::Page> {
        let bound = self.begin();
        bound
            .run(
                self.guest
                    .source
                    .call_fetch_records(&mut self.store, request),
            )
            .await
    }

    /// Fails with `unsupported` where the connector has none.
    pub(crate) async fn list_engagements(&mut self) -> Answer<Vec<types::ObjectInfo>> {
        let bound = self.begin();
        let Some(engagements) = &self.guest.engagements else {
            return Ok(Err(lacks("engagements")));
        };
        bound
            .run(engagements.call_list_engagements(&mut self.store))
            .await
    }

    /// Fails with `unsupported` where the connector has none.
    pub(crate) async fn fetch_engagements(
        &mut self,
        request: &types::PageRequest,
    ) -> Answer<types::Page> {
        let bound = self.begin();
        let Some(engagements) = &self.guest.engagements else {
            return Ok(Err(lacks("engagements")));
        };
        bound
            .run(engagements.call_fetch_engagements(&mut self.store, request))
            .await
    }

    /// Fails with `unsupported` where the connector has none.
    pub(crate) async fn describe_stages(&mut self) -> Answer<Vec<types::Pipeline>> {
        let bound = self.begin();
        let Some(stages) = &self.guest.stages else {
            return Ok(Err(lacks("stages")));
        };
        bound
            .run(stages.call_describe_stages(&mut self.store))
            .await
    }

    fn begin(&mut self) -> Bound {
        self.calls += 1;
        begin(&mut self.store)
    }
}

/// Takes a place in each share. All take them in the same order, and wait no longer than a call may last, so that none waits for ever.
async fn enter(quotas: &[Quota], timeout: Duration) -> Result<Vec<Share>, Stop> {
    let deadline = Instant::now() + timeout;
    let mut shares = Vec::with_capacity(quotas.len());
    for quota in quotas {
        let share = tokio::time::timeout_at(deadline, quota.enter()).await;
        shares.push(share.map_err(|_| quota.full())?);
    }
    Ok(shares)
}

fn lacks(interface: &str) -> Failure {
    Failure {
        kind: types::FailureKind::Unsupported,
        code: "longshore.interface".to_owned(),
        message: format!("the connector does not export {interface}"),
        retry_after_ms: None,
        http_status: None,
        attributes: Vec::new(),
    }
}

async fn instantiate(compiled: &Compiled, store: &mut Store<CellState>) -> wasmtime::Result<Guest> {
    let instance = compiled.pre.instantiate_async(&mut *store).await?;
    let exports = &compiled.exports;
    let source = exports.source.load(&mut *store, &instance)?;
    let engagements = exports
        .engagements
        .as_ref()
        .map(|found| found.load(&mut *store, &instance))
        .transpose()?;
    let stages = exports
        .stages
        .as_ref()
        .map(|found| found.load(&mut *store, &instance))
        .transpose()?;
    Ok(Guest {
        source,
        engagements,
        stages,
    })
}

fn begin(store: &mut Store<CellState>) -> Bound {
    store.set_epoch_deadline(1);
    let deadline = store.data_mut().begin_call();
    let limits = store.data().limits();
    Bound {
        deadline,
        timeout: limits.call_timeout,
        max_bytes: limits.transfer_max_bytes(),
    }
}

/// What one call may take.
struct Bound {
    deadline: Instant,
    timeout: Duration,
    max_bytes: usize,
}

impl Bound {
    /// Runs the call. The clock here ends one that waits in an import; the ticks end one that runs.
    async fn run<T>(self, call: impl Future<Output = wasmtime::Result<T>>) -> Result<T, Stop> {
        match tokio::time::timeout_at(self.deadline, call).await {
            Ok(answer) => answer.map_err(|error| Stop::from_engine(&error, self.max_bytes)),
            Err(_) => Err(Stop::Time(self.timeout)),
        }
    }
}
