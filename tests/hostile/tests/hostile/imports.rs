//! Components that are no connector of this host, or want what no connector gets: refused by name before any code of theirs runs.

use sandbox::{SandboxError, WASI_INTERFACES};

use crate::beside::{Silence, engine, fetch, limits, source};
use crate::guest::Guest;

fn refused(component: &[u8]) -> SandboxError {
    engine().compile(component).expect_err("it is refused")
}

fn importing(name: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (import \"{name}\" (instance)))")).unwrap()
}

/// Names that are refused as such.
const FOREIGN: [&str; 18] = [
    "wasi:sockets/tcp@0.2.0",
    "wasi:sockets/udp@0.2.3",
    "wasi:sockets/ip-name-lookup@0.2.0",
    "wasi:sockets/instance-network@0.2.0",
    "wasi:filesystem/types@0.2.0",
    "wasi:filesystem/preopens@0.2.0",
    "wasi:cli/environment@0.2.0",
    "wasi:cli/stdin@0.2.0",
    "wasi:cli/terminal-stdout@0.2.0",
    "wasi:http/outgoing-handler@0.2.0",
    "wasi:config/store@0.2.0",
    "wasi:keyvalue/store@0.2.0",
    "wasi:clocks/monotonic-clock@0.3.0",
    "wasi:clocks/timezone@0.2.0",
    "wasi:random/random@1.0.0",
    "longshore:connector/secrets@0.1.0",
    "longshore:connector/source@0.1.0",
    "longshore:vault/keys@0.1.0",
];

#[test]
fn foreign_and_unknown_imports_are_refused_by_name() {
    for foreign in FOREIGN {
        let error = refused(&importing(foreign));
        assert!(
            matches!(&error, SandboxError::ForeignImport { name } if name == foreign),
            "{foreign}: {error:?}"
        );
        assert!(error.to_string().contains(foreign));
    }
    let bare = wat::parse_str("(component (import \"open\" (func)))").unwrap();
    assert!(matches!(refused(&bare), SandboxError::ForeignImport { name } if name == "open"));
}

#[test]
fn an_import_that_is_hidden_deep_inside_is_found_at_the_top() {
    // A component inside of another gets only what the outer one hands it, and the outer one gets only what the host has.
    let text = r#"(component
        (import "wasi:sockets/tcp@0.2.0" (instance $sockets))
        (component $inner (import "harmless" (instance)))
        (instance (instantiate $inner (with "harmless" (instance $sockets)))))"#;
    let error = refused(&wat::parse_str(text).unwrap());
    assert!(
        matches!(error, SandboxError::ForeignImport { .. }),
        "{error:?}"
    );
}

#[test]
fn what_wasi_has_for_connectors_is_admitted_in_each_of_its_versions_and_by_the_market_too() {
    let market = include_str!("../../../../host/market/src/inspect.rs");
    for interface in WASI_INTERFACES {
        for version in ["0.2.0", "0.2.12"] {
            // It gets past the names, and is no connector for another reason.
            let error = refused(&importing(&format!("{interface}@{version}")));
            assert!(
                matches!(error, SandboxError::MissingExport { .. }),
                "{error:?}"
            );
        }
        assert!(market.contains(&format!("\"{interface}\"")), "{interface}");
    }
}

#[test]
fn an_interface_of_the_right_name_with_other_functions_is_refused() {
    let text = r#"(component
        (import "longshore:connector/runtime@0.1.0" (instance (export "environment" (func (result string)))))
        (instance $i) (export "longshore:connector/source@0.1.0" (instance $i)))"#;
    let error = refused(&wat::parse_str(text).unwrap());
    assert!(matches!(error, SandboxError::Mismatch(_)), "{error:?}");
    let text = r#"(component
        (import "wasi:random/random@0.2.0" (instance (export "get-environment" (func (result string)))))
        (instance $i) (export "longshore:connector/source@0.1.0" (instance $i)))"#;
    let error = refused(&wat::parse_str(text).unwrap());
    assert!(matches!(error, SandboxError::Mismatch(_)), "{error:?}");
}

#[test]
fn another_contract_line_is_refused_with_both_versions_and_the_fix() {
    for (version, fix) in [
        ("0.2.0", "install a newer Longshore"),
        ("1.0.0", "install a newer Longshore"),
        ("0.0.9", "newer release of the connector"),
    ] {
        let guest = Guest {
            version,
            ..Guest::new()
        };
        let error = refused(&guest.build());
        assert!(
            matches!(error, SandboxError::ContractLine { .. }),
            "{error:?}"
        );
        let told = error.to_string();
        assert!(
            told.contains(&format!("contract {version}")) && told.contains("speaks 0.1"),
            "{told}"
        );
        assert!(told.contains(fix), "{told}");
    }
}

#[tokio::test]
async fn a_later_patch_of_the_same_line_is_spoken() {
    let guest = Guest {
        version: "0.1.7",
        ..Guest::new()
    };
    let connector = engine().compile(&guest.build()).unwrap();
    let (source, _) = source(connector, "later", std::sync::Arc::new(Silence), limits());
    assert_eq!(fetch(&source).await.unwrap().records.len(), 2);
}

#[test]
fn what_lacks_the_exports_of_a_connector_is_refused() {
    let empty = wat::parse_str("(component)").unwrap();
    assert!(matches!(
        refused(&empty),
        SandboxError::MissingExport {
            interface: "source"
        }
    ));
    let hollow =
        r#"(component (instance $i) (export "longshore:connector/source@0.1.0" (instance $i)))"#;
    assert!(matches!(
        refused(&wat::parse_str(hollow).unwrap()),
        SandboxError::Mismatch(_)
    ));
}

#[test]
fn what_is_no_component_is_refused() {
    let good = Guest::new().build();
    let module = wat::parse_str("(module)").unwrap();
    let texts: [&[u8]; 5] = [
        b"",
        b"no wasm",
        &module,
        &good[..good.len() / 2],
        &[0; 4_096],
    ];
    for bytes in texts {
        let error = refused(bytes);
        assert!(matches!(error, SandboxError::Compile(_)), "{error:?}");
    }
}

#[test]
fn features_that_no_connector_needs_are_refused() {
    for module in [
        "(memory i64 1)",
        "(memory 1) (memory 1)",
        "(memory 1 1 shared)",
    ] {
        let text = format!("(component (core module {module}))");
        let error = refused(&wat::parse_str(&text).unwrap());
        assert!(
            matches!(error, SandboxError::Compile(_)),
            "{module}: {error:?}"
        );
    }
}
