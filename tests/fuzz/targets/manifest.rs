//! Manifests of strangers' packages: read, or refused with a line and a remedy; and what is read keeps its promises.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match market::Manifest::parse(text) {
        Ok(manifest) => {
            for endpoint in &manifest.endpoints {
                assert!(endpoint.url.starts_with("https://"), "{}", endpoint.url);
            }
            for credential in &manifest.credentials {
                for id in &credential.injection().endpoints {
                    assert!(manifest.endpoints.iter().any(|endpoint| endpoint.id == *id));
                }
            }
        }
        Err(error) => {
            assert!(!error.problems.is_empty());
            let lines = text.lines().count() + 1;
            for problem in &error.problems {
                assert!(problem.line >= 1 && problem.line <= lines, "{problem}");
                assert!(!problem.remedy.is_empty());
            }
        }
    }
});
