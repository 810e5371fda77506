//! Keeps an endpoint's requests within its declared rate, its daily budget, and what the server asks for.
//!
//! It repeats nothing; it says how long to wait when the wait is longer than the caller has.

mod window;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use model::estimate::Pace;
use model::grant::{PathCost, RateLimit};
use reqwest::header::HeaderMap;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use self::window::{Full, Place, Window};

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
    window: Option<Window>,
    per_second: Option<f64>,
    day: Day,
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
        let windowed = rate.and_then(|rate| Some((rate.burst, rate.window_s?)));
        if windowed.is_some_and(|(most, seconds)| most == 0 || seconds == 0) {
            return None;
        }
        let window =
            windowed.map(|(most, seconds)| Window::new(most, Duration::from_secs(seconds.into())));
        let quota = match rate.filter(|_| window.is_none()) {
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
            window,
            per_second: rate.map(|rate| rate.per_second),
            day: Day {
                share_percent: rate
                    .and_then(|rate| rate.daily_share_percent)
                    .unwrap_or(100),
                told: Mutex::new(None),
                wall: wall.clone(),
            },
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

    /// Waits for the request's turn and pays its cost. The turn is held until the answer is there.
    pub(crate) async fn turn(&self, path: &str, deadline: Instant) -> Result<Turn<'_>, Denied> {
        let cost = cost_of(&self.costs, path);
        let _gate = tokio::time::timeout_at(deadline, self.gate.lock())
            .await
            .map_err(|_| Denied::Busy)?;
        let place = loop {
            let wait = match self.try_turn(cost)? {
                Ok(place) => break place,
                Err(Full::For(wait)) => wait,
                Err(Full::UntilAnAnswer) => {
                    let answered = self.window.iter().map(Window::answered).next();
                    let answered = answered.expect("only a window is full until an answer");
                    tokio::time::timeout_at(deadline, answered)
                        .await
                        .map_err(|_| Denied::Busy)?;
                    continue;
                }
            };
            if Instant::now() + wait > deadline {
                return Err(Denied::Wait(wait));
            }
            tokio::time::sleep(wait).await;
        };
        if let Some(budget) = &self.budget {
            budget.pay(cost);
        }
        Ok(Turn { place })
    }

    /// A place where one is free; the outer error is one that no waiting within a call mends.
    fn try_turn(&self, cost: u32) -> Result<Result<Option<Place<'_>>, Full>, Denied> {
        let now = Instant::now();
        if let Some(until) = self.pause.until().filter(|until| *until > now) {
            return Ok(Err(Full::For(until - now)));
        }
        self.budget
            .as_ref()
            .map_or(Ok(()), |budget| budget.check(cost))
            .and_then(|()| self.day.check())
            .map_err(Denied::Wait)?;
        if let Some(window) = &self.window {
            return Ok(window.take(now).map(Some));
        }
        Ok(match self.bucket.as_ref().map(Bucket::check) {
            None | Some(Ok(())) => Ok(None),
            Some(Err(not_until)) => Err(Full::For(not_until.wait_time_from(self.clock.now()))),
        })
    }

    /// Learns from an answer. Returns how long the server asked to wait, when it did.
    pub(crate) fn observe(
        &self,
        turn: &Turn<'_>,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        wall: &WallClock,
    ) -> Option<Duration> {
        if let (Some(window), Some(place)) = (&self.window, &turn.place) {
            window.observe(headers, place, Instant::now());
            if status == 429 {
                window.refused();
            }
        }
        self.day.observe(headers);
        let asked = asked_wait(status, headers, wall).or_else(|| {
            let refused = status == 429;
            let is_daily = refused && names_the_day(body);
            // A window that is full says so without saying for how long: a window from now it is empty.
            let span = self.window.as_ref().map(Window::span).filter(|_| refused);
            is_daily.then(|| until_midnight(wall)).or(span)
        });
        if let Some(wait) =
            asked.filter(|_| status == 429 || status == 503 || self.bucket.is_some())
        {
            self.pause.extend(Instant::now() + wait);
        }
        asked
    }

    /// What is used of the window and of the day, where the vendor counts so.
    pub(crate) fn spent(&self) -> Option<Spent> {
        let (used, most) = self.window.as_ref()?.used(Instant::now());
        let day = self.day.left();
        Some(Spent { used, most, day })
    }

    /// How much is let through: of a rolling window what the server says it holds, else the declared rate.
    pub(crate) fn pace(&self) -> Option<Pace> {
        let daily = self.day.left().map(|(_, most)| self.day.share_of(most));
        if let Some(window) = &self.window {
            let (_, most) = window.used(Instant::now());
            let window_s = u32::try_from(window.span().as_secs()).ok()?;
            return Some(Pace::Requests {
                most,
                window_s,
                daily,
            });
        }
        let per_second = self.per_second?;
        // Whole numbers: what is not a whole number a second is counted by the minute.
        let (most, window_s) = match per_second {
            whole if whole >= 1.0 && whole.fract() == 0.0 => (whole, 1),
            other => ((other * 60.0).floor().max(1.0), 60),
        };
        Some(Pace::Requests {
            most: most as u32,
            window_s,
            daily,
        })
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

/// What a vendor's limits have seen of us and of others who share them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Requests in the rolling window now.
    pub used: u32,
    /// The most in any window.
    pub most: u32,
    /// Requests left today, and how many a day has, as the server said last.
    pub day: Option<(u64, u64)>,
}

/// A request's turn, held until its answer is there.
#[derive(Debug)]
pub(crate) struct Turn<'l> {
    place: Option<Place<'l>>,
}

/// What the server says of the day's requests, by everybody, and the share that may be spent.
struct Day {
    share_percent: u8,
    /// Day number (UTC), requests left, requests a day.
    told: Mutex<Option<(i64, u64, u64)>>,
    wall: WallClock,
}

impl Day {
    fn observe(&self, headers: &HeaderMap) {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let most = number("x-hubspot-ratelimit-daily");
        if let (Some(most), Some(left)) = (most, number("x-hubspot-ratelimit-daily-remaining")) {
            let today = self.today();
            *self.told() = Some((today, left, most));
        }
    }

    /// How much of a day's requests may be spent.
    fn share_of(&self, most: u64) -> u64 {
        most * u64::from(self.share_percent.min(100)) / 100
    }

    fn left(&self) -> Option<(u64, u64)> {
        let today = self.today();
        let told = *self.told();
        told.filter(|(day, ..)| *day == today)
            .map(|(_, left, most)| (left, most))
    }

    fn check(&self) -> Result<(), Duration> {
        let share = u64::from(self.share_percent.min(100));
        match self.left() {
            Some((left, most)) if share < 100 && left <= most / 100 * (100 - share) => {
                Err(until_midnight(&self.wall))
            }
            _ => Ok(()),
        }
    }

    fn today(&self) -> i64 {
        (self.wall)().unix_us().div_euclid(DAY_US)
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Option<(i64, u64, u64)>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
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
    // HubSpot's window and day are counted elsewhere; a refusal that comes with an empty day means the day.
    if status == 429 && empty("x-hubspot-ratelimit-daily-remaining") {
        return Some(until_midnight(wall));
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

/// Whether a refusal names the day's limit as its cause, as HubSpot's do where no header says so (OAuth apps).
fn names_the_day(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Told<'a> {
        #[serde(rename = "policyName", borrow)]
        policy: Option<std::borrow::Cow<'a, str>>,
    }
    serde_json::from_slice::<Told<'_>>(body)
        .is_ok_and(|told| told.policy.is_some_and(|policy| policy == "DAILY"))
}

/// To the next 00:00 UTC.
fn until_midnight(wall: &WallClock) -> Duration {
    let left = DAY_US - (wall)().unix_us().rem_euclid(DAY_US);
    Duration::from_micros(left.unsigned_abs())
}

#[cfg(test)]
mod tests;
