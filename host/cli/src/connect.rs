//! `longshore connect`: installs the connector with a person's consent, gets a credential, tries the account with it, and then keeps it.

mod page;

mod callback;

mod prompt;

mod login;

mod trial;

mod portal;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use market::{Agreed, Inspection, Manifest, Trust};
use model::ConnectionId;
use model::grant::CredentialGrant;
use serde_json::json;
use vault::{EntryName, Secret};

use self::callback::Browser;
use self::login::{Open, Way, login};
pub(crate) use self::prompt::read_secret;
use self::prompt::{read_app, read_token};
use self::trial::try_secret;
use crate::args::{Auth, Connect};
pub(crate) use crate::connectors::ask;
use crate::connectors::{Where, ask_consent, carry_out, find_offer};
use crate::failure::WithHint;
use crate::output::{Ending, print_json, print_line};
use crate::portal::HUBSPOT;
use crate::project::{ConnectionSection, DeveloperSection, Project};

/// Connects a source to the project.
pub(crate) async fn connect(arguments: Connect, json: bool) -> Result<Ending> {
    let mut project = Project::open(&arguments.folder.dir)?;
    if arguments.connector == HUBSPOT {
        return portal::connect(project, &arguments, json).await;
    }
    if arguments.daily_share.is_some() || arguments.api_version.is_some() {
        bail!("--daily-share and --api-version are for `longshore connect hubspot`")
    }
    let chosen = choose_connector(&project, &arguments).await?;
    let inspection = chosen.inspection().clone();
    let credential = choose_login(&inspection.manifest, arguments.auth)?.clone();
    let name = arguments
        .name
        .clone()
        .unwrap_or_else(|| inspection.manifest.id.clone());
    let section = section(&arguments, &inspection.manifest.id, &name, credential.id())?;
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
    // A vault that does not open is told before a person logs in for it.
    let vault = project.vault()?;
    let entry = EntryName::new(ConnectionId::from(name.as_str()), credential.id());
    project.file.connection = Some(section);
    let (secret, browser) = obtain(&project, &arguments, &inspection.manifest, &credential).await?;
    let tried = try_secret(&project, &entry, secret)
        .await
        .and_then(|(account, secret)| {
            vault.store(&entry, &secret)?;
            project.save()?;
            Ok(account)
        });
    tell_browser(browser, tried.as_ref().ok()).await;
    let account = tried.with_context(|| format!("{name} cannot be connected"))?;
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
async fn choose_connector(project: &Project, arguments: &Connect) -> Result<Chosen> {
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

/// The way to log in: the one that was asked for, else with a key where the connector takes one.
fn choose_login(manifest: &Manifest, auth: Option<Auth>) -> Result<&CredentialGrant> {
    let is_key = |way: &&CredentialGrant| matches!(way, CredentialGrant::Key { .. });
    let key = manifest.credentials.iter().find(is_key);
    let oauth = manifest.credentials.iter().find(|way| !is_key(way));
    let (found, what) = match auth {
        Some(Auth::Key) => (key, "with a key"),
        Some(Auth::Oauth) => (oauth, "with OAuth"),
        None => (key.or(oauth), "in"),
    };
    found.ok_or_else(|| {
        WithHint::error(
            format!("connector {} has no way to log {what}", manifest.id),
            format!(
                "`longshore connectors inspect {}` shows its ways",
                manifest.id
            ),
        )
    })
}

/// A new credential, not kept yet; with the browser that waits to hear what came of it, where one was used.
async fn obtain(
    project: &Project,
    arguments: &Connect,
    manifest: &Manifest,
    credential: &CredentialGrant,
) -> Result<(Secret, Option<Browser>)> {
    if let CredentialGrant::Key { .. } = credential {
        let token = read_token(arguments.token_file.as_deref())?;
        return Ok((Secret::Key(token), None));
    }
    let way = Way {
        redirect_port: arguments.redirect_port,
        patience: Duration::from_secs(arguments.login_timeout_s),
        browser: if arguments.no_browser {
            Open::Never
        } else {
            Open::OnATerminal
        },
    };
    let app = read_app(arguments.client_file.as_deref())?;
    let (granted, browser) = login(
        project.connection()?,
        credential,
        &manifest.endpoints,
        app,
        &way,
    )
    .await?;
    Ok((granted.secret, Some(browser)))
}

async fn tell_browser(browser: Option<Browser>, account: Option<&model::Account>) {
    let Some(browser) = browser else { return };
    match account {
        Some(account) => {
            let text = format!(
                "Longshore may now read the account {}. You can close this page.",
                account.name
            );
            browser.show("connected", &text).await;
        }
        None => {
            let text =
                "The account could not be read. The terminal says why; you can close this page.";
            browser.show("not connected", text).await;
        }
    }
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
