//! Instants, dates and times of day: three different things that are never mixed.
//!
//! It parses and prints only the forms of the row grammar; time zones other than UTC are the connector's business.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Says that a text is not the date, time or instant that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}")]
pub struct TimeError {
    /// The expected form, for a person.
    pub expected: &'static str,
}

/// A point in time in UTC, to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// From microseconds since 1970-01-01T00:00:00Z. `None` outside of the years -9999 to 9999.
    pub fn from_unix_us(us: i64) -> Option<Self> {
        jiff::Timestamp::from_microsecond(us).ok().map(|_| Self(us))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn unix_us(self) -> i64 {
        self.0
    }

    /// The present, from the system's clock.
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// The date in UTC.
    pub fn date(self) -> Date {
        let timestamp =
            jiff::Timestamp::from_microsecond(self.0).expect("checked when it was made");
        Date(jiff::tz::TimeZone::UTC.to_datetime(timestamp).date())
    }
}

impl FromStr for Instant {
    type Err = TimeError;

    /// Parses RFC 3339 with a zone, for example `2026-01-05T09:30:00Z` or `2026-01-05T09:30:00.213+01:00`.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        text.parse::<jiff::Timestamp>()
            .map(|timestamp| Self(timestamp.as_microsecond()))
            .map_err(|_| TimeError {
                expected: "an RFC 3339 instant such as 2026-01-05T09:30:00Z",
            })
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 in UTC, fraction only where there is one: `2026-01-05T09:30:00.213Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp =
            jiff::Timestamp::from_microsecond(self.0).expect("checked when it was made");
        write!(f, "{timestamp}")
    }
}

/// A day of the calendar, without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(jiff::civil::Date);

impl Date {
    /// Midnight UTC of this day.
    pub fn midnight(self) -> Instant {
        let zoned = self
            .0
            .to_zoned(jiff::tz::TimeZone::UTC)
            .expect("UTC has every midnight");
        Instant(zoned.timestamp().as_microsecond())
    }
}

impl FromStr for Date {
    type Err = TimeError;

    /// Parses `YYYY-MM-DD` and nothing else.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let error = TimeError {
            expected: "a date such as 2026-01-05",
        };
        if text.len() != 10 {
            return Err(error);
        }
        text.parse::<jiff::civil::Date>()
            .map(Self)
            .map_err(|_| error)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A time of day without a date or zone, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u32);

impl TimeOfDay {
    /// Seconds since midnight, 0 to 86,399.
    pub fn seconds(self) -> u32 {
        self.0
    }
}

impl FromStr for TimeOfDay {
    type Err = TimeError;

    /// Parses `HH:MM:SS`.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let error = TimeError {
            expected: "a time of day such as 14:30:00",
        };
        let two = |range: std::ops::Range<usize>, below: u32| {
            let digits = text
                .get(range)
                .filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            digits
                .and_then(|part| part.parse::<u32>().ok())
                .filter(|number| *number < below)
        };
        let colons = text.len() == 8 && text.as_bytes()[2] == b':' && text.as_bytes()[5] == b':';
        match (colons, two(0..2, 24), two(3..5, 60), two(6..8, 60)) {
            (true, Some(hour), Some(minute), Some(second)) => {
                Ok(Self(hour * 3600 + minute * 60 + second))
            }
            _ => Err(error),
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:02}:{:02}:{:02}",
            self.0 / 3600,
            self.0 / 60 % 60,
            self.0 % 60
        )
    }
}

macro_rules! serde_as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

serde_as_text!(Instant);
serde_as_text!(Date);
serde_as_text!(TimeOfDay);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_their_fraction_and_become_utc() {
        let instant: Instant = "2026-01-05T10:30:00.213+01:00".parse().unwrap();
        assert_eq!(instant.to_string(), "2026-01-05T09:30:00.213Z");
        assert_eq!(instant.date().to_string(), "2026-01-05");
        assert_eq!(
            instant.date().midnight().to_string(),
            "2026-01-05T00:00:00Z"
        );
    }

    #[test]
    fn a_date_is_not_an_instant_and_a_time_has_a_range() {
        assert!("2026-01-05T09:30:00Z".parse::<Date>().is_err());
        assert!("2026-02-30".parse::<Date>().is_err());
        assert!("2026-01-05".parse::<Instant>().is_err());
        for wrong in [
            "24:00:00", "9:30:00", "09:60:00", "+9:30:00", "09:30", "ä9:30:0",
        ] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
        assert_eq!(
            "14:30:05".parse::<TimeOfDay>().unwrap().to_string(),
            "14:30:05"
        );
    }
}
