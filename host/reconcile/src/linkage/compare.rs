//! How far two values agree, by kind.
//!
//! The distances are a library's; what counts as near and far is decided here. Nothing is weighed.

use strsim::{jaro_winkler, osa_distance};

use super::form;
use super::kind::Kind;
use super::level::{Level, Levels};
use super::nickname;
use super::records::{Field, Sorted, Value, has_words};
use super::signature::{self, DIGITS};
use super::spelling::{LETTERS_MAX, edits_within, jaro_winkler_bound, spelling};

/// Which fields of the records are compared, and which change places.
#[derive(Debug)]
pub(super) struct Comparer<'r> {
    records: &'r Sorted,
    /// Fields whose values people put in each other's place.
    swaps: Vec<(usize, usize)>,
    given: Option<usize>,
    surname: Option<usize>,
    /// The values of every record side by side, each with its signature: comparing two records reads two places of memory.
    rows: Vec<(u32, u64)>,
}

impl<'r> Comparer<'r> {
    pub(super) fn new(records: &'r Sorted) -> Self {
        let of_kind = |kind: Kind| {
            let fields = records.fields.iter().enumerate();
            fields
                .filter(move |(_, field)| field.kind == kind)
                .map(|(at, _)| at)
        };
        let (given, surname) = (records.find(Kind::GivenName), records.find(Kind::Surname));
        let mut swaps: Vec<_> = given.zip(surname).into_iter().collect();
        let lines: Vec<_> = of_kind(Kind::AddressLine).collect();
        swaps.extend(lines.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        Self {
            records,
            swaps,
            given,
            surname,
            rows: rows(records),
        }
    }

    /// Whether the values of two fields are the same, or a slip apart.
    fn is_close(&self, x: usize, left: (u32, u64), y: usize, right: (u32, u64)) -> bool {
        let (one, other) = (&self.records.fields[x], &self.records.fields[y]);
        if signature::is_apart(one.kind, left.1, right.1) {
            return false;
        }
        let (a, b) = (
            &one.values[left.0 as usize],
            &other.values[right.0 as usize],
        );
        a.text == b.text || spelling(a, b) == Level::Near
    }

    fn row(&self, record: u32) -> &[(u32, u64)] {
        let width = self.records.fields.len();
        &self.rows[record as usize * width..][..width]
    }

    /// The levels of two records, field by field.
    pub(super) fn compare(&self, left: u32, right: u32) -> Levels {
        let mut levels = Levels::default();
        let (row, other_row) = (self.row(left), self.row(right));
        for (at, field) in self.records.fields.iter().enumerate() {
            let ((a, a_signature), (b, b_signature)) = (row[at], other_row[at]);
            let level = match (a, b) {
                (0, _) | (_, 0) => continue,
                (a, b) if a == b => Level::Exact,
                (a, b) => match (field.kind, signature::dates(a_signature, b_signature)) {
                    (Kind::Date(_), Some((x, y))) => dates(x, y),
                    (kind, _) if signature::is_apart(kind, a_signature, b_signature) => {
                        Level::Differ
                    }
                    _ => values(field, &field.values[a as usize], &field.values[b as usize]),
                },
            };
            levels = levels.with(at, level);
        }
        for (one, other) in &self.swaps {
            let is_apart = |level| matches!(level, Level::Far | Level::Differ);
            if is_apart(levels.get(*one)) && is_apart(levels.get(*other)) {
                let crossed = [(*one, *other), (*other, *one)]
                    .into_iter()
                    .all(|(x, y)| self.is_close(x, row[x], y, other_row[y]));
                if crossed {
                    levels = levels
                        .with(*one, Level::Swapped)
                        .with(*other, Level::Swapped);
                }
            }
        }
        self.without_echo(levels, left, right)
    }

    /// The same mailbox name at two hosts says nothing new where it is spelt from the names that agree anyway.
    fn without_echo(&self, mut levels: Levels, left: u32, right: u32) -> Levels {
        for (at, field) in self.records.fields.iter().enumerate() {
            if field.kind != Kind::Email || levels.get(at) != Level::Far {
                continue;
            }
            let is_echo = |record: u32| {
                let local = field
                    .value(record)
                    .and_then(|value| value.text.split('@').next());
                let name = |field: Option<usize>| {
                    field.and_then(|field| self.records.fields[field].value(record))
                };
                let holds = |name: Option<&Value>| {
                    local
                        .zip(name)
                        .is_some_and(|(local, name)| local.contains(&*name.text))
                };
                holds(name(self.surname)) || holds(name(self.given))
            };
            if is_echo(left) && is_echo(right) {
                levels = levels.with(at, Level::Missing);
            }
        }
        levels
    }
}

fn rows(records: &Sorted) -> Vec<(u32, u64)> {
    let width = records.fields.len();
    let mut rows = vec![(0, 0); records.ids.len() * width];
    for (at, field) in records.fields.iter().enumerate() {
        let values = field.values.iter();
        let signatures: Vec<u64> = values.map(|value| signature::of(field, value)).collect();
        for (row, token) in rows.chunks_exact_mut(width).zip(&field.cells) {
            row[at] = (*token, signatures[*token as usize]);
        }
    }
    rows
}

/// The level of two different values of a field.
fn values(field: &Field, a: &Value, b: &Value) -> Level {
    let kind = field.kind;
    match kind {
        Kind::GivenName | Kind::Surname => spelling(a, b),
        Kind::City => spelling(a, b),
        Kind::Email => addresses(a, b),
        // What is no date was written as something else.
        Kind::Date(_) if edits_within(a, b, 1) => Level::Near,
        Kind::Date(_) => Level::Differ,
        Kind::Phone => digits(a, b, 7),
        Kind::StreetNumber => numbers(a, b, 2),
        Kind::Number => numbers(a, b, 4),
        Kind::Postcode => postcodes(a, b),
        Kind::Category => categories(a, b),
        Kind::Domain => match spelling(a, b) {
            Level::Far => Level::Differ,
            level => level,
        },
        _ if has_words(kind) => by_words(field, a, b),
        _ => spelling(a, b),
    }
}

fn addresses(a: &Value, b: &Value) -> Level {
    // ann.lee17@ and amy.lee71@ are two people; a slip seldom changes two figures at once.
    let has_same_digits = (a.letters ^ b.letters) & DIGITS == 0 && {
        let digits = |value: &'_ Value| -> Vec<u8> {
            let bytes = value.text.bytes();
            bytes.filter(u8::is_ascii_digit).collect()
        };
        a.letters & DIGITS == 0 || digits(a) == digits(b)
    };
    if edits_within(a, b, 1) || (has_same_digits && edits_within(a, b, 2)) {
        return Level::Near;
    }
    let parts = a.text.split_once('@').zip(b.text.split_once('@'));
    let Some(((local_a, domain_a), (local_b, domain_b))) = parts else {
        return Level::Differ;
    };
    let is_long = local_a.len().min(local_b.len()) >= 4;
    if local_a == local_b && is_long {
        return Level::Far;
    }
    let is_alike = has_same_digits
        && jaro_winkler_bound(a, b) >= 0.93
        && is_long
        && jaro_winkler(local_a, local_b) >= 0.9
        && jaro_winkler(domain_a, domain_b) >= 0.9;
    if is_alike { Level::Far } else { Level::Differ }
}

/// Two dates of eight digits, four bits each.
fn dates(x: u64, y: u64) -> Level {
    let changed = x ^ y;
    let digits = |number: u64| (0..8).filter(|at| number >> (4 * at) & 15 != 0).count();
    let apart = digits(changed);
    let (year, month, day) = (changed >> 16, changed >> 8 & 255, changed & 255);
    let is_turned = (0..7).any(|at| {
        let pair = |number: u64| number >> (4 * at) & 255;
        let turned = pair(y) >> 4 | (pair(y) & 15) << 4;
        pair(x) == turned && changed == (pair(x) ^ pair(y)) << (4 * at)
    });
    let is_swapped = year == 0 && x & 255 == y >> 8 & 255 && y & 255 == x >> 8 & 255;
    let same = [year, month, day].iter().filter(|part| **part == 0).count();
    if apart <= 1 || is_turned || is_swapped {
        Level::Near
    } else if same == 2 || apart == 2 {
        Level::Far
    } else {
        Level::Differ
    }
}

fn digits(a: &Value, b: &Value, least: usize) -> Level {
    let (x, y) = (&*a.text, &*b.text);
    // A number without its area is the end of the one with it.
    if x.len().min(y.len()) >= least && (x.ends_with(y) || y.ends_with(x)) {
        return Level::Near;
    }
    if edits_within(a, b, 1) {
        Level::Near
    } else {
        Level::Differ
    }
}

fn numbers(a: &Value, b: &Value, least: usize) -> Level {
    let (x, y) = (&*a.text, &*b.text);
    if x.len().min(y.len()) >= least && edits_within(a, b, 1) {
        return Level::Near;
    }
    let number = |text: &str| -> String {
        let digits = text.chars().filter(char::is_ascii_digit);
        digits.collect()
    };
    // "12a" and "12", "INV-7" and "7".
    let is_spelt = x.len() != y.len() && !number(x).is_empty() && number(x) == number(y);
    if is_spelt || edits_within(a, b, 1) {
        Level::Far
    } else {
        Level::Differ
    }
}

fn postcodes(a: &Value, b: &Value) -> Level {
    if edits_within(a, b, 1) {
        Level::Near
    } else if form::postal_area(&a.text) == form::postal_area(&b.text) {
        Level::Far
    } else {
        Level::Differ
    }
}

fn categories(a: &Value, b: &Value) -> Level {
    let is_initial =
        a.text.len().min(b.text.len()) == 1 && a.text.as_bytes()[0] == b.text.as_bytes()[0];
    if is_initial || edits_within(a, b, 1) {
        Level::Near
    } else {
        Level::Differ
    }
}

/// Texts of several words: the share of what their words tell that they have in common, and their letters.
fn by_words(field: &Field, a: &Value, b: &Value) -> Level {
    let share = common_share(field, a, b);
    if field.kind == Kind::FullName {
        return full_names(a, b, share);
    }
    if share >= 0.8 {
        return Level::Near;
    }
    let is_one_word = a.words.1 - a.words.0 == 1 || b.words.1 - b.words.0 == 1;
    let letters = if is_one_word {
        spelling(a, b)
    } else if edits_within(a, b, 2) {
        Level::Near
    } else if share >= 0.2
        && jaro_winkler_bound(a, b) >= 0.9
        && jaro_winkler(&a.text, &b.text) >= 0.9
    {
        // Long texts are easily alike; that they share a word makes it likely that they mean the same.
        Level::Far
    } else {
        Level::Differ
    };
    if share >= 0.5 {
        letters.min(Level::Far)
    } else {
        letters
    }
}

fn common_share(field: &Field, a: &Value, b: &Value) -> f64 {
    let (x, y) = (field.words_of(a), field.words_of(b));
    let bits = |words: &[u32]| -> f64 {
        let bits = words.iter().map(|word| field.word_bits[*word as usize]);
        bits.map(f64::from).sum()
    };
    let (mut common, mut i, mut j) = (0.0, 0, 0);
    while let (Some(left), Some(right)) = (x.get(i), y.get(j)) {
        match left.cmp(right) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                common += f64::from(field.word_bits[*left as usize]);
                (i, j) = (i + 1, j + 1);
            }
        }
    }
    let all = bits(x) + bits(y);
    if all == 0.0 { 0.0 } else { 2.0 * common / all }
}

/// Every word of the shorter name must have its like in the other, in any order.
fn full_names(a: &Value, b: &Value, share: f64) -> Level {
    if share >= 0.999 {
        return Level::Near;
    }
    let (few, many) = if a.text.split(' ').count() <= b.text.split(' ').count() {
        (&*a.text, &*b.text)
    } else {
        (&*b.text, &*a.text)
    };
    let like = |word: &str, level: fn(&str, &str) -> Level| {
        many.split(' ').map(|other| level(word, other)).min()
    };
    let (mut close, mut loose, mut count) = (0, 0, 0);
    for word in few.split(' ') {
        count += 1;
        match like(word, word_level) {
            Some(Level::Exact | Level::Near) => close += 1,
            Some(Level::Far) => loose += 1,
            _ => {}
        }
    }
    // Looking up nicknames takes long, and helps only where the rest of the name fits.
    if close >= 1 && close + loose + 1 == count {
        let short = few
            .split(' ')
            .any(|word| like(word, nicknames) == Some(Level::Far));
        loose += usize::from(short);
    }
    let is_same_count = many.split(' ').count() == count;
    if count >= 2 && close == count && is_same_count {
        Level::Near
    } else if close + loose == count && close >= 1 && (count >= 2 || share >= 0.4) {
        Level::Far
    } else {
        match spelling(a, b) {
            Level::Near => Level::Near,
            _ if share >= 0.6 => Level::Far,
            _ => Level::Differ,
        }
    }
}

fn word_level(word: &str, other: &str) -> Level {
    if word == other {
        return Level::Exact;
    }
    let first = word.as_bytes().first() == other.as_bytes().first();
    if word.len().min(other.len()) == 1 {
        return if first { Level::Far } else { Level::Differ };
    }
    if word.len() > LETTERS_MAX || other.len() > LETTERS_MAX {
        return Level::Differ;
    }
    let is_slip = word.len().abs_diff(other.len()) <= 1
        && word.len().min(other.len()) >= 4
        && osa_distance(word, other) == 1;
    if is_slip || jaro_winkler(word, other) >= 0.93 {
        Level::Near
    } else {
        Level::Differ
    }
}

fn nicknames(word: &str, other: &str) -> Level {
    if word != other && nickname::lines(word) & nickname::lines(other) != 0 {
        Level::Far
    } else {
        Level::Differ
    }
}
