//! Says why a request was not answered; each variant of [`EgressError`] is handled in another way.
//!
//! It never carries a secret: causes are scrubbed before they get here.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::address::AddressClass;
use crate::tape::{FailureKind, TapeError};

/// Which request, for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The endpoint's id; `oauth` for the token address.
    pub endpoint: String,
    /// The path asked for, without query, at most 200 characters, without control characters.
    pub path: String,
}

impl Place {
    pub(crate) fn new(endpoint: &str, path: &str) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        Self {
            endpoint: printable(endpoint, 64),
            path: printable(path, 200),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "endpoint {:?}, path {:?}", self.endpoint, self.path)
    }
}

fn printable(text: &str, max: usize) -> String {
    text.chars()
        .take(max)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The grant, the parameters or the developer's address do not fit together: nothing can be sent on this connection.
    #[error("connection {connection}: {what}")]
    Configuration {
        /// The connection.
        connection: String,
        /// What does not fit, and where.
        what: String,
    },
    /// The connector asked for something that its manifest does not grant. Nothing was sent.
    #[error("request was not granted ({place}): {breach}")]
    NotGranted {
        /// Which request.
        place: Place,
        /// What is not granted.
        breach: Breach,
    },
    /// The credential is refused and cannot be refreshed: the person has to connect again.
    #[error("credential of connection {connection} is refused ({place}): {cause}")]
    Auth {
        /// The connection.
        connection: String,
        /// Which request.
        place: Place,
        /// What the server said.
        cause: String,
    },
    /// The source, the declared rate or the daily budget asks to wait longer than this call may last.
    #[error("rate limit asks to wait {} ({place})", wait_text(*retry_after))]
    RateLimited {
        /// Which request.
        place: Place,
        /// How long to wait before it makes sense to ask again.
        retry_after: Duration,
    },
    /// It did not work this time, repeats included; it is safe to ask again.
    #[error("no answer after {attempts} attempts ({place}): {cause}")]
    Transient {
        /// Which request.
        place: Place,
        /// What happened last.
        cause: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// A request that must not be sent twice was sent, and its answer was lost: look at the source before asking again.
    #[error("answer was lost, the request may have been carried out ({place}): {cause}")]
    Uncertain {
        /// Which request.
        place: Place,
        /// What happened.
        cause: String,
    },
    /// The answer, decompressed, is larger than the cap.
    #[error("answer is larger than {limit_bytes} bytes ({place})")]
    TooLarge {
        /// Which request.
        place: Place,
        /// The cap.
        limit_bytes: usize,
    },
    /// The address, or a redirect, leads where no connector may go. Nothing was sent there.
    #[error("destination was refused ({place}): {refusal}")]
    Refused {
        /// Which request.
        place: Place,
        /// Why.
        refusal: Refusal,
    },
    /// The deadline passed before an answer was there; it is safe to ask again.
    #[error("no answer before the deadline ({place})")]
    Timeout {
        /// Which request.
        place: Place,
    },
    /// The same failure that was recorded.
    #[error("{message}")]
    Replayed {
        /// What it is handled by.
        kind: FailureKind,
        /// The message of the recorded failure.
        message: String,
        /// How long the source asked to wait.
        retry_after: Option<Duration>,
    },
    /// The tape cannot be recorded or does not hold the exchange: what follows would not be what it promises.
    #[error("the tape failed ({place}): {source}")]
    Tape {
        /// Which request.
        place: Place,
        /// What is wrong with it.
        source: std::sync::Arc<TapeError>,
    },
    /// The secret could not be read, or a refreshed one not be stored.
    #[error("credential of connection {connection} cannot be read or kept")]
    Vault {
        /// The connection.
        connection: String,
        /// What the vault said.
        source: std::sync::Arc<vault::VaultError>,
    },
}

impl EgressError {
    /// What kind of failure from outside it is; `None` for one that the request, the grant, the vault or the tape brings about.
    pub fn kind(&self) -> Option<FailureKind> {
        Some(match self {
            Self::Auth { .. } => FailureKind::Auth,
            Self::RateLimited { .. } => FailureKind::RateLimited,
            Self::Transient { .. } => FailureKind::Transient,
            Self::Uncertain { .. } => FailureKind::Uncertain,
            Self::TooLarge { .. } => FailureKind::TooLarge,
            Self::Refused { .. } => FailureKind::Refused,
            Self::Timeout { .. } => FailureKind::Timeout,
            Self::Replayed { kind, .. } => *kind,
            Self::Configuration { .. }
            | Self::NotGranted { .. }
            | Self::Tape { .. }
            | Self::Vault { .. } => return None,
        })
    }

    /// How long the source, the declared rate or the daily budget asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => Some(*retry_after),
            Self::Replayed { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// What the manifest does not grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// The endpoint is not in the manifest.
    #[error("no such endpoint in the manifest")]
    Endpoint,
    /// The endpoint's methods do not list it.
    #[error("method {0} is not granted")]
    Method(&'static str),
    /// The path leaves the endpoint, or is not a path.
    #[error("path {0}")]
    Path(&'static str),
    /// The header is the host's, or is not a header.
    #[error("header {name:?} {why}")]
    Header {
        /// Its name, cut short.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Address, headers or body are larger than the cap.
    #[error("{what} is larger than {limit_bytes} bytes")]
    Size {
        /// `body`, `address` or `headers`.
        what: &'static str,
        /// The cap.
        limit_bytes: usize,
    },
}

/// Why a destination is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The name resolves to, or is, an address that connectors may not reach. One such address among good ones is enough.
    #[error("{host:?} is at {address}, which is {class}")]
    Address {
        /// The host asked for.
        host: String,
        /// The address found.
        address: IpAddr,
        /// What kind of address it is.
        class: AddressClass,
    },
    /// The server sends elsewhere.
    #[error("the answer {status} redirects {why}")]
    Redirect {
        /// Its status.
        status: u16,
        /// Where to, in general words.
        why: &'static str,
    },
}

/// A wait for a person: days of limits end in hours, and nobody counts those in seconds. Rounded up.
fn wait_text(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_the_unit_that_people_count_them_in() {
        let text = |ms| wait_text(Duration::from_millis(ms));
        assert_eq!(text(900), "1 s");
        assert_eq!(text(119_000), "119 s");
        assert_eq!(text(121_000), "3 min");
        assert_eq!(text(57_600_000), "16 h");
        assert_eq!(text(57_600_001), "17 h");
    }
}
