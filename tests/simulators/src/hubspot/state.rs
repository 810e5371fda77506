//! Holds everything a portal consists of, behind the portal's one lock.
//!
//! It decides nothing that an endpoint decides.

use super::association_types::AssociationTypes;
use super::associations::Associations;
use super::context::Ctx;
use super::definition::Definition;
use super::objects::{ObjectType, Objects};
use super::options::Options;
use super::record::{Name, Store};
use super::settings::Settings;
use super::webhooks::Webhooks;
use std::collections::HashSet;
use std::sync::Arc;

/// A portal's content.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Arc<Options>,
    /// Milliseconds since 1970, at the call that is being answered.
    pub(super) now: i64,
    /// Requests admitted since the account's midnight.
    pub(super) today: u64,
    pub(super) objects: Objects,
    pub(super) store: Store,
    pub(super) types: AssociationTypes,
    pub(super) links: Associations,
    pub(super) settings: Settings,
    /// Addresses of contacts that were deleted for privacy, in lower case.
    pub(super) blocked: HashSet<String>,
    pub(super) webhooks: Webhooks,
    names: HashSet<Name>,
}

impl State {
    pub(super) fn new(options: Arc<Options>) -> Self {
        let objects = Objects::default();
        Self {
            now: 0,
            today: 0,
            store: Store::new(options.search_lag_ms),
            types: AssociationTypes::new(&objects),
            links: Associations::default(),
            settings: Settings::new(&objects, options.setup()),
            blocked: HashSet::new(),
            webhooks: Webhooks::default(),
            names: HashSet::new(),
            objects,
            options,
        }
    }

    /// What endpoints of the settings are told.
    pub(super) fn ctx(&self) -> Ctx {
        Ctx {
            now: self.now,
            portal: self.options.portal,
            user: self.options.user,
        }
    }

    /// The shared form of a property's name.
    pub(super) fn name(&mut self, name: &str) -> Name {
        if let Some(shared) = self.names.get(name) {
            return Name::clone(shared);
        }
        let shared = Name::from(name);
        self.names.insert(Name::clone(&shared));
        shared
    }

    pub(super) fn definition(&self, object: ObjectType, name: &str) -> Option<&Definition> {
        self.settings.properties.get(object, name)
    }

    pub(super) fn knows(&self, object: ObjectType, name: &str) -> bool {
        self.definition(object, name).is_some()
    }

    /// Whether no two records may share the property's value. A contact's e-mail is not meant: it is looked after apart.
    pub(super) fn is_unique(&self, object: ObjectType, name: &str) -> bool {
        self.definition(object, name)
            .is_some_and(|property| property.unique)
    }
}
