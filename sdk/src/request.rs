//! Holds one HTTP exchange: what a connector asks of an endpoint of its manifest, and what came back.
//!
//! It does not send: that is the context's transport. It never holds a credential; the host adds it behind the connector's back.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::failure::{Failure, Result};

/// How a request acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes, or whatever the vendor uses it for.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// The method's name in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One request as it goes to the host (or to a [`crate::Transport`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// The id of an endpoint in the manifest.
    pub endpoint: String,
    /// How it acts.
    pub method: Method,
    /// Below the endpoint's base, starting with `/`, percent-encoded, without query; or an absolute "next" address of the source.
    pub path: String,
    /// Names and values, not encoded. A name may come again.
    pub query: Vec<(String, String)>,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// Whether the same request may be sent twice.
    pub idempotent: bool,
}

impl HttpRequest {
    /// Path and query as they would stand in an address: `/v2/persons?limit=500`.
    pub fn path_and_query(&self) -> String {
        let mut text = self.path.clone();
        for (index, (name, value)) in self.query.iter().enumerate() {
            text.push(if index == 0 && !self.path.contains('?') {
                '?'
            } else {
                '&'
            });
            text.extend(utf8_percent_encode(name, UNRESERVED));
            text.push('=');
            text.extend(utf8_percent_encode(value, UNRESERVED));
        }
        text
    }
}

/// RFC 3986, 2.3: everything but the unreserved characters is encoded.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Encodes one segment of a path, for ids that may hold more than letters and digits.
pub fn path_segment(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, UNRESERVED).into()
}

/// One answer as it comes from the host (or from a [`crate::Transport`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Decompressed.
    pub body: Vec<u8>,
}

/// One answer, with the request it belongs to. A 404 is an answer too, see [`Response::expect_ok`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Decompressed.
    pub body: Vec<u8>,
    /// `GET api /v2/persons`: for messages.
    request: String,
}

impl Response {
    /// Joins an answer to its request.
    pub fn new(request: &HttpRequest, answer: HttpResponse) -> Self {
        let path = request.path.split('?').next().unwrap_or_default();
        let request = [request.method.name(), request.endpoint.as_str(), path].join(" ");
        Self {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            request,
        }
    }

    /// The first header of this name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }

    /// What was asked, for messages: `GET api /v2/persons`.
    pub fn request(&self) -> &str {
        &self.request
    }

    /// Whether the status is 200 to 299.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the body is a page for people where a program was answered: a login form, a firewall, a maintenance notice.
    pub fn is_html(&self) -> bool {
        let says_so = self
            .header("content-type")
            .is_some_and(|kind| kind.to_ascii_lowercase().contains("text/html"));
        says_so || self.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
    }

    /// Reads the body as JSON. `T` may borrow from it (`&str`, `Cow<str>` with `#[serde(borrow)]`).
    ///
    /// # Errors
    /// `transient` for HTML, `bad-data` for what is not JSON of this shape: the message has the path, the position and the first 120
    /// bytes, never the whole body.
    pub fn json<'de, T: Deserialize<'de>>(&'de self) -> Result<T> {
        if self.is_html() {
            let message = format!("{} answered with a web page instead of data", self.request);
            return Err(Failure::transient("http.html", message).with_http_status(self.status));
        }
        let bytes = self
            .body
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&self.body);
        // Checked as a whole once: string by string costs more.
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let message = format!(
                "{} answered with text that is not UTF-8 at byte {}",
                self.request,
                error.valid_up_to()
            );
            Failure::bad_data("http.utf8", message).with_http_status(self.status)
        })?;
        serde_json::from_str(text).map_err(|error| {
            let (reason, start) = (clip(&error.to_string(), 300), self.beginning());
            let message = format!(
                "{} answered with unexpected data: {reason}; it begins with {start}",
                self.request
            );
            Failure::bad_data("http.json", message).with_http_status(self.status)
        })
    }

    /// Passes an answer of 200 to 299 on and makes a failure of any other.
    ///
    /// # Errors
    /// 401 `auth`, 403 `permission`, 404 and 410 `not-found`, 429 `rate-limited` with its `retry-after`, 408 and 5xx `transient`, any
    /// other `permanent`, with the first 120 bytes of the body.
    pub fn expect_ok(self) -> Result<Self> {
        self.expect_ok_or(|_| None)
    }

    /// The same, asking `explain` first: a connector reads its vendor's error body there. `None` leaves it to the status.
    ///
    /// # Errors
    /// What `explain` says, or else as [`Response::expect_ok`].
    pub fn expect_ok_or(self, explain: impl FnOnce(&Self) -> Option<Failure>) -> Result<Self> {
        if self.is_ok() {
            return Ok(self);
        }
        Err(explain(&self)
            .unwrap_or_else(|| self.to_failure())
            .with_http_status(self.status))
    }

    /// The failure that the status alone stands for, see [`Response::expect_ok`].
    pub fn to_failure(&self) -> Failure {
        let make = match self.status {
            401 => Failure::auth,
            403 => Failure::permission,
            404 | 410 => Failure::not_found,
            429 => Failure::rate_limited,
            408 | 500.. => Failure::transient,
            _ => Failure::permanent,
        };
        let body = if self.is_html() {
            "a web page".to_owned()
        } else {
            self.beginning()
        };
        let message = format!("{} answered {}: {body}", self.request, self.status);
        let mut failure =
            make(format!("http.{}", self.status), message).with_http_status(self.status);
        failure.retry_after_ms = self.retry_after_ms();
        failure
    }

    /// The `retry-after` header, in milliseconds, where it is a number of seconds.
    pub fn retry_after_ms(&self) -> Option<u64> {
        let seconds: u64 = self.header("retry-after")?.trim().parse().ok()?;
        seconds.checked_mul(1_000)
    }

    /// The first 120 bytes of the body, printable.
    pub fn beginning(&self) -> String {
        let start = &self.body[..self.body.len().min(120)];
        if start.is_empty() {
            return "nothing".to_owned();
        }
        let text = String::from_utf8_lossy(start);
        let text = text.trim_end_matches('\u{fffd}');
        text.chars()
            .map(|character| {
                if character.is_control() {
                    ' '
                } else {
                    character
                }
            })
            .collect()
    }
}

fn clip(text: &str, max_chars: usize) -> String {
    text.chars().take(max_chars).collect()
}
