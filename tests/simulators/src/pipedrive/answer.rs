//! Decides what a whole request gets: who asks, within which limits, with which fault, from which endpoint.
//!
//! It does no input or output: bytes go in as a request taken apart, and come out as an answer to be sent.

use super::account::Account;
use super::call::{Call, Generation, Refusal, parse_query};
use super::json::Json;
use super::limits::{Headers, Limits, Verdict};
use super::oauth::{Caller, Grant};
use super::options::RetiredV1;
use super::routes::{Found, Route, find};
use crate::faults::Fault;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// A request as it came in.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) authorization: Option<&'a str>,
    pub(super) api_token: Option<&'a str>,
    pub(super) form: bool,
    pub(super) body: &'a [u8],
}

/// What goes out.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// The connection closes after so many bytes of the answer.
    pub(super) cut_after: Option<u64>,
}

const JSON: &str = "application/json; charset=utf-8";
/// About as long as the head of an answer.
const HEAD_BYTES: u64 = 250;

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let content_type = if refusal.html {
            "text/html; charset=UTF-8"
        } else {
            JSON
        };
        Self {
            status: refusal.status,
            content_type,
            headers: refusal.headers,
            body: refusal.body,
            cut_after: None,
        }
    }
}

/// Answers a request.
pub(super) fn answer(account: &Account, request: &Request<'_>) -> Reply {
    let reply = match request.path {
        "/oauth/authorize" => authorize(account, request),
        "/oauth/token" => token(account, request),
        path => match generation(path) {
            Some((generation, rest)) => api(account, request, generation, rest),
            None => unknown(account),
        },
    };
    account.count(|counters| *counters.statuses.entry(reply.status).or_default() += 1);
    reply
}

fn generation(path: &str) -> Option<(Generation, &str)> {
    let v1 = path
        .strip_prefix("/api/v1/")
        .or_else(|| path.strip_prefix("/v1/"));
    let v2 = path.strip_prefix("/api/v2/");
    v1.map(|rest| (Generation::V1, rest))
        .or(v2.map(|rest| (Generation::V2, rest)))
}

fn unknown(account: &Account) -> Reply {
    account.count(|counters| *counters.requests.entry("unknown".to_owned()).or_default() += 1);
    Refusal::not_found("Unknown method .").into()
}

fn api(account: &Account, request: &Request<'_>, generation: Generation, path: &str) -> Reply {
    let (route, parts) = match find(generation, path.trim_end_matches('/')) {
        Found::Route(route, parts) => (route, parts),
        Found::Retired => {
            account
                .count(|counters| *counters.requests.entry("retired".to_owned()).or_default() += 1);
            return match account.options.retired_v1 {
                RetiredV1::Gone => Refusal::gone().into(),
                RetiredV1::NotFound => Refusal::not_found("Unknown method .").into(),
            };
        }
        Found::Unknown => return unknown(account),
    };
    let version = if generation == Generation::V2 {
        "v2"
    } else {
        "v1"
    };
    let family = format!("{version} /{}", route.pattern.replace("{}", "{id}"));
    account.count(|counters| *counters.requests.entry(family).or_default() += 1);
    let (caller, token) = match caller(account, request) {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into(),
    };
    if request.method != "GET" {
        return Refusal::method().into();
    }
    let headers = match admit(account, caller, token, route) {
        Ok(headers) => headers,
        Err(reply) => return reply,
    };
    let fault = fault(account, request);
    let mut reply = match fault {
        Some(Fault::ServerError) => Refusal::server_error().into(),
        Some(Fault::RateLimited { retry_after }) => ordered_429(retry_after),
        _ => serve(
            account,
            request,
            route,
            parts,
            fault == Some(Fault::RepeatPage),
        ),
    };
    reply.headers.extend(
        headers
            .into_iter()
            .filter(|_| !matches!(fault, Some(Fault::RateLimited { .. }))),
    );
    break_off(&mut reply, fault);
    reply
}

fn caller<'a>(account: &Account, request: &Request<'a>) -> Result<(Caller, &'a str), Refusal> {
    let bearer = request
        .authorization
        .and_then(|value| value.strip_prefix("Bearer "));
    let caller = account
        .oauth
        .caller(request.api_token, bearer, account.options.clock.now_ms());
    let token = request.api_token.or(bearer).unwrap_or_default();
    caller
        .map(|caller| (caller, token))
        .ok_or_else(Refusal::unauthorized)
}

/// Limits first, then scopes: a refused scope costs tokens, too.
fn admit(
    account: &Account,
    caller: Caller,
    token: &str,
    route: &Route,
) -> Result<Vec<(&'static str, String)>, Reply> {
    let headers = match account.options.limits {
        Limits::Off => Vec::new(),
        Limits::Real(plan) => {
            let now = account.options.clock.now_ms();
            match account
                .meter
                .admit(plan, now, token, caller == Caller::App, route.cost)
            {
                Verdict::Pass(headers) => facts(headers),
                Verdict::Refused(headers) => {
                    account.count(|counters| counters.rate_limited += 1);
                    let mut refusal = Refusal::rate_limited();
                    refusal.headers = facts(headers);
                    return Err(refusal.into());
                }
                Verdict::Banned => {
                    account.count(|counters| counters.banned += 1);
                    return Err(Refusal::cloudflare().into());
                }
            }
        }
    };
    let granted = account
        .options
        .scopes
        .as_ref()
        .filter(|_| caller == Caller::App);
    if granted.is_some_and(|granted| {
        !route
            .scopes
            .iter()
            .any(|scope| granted.iter().any(|have| have == scope))
    }) {
        return Err(Refusal::wrong_scope().into());
    }
    Ok(headers)
}

fn facts(headers: Headers) -> Vec<(&'static str, String)> {
    vec![
        ("x-ratelimit-limit", headers.limit.to_string()),
        ("x-ratelimit-remaining", headers.remaining.to_string()),
        ("x-ratelimit-reset", headers.reset.to_string()),
        (
            "x-daily-ratelimit-token-limit",
            headers.daily_limit.to_string(),
        ),
        (
            "x-daily-ratelimit-token-remaining",
            headers.daily_left.to_string(),
        ),
    ]
}

/// What befalls this request, and remembers it, so that the same request is served when it comes again.
fn fault(account: &Account, request: &Request<'_>) -> Option<Fault> {
    let number = account.next_request();
    let fault = account.options.faults.at(number)?;
    let further_page = ["cursor=", "start="]
        .iter()
        .any(|name| request.query.contains(name));
    if fault == Fault::RepeatPage
        && (!further_page || request.query.split('&').any(|pair| pair == "start=0"))
    {
        return None;
    }
    let name = format!("{}?{}", request.path, request.query);
    if !account.may_fault(&name) {
        return None;
    }
    account.remember_fault(&name);
    account.count(|counters| *counters.faults.entry(fault.name()).or_default() += 1);
    Some(fault)
}

fn ordered_429(retry_after: bool) -> Reply {
    let mut refusal = Refusal::rate_limited();
    refusal.headers = if retry_after {
        vec![("retry-after", "1".to_owned())]
    } else {
        vec![
            ("x-ratelimit-limit", "100".to_owned()),
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset", "1".to_owned()),
        ]
    };
    refusal.into()
}

fn serve(
    account: &Account,
    request: &Request<'_>,
    route: &Route,
    parts: Vec<String>,
    repeat: bool,
) -> Reply {
    let call = Call {
        parts,
        query: parse_query(request.query),
        repeat,
    };
    if let (Some(kind), true) = (route.edited, call.get("cursor").is_some()) {
        account.paged(kind);
    }
    match (route.answer)(account, &call) {
        Ok(body) => Reply {
            status: 200,
            content_type: JSON,
            headers: Vec::new(),
            body,
            cut_after: None,
        },
        Err(refusal) => refusal.into(),
    }
}

fn break_off(reply: &mut Reply, fault: Option<Fault>) {
    match fault {
        Some(Fault::Truncate) => reply.body.truncate(reply.body.len() / 2),
        Some(Fault::ResetBefore) => reply.cut_after = Some(0),
        Some(Fault::ResetWithin) => {
            reply.cut_after = Some(HEAD_BYTES + reply.body.len() as u64 / 2)
        }
        _ => (),
    }
}

/// Consent: everybody agrees at once, and is sent back with a code. What the vendor does not know, such
/// as a PKCE challenge, means nothing.
fn authorize(account: &Account, request: &Request<'_>) -> Reply {
    let query = parse_query(request.query);
    let get = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    };
    let redirect = get("redirect_uri");
    let allowed = account
        .options
        .oauth_redirect
        .as_ref()
        .is_none_or(|only| only == redirect);
    if request.method != "GET"
        || get("client_id") != account.oauth.client_id
        || redirect.is_empty()
        || !allowed
    {
        return oauth_error(400, "invalid_request");
    }
    let code = account.oauth.authorize(redirect);
    let joint = if redirect.contains('?') { '&' } else { '?' };
    let state =
        percent_encoding::utf8_percent_encode(get("state"), percent_encoding::NON_ALPHANUMERIC);
    let location = format!("{redirect}{joint}code={code}&state={state}");
    Reply {
        status: 302,
        content_type: "text/html",
        headers: vec![("location", location)],
        ..Reply::default()
    }
}

fn token(account: &Account, request: &Request<'_>) -> Reply {
    if request.method != "POST" {
        return Refusal::method().into();
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
        return oauth_error(401, "invalid_client");
    }
    if !request.form {
        return oauth_error(400, "invalid_request");
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
        },
        "refresh_token" => Grant::Refresh(get("refresh_token")),
        _ => return oauth_error(400, "unsupported_grant_type"),
    };
    let expires_in = account.options.oauth_expires_in;
    let Some(pair) = account
        .oauth
        .exchange(&grant, account.options.clock.now_ms(), expires_in)
    else {
        return oauth_error(400, "invalid_grant");
    };
    let scopes = account
        .options
        .scopes
        .as_ref()
        .map_or_else(|| ALL_SCOPES.join(","), |scopes| scopes.join(","));
    let mut out = Json::default();
    out.object(|out| {
        out.key("access_token").text(&pair.access);
        out.key("token_type").text("Bearer");
        out.key("refresh_token").text(&pair.refresh);
        out.key("scope").text(&scopes);
        out.key("expires_in").number(expires_in);
        out.key("api_domain").text(account.base_url());
    });
    Reply {
        status: 200,
        content_type: JSON,
        body: out.into_bytes(),
        ..Reply::default()
    }
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

fn oauth_error(status: u16, error: &str) -> Reply {
    let mut out = Json::default();
    out.object(|out| {
        out.key("success").bool(false);
        out.key("error").text(error);
        out.key("message")
            .text("the request for authorization is not valid");
    });
    Reply {
        status,
        content_type: JSON,
        body: out.into_bytes(),
        ..Reply::default()
    }
}
