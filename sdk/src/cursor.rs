//! Holds [`Cursor`]: a connector's own position in a list, as bytes that the host keeps unread.
//!
//! It does not know what a position is made of; that is the connector's type.

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};

/// A position in an object's list. The host keeps it over days and restarts and may give the same one twice.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Vec<u8>);

impl Cursor {
    /// The most bytes that the host takes.
    pub const MAX_BYTES: usize = 64 << 10;

    /// Writes a position, for example a struct with the list being read and the vendor's own cursor. Keep it small; no secrets.
    ///
    /// # Errors
    /// `permanent` when it does not serialize, or takes more than [`Cursor::MAX_BYTES`].
    pub fn encode<T: Serialize + ?Sized>(position: &T) -> Result<Self> {
        let bytes = serde_json::to_vec(position).map_err(|error| {
            Failure::permanent("cursor", format!("cursor can not be written: {error}"))
        })?;
        if bytes.len() > Self::MAX_BYTES {
            let message = format!(
                "cursor has {} bytes; the most is {}",
                bytes.len(),
                Self::MAX_BYTES
            );
            return Err(Failure::permanent("cursor", message));
        }
        Ok(Self(bytes))
    }

    /// Reads a position back.
    ///
    /// # Errors
    /// `stale-cursor` when it is not of this type, for example because another version of the connector wrote it.
    pub fn decode<'de, T: Deserialize<'de>>(&'de self) -> Result<T> {
        serde_json::from_slice(&self.0).map_err(|error| {
            Failure::stale_cursor("cursor", format!("cursor can not be read: {error}"))
        })
    }

    /// Takes bytes as they came from the host.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the bytes away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl std::fmt::Debug for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cursor({})", String::from_utf8_lossy(&self.0))
    }
}
