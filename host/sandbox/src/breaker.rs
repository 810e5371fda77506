//! Leaves a connector alone that was stopped time after time, a while longer each time, and then tries it with one call.
//!
//! It counts stops of the cell (traps, limits), not failures that a connector reports: those are a source's answers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When a connector is left alone, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerOptions {
    /// Stops in a row after which it is left alone.
    pub stops_max: u32,
    /// How long the first time. It doubles each time that the trial fails too.
    pub pause: Duration,
    /// How long at most.
    pub pause_max: Duration,
}

impl Default for BreakerOptions {
    /// 5 stops, 10 s, 10 min.
    fn default() -> Self {
        Self {
            stops_max: 5,
            pause: Duration::from_secs(10),
            pause_max: Duration::from_secs(600),
        }
    }
}

/// One connector's breaker, shared by all its connections in the process. Cheap to clone; clones are the same breaker.
#[derive(Clone, Debug, Default)]
pub struct Breaker(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    options: BreakerOptions,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// In a row, up to the last call that ended.
    stops: u32,
    /// Set while the connector is left alone or tried.
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    until: Instant,
    pause: Duration,
    is_tried: bool,
}

/// Why a call was refused at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was stopped {stops} times in a row")]
pub struct Paused {
    /// How often it was stopped.
    pub stops: u32,
    /// When it is tried again. In the past while the one trial call is running.
    pub until: Instant,
}

impl Breaker {
    /// A breaker that lets calls through.
    pub fn new(options: BreakerOptions) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Inner { options, state }))
    }

    /// Lets a call through, or says until when it does not. After the pause exactly one call is let through until it has ended.
    pub(crate) fn admit(&self) -> Result<Pass, Paused> {
        let mut state = self.lock();
        let stops = state.stops;
        let mut is_trial = false;
        if let Some(open) = &mut state.open {
            if open.is_tried || Instant::now() < open.until {
                return Err(Paused {
                    stops,
                    until: open.until,
                });
            }
            (open.is_tried, is_trial) = (true, true);
        }
        drop(state);
        Ok(Pass {
            breaker: self.clone(),
            is_trial,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call that was let through. Dropped without a word (the caller gave up), it counts for nothing and the next call is the trial.
#[derive(Debug)]
pub(crate) struct Pass {
    breaker: Breaker,
    is_trial: bool,
}

impl Pass {
    /// The cell answered.
    pub(crate) fn answered(mut self) {
        let is_trial = std::mem::take(&mut self.is_trial);
        let mut state = self.breaker.lock();
        // A straggler from before the pause says nothing about now.
        if state.open.is_none() || is_trial {
            *state = State::default();
        }
    }

    /// The cell was stopped.
    pub(crate) fn stopped(mut self) {
        let is_trial = std::mem::take(&mut self.is_trial);
        let options = self.breaker.0.options;
        let mut state = self.breaker.lock();
        state.stops = state.stops.saturating_add(1);
        let pause = match state.open {
            Some(open) if is_trial => (open.pause * 2).min(options.pause_max),
            None if state.stops >= options.stops_max => options.pause,
            _ => return,
        };
        state.open = Some(Open {
            until: Instant::now() + pause,
            pause,
            is_tried: false,
        });
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.is_trial {
            return;
        }
        if let Some(open) = &mut self.breaker.lock().open {
            open.is_tried = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> Breaker {
        Breaker::new(BreakerOptions {
            stops_max: 2,
            pause: SECOND,
            pause_max: SECOND * 3,
        })
    }

    fn pause(breaker: &Breaker) -> Duration {
        let paused = breaker.admit().expect_err("it is left alone");
        paused.until - Instant::now()
    }

    #[tokio::test(start_paused = true)]
    async fn stops_in_a_row_open_it_and_an_answer_between_them_does_not() {
        let breaker = breaker();
        breaker.admit().unwrap().stopped();
        breaker.admit().unwrap().answered();
        breaker.admit().unwrap().stopped();
        let straggler = breaker.admit().unwrap();
        breaker.admit().unwrap().stopped();
        assert_eq!(pause(&breaker), SECOND);
        straggler.answered();
        assert_eq!(pause(&breaker), SECOND, "a call from before closes nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_pause_one_call_tries_and_decides() {
        let breaker = breaker();
        breaker.admit().unwrap().stopped();
        breaker.admit().unwrap().stopped();
        for expected in [2, 3, 3] {
            tokio::time::advance(SECOND * 3).await;
            let trial = breaker.admit().unwrap();
            assert!(breaker.admit().is_err(), "one trial at a time");
            trial.stopped();
            assert_eq!(pause(&breaker), SECOND * expected);
        }
        tokio::time::advance(SECOND * 3).await;
        drop(breaker.admit().unwrap());
        breaker
            .admit()
            .expect("a trial that was given up is repeated")
            .answered();
        breaker.admit().unwrap().stopped();
        breaker.admit().expect("it counts from the start again");
    }
}
