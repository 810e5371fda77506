//! Holds HubSpot's CRM API on loopback: records, associations, search, settings, OAuth, limits, and the faults that were ordered.
//!
//! It is written from the vendor's documents and recorded behaviour; [`Portal::handle`] answers without a network.

mod clock;

mod answer;

mod call;

mod objects;

mod context;

mod definition;

mod standard;

mod properties;

mod owners;

mod currencies;

mod pipelines;

mod validations;

mod validate;

mod association_types;

mod schemas;

mod account;

mod settings;

mod settings_routes;

mod limits;

mod scopes;

mod tokens;

mod oauth;

pub mod signature;

mod webhooks;

mod options;

mod company;

mod record;

mod associations;

mod draft;

mod state;

mod view;

mod rules;

mod news;

mod write;

mod crud;

mod batch;

mod associate;

mod associate_batch;

mod labels;

mod filter;

mod search;

mod merge;

mod trouble;

mod routes;

mod portal;

mod deliver;

mod server;

pub use answer::{Answer, Cut};
pub use association_types::{Category, Spec};
pub use associations::Node;
pub use call::{Call, Method};
pub use clock::{Clock, manual, system};
pub use definition::{Choice, Definition, Maker, PropertyType};
pub use limits::{Limits, Plan, Policy, Tier};
pub use objects::{Object, ObjectType, Objects, Unknown};
pub use options::Options;
pub use owners::{Owner, OwnerKind, Team};
pub use pipelines::{Pipeline, Stage};
pub use portal::{Counters, Portal};
pub use properties::PropertyLimits;
pub use record::{Name, Record, Values};
pub use server::{Running, StartError, start};
pub use settings::Settings;
pub use tokens::{Access, Consent};
pub use trouble::{Mishap, Planned};
pub use validations::Rule;
pub use webhooks::{Legacy, Post};

#[cfg(test)]
mod tests;
