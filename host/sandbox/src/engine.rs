//! The engine that compiles connectors, and a compiled connector whose imports and exports were found good.
//!
//! It decides what a component may import and which contract lines this host speaks. It runs no guest code.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::exports::longshore::connector::{engagements, source, stages};
use crate::bindings::longshore::connector::{http, runtime, types};
use crate::state::CellState;

/// How often running guests are looked at.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The contract lines that this host speaks, as `major.minor`.
pub const CONTRACT_LINES: [&str; 1] = ["0.1"];

const PACKAGE: &str = "longshore:connector/";

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

/// How the engine is set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineOptions {
    /// Where instances get their memory.
    pub allocation: Allocation,
}

/// Why a component is no connector that this host can run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine could not be set up on this machine.
    #[error("sandbox engine cannot be set up")]
    Engine(#[source] wasmtime::Error),
    /// The bytes are no component.
    #[error("connector is not a WebAssembly component that can be compiled")]
    Compile(#[source] wasmtime::Error),
    /// It wants something that no connector gets.
    #[error(
        "connector imports {name}, which no connector gets: build it for wasm32-unknown-unknown with the SDK, without WASI"
    )]
    ForeignImport {
        /// The import by its name.
        name: String,
    },
    /// It was built for a contract line that this host does not speak.
    #[error(
        "connector was built for {interface} of contract {found}, this host speaks {}: {}",
        CONTRACT_LINES.join(", "),
        line_remedy(found)
    )]
    ContractLine {
        /// The interface by its name, without version.
        interface: String,
        /// The version it asks for.
        found: String,
    },
    /// It lacks what every connector has.
    #[error(
        "connector does not export {PACKAGE}{interface}@0.1.0, which every connector does: export it with the SDK"
    )]
    MissingExport {
        /// The interface by its name.
        interface: &'static str,
    },
    /// The names are right and the types are not.
    #[error("connector does not fit contract 0.1: build it with the SDK of this line")]
    Mismatch(#[source] wasmtime::Error),
}

fn line_remedy(found: &str) -> &'static str {
    match Version::parse(found) {
        Some(version)
            if version
                > Version {
                    major: 0,
                    minor: 1,
                    patch: u64::MAX,
                } =>
        {
            "install a newer Longshore, or a release of the connector for 0.1"
        }
        _ => "install a newer release of the connector",
    }
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
        let engine = wasmtime::Engine::new(&configure(options)).map_err(SandboxError::Engine)?;
        let mut linker = Linker::new(&engine);
        let link = |linker: &mut Linker<CellState>| {
            types::add_to_linker::<_, HasSelf<CellState>>(linker, |state| state)?;
            http::add_to_linker::<_, HasSelf<CellState>>(linker, |state| state)?;
            runtime::add_to_linker::<_, HasSelf<CellState>>(linker, |state| state)
        };
        link(&mut linker).map_err(SandboxError::Engine)?;
        start_ticking(&engine).map_err(SandboxError::Engine)?;
        Ok(Self {
            engine,
            linker: Arc::new(linker),
        })
    }

    /// Compiles a component and checks by its type that it is a connector. Runs none of its code.
    ///
    /// # Errors
    /// When it is no component, imports anything else than the contract's two interfaces, speaks another line, or lacks an export.
    pub fn compile(&self, component: &[u8]) -> Result<Connector, SandboxError> {
        let component =
            Component::from_binary(&self.engine, component).map_err(SandboxError::Compile)?;
        let kind = component.component_type();
        let imports: Vec<String> = kind
            .imports(&self.engine)
            .map(|(name, _)| name.to_owned())
            .collect();
        let exports: Vec<String> = kind
            .exports(&self.engine)
            .map(|(name, _)| name.to_owned())
            .collect();
        for import in &imports {
            let known = ["types", "http", "runtime"];
            match ContractName::parse(import) {
                Some(name) if known.contains(&name.interface) => name.check_line()?,
                _ => {
                    return Err(SandboxError::ForeignImport {
                        name: import.clone(),
                    });
                }
            }
        }
        let mut offers = BTreeSet::new();
        for name in exports
            .iter()
            .filter_map(|export| ContractName::parse(export))
        {
            name.check_line()?;
            offers.insert(name.interface);
        }
        if !offers.contains("source") {
            return Err(SandboxError::MissingExport {
                interface: "source",
            });
        }
        let pre = self
            .linker
            .instantiate_pre(&component)
            .map_err(SandboxError::Mismatch)?;
        let exports = Exports::find(&pre, &offers).map_err(SandboxError::Mismatch)?;
        Ok(Connector(Arc::new(Compiled { pre, exports })))
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

fn configure(options: EngineOptions) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true);
    // Nothing that a connector needs, and less to go wrong.
    config
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false);
    config.max_wasm_stack(512 << 10).async_stack_size(1 << 20);
    if let Allocation::Pooled {
        cells,
        memory_max_bytes,
    } = options.allocation
    {
        let mut pool = PoolingAllocationConfig::new();
        // A component of several languages brings several core modules; most bring three.
        pool.total_component_instances(cells)
            .total_core_instances(cells * 8)
            .total_memories(cells);
        pool.total_tables(cells * 4)
            .total_stacks(cells)
            .max_memory_size(memory_max_bytes);
        pool.table_elements(100_000)
            .max_core_instances_per_component(64)
            .max_tables_per_component(16);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
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

/// An interface of the contract, read from an import's or export's name.
struct ContractName<'a> {
    interface: &'a str,
    version: &'a str,
}

impl<'a> ContractName<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let (interface, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
        Some(Self { interface, version })
    }

    fn check_line(&self) -> Result<(), SandboxError> {
        let spoken = Version::parse(self.version)
            .is_some_and(|version| (version.major, version.minor) == (0, 1));
        if spoken {
            return Ok(());
        }
        let (interface, found) = (
            format!("{PACKAGE}{}", self.interface),
            self.version.to_owned(),
        );
        Err(SandboxError::ContractLine { interface, found })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u64,
    minor: u64,
    patch: u64,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse::<u64>().ok());
        let version = Self {
            major: parts.next()??,
            minor: parts.next()??,
            patch: parts.next()??,
        };
        parts.next().is_none().then_some(version)
    }
}
