//! Signature files and revocation lists: strangers' texts, and signed ones with a piece of them changed. What is let through says what was signed,
//! in the one way in which it can be written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use market::{Revocations, SignatureFile};

const SIGNED: &str = include_str!("../corpus/envelope/signed");
const LIST: &str = include_str!("../corpus/envelope/list");

/// The text with a piece cut out and other bytes in its place: two bytes say where, one how many.
fn bend(text: &str, bytes: &[u8]) -> Option<String> {
    let ([high, low, cut], piece) = bytes.split_first_chunk()?;
    let at = usize::from(u16::from_be_bytes([*high, *low])) % (text.len() + 1);
    let to = (at + usize::from(*cut)).min(text.len());
    let mut bent = text.as_bytes().to_vec();
    bent.splice(at..to, piece.iter().copied());
    String::from_utf8(bent).ok()
}

fn look(text: &str) {
    if let Ok(file) = SignatureFile::parse(text) {
        let said = &file.envelope;
        let lines = format!(
            "longshore package 1\nid: {}\nversion: {}\ncomponent: {}\nmanifest: {}\nkey: {}\nsignature: ",
            said.id, said.version, said.component, said.manifest, said.key
        );
        assert!(text.starts_with(&lines), "{text:?}");
        let right = SignatureFile::parse(SIGNED).expect("it was signed");
        assert_eq!(file.envelope, right.envelope, "nobody here has a key");
        assert!(file.rotations.is_empty() || file.rotations == right.rotations);
    }
    if let Ok(list) = Revocations::parse(text) {
        assert_eq!(list.text().trim_end(), LIST.trim_end(), "nobody here has a key");
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        look(text);
    }
    for text in [SIGNED, LIST] {
        if let Some(bent) = bend(text, bytes) {
            look(&bent);
        }
    }
});
