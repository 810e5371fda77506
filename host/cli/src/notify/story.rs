//! What is told of a run: how it ended, what it came to, and what to do next; in words, and for a program.

use std::collections::BTreeMap;

use anyhow::Result;
use egress::Notice;
use model::plan::Plan;
use model::{DestinationError, Instant, RunId, SourceError};
use serde_json::json;

use super::told_error;
use crate::failure::is_declined;
use crate::output::Ending;
use crate::project::Project;
use crate::recipients::Event;

/// What became of it, as far as anybody wants to hear it: an answer of no is nothing new.
pub(super) fn event_of(ended: &Result<Ending>) -> Option<Event> {
    let error = match ended {
        Ok(_) => return Some(Event::Completed),
        Err(error) if is_declined(error) => return None,
        Err(error) => error,
    };
    let is_auth = error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(SourceError::Auth(_)))
            || matches!(cause.downcast_ref(), Some(DestinationError::Auth(_)))
    });
    let is_paused = error.chain().any(|cause| {
        matches!(
            cause.downcast_ref(),
            Some(run::RunError::Paused(_) | run::RunError::Stopped)
        )
    });
    Some(match (is_auth, is_paused) {
        (true, _) => Event::TokenLost,
        (false, true) => Event::Paused,
        (false, false) => Event::Failed,
    })
}

/// What is known of a run after its end, from the project's state.
#[derive(Debug)]
pub(super) struct Story {
    project: String,
    connection: String,
    workbook: Option<String>,
    command: &'static str,
    at: Instant,
    run: Option<RunId>,
    plan: Option<Plan>,
    /// By object, what it came to, in words.
    counts: Vec<(String, BTreeMap<&'static str, u64>)>,
    findings: u64,
}

impl Story {
    /// Gathers it. Where the state cannot be read there is less to tell.
    pub(super) fn gather(project: &Project, command: &'static str, begun: Instant) -> Self {
        let connection = project.file.connection.as_ref();
        let mut story = Self {
            project: name_of(project),
            connection: connection.map_or_else(String::new, |section| section.name.clone()),
            workbook: None,
            command,
            at: Instant::now(),
            run: None,
            plan: None,
            counts: Vec::new(),
            findings: 0,
        };
        if let Err(error) = story.read(project, begun) {
            tracing::debug!(%error, "the state cannot be read for a notice");
        }
        story
    }

    fn read(&mut self, project: &Project, begun: Instant) -> Result<()> {
        let store = store::Store::open_read_only(&project.folder)?;
        let newest = store.runs()?.into_iter().next();
        self.run = newest
            .filter(|run| run.started_at >= begun)
            .map(|run| run.id);
        if let Some(run) = self.run {
            let counts = store.finding_counts(run)?;
            self.findings = counts.iter().map(|(_, _, count)| count).sum();
        }
        let Some(plan) = store.latest_plan()? else {
            return Ok(());
        };
        let outcomes = match self.command {
            "plan" => Vec::new(),
            _ => store.outcome_counts(&plan.id)?,
        };
        for (source, standard, counts) in &plan.header.counts {
            let mut told = BTreeMap::new();
            if self.command == "plan" {
                told.extend([
                    ("create", counts.create),
                    ("update", counts.update),
                    ("keep", counts.keep),
                    ("link", counts.link),
                    ("exclude", counts.exclude),
                    ("hold", counts.quarantine),
                ]);
            }
            let of_object = outcomes.iter().filter(|(object, ..)| object == source);
            told.extend(of_object.map(|(_, kind, count)| (kind.name(), *count)));
            told.retain(|_, count| *count > 0);
            if !told.is_empty() {
                self.counts.push((standard.name().to_owned(), told));
            }
        }
        if matches!(self.command, "migrate" | "audit") {
            let workbook = project.workbook(None);
            self.workbook = workbook.exists().then(|| workbook.display().to_string());
        }
        self.plan = Some(plan);
        Ok(())
    }

    /// What is told of it.
    pub(super) fn notice(&self, event: Event, ended: &Result<Ending>) -> Notice {
        let became = match (event, ended) {
            (Event::Completed, Ok(Ending::WithFindings)) => "is done, with findings",
            (Event::Completed, _) => "is done",
            (Event::Paused, _) => "is paused",
            (Event::Failed, _) => "is not done",
            (Event::TokenLost, _) => "is stopped: a credential is not taken any more",
        };
        let subject = format!(
            "Longshore: {} of {} {became}",
            self.command, self.connection
        );
        let (message, hint) = match ended {
            Ok(_) => (None, None),
            Err(error) => {
                let (message, hint) = told_error(error);
                (Some(message), hint)
            }
        };
        let next = hint.or_else(|| self.next());
        let data = json!({
            "type": format!("longshore.run.{}", event.name()),
            "timestamp": self.at,
            "data": {
                "event": event.name(), "project": self.project, "command": self.command, "run": self.run,
                "source": self.connection, "destination": self.plan.as_ref().map(|plan| &plan.header.destination),
                "plan": self.plan.as_ref().map(|plan| json!({"id": plan.id, "hash": plan.hash, "associations": plan.header.links})),
                "counts": self.counts.iter().cloned().collect::<BTreeMap<_, _>>(), "findings": self.findings,
                "message": message, "next": next, "workbook": self.workbook,
            },
        });
        Notice {
            id: self.id(event),
            at: self.at,
            text: self.text(became, message.as_deref(), next.as_deref()),
            subject,
            data,
        }
    }

    /// One run ends in one way once.
    fn id(&self, event: Event) -> String {
        let run = self
            .run
            .map_or_else(|| self.at.unix_us().to_string(), |run| format!("run{run}"));
        let plan = self.plan.as_ref().map_or("none", |plan| plan.id.as_str());
        format!("longshore_{plan}_{run}_{}", event.name())
    }

    fn next(&self) -> Option<String> {
        let plan = self.plan.as_ref()?;
        Some(match self.command {
            "plan" => format!(
                "look at it with `longshore plan show`; approve it with `longshore apply --approve {}`",
                plan.hash
            ),
            "apply" | "quarantine replay" => "prove it with `longshore audit`".to_owned(),
            "rollback" => "make a new plan with `longshore plan`".to_owned(),
            _ => "what was left out or failed, and why, is in the workbook".to_owned(),
        })
    }

    fn text(&self, became: &str, message: Option<&str>, next: Option<&str>) -> String {
        let run = self
            .run
            .map_or_else(String::new, |run| format!(" (run {run})"));
        let into = self.plan.as_ref().map_or_else(String::new, |plan| {
            format!(" into {}", plan.header.destination)
        });
        let mut lines = vec![format!(
            "{} of {}{into}{run} {became}.",
            self.command, self.connection
        )];
        lines.extend(message.map(|message| format!("\n{message}")));
        if !self.counts.is_empty() {
            lines.push(match self.command {
                "plan" => "\nWhat the plan comes to:".to_owned(),
                _ => "\nWhat it came to:".to_owned(),
            });
        }
        for (object, counts) in &self.counts {
            let counts: Vec<_> = counts
                .iter()
                .map(|(kind, count)| format!("{count} {kind}"))
                .collect();
            lines.push(format!("  {object}: {}", counts.join(", ")));
        }
        if self.findings > 0 {
            lines.push(format!("  findings: {}", self.findings));
        }
        let workbook = self.workbook.as_ref();
        lines.extend(workbook.map(|workbook| format!("\nWorkbook: {workbook}")));
        lines.extend(next.map(|next| format!("\nNext: {next}")));
        lines.push(format!("\nProject {}, {}", self.project, self.at));
        lines.join("\n")
    }
}

/// What is told by `notify test`.
pub(super) fn test_notice(project: &Project) -> Notice {
    let (at, name) = (Instant::now(), name_of(project));
    Notice {
        id: format!("longshore_test_{}", at.unix_us()),
        at,
        subject: format!("Longshore: a test from project {name}"),
        text: "This is a test. You are told here what becomes of Longshore's runs.".to_owned(),
        data: json!({"type": "longshore.test", "timestamp": at, "data": {"project": name}}),
    }
}

fn name_of(project: &Project) -> String {
    let folder = std::path::absolute(&project.folder).unwrap_or_else(|_| project.folder.clone());
    let name = folder.file_name().map(|name| name.to_string_lossy());
    name.map_or_else(String::new, std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use crate::failure::WithHint;

    #[track_caller]
    fn check(error: anyhow::Error, expected: Option<Event>) {
        assert_eq!(event_of(&Err(error)), expected);
    }

    #[test]
    fn how_it_ended_is_known_by_its_cause() {
        assert_eq!(event_of(&Ok(Ending::WithFindings)), Some(Event::Completed));
        check(WithHint::declined("no", ""), None);
        check(WithHint::error("broken", ""), Some(Event::Failed));
        check(run::RunError::Stopped.into(), Some(Event::Paused));
        let lost = run::RunError::Source {
            object: "deal".into(),
            error: SourceError::Auth("401".to_owned()),
        };
        let lost = Err::<(), _>(lost).context("extract").unwrap_err();
        check(lost, Some(Event::TokenLost));
        let lost = run::RunError::Destination {
            doing: "writing".to_owned(),
            error: DestinationError::Auth("401".to_owned()),
        };
        check(lost.into(), Some(Event::TokenLost));
    }

    fn story() -> Story {
        Story {
            project: "acme".to_owned(),
            connection: "pipedrive-acme".to_owned(),
            workbook: None,
            command: "migrate",
            at: Instant::from_unix_us(0).unwrap(),
            run: Some(RunId(7)),
            plan: None,
            counts: vec![("contact".to_owned(), BTreeMap::from([("created", 5)]))],
            findings: 2,
        }
    }

    /// The example of a breaker holds a customer's record; what is told does not.
    #[test]
    fn no_record_is_told() {
        let tripped = run::Tripped {
            object: "person".into(),
            failures: 30,
            selected: 100,
            verb: "failed",
            handle: "72c6fb10".to_owned(),
            cause: "property email is not valid".to_owned(),
            record: "4711".to_owned(),
            message: "property email: ada@canary.example is not valid".to_owned(),
        };
        let ended = Err(run::RunError::Paused(Box::new(tripped)).into());
        let notice = story().notice(Event::Paused, &ended);
        let all = format!("{} {} {}", notice.subject, notice.text, notice.data);
        assert!(!all.contains("canary") && !all.contains("4711"), "{all}");
        for part in ["paused", "30 of 100 person", "72c6fb10", "--ignore-cause"] {
            assert!(notice.text.contains(part), "{part} in {}", notice.text);
        }
    }

    #[test]
    fn one_run_ends_in_one_way_once() {
        let ended = Ok(Ending::WithFindings);
        let (one, other) = (
            story().notice(Event::Completed, &ended),
            story().notice(Event::Completed, &ended),
        );
        assert_eq!(one.id, other.id);
        assert!(one.id.contains("run7"), "{}", one.id);
        assert_eq!(one.data["data"]["counts"]["contact"]["created"], 5);
        assert_eq!(one.data["type"], "longshore.run.completed");
    }
}
