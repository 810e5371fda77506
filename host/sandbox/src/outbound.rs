//! The way out that a cell is given, and what a refusal there means to the guest.
//!
//! Grants, credentials and rate limits are behind it, in `egress`; a test or a benchmark may put canned answers in its place.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;
use egress::{EgressError, Gateway, Replay, Request, Response};
use model::Instant as Moment;
use model::estimate::Pace;
use model::grant::Method;
use tokio::time::Instant;

use crate::bindings::longshore::connector::http;
use crate::bindings::longshore::connector::types::{Failure, FailureKind};

/// Where a cell's requests go.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Sends one request and waits for its answer until `deadline`.
    ///
    /// # Errors
    /// When it is not granted, or no answer came.
    async fn send(&self, request: Request, deadline: Instant) -> Result<Response, EgressError>;

    /// Takes the connection's live secrets out of a text.
    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str>;

    /// The time as the guest may know it: that of the exchanges, where these are recorded or replayed.
    fn now(&self) -> Moment {
        Moment::now()
    }

    /// How much the source lets through, where a limit is known.
    fn pace(&self) -> Option<Pace> {
        None
    }

    /// Waits before a call is repeated, because the source asked for it.
    async fn pause(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

#[async_trait]
impl Outbound for Gateway {
    async fn send(&self, request: Request, deadline: Instant) -> Result<Response, EgressError> {
        Self::send(self, request, deadline).await
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Self::redact(self, text)
    }

    fn now(&self) -> Moment {
        Self::now(self)
    }

    fn pace(&self) -> Option<Pace> {
        Self::pace(self, None)
    }

    async fn pause(&self, wait: Duration) {
        Self::pause(self, wait).await;
    }
}

#[async_trait]
impl Outbound for Replay {
    async fn send(&self, request: Request, _: Instant) -> Result<Response, EgressError> {
        Self::send(self, request)
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Self::redact(self, text)
    }

    fn now(&self) -> Moment {
        Self::now(self)
    }

    /// What was waited for when it was recorded is there.
    async fn pause(&self, _: Duration) {}
}

/// The guest's request in the gateway's words.
pub(crate) fn request_of(request: http::Request) -> Request {
    let http::Request {
        endpoint,
        method,
        path,
        query,
        headers,
        body,
        idempotent,
    } = request;
    let method = match method {
        http::Method::Get => Method::Get,
        http::Method::Post => Method::Post,
        http::Method::Put => Method::Put,
        http::Method::Patch => Method::Patch,
        http::Method::Delete => Method::Delete,
    };
    Request {
        endpoint,
        method,
        path,
        query,
        headers,
        body,
        idempotent,
    }
}

/// What a refusal on the way out is to the guest.
pub(crate) fn failure_of(error: &EgressError) -> Failure {
    let (kind, code) = match error.kind() {
        Some(kind) => failure_kind_of(kind),
        // What follows will not get better by asking again.
        None => match error {
            EgressError::NotGranted { .. } => (FailureKind::Permission, "longshore.not-granted"),
            EgressError::Vault { .. } => (FailureKind::Permanent, "longshore.vault"),
            EgressError::Tape { .. } => (FailureKind::Permanent, "longshore.tape"),
            _ => (FailureKind::Permanent, "longshore.configuration"),
        },
    };
    let wait = error.retry_after();
    Failure {
        kind,
        code: code.to_owned(),
        message: error.to_string(),
        retry_after_ms: wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        http_status: None,
        attributes: Vec::new(),
    }
}

fn failure_kind_of(kind: egress::FailureKind) -> (FailureKind, &'static str) {
    match kind {
        egress::FailureKind::Refused => (FailureKind::Permission, "longshore.refused"),
        egress::FailureKind::Auth => (FailureKind::Auth, "longshore.auth"),
        egress::FailureKind::RateLimited => (FailureKind::RateLimited, "longshore.rate-limited"),
        egress::FailureKind::Transient => (FailureKind::Transient, "longshore.transient"),
        egress::FailureKind::Timeout => (FailureKind::Transient, "longshore.timeout"),
        egress::FailureKind::TooLarge => (FailureKind::BadData, "longshore.too-large"),
        // Asking again could do it twice.
        egress::FailureKind::Uncertain => (FailureKind::Permanent, "longshore.uncertain"),
    }
}
