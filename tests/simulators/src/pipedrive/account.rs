//! Holds one simulated account: its truth, its names, its meters, and the edits made while somebody reads.
//!
//! It answers nothing itself.

use super::keys::Keys;
use super::limits::Meter;
use super::oauth::OAuth;
use super::options::Options;
use crate::truth::{Kind, Live, mix};
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// What an account was asked so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests by family of paths, such as `v2 /persons/{id}`; unknown paths as `unknown`.
    pub requests: BTreeMap<String, u64>,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Faults given, by the name they are ordered by.
    pub faults: BTreeMap<&'static str, u64>,
    /// Requests refused by limits (429), ordered faults not included.
    pub rate_limited: u64,
    /// Requests answered by the front's HTML page (403).
    pub banned: u64,
    /// Tokens of the daily budget spent today.
    pub tokens: u64,
}

/// How many records of a kind are edited at most while lists are read.
const MOST_EDITS: usize = 25;

/// One account.
pub(super) struct Account {
    pub(super) options: Options,
    pub(super) live: Live,
    pub(super) keys: Keys,
    pub(super) oauth: OAuth,
    pub(super) meter: Meter,
    pub(super) base_url: OnceLock<String>,
    pub(super) by_due_day: OnceLock<Vec<u32>>,
    pub(super) leads: OnceLock<Vec<u32>>,
    pub(super) archived_leads: OnceLock<Vec<u32>>,
    requests: AtomicU64,
    counters: Mutex<Counters>,
    faulted: Mutex<HashSet<String>>,
}

impl Account {
    pub(super) fn new(options: Options, live: Live) -> Self {
        let keys = Keys::new(&options.account_salt, live.base());
        let oauth = OAuth::new(Keys::new(&options.account_salt, live.base()));
        Self {
            options,
            live,
            keys,
            oauth,
            meter: Meter::default(),
            base_url: OnceLock::new(),
            by_due_day: OnceLock::new(),
            leads: OnceLock::new(),
            archived_leads: OnceLock::new(),
            requests: AtomicU64::new(0),
            counters: Mutex::default(),
            faulted: Mutex::default(),
        }
    }

    pub(super) fn base_url(&self) -> &str {
        self.base_url.get().map_or("", String::as_str)
    }

    /// The number of this request, from 0.
    pub(super) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counters)) {
        change(&mut self.counters.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn counters(&self) -> Counters {
        let mut counters = self
            .counters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        counters.tokens = self.meter.spent();
        counters
    }

    /// Whether a fault may befall this request: one that was just refused is served when it comes again.
    pub(super) fn may_fault(&self, request: &str) -> bool {
        !self
            .faulted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(request)
    }

    pub(super) fn remember_fault(&self, request: &str) {
        self.faulted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(request.to_owned());
    }

    /// Somebody asked for a further page: if ordered, a colleague edits a record meanwhile.
    pub(super) fn paged(&self, kind: Kind) {
        if !self.options.faults.change_while_paging {
            return;
        }
        let made = self
            .live
            .changes()
            .iter()
            .filter(|change| change.kind == kind)
            .count();
        let count = self.live.base().count(kind);
        if made >= MOST_EDITS || count == 0 {
            return;
        }
        let seed = self.options.faults.seed ^ ((kind as u64) << 32);
        // A record is edited once only; a few tries find another.
        let tries = (0..8).map(|attempt| mix(seed ^ mix((made * 8 + attempt) as u64)) % count + 1);
        for id in tries {
            if self.live.edit(kind, id) {
                return;
            }
        }
    }
}
