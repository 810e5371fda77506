//! The commands below `longshore connectors`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Folder;

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorsCommand {
    /// List the official connectors and those installed in the project
    List(Folder),
    /// Show what a connector is, what it may reach, what it imports and exports and who signed it, without running it
    Inspect {
        /// Name of an official connector, path of a package, or `oci://HOST/REPOSITORY[:VERSION]`
        connector: String,
    },
    /// Install a connector into the project, after showing what it asks for
    Install(Install),
    /// Bring an installed connector to the newest version of where it came from. Asks only where it wants more than before
    Upgrade(Upgrade),
    /// Remove an installed connector from the project
    Remove(Remove),
    /// Search a registry that is a folder, or list the versions in a repository of an OCI registry
    Search(Search),
    /// Check a package's signature, or an installed connector's with what its registry has revoked since
    Verify(Verify),
    /// Make a package of a module that the SDK built and its manifest
    Pack(Pack),
    /// Make a key to sign packages with
    Keygen {
        /// File of the secret key; the public one is printed and written beside it as FILE.pub
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Sign a package; the signature is written beside it as PACKAGE.sig
    Sign(Sign),
    /// Publish a signed package to a registry
    Publish(Publish),
    /// Revoke a package, or a key with all that it signed, in a registry
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(crate) struct Install {
    /// Name of an official connector, path of a package, `oci://HOST/REPOSITORY[:VERSION|@DIGEST]`, or a name in the registry
    pub(crate) connector: String,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Registry in which the name is looked up: a folder or `oci://HOST/PREFIX`. Without it, `LONGSHORE_REGISTRY`
    #[arg(long, value_name = "REGISTRY")]
    pub(crate) registry: Option<String>,
    /// Version to take from the registry; the newest by default
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<semver::Version>,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

/// How a connector's questions are answered.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Answer {
    /// Agree to what the connector asks for
    #[arg(long)]
    pub(crate) yes: bool,
    /// For developers: let a package in that nobody signed
    #[arg(long)]
    pub(crate) allow_unsigned: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    /// Name of the installed connector
    pub(crate) connector: String,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Version to take; the newest by default
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<semver::Version>,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Name of the installed connector
    pub(crate) connector: String,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Forget its key and version too: the next key that comes is believed, and an older version is let in
    #[arg(long)]
    pub(crate) forget_key: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Words that the name, publisher or description must have; without any, all is listed
    pub(crate) words: Vec<String>,
    /// A folder, or `oci://HOST/REPOSITORY`. Without it, `LONGSHORE_REGISTRY`
    #[arg(long, value_name = "REGISTRY")]
    pub(crate) registry: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Path of a package, or name of an installed connector
    pub(crate) connector: String,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Do not ask the registry for what it has revoked since
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Pack {
    /// Module that the SDK built, or component of another language
    pub(crate) module: PathBuf,
    /// Its manifest
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: PathBuf,
    /// Where the package goes
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// Path of the package
    pub(crate) package: PathBuf,
    /// File of the secret key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// File of the secret key that was used before: it announces the new one, so that those who trust it go along
    #[arg(long, value_name = "FILE")]
    pub(crate) old_key: Option<PathBuf>,
    /// Signature of an earlier version whose announcements of keys are carried along
    #[arg(long, value_name = "FILE")]
    pub(crate) earlier: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// Path of the package; its signature lies beside it
    pub(crate) package: PathBuf,
    /// A folder or `oci://HOST/PREFIX`. Without it, `LONGSHORE_REGISTRY`; a login is read from `LONGSHORE_REGISTRY_USER` and
    /// `LONGSHORE_REGISTRY_PASSWORD`
    #[arg(long, value_name = "REGISTRY")]
    pub(crate) registry: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Digest of a package, or a public key
    pub(crate) revoked: String,
    /// Why, for those whom it stops
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// File of the registry operator's secret key; the first list pins it
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// A folder, or `oci://HOST/REPOSITORY`. Without it, `LONGSHORE_REGISTRY`
    #[arg(long, value_name = "REGISTRY")]
    pub(crate) registry: Option<String>,
}
