//! Reads a tape, entry by entry, as if a stranger had made it: no size is believed, nothing damaged gets through.
//!
//! It holds one entry at a time; which exchange is wanted is the replay's business.

use std::io::{self, BufRead, Read as _, Seek, SeekFrom};

use super::{
    About, BODY_MAX_BYTES, Exchange, HEAD_MAX_BYTES, Head, MAGIC, Outcome, TapeError, VERSION,
    check_of,
};

/// A tape that is being read.
pub struct Reader<R> {
    from: R,
    name: String,
    about: About,
    /// Where the next entry begins.
    place: u64,
    exchanges: u64,
    is_over: bool,
}

/// What one entry holds.
enum Entry {
    About(About),
    Exchange(Box<Exchange>),
    End(u64),
}

impl<R: BufRead + Seek> Reader<R> {
    /// Reads what the tape is of. `name` is for messages.
    ///
    /// # Errors
    /// [`TapeError::NotATape`], [`TapeError::Version`], or that of a damaged description.
    pub fn open(mut from: R, name: impl Into<String>) -> Result<Self, TapeError> {
        let name = name.into();
        let read_error = |source| TapeError::Io {
            name: name.clone(),
            doing: "read",
            source,
        };
        let mut first = Vec::new();
        (&mut from)
            .take(64)
            .read_until(b'\n', &mut first)
            .map_err(read_error)?;
        let not = || TapeError::NotATape { name: name.clone() };
        let line = std::str::from_utf8(&first).map_err(|_| not())?;
        let version = line.strip_prefix(MAGIC).ok_or_else(not)?;
        let version = version.strip_suffix('\n').ok_or_else(not)?;
        if version != VERSION.to_string() {
            let found = version.chars().filter(|c| !c.is_control()).collect();
            return Err(TapeError::Version { name, found });
        }
        let mut reader = Self {
            from,
            about: About {
                connection: String::new(),
                connector: String::new(),
                endpoints: std::collections::BTreeMap::new(),
                begun_at: model::Instant::from_unix_us(0).expect("1970 is a time"),
            },
            place: first.len() as u64,
            exchanges: 0,
            is_over: false,
            name,
        };
        match reader.entry()? {
            Entry::About(about) => {
                reader.about = about;
                Ok(reader)
            }
            _ => Err(reader.broken("it does not say what it is of")),
        }
    }

    /// What the tape is of.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The name that it was opened by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next exchange and where it begins, for [`Self::exchange_at`]; `None` after the last one.
    ///
    /// # Errors
    /// [`TapeError::Cut`] where the tape ends without its end mark, [`TapeError::Broken`] where it is damaged.
    pub fn next_exchange(&mut self) -> Result<Option<(u64, Exchange)>, TapeError> {
        if self.is_over {
            return Ok(None);
        }
        let place = self.place;
        self.seek(place)?;
        match self.entry()? {
            Entry::Exchange(exchange) if exchange.number == self.exchanges + 1 => {
                self.exchanges += 1;
                Ok(Some((place, *exchange)))
            }
            Entry::Exchange(_) => Err(self.broken("its number does not follow the one before")),
            Entry::About(_) => Err(self.broken("it is described twice")),
            Entry::End(exchanges) if exchanges == self.exchanges => {
                self.is_over = true;
                Ok(None)
            }
            Entry::End(_) => Err(self.broken("the end mark counts other exchanges")),
        }
    }

    /// An exchange that [`Self::next_exchange`] passed.
    ///
    /// # Errors
    /// When there is none at that place.
    pub fn exchange_at(&mut self, place: u64) -> Result<Exchange, TapeError> {
        let next = self.place;
        self.seek(place)?;
        let entry = self.entry();
        self.place = next;
        match entry? {
            Entry::Exchange(exchange) => Ok(*exchange),
            _ => Err(self.broken("the file changed while it was read")),
        }
    }

    fn seek(&mut self, place: u64) -> Result<(), TapeError> {
        // Keeps what is buffered where the next entry just follows.
        let here = self.from.stream_position().map_err(|e| self.io(e))?;
        if here != place {
            self.from
                .seek(SeekFrom::Start(place))
                .map_err(|e| self.io(e))?;
        }
        Ok(())
    }

    fn entry(&mut self) -> Result<Entry, TapeError> {
        let mut line = Vec::new();
        (&mut self.from)
            .take(HEAD_MAX_BYTES)
            .read_until(b'\n', &mut line)
            .map_err(|error| self.io(error))?;
        let mut read = line.len() as u64;
        if line.pop() != Some(b'\n') {
            return Err(if read == HEAD_MAX_BYTES {
                self.broken("its line has no end")
            } else {
                self.cut()
            });
        }
        let (check, head) = line
            .split_at_checked(17)
            .filter(|(check, _)| check[16] == b' ')
            .ok_or_else(|| self.broken("its line is not an entry's"))?;
        let parsed: Head =
            serde_json::from_slice(head).map_err(|_| self.broken("its line is not an entry's"))?;
        let sizes = match &parsed {
            Head::Exchange(exchange) => [
                exchange.asked_body_bytes.unwrap_or(0),
                exchange
                    .answer
                    .as_ref()
                    .map_or(0, |answer| answer.body_bytes),
            ],
            _ => [0, 0],
        };
        let bodies = [self.body(sizes[0])?, self.body(sizes[1])?];
        let mut end = [0];
        match self.from.read_exact(&mut end) {
            Ok(()) if end == *b"\n" => {}
            Ok(()) => return Err(self.broken("its bodies are longer than it says")),
            Err(error) => return Err(self.ended(error)),
        }
        // A fuzzer would never get past a digest.
        let is_whole = check_of(head, [&bodies[0], &bodies[1]]).as_bytes() == &check[..16];
        if !is_whole && !cfg!(fuzzing) {
            return Err(self.broken("its check digits are of something else"));
        }
        read += sizes[0] + sizes[1] + 1;
        self.place += read;
        self.understood(parsed, bodies)
    }

    fn understood(&self, head: Head, bodies: [Vec<u8>; 2]) -> Result<Entry, TapeError> {
        let head = match head {
            Head::About(about) => return Ok(Entry::About(about)),
            Head::End { exchanges } => return Ok(Entry::End(exchanges)),
            Head::Exchange(head) => head,
        };
        let [asked_body, answer_body] = bodies;
        let outcome = match (head.answer, head.failure) {
            (Some(answer), None) => Outcome::Answer {
                status: answer.status,
                headers: answer.headers,
                body: answer_body,
            },
            (None, Some(failure)) => Outcome::Failure {
                kind: failure.kind,
                message: failure.message,
                retry_after_ms: failure.retry_after_ms,
            },
            _ => return Err(self.broken("it has not exactly one outcome")),
        };
        let mut asked = head.asked;
        asked.body = head.asked_body_bytes.map(|_| asked_body);
        Ok(Entry::Exchange(Box::new(Exchange {
            number: head.number,
            asked,
            outcome,
            timing: head.timing,
        })))
    }

    fn body(&mut self, bytes: u64) -> Result<Vec<u8>, TapeError> {
        if bytes > BODY_MAX_BYTES {
            return Err(self.broken("it announces a body that is too large"));
        }
        // Grows with what is there, not with what is announced.
        let mut body = Vec::new();
        let read = (&mut self.from).take(bytes).read_to_end(&mut body);
        read.map_err(|error| self.io(error))?;
        if (body.len() as u64) < bytes {
            return Err(self.cut());
        }
        Ok(body)
    }

    fn ended(&self, error: io::Error) -> TapeError {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            self.cut()
        } else {
            self.io(error)
        }
    }

    fn io(&self, source: io::Error) -> TapeError {
        TapeError::Io {
            name: self.name.clone(),
            doing: "read",
            source,
        }
    }

    fn cut(&self) -> TapeError {
        TapeError::Cut {
            name: self.name.clone(),
            after: self.exchanges,
        }
    }

    fn broken(&self, what: &'static str) -> TapeError {
        TapeError::Broken {
            name: self.name.clone(),
            number: self.exchanges + 1,
            what,
        }
    }
}
