//! Makes one attempt at a request: its turn, the credential, redirects inside the endpoint, and what the outcome means.
//!
//! Whether there is another attempt is the gateway's to decide.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use model::grant::Method;
use reqwest::header::{HeaderMap, HeaderName};
use tokio::time::Instant;
use url::Url;

use crate::admit::Door;
use crate::confine::Base;
use crate::credential::Live;
use crate::error::{EgressError, Place, Refusal};
use crate::limit::{Denied, WallClock};
use crate::route::Route;
use crate::watch::Wait;
use crate::wire::{Answer, Wire, WireError};

const REDIRECTS_MAX: u32 = 5;

/// What [`Usage`](crate::request::Usage) is read from.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) requests: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) bytes_sent: AtomicU64,
    pub(crate) bytes_received: AtomicU64,
    pub(crate) waited_ms: AtomicU64,
}

/// A request that passed the grant.
pub(crate) struct Prepared {
    pub(crate) place: Place,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<bytes::Bytes>,
    pub(crate) may_repeat: bool,
    pub(crate) authorised: bool,
    /// Ends when the request does.
    pub(crate) wait: Wait,
}

/// What one attempt came to.
pub(crate) enum Attempt {
    Done(Answer),
    /// The credential was refused.
    Unauthorised(Answer),
    /// Worth another attempt, where it may be repeated; the answer is there when the server gave one.
    Failed {
        cause: String,
        sent: Sent,
        after: Option<Duration>,
        answer: Option<Answer>,
    },
    Stop(EgressError),
}

/// What the server has seen of a failed attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Nothing,
    /// It answered that it will not: 429.
    Rejected,
    Perhaps,
}

/// What every attempt of a gateway needs.
pub(crate) struct Sender {
    pub(crate) wire: Arc<Wire>,
    /// The header that carries the credential.
    pub(crate) header: HeaderName,
    pub(crate) wall: WallClock,
    pub(crate) response_max_bytes: usize,
    /// Time for one whole answer.
    pub(crate) answer_timeout: Duration,
    pub(crate) counts: Counts,
    /// Whether any answer ever came: then silence is an outage, and no wrong address.
    pub(crate) has_answered: AtomicBool,
}

impl Sender {
    /// One attempt, redirects inside the endpoint included.
    pub(crate) async fn attempt(
        &self,
        route: &Route,
        prepared: &Prepared,
        live: &Live,
        deadline: Instant,
    ) -> Attempt {
        let place = || prepared.place.clone();
        let _slot = match route.limiter.slot(deadline).await {
            Ok(slot) => slot,
            Err(denied) => return Attempt::Stop(denied_error(denied, place())),
        };
        let mut hop = Hop::first(prepared, live, &self.header);
        for _ in 0..=REDIRECTS_MAX {
            let asked = Instant::now();
            if let Some(left) = route.limiter.paused_for() {
                prepared.wait.because("the source asked to wait", left);
            }
            let turn = route
                .limiter
                .turn(hop.path_below(&route.door.base), deadline);
            let turn = match turn.await {
                Ok(turn) => turn,
                Err(denied) => return Attempt::Stop(denied_error(denied, place())),
            };
            self.waited(asked.elapsed());
            prepared.wait.asking();
            let answer = match self.exchange(&hop, prepared, deadline).await {
                Ok(answer) => answer,
                Err(attempt) => return attempt,
            };
            let after = route.limiter.observe(
                &turn,
                answer.status,
                &answer.headers,
                &answer.body,
                &self.wall,
            );
            drop(turn);
            match answer.status {
                401 if prepared.authorised && hop.number == 0 => {
                    return Attempt::Unauthorised(answer);
                }
                429 => {
                    return Attempt::Failed {
                        cause: "the server answered 429".to_owned(),
                        sent: Sent::Rejected,
                        after,
                        answer: None,
                    };
                }
                500..=599 => {
                    let cause = format!("the server answered {}", answer.status);
                    return Attempt::Failed {
                        cause,
                        sent: Sent::Perhaps,
                        after,
                        answer: Some(answer),
                    };
                }
                300..=303 | 305..=399 => match hop.next(&answer, &route.door) {
                    Ok(next) => hop = next,
                    Err(why) => return redirect_refused(place(), answer.status, why),
                },
                _ => return Attempt::Done(answer),
            }
        }
        redirect_refused(place(), 302, "too often")
    }

    /// One request on the wire.
    async fn exchange(
        &self,
        hop: &Hop,
        prepared: &Prepared,
        deadline: Instant,
    ) -> Result<Answer, Attempt> {
        let place = || prepared.place.clone();
        let body_bytes = hop.body.as_ref().map_or(0, |body| body.len() as u64);
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        self.counts
            .bytes_sent
            .fetch_add(body_bytes, Ordering::Relaxed);
        let exchange = self.wire.exchange(
            wire_method(hop.method),
            hop.url.clone(),
            hop.headers.clone(),
            hop.body.clone().map(reqwest::Body::from),
            self.response_max_bytes,
        );
        let longest = Instant::now() + self.answer_timeout;
        match tokio::time::timeout_at(deadline.min(longest), exchange).await {
            Ok(Ok(answer)) => {
                self.has_answered.store(true, Ordering::Relaxed);
                Ok(answer)
            }
            Ok(Err(error)) => Err(wire_failure(error, place())),
            Err(_) if longest < deadline => Err(Attempt::Failed {
                cause: format!(
                    "no whole answer within {} s",
                    self.answer_timeout.as_secs_f64()
                ),
                sent: Sent::Perhaps,
                after: None,
                answer: None,
            }),
            Err(_) if prepared.may_repeat => {
                Err(Attempt::Stop(EgressError::Timeout { place: place() }))
            }
            Err(_) => Err(Attempt::Stop(EgressError::Uncertain {
                place: place(),
                cause: "no answer before the deadline".to_owned(),
            })),
        }
    }

    /// Counts time spent waiting.
    pub(crate) fn waited(&self, time: Duration) {
        self.counts.waited_ms.fetch_add(
            u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }
}

/// One request of a chain of redirects.
struct Hop {
    number: u32,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<bytes::Bytes>,
}

impl Hop {
    fn first(prepared: &Prepared, live: &Live, bound: &reqwest::header::HeaderName) -> Self {
        let mut headers = prepared.headers.clone();
        if prepared.authorised {
            headers.insert(bound, live.value.clone());
        }
        Self {
            number: 0,
            method: prepared.method,
            url: prepared.url.clone(),
            headers,
            body: prepared.body.clone(),
        }
    }

    /// Where the answer sends, without the credential. RFC 9110 section 15.4 says what becomes of method and body.
    fn next(&self, answer: &Answer, door: &Door) -> Result<Self, &'static str> {
        if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            return Err("in a way that is not followed");
        }
        let location = answer
            .headers
            .get("location")
            .and_then(|location| location.to_str().ok())
            .ok_or("to nowhere")?;
        let url = door
            .base
            .redirect(&self.url, location)
            .ok_or("out of the endpoint")?;
        let keeps = matches!(answer.status, 307 | 308)
            || self.method == Method::Get
            || (answer.status != 303 && self.method != Method::Post);
        let (method, body) = if keeps {
            (self.method, self.body.clone())
        } else {
            (Method::Get, None)
        };
        if !door.methods.contains(&method) {
            return Err("to a method that is not granted");
        }
        // Only the credential is marked sensitive; a connector cannot set such a header.
        let kept = self.headers.iter().filter(|(name, value)| {
            !value.is_sensitive() && (body.is_some() || *name != "content-type")
        });
        let headers = kept
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Ok(Self {
            number: self.number + 1,
            method,
            url,
            headers,
            body,
        })
    }

    fn path_below(&self, base: &Base) -> &str {
        base.below(&self.url)
    }
}

fn denied_error(denied: Denied, place: Place) -> EgressError {
    match denied {
        Denied::Wait(retry_after) => EgressError::RateLimited { place, retry_after },
        Denied::Busy => EgressError::Timeout { place },
    }
}

fn redirect_refused(place: Place, status: u16, why: &'static str) -> Attempt {
    Attempt::Stop(EgressError::Refused {
        place,
        refusal: Refusal::Redirect { status, why },
    })
}

fn wire_failure(error: WireError, place: Place) -> Attempt {
    let cause = error.to_string();
    match error {
        WireError::Refused(refusal) => Attempt::Stop(EgressError::Refused { place, refusal }),
        WireError::TooLarge(limit_bytes) => {
            Attempt::Stop(EgressError::TooLarge { place, limit_bytes })
        }
        WireError::NotSent(_) => Attempt::Failed {
            cause,
            sent: Sent::Nothing,
            after: None,
            answer: None,
        },
        WireError::Broken(_) => Attempt::Failed {
            cause,
            sent: Sent::Perhaps,
            after: None,
            answer: None,
        },
    }
}

fn wire_method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}
