//! The sheets of the audit workbook and what their rows say. Counting and comparing is the audit's.

use std::path::Path;

use model::ledger::OutcomeKind;
use model::mapping::ObjectMapping;
use model::plan::{Action, Plan};
use model::{Finding, FindingCode, ObjectInfo, ObjectName};
use reconcile::{Account, Distinct, MoneyKey, MoneyTotal, ObjectStatistics};
use store::AuditedAction;

use crate::error::RunError;
use crate::links::LinkCounts;
use crate::workbook::{Book, Cell, SheetId};

/// The open workbook with the sheets that every audit has.
pub(crate) struct Sheets {
    book: Book,
    results: SheetId,
    left_out: SheetId,
    duplicates: SheetId,
    findings: SheetId,
}

/// One line of the summary.
pub(crate) struct ResultLine<'a> {
    pub(crate) object: &'a ObjectMapping,
    pub(crate) account: &'a Account,
    pub(crate) read_back: u64,
    pub(crate) differing: u64,
}

/// One line of the money table.
pub(crate) struct MoneyLine<'a> {
    pub(crate) key: &'a MoneyKey,
    pub(crate) source: &'a MoneyTotal,
    pub(crate) destination: &'a MoneyTotal,
}

impl Sheets {
    /// Begins the workbook: the summary stands first, although it is written last.
    pub(crate) fn new(path: &Path) -> Result<Self, RunError> {
        let mut book = Book::new(path);
        let results = book.add_sheet("Export results", &[])?;
        book.widths(
            results,
            &[
                26.0, 18.0, 14.0, 12.0, 12.0, 12.0, 12.0, 12.0, 14.0, 12.0, 14.0,
            ],
        )?;
        let left_out = [
            ("Object", 16.0),
            ("Source id", 20.0),
            ("What became of it", 18.0),
            ("Reason", 80.0),
        ];
        let duplicates = [
            ("Object", 16.0),
            ("Source id", 20.0),
            ("Kept record", 20.0),
            ("Why they are one", 60.0),
            ("Destination id", 16.0),
        ];
        let findings = [
            ("Finding", 22.0),
            ("Object", 16.0),
            ("Source id", 20.0),
            ("Field", 30.0),
            ("What it is", 90.0),
        ];
        Ok(Self {
            left_out: book.add_sheet("Excluded and failed", &left_out)?,
            duplicates: book.add_sheet("Duplicates", &duplicates)?,
            findings: book.add_sheet("Findings", &findings)?,
            results,
            book,
        })
    }

    /// Adds the sheet that says what became of each record of an object.
    pub(crate) fn add_records(&mut self, object: &ObjectMapping) -> Result<SheetId, RunError> {
        let columns = [
            ("Source id", 24.0),
            ("What became of it", 18.0),
            ("Destination id", 16.0),
            ("Reason", 60.0),
        ];
        self.book
            .add_sheet(&format!("{} records", object.destination), &columns)
    }

    /// Says what became of one record.
    pub(crate) fn record(
        &mut self,
        sheet: SheetId,
        audited: &AuditedAction,
    ) -> Result<(), RunError> {
        let (object, record) = (
            audited.planned.object.as_str(),
            audited.planned.record.as_str(),
        );
        let Some(outcome) = &audited.outcome else {
            return Ok(());
        };
        let destination = outcome.destination.as_ref().map_or("", |id| id.as_str());
        let reason = match &outcome.error {
            Some(error) => error.clone(),
            None => audited.planned.action.reason().to_string(),
        };
        let kind = outcome.kind.name();
        match (outcome.kind, &audited.planned.action) {
            (OutcomeKind::Excluded | OutcomeKind::Failed, _) => {
                self.book.row(
                    self.left_out,
                    &[
                        object.into(),
                        record.into(),
                        kind.into(),
                        reason.as_str().into(),
                    ],
                )?;
            }
            (OutcomeKind::Linked, Action::Link { survivor, .. }) => {
                let cells = [
                    object.into(),
                    record.into(),
                    survivor.as_str().into(),
                    reason.as_str().into(),
                    destination.into(),
                ];
                self.book.row(self.duplicates, &cells)?;
            }
            _ => {}
        }
        self.book.row(
            sheet,
            &[
                record.into(),
                kind.into(),
                destination.into(),
                reason.into(),
            ],
        )
    }

    /// Adds the sheet of an object: each property with its kind, its counterpart's, and what was found in it.
    pub(crate) fn add_properties(
        &mut self,
        object: &ObjectMapping,
        source: &ObjectInfo,
        target: &ObjectInfo,
        read: Option<(&ObjectInfo, &ObjectStatistics)>,
    ) -> Result<(), RunError> {
        let columns = [
            ("Name", 36.0),
            ("Label", 28.0),
            ("Data type", 12.0),
            ("Matching property", 36.0),
            ("Matching data type", 18.0),
            ("Created or existing", 18.0),
            ("Lossless", 12.0),
            ("Fill rate", 10.0),
            ("Filled", 10.0),
            ("Distinct values", 15.0),
            ("Longest value", 14.0),
            ("Further information", 60.0),
        ];
        let sheet = self.book.add_sheet(object.destination.as_str(), &columns)?;
        for field in source.fields.iter() {
            let mapped = object
                .fields
                .iter()
                .find(|entry| entry.source == field.name);
            let mut cells: Vec<Cell<'_>> = vec![
                field.name.as_str().into(),
                field.label.as_str().into(),
                field.kind.name().into(),
            ];
            match mapped {
                None => {
                    let reason = object
                        .unmapped
                        .iter()
                        .find(|(name, _)| *name == field.name)
                        .map_or("", |(_, reason)| reason);
                    cells.extend((0..8).map(|_| Cell::from("")));
                    cells.push(format!("not migrated: {reason}").into());
                }
                Some(entry) => {
                    let kind = target
                        .fields
                        .find(&entry.destination)
                        .and_then(|at| target.fields.get(at));
                    cells.push(entry.destination.as_str().into());
                    cells.push(kind.map_or("", |info| info.kind.name()).into());
                    cells.push(
                        if entry.create.is_some() {
                            "created"
                        } else {
                            "existing"
                        }
                        .into(),
                    );
                    cells.push(if entry.lossless {
                        Cell::Good("lossless")
                    } else {
                        Cell::Bad("lossy")
                    });
                    cells.extend(statistics_cells(&entry.destination, read));
                }
            }
            self.book.row(sheet, &cells)?;
        }
        Ok(())
    }

    /// Adds one finding.
    pub(crate) fn finding(&mut self, finding: &Finding) -> Result<(), RunError> {
        let text = |text: &Option<String>| Cell::from(text.clone().unwrap_or_default());
        let (code, object) = (finding.code.name().into(), finding.object.as_str().into());
        self.book.row(
            self.findings,
            &[
                code,
                object,
                text(&finding.record),
                text(&finding.field),
                finding.message.as_str().into(),
            ],
        )
    }

    /// Writes the summary and the file.
    pub(crate) fn finish(
        mut self,
        plan: &Plan,
        lines: &[ResultLine<'_>],
        money: &[MoneyLine<'_>],
        links: &LinkCounts,
        findings: &[(FindingCode, ObjectName, u64)],
    ) -> Result<(), RunError> {
        self.write_objects(plan, lines)?;
        let (book, results) = (&mut self.book, self.results);
        book.title(results, "Associations")?;
        book.heading(results, &["What became of them", "Count"])?;
        for (outcome, count) in &links.made {
            book.row(results, &[outcome.name().into(), (*count).into()])?;
        }
        for (outcome, count) in &links.removed {
            let told = format!("to be taken away: {}", outcome.name());
            book.row(results, &[told.into(), (*count).into()])?;
        }
        if !money.is_empty() {
            book.title(results, "Deal amounts")?;
            let heads = [
                "Pipeline",
                "Stage",
                "Currency",
                "Source deals",
                "Source amount",
                "Destination deals",
                "Destination amount",
                "Equal",
            ];
            book.heading(results, &heads)?;
        }
        for MoneyLine {
            key,
            source,
            destination,
        } in money
        {
            let state = if source == destination {
                Cell::Good("equal")
            } else {
                Cell::Bad("different")
            };
            let (here, there) = (
                source.amount.to_string().into(),
                destination.amount.to_string().into(),
            );
            let (pipeline, stage) = (key.pipeline.as_str().into(), key.stage.as_str().into());
            let currency = key.currency.as_str().into();
            book.row(
                results,
                &[
                    pipeline,
                    stage,
                    currency,
                    source.records.into(),
                    here,
                    destination.records.into(),
                    there,
                    state,
                ],
            )?;
        }
        book.title(results, "Findings")?;
        book.heading(results, &["Finding", "Object", "Count"])?;
        for (code, object, count) in findings {
            book.row(
                results,
                &[code.name().into(), object.as_str().into(), (*count).into()],
            )?;
        }
        self.book.finish()
    }

    fn write_objects(&mut self, plan: &Plan, lines: &[ResultLine<'_>]) -> Result<(), RunError> {
        let (book, results) = (&mut self.book, self.results);
        book.title(results, "Export results")?;
        book.row(
            results,
            &["Source".into(), plan.header.connection.as_str().into()],
        )?;
        book.row(
            results,
            &[
                "Destination".into(),
                plan.header.destination.as_str().into(),
            ],
        )?;
        book.row(results, &["Plan".into(), plan.hash.as_str().into()])?;
        book.row(
            results,
            &[
                "Plan made".into(),
                plan.header.created_at.to_string().into(),
            ],
        )?;
        book.row(
            results,
            &[
                "selected = created + updated + unchanged + excluded + failed, for every object"
                    .into(),
            ],
        )?;
        book.title(results, "Objects")?;
        let heads = [
            "Object",
            "Source object",
            "Selected",
            "Created",
            "Updated",
            "Unchanged",
            "Excluded",
            "Failed",
            "Adds up",
            "Read back",
            "Differing",
        ];
        book.heading(results, &heads)?;
        for ResultLine {
            object,
            account,
            read_back,
            differing,
        } in lines
        {
            book.row(
                results,
                &[
                    object.destination.as_str().into(),
                    object.source.as_str().into(),
                    account.selected().into(),
                    account.created().into(),
                    account.updated().into(),
                    account.unchanged().into(),
                    account.excluded().into(),
                    account.failed().into(),
                    Cell::Good("yes"),
                    (*read_back).into(),
                    (*differing).into(),
                ],
            )?;
        }
        Ok(())
    }
}

/// Fill rate, filled, distinct, longest, further information.
fn statistics_cells(
    property: &str,
    read: Option<(&ObjectInfo, &ObjectStatistics)>,
) -> Vec<Cell<'static>> {
    let found = read.and_then(|(info, statistics)| {
        let at = info.fields.find(property)?;
        Some((
            statistics.records(),
            statistics.fields().get(usize::from(at))?,
        ))
    });
    let Some((records, field)) = found else {
        return Vec::new();
    };
    let rate = if records == 0 {
        0.0
    } else {
        field.filled() as f64 / records as f64
    };
    let distinct = match field.distinct() {
        Distinct::Exactly(count) => count.into(),
        Distinct::MoreThan(count) => format!("more than {count}").into(),
    };
    let range = match (field.least(), field.most()) {
        (Some(least), Some(most)) => format!("from {} to {}", least.as_ref(), most.as_ref()),
        _ => String::new(),
    };
    vec![
        Cell::Share(rate),
        field.filled().into(),
        distinct,
        field.longest_chars().into(),
        range.into(),
    ]
}
