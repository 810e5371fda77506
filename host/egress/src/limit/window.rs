//! Counts requests over a rolling window as the server may have counted them: from when one is sent until a window after the moment at
//! which it must have come in.
//!
//! That moment is its answer's at the latest. An answer that took long was long in the making, not on the way: a request is taken to have
//! come in within twice the time of the fastest answer, which went the same way there and back. Once the server refuses one all the same,
//! the answers' own times count from then on.
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

/// How long requests are remembered beyond the window, for answers that are long in coming.
const LOOKED_BACK: Duration = Duration::from_secs(120);

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
    /// When requests that are answered must have come in, oldest first; those of the last window and somewhat more.
    answered: VecDeque<Instant>,
    /// What the fastest answer took.
    fastest: Duration,
    /// Whether the server refused a request that had a place.
    is_careful: bool,
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

/// One place in the window; it is dropped when the answer is there, and given back a window after the request came in.
#[derive(Debug)]
pub(crate) struct Place<'w> {
    window: &'w Window,
    sent: Instant,
}

impl Window {
    pub(crate) fn new(most: u32, span: Duration) -> Self {
        let state = State {
            most,
            flying: 0,
            answered: VecDeque::new(),
            fastest: Duration::MAX,
            is_careful: false,
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
        if state.used(now, self.span) < state.most {
            state.flying += 1;
            return Ok(Place {
                window: self,
                sent: now,
            });
        }
        let ours = state.answered.get(state.gone(now, self.span));
        let ours = ours.map(|oldest| *oldest + self.span);
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
        (state.used(now, self.span), state.most)
    }

    /// The server refused a request for its rate.
    pub(crate) fn refused(&self) {
        self.state().is_careful = true;
    }

    /// Learns the limit, and what others use of it, from an answer whose place is still held.
    pub(crate) fn observe(&self, headers: &HeaderMap, place: &Place<'_>, now: Instant) {
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
        // The server counted when the request came in: what of ours left the window since then was still in it.
        let ours = state.ours(place.sent, self.span);
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
        let kept = span + LOOKED_BACK;
        while self
            .answered
            .front()
            .is_some_and(|oldest| *oldest + kept <= now)
        {
            self.answered.pop_front();
        }
        self.foreign = self.foreign.filter(|(_, until)| *until > now);
    }

    /// How many of the requests had left the window at that moment.
    fn gone(&self, at: Instant, span: Duration) -> usize {
        self.answered
            .partition_point(|came_in| *came_in + span <= at)
    }

    /// How many of ours are in the window at that moment.
    fn ours(&self, at: Instant, span: Duration) -> u32 {
        let answered = self.answered.len() - self.gone(at, span);
        self.flying
            .saturating_add(u32::try_from(answered).unwrap_or(u32::MAX))
    }

    fn used(&self, now: Instant, span: Duration) -> u32 {
        let foreign = self.foreign.map_or(0, |(count, _)| count);
        self.ours(now, span).saturating_add(foreign)
    }
}

impl State {
    /// Takes in an answer; says by when the request must have come in.
    fn came_in(&mut self, sent: Instant, now: Instant) -> Instant {
        self.fastest = self.fastest.min(now - sent);
        if self.is_careful {
            return now;
        }
        now.min(sent + self.fastest * 2)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.window.state();
        state.flying -= 1;
        let came_in = state.came_in(self.sent, Instant::now());
        let place = state.answered.partition_point(|other| *other <= came_in);
        state.answered.insert(place, came_in);
        drop(state);
        // One waiter at most, by the gate; it may not have begun to wait yet.
        self.window.freed.notify_one();
    }
}
