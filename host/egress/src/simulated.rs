//! A network that is none: whoever measures with simulated time answers the requests itself. Nothing is resolved, vetted or encrypted.
//!
//! It exists with the feature `simulated` only, which no product is built with.

use std::future::Future;
use std::sync::Arc;

use reqwest::header::{HeaderName, HeaderValue};

use crate::error::EgressError;
use crate::gateway::Gateway;
use crate::request::GatewayOptions;
use crate::wire::{Answer, Carrier};

/// A request as it would go out, credential included.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The method's name.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What comes back: status, headers, body.
pub type Incoming = (u16, Vec<(String, String)>, Vec<u8>);

/// Makes a gateway whose requests are answered by `answer`. `now` is the wall clock of daily limits and tokens.
///
/// # Errors
/// As [`Gateway::new`].
pub fn gateway<F, A>(
    options: GatewayOptions,
    now: impl Fn() -> model::Instant + Send + Sync + 'static,
    answer: F,
) -> Result<Gateway, EgressError>
where
    F: Fn(Outgoing) -> A + Send + Sync + 'static,
    A: Future<Output = Incoming> + Send + 'static,
{
    let carrier: Carrier = Arc::new(move |method, url, headers, body| {
        let query = url
            .query()
            .map_or_else(String::new, |query| format!("?{query}"));
        let told = headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let coming = answer(Outgoing {
            method: method.as_str().to_owned(),
            target: format!("{}{query}", url.path()),
            headers: told.collect(),
            body: body
                .as_ref()
                .and_then(|body| body.as_bytes())
                .unwrap_or_default()
                .to_vec(),
        });
        Box::pin(async move {
            let (status, pairs, body) = coming.await;
            let pairs = pairs.into_iter().filter_map(|(name, value)| {
                Some((
                    name.parse::<HeaderName>().ok()?,
                    value.parse::<HeaderValue>().ok()?,
                ))
            });
            Answer {
                status,
                headers: pairs.collect(),
                body,
            }
        })
    });
    Gateway::carried(options, Arc::new(now), carrier)
}
