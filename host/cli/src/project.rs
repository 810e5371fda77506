//! A project: one folder, and `longshore.toml` in it.
//!
//! It opens what the phases need: state, vault, installed connector, source and destination. It decides nothing about data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use model::ConnectionId;
use serde::{Deserialize, Serialize};

use crate::failure::WithHint;
use crate::reach::{Reach, Way};
use crate::recipients::NotifySection;

/// `longshore.toml`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectFile {
    /// Where records go: `local-crm`, which is the default, or `hubspot`; `connect hubspot` sets it.
    #[serde(default, skip_serializing_if = "Choice::is_local")]
    pub(crate) destination: Choice,
    /// The source; written by `connect`.
    pub(crate) connection: Option<ConnectionSection>,
    /// The portal; written by `connect hubspot`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hubspot: Option<HubspotSection>,
    /// Owners that no rule pairs: e-mail address at the source, and e-mail address or id at the destination.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) owners: BTreeMap<String, String>,
    /// Who is told what became of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) notify: Option<NotifySection>,
    /// Where the vault's key is; written by `vault rotate --to`. Without it: the key file where there is one, else
    /// `LONGSHORE_VAULT_KEY` where that is set, else a new key file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vault: Option<VaultSection>,
}

/// Where records go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Choice {
    /// `local-crm.db` in the project's folder.
    #[default]
    LocalCrm,
    /// The portal of the section `hubspot`.
    Hubspot,
}

impl Choice {
    fn is_local(&self) -> bool {
        *self == Self::LocalCrm
    }
}

/// A HubSpot portal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HubspotSection {
    /// Id of the way to log in: `token` or `oauth`.
    pub(crate) credential: String,
    /// Which of HubSpot's path families is spoken: `v3`, or a dated version such as `2026-03`.
    #[serde(default = "HubspotSection::usual_version")]
    pub(crate) api_version: String,
    /// How much of the requests that a day allows may be spent, in percent; the rest is left to the portal's other apps. All of it
    /// where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) daily_share_percent: Option<u8>,
    /// For developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) developer: Option<DeveloperSection>,
}

impl HubspotSection {
    /// The version that is spoken where none is named.
    pub(crate) fn usual_version() -> String {
        "v3".to_owned()
    }
}

/// Where the vault's key is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VaultSection {
    /// The place.
    pub(crate) key: KeyChoice,
    /// Where it is being moved to. It stays when that was cut off: until `vault rotate` is given again, both are tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moving_to: Option<KeyChoice>,
}

/// A place for the vault's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyChoice {
    /// `vault.key` in the project's folder.
    File,
    /// The environment variable `LONGSHORE_VAULT_KEY`.
    Environment,
    /// The operating system's keyring, under this name.
    Keyring(String),
}

/// The source of a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionSection {
    /// Its name; part of every record's source id, so it stays once records were written.
    pub(crate) name: String,
    /// Id of the installed connector.
    pub(crate) connector: String,
    /// Id of the way to log in, of the connector's manifest.
    pub(crate) credential: String,
    /// What the connector's addresses need.
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, String>,
    /// Settings of the connector.
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, String>,
    /// What the vendor lets this account spend a day, where that is not what the connector's manifest declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) daily_budget: Option<u64>,
    /// For developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) developer: Option<DeveloperSection>,
}

/// What only a developer sets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeveloperSection {
    /// Loopback address that stands for every host of the connector.
    pub(crate) base_url: String,
    /// Whether the manifest's rate limits hold.
    pub(crate) rate_limits: bool,
}

/// A project's folder.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    pub(crate) file: ProjectFile,
}

/// What vendors see of us.
pub(crate) const USER_AGENT: &str = concat!("longshore/", env!("CARGO_PKG_VERSION"));

const FILE: &str = "longshore.toml";

/// The first argument of the process that this binary starts to compile a connector; not for people.
pub(crate) const COMPILE: &str = "compile-connector";

const VAULT_KEY: &str = "LONGSHORE_VAULT_KEY";

impl ConnectionSection {
    /// A developer's loopback address in place of the vendor's hosts.
    pub(crate) fn origin_override(&self) -> Result<Option<url::Url>> {
        let developer = self.developer.as_ref();
        Ok(developer
            .map(|developer| developer.base_url.parse())
            .transpose()?)
    }
}

impl Project {
    /// Starts a project.
    pub(crate) fn init(folder: &Path) -> Result<Self> {
        if folder.join(FILE).exists() {
            let message = format!("{} holds a project already", folder.display());
            return Err(WithHint::error(
                message,
                "take another folder with --dir, or go on with this one: `longshore status`",
            ));
        }
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let project = Self {
            folder: folder.to_owned(),
            file: ProjectFile::default(),
        };
        project.save()?;
        Ok(project)
    }

    /// Opens the project in that folder.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let message = format!("there is no project in {}", folder.display());
                return Err(WithHint::error(
                    message,
                    "start one with `longshore init`, or name its folder with --dir",
                ));
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let file = toml::from_str(&text)
            .with_context(|| format!("{} is not a project file", path.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            file,
        })
    }

    /// Writes `longshore.toml`: aside first, then in its place.
    pub(crate) fn save(&self) -> Result<()> {
        let path = self.folder.join(FILE);
        let text = toml::to_string_pretty(&self.file)
            .context("the project file cannot be written as TOML")?;
        let mut aside = tempfile::NamedTempFile::new_in(&self.folder)?;
        std::io::Write::write_all(&mut aside, text.as_bytes())?;
        aside.as_file().sync_all()?;
        aside
            .persist(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(())
    }

    /// The source of the project.
    pub(crate) fn connection(&self) -> Result<&ConnectionSection> {
        self.file.connection.as_ref().ok_or_else(|| {
            WithHint::error(
                "this project has no source yet",
                "connect one, for example: `longshore connect pipedrive --param company=acme`",
            )
        })
    }

    /// The file of the local CRM.
    pub(crate) fn local_crm(&self) -> PathBuf {
        self.folder.join("local-crm.db")
    }

    /// The workbook, unless it is sent elsewhere.
    pub(crate) fn workbook(&self, out: Option<PathBuf>) -> PathBuf {
        out.unwrap_or_else(|| self.folder.join("audit.xlsx"))
    }

    /// The installed connectors.
    pub(crate) fn installed(&self) -> market::Installed {
        market::Installed::new(self.folder.join("connectors"))
    }

    /// Where the vault is.
    pub(crate) fn vault_file(&self) -> PathBuf {
        self.folder.join("vault.json")
    }

    /// Where the vault's key is, as the project has it.
    pub(crate) fn key_choice(&self) -> KeyChoice {
        match &self.file.vault {
            Some(section) => section.key.clone(),
            None => {
                let has_file = self.folder.join("vault.key").exists();
                if !has_file && std::env::var_os(VAULT_KEY).is_some() {
                    KeyChoice::Environment
                } else {
                    KeyChoice::File
                }
            }
        }
    }

    /// That place, as the vault knows it.
    pub(crate) fn key_source(&self, choice: &KeyChoice) -> vault::KeySource {
        match choice {
            KeyChoice::File => vault::KeySource::File(self.folder.join("vault.key")),
            KeyChoice::Environment => vault::KeySource::Environment(VAULT_KEY.to_owned()),
            KeyChoice::Keyring(name) => vault::KeySource::Keyring(name.clone()),
        }
    }

    /// The vault, opened with its key from where the project says it is.
    pub(crate) fn vault(&self) -> Result<vault::Vault> {
        let moving_to = self
            .file
            .vault
            .as_ref()
            .and_then(|section| section.moving_to.as_ref());
        let sources = std::iter::once(self.key_source(&self.key_choice()))
            .chain(moving_to.map(|choice| self.key_source(choice)));
        Ok(vault::Vault::open_any(
            self.vault_file(),
            sources.collect(),
        )?)
    }

    /// The state of the project; one process at a time has it.
    pub(crate) fn store(&self) -> Result<store::Store> {
        let mut store = store::Store::open(&self.folder)?;
        store.set_commit_hook(Box::new(
            |point| tracing::trace!(target: "longshore::commit", point = ?point),
        ));
        Ok(store)
    }

    /// The compiled connectors of this project. This binary compiles them, in a process of its own.
    fn compiled(&self) -> Result<sandbox::ConnectorCache> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let compiler = sandbox::Compiler {
            program,
            arguments: vec![COMPILE.into()],
            limits: sandbox::CompileLimits::default(),
        };
        Ok(sandbox::ConnectorCache::open(
            self.folder.join("compiled"),
            compiler,
        )?)
    }

    /// Compiles a package that is to be installed, and refuses what is no connector or a bomb. No code of it runs.
    pub(crate) fn compile(&self, id: &str, package: &[u8]) -> Result<()> {
        self.connector(id, package).map(drop)
    }

    fn connector(&self, id: &str, package: &[u8]) -> Result<sandbox::Connector> {
        let engine = sandbox::Engine::new(sandbox::EngineOptions::default())?;
        let connector = self.compiled()?.load(&engine, package);
        connector.with_context(|| format!("connector {id} was refused"))
    }

    /// The source, through its connector in its cell, and how it is reached. No code of the connector has run yet.
    pub(crate) fn source_over(&self, way: &Way) -> Result<(sandbox::ConnectorSource, Reach)> {
        self.source_from(way, || Ok(Arc::new(self.vault()?)))
    }

    /// The same over the network, with its credential from that vault.
    pub(crate) fn source_with(&self, vault: Arc<vault::Vault>) -> Result<sandbox::ConnectorSource> {
        Ok(self.source_from(&Way::Network, || Ok(vault))?.0)
    }

    /// `vault` is asked for only where the network is used: a replay needs no credential.
    fn source_from(
        &self,
        way: &Way,
        vault: impl FnOnce() -> Result<Arc<vault::Vault>>,
    ) -> Result<(sandbox::ConnectorSource, Reach)> {
        let section = self.connection()?;
        let (package, inspection) = self.installed().load(&section.connector)?;
        let manifest = &inspection.manifest;
        let credential = manifest
            .find_credential(&section.credential)
            .with_context(|| {
                format!(
                    "connector {} has no way to log in called {:?}",
                    section.connector, section.credential
                )
            })?;
        let mut endpoints = manifest.endpoints.clone();
        for limit in endpoints
            .iter_mut()
            .filter_map(|endpoint| endpoint.rate_limit.as_mut())
        {
            limit.daily_budget = section.daily_budget.or(limit.daily_budget);
        }
        let granted = manifest.endpoints.clone();
        let connector = format!(
            "{} {} {}",
            manifest.id, manifest.version, inspection.component_digest
        );
        let grant = (granted.as_slice(), credential.injection());
        let reach = Reach::open(way, &connector, grant, || {
            self.gateway_options(section, endpoints, credential.clone(), vault()?)
        })?;
        let connector = self.connector(&section.connector, &package)?;
        let mut limits = sandbox::CellLimits::default();
        limits.memory_max_bytes = usize::try_from(manifest.limits.memory_mib)? << 20;
        limits.call_timeout =
            std::time::Duration::from_millis(manifest.limits.call_timeout_ms.into());
        if reach.is_on_tape() {
            // A fresh instance may ask again what it asked before, and idleness is not on the tape.
            limits.idle = std::time::Duration::from_secs(86_400);
        }
        let settings = manifest.settings(&section.settings)?;
        let name = section.name.as_str().into();
        let outbound = reach.outbound();
        let shared = sandbox::Shared {
            breaker: Some(sandbox::Breaker::default()),
            ..sandbox::Shared::default()
        };
        let source =
            sandbox::ConnectorSource::sharing(connector, &name, outbound, settings, limits, shared);
        Ok((source, reach))
    }

    fn gateway_options(
        &self,
        section: &ConnectionSection,
        endpoints: Vec<model::grant::Endpoint>,
        credential: model::grant::CredentialGrant,
        vault: Arc<vault::Vault>,
    ) -> Result<egress::GatewayOptions> {
        Ok(egress::GatewayOptions {
            connection: ConnectionId::from(section.name.as_str()),
            endpoints,
            parameters: section.parameters.clone(),
            credential,
            origin_override: section.origin_override()?,
            vault,
            rate_limits: match &section.developer {
                Some(developer) if !developer.rate_limits => egress::RateLimits::Off,
                _ => egress::RateLimits::Declared,
            },
            user_agent: USER_AGENT.to_owned(),
            caps: egress::Caps::default(),
            recorder: None,
        })
    }
}
