//! `longshore connectors`: what is there, what comes in and who agreed to it, and the author's way to publish.
//!
//! Whether a package may be trusted is decided by `market`; this asks, records and prints.

mod find;

mod consent;

mod show;

mod install;

mod author;

use anyhow::Result;

use crate::args::ConnectorsCommand;
use crate::output::Ending;

pub(crate) use consent::{ask, ask_consent, carry_out};
pub(crate) use find::{Where, bundled, find_offer};

/// Carries out the command.
pub(crate) async fn connectors(command: ConnectorsCommand, json: bool) -> Result<Ending> {
    match command {
        ConnectorsCommand::List(folder) => show::list(&folder.dir, json)?,
        ConnectorsCommand::Inspect { connector } => show::inspect(&connector, json).await?,
        ConnectorsCommand::Search(command) => show::search(command, json).await?,
        ConnectorsCommand::Install(command) => install::install(command, json).await?,
        ConnectorsCommand::Upgrade(command) => install::upgrade(command, json).await?,
        ConnectorsCommand::Remove(command) => install::remove(&command, json)?,
        ConnectorsCommand::Verify(command) => install::verify(command, json).await?,
        ConnectorsCommand::Pack(command) => author::pack(&command, json)?,
        ConnectorsCommand::Keygen { out } => author::keygen(&out, json)?,
        ConnectorsCommand::Sign(command) => author::sign(&command, json)?,
        ConnectorsCommand::Publish(command) => author::publish(command, json).await?,
        ConnectorsCommand::Revoke(command) => author::revoke(command, json).await?,
    }
    Ok(Ending::Done)
}
