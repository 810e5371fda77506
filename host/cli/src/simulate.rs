//! `longshore simulate`: a vendor's API on loopback until stopped.

use anyhow::{Context as _, Result};
use simulators::{faults::Faults, pipedrive, truth};

use crate::args::{Limits, Simulate, Vendor};
use crate::output::{Ending, print_json};
use crate::progress::tell;

/// The account to simulate: CSV files where a folder is given, else a generated one.
pub(crate) fn truth(records: u64, seed: u64, data: Option<std::path::PathBuf>) -> truth::Source {
    match data {
        Some(folder) => truth::Source::CrmSample(folder),
        None => truth::Source::Generated { records, seed },
    }
}

/// Runs the simulator. Its first line on standard output is one JSON object with at least `base_url` and `token`.
pub(crate) async fn simulate(arguments: Simulate) -> Result<Ending> {
    let Vendor::Pipedrive = arguments.vendor;
    let options = pipedrive::Options {
        truth: truth(arguments.records, arguments.seed, arguments.data),
        faults: arguments
            .faults
            .parse::<Faults>()
            .context("--faults cannot be read")?,
        limits: match arguments.limits {
            Limits::Real => pipedrive::Limits::real(),
            Limits::Off => pipedrive::Limits::Off,
        },
        latency_ms: arguments.latency_ms,
        port: arguments.port,
        ..pipedrive::Options::default()
    };
    let running = pipedrive::start(options).await?;
    print_json(&running.facts());
    tell("the simulator runs until it is stopped (Ctrl-C)");
    tokio::signal::ctrl_c()
        .await
        .context("cannot hear Ctrl-C")?;
    running.stop().await;
    Ok(Ending::Done)
}
