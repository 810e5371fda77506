//! `longshore plan show`: the writes of a plan that was made, from the project's state alone. Another process may be at work meanwhile.

use std::path::Path;

use anyhow::Result;
use model::ObjectName;
use model::plan::{ActionKind, Plan};
use run::{PlanFilter, PlanLine};
use serde_json::json;
use store::Store;

use crate::args::PlanShow;
use crate::failure::WithHint;
use crate::output::{Ending, print_json, print_line};
use crate::project::Project;

/// Prints the actions that the filters let through, or writes them into a file.
pub(crate) fn show(command: &PlanShow, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    let store = Store::open_read_only(&project.folder)?;
    let plan = find_plan(&store, command.plan.as_deref())?;
    let filter = PlanFilter {
        objects: find_objects(&plan, &command.object)?,
        actions: command
            .action
            .iter()
            .filter_map(|name| ActionKind::find(name))
            .collect(),
        reasons: command.reason.clone(),
    };
    if let Some(path) = &command.out {
        return export(&store, &plan, &filter, path, json);
    }
    let limit = match command.limit {
        0 => u64::MAX,
        limit => limit,
    };
    let (mut shown, mut found) = (Vec::new(), 0);
    run::load_lines(&store, &plan, &filter, |line| {
        found += 1;
        if found > limit {
            return Ok(true);
        }
        if json {
            shown.push(json!(line));
        } else {
            show_line(&line);
        }
        Ok(true)
    })?;
    if json {
        print_json(&json!({
            "plan": {"id": plan.id, "hash": plan.hash, "created_at": plan.header.created_at},
            "found": found,
            "actions": shown,
        }));
    } else if found > limit {
        print_line(&format!(
            "{limit} of {found} actions; --limit 0 shows all, --out FILE writes them into a file"
        ));
    } else {
        print_line(&format!("{found} actions"));
    }
    Ok(Ending::Done)
}

/// Writes a plan into a file and says so.
pub(crate) fn export(
    store: &Store,
    plan: &Plan,
    filter: &PlanFilter,
    path: &Path,
    json: bool,
) -> Result<Ending> {
    let exported = run::export_plan(store, plan, filter, path)?;
    if json {
        print_json(&json!({
            "plan": {"id": plan.id, "hash": plan.hash},
            "file": path, "actions": exported.actions, "associations": exported.links,
            "associations_taken_away": exported.removals,
        }));
    } else {
        let taken_away = match exported.removals {
            0 => String::new(),
            removals => format!(", {removals} associations to be taken away"),
        };
        print_line(&format!(
            "{} actions and {} associations{taken_away} of plan {} in {}",
            exported.actions,
            exported.links,
            plan.id,
            path.display()
        ));
    }
    Ok(Ending::Done)
}

/// The plan of that id, or the newest.
pub(crate) fn find_plan(store: &Store, id: Option<&str>) -> Result<Plan> {
    match id {
        Some(id) => store.load_plan(&id.into())?.ok_or_else(|| {
            WithHint::error(
                format!("there is no plan {id}"),
                "`longshore status` names the newest; its id is the first 16 characters of its hash",
            )
        }),
        None => store
            .latest_plan()?
            .ok_or_else(|| WithHint::error("there is no plan yet", "make one with `longshore plan`")),
    }
}

/// The source objects that are meant by those names: their own, or those of what they become.
pub(crate) fn find_objects(plan: &Plan, names: &[String]) -> Result<Vec<ObjectName>> {
    let mut found = Vec::new();
    for name in names {
        let mapped = plan
            .header
            .mapping
            .objects
            .iter()
            .filter(|object| object.source.as_str() == name || object.standard.name() == name);
        let before = found.len();
        found.extend(mapped.map(|object| object.source.clone()));
        if found.len() == before {
            let known: Vec<_> = plan
                .header
                .counts
                .iter()
                .map(|(_, standard, _)| standard.name())
                .collect();
            return Err(WithHint::error(
                format!("plan {} has no object {name:?}", plan.id),
                format!("it has {}", known.join(", ")),
            ));
        }
    }
    Ok(found)
}

fn show_line(line: &PlanLine) {
    let (action, object, record) = (line.action.name(), &line.object, &line.record);
    let mut text = format!("{action:<10} {object} {record}");
    if let Some(destination) = &line.destination {
        text.push_str(&format!(" -> {destination}"));
    }
    if let Some(survivor) = &line.survivor {
        text.push_str(&format!(" -> {object} {survivor}"));
    }
    print_line(&printable(&format!("{text}: {}", line.why)));
    if !line.changes.is_empty() {
        print_line(&printable(&format!("           {}", line.changes_text())));
    }
}

/// A record may hold characters that a terminal obeys, and texts of pages: a line stays one, and what it lacks is in the file.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 400;
    let clean = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut short: String = clean.clone().take(LONGEST).collect();
    if clean.count() > LONGEST {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line_and_commands_a_terminal_to_nothing() {
        assert_eq!(printable("a\u{1b}[31m\nb"), "a [31m b");
        let long = printable(&"x".repeat(1_000));
        assert_eq!(long.chars().count(), 401);
        assert!(long.ends_with('…'));
    }
}
