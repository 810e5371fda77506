//! `longshore rollback`: takes back what one run wrote, or says what would be taken back.
//!
//! It opens no source: the account that was left may be gone.

use anyhow::Result;
use model::RunId;
use run::{Aim, RollbackContext, RollbackSummary, RunError, UndoFile};
use serde_json::{Map, Value, json};
use store::{PhaseState, Store};

use crate::args::{Rollback, RunChoice};
use crate::connect::ask;
use crate::failure::WithHint;
use crate::output::{Ending, print_json, print_line};
use crate::portal::{Door, tell_spent};
use crate::progress::Display;
use crate::project::Project;
use crate::reach::tell_waits;

/// What is noted of the phase.
const PHASE: run::Phase = run::Phase::RollBack;

/// How many exceptions are printed for a person; all that are told stand in the JSON.
const SHOWN_MAX: usize = 50;

/// Plans or carries out a roll back.
pub(crate) async fn rollback(command: Rollback, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    let mut store = project.store()?;
    let run = match command.run {
        RunChoice::Latest => None,
        RunChoice::Number(number) => Some(RunId(number)),
    };
    let (undone, plan) = run::find_undoable(&store, run)?;
    if command.apply && !command.yes && !ask(&format!("Roll back run {undone}?"))? {
        let hint = format!(
            "nothing was written; see first with `longshore rollback {undone} --plan`, then give --yes"
        );
        return Err(WithHint::declined("the roll back was not approved", hint));
    }
    let door = Door::open(&project)?;
    let display = Display::new(false, door.gateway.clone().map(tell_spent));
    let _telling = tell_waits(door.gateway.clone(), "the destination");
    let aim = if command.apply {
        Aim::Apply(find_run(&mut store, undone)?)
    } else {
        Aim::Plan
    };
    let mut file = command
        .out
        .as_ref()
        .map(|path| UndoFile::create(path))
        .transpose()?;
    note(&mut store, aim, PhaseState::Started, "")?;
    let mut ctx = RollbackContext {
        store: &mut store,
        destination: &*door.destination,
        progress: &display,
    };
    let mut tell = |step: run::Undoing| match &mut file {
        Some(file) => file.add(&step),
        None => Ok::<_, RunError>(()),
    };
    let done = run::rollback(&mut ctx, (undone, &plan), aim, &mut tell).await;
    let (state, detail) = match &done {
        Ok(_) => (PhaseState::Finished, String::new()),
        Err(error) => (PhaseState::Stopped, error.to_string()),
    };
    // The roll back's own error says more than one about the note.
    let noted = note(&mut store, aim, state, &detail);
    let summary = done?;
    noted?;
    file.map_or(Ok(()), UndoFile::finish)?;
    if json {
        print_json(&to_json(&summary, aim, &plan));
    } else {
        show(&summary, aim);
    }
    Ok(Ending::with(summary.exception_count()))
}

/// The run that a roll back goes on under, else a new one.
fn find_run(store: &mut Store, undone: RunId) -> Result<RunId> {
    let known = store.rollbacks()?;
    let known = known
        .iter()
        .find(|(rollback, _)| rollback.undone == undone && !rollback.is_finished);
    Ok(match known {
        Some((rollback, _)) => rollback.run,
        None => store.start_run("rollback")?,
    })
}

fn note(store: &mut Store, aim: Aim, state: PhaseState, detail: &str) -> Result<()> {
    match aim {
        Aim::Plan => Ok(()),
        Aim::Apply(run) => Ok(store.note_phase(run, PHASE.name(), state, detail)?),
    }
}

fn to_json(summary: &RollbackSummary, aim: Aim, plan: &model::plan::Plan) -> Value {
    let objects: Map<String, Value> = summary
        .objects
        .iter()
        .map(|object| {
            let told = json!({
                "source_object": object.source, "archived": object.archived, "restored": object.restored,
                "edited_since": object.edited, "already_gone": object.gone, "failed": object.failed,
            });
            (object.standard.name().to_owned(), told)
        })
        .collect();
    let links = &summary.links;
    json!({
        "undone": summary.undone,
        "run": match aim { Aim::Plan => None, Aim::Apply(run) => Some(run) },
        "plan": plan.id,
        "destination": plan.header.destination,
        "objects": objects,
        "associations": {"removed": links.removed, "restored": links.restored, "already_gone": links.gone, "kept": links.kept, "failed": links.failed},
        "exceptions": summary.exceptions,
        "exceptions_total": summary.exception_count(),
        "left_in_place": summary.left_in_place,
        "unsettled": summary.unsettled,
    })
}

fn show(summary: &RollbackSummary, aim: Aim) {
    let undone = summary.undone;
    match aim {
        Aim::Plan => print_line(&format!("what rolling back run {undone} comes to:")),
        Aim::Apply(run) => print_line(&format!("run {undone} is rolled back, by run {run}:")),
    }
    print_line("object            archived  restored  edited since  already gone    failed");
    let is_touched = |object: &&run::UndoneObject| {
        object.archived + object.restored + object.edited + object.gone + object.failed > 0
    };
    for object in summary.objects.iter().filter(is_touched) {
        print_line(&format!(
            "{:<16} {:>9} {:>9} {:>13} {:>13} {:>9}",
            object.standard.name(),
            object.archived,
            object.restored,
            object.edited,
            object.gone,
            object.failed
        ));
    }
    let links = &summary.links;
    print_line(&format!(
        "associations: {} taken away, {} made again, {} already gone, {} kept with records that are left, {} failed",
        links.removed, links.restored, links.gone, links.kept, links.failed
    ));
    for exception in summary.exceptions.iter().take(SHOWN_MAX) {
        let id = exception
            .destination
            .as_ref()
            .map_or_else(String::new, |id| format!(" ({id})"));
        let told = format!(
            "  {} {}{id}: {}",
            exception.object, exception.record, exception.message
        );
        print_line(&told.replace(char::is_control, " "));
    }
    let total = summary.exception_count();
    let shown = summary.exceptions.len().min(SHOWN_MAX) as u64;
    if total > shown {
        print_line(&format!("  and {} more", total - shown));
    }
    if summary.unsettled > 0 {
        print_line(&format!(
            "{} writes were announced and not noted when the run was cut off; they are looked up by --apply",
            summary.unsettled
        ));
    }
    if !summary.left_in_place.is_empty() {
        print_line(&format!(
            "stays in place: {}",
            summary.left_in_place.join(", ")
        ));
    }
    match aim {
        Aim::Plan => print_line(&format!(
            "carry it out with: longshore rollback {undone} --apply"
        )),
        Aim::Apply(_) => print_line("make a new plan with: longshore plan"),
    }
}
