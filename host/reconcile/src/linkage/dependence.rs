//! Which fields agree together: a suburb and its postcode, the address and the telephone of a household.
//!
//! Evidence that comes in company counts once. The tree of the strongest ties between two fields is that of Chow and Liu (1968), measured
//! on records that are not the same. It knows neither kinds nor weights.

use super::hash;
use super::level::{Level, Levels};
use super::records::Sorted;

/// Records that are looked at.
const SAMPLE: usize = 200_000;
/// A tie of fewer bits is none.
const BITS_MIN: f64 = 0.5;

/// Two fields that agree together. Every field is the child of at most one.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    /// The field that keeps its weight.
    pub(super) parent: usize,
    /// The field that repeats it.
    pub(super) child: usize,
    /// log2 of how much more often both agree than if they had nothing to do with each other.
    pub(super) bits: f64,
}

impl Edge {
    /// What is taken off a pair's weight, where both fields agree exactly: never more than one of them has brought.
    pub(super) fn damping(&self, levels: Levels, weight: impl Fn(usize) -> f64) -> f64 {
        let both = [self.parent, self.child];
        if both.iter().any(|field| levels.get(*field) != Level::Exact) {
            return 0.0;
        }
        self.bits
            .min(weight(self.parent))
            .min(weight(self.child))
            .max(0.0)
    }
}

/// The ties between the fields of records that are not the same. `entities` names for every record what it is one with; `missed` tells
/// how many pairs that are one are still taken for two and agree on both fields.
pub(super) fn find_edges(
    records: &Sorted,
    entities: &[u32],
    seed: u64,
    missed: impl Fn(usize, usize) -> f64,
) -> Vec<Edge> {
    let sample = sample(entities, seed);
    let share = sample.len() as f64 / entities.len().max(1) as f64;
    let mut ties = Vec::new();
    for one in 0..records.fields.len() {
        for other in one + 1..records.fields.len() {
            let missed = missed(one, other) * share * share;
            let bits = tie(records, &sample, one, other, missed);
            if bits >= BITS_MIN {
                ties.push((one, other, bits));
            }
        }
    }
    ties.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    rooted(&ties, records.fields.len())
}

/// The tree of the strongest ties, each pointing away from the first field of its part: Prim's algorithm.
fn rooted(ties: &[(usize, usize, f64)], fields: usize) -> Vec<Edge> {
    let mut is_in = vec![false; fields];
    let mut edges = Vec::new();
    for root in 0..fields {
        if std::mem::replace(&mut is_in[root], true) {
            continue;
        }
        let mut part = vec![root];
        loop {
            let next = ties.iter().find_map(|(one, other, bits)| {
                let (parent, child) = match (part.contains(one), part.contains(other)) {
                    (true, false) => (*one, *other),
                    (false, true) => (*other, *one),
                    _ => return None,
                };
                let bits = *bits;
                Some(Edge {
                    parent,
                    child,
                    bits,
                })
            });
            let Some(edge) = next else { break };
            is_in[edge.child] = true;
            part.push(edge.child);
            edges.push(edge);
        }
    }
    edges
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

fn tie(records: &Sorted, sample: &[u32], one: usize, other: usize, missed: f64) -> f64 {
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
    let alone = coincidences(both.iter().map(|(a, _)| u64::from(*a)))
        * coincidences(both.iter().map(|(_, b)| u64::from(*b)));
    let count = both.len() as f64;
    let pairs = (count * (count - 1.0) / 2.0).max(1.0);
    // One of each is nothing: a few coincidences in a small file are no tie.
    (((together - missed).max(0.0) + 1.0) / (alone / pairs + 1.0)).log2()
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
