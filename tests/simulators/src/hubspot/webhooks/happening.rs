//! Holds what can happen to a record, and how each is told.
//!
//! Who is told is decided by the subscriptions.

use serde_json::{Value, json};

/// Something that happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hubspot) enum Happening<'a> {
    Creation,
    Deletion,
    /// Deleted for privacy, by contacts only.
    PrivacyDeletion,
    PropertyChange {
        name: &'a str,
        /// Empty where it was cleared.
        value: &'a str,
    },
    /// The record is the survivor.
    Merge {
        loser: u64,
    },
    AssociationChange {
        /// Such as `CONTACT_TO_COMPANY`.
        kind: &'a str,
        to: u64,
        removed: bool,
        primary: bool,
    },
}

impl Happening<'_> {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Creation => "creation",
            Self::Deletion => "deletion",
            Self::PrivacyDeletion => "privacyDeletion",
            Self::PropertyChange { .. } => "propertyChange",
            Self::Merge { .. } => "merge",
            Self::AssociationChange { .. } => "associationChange",
        }
    }
}

/// What only some kinds of event tell.
pub(super) fn detail(told: &mut Value, id: u64, happening: Happening<'_>) {
    match happening {
        Happening::PropertyChange { name, value } => {
            told["propertyName"] = json!(name);
            told["propertyValue"] = json!(value);
        }
        Happening::Merge { loser } => {
            told["primaryObjectId"] = json!(id);
            told["mergedObjectIds"] = json!([loser]);
            told["newObjectId"] = json!(id);
        }
        Happening::AssociationChange {
            kind,
            to,
            removed,
            primary,
        } => {
            told["associationType"] = json!(kind);
            told["fromObjectId"] = json!(id);
            told["toObjectId"] = json!(to);
            told["associationRemoved"] = json!(removed);
            told["isPrimaryAssociation"] = json!(primary);
        }
        Happening::Creation | Happening::Deletion | Happening::PrivacyDeletion => (),
    }
}
