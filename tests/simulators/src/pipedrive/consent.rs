//! Decides what the login's two addresses answer: the consent that a browser asks for, and the tokens that an app asks for.
//!
//! Which codes and tokens are good is the identity provider's to know.

use super::account::Account;
use super::call::{Refusal, parse_query};
use super::json::Json;
use super::message::{JSON, Reply, Request};
use super::oauth::{Ask, Denial, Grant};
use super::options::{Consent, Pkce};
use crate::faults::Fault;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Sends the browser back with a code, or with the vendor's word for "Cancel".
pub(super) fn authorize(account: &Account, request: &Request<'_>) -> Reply {
    let query = parse_query(request.query);
    let find = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let redirect = find("redirect_uri").unwrap_or_default();
    let allowed = account
        .options
        .oauth_redirect
        .as_ref()
        .is_none_or(|only| only == redirect);
    let challenge = match account.options.oauth_pkce {
        Pkce::Ignored => None,
        Pkce::Required => {
            find("code_challenge").filter(|_| find("code_challenge_method") == Some("S256"))
        }
    };
    if request.method != "GET"
        || find("client_id") != Some(account.oauth.client_id.as_str())
        || redirect.is_empty()
        || !allowed
        || (account.options.oauth_pkce == Pkce::Required && challenge.is_none())
    {
        return oauth_error(400, "invalid_request", MESSAGE);
    }
    let answer = match account.options.oauth_consent {
        Consent::Given => {
            let ask = Ask {
                redirect: redirect.to_owned(),
                challenge: challenge.map(str::to_owned),
            };
            let code = account.oauth.authorize(ask, account.options.clock.now_ms());
            format!("code={code}")
        }
        Consent::Denied => "error=user_denied".to_owned(),
    };
    let joint = if redirect.contains('?') { '&' } else { '?' };
    let state = utf8_percent_encode(find("state").unwrap_or_default(), NON_ALPHANUMERIC);
    let location = format!("{redirect}{joint}{answer}&state={state}");
    Reply {
        status: 302,
        content_type: "text/html",
        headers: vec![("location", location)],
        ..Reply::default()
    }
}

/// Exchanges a code or a refresh token. Of the faults only the echo befalls it: a lost pair would be lost for good.
pub(super) fn token(account: &Account, request: &Request<'_>, fault: Option<Fault>) -> Reply {
    if request.method != "POST" {
        return Refusal::method().into();
    }
    if fault == Some(Fault::Echo) {
        return oauth_error(400, "invalid_request", &echo(request));
    }
    let secret = format!(
        "{}:{}",
        account.oauth.client_id, account.oauth.client_secret
    );
    let basic = request
        .authorization
        .and_then(|value| value.strip_prefix("Basic "));
    let given = basic.and_then(|value| BASE64_STANDARD.decode(value).ok());
    if given.as_deref() != Some(secret.as_bytes()) {
        return oauth_error(401, "invalid_client", MESSAGE);
    }
    if !request.form {
        return oauth_error(400, "invalid_request", MESSAGE);
    }
    let form = parse_query(&String::from_utf8_lossy(request.body));
    let get = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    };
    let grant = match get("grant_type") {
        "authorization_code" => Grant::Code {
            code: get("code"),
            redirect: get("redirect_uri"),
            verifier: get("code_verifier"),
        },
        "refresh_token" => Grant::Refresh(get("refresh_token")),
        _ => return oauth_error(400, "unsupported_grant_type", MESSAGE),
    };
    let options = &account.options;
    let exchanged = account.oauth.exchange(
        &grant,
        options.clock.now_ms(),
        options.oauth_expires_in,
        options.oauth_access_uses,
    );
    match exchanged {
        Ok(pair) => pair_reply(account, &pair.access, &pair.refresh),
        Err(denial) => oauth_error(
            400,
            "invalid_grant",
            match denial {
                Denial::Code => "Invalid grant: authorization_code is invalid",
                Denial::Expired => "Invalid grant: authorization_code has expired",
                Denial::Refresh => "Invalid grant: refresh_token is invalid",
            },
        ),
    }
}

fn pair_reply(account: &Account, access: &str, refresh: &str) -> Reply {
    let scopes = account
        .options
        .scopes
        .as_ref()
        .map_or_else(|| ALL_SCOPES.join(","), |scopes| scopes.join(","));
    let mut out = Json::default();
    out.object(|out| {
        out.key("access_token").text(access);
        out.key("token_type").text("Bearer");
        out.key("refresh_token").text(refresh);
        out.key("scope").text(&scopes);
        out.key("expires_in")
            .number(account.options.oauth_expires_in);
        out.key("api_domain").text(account.base_url());
    });
    Reply {
        status: 200,
        content_type: JSON,
        body: out.into_bytes(),
        ..Reply::default()
    }
}

/// Everything secret of a request as a careless server might repeat it: plain, in base64 from each of the three places, in percent form.
pub(super) fn echo(request: &Request<'_>) -> String {
    let body = String::from_utf8_lossy(request.body);
    let mut secrets: Vec<String> = [request.api_token, request.authorization]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect();
    let basic = request
        .authorization
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|value| BASE64_STANDARD.decode(value).ok());
    secrets.extend(basic.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    secrets.extend(parse_query(&body).into_iter().map(|(_, value)| value));
    let told = secrets.iter().map(|secret| {
        let base64: Vec<_> = ["", "-", "--"]
            .iter()
            .map(|before| BASE64_STANDARD.encode(format!("{before}{secret}")))
            .collect();
        let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC);
        format!("{secret} {} {percent}", base64.join(" "))
    });
    format!("cannot serve {}", told.collect::<Vec<_>>().join(" "))
}

const ALL_SCOPES: &[&str] = &[
    "base",
    "deals:full",
    "mail:full",
    "activities:full",
    "contacts:full",
    "products:full",
    "projects:full",
    "leads:full",
    "users:read",
    "recents:read",
    "search:read",
    "admin",
    "phone-integration",
];

const MESSAGE: &str = "the request for authorization is not valid";

/// The vendor's own words are in `message`; the standard's `error_description` says the same (RFC 6749, section 5.2).
fn oauth_error(status: u16, error: &str, message: &str) -> Reply {
    let mut out = Json::default();
    out.object(|out| {
        out.key("success").bool(false);
        out.key("error").text(error);
        out.key("error_description").text(message);
        out.key("message").text(message);
    });
    Reply {
        status,
        content_type: JSON,
        body: out.into_bytes(),
        ..Reply::default()
    }
}
