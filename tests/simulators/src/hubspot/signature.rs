//! Signs what webhooks deliver, in the vendor's three ways (fact sheet, section 13).
//!
//! It sends nothing.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

fn hex(digest: impl AsRef<[u8]>) -> String {
    let mut text = String::with_capacity(64);
    for byte in digest.as_ref() {
        write!(text, "{byte:02x}").expect("text grows");
    }
    text
}

/// Version 1: SHA-256 of secret and body, in hexadecimal.
pub fn v1(secret: &str, body: &[u8]) -> String {
    let digest = Sha256::new().chain_update(secret).chain_update(body);
    hex(digest.finalize())
}

/// Version 2: SHA-256 of secret, method, whole address and body, in hexadecimal.
pub fn v2(secret: &str, method: &str, uri: &str, body: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update(secret)
        .chain_update(method)
        .chain_update(uri)
        .chain_update(body);
    hex(digest.finalize())
}

/// Version 3: HMAC-SHA256 of method, whole address, body and timestamp (milliseconds since 1970), in base64.
pub fn v3(secret: &str, method: &str, uri: &str, body: &[u8], timestamp: i64) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key length is good");
    mac.update(method.as_bytes());
    mac.update(decoded(uri).as_bytes());
    mac.update(body);
    mac.update(timestamp.to_string().as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// The address with those escapes undone that the vendor undoes before it signs.
fn decoded(uri: &str) -> String {
    const ESCAPES: [(&str, &str); 12] = [
        ("%3A", ":"),
        ("%2F", "/"),
        ("%3F", "?"),
        ("%40", "@"),
        ("%21", "!"),
        ("%24", "$"),
        ("%27", "'"),
        ("%28", "("),
        ("%29", ")"),
        ("%2A", "*"),
        ("%2C", ","),
        ("%3B", ";"),
    ];
    ESCAPES.iter().fold(uri.to_owned(), |uri, (escape, plain)| {
        uri.replace(escape, plain)
            .replace(&escape.to_ascii_lowercase(), plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2: key `Jefe`, text `what do ya want for nothing?`.
    #[test]
    fn the_third_signature_is_hmac_sha256() {
        use base64::prelude::BASE64_STANDARD;
        let mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let bytes: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(&mac[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        // The timestamp is the only part that is no free text: `0` ends the text no RFC has, so the parts are put together by hand.
        let mut by_hand = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        by_hand.update(b"what do ya want for nothing?");
        assert_eq!(by_hand.finalize().into_bytes().as_slice(), bytes);
        let mut by_hand = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        by_hand.update(b"POSThttps://a.test/b?c=d:e[]1767225600000");
        assert_eq!(
            v3(
                "Jefe",
                "POST",
                "https://a.test/b?c=d%3Ae",
                b"[]",
                1_767_225_600_000
            ),
            BASE64_STANDARD.encode(by_hand.finalize().into_bytes())
        );
    }

    /// SHA-256 of `abc` (FIPS 180-2, appendix B.1), cut into the parts that are signed.
    #[test]
    fn the_older_signatures_are_sha256_of_the_parts() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(v1("a", b"bc"), abc);
        assert_eq!(v2("a", "b", "c", b""), abc);
    }
}
