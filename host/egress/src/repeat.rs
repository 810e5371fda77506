//! Decides how often a request is repeated, and after which wait.
//!
//! Whether it may be repeated at all is not asked here. Nobody else repeats what is repeated here: the cell hands the failure on.

use std::time::Duration;

use backon::BackoffBuilder as _;
use tokio::time::Instant;

use crate::request::Caps;

/// How long an address that never answered is tried: one that is wrong does not become right.
const FIRST_CONTACT_WITHIN: Duration = Duration::from_secs(20);

/// What a request got instead of an answer that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    /// Nothing, from where nothing ever came.
    NothingEver,
    /// A refusal that says to try again, or nothing from where answers came before.
    Trouble,
}

/// How often and after which waits one request is repeated.
pub(crate) struct Repeats {
    delays: backon::ExponentialBackoff,
    done: usize,
    begun: Instant,
    named: Duration,
    caps: Caps,
}

impl Repeats {
    pub(crate) fn new(caps: &Caps) -> Self {
        // Jitter from the system's randomness: connections that failed together must not come back together.
        let delays = backon::ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(caps.retry_delay_min)
            .with_max_delay(Duration::from_secs(10))
            .with_max_times(usize::MAX)
            .build();
        Self {
            delays,
            done: 0,
            begun: Instant::now(),
            named: Duration::ZERO,
            caps: *caps,
        }
    }

    /// The wait before the next repeat; `None` when it was repeated enough.
    pub(crate) fn next(&mut self, got: Got) -> Option<Duration> {
        let (most, within) = match got {
            Got::NothingEver => (
                self.caps.retries_max,
                self.caps.repeat_within.min(FIRST_CONTACT_WITHIN),
            ),
            Got::Trouble => (self.caps.outage_retries_max, self.caps.repeat_within),
        };
        let taken = self.begun.elapsed().saturating_sub(self.named);
        if self.done >= most || taken >= within {
            return None;
        }
        self.done += 1;
        self.delays.next()
    }

    /// A wait that the server named: it counts neither as a repeat nor as time taken.
    pub(crate) fn named(&mut self, wait: Duration) -> Duration {
        self.named += wait;
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(caps: &Caps, got: Got) -> Vec<Duration> {
        let mut repeats = Repeats::new(caps);
        std::iter::from_fn(|| repeats.next(got)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_waited_out_longer_than_a_wrong_address() {
        let caps = Caps::default();
        assert_eq!(waits(&caps, Got::NothingEver).len(), 4);
        let outage = waits(&caps, Got::Trouble);
        assert_eq!(outage.len(), 6);
        for (number, wait) in outage.iter().enumerate() {
            let least =
                (caps.retry_delay_min * 2_u32.pow(number as u32)).min(Duration::from_secs(10));
            assert!(*wait >= least && *wait <= least * 2, "{number}: {wait:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn two_requests_do_not_come_back_at_the_same_moments() {
        let waits = || waits(&Caps::default(), Got::Trouble);
        assert_ne!(waits(), waits());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_not_repeated_but_named_waits_do_not_count() {
        let caps = Caps::default();
        let mut repeats = Repeats::new(&caps);
        tokio::time::advance(FIRST_CONTACT_WITHIN).await;
        assert_eq!(repeats.next(Got::NothingEver), None);
        assert!(repeats.next(Got::Trouble).is_some());
        tokio::time::advance(caps.repeat_within).await;
        assert_eq!(repeats.next(Got::Trouble), None);
        let mut repeats = Repeats::new(&caps);
        tokio::time::advance(repeats.named(caps.repeat_within)).await;
        assert!(repeats.next(Got::Trouble).is_some());
    }
}
