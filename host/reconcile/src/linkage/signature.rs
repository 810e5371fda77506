//! What of a value fits into one number, for a quick no: most values that are compared have nothing to do with each other, and looking at
//! their letters would cost a walk through memory each.
//!
//! It never says yes, and says no only where [`super::compare`] would, but for texts that have nothing in common except words that
//! everybody has. Dates fit whole.

use super::form;
use super::hash;
use super::kind::Kind;
use super::records::{Field, Value};

/// Bits for the letters and digits that occur, and for others.
const LETTERS: u64 = (1 << 40) - 1;
/// The digits among them.
pub(super) const DIGITS: u64 = 0x3ff << 26;
/// A letter of another script, whose letters are not told apart.
const FOREIGN: u64 = 1 << 39;
const LENGTH_AT: u32 = 40;
const LENGTH_MAX: usize = 127;
/// Of a name: it is in the table of nicknames. Of a text: it is one word.
const MARKED: u64 = 1 << 47;
const SPACE: u64 = 1 << 36;
const EXTRA_AT: u32 = 48;
/// A date that is not eight digits.
const NO_DATE: u64 = 1 << 63;
/// A word in one record of so many says nothing.
const COMMON: u32 = 50;

/// Which letters and digits occur in a text.
pub(super) fn letters(text: &str) -> u64 {
    text.bytes().fold(0, |letters, byte| {
        letters
            | 1_u64
                << match byte {
                    b'a'..=b'z' => byte - b'a',
                    b'0'..=b'9' => byte - b'0' + 26,
                    b' ' => 36,
                    other if other.is_ascii() => 37 + other % 2,
                    _ => 39,
                }
    })
}

/// The signature of a value.
pub(super) fn of(field: &Field, value: &Value) -> u64 {
    let text = &*value.text;
    if let Kind::Date(_) = field.kind {
        return packed_date(text);
    }
    let extra = match field.kind {
        // Ten bits of the sound, six of how it begins.
        Kind::GivenName | Kind::Surname | Kind::City => {
            let start = text.get(..3).unwrap_or(text);
            (value.sound & 0x3ff) | (hash::text(start) & 0x3f) << 10
        }
        Kind::Email => hash::text(text.split('@').next().unwrap_or_default()),
        Kind::Postcode => hash::text(form::postal_area(text)),
        Kind::FullName => text
            .split(' ')
            .filter_map(|word| word.bytes().next())
            .fold(0, |bits, initial| bits | 1 << (initial % 16)),
        Kind::Company | Kind::AddressLine | Kind::Text => rare_words(field, value),
        _ => 0,
    };
    let is_one_word = value.words.1 - value.words.0 == 1;
    let is_marked = value.nicknames != 0 || is_one_word;
    value.letters
        | (text.len().min(LENGTH_MAX) as u64) << LENGTH_AT
        | if is_marked { MARKED } else { 0 }
        | (extra & 0xffff) << EXTRA_AT
}

/// One bit in sixteen for each word that is not common.
fn rare_words(field: &Field, value: &Value) -> u64 {
    let most = u32::try_from(field.cells.len()).unwrap_or(u32::MAX) / COMMON;
    let words = field.words_of(value).iter();
    words
        .filter(|word| field.word_counts[**word as usize] <= most.max(2))
        .fold(0, |bits, word| {
            bits | 1 << (hash::mix(u64::from(*word)) % 16)
        })
}

fn packed_date(text: &str) -> u64 {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return NO_DATE;
    }
    text.bytes()
        .fold(0, |packed, digit| packed << 4 | u64::from(digit - b'0'))
}

/// The digits of two dates, four bits each, where both are dates.
pub(super) fn dates(a: u64, b: u64) -> Option<(u64, u64)> {
    ((a | b) & NO_DATE == 0).then_some((a, b))
}

/// Whether two different values of a kind surely have nothing to do with each other.
pub(super) fn is_apart(kind: Kind, a: u64, b: u64) -> bool {
    let length = |signature: u64| (signature >> LENGTH_AT) as usize & LENGTH_MAX;
    let (long_a, long_b) = (length(a), length(b));
    if (a | b) & FOREIGN != 0 || long_a.max(long_b) == LENGTH_MAX {
        return false;
    }
    let changed = ((a ^ b) & LETTERS).count_ones();
    let is_edited = |most: u32| changed <= 2 * most && long_a.abs_diff(long_b) <= most as usize;
    let is_within =
        |short: u64, long: u64| short & !long & LETTERS == 0 && length(short) < length(long);
    let is_part = is_within(a, b) || is_within(b, a);
    let extra = |signature: u64| signature >> EXTRA_AT;
    match kind {
        Kind::GivenName | Kind::Surname | Kind::City => {
            let is_short = long_a.min(long_b) == 1;
            let is_known = a & b & MARKED != 0;
            let same = extra(a) ^ extra(b);
            let is_heard = same & 0x3ff == 0;
            let is_part = is_part && (same >> 10 == 0 || (a | b) & SPACE != 0);
            !(is_short || is_known || is_heard || is_part || is_edited(2))
                && likeness_bound(a, b) < 0.86
        }
        Kind::FullName => extra(a) & extra(b) == 0,
        Kind::Email => {
            let is_numbered = (a ^ b) & DIGITS != 0;
            extra(a) != extra(b) && !is_edited(2) && (is_numbered || likeness_bound(a, b) < 0.93)
        }
        Kind::Phone => !is_edited(1) && !is_part,
        Kind::Number => !is_edited(1) && (a ^ b) & DIGITS != 0,
        Kind::Postcode => extra(a) != extra(b) && !is_edited(1),
        Kind::Company | Kind::AddressLine | Kind::Text => {
            extra(a) & extra(b) == 0
                && !is_edited(2)
                && ((a | b) & MARKED == 0 || (!is_part && likeness_bound(a, b) < 0.86))
        }
        _ => false,
    }
}

/// The most that Jaro and Winkler's likeness can be: every letter that the other lacks is in no match, and both may begin alike.
fn likeness_bound(a: u64, b: u64) -> f32 {
    let length = |signature: u64| (signature >> LENGTH_AT & LENGTH_MAX as u64) as f32;
    let lacking = |mine: u64, other: u64| (mine & !other & LETTERS).count_ones() as f32;
    let matches = (length(a) - lacking(a, b)).min(length(b) - lacking(b, a));
    let jaro = (matches / length(a) + matches / length(b) + 1.0) / 3.0;
    jaro + 0.4 * (1.0 - jaro)
}
