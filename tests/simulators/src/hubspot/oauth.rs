//! Decides what the endpoints of OAuth answer: the consent that a browser asks for, the tokens that an app asks for, and what a token is.
//!
//! Which codes and tokens are good is decided beside it.

use super::answer::Answer;
use super::call::{Call, Method};
use super::context::Ctx;
use super::tokens::{Ask, Consent, Denial, Grant, Pair, Tokens};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// Whose tokens they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) ctx: Ctx,
    /// Number of the app.
    pub(super) app: u64,
    /// Text of `correlationId` in refusals.
    pub(super) correlation: &'a str,
}

/// Answers below `/oauth`; `path` is what follows, without versions. None where no endpoint has the path.
pub(super) fn answer(
    tokens: &mut Tokens,
    whose: Whose<'_>,
    call: &Call,
    path: &[&str],
) -> Option<Answer> {
    let now = whose.ctx.now;
    Some(match (call.method, path) {
        (Method::Get, ["authorize"] | [_, "authorize"]) => authorize(tokens, call, now),
        (Method::Post, ["token"]) => token(tokens, whose, call),
        (Method::Post, ["token", "introspect"] | ["introspect"]) => {
            let form = call.form();
            introspect(tokens, whose, field(&form, "token"))
        }
        (Method::Post, ["token", "revoke"] | ["revoke"]) => {
            let form = call.form();
            tokens.revoke(field(&form, "token"));
            Answer::no_content()
        }
        (Method::Get, ["access-tokens", token]) => access_token(tokens, whose, token),
        (Method::Get, ["refresh-tokens", token]) => refresh_token(tokens, whose, token),
        (Method::Delete, ["refresh-tokens", token]) => {
            if tokens.revoke(token) {
                Answer::no_content()
            } else {
                unknown_token(whose)
            }
        }
        _ => return None,
    })
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    form.iter()
        .find(|(key, _)| key == name)
        .map_or("", |(_, value)| value.as_str())
}

/// Sends the browser back with a code or a refusal, or shows a page that asks.
fn authorize(tokens: &mut Tokens, call: &Call, now: i64) -> Answer {
    let get = |name: &str| call.get(name).unwrap_or_default();
    let redirect = get("redirect_uri");
    if get("client_id") != tokens.client_id {
        return Answer::html(400, "The app with this client id does not exist");
    }
    let setup = &tokens.setup;
    let allowed = |list: &Option<Vec<String>>, word: &str| {
        list.as_ref()
            .is_none_or(|list| list.iter().any(|have| have == word))
    };
    if redirect.is_empty() || !allowed(&setup.redirects, redirect) {
        return Answer::html(400, "The redirect URL does not match the app's settings");
    }
    let words = |name| get(name).split([' ', ',']).filter(|word| !word.is_empty());
    let mut scopes: Vec<String> = words("scope").map(str::to_owned).collect();
    if scopes.is_empty()
        || scopes
            .iter()
            .any(|scope| !allowed(&setup.app_scopes, scope))
    {
        return Answer::html(400, "The scopes do not match the app's settings");
    }
    let optional = words("optional_scope").filter(|scope| allowed(&setup.app_scopes, scope));
    scopes.extend(optional.map(str::to_owned));
    let s256 = get("code_challenge_method") == "S256";
    let challenge = call.get("code_challenge").filter(|_| s256);
    let decision = match (setup.consent, call.get("decision")) {
        (Consent::Given, _) | (Consent::Asked, Some("allow")) => true,
        (Consent::Asked, None) => return consent_page(call, &scopes),
        (Consent::Denied | Consent::Asked, _) => false,
    };
    let answer = if decision {
        let ask = Ask {
            redirect: redirect.to_owned(),
            scopes,
            challenge: challenge.map(str::to_owned),
        };
        format!("code={}", tokens.code(ask, now))
    } else {
        "error=access_denied&error_description=The+user+denied+access".to_owned()
    };
    let joint = if redirect.contains('?') { '&' } else { '?' };
    let state = call.get("state").map_or_else(String::new, |state| {
        format!("&state={}", utf8_percent_encode(state, NON_ALPHANUMERIC))
    });
    Answer::html(302, "Found").with("Location", format!("{redirect}{joint}{answer}{state}"))
}

/// Two links: the same address again, with the decision.
fn consent_page(call: &Call, scopes: &[String]) -> Answer {
    let target = call.target.replace('&', "&amp;").replace('"', "&quot;");
    let scopes: String = scopes
        .iter()
        .map(|scope| {
            let scope = scope.replace('&', "&amp;").replace('<', "&lt;");
            format!("<li>{scope}</li>")
        })
        .collect();
    let mut page = Answer::html(200, "Connect app");
    page.body = format!(
        "<html><head><title>Connect app</title></head><body><h1>Connect app</h1><ul>{scopes}</ul>\
         <a id=\"allow\" href=\"{target}&amp;decision=allow\">Connect app</a> \
         <a id=\"cancel\" href=\"{target}&amp;decision=cancel\">Cancel</a></body></html>"
    )
    .into_bytes();
    page
}

/// Exchanges a code or a refresh token.
fn token(tokens: &mut Tokens, whose: Whose<'_>, call: &Call) -> Answer {
    let form = call.form();
    let get = |name: &str| field(&form, name);
    let refuse = |status, word, message| refuse(whose, status, word, message);
    let basic = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|value| BASE64_STANDARD.decode(value).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let (client_id, secret) = basic
        .as_deref()
        .and_then(|pair| pair.split_once(':'))
        .unwrap_or_else(|| (get("client_id"), get("client_secret")));
    if client_id != tokens.client_id {
        return refuse(400, "BAD_CLIENT_ID", "missing or invalid client id");
    }
    if secret != tokens.client_secret {
        return refuse(400, "BAD_CLIENT_SECRET", "missing or invalid client secret");
    }
    let grant = match get("grant_type") {
        "authorization_code" => Grant::Code {
            code: get("code"),
            redirect: get("redirect_uri"),
            verifier: get("code_verifier"),
        },
        "refresh_token" => Grant::Refresh(get("refresh_token")),
        _ => return refuse(400, "BAD_GRANT_TYPE", "missing or unknown grant type"),
    };
    match tokens.exchange(&grant, whose.ctx.now) {
        Ok(pair) => {
            let long = call.segments.get(1).is_none_or(|version| version != "v1");
            Answer::json(200, &told(tokens, whose, &pair, long))
        }
        Err(Denial::Code) => refuse(400, "BAD_AUTH_CODE", "missing or unknown auth code"),
        Err(Denial::CodeExpired) => refuse(400, "EXPIRED_AUTH_CODE", "auth code is expired"),
        Err(Denial::Redirect) => refuse(
            400,
            "BAD_REDIRECT_URI",
            "redirect URI does not match initial auth code URI",
        ),
        Err(Denial::Verifier) => refuse(400, "BAD_CODE_VERIFIER", "code verifier does not match"),
        Err(Denial::Refresh) => {
            refuse(400, "BAD_REFRESH_TOKEN", "missing or unknown refresh token")
        }
    }
}

fn told(tokens: &Tokens, whose: Whose<'_>, pair: &Pair, long: bool) -> Value {
    let mut out = json!({
        "token_type": "bearer",
        "refresh_token": pair.refresh,
        "access_token": pair.access,
        "expires_in": tokens.setup.expires_in,
    });
    if long {
        out["hub_id"] = json!(whose.ctx.portal);
        out["user_id"] = json!(whose.ctx.user);
        out["scopes"] = json!(&*pair.scopes);
    }
    out
}

/// The vendor's words, and those of RFC 6749, section 5.2.
fn refuse(whose: Whose<'_>, status: u16, word: &str, message: &str) -> Answer {
    let error = match word {
        "BAD_CLIENT_ID" | "BAD_CLIENT_SECRET" => "invalid_client",
        "BAD_GRANT_TYPE" => "unsupported_grant_type",
        _ => "invalid_grant",
    };
    Answer::json(
        status,
        &json!({
            "status": word,
            "message": message,
            "correlationId": whose.correlation,
            "error": error,
            "error_description": message,
        }),
    )
}

fn access_token(tokens: &Tokens, whose: Whose<'_>, token: &str) -> Answer {
    let Some(reach) = tokens.reach(token, whose.ctx.now) else {
        return unknown_token(whose);
    };
    let mut out = facts(whose, token, &reach.scopes);
    out["app_id"] = json!(whose.app);
    out["expires_in"] = json!((reach.until - whose.ctx.now) / 1000);
    out["token_type"] = json!("access");
    Answer::json(200, &out)
}

fn refresh_token(tokens: &Tokens, whose: Whose<'_>, token: &str) -> Answer {
    let Some(scopes) = tokens.refresh_scopes(token) else {
        return unknown_token(whose);
    };
    let mut out = facts(whose, token, scopes);
    out["client_id"] = json!(tokens.client_id);
    out["token_type"] = json!("refresh");
    Answer::json(200, &out)
}

/// RFC 7662: a token that is not good is told so with 200.
fn introspect(tokens: &Tokens, whose: Whose<'_>, token: &str) -> Answer {
    let mut answer = access_token(tokens, whose, token);
    if answer.status != 200 {
        answer = refresh_token(tokens, whose, token);
    }
    let mut out = answer.value();
    if answer.status != 200 {
        return Answer::json(200, &json!({"active": false}));
    }
    out["active"] = json!(true);
    Answer::json(200, &out)
}

fn facts(whose: Whose<'_>, token: &str, scopes: &[String]) -> Value {
    json!({
        "token": token,
        "user": "installer@quayside.example",
        "hub_domain": format!("portal-{}.example", whose.ctx.portal),
        "scopes": scopes,
        "hub_id": whose.ctx.portal,
        "user_id": whose.ctx.user,
    })
}

fn unknown_token(whose: Whose<'_>) -> Answer {
    Answer::json(
        404,
        &json!({
            "status": "error",
            "message": "The token is invalid, expired or revoked",
            "correlationId": whose.correlation,
            "category": "OBJECT_NOT_FOUND",
        }),
    )
}
