//! Lets connectors into a project, brings them up to date, removes them, and checks what is installed.

use std::path::Path;

use anyhow::{Context as _, Result};
use market::registry::{Choice, Registry};
use market::{Agreed, Change, InstalledConnector, Origin, Removal};
use serde_json::json;

use super::consent::{ask_consent, carry_out};
use super::find::{Found, Where, bundled, fetch, find_offer, login, read_file};
use crate::args::{Answer, Install, Remove, Upgrade, Verify};
use crate::bundle::find_official;
use crate::failure::WithHint;
use crate::output::{print_json, print_line};
use crate::project::Project;

/// Installs what was named.
pub(super) async fn install(command: Install, json: bool) -> Result<()> {
    let project = Project::open(&command.folder.dir)?;
    let place = Where {
        registry: command.registry,
        version: command.version,
    };
    let found = find_offer(&command.connector, &place).await?;
    let agreed = let_in(&project, found, command.answer).await?;
    tell_installed(&agreed, json);
    Ok(())
}

/// Takes note of what the registry revoked, asks, records and installs.
async fn let_in(project: &Project, found: Found, answer: Answer) -> Result<Agreed> {
    if let Some(registry) = &found.registry {
        note_revocations(project, registry).await?;
    }
    let agreed = ask_consent(project, found.offer, answer)?;
    carry_out(project, &agreed)?;
    Ok(agreed)
}

async fn note_revocations(project: &Project, registry: &Registry) -> Result<()> {
    let list = registry.fetch_revocations().await?;
    let installed = project.installed();
    Ok(installed.note_revocations(&registry.origin(), list.as_deref())?)
}

fn tell_installed(agreed: &Agreed, json: bool) {
    let consent = agreed.consent();
    let change = match agreed.change() {
        Change::New => "new",
        Change::Same => "same",
        Change::NotWider => "not-wider",
        Change::Wider(_) => "wider",
    };
    if json {
        let trust = consent.trust.map(|verdict| verdict.trust());
        print_json(&json!({
            "id": consent.id, "version": consent.version, "publisher": consent.publisher,
            "component_digest": consent.component_digest, "manifest_digest": consent.manifest_digest,
            "trust": trust, "origin": agreed.origin(), "change": change, "agreement": agreed.agreement().name(),
        }));
    } else if *agreed.change() == Change::Same {
        print_line(&format!(
            "{} {} was installed already",
            consent.id, consent.version
        ));
    } else {
        print_line(&format!("installed {} {}", consent.id, consent.version));
    }
}

/// Brings an installed connector to a newer version of the same origin.
pub(super) async fn upgrade(command: Upgrade, json: bool) -> Result<()> {
    let project = Project::open(&command.folder.dir)?;
    let entry = find_entry(&project, &command.connector)?;
    let id = command.connector.as_str();
    let found = match Registry::of_origin(&entry.origin, login()) {
        Some(registry) => {
            let choice = command.version.map_or(Choice::Newest, Choice::Version);
            fetch(registry?, id, &choice).await?
        }
        None if entry.origin == Origin::Bundled => {
            let package = find_official(id)
                .with_context(|| format!("this longshore carries no connector {id:?} any more"))?;
            Found {
                offer: bundled(package),
                registry: None,
            }
        }
        None => {
            let message = format!("connector {id:?} was installed from {}", entry.origin);
            return Err(WithHint::error(
                message,
                "a file has no newer versions: give the new package to `longshore connectors install`",
            ));
        }
    };
    let agreed = let_in(&project, found, command.answer).await?;
    tell_installed(&agreed, json);
    Ok(())
}

fn find_entry(project: &Project, id: &str) -> Result<InstalledConnector> {
    let mut all = project.installed().list()?;
    let entry = all.remove(id);
    Ok(entry.ok_or_else(|| market::InstallError::NotInstalled(id.to_owned()))?)
}

/// Removes an installed connector.
pub(super) fn remove(command: &Remove, json: bool) -> Result<()> {
    let project = Project::open(&command.folder.dir)?;
    let id = &command.connector;
    let used = project.file.connection.as_ref();
    if used.is_some_and(|connection| connection.connector == *id) {
        let message = format!("connector {id:?} is in use by this project's connection");
        return Err(WithHint::error(
            message,
            "a project without its connector cannot go on: `upgrade` it instead, or remove the project's folder",
        ));
    }
    let removal = if command.forget_key {
        Removal::ForgetPin
    } else {
        Removal::KeepPin
    };
    // Held while the package goes, so that no run is using it.
    let _store = project.store()?;
    project.installed().remove(id, removal)?;
    if json {
        print_json(&json!({"id": id, "removed": true, "key_forgotten": command.forget_key}));
    } else {
        print_line(&format!("removed {id}"));
    }
    Ok(())
}

/// Checks a file's signature, or an installed connector with what its registry says today.
pub(super) async fn verify(command: Verify, json: bool) -> Result<()> {
    let path = Path::new(&command.connector);
    if path.is_file() {
        return verify_file(path, json);
    }
    let project = Project::open(&command.folder.dir)?;
    let id = &command.connector;
    let entry = find_entry(&project, id)?;
    let registry = Registry::of_origin(&entry.origin, login()).filter(|_| !command.offline);
    let is_asked = registry.is_some();
    if let Some(registry) = registry {
        note_revocations(&project, &registry?).await?;
    }
    project.installed().load(id)?;
    if json {
        print_json(&json!({
            "id": id, "version": entry.version, "component_digest": entry.component, "trust": entry.trust, "origin": entry.origin,
            "registry_asked": is_asked,
        }));
    } else {
        print_line(&format!(
            "{id} {} is {}, unchanged and not revoked",
            entry.version, entry.trust
        ));
    }
    Ok(())
}

fn verify_file(path: &Path, json: bool) -> Result<()> {
    let offer = read_file(path)?;
    let inspection = market::inspect(&offer.package)?;
    let market::Backing::Signed(signature) = &offer.backing else {
        let message = format!("{} is not signed", path.display());
        return Err(WithHint::error(
            message,
            "its signature is looked for beside it, with the ending .sig: get it from the publisher",
        ));
    };
    signature.check(&inspection)?;
    let envelope = &signature.envelope;
    if json {
        print_json(&json!({
            "id": envelope.id, "version": envelope.version, "component_digest": envelope.component, "trust": envelope.key,
            "announced_keys": signature.rotations.len(),
        }));
    } else {
        print_line(&format!(
            "{} {} is signed with {}; whose key that is, nobody has proved",
            envelope.id, envelope.version, envelope.key
        ));
    }
    Ok(())
}
