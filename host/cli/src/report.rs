//! What a plan and an audit look like: as JSON for tools, as lines for people. The names are kept stable.

use std::collections::BTreeMap;
use std::path::Path;

use model::estimate::Estimate;
use model::ledger::{LinkOutcome, OutcomeKind, RemovalOutcome};
use model::plan::Plan;
use model::{FindingCode, ObjectName};
use run::{AuditSummary, Certificate, Discovered, Files, MoneyReport, Phase};
use serde_json::{Map, Value, json};

use crate::estimate;
use crate::output::print_line;

/// Findings of a run by code and object.
pub(crate) type FindingCounts = [(FindingCode, ObjectName, u64)];

/// Seconds that each phase took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seconds(BTreeMap<Phase, f64>);

impl Seconds {
    /// Adds time to a phase.
    pub(crate) fn add(&mut self, phase: Phase, seconds: f64) {
        *self.0.entry(phase).or_default() += seconds;
    }

    fn to_json(&self) -> Value {
        let rounded = |seconds: f64| (seconds * 1_000.0).round() / 1_000.0;
        let mut phases: Map<String, Value> = self
            .0
            .iter()
            .map(|(phase, seconds)| (phase.name().to_owned(), rounded(*seconds).into()))
            .collect();
        phases.insert("total".to_owned(), rounded(self.0.values().sum()).into());
        phases.into()
    }
}

fn findings_json(findings: &FindingCounts) -> Value {
    let mut by_code: BTreeMap<&str, u64> = BTreeMap::new();
    findings
        .iter()
        .for_each(|(code, _, count)| *by_code.entry(code.name()).or_default() += count);
    let total: u64 = by_code.values().sum();
    json!({"total": total, "by_code": by_code})
}

/// A plan as JSON.
pub(crate) fn plan_json(
    plan: &Plan,
    estimate: Option<&Estimate>,
    findings: &FindingCounts,
    seconds: &Seconds,
) -> Value {
    let header = &plan.header;
    let objects: Map<String, Value> = header
        .counts
        .iter()
        .map(|(source, standard, counts)| {
            let mut entry = json!(counts);
            entry["source_object"] = source.as_str().into();
            (standard.name().to_owned(), entry)
        })
        .collect();
    json!({
        "plan": {"id": plan.id, "hash": plan.hash, "parent": header.parent, "created_at": header.created_at, "cutover": header.cutover},
        "source": header.connection,
        "destination": header.destination,
        "objects": objects,
        "associations": header.links,
        "associations_taken_away": header.removals,
        "estimate": estimate.map(estimate::to_json),
        "findings": findings_json(findings),
        "seconds": seconds.to_json(),
    })
}

/// A plan for a person.
pub(crate) fn show_plan(plan: &Plan, estimate: Option<&Estimate>, findings: &FindingCounts) {
    let header = &plan.header;
    print_line(&format!(
        "plan {}: {} into {}, made {}",
        plan.id, header.connection, header.destination, header.created_at
    ));
    if let Some(cutover) = header.cutover {
        print_line(&format!("changes are brought over until {cutover}"));
    }
    let heads = [
        "selected", "create", "update", "keep", "link", "exclude", "hold",
    ];
    print_line(&row("object", &heads.map(str::to_owned)));
    for (_, standard, counts) in &header.counts {
        let numbers = [
            counts.selected,
            counts.create,
            counts.update,
            counts.keep,
            counts.link,
            counts.exclude,
            counts.quarantine,
        ];
        print_line(&row(
            standard.name(),
            &numbers.map(|number| number.to_string()),
        ));
    }
    print_line(&match header.removals {
        0 => format!("associations: {}", header.links),
        removals => format!(
            "associations: {}, and {removals} taken away that the source has no longer",
            header.links
        ),
    });
    if let Some(estimate) = estimate {
        estimate::lines(estimate)
            .iter()
            .for_each(|line| print_line(line));
    }
    show_findings(findings);
    print_line(&format!("hash {}", plan.hash));
}

fn row(name: &str, cells: &[String]) -> String {
    let mut line = format!("{name:<12}");
    cells
        .iter()
        .for_each(|cell| line.push_str(&format!("{cell:>11}")));
    line
}

fn show_findings(findings: &FindingCounts) {
    let total: u64 = findings.iter().map(|(_, _, count)| count).sum();
    print_line(&format!("findings: {total}"));
    for (code, object, count) in findings {
        print_line(&format!("  {code:<22} {object:<16} {count}"));
    }
}

/// What became of which, from both catalogs.
pub(crate) fn show_mapping(found: &Discovered) {
    print_line(&format!(
        "account {} ({}) as {}",
        found.account.name, found.account.id, found.account.user
    ));
    for object in &found.mapping.objects {
        let created = object
            .fields
            .iter()
            .filter(|field| field.create.is_some())
            .count();
        print_line(&format!(
            "{:<16} becomes {:<12} {} fields mapped, {created} of them new, {} not mapped, {} associations",
            object.source.as_str(),
            object.destination.as_str(),
            object.fields.len(),
            object.unmapped.len(),
            object.associations.len(),
        ));
    }
    for pipeline in &found.mapping.pipelines {
        let stages: Vec<_> = pipeline
            .stages
            .iter()
            .map(|stage| stage.source.label.as_str())
            .collect();
        print_line(&format!(
            "pipeline {:?}: {}",
            pipeline.label,
            stages.join(", ")
        ));
    }
}

/// Outcomes as JSON.
pub(crate) fn apply_json(
    plan: &Plan,
    counts: &[(ObjectName, OutcomeKind, u64)],
    seconds: &Seconds,
) -> Value {
    let mut objects: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for (object, kind, count) in counts {
        objects
            .entry(object.as_str())
            .or_default()
            .insert(kind.name(), *count);
    }
    json!({"plan": {"id": plan.id, "hash": plan.hash}, "outcomes": objects, "seconds": seconds.to_json()})
}

/// Outcomes for a person.
pub(crate) fn show_outcomes(counts: &[(ObjectName, OutcomeKind, u64)]) {
    for (object, kind, count) in counts {
        print_line(&format!("{object:<16} {kind:<10} {count:>11}"));
    }
}

/// What a migration came to.
pub(crate) struct Report<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) summary: &'a AuditSummary,
    /// The destination's file, where it is one.
    pub(crate) file: Option<&'a Path>,
    pub(crate) seconds: &'a Seconds,
}

impl Report<'_> {
    fn links(&self, outcome: LinkOutcome) -> u64 {
        self.summary
            .links
            .made
            .iter()
            .filter(|(kind, _)| *kind == outcome)
            .map(|(_, count)| count)
            .sum()
    }

    fn removals(&self, outcome: RemovalOutcome) -> u64 {
        let counts = self.summary.links.removed.iter();
        let counts = counts.filter(|(kind, _)| *kind == outcome);
        counts.map(|(_, count)| count).sum()
    }

    /// The report as JSON: per object `selected, created, updated, unchanged, excluded, failed`; associations, money, findings, files, seconds.
    pub(crate) fn to_json(&self) -> Value {
        let objects: Map<String, Value> = self
            .summary
            .objects
            .iter()
            .map(|object| {
                let account = &object.account;
                let entry = json!({
                    "source_object": object.source,
                    "selected": account.selected(),
                    "created": account.created(),
                    "updated": account.updated(),
                    "unchanged": account.unchanged(),
                    "excluded": account.excluded(),
                    "failed": account.failed(),
                    "linked": account.linked(),
                    "read_back": object.read_back,
                    "differing": object.differing,
                });
                (object.standard.name().to_owned(), entry)
            })
            .collect();
        let links: Map<String, Value> = LinkOutcome::ALL
            .iter()
            .map(|outcome| {
                (
                    outcome.name().replace('-', "_"),
                    self.links(*outcome).into(),
                )
            })
            .collect();
        let removals: Map<String, Value> = RemovalOutcome::ALL
            .iter()
            .map(|outcome| (outcome.name().to_owned(), self.removals(*outcome).into()))
            .collect();
        json!({
            "plan": {"id": self.plan.id, "hash": self.plan.hash},
            "objects": objects,
            "associations": links,
            "associations_taken_away": removals,
            "money": self.summary.money,
            "findings": findings_json(&self.summary.findings),
            "workbook": self.summary.workbook,
            "destination": self.plan.header.destination,
            "local_crm": self.file,
            "seconds": self.seconds.to_json(),
        })
    }
}

/// The report for a person.
pub(crate) fn show_report(report: &Report<'_>) {
    let heads = [
        "selected",
        "created",
        "updated",
        "unchanged",
        "excluded",
        "failed",
        "read back",
        "differing",
    ];
    print_line(&row("object", &heads.map(str::to_owned)));
    for object in &report.summary.objects {
        let account = &object.account;
        let numbers = [
            account.selected(),
            account.created(),
            account.updated(),
            account.unchanged(),
            account.excluded(),
            account.failed(),
            object.read_back,
            object.differing,
        ];
        print_line(&row(
            object.standard.name(),
            &numbers.map(|number| number.to_string()),
        ));
    }
    print_line(
        "selected = created + updated + unchanged + excluded + failed holds for every object",
    );
    let links: Vec<_> = LinkOutcome::ALL
        .iter()
        .map(|outcome| format!("{} {}", report.links(*outcome), outcome.name()))
        .collect();
    print_line(&format!("associations: {}", links.join(", ")));
    if report.plan.header.removals > 0 {
        let removals: Vec<_> = RemovalOutcome::ALL
            .iter()
            .map(|outcome| format!("{} {}", report.removals(*outcome), outcome.name()))
            .collect();
        print_line(&format!(
            "associations to be taken away: {}",
            removals.join(", ")
        ));
    }
    show_money(&report.summary.money);
    show_findings(&report.summary.findings);
    print_line(&format!("workbook  {}", report.summary.workbook.display()));
    match report.file {
        Some(file) => print_line(&format!("local CRM {}", file.display())),
        None => print_line(&format!("written   {}", report.plan.header.destination)),
    }
    let total: f64 = report.seconds.0.values().sum();
    let phases: Vec<_> = report
        .seconds
        .0
        .iter()
        .map(|(phase, seconds)| format!("{} {seconds:.1}", phase.name()))
        .collect();
    print_line(&format!("seconds   {total:.1} ({})", phases.join(", ")));
}

fn show_money(money: &[MoneyReport]) {
    for line in money {
        let state = if line.is_equal() {
            "equal on both sides".to_owned()
        } else {
            format!(
                "DIFFERENT: the destination has {} with {}",
                line.destination.records, line.destination.amount
            )
        };
        print_line(&format!(
            "deals in {} / {}: {} with {} {}, {state}",
            line.key.pipeline,
            line.key.stage,
            line.source.records,
            line.source.amount,
            line.key.currency,
        ));
    }
}

/// What a certificate says.
pub(crate) fn show_certificate(certificate: &Certificate, files: &Files) {
    let heads = [
        "selected",
        "equal",
        "differing",
        "missing",
        "merged",
        "excluded",
        "held",
    ];
    print_line(&row("object", &heads.map(str::to_owned)));
    for object in &certificate.objects {
        let numbers = [
            object.selected,
            object.equal,
            object.differing,
            object.missing,
            object.merged,
            object.excluded.values().sum(),
            object.held,
        ];
        print_line(&row(
            object.standard.name(),
            &numbers.map(|number| number.to_string()),
        ));
    }
    let links = &certificate.associations;
    print_line(&format!(
        "associations: {} of {} there, {} not there, {} there that the source has no longer, {} with a missing end, {} impossible there",
        links.present,
        links.selected,
        links.missing,
        links.surplus,
        links.missing_end,
        links.impossible
    ));
    show_money(&certificate.money);
    for line in certificate.listed.iter().take(20) {
        print_line(&format!(
            "  {} {}: {}",
            line.object, line.record, line.difference
        ));
    }
    let read_at = certificate.source_read_at.map(|at| at.to_string());
    let read_at = read_at.unwrap_or_else(|| "never to its end".to_owned());
    print_line(&match certificate.equal {
        true => format!(
            "EQUAL: {} as it was read {read_at} and {}",
            certificate.source, certificate.destination
        ),
        false => format!(
            "{} DIFFERENCES between {} as it was read {read_at} and {}",
            certificate.differences, certificate.source, certificate.destination
        ),
    });
    print_line(&format!(
        "certificate {} and {}",
        files.json.display(),
        files.workbook.display()
    ));
}
