//! Paths and redirects: whatever goes through stays below the endpoint, also for a server that decodes once more.
#![no_main]

use egress::Base;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use url::Url;

/// Panics where the address is not below `https://api.vendor.test/base/`.
fn check(url: &Url) {
    let text = url.as_str();
    assert!(text.starts_with("https://api.vendor.test/base/"), "{text}");
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

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let base = Url::parse("https://api.vendor.test/base").expect("an address");
    let base = Base::new(base).expect("no more than scheme, host and path");
    let (path, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (name, value) = rest.split_once('=').unwrap_or((rest, ""));
    let query = [(name.to_owned(), value.to_owned())];
    if let Ok(url) = base.join(path, &query) {
        check(&url);
        let last = url.query_pairs().last().expect("a query was given");
        assert_eq!((last.0.as_ref(), last.1.as_ref()), (name, value));
    }
    let from = Url::parse("https://api.vendor.test/base/v1/here").expect("an address");
    if let Some(url) = base.redirect(&from, path) {
        check(&url);
    }
});
