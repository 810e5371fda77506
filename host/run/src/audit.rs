//! Audit: reads the destination back, compares it with the plan, and proves the account of every object.
//!
//! `selected = created + updated + unchanged + excluded + failed`, and money per stage and currency to the cent. It writes nothing to the
//! destination.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use model::catalog::StandardObject;
use model::destination::Prepared;
use model::ledger::OutcomeKind;
use model::mapping::ObjectMapping;
use model::plan::{Action, Plan};
use model::row::RowWriter;
use model::{Batch, DestinationRecordId, Finding, FindingCode, Instant, ObjectInfo, ObjectName};
use reconcile::{
    Account, Difference, MoneyKey, MoneyTotal, ObjectPlanner, ObjectStatistics, ReadBack, Tally,
};
use serde::{Serialize, Serializer};
use serde_json::json;
use store::AuditedAction;

use crate::bind::Binder;
use crate::context::{BATCH_RECORDS, Context, decode_stored, properties};
use crate::correct::lay_plan_corrections;
use crate::discover::check_destination;
use crate::error::RunError;
use crate::links::LinkCounts;
use crate::lookup::Memory;
use crate::money::DealMoney;
use crate::open::{AUDITED, PREPARED, refuse_rolled_back};
use crate::plan::find_planner;
use crate::progress::Phase;
use crate::sheets::{MoneyLine, ResultLine, Sheets};
use crate::workbook::SheetId;

/// What an audit found.
#[derive(Clone, Debug)]
pub struct AuditSummary {
    /// Object by object, in the order of writing.
    pub objects: Vec<ObjectReport>,
    /// What became of the planned associations.
    pub links: LinkCounts,
    /// Deals and their amounts on both sides.
    pub money: Vec<MoneyReport>,
    /// How many findings there are of each kind.
    pub findings: Vec<(FindingCode, ObjectName, u64)>,
    /// Where the workbook is.
    pub workbook: PathBuf,
}

/// What became of one object.
#[derive(Clone, Debug)]
pub struct ObjectReport {
    /// The source's object.
    pub source: ObjectName,
    /// What it is.
    pub standard: StandardObject,
    /// The destination's object.
    pub destination: ObjectName,
    /// The balanced account.
    pub account: Account,
    /// Records that were read back.
    pub read_back: u64,
    /// Records that are missing or in which a property is not as planned.
    pub differing: u64,
}

/// Deals and amounts of one stage and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyReport {
    /// Pipeline, stage and currency.
    pub key: MoneyKey,
    /// What the source's migrated deals come to.
    pub source: MoneyTotal,
    /// What the destination's come to.
    pub destination: MoneyTotal,
}

impl Serialize for MoneyReport {
    /// Amounts as texts, so that no cent is lost on the way.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = json!({
            "pipeline": self.key.pipeline, "stage": self.key.stage, "currency": self.key.currency,
            "source_count": self.source.records, "source_amount": self.source.amount.to_string(),
            "destination_count": self.destination.records, "destination_amount": self.destination.amount.to_string(),
            "equal": self.is_equal(),
        });
        line.serialize(serializer)
    }
}

impl MoneyReport {
    /// Whether both sides agree in number and to the cent.
    pub fn is_equal(&self) -> bool {
        self.source == self.destination
    }
}

impl AuditSummary {
    /// How many findings there are.
    pub fn finding_count(&self) -> u64 {
        self.findings.iter().map(|(_, _, count)| count).sum()
    }

    /// How many records failed.
    pub fn failed_count(&self) -> u64 {
        self.objects
            .iter()
            .map(|object| object.account.failed())
            .sum()
    }
}

/// Reads back everything the plan wrote and writes the workbook to `path`.
///
/// # Errors
/// When the plan is not carried out to its end, when an account does not balance, or when a side, the state or the disk fails.
pub async fn audit(
    ctx: &mut Context<'_>,
    plan: &Plan,
    path: &Path,
) -> Result<AuditSummary, RunError> {
    check_destination(ctx).await?;
    lay_plan_corrections(ctx, plan)?;
    refuse_rolled_back(ctx.store, &plan.id)?;
    let prepared: Option<Prepared> = ctx.store.load_document(PREPARED, plan.id.as_str())?;
    let prepared = prepared.ok_or_else(|| RunError::NotYet {
        missing: "apply",
        why: format!("plan {} was not carried out", plan.id),
    })?;
    let destination = ctx
        .destination
        .fetch_catalog()
        .await
        .map_err(|error| RunError::destination("reading the catalog", error))?;
    let memory = Memory::new(&ctx.connection, Binder::new(&ctx.connection, &prepared));
    let mut sheets = Sheets::new(path)?;
    let currency = ctx
        .store
        .load_document::<String>("account-currency", ctx.connection.as_str())?
        .unwrap_or_default();
    let (mut objects, mut money) = (Vec::new(), Vec::new());
    for object in &plan.header.mapping.objects {
        let header = &plan.header;
        let (source, target) = (&header.source, &header.target);
        let planner = find_planner(&header.mapping, source, target, target, object)?;
        let deals = DealMoney::new(object, planner.source(), &destination, &prepared, &currency);
        let mut work = Work::new(plan, object, &planner, &memory, deals);
        ctx.progress
            .begin(Phase::Audit, &object.source, work.count_planned());
        let audited = work.audit_object(ctx, &mut sheets).await;
        ctx.progress.end();
        objects.push(audited?);
        money.extend(work.money.iter().flat_map(compare_money));
        work.add_properties(&mut sheets)?;
    }
    let links = LinkCounts {
        made: ctx.store.link_outcome_counts(&plan.id)?,
        removed: ctx.store.removal_counts(&plan.id)?,
    };
    check_links(plan, &links)?;
    let findings = write_findings(ctx, &mut sheets)?;
    finish_sheets(sheets, plan, &objects, &money, (&links, &findings))?;
    ctx.store
        .save_document(AUDITED, plan.id.as_str(), &Instant::now())?;
    Ok(AuditSummary {
        objects,
        links,
        money,
        findings,
        workbook: path.to_owned(),
    })
}

/// Findings by code and object.
type FindingCounts = [(FindingCode, ObjectName, u64)];

/// Writes the summary, and with it the file.
fn finish_sheets(
    sheets: Sheets,
    plan: &Plan,
    objects: &[ObjectReport],
    money: &[MoneyReport],
    (links, findings): (&LinkCounts, &FindingCounts),
) -> Result<(), RunError> {
    let pairs = plan.header.mapping.objects.iter().zip(objects);
    let lines = pairs.map(|(object, report)| ResultLine {
        object,
        account: &report.account,
        read_back: report.read_back,
        differing: report.differing,
    });
    let table = money.iter().map(|line| MoneyLine {
        key: &line.key,
        source: &line.source,
        destination: &line.destination,
    });
    let (lines, table): (Vec<_>, Vec<_>) = (lines.collect(), table.collect());
    sheets.finish(plan, &lines, &table, links, findings)
}

/// Every planned link has an outcome, too, and so has every one that was to be taken away.
fn check_links(plan: &Plan, links: &LinkCounts) -> Result<(), RunError> {
    let (done, planned) = (links.total(), plan.header.links + plan.header.removals);
    if done == planned {
        return Ok(());
    }
    let why = format!(
        "{} of {planned} associations of plan {} have no outcome",
        planned.abs_diff(done),
        plan.id
    );
    Err(RunError::NotYet {
        missing: "apply",
        why,
    })
}

pub(crate) fn compare_money(money: &DealMoney) -> Vec<MoneyReport> {
    let (source, destination): (HashMap<_, _>, HashMap<_, _>) = (
        money.source.iter().collect(),
        money.destination.iter().collect(),
    );
    let mut keys: Vec<_> = source.keys().chain(destination.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let find = |totals: &HashMap<&MoneyKey, &MoneyTotal>, key: &MoneyKey| {
        totals
            .get(key)
            .map_or_else(MoneyTotal::default, |total| **total)
    };
    keys.into_iter()
        .map(|key| MoneyReport {
            key: key.clone(),
            source: find(&source, key),
            destination: find(&destination, key),
        })
        .collect()
}

fn write_findings(
    ctx: &Context<'_>,
    sheets: &mut Sheets,
) -> Result<Vec<(FindingCode, ObjectName, u64)>, RunError> {
    let mut after = 0;
    loop {
        let findings = ctx.store.load_findings(ctx.run, after, BATCH_RECORDS)?;
        let Some((last, _)) = findings.last() else {
            return Ok(ctx.store.finding_counts(ctx.run)?);
        };
        after = *last;
        findings
            .iter()
            .try_for_each(|(_, finding)| sheets.finding(finding))?;
    }
}

struct Work<'w> {
    plan: &'w Plan,
    object: &'w ObjectMapping,
    planner: &'w ObjectPlanner,
    memory: &'w Memory,
    money: Option<DealMoney>,
    statistics: Option<(std::sync::Arc<ObjectInfo>, ObjectStatistics)>,
    differing: u64,
}

impl<'w> Work<'w> {
    fn new(
        plan: &'w Plan,
        object: &'w ObjectMapping,
        planner: &'w ObjectPlanner,
        memory: &'w Memory,
        money: Option<DealMoney>,
    ) -> Self {
        let (statistics, differing) = (None, 0);
        Self {
            plan,
            object,
            planner,
            memory,
            money,
            statistics,
            differing,
        }
    }

    /// How many records the plan has of the object: for the progress bar.
    fn count_planned(&self) -> Option<u64> {
        let mut counts = self.plan.header.counts.iter();
        let found = counts.find(|(name, ..)| *name == self.object.source);
        found.map(|(.., counts)| counts.selected)
    }

    fn add_properties(&self, sheets: &mut Sheets) -> Result<(), RunError> {
        let read = self.statistics.as_ref();
        let read = read.map(|(info, statistics)| (info.as_ref(), statistics));
        let (source, planned) = (self.planner.source(), self.planner.planned());
        sheets.add_properties(self.object, source, planned, read)
    }

    async fn audit_object(
        &mut self,
        ctx: &mut Context<'_>,
        sheets: &mut Sheets,
    ) -> Result<ObjectReport, RunError> {
        let sheet = sheets.add_records(self.object)?;
        let (mut after, mut tally) = (0, Tally::default());
        let selected = self.count_selected(ctx)?;
        loop {
            ctx.go_on()?;
            let audited = ctx.store.load_outcomes(
                &self.plan.id,
                &self.object.source,
                after,
                BATCH_RECORDS,
            )?;
            let Some(last) = audited.last() else { break };
            after = last.position;
            self.tell_records(sheets, sheet, &audited, &mut tally)?;
            self.read_back(ctx, &audited).await?;
            ctx.progress.advance(audited.len() as u64);
        }
        let account = Account::new(selected, tally).map_err(|unbalanced| {
            RunError::Inconsistent(format!(
                "the account of {} does not balance: {unbalanced}",
                self.object.source
            ))
        })?;
        Ok(ObjectReport {
            source: self.object.source.clone(),
            standard: self.object.standard,
            destination: self.object.destination.clone(),
            account,
            read_back: self
                .statistics
                .as_ref()
                .map_or(0, |(_, statistics)| statistics.records()),
            differing: self.differing,
        })
    }

    /// Counted at the source's side, not from the plan: a record that the plan forgot would be missing here.
    fn count_selected(&self, ctx: &Context<'_>) -> Result<u64, RunError> {
        let (connection, source) = (&ctx.connection, &self.object.source);
        Ok(ctx.store.staged_count(connection, source)?
            + ctx.store.quarantined_count(connection, source)?)
    }

    fn tell_records(
        &self,
        sheets: &mut Sheets,
        sheet: SheetId,
        audited: &[AuditedAction],
        tally: &mut Tally,
    ) -> Result<(), RunError> {
        for action in audited {
            let Some(outcome) = &action.outcome else {
                let why = format!(
                    "{} {} of plan {} has no outcome",
                    action.planned.object, action.planned.record, self.plan.id
                );
                return Err(RunError::NotYet {
                    missing: "apply",
                    why,
                });
            };
            tally.add(outcome.kind);
            sheets.record(sheet, action)?;
        }
        Ok(())
    }

    async fn read_back(
        &mut self,
        ctx: &mut Context<'_>,
        audited: &[AuditedAction],
    ) -> Result<(), RunError> {
        let is_there = |kind| {
            matches!(
                kind,
                OutcomeKind::Created | OutcomeKind::Updated | OutcomeKind::Unchanged
            )
        };
        let there: Vec<_> = audited
            .iter()
            .filter(|action| {
                action
                    .outcome
                    .as_ref()
                    .is_some_and(|outcome| is_there(outcome.kind))
            })
            .collect();
        let ids: Vec<DestinationRecordId> = there
            .iter()
            .filter_map(|action| action.outcome.as_ref()?.destination.clone())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let actual = ctx
            .destination
            .read_records(&self.object.destination, &properties(self.object), &ids)
            .await;
        let actual = actual.map_err(|error| {
            RunError::destination(
                format!("reading {} records back", self.object.destination),
                error,
            )
        })?;
        let (_, statistics) = self.statistics.get_or_insert_with(|| {
            (
                actual.object().clone(),
                ObjectStatistics::new(actual.object()),
            )
        });
        actual.iter().for_each(|record| statistics.add(record));
        if let Some(money) = &mut self.money {
            let records: Vec<_> = there
                .iter()
                .map(|action| action.planned.record.as_str())
                .collect();
            let rows =
                ctx.store
                    .find_staged_rows(&ctx.connection, &self.object.source, &records)?;
            money.add_source(&decode_stored(self.planner.source(), rows.rows)?);
            money.add_destination(&actual);
        }
        self.compare(ctx, &there, &actual)
    }

    /// Compares what was planned with what is there, property by property.
    fn compare(
        &mut self,
        ctx: &mut Context<'_>,
        there: &[&AuditedAction],
        actual: &Batch,
    ) -> Result<(), RunError> {
        let places: HashMap<&str, usize> = actual
            .iter()
            .enumerate()
            .map(|(place, record)| (record.id(), place))
            .collect();
        let mut rows = RowWriter::new();
        let (mut planned_ids, mut findings) = (Vec::new(), Vec::new());
        for action in there {
            let id = action
                .outcome
                .as_ref()
                .and_then(|outcome| outcome.destination.as_ref())
                .map_or("", |id| id.as_str());
            let Some(place) = places.get(id) else {
                self.differing += 1;
                let message = format!(
                    "{} {id} was written and is not at the destination",
                    self.object.destination
                );
                findings.push(self.finding(action.planned.record.as_str(), None, message));
                continue;
            };
            if let Action::Create { row, .. } | Action::Update { row, .. } = &action.planned.action
            {
                rows.append_row(row);
                planned_ids.push(*place);
            }
        }
        let planned = decode_stored(self.planner.planned(), rows.into_bytes())?;
        let comparison = ReadBack::new(self.planner, actual.object());
        let directory = self.memory.over(ctx.store);
        let mut differences = Vec::new();
        for (record, place) in planned.iter().zip(planned_ids) {
            comparison.compare(record, actual.record(place), &directory, &mut differences);
            self.differing += u64::from(!differences.is_empty());
            for Difference {
                property,
                planned,
                actual,
            } in differences.drain(..)
            {
                let message = format!("planned {planned:?}, the destination has {actual:?}");
                findings.push(self.finding(record.id(), Some(property), message));
            }
        }
        directory.finish()?;
        ctx.store.add_findings(ctx.run, &findings)?;
        Ok(())
    }

    fn finding(&self, record: &str, field: Option<String>, message: String) -> Finding {
        let (object, record) = (self.object.source.clone(), Some(record.to_owned()));
        Finding {
            code: FindingCode::ReadBackDifference,
            object,
            record,
            field,
            message,
        }
    }
}
