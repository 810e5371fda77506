//! `longshore match`: which records of a CSV file, which needs no project, or of what was read of a source are one. It changes nothing.
//!
//! How it is decided is `reconcile`'s.

mod account;
mod labels;
mod report;
mod table;

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use reconcile::linkage::{
    Band, Column, Linkage, Options, Records, SAMPLE, choose, infer, is_answer, link,
};

use crate::args::Match;
use crate::matching::labels::Labels;
use crate::matching::table::Table;
use crate::output::Ending;

/// What was found in a file.
pub(crate) struct Found {
    pub(crate) linkage: Linkage,
    /// The columns that were not compared.
    pub(crate) left_out: Vec<String>,
}

/// What the first reading of a file tells.
struct Survey {
    id: usize,
    /// Columns to compare, with their places.
    columns: Vec<(usize, Column)>,
    left_out: Vec<String>,
    /// The line of every record.
    lines: HashMap<String, u64>,
    /// The place of the column with the true clusters.
    clusters: Option<usize>,
}

/// Finds the records that are one, prints them, and holds them against what is known to be true.
pub(crate) fn find(command: &Match, json: bool) -> Result<Ending> {
    let options = Options {
        precision: command.precision,
        seed: command.seed,
    };
    let (records, left_out, labels) = match (&command.object, &command.file, &command.id) {
        (Some(object), ..) => {
            let (records, left_out) = account::read(command, object)?;
            (records, left_out, None)
        }
        (None, Some(file), Some(id)) => read_file(command, file, id)?,
        _ => unreachable!("the arguments ask for a file with its ids, or for an object"),
    };
    let found = Found {
        linkage: link(records, options)?,
        left_out,
    };
    let quality = labels.map(|labels| labels.judge(&found.linkage));
    if let Some(path) = &command.out {
        report::write(&found.linkage, path)?;
    }
    if json {
        report::print(&found, quality.as_ref(), command.out.as_deref());
    } else {
        report::show(&found, quality.as_ref(), command.out.as_deref());
    }
    let findings = found.linkage.clusters().len() as u64 + found.linkage.count(Band::Review);
    Ok(Ending::with(findings))
}

/// The records of a file, the columns that are not compared, and what is known to be true.
fn read_file(
    command: &Match,
    file: &Path,
    id: &str,
) -> Result<(Records, Vec<String>, Option<Labels>)> {
    let survey = survey(command, file, id)?;
    let labels = match (&command.labels, survey.clusters) {
        (Some(path), None) => {
            let is_record = |id: &str| survey.lines.contains_key(id);
            Some(Labels::read(Path::new(path), id, is_record)?)
        }
        _ => None,
    };
    let (records, clusters) = read(file, &survey)?;
    let labels = labels.or_else(|| survey.clusters.map(|_| Labels::Clusters(clusters)));
    Ok((records, survey.left_out, labels))
}

/// Reads the file once for what its columns hold and whether its ids are ids.
fn survey(command: &Match, file: &Path, name: &str) -> Result<Survey> {
    let mut table = Table::open(file)?;
    let id = table.column(name)?;
    let mut ignored = vec![id];
    for name in &command.ignore {
        ignored.push(table.column(name)?);
    }
    let labels = command.labels.as_deref();
    let clusters = labels.and_then(|name| table.headers.iter().position(|header| header == name));
    ignored.extend(clusters);
    let mut samples: Vec<Vec<String>> = vec![Vec::new(); table.headers.len()];
    let mut lines = HashMap::new();
    while let Some((line, row)) = table.next()? {
        let own = row.get(id).unwrap_or_default().to_owned();
        for (sample, value) in samples.iter_mut().zip(row) {
            if sample.len() < SAMPLE && !value.is_empty() {
                sample.push(value.to_owned());
            }
        }
        let remedy = "give every record an id of its own, or --id a column that has one";
        if own.is_empty() {
            let what = format!("column {name:?} is empty");
            return Err(table.error(line, &what, remedy));
        }
        if let Some(first) = lines.get(&own) {
            let what = format!("column {name:?} has the id {own:?} of line {first} again");
            return Err(table.error(line, &what, remedy));
        }
        lines.insert(own, line);
    }
    let all: Vec<(usize, Column)> = (0..table.headers.len())
        .filter(|at| !ignored.contains(at) && !is_answer(&table.headers[*at]))
        .filter_map(|at| {
            let kind = infer(&table.headers[at], samples[at].iter().map(String::as_str))?;
            let name = table.headers[at].clone();
            Some((at, Column { name, kind }))
        })
        .collect();
    let kinds: Vec<Column> = all.iter().map(|(_, column)| column.clone()).collect();
    let chosen = all.into_iter().zip(choose(&kinds));
    let columns: Vec<_> = chosen
        .filter(|(_, is)| *is)
        .map(|(column, _)| column)
        .collect();
    let is_left = |at: &usize| *at != id && columns.iter().all(|(other, _)| other != at);
    let left_out = (0..table.headers.len()).filter(is_left);
    Ok(Survey {
        id,
        left_out: left_out.map(|at| table.headers[at].clone()).collect(),
        columns,
        lines,
        clusters,
    })
}

/// Reads the file again for its records, and for their true clusters where a column has them.
fn read(path: &Path, survey: &Survey) -> Result<(Records, HashMap<String, String>)> {
    let columns = survey.columns.iter().map(|(_, column)| column.clone());
    let mut records = Records::new(columns.collect())?;
    let mut clusters = HashMap::new();
    let mut table = Table::open(path)?;
    while let Some((_, row)) = table.next()? {
        let cell = |at: usize| row.get(at).unwrap_or_default();
        let id = cell(survey.id);
        records.push(id, survey.columns.iter().map(|(at, _)| cell(*at)));
        let label = survey.clusters.map(cell).filter(|label| !label.is_empty());
        if let Some(label) = label {
            clusters.insert(id.to_owned(), label.to_owned());
        }
    }
    Ok((records, clusters))
}
