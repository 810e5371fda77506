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
        if let Some(instant) = plain_instant(text.as_bytes()) {
            return Ok(instant);
        }
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
        let bytes = text.as_bytes().as_array::<10>();
        bytes.and_then(plain_date).map(Self).ok_or(error)
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

/// Two digits as a number, and more than 99 where they are none.
fn two(tens: u8, ones: u8) -> u8 {
    let digit = |byte: u8| byte.wrapping_sub(b'0');
    if digit(tens) > 9 || digit(ones) > 9 {
        return u8::MAX;
    }
    digit(tens) * 10 + digit(ones)
}

/// Reads `YYYY-MM-DD`.
fn plain_date(text: &[u8; 10]) -> Option<jiff::civil::Date> {
    let &[a, b, c, d, b'-', e, f, b'-', g, h] = text else {
        return None;
    };
    let (century, year, month, day) = (two(a, b), two(c, d), two(e, f), two(g, h));
    if [century, year, month, day].iter().any(|part| *part > 99) {
        return None;
    }
    let number = |part: u8| i8::try_from(part).ok();
    let year = i16::from(century) * 100 + i16::from(year);
    jiff::civil::Date::new(year, number(month)?, number(day)?).ok()
}

/// Reads the form that nearly every row has, `YYYY-MM-DDTHH:MM:SSZ`, in a fifth of the time of the general reader, which takes the rest.
fn plain_instant(text: &[u8]) -> Option<Instant> {
    let (date, rest) = text.split_first_chunk::<10>()?;
    let &[b'T', a, b, b':', c, d, b':', e, f, b'Z'] = rest else {
        return None;
    };
    let (hour, minute, second) = (two(a, b), two(c, d), two(e, f));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = i64::from((plain_date(date)? - EPOCH).get_days());
    let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Instant::from_unix_us((days * 86_400 + of_day) * 1_000_000)
}

const EPOCH: jiff::civil::Date = jiff::civil::date(1970, 1, 1);

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

    proptest::proptest! {
        /// The general reader is the judge, on instants and on what is nearly one.
        #[test]
        fn the_short_way_agrees_with_the_general_one(
            text in "[029][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|z|\\+01:00)"
        ) {
            let judged = text.parse::<jiff::Timestamp>().ok().map(|timestamp| timestamp.as_microsecond());
            proptest::prop_assert_eq!(text.parse::<Instant>().ok().map(Instant::unix_us), judged);
            let judged = text[..10].parse::<jiff::civil::Date>().ok().map(|date| date.to_string());
            proptest::prop_assert_eq!(text[..10].parse::<Date>().ok().map(|date| date.to_string()), judged);
        }
    }

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
