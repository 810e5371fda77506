//! How right the matcher is on labelled sets of others, with its one default configuration.
#![expect(
    clippy::print_stderr,
    reason = "the figures are for whoever looks at them"
)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use reconcile::linkage::{
    Column, Linkage, Options, Quality, Records, infer, judge_clusters, judge_pairs, link,
};

/// The folder of labelled sets: beside the workspace, or beside a folder that it is in.
fn find_sets() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = root.ancestors().skip(2);
    let found = places.map(|place| place.join("shared/data/matching"));
    found.into_iter().find(|folder| folder.is_dir())
}

struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn read(name: &str) -> Option<Table> {
    let Some(folder) = find_sets() else {
        eprintln!(
            "SKIPPED, nothing was tested: there is no shared/data/matching beside the workspace"
        );
        return None;
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(folder.join(name))
        .expect("the set is there");
    let texts = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
    Some(Table {
        headers: texts(reader.headers().expect("a header")),
        rows: reader
            .records()
            .map(|row| texts(&row.expect("a row")))
            .collect(),
    })
}

impl Table {
    fn link(&self, ignored: &[&str]) -> Linkage {
        let columns: Vec<(usize, Column)> = (1..self.headers.len())
            .filter(|at| !ignored.contains(&self.headers[*at].as_str()))
            .filter_map(|at| {
                let kind = infer(&self.headers[at], self.rows.iter().map(|row| &*row[at]))?;
                let name = self.headers[at].clone();
                Some((at, Column { name, kind }))
            })
            .collect();
        let kinds = columns.iter().map(|(_, column)| column.clone()).collect();
        let mut records = Records::new(kinds).expect("few columns");
        for row in &self.rows {
            records.push(&row[0], columns.iter().map(|(at, _)| &*row[*at]));
        }
        link(records, Options::default()).expect("ids differ")
    }
}

fn tell(what: &str, linkage: &Linkage, quality: Quality) -> Quality {
    eprintln!(
        "{what}: precision {:.4}, recall {:.4}, F1 {:.4} ({quality:?}); {} compared, thresholds {:?}",
        quality.precision(),
        quality.recall(),
        quality.f1(),
        linkage.compared(),
        linkage.thresholds(),
    );
    quality
}

/// The number in `rec-17-org` and `rec-17-dup-0`.
fn number(id: &str) -> Option<&str> {
    id.split('-').nth(1)
}

#[test]
fn febrl1_is_found_whole() {
    let Some(table) = read("febrl1.csv") else {
        return;
    };
    let linkage = table.link(&["soc_sec_id"]);
    let quality = tell("febrl1", &linkage, judge_clusters(&linkage, number));
    assert!(quality.f1() >= 0.995, "{quality:?}");
}

#[test]
fn febrl2_is_found_whole() {
    let Some(table) = read("febrl2.csv") else {
        return;
    };
    let linkage = table.link(&["soc_sec_id"]);
    let quality = tell("febrl2", &linkage, judge_clusters(&linkage, number));
    assert!(quality.f1() >= 0.99, "{quality:?}");
}

#[test]
fn fake_1000_is_found_without_wrong_links() {
    let Some(table) = read("fake_1000.csv") else {
        return;
    };
    let linkage = table.link(&[]);
    let labels: HashMap<&str, &str> = table.rows.iter().map(|row| (&*row[0], &*row[6])).collect();
    let quality = judge_clusters(&linkage, |id| labels.get(id).copied());
    let quality = tell("fake_1000", &linkage, quality);
    assert!(quality.precision() >= 0.99, "{quality:?}");
    assert!(quality.recall() >= 0.80, "{quality:?}");
    let pairs = read("fake_1000_labels.csv").unwrap();
    let labelled = pairs
        .rows
        .iter()
        .map(|row| (&*row[0], &*row[2], row[4].parse::<f64>().unwrap() > 0.5));
    tell(
        "fake_1000 by pairs",
        &linkage,
        judge_pairs(&linkage, labelled),
    );
}
