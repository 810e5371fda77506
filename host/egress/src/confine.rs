//! Decides whether a path stays below an endpoint, and builds the address from the two.
//!
//! It resolves and sends nothing; where the endpoint's base comes from is the template's business.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Host, Url};

use crate::error::Breach;

/// The longest address that is sent, in bytes.
pub(crate) const ADDRESS_MAX_BYTES: usize = 16 * 1024;

/// What stays as it is in names and values of a query: unreserved characters, and those that vendors' query languages are written in.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b',')
    .remove(b':')
    .remove(b'(')
    .remove(b')')
    .remove(b'*');

/// An endpoint's address after its parameters were filled in: everything sent starts with it.
#[derive(Clone, Debug)]
pub struct Base {
    url: Url,
    /// Without a final slash.
    path: String,
}

impl Base {
    /// `None` when the address has anything beyond scheme, host, port and path.
    pub fn new(url: Url) -> Option<Self> {
        let plain = url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let path = url.path().trim_end_matches('/').to_owned();
        plain.then_some(Self { url, path })
    }

    pub(crate) fn host(&self) -> Option<Host<&str>> {
        self.url.host()
    }

    /// The path of an address below this base, without the base's own.
    pub(crate) fn below<'a>(&self, url: &'a Url) -> &'a str {
        url.path().strip_prefix(&self.path).unwrap_or_default()
    }

    /// The address itself.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The address of `path` below this base, with `query` added: names and values as they are, not encoded. `path` starts with a slash
    /// and is percent-encoded, or is an absolute address inside this base.
    ///
    /// # Errors
    /// [`Breach::Path`] when it is not a path or could leave the base, [`Breach::Size`] when the address becomes too long.
    pub fn join(&self, path: &str, query: &[(String, String)]) -> Result<Url, Breach> {
        let mut text = if path.starts_with("https://") || path.starts_with("http://") {
            self.check_absolute(path)?;
            path.to_owned()
        } else {
            check_path(path)?;
            let origin = &self.url[..url::Position::BeforePath];
            let mut text = String::with_capacity(origin.len() + self.path.len() + path.len() + 64);
            text.extend([origin, &self.path, path]);
            text
        };
        let mut separator = if text.contains('?') { '&' } else { '?' };
        for (name, value) in query {
            text.push(separator);
            text.extend(utf8_percent_encode(name, QUERY));
            text.push('=');
            text.extend(utf8_percent_encode(value, QUERY));
            separator = '&';
        }
        if text.len() > ADDRESS_MAX_BYTES {
            return Err(Breach::Size {
                what: "address",
                limit_bytes: ADDRESS_MAX_BYTES,
            });
        }
        let url = Url::parse(&text).map_err(|_| Breach::Path("does not make an address"))?;
        let asked = text.split('?').next().unwrap_or_default();
        if self.holds(&url) && &url[..url::Position::AfterPath] == asked {
            Ok(url)
        } else {
            Err(Breach::Path("leaves the endpoint"))
        }
    }

    /// Where a redirect from `from` leads, when that is inside this base.
    pub fn redirect(&self, from: &Url, location: &str) -> Option<Url> {
        let url = from.join(location).ok()?;
        // Judged by the words of the server, as far as it gave a path: the parser has already resolved the dots.
        let (given, _) = location.split_once(['?', '#']).unwrap_or((location, ""));
        let dotted = given.split(['/', '\\']).any(is_dotted);
        let inside = !dotted
            && self.holds(&url)
            && url.fragment().is_none()
            && check_path(url.path()).is_ok();
        inside.then_some(url)
    }

    /// A source's "next" address: its origin and base path are ours, and the rest is a path like any other.
    fn check_absolute(&self, text: &str) -> Result<(), Breach> {
        if !text.bytes().all(|byte| {
            byte.is_ascii_graphic()
                && !matches!(
                    byte,
                    b'\\' | b'#' | b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'^' | b'`'
                )
        }) {
            return Err(Breach::Path("has characters that an address does not have"));
        }
        let address = text.split('?').next().unwrap_or_default();
        let after_scheme = address.find("://").map_or(0, |at| at + 3);
        let path = address[after_scheme..]
            .find('/')
            .map_or("", |at| &address[after_scheme + at..]);
        let url = Url::parse(text).map_err(|_| Breach::Path("is not an address"))?;
        if !self.holds(&url) {
            return Err(Breach::Path("is an address outside the endpoint"));
        }
        check_path(path)
    }

    fn holds(&self, url: &Url) -> bool {
        let below = url
            .path()
            .strip_prefix(&self.path)
            .is_some_and(|rest| rest.starts_with('/'));
        url.scheme() == self.url.scheme()
            && url.host() == self.url.host()
            && url.port_or_known_default() == self.url.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && below
    }
}

/// A path that no server on the way can read as leading elsewhere, however often it decodes it.
pub(crate) fn check_path(path: &str) -> Result<(), Breach> {
    if !path.starts_with('/') {
        return Err(Breach::Path("does not start with a slash"));
    }
    if let Some(bad) = path.bytes().find(|byte| !is_path_byte(*byte)) {
        return Err(Breach::Path(match bad {
            b'?' | b'#' => "has a query or a fragment",
            b'\\' => "has a backslash",
            0..=0x1f | 0x7f => "has a control character",
            _ => "has a character that must be percent-encoded",
        }));
    }
    check_segments(path)?;
    if !has_whole_escapes(path) {
        return Err(Breach::Path("has a broken escape"));
    }
    let mut text = Cow::Borrowed(path);
    for _ in 0..4 {
        let decoded = percent_decode_str(&text)
            .decode_utf8()
            .map_err(|_| Breach::Path("has bytes that are not UTF-8"))?
            .into_owned();
        if decoded == text {
            return Ok(());
        }
        if decoded.matches('/').count() != path.matches('/').count() || decoded.contains('\\') {
            return Err(Breach::Path("has an encoded slash"));
        }
        if decoded.chars().any(char::is_control) {
            return Err(Breach::Path("has an encoded control character"));
        }
        check_segments(&decoded)?;
        text = Cow::Owned(decoded);
    }
    Err(Breach::Path("is percent-encoded too often"))
}

/// RFC 3986 `pchar`, percent sign and slash.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte)
}

fn check_segments(path: &str) -> Result<(), Breach> {
    if path.contains("//") {
        return Err(Breach::Path("has an empty segment"));
    }
    if path.split('/').any(is_dotted) {
        return Err(Breach::Path("has a dot segment"));
    }
    Ok(())
}

/// `..;x` is `..` to servers that take parameters off segments.
fn is_dotted(segment: &str) -> bool {
    let bare = segment.split(';').next().unwrap_or_default();
    matches!(bare, "." | "..")
        || matches!(
            bare.to_ascii_lowercase().replace("%2e", ".").as_str(),
            "." | ".."
        )
}

/// Whether every percent sign starts an escape. Only asked of the text as given: one decoded from `%25` is just a percent sign.
fn has_whole_escapes(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .all(|rest| rest.len() >= 2 && rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests;
