//! The commands below `longshore notify`.

use clap::{Args, Subcommand};

use super::Folder;

#[derive(Debug, Subcommand)]
pub(crate) enum NotifyCommand {
    /// Show who is told of what, and which secrets are missing
    Status(Folder),
    /// Tell everybody that this is a test, and say of each whether it arrived
    Test(Folder),
    /// Keep the password of the e-mail server, or the secret that signs a webhook's calls, in the vault; it is read from standard input
    Secret(NotifySecret),
}

#[derive(Debug, Args)]
pub(crate) struct NotifySecret {
    /// `email`, or the webhook's name in `longshore.toml`
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Make the webhook's secret instead of reading it, and print it once: the receiver needs it to check the calls
    #[arg(long)]
    pub(crate) generate: bool,
}
