//! Counts requests over a rolling window as the server may have counted them: from when one is sent until a window after its answer.
//!
//! GCRA cannot do it: whatever its burst, either a window holds more than it may, or the rate between bursts is wasted. What a server's
//! headers say of the window, others' use of it included, corrects the count. It waits for nothing itself.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A limit is corrected by headers only within what a vendor may mean.
const MOST_MAX: u32 = 10_000;

/// One rolling window.
#[derive(Debug)]
pub(crate) struct Window {
    span: Duration,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    most: u32,
    flying: u32,
    /// When requests were answered, oldest first; those of the last window.
    answered: VecDeque<Instant>,
    /// What others sent on the same limit, and until when that counts.
    foreign: Option<(u32, Instant)>,
}

/// Why there is no place in the window now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The next place is free after this time.
    For(Duration),
    /// All places are held by requests that have no answer yet.
    UntilAnAnswer,
}

/// One place in the window; given back a window after it is dropped, which is when the answer is there.
#[derive(Debug)]
pub(crate) struct Place<'w>(&'w Window);

impl Window {
    pub(crate) fn new(most: u32, span: Duration) -> Self {
        let state = State {
            most,
            flying: 0,
            answered: VecDeque::new(),
            foreign: None,
        };
        Self {
            span,
            state: Mutex::new(state),
            freed: Notify::new(),
        }
    }

    pub(crate) fn span(&self) -> Duration {
        self.span
    }

    /// Takes a place, where one is free.
    pub(crate) fn take(&self, now: Instant) -> Result<Place<'_>, Full> {
        let mut state = self.state();
        state.forget(now, self.span);
        if state.used() < state.most {
            state.flying += 1;
            return Ok(Place(self));
        }
        let ours = state.answered.front().map(|oldest| *oldest + self.span);
        let others = state.foreign.map(|(_, until)| until);
        let next = ours.into_iter().chain(others).min();
        Err(next.map_or(Full::UntilAnAnswer, |next| {
            Full::For(next.saturating_duration_since(now))
        }))
    }

    /// Waits until an answer came.
    pub(crate) async fn answered(&self) {
        self.freed.notified().await;
    }

    /// How many places are used now, and how many there are.
    pub(crate) fn used(&self, now: Instant) -> (u32, u32) {
        let mut state = self.state();
        state.forget(now, self.span);
        (state.used(), state.most)
    }

    /// Learns the limit, and what others use of it, from an answer whose place is still held.
    pub(crate) fn observe(&self, headers: &HeaderMap, now: Instant) {
        let number = |name: &str| {
            let text = headers.get(name)?.to_str().ok()?;
            text.trim().parse::<u32>().ok()
        };
        let interval = number("x-hubspot-ratelimit-interval-milliseconds");
        if interval.map(u64::from) != u64::try_from(self.span.as_millis()).ok() {
            return;
        }
        let Some(most) =
            number("x-hubspot-ratelimit-max").filter(|most| (1..=MOST_MAX).contains(most))
        else {
            return;
        };
        let mut state = self.state();
        state.forget(now, self.span);
        state.most = most;
        let ours = state.flying + u32::try_from(state.answered.len()).unwrap_or(u32::MAX);
        if let Some(left) = number("x-hubspot-ratelimit-remaining") {
            let foreign = most.saturating_sub(left).saturating_sub(ours);
            state.foreign = (foreign > 0).then_some((foreign, now + self.span));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, now: Instant, span: Duration) {
        while self
            .answered
            .front()
            .is_some_and(|oldest| *oldest + span <= now)
        {
            self.answered.pop_front();
        }
        self.foreign = self.foreign.filter(|(_, until)| *until > now);
    }

    fn used(&self) -> u32 {
        let answered = u32::try_from(self.answered.len()).unwrap_or(u32::MAX);
        let foreign = self.foreign.map_or(0, |(count, _)| count);
        self.flying.saturating_add(answered).saturating_add(foreign)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.flying -= 1;
        state.answered.push_back(Instant::now());
        drop(state);
        // One waiter at most, by the gate; it may not have begun to wait yet.
        self.0.freed.notify_one();
    }
}
