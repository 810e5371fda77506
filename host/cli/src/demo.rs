//! `longshore demo`: the whole way on a simulated account. The simulator is reached as any vendor is, over HTTP on loopback.

use anyhow::{Context as _, Result};
use market::UnsignedPackages;
use model::ConnectionId;
use simulators::{hubspot, pipedrive, truth};

use crate::args::{Demo, Into};
use crate::bundle::find_official;
use crate::connectors::{bundled, carry_out};
use crate::failure::WithHint;
use crate::output::Ending;
use crate::phases::{Approval, migrate_project};
use crate::portal::HUBSPOT;
use crate::progress::tell;
use crate::project::{Choice, ConnectionSection, DeveloperSection, HubspotSection, Project};
use crate::simulate::truth as company_of;

const CONNECTOR: &str = "pipedrive";

/// Simulates, connects, migrates and audits.
pub(crate) async fn demo(arguments: Demo, json: bool) -> Result<Ending> {
    if arguments.dir.join("longshore.toml").exists() {
        let message = format!("{} holds a project already", arguments.dir.display());
        return Err(WithHint::error(
            message,
            "remove that folder, or name another with --dir",
        ));
    }
    let company = company_of(arguments.records, arguments.seed, arguments.data);
    let running = pipedrive::start(pipedrive::Options {
        truth: company.clone(),
        ..pipedrive::Options::default()
    })
    .await?;
    tell(&format!(
        "a simulated Pipedrive account answers at {}",
        running.base_url
    ));
    let mut project = Project::init(&arguments.dir)?;
    let portal = match arguments.destination {
        Into::LocalCrm => None,
        Into::Hubspot => Some(connect_portal(&mut project, &company).await?),
    };
    let package = find_official(CONNECTOR).context("the binary carries the connector")?;
    // Whoever asks for the demo is shown where to read what was agreed to, and is not asked.
    let offered = project
        .installed()
        .examine(bundled(package), UnsignedPackages::Refused)?;
    let agreed = offered.agreed();
    carry_out(&project, &agreed)?;
    let consent = agreed.consent();
    tell(&format!(
        "installed {} {} by {}; `longshore connectors inspect {CONNECTOR}` shows what it may reach",
        consent.name, consent.version, consent.publisher
    ));
    let credential = "api-token";
    let entry = vault::EntryName::new(ConnectionId::from(CONNECTOR), credential);
    project.vault()?.store(
        &entry,
        &vault::Secret::Key(vault::SecretText::new(running.token.clone())),
    )?;
    project.file.connection = Some(ConnectionSection {
        name: CONNECTOR.to_owned(),
        connector: CONNECTOR.to_owned(),
        credential: credential.to_owned(),
        parameters: [("company".to_owned(), "demo".to_owned())].into(),
        settings: std::collections::BTreeMap::new(),
        daily_budget: None,
        developer: Some(DeveloperSection {
            base_url: running.base_url.clone(),
            rate_limits: false,
        }),
    });
    project.save()?;
    let ended = migrate_project(&project, Approval::Newest, None, None, json).await;
    running.stop().await;
    if let Some(portal) = portal {
        portal.stop().await;
    }
    ended
}

/// Starts a simulated portal of the same company and makes it the destination. Its limits are the vendor's.
async fn connect_portal(
    project: &mut Project,
    company: &truth::Source,
) -> Result<hubspot::Running> {
    let portal = hubspot::start(hubspot::Options::of_company(company)?).await?;
    tell(&format!(
        "a simulated HubSpot portal answers at {}",
        portal.base_url
    ));
    let entry = vault::EntryName::new(ConnectionId::from(HUBSPOT), ::hubspot::grant::TOKEN);
    project.vault()?.store(
        &entry,
        &vault::Secret::Key(vault::SecretText::new(portal.token.clone())),
    )?;
    project.file.destination = Choice::Hubspot;
    project.file.hubspot = Some(HubspotSection {
        credential: ::hubspot::grant::TOKEN.to_owned(),
        api_version: HubspotSection::usual_version(),
        daily_share_percent: None,
        developer: Some(DeveloperSection {
            base_url: portal.base_url.clone(),
            rate_limits: true,
        }),
    });
    Ok(portal)
}
