//! The commands that are phases: they open the project, run, and print.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use model::plan::{ApprovedPlan, Plan};
use model::{ConnectionId, Date, Finding, RunId};
use run::{Context, Discovered, Phase};
use serde_json::json;
use store::PhaseState;

use crate::args::{Apply, Audit, Discover, Ignore, Migrate, PlanCommand};
use crate::connect::ask;
use crate::failure::WithHint;
use crate::output::{Ending, print_json, print_line};
use crate::portal::{Door, tell_spent};
use crate::progress::{Display, tell};
use crate::project::Project;
use crate::reach::{Reach, Telling, Way, tell_waits};
use crate::report::{Report, Seconds, show_plan, show_report};

/// What a person approves.
#[derive(Clone, Debug)]
pub(crate) enum Approval {
    /// Whatever the newest plan is.
    Newest,
    /// The plan of that hash.
    Hash(String),
    /// The one that the person is shown and says yes to.
    Ask,
}

/// Everything that a phase works with, opened.
pub(crate) struct Bench {
    pub(crate) store: store::Store,
    pub(crate) connection: ConnectionId,
    source: sandbox::ConnectorSource,
    reach: Reach,
    clock: Box<dyn Fn() -> model::Instant + Send + Sync>,
    _telling: [Telling; 2],
    door: Door,
    owners: BTreeMap<String, String>,
    overrides: Option<reconcile::Overrides>,
    display: Display,
    pub(crate) run: RunId,
    pub(crate) seconds: Seconds,
}

impl Bench {
    /// Opens everything, for a run of that kind over the network.
    pub(crate) fn open(project: &Project, kind: &str) -> Result<Self> {
        Self::open_over(project, kind, &Way::Network)
    }

    fn open_over(project: &Project, kind: &str, way: &Way) -> Result<Self> {
        let connection = ConnectionId::from(project.connection()?.name.as_str());
        let mut store = project.store()?;
        let run = store.start_run(kind)?;
        // The source last: a tape is begun there.
        let door = Door::open(project)?;
        let (source, reach) = project.source_over(way)?;
        let (display, seconds) = (
            Display::new(false, door.gateway.clone().map(tell_spent)),
            Seconds::default(),
        );
        Ok(Self {
            store,
            connection,
            source,
            clock: {
                let reach = reach.clone();
                Box::new(move || reach.now())
            },
            _telling: [
                reach.tell_waits(),
                tell_waits(door.gateway.clone(), "the destination"),
            ],
            reach,
            door,
            owners: project.file.owners.clone(),
            overrides: crate::mapping::load(project)?,
            display,
            run,
            seconds,
        })
    }

    fn context(&mut self) -> Context<'_> {
        Context {
            store: &mut self.store,
            run: self.run,
            connection: self.connection.clone(),
            source: &self.source,
            destination: &*self.door.destination,
            owners: &self.owners,
            overrides: self.overrides.as_ref(),
            progress: &self.display,
            now: &*self.clock,
        }
    }

    /// Notes the phase in the store and takes its time.
    pub(crate) async fn phase<T>(
        &mut self,
        phase: Phase,
        work: impl AsyncFnOnce(&mut Context<'_>) -> Result<T, run::RunError>,
    ) -> Result<T> {
        self.store
            .note_phase(self.run, phase.name(), PhaseState::Started, "")?;
        let begun = Instant::now();
        let done = work(&mut self.context()).await;
        // What a tape lacks may have become a finding by now; a run with a hole in its tape is not done.
        if let Err(error) = self.reach.check() {
            self.store.note_phase(
                self.run,
                phase.name(),
                PhaseState::Stopped,
                &error.to_string(),
            )?;
            return Err(error);
        }
        self.seconds.add(phase, begun.elapsed().as_secs_f64());
        let (state, detail) = match &done {
            Ok(_) => (PhaseState::Finished, String::new()),
            Err(error) => (PhaseState::Stopped, error.to_string()),
        };
        // The phase's own error says more than one about the note.
        let noted = self
            .store
            .note_phase(self.run, phase.name(), state, &detail);
        let done = done?;
        noted?;
        Ok(done)
    }

    /// Reads both catalogs.
    pub(crate) async fn discover(&mut self) -> Result<Discovered> {
        self.phase(Phase::Discover, async |ctx| run::discover(ctx).await)
            .await
    }

    async fn extract(&mut self, discovered: &Discovered) -> Result<()> {
        self.phase(Phase::Extract, async |ctx| {
            run::extract(ctx, &discovered.source, &discovered.mapping).await
        })
        .await?;
        Ok(())
    }

    async fn plan(
        &mut self,
        discovered: &Discovered,
        extract: bool,
        cutover: Option<Date>,
        ignore: &Ignore,
    ) -> Result<Plan> {
        if extract {
            let ignored = &ignore.ignore_cause;
            run::ignore_reading_causes(&mut self.store, &self.connection, ignored)?;
            self.extract(discovered).await?;
        }
        self.phase(Phase::Plan, async |ctx| {
            run::plan(ctx, discovered, cutover).await
        })
        .await
    }

    /// Findings of a plan stand with the run that made it, whichever run goes on with it.
    fn belong_to(&mut self, plan: &Plan) -> Result<()> {
        if let Some(run) = run::find_plan_run(&self.store, &plan.id)? {
            self.run = run;
        }
        Ok(())
    }

    /// Carries out an approved plan.
    pub(crate) async fn apply(&mut self, plan: &ApprovedPlan) -> Result<()> {
        self.belong_to(plan.plan())?;
        self.phase(Phase::Apply, async |ctx| run::apply(ctx, plan).await)
            .await
            .map(|_| ())
    }

    async fn audit(&mut self, plan: &Plan, workbook: &Path) -> Result<run::AuditSummary> {
        self.belong_to(plan)?;
        self.phase(Phase::Audit, async |ctx| {
            run::audit(ctx, plan, workbook).await
        })
        .await
    }

    fn load_plan(&self) -> Result<Plan> {
        self.store.latest_plan()?.ok_or_else(|| {
            WithHint::error("there is no plan yet", "make one with `longshore plan`")
        })
    }
}

/// Starts a project.
pub(crate) fn init(folder: &Path, json: bool) -> Result<Ending> {
    let project = Project::init(folder)?;
    if json {
        print_json(&json!({"project": project.folder}));
    } else {
        print_line(&format!(
            "a project in {}; next: `longshore connect`",
            project.folder.display()
        ));
    }
    Ok(Ending::Done)
}

/// Reads both catalogs and maps them as the project says.
pub(crate) async fn find_mapping(project: &Project) -> Result<Discovered> {
    Bench::open(project, "discover")?.discover().await
}

/// Reads both catalogs and shows what would become of what.
pub(crate) async fn discover(command: Discover, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    let mut bench = Bench::open_over(&project, "discover", &command.tape.into())?;
    let found = bench.discover().await;
    let finished = bench.reach.finish();
    let found = found?;
    finished?;
    if json {
        print_json(&json!({
            "account": found.account, "source": found.source, "mapping": found.mapping, "findings": found.findings,
        }));
    } else {
        crate::report::show_mapping(&found);
        found.findings.iter().for_each(show_finding);
    }
    Ok(Ending::with(found.findings.len() as u64))
}

fn show_finding(finding: &Finding) {
    print_line(&format!("  {}: {}", finding.code, finding.message));
}

/// Reads the source and decides every write.
pub(crate) async fn plan(command: PlanCommand, json: bool) -> Result<Ending> {
    let cutover = parse_cutover(command.cutover.as_deref())?;
    let project = Project::open(&command.folder.dir)?;
    let mut bench = Bench::open_over(&project, "plan", &command.tape.into())?;
    let planned = async {
        let discovered = bench.discover().await?;
        let extract = !command.no_extract;
        bench
            .plan(&discovered, extract, cutover, &command.ignore)
            .await
    };
    let planned = planned.await;
    let finished = bench.reach.finish();
    let plan = planned?;
    finished?;
    let findings = bench.store.finding_counts(bench.run)?;
    if let Some(path) = &command.out {
        let whole = run::PlanFilter::default();
        run::export_plan(&bench.store, &plan, &whole, path)?;
    }
    let estimate = run::find_estimate(&bench.store, &plan.id)?;
    let estimate = estimate.as_ref();
    if json {
        let told = crate::report::plan_json(&plan, estimate, &findings, &bench.seconds);
        print_json(&told);
    } else {
        show_plan(&plan, estimate, &findings);
        if let Some(path) = &command.out {
            print_line(&format!("every action of it is in {}", path.display()));
        }
        print_line(&format!(
            "approve it with: longshore apply --approve {}",
            plan.hash
        ));
    }
    Ok(Ending::with(
        findings.iter().map(|(_, _, count)| count).sum(),
    ))
}

fn parse_cutover(text: Option<&str>) -> Result<Option<Date>> {
    text.map(|text| {
        text.parse()
            .with_context(|| format!("--cutover {text:?} is no date"))
    })
    .transpose()
}

/// Carries out the approved plan.
pub(crate) async fn apply(command: Apply, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    let mut bench = Bench::open(&project, "apply")?;
    let plan = bench.load_plan()?;
    let approval = match (command.approve, command.yes) {
        (Some(hash), _) => Approval::Hash(hash),
        (None, true) => Approval::Newest,
        (None, false) => Approval::Ask,
    };
    let approved = approve(plan, &approval)?;
    let ignored = &command.ignore.ignore_cause;
    run::ignore_causes(&mut bench.store, &approved.plan().id, ignored)?;
    bench.apply(&approved).await?;
    let counts = bench.store.outcome_counts(&approved.plan().id)?;
    let failed: u64 = counts
        .iter()
        .filter(|(_, kind, _)| *kind == model::ledger::OutcomeKind::Failed)
        .map(|(_, _, count)| count)
        .sum();
    if json {
        print_json(&crate::report::apply_json(
            approved.plan(),
            &counts,
            &bench.seconds,
        ));
    } else {
        crate::report::show_outcomes(&counts);
        print_line("prove it with: longshore audit");
    }
    Ok(Ending::with(failed))
}

/// All phases with one approval.
pub(crate) async fn migrate(command: Migrate, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    let approval = if command.yes {
        Approval::Newest
    } else {
        Approval::Ask
    };
    let mut bench = Bench::open_over(&project, "migrate", &command.tape.into())?;
    let cutover = parse_cutover(command.cutover.as_deref())?;
    let way = (approval, command.ignore);
    let ended = migrate_on(&project, &mut bench, way, cutover, command.out, json).await;
    let finished = bench.reach.finish();
    let ended = ended?;
    finished?;
    Ok(ended)
}

/// All phases on an opened project. A plan that was approved and not carried out to its end is carried out first.
pub(crate) async fn migrate_project(
    project: &Project,
    approval: Approval,
    cutover: Option<Date>,
    out: Option<PathBuf>,
    json: bool,
) -> Result<Ending> {
    let mut bench = Bench::open(project, "migrate")?;
    let way = (approval, Ignore::default());
    migrate_on(project, &mut bench, way, cutover, out, json).await
}

async fn migrate_on(
    project: &Project,
    bench: &mut Bench,
    (approval, ignore): (Approval, Ignore),
    cutover: Option<Date>,
    out: Option<PathBuf>,
    json: bool,
) -> Result<Ending> {
    let approved = match run::find_open_plan(&bench.store)? {
        Some(unfinished) => {
            tell(&format!(
                "going on with plan {}, which was approved and is not carried out to its end",
                unfinished.plan().id
            ));
            unfinished
        }
        None => {
            let discovered = bench.discover().await?;
            let plan = bench.plan(&discovered, true, cutover, &ignore).await?;
            if !json {
                let estimate = run::find_estimate(&bench.store, &plan.id)?;
                let findings = bench.store.finding_counts(bench.run)?;
                show_plan(&plan, estimate.as_ref(), &findings);
            }
            approve(plan, &approval)?
        }
    };
    let plan = &approved.plan().id;
    run::ignore_causes(&mut bench.store, plan, &ignore.ignore_cause)?;
    bench.apply(&approved).await?;
    audit_and_report(project, bench, approved.plan(), out, json).await
}

/// Has a person, or a flag that a person gave, approve the plan.
pub(crate) fn approve(plan: Plan, approval: &Approval) -> Result<ApprovedPlan> {
    let hash = match approval {
        Approval::Newest => plan.hash.clone(),
        Approval::Hash(hash) => hash.clone(),
        Approval::Ask => {
            if !ask(&format!("Carry out plan {}?", plan.id))? {
                let hint = format!(
                    "nothing was written; approve it with `longshore apply --approve {}` or --yes",
                    plan.hash
                );
                return Err(WithHint::declined("the plan was not approved", hint));
            }
            plan.hash.clone()
        }
    };
    Ok(plan.approve(&hash, model::Instant::now())?)
}

/// Proves the account of the newest plan, or that both sides are equal.
pub(crate) async fn audit(command: Audit, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    if command.verify {
        return verify(&project, command, json).await;
    }
    let mut bench = Bench::open(&project, "audit")?;
    let plan = bench.load_plan()?;
    audit_and_report(&project, &mut bench, &plan, command.out, json).await
}

async fn verify(project: &Project, command: Audit, json: bool) -> Result<Ending> {
    let workbook = command
        .out
        .unwrap_or_else(|| project.folder.join("certificate.xlsx"));
    let files = run::Files {
        json: workbook.with_extension("json"),
        workbook,
    };
    let mut bench = Bench::open(project, "verify")?;
    let discovered = bench.discover().await?;
    if command.read_source {
        bench.extract(&discovered).await?;
    }
    let certify = async |ctx: &mut Context<'_>| run::certify(ctx, &discovered, &files).await;
    let certificate = bench.phase(Phase::Audit, certify).await?;
    if json {
        print_json(&json!(certificate));
    } else {
        crate::report::show_certificate(&certificate, &files);
    }
    Ok(Ending::with(u64::from(!certificate.equal)))
}

async fn audit_and_report(
    project: &Project,
    bench: &mut Bench,
    plan: &Plan,
    out: Option<PathBuf>,
    json: bool,
) -> Result<Ending> {
    let workbook = project.workbook(out);
    let summary = bench.audit(plan, &workbook).await?;
    let report = Report {
        plan,
        summary: &summary,
        file: bench.door.file.as_deref(),
        seconds: &bench.seconds,
    };
    if json {
        print_json(&report.to_json());
    } else {
        show_report(&report);
    }
    Ok(Ending::with(
        summary.finding_count() + summary.failed_count(),
    ))
}
