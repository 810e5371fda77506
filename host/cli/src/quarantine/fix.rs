//! `longshore quarantine fix`: a person's correction, held against the row before it is kept. The source is not written.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use model::{Correction, Decision, ObjectInfo, ObjectName, SourceRecordId};
use run::CheckError;
use serde_json::{Value, json};

use super::Hold;
use crate::args::HeldFix;
use crate::failure::WithHint;
use crate::output::{Ending, print_json, print_line};
use crate::plans::printable;
use crate::project::Project;

/// Keeps a correction of the records that are meant. Those that it does not fit are told, and the others are corrected.
pub(super) fn fix(command: &HeldFix, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    let hold = Hold::open(&project)?;
    let meant = find_meant(&hold, command)?;
    let infos = find_infos(&hold, &meant)?;
    let given = Given::read(command)?;
    let (mut decided, mut refused) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
    for (object, record) in meant {
        let info = &infos[&object];
        let decision = given.decide(&hold, info, &record)?;
        let decision = match decision {
            Ok(decision) => decision,
            Err(why) => {
                refused.push((object, record, why));
                continue;
            }
        };
        let (store, connection) = (&hold.store, &hold.connection);
        match run::check_correction(store, connection, info, &record, &decision) {
            Ok(()) => decided.entry(object).or_default().push((record, decision)),
            Err(CheckError::Store(error)) => return Err(error.into()),
            Err(why) => refused.push((object, record, why.to_string())),
        }
    }
    let corrected: u64 = decided.values().map(|records| records.len() as u64).sum();
    if let (0, Some((object, record, why))) = (corrected, refused.first()) {
        return Err(WithHint::error(
            format!("{object} {record} cannot be corrected: {why}"),
            hint(refused.len(), object, record),
        ));
    }
    // Only now the state is taken from other processes.
    let connection = hold.connection.clone();
    drop(hold);
    let (mut store, by) = (project.store()?, person());
    for (object, decisions) in &decided {
        store.write_corrections(&connection, object, decisions, &by)?;
    }
    tell(json, corrected, &by, &refused);
    Ok(Ending::with(refused.len() as u64))
}

fn hint(refused: usize, object: &ObjectName, record: &SourceRecordId) -> String {
    let others = match refused {
        1 => String::new(),
        refused => format!("nor can {} others. ", refused - 1),
    };
    format!(
        "{others}`longshore quarantine show {object} '{record}'` shows the row; nothing was kept"
    )
}

fn tell(json: bool, corrected: u64, by: &str, refused: &[(ObjectName, SourceRecordId, String)]) {
    if json {
        let refused = refused
            .iter()
            .map(|(object, record, why)| json!({"object": object, "record": record, "why": why}));
        let refused: Vec<_> = refused.collect();
        print_json(&json!({"corrected": corrected, "by": by, "refused": refused}));
        return;
    }
    for (object, record, why) in refused {
        print_line(&printable(&format!(
            "{object} {record} is not corrected: {why}"
        )));
    }
    print_line(&format!(
        "{corrected} corrected, in the name of {by}; the source was not written. Try again with: longshore quarantine replay"
    ));
}

/// Who decides: whom the system is logged in as.
fn person() -> String {
    let names = ["LOGNAME", "USER", "USERNAME"];
    let found = names.iter().find_map(|name| std::env::var(name).ok());
    found
        .filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| "somebody".to_owned())
}

fn find_meant(hold: &Hold, command: &HeldFix) -> Result<Vec<(ObjectName, SourceRecordId)>> {
    let held = &command.held;
    if let (Some(object), Some(id)) = (&held.object, &held.id) {
        return Ok(vec![hold.record(object, id)?]);
    }
    if held.cause.is_none() {
        return Err(WithHint::error(
            "which records are to be corrected?",
            "give OBJECT and ID, or --cause; `longshore quarantine list` tells them",
        ));
    }
    let found = hold.find(held)?;
    if found.is_empty() {
        return Err(WithHint::error(
            "nothing is held for that cause",
            "`longshore quarantine list` tells the causes",
        ));
    }
    let records = found.into_iter().map(|held| (held.object, held.record));
    Ok(records.collect())
}

/// What the source says of each of the objects.
fn find_infos(
    hold: &Hold,
    meant: &[(ObjectName, SourceRecordId)],
) -> Result<BTreeMap<ObjectName, Arc<ObjectInfo>>> {
    let catalog = run::find_source_catalog(&hold.store, &hold.connection)?;
    let catalog = catalog.unwrap_or_default();
    let mut infos = BTreeMap::new();
    for (object, _) in meant {
        let info = catalog.find_object(object.as_str()).ok_or_else(|| {
            WithHint::error(
                format!("the source has no object {object} any more"),
                "`longshore discover` tells what it has",
            )
        })?;
        infos.insert(object.clone(), info.clone());
    }
    Ok(infos)
}

/// What the command line says.
enum Given<'c> {
    Set(&'c [(String, String)]),
    Row(String),
    LeaveOut,
    Undo,
}

impl<'c> Given<'c> {
    fn read(command: &'c HeldFix) -> Result<Self> {
        Ok(match &command.row {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let row: Value = serde_json::from_str(&text)
                    .with_context(|| format!("{} is no JSON", path.display()))?;
                // On one line, as the row grammar has it.
                Self::Row(row.to_string())
            }
            None if command.drop => Self::LeaveOut,
            None if command.undo => Self::Undo,
            None => Self::Set(&command.set),
        })
    }

    /// The decision for one record, or why there can be none. Fields that were set before stay set.
    fn decide(
        &self,
        hold: &Hold,
        info: &Arc<ObjectInfo>,
        record: &SourceRecordId,
    ) -> Result<Result<Decision, String>> {
        let (store, connection) = (&hold.store, &hold.connection);
        let mut history = store.correction_history(connection, &info.name, record)?;
        let before = history.pop().map(|Correction { decision, .. }| decision);
        Ok(match self {
            Self::LeaveOut => Ok(Decision::LeaveOut),
            Self::Undo => match before {
                None | Some(Decision::Undo) => Err("nothing of it was corrected".to_owned()),
                Some(_) => Ok(Decision::Undo),
            },
            Self::Row(row) => match run::find_broken_row(store, connection, &info.name, record)? {
                Some(of) => Ok(Decision::Row {
                    row: row.clone(),
                    of,
                }),
                None => Err("its row is sound: set its fields with --set".to_owned()),
            },
            Self::Set(given) => {
                let mut set = BTreeMap::new();
                for (field, text) in *given {
                    match reconcile::parse_value(info, field, text) {
                        Ok((name, value)) => set.insert(name, value),
                        Err(why) => return Ok(Err(why.to_string())),
                    };
                }
                add(info, before, set)
            }
        })
    }
}

fn add(
    info: &Arc<ObjectInfo>,
    before: Option<Decision>,
    set: BTreeMap<String, Value>,
) -> Result<Decision, String> {
    match before {
        Some(Decision::Set(mut fields)) => {
            fields.extend(set);
            Ok(Decision::Set(fields))
        }
        Some(Decision::Row { row, of }) => {
            let laid = reconcile::lay_over(info, None, &row, &Decision::Set(set));
            let (_, row) = laid.map_err(|why| why.to_string())?;
            Ok(Decision::Row { row, of })
        }
        Some(Decision::LeaveOut | Decision::Undo) | None => Ok(Decision::Set(set)),
    }
}
