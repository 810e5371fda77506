//! Simulates a HubSpot portal until interrupted, and prints how to reach it as one line of JSON.
//!
//! Arguments, all optional: `--port N` (a free one by default), `--faults ORDER` (see `simulators::faults`), `--limits off`.

use simulators::hubspot::{Limits, Options, start};
use std::error::Error;
use std::io::Write as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        match name.as_str() {
            "--port" => options.port = value.parse()?,
            "--faults" => options.faults = value.parse()?,
            "--limits" if value == "off" => options.limits = Limits::Off,
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    let running = start(options).await?;
    writeln!(std::io::stdout(), "{}", running.facts())?;
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}
