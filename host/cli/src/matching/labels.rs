//! What is known to be true: pairs in a file, or a column of the table.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use reconcile::linkage::{Linkage, Quality, judge_clusters, judge_pairs};

use super::table::Table;
use crate::failure::WithHint;

/// What is known to be true.
pub(crate) enum Labels {
    /// The cluster of every record, by its id.
    Clusters(HashMap<String, String>),
    /// Pairs of ids, each with whether it is one.
    Pairs(Vec<(String, String, bool)>),
}

impl Labels {
    /// Reads the pairs of a file, whose ids must be those of records.
    pub(crate) fn read(path: &Path, id: &str, is_record: impl Fn(&str) -> bool) -> Result<Self> {
        if !path.exists() {
            return Err(WithHint::error(
                format!(
                    "{} is neither a file nor a column of the table",
                    path.display()
                ),
                "give --labels a CSV file of pairs, or the name of the column with the true clusters",
            ));
        }
        let mut table = Table::open(path)?;
        let (left, right) = id_columns(&table, id)?;
        let score = score_column(&table.headers, left, right);
        let mut pairs = Vec::new();
        while let Some((line, row)) = table.next()? {
            let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
            let (one, other) = (cell(left), cell(right));
            let is_one = match score.map(cell) {
                None => Some(true),
                Some(text) => truth(&text),
            };
            let Some(is_one) = is_one else {
                return Err(table.error(
                    line,
                    &format!(
                        "column {:?} is neither a number nor true or false",
                        table.headers[score.unwrap_or_default()]
                    ),
                    "a score of more than 0.5 says that both are one",
                ));
            };
            if let Some(stranger) = [&one, &other].into_iter().find(|id| !is_record(id)) {
                return Err(table.error(
                    line,
                    &format!("there is no record {stranger:?}"),
                    "labels name records by what the column of --id holds",
                ));
            }
            pairs.push((one, other, is_one));
        }
        Ok(Self::Pairs(pairs))
    }

    /// Holds a linkage against it.
    pub(crate) fn judge(&self, linkage: &Linkage) -> Quality {
        match self {
            Self::Clusters(labels) => {
                judge_clusters(linkage, |id| labels.get(id).map(String::as_str))
            }
            Self::Pairs(pairs) => {
                let pairs = pairs.iter().map(|(one, other, is)| (&**one, &**other, *is));
                judge_pairs(linkage, pairs)
            }
        }
    }
}

/// The two columns with ids: those that end in a side's name, else the first two.
fn id_columns(table: &Table<'_>, id: &str) -> Result<(usize, usize)> {
    const SIDES: [(&str, &str); 6] = [
        ("_l", "_r"),
        ("_a", "_b"),
        ("_1", "_2"),
        ("_left", "_right"),
        ("1", "2"),
        ("a", "b"),
    ];
    let headers = &table.headers;
    let find = |name: &str| headers.iter().position(|header| header == name);
    for stem in [id, "unique_id", "record_id", "rec_id", "id"] {
        for (one, other) in SIDES {
            let sides = find(&format!("{stem}{one}")).zip(find(&format!("{stem}{other}")));
            let turned = one.trim_start_matches('_').to_owned() + "_" + stem;
            let turned = find(&turned).zip(find(
                &(other.trim_start_matches('_').to_owned() + "_" + stem),
            ));
            if let Some(found) = sides.or(turned) {
                return Ok(found);
            }
        }
    }
    if headers.len() < 2 {
        return Err(table.error(
            1,
            "labels need two columns with ids",
            "name them id_a and id_b, and a third one, if any, score",
        ));
    }
    Ok((0, 1))
}

fn score_column(headers: &[String], left: usize, right: usize) -> Option<usize> {
    const NAMES: [&str; 5] = ["score", "match", "label", "duplicate", "truth"];
    let others = || (0..headers.len()).filter(move |at| *at != left && *at != right);
    let is_score = |at: &usize| {
        let name = headers[*at].to_lowercase();
        NAMES.iter().any(|part| name.contains(part))
    };
    let alone = || others().next().filter(|_| others().count() == 1);
    others().find(is_score).or_else(alone)
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "match" => Some(true),
        "false" | "no" | "n" | "" => Some(false),
        number => number.parse::<f64>().ok().map(|score| score > 0.5),
    }
}
