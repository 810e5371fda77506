//! `longshore vault`: shows what the vault holds and where its key is, and gives it a new key. It prints no secret.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::args::{KeyPlace, VaultCommand};
use crate::failure::WithHint;
use crate::output::{Ending, print_json, print_line};
use crate::progress::tell;
use crate::project::{KeyChoice, Project, VaultSection};

/// Does one of the vault's commands.
pub(crate) fn keys(command: &VaultCommand, json: bool) -> Result<Ending> {
    match command {
        VaultCommand::Status(folder) => status(&folder.dir, json),
        VaultCommand::Rotate { folder, to } => rotate(&folder.dir, *to, json),
    }
}

fn status(folder: &Path, json: bool) -> Result<Ending> {
    let project = Project::open(folder)?;
    if !project.vault_file().exists() {
        if json {
            print_json(&json!({"vault": null}));
        } else {
            print_line("no vault yet; `longshore connect` makes it");
        }
        return Ok(Ending::Done);
    }
    show(&project, &project.vault()?.status()?, json);
    Ok(Ending::Done)
}

fn show(project: &Project, status: &vault::Status, json: bool) {
    let moving = project
        .file
        .vault
        .as_ref()
        .is_some_and(|section| section.moving_to.is_some());
    let unfinished = status.unfinished || moving;
    if json {
        let entries: Vec<_> = status
            .entries
            .iter()
            .map(|name| json!({"connection": name.connection, "credential": name.credential}))
            .collect();
        print_json(&json!({
            "vault": project.vault_file(), "key": status.key.origin(), "key_id": status.key_id, "unfinished": unfinished, "entries": entries,
        }));
        return;
    }
    print_line(&format!("vault       {}", project.vault_file().display()));
    print_line(&format!(
        "key         {} (id {})",
        status.key.origin(),
        status.key_id
    ));
    for name in &status.entries {
        print_line(&format!(
            "credential  {} of connection {}",
            name.credential, name.connection
        ));
    }
    if unfinished {
        print_line("rotation    not finished: give `longshore vault rotate` again");
    }
}

/// The project file names both places before the vault has its new key, and only the new one afterwards.
fn rotate(folder: &Path, to: Option<KeyPlace>, json: bool) -> Result<Ending> {
    let mut project = Project::open(folder)?;
    if !project.vault_file().exists() {
        return Err(WithHint::error(
            "this project has no vault yet",
            "`longshore connect` makes it",
        ));
    }
    let vault = project.vault()?;
    let from = project.key_choice();
    let to = target(&project, &from, to)?;
    let before = project.file.vault.clone();
    if to != from {
        project.file.vault = Some(VaultSection {
            key: from.clone(),
            moving_to: Some(to.clone()),
        });
        project.save()?;
    }
    let mut status = match vault.rotate(project.key_source(&to)) {
        Ok(status) => status,
        Err(error) => {
            // The place did not take a key: the project says again what still holds.
            let stays = project.key_source(&from);
            if vault::Vault::open(project.vault_file(), stays).is_ok() {
                project.file.vault = before;
                project.save()?;
            }
            return Err(error.into());
        }
    };
    if to != from {
        project.file.vault = Some(VaultSection {
            key: to.clone(),
            moving_to: None,
        });
        project.save()?;
        project.key_source(&from).forget()?;
    }
    // What waits for the person is said here, once, and not as a rotation to be given again.
    let waits = std::mem::take(&mut status.unfinished);
    show(&project, &status, json);
    if waits {
        tell(
            "now put the key of LONGSHORE_VAULT_KEY_NEXT in LONGSHORE_VAULT_KEY, and unset the former",
        );
    } else if from == KeyChoice::Environment && to != from {
        tell("LONGSHORE_VAULT_KEY holds the old key, which opens nothing any more: unset it");
    }
    Ok(Ending::Done)
}

/// Where the key is to be; a move that was cut off goes on to where it went.
fn target(project: &Project, from: &KeyChoice, to: Option<KeyPlace>) -> Result<KeyChoice> {
    let moving = project
        .file
        .vault
        .as_ref()
        .and_then(|section| section.moving_to.clone());
    let place = |choice: &KeyChoice| match choice {
        KeyChoice::File => KeyPlace::File,
        KeyChoice::Environment => KeyPlace::Environment,
        KeyChoice::Keyring(_) => KeyPlace::Keyring,
    };
    if let Some(moving) = moving {
        if to.is_some_and(|to| to != place(&moving)) {
            return Err(WithHint::error(
                "the key is being moved elsewhere already",
                "give `longshore vault rotate` without --to first: it finishes that",
            ));
        }
        return Ok(moving);
    }
    Ok(match to {
        None => from.clone(),
        Some(to) if to == place(from) => from.clone(),
        Some(KeyPlace::File) => KeyChoice::File,
        Some(KeyPlace::Environment) => KeyChoice::Environment,
        // A name of its own, so that a project can be moved and two never share a key.
        Some(KeyPlace::Keyring) => {
            KeyChoice::Keyring(format!("vault of {}", model::Instant::now()))
        }
    })
}
