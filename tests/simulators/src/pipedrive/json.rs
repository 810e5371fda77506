//! Writes JSON straight into bytes, in the order it is told.
//!
//! It builds no tree and checks no shape: keys and values must be told in turn.

use crate::truth::{Amount, Day, Moment, write_seconds};

/// A JSON text being written.
#[derive(Debug, Default)]
pub(super) struct Json(Vec<u8>);

impl Json {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn separate(&mut self) {
        if !matches!(self.0.last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(b',');
        }
    }

    pub(super) fn object(&mut self, inside: impl FnOnce(&mut Self)) {
        self.separate();
        self.0.push(b'{');
        inside(self);
        self.0.push(b'}');
    }

    pub(super) fn array(&mut self, inside: impl FnOnce(&mut Self)) {
        self.separate();
        self.0.push(b'[');
        inside(self);
        self.0.push(b']');
    }

    /// A key; the value must follow. Keys are plain ASCII without quotes.
    pub(super) fn key(&mut self, key: &str) -> &mut Self {
        self.separate();
        self.0.push(b'"');
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
        self
    }

    /// A key made of two parts.
    pub(super) fn key2(&mut self, head: &str, tail: &str) -> &mut Self {
        self.separate();
        self.0.push(b'"');
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(tail.as_bytes());
        self.0.extend_from_slice(b"\":");
        self
    }

    pub(super) fn text(&mut self, text: &str) {
        self.separate();
        serde_json::to_writer(&mut self.0, text).expect("writing to memory cannot fail");
    }

    pub(super) fn number(&mut self, number: u64) {
        self.separate();
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.0.extend_from_slice(&digits[at..]);
    }

    pub(super) fn amount(&mut self, amount: Amount) {
        self.raw(&amount.to_string());
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// 0 or 1, as the first generation writes booleans.
    pub(super) fn bit(&mut self, value: bool) {
        self.number(u64::from(value));
    }

    pub(super) fn null(&mut self) {
        self.raw("null");
    }

    /// Bytes that are JSON already.
    pub(super) fn raw(&mut self, json: &str) {
        self.separate();
        self.0.extend_from_slice(json.as_bytes());
    }

    fn quoted(&mut self, inside: impl FnOnce(&mut Vec<u8>)) {
        self.separate();
        self.0.push(b'"');
        inside(&mut self.0);
        self.0.push(b'"');
    }

    /// `2026-01-05T09:30:00Z`
    pub(super) fn moment_v2(&mut self, moment: Moment) {
        self.quoted(|out| {
            moment.write(out, b'T');
            out.push(b'Z');
        });
    }

    /// `2026-01-05T09:30:00.213Z`
    pub(super) fn moment_millis(&mut self, moment: Moment) {
        self.quoted(|out| {
            moment.write(out, b'T');
            moment.write_millis(out);
            out.push(b'Z');
        });
    }

    /// `2026-01-05 09:30:00`
    pub(super) fn moment_v1(&mut self, moment: Moment) {
        self.quoted(|out| moment.write(out, b' '));
    }

    /// `2026-01-05`
    pub(super) fn day(&mut self, day: Day) {
        self.quoted(|out| day.write(out));
    }

    /// `14:30:00`
    pub(super) fn seconds(&mut self, seconds: u32) {
        self.quoted(|out| write_seconds(out, seconds));
    }

    /// The value as `write` writes it, or null.
    pub(super) fn or_null<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    pub(super) fn number_or_null(&mut self, value: Option<u64>) {
        self.or_null(value, Self::number);
    }

    pub(super) fn text_or_null(&mut self, value: Option<&str>) {
        self.or_null(value, Self::text);
    }

    pub(super) fn numbers(&mut self, values: &[u64]) {
        self.array(|out| values.iter().for_each(|value| out.number(*value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_a_reader_reads_back() {
        let mut out = Json::default();
        out.object(|out| {
            out.key("a").text("x\u{1}\"\\\n,{[:");
            out.key2("b", "_until").array(|out| {
                out.number(0);
                out.number(u64::MAX);
                out.null();
                out.object(|_| ());
                out.array(|_| ());
                out.amount(Amount::cents(-1250));
            });
            out.key("c").bool(true);
        });
        let read: serde_json::Value = serde_json::from_slice(&out.into_bytes()).unwrap();
        let told = serde_json::json!({"a": "x\u{1}\"\\\n,{[:", "b_until": [0, u64::MAX, null, {}, [], -12.5], "c": true});
        assert_eq!(read, told);
    }
}
