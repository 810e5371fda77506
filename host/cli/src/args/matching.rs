//! The arguments of `longshore match`.

use std::path::PathBuf;

use clap::Args;

use super::Folder;

#[derive(Debug, Args)]
pub(crate) struct Match {
    /// CSV file with a header, in UTF-8; separated by commas, semicolons or tabs
    #[arg(required_unless_present = "object")]
    pub(crate) file: Option<PathBuf>,
    /// Column that names every record
    #[arg(long, value_name = "COLUMN", required_unless_present = "object")]
    pub(crate) id: Option<String>,
    /// In place of a file the records of this object that the project has read: a standard one such as contact, or the source's own
    #[arg(long, value_name = "OBJECT", conflicts_with_all = ["file", "id", "labels"])]
    pub(crate) object: Option<String>,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Column, or property, that is not compared. May be repeated
    #[arg(long, value_name = "COLUMN")]
    pub(crate) ignore: Vec<String>,
    /// What is true, to hold the answer against: a CSV file of pairs (two ids, and a score of more than 0.5 where they are one), or the
    /// column of FILE that names each record's cluster
    #[arg(long, value_name = "LABELS")]
    pub(crate) labels: Option<String>,
    /// Write every pair that was worth more than a glance into this file, with its evidence: JSON by lines, or a table (.csv)
    #[arg(long, value_name = "OUT")]
    pub(crate) out: Option<PathBuf>,
    /// The share of links that shall be right
    #[arg(long, value_name = "SHARE", default_value_t = 0.99, value_parser = share)]
    pub(crate) precision: f64,
    /// Which pairs are drawn where not all are looked at; the same seed gives the same answer
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
}

fn share(text: &str) -> Result<f64, &'static str> {
    let share: Option<f64> = text.parse().ok();
    let share = share.filter(|share| (0.5..1.0).contains(share));
    share.ok_or("it is a share from 0.5 to below 1")
}
