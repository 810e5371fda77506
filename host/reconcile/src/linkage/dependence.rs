//! Which fields agree together: a suburb and its postcode, the address and the telephone of a household.
//!
//! Evidence that comes in company counts once. Of the fields that agree in a pair, the strongest ties that join them without a circle are
//! taken off: the tree of Chow and Liu (1968), for those fields alone. Ties are measured on records that are not the same.

use super::hash;
use super::level::{FIELDS_MAX, Level, Levels};
use super::records::Sorted;

/// Records that are looked at.
const SAMPLE: usize = 200_000;
/// So many more agreements of the one field without the other are assumed as are seen.
const DOUBT: f64 = 20.0;
/// A tie of fewer bits is none.
const BITS_MIN: f64 = 0.5;

/// Two fields that agree together.
#[derive(Clone, Debug)]
pub(super) struct Tie {
    pub(super) one: usize,
    pub(super) other: usize,
    /// log2 of how much more often both agree than if they had nothing to do with each other.
    pub(super) bits: f64,
    /// How often the other agrees for no other reason than that the one does, from 0 to 1; and the reverse.
    pub(super) follows: (f64, f64),
}

/// Takes off what fields repeat of each other. `ties` are the strongest first; `bits` are the weights of all fields.
///
/// A tree grows from the field that tells the most, always by the strongest tie (Prim); who joins it loses what the tie repeats, and says
/// nothing at the least.
pub(super) fn damp(ties: &[Tie], levels: Levels, bits: &mut [f64; FIELDS_MAX]) {
    let agrees = |field: usize| matches!(levels.get(field), Level::Exact | Level::Near);
    let full = *bits;
    let (mut seen, mut outside) = (0_u32, 0_u32);
    for tie in ties {
        if agrees(tie.one) && agrees(tie.other) {
            outside |= 1 << tie.one | 1 << tie.other;
        }
    }
    while outside != 0 {
        let in_it = |field: &usize| outside & (1 << field) != 0;
        let heavier = |a: &usize, b: &usize| full[*a].total_cmp(&full[*b]).then(b.cmp(a));
        let Some(root) = (0..FIELDS_MAX).filter(in_it).max_by(heavier) else {
            break;
        };
        seen |= 1 << root;
        let next = |seen: u32| {
            ties.iter().find_map(|tie| {
                let is_known = |field: usize| seen & (1 << field) != 0;
                let (parent, child, follows) = match (is_known(tie.one), is_known(tie.other)) {
                    (true, false) => (tie.one, tie.other, tie.follows.0),
                    (false, true) => (tie.other, tie.one, tie.follows.1),
                    _ => return None,
                };
                (agrees(parent) && agrees(child)).then_some((child, follows))
            })
        };
        while let Some((child, follows)) = next(seen) {
            // A value of that weight comes about by chance so often, and else because the parent agrees.
            let chance = (-full[child].max(0.0)).exp2();
            let left = -(follows + (1.0 - follows) * chance).log2();
            bits[child] = bits[child].min(left);
            seen |= 1 << child;
        }
        outside &= !seen;
    }
}

/// The ties between the fields of records that are not the same, the strongest first. `entities` names for every record what it is one
/// with; `missed` tells how many pairs that are one are still taken for two and agree on both fields.
pub(super) fn find_ties(
    records: &Sorted,
    entities: &[u32],
    seed: u64,
    missed: impl Fn(usize, usize) -> f64,
) -> Vec<Tie> {
    let sample = sample(entities, seed);
    let share = sample.len() as f64 / entities.len().max(1) as f64;
    let mut ties = Vec::new();
    for one in 0..records.fields.len() {
        for other in one + 1..records.fields.len() {
            let missed = missed(one, other) * share * share;
            let tie = measure(records, &sample, one, other, missed);
            if tie.bits >= BITS_MIN {
                ties.push(tie);
            }
        }
    }
    ties.sort_by(|a, b| {
        let by_bits = b.bits.total_cmp(&a.bits);
        by_bits.then((a.one, a.other).cmp(&(b.one, b.other)))
    });
    ties
}

/// One record of each entity, and no more than are needed.
fn sample(entities: &[u32], seed: u64) -> Vec<u32> {
    let firsts = entities.iter().zip(0_u32..);
    let firsts = firsts.filter(|(entity, record)| *entity == record);
    let mut sample: Vec<u32> = firsts.map(|(_, record)| record).collect();
    if sample.len() > SAMPLE {
        sample.sort_unstable_by_key(|record| hash::pair(seed, u64::from(*record)));
        sample.truncate(SAMPLE);
    }
    sample
}

fn measure(records: &Sorted, sample: &[u32], one: usize, other: usize, missed: f64) -> Tie {
    let cell = |field: usize, record: &u32| records.fields[field].cells[*record as usize];
    let both: Vec<(u32, u32)> = sample
        .iter()
        .map(|record| (cell(one, record), cell(other, record)))
        .filter(|(a, b)| *a != 0 && *b != 0)
        .collect();
    let together = coincidences(
        both.iter()
            .map(|(a, b)| u64::from(*a) << 32 | u64::from(*b)),
    );
    let together = (together - missed).max(0.0);
    let ones = coincidences(both.iter().map(|(a, _)| u64::from(*a)));
    let others = coincidences(both.iter().map(|(_, b)| u64::from(*b)));
    let count = both.len() as f64;
    let pairs = (count * (count - 1.0) / 2.0).max(1.0);
    let by_chance = ones * others / pairs;
    // One of each is nothing: a few coincidences in a small file are no tie.
    let bits = ((together + 1.0) / (by_chance + 1.0)).log2();
    let follows = |parents: f64| ((together - by_chance) / (parents + DOUBT)).clamp(0.0, 1.0);
    Tie {
        one,
        other,
        bits,
        follows: (follows(ones), follows(others)),
    }
}

/// How many pairs are equal.
fn coincidences(values: impl Iterator<Item = u64>) -> f64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    let groups = values.chunk_by(|one, other| one == other);
    groups
        .map(|group| group.len() as f64 * (group.len() as f64 - 1.0) / 2.0)
        .sum()
}
