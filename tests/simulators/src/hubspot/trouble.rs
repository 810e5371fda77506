//! Decides which request goes wrong, and how: by the rates that were ordered, or as a test planned it.
//!
//! It breaks nothing itself.

use super::answer::{Answer, Failure};
use super::call::{Call, Method};
use super::limits::Policy;
use crate::faults::{Fault, Faults};
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What befalls a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mishap {
    /// A status; after the request was carried out, or instead.
    Status {
        /// The status.
        status: u16,
        /// The request is carried out nevertheless.
        after: bool,
        /// Seconds in `Retry-After`; none sends no such header.
        retry_after: Option<u64>,
    },
    /// A 429 of that policy.
    RateLimited(Policy),
    /// The connection closes without an answer; the request was carried out or not.
    Reset {
        /// The request is carried out nevertheless.
        after: bool,
    },
    /// The connection closes within the answer's body; the request was carried out.
    ResetWithin,
    /// The answer's JSON ends early; the request was carried out.
    Truncate,
    /// A refusal that repeats the credential it was asked with.
    Echo,
}

impl Mishap {
    /// A status instead of carrying the request out.
    pub const fn before(status: u16) -> Self {
        Self::Status {
            status,
            after: false,
            retry_after: None,
        }
    }

    /// A status although the request was carried out.
    pub const fn after(status: u16) -> Self {
        Self::Status {
            status,
            after: true,
            retry_after: None,
        }
    }

    /// Whether the request is carried out.
    pub(super) const fn carries_out(&self) -> bool {
        match self {
            Self::Status { after, .. } | Self::Reset { after } => *after,
            Self::ResetWithin | Self::Truncate => true,
            Self::RateLimited(_) | Self::Echo => false,
        }
    }
}

/// A mishap that a test orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Only requests of this method; none means any.
    pub method: Option<Method>,
    /// Only requests whose path contains this.
    pub path: String,
    /// So many of them are served well before.
    pub skip: u64,
    /// So many of them then go wrong, one after the other.
    pub times: u64,
    /// What befalls them.
    pub mishap: Mishap,
}

/// Faults ordered by rate, and planned mishaps.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    plans: Vec<Planned>,
    faults: Faults,
    asked: u64,
    /// Requests that went wrong by rate: the same one is served when it comes again.
    befallen: HashSet<u64>,
    /// How often each fault was given.
    pub(super) given: BTreeMap<&'static str, u64>,
}

impl Trouble {
    pub(super) fn new(faults: Faults) -> Self {
        Self {
            faults,
            ..Self::default()
        }
    }

    pub(super) fn plan(&mut self, planned: Planned) {
        self.plans.push(planned);
    }

    /// What befalls this request.
    pub(super) fn befalls(&mut self, call: &Call) -> Option<Mishap> {
        let number = self.asked;
        self.asked += 1;
        if let Some(mishap) = self.planned(call) {
            *self.given.entry("planned").or_default() += 1;
            return Some(mishap);
        }
        let fault = self.faults.at(number)?;
        let mishap = mishap(fault)?;
        let mut hasher = DefaultHasher::new();
        (call.method, &call.target, &call.body).hash(&mut hasher);
        if !self.befallen.insert(hasher.finish()) {
            return None;
        }
        *self.given.entry(fault.name()).or_default() += 1;
        Some(mishap)
    }

    fn planned(&mut self, call: &Call) -> Option<Mishap> {
        let mut found = None;
        for plan in &mut self.plans {
            let meant = plan.method.is_none_or(|method| method == call.method)
                && call.path().contains(&plan.path);
            if !meant || plan.times == 0 {
                continue;
            }
            if plan.skip > 0 {
                plan.skip -= 1;
            } else if found.is_none() {
                plan.times -= 1;
                found = Some(plan.mishap.clone());
            }
        }
        self.plans.retain(|plan| plan.times > 0);
        found
    }
}

/// None for faults of lists that this vendor's cursors make impossible.
fn mishap(fault: Fault) -> Option<Mishap> {
    Some(match fault {
        Fault::RateLimited { retry_after } => match retry_after {
            false => Mishap::RateLimited(Policy::TenSecondlyRolling),
            true => Mishap::Status {
                status: 429,
                after: false,
                retry_after: Some(1),
            },
        },
        Fault::ServerError => Mishap::before(500),
        Fault::ResetBefore => Mishap::Reset { after: false },
        Fault::ResetAfter => Mishap::Reset { after: true },
        Fault::ResetWithin => Mishap::ResetWithin,
        Fault::Truncate => Mishap::Truncate,
        Fault::Echo => Mishap::Echo,
        Fault::Status(fault) => Mishap::Status {
            status: fault.status,
            after: fault.after,
            retry_after: (fault.status == 477).then_some(2),
        },
        Fault::RepeatPage => return None,
    })
}

/// The answer with such a status. What stands in front of the vendor answers with pages for people.
pub(super) fn answer(status: u16, retry_after: Option<u64>, correlation_id: &str) -> Answer {
    let answer = match status {
        401 => Failure::new(
            401,
            "EXPIRED_AUTHENTICATION",
            "The OAuth token used to make this call expired 1 second(s) ago.",
        )
        .answer(correlation_id),
        429 => Policy::TenSecondlyRolling.failure().answer(correlation_id),
        423 => Failure::new(423, "LOCKED", "The resource is locked; try again later.")
            .answer(correlation_id),
        477 => Failure::new(
            477,
            "MIGRATION_IN_PROGRESS",
            "This account is being moved to another data center.",
        )
        .answer(correlation_id),
        500 => Failure::new(500, "INTERNAL_ERROR", "internal error").answer(correlation_id),
        502 => Answer::html(502, "502 Bad Gateway"),
        503 => Answer::html(503, "503 Service Temporarily Unavailable"),
        504 => Answer::html(504, "504 Gateway Time-out"),
        521 => Answer::html(521, "521: Web server is down"),
        523 => Answer::html(523, "523: Origin is unreachable"),
        524 => Answer::html(524, "524: A timeout occurred"),
        _ => Failure::new(
            status,
            "INTERNAL_ERROR",
            "There was a problem with the request.",
        )
        .answer(correlation_id),
    };
    match retry_after {
        Some(seconds) => answer.with("Retry-After", seconds.to_string()),
        None => answer,
    }
}
