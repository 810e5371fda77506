//! `longshore simulate`: a vendor's API on loopback until stopped.

use anyhow::{Context as _, Result};
use simulators::{example_crm, faults::Faults, hubspot, pipedrive, truth};

use crate::args::{Limits, Simulate, Vendor};
use crate::failure::WithHint;
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
    match arguments.vendor {
        Vendor::Pipedrive => simulate_pipedrive(arguments).await,
        Vendor::Hubspot => simulate_hubspot(arguments).await,
        Vendor::ExampleCrm => simulate_example_crm(arguments).await,
    }
}

async fn simulate_pipedrive(arguments: Simulate) -> Result<Ending> {
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
    wait_for_stop().await?;
    running.stop().await;
    Ok(Ending::Done)
}

async fn simulate_hubspot(arguments: Simulate) -> Result<Ending> {
    let limits = match arguments.limits {
        Limits::Real => hubspot::Limits::Real,
        Limits::Off => hubspot::Limits::Off,
    };
    let options = hubspot::Options {
        faults: arguments
            .faults
            .parse::<Faults>()
            .context("--faults cannot be read")?,
        limits,
        latency_ms: arguments.latency_ms,
        port: arguments.port,
        ..hubspot::Options::of_company(&truth(arguments.records, arguments.seed, arguments.data))?
    };
    let running = hubspot::start(options).await?;
    print_json(&running.facts());
    wait_for_stop().await?;
    running.stop().await;
    Ok(Ending::Done)
}

async fn simulate_example_crm(arguments: Simulate) -> Result<Ending> {
    let is_plain = arguments.data.is_none() && arguments.faults.is_empty();
    if !is_plain || arguments.latency_ms > 0 {
        return Err(WithHint::error(
            "example-crm has neither faults nor latency nor data of its own",
            "it takes --port and --records",
        ));
    }
    let options = example_crm::Options {
        contacts: arguments.records,
        port: arguments.port,
    };
    let running = example_crm::start(options)
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1 port {}", arguments.port))?;
    print_json(&running.facts());
    wait_for_stop().await?;
    Ok(Ending::Done)
}

async fn wait_for_stop() -> Result<()> {
    tell("the simulator runs until it is stopped (Ctrl-C)");
    tokio::signal::ctrl_c().await.context("cannot hear Ctrl-C")
}
