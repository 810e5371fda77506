//! Decides how a simulated account behaves where the vendor's accounts differ or its documents are unclear.
//!
//! It starts nothing.

use super::limits::Limits;
use crate::faults::Faults;
use crate::truth::Source;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// What retired endpoints of the first generation answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RetiredV1 {
    /// 410.
    #[default]
    Gone,
    /// 404.
    NotFound,
}

/// Where lists of leads and mail messages keep their paging facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EnvelopeV1 {
    /// In `additional_data.pagination`, as recorded.
    #[default]
    Nested,
    /// In `additional_data`, as the vendor's document has it.
    Flat,
}

/// What an empty list of the first generation looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EmptyV1 {
    /// `"data":null`
    #[default]
    Null,
    /// `"data":[]`
    Array,
    /// `"success":false,"data":[]`
    Unsuccessful,
}

/// Whether the account synchronises contacts: only then persons have a position, a birthday and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContactSync {
    /// Persons have the short shape.
    #[default]
    Off,
    /// Persons have the long shape.
    On,
}

/// What a person who is asked for consent does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consent {
    /// Agrees at once.
    #[default]
    Given,
    /// Presses "Cancel": the browser goes back with `error=user_denied`
    /// (pipedrive.readme.io/docs/app-installation-flows, read 2026-11).
    Denied,
}

/// Whether a PKCE challenge means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pkce {
    /// As the vendor's documents have it: they do not know PKCE, and what is not known means nothing.
    #[default]
    Ignored,
    /// RFC 7636, S256 only: a code is asked for with a challenge and exchanged with its verifier, or not at all.
    Required,
}

/// The clock of limits and token lifetimes; records do not depend on it.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// One that a test moves: milliseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> i64 {
        match self {
            Self::System => {
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
            Self::Manual(now) => now.load(Ordering::SeqCst),
        }
    }
}

/// How to simulate an account.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose company it is.
    pub truth: Source,
    /// Faults to give.
    pub faults: Faults,
    /// Limits to enforce.
    pub limits: Limits,
    /// Added to every answer, in milliseconds.
    pub latency_ms: u64,
    /// Port on loopback; 0 takes a free one.
    pub port: u16,
    /// Makes the keys of custom fields, the ids of leads and the secrets of this account unlike another's.
    pub account_salt: String,
    /// What retired endpoints answer.
    pub retired_v1: RetiredV1,
    /// Envelope of leads and mail messages.
    pub envelope_v1: EnvelopeV1,
    /// Shape of empty lists.
    pub empty_v1: EmptyV1,
    /// Shape of persons.
    pub contact_sync: ContactSync,
    /// Lifetime of an access token, in seconds.
    pub oauth_expires_in: u64,
    /// An access token is dead after so many requests, as if its time were over; none: only time ends it.
    pub oauth_access_uses: Option<u64>,
    /// What a person who is asked for consent does.
    pub oauth_consent: Consent,
    /// Whether PKCE is held to.
    pub oauth_pkce: Pkce,
    /// The only callback address; none accepts any.
    pub oauth_redirect: Option<String>,
    /// Scopes that OAuth tokens have; none means all. An API token may do what its user may.
    pub scopes: Option<Vec<String>>,
    /// Clock of limits and lifetimes.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            truth: Source::Generated {
                records: 1000,
                seed: 1,
            },
            faults: Faults::default(),
            limits: Limits::Off,
            latency_ms: 0,
            port: 0,
            account_salt: "quayside".to_owned(),
            retired_v1: RetiredV1::default(),
            envelope_v1: EnvelopeV1::default(),
            empty_v1: EmptyV1::default(),
            contact_sync: ContactSync::default(),
            oauth_expires_in: 3599,
            oauth_access_uses: None,
            oauth_consent: Consent::default(),
            oauth_pkce: Pkce::default(),
            oauth_redirect: None,
            scopes: None,
            clock: Clock::System,
        }
    }
}
