//! Holds the vendor-neutral truth of a company's CRM, so that a destination can be compared with it field by field.
//!
//! It does not speak any vendor's language: field keys, identifiers in text form and envelopes belong to the vendors.

mod dice;

mod amount;

mod moment;

mod kind;

mod address;

mod field;

mod office;

mod contact;

mod sale;

mod work;

mod crm;

mod words;

mod links;

mod generator;

mod live;

pub use amount::Amount;
pub(crate) use dice::mix;
pub(crate) use moment::write_seconds;

pub use address::Address;
pub use contact::{Contact, Organization, Person};
pub use crm::{Crm, SourceError};
pub use field::{Choice, Custom, FieldDef, FieldKind, FieldValue};
pub use generator::Generated;
pub use kind::Kind;
pub use live::{Change, Live};
pub use moment::{Day, Moment};
pub use office::{ActivityKind, Board, Company, Currency, Label, Phase, Pipeline, Stage, User};
pub use sale::{Deal, DealStatus, Lead, LineItem, Participant, Price, Product};
pub use work::{
    Activity, CallLog, CallOutcome, Guest, Mail, MailParty, Note, Project, ProjectStatus,
};

use std::path::PathBuf;

/// Says whose company an account shows.
#[derive(Debug, Clone)]
pub enum Source {
    /// A generated company: every record is computed from the seed and its number, none is kept.
    Generated {
        /// Number of contacts; all other kinds scale with it.
        records: u64,
        /// Two equal seeds give equal companies.
        seed: u64,
    },
    /// The CSV folder of the CRM sample: accounts, products, sales teams, opportunities.
    CrmSample(PathBuf),
}
