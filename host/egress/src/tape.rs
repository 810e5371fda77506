//! The tape: a file of exchanges, written while they happen and read back without a network. Format 1.
//!
//! It holds the format and nothing else: what is put on a tape was redacted before, and what an answer from one means is the replay's.
//!
//! A tape is a line `longshore-tape 1`, then entries. An entry is a line of 16 hexadecimal digits, a space and one JSON object; after the
//! line come the bodies that the object announces, the request's and then the answer's, as they are, and a line feed. The digits are the
//! first 8 bytes of SHA-256 over object and bodies: they find damage, they do not prove who wrote it. The first entry says what the tape
//! is of, the last one that it is whole; a tape without the last one was cut.

mod reader;
mod recorder;
mod writer;

use std::collections::BTreeMap;

use model::Instant;
use model::grant::Method;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use reader::Reader;
pub use recorder::Recorder;
pub use writer::Writer;

const MAGIC: &str = "longshore-tape ";

/// The format that is written and read.
pub const VERSION: u32 = 1;

/// An entry's object: a path and the headers of both sides, which have caps of their own far below.
const HEAD_MAX_BYTES: u64 = 4 << 20;

/// One body; above what an answer may be, because redaction can make it longer.
const BODY_MAX_BYTES: u64 = 128 << 20;

/// What a tape is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The connection.
    pub connection: String,
    /// The connector, for a person: id, version and digest.
    pub connector: String,
    /// Where each endpoint was, its places filled in.
    pub endpoints: BTreeMap<String, String>,
    /// When it was begun.
    pub begun_at: Instant,
}

/// One request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its place on the tape, from 1.
    pub number: u64,
    /// What was asked.
    pub asked: Asked,
    /// What came of it.
    pub outcome: Outcome,
    /// When and how.
    pub timing: Timing,
}

/// A request as the connector made it, redacted; the credential, which the host adds, was never in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Id of the endpoint.
    pub endpoint: String,
    /// The method.
    pub method: Method,
    /// Path below the endpoint, with its query.
    pub path: String,
    /// Names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(skip)]
    pub body: Option<Vec<u8>>,
}

/// What came of a request, as the connector saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Answer {
        /// HTTP status.
        status: u16,
        /// Names in lower case, in their order.
        headers: Vec<(String, String)>,
        /// Decompressed.
        body: Vec<u8>,
    },
    /// None.
    Failure {
        /// What the caller handles it by.
        kind: FailureKind,
        /// For a person.
        message: String,
        /// How long the source asked to wait.
        retry_after_ms: Option<u64>,
    },
}

/// The kinds of failure that come from outside. Those that come from the request itself come again by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The credential was refused.
    Auth,
    /// Wait.
    RateLimited,
    /// No answer this time.
    Transient,
    /// No answer, and the request may have been carried out.
    Uncertain,
    /// The answer was too large.
    TooLarge,
    /// The address, or a redirect, leads where nobody may go.
    Refused,
    /// No answer before the deadline.
    Timeout,
}

/// When an exchange was, and what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// When its end was known.
    pub ended_at: Instant,
    /// Milliseconds from the request to that, waits and repeats included.
    pub took_ms: u64,
}

/// What went wrong with a tape.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The file cannot be read or written.
    #[error("tape {name} cannot be {doing}")]
    Io {
        /// The tape.
        name: String,
        /// `made`, `read` or `written`.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// There is a file of that name, and a tape takes nobody's place.
    #[error("tape {name} exists already: move it away or name another file")]
    Exists {
        /// The tape.
        name: String,
    },
    /// The file is something else.
    #[error("{name} is not a tape: its first line is not `longshore-tape 1`")]
    NotATape {
        /// The file.
        name: String,
    },
    /// It is a tape of another format.
    #[error(
        "tape {name} has format {found}, and this program reads format {VERSION}: use the program that recorded it"
    )]
    Version {
        /// The tape.
        name: String,
        /// Its format.
        found: String,
    },
    /// What is on it is not what was written.
    #[error("tape {name} is damaged at exchange {number}: {what}")]
    Broken {
        /// The tape.
        name: String,
        /// Which exchange; 0 for the tape's own description.
        number: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// It ends before its end mark: the recording was killed, or the file was cut.
    #[error("tape {name} is cut after exchange {after}: it has no end mark")]
    Cut {
        /// The tape.
        name: String,
        /// The last whole exchange.
        after: u64,
    },
    /// It does not hold the exchange that is asked for.
    #[error("tape {name} does not hold {method} {path:?} of endpoint {endpoint:?}")]
    Missing {
        /// The tape.
        name: String,
        /// Id of the endpoint.
        endpoint: String,
        /// The method.
        method: &'static str,
        /// Path below the endpoint, with its query, at most 300 characters.
        path: String,
    },
}

/// An entry's object.
#[derive(Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
enum Head {
    About(About),
    Exchange(ExchangeHead),
    End { exchanges: u64 },
}

#[derive(Serialize, Deserialize)]
struct ExchangeHead {
    number: u64,
    asked: Asked,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_body_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<AnswerHead>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<FailureHead>,
    timing: Timing,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerHead {
    status: u16,
    headers: Vec<(String, String)>,
    body_bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FailureHead {
    kind: FailureKind,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

/// The 16 digits of an entry.
fn check_of(head: &[u8], bodies: [&[u8]; 2]) -> String {
    use std::fmt::Write as _;
    let mut hash = Sha256::new();
    hash.update(head);
    bodies.iter().for_each(|body| hash.update(body));
    let mut digits = String::with_capacity(16);
    for byte in &hash.finalize()[..8] {
        write!(digits, "{byte:02x}").expect("a text takes text");
    }
    digits
}

impl Asked {
    /// What a replay finds an exchange by: the same for two requests only when all of them is the same.
    pub(crate) fn key(&self) -> u128 {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(self.endpoint.as_bytes());
        part(self.method.name().as_bytes());
        part(self.path.as_bytes());
        part(if self.body.is_some() { b"body" } else { b"" });
        part(self.body.as_deref().unwrap_or_default());
        for (name, value) in &self.headers {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        let digest = hash.finalize();
        u128::from_le_bytes(digest[..16].try_into().expect("a digest has 32 bytes"))
    }
}

#[cfg(test)]
mod tests;
