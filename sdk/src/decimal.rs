//! Holds [`Decimal`]: a number as the digits that the source wrote, never read through a float.
//!
//! It does not calculate, and it does not refuse a record: digits that no decimal can hold are handed on as they are, and the
//! host quarantines that one row with its reason.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::failure::{Failure, Result};

/// The digits a decimal may have, whole and fraction together.
pub const MAX_DIGITS: usize = 28;

/// A decimal number, borrowed from the answer where it is written plainly there.
///
/// Shape: `-?digits(.digits)?`. It deserializes from a JSON number or a JSON string that holds a number; `1e3` becomes `1000` and
/// `1.5E-2` becomes `0.015`. It serializes as a string. Trailing zeros are kept, as far as 28 digits allow.
///
/// What cannot be written so (more than 28 digits, `"n/a"`, an object) also deserializes, so that one odd record does not cost the
/// whole page; [`Decimal::is_valid`] tells it, and the host sets the row aside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal<'a> {
    text: Cow<'a, str>,
    valid: bool,
}

impl<'a> Decimal<'a> {
    /// Reads a number as people and JSON write it: sign, digits, fraction, exponent; spaces around it are dropped.
    ///
    /// # Errors
    /// `bad-data` when it is no number or has more than 28 digits.
    pub fn parse(text: &'a str) -> Result<Self> {
        match normalise(text) {
            Some(text) => Ok(Self { text, valid: true }),
            None => Err(Failure::bad_data(
                "decimal",
                format!("{:?} is not a decimal of at most 28 digits", clip(text)),
            )),
        }
    }

    /// Reads a JSON value: a number, or a string with a number in it. What is neither is kept as it is, see [`Decimal::is_valid`].
    pub fn from_raw(raw: &'a RawValue) -> Self {
        let lexeme = raw.get();
        let text = lexeme
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(lexeme);
        match normalise(text) {
            Some(text) => Self { text, valid: true },
            None => Self {
                text: Cow::Borrowed(text),
                valid: false,
            },
        }
    }

    /// The digits, as the rows hold them.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a number of at most 28 digits.
    pub fn is_valid(&self) -> bool {
        self.valid
    }

    /// Whether the number is zero.
    pub fn is_zero(&self) -> bool {
        self.valid
            && self
                .text
                .bytes()
                .all(|byte| !byte.is_ascii_digit() || byte == b'0')
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.valid && self.text.starts_with('-')
    }

    /// The number as an integer, where it is one of 64 bits (`12.00` is).
    pub fn to_integer(&self) -> Option<i64> {
        if !self.valid {
            return None;
        }
        let (whole, fraction) = self.text.split_once('.').unwrap_or((&self.text, ""));
        if fraction.bytes().all(|byte| byte == b'0') {
            whole.parse().ok()
        } else {
            None
        }
    }

    /// The same number, borrowing nothing.
    pub fn into_owned(self) -> Decimal<'static> {
        Decimal {
            text: Cow::Owned(self.text.into_owned()),
            valid: self.valid,
        }
    }
}

impl From<i64> for Decimal<'static> {
    fn from(number: i64) -> Self {
        Self {
            text: Cow::Owned(number.to_string()),
            valid: true,
        }
    }
}

impl fmt::Display for Decimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Decimal<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Decimal<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if raw.get() == "null" {
            return Err(D::Error::custom("null where a number is expected"));
        }
        Ok(Self::from_raw(raw))
    }
}

/// Writes a number without exponent, plus sign, needless leading zeros and negative zero; borrowed where nothing changes.
fn normalise(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim_matches(|character: char| character.is_ascii_whitespace());
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], read_exponent(&unsigned[at + 1..])?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let is_plain = mantissa.len() == unsigned.len()
        && !whole.is_empty()
        && (whole.len() == 1 || !whole.starts_with('0'))
        && whole.len() + fraction.len() <= MAX_DIGITS
        && mantissa.ends_with(|last: char| last.is_ascii_digit())
        && !text.starts_with('+')
        && !(negative && mantissa.bytes().all(|byte| matches!(byte, b'0' | b'.')));
    if is_plain {
        Some(Cow::Borrowed(text))
    } else {
        rewrite(negative, whole, fraction, exponent).map(Cow::Owned)
    }
}

fn read_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // An exponent beyond this moves any non-zero digit out of reach; clamped so that 0e999999999999 is still zero.
    let size = digits.trim_start_matches('0').parse::<i32>().unwrap_or(
        if digits.bytes().all(|b| b == b'0') {
            0
        } else {
            1_000
        },
    );
    Some(if text.starts_with('-') {
        -size.min(1_000)
    } else {
        size.min(1_000)
    })
}

fn rewrite(negative: bool, whole: &str, fraction: &str, exponent: i32) -> Option<String> {
    let digits: String = [whole, fraction].concat();
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let leading = digits.len() - significant.len();
    // The digits read as 0.<significant> x 10^point.
    let point =
        i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()? + i64::from(exponent);
    let shortest = significant.trim_end_matches('0');
    let wanted = i64::try_from(MAX_DIGITS).ok()?;
    if point > wanted || i64::try_from(shortest.len()).ok()? - point.min(0) > wanted {
        return None;
    }
    let kept = if significant.len() > MAX_DIGITS {
        shortest
    } else {
        significant
    };
    let mut out = String::with_capacity(MAX_DIGITS + 3);
    if negative {
        out.push('-');
    }
    match usize::try_from(point) {
        Err(_) => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', usize::try_from(-point).ok()?));
            out.push_str(kept);
        }
        Ok(ahead) if ahead >= kept.len() => {
            out.push_str(kept);
            out.extend(std::iter::repeat_n('0', ahead - kept.len()));
        }
        Ok(ahead) => {
            out.push_str(if ahead == 0 { "0" } else { &kept[..ahead] });
            out.push('.');
            out.push_str(&kept[ahead..]);
        }
    }
    clip_fraction(out)
}

/// Drops trailing zeros of the fraction when only they are over the limit.
fn clip_fraction(mut out: String) -> Option<String> {
    let count = |text: &str| {
        text.bytes().filter(u8::is_ascii_digit).count()
            - usize::from(text.trim_start_matches('-').starts_with("0."))
    };
    while count(&out) > MAX_DIGITS && out.contains('.') && out.ends_with('0') {
        out.pop();
    }
    (count(&out) <= MAX_DIGITS).then_some(out)
}

fn clip(text: &str) -> &str {
    let end = (0..=text.len().min(60))
        .rev()
        .find(|&end| text.is_char_boundary(end))
        .unwrap_or(0);
    &text[..end]
}
