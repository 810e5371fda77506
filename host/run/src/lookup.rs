//! Answers the decisions' questions about other records from the store, and remembers the answers.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use model::mapping::Binding;
use model::{ConnectionId, ObjectName};
use reconcile::{Directory, currency_key};
use store::{Side, Store};

use crate::bind::Binder;
use crate::error::RunError;

/// Answers that are remembered before the memory is emptied: owners and products are few.
const REMEMBERED_MAX: usize = 100_000;

/// What a plan or an audit remembers of other records between its batches.
#[derive(Debug)]
pub(crate) struct Memory {
    connection: ConnectionId,
    binder: RefCell<Binder>,
    staged: RefCell<HashMap<ObjectName, HashMap<String, bool>>>,
    /// The source's object of currencies, where the destination has its own list of them and takes no others.
    currency: Option<ObjectName>,
    currencies: RefCell<HashMap<String, bool>>,
}

impl Memory {
    /// An empty memory over that binder.
    pub(crate) fn new(connection: &ConnectionId, binder: Binder) -> Self {
        Self {
            connection: connection.clone(),
            binder: RefCell::new(binder),
            staged: RefCell::default(),
            currency: None,
            currencies: RefCell::default(),
        }
    }

    /// Holds currencies against the destination's list, whose keys stand under that object of the source.
    pub(crate) fn with_currencies(mut self, currency: Option<ObjectName>) -> Self {
        self.currency = currency;
        self
    }

    /// The directory over the store as it is now.
    pub(crate) fn over<'m>(&'m self, store: &'m Store) -> Lookup<'m> {
        Lookup {
            memory: self,
            store,
            failure: RefCell::new(None),
        }
    }
}

/// A directory for one batch. The decisions cannot fail, so a failing store is told when the batch is [`Self::finish`]ed.
#[derive(Debug)]
pub(crate) struct Lookup<'m> {
    memory: &'m Memory,
    store: &'m Store,
    failure: RefCell<Option<RunError>>,
}

impl Lookup<'_> {
    /// Ends the batch.
    pub(crate) fn finish(self) -> Result<(), RunError> {
        self.failure.into_inner().map_or(Ok(()), Err)
    }

    fn keep<T>(&self, answer: Result<T, RunError>, otherwise: T) -> T {
        answer.unwrap_or_else(|error| {
            self.failure.borrow_mut().get_or_insert(error);
            otherwise
        })
    }
}

impl Directory for Lookup<'_> {
    fn has_record(&self, object: &ObjectName, id: &str) -> bool {
        let mut staged = self.memory.staged.borrow_mut();
        let known = staged.entry(object.clone()).or_default();
        if let Some(has) = known.get(id) {
            return *has;
        }
        let found = self
            .store
            .find_staged(&self.memory.connection, object, &[id]);
        let has = self.keep(
            found
                .map(|found| found.first() == Some(&true))
                .map_err(RunError::from),
            false,
        );
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(id.to_owned(), has);
        has
    }

    fn find_bound(&self, binding: &Binding, id: &str) -> Option<Cow<'_, str>> {
        let found = self
            .memory
            .binder
            .borrow_mut()
            .find(self.store, binding, id);
        self.keep(found, None).map(Cow::Owned)
    }

    fn has_currency(&self, code: &str) -> bool {
        let Some(object) = &self.memory.currency else {
            return code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        };
        let mut known = self.memory.currencies.borrow_mut();
        if let Some(has) = known.get(code) {
            return *has;
        }
        let key = currency_key(code);
        let found = self
            .store
            .find_match(Side::Destination, object, key.rule.name(), &key.key);
        let has = self.keep(
            found.map(|found| found.is_some()).map_err(RunError::from),
            false,
        );
        known.insert(code.to_owned(), has);
        has
    }
}
