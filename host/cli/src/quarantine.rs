//! `longshore quarantine list|show|fix`: what did not come through, by cause, and what a person decides of it. From the project's state alone.

mod fix;

use anyhow::Result;
use model::{ConnectionId, Correction, ObjectName, SourceRecordId};
use run::{HeldCause, HeldFilter, HeldRecord, Selection};
use serde_json::{Value, json};
use store::Store;

use crate::args::{Held, HeldList, HeldReplay, HeldShow, QuarantineCommand};
use crate::failure::WithHint;
use crate::output::{Ending, print_json, print_line};
use crate::plans::{find_objects, printable};
use crate::project::Project;

/// Lists, shows, corrects or tries again what is held.
pub(crate) async fn quarantine(command: QuarantineCommand, json: bool) -> Result<Ending> {
    match command {
        QuarantineCommand::List(command) => list(&command, json),
        QuarantineCommand::Show(command) => show(&command, json),
        QuarantineCommand::Fix(command) => fix::fix(&command, json),
        QuarantineCommand::Replay(command) => replay(command, json).await,
    }
}

/// What is held, read while another process may be at work.
struct Hold {
    store: Store,
    connection: ConnectionId,
}

impl Hold {
    fn open(project: &Project) -> Result<Self> {
        let connection = ConnectionId::from(project.connection()?.name.as_str());
        let store = Store::open_read_only(&project.folder)?;
        Ok(Self { store, connection })
    }

    /// The source's objects that are meant by those names: their own, or those of what they become.
    fn objects(&self, names: &[String]) -> Result<Vec<ObjectName>> {
        if let Some(plan) = self.store.latest_plan()? {
            return find_objects(&plan, names);
        }
        let catalog = run::find_source_catalog(&self.store, &self.connection)?;
        let objects = catalog.map_or_else(Vec::new, |catalog| catalog.objects);
        let mut found = Vec::new();
        for name in names {
            let before = found.len();
            let named = objects.iter().filter(|object| {
                object.name.as_str() == name
                    || object
                        .standard
                        .is_some_and(|standard| standard.name() == name)
            });
            found.extend(named.map(|object| object.name.clone()));
            if found.len() == before {
                let known: Vec<_> = objects.iter().map(|object| object.name.as_str()).collect();
                return Err(WithHint::error(
                    format!("the source has no object {name:?}"),
                    format!("it has {}", known.join(", ")),
                ));
            }
        }
        Ok(found)
    }

    /// The record that is meant by an object's name and an id. A standard object may stand for several of the source's.
    fn record(&self, object: &str, id: &str) -> Result<(ObjectName, SourceRecordId)> {
        let record = SourceRecordId::from(id);
        for object in self.objects(&[object.to_owned()])? {
            let found = self
                .store
                .find_as_it_came(&self.connection, &object, &record)?;
            if found != (None, None) {
                return Ok((object, record));
            }
        }
        Err(WithHint::error(
            format!("nothing was read of {object} {id}"),
            "the id is the source's own, as `longshore quarantine list` and the workbook name it",
        ))
    }

    /// The held records that are meant.
    fn find(&self, held: &Held) -> Result<Vec<HeldRecord>> {
        let (filter, only) = match (&held.object, &held.id) {
            (Some(object), Some(id)) => {
                let (object, record) = self.record(object, id)?;
                let objects = vec![object];
                (
                    HeldFilter {
                        objects,
                        cause: None,
                    },
                    Some(record),
                )
            }
            _ => (filter(held.cause.clone()), None),
        };
        let mut found = Vec::new();
        run::visit_held(&self.store, &self.connection, &filter, |held| {
            if only.as_ref().is_none_or(|record| held.record == *record) {
                found.push(held);
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// The row as it came: the broken one, else what is staged.
    fn row(&self, held: &HeldRecord) -> Result<Option<String>> {
        let (staged, broken) =
            self.store
                .find_as_it_came(&self.connection, &held.object, &held.record)?;
        let broken = broken.filter(|row| held.is_broken && !row.text.is_empty());
        Ok(broken.map(|row| row.text).or(staged))
    }
}

fn filter(cause: Option<String>) -> HeldFilter {
    HeldFilter {
        objects: Vec::new(),
        cause,
    }
}

fn list(command: &HeldList, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    let hold = Hold::open(&project)?;
    let filter = HeldFilter {
        objects: hold.objects(&command.object)?,
        cause: command.cause.clone(),
    };
    let causes = run::find_held_causes(&hold.store, &hold.connection, &filter)?;
    let records: u64 = causes.iter().map(|cause| cause.records).sum();
    let shown = match command.limit {
        0 => &causes[..],
        limit => &causes[..limit.min(causes.len())],
    };
    if json {
        let told: Vec<_> = shown.iter().map(cause_json).collect();
        print_json(&json!({"records": records, "found": causes.len(), "causes": told}));
        return Ok(Ending::with(records));
    }
    for cause in shown {
        let waiting = match cause.waiting {
            0 => String::new(),
            waiting => format!(", {waiting} of them corrected since"),
        };
        print_line(&printable(&format!(
            "{}  {} {}{waiting}: {}",
            cause.handle, cause.records, cause.object, cause.cause
        )));
        print_line(&printable(&format!(
            "          for example {} {}: {}",
            cause.object, cause.example, cause.message
        )));
        print_line(&format!("          {}", advice(cause)));
    }
    print_line(&match (shown.len(), causes.len()) {
        (_, 0) => "nothing is held".to_owned(),
        (shown, all) if shown < all => format!(
            "{shown} of {}, {} held in all; --limit 0 shows all",
            count(all as u64, "cause"),
            count(records, "record")
        ),
        (_, all) => format!(
            "{} held, for {}",
            count(records, "record"),
            count(all as u64, "cause")
        ),
    });
    Ok(Ending::with(records))
}

fn cause_json(cause: &HeldCause) -> Value {
    let mut told = json!(cause);
    told["what_to_do"] = advice(cause).into();
    told
}

/// So many of a thing.
fn count(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

/// What a person may do about a cause.
fn advice(cause: &HeldCause) -> String {
    let handle = &cause.handle;
    if cause.waiting == cause.records {
        return format!("try them again: longshore quarantine replay --cause {handle}");
    }
    if cause.message.starts_with("held back:") {
        return format!(
            "the destination was edited meanwhile; decide anew: longshore quarantine replay --cause {handle}"
        );
    }
    if cause.is_broken {
        return format!(
            "the connector's rows are wrong: tell its publisher, and correct them: longshore quarantine fix --cause {handle} --set FIELD=VALUE"
        );
    }
    format!(
        "put it right at the destination or in mapping.toml, or correct the values (longshore quarantine fix --cause {handle} --set \
         FIELD=VALUE); then: longshore quarantine replay --cause {handle}"
    )
}

fn show(command: &HeldShow, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    let hold = Hold::open(&project)?;
    let found = hold.find(&command.held)?;
    if let (true, Some(object), Some(id)) =
        (found.is_empty(), &command.held.object, &command.held.id)
    {
        return Err(WithHint::error(
            format!("{object} {id} is not held"),
            format!("`longshore explain {object} {id}` tells its story"),
        ));
    }
    let shown = match command.limit {
        0 => &found[..],
        limit => &found[..limit.min(found.len())],
    };
    let mut told = Vec::new();
    for held in shown {
        let row = hold.row(held)?;
        if json {
            told.push(held_json(held, row));
        } else {
            show_held(held, row.as_deref());
        }
    }
    if json {
        print_json(&json!({"found": found.len(), "records": told}));
    } else if shown.len() < found.len() {
        print_line(&format!(
            "{} of {} records; --limit 0 shows all",
            shown.len(),
            found.len()
        ));
    } else {
        print_line(&count(found.len() as u64, "record"));
    }
    Ok(Ending::with(found.len() as u64))
}

fn held_json(held: &HeldRecord, row: Option<String>) -> Value {
    // A row that is no JSON is told as text.
    let row = row.map(|row| serde_json::from_str(&row).unwrap_or(Value::from(row)));
    json!({
        "object": held.object, "record": held.record, "handle": held.cause.handle(), "cause": held.cause.text(),
        "is_broken": held.is_broken, "message": held.message, "row": row,
        "correction": held.waiting.as_ref().map(correction_json),
    })
}

/// A correction as JSON.
pub(crate) fn correction_json(correction: &Correction) -> Value {
    json!({
        "decision": correction.decision.name(), "told": run::told_correction(&correction.decision),
        "by": correction.made_by, "at": correction.made_at,
    })
}

fn show_held(held: &HeldRecord, row: Option<&str>) {
    let state = if held.is_broken {
        "quarantined"
    } else {
        "failed"
    };
    print_line(&printable(&format!(
        "{} {}  {state}, cause {}",
        held.object,
        held.record,
        held.cause.handle()
    )));
    print_line(&format!("  why    {}", escaped(&held.message)));
    if let Some(row) = row {
        show_row(row);
    }
    if let Some(correction) = &held.waiting {
        print_line(&format!(
            "  fixed  by {}, {}: {}; try it again with: longshore quarantine replay",
            escaped(&correction.made_by),
            correction.made_at,
            escaped(&run::told_correction(&correction.decision))
        ));
    }
}

/// A row as it came: field by field where that can be told, without those that are blank; else as it is.
fn show_row(row: &str) {
    let parsed: Option<Value> = serde_json::from_str(row).ok();
    let fields = parsed.as_ref().and_then(|row| row["fields"].as_object());
    let Some(fields) = fields else {
        print_line(&format!("  row    {}", escaped(row)));
        return;
    };
    let told = fields.iter().filter(|(_, value)| !value.is_null());
    for (name, value) in told {
        print_line(&format!(
            "  field  {} = {}",
            escaped(name),
            escaped(&value.to_string())
        ));
    }
}

/// Text that a terminal only shows, up to a length: what it would obey, or what would turn the line around, is written as its number.
fn escaped(text: &str) -> String {
    const LONGEST: usize = 1_000;
    let turns = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut clean = String::with_capacity(text.len());
    for (at, letter) in text.chars().enumerate() {
        if at == LONGEST {
            clean.push_str("… (--json tells all of it)");
            break;
        }
        match letter {
            '\n' | '\r' | '\t' => clean.extend(letter.escape_default()),
            letter if letter.is_control() || turns(letter) => clean.extend(letter.escape_unicode()),
            letter => clean.push(letter),
        }
    }
    clean
}

async fn replay(command: HeldReplay, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    let selection = match (&command.object, &command.id, &command.cause) {
        (_, _, Some(handle)) => Selection::Cause(handle.clone()),
        (None, ..) => Selection::All,
        (Some(all), None, _) if all == "all" => Selection::All,
        (Some(object), None, _) => {
            return Err(WithHint::error(
                format!("which {object} is to be tried again?"),
                format!("give its id: longshore quarantine replay {object} ID; or a cause, or all"),
            ));
        }
        (Some(object), Some(id), _) => {
            let (object, record) = Hold::open(&project)?.record(object, id)?;
            Selection::Record(object, record)
        }
    };
    crate::replay::replay(&project, command, &selection, json).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_commands_a_terminal_to_nothing_and_hides_nothing() {
        assert_eq!(
            escaped("a\u{1b}[31m\nb\u{202e}c\u{7}é"),
            "a\\u{1b}[31m\\nb\\u{202e}c\\u{7}é"
        );
        let long = escaped(&"x".repeat(3_000));
        assert!(long.starts_with("xxx") && long.ends_with("(--json tells all of it)"));
    }
}
