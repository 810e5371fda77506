//! How a certificate looks: as a sheet for people, as JSON for tools.

use std::path::Path;

use model::PlanId;

use super::{Certificate, LinkProof};
use crate::audit::MoneyReport;
use crate::error::RunError;
use crate::file::WholeFile;
use crate::workbook::{Book, Cell, SheetId};

/// Writes the JSON file: whole, or not at all.
pub(super) fn write_json(path: &Path, certificate: &Certificate) -> Result<(), RunError> {
    let failed = |error: std::io::Error| RunError::File {
        path: path.to_owned(),
        error,
    };
    let (whole, file) = WholeFile::create(path).map_err(failed)?;
    let mut out = std::io::BufWriter::new(file);
    serde_json::to_writer_pretty(&mut out, certificate).map_err(|error| failed(error.into()))?;
    std::io::Write::flush(&mut out).map_err(failed)?;
    whole.finish().map_err(failed)
}

/// Fills the first sheet.
pub(super) fn add_summary(
    book: &mut Book,
    sheet: SheetId,
    certificate: &Certificate,
) -> Result<(), RunError> {
    book.widths(sheet, &[22.0, 18.0, 12.0, 12.0, 12.0, 12.0, 12.0, 60.0])?;
    book.title(sheet, "Cut-over certificate")?;
    let verdict = if certificate.equal {
        Cell::Good("both sides are equal")
    } else {
        Cell::Bad("the sides differ; see the sheet Differences")
    };
    book.row(sheet, &["Verdict".into(), verdict])?;
    let read_at = certificate.source_read_at.map(|at| at.to_string());
    let plan = certificate.plan.as_ref().map(PlanId::as_str);
    let facts = [
        ("Made", certificate.made_at.to_string()),
        (
            "Source",
            format!("{} ({})", certificate.source_account, certificate.source),
        ),
        (
            "Source read",
            read_at.unwrap_or_else(|| "never to its end".to_owned()),
        ),
        ("Destination", certificate.destination.clone()),
        ("Plan", plan.unwrap_or("none").to_owned()),
        ("Differences", certificate.differences.to_string()),
    ];
    for (name, value) in facts {
        book.row(sheet, &[name.into(), value.into()])?;
    }
    book.title(sheet, "Records")?;
    book.heading(
        sheet,
        &[
            "Object",
            "Selected",
            "Equal",
            "Differing",
            "Missing",
            "Merged",
            "Held",
            "Excluded, and why",
        ],
    )?;
    for object in &certificate.objects {
        let excluded = object.excluded.iter();
        let excluded: Vec<_> = excluded
            .map(|(why, count)| format!("{count}: {why}"))
            .collect();
        let cells = [
            object.standard.name().into(),
            object.selected.into(),
            object.equal.into(),
            object.differing.into(),
            object.missing.into(),
            object.merged.into(),
            object.held.into(),
            excluded.join("; ").into(),
        ];
        book.row(sheet, &cells)?;
    }
    add_links(book, sheet, &certificate.associations)?;
    add_money_table(book, sheet, &certificate.money)
}

fn add_links(book: &mut Book, sheet: SheetId, links: &LinkProof) -> Result<(), RunError> {
    book.title(sheet, "Associations")?;
    let lines = [
        ("Of the source", links.selected),
        ("There", links.present),
        ("Not there", links.missing),
        ("With a missing end", links.missing_end),
        ("There although the source has it no longer", links.surplus),
        ("Impossible there", links.impossible),
    ];
    for (name, count) in lines {
        book.row(sheet, &[name.into(), count.into()])?;
    }
    Ok(())
}

fn add_money_table(book: &mut Book, sheet: SheetId, money: &[MoneyReport]) -> Result<(), RunError> {
    book.title(sheet, "Deals and amounts")?;
    let heads = [
        "Pipeline",
        "Stage",
        "Currency",
        "Deals",
        "Amount",
        "Deals there",
        "Amount there",
        "Equal",
    ];
    book.heading(sheet, &heads)?;
    for line in money {
        let equal = if line.is_equal() {
            Cell::Good("equal")
        } else {
            Cell::Bad("DIFFERENT")
        };
        let cells = [
            line.key.pipeline.as_str().into(),
            line.key.stage.as_str().into(),
            line.key.currency.as_str().into(),
            line.source.records.into(),
            line.source.amount.to_string().into(),
            line.destination.records.into(),
            line.destination.amount.to_string().into(),
            equal,
        ];
        book.row(sheet, &cells)?;
    }
    Ok(())
}
