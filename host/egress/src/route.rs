//! Makes ready what requests to an endpoint go through: its address, what is granted there, and its limits.
//!
//! It sends nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::admit::Door;
use crate::error::EgressError;
use crate::limit::{Limiter, Pause, WallClock};
use crate::request::{GatewayOptions, RateLimits};
use crate::template::{Filling, endpoint_base};

/// One endpoint, ready to be sent to.
pub(crate) struct Route {
    pub(crate) door: Door,
    pub(crate) limiter: Limiter,
}

/// The routes of all endpoints, each with its limits; endpoints of one host share what its server says.
pub(crate) fn routes(
    options: &GatewayOptions,
    filling: &Filling<'_>,
    wall: &WallClock,
) -> Result<BTreeMap<String, Route>, EgressError> {
    let configuration = |what: String| EgressError::Configuration {
        connection: options.connection.to_string(),
        what,
    };
    let mut pauses: BTreeMap<String, Arc<Pause>> = BTreeMap::new();
    let mut routes = BTreeMap::new();
    for endpoint in &options.endpoints {
        let base =
            endpoint_base(endpoint, filling).map_err(|error| configuration(error.to_string()))?;
        // A server that asks to wait means all that is sent to its host, by whatever endpoint.
        let pause = pauses
            .entry(base.host().map(|host| host.to_string()).unwrap_or_default())
            .or_default()
            .clone();
        let rate = endpoint
            .rate_limit
            .as_ref()
            .filter(|_| options.rate_limits == RateLimits::Declared);
        let limiter = Limiter::new(rate, &endpoint.costs, pause, wall).ok_or_else(|| {
            configuration(format!(
                "endpoint {:?} declares a rate limit that allows nothing",
                endpoint.id
            ))
        })?;
        let methods = endpoint.methods.clone();
        let id = endpoint.id.clone();
        let door = Door { id, base, methods };
        let route = Route { door, limiter };
        if routes.insert(endpoint.id.clone(), route).is_some() {
            return Err(configuration(format!(
                "endpoint {:?} is declared twice",
                endpoint.id
            )));
        }
    }
    match options
        .credential
        .injection()
        .endpoints
        .iter()
        .find(|id| !routes.contains_key(*id))
    {
        Some(id) => Err(configuration(format!(
            "the credential goes to endpoint {id:?}, which is not declared"
        ))),
        None => Ok(routes),
    }
}
