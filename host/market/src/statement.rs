//! Signed statements: a text of fixed lines, and an Ed25519 signature of exactly those bytes.
//!
//! One content has one text, so that nothing can be signed that reads differently elsewhere. What a statement means, and whose
//! key should have signed it, is not decided here.
//!
//! ```text
//! longshore package 1
//! id: acme
//! …
//! signature: 128 hexadecimal digits
//! ```

use std::fmt::Write as _;
use std::str::FromStr;

use crate::key::{PublicKey, SecretKey, bytes_of_hex, hex_of};

/// The longest text of statements that is read.
pub const STATEMENTS_MAX_BYTES: usize = 256 << 10;
/// The longest line.
const LINE_MAX_BYTES: usize = 512;
const SIGNATURE: &str = "signature: ";

/// Why a text is no statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It is longer than statements are.
    #[error("signed statement is too long: the most is {STATEMENTS_MAX_BYTES} bytes")]
    TooLong,
    /// A line is not what it must be.
    #[error("signed statement is refused: line {line}: expected {expected}")]
    Line {
        /// From 1.
        line: usize,
        /// What should be there.
        expected: String,
    },
    /// The signature is of other bytes, or by another key.
    #[error("signature does not fit: the text was changed, or another key signed it than {key}")]
    Signature {
        /// The key that should have signed.
        key: Box<PublicKey>,
    },
}

/// Makes a statement of that kind, line by line.
pub(crate) struct Writer(String);

impl Writer {
    pub(crate) fn new(kind: &str) -> Self {
        Self(format!("longshore {kind} 1\n"))
    }

    pub(crate) fn line(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        writeln!(self.0, "{name}: {value}").expect("writing to memory does not fail");
        self
    }

    /// The statement's whole text.
    pub(crate) fn sign(mut self, key: &SecretKey) -> String {
        let signature = hex_of(&key.sign(self.0.as_bytes()));
        writeln!(self.0, "{SIGNATURE}{signature}").expect("writing to memory does not fail");
        self.0
    }
}

/// Splits a file into the statements that blank lines part. A file of none is refused.
pub(crate) fn split(text: &str) -> Result<Vec<Block<'_>>, StatementError> {
    if text.len() > STATEMENTS_MAX_BYTES {
        return Err(StatementError::TooLong);
    }
    let (mut blocks, mut line) = (Vec::new(), 1);
    for block in text.split("\n\n") {
        // Only the last one still has its own line end.
        let block = block.strip_suffix('\n').unwrap_or(block);
        blocks.push(Block { text: block, line });
        line += block.matches('\n').count() + 2;
    }
    Ok(blocks)
}

/// The text of one statement within a file, without its last line end.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    text: &'a str,
    line: usize,
}

impl<'a> Block<'a> {
    /// Begins to read it as a statement of that kind.
    pub(crate) fn read(self, kind: &str) -> Result<Reader<'a>, StatementError> {
        let mut reader = Reader {
            block: self,
            rest: self.text,
            line: self.line,
        };
        let first = format!("longshore {kind} 1");
        if reader.next_line()? != first {
            return Err(reader.expected(first));
        }
        Ok(reader)
    }
}

/// Reads the lines of one statement in their order.
pub(crate) struct Reader<'a> {
    block: Block<'a>,
    rest: &'a str,
    /// The line that comes next.
    line: usize,
}

impl<'a> Reader<'a> {
    fn expected(&self, what: impl Into<String>) -> StatementError {
        StatementError::Line {
            line: self.line.saturating_sub(1).max(1),
            expected: what.into(),
        }
    }

    fn next_line(&mut self) -> Result<&'a str, StatementError> {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.line += 1;
        self.rest = rest;
        if line.len() > LINE_MAX_BYTES || !line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(self.expected("printable ASCII characters, at most 512"));
        }
        Ok(line)
    }

    /// The name of the line that comes next.
    pub(crate) fn next_name(&self) -> &'a str {
        self.rest.split(": ").next().unwrap_or_default()
    }

    /// The value of the next line, which has that name and a value written in its one way.
    pub(crate) fn take<T: FromStr + ToString>(&mut self, name: &str) -> Result<T, StatementError> {
        let line = self.next_line()?;
        let value = line
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(": "));
        let parsed = value.and_then(|value| {
            let parsed: T = value.parse().ok()?;
            (parsed.to_string() == value).then_some(parsed)
        });
        parsed.ok_or_else(|| {
            self.expected(format!("`{name}: …` with a value written in its one way"))
        })
    }

    /// Checks the signature, which is the last line, of all before it.
    pub(crate) fn finish(mut self, key: &PublicKey) -> Result<(), StatementError> {
        let signed = self.block.text.len() - self.rest.len();
        let line = self.next_line()?;
        let signature = line
            .strip_prefix(SIGNATURE)
            .and_then(bytes_of_hex::<64>)
            .filter(|_| self.rest.is_empty() && !self.block.text.ends_with('\n'))
            .ok_or_else(|| {
                self.expected("`signature: …` with 128 hexadecimal digits, and nothing after it")
            })?;
        if key.verifies(&self.block.text.as_bytes()[..signed], &signature) {
            return Ok(());
        }
        Err(StatementError::Signature {
            key: Box::new(*key),
        })
    }
}
