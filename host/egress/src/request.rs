//! Holds what is asked of a gateway, what it answers, and what it is made from.
//!
//! It checks nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::ConnectionId;
use model::grant::{CredentialGrant, Endpoint, Method};
use url::Url;
use vault::Vault;

use crate::tape::Recorder;

/// One request, as a connector asks for it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Id of an endpoint of the manifest.
    pub endpoint: String,
    /// One of the endpoint's methods.
    pub method: Method,
    /// Below the endpoint, starting with `/`, percent-encoded; or a source's absolute "next" address inside the endpoint.
    pub path: String,
    /// Names and values, not encoded. A name may come again.
    pub query: Vec<(String, String)>,
    /// Without those that are the host's.
    pub headers: Vec<(String, String)>,
    /// The body as it goes out.
    pub body: Option<Vec<u8>>,
    /// Whether the same request may be sent twice. A GET always may.
    pub idempotent: bool,
}

/// One answer, of any status that is not handled here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status. Never 401 where a credential was sent, nor 429, nor 5xx of a repeatable request: those are errors.
    pub status: u16,
    /// Names in lower case, without cookies and the credential's header.
    pub headers: Vec<(String, String)>,
    /// Decompressed, secrets replaced by `[redacted]`.
    pub body: Vec<u8>,
}

/// Whether the declared rates are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RateLimits {
    /// Declared rate, budget and requests at once, and what the server says.
    #[default]
    Declared,
    /// Only the server's refusals. For simulators without limits.
    Off,
}

/// Sizes and times that no request goes beyond.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Bytes of an answer's body, decompressed.
    pub response_max_bytes: usize,
    /// Bytes of a request's body.
    pub request_max_bytes: usize,
    /// Time to find and reach the server.
    pub connect_timeout: Duration,
    /// Repeats after the first attempt at an address that never answered, not counting the waits that a server asked for.
    pub retries_max: usize,
    /// The same where answers came before, or one came that says to try again: that is an outage, and no wrong address.
    pub outage_retries_max: usize,
    /// The wait before the first repeat, at least; it doubles each time, with jitter, up to 10 s.
    pub retry_delay_min: Duration,
    /// Once a request has taken this long, not counting the waits that a server asked for, it is not repeated any more.
    pub repeat_within: Duration,
    /// Time without a byte after which an answer counts as lost.
    pub idle_timeout: Duration,
    /// Time for one whole answer, however steadily it drips.
    pub answer_timeout: Duration,
}

impl Default for Caps {
    /// 32 MiB, 16 MiB, 10 s to connect, 4 repeats, 6 in an outage, from 250 ms on, within 60 s; 45 s without a byte, 100 s an answer.
    fn default() -> Self {
        Self {
            response_max_bytes: 32 << 20,
            request_max_bytes: 16 << 20,
            connect_timeout: Duration::from_secs(10),
            retries_max: 4,
            outage_retries_max: 6,
            retry_delay_min: Duration::from_millis(250),
            repeat_within: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(45),
            answer_timeout: Duration::from_secs(100),
        }
    }
}

/// What a gateway is made from.
#[derive(Clone)]
pub struct GatewayOptions {
    /// The connection; names the secret in the vault together with the credential's id.
    pub connection: ConnectionId,
    /// The manifest's endpoints, as consented to.
    pub endpoints: Vec<Endpoint>,
    /// The connection's values for the places in their addresses.
    pub parameters: BTreeMap<String, String>,
    /// The way to log in that this connection uses.
    pub credential: CredentialGrant,
    /// A developer's loopback origin, put in place of scheme, host and port of every endpoint and OAuth address. No other address is
    /// reachable then.
    pub origin_override: Option<Url>,
    /// Where the secret is.
    pub vault: Arc<Vault>,
    /// Whether declared rates are kept.
    pub rate_limits: RateLimits,
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// Sizes and times.
    pub caps: Caps,
    /// Where every exchange is recorded; one tape belongs to one gateway.
    pub recorder: Option<Arc<Recorder>>,
}

/// What was sent since the gateway was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests that went out, repeats and redirects included.
    pub requests: u64,
    /// Repeats among them.
    pub retries: u64,
    /// Bytes of request bodies.
    pub bytes_sent: u64,
    /// Bytes of answers' bodies, decompressed.
    pub bytes_received: u64,
    /// Milliseconds spent waiting for rate limits and before repeats, summed over all requests.
    pub waited_ms: u64,
    /// Cost paid today (UTC) against the daily budgets.
    pub cost_today: u64,
}
