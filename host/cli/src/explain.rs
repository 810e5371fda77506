//! `longshore explain OBJECT ID`: one record's whole story, from the project's state alone. Another process may be at work meanwhile.

use anyhow::Result;
use model::plan::{Plan, PlannedLink};
use model::{ConnectionId, SourceRecordId};
use run::PlanLine;
use serde_json::{Value, json};
use store::{Chapter, Store, Story};

use crate::args::Explain;
use crate::failure::WithHint;
use crate::output::{Ending, print_json, print_line};
use crate::plans::{find_objects, find_plan, printable};
use crate::project::Project;
use crate::quarantine::correction_json;

/// Prints where each value of a record came from, what was decided of it and why, what was written and when.
pub(crate) fn explain(command: &Explain, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    let connection = ConnectionId::from(project.connection()?.name.as_str());
    let store = Store::open_read_only(&project.folder)?;
    let plan = find_plan(&store, None)?;
    let record = SourceRecordId::from(command.id.as_str());
    // A standard object may stand for several of the source's.
    for object in find_objects(&plan, std::slice::from_ref(&command.object))? {
        let story = store.load_story(&connection, &object, &record)?;
        if story == Story::default() {
            continue;
        }
        let told = Told {
            plan: &plan,
            object: object.as_str(),
            record: record.as_str(),
            story,
        };
        if json {
            print_json(&told.to_json()?);
        } else {
            told.show()?;
        }
        return Ok(Ending::with(told.story.findings.len() as u64));
    }
    Err(WithHint::error(
        format!("nothing is known of {} {}", command.object, command.id),
        "the id is the source's own, as `plan show` and the workbook name it; what was never read is not known",
    ))
}

struct Told<'t> {
    plan: &'t Plan,
    object: &'t str,
    record: &'t str,
    story: Story,
}

impl Told<'_> {
    /// The source's field that fills a property: its name and its label.
    fn origin(&self, property: &str) -> Option<(&str, &str)> {
        let header = &self.plan.header;
        let object = header.mapping.find_object(&self.object.into())?;
        let mut fields = object.fields.iter();
        let name = &fields.find(|field| field.destination == property)?.source;
        let source = header.source.find_object(self.object)?;
        let label = source
            .fields
            .find(name)
            .and_then(|at| source.fields.get(at))
            .map_or("", |field| field.label.as_str());
        Some((name, label))
    }

    fn chapter_json(&self, chapter: &Chapter) -> Result<Value> {
        let mut told = json!(PlanLine::new(chapter.planned.clone())?);
        for change in told["changes"].as_array_mut().into_iter().flatten() {
            let property = change["property"].as_str().unwrap_or_default();
            let origin = self.origin(property).unzip();
            (change["source_field"], change["source_label"]) = (json!(origin.0), json!(origin.1));
        }
        told["plan"] = json!(chapter.plan);
        told["approved_at"] = json!(chapter.approved_at);
        told["intended_at"] = json!(chapter.intended_at);
        told["outcome"] = json!(chapter.outcome.as_ref().map(|(run, outcome)| json!({
            "run": run, "outcome": outcome.kind, "destination": outcome.destination, "error": outcome.error,
        })));
        told["undone"] = json!(chapter.undone.as_ref().map(|undone| json!({
            "run": undone.run, "became": undone.kind, "at": undone.at, "exceptions": undone.exceptions,
        })));
        Ok(told)
    }

    fn to_json(&self) -> Result<Value> {
        let story = &self.story;
        let source = story.staged.as_ref().map(|(row, read_at)| {
            let row: Value = serde_json::from_str(row).unwrap_or(Value::Null);
            json!({"read_at": read_at, "fields": row["fields"], "deleted": row["deleted"] == true})
        });
        let plans: Result<Vec<_>> = story
            .chapters
            .iter()
            .map(|chapter| self.chapter_json(chapter))
            .collect();
        let links = story.links.iter().map(|(link, outcome)| {
            json!({
                "from_object": link.from_object, "from": link.from, "to_object": link.to_object, "to": link.to, "label": link.label,
                "outcome": outcome.as_ref().map(|(outcome, _)| outcome), "error": outcome.as_ref().and_then(|(_, error)| error.as_ref()),
            })
        });
        Ok(json!({
            "object": self.object,
            "record": self.record,
            "source": source,
            "corrections": story.corrections.iter().map(correction_json).collect::<Vec<_>>(),
            "destination": story.bound.as_ref().map(|(object, id)| json!({"object": object, "id": id, "account": self.plan.header.destination})),
            "plans": plans?,
            "associations": links.collect::<Vec<_>>(),
            "associations_taken_away": story.removals.iter().map(|(link, outcome)| json!({
                "from_object": link.from_object, "from": link.from, "to_object": link.to_object, "to": link.to, "label": link.label,
                "run": outcome.as_ref().map(|(run, ..)| run), "outcome": outcome.as_ref().map(|(_, outcome, _)| outcome),
                "error": outcome.as_ref().and_then(|(.., error)| error.as_ref()),
            })).collect::<Vec<_>>(),
            "findings": story.findings.iter().map(|(run, finding)| json!({
                "run": run, "code": finding.code, "field": finding.field, "message": finding.message,
            })).collect::<Vec<_>>(),
        }))
    }

    fn show(&self) -> Result<()> {
        let (story, header) = (&self.story, &self.plan.header);
        let say = |text: String| print_line(&printable(&text));
        say(format!(
            "{} {} of {}",
            self.object, self.record, header.connection
        ));
        if let Some((row, read_at)) = &story.staged {
            let row: Value = serde_json::from_str(row).unwrap_or(Value::Null);
            let gone = if row["deleted"] == true {
                ", deleted there"
            } else {
                ""
            };
            let fields = row["fields"].as_object().map_or(0, serde_json::Map::len);
            say(format!("read        {read_at}: {fields} fields{gone}"));
        }
        for correction in &story.corrections {
            say(format!(
                "corrected   {} by {}: {}",
                correction.made_at,
                correction.made_by,
                run::told_correction(&correction.decision)
            ));
        }
        if let Some((object, id)) = &story.bound {
            say(format!(
                "stands for  {object} {id} in {}",
                header.destination
            ));
        }
        for chapter in &story.chapters {
            self.show_chapter(chapter)?;
        }
        self.show_links();
        for (run, finding) in &story.findings {
            say(format!(
                "finding     {} (run {run}): {}",
                finding.code, finding.message
            ));
        }
        Ok(())
    }

    fn show_links(&self) {
        let story = &self.story;
        let say = |text: String| print_line(&printable(&text));
        let label = |link: &PlannedLink| {
            let label = link.label.as_ref();
            label.map_or_else(String::new, |label| format!(" as {label:?}"))
        };
        for (link, outcome) in &story.links {
            let became = match outcome {
                None => "not made yet".to_owned(),
                Some((outcome, None)) => outcome.name().to_owned(),
                Some((outcome, Some(error))) => format!("{}: {error}", outcome.name()),
            };
            say(format!(
                "associated  {} {} with {} {}{}: {became}",
                link.from_object,
                link.from,
                link.to_object,
                link.to,
                label(link)
            ));
        }
        for (link, outcome) in &story.removals {
            let became = match outcome {
                None => "to be taken away".to_owned(),
                Some((run, outcome, None)) => format!("{} in run {run}", outcome.name()),
                Some((run, outcome, Some(error))) => {
                    format!("{} in run {run}: {error}", outcome.name())
                }
            };
            say(format!(
                "no longer   {} {} with {} {}{}: {became}",
                link.from_object,
                link.from,
                link.to_object,
                link.to,
                label(link)
            ));
        }
    }

    fn show_chapter(&self, chapter: &Chapter) -> Result<()> {
        let say = |text: String| print_line(&printable(&text));
        let line = PlanLine::new(chapter.planned.clone())?;
        let target = match (&line.destination, &line.survivor) {
            (Some(id), _) => format!(" {id}"),
            (None, Some(id)) => format!(" to {id}"),
            (None, None) => String::new(),
        };
        say(format!(
            "plan        {}: {}{target}: {}",
            chapter.plan, line.action, line.why
        ));
        for change in &line.changes {
            let origin = self
                .origin(&change.property)
                .map_or_else(String::new, |(name, label)| match label {
                    // A field that a person made is named by its key, which nobody can read.
                    "" => format!("   (from {name})"),
                    label => format!("   (from {label})"),
                });
            say(format!("              {}{origin}", change.text()));
        }
        match (chapter.approved_at, &chapter.outcome) {
            (Some(at), Some((run, outcome))) => {
                let when = chapter.intended_at.last().unwrap_or(&at);
                let id = outcome
                    .destination
                    .as_ref()
                    .map_or_else(String::new, |id| format!(" {id}"));
                let error = outcome
                    .error
                    .as_ref()
                    .map_or_else(String::new, |error| format!(": {error}"));
                say(format!(
                    "written     {when} in run {run}, approved {at}: {}{id}{error}",
                    outcome.kind
                ));
            }
            (Some(at), None) => say(format!("approved    {at}, not carried out yet")),
            (None, _) => say("              not approved".to_owned()),
        }
        if let Some(undone) = &chapter.undone {
            say(format!(
                "rolled back {} by roll back run {}: {}",
                undone.at, undone.run, undone.kind
            ));
            for exception in &undone.exceptions {
                say(format!("              {exception}"));
            }
        }
        Ok(())
    }
}
