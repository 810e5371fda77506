//! Corrections: what a person decided of one record of the source. The source itself is never written.
//!
//! What a correction makes of a row is `reconcile`'s to say, and what was corrected is kept by `store`.

use std::collections::BTreeMap;

use crate::id::SourceRecordId;
use crate::time::Instant;

/// What is to become of a record's row.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// These fields have these values, in the row grammar's form, whatever the source says of them from now on.
    Set(BTreeMap<String, serde_json::Value>),
    /// This row stands in place of the broken one that came, and of no other.
    Row {
        /// The whole row.
        row: String,
        /// The broken row.
        of: String,
    },
    /// It is excluded.
    LeaveOut,
    /// Nothing is corrected any more.
    Undo,
}

impl Decision {
    /// The decision as it is written in JSON and SQL.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Set(_) => "set",
            Self::Row { .. } => "row",
            Self::LeaveOut => "leave-out",
            Self::Undo => "undo",
        }
    }
}

/// One decision, of whom, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// Its number; a later one is larger.
    pub number: i64,
    /// The record.
    pub record: SourceRecordId,
    /// What is to become of its row.
    pub decision: Decision,
    /// Who decided.
    pub made_by: String,
    /// When.
    pub made_at: Instant,
}
