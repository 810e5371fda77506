//! What `longshore match` prints and writes.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use reconcile::linkage::{Band, Cluster, Linkage, Pair, Quality};
use serde_json::{Value, json};

use super::Found;
use crate::output::{print_json, print_line};
use crate::plans::printable;

/// Clusters that are printed.
const SHOWN: usize = 50;

/// Prints what was found, for a machine.
pub(crate) fn print(found: &Found, quality: Option<&Quality>, out: Option<&Path>) {
    let linkage = &found.linkage;
    let (link, review) = linkage.thresholds();
    let ids = |cluster: &Cluster| -> Vec<String> {
        let members = cluster.members.iter();
        members
            .map(|member| linkage.id(*member).to_owned())
            .collect()
    };
    let fields = linkage.fields().map(|field| {
        json!({"name": field.field, "kind": field.kind.name(), "bits": rounded(&field.bits[1..]), "matched": rounded(&field.matched[1..])})
    });
    print_json(&json!({
        "records": linkage.records(),
        "fields": fields.collect::<Vec<_>>(),
        "not_compared": found.left_out,
        "compared": linkage.compared(),
        "links": linkage.count(Band::Link),
        "reviews": linkage.count(Band::Review),
        "link_from": link,
        "review_from": review,
        "clusters": linkage.clusters().iter().map(ids).collect::<Vec<_>>(),
        "quality": quality.map(|quality| json!({
            "precision": quality.precision(), "recall": quality.recall(), "f1": quality.f1(),
            "right": quality.right, "wrong": quality.wrong, "missed": quality.missed,
        })),
        "out": out,
    }));
}

/// Prints what was found, for a person.
pub(crate) fn show(found: &Found, quality: Option<&Quality>, out: Option<&Path>) {
    let linkage = &found.linkage;
    let say = |text: String| print_line(&printable(&text));
    let fields = linkage
        .fields()
        .map(|field| format!("{} ({})", field.field, field.kind.name()));
    say(format!("records       {}", linkage.records()));
    say(format!(
        "compared by   {}",
        fields.collect::<Vec<_>>().join(", ")
    ));
    if !found.left_out.is_empty() {
        say(format!("not compared  {}", found.left_out.join(", ")));
    }
    let (link, review) = linkage.thresholds();
    say(format!("pairs         {} compared", linkage.compared()));
    say(format!(
        "links         {}, from probability {link:.3} on",
        linkage.count(Band::Link)
    ));
    say(format!(
        "to review     {}, from probability {review:.3} on",
        linkage.count(Band::Review)
    ));
    let clusters = linkage.clusters();
    let members: usize = clusters.iter().map(|cluster| cluster.members.len()).sum();
    say(format!(
        "clusters      {} of {members} records",
        clusters.len()
    ));
    for cluster in clusters.iter().take(SHOWN) {
        let ids = cluster.members.iter().map(|member| linkage.id(*member));
        say(format!(
            "  {:>4}  {}",
            cluster.members.len(),
            ids.collect::<Vec<_>>().join(", ")
        ));
    }
    if clusters.len() > SHOWN {
        say(format!(
            "  {SHOWN} of {} clusters; --json prints all",
            clusters.len()
        ));
    }
    if let Some(quality) = quality {
        say(format!(
            "precision {:.4}, recall {:.4}, F1 {:.4}: {} pairs right, {} wrong, {} missed",
            quality.precision(),
            quality.recall(),
            quality.f1(),
            quality.right,
            quality.wrong,
            quality.missed
        ));
    }
    if let Some(path) = out {
        say(format!(
            "{} pairs with their evidence in {}",
            linkage.pairs().len(),
            path.display()
        ));
    }
}

fn rounded(numbers: &[f64]) -> Vec<f64> {
    numbers.iter().copied().map(thousandths).collect()
}

fn thousandths(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

/// Writes every pair with its evidence, whole or not at all.
pub(crate) fn write(linkage: &Linkage, path: &Path) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut aside = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    let is_table = path
        .extension()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("csv"));
    let mut writer = BufWriter::new(aside.as_file_mut());
    if is_table {
        write_table(linkage, &mut writer).with_context(cannot)?;
    } else {
        write_lines(linkage, &mut writer).with_context(cannot)?;
    }
    writer.flush().with_context(cannot)?;
    drop(writer);
    aside.persist(path).with_context(cannot)?;
    Ok(())
}

fn write_lines(linkage: &Linkage, writer: &mut impl Write) -> Result<()> {
    let cluster_of = linkage.cluster_of();
    for pair in linkage.pairs() {
        let evidence = linkage.evidence(pair).into_iter().map(|evidence| {
            json!({"field": evidence.field, "level": evidence.level.name(), "bits": thousandths(evidence.bits)})
        });
        let line = json!({
            "left": linkage.id(pair.left),
            "right": linkage.id(pair.right),
            "band": pair.band.name(),
            "probability": pair.probability,
            "weight_bits": thousandths(pair.weight),
            "prior_bits": thousandths(linkage.prior()),
            "cluster": cluster(&cluster_of, pair),
            "evidence": evidence.collect::<Vec<Value>>(),
        });
        serde_json::to_writer(&mut *writer, &line)?;
        writer.write_all(b"\n")?;
    }
    Ok(())
}

fn write_table(linkage: &Linkage, writer: &mut impl Write) -> Result<()> {
    let mut table = csv::Writer::from_writer(writer);
    let fixed = [
        "left",
        "right",
        "band",
        "probability",
        "weight_bits",
        "cluster",
    ];
    let mut header: Vec<String> = fixed.map(str::to_owned).to_vec();
    for field in linkage.fields() {
        header.extend(["level", "bits"].map(|what| format!("{}_{what}", field.field)));
    }
    table.write_record(&header)?;
    let cluster_of = linkage.cluster_of();
    for pair in linkage.pairs() {
        let mut row = vec![
            linkage.id(pair.left).to_owned(),
            linkage.id(pair.right).to_owned(),
            pair.band.name().to_owned(),
            pair.probability.to_string(),
            thousandths(pair.weight).to_string(),
            cluster(&cluster_of, pair).map_or_else(String::new, |cluster| cluster.to_string()),
        ];
        for evidence in linkage.evidence(pair) {
            row.push(evidence.level.name().to_owned());
            row.push(thousandths(evidence.bits).to_string());
        }
        table.write_record(&row)?;
    }
    table.flush()?;
    Ok(())
}

/// The cluster that both are in, counted from 1.
fn cluster(cluster_of: &[Option<usize>], pair: &Pair) -> Option<usize> {
    let (one, other) = (
        cluster_of[pair.left.index()],
        cluster_of[pair.right.index()],
    );
    one.filter(|_| one == other).map(|cluster| cluster + 1)
}
