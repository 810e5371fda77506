//! The way out that a cell is given, and what a refusal there means to the guest.
//!
//! Grants, credentials and rate limits are behind it, in `egress`; a test or a benchmark may put canned answers in its place.

use std::borrow::Cow;

use async_trait::async_trait;
use egress::{EgressError, Gateway, Request, Response};
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
}

#[async_trait]
impl Outbound for Gateway {
    async fn send(&self, request: Request, deadline: Instant) -> Result<Response, EgressError> {
        Self::send(self, request, deadline).await
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Self::redact(self, text)
    }
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
    let (kind, code) = match error {
        EgressError::NotGranted { .. } => (FailureKind::Permission, "longshore.not-granted"),
        EgressError::Refused { .. } => (FailureKind::Permission, "longshore.refused"),
        EgressError::Auth { .. } => (FailureKind::Auth, "longshore.auth"),
        EgressError::RateLimited { .. } => (FailureKind::RateLimited, "longshore.rate-limited"),
        EgressError::Transient { .. } => (FailureKind::Transient, "longshore.transient"),
        EgressError::Timeout { .. } => (FailureKind::Transient, "longshore.timeout"),
        EgressError::TooLarge { .. } => (FailureKind::BadData, "longshore.too-large"),
        // Asking again could do it twice, and these will not get better by it.
        EgressError::Uncertain { .. } => (FailureKind::Permanent, "longshore.uncertain"),
        EgressError::Configuration { .. } => (FailureKind::Permanent, "longshore.configuration"),
        EgressError::Vault { .. } => (FailureKind::Permanent, "longshore.vault"),
    };
    let wait = match error {
        EgressError::RateLimited { retry_after, .. } => Some(*retry_after),
        _ => None,
    };
    Failure {
        kind,
        code: code.to_owned(),
        message: error.to_string(),
        retry_after_ms: wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        http_status: None,
        attributes: Vec::new(),
    }
}
