//! Reads JSON without building a tree: a [`Scanner`] walks an answer once, values stay slices of it until somebody wants what they say.
//!
//! The grammar is RFC 8259, checked to the end; what a value means to a vendor (an id as an object, 0 for "none") is the connector's
//! business. For small answers [`crate::Response::json`] with a struct is easier; this is for pages of records.

use std::borrow::Cow;
use std::fmt;

use crate::encode::{clean_prefix, write_string};

/// How deep arrays and objects may lie in each other; as serde_json has it.
const DEPTH_MAX: u32 = 128;

/// Says where a text stops being JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// Byte in the text, from 0.
    pub at: usize,
    /// What should have come there.
    pub expected: &'static str,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} at byte {}", self.expected, self.at)
    }
}

impl std::error::Error for JsonFault {}

/// Walks one JSON text. Every call consumes one whole value; a fault leaves the scanner where it is, of no further use.
#[derive(Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of a text.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// The next value's first byte: `{`, `[`, `"`, `t`, `f`, `n`, `-` or a digit. `None` at the end of the text.
    pub fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.byte()
    }

    /// Passes over the next value and gives its own text, checked.
    ///
    /// # Errors
    /// Where it is not JSON.
    pub fn value(&mut self) -> Result<&'a str, JsonFault> {
        self.skip_space();
        let start = self.at;
        self.pass_value()?;
        Ok(&self.text[start..self.at])
    }

    /// Walks an object: `each` gets the key, its escapes resolved, and must consume the value.
    ///
    /// # Errors
    /// Where it is no object or not JSON, and whatever `each` fails with.
    pub fn object<E: From<JsonFault>>(
        &mut self,
        mut each: impl FnMut(&mut Self, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        self.skip_space();
        self.list(b'{', b'}', "object", |scanner| {
            scanner.skip_space();
            let start = scanner.at;
            let has_escapes = scanner.pass_string()?;
            let inner = &scanner.text[start + 1..scanner.at - 1];
            scanner.skip_space();
            scanner.take(b':', "colon")?;
            if has_escapes {
                each(scanner, &resolve(inner))
            } else {
                each(scanner, inner)
            }
        })
    }

    /// Walks an array: `each` must consume one element.
    ///
    /// # Errors
    /// Where it is no array or not JSON, and whatever `each` fails with.
    pub fn array<E: From<JsonFault>>(
        &mut self,
        each: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.skip_space();
        self.list(b'[', b']', "array", each)
    }

    /// Checks that nothing but space is left.
    ///
    /// # Errors
    /// Where something is.
    pub fn end(&mut self) -> Result<(), JsonFault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault("end of the text")),
        }
    }

    fn list<E: From<JsonFault>>(
        &mut self,
        open: u8,
        close: u8,
        expected: &'static str,
        mut each: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut goes_on = self.open(open, close, expected)?;
        while goes_on {
            each(self)?;
            goes_on = self.goes_on(close)?;
        }
        Ok(())
    }

    /// Steps into a list; whether it has anything.
    fn open(&mut self, open: u8, close: u8, expected: &'static str) -> Result<bool, JsonFault> {
        self.take(open, expected)?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.fault("end of nesting"));
        }
        if self.peek() == Some(close) {
            self.close();
            return Ok(false);
        }
        Ok(true)
    }

    /// Steps over what parts the elements of a list; whether there is another one.
    fn goes_on(&mut self, close: u8) -> Result<bool, JsonFault> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.close();
                Ok(false)
            }
            _ => Err(self.fault("comma or end of a list")),
        }
    }

    fn close(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    fn pass_value(&mut self) -> Result<(), JsonFault> {
        match self.byte() {
            Some(b'"') => self.pass_string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.pass_number(),
            Some(b'n') => self.pass_word("null"),
            Some(b't') => self.pass_word("true"),
            Some(b'f') => self.pass_word("false"),
            Some(b'{') => self.list(b'{', b'}', "object", |scanner| {
                scanner.skip_space();
                scanner.pass_string()?;
                scanner.skip_space();
                scanner.take(b':', "colon")?;
                scanner.skip_space();
                scanner.pass_value()
            }),
            Some(b'[') => self.list(b'[', b']', "array", |scanner| {
                scanner.skip_space();
                scanner.pass_value()
            }),
            _ => Err(self.fault("value")),
        }
    }

    /// Passes over a string and tells whether it has escapes.
    fn pass_string(&mut self) -> Result<bool, JsonFault> {
        self.take(b'"', "string")?;
        let mut has_escapes = false;
        loop {
            self.at += clean_prefix(&self.text.as_bytes()[self.at..]);
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(has_escapes);
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.pass_escape()?;
                }
                Some(_) => return Err(self.fault("control character, escaped,")),
                None => return Err(self.fault("end of a string")),
            }
        }
    }

    fn pass_escape(&mut self) -> Result<(), JsonFault> {
        self.at += 1;
        match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.fault("escape of four digits"));
                }
                self.at += 5;
            }
            _ => return Err(self.fault("escape")),
        }
        Ok(())
    }

    fn pass_number(&mut self) -> Result<(), JsonFault> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.pass_digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.pass_digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.pass_digits()?;
        }
        Ok(())
    }

    fn pass_digits(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.fault("digit"));
        }
        Ok(())
    }

    fn pass_word(&mut self, word: &'static str) -> Result<(), JsonFault> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.fault(word));
        }
        self.at += word.len();
        Ok(())
    }

    fn take(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonFault> {
        if self.byte() != Some(byte) {
            return Err(self.fault(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
    }

    fn fault(&self, expected: &'static str) -> JsonFault {
        JsonFault {
            at: self.at,
            expected,
        }
    }
}

/// The elements of an array, in order, each as its own text. None when the value is no array; it ends early where it is not JSON, which no
/// value is that came out of a [`Scanner`].
pub fn elements(raw: &str) -> impl Iterator<Item = &str> {
    let mut scanner = Scanner::new(raw);
    let mut is_open = scanner.open(b'[', b']', "array").unwrap_or(false);
    std::iter::from_fn(move || {
        if !is_open {
            return None;
        }
        let element = scanner.value().ok()?;
        is_open = scanner.goes_on(b']').unwrap_or(false);
        Some(element)
    })
}

/// Calls back for each element of an array, in order; see [`elements`].
pub fn for_each_element<'a>(raw: &'a str, each: impl FnMut(&'a str)) {
    elements(raw).for_each(each);
}

/// Calls back for each member of an object, in order: the key, its escapes resolved, and the value's own text. Not at all when the value is no
/// object; it ends early where it is not JSON, which no value is that came out of a [`Scanner`].
pub fn for_each_member<'a>(raw: &'a str, mut each: impl FnMut(&str, &'a str)) {
    let walked: Result<(), JsonFault> = Scanner::new(raw).object(|scanner, key| {
        each(key, scanner.value()?);
        Ok(())
    });
    walked.unwrap_or_default();
}

/// A value of the vendor's JSON as the text of a field: a string as it stands, numbers and booleans by their letters, `null` as null, objects and
/// arrays as their JSON.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(pub &'a str);

impl Raw<'_> {
    pub(crate) fn write_text(self, out: &mut Vec<u8>) {
        let Self(raw) = self;
        match raw.as_bytes() {
            [b'"', inner @ .., b'"'] if clean_prefix(inner) == inner.len() => {
                out.extend_from_slice(raw.as_bytes());
            }
            _ => match text(raw) {
                Some(text) => write_string(out, &text),
                None => out.extend_from_slice(b"null"),
            },
        }
    }
}

/// The text of a string. `None` for whatever is not a string.
///
/// A string with a broken escape (half of a surrogate pair, as a source leaves behind when it cuts text by bytes) is read with U+FFFD in its
/// place rather than refused: the rest of the page is good.
pub fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    // Nothing else that needs an escape stands in a whole string.
    if clean_prefix(inner.as_bytes()) == inner.len() {
        return Some(Cow::Borrowed(inner));
    }
    Some(Cow::Owned(resolve(inner)))
}

/// The value as text: a string's text, a number's or boolean's own letters, JSON for objects and arrays, `None` for `null`.
pub fn text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first() {
        Some(b'"') => string(raw),
        Some(b'n') | None => None,
        Some(_) => Some(Cow::Borrowed(raw)),
    }
}

/// The inside of a string, its escapes resolved, U+FFFD for each that makes no sense.
fn resolve(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(escape) = rest.chars().next() else {
            break;
        };
        rest = &rest[escape.len_utf8()..];
        match escape {
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'u' => {
                let (letter, used) = code_point(rest);
                text.push(letter);
                rest = &rest[used..];
            }
            other => text.push(other),
        }
    }
    text.push_str(rest);
    text
}

/// The letter that the hexadecimal digits at the start of `rest` (and of a second escape, for a pair) stand for, and how many bytes they take.
fn code_point(rest: &str) -> (char, usize) {
    let unit = |from: usize| {
        rest.get(from..from + 4)
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
    };
    let Some(first) = unit(0) else {
        return (char::REPLACEMENT_CHARACTER, 0);
    };
    if let Some(letter) = char::from_u32(u32::from(first)) {
        return (letter, 4);
    }
    let second = rest
        .get(4..6)
        .filter(|mark| *mark == "\\u")
        .and_then(|_| unit(6));
    let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    pair.map_or((char::REPLACEMENT_CHARACTER, 4), |letter| (letter, 10))
}

#[cfg(test)]
mod tests;
