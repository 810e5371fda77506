//! Which interfaces a component may import and must export, by their names: the contract's lines, and the few of WASI.
//!
//! It decides by name only; whether the types fit is the linker's to say.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use crate::compile::CompileError;
use crate::text::clean;

/// The contract lines that this host speaks, as `major.minor`.
pub const CONTRACT_LINES: [&str; 1] = ["0.1"];

const PACKAGE: &str = "longshore:connector/";
const NAME_MAX_CHARS: usize = 200;
const IMPORTS: [&str; 3] = ["types", "http", "runtime"];

/// What a component of another language may import of WASI 0.2: clocks, random numbers, output that goes into the trace, and an end.
/// Never sockets, files, the environment or arguments.
pub const WASI_INTERFACES: [&str; 11] = [
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// Why a component is no connector that this host can run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine could not be set up on this machine.
    #[error("sandbox engine cannot be set up")]
    Engine(#[source] wasmtime::Error),
    /// It was not compiled: it is no component, or takes more than compiling may.
    #[error("connector cannot be compiled")]
    Compile(#[from] CompileError),
    /// The code that was just compiled is not for this process.
    #[error(
        "connector was compiled by another version of the program: start it again, so that one version does both"
    )]
    Foreign(#[source] wasmtime::Error),
    /// The folder for compiled connectors cannot be used.
    #[error("{action} {} failed", path.display())]
    Cache {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It wants something that no connector gets.
    #[error(
        "connector imports {name}, which no connector gets: build it for wasm32-unknown-unknown with the SDK; of WASI there are clocks, random numbers and output"
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

/// Checks every name and answers with the contract's interfaces that are exported.
pub(crate) fn check_names<'a>(
    imports: impl Iterator<Item = &'a str>,
    exports: impl Iterator<Item = &'a str>,
) -> Result<BTreeSet<&'a str>, SandboxError> {
    for import in imports {
        match ContractName::parse(import) {
            Some(name) if IMPORTS.contains(&name.interface) => name.check_line()?,
            _ if is_allowed_wasi(import) => {}
            _ => {
                return Err(SandboxError::ForeignImport {
                    name: clean(import, NAME_MAX_CHARS),
                });
            }
        }
    }
    let mut offers = BTreeSet::new();
    for name in exports.filter_map(ContractName::parse) {
        name.check_line()?;
        offers.insert(name.interface);
    }
    if offers.contains("source") {
        Ok(offers)
    } else {
        Err(SandboxError::MissingExport {
            interface: "source",
        })
    }
}

fn is_allowed_wasi(name: &str) -> bool {
    name.split_once('@').is_some_and(|(interface, version)| {
        let version = Version::parse(version);
        WASI_INTERFACES.contains(&interface)
            && version.is_some_and(|version| (version.major, version.minor) == (0, 2))
    })
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
