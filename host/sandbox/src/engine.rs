//! The engine that compiles connectors, and a compiled connector whose imports and exports were found good.
//!
//! It runs no guest code. What a component may import is `names`'s to say; how it is compiled apart and kept, `compile`'s and `cache`'s.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::exports::longshore::connector::{engagements, source, stages};
use crate::bindings::longshore::connector::{http, runtime, types};
use crate::compile::CompileError;
use crate::names::{SandboxError, check_names};
use crate::setup::{TICK, configure};
use crate::state::CellState;
use crate::wasi;

/// Where instances get their memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allocation {
    /// From the system, each time: for a process with few connections.
    #[default]
    OnDemand,
    /// From a pool of that many slots, reserved at the start: for a process with many tenants.
    Pooled {
        /// Cells that may exist at once.
        cells: u32,
        /// The most memory any of them may ask for.
        memory_max_bytes: usize,
    },
}

// A Rust component brings three core modules, a Python one about twenty, which share a memory and a table.
const CORE_INSTANCES_MAX: u32 = 64;
const MEMORIES_MAX: u32 = 2;
const TABLES_MAX: u32 = 8;
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// How the engine is set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineOptions {
    /// Where instances get their memory.
    pub allocation: Allocation,
}

/// Compiles components. Cheap to clone; one a process is enough.
#[derive(Clone)]
pub struct Engine {
    engine: wasmtime::Engine,
    linker: Arc<Linker<CellState>>,
}

impl Engine {
    /// Sets the engine up, and starts the thread that ticks every 10 ms as long as the engine lives.
    ///
    /// # Errors
    /// When this machine cannot run it, for example because a pool does not fit its address space.
    pub fn new(options: EngineOptions) -> Result<Self, SandboxError> {
        let mut config = configure();
        configure_allocation(&mut config, options.allocation);
        let engine = wasmtime::Engine::new(&config).map_err(SandboxError::Engine)?;
        let mut linker = Linker::new(&engine);
        let link = |linker: &mut Linker<CellState>| {
            types::add_to_linker::<_, HasSelf<CellState>>(linker, |state| state)?;
            http::add_to_linker::<_, HasSelf<CellState>>(linker, |state| state)?;
            runtime::add_to_linker::<_, HasSelf<CellState>>(linker, |state| state)?;
            wasi::add_to_linker(linker)
        };
        link(&mut linker).map_err(SandboxError::Engine)?;
        start_ticking(&engine).map_err(SandboxError::Engine)?;
        Ok(Self {
            engine,
            linker: Arc::new(linker),
        })
    }

    /// Compiles a component in this process and checks by its type that it is a connector. Runs none of its code.
    ///
    /// A component that nobody looked at may take any time and memory here: what strangers made goes through
    /// [`ConnectorCache`](crate::ConnectorCache), which compiles in a process of its own.
    ///
    /// # Errors
    /// When it is no component, imports what no connector gets, speaks another line, or lacks an export.
    pub fn compile(&self, component: &[u8]) -> Result<Connector, SandboxError> {
        let component = Component::from_binary(&self.engine, component)
            .map_err(|error| CompileError::Refused(format!("{error:#}")))?;
        self.admit(&component)
    }

    /// Checks by its type that compiled code is a connector. Runs none of it.
    pub(crate) fn admit(&self, component: &Component) -> Result<Connector, SandboxError> {
        let kind = component.component_type();
        let names = |items: Vec<(&str, _)>| -> Vec<String> {
            items.into_iter().map(|(name, _)| name.to_owned()).collect()
        };
        let imports = names(kind.imports(&self.engine).collect());
        let exports = names(kind.exports(&self.engine).collect());
        let offers = check_names(
            imports.iter().map(String::as_str),
            exports.iter().map(String::as_str),
        )?;
        let pre = self
            .linker
            .instantiate_pre(component)
            .map_err(SandboxError::Mismatch)?;
        let exports = Exports::find(&pre, &offers).map_err(SandboxError::Mismatch)?;
        Ok(Connector(Arc::new(Compiled { pre, exports })))
    }

    pub(crate) fn inner(&self) -> &wasmtime::Engine {
        &self.engine
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

fn configure_allocation(config: &mut Config, allocation: Allocation) {
    let Allocation::Pooled {
        cells,
        memory_max_bytes,
    } = allocation
    else {
        return;
    };
    let mut pool = PoolingAllocationConfig::new();
    // What one component may take, times the cells: nobody can take a slot that belongs to another's cell.
    pool.max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX);
    pool.total_component_instances(cells)
        .total_core_instances(cells.saturating_mul(CORE_INSTANCES_MAX))
        .total_memories(cells.saturating_mul(MEMORIES_MAX))
        .total_tables(cells.saturating_mul(TABLES_MAX))
        .total_stacks(cells);
    pool.max_memory_size(memory_max_bytes)
        .table_elements(TABLE_ELEMENTS_MAX);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
}

fn start_ticking(engine: &wasmtime::Engine) -> wasmtime::Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new()
        .name("longshore-tick".to_owned())
        .spawn(tick)?;
    Ok(())
}

/// A compiled connector: ready to be put into any number of cells. Cheap to clone.
#[derive(Clone)]
pub struct Connector(pub(crate) Arc<Compiled>);

pub(crate) struct Compiled {
    pub(crate) pre: InstancePre<CellState>,
    pub(crate) exports: Exports,
}

/// Where the exports lie, by the component's type.
pub(crate) struct Exports {
    pub(crate) source: source::GuestIndices,
    pub(crate) engagements: Option<engagements::GuestIndices>,
    pub(crate) stages: Option<stages::GuestIndices>,
}

impl Exports {
    fn find(pre: &InstancePre<CellState>, offers: &BTreeSet<&str>) -> wasmtime::Result<Self> {
        let engagements = offers
            .contains("engagements")
            .then(|| engagements::GuestIndices::new(pre))
            .transpose()?;
        let stages = offers
            .contains("stages")
            .then(|| stages::GuestIndices::new(pre))
            .transpose()?;
        Ok(Self {
            source: source::GuestIndices::new(pre)?,
            engagements,
            stages,
        })
    }
}

impl Connector {
    /// Whether it reads engagements.
    pub fn has_engagements(&self) -> bool {
        self.0.exports.engagements.is_some()
    }

    /// Whether it describes pipelines.
    pub fn has_stages(&self) -> bool {
        self.0.exports.stages.is_some()
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (engagements, stages) = (self.has_engagements(), self.has_stages());
        f.debug_struct("Connector")
            .field("engagements", &engagements)
            .field("stages", &stages)
            .finish()
    }
}
