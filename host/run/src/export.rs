//! The plan for people and tools: every single write with its reason, as lines and as files.
//!
//! It reads what is stored of a sealed plan and changes nothing. Files are made row by row, whatever the plan's size.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use model::estimate::Estimate;
use model::plan::{Action, ActionKind, Plan, PlannedAction, PlannedLink};
use model::{DestinationRecordId, ObjectName, SourceRecordId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Store;

use crate::context::BATCH_RECORDS;
use crate::error::RunError;
use crate::estimate::find_estimate;
use crate::file::WholeFile;
use crate::workbook::{Book, Cell, SheetId};

/// Which of a plan's actions are meant. An empty list lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanFilter {
    /// Source objects.
    pub objects: Vec<ObjectName>,
    /// Kinds of action.
    pub actions: Vec<ActionKind>,
    /// Names of reasons, of [`model::plan::Reason::NAMES`].
    pub reasons: Vec<String>,
}

impl PlanFilter {
    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.actions.is_empty() && self.reasons.is_empty()
    }

    fn takes_object(&self, object: &ObjectName) -> bool {
        self.objects.is_empty() || self.objects.contains(object)
    }

    fn takes_reason(&self, name: &str) -> bool {
        self.reasons.is_empty() || self.reasons.iter().any(|reason| reason == name)
    }
}

/// One action, as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanLine {
    /// The source's object.
    pub object: ObjectName,
    /// The source's record.
    pub record: SourceRecordId,
    /// What is to become of it.
    pub action: ActionKind,
    /// The reason's name.
    pub because: &'static str,
    /// The reason in words.
    pub why: String,
    /// The record of the destination, where there is one already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationRecordId>,
    /// The record of the source that it is the same as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub survivor: Option<SourceRecordId>,
    /// The properties to be written, in the plan's order of values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// One property of an action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The destination's property.
    pub property: String,
    /// As it is at the destination when planning; `None` for a new record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// As it will be; ids of the source stand for stages, owners and products.
    pub to: Value,
}

/// What an export came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Actions in the file.
    pub actions: u64,
    /// Associations in the file.
    pub links: u64,
    /// Associations that are taken away, in the file.
    pub removals: u64,
}

/// The fields of a stored row.
#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    fields: serde_json::Map<String, Value>,
}

fn read_row(object: &ObjectName, row: &str) -> Result<serde_json::Map<String, Value>, RunError> {
    let read: Row = serde_json::from_str(row)
        .map_err(|error| RunError::Inconsistent(format!("stored row of {object}: {error}")))?;
    Ok(read.fields)
}

impl PlanLine {
    /// The line of a stored action.
    ///
    /// # Errors
    /// When its row does not follow the grammar in which the host stored it.
    pub fn new(planned: PlannedAction) -> Result<Self, RunError> {
        let PlannedAction {
            object,
            record,
            action,
        } = planned;
        let (because, why) = (action.reason().name(), action.reason().to_string());
        let (mut destination, mut survivor, mut changes) = (None, None, Vec::new());
        let kind = action.kind();
        match action {
            Action::Create { row, .. } => {
                let written = read_row(&object, &row)?.into_iter();
                changes.extend(written.map(|(property, to)| Change {
                    property,
                    from: None,
                    to,
                }));
            }
            Action::Update {
                destination: id,
                row,
                before,
                ..
            } => {
                let mut before = read_row(&object, &before)?;
                let written = read_row(&object, &row)?.into_iter();
                changes.extend(written.map(|(property, to)| Change {
                    from: Some(before.remove(&property).unwrap_or(Value::Null)),
                    property,
                    to,
                }));
                destination = Some(id);
            }
            Action::Keep {
                destination: id, ..
            } => destination = Some(id),
            Action::Link { survivor: id, .. } => survivor = Some(id),
            Action::Exclude { .. } | Action::Quarantine { .. } => {}
        }
        Ok(Self {
            object,
            record,
            action: kind,
            because,
            why,
            destination,
            survivor,
            changes,
        })
    }

    /// The changes in one text: `property = value` for a new record, `property: old -> new` for a change.
    pub fn changes_text(&self) -> String {
        let told = self.changes.iter().map(Change::text);
        told.collect::<Vec<_>>().join("; ")
    }
}

impl Change {
    /// The change for a person.
    pub fn text(&self) -> String {
        let to = value_text(&self.to);
        match &self.from {
            None => format!("{} = {to}", self.property),
            Some(from) => format!("{}: {} -> {to}", self.property, value_text(from)),
        }
    }
}

/// A value as a person reads it; a blank has a word.
fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "(blank)".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(options) => options
            .iter()
            .map(value_text)
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

/// Hands every action that the filter takes to `take`, in the order of writing, until that answers `false`.
///
/// # Errors
/// When the state cannot be read, and what `take` answers.
pub fn load_lines(
    store: &Store,
    plan: &Plan,
    filter: &PlanFilter,
    mut take: impl FnMut(PlanLine) -> Result<bool, RunError>,
) -> Result<(), RunError> {
    for entry in &plan.header.mapping.objects {
        if !filter.takes_object(&entry.source) {
            continue;
        }
        let mut after = 0;
        loop {
            let actions = store.load_actions(
                &plan.id,
                &entry.source,
                after,
                BATCH_RECORDS,
                &filter.actions,
            )?;
            let Some((last, _)) = actions.last() else {
                break;
            };
            after = *last;
            for (_, planned) in actions {
                if filter.takes_reason(planned.action.reason().name())
                    && !take(PlanLine::new(planned)?)?
                {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn for_each_link(
    store: &Store,
    plan: &Plan,
    filter: &PlanFilter,
    take: impl FnMut(PlannedLink) -> Result<(), RunError>,
) -> Result<u64, RunError> {
    for_each_of(filter, take, |after| {
        Ok(store.load_links(&plan.id, after, BATCH_RECORDS)?)
    })
}

/// As [`for_each_link`], of those that are taken away.
fn for_each_removal(
    store: &Store,
    plan: &Plan,
    filter: &PlanFilter,
    take: impl FnMut(PlannedLink) -> Result<(), RunError>,
) -> Result<u64, RunError> {
    for_each_of(filter, take, |after| {
        Ok(store.load_removals(&plan.id, after, BATCH_RECORDS)?)
    })
}

fn for_each_of(
    filter: &PlanFilter,
    mut take: impl FnMut(PlannedLink) -> Result<(), RunError>,
    load: impl Fn(i64) -> Result<Vec<(i64, PlannedLink)>, RunError>,
) -> Result<u64, RunError> {
    // What is filtered by action or reason is about records.
    if !filter.actions.is_empty() || !filter.reasons.is_empty() {
        return Ok(0);
    }
    let (mut after, mut count) = (0, 0);
    loop {
        let links = load(after)?;
        let Some((last, _)) = links.last() else {
            return Ok(count);
        };
        after = *last;
        for (_, link) in links {
            if filter.takes_object(&link.from_object) {
                count += 1;
                take(link)?;
            }
        }
    }
}

/// Writes the plan's actions and associations into a file: a workbook where its name ends in `.xlsx`, else JSON by lines, of which the
/// first is the plan's own account. The file appears whole or not at all.
///
/// # Errors
/// When the state cannot be read or the file not be written.
pub fn export_plan(
    store: &Store,
    plan: &Plan,
    filter: &PlanFilter,
    path: &Path,
) -> Result<Exported, RunError> {
    let is_workbook = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"));
    if is_workbook {
        export_workbook(store, plan, filter, path)
    } else {
        export_lines(store, plan, filter, path)
    }
}

fn export_lines(
    store: &Store,
    plan: &Plan,
    filter: &PlanFilter,
    path: &Path,
) -> Result<Exported, RunError> {
    let failed = |error: std::io::Error| RunError::File {
        path: path.to_owned(),
        error,
    };
    let (whole, file) = WholeFile::create(path).map_err(failed)?;
    let mut out = BufWriter::new(file);
    let mut write = |line: Value| writeln!(out, "{line}").map_err(failed);
    let header = &plan.header;
    write(json!({"plan": {
        "id": plan.id, "hash": plan.hash, "source": header.connection, "destination": header.destination,
        "created_at": header.created_at, "cutover": header.cutover, "associations": header.links, "associations_taken_away": header.removals, "estimate": find_estimate(store, &plan.id)?,
        "objects": header.counts.iter().map(|(object, _, counts)| (object.to_string(), json!(counts))).collect::<BTreeMap<_, _>>(),
    }}))?;
    let mut exported = Exported::default();
    load_lines(store, plan, filter, |line| {
        exported.actions += 1;
        write(json!(line)).map(|()| true)
    })?;
    exported.links = for_each_link(store, plan, filter, |link| {
        write(json!({"association": link_json(&link)}))
    })?;
    exported.removals = for_each_removal(store, plan, filter, |link| {
        write(json!({"association_taken_away": link_json(&link)}))
    })?;
    out.flush().map_err(failed)?;
    whole.finish().map_err(failed)?;
    Ok(exported)
}

fn link_json(link: &PlannedLink) -> Value {
    json!({
        "from_object": link.from_object, "from": link.from, "to_object": link.to_object, "to": link.to, "label": link.label,
    })
}

fn export_workbook(
    store: &Store,
    plan: &Plan,
    filter: &PlanFilter,
    path: &Path,
) -> Result<Exported, RunError> {
    let mut book = Book::new(path);
    let sheet = add_account(&mut book, plan)?;
    if let Some(estimate) = find_estimate(store, &plan.id)? {
        add_estimate(&mut book, sheet, &estimate)?;
    }
    let columns = [
        ("Source id", 20.0),
        ("Action", 12.0),
        ("Reason", 50.0),
        ("Destination id", 18.0),
        ("Same as", 18.0),
        ("What is written", 120.0),
    ];
    let mut sheets: BTreeMap<ObjectName, SheetId> = BTreeMap::new();
    let mut exported = Exported::default();
    load_lines(store, plan, filter, |line| {
        exported.actions += 1;
        let sheet = match sheets.get(&line.object) {
            Some(sheet) => *sheet,
            None => {
                let sheet = book.add_sheet(line.object.as_str(), &columns)?;
                sheets.insert(line.object.clone(), sheet);
                sheet
            }
        };
        let id = |id: Option<&str>| id.unwrap_or_default().to_owned();
        let cells = [
            line.record.as_str().into(),
            line.action.name().into(),
            line.why.as_str().into(),
            id(line.destination.as_ref().map(DestinationRecordId::as_str)).into(),
            id(line.survivor.as_ref().map(SourceRecordId::as_str)).into(),
            line.changes_text().into(),
        ];
        book.row(sheet, &cells).map(|()| true)
    })?;
    let columns = [
        ("From object", 16.0),
        ("From", 20.0),
        ("To object", 16.0),
        ("To", 20.0),
        ("Label", 24.0),
        ("What is done", 16.0),
    ];
    let links = book.add_sheet("Associations", &columns)?;
    let mut add = |link: PlannedLink, done: &'static str| {
        let cells = [
            link.from_object.as_str().into(),
            link.from.as_str().into(),
            link.to_object.as_str().into(),
            link.to.as_str().into(),
            Cell::from(link.label.unwrap_or_default()),
            done.into(),
        ];
        book.row(links, &cells)
    };
    exported.links = for_each_link(store, plan, filter, |link| add(link, "made"))?;
    exported.removals = for_each_removal(store, plan, filter, |link| add(link, "taken away"))?;
    book.finish()?;
    Ok(exported)
}

/// The first sheet: which plan it is and what it comes to.
fn add_account(book: &mut Book, plan: &Plan) -> Result<SheetId, RunError> {
    let sheet = book.add_sheet("Plan", &[])?;
    book.widths(
        sheet,
        &[18.0, 18.0, 12.0, 12.0, 12.0, 12.0, 12.0, 12.0, 12.0],
    )?;
    let header = &plan.header;
    book.title(
        sheet,
        &format!("{} into {}", header.connection, header.destination),
    )?;
    let created = header.created_at.to_string();
    let cutover = header.cutover.map(|day| day.to_string());
    let facts = [
        ("Plan", plan.id.as_str()),
        ("Hash", plan.hash.as_str()),
        ("Made", created.as_str()),
        ("Cut-over", cutover.as_deref().unwrap_or("not set")),
    ];
    for (name, value) in facts {
        book.row(sheet, &[name.into(), value.into()])?;
    }
    book.row(sheet, &["Associations".into(), header.links.into()])?;
    if header.removals > 0 {
        book.row(sheet, &["Taken away".into(), header.removals.into()])?;
    }
    book.title(sheet, "Actions")?;
    book.heading(
        sheet,
        &[
            "Object", "Becomes", "Selected", "Create", "Update", "Keep", "Link", "Exclude", "Hold",
        ],
    )?;
    for (object, standard, counts) in &header.counts {
        let cells: [Cell<'_>; 9] = [
            object.as_str().into(),
            standard.name().into(),
            counts.selected.into(),
            counts.create.into(),
            counts.update.into(),
            counts.keep.into(),
            counts.link.into(),
            counts.exclude.into(),
            counts.quarantine.into(),
        ];
        book.row(sheet, &cells)?;
    }
    Ok(sheet)
}

/// How long it will take, and the arithmetic of it.
fn add_estimate(book: &mut Book, sheet: SheetId, estimate: &Estimate) -> Result<(), RunError> {
    let sides = [
        (
            "Estimate: to write it and read it back",
            &estimate.destination,
        ),
        ("Estimate: a later pass over the source", &estimate.source),
    ];
    for (title, side) in sides {
        book.title(sheet, title)?;
        let told = [
            ("Takes", side.band().map(|band| band.to_string())),
            ("Limit", side.pace.as_ref().map(ToString::to_string)),
        ];
        for (name, text) in &told {
            let text = text.as_deref().unwrap_or("unknown");
            book.row(sheet, &[(*name).into(), text.into()])?;
        }
        book.heading(sheet, &["Requests", "Items", "Work", "What"])?;
        for call in &side.calls {
            let cells = [
                call.requests.into(),
                call.items.into(),
                call.work.name().into(),
                call.what.as_str().into(),
            ];
            book.row(sheet, &cells)?;
        }
    }
    Ok(())
}
