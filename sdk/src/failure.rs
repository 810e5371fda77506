//! Holds [`Failure`]: why a connector's call did not work, in the kinds that the host decides by.
//!
//! It does not decide what happens next: repeating, pausing and stopping are the host's.

use std::fmt;

/// The result of everything a connector does.
pub type Result<T, E = Failure> = core::result::Result<T, E>;

/// What went wrong, as far as the host's next step depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The credential is refused: refreshed once, then the run pauses and asks for a new connection.
    Auth,
    /// The account may not see this: a finding with the message, and on without the object.
    Permission,
    /// The source asks to wait: the host waits and repeats the call.
    RateLimited,
    /// It may work the next time: the host repeats with back-off, then stops the phase, resumable.
    Transient,
    /// The cursor no longer names a position: the object's list starts again.
    StaleCursor,
    /// What was asked for does not exist: the object is dropped with a finding.
    NotFound,
    /// The answer cannot be read: the phase stops and names the object.
    BadData,
    /// This connector, or this account's plan, does not have it: on without it, with a finding.
    Unsupported,
    /// It will not work the next time either: the phase stops.
    Permanent,
}

impl FailureKind {
    /// The kind's name as the contract spells it, for example `rate-limited`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Permission => "permission",
            Self::RateLimited => "rate-limited",
            Self::Transient => "transient",
            Self::StaleCursor => "stale-cursor",
            Self::NotFound => "not-found",
            Self::BadData => "bad-data",
            Self::Unsupported => "unsupported",
            Self::Permanent => "permanent",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failed call. Made by the constructor of its kind, for example [`Failure::permission`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What the host decides by.
    pub kind: FailureKind,
    /// For programs: lower case with dots, for example `pipedrive.daily-budget`.
    pub code: String,
    /// For a person: what happened to which object. No secrets, no markup; the host shows at most 2,000 characters.
    pub message: String,
    /// How long the source asked to wait.
    pub retry_after_ms: Option<u64>,
    /// The HTTP status behind it, if one was.
    pub http_status: Option<u16>,
}

macro_rules! constructors {
    ($($name:ident => $kind:ident),+ $(,)?) => {
        $(
            #[doc = concat!("A failure of kind [`FailureKind::", stringify!($kind), "`].")]
            pub fn $name(code: impl Into<String>, message: impl Into<String>) -> Self {
                Self::new(FailureKind::$kind, code, message)
            }
        )+
    };
}

impl Failure {
    /// A failure of a kind that is known only when running.
    pub fn new(kind: FailureKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            retry_after_ms: None,
            http_status: None,
        }
    }

    constructors! {
        auth => Auth,
        permission => Permission,
        rate_limited => RateLimited,
        transient => Transient,
        stale_cursor => StaleCursor,
        not_found => NotFound,
        bad_data => BadData,
        unsupported => Unsupported,
        permanent => Permanent,
    }

    /// The failure for an object or kind of engagement that the connector does not know.
    pub fn unknown_object(object: &str) -> Self {
        Self::not_found(
            "object",
            format!("there is no object {object:?} in this connector"),
        )
    }

    /// Adds how long the source asked to wait.
    #[must_use]
    pub fn with_retry_after_ms(mut self, milliseconds: u64) -> Self {
        self.retry_after_ms = Some(milliseconds);
        self
    }

    /// Adds the HTTP status behind it.
    #[must_use]
    pub fn with_http_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.message, self.kind, self.code)
    }
}

impl std::error::Error for Failure {}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::bad_data("json", format!("JSON is not as expected: {error}"))
    }
}
