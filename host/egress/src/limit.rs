//! Keeps an endpoint's requests within its declared rate, its daily budget, and what the server asks for.
//!
//! It repeats nothing; it says how long to wait when the wait is longer than the caller has.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use model::grant::{PathCost, RateLimit};
use reqwest::header::HeaderMap;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// The wall clock, so that tests can set it. Only days and expiry times are read from it.
pub(crate) type WallClock = Arc<dyn Fn() -> model::Instant + Send + Sync>;

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Tokio's clock for the token bucket: it stands still when a test pauses time.
#[derive(Clone)]
struct BucketClock(Instant);

impl governor::clock::Clock for BucketClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, BucketClock, NoOpMiddleware<Duration>>;

/// Until when a server asked not to be asked. Shared by all endpoints of one host.
#[derive(Debug, Default)]
pub(crate) struct Pause(Mutex<Option<Instant>>);

impl Pause {
    fn until(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn extend(&self, until: Instant) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(held.map_or(until, |held| held.max(until)));
    }
}

/// Why a request may not go now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// The rate, the budget or the server asks to wait this long, which is longer than the caller has.
    Wait(Duration),
    /// All requests at once that are allowed were still busy at the deadline.
    Busy,
}

/// One endpoint's limits. `None` inside means unlimited.
pub(crate) struct Limiter {
    bucket: Option<Bucket>,
    clock: BucketClock,
    /// First come, first served: whoever waits for the bucket holds it.
    gate: tokio::sync::Mutex<()>,
    slots: Option<Semaphore>,
    budget: Option<Budget>,
    pause: Arc<Pause>,
    costs: Vec<PathCost>,
}

impl Limiter {
    /// `None` when the declared rate makes no sense.
    pub(crate) fn new(
        rate: Option<&RateLimit>,
        costs: &[PathCost],
        pause: Arc<Pause>,
        wall: &WallClock,
    ) -> Option<Self> {
        let clock = BucketClock(Instant::now());
        let quota = match rate {
            None => None,
            Some(rate) => {
                let period = Some(rate.per_second)
                    .filter(|rate| rate.is_finite() && *rate > 0.0)
                    .map(f64::recip)?;
                // Up to the next nanosecond: a third of a second, rounded down, would be three a second and a little.
                let period = Duration::try_from_secs_f64(period).ok()? + Duration::from_nanos(1);
                let quota = Quota::with_period(period)?;
                Some(quota.allow_burst(NonZeroU32::new(rate.burst)?))
            }
        };
        if rate.is_some_and(|rate| rate.concurrency == 0) {
            return None;
        }
        Some(Self {
            bucket: quota.map(|quota| RateLimiter::direct_with_clock(quota, clock.clone())),
            clock,
            gate: tokio::sync::Mutex::new(()),
            slots: rate.map(|rate| Semaphore::new(rate.concurrency as usize)),
            budget: rate.and_then(|rate| rate.daily_budget).map(|limit| Budget {
                limit,
                spent: Mutex::new((0, 0)),
                wall: wall.clone(),
            }),
            pause,
            costs: costs.to_vec(),
        })
    }

    /// Takes one of the places for requests at once; it is free again when the answer is dropped.
    pub(crate) async fn slot(
        &self,
        deadline: Instant,
    ) -> Result<Option<SemaphorePermit<'_>>, Denied> {
        let Some(slots) = &self.slots else {
            return Ok(None);
        };
        let taken = tokio::time::timeout_at(deadline, slots.acquire())
            .await
            .map_err(|_| Denied::Busy)?;
        Ok(Some(taken.expect("the places are never closed")))
    }

    /// Waits for the request's turn and pays its cost.
    pub(crate) async fn turn(&self, path: &str, deadline: Instant) -> Result<u32, Denied> {
        let cost = cost_of(&self.costs, path);
        let _gate = tokio::time::timeout_at(deadline, self.gate.lock())
            .await
            .map_err(|_| Denied::Busy)?;
        loop {
            let now = Instant::now();
            let wait = match self.pause.until().filter(|until| *until > now) {
                Some(until) => until - now,
                None => {
                    self.budget
                        .as_ref()
                        .map_or(Ok(()), |budget| budget.check(cost))
                        .map_err(Denied::Wait)?;
                    match self.bucket.as_ref().map(Bucket::check) {
                        None | Some(Ok(())) => break,
                        Some(Err(not_until)) => not_until.wait_time_from(self.clock.now()),
                    }
                }
            };
            if now + wait > deadline {
                return Err(Denied::Wait(wait));
            }
            tokio::time::sleep(wait).await;
        }
        if let Some(budget) = &self.budget {
            budget.pay(cost);
        }
        Ok(cost)
    }

    /// Learns from an answer. Returns how long the server asked to wait, when it did.
    pub(crate) fn observe(
        &self,
        status: u16,
        headers: &HeaderMap,
        wall: &WallClock,
    ) -> Option<Duration> {
        let asked = asked_wait(status, headers, wall);
        if let Some(wait) =
            asked.filter(|_| status == 429 || status == 503 || self.bucket.is_some())
        {
            self.pause.extend(Instant::now() + wait);
        }
        asked
    }

    /// How long the server still asks not to be asked.
    pub(crate) fn paused_for(&self) -> Option<Duration> {
        let left = self.pause.until()?.checked_duration_since(Instant::now())?;
        (!left.is_zero()).then_some(left)
    }

    /// What was paid today.
    pub(crate) fn spent_today(&self) -> u64 {
        self.budget.as_ref().map_or(0, Budget::spent)
    }
}

/// A sum of costs per UTC day.
struct Budget {
    limit: u64,
    /// Day number and what was paid on it.
    spent: Mutex<(i64, u64)>,
    wall: WallClock,
}

impl Budget {
    fn check(&self, cost: u32) -> Result<(), Duration> {
        if self.spent() + u64::from(cost) <= self.limit {
            return Ok(());
        }
        Err(until_midnight(&self.wall))
    }

    fn pay(&self, cost: u32) {
        self.today().1 += u64::from(cost);
    }

    fn spent(&self) -> u64 {
        self.today().1
    }

    fn today(&self) -> std::sync::MutexGuard<'_, (i64, u64)> {
        let day = (self.wall)().unix_us().div_euclid(DAY_US);
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.0 != day {
            *spent = (day, 0);
        }
        spent
    }
}

/// The first entry that matches; 1 where none does.
fn cost_of(costs: &[PathCost], path: &str) -> u32 {
    costs
        .iter()
        .find(|entry| matches_path(&entry.path, path))
        .map_or(1, |entry| entry.cost)
}

fn matches_path(pattern: &str, path: &str) -> bool {
    let mut path = path.trim_start_matches('/').split('/');
    let mut pattern = pattern.trim_start_matches('/').split('/').peekable();
    while let Some(expected) = pattern.next() {
        if expected == "**" && pattern.peek().is_none() {
            return true;
        }
        if path
            .next()
            .is_none_or(|found| expected != "*" && expected != found)
        {
            return false;
        }
    }
    path.next().is_none()
}

/// How long the server asks to wait: on a refusal always, otherwise when it says that nothing is left.
///
/// `Retry-After` per RFC 9110; `X-RateLimit-*` in the vendors' three ways of telling time: seconds, epoch seconds, epoch milliseconds;
/// HubSpot's and Keap's own headers.
fn asked_wait(status: u16, headers: &HeaderMap, wall: &WallClock) -> Option<Duration> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let number = |name: &str| {
        text(name)
            .and_then(|text| text.parse::<f64>().ok())
            .filter(|number| number.is_finite() && *number >= 0.0)
    };
    let refused = status == 429 || status == 503;
    if refused && let Some(seconds) = number("retry-after") {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    if refused
        && let Some(date) =
            text("retry-after").and_then(|text| httpdate::parse_http_date(text).ok())
    {
        let now = Duration::from_micros((wall)().unix_us().max(0).unsigned_abs());
        return Some(
            date.duration_since(std::time::UNIX_EPOCH + now)
                .unwrap_or_default(),
        );
    }
    let empty = |name: &str| number(name) == Some(0.0);
    if status == 429 || empty("x-ratelimit-remaining") || empty("ratelimit-remaining") {
        let reset = number("x-ratelimit-reset").or_else(|| number("ratelimit-reset"));
        if let Some(reset) = reset {
            let now = (wall)().unix_us() as f64 / 1e6;
            let seconds = match reset {
                reset if reset > 1e12 => reset / 1e3 - now,
                reset if reset > 1e9 => reset - now,
                reset => reset,
            };
            return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
        }
    }
    if empty("x-hubspot-ratelimit-remaining") {
        return number("x-hubspot-ratelimit-interval-milliseconds")
            .and_then(|ms| Duration::try_from_secs_f64(ms / 1e3).ok());
    }
    // Keap names no wait, only what is left (developer.keap.com, 2026): the day's quota is back at 00:00 UTC, the minute's within a minute.
    if status == 429 && empty("x-keap-product-quota-available") {
        return Some(until_midnight(wall));
    }
    (status == 429 && empty("x-keap-product-throttle-available")).then_some(Duration::from_secs(60))
}

/// To the next 00:00 UTC.
fn until_midnight(wall: &WallClock) -> Duration {
    let left = DAY_US - (wall)().unix_us().rem_euclid(DAY_US);
    Duration::from_micros(left.unsigned_abs())
}

#[cfg(test)]
mod tests;
