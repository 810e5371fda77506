//! Holds the API of Example CRM, a vendor that does not exist: the example connectors of `sdk/` read it.
//!
//! It is what a good vendor's API looks like, documented in `example_crm/server.rs`; it never fails by itself.

mod data;

mod server;

pub use data::UNICODE_NAMES;
pub use server::{Options, Running, start};
