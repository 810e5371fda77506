//! How far two values agree, by kind.
//!
//! The distances are a library's; what counts as near and far is decided here. Nothing is weighed.

use strsim::{jaro_winkler, osa_distance};

use super::kind::Kind;
use super::level::{Level, Levels};
use super::nickname;
use super::records::{Field, Sorted, Value, has_words};

/// Beyond this a text is compared by its words alone: distances grow with the square of the length.
const LETTERS_MAX: usize = 64;

/// Which fields of the records are compared, and which change places.
#[derive(Debug)]
pub(super) struct Comparer<'r> {
    records: &'r Sorted,
    /// Fields whose values people put in each other's place.
    swaps: Vec<(usize, usize)>,
    given: Option<usize>,
    surname: Option<usize>,
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
        }
    }

    /// The levels of two records, field by field.
    pub(super) fn compare(&self, left: u32, right: u32) -> Levels {
        let mut levels = Levels::default();
        for (at, field) in self.records.fields.iter().enumerate() {
            let (a, b) = (field.cells[left as usize], field.cells[right as usize]);
            let level = match (a, b) {
                (0, _) | (_, 0) => continue,
                (a, b) if a == b => Level::Exact,
                (a, b) => values(field, &field.values[a as usize], &field.values[b as usize]),
            };
            levels = levels.with(at, level);
        }
        for (one, other) in &self.swaps {
            let is_apart = |level| matches!(level, Level::Far | Level::Differ);
            if is_apart(levels.get(*one)) && is_apart(levels.get(*other)) {
                let value = |field: usize, record| self.records.fields[field].value(record);
                let crossed = [(*one, *other), (*other, *one)].into_iter().all(|(x, y)| {
                    value(x, left)
                        .zip(value(y, right))
                        .is_some_and(|(a, b)| a.text == b.text || spelling(a, b) == Level::Near)
                });
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

/// The level of two different values of a field.
fn values(field: &Field, a: &Value, b: &Value) -> Level {
    let kind = field.kind;
    match kind {
        Kind::GivenName | Kind::Surname => spelling(a, b),
        Kind::City => spelling(a, b),
        Kind::Email => addresses(a, b),
        Kind::Date(_) => dates(a, b),
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

/// Two names, spelt differently.
fn spelling(a: &Value, b: &Value) -> Level {
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
    let bound = jaro_winkler_bound(a, b);
    if bound >= 0.84 {
        if long - short <= 2 {
            let edits = osa_distance(x, y);
            if (edits == 1 && short >= 4) || (edits == 2 && short >= 8) {
                return Level::Near;
            }
            if (edits == 1 && long >= 3) || (edits == 2 && short >= 5) {
                return Level::Far;
            }
        }
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
fn jaro_winkler_bound(a: &Value, b: &Value) -> f64 {
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

fn edits_within(a: &Value, b: &Value, most: usize) -> bool {
    let apart = (a.letters ^ b.letters).count_ones() as usize;
    a.text.len().abs_diff(b.text.len()) <= most
        && apart <= 2 * most
        && a.text.len() <= 4 * LETTERS_MAX
        && osa_distance(&a.text, &b.text) <= most
}

fn addresses(a: &Value, b: &Value) -> Level {
    if edits_within(a, b, 2) {
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
    let is_alike = jaro_winkler_bound(a, b) >= 0.93
        && is_long
        && jaro_winkler(local_a, local_b) >= 0.9
        && jaro_winkler(domain_a, domain_b) >= 0.9;
    if is_alike { Level::Far } else { Level::Differ }
}

fn dates(a: &Value, b: &Value) -> Level {
    if edits_within(a, b, 1) {
        return Level::Near;
    }
    let (x, y) = (&*a.text, &*b.text);
    if x.len() != 8 || y.len() != 8 || !x.is_ascii() || !y.is_ascii() {
        return Level::Differ;
    }
    if x[..4] == y[..4] && x[4..6] == y[6..] && x[6..] == y[4..6] {
        return Level::Near;
    }
    let same = usize::from(x[..4] == y[..4])
        + usize::from(x[4..6] == y[4..6])
        + usize::from(x[6..] == y[6..]);
    if same == 2 || edits_within(a, b, 2) {
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
        return Level::Near;
    }
    let common = a.text.bytes().zip(b.text.bytes());
    let prefix = common.take_while(|(x, y)| x == y).count();
    let is_area = prefix >= 3 || (prefix == 2 && a.text.len().min(b.text.len()) <= 4);
    if is_area || edits_within(a, b, 2) {
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
    let letters = spelling(a, b);
    let likely = match letters {
        Level::Near => return Level::Near,
        // Two long texts begin alike easily.
        Level::Far if a.text.len().min(b.text.len()) <= 16 || share >= 0.3 => Level::Far,
        _ => Level::Differ,
    };
    if share >= 0.5 { Level::Far } else { likely }
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
    let (mut close, mut loose, mut count) = (0, 0, 0);
    for word in few.split(' ') {
        let like = many.split(' ').map(|other| word_level(word, other));
        count += 1;
        match like.min() {
            Some(Level::Exact | Level::Near) => close += 1,
            Some(Level::Far) => loose += 1,
            _ => {}
        }
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
    } else if nickname::lines(word) & nickname::lines(other) != 0 {
        Level::Far
    } else {
        Level::Differ
    }
}
