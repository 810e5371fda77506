//! Packages: made, looked into, consented to.

use market::{Consent, Digest, InspectError, Line, Manifest, PackError, inspect, pack};

const MANIFEST: &str = r#"
id = "acme"
name = "Acme CRM"
version = "1.0.0"
publisher = "Acme"
contract = "0.1"
[[endpoints]]
id = "api"
url = "https://api.acme.com"
methods = ["GET"]
rate_limit = { per_second = 5.0, burst = 5, concurrency = 1 }
[[credentials]]
kind = "key"
id = "token"
label = "token"
inject = { header = "x-token", endpoints = ["api"] }
[[objects]]
name = "person"
supports = ["read"]
"#;

/// A component that exports an empty `source` and imports those interfaces.
fn component(imports: &[&str]) -> Vec<u8> {
    let imports: String = imports
        .iter()
        .map(|name| format!("(import \"{name}\" (instance))"))
        .collect();
    let export = r#"(instance $i) (export "longshore:connector/source@0.1.0" (instance $i))"#;
    wat::parse_str(format!("(component {imports} {export})")).expect("the text is a component")
}

#[test]
fn a_package_is_looked_into_without_running_it() {
    let imports = [
        "longshore:connector/http@0.1.0",
        "longshore:connector/runtime@0.1.3",
        "wasi:clocks/wall-clock@0.2.6",
    ];
    let package = pack(&component(&imports), MANIFEST).unwrap();
    let found = inspect(&package).unwrap();
    assert_eq!(found.manifest.id, "acme");
    assert_eq!(found.imports, imports[..2]);
    assert_eq!(found.wasi_imports, imports[2..]);
    assert_eq!(found.exports, ["longshore:connector/source@0.1.0"]);
    assert_eq!(
        (found.component_digest, found.manifest_digest),
        (Digest::of(&package), Digest::of(MANIFEST.as_bytes()))
    );
    assert!(matches!(pack(&package, MANIFEST), Err(PackError::Packed)));
}

#[test]
fn what_no_connector_may_do_is_refused_by_name() {
    for foreign in [
        "wasi:sockets/tcp@0.2.0",
        "wasi:filesystem/types@0.2.0",
        "wasi:cli/environment@0.2.0",
        "wasi:clocks/wall-clock@0.3.0",
        "evil",
    ] {
        let package = pack(&component(&[foreign]), MANIFEST).unwrap();
        assert!(
            matches!(inspect(&package), Err(InspectError::ForeignImport(name)) if name == foreign),
            "{foreign}"
        );
    }
    let later = pack(&component(&["longshore:connector/http@0.2.0"]), MANIFEST).unwrap();
    assert!(matches!(
        inspect(&later),
        Err(InspectError::ContractLine { .. })
    ));
    let hollow = pack(&wat::parse_str("(component)").unwrap(), MANIFEST).unwrap();
    assert!(matches!(inspect(&hollow), Err(InspectError::MissingExport)));
    assert!(matches!(
        inspect(&component(&[])),
        Err(InspectError::NoManifest)
    ));
    assert!(matches!(
        inspect(&wat::parse_str("(module)").unwrap()),
        Err(InspectError::NoComponent)
    ));
    assert!(matches!(inspect(b"hello"), Err(InspectError::NoComponent)));
    let notes = format!("{MANIFEST}\n[[engagements]]\nname = \"note\"\nsupports = [\"read\"]\n");
    assert!(matches!(
        inspect(&pack(&component(&[]), &notes).unwrap()),
        Err(InspectError::Differs(_))
    ));
    let mut cut = pack(&component(&[]), MANIFEST).unwrap();
    cut.truncate(cut.len() - 1);
    assert!(matches!(inspect(&cut), Err(InspectError::Invalid(_))));
}

#[test]
fn a_manifest_inside_a_nested_module_does_not_count() {
    let nested = r#"(component (core module (@custom "longshore:manifest" "x")) (instance $i) (export "longshore:connector/source@0.1.0" (instance $i)))"#;
    let package = pack(&wat::parse_str(nested).unwrap(), MANIFEST).unwrap();
    assert_eq!(inspect(&package).unwrap().manifest.id, "acme");
    let twice =
        r#"(component (@custom "longshore:manifest" "x") (@custom "longshore:manifest" "y"))"#;
    assert!(matches!(
        inspect(&wat::parse_str(twice).unwrap()),
        Err(InspectError::Differs(_))
    ));
}

#[test]
fn consent_says_all_and_an_upgrade_tells_only_what_is_wider() {
    let old = Manifest::parse(MANIFEST).unwrap();
    let shown =
        Consent::new(&inspect(&pack(&component(&[]), MANIFEST).unwrap()).unwrap()).to_string();
    for words in [
        "Acme CRM 1.0.0 by Acme (not proved)",
        "send GET requests to https://api.acme.com",
        "5.000 requests a second",
        "token added to its requests to https://api.acme.com in the header x-token",
        "5 at once after a rest, 1 in flight",
        "read person records",
        "64 MiB",
        "120000 ms",
        "sha256:",
    ] {
        assert!(shown.contains(words), "{words:?} in {shown}");
    }
    let changed = |old: &str, new: &str| Manifest::parse(&MANIFEST.replacen(old, new, 1)).unwrap();
    assert_eq!(Consent::difference(&old, &old), []);
    assert_eq!(
        Consent::difference(&old, &changed("1.0.0", "1.1.0")),
        [],
        "a version alone widens nothing"
    );
    assert_eq!(
        Consent::difference(&old, &changed("per_second = 5.0", "per_second = 1.0")),
        [],
        "narrower"
    );
    assert_eq!(
        Consent::difference(&changed("[\"GET\"]", "[\"GET\", \"PUT\"]"), &old),
        [],
        "narrower"
    );
    let budget = "concurrency = 1, daily_budget = 10 }";
    assert_eq!(
        Consent::difference(&old, &changed("concurrency = 1 }", budget)),
        [],
        "a budget where there was none is narrower"
    );
    assert_ne!(
        Consent::difference(&changed("concurrency = 1 }", budget), &old),
        [],
        "no budget any more is wider"
    );
    let wider = [
        ("per_second = 5.0", "per_second = 6.0"),
        ("[\"GET\"]", "[\"GET\", \"PUT\"]"),
        ("https://api.acme.com", "https://evil.acme.com"),
        ("supports = [\"read\"]", "supports = [\"read\", \"write\"]"),
        ("name = \"person\"", "name = \"deal\""),
        ("id = \"token\"", "id = \"other\""),
        (
            "rate_limit = { per_second = 5.0, burst = 5, concurrency = 1 }",
            "",
        ),
        ("burst = 5", "burst = 6"),
        ("concurrency = 1", "concurrency = 2"),
        ("x-token", "x-other"),
        ("publisher = \"Acme\"", "publisher = \"Evil\""),
        (
            "concurrency = 1 }",
            "concurrency = 1 }\ncosts = [{ path = \"/**\", cost = 1 }]",
        ),
    ];
    for (from, to) in wider {
        assert!(
            !Consent::difference(&old, &changed(from, to)).is_empty(),
            "{from} to {to}"
        );
    }
    let more_memory = Manifest::parse(&format!("{MANIFEST}\n[limits]\nmemory_mib = 65\n")).unwrap();
    assert_eq!(
        Consent::difference(&old, &more_memory),
        [Line::Memory { mib: 65 }]
    );
}
