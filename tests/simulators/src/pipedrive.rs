//! Holds Pipedrive's API on loopback: both generations, OAuth, limits, and the faults that were ordered.
//!
//! It is written from the vendor's documents and recorded behaviour, read-only so far: writes get 405.

mod json;

mod limits;

mod options;

mod call;

mod keys;

mod oauth;

mod account;

mod paging;

mod custom;

mod persons;

mod organizations;

mod deals;

mod line_items;

mod leads;

mod activities;

mod notes;

mod mail;

mod products;

mod projects;

mod fields;

mod settings;

mod routes;

mod message;

mod consent;

mod answer;

mod server;

pub use account::Counters;
pub use limits::{Limits, Plan};
pub use oauth::Given;
pub use options::{Clock, Consent, ContactSync, EmptyV1, EnvelopeV1, Options, Pkce, RetiredV1};
pub use server::{Running, StartError, start};

#[cfg(test)]
mod tests;
