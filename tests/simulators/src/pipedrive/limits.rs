//! Decides whether a request is within the account's limits: daily tokens, the burst window, and the ban after hammering.
//!
//! It knows no clock: it is told the time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Limits of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// None, and no headers about them.
    Off,
    /// Those of a plan.
    Real(Plan),
}

/// Limits that come with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Tokens of the company a day.
    pub daily_tokens: u64,
    /// Requests of one API token in any 2 seconds.
    pub burst_key: u64,
    /// Requests of one OAuth token in any 2 seconds.
    pub burst_oauth: u64,
}

impl Limits {
    /// Those of a Premium plan with ten seats: 30,000 x 5 x 10 tokens a day, 100 and 400 requests in 2 seconds.
    pub const fn real() -> Self {
        Self::Real(Plan {
            daily_tokens: 1_500_000,
            burst_key: 100,
            burst_oauth: 400,
        })
    }
}

const WINDOW_MS: i64 = 2000;
const DAY_MS: i64 = 86_400_000;
/// So many refusals within `HAMMER_MS` bring the ban.
const HAMMER: usize = 20;
const HAMMER_MS: i64 = 10_000;
const BAN_MS: i64 = 120_000;

#[derive(Debug, Default)]
struct State {
    day: i64,
    spent: u64,
    windows: HashMap<String, VecDeque<i64>>,
    refused: VecDeque<i64>,
    banned_until: i64,
}

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Served, with these facts in its headers.
    Pass(Headers),
    /// Too many in two seconds, or no tokens left today.
    Refused(Headers),
    /// Refused so often that somebody in front answers.
    Banned,
}

/// The facts in the headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Headers {
    pub(super) limit: u64,
    pub(super) remaining: u64,
    /// Seconds until the limit that counts is lifted.
    pub(super) reset: i64,
    pub(super) daily_limit: u64,
    pub(super) daily_left: u64,
}

/// An account's meter.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<State>);

impl Meter {
    /// Admits or refuses a request of a token (`oauth` or not) that costs so many tokens.
    pub(super) fn admit(
        &self,
        plan: Plan,
        now: i64,
        token: &str,
        oauth: bool,
        cost: u64,
    ) -> Verdict {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now < state.banned_until {
            return Verdict::Banned;
        }
        let day = now.div_euclid(DAY_MS);
        if state.day != day {
            (state.day, state.spent) = (day, 0);
        }
        let limit = if oauth {
            plan.burst_oauth
        } else {
            plan.burst_key
        };
        let daily_left = plan.daily_tokens.saturating_sub(state.spent);
        let window = state.windows.entry(token.to_owned()).or_default();
        while window.front().is_some_and(|at| now - at >= WINDOW_MS) {
            window.pop_front();
        }
        let until_free = window.front().map_or(WINDOW_MS, |at| at + WINDOW_MS - now);
        let mut headers = Headers {
            limit,
            remaining: limit.saturating_sub(window.len() as u64),
            reset: (until_free + 999) / 1000,
            daily_limit: plan.daily_tokens,
            daily_left,
        };
        if daily_left < cost {
            headers.reset = ((day + 1) * DAY_MS - now + 999) / 1000;
            headers.remaining = 0;
        }
        if headers.remaining == 0 {
            return state.refuse(now, headers);
        }
        window.push_back(now);
        state.spent += cost;
        headers.remaining -= 1;
        headers.daily_left -= cost;
        Verdict::Pass(headers)
    }

    /// Tokens spent today.
    pub(super) fn spent(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spent
    }
}

impl State {
    fn refuse(&mut self, now: i64, headers: Headers) -> Verdict {
        self.refused.push_back(now);
        while self.refused.front().is_some_and(|at| now - at > HAMMER_MS) {
            self.refused.pop_front();
        }
        if self.refused.len() > HAMMER {
            self.banned_until = now + BAN_MS;
            self.refused.clear();
            return Verdict::Banned;
        }
        Verdict::Refused(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan {
        daily_tokens: 100,
        burst_key: 3,
        burst_oauth: 5,
    };

    fn remaining(verdict: &Verdict) -> Option<u64> {
        match verdict {
            Verdict::Pass(headers) => Some(headers.remaining),
            _ => None,
        }
    }

    #[test]
    fn the_burst_window_rolls_per_token() {
        let meter = Meter::default();
        let at = |now, token| meter.admit(PLAN, now, token, false, 1);
        assert_eq!(remaining(&at(0, "a")), Some(2));
        assert_eq!(remaining(&at(500, "a")), Some(1));
        assert_eq!(remaining(&at(1000, "a")), Some(0));
        assert!(matches!(at(1100, "a"), Verdict::Refused(headers) if headers.reset == 1));
        assert_eq!(remaining(&at(1100, "b")), Some(2));
        assert_eq!(
            remaining(&at(2000, "a")),
            Some(0),
            "the first request has left the window"
        );
        assert!(matches!(at(2100, "a"), Verdict::Refused(_)));
        assert_eq!(remaining(&meter.admit(PLAN, 2100, "c", true, 1)), Some(4));
    }

    #[test]
    fn the_daily_budget_is_the_companys_and_ends_at_midnight() {
        let meter = Meter::default();
        assert!(
            matches!(meter.admit(PLAN, 0, "a", false, 60), Verdict::Pass(headers) if headers.daily_left == 40)
        );
        let refused = meter.admit(PLAN, 10_000, "b", false, 60);
        assert!(
            matches!(refused, Verdict::Refused(headers) if headers.reset == 86_390),
            "{refused:?}"
        );
        assert_eq!(meter.spent(), 60);
        assert!(matches!(
            meter.admit(PLAN, DAY_MS, "b", false, 60),
            Verdict::Pass(_)
        ));
    }

    #[test]
    fn hammering_brings_a_ban_that_ends() {
        let meter = Meter::default();
        let mut banned = 0;
        for now in 0..60 {
            banned += usize::from(meter.admit(PLAN, now, "a", false, 1) == Verdict::Banned);
        }
        assert_eq!(banned, 60 - 3 - HAMMER);
        assert_eq!(meter.admit(PLAN, 60_000, "z", false, 1), Verdict::Banned);
        assert!(matches!(
            meter.admit(PLAN, 130_000, "a", false, 1),
            Verdict::Pass(_)
        ));
    }
}
