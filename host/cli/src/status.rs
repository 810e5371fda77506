//! `longshore status`: where the project stands, from its state alone. Another process may be at work meanwhile.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use model::ledger::OutcomeKind;
use model::plan::Plan;
use model::{ConnectionId, ObjectName, PlanId, RunId};
use serde_json::{Value, json};

use crate::output::{Ending, print_json, print_line};
use crate::project::{ConnectionSection, Project};

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
    let standing = Standing::find(&store, connection)?;
    if json {
        print_json(&standing.to_json());
    } else {
        standing.show();
    }
    Ok(Ending::Done)
}

/// Where a connected project stands.
struct Standing<'s> {
    connection: &'s ConnectionSection,
    staged: Vec<(ObjectName, u64)>,
    plan: Option<Plan>,
    outcomes: Vec<(ObjectName, OutcomeKind, u64)>,
    runs: Vec<store::Run>,
    applied: Vec<(RunId, PlanId)>,
    rollbacks: Vec<(model::undo::Rollback, PlanId)>,
}

impl<'s> Standing<'s> {
    fn find(store: &store::Store, connection: &'s ConnectionSection) -> Result<Self> {
        let id = ConnectionId::from(connection.name.as_str());
        let plan = store.latest_plan()?;
        let objects = plan.iter().flat_map(|plan| &plan.header.mapping.objects);
        let mut staged = Vec::new();
        for object in objects {
            let count = store.staged_count(&id, &object.source)?;
            staged.push((object.source.clone(), count));
        }
        let outcomes = match &plan {
            Some(plan) => store.outcome_counts(&plan.id)?,
            None => Vec::new(),
        };
        Ok(Self {
            connection,
            staged,
            plan,
            outcomes,
            runs: store.runs()?,
            applied: store.applied_runs()?,
            rollbacks: store.rollbacks()?,
        })
    }

    fn next(&self) -> &'static str {
        let Some(plan) = &self.plan else {
            return "longshore migrate";
        };
        let mut rollbacks = self.rollbacks.iter();
        match rollbacks.find(|(_, undone)| *undone == plan.id) {
            // One that was cut off goes on with the same command.
            Some((rollback, _)) if !rollback.is_finished => "longshore rollback",
            Some(_) => "longshore plan",
            None if self.outcomes.is_empty() => "longshore apply",
            None => "longshore audit",
        }
    }

    fn to_json(&self) -> Value {
        let plan = self.plan.as_ref();
        let staged = self.staged.iter();
        let staged: BTreeMap<_, _> = staged
            .map(|(object, count)| (object.as_str(), *count))
            .collect();
        let outcomes = self.outcomes.iter().map(
            |(object, kind, count)| json!({"object": object, "outcome": kind, "count": count}),
        );
        let runs = self.runs.iter();
        let rollbacks = self.rollbacks.iter().map(|(rollback, _)| {
            json!({
                "run": rollback.run, "undone": rollback.undone, "finished": rollback.is_finished,
            })
        });
        json!({
            "connection": self.connection.name,
            "connector": self.connection.connector,
            "staged": staged,
            "plan": plan.map(|plan| json!({"id": plan.id, "hash": plan.hash, "created_at": plan.header.created_at})),
            "outcomes": outcomes.collect::<Vec<_>>(),
            "runs": runs.map(|run| json!({"run": run.id, "kind": run.kind})).collect::<Vec<_>>(),
            "wrote": self.applied.iter().map(|(run, _)| run).collect::<Vec<_>>(),
            "rolled_back": rollbacks.collect::<Vec<_>>(),
            "next": self.next(),
        })
    }

    fn show(&self) {
        let ConnectionSection {
            name, connector, ..
        } = self.connection;
        print_line(&format!("source      {name} through connector {connector}"));
        for (object, count) in &self.staged {
            print_line(&format!("staged      {object:<16} {count:>11}"));
        }
        match &self.plan {
            Some(plan) => print_line(&format!(
                "plan        {} of {}",
                plan.id, plan.header.created_at
            )),
            None => print_line("plan        none yet"),
        }
        crate::report::show_outcomes(&self.outcomes);
        print_line(&format!("runs        {}", self.runs.len()));
        for (run, _) in &self.applied {
            let mut rollbacks = self.rollbacks.iter();
            let undone = rollbacks.find(|(rollback, _)| rollback.undone == *run);
            let became = match undone {
                None => String::new(),
                Some((rollback, _)) if rollback.is_finished => {
                    format!(", rolled back by run {}", rollback.run)
                }
                Some((rollback, _)) => {
                    format!(", its roll back, run {}, was cut off", rollback.run)
                }
            };
            print_line(&format!("wrote       run {run}{became}"));
        }
        print_line(&format!("next        {}", self.next()));
    }
}
