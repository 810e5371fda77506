//! Manifests that nobody wrote: whatever the text, it is read or refused with lines and remedies. The bounded half of the fuzz target
//! `manifest`.

use market::Manifest;
use proptest::prelude::*;

/// The corpus of the fuzz target, which this test so keeps readable.
const WHOLE: [&str; 2] = [
    include_str!("../../../tests/fuzz/corpus/manifest/pipedrive"),
    include_str!("../../../tests/fuzz/corpus/manifest/small"),
];

const PIECES: [&str; 16] = [
    "[[endpoints]]\n",
    "id = \"api\"\n",
    "url = \"http://x.test\"\n",
    "url = \"https://{a}{b}.x.test@evil\"\n",
    "pattern = \"(\"\n",
    "per_second = nan\n",
    "per_second = -1e309\n",
    "burst = 99999999999999999999\n",
    "[limits]\nmemory_mib = 4294967296\n",
    "[settings.x]\ntype = \"string\"\n",
    "= \"\"\"",
    "[[",
    "}",
    "\"",
    "\u{0}",
    "é\u{202e}",
];

#[test]
fn the_corpus_is_what_it_says() {
    for text in WHOLE {
        Manifest::parse(text).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_manifest_or_refused(
        whole in prop::sample::select(WHOLE.to_vec()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, prop::sample::select(PIECES.to_vec())), 0..4),
    ) {
        let mut text = whole.to_owned();
        for (at, length, piece) in edits {
            let from = text.floor_char_boundary(at.index(text.len() + 1));
            let to = text.floor_char_boundary((from + length).min(text.len()));
            text.replace_range(from..to.max(from), piece);
        }
        match Manifest::parse(&text) {
            Ok(manifest) => {
                for endpoint in &manifest.endpoints {
                    prop_assert!(endpoint.url.starts_with("https://"), "{}", endpoint.url);
                }
                for credential in &manifest.credentials {
                    for id in &credential.injection().endpoints {
                        prop_assert!(manifest.endpoints.iter().any(|endpoint| endpoint.id == *id), "{}", id);
                    }
                }
            }
            Err(error) => {
                prop_assert!(!error.problems.is_empty());
                for problem in &error.problems {
                    prop_assert!(problem.line >= 1 && problem.line <= text.lines().count() + 1, "{}", problem);
                    prop_assert!(!problem.remedy.is_empty());
                }
            }
        }
    }
}
