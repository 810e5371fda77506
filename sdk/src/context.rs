//! Holds what a connector may reach: requests, the present, its settings, the log, and a cache that lives as long as the instance.
//!
//! It does not know what is behind it: the host in the sandbox, a [`Transport`] of the author's own outside it.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use serde::Serialize;

use crate::failure::{Failure, Result};
use crate::request::{HttpRequest, HttpResponse, Method, Response};
use crate::time::Instant;

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// It does not work.
    Error,
    /// It works, but not as it should.
    Warn,
    /// Worth knowing.
    Info,
    /// For the author.
    Debug,
}

/// What stands behind a context. The SDK has one for the sandbox; tests and benchmarks bring their own.
pub trait Transport {
    /// Sends a request.
    ///
    /// # Errors
    /// When there is no answer; a status of 400 or above is an answer.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse>;

    /// The present.
    fn now(&self) -> Instant;

    /// A setting that the manifest declares.
    fn setting(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }

    /// Takes a line of the log.
    fn log(&self, level: Level, message: &str) {
        let _ = (level, message);
    }

    /// How many milliseconds the present call still has.
    fn deadline_ms(&self) -> u64 {
        u64::MAX
    }
}

/// What a connector may reach during a call.
pub struct Context {
    transport: Box<dyn Transport>,
    cache: RefCell<HashMap<(String, TypeId), Rc<dyn Any>>>,
    /// Whether what is being made for the cache stands in for something else.
    is_stand_in: Cell<bool>,
}

impl Context {
    /// A context outside the sandbox.
    pub fn native(transport: impl Transport + 'static) -> Self {
        Self {
            transport: Box::new(transport),
            cache: RefCell::default(),
            is_stand_in: Cell::default(),
        }
    }

    /// The way out: `ctx.http().get("api", "/v2/persons").query("limit", 500).send_ok()?`.
    pub fn http(&self) -> Http<'_> {
        Http { ctx: self }
    }

    /// The present, in UTC.
    pub fn now(&self) -> Instant {
        self.transport.now()
    }

    /// A setting that the manifest declares. Absent when it is neither set nor has a default.
    pub fn setting(&self, name: &str) -> Option<String> {
        self.transport.setting(name)
    }

    /// Writes to the host's trace, capped in number and size a call. No record data, please.
    pub fn log(&self, level: Level, message: &str) {
        self.transport.log(level, message);
    }

    /// How many milliseconds the present call still has.
    pub fn deadline_ms(&self) -> u64 {
        self.transport.deadline_ms()
    }

    /// Makes a value once an instance and keeps it, for example the fields of an object. An instance may be dropped after any call, and
    /// another may answer the next: keep here what saves a request, never what the answer depends on. A failure is not kept.
    ///
    /// # Errors
    /// What `make` fails with.
    pub fn cached<T: 'static>(&self, key: &str, make: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
        let key = (key.to_owned(), TypeId::of::<T>());
        let known = self.cache.borrow().get(&key).cloned();
        if let Some(value) = known {
            return Ok(value.downcast().expect("the key holds the type"));
        }
        let around = self.is_stand_in.replace(false);
        let made = make();
        let is_stand_in = self.is_stand_in.get();
        self.is_stand_in.set(around || is_stand_in);
        let value = Rc::new(made?);
        if !is_stand_in {
            self.cache.borrow_mut().insert(key, value.clone());
        }
        Ok(value)
    }

    /// Tells, inside of [`cached`](Self::cached), that what is being made only stands in for what could not be had now, for example no custom
    /// fields where their description was refused. Neither it nor what is made of it is kept: the next call tries again.
    pub fn keep_nothing(&self) {
        self.is_stand_in.set(true);
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

/// Begins requests. Waiting, repeating, rate limits and the credential are the host's.
#[derive(Clone, Copy, Debug)]
pub struct Http<'c> {
    ctx: &'c Context,
}

impl<'c> Http<'c> {
    /// Begins a request to an endpoint of the manifest. The path starts with `/` and is percent-encoded (see
    /// [`crate::path_segment`]); an absolute "next" address is accepted when it is the endpoint's own.
    pub fn request(self, method: Method, endpoint: &str, path: impl Into<String>) -> Request<'c> {
        Request {
            ctx: self.ctx,
            inner: HttpRequest {
                endpoint: endpoint.to_owned(),
                method,
                path: path.into(),
                query: Vec::new(),
                headers: Vec::new(),
                body: None,
                idempotent: matches!(method, Method::Get | Method::Put | Method::Delete),
            },
            refused: None,
        }
    }

    /// Begins a reading request.
    pub fn get(self, endpoint: &str, path: impl Into<String>) -> Request<'c> {
        self.request(Method::Get, endpoint, path)
    }

    /// Begins a POST.
    pub fn post(self, endpoint: &str, path: impl Into<String>) -> Request<'c> {
        self.request(Method::Post, endpoint, path)
    }
}

/// A request being put together.
#[must_use = "a request does nothing until it is sent"]
#[derive(Debug)]
pub struct Request<'c> {
    ctx: &'c Context,
    inner: HttpRequest,
    refused: Option<Failure>,
}

impl Request<'_> {
    /// Adds a query parameter; the value is encoded for you.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.inner.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a query parameter where there is a value.
    pub fn query_opt(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a header. `authorization`, `cookie`, `host` and the credential's own are refused by the host.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.inner.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sends a value as JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.inner.body = Some(bytes),
            Err(error) => {
                self.refused = Some(Failure::permanent(
                    "http.body",
                    format!("body can not be written: {error}"),
                ))
            }
        }
        self.header("content-type", "application/json")
    }

    /// Sends bytes; add a `content-type`.
    pub fn body(mut self, body: Vec<u8>) -> Self {
        self.inner.body = Some(body);
        self
    }

    /// Says that the same request may be sent twice without doing more, so that the host may repeat it. GET, PUT and DELETE may anyway.
    pub fn idempotent(mut self) -> Self {
        self.inner.idempotent = true;
        self
    }

    /// Sends it and takes any answer.
    ///
    /// # Errors
    /// What the host fails with: no grant, no credential, no answer.
    pub fn send(self) -> Result<Response> {
        if let Some(failure) = self.refused {
            return Err(failure);
        }
        let answer = self.ctx.transport.send(&self.inner)?;
        Ok(Response::new(&self.inner, answer))
    }

    /// Sends it and takes an answer of 200 to 299.
    ///
    /// # Errors
    /// As [`Request::send`] and [`Response::expect_ok`].
    pub fn send_ok(self) -> Result<Response> {
        self.send()?.expect_ok()
    }

    /// The same, with `explain` asked first what another status means; see [`Response::expect_ok_or`].
    ///
    /// # Errors
    /// As [`Request::send`] and [`Response::expect_ok_or`].
    pub fn send_ok_or(
        self,
        explain: impl FnOnce(&Response) -> Option<Failure>,
    ) -> Result<Response> {
        self.send()?.expect_ok_or(explain)
    }
}
