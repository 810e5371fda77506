//! The local CRM from outside: what goes in comes out, what breaks its rules is refused by name, and a person can query it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics is a test that fails"
)]

mod links;
mod opening;
mod preparing;
mod queries;
mod reading;
mod rules;
mod support;
mod undoing;
mod values;
