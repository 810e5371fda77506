//! The front door: reads the command line, joins the crates, prints, and sets the exit code.

mod core_files;
mod args;
mod output;
mod failure;
mod progress;
mod bundle;
mod reach;
mod recipients;
mod project;
mod portal;
mod mapping;
mod connectors;
mod connect;
mod estimate;
mod report;
mod plans;
mod matching;
mod phases;
mod replay;
mod quarantine;
mod explain;
mod mapping_commands;
mod rollback;
mod status;
mod notify;
mod keys;
mod simulate;
mod demo;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use crate::args::{Arguments, Command, PlanCommand, PlanSubcommand};
use crate::output::Ending;

fn main() -> ExitCode {
    core_files::forbid();
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == project::COMPILE)
    {
        return sandbox::compile_in_child();
    }
    let arguments = Arguments::parse();
    let json = arguments.json;
    let ended = run(arguments);
    if let Err(error) = &ended {
        if json {
            let causes: Vec<_> = error.chain().skip(1).map(ToString::to_string).collect();
            output::print_json(&serde_json::json!({"error": error.to_string(), "because": causes}));
        }
        progress::tell(&failure::render(error));
    }
    if let Some(error) = output::failure() {
        progress::tell(&failure::render(&failure::unprinted(error)));
        return ExitCode::from(2);
    }
    match ended {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::WithFindings) => ExitCode::from(1),
        Err(_) => ExitCode::from(2),
    }
}

fn run(arguments: Arguments) -> Result<Ending> {
    trace(arguments.trace_json);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    let json = arguments.json;
    runtime.block_on(async {
        let watch = notify::Watch::begin(&arguments.command)?;
        let ended = carry_out(arguments.command, json).await;
        if let Some(watch) = watch {
            watch.tell(&ended).await;
        }
        ended
    })
}

async fn carry_out(command: Command, json: bool) -> Result<Ending> {
    match command {
        Command::Demo(command) => demo::demo(command, json).await,
        Command::Simulate(command) => simulate::simulate(command).await,
        Command::Init(folder) => phases::init(&folder.dir, json),
        Command::Connect(command) => connect::connect(command, json).await,
        Command::Discover(command) => phases::discover(command, json).await,
        Command::Plan(PlanCommand {
            show: Some(PlanSubcommand::Show(command)),
            ..
        }) => plans::show(&command, json),
        Command::Mapping(command) => mapping_commands::mapping(command.command, json).await,
        Command::Plan(command) => phases::plan(command, json).await,
        Command::Explain(command) => explain::explain(&command, json),
        Command::Match(command) => matching::find(&command, json),
        Command::Apply(command) => phases::apply(command, json).await,
        Command::Migrate(command) => phases::migrate(command, json).await,
        Command::Status(folder) => status::status(&folder.dir, json),
        Command::Quarantine(command) => quarantine::quarantine(command.command, json).await,
        Command::Audit(command) => phases::audit(command, json).await,
        Command::Rollback(command) => rollback::rollback(command, json).await,
        Command::Vault(command) => keys::keys(&command.command, json),
        Command::Connectors(command) => connectors::connectors(command.command, json).await,
        Command::Notify(command) => notify::notify(command.command, json).await,
    }
}

/// The crates through whose hands whole requests go, credentials included. What they trace in detail is not ours to promise.
const UNTRACED: [&str; 7] = [
    "h2",
    "hyper",
    "hyper_util",
    "oauth2",
    "oci_client",
    "reqwest",
    "rustls",
];

/// Traces go to standard error, and only where `RUST_LOG` asks for them.
fn trace(json: bool) {
    let mut filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into());
    if std::env::var_os("RUST_LOG").is_some() {
        for name in UNTRACED {
            let cap = format!("{name}=warn").parse();
            filter = filter.add_directive(cap.expect("a name and a level are a directive"));
        }
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if json {
        builder.json().init();
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).init();
    }
}
