//! Answers a connector's requests from a tape: no network, no credential, no waiting.
//!
//! It checks requests against the grant as the gateway does, and invents nothing: what the tape does not hold is an error, and from then
//! on everything is.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Instant;
use model::grant::{Endpoint, Injection};
use url::Url;

use crate::admit::Door;
use crate::confine::Base;
use crate::error::{Breach, EgressError, Place};
use crate::request::{Caps, Request, Response};
use crate::tape::{About, Asked, Exchange, Outcome, Reader, TapeError};

/// Exchanges that may be passed over on the way to the one that is asked for. A connector asks in the order in which it was recorded, so
/// few ever are; the bound keeps memory from growing with the tape.
const PASSED_MAX: usize = 50_000;

/// A tape that answers as the gateway did when it was recorded.
pub struct Replay {
    about: About,
    doors: BTreeMap<String, Door>,
    bound: String,
    body_max_bytes: usize,
    playing: Mutex<Playing>,
}

struct Playing {
    reader: Reader<BufReader<File>>,
    passed: Passed,
    now: Instant,
    problem: Option<Arc<TapeError>>,
}

/// Exchanges that were read on the way to others, by what they answer: their places on the tape, oldest first.
#[derive(Default)]
struct Passed {
    places: HashMap<u128, VecDeque<u64>>,
    count: usize,
}

impl Replay {
    /// Opens a tape for a connector with that grant; `inject` says which header is the host's. Addresses are those of the recording.
    ///
    /// # Errors
    /// When the file is no tape, is of another format or is damaged where it says what it is of.
    pub fn open(
        path: &Path,
        endpoints: &[Endpoint],
        inject: &Injection,
    ) -> Result<Self, TapeError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|source| TapeError::Io {
            name: name.clone(),
            doing: "read",
            source,
        })?;
        let reader = Reader::open(BufReader::new(file), name)?;
        let about = reader.about().clone();
        let mut doors = BTreeMap::new();
        for endpoint in endpoints {
            let Some(address) = about.endpoints.get(&endpoint.id) else {
                continue;
            };
            let base = Url::parse(address).ok().and_then(Base::new);
            let base = base.ok_or_else(|| TapeError::Broken {
                name: reader.name().to_owned(),
                number: 0,
                what: "an endpoint's address is none",
            })?;
            let methods = endpoint.methods.clone();
            let id = endpoint.id.clone();
            doors.insert(id.clone(), Door { id, base, methods });
        }
        let playing = Playing {
            reader,
            passed: Passed::default(),
            now: about.begun_at,
            problem: None,
        };
        Ok(Self {
            about,
            doors,
            bound: inject.header.clone(),
            body_max_bytes: Caps::default().request_max_bytes,
            playing: Mutex::new(playing),
        })
    }

    /// What the tape is of.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The time of the recording: when the exchange that was replayed last had ended.
    pub fn now(&self) -> Instant {
        self.playing().now
    }

    /// What went wrong with the tape. A connector may swallow the error of one request, so whoever replays asks here in the end.
    pub fn problem(&self) -> Option<Arc<TapeError>> {
        self.playing().problem.clone()
    }

    /// Secrets were taken out before anything got on the tape.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }

    /// Answers a request as it was answered when the tape was recorded.
    ///
    /// # Errors
    /// [`EgressError::NotGranted`] as from the gateway; [`EgressError::Replayed`] where there was a failure; [`EgressError::Tape`] where the
    /// tape does not hold the exchange, is damaged or is cut.
    pub fn send(&self, request: Request) -> Result<Response, EgressError> {
        let place = Place::new(&request.endpoint, &request.path);
        let breach = |breach| EgressError::NotGranted {
            place: place.clone(),
            breach,
        };
        let door = self
            .doors
            .get(&request.endpoint)
            .ok_or_else(|| breach(Breach::Endpoint))?;
        let (url, headers) = door
            .admit(&request, &self.bound, self.body_max_bytes)
            .map_err(breach)?;
        let asked = door.asked(request.method, &url, &headers, request.body);
        let exchange = self
            .playing()
            .find(&asked)
            .map_err(|source| EgressError::Tape { place, source })?;
        match exchange.outcome {
            Outcome::Answer {
                status,
                headers,
                body,
            } => Ok(Response {
                status,
                headers,
                body,
            }),
            Outcome::Failure {
                kind,
                message,
                retry_after_ms,
            } => Err(EgressError::Replayed {
                kind,
                message,
                retry_after: retry_after_ms.map(Duration::from_millis),
            }),
        }
    }

    fn playing(&self) -> std::sync::MutexGuard<'_, Playing> {
        self.playing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Playing {
    fn find(&mut self, asked: &Asked) -> Result<Exchange, Arc<TapeError>> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        match self.look(asked) {
            Ok(exchange) => {
                self.now = self.now.max(exchange.timing.ended_at);
                Ok(exchange)
            }
            Err(error) => {
                let problem = Arc::new(error);
                self.problem = Some(problem.clone());
                Err(problem)
            }
        }
    }

    fn look(&mut self, asked: &Asked) -> Result<Exchange, TapeError> {
        let key = asked.key();
        if let Some(place) = self.passed.take(key) {
            return self.reader.exchange_at(place);
        }
        while self.passed.count < PASSED_MAX
            && let Some((place, exchange)) = self.reader.next_exchange()?
        {
            let found = exchange.asked.key();
            if found == key {
                return Ok(exchange);
            }
            self.passed.put(found, place);
        }
        Err(TapeError::Missing {
            name: self.reader.name().to_owned(),
            endpoint: asked.endpoint.clone(),
            method: asked.method.name(),
            path: asked.path.chars().take(300).collect(),
        })
    }
}

impl Passed {
    fn put(&mut self, key: u128, place: u64) {
        self.places.entry(key).or_default().push_back(place);
        self.count += 1;
    }

    fn take(&mut self, key: u128) -> Option<u64> {
        let places = self.places.get_mut(&key)?;
        let place = places.pop_front();
        if places.is_empty() {
            self.places.remove(&key);
        }
        self.count -= usize::from(place.is_some());
        place
    }
}

#[cfg(test)]
mod tests;
