//! A signed call to an address that a person named, after the Standard Webhooks specification (standardwebhooks.com, version 1.0.0).
//!
//! It goes to public addresses over `https`, or over `http` to this machine; it follows no redirect and reads no more of the answer than its
//! status.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use model::Instant;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;
use url::{Host, Url};
use vault::SecretText;
use zeroize::Zeroizing;

use crate::address::forbidden;
use crate::wire::{Reach, Timeouts, Wire, WireError};

/// What a signing secret begins with.
const PREFIX: &str = "whsec_";

/// Bytes of a secret that we make; the specification wants 24 to 64.
const SECRET_BYTES: usize = 32;

/// Of an answer nothing is used but its status; more than a page of an error is no answer.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

/// Where calls go, and the secret that signs them.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The address; [`check_url`] has passed it.
    pub url: Url,
    /// `whsec_` and 24 to 64 bytes in base64; [`check_secret`] has passed it.
    pub secret: SecretText,
}

/// Why a call did not arrive.
#[derive(Debug)]
pub(crate) struct CallFailed {
    pub(crate) why: String,
    /// Whether it may be tried again.
    pub(crate) may_pass: bool,
}

/// The address where it may be called.
///
/// # Errors
/// What is wrong with it, for a person. The text does not quote it: an address may hold a secret.
pub fn check_url(text: &str) -> Result<Url, String> {
    let url: Url = text
        .parse()
        .map_err(|error| format!("it is no address: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name or a password; calls are signed instead".to_owned());
    }
    // A name is vetted when it is resolved, an address never is.
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        _ => None,
    };
    let class = address.and_then(forbidden);
    match url.scheme() {
        "https" => match (address, class) {
            (Some(address), Some(class)) => Err(format!("{address} is not public: {class}")),
            _ => Ok(url),
        },
        "http" if is_loopback(&url) => Ok(url),
        "http" => {
            Err("it is http, which anybody on the way can read and change; use https".to_owned())
        }
        other => Err(format!("{other} is not spoken here; use https")),
    }
}

/// Whether the host is this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The signing key in a secret.
fn signing_key(secret: &SecretText) -> Option<Zeroizing<Vec<u8>>> {
    let encoded = secret.expose().strip_prefix(PREFIX)?;
    let key = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    (24..=64).contains(&key.len()).then_some(key)
}

/// Whether that is a signing secret.
///
/// # Errors
/// What it has to look like, for a person.
pub fn check_secret(secret: &SecretText) -> Result<(), String> {
    match signing_key(secret) {
        Some(_) => Ok(()),
        None => Err(format!(
            "a signing secret is {PREFIX} and 24 to 64 bytes in base64; --generate makes one"
        )),
    }
}

/// A fresh signing secret.
///
/// # Panics
/// When the system has no random numbers.
pub fn new_secret() -> SecretText {
    let mut key = Zeroizing::new([0_u8; SECRET_BYTES]);
    getrandom::fill(key.as_mut_slice()).expect("the system has random numbers");
    SecretText::new(format!("{PREFIX}{}", STANDARD.encode(key.as_slice())))
}

impl Webhook {
    /// Calls once: `id` is the same for every try of one message.
    pub(crate) async fn call(
        &self,
        user_agent: &str,
        id: &str,
        at: Instant,
        body: &str,
    ) -> Result<(), CallFailed> {
        let for_good = |why: String| CallFailed {
            why,
            may_pass: false,
        };
        check_url(self.url.as_str()).map_err(for_good)?;
        let key = signing_key(&self.secret)
            .ok_or_else(|| for_good("its signing secret is not one".to_owned()))?;
        let headers = signed(&key, id, at, body)
            .ok_or_else(|| for_good("the message's id is no header".to_owned()))?;
        let reach = match self.url.scheme() {
            "https" => Reach::Public,
            _ => Reach::Loopback,
        };
        let timeouts = Timeouts {
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(10),
        };
        let wire = Wire::new(reach, user_agent, timeouts)
            .map_err(|error| for_good(error.without_url().to_string()))?;
        let body = Some(body.to_owned().into());
        let answer = wire
            .exchange(
                Method::POST,
                self.url.clone(),
                headers,
                body,
                ANSWER_MAX_BYTES,
            )
            .await;
        match answer {
            Ok(answer) => match answer.status {
                200..=299 => Ok(()),
                status => Err(CallFailed {
                    why: format!("it answered {status}"),
                    may_pass: matches!(status, 408 | 425 | 429 | 500..=599),
                }),
            },
            Err(error) => Err(CallFailed {
                may_pass: !matches!(error, WireError::Refused(_) | WireError::TooLarge(_)),
                why: error.to_string(),
            }),
        }
    }
}

/// The headers of a signed call; `None` where the id is none.
fn signed(key: &[u8], id: &str, at: Instant, body: &str) -> Option<HeaderMap> {
    let timestamp = at.unix_us().div_euclid(1_000_000);
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is one");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body.as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let texts = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
    ];
    for (name, text) in texts {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::try_from(text).ok()?,
        );
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, fault: Option<&str>) {
        let found = check_url(url).err();
        match fault {
            None => assert_eq!(found, None, "{url}"),
            Some(part) => assert!(found.unwrap().contains(part), "{url}"),
        }
    }

    #[test]
    fn only_addresses_that_nobody_on_the_way_can_read_are_called() {
        check("https://hooks.example.com/longshore?team=1", None);
        check("http://127.0.0.1:8080/", None);
        check("http://[::1]:8080/", None);
        check("http://localhost/", None);
        check("http://hooks.example.com/", Some("use https"));
        check("http://127.0.0.1.example.com/", Some("use https"));
        check("http://10.0.0.1/", Some("use https"));
        check("https://10.0.0.1/", Some("not public"));
        check("https://169.254.169.254/latest", Some("not public"));
        check("https://[::ffff:192.168.0.1]/", Some("not public"));
        check("https://0x7f000001/", Some("not public"));
        check("https://8.8.8.8/", None);
        check("https://user:pass@hooks.example.com/", Some("password"));
        check("https://user@hooks.example.com/", Some("password"));
        check("file:///etc/passwd", Some("not spoken"));
        check("hooks.example.com", Some("no address"));
    }

    /// The example of the specification: what its libraries sign so, ours must.
    #[test]
    fn the_signature_is_the_specifications() {
        let secret = SecretText::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let key = signing_key(&secret).unwrap();
        let at = Instant::from_unix_us(1_614_265_330_000_000).unwrap();
        let headers = signed(
            &key,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            "{\"test\": 2432232314}",
        );
        assert_eq!(
            headers.unwrap()["webhook-signature"],
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_secret_is_the_specifications_or_refused() {
        check_secret(&new_secret()).unwrap();
        assert_ne!(new_secret(), new_secret());
        for secret in [
            "",
            "whsec_",
            "whsec_c2hvcnQ=",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_%%",
        ] {
            let why = check_secret(&secret.into()).unwrap_err();
            assert!(
                why.contains("whsec_") && (secret.is_empty() || !why.contains("MfKQ")),
                "{why}"
            );
        }
    }

    #[tokio::test]
    async fn an_address_that_turns_out_to_be_private_is_not_called() {
        let webhook = Webhook {
            url: "https://10.0.0.1/".parse().unwrap(),
            secret: new_secret(),
        };
        let at = Instant::from_unix_us(0).unwrap();
        let failed = webhook.call("test", "id", at, "{}").await.unwrap_err();
        assert!(!failed.may_pass, "{failed:?}");
    }
}
