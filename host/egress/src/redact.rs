//! Takes live secrets out of what a server answers: plain, in base64 at any position, percent-encoded, escaped as
//! JSON, in hexadecimal.
//!
//! It finds exact forms only: a server that helps a connector by turning the secret around is not stopped here.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind, packed};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use vault::SecretText;

/// What stands in place of a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// Shorter texts are too likely to be data.
const SECRET_MIN_BYTES: usize = 6;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Finds the forms of some secrets in one pass. Nearly every answer has none, and that is what is made fast.
pub(crate) struct Scrubber(Option<Finder>);

struct Finder {
    /// Says where a form may begin, with vector instructions, where the machine has them and the beginnings are few. The automaton
    /// alone looks for rare bytes first, and JSON is full of those that a token has: it took 7 % of a whole migration's time.
    quick: Option<packed::Searcher>,
    exact: AhoCorasick,
}

impl Finder {
    fn new(forms: &BTreeSet<Vec<u8>>) -> Self {
        let exact = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(forms)
            .expect("a few texts of some kilobytes are far from its limits");
        // The forms of a secret are many, and begin in a few ways; the vector search takes 64.
        let beginnings: BTreeSet<&[u8]> =
            forms.iter().map(|form| &form[..SECRET_MIN_BYTES]).collect();
        let mut quick = packed::Config::new()
            .match_kind(packed::MatchKind::LeftmostFirst)
            .builder();
        Self {
            quick: quick.extend(beginnings).build(),
            exact,
        }
    }

    fn is_match(&self, bytes: &[u8]) -> bool {
        match self.quick.as_ref().map(|quick| quick.find(bytes)) {
            Some(None) => false,
            Some(Some(first)) => self.exact.is_match(&bytes[first.start()..]),
            None => self.exact.is_match(bytes),
        }
    }
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scrubber")
    }
}

impl Scrubber {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretText>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            let text = secret.expose();
            if text.len() < SECRET_MIN_BYTES {
                tracing::warn!(
                    "a secret of less than {SECRET_MIN_BYTES} bytes is not redacted from answers"
                );
                continue;
            }
            add_forms(text, &mut forms);
            // A client secret stands in its header as a form has it, and then in base64 (RFC 6749, section 2.3.1).
            let as_form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            if as_form != text {
                add_forms(&as_form, &mut forms);
            }
        }
        Self((!forms.is_empty()).then(|| Finder::new(&forms)))
    }

    /// The bytes without secrets; the same vector when there are none.
    pub(crate) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(finder) = &self.0 else { return bytes };
        if !finder.is_match(&bytes) {
            return bytes;
        }
        let mut clean = Vec::with_capacity(bytes.len());
        finder
            .exact
            .replace_all_with_bytes(&bytes, &mut clean, |_, _, out| {
                out.extend_from_slice(REDACTED.as_bytes());
                true
            });
        clean
    }

    /// The text without secrets.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(finder) = &self.0 else {
            return Cow::Borrowed(text);
        };
        if !finder.is_match(text.as_bytes()) {
            return Cow::Borrowed(text);
        }
        let mut clean = String::with_capacity(text.len());
        finder
            .exact
            .replace_all_with(text, &mut clean, |_, _, out| {
                out.push_str(REDACTED);
                true
            });
        Cow::Owned(clean)
    }
}

fn add_forms(secret: &str, forms: &mut BTreeSet<Vec<u8>>) {
    let every = |prefix: &str| -> String {
        let bytes = secret.bytes();
        bytes.map(|byte| format!("{prefix}{byte:02X}")).collect()
    };
    let json = serde_json::to_string(secret).expect("a text is JSON");
    let json = &json[1..json.len() - 1];
    let mut bare = vec![secret.to_owned(), json.to_owned(), json.replace('/', "\\/")];
    // What escapes more than it must, and dumps of bytes.
    for form in [every("%"), every("\\u00"), every("")] {
        bare.extend([form.to_ascii_lowercase(), form]);
    }
    // Three bytes make four characters, so within a longer text a secret has three looks; the edges depend on its neighbours.
    for before in 0..3_usize {
        let shifted = [&[0; 2][..before], secret.as_bytes()].concat();
        let first = (before * 8).div_ceil(6);
        let last = shifted.len() * 8 / 6;
        bare.push(STANDARD_NO_PAD.encode(&shifted)[first..last].to_owned());
        bare.push(URL_SAFE_NO_PAD.encode(&shifted)[first..last].to_owned());
    }
    for form in bare {
        add_percent(form, forms);
    }
}

/// The form, and as it stands in an address, and in an address within an address.
fn add_percent(form: String, forms: &mut BTreeSet<Vec<u8>>) {
    let escaped =
        [NON_ALPHANUMERIC, UNRESERVED].map(|set| utf8_percent_encode(&form, set).to_string());
    let spaced = escaped[1].replace("%20", "+");
    let [most, least] = escaped;
    for text in [form, most, least, spaced] {
        for text in [lower_escapes(&text), text] {
            for text in [text.replace('%', "%25"), text] {
                if text.len() >= SECRET_MIN_BYTES {
                    forms.insert(text.into_bytes());
                }
            }
        }
    }
}

/// `%2F` as `%2f`.
fn lower_escapes(text: &str) -> String {
    let mut parts = text.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (escape, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        lower.push('%');
        lower.push_str(&escape.to_ascii_lowercase());
        lower.push_str(rest);
    }
    lower
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    const SECRET: &str = "v1u:AQ/canary+42==\"ü";

    fn scrubber() -> Scrubber {
        Scrubber::new([
            &SecretText::from(SECRET),
            &SecretText::from("0123456789abcdef"),
            &SecretText::from("tiny"),
        ])
    }

    #[test]
    fn every_form_of_a_secret_is_taken_out() {
        let scrubber = scrubber();
        let mut texts = vec![
            format!("Bearer {SECRET}"),
            serde_json::json!({ "token": SECRET }).to_string(),
            serde_json::json!(SECRET).to_string().replace('/', "\\/"),
            utf8_percent_encode(SECRET, NON_ALPHANUMERIC).to_string(),
            lower_escapes(&utf8_percent_encode(SECRET, UNRESERVED).to_string()),
            SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect(),
            SECRET.bytes().map(|byte| format!("{byte:02X}")).collect(),
            utf8_percent_encode(SECRET, UNRESERVED)
                .to_string()
                .replace('%', "%25"),
            utf8_percent_encode(&STANDARD.encode(SECRET), NON_ALPHANUMERIC).to_string(),
        ];
        for before in ["", "a", "ab", "user:", "Bearer "] {
            for after in ["", "!", "!!", "!!!"] {
                texts.push(STANDARD.encode(format!("{before}{SECRET}{after}")));
                texts.push(URL_SAFE.encode(format!("{before}{SECRET}{after}")));
            }
        }
        for text in texts {
            let clean = scrubber.text(&text);
            assert!(clean.contains(REDACTED), "{text} stays {clean}");
            assert!(!clean.contains("canary"), "{clean}");
            assert_eq!(scrubber.bytes(text.clone().into_bytes()), clean.as_bytes());
        }
        assert_eq!(
            scrubber.text("x 0123456789abcdef 0123456789abcdef y"),
            "x [redacted] [redacted] y"
        );
    }

    #[test]
    fn data_stays_as_it_is() {
        let text = "tiny 0123456789abcde v1u:AQ/Canary";
        assert!(matches!(scrubber().text(text), Cow::Borrowed(same) if same == text));
        let body = vec![0, 159, 146, 150, 255];
        assert_eq!(scrubber().bytes(body.clone()), body);
        assert_eq!(Scrubber::new([]).text(text), text);
    }
}
