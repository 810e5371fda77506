//! How far two texts are spelt alike.
//!
//! Likeness by Jaro and Winkler is a library's; edits are counted here as far as they matter, which is two, and a quick no goes before
//! both.

use strsim::{jaro_winkler, osa_distance};

use super::level::Level;
use super::records::Value;

/// Beyond this a text is compared by its words alone: distances grow with the square of the length.
pub(super) const LETTERS_MAX: usize = 64;

/// Two names, spelt differently.
pub(super) fn spelling(a: &Value, b: &Value) -> Level {
    if a.nicknames & b.nicknames != 0 {
        return Level::Near;
    }
    let (x, y) = (&*a.text, &*b.text);
    let (short, long) = (x.len().min(y.len()), x.len().max(y.len()));
    if short == 1 {
        return if x.as_bytes()[0] == y.as_bytes()[0] {
            Level::Far
        } else {
            Level::Differ
        };
    }
    if long > LETTERS_MAX {
        return Level::Differ;
    }
    if let Some(edits) = edits(a, b, 2) {
        if (edits == 1 && short >= 4) || short >= 8 {
            return Level::Near;
        }
        if (edits == 1 && long >= 3) || short >= 5 {
            return Level::Far;
        }
    }
    if jaro_winkler_bound(a, b) >= 0.86 {
        let likeness = jaro_winkler(x, y);
        if likeness >= 0.94 {
            return Level::Near;
        }
        if likeness >= 0.86 {
            return Level::Far;
        }
    }
    let is_part = |long: &str, short: &str| {
        short.len() >= 3 && (long.starts_with(short) || has_word(long, short))
    };
    if is_part(x, y) || is_part(y, x) || (a.sound != 0 && a.sound == b.sound) {
        return Level::Far;
    }
    Level::Differ
}

fn has_word(text: &str, word: &str) -> bool {
    text.len() > word.len() && text.split(' ').any(|other| other == word)
}

/// The most that Jaro and Winkler's likeness can be, from the letters alone: every letter that the other lacks is in no match.
pub(super) fn jaro_winkler_bound(a: &Value, b: &Value) -> f64 {
    if !a.text.is_ascii() || !b.text.is_ascii() {
        return 1.0;
    }
    let lacking = |mine: &Value, other: &Value| (mine.letters & !other.letters).count_ones();
    let (long_a, long_b) = (a.text.len() as f64, b.text.len() as f64);
    let matches = (long_a - f64::from(lacking(a, b))).min(long_b - f64::from(lacking(b, a)));
    let jaro = (matches / long_a + matches / long_b + 1.0) / 3.0;
    let common = a.text.bytes().zip(b.text.bytes()).take(4);
    let prefix = common.take_while(|(x, y)| x == y).count() as f64;
    jaro + 0.1 * prefix * (1.0 - jaro)
}

/// How many letters were added, left out, replaced or swapped with their neighbour, where they are no more than `most`.
fn edits(a: &Value, b: &Value, most: usize) -> Option<usize> {
    let (x, y) = (a.text.as_bytes(), b.text.as_bytes());
    // One edit changes at most two of the letters that occur at all.
    let apart = (a.letters ^ b.letters).count_ones() as usize;
    if x.len().abs_diff(y.len()) > most || apart > 2 * most {
        return None;
    }
    if !a.text.is_ascii() || !b.text.is_ascii() {
        let edits = osa_distance(&a.text, &b.text);
        return (edits <= most).then_some(edits);
    }
    // What is the same at both ends costs nothing.
    let start = x.iter().zip(y).take_while(|(p, q)| p == q).count();
    let (x, y) = (&x[start..], &y[start..]);
    let same = x.iter().rev().zip(y.iter().rev());
    let end = same.take_while(|(p, q)| p == q).count();
    let (x, y) = (&x[..x.len() - end], &y[..y.len() - end]);
    let edits = match (x, y) {
        ([], rest) | (rest, []) => rest.len(),
        ([_], [_]) => 1,
        ([p, q], [r, s]) if (p, q) == (s, r) => 1,
        _ if most < 2 || x.len().max(y.len()) > LETTERS_MAX => return None,
        ([p, rest @ ..], [q, other @ ..]) => {
            // Two edits: one where they first differ, one later.
            let is_one = |x: &[u8], y: &[u8]| is_one_edit(x, y);
            let is_swap = rest.first() == Some(q) && other.first() == Some(p);
            let is_two = is_one(rest, other)
                || is_one(rest, y)
                || is_one(x, other)
                || (is_swap && is_one(&rest[1..], &other[1..]));
            return is_two.then_some(2);
        }
    };
    (edits <= most).then_some(edits)
}

/// Whether two texts are at most one edit apart.
fn is_one_edit(x: &[u8], y: &[u8]) -> bool {
    if x.len().abs_diff(y.len()) > 1 {
        return false;
    }
    let start = x.iter().zip(y).take_while(|(p, q)| p == q).count();
    let (x, y) = (&x[start..], &y[start..]);
    match (x, y) {
        ([], _) | (_, []) => true,
        ([_, p @ ..], [_, q @ ..]) => {
            p == q
                || x[1..] == *y
                || *x == y[1..]
                || (x.len() >= 2
                    && y.len() >= 2
                    && x[0] == y[1]
                    && x[1] == y[0]
                    && x[2..] == y[2..])
        }
    }
}

/// Whether they are no more than `most` edits apart.
pub(super) fn edits_within(a: &Value, b: &Value, most: usize) -> bool {
    edits(a, b, most).is_some()
}
