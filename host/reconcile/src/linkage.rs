//! Finds records that are one where no rule says so: a probabilistic matcher, without labels and over any fields.
//!
//! Values are compared by kind, pairs are weighed after Fellegi and Sunter (1969) with what is estimated from the records themselves, and
//! clusters are formed of what agrees among each other. Nothing is merged: it says what it would link, and why. The answer depends on
//! the records and the options alone, not on the order in which they came.

mod hash;

mod level;

mod form;

mod nickname;

mod kind;

mod records;

mod columns;

mod signature;

mod spelling;

mod compare;

mod blocking;

mod statistics;

mod dependence;

mod model;

mod train;

mod cluster;

mod outcome;

mod quality;

pub use columns::choose;
pub use kind::{DateOrder, Kind, SAMPLE, infer, is_answer};
pub use level::{FIELDS_MAX, Level};
pub use outcome::{Band, Cluster, Evidence, FieldWeights, Linkage, Pair};
pub use quality::{Quality, judge_clusters, judge_pairs};
pub use records::{Column, LinkageError, RecordIndex, Records};

use blocking::unpack;
use compare::Comparer;
use train::Compared;

/// How sure a link must be, and what is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The share of links that shall be right, from 0 to 1.
    pub precision: f64,
    /// Which pairs are drawn where not all are looked at; the same seed gives the same answer.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            precision: 0.99,
            seed: 1,
        }
    }
}

/// Below these odds a pair is not kept (log2), whatever else is learnt of its fields.
const KEPT_FROM: f64 = -20.0;
/// No pair is linked below this probability, however sure the others are.
const LINK_MIN: f64 = 0.9;
/// Every pair of this probability or more is shown to a person, if it is not linked.
const REVIEW_MOST: f64 = 0.2;

/// Finds the records that are one.
///
/// # Errors
/// When two records have one id.
pub fn link(records: Records, options: Options) -> Result<Linkage, LinkageError> {
    let records = records.sorted()?;
    let comparer = Comparer::new(&records);
    let untrained = train::untrained(&records, &comparer, options.seed);
    let pairs = blocking::find_pairs(&records);
    let compared = pairs.len() as u64;
    let hopeful = pairs.into_iter().filter_map(|pair| {
        let (left, right) = unpack(pair);
        let levels = comparer.compare(left, right);
        let odds = untrained.prior + untrained.average_bits(levels);
        (odds >= KEPT_FROM).then_some((pair, levels))
    });
    let kept: Vec<Compared> = hopeful.collect();
    let model = train::train(&records, &comparer, &kept, untrained, options.seed);
    let mut pairs: Vec<Pair> = kept
        .into_iter()
        .map(|(pair, levels)| {
            let (left, right) = unpack(pair);
            let weight = model.bits(&records, levels, left);
            Pair {
                left: RecordIndex(left),
                right: RecordIndex(right),
                weight,
                probability: model.probability(weight),
                band: Band::Distinct,
                levels,
            }
        })
        .collect();
    let (link_from, review_from) = thresholds(&pairs, options.precision);
    for pair in &mut pairs {
        pair.band = match pair.probability {
            probability if probability >= link_from => Band::Link,
            probability if probability >= review_from => Band::Review,
            _ => Band::Distinct,
        };
    }
    let links: Vec<cluster::Link> = pairs
        .iter()
        .filter(|pair| pair.band == Band::Link)
        .map(|pair| (pair.left.0, pair.right.0, model.prior + pair.weight))
        .collect();
    let groups = cluster::find_groups(records.ids.len(), &links, |left, right| {
        model.prior + model.bits(&records, comparer.compare(left, right), left)
    });
    let clusters = groups
        .into_iter()
        .map(|group| Cluster {
            members: group.into_iter().map(RecordIndex).collect(),
        })
        .collect();
    let mut linkage = Linkage {
        records,
        model,
        compared,
        link_from,
        review_from,
        pairs,
        clusters,
    };
    linkage.settle_bands();
    Ok(linkage)
}

/// The probabilities from which on pairs are linked and reviewed: as low as the wanted precision allows over all links together, and so
/// that of what is one no larger share is left to nobody's eyes.
fn thresholds(pairs: &[Pair], precision: f64) -> (f64, f64) {
    let mut probabilities: Vec<f64> = pairs.iter().map(|pair| pair.probability).collect();
    probabilities.sort_unstable_by(|a, b| b.total_cmp(a));
    let (mut sum, mut count, mut link_from) = (0.0, 0.0, 1.0);
    for probability in &probabilities {
        (sum, count) = (sum + probability, count + 1.0);
        if sum < precision * count || *probability < LINK_MIN {
            break;
        }
        link_from = *probability;
    }
    let all: f64 = probabilities.iter().rev().sum();
    let (mut lost, mut review_from) = (0.0, link_from);
    for probability in probabilities.iter().rev() {
        lost += probability;
        if lost > (1.0 - precision) * all || *probability >= link_from {
            review_from = probability.min(link_from);
            break;
        }
    }
    (link_from, review_from.clamp(0.01, REVIEW_MOST))
}

#[cfg(test)]
mod tests;
