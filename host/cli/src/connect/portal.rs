//! `longshore connect hubspot`: the portal that is written to. Its credential is tried before it takes the place of another.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hubspot::grant;
use model::grant::CredentialGrant;
use model::{ConnectionId, Destination as _};
use serde_json::json;
use vault::{EntryName, Secret, Vault};

use super::callback::Browser;
use super::login::{Open, Way, login};
use super::prompt::{read_app, read_token};
use super::tell_browser;
use crate::args::{Auth, Connect};
use crate::failure::WithHint;
use crate::output::{Ending, print_json, print_line};
use crate::portal::{HUBSPOT, open_portal};
use crate::project::{Choice, ConnectionSection, DeveloperSection, HubspotSection, Project};

/// Connects a portal and makes it the project's destination.
pub(super) async fn connect(
    mut project: Project,
    arguments: &Connect,
    json: bool,
) -> Result<Ending> {
    refuse_others(arguments)?;
    let credential = choose(arguments.auth);
    let before = project.file.hubspot.take();
    let section = HubspotSection {
        credential: credential.id().to_owned(),
        api_version: arguments
            .api_version
            .clone()
            .or_else(|| before.as_ref().map(|before| before.api_version.clone()))
            .unwrap_or_else(HubspotSection::usual_version),
        daily_share_percent: arguments
            .daily_share
            .or_else(|| before.and_then(|before| before.daily_share_percent)),
        developer: arguments.base_url.clone().map(|base_url| DeveloperSection {
            base_url,
            rate_limits: !arguments.no_rate_limits,
        }),
    };
    // A vault that does not open is told before a person logs in for it.
    let vault = project.vault()?;
    let entry = EntryName::new(ConnectionId::from(HUBSPOT), credential.id());
    let (secret, browser) = obtain(arguments, &section, &credential).await?;
    let tried = try_portal(&section, &entry, secret)
        .await
        .and_then(|(account, secret)| {
            vault.store(&entry, &secret)?;
            project.file.hubspot = Some(section);
            project.file.destination = Choice::Hubspot;
            project.save()?;
            Ok(account)
        });
    tell_browser(browser, tried.as_ref().ok()).await;
    let account = tried.context("HubSpot cannot be connected")?;
    if json {
        print_json(&json!({"destination": HUBSPOT, "account": account}));
    } else {
        print_line(&format!(
            "connected {}, which is the destination from now on",
            account.name
        ));
        for (name, value) in &account.attributes {
            print_line(&format!("  {name}: {value}"));
        }
        for what in &account.missing_scopes {
            print_line(&format!("  {what}"));
        }
    }
    Ok(Ending::with(account.missing_scopes.len() as u64))
}

/// What only connectors have.
fn refuse_others(arguments: &Connect) -> Result<()> {
    let given = [
        (!arguments.parameters.is_empty(), "--param"),
        (!arguments.settings.is_empty(), "--set"),
        (arguments.name.is_some(), "--name"),
        (arguments.daily_budget.is_some(), "--daily-budget"),
    ];
    match given.iter().find(|(is_given, _)| *is_given) {
        Some((_, option)) => Err(WithHint::error(
            format!("{option} is for connectors, and HubSpot is the destination"),
            "leave it out; --daily-share says how much of the portal's day may be spent",
        )),
        None => Ok(()),
    }
}

fn choose(auth: Option<Auth>) -> CredentialGrant {
    let wanted = match auth {
        Some(Auth::Oauth) => grant::OAUTH,
        Some(Auth::Key) | None => grant::TOKEN,
    };
    let ways = grant::credentials().into_iter();
    ways.into_iter()
        .find(|way| way.id() == wanted)
        .expect("both ways are declared")
}

async fn obtain(
    arguments: &Connect,
    section: &HubspotSection,
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
    let named = ConnectionSection {
        name: HUBSPOT.to_owned(),
        connector: HUBSPOT.to_owned(),
        credential: credential.id().to_owned(),
        parameters: std::collections::BTreeMap::new(),
        settings: std::collections::BTreeMap::new(),
        daily_budget: None,
        developer: section.developer.clone(),
    };
    let (granted, browser) = login(&named, credential, &grant::endpoints(None), app, &way).await?;
    Ok((granted.secret, Some(browser)))
}

/// What the portal says, and the credential as it is afterwards: its tokens may have been refreshed on the way.
async fn try_portal(
    section: &HubspotSection,
    entry: &EntryName,
    secret: Secret,
) -> Result<(model::Account, Secret)> {
    let vault = Arc::new(Vault::in_memory());
    vault.store(entry, &secret)?;
    let (portal, _) = open_portal(section, vault.clone())?;
    let account = portal.check().await?;
    Ok((account, vault.load(entry)?))
}
