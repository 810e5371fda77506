//! Which records belong together: the groups that links make, as far as their members agree among each other.
//!
//! Groups are joined from the strongest link on, two at a time, when their members are one on average (average linkage), so a chain of
//! records that each resemble only the next does not become one record. It scores nothing itself.

use std::collections::BTreeMap;

/// Members of a group that speak for it, when there are more.
const SPEAKERS_MAX: usize = 16;
/// One pair of members counts no more than this many bits for or against, so that one sure link does not outvote the others.
const VOICE_BITS: f64 = 12.0;

/// A link: its records, and its log2 odds.
pub(super) type Link = (u32, u32, f64);

/// Groups of two and more, each in order, in the order of their first. `odds` are log2 odds that two records are one.
pub(super) fn find_groups(
    records: usize,
    links: &[Link],
    odds: impl Fn(u32, u32) -> f64,
) -> Vec<Vec<u32>> {
    let mut order: Vec<&Link> = links.iter().collect();
    order.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    let mut group_of: Vec<u32> = (0..).take(records).collect();
    let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (left, right, _) in order {
        let (one, other) = (group_of[*left as usize], group_of[*right as usize]);
        if one == other {
            continue;
        }
        let members = |group: u32| groups.get(&group).cloned().unwrap_or_else(|| vec![group]);
        let (first, second) = (members(one.min(other)), members(one.max(other)));
        if !agree(&first, &second, &odds) {
            continue;
        }
        for member in &second {
            group_of[*member as usize] = one.min(other);
        }
        groups.remove(&one.max(other));
        let joined = groups
            .entry(one.min(other))
            .or_insert_with(|| first.clone());
        joined.extend(second);
        joined.sort_unstable();
    }
    // A group is named by its first record only while it grows.
    let mut groups: Vec<Vec<u32>> = groups.into_values().collect();
    groups.sort_unstable();
    groups
}

fn agree(first: &[u32], second: &[u32], odds: impl Fn(u32, u32) -> f64) -> bool {
    let (mut total, mut voices) = (0.0, 0.0);
    for one in first.iter().take(SPEAKERS_MAX) {
        for other in second.iter().take(SPEAKERS_MAX) {
            total += odds(*one.min(other), *one.max(other)).clamp(-VOICE_BITS, VOICE_BITS);
            voices += 1.0;
        }
    }
    total >= 0.0 && voices > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_cut_where_its_ends_disagree() {
        let links = [(0, 1, 9.0), (1, 2, 8.0), (2, 3, 9.5)];
        let odds = |one: u32, other: u32| if other - one == 1 { 8.0 } else { -12.0 };
        assert_eq!(find_groups(5, &links, odds), [vec![0, 1], vec![2, 3]]);
    }

    #[test]
    fn a_group_takes_in_who_agrees_with_most_of_it() {
        let links = [(0, 1, 9.0), (1, 2, 8.0)];
        let odds = |one: u32, other: u32| if (one, other) == (0, 2) { -2.0 } else { 8.0 };
        assert_eq!(find_groups(3, &links, odds), [vec![0, 1, 2]]);
    }
}
