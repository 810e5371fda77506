//! Sends one request to a vetted address and reads its whole answer within the caps.
//!
//! It follows no redirect, repeats nothing, adds no credential and reads no proxy settings; whoever calls decides.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use reqwest::{Method, redirect, retry};
use url::Url;

use crate::address::{AddressClass, forbidden};
use crate::error::Refusal;

/// What an answer's status line and headers may be: the HTTP/1 reader's own cap, 8 KiB and 100 lines of 4 KiB.
pub(crate) const HEAD_MAX_BYTES: usize = 8 * 1024 + 100 * 4096;

/// How a name becomes addresses.
pub(crate) type Lookup = Arc<
    dyn Fn(String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>
        + Send
        + Sync,
>;

/// Where requests may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public addresses over `https`.
    Public,
    /// Loopback addresses only: a developer's simulator.
    Loopback,
}

/// One answer, decompressed.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("{0}")]
    Refused(Refusal),
    /// No connection was made: the server has seen nothing.
    #[error("cannot connect: {0}")]
    NotSent(String),
    /// The server may have seen the request.
    #[error("connection broke: {0}")]
    Broken(String),
    /// Body or headers.
    #[error("answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// Times that one connection keeps to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// To find and reach the server.
    pub(crate) connect: Duration,
    /// Without a byte.
    pub(crate) idle: Duration,
}

impl Timeouts {
    pub(crate) const fn of_login() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
        }
    }
}

/// What answers requests in place of a network.
#[cfg(feature = "simulated")]
pub(crate) type Carrier = Arc<
    dyn Fn(
            Method,
            Url,
            HeaderMap,
            Option<reqwest::Body>,
        ) -> Pin<Box<dyn Future<Output = Answer> + Send>>
        + Send
        + Sync,
>;

/// The connections of one gateway.
pub(crate) struct Wire {
    client: reqwest::Client,
    /// Answers in place of a network.
    #[cfg(feature = "simulated")]
    carrier: Option<Carrier>,
}

impl Wire {
    pub(crate) fn new(
        reach: Reach,
        user_agent: &str,
        timeouts: Timeouts,
    ) -> Result<Self, reqwest::Error> {
        let lookup: Lookup = Arc::new(|host| {
            Box::pin(async move {
                Ok(tokio::net::lookup_host((host, 0))
                    .await?
                    .map(|address| address.ip())
                    .collect())
            })
        });
        Self::with_lookup(reach, user_agent, timeouts, lookup)
    }

    pub(crate) fn with_lookup(
        reach: Reach,
        user_agent: &str,
        timeouts: Timeouts,
        lookup: Lookup,
    ) -> Result<Self, reqwest::Error> {
        // Fails when one is installed already: then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(user_agent)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(timeouts.connect)
            .read_timeout(timeouts.idle)
            .pool_idle_timeout(Duration::from_secs(60))
            .http2_adaptive_window(true)
            .dns_resolver(Arc::new(VettingResolver { reach, lookup }));
        builder = match reach {
            Reach::Public => builder.https_only(true),
            // A simulator speaks plain HTTP; without roots this also starts on a machine that has none.
            Reach::Loopback => builder.tls_certs_only([]),
        };
        Ok(Self {
            client: builder.build()?,
            #[cfg(feature = "simulated")]
            carrier: None,
        })
    }

    /// The same over no network.
    #[cfg(feature = "simulated")]
    pub(crate) fn carried(mut self, carrier: Carrier) -> Self {
        self.carrier = Some(carrier);
        self
    }

    /// Sends a request whose address was built by a [`Base`](crate::confine::Base).
    pub(crate) async fn exchange(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Option<reqwest::Body>,
        body_max_bytes: usize,
    ) -> Result<Answer, WireError> {
        #[cfg(feature = "simulated")]
        if let Some(carrier) = &self.carrier {
            return Ok(carrier(method, url, headers, body).await);
        }
        let mut request = self.client.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(classify)?;
        let announced =
            usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
        if announced > body_max_bytes {
            return Err(WireError::TooLarge(body_max_bytes));
        }
        let mut body = Vec::with_capacity(announced);
        // Counted after decompression, chunk by chunk: a bomb stops at the cap.
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| WireError::Broken(chain(&error.without_url())))?
        {
            if body.len() + chunk.len() > body_max_bytes {
                return Err(WireError::TooLarge(body_max_bytes));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }
}

fn classify(error: reqwest::Error) -> WireError {
    let error = error.without_url();
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = source {
        if let Some(ForbiddenAnswer(refusal)) = inner.downcast_ref() {
            return WireError::Refused(refusal.clone());
        }
        // The client has no type for it; its text is all there is to know it by (held by a test).
        if inner.to_string().contains("message head is too large") {
            return WireError::TooLarge(HEAD_MAX_BYTES);
        }
        source = inner.source();
    }
    if error.is_connect() || error.is_builder() {
        WireError::NotSent(chain(&error))
    } else {
        WireError::Broken(chain(&error))
    }
}

/// The innermost causes say what happened; the outer ones only that something did.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut source = Some(error);
    while let Some(inner) = source {
        let text = inner.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        source = inner.source();
    }
    let text = parts[parts.len().saturating_sub(2)..].join(": ");
    text.chars()
        .take(300)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ForbiddenAnswer(pub(crate) Refusal);

/// Resolves a name once, vets every address, and hands exactly these to the connector of the client.
pub(crate) struct VettingResolver {
    pub(crate) reach: Reach,
    pub(crate) lookup: Lookup,
}

impl Resolve for VettingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, host) = (self.reach, name.as_str().to_owned());
        let found = (self.lookup)(host.clone());
        Box::pin(async move {
            let addresses = vet(reach, &host, found.await?).map_err(ForbiddenAnswer)?;
            Ok(Box::new(
                addresses
                    .into_iter()
                    .map(|address| SocketAddr::new(address, 0)),
            ) as Addrs)
        })
    }
}

/// All of the addresses, or the first that is forbidden.
fn vet(reach: Reach, host: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Refusal> {
    let allowed = |class: Option<AddressClass>| match reach {
        Reach::Public => class.is_none(),
        Reach::Loopback => class == Some(AddressClass::Loopback),
    };
    match addresses
        .iter()
        .find(|address| !allowed(forbidden(**address)))
    {
        Some(address) => {
            let class = forbidden(*address).unwrap_or(AddressClass::Reserved);
            Err(Refusal::Address {
                host: host.to_owned(),
                address: *address,
                class,
            })
        }
        None => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reach: Reach, addresses: &[&str], passes: bool) {
        let addresses: Vec<IpAddr> = addresses
            .iter()
            .map(|address| address.parse().unwrap())
            .collect();
        assert_eq!(
            vet(reach, "x.test", addresses.clone()).is_ok(),
            passes,
            "{reach:?} {addresses:?}"
        );
    }

    #[test]
    fn one_forbidden_address_spoils_the_answer() {
        check(Reach::Public, &["8.8.8.8"], true);
        check(Reach::Public, &["8.8.8.8", "2606:4700::1"], true);
        check(Reach::Public, &["8.8.8.8", "10.0.0.1"], false);
        check(Reach::Public, &["127.0.0.1"], false);
        check(
            Reach::Public,
            &["2606:4700::1", "::ffff:169.254.169.254"],
            false,
        );
        check(Reach::Loopback, &["127.0.0.1", "::1"], true);
        check(Reach::Loopback, &["127.0.0.1", "10.0.0.1"], false);
        check(Reach::Loopback, &["8.8.8.8"], false);
    }

    #[tokio::test]
    async fn a_name_that_turns_to_a_private_address_is_refused_at_that_moment() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for answers in [
            vec!["127.0.0.1"],
            vec!["8.8.8.8", "127.0.0.1"],
            vec!["169.254.169.254"],
            vec!["fd00:ec2::254"],
            vec!["::ffff:127.0.0.1"],
        ] {
            let answers: Vec<IpAddr> = answers
                .iter()
                .map(|address| address.parse().unwrap())
                .collect();
            let lookup: Lookup = Arc::new(move |_| {
                let answers = answers.clone();
                Box::pin(async move { Ok(answers) })
            });
            let wire = Wire::with_lookup(Reach::Public, "test", Timeouts::of_login(), lookup);
            let Ok(wire) = wire else {
                println!("SKIPPED: this machine has no trusted root certificates");
                return;
            };
            let url = Url::parse(&format!("https://rebind.test:{port}/")).unwrap();
            let found = wire
                .exchange(Method::GET, url, HeaderMap::new(), None, 10)
                .await
                .err()
                .unwrap();
            assert!(
                matches!(found, WireError::Refused(Refusal::Address { .. })),
                "{found}"
            );
        }
        let nobody = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(nobody.is_err(), "no connection was made");
    }
}
