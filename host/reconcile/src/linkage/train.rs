//! Estimates a model from the records alone, without labels.
//!
//! Two rounds: in the first every record stands for itself. What is surely one then counts once, so that the second round measures
//! coincidence among records that are not the same. Within a round u is fixed, and m and the prior come by expectation maximisation
//! (Dempster, Laird, Rubin 1977) over the compared pairs; those left out by blocking are taken for what they almost all are: not one.

use super::blocking::unpack;
use super::compare::Comparer;
use super::dependence::{self, Tie};
use super::hash;
use super::level::{Level, Levels};
use super::model::{FieldModel, Model};
use super::records::Sorted;
use super::statistics::{self, FieldStatistics, Shares};

/// A pair and its levels.
pub(super) type Compared = (u64, Levels);

/// What is expected of pairs that are one before any is seen, by level.
const MATCHED: Shares = [0.0, 0.82, 0.08, 0.04, 0.01, 0.05];
/// How many pairs that expectation is worth: enough that a handful of pairs does not overrule it.
const MATCHED_PAIRS: f64 = 20.0;
const STEPS_MAX: usize = 40;
/// Pairs that the expectation is taken over.
const PAIRS_MAX: u64 = 2_000_000;
/// From this probability on, two records count as one when coincidence is measured.
const SURE: f64 = 0.9;

/// A model with nothing learnt but how often values coincide.
pub(super) fn untrained(records: &Sorted, comparer: &Comparer<'_>, seed: u64) -> Model {
    let entities: Vec<u32> = (0..).take(records.ids.len()).collect();
    let statistics = statistics::measure(records, comparer, &entities, seed);
    let field = |statistics| FieldModel::new(MATCHED, statistics);
    Model {
        fields: statistics.into_iter().map(field).collect(),
        ties: vec![],
        prior: -pairs_of(records).log2(),
    }
}

/// The model of the records, of whose pairs those were compared.
pub(super) fn train(
    records: &Sorted,
    comparer: &Comparer<'_>,
    compared: &[Compared],
    untrained: Model,
    seed: u64,
) -> Model {
    let own = Own {
        fields: records.own_fields(),
        bits: untrained.fields.iter().map(|field| field.bits).collect(),
    };
    let patterns = patterns(compared, seed);
    let mut model = maximise(records, &patterns, &own, untrained);
    let entities = sure_entities(records, compared, &own, &model);
    let fields = statistics::measure(records, comparer, &entities, seed);
    let ties = find_ties(records, &model, &own, &entities, seed);
    model.fields = relearn(&model, fields);
    model.ties = ties;
    maximise(records, &patterns, &own, model)
}

/// The fields that are a person's own. A household or a company makes more pairs that agree in all they share than there are duplicates;
/// left alone, expectation maximisation would take those for what it looks for. So a pair whose own fields speak against it teaches
/// nothing, and an own field is learnt from pairs for which another own field speaks.
struct Own {
    fields: Vec<usize>,
    /// What each level is worth before anything is learnt.
    bits: Vec<[f64; 6]>,
}

impl Own {
    fn bits(&self, levels: Levels, field: usize) -> f64 {
        self.bits[field][levels.get(field) as usize]
    }

    /// What all of them but one say.
    fn total(&self, levels: Levels, except: Option<usize>) -> f64 {
        let others = self.fields.iter().filter(|field| Some(**field) != except);
        others.map(|field| self.bits(levels, *field)).sum()
    }

    /// Whether they speak against a pair.
    fn is_against(&self, levels: Levels) -> bool {
        self.total(levels, None) < 0.0
    }

    /// Whether a pair teaches how often a field agrees.
    fn teaches(&self, levels: Levels, field: usize) -> bool {
        !self.fields.contains(&field) || self.total(levels, Some(field)) > 0.0
    }
}

fn relearn(model: &Model, statistics: Vec<FieldStatistics>) -> Vec<FieldModel> {
    let fields = model.fields.iter().zip(statistics);
    fields
        .map(|(field, statistics)| FieldModel::new(field.matched, statistics))
        .collect()
}

fn pairs_of(records: &Sorted) -> f64 {
    let count = records.ids.len() as f64;
    (count * (count - 1.0) / 2.0).max(1.0)
}

/// How many compared pairs have the same levels.
fn patterns(compared: &[Compared], seed: u64) -> Vec<(Levels, f64)> {
    let every = (compared.len() as u64).div_ceil(PAIRS_MAX).max(1);
    let drawn = compared
        .iter()
        .filter(|(pair, _)| every == 1 || hash::pair(seed, *pair).is_multiple_of(every));
    let mut levels: Vec<Levels> = drawn.map(|(_, levels)| *levels).collect();
    levels.sort_unstable();
    let groups = levels.chunk_by(|one, other| one == other);
    groups
        .map(|group| (group[0], group.len() as f64 * every as f64))
        .collect()
}

/// Learns m and the prior. It begins with the pairs whose exact agreements alone could hardly come about by chance in the whole file.
fn maximise(records: &Sorted, patterns: &[(Levels, f64)], own: &Own, mut model: Model) -> Model {
    let teaching: Vec<_> = patterns
        .iter()
        .filter(|(levels, _)| !own.is_against(*levels))
        .collect();
    let all = pairs_of(records);
    let certain: f64 = teaching
        .iter()
        .filter(|(levels, _)| is_certain(&model, *levels, all))
        .map(|(_, count)| count)
        .sum();
    let prior = |matches: f64| {
        let share = ((matches + 0.5) / (all + 1.0)).min(0.5);
        (share / (1.0 - share)).log2()
    };
    model.prior = prior(certain);
    for _ in 0..STEPS_MAX {
        let mut sums = vec![[0.0; 6]; model.fields.len()];
        let mut matches = 0.0;
        for (levels, count) in &teaching {
            let expected = count * model.probability(model.average_bits(*levels));
            matches += expected;
            for (at, sum) in sums.iter_mut().enumerate() {
                if own.teaches(*levels, at) {
                    sum[levels.get(at) as usize] += expected;
                }
            }
        }
        let before = model.prior;
        model.prior = prior(matches);
        for (field, sums) in model.fields.iter_mut().zip(&sums) {
            field.relearn(smoothed(sums));
        }
        if (model.prior - before).abs() < 1e-4 {
            break;
        }
    }
    model
}

fn is_certain(model: &Model, levels: Levels, all: f64) -> bool {
    let (mut chance, mut apart) = (all, 0);
    for (at, field) in model.fields.iter().enumerate() {
        match levels.get(at) {
            Level::Exact => chance *= field.statistics.unmatched[Level::Exact as usize],
            Level::Differ => apart += 1,
            _ => {}
        }
    }
    chance < 0.1 && apart <= 1
}

fn smoothed(sums: &Shares) -> Shares {
    let known: f64 = sums[1..].iter().sum();
    let mut shares = [0.0; 6];
    for at in 1..6 {
        shares[at] = (sums[at] + MATCHED_PAIRS * MATCHED[at]) / (known + MATCHED_PAIRS);
    }
    shares
}

/// What every record is surely one with: the first record of its group.
fn sure_entities(records: &Sorted, compared: &[Compared], own: &Own, model: &Model) -> Vec<u32> {
    let mut entities: Vec<u32> = (0..).take(records.ids.len()).collect();
    for (pair, levels) in compared {
        let (left, right) = unpack(*pair);
        let probability = model.probability(model.bits(records, *levels, left));
        if probability >= SURE && !own.is_against(*levels) {
            let (one, other) = (root(&mut entities, left), root(&mut entities, right));
            entities[one.max(other) as usize] = one.min(other);
        }
    }
    for record in 0..entities.len() {
        let first = root(&mut entities, record as u32);
        entities[record] = first;
    }
    entities
}

fn root(entities: &mut [u32], mut at: u32) -> u32 {
    while entities[at as usize] != at {
        entities[at as usize] = entities[entities[at as usize] as usize];
        at = entities[at as usize];
    }
    at
}

fn find_ties(records: &Sorted, model: &Model, own: &Own, entities: &[u32], seed: u64) -> Vec<Tie> {
    // How many pairs that are one are vetoed by mistake: all that is their own is wrong or not there.
    let (mut none, mut apart) = (1.0, 1.0);
    for at in &own.fields {
        let (field, learnt) = (&records.fields[*at], &model.fields[*at]);
        let known = field.cells.iter().filter(|token| **token != 0).count() as f64;
        let both = (known / field.cells.len().max(1) as f64).powi(2);
        none *= 1.0 - both;
        apart *= 1.0 - both + both * learnt.matched[Level::Differ as usize].min(0.1);
    }
    let odds = model.prior.exp2();
    let vetoed = odds / (1.0 + odds) * pairs_of(records) * (apart - none);
    let missed = |one: usize, other: usize| {
        let exact = |field: usize| model.fields[field].matched[Level::Exact as usize];
        vetoed * exact(one) * exact(other)
    };
    dependence::find_ties(records, entities, seed, missed)
}
