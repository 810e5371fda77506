//! Tells people and programs what became of a run, and the commands that look after them.
//!
//! A run is never another one because somebody could not be told: that is said on standard error and nowhere else. What is told holds counts
//! and messages of the machinery, no record's values or ids.

mod story;

use std::path::Path;

use anyhow::Result;
use egress::{Login, Notice, Notifier, Recipient, Webhook};
use model::{ConnectionId, Instant};
use serde_json::{Value, json};
use vault::{EntryName, Secret, SecretText};

use self::story::{Story, event_of};
use crate::args::{Command, NotifyCommand, NotifySecret, QuarantineCommand};
use crate::connect::read_secret;
use crate::failure::{self, WithHint};
use crate::output::{Ending, print_json, print_line};
use crate::progress::tell;
use crate::project::{Project, USER_AGENT};
use crate::recipients::{EMAIL, NotifySection};

/// Whose secrets they are in the vault; no connection has such a name.
const VAULT: &str = "@notify";

/// A run that somebody wants to hear of.
#[derive(Debug)]
pub(crate) struct Watch {
    project: Project,
    section: NotifySection,
    command: &'static str,
    begun: Instant,
}

impl Watch {
    /// Looks who is to be told of that command, before it begins: what is wrong with the settings is told now. `None` where nobody is, and
    /// for commands that are over at once.
    ///
    /// # Errors
    /// When the settings cannot be used; all that is wrong with them together.
    pub(crate) fn begin(command: &Command) -> Result<Option<Self>> {
        let Some((folder, name)) = told_of(command) else {
            return Ok(None);
        };
        // What is wrong with the project is the command's to tell.
        let Ok(project) = Project::open(folder) else {
            return Ok(None);
        };
        let Some(section) = find_section(&project)? else {
            return Ok(None);
        };
        for name in missing_secrets(&project, &section) {
            tell(&format!(
                "hint: {name} is not told what becomes of this, because its secret is missing: `longshore notify secret {name}`"
            ));
        }
        Ok(Some(Self {
            project,
            section,
            command: name,
            begun: Instant::now(),
        }))
    }

    /// Tells everybody how it ended, where they want to hear of that.
    pub(crate) async fn tell(self, ended: &Result<Ending>) {
        let Some(event) = event_of(ended) else { return };
        if !self.section.on.contains(&event) {
            return;
        }
        let notifier = match open(&self.project, &self.section) {
            Ok(notifier) if notifier.is_empty() => return,
            Ok(notifier) => notifier,
            Err(error) => {
                tell(&format!("nobody was told what became of this: {error:#}"));
                return;
            }
        };
        let story = Story::gather(&self.project, self.command, self.begun);
        send(&notifier, &story.notice(event, ended)).await;
    }
}

/// The folder and the name of a command that takes its time.
fn told_of(command: &Command) -> Option<(&Path, &'static str)> {
    Some(match command {
        Command::Plan(plan) if plan.show.is_none() => (&plan.folder.dir, "plan"),
        Command::Apply(apply) => (&apply.folder.dir, "apply"),
        Command::Migrate(migrate) => (&migrate.folder.dir, "migrate"),
        Command::Audit(audit) => (&audit.folder.dir, "audit"),
        Command::Rollback(rollback) if rollback.apply => (&rollback.folder.dir, "rollback"),
        Command::Quarantine(quarantine) => match &quarantine.command {
            QuarantineCommand::Replay(replay) => (&replay.folder.dir, "quarantine replay"),
            _ => return None,
        },
        _ => return None,
    })
}

/// Does one of its commands.
pub(crate) async fn notify(command: NotifyCommand, json: bool) -> Result<Ending> {
    match command {
        NotifyCommand::Status(folder) => status(&folder.dir, json),
        NotifyCommand::Test(folder) => test(&folder.dir, json).await,
        NotifyCommand::Secret(command) => keep_secret(&command, json),
    }
}

/// The section where it can be used, `None` where there is none.
fn find_section(project: &Project) -> Result<Option<NotifySection>> {
    let Some(section) = &project.file.notify else {
        return Ok(None);
    };
    let faults = section.faults();
    if faults.is_empty() {
        return Ok(Some(section.clone()));
    }
    Err(WithHint::error(
        format!(
            "nobody can be told what becomes of a run:\n  {}",
            faults.join("\n  ")
        ),
        "correct the section [notify] of longshore.toml; `longshore notify test` says whether it works",
    ))
}

fn asked_section(project: &Project) -> Result<NotifySection> {
    find_section(project)?.ok_or_else(|| {
        WithHint::error(
            "nobody is to be told what becomes of a run",
            "add [notify.email] or [[notify.webhook]] to longshore.toml",
        )
    })
}

fn entry(name: &str) -> EntryName {
    EntryName::new(ConnectionId::from(VAULT), name)
}

/// Those whose secret is not in the vault.
fn missing_secrets(project: &Project, section: &NotifySection) -> Vec<String> {
    let has = |name: &str| {
        let vault = project.vault_file().exists().then(|| project.vault());
        let held = vault.and_then(Result::ok).map(|vault| vault.list());
        held.and_then(Result::ok)
            .is_some_and(|entries| entries.contains(&entry(name)))
    };
    let email = section.email.as_ref();
    let email = email.and_then(|email| email.user.as_ref().map(|_| EMAIL));
    let webhooks = section.webhook.iter().map(|webhook| webhook.name.as_str());
    let names = email.into_iter().chain(webhooks);
    names.filter(|name| !has(name)).map(str::to_owned).collect()
}

/// Everybody whose secret is there, and what must never be told.
fn open(project: &Project, section: &NotifySection) -> Result<Notifier> {
    let missing = missing_secrets(project, section);
    let vault = project
        .vault_file()
        .exists()
        .then(|| project.vault())
        .transpose()?;
    let mut secrets = Vec::new();
    for name in vault.iter().flat_map(vault::Vault::list).flatten() {
        if let Some(vault) = &vault {
            let secret = vault.load(&name)?;
            secrets.extend(secret.texts().into_iter().cloned());
        }
    }
    let load = |name: &str| -> Result<SecretText> {
        let vault = vault.as_ref().ok_or_else(|| no_secret(name))?;
        Ok(vault.load(&entry(name))?.bearer().clone())
    };
    let mut recipients = Vec::new();
    if let Some(email) = &section.email
        && !missing.iter().any(|name| name == EMAIL)
    {
        let mut recipient = email.to_email();
        if let Some(user) = &email.user {
            recipient.login = Some(Login {
                user: user.clone(),
                password: load(EMAIL)?,
            });
        }
        recipients.push((EMAIL.to_owned(), Recipient::Email(recipient)));
    }
    for webhook in &section.webhook {
        let name = &webhook.name;
        if missing.contains(name) {
            continue;
        }
        let url = egress::webhook::check_url(&webhook.url);
        let url = url.map_err(|fault| anyhow::anyhow!("notify.webhook {name:?}: url: {fault}"))?;
        let secret = load(name)?;
        recipients.push((name.clone(), Recipient::Webhook(Webhook { url, secret })));
    }
    Ok(Notifier::new(recipients, USER_AGENT, &secrets))
}

fn no_secret(name: &str) -> anyhow::Error {
    WithHint::error(
        format!("the secret of {name} is missing"),
        format!("`longshore notify secret {name}` keeps it"),
    )
}

/// Tells everybody; who could not be told is said on standard error. How many they are.
async fn send(notifier: &Notifier, notice: &Notice) -> Vec<(String, Option<String>)> {
    let told = notifier.send(notice).await;
    let told = told.into_iter().map(|(name, outcome)| {
        let why = outcome.err().map(|error| {
            tell(&format!("{error}").replace(char::is_control, " "));
            error.why
        });
        (name, why)
    });
    told.collect()
}

async fn test(folder: &Path, json: bool) -> Result<Ending> {
    let project = Project::open(folder)?;
    let section = asked_section(&project)?;
    let missing = missing_secrets(&project, &section);
    let notifier = open(&project, &section)?;
    let told = send(&notifier, &story::test_notice(&project)).await;
    let lost = told.iter().filter(|(_, why)| why.is_some()).count() + missing.len();
    if json {
        let told = told
            .iter()
            .map(|(name, why)| json!({"name": name, "told": why.is_none(), "why": why}));
        print_json(&json!({"recipients": told.collect::<Vec<_>>(), "missing_secrets": missing}));
    } else {
        for (name, _) in told.iter().filter(|(_, why)| why.is_none()) {
            print_line(&format!("{name} was told"));
        }
        for name in &missing {
            print_line(&format!("{name} was not told: its secret is missing"));
        }
    }
    match lost {
        0 => Ok(Ending::Done),
        lost => Err(WithHint::error(
            format!("{lost} of {} were not told", told.len() + missing.len()),
            "correct the section [notify] of longshore.toml, or its secret with `longshore notify secret NAME`",
        )),
    }
}

fn status(folder: &Path, json: bool) -> Result<Ending> {
    let project = Project::open(folder)?;
    let section = asked_section(&project)?;
    let missing = missing_secrets(&project, &section);
    let mut lines: Vec<(String, String)> = Vec::new();
    if let Some(email) = &section.email {
        let to = email.to.join(", ");
        lines.push((EMAIL.to_owned(), format!("{to} through {}", email.host)));
    }
    for webhook in &section.webhook {
        // What follows the host may be a secret of the receiver's.
        let url = egress::webhook::check_url(&webhook.url);
        let origin = url.map_or_else(|_| String::new(), |url| url.origin().ascii_serialization());
        lines.push((webhook.name.clone(), origin));
    }
    let on: Vec<_> = section.on.iter().map(|event| event.name()).collect();
    if json {
        let lines = lines.iter().map(|(name, place)| {
            json!({"name": name, "place": place, "secret_is_missing": missing.contains(name)})
        });
        print_json(&json!({"on": on, "recipients": lines.collect::<Vec<Value>>()}));
        return Ok(Ending::Done);
    }
    print_line(&format!("told of     {}", on.join(", ")));
    for (name, place) in lines {
        let missing = match missing.contains(&name) {
            true => format!(" (its secret is missing: `longshore notify secret {name}`)"),
            false => String::new(),
        };
        print_line(&format!("{name:<11} {place}{missing}").replace(char::is_control, " "));
    }
    Ok(Ending::Done)
}

fn keep_secret(command: &NotifySecret, json: bool) -> Result<Ending> {
    let project = Project::open(&command.folder.dir)?;
    let section = asked_section(&project)?;
    let name = command.name.as_str();
    let is_email = name == EMAIL && section.email.is_some();
    if !is_email && !section.webhook.iter().any(|webhook| webhook.name == name) {
        return Err(WithHint::error(
            format!("nobody is called {name:?} in the section [notify] of longshore.toml"),
            "it is `email`, or the name of a webhook: `longshore notify status` lists them",
        ));
    }
    let refused = |fault: String| {
        WithHint::error(
            format!("the secret of {name} was not kept: {fault}"),
            "give it on standard input, for example from a file: `longshore notify secret NAME < FILE`",
        )
    };
    let secret = match (command.generate, is_email) {
        (true, true) => return Err(refused("the server gives the password".to_owned())),
        (true, false) => egress::webhook::new_secret(),
        (false, _) => {
            let read = read_secret("Paste the secret, then Enter (it is not shown):")?;
            SecretText::new(read.expose().trim())
        }
    };
    if is_email && secret.expose().is_empty() {
        return Err(refused("it is empty".to_owned()));
    }
    if !is_email {
        egress::webhook::check_secret(&secret).map_err(refused)?;
    }
    project
        .vault()?
        .store(&entry(name), &Secret::Key(secret.clone()))?;
    // Only the receiver can check with it, and only a person can give it to him.
    let shown = command.generate.then(|| secret.expose());
    if json {
        print_json(&json!({"kept": name, "secret": shown}));
    } else if let Some(secret) = shown {
        print_line(secret);
        tell(&format!(
            "this signs the calls to {name}; it is kept in the vault and not shown again"
        ));
    } else {
        tell(&format!("the secret of {name} is kept in the vault"));
    }
    Ok(Ending::Done)
}

/// What is told instead where the error names a record: no record's values leave this machine.
fn told_error(error: &anyhow::Error) -> (String, Option<String>) {
    let hint = failure::find_hint(error);
    let paused = error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(run::RunError::Paused(tripped)) => Some(tripped),
        _ => None,
    });
    let message = match paused {
        Some(tripped) => format!(
            "{} of {} {} records {} for one cause, {}: {}",
            tripped.failures,
            tripped.selected,
            tripped.object,
            tripped.verb,
            tripped.handle,
            tripped.cause
        ),
        None => {
            let mut parts: Vec<String> = Vec::new();
            for text in error.chain().map(ToString::to_string) {
                // A cause that only repeats what was said adds nothing.
                if !parts.last().is_some_and(|last| last.ends_with(&text)) {
                    parts.push(text);
                }
            }
            parts.join(": ")
        }
    };
    (message, hint)
}
