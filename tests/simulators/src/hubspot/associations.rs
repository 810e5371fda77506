//! Holds which records are associated, from both sides, and what setting a type does to the others.
//!
//! It does not know whether the records exist.

use super::association_types::{AssociationTypes, Meaning, Spec};
use super::objects::ObjectType;
use std::collections::{BTreeMap, HashMap};

/// One record, by kind and id.
pub type Node = (ObjectType, u64);

/// What becomes of the types that a pair already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// They stay.
    Add,
    /// Only the unlabelled one stays.
    Replace,
}

/// All associations of a portal.
#[derive(Debug, Default)]
pub(super) struct Associations {
    of: HashMap<Node, BTreeMap<Node, Vec<Spec>>>,
}

impl Associations {
    /// Those of a record with records of one kind whose id is greater than `after`, ascending.
    pub(super) fn of(
        &self,
        from: Node,
        to: ObjectType,
        after: u64,
    ) -> impl Iterator<Item = (u64, &[Spec])> {
        self.of.get(&from).into_iter().flat_map(move |all| {
            all.range((to, after.saturating_add(1))..=(to, u64::MAX))
                .map(|((_, id), specs)| (*id, specs.as_slice()))
        })
    }

    /// All of a record.
    pub(super) fn all(&self, from: Node) -> impl Iterator<Item = (Node, &[Spec])> {
        self.of
            .get(&from)
            .into_iter()
            .flatten()
            .map(|(to, specs)| (*to, specs.as_slice()))
    }

    /// The types of a pair; empty where the two are not associated.
    pub(super) fn pair(&self, from: Node, to: Node) -> &[Spec] {
        self.of
            .get(&from)
            .and_then(|all| all.get(&to))
            .map_or(&[], Vec::as_slice)
    }

    /// How many records of a kind a record is associated with.
    pub(super) fn count(&self, from: Node, to: ObjectType) -> usize {
        self.of(from, to, 0).count()
    }

    /// The record of that kind with which a record has the main association.
    pub(super) fn primary(
        &self,
        types: &AssociationTypes,
        from: Node,
        to: ObjectType,
    ) -> Option<u64> {
        let primary = types.primary(from.0, to)?.spec;
        self.of(from, to, 0)
            .find(|(_, specs)| specs.contains(&primary))
            .map(|(id, _)| id)
    }

    /// Associates two records under types that exist in that direction. The unlabelled type always comes along; a primary one moves.
    pub(super) fn link(
        &mut self,
        types: &AssociationTypes,
        from: Node,
        to: Node,
        specs: &[Spec],
        mode: Mode,
    ) {
        if mode == Mode::Replace {
            self.unlink(from, to);
        }
        let unlabelled = types
            .unlabelled(from.0, to.0)
            .map(|kind| (kind.spec, kind.inverse));
        let wanted = specs
            .iter()
            .filter_map(|spec| types.find(from.0, to.0, *spec))
            .map(|kind| (kind.spec, kind.inverse));
        for (spec, inverse) in unlabelled.into_iter().chain(wanted) {
            let meaning = types.find(from.0, to.0, spec).map(|kind| &kind.meaning);
            match meaning {
                Some(Meaning::Primary { single: true }) => self.demote(types, from, to.0),
                Some(Meaning::Primary { single: false }) => self.demote(types, to, from.0),
                _ => (),
            }
            self.put(from, to, spec);
            let inverse = Spec {
                id: inverse,
                ..spec
            };
            self.put(to, from, inverse);
        }
    }

    /// Takes the main association of a record with a kind away; the pair stays associated.
    fn demote(&mut self, types: &AssociationTypes, from: Node, to: ObjectType) {
        let (Some(kind), Some(before)) = (types.primary(from.0, to), self.primary(types, from, to))
        else {
            return;
        };
        let back = Spec {
            id: kind.inverse,
            ..kind.spec
        };
        self.drop_spec(from, (to, before), kind.spec);
        self.drop_spec((to, before), from, back);
    }

    /// Removes every association of a pair; false where there is none.
    pub(super) fn unlink(&mut self, from: Node, to: Node) -> bool {
        let mut found = false;
        for (from, to) in [(from, to), (to, from)] {
            if let Some(all) = self.of.get_mut(&from) {
                found |= all.remove(&to).is_some();
                if all.is_empty() {
                    self.of.remove(&from);
                }
            }
        }
        found
    }

    /// Removes some types of a pair; without its unlabelled one, or without any, the pair is no longer associated.
    pub(super) fn unlabel(
        &mut self,
        types: &AssociationTypes,
        from: Node,
        to: Node,
        specs: &[Spec],
    ) {
        for spec in specs {
            let Some(kind) = types.find(from.0, to.0, *spec) else {
                continue;
            };
            if kind.meaning == Meaning::Unlabelled {
                self.unlink(from, to);
                return;
            }
            self.drop_spec(from, to, *spec);
            let back = Spec {
                id: kind.inverse,
                ..*spec
            };
            self.drop_spec(to, from, back);
        }
        if self.pair(from, to).is_empty() {
            self.unlink(from, to);
        }
    }

    /// Removes a type from every pair, both directions.
    pub(super) fn forget(&mut self, from: ObjectType, to: ObjectType, [there, back]: [Spec; 2]) {
        for (node, all) in &mut self.of {
            for (other, specs) in all.iter_mut() {
                if (node.0, other.0) == (from, to) {
                    specs.retain(|spec| *spec != there);
                }
                if (node.0, other.0) == (to, from) {
                    specs.retain(|spec| *spec != back);
                }
            }
        }
    }

    /// Removes everything of a record and tells with whom it was associated.
    pub(super) fn clear(&mut self, node: Node) -> Vec<(Node, Vec<Spec>)> {
        let all = self.of.remove(&node).unwrap_or_default();
        for other in all.keys() {
            if let Some(back) = self.of.get_mut(other) {
                back.remove(&node);
                if back.is_empty() {
                    self.of.remove(other);
                }
            }
        }
        all.into_iter().collect()
    }

    fn put(&mut self, from: Node, to: Node, spec: Spec) {
        let specs = self.of.entry(from).or_default().entry(to).or_default();
        if !specs.contains(&spec) {
            specs.push(spec);
            specs.sort_unstable();
        }
    }

    fn drop_spec(&mut self, from: Node, to: Node, spec: Spec) {
        if let Some(specs) = self.of.get_mut(&from).and_then(|all| all.get_mut(&to)) {
            specs.retain(|have| *have != spec);
        }
    }
}
