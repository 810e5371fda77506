//! Reads Pipedrive's error answers: which kind of failure each is, and what a person can do about it.
//!
//! Repeating and waiting are the host's; here is only said whether and how long.

use longshore_sdk::{Failure, FailureKind};
use serde::Deserialize;

/// A wait of more seconds than this is no burst window (2 seconds) any more: the day's token budget is used up.
const BURST_MAX_SECONDS: u64 = 15;
/// How long to stay away after Cloudflare has shut the door.
const BLOCKED_MS: u64 = 5 * 60 * 1000;

/// What an answer says of itself, without its body.
pub(crate) struct Signs<'a> {
    /// The path that was asked for.
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) is_html: bool,
    /// `Retry-After` or `x-ratelimit-reset`, the longer.
    pub(crate) reset_seconds: Option<u64>,
    /// Whether a header says that nothing of the day's budget is left.
    pub(crate) day_is_spent: bool,
    /// Seconds until midnight, when the daily budget comes back.
    pub(crate) until_midnight_seconds: u64,
}

#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    error: Option<serde_json::Value>,
    #[serde(default)]
    error_info: Option<String>,
    #[serde(default)]
    code: Option<serde_json::Value>,
}

/// The failure behind an answer, or `None` when it is a good one.
pub(crate) fn find(signs: &Signs<'_>, body: &[u8]) -> Option<Failure> {
    let path = signs.path;
    if signs.is_html {
        return Some(html(signs).with_http_status(signs.status));
    }
    if signs.status < 300 {
        return None;
    }
    let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let said = body.said();
    let failure = match signs.status {
        401 => Failure::auth(
            "pipedrive.token",
            format!("pipedrive refused the credential for {path}: {said}"),
        ),
        402 => Failure::permanent(
            "pipedrive.account-closed",
            format!(
                "the pipedrive account is not open (trial ended or unpaid); reopen it in its billing settings: {said}"
            ),
        ),
        403 => forbidden(path, &body, &said),
        404 => Failure::not_found(
            "pipedrive.not-found",
            format!("pipedrive has no {path}: {said}"),
        ),
        410 => Failure::not_found(
            "pipedrive.gone",
            format!("pipedrive has removed {path} for good: {said}"),
        ),
        405 => Failure::permanent(
            "pipedrive.method",
            format!("pipedrive does not allow this method on {path}: {said}"),
        ),
        415 => Failure::unsupported(
            "pipedrive.feature-off",
            format!("the feature behind {path} is off in this account: {said}"),
        ),
        429 => over_limit(signs, &said),
        400 | 422 if said.to_ascii_lowercase().contains("cursor") => Failure::stale_cursor(
            "pipedrive.cursor",
            format!("pipedrive no longer knows the position in {path}: {said}"),
        ),
        500.. => Failure::transient(
            "pipedrive.server",
            format!("pipedrive answered {} for {path}: {said}", signs.status),
        ),
        other => Failure::permanent(
            "pipedrive.rejected",
            format!("pipedrive answered {other} for {path}: {said}"),
        ),
    };
    Some(failure.with_http_status(signs.status))
}

/// A web page where data were expected: Cloudflare's wall (403, 429), or a proxy's error page.
fn html(signs: &Signs<'_>) -> Failure {
    let path = signs.path;
    match signs.status {
        403 | 429 => Failure::rate_limited(
            "pipedrive.blocked",
            format!(
                "pipedrive's wall turned {path} away for too many requests; waiting some minutes"
            ),
        )
        .with_retry_after_ms(
            signs
                .reset_seconds
                .map_or(BLOCKED_MS, |seconds| BLOCKED_MS.max(seconds * 1000)),
        ),
        401 => Failure::auth(
            "pipedrive.token",
            format!("pipedrive refused the credential for {path}"),
        ),
        status => Failure::transient(
            "pipedrive.html",
            format!("pipedrive answered {status} with a web page for {path}"),
        ),
    }
}

/// Tells a spent day from a burst: the fact sheet's rule is the length of the wait.
fn over_limit(signs: &Signs<'_>, said: &str) -> Failure {
    let path = signs.path;
    let wait = signs.reset_seconds;
    if signs.day_is_spent || wait.is_some_and(|seconds| seconds > BURST_MAX_SECONDS) {
        let wait = wait
            .filter(|seconds| *seconds > BURST_MAX_SECONDS)
            .unwrap_or(signs.until_midnight_seconds);
        return Failure::rate_limited(
            "pipedrive.daily-budget",
            format!("the account's api tokens of the day are used up at {path}; they come back in {wait} seconds: {said}"),
        )
        .with_retry_after_ms(wait * 1000);
    }
    Failure::rate_limited(
        "pipedrive.burst",
        format!("too many requests in two seconds at {path}: {said}"),
    )
    .with_retry_after_ms(wait.unwrap_or(2).max(1) * 1000)
}

fn forbidden(path: &str, body: &ErrorBody, said: &str) -> Failure {
    if said.contains("Scope and URL mismatch") {
        let (scope, cost) = scope_of(path);
        return Failure::permission(
            "pipedrive.scope",
            format!("scope {scope} is missing for {path}: {cost}"),
        );
    }
    let code = body
        .code
        .as_ref()
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    if code.starts_with("feature_capping") {
        return Failure::unsupported(
            "pipedrive.plan",
            format!("the account's plan does not allow {path} ({code}): {said}"),
        );
    }
    Failure::permission(
        "pipedrive.forbidden",
        format!("the connected user may not see {path}: {said}"),
    )
}

/// The scope that opens a path, and what is lost without it. Source: `security` of each operation in the specification.
fn scope_of(path: &str) -> (&'static str, &'static str) {
    let path = path.trim_start_matches("/v1").trim_start_matches("/v2");
    if path.contains("/mailMessages") || path.starts_with("/mailbox") {
        return ("mail:read", "sales e-mails are not read");
    }
    let first = path.split('/').nth(1).unwrap_or_default();
    match first {
        "deals" if path.contains("/products") => {
            ("products:read", "products on deals are not read")
        }
        "deals" | "dealFields" | "pipelines" | "stages" => {
            ("deals:read", "deals, pipelines and stages are not read")
        }
        "persons" | "organizations" | "personFields" | "organizationFields" | "notes" => (
            "contacts:read",
            "persons, organizations and notes are not read",
        ),
        "activities" | "activityTypes" => (
            "activities:read",
            "calls, tasks, meetings and e-mails are not read",
        ),
        "activityFields" => ("admin", "labels of activity priorities are not read"),
        "leads" | "leadLabels" | "leadSources" | "leadFields" => {
            ("leads:read", "leads are not read")
        }
        "products" | "productFields" => ("products:read", "products are not read"),
        "projects" | "projectFields" | "boards" | "phases" => {
            ("projects:read", "projects are not read")
        }
        "users" => ("users:read", "owners are not read"),
        "callLogs" => (
            "phone-integration",
            "call logs of the connected user are not read",
        ),
        _ => ("base", "it is not read"),
    }
}

/// Names a wait that the host's own client met before the answer came here.
pub(crate) fn rename(mut failure: Failure, path: &str) -> Failure {
    let long = failure
        .retry_after_ms
        .is_some_and(|wait| wait > BURST_MAX_SECONDS * 1000);
    if failure.kind == FailureKind::RateLimited && long {
        failure.code = "pipedrive.daily-budget".to_owned();
        failure.message = format!(
            "the account's api tokens of the day are used up at {path}: {}",
            failure.message
        );
    }
    failure
}

impl ErrorBody {
    /// What Pipedrive says, cut to a sentence or two.
    fn said(&self) -> String {
        let mut said = match &self.error {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "no reason given".to_owned(),
        };
        if let Some(info) = self.error_info.as_deref().filter(|info| !info.is_empty()) {
            said.push_str(" (");
            said.push_str(info);
            said.push(')');
        }
        let end = (0..=said.len().min(300))
            .rev()
            .find(|end| said.is_char_boundary(*end))
            .unwrap_or(0);
        said.truncate(end);
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(path: &str, status: u16) -> Signs<'_> {
        Signs {
            path,
            status,
            is_html: false,
            reset_seconds: None,
            day_is_spent: false,
            until_midnight_seconds: 7200,
        }
    }

    #[track_caller]
    fn check(signs: &Signs<'_>, body: &str, kind: FailureKind, code: &str) -> Failure {
        let failure = find(signs, body.as_bytes()).expect("it is a failure");
        assert_eq!(
            (failure.kind, failure.code.as_str()),
            (kind, code),
            "{failure}"
        );
        failure
    }

    #[test]
    fn each_documented_status_has_its_kind() {
        let body = r#"{"success":false,"error":"nope","errorCode":1,"error_info":"see docs"}"#;
        for (status, kind, code) in [
            (400, FailureKind::Permanent, "pipedrive.rejected"),
            (401, FailureKind::Auth, "pipedrive.token"),
            (402, FailureKind::Permanent, "pipedrive.account-closed"),
            (403, FailureKind::Permission, "pipedrive.forbidden"),
            (404, FailureKind::NotFound, "pipedrive.not-found"),
            (405, FailureKind::Permanent, "pipedrive.method"),
            (410, FailureKind::NotFound, "pipedrive.gone"),
            (415, FailureKind::Unsupported, "pipedrive.feature-off"),
            (422, FailureKind::Permanent, "pipedrive.rejected"),
            (429, FailureKind::RateLimited, "pipedrive.burst"),
            (503, FailureKind::Transient, "pipedrive.server"),
        ] {
            let failure = check(&signs("/v2/deals", status), body, kind, code);
            assert_eq!(failure.http_status, Some(status));
            assert!(
                status == 403 || failure.message.contains("nope (see docs)"),
                "{failure}"
            );
        }
        assert!(find(&signs("/v2/deals", 200), b"{}").is_none());
    }

    #[test]
    fn a_missing_scope_is_named_with_what_it_costs() {
        let body = r#"{"success":false,"error":"Scope and URL mismatch","errorCode":403,"error_info":"…"}"#;
        let failure = check(
            &signs("/v1/deals/7/mailMessages", 403),
            body,
            FailureKind::Permission,
            "pipedrive.scope",
        );
        assert!(
            failure.message.contains("mail:read")
                && failure.message.contains("sales e-mails are not read"),
            "{failure}"
        );
        let failure = check(
            &signs("/v2/deals/products", 403),
            body,
            FailureKind::Permission,
            "pipedrive.scope",
        );
        assert!(failure.message.contains("products:read"), "{failure}");
    }

    #[test]
    fn a_spent_day_is_told_from_a_burst() {
        let body = r#"{"success":false,"error":"request over limit","errorCode":429}"#;
        let far = Signs {
            reset_seconds: Some(40_000),
            ..signs("/v2/deals", 429)
        };
        let failure = check(
            &far,
            body,
            FailureKind::RateLimited,
            "pipedrive.daily-budget",
        );
        assert_eq!(failure.retry_after_ms, Some(40_000_000));
        let spent = Signs {
            reset_seconds: Some(1),
            day_is_spent: true,
            ..signs("/v2/deals", 429)
        };
        assert_eq!(
            check(
                &spent,
                body,
                FailureKind::RateLimited,
                "pipedrive.daily-budget"
            )
            .retry_after_ms,
            Some(7_200_000)
        );
        let near = Signs {
            reset_seconds: Some(2),
            ..signs("/v2/deals", 429)
        };
        assert_eq!(
            check(&near, body, FailureKind::RateLimited, "pipedrive.burst").retry_after_ms,
            Some(2_000)
        );
    }

    #[test]
    fn a_web_page_with_403_means_minutes_of_waiting() {
        let wall = Signs {
            is_html: true,
            ..signs("/v2/deals", 403)
        };
        let failure = check(
            &wall,
            "<html>",
            FailureKind::RateLimited,
            "pipedrive.blocked",
        );
        assert!(failure.retry_after_ms.is_some_and(|wait| wait >= 60_000));
        check(
            &Signs {
                is_html: true,
                ..signs("/v2/deals", 502)
            },
            "<html>",
            FailureKind::Transient,
            "pipedrive.html",
        );
        check(
            &Signs {
                is_html: true,
                ..signs("/v2/deals", 200)
            },
            "<html>",
            FailureKind::Transient,
            "pipedrive.html",
        );
    }

    #[test]
    fn a_refused_cursor_starts_the_list_again() {
        let body = r#"{"success":false,"error":"Invalid cursor"}"#;
        check(
            &signs("/v2/deals", 400),
            body,
            FailureKind::StaleCursor,
            "pipedrive.cursor",
        );
    }
}
