//! Paths that stay, and every trick known to leave.

use proptest::prelude::*;

use super::*;

fn base() -> Base {
    Base::new(Url::parse("https://acme.example.com/api/").unwrap()).unwrap()
}

#[track_caller]
fn check(path: &str, expected: &str) {
    let joined = base()
        .join(path, &[])
        .unwrap_or_else(|breach| panic!("{path:?}: {breach}"));
    assert_eq!(joined.as_str(), expected, "{path}");
}

#[track_caller]
fn refused(path: &str) {
    if let Ok(url) = base().join(path, &[]) {
        panic!("{path:?} went through as {url}");
    }
}

#[test]
fn plain_paths_pass_unchanged() {
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/users/me",
        "/v2/persons/123",
        "/a-b_c~d.e",
        "/leads/0b1c-11aa",
        "/crm/v6/Contacts",
        "/accounts(00000000-0000-0000-0000-000000000001)/name",
        "/EntityDefinitions(LogicalName='account')",
        "/$batch",
        "/a:b@c",
        "/a,b;v=1,2!",
        "/..a/b..",
        "/...",
        "/caf%C3%A9",
        "/a%20b",
        "/100%25",
        "/%25",
        "/x%3Fy%23z",
        "/e%40mail.test",
        "/@evil.test",
        "/:8080",
    ] {
        check(path, &format!("https://acme.example.com/api{path}"));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, row by row")]
fn paths_that_could_leave_are_refused() {
    for path in [
        "",
        "v1",
        "../admin",
        "/..",
        "/../",
        "/.",
        "/./x",
        "/a/..",
        "/a/../b",
        "/a/../../b",
        "/%2e%2e",
        "/%2E%2e/x",
        "/.%2e/x",
        "/%2e./x",
        "/%2e",
        "/a/%252e%252e/b",
        "/%25252e%25252e/b",
        "/..;/admin",
        "/..;x=1/admin",
        "/%2e%2e;/admin",
        "/..%3b/admin",
        "//evil.test",
        "//evil.test/api",
        "/a//b",
        "/a%2fb",
        "/a%2Fb",
        "/%2f%2fevil.test",
        "/a%252fb",
        "/a%25252fb",
        "/a%5cb",
        "/a%5Cb",
        "/a%255cb",
        "\\\\evil.test",
        "/\\evil.test",
        "/a\\..\\b",
        "/a?b=c",
        "/a#b",
        "/a\r\nHost: evil.test",
        "/a%0d%0ab",
        "/a%00",
        "/a%250a",
        "/a\tb",
        "/a b",
        "/a\u{7f}",
        "/a\0b",
        "/é",
        "/a%",
        "/a%2",
        "/a%zz",
        "/%c0%ae%c0%ae/",
        "/%c0%af",
        "/a<b",
        "/a\"b",
        "/a|b",
        "/%25252525252541",
        "@evil.test/",
        ".evil.test/",
        ":80/",
        "https:/evil.test",
        "https:evil.test",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://acme.example.com/api/x",
    ] {
        refused(path);
    }
    assert!(
        base()
            .join(&format!("/{}", "a".repeat(20_000)), &[])
            .is_err()
    );
}

#[test]
fn next_addresses_pass_inside_the_endpoint_only() {
    for address in [
        "https://acme.example.com/api/v1/persons?cursor=abc%3D&limit=500",
        "https://acme.example.com/api/v1/persons",
        "https://acme.example.com/api/data?$skiptoken=%3Ccookie%20pagenumber=%222%22%3E",
        "https://acme.example.com/api/",
    ] {
        check(address, address);
    }
    for address in [
        "http://acme.example.com/api/v1",
        "https://evil.test/api/v1",
        "https://acme.example.com.evil.test/api/v1",
        "https://acme.example.com@evil.test/api/v1",
        "https://user:pw@acme.example.com/api/v1",
        "https://acme.example.com:8443/api/v1",
        "https://acme.example.com/other",
        "https://acme.example.com/apiv2/x",
        "https://acme.example.com/api",
        "https://acme.example.com",
        "https://acme.example.com/api/../admin",
        "https://acme.example.com/api/%2e%2e/admin",
        "https://acme.example.com/api/v1#frag",
        "https://acme.example.com/api//x",
        "https://acme.example.com\\@evil.test/api/v1",
        "https://acme.example.com/api/v1?a=b c",
        "https:///acme.example.com/api/x",
        "https://acme.example.com/api/a%2f..%2fb",
        "https://ACME.example.com/api/v1",
        "https://acme.example.com./api/v1",
    ] {
        refused(address);
    }
}

#[test]
fn queries_are_encoded_and_added() {
    let query = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect::<Vec<_>>()
    };
    let url = base()
        .join(
            "/v1",
            &query(&[("a b", "c&d=e#f?g"), ("$filter", "x eq 'ü+1'"), ("a", "")]),
        )
        .unwrap();
    assert_eq!(
        url.query(),
        Some("a%20b=c%26d%3De%23f%3Fg&$filter=x%20eq%20%27%C3%BC%2B1%27&a=")
    );
    let next = base()
        .join(
            "https://acme.example.com/api/v1?cursor=1",
            &query(&[("limit", "2")]),
        )
        .unwrap();
    assert_eq!(next.query(), Some("cursor=1&limit=2"));
    let smuggled = base()
        .join("/v1", &query(&[("x\r\nhost: evil", "\0")]))
        .unwrap();
    assert_eq!(
        smuggled.query(),
        Some("x%0D%0Ahost%3A%20evil=%00".replace("%3A", ":").as_str())
    );
}

#[test]
fn redirects_are_followed_inside_the_endpoint_only() {
    let from = Url::parse("https://acme.example.com/api/v1/a").unwrap();
    for (location, expected) in [
        ("/api/v2/a", Some("https://acme.example.com/api/v2/a")),
        ("b?x=1", Some("https://acme.example.com/api/v1/b?x=1")),
        (
            "https://acme.example.com/api/c",
            Some("https://acme.example.com/api/c"),
        ),
        ("//acme.example.com/api/c", None),
        ("//evil.test/api/c", None),
        ("https://evil.test/api/c", None),
        ("http://acme.example.com/api/c", None),
        ("http://169.254.169.254/latest/meta-data", None),
        ("/admin", None),
        ("../../../admin", None),
        ("/api/../admin", None),
        ("/api/%2e%2e/admin", None),
        ("https://u:p@acme.example.com/api/c", None),
        ("/api/c#f", None),
        ("file:///etc/passwd", None),
        ("\\\\evil.test\\api", None),
    ] {
        let found = base().redirect(&from, location);
        if location == "//acme.example.com/api/c" {
            assert!(
                found.is_some_and(|url| url.as_str() == "https://acme.example.com/api/c"),
                "same origin, said without scheme"
            );
            continue;
        }
        assert_eq!(found.as_ref().map(Url::as_str), expected, "{location}");
    }
}

/// What paths that leave are made of.
const PIECES: [&str; 30] = [
    "/",
    "//",
    "\\",
    ".",
    "..",
    ";",
    "?",
    "#",
    "@",
    ":",
    "%",
    "%2e",
    "%2f",
    "%5c",
    "%25",
    "%252e",
    "%0d%0a",
    "%00",
    "%c0%af",
    "a",
    "v1",
    "api",
    "evil.test",
    "https://",
    "http://",
    "acme.example.com",
    "https://acme.example.com/api/",
    "\r\n",
    "é",
    " ",
];

/// Panics where the address is not below the base, for a server that decodes as often as it likes.
#[track_caller]
fn check_below(url: &Url) {
    let text = url.as_str();
    assert!(text.starts_with("https://acme.example.com/api/"), "{text}");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    let mut path = url.path().to_owned();
    for _ in 0..4 {
        assert!(!path.contains("//") && !path.contains('\\'), "{text}");
        assert!(!path.chars().any(char::is_control), "{text}");
        let dotted = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
        assert!(!path.split('/').any(dotted), "{text}");
        path = percent_decode_str(&path).decode_utf8_lossy().into_owned();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The bounded half of the fuzz target `confine`.
    #[test]
    fn whatever_goes_through_is_below_the_base(
        parts in prop::collection::vec(prop_oneof![4 => prop::sample::select(PIECES.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,3}"], 0..9),
        slash in any::<bool>(),
        name in "\\PC{0,6}",
        value in "\\PC{0,6}",
    ) {
        let path = format!("{}{}", if slash { "/" } else { "" }, parts.concat());
        if let Ok(url) = base().join(&path, &[(name.clone(), value.clone())]) {
            check_below(&url);
            let last = url.query_pairs().last().unwrap();
            prop_assert_eq!((last.0.as_ref(), last.1.as_ref()), (name.as_str(), value.as_str()));
        }
        let from = Url::parse("https://acme.example.com/api/v1/here").unwrap();
        if let Some(url) = base().redirect(&from, &path) {
            check_below(&url);
        }
    }
}
