//! `longshore status`: where the project stands, from its state alone. Another process may be at work meanwhile.

use std::path::Path;

use anyhow::Result;
use model::plan::Plan;
use model::undo::Rollback;
use model::{ConnectionId, PlanId, RunId};
use serde_json::json;

use crate::output::{Ending, print_json, print_line};
use crate::project::Project;

/// Roll backs with the plans that they undo.
type Rollbacks = [(Rollback, PlanId)];

/// Prints the project's connection, what is staged, the newest plan and what became of it, and the last runs.
pub(crate) fn status(folder: &Path, json: bool) -> Result<Ending> {
    let project = Project::open(folder)?;
    let Some(connection) = project.file.connection.as_ref() else {
        if json {
            print_json(&json!({"connection": null}));
        } else {
            print_line("no source is connected; next: `longshore connect`");
        }
        return Ok(Ending::Done);
    };
    let store = store::Store::open_read_only(&project.folder)?;
    let id = ConnectionId::from(connection.name.as_str());
    let plan = store.latest_plan()?;
    let objects = plan.as_ref().map(|plan| {
        plan.header
            .mapping
            .objects
            .iter()
            .map(|object| object.source.clone())
            .collect::<Vec<_>>()
    });
    let mut staged = Vec::new();
    for object in objects.unwrap_or_default() {
        staged.push((object.clone(), store.staged_count(&id, &object)?));
    }
    let outcomes = plan
        .as_ref()
        .map(|plan| store.outcome_counts(&plan.id))
        .transpose()?
        .unwrap_or_default();
    let runs = store.runs()?;
    let (applied, rollbacks) = (store.applied_runs()?, store.rollbacks()?);
    let next = find_next(plan.as_ref(), outcomes.is_empty(), &rollbacks);
    if json {
        print_json(&json!({
            "connection": connection.name,
            "connector": connection.connector,
            "staged": staged.iter().map(|(object, count)| (object.to_string(), *count)).collect::<std::collections::BTreeMap<_, _>>(),
            "plan": plan.as_ref().map(|plan| json!({"id": plan.id, "hash": plan.hash, "created_at": plan.header.created_at})),
            "outcomes": outcomes.iter().map(|(object, kind, count)| json!({"object": object, "outcome": kind, "count": count})).collect::<Vec<_>>(),
            "runs": runs.iter().map(|run| json!({"run": run.id, "kind": run.kind})).collect::<Vec<_>>(),
            "wrote": applied.iter().map(|(run, _)| run).collect::<Vec<_>>(),
            "rolled_back": rollbacks.iter().map(|(rollback, _)| json!({
                "run": rollback.run, "undone": rollback.undone, "finished": rollback.is_finished,
            })).collect::<Vec<_>>(),
            "next": next,
        }));
        return Ok(Ending::Done);
    }
    print_line(&format!(
        "source      {} through connector {}",
        connection.name, connection.connector
    ));
    staged
        .iter()
        .for_each(|(object, count)| print_line(&format!("staged      {object:<16} {count:>11}")));
    match &plan {
        Some(plan) => print_line(&format!(
            "plan        {} of {}",
            plan.id, plan.header.created_at
        )),
        None => print_line("plan        none yet"),
    }
    crate::report::show_outcomes(&outcomes);
    print_line(&format!("runs        {}", runs.len()));
    show_wrote(&applied, &rollbacks);
    print_line(&format!("next        {next}"));
    Ok(Ending::Done)
}

/// The command that leads on.
fn find_next(plan: Option<&Plan>, is_untouched: bool, rollbacks: &Rollbacks) -> &'static str {
    let Some(plan) = plan else {
        return "longshore migrate";
    };
    match rollbacks.iter().find(|(_, undone)| *undone == plan.id) {
        // One that was cut off goes on with the same command.
        Some((rollback, _)) if !rollback.is_finished => "longshore rollback",
        Some(_) => "longshore plan",
        None if is_untouched => "longshore apply",
        None => "longshore audit",
    }
}

/// The runs that can be rolled back, and those that are.
fn show_wrote(applied: &[(RunId, PlanId)], rollbacks: &Rollbacks) {
    for (run, _) in applied {
        let undone = rollbacks
            .iter()
            .find(|(rollback, _)| rollback.undone == *run);
        let became = match undone {
            None => String::new(),
            Some((rollback, _)) if rollback.is_finished => {
                format!(", rolled back by run {}", rollback.run)
            }
            Some((rollback, _)) => format!(", its roll back, run {}, was cut off", rollback.run),
        };
        print_line(&format!("wrote       run {run}{became}"));
    }
}
