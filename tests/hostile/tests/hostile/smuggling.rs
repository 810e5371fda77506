//! Requests that try to leave their endpoint, name another host, or put in headers that are the host's.

use std::time::Duration;

use model::SourceError;

use crate::beside::{attack_with, fetch, limits};
use crate::guest::{Ask, asking, nothing};
use crate::outside::{HEADER, Vendor, reply, way_out};

/// Sends the request from a hostile guest, and says what it was told and which paths the vendor saw.
async fn send(ask: &Ask<'_>) -> (Result<(), SourceError>, Vec<String>) {
    let vendor = Vendor::start(|seen| match seen.path.as_str() {
        "/base/elsewhere" => reply(
            302,
            &[("location", "http://127.0.0.1:1/stolen")],
            String::new(),
        ),
        "/base/up" => reply(302, &[("location", "/admin")], String::new()),
        "/base/flood" => reply(200, &[], "x".repeat(300 << 10)),
        _ => reply(200, &[], String::new()),
    })
    .await;
    let way = way_out(&vendor.origin, "acme", "canary-0123456789abcdef");
    let mut limits = limits();
    limits.call_timeout = Duration::from_secs(2);
    let told = attack_with(
        &asking(ask, "", nothing),
        way.gateway.clone(),
        limits,
        fetch,
    )
    .await;
    let paths = vendor.seen().into_iter().map(|seen| seen.path).collect();
    (told.map(drop), paths)
}

/// Checks that the request is refused as not permitted, and that nothing of it got to the vendor.
async fn check_refused(ask: Ask<'_>) {
    let (told, paths) = send(&ask).await;
    let Err(SourceError::Permission(message)) = &told else {
        panic!("{:?} {:?}: {told:?}", ask.path, ask.headers)
    };
    assert!(message.contains("longshore."), "{message}");
    assert!(paths.is_empty(), "{:?}: the vendor saw {paths:?}", ask.path);
}

#[tokio::test]
async fn a_request_inside_of_its_endpoint_gets_there() {
    let (told, paths) = send(&Ask::get("/v1/deals")).await;
    told.unwrap();
    assert_eq!(paths, ["/base/v1/deals"]);
}

#[tokio::test]
async fn a_path_that_climbs_out_is_refused() {
    for path in [
        "/../admin",
        "/a/../../admin",
        "/%2e%2e/admin",
        "/a/%2E./%2e%2e/b",
        "/..%2fadmin",
        "/..%5cadmin",
        "/..\\admin",
        "/a/./../..",
    ] {
        check_refused(Ask::get(path)).await;
    }
}

#[tokio::test]
async fn a_path_that_is_no_path_is_refused() {
    for path in [
        "",
        "v1",
        "?a=1",
        "/a?b=1",
        "/a#b",
        "/a b",
        "/a\r\nHost: evil.test",
        "/a\nx",
        "/a\u{0}",
        "/%00",
        "/%0d%0aHost:%20evil.test",
        "/%zz",
    ] {
        check_refused(Ask::get(path)).await;
    }
}

#[tokio::test]
async fn another_host_in_the_path_is_refused() {
    for path in [
        "//evil.test/",
        "https://evil.test/base/",
        "http://127.0.0.1:1/base",
        "https://api.vendor.test@evil.test/base/",
        "https://api.vendor.test.evil.test/base/",
        "https:/evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/@evil.test:80//",
        "file:///etc/passwd",
        "HTTPS://EVIL.TEST/base/",
        "https://api.vendor.test:8443/base/",
    ] {
        // "/@evil.test" alone is a path like any other; with "//" in it, it is refused.
        check_refused(Ask::get(path)).await;
    }
}

#[tokio::test]
async fn another_endpoint_or_method_is_refused() {
    for endpoint in ["", "other", "API", "api ", "https://evil.test"] {
        check_refused(Ask {
            endpoint,
            ..Ask::get("/v1")
        })
        .await;
    }
    for method in [1, 2, 3, 4] {
        check_refused(Ask {
            method,
            ..Ask::get("/v1")
        })
        .await;
    }
}

#[tokio::test]
async fn headers_that_are_the_hosts_are_refused() {
    for name in [
        "authorization",
        "Authorization",
        "cookie",
        "host",
        "proxy-authorization",
        "Proxy-Connection",
        HEADER,
        "X-API-Token",
        "transfer-encoding",
        "content-length",
        "connection",
    ] {
        check_refused(Ask {
            headers: &[(name, "x")],
            ..Ask::get("/v1")
        })
        .await;
    }
}

#[tokio::test]
async fn headers_within_headers_are_refused() {
    for (name, value) in [
        ("x-a", "1\r\nHost: evil.test"),
        ("x-a", "1\nx-b: 2"),
        ("x-a\r\nhost", "evil.test"),
        ("x a", "1"),
        ("", "1"),
        ("x-a:", "1"),
        ("x-a", "\u{0}"),
    ] {
        check_refused(Ask {
            headers: &[(name, value)],
            ..Ask::get("/v1")
        })
        .await;
    }
}

#[tokio::test]
async fn a_query_cannot_leave_its_place() {
    let ask = Ask {
        query: &[("a&b=c#d", "e f\r\n/../%2e"), ("x", "1")],
        ..Ask::get("/v1")
    };
    let (told, paths) = send(&ask).await;
    told.unwrap();
    assert_eq!(
        paths,
        ["/base/v1?a%26b%3Dc%23d=e%20f%0D%0A%2F..%2F%252e&x=1"]
    );
}

#[tokio::test]
async fn a_redirect_to_elsewhere_or_out_of_the_endpoint_is_not_followed() {
    for path in ["/elsewhere", "/up"] {
        let (told, paths) = send(&Ask::get(path)).await;
        assert!(
            matches!(told, Err(SourceError::Permission(_))),
            "{path}: {told:?}"
        );
        assert_eq!(paths, [format!("/base{path}")], "only what was asked for");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_a_failure() {
    let (told, _) = send(&Ask::get("/flood")).await;
    assert!(matches!(told, Err(SourceError::BadData(_))), "{told:?}");
}
