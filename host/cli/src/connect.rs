//! `longshore connect`: installs the connector with a person's consent, keeps the credential in the vault, and tries the account.

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use market::{Agreed, Inspection, Trust};
use model::grant::CredentialGrant;
use model::{ConnectionId, Source as _};
use serde_json::json;

use crate::args::Connect;
pub(crate) use crate::connectors::ask;
use crate::connectors::{Where, ask_consent, carry_out, find_offer};
use crate::failure::WithHint;
use crate::output::{Ending, print_json, print_line};
use crate::progress::tell;
use crate::project::{ConnectionSection, DeveloperSection, Project};

/// How long a person waits before being told that the account is tried again.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// Connects a source to the project.
pub(crate) async fn connect(arguments: Connect, json: bool) -> Result<Ending> {
    let mut project = Project::open(&arguments.folder.dir)?;
    let chosen = choose(&project, &arguments).await?;
    let inspection = chosen.inspection().clone();
    let credential = inspection
        .manifest
        .credentials
        .iter()
        .find(|way| matches!(way, CredentialGrant::Key { .. }));
    let credential = credential
        .context("this connector has no way to log in with a key")?
        .id()
        .to_owned();
    let name = arguments
        .name
        .clone()
        .unwrap_or_else(|| inspection.manifest.id.clone());
    let section = section(&arguments, &inspection.manifest.id, &name, &credential)?;
    if let Some(present) = project
        .file
        .connection
        .as_ref()
        .filter(|present| present.name != name)
    {
        let message = format!("this project reads {:?} already", present.name);
        return Err(WithHint::error(
            message,
            "one project has one source: start another with `longshore init --dir OTHER`",
        ));
    }
    if let Chosen::Agreed(agreed) = &chosen {
        carry_out(&project, agreed)?;
    }
    let entry = vault::EntryName::new(ConnectionId::from(name.as_str()), credential);
    let token = read_token(arguments.token_file.as_deref())?;
    project.file.connection = Some(section);
    let account = try_token(&project, &entry, token)
        .await
        .with_context(|| format!("{name} cannot be connected"))?;
    project.save()?;
    if json {
        print_json(
            &json!({"connection": name, "connector": inspection.manifest.id, "version": inspection.manifest.version, "account": account}),
        );
    } else {
        print_line(&format!(
            "connected {name}: account {} ({}) as {}",
            account.name, account.id, account.user
        ));
        account
            .missing_scopes
            .iter()
            .for_each(|scope| print_line(&format!("  missing scope: {scope}")));
    }
    Ok(Ending::with(account.missing_scopes.len() as u64))
}

/// The connector of a new connection.
enum Chosen {
    /// It is installed, and was agreed to.
    Installed(Box<Inspection>),
    /// It comes in now.
    Agreed(Box<Agreed>),
}

impl Chosen {
    fn inspection(&self) -> &Inspection {
        match self {
            Self::Installed(inspection) => inspection,
            Self::Agreed(agreed) => agreed.inspection(),
        }
    }
}

/// A name means the installed connector; an official one that was not taken from elsewhere is brought up to this binary's.
async fn choose(project: &Project, arguments: &Connect) -> Result<Chosen> {
    let named = arguments.connector.as_str();
    let entry = project.installed().list()?.remove(named);
    if entry.is_some_and(|entry| entry.trust != Trust::Bundled) {
        let (_, inspection) = project.installed().load(named)?;
        return Ok(Chosen::Installed(Box::new(inspection)));
    }
    let found = find_offer(named, &Where::default()).await?;
    let agreed = ask_consent(project, found.offer, arguments.answer)?;
    Ok(Chosen::Agreed(Box::new(agreed)))
}

fn section(
    arguments: &Connect,
    connector: &str,
    name: &str,
    credential: &str,
) -> Result<ConnectionSection> {
    let developer = arguments.base_url.clone().map(|base_url| DeveloperSection {
        base_url,
        rate_limits: !arguments.no_rate_limits,
    });
    Ok(ConnectionSection {
        name: name.to_owned(),
        connector: connector.to_owned(),
        credential: credential.to_owned(),
        parameters: pairs(&arguments.parameters, "--param")?,
        settings: pairs(&arguments.settings, "--set")?,
        daily_budget: arguments.daily_budget,
        developer,
    })
}

/// Keeps the token and tries the account with it. A token that does not work must not take the place of one that does.
async fn try_token(
    project: &Project,
    entry: &vault::EntryName,
    token: vault::SecretText,
) -> Result<model::Account> {
    let vault = project.vault()?;
    let before = vault.load(entry).ok();
    vault.store(entry, &vault::Secret::Key(token))?;
    let answer = match project.source() {
        Ok(source) => check(&source).await,
        Err(error) => Err(error),
    };
    if answer.is_err() {
        match before {
            Some(before) => vault.store(entry, &before)?,
            None => drop(vault.remove(entry)?),
        }
    }
    answer
}

/// Tries the account, and says so where that takes long: an address where nobody answers is tried several times.
async fn check(source: &sandbox::ConnectorSource) -> Result<model::Account> {
    let answer = source.check();
    tokio::pin!(answer);
    tokio::select! {
        answered = &mut answer => return Ok(answered?),
        () = tokio::time::sleep(PATIENCE) => tell("no answer yet; trying again for up to a minute"),
    }
    Ok(answer.await?)
}

/// A token never comes as an argument: other users of the machine can read those.
fn read_token(file: Option<&Path>) -> Result<vault::SecretText> {
    let text = if let Some(path) = file {
        std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the token from {}", path.display()))?
    } else if let Ok(token) = std::env::var("LONGSHORE_TOKEN") {
        token
    } else {
        if std::io::stdin().is_terminal() {
            tell("Paste the API token, then Enter:");
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            line
        } else {
            let mut all = String::new();
            std::io::stdin().take(64 * 1024).read_to_string(&mut all)?;
            all
        }
    };
    let token = text.trim();
    if token.is_empty() {
        return Err(WithHint::error(
            "no token was given",
            "pipe it in, set LONGSHORE_TOKEN, or name a file with --token-file",
        ));
    }
    Ok(vault::SecretText::new(token))
}

fn pairs(given: &[String], option: &str) -> Result<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for pair in given {
        let Some((name, value)) = pair.split_once('=') else {
            bail!("{option} {pair:?} is not NAME=VALUE")
        };
        pairs.insert(name.to_owned(), value.to_owned());
    }
    Ok(pairs)
}
