//! The list of what a registry's operator has revoked: keys and packages, with the reason, signed.
//!
//! It can only take away: whoever signs it can stop a connector, never let one through. Whose list counts is `installed`'s to keep.

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;
use crate::key::{PublicKey, SecretKey};
use crate::statement::{StatementError, Writer, split};

const KIND: &str = "revocations";
/// The longest reason, in characters.
pub const REASON_MAX_CHARS: usize = 200;

/// One thing that is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// Everything that a key signed or announced.
    Key(PublicKey),
    /// One package.
    Package(Digest),
}

/// A list whose signature fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocations {
    /// The key of the registry's operator, which signed.
    pub operator: PublicKey,
    /// Goes up with every list.
    pub serial: u64,
    /// What is revoked and why, in the order in which it was.
    pub entries: Vec<(Revoked, String)>,
    text: String,
}

/// The rest of a line: a reason. Empty is none.
#[derive(PartialEq)]
struct Reason(String);

impl FromStr for Reason {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = is_reason(text);
        fits.then(|| Self(text.to_owned())).ok_or(())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text can be given as a reason: printable ASCII on one line, at most [`REASON_MAX_CHARS`].
pub fn is_reason(text: &str) -> bool {
    text.trim() == text
        && (1..=REASON_MAX_CHARS).contains(&text.len())
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

impl Revocations {
    /// Signs a list.
    ///
    /// # Errors
    /// When a reason is none ([`is_reason`]), or the list is too long.
    pub fn sign(
        operator: &SecretKey,
        serial: u64,
        entries: &[(Revoked, String)],
    ) -> Result<Self, StatementError> {
        let mut writer = Writer::new(KIND)
            .line("key", operator.public())
            .line("serial", serial);
        for (revoked, reason) in entries {
            writer = match revoked {
                Revoked::Key(key) => writer.line("revoked-key", key),
                Revoked::Package(digest) => writer.line("revoked-package", digest),
            };
            writer = writer.line("reason", reason);
        }
        Self::parse(&writer.sign(operator))
    }

    /// Reads a list and checks its signature.
    ///
    /// # Errors
    /// When it is none, or its signature does not fit.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let blocks = split(text)?;
        let [block] = blocks[..] else {
            return Err(StatementError::Line {
                line: 1,
                expected: "one list and nothing after it".to_owned(),
            });
        };
        let mut reader = block.read(KIND)?;
        let (operator, serial) = (reader.take("key")?, reader.take("serial")?);
        let mut entries = Vec::new();
        loop {
            let revoked = match reader.next_name() {
                "revoked-key" => Revoked::Key(reader.take("revoked-key")?),
                "revoked-package" => Revoked::Package(reader.take("revoked-package")?),
                _ => break,
            };
            let Reason(reason) = reader.take("reason")?;
            entries.push((revoked, reason));
        }
        reader.finish(&operator)?;
        Ok(Self {
            operator,
            serial,
            entries,
            text: text.to_owned(),
        })
    }

    /// Its text, as it is kept and sent.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Why one of those is revoked, where it is.
    pub(crate) fn find_reason(&self, package: Digest, keys: &[PublicKey]) -> Option<&str> {
        let hit = |revoked: &Revoked| match revoked {
            Revoked::Key(key) => keys.contains(key),
            Revoked::Package(digest) => *digest == package,
        };
        let found = self.entries.iter().find(|(revoked, _)| hit(revoked));
        found.map(|(_, reason)| reason.as_str())
    }
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "key {key}"),
            Self::Package(digest) => write!(f, "package {digest}"),
        }
    }
}
