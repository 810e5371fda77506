//! Decides which request is answered badly, and how: from the rates ordered, a seed and the request's number.
//!
//! It breaks nothing itself: the simulated vendor does, in its own words.

use crate::truth::mix;
use std::str::FromStr;

/// Faults to order, all off by default. As text: a comma list such as
/// `latency=50,429=0.02,500=0.01,reset=0.005,truncate=0.005,repeat-page=0.01,echo=0.01,change-while-paging,seed=7`;
/// latency in milliseconds, rates per request from 0 to 1. Also `423`, `477`, `502`, `503`, `504`, `521`, `523` and `524`; those from 500 on,
/// and `reset`, have a form such as `502-after`: the answer is lost, but the request was carried out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Added to every answer, in milliseconds.
    pub latency_ms: u64,
    /// Share of requests answered 429.
    pub rate_limited: f64,
    /// Share of requests answered 500.
    pub server_error: f64,
    /// Share of requests whose connection is closed, before the answer or within its body.
    pub reset: f64,
    /// Share of requests that are carried out, and whose connection then closes without an answer.
    pub reset_after: f64,
    /// Shares of requests answered with further statuses, by their names in an order of faults.
    pub statuses: Vec<(StatusFault, f64)>,
    /// Share of requests whose JSON ends early though the length is declared so.
    pub truncate: f64,
    /// Share of requests for a further page that are answered with the page before.
    pub repeat_page: f64,
    /// Share of requests refused with a body that repeats the request's own credential, in several encodings.
    pub echo: f64,
    /// Records are edited while lists are being read.
    pub change_while_paging: bool,
    /// Two equal seeds give the same faults at the same requests.
    pub seed: u64,
}

/// A status that a request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusFault {
    /// The name that it is ordered by.
    pub name: &'static str,
    /// The status.
    pub status: u16,
    /// The request is carried out nevertheless.
    pub after: bool,
}

const fn status(name: &'static str, status: u16, after: bool) -> StatusFault {
    StatusFault {
        name,
        status,
        after,
    }
}

const STATUSES: &[StatusFault] = &[
    status("423", 423, false),
    status("477", 477, false),
    status("500-after", 500, true),
    status("502", 502, false),
    status("502-after", 502, true),
    status("503", 503, false),
    status("503-after", 503, true),
    status("504", 504, false),
    status("504-after", 504, true),
    status("521", 521, false),
    status("521-after", 521, true),
    status("523", 523, false),
    status("523-after", 523, true),
    status("524", 524, false),
    status("524-after", 524, true),
];

/// Why an order of faults cannot be understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultsError {
    /// No such fault.
    #[error(
        "unknown fault {0:?}; known: latency=MS, 429=RATE, 500=RATE, 423=RATE, 477=RATE, 502=RATE (503, 504, 521, 523, 524), 502-after=RATE (500, 503, 504, 521, 523, 524), reset=RATE, reset-after=RATE, truncate=RATE, repeat-page=RATE, echo=RATE, change-while-paging, seed=N"
    )]
    Unknown(String),
    /// The value is missing or out of range.
    #[error("fault {name:?} needs {needs}, not {value:?}")]
    Value {
        /// The fault.
        name: String,
        /// What would be right.
        needs: &'static str,
        /// What was given.
        value: String,
    },
}

/// What befalls one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429, with `Retry-After` or with the vendor's own header.
    RateLimited {
        /// Which of the two.
        retry_after: bool,
    },
    /// 500.
    ServerError,
    /// The connection closes without an answer.
    ResetBefore,
    /// The connection closes within the body.
    ResetWithin,
    /// The request is carried out, then the connection closes without an answer.
    ResetAfter,
    /// Another status.
    Status(StatusFault),
    /// The JSON ends early.
    Truncate,
    /// The page before once more.
    RepeatPage,
    /// A refusal that repeats the credential it was asked with.
    Echo,
}

impl Fault {
    /// The name that the fault is ordered by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "429",
            Self::ServerError => "500",
            Self::ResetBefore | Self::ResetWithin => "reset",
            Self::ResetAfter => "reset-after",
            Self::Status(fault) => fault.name,
            Self::Truncate => "truncate",
            Self::RepeatPage => "repeat-page",
            Self::Echo => "echo",
        }
    }
}

impl Faults {
    /// What befalls the request of that number (from 0), if anything.
    pub fn at(&self, request: u64) -> Option<Fault> {
        let word = mix(mix(self.seed) ^ request);
        let share = (word >> 11) as f64 / (1u64 << 53) as f64;
        let coin = mix(word).is_multiple_of(2);
        let rates = [
            (self.rate_limited, Fault::RateLimited { retry_after: coin }),
            (self.server_error, Fault::ServerError),
            (
                self.reset,
                if coin {
                    Fault::ResetBefore
                } else {
                    Fault::ResetWithin
                },
            ),
            (self.truncate, Fault::Truncate),
            (self.repeat_page, Fault::RepeatPage),
            (self.echo, Fault::Echo),
            (self.reset_after, Fault::ResetAfter),
        ];
        let statuses = self
            .statuses
            .iter()
            .map(|(fault, rate)| (*rate, Fault::Status(*fault)));
        let mut below = 0.0;
        for (rate, fault) in rates.into_iter().chain(statuses) {
            below += rate;
            if share < below {
                return Some(fault);
            }
        }
        None
    }
}

impl FromStr for Faults {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let mut faults = Self::default();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name {
                "latency" => faults.latency_ms = whole(name, value)?,
                "seed" => faults.seed = whole(name, value)?,
                "429" => faults.rate_limited = rate(name, value)?,
                "500" => faults.server_error = rate(name, value)?,
                "reset" => faults.reset = rate(name, value)?,
                "truncate" => faults.truncate = rate(name, value)?,
                "repeat-page" => faults.repeat_page = rate(name, value)?,
                "reset-after" => faults.reset_after = rate(name, value)?,
                "echo" => faults.echo = rate(name, value)?,
                "change-while-paging" if value.is_empty() => faults.change_while_paging = true,
                _ => {
                    let known = STATUSES.iter().find(|known| known.name == name);
                    let known = known.ok_or_else(|| FaultsError::Unknown(part.to_owned()))?;
                    faults.statuses.push((*known, rate(name, value)?));
                }
            }
        }
        Ok(faults)
    }
}

fn whole(name: &str, value: &str) -> Result<u64, FaultsError> {
    let wrong = || FaultsError::Value {
        name: name.to_owned(),
        needs: "a whole number",
        value: value.to_owned(),
    };
    value.parse().map_err(|_| wrong())
}

fn rate(name: &str, value: &str) -> Result<f64, FaultsError> {
    let wrong = || FaultsError::Value {
        name: name.to_owned(),
        needs: "a rate from 0 to 1",
        value: value.to_owned(),
    };
    value
        .parse()
        .ok()
        .filter(|rate| (0.0..=1.0).contains(rate))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_or_refused_by_name() {
        let faults: Faults = "latency=50, 429=0.02,500=0.01,reset=0.005,truncate=0.005,repeat-page=0.01,change-while-paging"
            .parse()
            .unwrap();
        assert_eq!(
            (
                faults.latency_ms,
                faults.rate_limited,
                faults.change_while_paging
            ),
            (50, 0.02, true)
        );
        assert_eq!(
            "404=1".parse::<Faults>(),
            Err(FaultsError::Unknown("404=1".to_owned()))
        );
        assert!("429=2".parse::<Faults>().is_err() && "500".parse::<Faults>().is_err());
        assert_eq!("".parse::<Faults>(), Ok(Faults::default()));
    }

    #[test]
    fn a_status_may_come_before_or_after_the_request_is_carried_out() {
        let faults: Faults = "502=0.5,504-after=0.5".parse().unwrap();
        let given: Vec<_> = (0..100).filter_map(|request| faults.at(request)).collect();
        assert_eq!(given.len(), 100);
        for (name, status, after) in [("502", 502, false), ("504-after", 504, true)] {
            let of_name = given.iter().filter(|fault| fault.name() == name);
            let all: Vec<_> = of_name.collect();
            assert!((30..70).contains(&all.len()));
            assert!(all.iter().all(
                |fault| matches!(fault, Fault::Status(fault) if (fault.status, fault.after) == (status, after))
            ));
        }
        assert!("502-before=1".parse::<Faults>().is_err());
    }

    #[test]
    fn faults_are_reproducible_and_near_their_rates() {
        let faults: Faults = "429=0.1,500=0.05,reset=0.05,truncate=0.05,repeat-page=0.05,seed=3"
            .parse()
            .unwrap();
        let given: Vec<_> = (0..10_000).map(|request| faults.at(request)).collect();
        assert_eq!(
            given,
            (0..10_000)
                .map(|request| faults.at(request))
                .collect::<Vec<_>>()
        );
        let count = |name| {
            given
                .iter()
                .flatten()
                .filter(|fault| fault.name() == name)
                .count()
        };
        assert!((800..1200).contains(&count("429")), "{}", count("429"));
        for name in ["500", "reset", "truncate", "repeat-page"] {
            assert!((350..650).contains(&count(name)), "{name}: {}", count(name));
        }
        let other = Faults {
            seed: 4,
            ..faults.clone()
        };
        assert!((0..10_000).any(|request| faults.at(request) != other.at(request)));
    }
}
