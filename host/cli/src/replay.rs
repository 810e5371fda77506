//! `longshore quarantine replay`: tries held records again, as a plan of their own with an approval of its own.

use anyhow::Result;
use model::plan::ActionKind;
use run::{Phase, Replay, ReplayReport, Selection};
use serde_json::json;

use crate::args::HeldReplay;
use crate::output::{Ending, print_json, print_line};
use crate::phases::{Approval, Bench, approve};
use crate::plans::printable;
use crate::project::Project;
use crate::report::show_plan;

/// Plans the chosen records anew from what is staged, carries the plan out, and tells what became of them.
pub(crate) async fn replay(
    project: &Project,
    command: HeldReplay,
    selection: &Selection,
    json: bool,
) -> Result<Ending> {
    let mut bench = Bench::open(project, "replay")?;
    let mut replay = Replay::find(&bench.store, &bench.connection, selection)?;
    let discovered = bench.discover().await?;
    let planning =
        async |ctx: &mut run::Context<'_>| run::plan_replay(ctx, &discovered, &mut replay).await;
    let plan = bench.phase(Phase::Plan, planning).await?;
    if !json {
        let estimate = run::find_estimate(&bench.store, &plan.id)?;
        let findings = bench.store.finding_counts(bench.run)?;
        show_plan(&plan, estimate.as_ref(), &findings);
        print_line(&format!(
            "{} records of plan {} are tried again; the others stay as they are ({} or {} in this plan)",
            replay.count(),
            replay.plan().id,
            ActionKind::Keep,
            ActionKind::Link,
        ));
    }
    let approval = if command.yes {
        Approval::Newest
    } else {
        Approval::Ask
    };
    let approved = approve(plan, &approval)?;
    let plan = approved.plan();
    run::ignore_causes(&mut bench.store, &plan.id, &command.ignore.ignore_cause)?;
    bench.apply(&approved).await?;
    let report = run::report_replay(&mut bench.store, &bench.connection, plan, &replay)?;
    if json {
        print_json(&json!({
            "plan": {"id": plan.id, "hash": plan.hash}, "of_plan": replay.plan().id, "tried": replay.count(),
            "came_through": report.came_through, "excluded": report.excluded, "failed": report.failed, "causes": report.causes,
        }));
    } else {
        show(&report);
    }
    Ok(Ending::with(report.failed))
}

fn show(report: &ReplayReport) {
    print_line(&format!(
        "{} came through, {} are left out, {} failed again",
        report.came_through, report.excluded, report.failed
    ));
    for cause in &report.causes {
        print_line(&printable(&format!(
            "{}  {} {}: {}; for example {} {}: {}",
            cause.handle,
            cause.records,
            cause.object,
            cause.cause,
            cause.object,
            cause.example,
            cause.message
        )));
    }
    print_line("prove the whole with: longshore audit");
}
