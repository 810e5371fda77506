//! Sends a connection's requests: checks them against the grant, waits their turn, adds the credential, repeats what is safe, and scrubs
//! what comes back.
//!
//! It keeps nothing of requests and answers but their numbers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use model::ConnectionId;
use model::estimate::Pace;
use model::grant::Method;
use tokio::time::Instant;
use vault::EntryName;

use crate::attempt::{Attempt, Counts, Prepared, Sender, Sent};
use crate::credential::{Credential, Live};
use crate::error::{Breach, EgressError, Place};
use crate::header;
use crate::limit::WallClock;
use crate::oauth::TokenClient;
use crate::repeat::{Got, Repeats};
use crate::request::{Caps, GatewayOptions, Request, Response, Usage};
use crate::route::{Route, routes};
use crate::tape::{Exchange, Outcome, Recorder, TapeError, Timing};
use crate::template::Filling;
use crate::watch::{Waiting, Watch};
use crate::wire::{Answer, Reach, Timeouts, Wire};

/// A server that asks to come back sooner has not said when.
const NAMED_WAIT_MIN: Duration = Duration::from_millis(100);

/// A connection's way out. Cheap to clone; clones share limits, credential and connections.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    connection: ConnectionId,
    routes: BTreeMap<String, Route>,
    credential: Arc<Credential>,
    sender: Sender,
    caps: Caps,
    watch: Arc<Watch>,
    recorder: Option<Arc<Recorder>>,
}

impl Gateway {
    /// Checks grant and parameters, reads the secret, and prepares the guarded connection. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`EgressError::Configuration`] when something does not fit together, [`EgressError::Vault`] when the secret is not there.
    pub fn new(options: GatewayOptions) -> Result<Self, EgressError> {
        Self::with_clock(options, Arc::new(model::Instant::now))
    }

    pub(crate) fn with_clock(
        options: GatewayOptions,
        wall: WallClock,
    ) -> Result<Self, EgressError> {
        let reach = if options.origin_override.is_some() {
            Reach::Loopback
        } else {
            Reach::Public
        };
        let timeouts = Timeouts {
            connect: options.caps.connect_timeout,
            idle: options.caps.idle_timeout,
        };
        let wire = Wire::new(reach, &options.user_agent, timeouts).map_err(|error| {
            EgressError::Configuration {
                connection: options.connection.to_string(),
                what: format!("the network client cannot start: {error:?}"),
            }
        })?;
        Self::over(options, wall, wire)
    }

    /// A gateway whose requests are answered in place of a network.
    #[cfg(feature = "simulated")]
    pub(crate) fn carried(
        options: GatewayOptions,
        wall: WallClock,
        carrier: crate::wire::Carrier,
    ) -> Result<Self, EgressError> {
        let wire = Wire::new(Reach::Loopback, &options.user_agent, Timeouts::of_login());
        let wire = wire.map_err(|error| EgressError::Configuration {
            connection: options.connection.to_string(),
            what: format!("the client cannot start: {error:?}"),
        })?;
        Self::over(options, wall, wire.carried(carrier))
    }

    /// A gateway whose requests go that way.
    fn over(options: GatewayOptions, wall: WallClock, wire: Wire) -> Result<Self, EgressError> {
        let wire = Arc::new(wire);
        let configuration = |what: String| EgressError::Configuration {
            connection: options.connection.to_string(),
            what,
        };
        let filling = Filling {
            parameters: &options.parameters,
            origin_override: options.origin_override.as_ref(),
        };
        let routes = routes(&options, &filling, &wall)?;
        let tokens = TokenClient::new(
            &options.connection,
            &options.credential,
            &options.endpoints,
            &filling,
            wire.clone(),
        )
        .map_err(|error| configuration(error.to_string()))?;
        let name = EntryName::new(options.connection.clone(), options.credential.id());
        let inject = options.credential.injection().clone();
        let credential = Arc::new(Credential::open(
            name,
            options.vault,
            inject,
            tokens,
            wall.clone(),
        )?);
        if let Some(recorder) = &options.recorder {
            begin_tape(recorder, &options.connection, &routes)?;
        }
        let inner = Inner {
            connection: options.connection,
            routes,
            sender: Sender {
                wire,
                header: credential.header.clone(),
                wall,
                response_max_bytes: options.caps.response_max_bytes,
                answer_timeout: options.caps.answer_timeout,
                counts: Counts::default(),
                has_answered: AtomicBool::new(false),
            },
            credential,
            caps: options.caps,
            watch: Arc::default(),
            recorder: options.recorder,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Sends a request and returns its answer, waiting and repeating where that is safe, until `deadline`.
    ///
    /// # Errors
    ///
    /// See [`EgressError`]: each variant asks for another handling.
    pub async fn send(&self, request: Request, deadline: Instant) -> Result<Response, EgressError> {
        let inner = &*self.inner;
        let (route, prepared) = inner.prepare(request)?;
        let Some(recorder) = &inner.recorder else {
            return inner.respond(route, &prepared, deadline).await;
        };
        let tape_failed = |source: Arc<TapeError>| EgressError::Tape {
            place: prepared.place.clone(),
            source,
        };
        // What cannot be recorded is not sent either: the tape would lack it.
        recorder
            .problem()
            .map_or(Ok(()), Err)
            .map_err(tape_failed)?;
        let begun = Instant::now();
        let response = inner.respond(route, &prepared, deadline).await;
        let exchange = inner.exchange(route, &prepared, &response, begun.elapsed());
        if let Some(exchange) = exchange {
            recorder.record(&exchange).map_err(tape_failed)?;
        }
        response
    }

    /// The time for the connector: the system's, or while a tape is recorded the tape's, so that a replay can tell the same.
    pub fn now(&self) -> model::Instant {
        match &self.inner.recorder {
            Some(recorder) => recorder.now(),
            None => (self.inner.sender.wall)(),
        }
    }

    /// Waits between two calls, because the source asked for it.
    pub async fn pause(&self, wait: Duration) {
        let waiting = self.inner.watch.begin(None);
        waiting.because("the source asked to wait", wait);
        self.inner.sender.waited(wait);
        tokio::time::sleep(wait).await;
    }

    /// What is waited for at this moment, for whoever shows progress: of several requests the oldest.
    pub fn waiting(&self) -> Option<Waiting> {
        self.inner.watch.oldest()
    }

    /// What is used of the limits of that endpoint, where the vendor counts requests over a rolling window: for whoever shows progress.
    pub fn spent(&self, endpoint: &str) -> Option<crate::limit::Spent> {
        self.inner.routes.get(endpoint)?.limiter.spent()
    }

    /// How much an endpoint lets through; of all of them the slowest, where none is named.
    pub fn pace(&self, endpoint: Option<&str>) -> Option<Pace> {
        let routes = self.inner.routes.iter();
        let routes = routes.filter(|(id, _)| endpoint.is_none_or(|wanted| wanted == *id));
        let paces = routes.filter_map(|(_, route)| route.limiter.pace());
        let seconds_each = |pace: &Pace| match pace {
            Pace::Requests { most, window_s, .. } => f64::from(*window_s) / f64::from(*most),
            Pace::Machine { fast, .. } => f64::from(*fast).recip(),
        };
        paces.max_by(|one, other| seconds_each(one).total_cmp(&seconds_each(other)))
    }

    /// The text without the connection's secrets, for logs and messages.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.inner.credential.known().scrubber.text(text) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(clean) => Cow::Owned(clean),
        }
    }

    /// What was sent so far.
    pub fn usage(&self) -> Usage {
        let counts = &self.inner.sender.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Usage {
            requests: read(&counts.requests),
            retries: read(&counts.retries),
            bytes_sent: read(&counts.bytes_sent),
            bytes_received: read(&counts.bytes_received),
            waited_ms: read(&counts.waited_ms),
            cost_today: self
                .inner
                .routes
                .values()
                .map(|route| route.limiter.spent_today())
                .sum(),
        }
    }
}

/// The tape says where each endpoint was: absolute "next" addresses in answers point there.
fn begin_tape(
    recorder: &Recorder,
    connection: &ConnectionId,
    routes: &BTreeMap<String, Route>,
) -> Result<(), EgressError> {
    let endpoints = routes
        .iter()
        .map(|(id, route)| (id.clone(), route.door.base.url().to_string()));
    let begun = recorder.begin(connection.as_str(), endpoints.collect());
    begun.map_err(|error| EgressError::Configuration {
        connection: connection.to_string(),
        what: error.to_string(),
    })
}

impl Inner {
    fn prepare(&self, request: Request) -> Result<(&Route, Prepared), EgressError> {
        let path = self
            .credential
            .known()
            .scrubber
            .text(&request.path)
            .into_owned();
        let place = Place::new(&request.endpoint, &path);
        let breach = |breach| EgressError::NotGranted {
            place: place.clone(),
            breach,
        };
        let route = self
            .routes
            .get(&request.endpoint)
            .ok_or_else(|| breach(Breach::Endpoint))?;
        let (url, headers) = route
            .door
            .admit(
                &request,
                self.credential.header.as_str(),
                self.caps.request_max_bytes,
            )
            .map_err(breach)?;
        let prepared = Prepared {
            wait: self.watch.begin(Some(place.clone())),
            place,
            method: request.method,
            url,
            headers,
            body: request.body.map(bytes::Bytes::from),
            may_repeat: request.idempotent || request.method == Method::Get,
            authorised: self.credential.is_for(&request.endpoint),
        };
        Ok((route, prepared))
    }

    /// The answer as the connector may see it.
    async fn respond(
        &self,
        route: &Route,
        prepared: &Prepared,
        deadline: Instant,
    ) -> Result<Response, EgressError> {
        let (answer, live) = self.send(route, prepared, deadline).await?;
        self.sender
            .counts
            .bytes_received
            .fetch_add(answer.body.len() as u64, Ordering::Relaxed);
        let mut headers = header::incoming(&answer.headers, self.credential.header.as_str());
        for (_, value) in &mut headers {
            if let Cow::Owned(clean) = live.scrubber.text(value) {
                *value = clean;
            }
        }
        Ok(Response {
            status: answer.status,
            headers,
            body: live.scrubber.bytes(answer.body),
        })
    }

    /// What goes on the tape; `None` for a failure that comes again without being told.
    fn exchange(
        &self,
        route: &Route,
        prepared: &Prepared,
        response: &Result<Response, EgressError>,
        took: Duration,
    ) -> Option<Exchange> {
        let live = self.credential.known();
        let clean = |text: &str| live.scrubber.text(text).into_owned();
        let outcome = match response {
            Ok(response) => Outcome::Answer {
                status: response.status,
                headers: response.headers.clone(),
                body: response.body.clone(),
            },
            Err(error) => Outcome::Failure {
                kind: error.kind()?,
                message: clean(&error.to_string()),
                retry_after_ms: error.retry_after().map(whole_ms),
            },
        };
        // A connector does not know the secret; if it guesses, or was told it, the tape still does not learn it.
        let body = prepared.body.as_ref().map(|body| body.to_vec());
        let mut asked = route
            .door
            .asked(prepared.method, &prepared.url, &prepared.headers, body);
        asked.path = clean(&asked.path);
        for (name, value) in &mut asked.headers {
            (*name, *value) = (clean(name), clean(value));
        }
        asked.body = asked.body.map(|body| live.scrubber.bytes(body));
        Some(Exchange {
            number: 0,
            asked,
            outcome,
            timing: Timing {
                ended_at: (self.sender.wall)(),
                took_ms: whole_ms(took),
            },
        })
    }

    /// Attempts until there is an answer, an error, or no time left.
    async fn send(
        &self,
        route: &Route,
        prepared: &Prepared,
        deadline: Instant,
    ) -> Result<(Answer, Arc<Live>), EgressError> {
        let mut repeats = Repeats::new(&self.caps);
        let mut attempts = 0_u32;
        let mut renewed = false;
        loop {
            attempts += 1;
            let live = self.live(prepared, deadline).await?;
            let (cause, sent, after, answer) =
                match self.sender.attempt(route, prepared, &live, deadline).await {
                    Attempt::Done(answer) => return Ok((answer, live)),
                    Attempt::Stop(error) => return Err(error),
                    Attempt::Failed {
                        cause,
                        sent,
                        after,
                        answer,
                    } => (cause, sent, after, answer),
                    Attempt::Unauthorised(_)
                        if !renewed && self.renew(prepared, &live, deadline).await? =>
                    {
                        renewed = true;
                        continue;
                    }
                    Attempt::Unauthorised(answer) => {
                        return Err(self.unauthorised(prepared, &live, &answer));
                    }
                };
            let give_up = |wait: Option<Duration>| {
                self.give_up(
                    prepared,
                    sent,
                    attempts,
                    live.scrubber.text(&cause).into_owned(),
                    wait,
                )
            };
            // What the server said it will not do was not done: that may be asked for again, whatever it is.
            if !prepared.may_repeat && sent == Sent::Perhaps {
                // A plain 5xx is an answer: what it means for a write is the connector's to say.
                return match answer {
                    Some(answer) => Ok((answer, live)),
                    None => Err(give_up(after)),
                };
            }
            let got = if self.sender.has_answered.load(Ordering::Relaxed) {
                Got::Trouble
            } else {
                Got::NothingEver
            };
            let named = after.filter(|after| sent == Sent::Rejected && *after >= NAMED_WAIT_MIN);
            let wait = match named {
                // A wait that the server names is not held against the request, unless it is none.
                Some(wait) => repeats.named(wait),
                None => match repeats.next(got) {
                    Some(wait) => wait.max(after.unwrap_or_default()),
                    None => return Err(give_up(after)),
                },
            };
            if Instant::now() + wait >= deadline {
                return Err(give_up(Some(wait)));
            }
            self.sender.counts.retries.fetch_add(1, Ordering::Relaxed);
            self.sender.waited(wait);
            tracing::debug!(endpoint = %prepared.place.endpoint, attempts, wait_ms = wait.as_millis() as u64, cause = %live.scrubber.text(&cause), "repeating");
            prepared.wait.because(live.scrubber.text(&cause), wait);
            tokio::time::sleep(wait).await;
            prepared.wait.asking();
        }
    }

    fn give_up(
        &self,
        prepared: &Prepared,
        sent: Sent,
        attempts: u32,
        cause: String,
        wait: Option<Duration>,
    ) -> EgressError {
        let place = prepared.place.clone();
        match sent {
            Sent::Rejected => EgressError::RateLimited {
                place,
                retry_after: wait.unwrap_or(Duration::from_secs(1)),
            },
            Sent::Perhaps if !prepared.may_repeat => EgressError::Uncertain { place, cause },
            Sent::Perhaps | Sent::Nothing => EgressError::Transient {
                place,
                cause,
                attempts,
            },
        }
    }

    async fn live(&self, prepared: &Prepared, deadline: Instant) -> Result<Arc<Live>, EgressError> {
        if !prepared.authorised {
            return Ok(self.credential.known());
        }
        let current = tokio::time::timeout_at(deadline, self.credential.current()).await;
        current.map_err(|_| EgressError::Timeout {
            place: prepared.place.clone(),
        })?
    }

    /// Whether there is now another secret than the refused one.
    async fn renew(
        &self,
        prepared: &Prepared,
        refused: &Live,
        deadline: Instant,
    ) -> Result<bool, EgressError> {
        let renewed = tokio::time::timeout_at(deadline, self.credential.renew(refused)).await;
        Ok(renewed
            .map_err(|_| EgressError::Timeout {
                place: prepared.place.clone(),
            })??
            .is_some())
    }

    fn unauthorised(&self, prepared: &Prepared, live: &Live, answer: &Answer) -> EgressError {
        // Scrubbed whole, then cut: half a secret would not be found.
        let said = live.scrubber.bytes(answer.body.clone());
        let said: String = String::from_utf8_lossy(&said[..said.len().min(2_000)])
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(200)
            .collect();
        let cause = if said.trim().is_empty() {
            "the server answered 401".to_owned()
        } else {
            format!("the server answered 401: {said}")
        };
        EgressError::Auth {
            connection: self.connection.to_string(),
            place: prepared.place.clone(),
            cause,
        }
    }
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
