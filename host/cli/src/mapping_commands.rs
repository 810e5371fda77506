//! The commands for the mapping file: write it, show what follows from it, check it.

use anyhow::Result;
use serde_json::json;

use crate::args::{Folder, MappingCommand};
use crate::failure::WithHint;
use crate::mapping;
use crate::output::{Ending, print_json, print_line};
use crate::phases::find_mapping;
use crate::project::Project;

/// Writes, shows or checks the project's mapping file.
pub(crate) async fn mapping(command: MappingCommand, json: bool) -> Result<Ending> {
    match command {
        MappingCommand::Init(folder) => init(&folder, json).await,
        MappingCommand::Show { folder, plan: true } => show_planned(&folder, json),
        MappingCommand::Show { folder, .. } => show(&folder, json).await,
        MappingCommand::Check(folder) => check(&folder, json).await,
    }
}

async fn init(folder: &Folder, json: bool) -> Result<Ending> {
    let project = Project::open(&folder.dir)?;
    mapping::refuse_existing(&project)?;
    let found = find_mapping(&project).await?;
    let path = mapping::write(&project, &found)?;
    if json {
        print_json(&json!({"file": path}));
    } else {
        print_line(&format!(
            "wrote {}; change it, then: longshore mapping check",
            path.display()
        ));
    }
    Ok(Ending::Done)
}

async fn show(folder: &Folder, json: bool) -> Result<Ending> {
    let project = Project::open(&folder.dir)?;
    let found = find_mapping(&project).await?;
    if json {
        print_json(&json!({"mapping": found.mapping, "findings": found.findings}));
    } else {
        mapping::show(&found);
    }
    Ok(Ending::Done)
}

fn show_planned(folder: &Folder, json: bool) -> Result<Ending> {
    let store = Project::open(&folder.dir)?.store()?;
    let plan = store
        .latest_plan()?
        .ok_or_else(|| WithHint::error("there is no plan yet", "make one with `longshore plan`"))?;
    let text = run::find_plan_mapping(&store, &plan.id)?;
    match (json, text) {
        (true, text) => print_json(&json!({"plan": plan.id, "file": text})),
        (false, Some(text)) => print_line(text.trim_end()),
        (false, None) => print_line(&format!(
            "# plan {} was made without a mapping file",
            plan.id
        )),
    }
    Ok(Ending::Done)
}

async fn check(folder: &Folder, json: bool) -> Result<Ending> {
    let project = Project::open(&folder.dir)?;
    let path = mapping::path(&project);
    if !path.exists() {
        return Err(WithHint::error(
            format!("there is no {}", path.display()),
            "the default mapping holds; `longshore mapping init` writes it down to be changed",
        ));
    }
    let found = find_mapping(&project).await?;
    let fields = found
        .mapping
        .objects
        .iter()
        .flat_map(|object| &object.fields);
    let tests: usize = fields.map(|field| field.rules.examples.len()).sum();
    let unmapped: usize = found
        .mapping
        .objects
        .iter()
        .map(|object| object.unmapped.len())
        .sum();
    if json {
        print_json(&json!({"file": path, "tests": tests, "unmapped_fields": unmapped}));
    } else {
        print_line(&format!(
            "{} fits both sides; {tests} tests passed; {unmapped} fields of the source fill nothing",
            path.display()
        ));
    }
    Ok(Ending::Done)
}
