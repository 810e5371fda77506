//! The embedded CRM: companies, contacts, deals and the rest in one SQLite file that a person can open and query, behind the
//! doors [`model::Destination`] and [`model::Source`].
//!
//! It keeps the rules a CRM keeps (unique e-mail, known stages, known options) and makes no decision about what should be
//! written; that is `reconcile`'s. [`LocalCrm::open`] is the way in.

mod failure;
mod name;
mod standard;

mod ddl;
mod schema;
mod value;

mod check;
mod read;
mod link;
mod prepare;
mod write;
mod archive;

mod open;

mod destination;
mod source;

pub use open::{LocalCrm, OpenError};
