//! What a person is asked before a connector is installed: what it may reach, in plain words, and what is new in an upgrade.
//!
//! The words hold data of the manifest, which is a stranger's; whoever renders them escapes them.

use std::collections::BTreeSet;
use std::fmt;

use model::grant::{CredentialGrant, Endpoint};
use serde::Serialize;

use crate::inspect::Inspection;
use crate::manifest::{Manifest, ObjectGrant};

/// One thing that is consented to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    /// It may send requests of a method below an address.
    Request {
        /// The method's name.
        method: String,
        /// The address, parameters in braces.
        url: String,
    },
    /// A parameter of an address may be what the pattern says.
    Parameter {
        /// The address.
        url: String,
        /// The parameter.
        name: String,
        /// What may stand there.
        pattern: String,
    },
    /// A credential is added to its requests; the connector never sees it.
    Credential {
        /// Its name.
        id: String,
        /// The address of each endpoint that gets it.
        url: String,
    },
    /// A scope is asked for.
    Scope {
        /// The credential's name.
        credential: String,
        /// The scope.
        scope: String,
    },
    /// The person's browser, and the host with the codes it brings, are sent to an address.
    Login {
        /// The credential's name.
        credential: String,
        /// The address.
        url: String,
    },
    /// It does something with an object.
    Object {
        /// The source's name of the object.
        name: String,
        /// What it does: `read`, `write` and so on.
        support: String,
    },
    /// It may use that much memory.
    Memory {
        /// MiB.
        mib: u32,
    },
    /// A call may take that long.
    Time {
        /// Milliseconds.
        ms: u32,
    },
    /// It may send that many requests a second to an address.
    Rate {
        /// The address.
        url: String,
        /// Thousandths of a request a second; `None` is without limit.
        per_second_thousandths: Option<u64>,
    },
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { method, url } => write!(f, "send {method} requests to {url}"),
            Self::Parameter { url, name, pattern } => {
                write!(f, "in {url}, {name} may be anything that matches {pattern}")
            }
            Self::Credential { id, url } => write!(
                f,
                "have {id} added to its requests to {url} (it never sees it)"
            ),
            Self::Scope { credential, scope } => {
                write!(f, "be given the scope {scope} with {credential}")
            }
            Self::Login { credential, url } => {
                write!(f, "send you to {url} to log in with {credential}")
            }
            Self::Object { name, support } if support == "associations" => {
                write!(f, "read the associations of {name} records")
            }
            Self::Object { name, support } if support == "incremental" => {
                write!(f, "read the {name} records that changed")
            }
            Self::Object { name, support } if support == "deletes" => {
                write!(f, "learn which {name} records were deleted")
            }
            Self::Object { name, support } => write!(f, "{support} {name} records"),
            Self::Memory { mib } => write!(f, "use up to {mib} MiB of memory"),
            Self::Time { ms } => write!(f, "take up to {ms} ms for a call"),
            Self::Rate {
                url,
                per_second_thousandths: None,
            } => write!(f, "send requests to {url} as fast as it answers"),
            Self::Rate {
                url,
                per_second_thousandths: Some(rate),
            } => {
                write!(
                    f,
                    "send up to {}.{:03} requests a second to {url}",
                    rate / 1_000,
                    rate % 1_000
                )
            }
        }
    }
}

/// What a person consents to when a package is installed. It is bound to the digests of the package and its manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// The connector's id.
    pub id: String,
    /// Its name for a person.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who made it, as the package says; nobody has proved it.
    pub publisher: String,
    /// The digest of the whole package.
    pub component_digest: String,
    /// The digest of its manifest.
    pub manifest_digest: String,
    /// What it may do, sorted, each line once.
    pub lines: Vec<Line>,
}

impl Consent {
    /// The consent that a package needs.
    pub fn new(inspection: &Inspection) -> Self {
        let manifest = &inspection.manifest;
        Self {
            id: manifest.id.clone(),
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            publisher: manifest.publisher.clone(),
            component_digest: inspection.component_digest.to_string(),
            manifest_digest: inspection.manifest_digest.to_string(),
            lines: lines_of(manifest),
        }
    }

    /// What `new` may do that `old` may not: empty when nothing is widened, so that nobody needs to be asked again.
    pub fn difference(old: &Manifest, new: &Manifest) -> Vec<Line> {
        let held = lines_of(old);
        lines_of(new)
            .into_iter()
            .filter(|line| !covers(&held, line))
            .collect()
    }
}

impl fmt::Display for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            version,
            publisher,
            component_digest,
            ..
        } = self;
        writeln!(f, "{name} {version} by {publisher} (not proved) wants to")?;
        self.lines
            .iter()
            .try_for_each(|line| writeln!(f, "  - {line}"))?;
        write!(f, "package {component_digest}")
    }
}

/// Whether a line is held already; a limit is held by any that is at least as high.
fn covers(held: &[Line], line: &Line) -> bool {
    held.iter().any(|old| match (old, line) {
        (Line::Memory { mib: old }, Line::Memory { mib }) => old >= mib,
        (Line::Time { ms: old }, Line::Time { ms }) => old >= ms,
        (
            Line::Rate {
                url: old_url,
                per_second_thousandths: old,
            },
            Line::Rate {
                url,
                per_second_thousandths: new,
            },
        ) => {
            old_url == url
                && (old.is_none() || new.is_some_and(|new| old.is_some_and(|old| old >= new)))
        }
        (old, line) => old == line,
    })
}

fn lines_of(manifest: &Manifest) -> Vec<Line> {
    let mut lines = BTreeSet::new();
    for endpoint in &manifest.endpoints {
        endpoint_lines(endpoint, &mut lines);
    }
    for credential in &manifest.credentials {
        credential_lines(credential, &manifest.endpoints, &mut lines);
    }
    for ObjectGrant { name, supports, .. } in manifest.objects.iter().chain(&manifest.engagements) {
        lines.extend(supports.iter().map(|support| Line::Object {
            name: name.clone(),
            support: support.to_string(),
        }));
    }
    lines.insert(Line::Memory {
        mib: manifest.limits.memory_mib,
    });
    lines.insert(Line::Time {
        ms: manifest.limits.call_timeout_ms,
    });
    lines.into_iter().collect()
}

fn endpoint_lines(endpoint: &Endpoint, lines: &mut BTreeSet<Line>) {
    let url = &endpoint.url;
    lines.extend(endpoint.methods.iter().map(|method| Line::Request {
        method: method.name().to_owned(),
        url: url.clone(),
    }));
    for (name, parameter) in &endpoint.parameters {
        lines.insert(Line::Parameter {
            url: url.clone(),
            name: name.clone(),
            pattern: parameter.pattern.clone(),
        });
    }
    let rate = endpoint
        .rate_limit
        .as_ref()
        .map(|limit| limit.per_second * 1_000.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a checked manifest has 0.001 to 10000 a second"
    )]
    let per_second_thousandths = rate.map(|rate| rate.round() as u64);
    lines.insert(Line::Rate {
        url: url.clone(),
        per_second_thousandths,
    });
}

fn credential_lines(
    credential: &CredentialGrant,
    endpoints: &[Endpoint],
    lines: &mut BTreeSet<Line>,
) {
    let id = credential.id();
    for endpoint in endpoints
        .iter()
        .filter(|endpoint| credential.injection().endpoints.contains(&endpoint.id))
    {
        lines.insert(Line::Credential {
            id: id.to_owned(),
            url: endpoint.url.clone(),
        });
    }
    if let CredentialGrant::Oauth2 {
        authorize_url,
        token_url,
        scopes,
        ..
    } = credential
    {
        for url in [authorize_url, token_url] {
            lines.insert(Line::Login {
                credential: id.to_owned(),
                url: url.clone(),
            });
        }
        lines.extend(scopes.iter().map(|scope| Line::Scope {
            credential: id.to_owned(),
            scope: scope.clone(),
        }));
    }
}
