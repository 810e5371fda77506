//! The manifest of a connector: what it is, what it may reach, what it reads, what it asks for.
//!
//! It is read and refused before any code of the connector runs. Granting is consent's, enforcing is egress's and the sandbox's.

mod places;

mod check;

mod endpoint;

use std::collections::BTreeMap;
use std::fmt;

use model::grant::{CredentialGrant, Endpoint};
use serde::{Deserialize, Serialize};

#[cfg(feature = "registry")]
pub(crate) use check::{is_id, is_shown};

/// The longest manifest, in bytes of its text.
pub const MANIFEST_MAX_BYTES: usize = 256 << 10;

/// A checked manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The connector's name for programs: lower case, for example `pipedrive`.
    pub id: String,
    /// The name a person sees.
    pub name: String,
    /// The connector's version.
    pub version: semver::Version,
    /// Who made it.
    pub publisher: String,
    /// The contract line it is built for, `0.1`.
    pub contract: String,
    /// What it does, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// Where to read more.
    #[serde(default)]
    pub homepage: Option<String>,
    /// Where it may send requests. Ids are unique.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
    /// The ways to log in. Ids are unique.
    #[serde(default)]
    pub credentials: Vec<CredentialGrant>,
    /// What it reads. Names are unique, those of engagements included.
    #[serde(default)]
    pub objects: Vec<ObjectGrant>,
    /// The kinds of engagement it reads.
    #[serde(default)]
    pub engagements: Vec<ObjectGrant>,
    /// What a person may set.
    #[serde(default)]
    pub settings: BTreeMap<String, Setting>,
    /// What it asks for of memory and time.
    #[serde(default)]
    pub limits: Limits,
}

/// One object or kind of engagement that a connector reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectGrant {
    /// The source's name for it.
    pub name: String,
    /// Which standard object it is, by its name, where it is one.
    #[serde(default)]
    pub standard: Option<String>,
    /// What can be done with it.
    pub supports: Vec<Support>,
}

/// What a connector can do with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    /// Read its records.
    Read,
    /// Read only what changed since an instant.
    Incremental,
    /// Learn of deleted records.
    Deletes,
    /// Write its records.
    Write,
    /// Read its links to other objects.
    Associations,
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Incremental => "incremental",
            Self::Deletes => "deletes",
            Self::Write => "write",
            Self::Associations => "associations",
        })
    }
}

/// One setting: a small part of JSON Schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What may be set.
    #[serde(rename = "type")]
    pub kind: SettingKind,
    /// What it does, for a person.
    pub description: String,
    /// The only values there are, for a string.
    #[serde(rename = "enum", default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What holds when nothing is set.
    #[serde(default)]
    pub default: Option<SettingValue>,
}

/// The type of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingKind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SettingValue {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    String(String),
}

impl fmt::Display for SettingValue {
    /// As the connector gets it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(flag) => write!(f, "{flag}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::String(text) => f.write_str(text),
        }
    }
}

/// What a connector asks for of memory and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Memory of one instance in MiB, 1 to 1,024.
    pub memory_mib: u32,
    /// Wall-clock time of one call in milliseconds, 1,000 to 600,000.
    pub call_timeout_ms: u32,
}

impl Default for Limits {
    /// 64 MiB and two minutes.
    fn default() -> Self {
        Self {
            memory_mib: 64,
            call_timeout_ms: 120_000,
        }
    }
}

/// Everything that is wrong with a manifest, told together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// In the order of the file; never empty.
    pub problems: Vec<Problem>,
}

impl std::error::Error for ManifestError {}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("manifest is refused")?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// One thing that is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line in the TOML text, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// How to put it right.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.message, self.remedy)
    }
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// With every problem, when it is no TOML, has unknown or missing keys, or says what makes no sense.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MANIFEST_MAX_BYTES {
            return Err(ManifestError {
                problems: vec![Problem {
                    line: 1,
                    message: format!("manifest has {} bytes", text.len()),
                    remedy: format!("at most {MANIFEST_MAX_BYTES}"),
                }],
            });
        }
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| places::line_at(text, span.start));
            // It quotes the text, which may be a stranger's and is shown on a terminal.
            let message = error.message().replace(check::is_hidden, "?");
            ManifestError {
                problems: vec![Problem {
                    line,
                    message,
                    remedy: "see the manifest of the SDK's example".into(),
                }],
            }
        })?;
        let problems = check::find_problems(&manifest, text);
        if problems.is_empty() {
            Ok(manifest)
        } else {
            Err(ManifestError { problems })
        }
    }

    /// The way to log in of that id.
    pub fn find_credential(&self, id: &str) -> Option<&CredentialGrant> {
        self.credentials
            .iter()
            .find(|credential| credential.id() == id)
    }

    /// The settings as the connector gets them: what was chosen, else the defaults.
    ///
    /// # Errors
    /// With the name of the first chosen setting that the manifest does not declare, or whose value it does not allow.
    pub fn settings(
        &self,
        chosen: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, SettingError> {
        let defaults = self.settings.iter().filter_map(|(name, setting)| {
            Some((name.clone(), setting.default.as_ref()?.to_string()))
        });
        let mut settings: BTreeMap<String, String> = defaults.collect();
        for (name, value) in chosen {
            let setting = self
                .settings
                .get(name)
                .ok_or_else(|| SettingError::Undeclared(name.clone()))?;
            let fits = match setting.kind {
                SettingKind::Boolean => matches!(value.as_str(), "true" | "false"),
                SettingKind::Integer => value.parse::<i64>().is_ok(),
                SettingKind::String => {
                    setting.choices.is_empty() || setting.choices.contains(value)
                }
            };
            if !fits {
                return Err(SettingError::Value {
                    name: name.clone(),
                    value: value.clone(),
                });
            }
            settings.insert(name.clone(), value.clone());
        }
        Ok(settings)
    }
}

/// A setting that the manifest does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is none of that name.
    #[error("the connector has no setting {0:?}")]
    Undeclared(String),
    /// It may not have that value.
    #[error("setting {name:?} cannot be {value:?}")]
    Value {
        /// The setting.
        name: String,
        /// What was chosen.
        value: String,
    },
}

#[cfg(test)]
mod tests;
