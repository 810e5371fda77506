//! The destination of a project: the local CRM, or a HubSpot portal behind its guarded client.
//!
//! Which one is the project file's to say; what is written there is the plan's.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use egress::{Caps, Gateway, GatewayOptions, RateLimits};
use hubspot::{ApiVersion, Portal, grant};
use model::{ConnectionId, Destination};

use indicatif::HumanCount;

use crate::failure::WithHint;
use crate::progress::Aside;
use crate::project::{Choice, HubspotSection, Project, USER_AGENT};

/// Name of the portal's entry in the vault.
pub(crate) const HUBSPOT: &str = "hubspot";

/// A destination that was opened.
pub(crate) struct Door {
    /// What is written to.
    pub(crate) destination: Box<dyn Destination>,
    /// The way to it, where it lies behind the network.
    pub(crate) gateway: Option<Gateway>,
    /// The file, where it is one.
    pub(crate) file: Option<PathBuf>,
}

impl Door {
    /// Opens what the project file names. Nothing is asked yet.
    pub(crate) fn open(project: &Project) -> Result<Self> {
        match project.file.destination {
            Choice::LocalCrm => {
                let file = project.local_crm();
                Ok(Self {
                    destination: Box::new(localcrm::LocalCrm::open(&file)?),
                    gateway: None,
                    file: Some(file),
                })
            }
            Choice::Hubspot => {
                let section = project.file.hubspot.as_ref().ok_or_else(|| {
                    WithHint::error(
                        "the destination is HubSpot, and no portal is connected",
                        "connect one: `longshore connect hubspot`",
                    )
                })?;
                let (portal, gateway) = open_portal(section, Arc::new(project.vault()?))?;
                Ok(Self {
                    destination: Box::new(portal),
                    gateway: Some(gateway),
                    file: None,
                })
            }
        }
    }
}

/// How much of a portal's limits is used now, for a person.
pub(crate) fn tell_spent(gateway: Gateway) -> Aside {
    Box::new(move || {
        let spent = gateway.spent(grant::API)?;
        let mut text = format!("HubSpot: {} of {} requests in 10 s", spent.used, spent.most);
        if let Some((left, most)) = spent.day {
            text.push_str(&format!(
                ", {} of {} left today",
                HumanCount(left),
                HumanCount(most)
            ));
        }
        Some(text)
    })
}

/// A portal with its credential from that vault.
pub(crate) fn open_portal(
    section: &HubspotSection,
    vault: Arc<vault::Vault>,
) -> Result<(Portal, Gateway)> {
    let version: ApiVersion = section
        .api_version
        .parse()
        .context("api_version in longshore.toml cannot be used")?;
    let credential = grant::credentials()
        .into_iter()
        .find(|way| way.id() == section.credential)
        .with_context(|| {
            format!(
                "HubSpot has no way to log in called {:?}",
                section.credential
            )
        })?;
    let developer = section.developer.as_ref();
    let gateway = Gateway::new(GatewayOptions {
        connection: ConnectionId::from(HUBSPOT),
        endpoints: grant::endpoints(section.daily_share_percent),
        parameters: std::collections::BTreeMap::new(),
        credential,
        origin_override: developer
            .map(|developer| developer.base_url.parse())
            .transpose()?,
        vault,
        rate_limits: match developer {
            Some(developer) if !developer.rate_limits => RateLimits::Off,
            _ => RateLimits::Declared,
        },
        user_agent: USER_AGENT.to_owned(),
        caps: Caps::default(),
        recorder: None,
    })?;
    Ok((Portal::new(gateway.clone(), version), gateway))
}
