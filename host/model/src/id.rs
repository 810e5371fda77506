//! Ids as types, so that no signature takes a bare string for one.
//!
//! An id is opaque text: its order, form and meaning belong to the side that made it.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<Box<str>>) -> Self {
                Self(text.into())
            }

            /// The text, as the side that made it wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id!(
    /// One connected account of one CRM, for example `pipedrive-acme`. Unique in a project.
    ConnectionId
);
text_id!(
    /// A kind of record on one side, in that side's own word: `person` at Pipedrive, `contact` at the destination.
    ObjectName
);
text_id!(
    /// The id of a record at the source, unique within its object.
    SourceRecordId
);
text_id!(
    /// The id of a record at the destination, unique within its object.
    DestinationRecordId
);
text_id!(
    /// The id of a pipeline on one side.
    PipelineId
);
text_id!(
    /// The id of a stage on one side, unique within its side.
    StageId
);
text_id!(
    /// The id of a plan: the first 16 hexadecimal digits of its hash.
    PlanId
);

/// One execution of phases; runs of a project are numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A connector's own position in a list. The host keeps it and gives it back, and never reads it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Vec<u8>);

impl Cursor {
    /// The longest cursor the host keeps, in bytes. A connector that needs more is refused.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Wraps the connector's bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The connector's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({} bytes)", self.0.len())
    }
}
