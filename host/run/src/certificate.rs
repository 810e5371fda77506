//! The cut-over certificate: both sides are equal, record for record and link for link, or here is the list of what differs.
//!
//! Everything is decided anew over what was read of the source and what the destination holds now; where nothing would be written,
//! the two are equal. It writes to neither side and leaves plans and ledger alone.

mod files;
mod surplus;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use model::catalog::StandardObject;
use model::destination::Link;
use model::mapping::ObjectMapping;
use model::plan::{Action, PlannedAction, PlannedLink};
use model::{ConnectionId, DestinationRecordId, Instant, ObjectName, PlanId, SourceRecordId};
use reconcile::PlannerOutput;
use serde::Serialize;

use crate::audit::{MoneyReport, compare_money};
use crate::bind::Binder;
use crate::broken::decide_broken;
use crate::context::Context;
use crate::correct::lay_corrections;
use crate::decide::{Decided, Decider};
use crate::discover::Discovered;
use crate::error::RunError;
use crate::export::PlanLine;
use crate::keys::collect_keys;
use crate::links::find_ends;
use crate::lookup::Memory;
use crate::money::DealMoney;
use crate::plan::{existing_stages, find_planner, fixed_currencies};
use crate::progress::Phase;
use crate::workbook::{Book, Cell, SheetId};

/// How many differences the JSON file lists; the workbook has them all.
const LISTED_MAX: usize = 10_000;

/// What was proved.
#[derive(Clone, Debug, Serialize)]
pub struct Certificate {
    /// Whether nothing differs: every selected record is at the destination as it should be, or ruled out by a rule that is named.
    pub equal: bool,
    /// When it was made.
    pub made_at: Instant,
    /// The source's connection.
    pub source: ConnectionId,
    /// The source's account, for a person.
    pub source_account: String,
    /// When the source was read to its end.
    pub source_read_at: Option<Instant>,
    /// The destination, for a person.
    pub destination: String,
    /// The newest plan.
    pub plan: Option<PlanId>,
    /// Object by object, in the order of writing.
    pub objects: Vec<ObjectProof>,
    /// Associations.
    pub associations: LinkProof,
    /// Deals and amounts per pipeline, stage and currency.
    pub money: Vec<MoneyReport>,
    /// How many differences there are.
    pub differences: u64,
    /// The first of them.
    pub listed: Vec<DifferenceLine>,
}

/// What was proved of one object: `selected = equal + differing + missing + merged + excluded + held`.
#[derive(Clone, Debug, Serialize)]
pub struct ObjectProof {
    /// The source's object.
    pub source: ObjectName,
    /// What it is.
    pub standard: StandardObject,
    /// Records of the source.
    pub selected: u64,
    /// Records that are there as they should be.
    pub equal: u64,
    /// Records that are there and have another value somewhere.
    pub differing: u64,
    /// Records that are not there.
    pub missing: u64,
    /// Records that are one with another one of the source.
    pub merged: u64,
    /// Records that a rule leaves out, by rule.
    pub excluded: BTreeMap<String, u64>,
    /// Records that are held for a person.
    pub held: u64,
}

impl ObjectProof {
    fn new(object: &ObjectMapping) -> Self {
        Self {
            source: object.source.clone(),
            standard: object.standard,
            selected: 0,
            equal: 0,
            differing: 0,
            missing: 0,
            merged: 0,
            excluded: BTreeMap::new(),
            held: 0,
        }
    }
}

/// What was proved of the associations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkProof {
    /// That the source has.
    pub selected: u64,
    /// That are there.
    pub present: u64,
    /// Both of whose ends are there, and which are not.
    pub missing: u64,
    /// One of whose ends is not at the destination.
    pub missing_end: u64,
    /// That a run of ours made, the source has no longer, and are still there.
    pub surplus: u64,
    /// That the destination cannot have: between objects that it does not associate, or of a record with itself.
    pub impossible: u64,
}

/// One difference.
#[derive(Clone, Debug, Serialize)]
pub struct DifferenceLine {
    /// The source's object.
    pub object: ObjectName,
    /// Its record.
    pub record: SourceRecordId,
    /// The destination's record, where there is one.
    pub destination: Option<DestinationRecordId>,
    /// What differs, for a person: `property: at the destination -> as it should be`.
    pub difference: String,
}

/// Where the certificate goes.
#[derive(Clone, Debug)]
pub struct Files {
    /// The JSON file.
    pub json: PathBuf,
    /// The workbook.
    pub workbook: PathBuf,
}

/// Compares both sides and writes the certificate.
///
/// # Errors
/// When a side, the state or the disk fails.
pub async fn certify(
    ctx: &mut Context<'_>,
    discovered: &Discovered,
    files: &Files,
) -> Result<Certificate, RunError> {
    let mapping = &discovered.mapping;
    let target = reconcile::planned_catalog(&discovered.destination, mapping);
    let corrections = ctx.store.last_correction()?;
    lay_corrections(ctx, &discovered.source, &mapping.objects, corrections)?;
    collect_keys(ctx, &discovered.source, &target, &mapping.objects).await?;
    let prepared = existing_stages(discovered);
    let currencies = fixed_currencies(mapping, &discovered.destination);
    let memory = Memory::new(&ctx.connection, Binder::new(&ctx.connection, &prepared))
        .with_currencies(currencies);
    let currency = ctx
        .store
        .load_document::<String>("account-currency", ctx.connection.as_str())?
        .unwrap_or_default();
    let mut proof = Proof::new(discovered, &files.workbook)?;
    ctx.store.forget_wanted()?;
    for object in &mapping.objects {
        let planner = find_planner(
            mapping,
            &discovered.source,
            &discovered.destination,
            &target,
            object,
        )?;
        let staged = ctx.store.staged_count(&ctx.connection, &object.source)?;
        ctx.progress
            .begin(Phase::Audit, &object.source, Some(staged));
        let mut money = DealMoney::new(
            object,
            planner.source(),
            &discovered.destination,
            &prepared,
            &currency,
        );
        let mut decider = Decider::new(ctx, object, &planner, None)?;
        let compared = async {
            let (mut output, mut tally) = (PlannerOutput::default(), ObjectProof::new(object));
            while let Some(decided) = decider.next(ctx, &memory, &mut output).await? {
                output = PlannerOutput::default();
                if let Some(money) = &mut money {
                    add_money(money, &decided);
                }
                ctx.progress.advance(decided.actions.len() as u64);
                surplus::want(ctx, object, &decided)?;
                proof.add_links(ctx, decided.links).await?;
                proof.add_actions(ctx, &mut tally, decided.actions)?;
            }
            let mut after = 0;
            while let Some((broken, _)) = decide_broken(ctx, object, &mut after)? {
                proof.add_actions(ctx, &mut tally, broken)?;
            }
            Ok::<_, RunError>(tally)
        };
        let compared = compared.await;
        ctx.progress.end();
        proof.objects.push(compared?);
        proof.money.extend(money.iter().flat_map(compare_money));
    }
    proof.add_surplus(ctx).await?;
    proof.finish(ctx, discovered, files)
}

/// Adds the deals that should be there, and those of them that are.
fn add_money(money: &mut DealMoney, decided: &Decided) {
    let mut meant = HashSet::new();
    for (record, planned) in decided.records.iter().zip(&decided.actions) {
        match &planned.action {
            Action::Create { .. } => {}
            Action::Keep { destination, .. } | Action::Update { destination, .. } => {
                meant.insert(destination.as_str());
            }
            _ => continue,
        }
        money.add_source_record(record);
    }
    if let Some(current) = &decided.current {
        money.add_destination_where(current, |id| meant.contains(id));
    }
}

/// The certificate as it grows.
struct Proof {
    book: Book,
    certificate: SheetId,
    differences_sheet: SheetId,
    destinations: HashMap<ObjectName, ObjectName>,
    objects: Vec<ObjectProof>,
    links: LinkProof,
    money: Vec<MoneyReport>,
    differences: u64,
    listed: Vec<DifferenceLine>,
}

impl Proof {
    fn new(discovered: &Discovered, workbook: &Path) -> Result<Self, RunError> {
        let mut book = Book::new(workbook);
        let certificate = book.add_sheet("Certificate", &[])?;
        let columns = [
            ("Object", 16.0),
            ("Source id", 24.0),
            ("Destination id", 18.0),
            ("Difference (destination -> as it should be)", 120.0),
        ];
        let differences_sheet = book.add_sheet("Differences", &columns)?;
        let mapped = discovered.mapping.objects.iter();
        let destinations = mapped.map(|object| (object.source.clone(), object.destination.clone()));
        Ok(Self {
            book,
            certificate,
            differences_sheet,
            destinations: destinations.collect(),
            objects: Vec::new(),
            links: LinkProof::default(),
            money: Vec::new(),
            differences: 0,
            listed: Vec::new(),
        })
    }

    fn differ(&mut self, line: DifferenceLine) -> Result<(), RunError> {
        self.differences += 1;
        let destination = line.destination.as_ref();
        let cells = [
            line.object.as_str().into(),
            line.record.as_str().into(),
            destination.map_or("", DestinationRecordId::as_str).into(),
            Cell::from(line.difference.as_str()),
        ];
        self.book.row(self.differences_sheet, &cells)?;
        if self.listed.len() < LISTED_MAX {
            self.listed.push(line);
        }
        Ok(())
    }

    /// Why a record is not there: what the destination said when it refused it.
    fn explain_missing(
        &self,
        ctx: &Context<'_>,
        planned: &PlannedAction,
    ) -> Result<String, RunError> {
        let missing = "is not at the destination".to_owned();
        if self.listed.len() >= LISTED_MAX {
            return Ok(missing);
        }
        let story = ctx
            .store
            .load_story(&ctx.connection, &planned.object, &planned.record)?;
        let last = story
            .chapters
            .into_iter()
            .filter_map(|chapter| chapter.outcome)
            .next_back();
        let error = last.and_then(|(_, outcome)| outcome.error);
        Ok(error.map_or_else(|| missing.clone(), |error| format!("{missing}: {error}")))
    }

    fn add_actions(
        &mut self,
        ctx: &Context<'_>,
        tally: &mut ObjectProof,
        actions: Vec<PlannedAction>,
    ) -> Result<(), RunError> {
        for planned in actions {
            tally.selected += 1;
            let difference = match &planned.action {
                Action::Keep { .. } => {
                    tally.equal += 1;
                    continue;
                }
                Action::Link { .. } => {
                    tally.merged += 1;
                    continue;
                }
                Action::Exclude { reason } => {
                    *tally.excluded.entry(reason.to_string()).or_default() += 1;
                    continue;
                }
                Action::Quarantine { reason } => {
                    tally.held += 1;
                    format!("held: {reason}")
                }
                Action::Create { .. } => {
                    tally.missing += 1;
                    self.explain_missing(ctx, &planned)?
                }
                Action::Update { .. } => {
                    tally.differing += 1;
                    String::new()
                }
            };
            let line = PlanLine::new(planned)?;
            let difference = if difference.is_empty() {
                line.changes_text()
            } else {
                difference
            };
            self.differ(DifferenceLine {
                object: line.object,
                record: line.record,
                destination: line.destination,
                difference,
            })?;
        }
        Ok(())
    }

    async fn add_links(
        &mut self,
        ctx: &Context<'_>,
        links: Vec<PlannedLink>,
    ) -> Result<(), RunError> {
        if links.is_empty() {
            return Ok(());
        }
        let planned: Vec<_> = (0..).zip(links).collect();
        let froms = find_ends(ctx, &planned, |link| {
            (&link.from_object, link.from.as_str())
        })?;
        let tos = find_ends(ctx, &planned, |link| (&link.to_object, link.to.as_str()))?;
        self.links.selected += planned.len() as u64;
        let (mut asked, mut places) = (Vec::new(), Vec::new());
        for (place, ((_, link), ends)) in planned.iter().zip(froms.into_iter().zip(tos)).enumerate()
        {
            let objects = (
                self.destinations.get(&link.from_object),
                self.destinations.get(&link.to_object),
            );
            let ((Some(from), Some(to)), (Some(from_object), Some(to_object))) = (ends, objects)
            else {
                self.links.missing_end += 1;
                continue;
            };
            asked.push(Link {
                from_object: from_object.clone(),
                from,
                to_object: to_object.clone(),
                to,
                label: link.label.clone(),
            });
            places.push(place);
        }
        let answers = ctx.destination.find_links(&asked).await;
        let answers =
            answers.map_err(|error| RunError::destination("reading associations", error))?;
        for (place, answer) in places.into_iter().zip(answers) {
            match answer {
                Ok(true) => self.links.present += 1,
                Err(_) => self.links.impossible += 1,
                Ok(false) => {
                    self.links.missing += 1;
                    let link = &planned[place].1;
                    let label = link.label.as_ref();
                    let label =
                        label.map_or_else(String::new, |label| format!(" labelled {label:?}"));
                    let difference = format!(
                        "the association{label} to {} {} is not there",
                        link.to_object, link.to
                    );
                    self.differ(DifferenceLine {
                        object: link.from_object.clone(),
                        record: link.from.clone(),
                        destination: None,
                        difference,
                    })?;
                }
            }
        }
        Ok(())
    }

    fn finish(
        mut self,
        ctx: &Context<'_>,
        discovered: &Discovered,
        files: &Files,
    ) -> Result<Certificate, RunError> {
        let money_differs = self.money.iter().any(|line| !line.is_equal());
        let certificate = Certificate {
            equal: self.differences == 0 && !money_differs,
            made_at: (ctx.now)(),
            source: ctx.connection.clone(),
            source_account: discovered.account.name.clone(),
            source_read_at: ctx.store.last_extracted_at(&ctx.connection)?,
            destination: discovered.destination_account.name.clone(),
            plan: ctx.store.latest_plan()?.map(|plan| plan.id),
            objects: std::mem::take(&mut self.objects),
            associations: self.links,
            money: std::mem::take(&mut self.money),
            differences: self.differences,
            listed: std::mem::take(&mut self.listed),
        };
        files::add_summary(&mut self.book, self.certificate, &certificate)?;
        self.book.finish()?;
        files::write_json(&files.json, &certificate)?;
        Ok(certificate)
    }
}
