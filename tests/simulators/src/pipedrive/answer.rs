//! Decides what a whole request gets: who asks, within which limits, with which fault, from which endpoint.
//!
//! It does no input or output: bytes go in as a request taken apart, and come out as an answer to be sent.

use super::account::Account;
use super::call::{Call, Generation, Refusal, parse_query};
use super::consent::{authorize, echo, token};
use super::limits::{Headers, Limits, Verdict};
use super::message::{JSON, Reply, Request};
use super::oauth::Caller;
use super::options::RetiredV1;
use super::routes::{Found, Route, find};
use crate::faults::Fault;

/// About as long as the head of an answer.
const HEAD_BYTES: u64 = 250;

/// Answers a request.
pub(super) fn answer(account: &Account, request: &Request<'_>) -> Reply {
    let reply = match request.path {
        "/oauth/authorize" => authorize(account, request),
        "/oauth/token" => {
            let echoes = account.options.faults.echo > 0.0;
            let fault = echoes.then(|| fault(account, request)).flatten();
            token(account, request, fault)
        }
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
        Some(Fault::Echo) => Refusal::bad_request(&echo(request)).into(),
        Some(Fault::RateLimited { retry_after }) => ordered_429(retry_after),
        Some(Fault::Status(fault)) => {
            Refusal::plain(fault.status, "An error occurred.", "Please try again.").into()
        }
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
        Some(Fault::ResetBefore | Fault::ResetAfter) => reply.cut_after = Some(0),
        Some(Fault::ResetWithin) => {
            reply.cut_after = Some(HEAD_BYTES + reply.body.len() as u64 / 2)
        }
        _ => (),
    }
}
