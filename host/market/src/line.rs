//! One line of a consent: a thing that a connector may do, in plain words, and whether another line allows it already.
//!
//! The words hold data of the manifest, which is a stranger's; whoever renders them escapes them.

use std::fmt;

use serde::Serialize;

/// One thing that is consented to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    /// It may send requests of a method below an address.
    Request {
        /// The method's name.
        method: String,
        /// The address, parameters in braces.
        url: String,
    },
    /// A parameter of an address may be what the pattern says.
    Parameter {
        /// The address.
        url: String,
        /// The parameter.
        name: String,
        /// What may stand there.
        pattern: String,
    },
    /// A credential is added to its requests; the connector never sees it.
    Credential {
        /// Its name.
        id: String,
        /// The address of each endpoint that gets it.
        url: String,
        /// The header that carries it.
        header: String,
    },
    /// A scope is asked for.
    Scope {
        /// The credential's name.
        credential: String,
        /// The scope.
        scope: String,
    },
    /// The person's browser, and the host with the codes it brings, are sent to an address.
    Login {
        /// The credential's name.
        credential: String,
        /// The address.
        url: String,
    },
    /// It does something with an object.
    Object {
        /// The source's name of the object.
        name: String,
        /// What it does: `read`, `write` and so on.
        support: String,
    },
    /// It may use that much memory.
    Memory {
        /// MiB.
        mib: u32,
    },
    /// A call may take that long.
    Time {
        /// Milliseconds.
        ms: u32,
    },
    /// It may send that many requests to an address; `None` is without limit.
    Rate {
        /// The address.
        url: String,
        /// Thousandths of a request a second.
        per_second_thousandths: Option<u64>,
        /// Requests at once after a rest.
        burst: Option<u32>,
        /// Requests in flight.
        concurrency: Option<u32>,
        /// Sum of costs a day.
        per_day: Option<u64>,
    },
    /// What its requests to an address count against the daily budget is not what it was.
    Costs {
        /// The address.
        url: String,
    },
    /// Another publisher than before stands for it.
    Publisher {
        /// As the package says.
        name: String,
    },
    /// A key that nobody announced speaks for it.
    Key {
        /// The key.
        key: String,
    },
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { method, url } => write!(f, "send {method} requests to {url}"),
            Self::Parameter { url, name, pattern } => {
                write!(f, "in {url}, {name} may be anything that matches {pattern}")
            }
            Self::Credential { id, url, header } => write!(
                f,
                "have {id} added to its requests to {url} in the header {header} (it never sees it)"
            ),
            Self::Scope { credential, scope } => {
                write!(f, "be given the scope {scope} with {credential}")
            }
            Self::Login { credential, url } => {
                write!(f, "send you to {url} to log in with {credential}")
            }
            Self::Object { name, support } if support == "associations" => {
                write!(f, "read the associations of {name} records")
            }
            Self::Object { name, support } if support == "incremental" => {
                write!(f, "read the {name} records that changed")
            }
            Self::Object { name, support } if support == "deletes" => {
                write!(f, "learn which {name} records were deleted")
            }
            Self::Object { name, support } => write!(f, "{support} {name} records"),
            Self::Memory { mib } => write!(f, "use up to {mib} MiB of memory"),
            Self::Time { ms } => write!(f, "take up to {ms} ms for a call"),
            Self::Rate { .. } => self.write_rate(f),
            Self::Costs { url } => write!(
                f,
                "count its requests to {url} against the daily budget in another way"
            ),
            Self::Publisher { name } => write!(f, "be published by {name}"),
            Self::Key { key } => write!(f, "be trusted by {key}, a key never seen here before"),
        }
    }
}

impl Line {
    fn write_rate(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Rate {
            url,
            per_second_thousandths,
            burst,
            concurrency,
            per_day,
        } = self
        else {
            return Ok(());
        };
        match per_second_thousandths {
            None => write!(f, "send requests to {url} as fast as it answers")?,
            Some(rate) => write!(
                f,
                "send up to {}.{:03} requests a second to {url}",
                rate / 1_000,
                rate % 1_000
            )?,
        }
        if let Some(burst) = burst {
            write!(f, ", {burst} at once after a rest")?;
        }
        if let Some(concurrency) = concurrency {
            write!(f, ", {concurrency} in flight")?;
        }
        per_day.map_or(Ok(()), |budget| write!(f, ", {budget} a day"))
    }

    /// Whether this line was agreed to by one of those; a limit is by any that is at least as high.
    pub(crate) fn is_held_by(&self, held: &[Self]) -> bool {
        held.iter().any(|old| self.is_within(old))
    }

    fn is_within(&self, old: &Self) -> bool {
        match (old, self) {
            (Self::Memory { mib: old }, Self::Memory { mib }) => old >= mib,
            (Self::Time { ms: old }, Self::Time { ms }) => old >= ms,
            (
                Self::Rate {
                    url: old_url,
                    per_second_thousandths: old_rate,
                    burst: old_burst,
                    concurrency: old_concurrency,
                    per_day: old_per_day,
                },
                Self::Rate {
                    url,
                    per_second_thousandths,
                    burst,
                    concurrency,
                    per_day,
                },
            ) => {
                old_url == url
                    && is_at_most(*per_second_thousandths, *old_rate)
                    && is_at_most(*burst, *old_burst)
                    && is_at_most(*concurrency, *old_concurrency)
                    && is_at_most(*per_day, *old_per_day)
            }
            (old, line) => old == line,
        }
    }
}

/// `None` is without limit.
fn is_at_most<T: PartialOrd>(new: Option<T>, old: Option<T>) -> bool {
    match (new, old) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(new), Some(old)) => new <= old,
    }
}
