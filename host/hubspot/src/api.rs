//! One call to HubSpot: sent through the guarded client, its refusals sorted by how they are handled.
//!
//! What a call means is its caller's. 429, tokens that ran out, and repeats of what is safe to repeat are `egress`'s.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use egress::{EgressError, Gateway, Request, Response};
use model::DestinationError;
use model::estimate::Pace;
use model::grant::Method;
use tokio::time::Instant;

use crate::explain::Refusal;
use crate::grant::API;
use crate::version::ApiVersion;

/// How long one call may take, with all its waits for the portal's limits.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// How often a record that is locked is tried again, and the first wait (HubSpot asks for two seconds at least).
const LOCKED_TRIES: u32 = 5;
const LOCKED_WAIT: Duration = Duration::from_secs(2);

/// The longest wait that is waited within a call, where a portal moves between data centres (status 477).
const MOVING_WAIT_MAX: Duration = Duration::from_secs(5 * 60);

/// How often what is read is asked for again where the answer is no whole JSON, and the first wait before it.
const GARBLED_TRIES: u32 = 4;
const GARBLED_WAIT: Duration = Duration::from_millis(500);

/// How often a lost write is looked up and sent again, and the first wait before it.
const LOST_TRIES: u32 = 7;
const LOST_WAIT: Duration = Duration::from_millis(500);

/// HubSpot's status for a record that is being written by somebody else, and for a portal that moves.
const LOCKED: u16 = 423;
const MOVING: u16 = 477;

/// Whether the same call may be made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing, or sets the same values once more.
    Safe,
    /// What became of it must be looked up first.
    Never,
}

/// Why a call has no answer that counts.
#[derive(Debug)]
pub(crate) enum Failed {
    /// HubSpot will not: about these inputs, as far as the status can say.
    Refused {
        /// The status.
        status: u16,
        /// What it says.
        refusal: Box<Refusal>,
    },
    /// It is not known whether it was done; only where it may not be repeated.
    Lost(String),
    /// Nothing more can be done in this phase.
    Stop(DestinationError),
}

impl Failed {
    /// The error of a call whose refusal leaves nothing to go on with. `doing` names it for a person.
    pub(crate) fn stop(self, doing: &str) -> DestinationError {
        match self {
            Self::Stop(error) => error,
            Self::Lost(cause) => DestinationError::Ambiguous(cause),
            Self::Refused {
                status: 403,
                refusal,
            } if refusal.category == "MISSING_SCOPES" => {
                DestinationError::Auth(format!("{doing}: {}", refusal.explain()))
            }
            Self::Refused { status, refusal } => DestinationError::Unusable(format!(
                "{doing}: {} (status {status})",
                refusal.explain()
            )),
        }
    }
}

/// The way to a portal.
pub(crate) struct Api {
    gateway: Gateway,
    pub(crate) version: ApiVersion,
}

impl Api {
    pub(crate) fn new(gateway: Gateway, version: ApiVersion) -> Self {
        Self { gateway, version }
    }

    /// How much the portal lets through: what it says of itself, once it was asked for anything.
    pub(crate) fn pace(&self) -> Option<Pace> {
        self.gateway.pace(Some(API))
    }

    pub(crate) async fn get(
        &self,
        path: &str,
        query: Vec<(String, String)>,
    ) -> Result<Vec<u8>, Failed> {
        self.call((API, Method::Get, path), query, None, Repeat::Safe)
            .await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        body: Vec<u8>,
        repeat: Repeat,
    ) -> Result<Vec<u8>, Failed> {
        self.call((API, Method::Post, path), Vec::new(), Some(body), repeat)
            .await
    }

    /// Sends, and waits out what is worth waiting for.
    pub(crate) async fn call(
        &self,
        (endpoint, method, path): (&str, Method, &str),
        query: Vec<(String, String)>,
        body: Option<Vec<u8>>,
        repeat: Repeat,
    ) -> Result<Vec<u8>, Failed> {
        let deadline = Instant::now() + PATIENCE;
        let (mut locked, mut garbled) = (0, 0);
        loop {
            let headers = body
                .iter()
                .map(|_| ("content-type".to_owned(), "application/json".to_owned()));
            let request = Request {
                endpoint: endpoint.to_owned(),
                method,
                path: path.to_owned(),
                query: query.clone(),
                headers: headers.collect(),
                body: body.clone(),
                idempotent: repeat == Repeat::Safe,
            };
            let response = self.gateway.send(request, deadline).await.map_err(failed)?;
            let wait = match response.status {
                200..=299
                    if repeat == Repeat::Safe
                        && garbled < GARBLED_TRIES
                        && !is_whole(&response.body) =>
                {
                    garbled += 1;
                    tracing::debug!(path, "an answer that is no whole JSON; asking again");
                    GARBLED_WAIT * 2_u32.pow(garbled - 1)
                }
                200..=299 => return Ok(response.body),
                500..=599 => {
                    return Err(Failed::Lost(format!(
                        "HubSpot answered {}",
                        response.status
                    )));
                }
                LOCKED if locked < LOCKED_TRIES => {
                    locked += 1;
                    LOCKED_WAIT * 2_u32.pow(locked - 1)
                }
                MOVING => moving(&response)?,
                status => {
                    let refusal = Box::new(Refusal::parse(status, &response.body));
                    return Err(Failed::Refused { status, refusal });
                }
            };
            self.gateway.pause(wait).await;
        }
    }
}

/// Whether a body is nothing, or JSON to its end: an answer may break off although it is said to be complete.
fn is_whole(body: &[u8]) -> bool {
    body.is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// Writes of one kind that were lost, counted: each is to be looked up before it is sent again.
#[derive(Debug, Default)]
pub(crate) struct LostWrites(u32);

impl LostWrites {
    /// Waits until what became of the write can be looked up; longer each time. The cause is the error once there were too many.
    pub(crate) async fn wait(&mut self, cause: String) -> Result<(), DestinationError> {
        self.0 += 1;
        if self.0 > LOST_TRIES {
            return Err(DestinationError::Ambiguous(cause));
        }
        tracing::debug!(%cause, "a write was lost; looking up what became of it");
        tokio::time::sleep(LOST_WAIT * 2_u32.pow(self.0 - 1)).await;
        Ok(())
    }
}

/// A portal that moves says for how long; up to a day.
fn moving(response: &Response) -> Result<Duration, Failed> {
    let told = response
        .headers
        .iter()
        .find(|(name, _)| name == "retry-after");
    let seconds = told.and_then(|(_, value)| value.trim().parse::<u64>().ok());
    let wait = seconds.map_or(LOCKED_WAIT, Duration::from_secs);
    if wait <= MOVING_WAIT_MAX {
        return Ok(wait.max(Duration::from_secs(1)));
    }
    Err(Failed::Stop(DestinationError::RateLimited {
        retry_after: Some(wait),
        message: "the portal is being moved to another data centre (status 477)".to_owned(),
    }))
}

fn failed(error: EgressError) -> Failed {
    let message = error.to_string();
    Failed::Stop(match error {
        EgressError::Auth { .. } => DestinationError::Auth(message),
        EgressError::RateLimited { retry_after, .. } => DestinationError::RateLimited {
            retry_after: Some(retry_after),
            message,
        },
        EgressError::Uncertain { .. } => return Failed::Lost(message),
        EgressError::Transient { .. }
        | EgressError::Timeout { .. }
        | EgressError::TooLarge { .. } => DestinationError::Ambiguous(message),
        _ => DestinationError::Unusable(message),
    })
}

/// Does that work with so much of it at once; the answers in the order of the work.
pub(crate) async fn at_once<T, F>(
    work: impl Iterator<Item = F>,
    most: usize,
) -> Result<Vec<T>, DestinationError>
where
    F: Future<Output = Result<T, DestinationError>>,
{
    // Listed first: a stream that makes its futures from borrowed closures is not provably sendable.
    let work: Vec<F> = work.collect();
    stream::iter(work).buffered(most).try_collect().await
}

/// Reads an answer; one that makes no sense stops the phase, because nothing is known of what was done.
pub(crate) fn read<'a, T: serde::Deserialize<'a>>(
    body: &'a [u8],
    doing: &str,
) -> Result<T, DestinationError> {
    serde_json::from_slice(body).map_err(|error| {
        DestinationError::Ambiguous(format!("{doing}: HubSpot's answer cannot be read: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_breaks_off_is_not_whole() {
        for whole in ["", "{}", r#"{"results":[]}"#, "[1] \n"] {
            assert!(is_whole(whole.as_bytes()), "{whole}");
        }
        for broken in [r#"{"results":[{"id":"1"}"#, "<html>", "{}{", r#"{"a":"b"#] {
            assert!(!is_whole(broken.as_bytes()), "{broken}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_is_lost_for_ever_ends() {
        let mut lost = LostWrites::default();
        for _ in 0..LOST_TRIES {
            assert!(lost.wait("502".to_owned()).await.is_ok());
        }
        let end = lost.wait("502".to_owned()).await;
        assert!(matches!(end, Err(DestinationError::Ambiguous(cause)) if cause == "502"));
    }
}
