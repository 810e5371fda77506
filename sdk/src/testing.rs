//! Holds [`Tape`]: canned answers for a connector under test, without sandbox or network.
//!
//! It does not imitate a vendor: it answers what it was told, and panics at a request that nobody expected.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use crate::context::{Context, Level, Transport};
use crate::failure::{Failure, Result};
use crate::request::{HttpRequest, HttpResponse, Method};
use crate::time::Instant;

/// One canned answer, or failure of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer(Result<HttpResponse>);

impl Answer {
    /// A status with a JSON body, given as text.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::of(status, "application/json", body)
    }

    /// A status with a web page.
    pub fn html(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::of(status, "text/html; charset=utf-8", body)
    }

    /// No answer: the host's failure.
    pub fn failure(failure: Failure) -> Self {
        Self(Err(failure))
    }

    /// Adds a header to an answer. The name is put in lower case, as the host does.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(response) = &mut self.0 {
            response
                .headers
                .push((name.to_ascii_lowercase(), value.to_owned()));
        }
        self
    }

    fn of(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self(Ok(HttpResponse {
            status,
            headers,
            body: body.into(),
        }))
    }
}

impl From<&str> for Answer {
    fn from(json: &str) -> Self {
        Self::json(200, json)
    }
}

impl From<String> for Answer {
    fn from(json: String) -> Self {
        Self::json(200, json)
    }
}

#[derive(Debug)]
struct Reel {
    once: HashMap<(Method, String), VecDeque<Answer>>,
    always: HashMap<(Method, String), Answer>,
    settings: HashMap<String, String>,
    now: Instant,
    requests: Vec<HttpRequest>,
    logs: Vec<(Level, String)>,
}

/// Canned answers by method, path and query. A clone is the same tape.
///
/// Answers to the same request are given in the order in which they were put in; different requests may come in any order.
#[derive(Clone, Debug)]
pub struct Tape(Rc<RefCell<Reel>>);

impl Default for Tape {
    fn default() -> Self {
        Self::new()
    }
}

impl Tape {
    /// A tape without answers, on 2026-01-31 at noon.
    pub fn new() -> Self {
        let now = Instant::parse("2026-01-31T12:00:00Z").expect("a valid instant");
        let (once, always, settings) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self(Rc::new(RefCell::new(Reel {
            once,
            always,
            settings,
            now,
            requests: Vec::new(),
            logs: Vec::new(),
        })))
    }

    /// Answers one GET of this path and query, for example `/v2/persons?limit=500`. Values of the query are percent-encoded.
    #[must_use]
    pub fn get(self, path_and_query: &str, answer: impl Into<Answer>) -> Self {
        self.on(Method::Get, path_and_query, answer)
    }

    /// Answers one request of this method, path and query.
    #[must_use]
    pub fn on(self, method: Method, path_and_query: &str, answer: impl Into<Answer>) -> Self {
        let key = (method, path_and_query.to_owned());
        self.0
            .borrow_mut()
            .once
            .entry(key)
            .or_default()
            .push_back(answer.into());
        self
    }

    /// Answers every GET of this path and query that has no answer of its own; it need not come at all.
    #[must_use]
    pub fn always(self, path_and_query: &str, answer: impl Into<Answer>) -> Self {
        self.0
            .borrow_mut()
            .always
            .insert((Method::Get, path_and_query.to_owned()), answer.into());
        self
    }

    /// Gives the connector a setting.
    #[must_use]
    pub fn setting(self, name: &str, value: &str) -> Self {
        self.0
            .borrow_mut()
            .settings
            .insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets the present.
    #[must_use]
    pub fn now(self, instant: Instant) -> Self {
        self.0.borrow_mut().now = instant;
        self
    }

    /// A context over this tape; like a new instance, with an empty cache.
    pub fn context(&self) -> Context {
        Context::native(self.clone())
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.0.borrow().requests.clone()
    }

    /// The lines of the log so far.
    pub fn logs(&self) -> Vec<(Level, String)> {
        self.0.borrow().logs.clone()
    }

    /// Checks that every answer was used.
    ///
    /// # Panics
    /// With the requests that did not come.
    #[track_caller]
    pub fn assert_done(&self) {
        let left = list(
            self.0
                .borrow()
                .once
                .iter()
                .filter(|(_, answers)| !answers.is_empty())
                .map(|(key, _)| key),
        );
        assert!(left.is_empty(), "these requests did not come:{left}");
    }
}

impl Transport for Tape {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let mut reel = self.0.borrow_mut();
        reel.requests.push(request.clone());
        let key = (request.method, request.path_and_query());
        let next = reel.once.get_mut(&key).and_then(VecDeque::pop_front);
        let Some(answer) = next.or_else(|| reel.always.get(&key).cloned()) else {
            let known = list(
                reel.once
                    .iter()
                    .filter(|(_, answers)| !answers.is_empty())
                    .map(|(key, _)| key)
                    .chain(reel.always.keys()),
            );
            panic!(
                "unexpected request\n  {} {}\nexpected was one of{known}",
                key.0.name(),
                key.1
            );
        };
        answer.0
    }

    fn now(&self) -> Instant {
        self.0.borrow().now
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.0.borrow().settings.get(name).cloned()
    }

    fn log(&self, level: Level, message: &str) {
        self.0.borrow_mut().logs.push((level, message.to_owned()));
    }
}

fn list<'k>(keys: impl Iterator<Item = &'k (Method, String)>) -> String {
    let mut lines: Vec<String> = keys
        .map(|(method, path)| format!("\n  {} {path}", method.name()))
        .collect();
    lines.sort();
    lines.concat()
}
