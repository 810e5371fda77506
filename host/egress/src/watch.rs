//! Knows what a gateway waits for at this moment, so that a person can be told.
//!
//! It waits for nothing itself and tells nobody: whoever shows progress looks here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Place;

/// A request that has no answer yet, or a wait between two calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which request; `None` between two calls.
    pub place: Option<Place>,
    /// Since when.
    pub since: Instant,
    /// Why it waits, scrubbed; `None` where a request is out and nothing came back yet.
    pub why: Option<String>,
    /// When the wait ends, where that is known.
    pub until: Option<Instant>,
}

/// The waits of one gateway.
#[derive(Default)]
pub(crate) struct Watch(Mutex<Waits>);

#[derive(Default)]
struct Waits {
    next: u64,
    open: BTreeMap<u64, Waiting>,
}

impl Watch {
    /// A wait that lasts until the returned value is dropped.
    pub(crate) fn begin(self: &Arc<Self>, place: Option<Place>) -> Wait {
        let mut waits = self.waits();
        let number = waits.next;
        waits.next += 1;
        let waiting = Waiting {
            place,
            since: Instant::now(),
            why: None,
            until: None,
        };
        waits.open.insert(number, waiting);
        drop(waits);
        Wait {
            watch: self.clone(),
            number,
        }
    }

    /// The wait that has lasted longest.
    pub(crate) fn oldest(&self) -> Option<Waiting> {
        self.waits().open.values().next().cloned()
    }

    fn waits(&self) -> std::sync::MutexGuard<'_, Waits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One wait.
pub(crate) struct Wait {
    watch: Arc<Watch>,
    number: u64,
}

impl Wait {
    /// Says why it goes on, and for how long.
    pub(crate) fn because(&self, why: impl Into<String>, wait: Duration) {
        if let Some(waiting) = self.watch.waits().open.get_mut(&self.number) {
            waiting.why = Some(why.into());
            waiting.until = Some(Instant::now() + wait);
        }
    }

    /// Says that a request is out again.
    pub(crate) fn asking(&self) {
        if let Some(waiting) = self.watch.waits().open.get_mut(&self.number) {
            waiting.until = None;
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.watch.waits().open.remove(&self.number);
    }
}
