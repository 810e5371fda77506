//! The only way out to the network: it builds the address from the grant, vets where it leads, adds the credential, keeps to the rate
//! limits, repeats what is safe to repeat, and scrubs secrets from what comes back. What comes back can be recorded on a tape, and a tape
//! be replayed without any network.
//!
//! It does not know what is asked or answered: paging, fields and records are the connector's.

pub mod address;

pub mod tape;

pub mod error;

pub mod confine;

mod template;

mod header;

mod redact;

mod limit;

mod wire;

pub mod oauth;

mod credential;

pub mod request;

mod admit;

mod route;

mod repeat;

mod watch;

mod attempt;

pub mod replay;

pub mod gateway;

pub mod webhook;

pub mod email;

pub mod notify;

#[cfg(feature = "simulated")]
pub mod simulated;

#[cfg(test)]
mod table;

pub use confine::Base;
pub use email::{Email, Login, Security};
pub use error::{Breach, EgressError, Place, Refusal};
pub use gateway::Gateway;
pub use limit::Spent;
pub use notify::{Notice, Notifier, NotifyError, Recipient};
pub use oauth::{Authorization, Granted, OauthClient, OauthOptions};
pub use replay::Replay;
pub use request::{Caps, GatewayOptions, RateLimits, Request, Response, Usage};
pub use tape::{FailureKind, Recorder, TapeError};
pub use watch::Waiting;
pub use webhook::Webhook;
