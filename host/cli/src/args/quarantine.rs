//! The commands below `longshore quarantine`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Folder;

#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List the causes for which records are held: how many, an example, what to do
    List(HeldList),
    /// Show held records with their messages and their rows as they came
    Show(HeldShow),
    /// Correct held records by hand. The source is never written: the correction is laid over what is read of it, now and later
    Fix(HeldFix),
    /// Try held records again from what was read, without reading the source again; shows the plan and asks
    Replay(HeldReplay),
}

#[derive(Debug, Args)]
pub(crate) struct HeldList {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Only this object: a standard one such as contact, or the source's own. May be repeated
    #[arg(long, value_name = "OBJECT")]
    pub(crate) object: Vec<String>,
    /// Only this cause, by its handle
    #[arg(long, value_name = "CAUSE", value_parser = handle)]
    pub(crate) cause: Option<String>,
    /// How many causes are printed; 0 prints all
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
}

/// Which held records are meant.
#[derive(Debug, Args)]
pub(crate) struct Held {
    /// Its object: a standard one such as contact, or the source's own
    #[arg(requires = "id", conflicts_with = "cause")]
    pub(crate) object: Option<String>,
    /// Its id at the source; for a broken row without one its place, such as `page 1 line 4`
    pub(crate) id: Option<String>,
    /// All records of this cause, by its handle
    #[arg(long, value_name = "CAUSE", value_parser = handle)]
    pub(crate) cause: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct HeldShow {
    #[command(flatten)]
    pub(crate) folder: Folder,
    #[command(flatten)]
    pub(crate) held: Held,
    /// How many records are printed; 0 prints all
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
#[group(id = "decision", required = true, args = ["set", "row", "drop", "undo"])]
pub(crate) struct HeldFix {
    #[command(flatten)]
    pub(crate) folder: Folder,
    #[command(flatten)]
    pub(crate) held: Held,
    /// Set a field of the source, by its name or label; no value makes it blank. May be repeated
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair, conflicts_with_all = ["row", "drop", "undo"])]
    pub(crate) set: Vec<(String, String)>,
    /// Take the row in this JSON file in place of the broken one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["drop", "undo", "cause"])]
    pub(crate) row: Option<PathBuf>,
    /// Leave it out: it is excluded, with your name as the reason
    #[arg(long, conflicts_with = "undo")]
    pub(crate) drop: bool,
    /// Take back what was corrected
    #[arg(long)]
    pub(crate) undo: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HeldReplay {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Its object, or `all`, which is the default: everything that failed, and everything that was corrected since
    #[arg(conflicts_with = "cause")]
    pub(crate) object: Option<String>,
    /// Its id at the source
    pub(crate) id: Option<String>,
    /// All records of this cause, by its handle
    #[arg(long, value_name = "CAUSE", value_parser = handle)]
    pub(crate) cause: Option<String>,
    /// Approve the plan without being asked
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) ignore: Ignore,
}

/// Causes that a person has seen.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Ignore {
    /// Go on although too many records fail for this cause, by its handle. May be repeated
    #[arg(long, value_name = "CAUSE", value_parser = handle)]
    pub(crate) ignore_cause: Vec<String>,
}

/// A cause's handle.
fn handle(text: &str) -> Result<String, &'static str> {
    let is_handle = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_handle {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(
            "a cause's handle has eight hexadecimal digits; `longshore quarantine list` tells them",
        ),
    }
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (field, value) = text.split_once('=').ok_or("write it as FIELD=VALUE")?;
    Ok((field.trim().to_owned(), value.to_owned()))
}
