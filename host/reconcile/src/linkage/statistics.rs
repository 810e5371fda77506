//! How often records that are not the same agree all the same: the u-probabilities of Fellegi and Sunter (1969).
//!
//! Exact agreement is counted, value by value; the other levels are measured on pairs drawn by a hash. What is known to be one counts
//! once. It weighs nothing.

use super::compare::Comparer;
use super::hash;
use super::level::Level;
use super::records::{Field, Sorted};

/// Random pairs that are drawn.
const DRAWN: u64 = 400_000;
/// How many pairs what is known of a kind is worth.
const USUAL_PAIRS: f64 = 2_000.0;
/// How many records what is known of a kind is worth.
const USUAL_RECORDS: f64 = 50.0;

/// The share of each level among pairs that are not the same, where both have a value.
pub(super) type Shares = [f64; 6];

/// What is known of one field.
#[derive(Clone, Debug)]
pub(super) struct FieldStatistics {
    /// The u-probability of each level.
    pub(super) unmatched: Shares,
    /// The chance that a record which is not the same has this value, by its number.
    pub(super) chance: Vec<f32>,
}

/// Counts and draws, for each field. `entities` names for every record what it is one with.
pub(super) fn measure(
    records: &Sorted,
    comparer: &Comparer<'_>,
    entities: &[u32],
    seed: u64,
) -> Vec<FieldStatistics> {
    let mut drawn = vec![[0.0; 6]; records.fields.len()];
    let count = records.ids.len() as u64;
    for at in 0..DRAWN.min(count * count) {
        let draw = |side: u64| (hash::pair(seed, 2 * at + side) % count) as u32;
        let (left, right) = (draw(0), draw(1));
        if entities[left as usize] == entities[right as usize] {
            continue;
        }
        let levels = comparer.compare(left, right);
        for (field, shares) in drawn.iter_mut().enumerate() {
            shares[levels.get(field) as usize] += 1.0;
        }
    }
    let fields = records.fields.iter().zip(drawn);
    fields
        .map(|(field, drawn)| measure_field(field, &drawn, entities))
        .collect()
}

fn measure_field(field: &Field, drawn: &Shares, entities: &[u32]) -> FieldStatistics {
    let mut owned: Vec<(u32, u32)> = field
        .cells
        .iter()
        .zip(entities)
        .filter(|(token, _)| **token != 0)
        .map(|(token, entity)| (*token, *entity))
        .collect();
    owned.sort_unstable();
    owned.dedup();
    let mut owners = vec![0_u32; field.values.len()];
    for (token, _) in &owned {
        owners[*token as usize] += 1;
    }
    let all = owned.len() as f64;
    let usual = field.kind.usual_coincidence();
    let same: f64 = owners
        .iter()
        .map(|count| f64::from(*count) * (f64::from(*count) - 1.0).max(0.0))
        .sum();
    let pairs = all * (all - 1.0).max(0.0);
    let exact = (same / 2.0 + USUAL_PAIRS * usual) / (pairs / 2.0 + USUAL_PAIRS);
    // Somebody else may have a value that only one has yet: as if one in two had been missed.
    let chance = |count: &u32| {
        let others = f64::from(*count) - 0.5;
        ((others.max(0.5) + USUAL_RECORDS * usual) / (all + USUAL_RECORDS)).min(1.0) as f32
    };
    FieldStatistics {
        unmatched: shares(drawn, exact),
        chance: owners.iter().map(chance).collect(),
    }
}

/// The drawn levels other than exact, which is counted, with a little of each.
fn shares(drawn: &Shares, exact: f64) -> Shares {
    let near_and_far = [Level::Near, Level::Far, Level::Swapped, Level::Differ];
    let little = |level: Level| match level {
        Level::Near => 2.0 * exact.min(0.05),
        Level::Far => 4.0 * exact.min(0.05),
        Level::Differ => 1.0,
        _ => 0.01,
    };
    let weight = |level: Level| drawn[level as usize] + 200.0 * little(level);
    let all: f64 = near_and_far.into_iter().map(weight).sum();
    let mut shares = [0.0; 6];
    for level in near_and_far {
        shares[level as usize] = (1.0 - exact) * weight(level) / all;
    }
    shares[Level::Exact as usize] = exact;
    // Two values in each other's place are two coincidences.
    let close = exact + shares[Level::Near as usize];
    shares[Level::Swapped as usize] = close.max(1e-9);
    shares
}
