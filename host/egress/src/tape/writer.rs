//! Writes a tape, entry by entry. It keeps nothing of what it wrote.

use std::io::{self, Write};

use super::{
    About, AnswerHead, Exchange, ExchangeHead, FailureHead, Head, MAGIC, Outcome, VERSION, check_of,
};

/// A tape that is being written. Numbers are given here, in the order of writing.
pub struct Writer<W> {
    to: W,
    exchanges: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a tape.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(mut to: W, about: &About) -> io::Result<Self> {
        writeln!(to, "{MAGIC}{VERSION}")?;
        let mut writer = Self { to, exchanges: 0 };
        writer.entry(&Head::About(about.clone()), [&[], &[]])?;
        writer.to.flush()?;
        Ok(writer)
    }

    /// Writes one exchange and hands it to the file; its own number is not looked at.
    ///
    /// # Errors
    /// When it cannot be written; the tape is of no use then.
    pub fn exchange(&mut self, exchange: &Exchange) -> io::Result<()> {
        self.exchanges += 1;
        let (answer, failure, answer_body) = match &exchange.outcome {
            Outcome::Answer {
                status,
                headers,
                body,
            } => {
                let (status, headers) = (*status, headers.clone());
                let body_bytes = body.len() as u64;
                let answer = AnswerHead {
                    status,
                    headers,
                    body_bytes,
                };
                (Some(answer), None, body.as_slice())
            }
            Outcome::Failure {
                kind,
                message,
                retry_after_ms,
            } => {
                let failure = FailureHead {
                    kind: *kind,
                    message: message.clone(),
                    retry_after_ms: *retry_after_ms,
                };
                (None, Some(failure), [].as_slice())
            }
        };
        let asked_body = exchange.asked.body.as_deref();
        let head = Head::Exchange(ExchangeHead {
            number: self.exchanges,
            asked: exchange.asked.clone(),
            asked_body_bytes: asked_body.map(|body| body.len() as u64),
            answer,
            failure,
            timing: exchange.timing,
        });
        self.entry(&head, [asked_body.unwrap_or_default(), answer_body])?;
        self.to.flush()
    }

    /// Whether no exchange was written yet.
    pub fn is_empty(&self) -> bool {
        self.exchanges == 0
    }

    /// Marks the end, and gives back what was written to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self) -> io::Result<W> {
        let exchanges = self.exchanges;
        self.entry(&Head::End { exchanges }, [&[], &[]])?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn entry(&mut self, head: &Head, bodies: [&[u8]; 2]) -> io::Result<()> {
        let head = serde_json::to_vec(head)?;
        let check = check_of(&head, bodies);
        for part in [
            check.as_bytes(),
            b" ",
            &head,
            b"\n",
            bodies[0],
            bodies[1],
            b"\n",
        ] {
            self.to.write_all(part)?;
        }
        Ok(())
    }
}
