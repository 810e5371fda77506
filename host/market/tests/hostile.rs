//! Hostile texts: the parsers of manifests, signatures and lists answer, whatever they are given, and never panic.
#![expect(clippy::unwrap_used, reason = "what prepares a test may fail with it")]

use market::{Manifest, Revocations, Revoked, Rotation, SecretKey, SignatureFile, inspect, pack};
use proptest::prelude::*;

const MANIFEST: &str = r#"
id = "acme"
name = "Acme CRM"
version = "1.0.0"
publisher = "Acme"
contract = "0.1"
description = "Reads Acme"
homepage = "https://acme.example"
[[endpoints]]
id = "api"
url = "https://{company}.acme.com"
methods = ["GET"]
parameters = { company = { label = "company", pattern = "[a-z]{1,20}" } }
rate_limit = { per_second = 5.0, burst = 5, concurrency = 1, daily_budget = 9 }
costs = [{ path = "/**", cost = 2 }]
[[credentials]]
kind = "oauth2"
id = "oauth"
authorize_url = "https://acme.com/authorize"
token_url = "https://acme.com/token"
scopes = ["read"]
client_auth = "basic"
inject = { header = "authorization", prefix = "Bearer ", endpoints = ["api"] }
[[objects]]
name = "person"
supports = ["read"]
[settings.depth]
type = "integer"
default = 3
description = "How deep"
[limits]
memory_mib = 64
"#;

fn package() -> Vec<u8> {
    let component =
        r#"(component (instance $i) (export "longshore:connector/source@0.1.0" (instance $i)))"#;
    pack(&wat::parse_str(component).unwrap(), MANIFEST).unwrap()
}

fn signature() -> String {
    let key = SecretKey::from_seed([1; 32]);
    let rotation = Rotation::announce(&SecretKey::from_seed([2; 32]), key.public());
    let inspection = inspect(&package()).unwrap();
    let file = SignatureFile::sign(&inspection, &key, &[rotation]).unwrap();
    file.text().to_owned()
}

fn revocations() -> String {
    let key = SecretKey::from_seed([3; 32]);
    let revoked = (Revoked::Key(key.public()), "stolen".to_owned());
    Revocations::sign(&key, 7, &[revoked])
        .unwrap()
        .text()
        .to_owned()
}

/// A text with a piece cut out and another put in its place.
fn bent(text: String) -> impl Strategy<Value = String> {
    let end = text.len();
    let piece = prop_oneof![
        ".{0,12}",
        "[\\[\\]{}()\"'=\\\\.,#\n\r\t|*+?^$-]{0,8}",
        Just(String::new()),
        Just("[".repeat(400)),
        Just("x = {".repeat(300)),
        Just("(".repeat(300)),
        Just("99999999999999999999".to_owned()),
        Just("-inf".to_owned()),
    ];
    (0..=end, 0..40_usize, piece).prop_map(move |(at, cut, piece)| {
        let mut bytes = text.clone().into_bytes();
        let to = (at + cut).min(bytes.len());
        bytes.splice(at..to, piece.into_bytes());
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every refusal has a line that is in the text, and a remedy; what is let through is let through again.
    #[test]
    fn a_bent_manifest_is_read_or_refused(text in bent(MANIFEST.to_owned())) {
        match Manifest::parse(&text) {
            Ok(manifest) => prop_assert_eq!(Manifest::parse(&text).unwrap(), manifest),
            Err(error) => {
                prop_assert!(!error.problems.is_empty());
                for problem in error.problems {
                    prop_assert!((1..=text.matches('\n').count() + 1).contains(&problem.line), "{problem}");
                    prop_assert!(!problem.remedy.is_empty() && !problem.message.contains('\u{1b}'), "{problem}");
                }
            }
        }
    }

    #[test]
    fn any_text_at_all_is_read_or_refused(text in "\\PC{0,200}", lines in prop::collection::vec("[a-z: 0-9]{0,40}", 0..20)) {
        for text in [text, lines.join("\n")] {
            if let Err(error) = Manifest::parse(&text) {
                prop_assert!(!error.problems.is_empty());
            }
            prop_assert!(SignatureFile::parse(&text).is_err());
            prop_assert!(Revocations::parse(&text).is_err());
        }
    }

    /// Whatever is changed in a signed text, it is not accepted as something else than was signed.
    #[test]
    fn a_bent_signature_is_refused(text in bent(signature())) {
        if let Ok(file) = SignatureFile::parse(&text) {
            let right = SignatureFile::parse(&signature()).unwrap();
            prop_assert_eq!(&file.envelope, &right.envelope);
            prop_assert!(file.rotations.is_empty() || file.rotations == right.rotations);
        }
    }

    #[test]
    fn a_bent_list_of_revocations_is_refused(text in bent(revocations())) {
        if let Ok(list) = Revocations::parse(&text) {
            let right = revocations();
            prop_assert_eq!(list.text().trim_end(), right.trim_end());
        }
    }

    /// Bytes of a package that were changed: looked into without a panic, and never with the digest that was signed.
    #[test]
    fn a_bent_package_is_read_or_refused(at in 0..4_096_usize, byte in 1..=255_u8) {
        let mut bytes = package();
        let at = at % bytes.len();
        bytes[at] ^= byte;
        if let Ok(found) = inspect(&bytes) {
            let right = SignatureFile::parse(&signature()).unwrap();
            prop_assert!(right.check(&found).is_err());
        }
    }
}
