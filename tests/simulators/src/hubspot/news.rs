//! Decides what webhooks are told of a write.
//!
//! Nothing is worked out where nobody listens.

use super::association_types::Spec;
use super::associations::Node;
use super::objects::ObjectType;
use super::record::Name;
use super::state::State;
use super::webhooks::Happening;

/// Values that a write changes, by property; empty where one is cleared.
pub(super) type Changes = Vec<(Name, String)>;

/// Tells of one thing that happened to a record.
pub(super) fn tell(state: &mut State, object: ObjectType, id: u64, happening: Happening<'_>) {
    if !state.webhooks.listens() {
        return;
    }
    let ctx = state.ctx();
    let kind = state.objects.get(object);
    state
        .webhooks
        .tell(ctx, state.options.app, kind, id, happening);
}

/// What a write of these values will change; to be asked before it is done.
pub(super) fn changes(
    state: &State,
    object: ObjectType,
    id: Option<u64>,
    set: &[(Name, Option<String>)],
) -> Changes {
    if !state.webhooks.listens() {
        return Vec::new();
    }
    let before = id.and_then(|id| state.store.live(object, id));
    let changed = set.iter().filter(|(name, value)| {
        let old = before.and_then(|record| record.values.get(name));
        old != value.as_ref()
    });
    changed
        .map(|(name, value)| (Name::clone(name), value.clone().unwrap_or_default()))
        .collect()
}

/// Tells of a record that was written.
pub(super) fn written(
    state: &mut State,
    object: ObjectType,
    id: u64,
    is_new: bool,
    changes: Changes,
) {
    if is_new {
        tell(state, object, id, Happening::Creation);
    }
    for (name, value) in &changes {
        tell(state, object, id, Happening::PropertyChange { name, value });
    }
}

/// Tells both sides of an association that was made or ended.
pub(super) fn associated(state: &mut State, from: Node, to: Node, specs: &[Spec], removed: bool) {
    if !state.webhooks.listens() {
        return;
    }
    for (from, to) in [(from, to), (to, from)] {
        let main = state.types.primary(from.0, to.0).map(|kind| kind.spec);
        let specs = if removed {
            specs
        } else {
            state.links.pair(from, to)
        };
        let primary = main.is_some_and(|main| specs.contains(&main));
        let word = |object| state.objects.get(object).constant();
        let kind = format!("{}_TO_{}", word(from.0), word(to.0));
        let happening = Happening::AssociationChange {
            kind: &kind,
            to: to.1,
            removed,
            primary,
        };
        tell(state, from.0, from.1, happening);
    }
}
