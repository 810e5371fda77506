//! Decides whether a request is within the limits: ten seconds per app, a day per account, a second of searches per account.
//!
//! It knows no clock: it is told the time. What it refuses does not count.

use super::answer::Failure;
use std::collections::{HashMap, VecDeque};

/// Limits of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Limits {
    /// None, and no headers about them.
    Off,
    /// Those of the account's tier.
    #[default]
    Real,
    /// These.
    Custom(Plan),
}

/// What an account pays for (fact sheet, section 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tier {
    /// Free and Starter.
    Starter,
    /// Professional.
    Professional,
    /// Enterprise; the only one with custom objects.
    #[default]
    Enterprise,
}

/// Limits in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Requests of a private app in any 10 seconds.
    pub burst: u64,
    /// Requests of an OAuth app in any 10 seconds.
    pub oauth_burst: u64,
    /// Requests of the whole account between two midnights of its time zone.
    pub daily: u64,
    /// Searches of the whole account in any second.
    pub search: u64,
}

impl Tier {
    /// Its limits.
    pub const fn plan(self) -> Plan {
        let (burst, daily) = match self {
            Self::Starter => (100, 250_000),
            Self::Professional => (190, 625_000),
            Self::Enterprise => (190, 1_000_000),
        };
        Plan {
            burst,
            oauth_burst: 110,
            daily,
            search: 5,
        }
    }
}

impl Tier {
    /// Most pipelines of a kind of record; how many each tier really has is not documented (unverified).
    pub const fn pipelines(self) -> usize {
        match self {
            Self::Starter => 1,
            Self::Professional => 15,
            Self::Enterprise => 100,
        }
    }
}

/// Length of the rolling window, in milliseconds.
pub(super) const WINDOW_MS: i64 = 10_000;
const SECOND_MS: i64 = 1000;
const DAY_MS: i64 = 86_400_000;

/// Who asks, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    /// The app; each has a window of its own.
    pub(super) app: &'a str,
    pub(super) oauth: bool,
    pub(super) search: bool,
}

/// Which limit was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Policy {
    /// Too many in ten seconds.
    TenSecondlyRolling,
    /// Too many today.
    Daily,
    /// Too many searches in a second.
    Secondly,
}

impl Policy {
    /// As `policyName` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TenSecondlyRolling => "TEN_SECONDLY_ROLLING",
            Self::Daily => "DAILY",
            Self::Secondly => "SECONDLY",
        }
    }

    /// The 429.
    pub(super) fn failure(self) -> Failure {
        let limit = self.name().to_ascii_lowercase();
        Failure::new(
            429,
            "RATE_LIMITS",
            format!("You have reached your {limit} limit."),
        )
        .extra("errorType", "RATE_LIMIT")
        .extra("policyName", self.name())
    }
}

/// Names and values.
pub(super) type Headers = Vec<(&'static str, String)>;

/// An account's meter.
#[derive(Debug, Default)]
pub(super) struct Meter {
    windows: HashMap<String, VecDeque<i64>>,
    searches: VecDeque<i64>,
    day: i64,
    spent: u64,
    /// Most requests of one app that were admitted within any ten seconds.
    pub(super) peak: u64,
    /// Most searches that were admitted within any second.
    pub(super) search_peak: u64,
}

fn roll(window: &mut VecDeque<i64>, now: i64, length: i64) -> u64 {
    while window.front().is_some_and(|at| now - at >= length) {
        window.pop_front();
    }
    window.len() as u64
}

impl Meter {
    /// Admits a request and tells its headers, or refuses it. `midnight` is the time zone's offset to UTC in milliseconds.
    ///
    /// Searches have a limiter of their own and count for the day only [U].
    pub(super) fn admit(
        &mut self,
        plan: Option<Plan>,
        now: i64,
        midnight: i64,
        asked: Asked<'_>,
    ) -> Result<Headers, (Policy, Headers)> {
        let day = (now + midnight).div_euclid(DAY_MS);
        if self.day != day {
            (self.day, self.spent) = (day, 0);
        }
        let (used, length) = if asked.search {
            (roll(&mut self.searches, now, SECOND_MS), SECOND_MS)
        } else {
            let window = self.windows.entry(asked.app.to_owned()).or_default();
            (roll(window, now, WINDOW_MS), WINDOW_MS)
        };
        if let Some(plan) = plan {
            let (max, policy) = match (asked.search, asked.oauth) {
                (true, _) => (plan.search, Policy::Secondly),
                (false, true) => (plan.oauth_burst, Policy::TenSecondlyRolling),
                (false, false) => (plan.burst, Policy::TenSecondlyRolling),
            };
            if self.spent >= plan.daily {
                return Err((Policy::Daily, facts(plan, asked, max, used, self.spent)));
            }
            if used >= max {
                return Err((policy, facts(plan, asked, max, used, self.spent)));
            }
        }
        self.spent += 1;
        let used = used + 1;
        if length == SECOND_MS {
            self.searches.push_back(now);
            self.search_peak = self.search_peak.max(used);
        } else {
            self.windows
                .get_mut(asked.app)
                .expect("made above")
                .push_back(now);
            self.peak = self.peak.max(used);
        }
        Ok(plan.map_or_else(Vec::new, |plan| {
            let max = if asked.oauth {
                plan.oauth_burst
            } else {
                plan.burst
            };
            facts(plan, asked, max, used, self.spent)
        }))
    }

    /// Requests admitted today.
    pub(super) fn spent(&self) -> u64 {
        self.spent
    }
}

fn facts(plan: Plan, asked: Asked<'_>, max: u64, used: u64, spent: u64) -> Headers {
    if asked.search {
        return Vec::new();
    }
    let mut headers = vec![
        ("X-HubSpot-RateLimit-Max", max.to_string()),
        (
            "X-HubSpot-RateLimit-Remaining",
            max.saturating_sub(used).to_string(),
        ),
        (
            "X-HubSpot-RateLimit-Interval-Milliseconds",
            WINDOW_MS.to_string(),
        ),
    ];
    if !asked.oauth {
        headers.push(("X-HubSpot-RateLimit-Daily", plan.daily.to_string()));
        headers.push((
            "X-HubSpot-RateLimit-Daily-Remaining",
            plan.daily.saturating_sub(spent).to_string(),
        ));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan {
        burst: 3,
        oauth_burst: 2,
        daily: 8,
        search: 2,
    };

    fn asked(app: &str, oauth: bool, search: bool) -> Asked<'_> {
        Asked { app, oauth, search }
    }

    #[test]
    fn the_window_rolls_per_app_and_refusals_do_not_count() {
        let mut meter = Meter::default();
        let mut at = |now, app, oauth| {
            meter
                .admit(Some(PLAN), now, 0, asked(app, oauth, false))
                .map_err(|(policy, _)| policy)
        };
        for now in [0, 4000, 8000] {
            assert!(at(now, "a", false).is_ok());
        }
        for now in [8001, 9999] {
            assert_eq!(at(now, "a", false), Err(Policy::TenSecondlyRolling));
        }
        assert!(
            at(10_000, "a", false).is_ok(),
            "the first has left the window"
        );
        assert_eq!(at(10_001, "a", false), Err(Policy::TenSecondlyRolling));
        assert!(at(10_001, "b", true).is_ok() && at(10_001, "b", true).is_ok());
        assert_eq!(at(10_001, "b", true), Err(Policy::TenSecondlyRolling));
        assert_eq!((meter.peak, meter.spent()), (3, 6));
    }

    #[test]
    fn the_day_ends_at_the_accounts_midnight() {
        let mut meter = Meter::default();
        let hour = 3_600_000;
        let mut at = |now| {
            meter
                .admit(Some(PLAN), now, -4 * hour, asked("a", false, false))
                .map_err(|(policy, _)| policy)
        };
        for hours in 5..13 {
            assert!(at(hours * hour).is_ok());
        }
        assert_eq!(at(27 * hour), Err(Policy::Daily), "23:00 in its zone");
        assert!(at(28 * hour).is_ok(), "midnight in its zone");
    }

    #[test]
    fn searches_are_counted_for_all_apps_and_carry_no_headers() {
        let mut meter = Meter::default();
        let mut at = |now, app| {
            meter
                .admit(Some(PLAN), now, 0, asked(app, false, true))
                .map_err(|(policy, _)| policy)
        };
        assert_eq!(at(0, "a"), Ok(Vec::new()));
        assert_eq!(at(1, "b"), Ok(Vec::new()));
        assert_eq!(at(2, "c"), Err(Policy::Secondly));
        assert_eq!(at(1000, "c"), Ok(Vec::new()));
        let headers = meter
            .admit(Some(PLAN), 1000, 0, asked("o", true, false))
            .unwrap();
        assert_eq!(headers.len(), 3, "no daily headers for OAuth");
    }
}
