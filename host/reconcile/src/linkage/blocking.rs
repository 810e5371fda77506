//! Which pairs are compared at all: those with a key in common, as long as few records share it.
//!
//! Every field gives keys of its own. A key that too many share is divided by every other key of its records, twice if need be, and
//! counts no more after that: what thousands have in common says nothing. It compares no values.

use super::hash;
use super::kind::Kind;
use super::records::{Field, Sorted, Value};

/// Pairs that one key may give, per hundred records: alone, with a second one, with a third one.
const PAIRS_PER_HUNDRED: [u64; 3] = [100, 50, 20];
/// What a small file may give anyhow.
const PAIRS_MIN: u64 = 20_000;
/// The key of nobody.
const NONE: u64 = 0;

/// A pair as one number: the record that comes first in the high half.
pub(super) fn pack(left: u32, right: u32) -> u64 {
    u64::from(left.min(right)) << 32 | u64::from(left.max(right))
}

/// The records of a packed pair.
pub(super) fn unpack(pair: u64) -> (u32, u32) {
    ((pair >> 32) as u32, pair as u32)
}

/// What one field gives to block by: for each column the keys of all records. A record has as many keys as there are columns.
type Keys = Vec<Vec<u64>>;

/// Every pair to compare, once and in order.
pub(super) fn find_pairs(records: &Sorted) -> Vec<u64> {
    let mut keys: Vec<Keys> = records.fields.iter().flat_map(keys_of).collect();
    keys.extend(swapped_names(records));
    let mut pairs = Pairs::new(records.ids.len());
    // Alone. What is left of each are the keys that too many share.
    let crowded: Vec<Keys> = keys.into_iter().map(|keys| pairs.emit(&keys, 0)).collect();
    // In twos, then in threes, among the crowded only.
    for (at, first) in crowded.iter().enumerate() {
        for (next, second) in crowded.iter().enumerate().skip(at + 1) {
            let left = pairs.emit(&combine(first, second), 1);
            for third in &crowded[next + 1..] {
                pairs.emit(&combine(&left, third), 2);
            }
        }
    }
    pairs.finish()
}

/// The keys of records that have both: every one of the first with every one of the second.
fn combine(first: &Keys, second: &Keys) -> Keys {
    let mut combined = Keys::new();
    for one in first {
        for other in second {
            let both = one.iter().zip(other);
            let keys = both.map(|(a, b)| match (*a, *b) {
                (NONE, _) | (_, NONE) => NONE,
                (a, b) => hash::pair(a, b),
            });
            combined.push(keys.collect());
        }
    }
    combined
}

/// Pairs on their way out.
struct Pairs {
    records: u64,
    found: Vec<u64>,
    /// How many are sorted and occur once.
    settled: usize,
}

impl Pairs {
    fn new(records: usize) -> Self {
        Self {
            records: records as u64,
            found: Vec::new(),
            settled: 0,
        }
    }

    /// Takes the pairs of every block, the small blocks first, until the key has given what it may. Answers the keys whose blocks were
    /// too large, per record.
    fn emit(&mut self, keys: &Keys, depth: usize) -> Keys {
        let entries = keys.iter().zip(0_u32..).flat_map(|(column, place)| {
            let keyed = column.iter().zip(0_u32..);
            keyed
                .filter(|(key, _)| **key != NONE)
                .map(move |(key, record)| (*key, record, place))
        });
        let mut entries: Vec<(u64, u32, u32)> = entries.collect();
        entries.sort_unstable();
        let blocks = || entries.chunk_by(|one, other| one.0 == other.0);
        let size_max = self.size_max(blocks().map(<[_]>::len), depth);
        let mut crowded: Keys = Keys::new();
        for block in blocks() {
            if block.len() > size_max {
                crowded.resize_with(keys.len(), || vec![NONE; self.records as usize]);
                for (key, record, place) in block {
                    crowded[*place as usize][*record as usize] = *key;
                }
                continue;
            }
            for (at, (_, left, _)) in block.iter().enumerate() {
                let others = block[at + 1..].iter().filter(|(_, right, _)| right != left);
                self.found
                    .extend(others.map(|(_, right, _)| pack(*left, *right)));
            }
        }
        // A pair is found by many keys; the heap of them must not grow with their number.
        if self.found.len() > 2 * self.settled + (1 << 22) {
            self.settle();
        }
        crowded
    }

    /// The size up to which all blocks together give no more than the key may.
    fn size_max(&self, sizes: impl Iterator<Item = usize>, depth: usize) -> usize {
        let mut sizes: Vec<usize> = sizes.collect();
        sizes.sort_unstable();
        let mut left = (self.records * PAIRS_PER_HUNDRED[depth] / 100).max(PAIRS_MIN >> depth);
        let mut size_max = usize::MAX;
        for same in sizes.chunk_by(|one, other| one == other) {
            let size = same[0] as u64;
            let pairs = same.len() as u64 * (size * size.saturating_sub(1) / 2);
            if pairs > left {
                // All blocks of a size or none: which one came first must not matter.
                size_max = same[0] - 1;
                break;
            }
            left -= pairs;
        }
        size_max
    }

    fn settle(&mut self) {
        self.found.sort_unstable();
        self.found.dedup();
        self.settled = self.found.len();
    }

    fn finish(mut self) -> Vec<u64> {
        self.settle();
        self.found
    }
}

/// The keys that a field gives, each to be taken alone.
fn keys_of(field: &Field) -> Vec<Keys> {
    let each = |key: &dyn Fn(usize) -> u64| -> Keys {
        let by_value: Vec<u64> = (0..field.values.len()).map(key).collect();
        let keys = field.cells.iter().map(|token| match token {
            0 => NONE,
            token => by_value[*token as usize],
        });
        vec![keys.collect()]
    };
    let text = |token: usize| &*field.values[token].text;
    let whole = |token: usize| hash::text(text(token));
    match field.kind {
        Kind::GivenName | Kind::Surname | Kind::City => {
            vec![each(&|token| field.values[token].sound)]
        }
        Kind::Email => vec![each(&whole), each(&|token| mailbox(text(token)))],
        Kind::Phone => vec![each(&|token| {
            let digits = text(token);
            hash::text(&digits[digits.len().saturating_sub(7)..])
        })],
        Kind::Date(_) | Kind::Postcode | Kind::Domain | Kind::StreetNumber | Kind::Number => {
            vec![each(&whole)]
        }
        Kind::Category => vec![],
        Kind::AddressLine => vec![each(&whole), rare_words(field, 2)],
        Kind::FullName | Kind::Company => vec![rare_words(field, 2)],
        Kind::Text => vec![rare_words(field, 3)],
    }
}

/// The name of a mailbox, where it is long enough to be somebody's.
fn mailbox(text: &str) -> u64 {
    match text.split_once('@') {
        Some((local, _)) if local.len() >= 4 => hash::text(local),
        _ => NONE,
    }
}

/// The words that tell the most, of those that more than one record has.
fn rare_words(field: &Field, count: usize) -> Keys {
    let best = |value: &Value| -> Vec<u64> {
        let words = field.words_of(value).iter().copied();
        let mut words: Vec<u32> = words
            .filter(|word| field.word_counts[*word as usize] > 1)
            .collect();
        words.sort_unstable_by_key(|word| (field.word_counts[*word as usize], *word));
        words.truncate(count);
        words
            .into_iter()
            .map(|word| hash::mix(u64::from(word) + 1))
            .collect()
    };
    let by_value: Vec<Vec<u64>> = field.values.iter().map(best).collect();
    let column = |at: usize| {
        let key = |token: &u32| by_value[*token as usize].get(at).copied().unwrap_or(NONE);
        field.cells.iter().map(key).collect()
    };
    (0..count).map(column).collect()
}

/// Given name and surname, whichever stands where.
fn swapped_names(records: &Sorted) -> Option<Keys> {
    let given = &records.fields[records.find(Kind::GivenName)?];
    let surname = &records.fields[records.find(Kind::Surname)?];
    let names = given.cells.iter().zip(&surname.cells);
    let key = names.map(|(given_token, surname_token)| {
        if *given_token == 0 || *surname_token == 0 {
            return NONE;
        }
        let one = given.values[*given_token as usize].sound;
        let other = surname.values[*surname_token as usize].sound;
        hash::pair(one.min(other), one.max(other))
    });
    Some(vec![key.collect()])
}
