//! Findings: what a person should know about the data. A finding never stops a run; what stops one is an error.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::ObjectName;

/// What a finding is about. The code is stable: tools and tests read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingCode {
    /// A link names a record that never came.
    MissingEnd,
    /// A stage has no counterpart; its records are excluded.
    UnmappedStage,
    /// Records hold an option that the field does not list.
    UnknownOption,
    /// An owner cannot be found at the destination; the field stays blank.
    UnknownOwner,
    /// Several records of the source are one by the match rule.
    Duplicate,
    /// A value could not be carried over as it was.
    LossyValue,
    /// A source field that nothing at the destination takes.
    UnmappedField,
    /// A row from the connector broke the grammar.
    QuarantinedRecord,
    /// A record names a product that the catalogue does not have.
    UnknownProduct,
    /// A currency the destination does not have.
    UnknownCurrency,
    /// A deal or lead is tied to no company and no contact at the source.
    Unlinked,
    /// The account may not see an object.
    NoPermission,
    /// The destination refused a record.
    RefusedRecord,
    /// The destination holds another value than the plan wrote.
    ReadBackDifference,
    /// A page or record came twice; it was taken once.
    Repeated,
    /// A record of the destination was changed since the plan; it was held back.
    ChangedSincePlan,
    /// A value that the destination insists on and the record lacked was filled in.
    FilledIn,
    /// A person's correction was laid over what the source said, or no longer fits it.
    CorrectedByHand,
    /// Both sides edited one field; a rule decided.
    Conflict,
    /// Something else the source says.
    SourceNote,
}

impl FindingCode {
    /// Every code, in declaration order.
    pub const ALL: [Self; 20] = [
        Self::MissingEnd,
        Self::UnmappedStage,
        Self::UnknownOption,
        Self::UnknownOwner,
        Self::Duplicate,
        Self::LossyValue,
        Self::UnmappedField,
        Self::QuarantinedRecord,
        Self::UnknownProduct,
        Self::UnknownCurrency,
        Self::Unlinked,
        Self::NoPermission,
        Self::RefusedRecord,
        Self::ReadBackDifference,
        Self::Repeated,
        Self::ChangedSincePlan,
        Self::FilledIn,
        Self::CorrectedByHand,
        Self::Conflict,
        Self::SourceNote,
    ];

    /// The code as it is written in JSON, SQL and workbooks.
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingEnd => "missing-end",
            Self::UnmappedStage => "unmapped-stage",
            Self::UnknownOption => "unknown-option",
            Self::UnknownOwner => "unknown-owner",
            Self::Duplicate => "duplicate",
            Self::LossyValue => "lossy-value",
            Self::UnmappedField => "unmapped-field",
            Self::QuarantinedRecord => "quarantined-record",
            Self::UnknownProduct => "unknown-product",
            Self::UnknownCurrency => "unknown-currency",
            Self::Unlinked => "unlinked",
            Self::NoPermission => "no-permission",
            Self::RefusedRecord => "refused-record",
            Self::ReadBackDifference => "read-back-difference",
            Self::Repeated => "repeated",
            Self::ChangedSincePlan => "changed-since-plan",
            Self::FilledIn => "filled-in",
            Self::CorrectedByHand => "corrected-by-hand",
            Self::Conflict => "conflict",
            Self::SourceNote => "source-note",
        }
    }

    /// The code of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing a person should know, about one record or field or a whole object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is about.
    pub code: FindingCode,
    /// The source's object.
    pub object: ObjectName,
    /// The record, where it is about one: the source's id.
    pub record: Option<String>,
    /// The field, where it is about one.
    pub field: Option<String>,
    /// For a person: lower case, no full stop, with the values concerned.
    pub message: String,
}
