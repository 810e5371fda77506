//! HubSpot as a destination and as a source: the only place that knows its words, paths, limits and quirks (facts of
//! developers.hubspot.com, 2026).
//!
//! It decides nothing about data: what is written where is in the plan. Credentials, rate limits and the network are `egress`'s.

mod objects;

mod version;

pub mod grant;

mod explain;

mod answer;

mod api;

mod property;

mod value;

mod email;

mod describe;

mod read;

mod office;

mod create;

mod pipeline;

mod link;

mod estimate;

mod unlink;

mod archive;

mod prepare;

mod body;

mod write;

mod portal;

mod destination;

mod source;

pub use portal::Portal;
pub use version::{ApiVersion, UnknownVersion};
