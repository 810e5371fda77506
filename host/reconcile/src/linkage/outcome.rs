//! What was decided: bands, pairs with their evidence, clusters.

use super::kind::Kind;
use super::level::{Level, Levels};
use super::model::Model;
use super::records::{RecordIndex, Sorted};

/// What becomes of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// One, with the precision that was asked for.
    Link,
    /// A person should look.
    Review,
    /// Two.
    Distinct,
}

impl Band {
    /// The band as it is written for a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Review => "review",
            Self::Distinct => "distinct",
        }
    }
}

/// Two records that were compared, and what was decided of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The one whose id comes first.
    pub left: RecordIndex,
    /// The other.
    pub right: RecordIndex,
    /// The sum of its evidence, in bits: for being one above 0, against it below.
    pub weight: f64,
    /// The estimated probability that both are one, from 0 to 1.
    pub probability: f64,
    /// What becomes of it.
    pub band: Band,
    pub(super) levels: Levels,
}

/// What one field says of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence<'l> {
    /// Name of the field.
    pub field: &'l str,
    /// How far its values agree.
    pub level: Level,
    /// What that is worth in bits, less what another field has said already.
    pub bits: f64,
}

/// What was learnt of one field. Arrays are by [`Level`], in the order of [`Level::ALL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FieldWeights<'l> {
    /// Name of the field.
    pub field: &'l str,
    /// What it holds.
    pub kind: Kind,
    /// The share of each level among pairs that are one (m).
    pub matched: [f64; 6],
    /// The share of each level among pairs that are not (u).
    pub unmatched: [f64; 6],
    /// What each level is worth in bits; exact agreement on average.
    pub bits: [f64; 6],
}

/// Records that are one, at least two, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its members.
    pub members: Vec<RecordIndex>,
}

/// Which records are one, and why. The same for any order in which the records came.
#[derive(Debug)]
pub struct Linkage {
    pub(super) records: Sorted,
    pub(super) model: Model,
    pub(super) compared: u64,
    pub(super) link_from: f64,
    pub(super) review_from: f64,
    pub(super) pairs: Vec<Pair>,
    pub(super) clusters: Vec<Cluster>,
}

impl Linkage {
    /// How many records there are.
    pub fn records(&self) -> usize {
        self.records.ids.len()
    }

    /// How many pairs were compared.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// The probabilities from which on a pair is linked, and is shown to a person.
    pub fn thresholds(&self) -> (f64, f64) {
        (self.link_from, self.review_from)
    }

    /// The pairs that were worth more than a glance, in the order of their ids. Those that are not here are distinct.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// How many pairs of a band there are; of distinct ones, every other one that was compared.
    pub fn count(&self, band: Band) -> u64 {
        let found = |band| self.pairs.iter().filter(|pair| pair.band == band).count() as u64;
        match band {
            Band::Distinct => self.compared - found(Band::Link) - found(Band::Review),
            band => found(band),
        }
    }

    /// Records that are one, in the order of their first members.
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    /// For each record, in the order of ids, the place of its cluster in [`Linkage::clusters`].
    pub fn cluster_of(&self) -> Vec<Option<usize>> {
        let mut cluster_of = vec![None; self.records.ids.len()];
        for (at, cluster) in self.clusters.iter().enumerate() {
            for member in &cluster.members {
                cluster_of[member.0 as usize] = Some(at);
            }
        }
        cluster_of
    }

    /// The id of a record.
    pub fn id(&self, record: RecordIndex) -> &str {
        &self.records.ids[record.0 as usize]
    }

    /// What every field says of a pair. The bits add up to the pair's weight.
    pub fn evidence(&self, pair: &Pair) -> Vec<Evidence<'_>> {
        let bits = self
            .model
            .field_bits(&self.records, pair.levels, pair.left.0);
        let fields = self.records.fields.iter().zip(bits).enumerate();
        fields
            .map(|(at, (field, bits))| Evidence {
                field: &field.name,
                level: pair.levels.get(at),
                bits,
            })
            .collect()
    }

    /// What was learnt of every field, in the order of the columns.
    pub fn fields(&self) -> impl Iterator<Item = FieldWeights<'_>> {
        let fields = self.records.fields.iter().zip(&self.model.fields);
        fields.map(|(field, model)| FieldWeights {
            field: &field.name,
            kind: field.kind,
            matched: model.matched,
            unmatched: model.statistics.unmatched,
            bits: model.bits,
        })
    }

    /// Fields that agree together more often than each for itself, and the bits that are taken off where both do; the strongest first.
    pub fn ties(&self) -> impl Iterator<Item = (&str, &str, f64)> {
        let name = |at: usize| self.records.fields[at].name.as_str();
        let ties = self.model.ties.iter();
        ties.map(move |tie| (name(tie.one), name(tie.other), tie.bits))
    }

    /// log2 of the odds that any two records are one.
    pub fn prior(&self) -> f64 {
        self.model.prior
    }
}

impl Linkage {
    /// What was linked but did not fit into a cluster is for a person to decide.
    pub(super) fn settle_bands(&mut self) {
        let cluster_of = self.cluster_of();
        for pair in &mut self.pairs {
            let (one, other) = (
                cluster_of[pair.left.0 as usize],
                cluster_of[pair.right.0 as usize],
            );
            if pair.band == Band::Link && (one != other || one.is_none()) {
                pair.band = Band::Review;
            }
        }
    }
}
