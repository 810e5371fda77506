//! Grants: what a connector may reach, and how its credential is put in. The manifest says it, a person consents, egress enforces it.
//!
//! Where a secret is kept, and the secret itself, are the vault's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Method {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One base address below which a connector may send requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The name by which the connector asks for it.
    pub id: String,
    /// `https` address with `{parameter}` places in its host, for example `https://{company}.pipedrive.com/api`.
    pub url: String,
    /// What may stand in each place.
    #[serde(default)]
    pub parameters: BTreeMap<String, EndpointParameter>,
    /// What may be sent.
    pub methods: Vec<Method>,
    /// How fast, as the vendor allows it.
    #[serde(default)]
    pub rate_limit: Option<RateLimit>,
    /// What a request counts, where the vendor counts so: the first entry that matches; 1 where none does.
    #[serde(default)]
    pub costs: Vec<PathCost>,
}

/// What may stand in a place of an endpoint's address. It comes from the person who connects, or from the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointParameter {
    /// Asked of the person.
    pub label: String,
    /// Regular expression that the whole value matches.
    pub pattern: String,
}

/// A vendor's declared limit on one endpoint, per connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Requests per second, sustained.
    pub per_second: f64,
    /// Requests at once after a rest.
    pub burst: u32,
    /// Requests in flight.
    pub concurrency: u32,
    /// Sum of costs per day, where the vendor counts so.
    #[serde(default)]
    pub daily_budget: Option<u64>,
    /// Where the vendor counts requests over a rolling window: its length in seconds. `burst` is then the most in any window, until the
    /// server's headers say otherwise, and `per_second` says only what that comes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<u32>,
    /// How much of what the server says that a day allows may be spent, in percent; all of it where that is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_share_percent: Option<u8>,
}

/// What a request to a path counts against the daily budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathCost {
    /// Path below the endpoint; `*` stands for one segment, a final `**` for any rest.
    pub path: String,
    /// The cost.
    pub cost: u32,
}

/// A way to log in, and where its secret is put in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CredentialGrant {
    /// A key that the person copies from the CRM.
    Key {
        /// The name of this way, unique in the manifest.
        id: String,
        /// Asked of the person, for example `API token`.
        label: String,
        /// Where it is put in.
        inject: Injection,
    },
    /// OAuth 2 with an authorisation code.
    Oauth2 {
        /// The name of this way, unique in the manifest.
        id: String,
        /// Where the person's browser is sent.
        authorize_url: String,
        /// Where codes and refresh tokens are exchanged.
        token_url: String,
        /// What is asked for.
        #[serde(default)]
        scopes: Vec<String>,
        /// How the client proves itself at the token address.
        client_auth: ClientAuth,
        /// Where the access token is put in.
        inject: Injection,
    },
}

impl CredentialGrant {
    /// The name of this way.
    pub fn id(&self) -> &str {
        match self {
            Self::Key { id, .. } | Self::Oauth2 { id, .. } => id,
        }
    }

    /// Where the secret is put in.
    pub fn injection(&self) -> &Injection {
        match self {
            Self::Key { inject, .. } | Self::Oauth2 { inject, .. } => inject,
        }
    }
}

/// How an OAuth client proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuth {
    /// Id and secret in an `Authorization: Basic` header.
    Basic,
    /// Id and secret in the form.
    Form,
}

/// The header that carries a credential, at the listed endpoints only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Injection {
    /// Header name, lower case.
    pub header: String,
    /// Text before the secret, for example `Bearer `.
    #[serde(default)]
    pub prefix: String,
    /// Ids of the endpoints that get it.
    pub endpoints: Vec<String>,
}
