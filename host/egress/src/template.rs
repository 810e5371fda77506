//! Fills the places of a granted address with a connection's parameters.
//!
//! It does not ask for parameters: they come checked by nobody, and are checked here.

use std::collections::BTreeMap;

use model::grant::{Endpoint, EndpointParameter};
use regex::Regex;
use url::{Host, Url};

use crate::address::forbidden;
use crate::confine::Base;

/// What a connection's addresses are made of.
pub(crate) struct Filling<'a> {
    /// Values by name.
    pub(crate) parameters: &'a BTreeMap<String, String>,
    /// Scheme, host and port that a developer puts in place of every granted one.
    pub(crate) origin_override: Option<&'a Url>,
}

/// Why an address cannot be made; completed by its caller with the connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("{name} has a malformed address {url:?}: {why}")]
    Address {
        name: String,
        url: String,
        why: &'static str,
    },
    #[error("{name} needs parameter {parameter:?}, which is not given")]
    Missing { name: String, parameter: String },
    #[error("{name} does not declare parameter {parameter:?} of its address")]
    Undeclared { name: String, parameter: String },
    #[error("parameter {parameter:?} ({label}) does not match {pattern:?}")]
    Mismatch {
        parameter: String,
        label: String,
        pattern: String,
    },
    #[error("pattern of parameter {parameter:?} is no regular expression")]
    Pattern { parameter: String },
    #[error("{name} is at {host}, which is {class}")]
    Forbidden {
        name: String,
        host: String,
        class: crate::address::AddressClass,
    },
    #[error(
        "developer address {url:?} is not a plain loopback origin such as http://127.0.0.1:8080"
    )]
    Override { url: String },
}

/// The base address of an endpoint.
pub(crate) fn endpoint_base(
    endpoint: &Endpoint,
    filling: &Filling<'_>,
) -> Result<Base, TemplateError> {
    let name = format!("endpoint {:?}", endpoint.id);
    let url = fill(&name, &endpoint.url, &endpoint.parameters, filling)?;
    Base::new(url).ok_or(TemplateError::Address {
        name,
        url: endpoint.url.clone(),
        why: "it has more than scheme, host, port and path",
    })
}

/// The address with its places filled, `https` and public, or moved to the developer's origin.
pub(crate) fn fill(
    name: &str,
    template: &str,
    declared: &BTreeMap<String, EndpointParameter>,
    filling: &Filling<'_>,
) -> Result<Url, TemplateError> {
    let bad = |why| TemplateError::Address {
        name: name.to_owned(),
        url: template.to_owned(),
        why,
    };
    let rest = template
        .strip_prefix("https://")
        .ok_or_else(|| bad("it does not start with https://"))?;
    let host_end = rest.find('/').unwrap_or(rest.len());
    // The parser would take the path for the host.
    if host_end == 0 {
        return Err(bad("it has no host"));
    }
    if rest[..host_end].contains(['@', '\\', '?', '#']) {
        return Err(bad("its host has characters that a host does not have"));
    }
    let mut text = "https://".to_owned();
    let mut open = rest;
    while let Some((before, after)) = open.split_once('{') {
        let (parameter, after) = after
            .split_once('}')
            .ok_or_else(|| bad("a place is not closed"))?;
        text.push_str(before);
        let in_host = rest.len() - open.len() + before.len() < host_end;
        text.push_str(value(name, parameter, in_host, declared, filling)?);
        open = after;
    }
    text.push_str(open);
    if text.contains('}') {
        return Err(bad("a place is not opened"));
    }
    let mut url = Url::parse(&text).map_err(|_| bad("it is no address"))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(bad("it has a user or a fragment"));
    }
    if let Some(origin) = filling.origin_override {
        check_override(origin)?;
        move_to(&mut url, origin)
            .ok_or_else(|| bad("it cannot be moved to the developer's address"))?;
        return Ok(url);
    }
    let class = match url.host() {
        Some(Host::Ipv4(address)) => forbidden(address.into()),
        Some(Host::Ipv6(address)) => forbidden(address.into()),
        _ => None,
    };
    match class {
        Some(class) => Err(TemplateError::Forbidden {
            name: name.to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            class,
        }),
        None => Ok(url),
    }
}

fn value<'a>(
    name: &str,
    parameter: &str,
    in_host: bool,
    declared: &BTreeMap<String, EndpointParameter>,
    filling: &Filling<'a>,
) -> Result<&'a str, TemplateError> {
    let owned = || parameter.to_owned();
    let rule = declared
        .get(parameter)
        .ok_or_else(|| TemplateError::Undeclared {
            name: name.to_owned(),
            parameter: owned(),
        })?;
    let value = filling
        .parameters
        .get(parameter)
        .ok_or_else(|| TemplateError::Missing {
            name: name.to_owned(),
            parameter: owned(),
        })?;
    let whole = Regex::new(&format!(r"\A(?:{})\z", rule.pattern))
        .map_err(|_| TemplateError::Pattern { parameter: owned() })?;
    // Whatever the pattern says: a value is never more than a part of the host, or one segment.
    let safe = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.')
            || (!in_host && matches!(byte, b'_' | b'~'))
    };
    let dotted = value.starts_with('.') || value.ends_with('.') || value.contains("..");
    if !whole.is_match(value)
        || value.is_empty()
        || value.len() > 253
        || dotted
        || !value.bytes().all(safe)
    {
        return Err(TemplateError::Mismatch {
            parameter: owned(),
            label: rule.label.clone(),
            pattern: rule.pattern.clone(),
        });
    }
    Ok(value)
}

fn check_override(origin: &Url) -> Result<(), TemplateError> {
    let loopback = match origin.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let bare = origin.path() == "/" && origin.query().is_none() && origin.fragment().is_none();
    let nobody = origin.username().is_empty() && origin.password().is_none();
    if loopback && bare && nobody && matches!(origin.scheme(), "http" | "https") {
        Ok(())
    } else {
        Err(TemplateError::Override {
            url: origin.to_string(),
        })
    }
}

fn move_to(url: &mut Url, origin: &Url) -> Option<()> {
    url.set_scheme(origin.scheme()).ok()?;
    url.set_host(origin.host_str()).ok()?;
    url.set_port(origin.port()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(
        template: &str,
        pattern: &str,
        value: Option<&str>,
        origin: Option<&str>,
    ) -> Result<String, String> {
        let rule = EndpointParameter {
            label: "Company".to_owned(),
            pattern: pattern.to_owned(),
        };
        let parameters = value
            .map(|value| ("company".to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let origin = origin.map(|origin| Url::parse(origin).unwrap());
        let filling = Filling {
            parameters: &parameters,
            origin_override: origin.as_ref(),
        };
        fill(
            "endpoint \"api\"",
            template,
            &BTreeMap::from([("company".to_owned(), rule)]),
            &filling,
        )
        .map(String::from)
        .map_err(|error| error.to_string())
    }

    #[test]
    fn parameters_fill_their_places() {
        let acme = |template| made(template, "[a-z0-9-]+", Some("acme"), None).unwrap();
        assert_eq!(
            acme("https://{company}.pipedrive.com/api"),
            "https://acme.pipedrive.com/api"
        );
        assert_eq!(
            acme("https://x.test/{company}/v1"),
            "https://x.test/acme/v1"
        );
        assert_eq!(
            made(
                "https://{company}/api",
                r"[a-z]+\.crm[0-9]*\.dynamics\.com",
                Some("acme.crm4.dynamics.com"),
                None
            )
            .unwrap(),
            "https://acme.crm4.dynamics.com/api"
        );
        let moved = made(
            "https://{company}.x.test/api",
            "[a-z]+",
            Some("acme"),
            Some("http://127.0.0.1:8080"),
        )
        .unwrap();
        assert_eq!(moved, "http://127.0.0.1:8080/api");
    }

    #[test]
    fn hostile_parameters_are_refused_whatever_the_pattern_says() {
        for value in [
            "evil.test/",
            "evil.test#",
            "a?b",
            "user@evil",
            "a:80",
            "a b",
            "a\nb",
            "a%2fb",
            "a\\b",
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a.",
            "é",
            "a_b",
            "[::1]",
        ] {
            assert!(
                made("https://{company}.x.test/api", "(?s).*", Some(value), None).is_err(),
                "{value:?}"
            );
        }
        for value in ["acme-evil!", "ACME", "acme\n", "xacmex acme"] {
            assert!(
                made(
                    "https://{company}.x.test/api",
                    "acme|[a-z]+",
                    Some(value),
                    None
                )
                .is_err(),
                "{value:?} is not the whole pattern"
            );
        }
        // An alternative must not escape its anchors.
        assert!(made("https://{company}.x.test", "a|b", Some("ac"), None).is_err());
    }

    #[test]
    fn forbidden_addresses_and_malformed_templates_are_refused() {
        for (template, value) in [
            ("https://{company}/", "127.0.0.1"),
            ("https://{company}/", "2130706433"),
            ("https://{company}/", "0x7f000001"),
            ("https://{company}/", "0177.0.0.1"),
            ("https://{company}/", "127.1"),
            ("https://{company}/", "169.254.169.254"),
            ("https://[::1]/", "a"),
            ("https://[::ffff:10.0.0.1]/", "a"),
            ("http://x.test/", "a"),
            ("https://user@x.test/", "a"),
            ("https://x.test/#a", "a"),
            ("https://{company.x.test/", "a"),
            ("https://company}.x.test/", "a"),
            ("https://{other}.x.test/", "a"),
            ("https://", "a"),
        ] {
            let found = made(template, ".*", Some(value), None);
            assert!(found.is_err(), "{template} {value} {found:?}");
        }
        assert!(
            made("https://{company}.x.test/", ".*", None, None)
                .unwrap_err()
                .contains("\"company\"")
        );
        assert!(made("https://{company}.x.test/", "(", Some("a"), None).is_err());
    }

    #[test]
    fn developers_address_is_loopback_only() {
        for good in [
            "http://127.0.0.1:1",
            "http://localhost:8080",
            "http://[::1]:9",
            "http://127.8.8.8/",
        ] {
            assert!(
                made("https://x.test/api", "a", None, Some(good)).is_ok(),
                "{good}"
            );
        }
        for bad in [
            "http://10.0.0.1",
            "http://example.com",
            "http://localhost.evil.test",
            "http://127.0.0.1/x",
            "http://u@127.0.0.1",
            "http://0.0.0.0",
            "ftp://127.0.0.1",
            "http://127.0.0.1?x",
        ] {
            assert!(
                made("https://x.test/api", "a", None, Some(bad)).is_err(),
                "{bad}"
            );
        }
    }
}
