//! What happens when Pipedrive does not answer as hoped.

use longshore_sdk::testing::{Answer, Tape};
use longshore_sdk::{Connector, Failure, FailureKind, Page, PageRequest};
use serde_json::json;

use super::{fetch, page_of, rows, tape};
use crate::Pipedrive;

fn failure(tape: &Tape, request: &PageRequest) -> Failure {
    fetch(&tape.context(), request, &mut Page::new(500)).unwrap_err()
}

#[test]
fn errors_of_a_list_are_told_by_kind_and_code() {
    for (answer, kind, code) in [
        (
            Answer::json(401, r#"{"success":false,"error":"unauthorized access"}"#),
            FailureKind::Auth,
            "pipedrive.token",
        ),
        (
            Answer::json(429, "{}").header("x-ratelimit-reset", "50000"),
            FailureKind::RateLimited,
            "pipedrive.daily-budget",
        ),
        (
            Answer::json(429, "{}").header("Retry-After", "2"),
            FailureKind::RateLimited,
            "pipedrive.burst",
        ),
        (
            Answer::html(403, "<html>blocked</html>"),
            FailureKind::RateLimited,
            "pipedrive.blocked",
        ),
        (
            Answer::json(200, "{\"success\":true,\"data\":[{\"id\":1"),
            FailureKind::BadData,
            "pipedrive.json",
        ),
        (
            Answer::json(200, r#"{"success":false,"error":"odd","data":null}"#),
            FailureKind::Permanent,
            "pipedrive.rejected",
        ),
        (
            Answer::failure(Failure::rate_limited("http", "wait").with_retry_after_ms(9_000_000)),
            FailureKind::RateLimited,
            "pipedrive.daily-budget",
        ),
    ] {
        let tape = tape().get("/v2/persons?limit=500", answer);
        let failure = failure(&tape, &PageRequest::new("person"));
        assert_eq!(
            (failure.kind, failure.code.as_str()),
            (kind, code),
            "{failure}"
        );
    }
}

#[test]
fn a_budget_that_ends_within_a_page_of_deals_keeps_what_was_read() {
    let deal = |id: u32| json!({"id": id, "pipeline_id": 1, "stage_id": 4, "status": "open", "participants_count": 2});
    let list =
        "/v2/deals?limit=500&include_fields=participants_count%2Cfirst_won_time%2Csource_lead_id";
    let none = r#"{"success":true,"data":[]}"#;
    let tape = tape()
        .always(list, page_of(&[deal(1), deal(2)], None))
        .get("/v1/deals/1/participants?start=0&limit=500", none)
        .get(
            "/v1/deals/2/participants?start=0&limit=500",
            Answer::json(429, "{}").header("x-ratelimit-reset", "50000"),
        )
        .get(
            "/v1/deals/2/participants?start=0&limit=500",
            Answer::json(429, "{}").header("x-ratelimit-reset", "50000"),
        )
        .get("/v1/deals/2/participants?start=0&limit=500", none);
    let ctx = tape.context();
    let info = super::info(&ctx, "deal");
    let mut page = Page::new(500);
    let next = fetch(&ctx, &PageRequest::new("deal"), &mut page).unwrap();
    assert_eq!(rows(&info, &page).len(), 1);
    let request = PageRequest::new("deal").at(next.unwrap());
    assert_eq!(failure(&tape, &request).code, "pipedrive.daily-budget");
    let mut page = Page::new(500);
    fetch(&ctx, &request, &mut page).unwrap();
    let rest = rows(&info, &page);
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0]["id"], "2");
}

#[test]
fn a_foreign_cursor_is_stale_and_an_unknown_object_is_not_found() {
    for (object, cursor) in [
        ("person", "?"),
        ("person", r#"{"l":7}"#),
        ("deal", r#"{"l":2}"#),
        ("lead", r#"{"l":2}"#),
        ("email", "{}"),
    ] {
        let request = PageRequest::new(object).at(longshore_sdk::Cursor::from_bytes(cursor.into()));
        assert_eq!(
            failure(&tape(), &request).kind,
            FailureKind::StaleCursor,
            "{object} {cursor}"
        );
    }
    assert_eq!(
        failure(&tape(), &PageRequest::new("invoice")).kind,
        FailureKind::NotFound
    );
}

#[test]
fn an_account_without_projects_has_no_such_object() {
    let refused = Answer::json(
        403,
        r#"{"success":false,"error":"feature is not available"}"#,
    );
    let tape = tape().get("/v2/projectFields?limit=1", refused);
    let objects = Pipedrive::list_objects(&tape.context()).unwrap();
    assert!(objects.iter().all(|object| object.name != "project"));
    assert_eq!(objects.len(), 8);
}
