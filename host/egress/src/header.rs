//! Decides which headers a connector may send, and which it gets to see.
//!
//! The credential's own header is added elsewhere, after these rules.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::Breach;

const COUNT_MAX: usize = 64;
const TOTAL_MAX_BYTES: usize = 16 * 1024;

/// Headers that speak for the host, the connection or another method than the one granted.
const HOSTS_OWN: &[&str] = &[
    "authorization",
    "cookie",
    "cookie2",
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "expect",
    "accept-encoding",
    "forwarded",
    "via",
    "http2-settings",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];
const HOSTS_OWN_PREFIXES: &[&str] = &["proxy-", "sec-", "x-forwarded-"];
const NOT_SHOWN: &[&str] = &[
    "set-cookie",
    "set-cookie2",
    "authorization",
    "proxy-authenticate",
    "proxy-authorization",
    "authentication-info",
];

/// The connector's headers as they go out.
pub(crate) fn outgoing(headers: &[(String, String)], bound: &str) -> Result<HeaderMap, Breach> {
    let total: usize = headers
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if headers.len() > COUNT_MAX || total > TOTAL_MAX_BYTES {
        return Err(Breach::Size {
            what: "headers",
            limit_bytes: TOTAL_MAX_BYTES,
        });
    }
    let mut map = HeaderMap::with_capacity(headers.len() + 2);
    for (name, value) in headers {
        let breach = |why| Breach::Header {
            name: name.chars().filter(|c| !c.is_control()).take(64).collect(),
            why,
        };
        let parsed =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| breach("is not a header name"))?;
        let lower = parsed.as_str();
        if HOSTS_OWN.contains(&lower)
            || HOSTS_OWN_PREFIXES
                .iter()
                .any(|prefix| lower.starts_with(prefix))
        {
            return Err(breach("is set by the host only"));
        }
        if lower == bound {
            return Err(breach("carries the credential, which the host adds"));
        }
        let value = HeaderValue::from_str(value)
            .map_err(|_| breach("has a line break, a control character or text beyond ASCII"))?;
        map.append(parsed, value);
    }
    Ok(map)
}

/// The server's headers as the connector sees them: names in lower case, in the order of the answer.
pub(crate) fn incoming(headers: &HeaderMap, bound: &str) -> Vec<(String, String)> {
    let shown = |name: &str| !NOT_SHOWN.contains(&name) && name != bound;
    headers
        .iter()
        .filter(|(name, _)| shown(name.as_str()))
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, expected: bool) {
        let found = outgoing(&[(name.to_owned(), value.to_owned())], "x-api-token");
        assert_eq!(found.is_ok(), expected, "{name:?}: {value:?}: {found:?}");
    }

    #[test]
    fn connectors_may_set_only_what_is_theirs() {
        for (name, value) in [
            ("accept", "application/json"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("prefer", "odata.maxpagesize=500"),
            ("if-modified-since", "x"),
        ] {
            check(name, value, true);
        }
        for name in [
            "authorization",
            "Authorization",
            "AUTHORIZATION",
            "cookie",
            "host",
            "Host",
            "proxy-authorization",
            "Proxy-Anything",
            "connection",
            "content-length",
            "transfer-encoding",
            "te",
            "upgrade",
            "x-api-token",
            "X-Api-Token",
            "accept-encoding",
            "x-http-method-override",
            "x-forwarded-for",
            "forwarded",
            "",
            "a b",
            "a:b",
            "a\r\nb",
            "a\0",
            ":authority",
            "é",
            " host",
            "host ",
        ] {
            check(name, "x", false);
        }
        for value in [
            "a\r\nhost: evil.test",
            "a\nb",
            "a\rb",
            "a\0b",
            "\u{7f}",
            "a\u{1b}[0m",
        ] {
            check("accept", value, false);
        }
        let many = vec![("accept".to_owned(), "x".to_owned()); COUNT_MAX + 1];
        assert!(matches!(outgoing(&many, ""), Err(Breach::Size { .. })));
        check("accept", &"x".repeat(TOTAL_MAX_BYTES), false);
    }

    #[test]
    fn cookies_and_the_credentials_header_are_not_shown() {
        let mut map = HeaderMap::new();
        for (name, value) in [
            ("set-cookie", "sid=1"),
            ("x-api-token", "canary"),
            ("content-type", "a/b"),
            ("link", "c"),
            ("link", "d"),
        ] {
            map.append(name, HeaderValue::from_static(value));
        }
        let shown = incoming(&map, "x-api-token");
        let shown: Vec<_> = shown
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            shown,
            [("content-type", "a/b"), ("link", "c"), ("link", "d")]
        );
    }
}
