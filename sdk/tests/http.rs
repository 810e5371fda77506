//! Holds requests, answers and their failures against the contract, over the tape.

use std::cell::Cell;

use longshore_sdk::testing::{Answer, Tape};
use longshore_sdk::{
    Cursor, CursorPager, Failure, FailureKind, Level, Method, OffsetPager, PageRequest,
    path_segment,
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Named<'a> {
    name: &'a str,
}

#[test]
fn a_request_is_built_encoded_and_read_borrowing() {
    let tape = Tape::new().get(
        "/v2/persons?limit=500&term=a%20%26%C3%A9",
        r#"{"name":"Ada"}"#,
    );
    let ctx = tape.context();
    let answer = ctx
        .http()
        .get("api", "/v2/persons")
        .query("limit", 500)
        .query_opt("cursor", None::<&str>)
        .query_opt("term", Some("a &é"))
        .header("accept", "application/json")
        .send_ok()
        .unwrap();
    assert_eq!(answer.json::<Named<'_>>().unwrap().name, "Ada");
    let sent = &tape.requests()[0];
    assert_eq!(
        (sent.endpoint.as_str(), sent.method, sent.idempotent),
        ("api", Method::Get, true)
    );
    assert_eq!(
        sent.headers,
        [("accept".to_owned(), "application/json".to_owned())]
    );
    tape.assert_done();
    assert_eq!(path_segment("a/b c%"), "a%2Fb%20c%25");
}

#[test]
fn a_post_with_json_is_not_repeatable_until_it_says_so() {
    let tape = Tape::new()
        .on(Method::Post, "/search", "{}")
        .on(Method::Post, "/search", "{}");
    let ctx = tape.context();
    ctx.http()
        .post("api", "/search")
        .json(&[1, 2])
        .send_ok()
        .unwrap();
    ctx.http()
        .post("api", "/search")
        .body(b"x".to_vec())
        .idempotent()
        .send_ok()
        .unwrap();
    let sent = tape.requests();
    assert_eq!(
        (sent[0].body.as_deref(), sent[0].idempotent),
        (Some(&b"[1,2]"[..]), false)
    );
    assert_eq!(
        sent[0].headers,
        [("content-type".to_owned(), "application/json".to_owned())]
    );
    assert!(sent[1].idempotent);
}

#[track_caller]
fn check_status(status: u16, kind: FailureKind) {
    let tape = Tape::new().get(
        "/x",
        Answer::json(status, r#"{"error":"no"}"#).header("Retry-After", "7"),
    );
    let failure = tape
        .context()
        .http()
        .get("api", "/x")
        .send_ok()
        .expect_err("a status that is no success");
    assert_eq!((failure.kind, failure.http_status), (kind, Some(status)));
    assert_eq!(failure.code, format!("http.{status}"));
    assert_eq!(failure.retry_after_ms, Some(7_000));
    assert_eq!(
        failure.message,
        format!("GET api /x answered {status}: {{\"error\":\"no\"}}")
    );
}

#[test]
fn each_status_is_the_failure_that_the_host_decides_by() {
    check_status(401, FailureKind::Auth);
    check_status(403, FailureKind::Permission);
    check_status(404, FailureKind::NotFound);
    check_status(410, FailureKind::NotFound);
    check_status(408, FailureKind::Transient);
    check_status(429, FailureKind::RateLimited);
    check_status(500, FailureKind::Transient);
    check_status(503, FailureKind::Transient);
    check_status(400, FailureKind::Permanent);
    check_status(402, FailureKind::Permanent);
    check_status(304, FailureKind::Permanent);
}

#[test]
fn a_connector_reads_its_vendors_own_error_first() {
    let tape = Tape::new()
        .get("/x", Answer::json(429, "{}"))
        .get("/x", Answer::json(429, "{}"));
    let ctx = tape.context();
    let budget = |answer: &longshore_sdk::Response| {
        assert_eq!(answer.request(), "GET api /x");
        Some(
            Failure::permanent("acme.budget", "the daily budget is used up").with_retry_after_ms(5),
        )
    };
    let failure = ctx.http().get("api", "/x").send_ok_or(budget).unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.http_status),
        ("acme.budget", Some(429))
    );
    let failure = ctx
        .http()
        .get("api", "/x")
        .send_ok_or(|_| None)
        .unwrap_err();
    assert_eq!(
        (failure.kind, failure.retry_after_ms),
        (FailureKind::RateLimited, None)
    );
}

#[test]
fn a_web_page_is_not_parsed() {
    let tape = Tape::new()
        .get("/x", Answer::html(200, "<html>maintenance</html>"))
        .get("/x", Answer::json(200, "\n <!doctype html>"))
        .get("/x", Answer::html(403, "<html>secret-looking</html>"));
    let ctx = tape.context();
    for _ in 0..2 {
        let failure = ctx
            .http()
            .get("api", "/x")
            .send_ok()
            .unwrap()
            .json::<Named<'_>>()
            .unwrap_err();
        assert_eq!(
            (failure.kind, failure.code.as_str()),
            (FailureKind::Transient, "http.html")
        );
    }
    let failure = ctx.http().get("api", "/x").send_ok().unwrap_err();
    assert_eq!(failure.message, "GET api /x answered 403: a web page");
}

#[test]
fn unexpected_data_is_told_with_path_position_and_a_short_beginning() {
    let body = format!(
        "{{\"name\": 5, \"pad\": \"{}\u{1b}[31m\"}}",
        "x".repeat(500)
    );
    let tape = Tape::new()
        .get("/v2/persons?limit=5", body)
        .get("/y", Answer::json(200, b"{\"name\":\"\xff\"}".to_vec()));
    let ctx = tape.context();
    let answer = ctx
        .http()
        .get("api", "/v2/persons")
        .query("limit", 5)
        .send_ok()
        .unwrap();
    let failure = answer.json::<Named<'_>>().unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadData);
    assert!(
        failure
            .message
            .starts_with("GET api /v2/persons answered with unexpected data: "),
        "{failure}"
    );
    assert!(failure.message.contains("line 1 column"), "{failure}");
    assert!(
        failure.message.len() < 350 && !failure.message.contains('\u{1b}'),
        "{failure}"
    );
    let failure = ctx
        .http()
        .get("api", "/y")
        .send_ok()
        .unwrap()
        .json::<Named<'_>>()
        .unwrap_err();
    assert_eq!(failure.code, "http.utf8");
    assert!(failure.message.ends_with("at byte 9"), "{failure}");
}

#[test]
fn a_value_is_made_once_an_instance_and_a_failure_is_not_kept() {
    let tape = Tape::new();
    let (ctx, made) = (tape.context(), Cell::new(0));
    let make = || {
        made.set(made.get() + 1);
        if made.get() == 1 {
            Err(Failure::transient("x", "first"))
        } else {
            Ok(vec![1_u8])
        }
    };
    assert!(ctx.cached("fields", make).is_err());
    assert_eq!(*ctx.cached("fields", make).unwrap(), [1]);
    assert_eq!(*ctx.cached("fields", make).unwrap(), [1]);
    assert_eq!(made.get(), 2);
    assert_eq!(
        *ctx.cached("fields", || Ok("another type".to_owned()))
            .unwrap(),
        "another type"
    );
    assert_eq!(
        *tape.context().cached("fields", || Ok(vec![2_u8])).unwrap(),
        [2]
    );
    let nested = ctx
        .cached("outer", || {
            ctx.cached("inner", || Ok(5_u8)).map(|inner| *inner + 1)
        })
        .unwrap();
    assert_eq!(*nested, 6);
}

#[test]
fn pagers_go_on_where_they_stopped() {
    let first = PageRequest::new("lead");
    assert_eq!(OffsetPager::resume(&first).unwrap().start, 0);
    let next = OffsetPager::resume(&first)
        .unwrap()
        .next(Some(100))
        .unwrap()
        .unwrap();
    let second = PageRequest::new("lead").at(next);
    assert_eq!(OffsetPager::resume(&second).unwrap().start, 100);
    assert_eq!(OffsetPager::default().next(None).unwrap(), None);

    assert_eq!(CursorPager::resume(&first).unwrap().cursor(), None);
    let next = CursorPager::default()
        .next(Some("eyJ\"\\é"))
        .unwrap()
        .unwrap();
    let second = PageRequest::new("lead").at(next);
    assert_eq!(
        CursorPager::resume(&second).unwrap().cursor(),
        Some("eyJ\"\\é")
    );
    assert_eq!(CursorPager::default().next(None).unwrap(), None);
    assert_eq!(CursorPager::default().next(Some("")).unwrap(), None);
    let foreign = PageRequest::new("lead").at(Cursor::encode(&[1, 2, 3]).unwrap());
    assert_eq!(
        CursorPager::resume(&foreign).unwrap_err().kind,
        FailureKind::StaleCursor
    );
}

#[test]
fn the_tape_gives_settings_time_and_takes_the_log() {
    let tape = Tape::new().setting("email_bodies", "on");
    let ctx = tape.context();
    assert_eq!(ctx.setting("email_bodies").as_deref(), Some("on"));
    assert_eq!(ctx.setting("other"), None);
    assert_eq!(ctx.now().to_string(), "2026-01-31T12:00:00Z");
    ctx.log(Level::Warn, "hm");
    assert_eq!(tape.logs(), [(Level::Warn, "hm".to_owned())]);
}

#[test]
#[should_panic(expected = "unexpected request\n  GET /y\nexpected was one of\n  GET /x")]
fn an_unexpected_request_is_told_with_what_was_expected() {
    let tape = Tape::new().get("/x", "{}");
    let _ = tape.context().http().get("api", "/y").send();
}

#[test]
#[should_panic(expected = "these requests did not come:\n  GET /x")]
fn an_answer_that_nobody_asked_for_is_told() {
    Tape::new().get("/x", "{}").assert_done();
}

#[test]
fn what_stands_in_for_something_else_is_made_again_with_all_that_rests_on_it() {
    let tape = Tape::new();
    let ctx = tape.context();
    let inner = |is_refused: bool| {
        ctx.cached("inner", || {
            if is_refused {
                ctx.keep_nothing();
            }
            Ok(u8::from(!is_refused))
        })
    };
    let outer = |is_refused| ctx.cached("outer", || inner(is_refused).map(|inner| *inner + 10));
    assert_eq!(*outer(true).unwrap(), 10);
    assert_eq!(*ctx.cached("beside", || Ok(1_u8)).unwrap(), 1);
    assert_eq!(*ctx.cached("beside", || Ok(2_u8)).unwrap(), 1, "it is kept");
    assert_eq!(*outer(false).unwrap(), 11);
    assert_eq!(*outer(true).unwrap(), 11, "the right one is kept");
}
