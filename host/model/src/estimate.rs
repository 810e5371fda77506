//! How long a plan will take, and why: what has to be asked of each side, in how many requests, and how many it lets through.
//!
//! It is arithmetic over counts. What a side asks for a kind of work is the side's own to say.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::id::ObjectName;

/// What a plan asks of its destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workload {
    /// Object by object, in the order of writing.
    pub objects: Vec<ObjectWork>,
    /// Associations, by objects and label.
    pub links: Vec<LinkWork>,
    /// Associations to be taken away, by objects and label.
    pub removals: Vec<LinkWork>,
}

impl Workload {
    /// The lines of a side that takes records and associations one by one.
    pub fn one_by_one(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        for work in &self.objects {
            let (written, object) = (work.creates + work.updates, &work.object);
            calls.extend(Call::batched(Work::Create, object.as_str(), written, 1));
        }
        let links = self.links.iter().chain(&self.removals);
        let links = links.map(|work| work.links).sum();
        calls.extend(Call::batched(Work::Associate, "all", links, 1));
        for work in &self.objects {
            let (read, object) = (work.creates + work.updates + work.kept, &work.object);
            calls.extend(Call::batched(Work::Prove, object.as_str(), read, 1));
        }
        calls
    }
}

/// What is to be done with one object of the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectWork {
    /// The destination's object.
    pub object: ObjectName,
    /// Records to be made.
    pub creates: u64,
    /// Records to be changed.
    pub updates: u64,
    /// Records that are as they should be: only the audit reads them.
    pub kept: u64,
}

/// How many associations of one kind are to be made, or taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkWork {
    /// The destination's object at one end.
    pub from: ObjectName,
    /// The destination's object at the other end.
    pub to: ObjectName,
    /// The label, `None` for the plain one.
    pub label: Option<String>,
    /// How many.
    pub links: u64,
}

/// A kind of work, by which lines are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Reading the source.
    Read,
    /// Making records.
    Create,
    /// Changing records, with what has to be read for it.
    Change,
    /// Making associations, with what has to be read for it.
    Associate,
    /// Reading back what was written.
    Prove,
}

impl Work {
    /// All of them, in the order of the work.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Create,
        Self::Change,
        Self::Associate,
        Self::Prove,
    ];

    /// What it is, for a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read the source",
            Self::Create => "create records",
            Self::Change => "change records",
            Self::Associate => "make associations",
            Self::Prove => "read back",
        }
    }
}

/// One line of the arithmetic: so many items in so many requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// What kind of work it is.
    pub work: Work,
    /// What it is about, for a person: `contact`.
    pub what: String,
    /// Records or associations that this line is for; none where another line has them.
    pub items: u64,
    /// Requests that they take.
    pub requests: u64,
}

impl Call {
    /// Items in full batches; `None` where there is nothing to do.
    pub fn batched(
        work: Work,
        what: impl Into<String>,
        items: u64,
        per_request: u64,
    ) -> Option<Self> {
        (items > 0).then(|| Self {
            work,
            what: what.into(),
            items,
            requests: items.div_ceil(per_request),
        })
    }

    /// The same requests beside others, whose items are counted there.
    pub fn beside(self) -> Self {
        Self { items: 0, ..self }
    }
}

/// How much a side lets through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// A vendor's limit.
    Requests {
        /// The most requests in a window.
        most: u32,
        /// Its length in seconds.
        window_s: u32,
        /// The most in a day, where the vendor has such a limit and it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        daily: Option<u64>,
    },
    /// No limit but this machine: items a second, at a bad and at a good time.
    Machine {
        /// At a bad time.
        slow: u32,
        /// At a good time.
        fast: u32,
    },
}

/// The share of a vendor's budget that the upper end of a band counts on, in percent: the rest goes to repeats and to others who use the
/// account.
pub const CAUTIOUS_PERCENT: u64 = 80;

const DAY_S: u64 = 86_400;

/// A duration in whole seconds, from the shortest possible to what is to be reckoned with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// Nothing is faster.
    pub low_s: u64,
    /// To be reckoned with.
    pub high_s: u64,
}

impl Band {
    /// One after the other.
    pub fn then(self, other: Self) -> Self {
        Self {
            low_s: self.low_s + other.low_s,
            high_s: self.high_s + other.high_s,
        }
    }
}

impl fmt::Display for Band {
    /// `1m 40s to 2m 5s`; one of the two where they are the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            |seconds: u64| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        write!(f, "{:#}", text(self.low_s))?;
        if self.low_s != self.high_s {
            write!(f, " to {:#}", text(self.high_s))?;
        }
        Ok(())
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requests {
                most,
                window_s,
                daily,
            } => {
                write!(f, "at most {most} requests in {window_s} s")?;
                match daily {
                    Some(daily) => write!(f, " and {daily} a day"),
                    None => Ok(()),
                }
            }
            Self::Machine { slow, fast } => {
                write!(
                    f,
                    "no vendor's limit, {slow} to {fast} items a second on a machine"
                )
            }
        }
    }
}

/// The arithmetic of one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideEstimate {
    /// Line by line.
    pub calls: Vec<Call>,
    /// What the side lets through; `None` where no limit is known.
    pub pace: Option<Pace>,
}

impl SideEstimate {
    /// Requests of all lines.
    pub fn requests(&self) -> u64 {
        self.calls.iter().map(|call| call.requests).sum()
    }

    /// Items and requests of each kind of work there is.
    pub fn totals(&self) -> Vec<(Work, u64, u64)> {
        let total = |work: Work| {
            let calls = self.calls.iter().filter(move |call| call.work == work);
            let (items, requests) = calls.fold((0, 0), |(items, requests), call| {
                (items + call.items, requests + call.requests)
            });
            (requests > 0).then_some((work, items, requests))
        };
        Work::ALL.into_iter().filter_map(total).collect()
    }

    /// How long that takes. `None` without a known limit.
    pub fn band(&self) -> Option<Band> {
        let requests = self.requests();
        Some(match self.pace.as_ref()? {
            Pace::Requests {
                most,
                window_s,
                daily,
            } => {
                let (most, window) = (u64::from(*most).max(1), u64::from(*window_s));
                // What a day does not hold waits for the next one.
                let nights = |percent: u64| {
                    let per_day = daily.map(|daily| (daily * percent / 100).max(1));
                    per_day.map_or(0, |per_day| requests.saturating_sub(1) / per_day)
                };
                let seconds = |percent: u64| (requests * window * 100).div_ceil(most * percent);
                let (full, cautious) = (nights(100), nights(CAUTIOUS_PERCENT));
                Band {
                    low_s: seconds(100).max(full * DAY_S),
                    high_s: seconds(CAUTIOUS_PERCENT).max(cautious * DAY_S),
                }
            }
            Pace::Machine { slow, fast } => {
                let items: u64 = self.calls.iter().map(|call| call.items).sum();
                Band {
                    low_s: items.div_ceil(u64::from(*fast).max(1)),
                    high_s: items.div_ceil(u64::from(*slow).max(1)),
                }
            }
        })
    }
}

/// How long a plan will take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Writing everything and reading it back.
    pub destination: SideEstimate,
    /// Reading the source once more from one end to the other: what a pass costs that brings later changes.
    pub source: SideEstimate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(requests: u64, pace: Pace, expected: (u64, u64)) {
        let side = SideEstimate {
            calls: Call::batched(Work::Create, "contact", requests * 100, 100)
                .into_iter()
                .collect(),
            pace: Some(pace),
        };
        let band = side.band().unwrap();
        assert_eq!((band.low_s, band.high_s), expected);
    }

    fn window(most: u32, window_s: u32, daily: Option<u64>) -> Pace {
        Pace::Requests {
            most,
            window_s,
            daily,
        }
    }

    #[test]
    fn the_band_goes_from_the_whole_budget_to_four_fifths_of_it() {
        check(0, window(190, 10, None), (0, 0));
        check(1, window(190, 10, None), (1, 1));
        check(1_900, window(190, 10, None), (100, 125));
        check(1_901, window(190, 10, None), (101, 126));
    }

    #[test]
    fn what_a_day_does_not_hold_waits_for_the_next() {
        check(1_000, window(190, 10, Some(1_000)), (53, 86_400));
        check(1_001, window(190, 10, Some(1_000)), (86_400, 86_400));
        check(2_001, window(190, 10, Some(1_000)), (172_800, 172_800));
    }

    #[test]
    fn a_band_is_read_by_a_person() {
        let text = |low_s, high_s| Band { low_s, high_s }.to_string();
        assert_eq!(text(100, 125), "1m 40s to 2m 5s");
        assert_eq!(text(0, 0), "0s");
        assert_eq!(text(86_400, 90_000), "24h to 25h");
    }

    #[test]
    fn a_machine_is_counted_in_items() {
        let pace = Pace::Machine {
            slow: 5_000,
            fast: 20_000,
        };
        check(1_000, pace, (5, 20));
    }

    #[test]
    fn the_last_batch_need_not_be_full() {
        let requests =
            |items, per| Call::batched(Work::Create, "x", items, per).map(|call| call.requests);
        assert_eq!(requests(0, 100), None);
        assert_eq!(requests(1, 100), Some(1));
        assert_eq!(requests(100, 100), Some(1));
        assert_eq!(requests(101, 100), Some(2));
    }
}
