//! How right a linkage is, held against what is known to be true.
//!
//! What counts as linked is decided by [`super::Linkage`]: two records of one cluster.

use std::collections::{BTreeMap, HashMap};

use super::outcome::Linkage;

/// Pairs that are right, wrong and missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// Linked, and one.
    pub right: u64,
    /// Linked, and not one.
    pub wrong: u64,
    /// Not linked, and one.
    pub missed: u64,
}

impl Quality {
    /// The share of linked pairs that are right, from 0 to 1; 1 where nothing is linked.
    pub fn precision(&self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    /// The share of pairs to be linked that are, from 0 to 1; 1 where none is to be.
    pub fn recall(&self) -> f64 {
        share(self.right, self.right + self.missed)
    }

    /// The harmonic mean of both.
    pub fn f1(&self) -> f64 {
        share(2 * self.right, 2 * self.right + self.wrong + self.missed)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

/// Holds a linkage against true clusters: `label` names for an id what it belongs to, and nothing where that is not known.
pub fn judge_clusters<'l>(
    linkage: &'l Linkage,
    label: impl Fn(&'l str) -> Option<&'l str>,
) -> Quality {
    let mut sizes: HashMap<&str, u64> = HashMap::new();
    for id in &linkage.records.ids {
        if let Some(label) = label(id) {
            *sizes.entry(label).or_default() += 1;
        }
    }
    let pairs_of = |count: u64| count * count.saturating_sub(1) / 2;
    let all: u64 = sizes.values().map(|count| pairs_of(*count)).sum();
    let mut quality = Quality::default();
    for cluster in &linkage.clusters {
        let mut parts: BTreeMap<&str, u64> = BTreeMap::new();
        let labels = cluster
            .members
            .iter()
            .filter_map(|member| label(linkage.id(*member)));
        labels.for_each(|label| *parts.entry(label).or_default() += 1);
        let right: u64 = parts.values().map(|count| pairs_of(*count)).sum();
        quality.right += right;
        quality.wrong += pairs_of(parts.values().sum()) - right;
    }
    quality.missed = all - quality.right;
    quality
}

/// Holds a linkage against labelled pairs, each with whether it is one. Pairs that are not labelled count as not one if no labelled pair
/// says so itself: then the list is one of all that are one.
pub fn judge_pairs<'l>(
    linkage: &Linkage,
    labelled: impl IntoIterator<Item = (&'l str, &'l str, bool)>,
) -> Quality {
    let mut cluster_of: HashMap<&str, usize> = HashMap::new();
    let mut linked = 0;
    for (at, cluster) in linkage.clusters.iter().enumerate() {
        let count = cluster.members.len() as u64;
        linked += count * (count - 1) / 2;
        for member in &cluster.members {
            cluster_of.insert(linkage.id(*member), at);
        }
    }
    let (mut quality, mut has_distinct) = (Quality::default(), false);
    for (left, right, is_one) in labelled {
        let one = cluster_of.get(left);
        let is_linked = one.is_some() && one == cluster_of.get(right);
        has_distinct |= !is_one;
        match (is_one, is_linked) {
            (true, true) => quality.right += 1,
            (true, false) => quality.missed += 1,
            (false, true) => quality.wrong += 1,
            (false, false) => {}
        }
    }
    if !has_distinct {
        quality.wrong = linked.saturating_sub(quality.right);
    }
    quality
}
