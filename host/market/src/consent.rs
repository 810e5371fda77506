//! What a person is asked before a connector is installed: what it may reach, in plain words, and what is new in an upgrade.
//!
//! The words hold data of the manifest, which is a stranger's; whoever renders them escapes them.

use std::collections::BTreeSet;
use std::fmt;

use model::grant::{CredentialGrant, Endpoint};
use serde::Serialize;

use crate::inspect::Inspection;
use crate::line::Line;
use crate::manifest::{Manifest, ObjectGrant};
use crate::trust::Verdict;

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
    /// On what it is trusted, where that was decided.
    pub trust: Option<Verdict>,
    /// What it may do, sorted, each line once.
    pub lines: Vec<Line>,
}

impl Consent {
    /// The consent that a package needs, before it is decided on what it is trusted.
    pub fn new(inspection: &Inspection) -> Self {
        let manifest = &inspection.manifest;
        Self {
            id: manifest.id.clone(),
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            publisher: manifest.publisher.clone(),
            component_digest: inspection.component_digest.to_string(),
            manifest_digest: inspection.manifest_digest.to_string(),
            trust: None,
            lines: lines_of(manifest),
        }
    }

    /// What `new` may do that `old` may not: empty when nothing is widened, so that nobody needs to be asked again.
    pub fn difference(old: &Manifest, new: &Manifest) -> Vec<Line> {
        let held = lines_of(old);
        let mut wider = lines_of(new);
        wider.retain(|line| !line.is_held_by(&held));
        wider.extend(find_other_costs(old, new));
        if old.publisher != new.publisher {
            wider.push(Line::Publisher {
                name: new.publisher.clone(),
            });
        }
        wider
    }
}

/// Costs are a list of rules that only counts as a whole, so any other list is told; a cheaper request is one more request a day.
fn find_other_costs(old: &Manifest, new: &Manifest) -> BTreeSet<Line> {
    let has_other = |endpoint: &&Endpoint| {
        let mut same_url = old.endpoints.iter().filter(|old| old.url == endpoint.url);
        let known = same_url.clone().next().is_some();
        known && !same_url.any(|old| old.costs == endpoint.costs)
    };
    let changed = new.endpoints.iter().filter(has_other);
    changed
        .map(|endpoint| Line::Costs {
            url: endpoint.url.clone(),
        })
        .collect()
}

impl fmt::Display for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            version,
            publisher,
            component_digest,
            trust,
            ..
        } = self;
        writeln!(f, "{name} {version} by {publisher} (not proved) wants to")?;
        self.lines
            .iter()
            .try_for_each(|line| writeln!(f, "  - {line}"))?;
        if let Some(trust) = trust {
            writeln!(f, "It is {trust}.")?;
        }
        write!(f, "package {component_digest}")
    }
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
    let limit = endpoint.rate_limit.as_ref();
    let rate = limit.map(|limit| limit.per_second * 1_000.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a checked manifest has 0.001 to 10000 a second"
    )]
    let per_second_thousandths = rate.map(|rate| rate.round() as u64);
    lines.insert(Line::Rate {
        url: url.clone(),
        per_second_thousandths,
        burst: limit.map(|limit| limit.burst),
        concurrency: limit.map(|limit| limit.concurrency),
        per_day: limit.and_then(|limit| limit.daily_budget),
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
            header: credential.injection().header.clone(),
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
