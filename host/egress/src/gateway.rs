//! Sends a connection's requests: checks them against the grant, waits their turn, adds the credential, repeats what is safe, and scrubs
//! what comes back.
//!
//! It keeps nothing of requests and answers but their numbers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backon::BackoffBuilder as _;
use model::ConnectionId;
use model::grant::Method;
use tokio::time::Instant;
use vault::EntryName;

use crate::attempt::{Attempt, Counts, Prepared, Route, Sender, Sent};
use crate::credential::{Credential, Live};
use crate::error::{Breach, EgressError, Place};
use crate::header;
use crate::limit::{Limiter, Pause, WallClock};
use crate::oauth::TokenClient;
use crate::request::{Caps, GatewayOptions, RateLimits, Request, Response, Usage};
use crate::template::{Filling, endpoint_base};
use crate::wire::{Answer, Reach, Wire};

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
        let configuration = |what: String| EgressError::Configuration {
            connection: options.connection.to_string(),
            what,
        };
        let filling = Filling {
            parameters: &options.parameters,
            origin_override: options.origin_override.as_ref(),
        };
        let routes = routes(&options, &filling, &wall)?;
        let reach = if options.origin_override.is_some() {
            Reach::Loopback
        } else {
            Reach::Public
        };
        let wire = Wire::new(reach, &options.user_agent, options.caps.connect_timeout).map_err(
            |error| configuration(format!("the network client cannot start: {error:?}")),
        )?;
        let wire = Arc::new(wire);
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
        let inner = Inner {
            connection: options.connection,
            routes,
            sender: Sender {
                wire,
                header: credential.header.clone(),
                wall,
                response_max_bytes: options.caps.response_max_bytes,
                counts: Counts::default(),
            },
            credential,
            caps: options.caps,
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
        let (answer, live) = inner.send(route, &prepared, deadline).await?;
        inner
            .sender
            .counts
            .bytes_received
            .fetch_add(answer.body.len() as u64, Ordering::Relaxed);
        let mut headers = header::incoming(&answer.headers, inner.credential.header.as_str());
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

fn routes(
    options: &GatewayOptions,
    filling: &Filling<'_>,
    wall: &WallClock,
) -> Result<BTreeMap<String, Route>, EgressError> {
    let configuration = |what: String| EgressError::Configuration {
        connection: options.connection.to_string(),
        what,
    };
    let mut pauses: BTreeMap<String, Arc<Pause>> = BTreeMap::new();
    let mut routes = BTreeMap::new();
    for endpoint in &options.endpoints {
        let base =
            endpoint_base(endpoint, filling).map_err(|error| configuration(error.to_string()))?;
        // A server that asks to wait means all that is sent to its host, by whatever endpoint.
        let pause = pauses
            .entry(base.host().map(|host| host.to_string()).unwrap_or_default())
            .or_default()
            .clone();
        let rate = endpoint
            .rate_limit
            .as_ref()
            .filter(|_| options.rate_limits == RateLimits::Declared);
        let limiter = Limiter::new(rate, &endpoint.costs, pause, wall).ok_or_else(|| {
            configuration(format!(
                "endpoint {:?} declares a rate limit that allows nothing",
                endpoint.id
            ))
        })?;
        let route = Route {
            base,
            methods: endpoint.methods.clone(),
            limiter,
        };
        if routes.insert(endpoint.id.clone(), route).is_some() {
            return Err(configuration(format!(
                "endpoint {:?} is declared twice",
                endpoint.id
            )));
        }
    }
    match options
        .credential
        .injection()
        .endpoints
        .iter()
        .find(|id| !routes.contains_key(*id))
    {
        Some(id) => Err(configuration(format!(
            "the credential goes to endpoint {id:?}, which is not declared"
        ))),
        None => Ok(routes),
    }
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
        if !route.methods.contains(&request.method) {
            return Err(breach(Breach::Method(request.method.name())));
        }
        let url = route
            .base
            .join(&request.path, &request.query)
            .map_err(breach)?;
        let headers =
            header::outgoing(&request.headers, self.credential.header.as_str()).map_err(breach)?;
        let limit_bytes = self.caps.request_max_bytes;
        if request
            .body
            .as_ref()
            .is_some_and(|body| body.len() > limit_bytes)
        {
            return Err(breach(Breach::Size {
                what: "body",
                limit_bytes,
            }));
        }
        let prepared = Prepared {
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

    /// Attempts until there is an answer, an error, or no time left.
    async fn send(
        &self,
        route: &Route,
        prepared: &Prepared,
        deadline: Instant,
    ) -> Result<(Answer, Arc<Live>), EgressError> {
        let mut delays = backon::ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(self.caps.retry_delay_min)
            .with_max_delay(Duration::from_secs(10))
            .with_max_times(self.caps.retries_max)
            .build();
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
            if !prepared.may_repeat && sent != Sent::Nothing {
                // A plain 5xx is an answer: what it means for a write is the connector's to say.
                return match answer {
                    Some(answer) if sent == Sent::Perhaps => Ok((answer, live)),
                    _ => Err(give_up(after)),
                };
            }
            let named = after.filter(|after| sent == Sent::Rejected && *after >= NAMED_WAIT_MIN);
            // A wait that the server names is not held against the request, unless it is none.
            let wait = match named.or_else(|| Some(delays.next()?.max(after.unwrap_or_default()))) {
                Some(wait) => wait,
                None => return Err(give_up(after)),
            };
            if Instant::now() + wait >= deadline {
                return Err(give_up(Some(wait)));
            }
            self.sender.counts.retries.fetch_add(1, Ordering::Relaxed);
            self.sender.waited(wait);
            tracing::debug!(endpoint = %prepared.place.endpoint, attempts, wait_ms = wait.as_millis() as u64, cause = %live.scrubber.text(&cause), "repeating");
            tokio::time::sleep(wait).await;
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
        let said = String::from_utf8_lossy(&answer.body[..answer.body.len().min(2_000)]);
        let said: String = live
            .scrubber
            .text(&said)
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

#[cfg(test)]
mod tests;
