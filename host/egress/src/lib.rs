//! The only way out to the network: it builds the address from the grant, vets where it leads, adds the credential, keeps to the rate
//! limits, repeats what is safe to repeat, and scrubs secrets from what comes back.
//!
//! It does not know what is asked or answered: paging, fields and records are the connector's.

pub mod address;

pub mod error;

mod confine;

mod template;

mod header;

mod redact;

mod limit;

mod wire;

pub mod oauth;

mod credential;

pub mod request;

mod attempt;

pub mod gateway;

pub use error::{Breach, EgressError, Place, Refusal};
pub use gateway::Gateway;
pub use oauth::{Authorization, Granted, OauthClient, OauthOptions};
pub use request::{Caps, GatewayOptions, RateLimits, Request, Response, Usage};
