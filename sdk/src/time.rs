//! Holds days, times of day and instants, read from the forms that vendors write and written as the rows need them.
//!
//! It knows no time zones beyond an offset in the text, and no clock: the present is the context's.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::failure::{Failure, Result};

const MICROS: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

/// A day of the Gregorian calendar, years 1 to 9999. Written `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A time of day to the second. Written `HH:MM:SS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    seconds: u32,
}

/// A moment to the microsecond, in UTC, years 1 to 9999. Written as RFC 3339 with `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    micros: i64,
}

impl Date {
    /// A day, where there is such a day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let is_day = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        is_day.then_some(Self { year, month, day })
    }

    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    /// `bad-data` for anything else, `0000-00-00` among it.
    pub fn parse(text: &str) -> Result<Self> {
        match text.as_bytes() {
            bytes if bytes.len() == 10 => date_of(bytes),
            _ => None,
        }
        .ok_or_else(|| wrong("a date such as 2026-01-31", text))
    }

    /// The instant at this time of the day in UTC.
    pub fn at(self, time: Time) -> Instant {
        Instant {
            micros: (days_since_epoch(self) * DAY_SECONDS + i64::from(time.seconds)) * MICROS,
        }
    }

    /// The day so many days later (or earlier), where it is within the years 1 to 9999.
    pub fn plus_days(self, days: i32) -> Option<Self> {
        date_from_epoch(days_since_epoch(self) + i64::from(days))
    }

    /// Year, month and day.
    pub fn parts(self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let (high, low) = ((self.year / 100) as u8, (self.year % 100) as u8);
        let [a, b] = two(high);
        let [c, d] = two(low);
        let [e, f] = two(self.month);
        let [g, h] = two(self.day);
        out.extend_from_slice(&[a, b, c, d, b'-', e, f, b'-', g, h]);
    }
}

impl Time {
    /// The first moment of a day.
    pub const MIDNIGHT: Self = Self { seconds: 0 };

    /// A time of day, where there is such a time.
    pub fn new(hour: u8, minute: u8, second: u8) -> Option<Self> {
        let is_time = hour < 24 && minute < 60 && second < 60;
        is_time.then(|| Self {
            seconds: u32::from(hour) * 3_600 + u32::from(minute) * 60 + u32::from(second),
        })
    }

    /// Reads `HH:MM` or `HH:MM:SS`.
    ///
    /// # Errors
    /// `bad-data` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        time_of(text.as_bytes()).ok_or_else(|| wrong("a time such as 14:30:00", text))
    }

    /// Seconds since midnight.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let [a, b] = two((self.seconds / 3_600) as u8);
        let [c, d] = two((self.seconds / 60 % 60) as u8);
        let [e, f] = two((self.seconds % 60) as u8);
        out.extend_from_slice(&[a, b, b':', c, d, b':', e, f]);
    }
}

impl Instant {
    /// Reads RFC 3339 (`2026-01-05T09:30:00.213Z`, `+02:00`), and `2026-01-05 09:30:00` without zone, which is taken as UTC. Digits
    /// beyond the microsecond are dropped.
    ///
    /// # Errors
    /// `bad-data` for anything else, `0000-00-00 00:00:00` among it.
    pub fn parse(text: &str) -> Result<Self> {
        instant_of(text.as_bytes())
            .ok_or_else(|| wrong("an instant such as 2026-01-05T09:30:00Z", text))
    }

    /// The instant so many seconds after (or before) the start of 1970, where it is within the years 1 to 9999.
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        Self::from_micros(seconds.checked_mul(MICROS)?)
    }

    /// The instant so many milliseconds after (or before) the start of 1970, where it is within the years 1 to 9999.
    pub fn from_unix_ms(milliseconds: i64) -> Option<Self> {
        Self::from_micros(milliseconds.checked_mul(1_000)?)
    }

    /// Seconds since the start of 1970, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.micros.div_euclid(MICROS)
    }

    /// Milliseconds since the start of 1970, rounded down.
    pub fn unix_ms(self) -> i64 {
        self.micros.div_euclid(1_000)
    }

    /// Its day in UTC.
    pub fn date(self) -> Date {
        date_from_epoch(self.unix_seconds().div_euclid(DAY_SECONDS))
            .expect("an instant lies within the years 1 to 9999")
    }

    /// The instant so many seconds later (or earlier), where it is within the years 1 to 9999.
    pub fn plus_seconds(self, seconds: i64) -> Option<Self> {
        Self::from_micros(self.micros.checked_add(seconds.checked_mul(MICROS)?)?)
    }

    /// The instant after a duration written `HH:MM` or `HH:MM:SS`.
    ///
    /// # Errors
    /// `bad-data` when it is no such duration.
    pub fn plus_clock(self, duration: &str) -> Result<Self> {
        let seconds = clock_seconds(duration)?;
        self.plus_seconds(seconds)
            .ok_or_else(|| wrong("a duration within the calendar", duration))
    }

    fn from_micros(micros: i64) -> Option<Self> {
        date_from_epoch(micros.div_euclid(MICROS * DAY_SECONDS)).map(|_| Self { micros })
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let seconds = self.unix_seconds();
        self.date().write(out);
        out.push(b'T');
        let of_day = seconds.rem_euclid(DAY_SECONDS);
        Time {
            seconds: of_day as u32,
        }
        .write(out);
        let mut fraction = self.micros.rem_euclid(MICROS);
        if fraction != 0 {
            let mut digits = [b'0'; 7];
            digits[0] = b'.';
            for digit in digits[1..].iter_mut().rev() {
                *digit = b'0' + (fraction % 10) as u8;
                fraction /= 10;
            }
            let kept = digits
                .iter()
                .rposition(|digit| *digit != b'0')
                .map_or(0, |last| last + 1);
            out.extend_from_slice(&digits[..kept]);
        }
        out.push(b'Z');
    }
}

/// Reads a duration written `HH:MM` or `HH:MM:SS`, of any number of hours below 10,000, as seconds.
///
/// # Errors
/// `bad-data` when it is no such duration.
pub fn clock_seconds(text: &str) -> Result<i64> {
    let read = |part: &str, most: usize| {
        let is_number =
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<i64>().ok()).flatten()
    };
    let mut parts = text.trim().split(':');
    let hours = parts.next().and_then(|part| read(part, 4));
    let minutes = parts
        .next()
        .and_then(|part| read(part, 2))
        .filter(|minutes| *minutes < 60);
    let seconds = parts
        .next()
        .map_or(Some(0), |part| read(part, 2))
        .filter(|seconds| *seconds < 60);
    match (hours, minutes, seconds, parts.next()) {
        (Some(hours), Some(minutes), Some(seconds), None) => {
            Ok(hours * 3_600 + minutes * 60 + seconds)
        }
        _ => Err(wrong("a duration such as 00:30", text)),
    }
}

fn wrong(expected: &str, text: &str) -> Failure {
    let shown: String = text.chars().take(40).collect();
    Failure::bad_data("time", format!("{shown:?} is not {expected}"))
}

fn two(number: u8) -> [u8; 2] {
    [b'0' + number / 10, b'0' + number % 10]
}

fn digits(bytes: &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u32::from(digit);
    }
    Some(number)
}

fn small(bytes: &[u8]) -> Option<u8> {
    u8::try_from(digits(bytes)?).ok()
}

fn date_of(bytes: &[u8]) -> Option<Date> {
    let (b'-', b'-') = (*bytes.get(4)?, *bytes.get(7)?) else {
        return None;
    };
    let year = u16::try_from(digits(&bytes[..4])?).ok()?;
    Date::new(year, small(&bytes[5..7])?, small(bytes.get(8..10)?)?)
}

fn time_of(bytes: &[u8]) -> Option<Time> {
    let second = match bytes.len() {
        5 => 0,
        8 if bytes[5] == b':' => small(&bytes[6..8])?,
        _ => return None,
    };
    if bytes[2] != b':' {
        return None;
    }
    Time::new(small(&bytes[..2])?, small(&bytes[3..5])?, second)
}

fn instant_of(bytes: &[u8]) -> Option<Instant> {
    let date = date_of(bytes)?;
    if !matches!(bytes.get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    // A leap second is the first moment of the next minute.
    let mut clock: [u8; 8] = bytes.get(11..19)?.try_into().ok()?;
    let leap = i64::from(clock.ends_with(b":60"));
    if leap == 1 {
        clock[6..].copy_from_slice(b"59");
    }
    let start = date.at(time_of(&clock)?);
    let mut rest = &bytes[19..];
    let mut micros = 0;
    if let Some(after) = rest.strip_prefix(b".") {
        let length = after
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if length == 0 {
            return None;
        }
        let kept = length.min(6);
        micros = i64::from(digits(&after[..kept])?) * 10_i64.pow(6 - kept as u32);
        rest = &after[length..];
    }
    let offset = match rest {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), hour, hours, b':', minute, minutes] => {
            let (hours, minutes) = (small(&[*hour, *hours])?, small(&[*minute, *minutes])?);
            let seconds = i64::from(hours) * 3_600 + i64::from(minutes) * 60;
            if hours > 23 || minutes > 59 {
                return None;
            }
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    Instant::from_micros(start.micros + micros + (leap - offset) * MICROS)
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01. Source: Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn days_since_epoch(date: Date) -> i64 {
    let year = i64::from(date.year) - i64::from(date.month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = (i64::from(date.month) + 9) % 12;
    let of_year = (153 * month + 2) / 5 + i64::from(date.day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days_since_epoch`], same source, `civil_from_days`.
fn date_from_epoch(days: i64) -> Option<Date> {
    let days = days.checked_add(719_468)?;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    Date::new(
        u16::try_from(year).ok()?,
        u8::try_from(month).ok()?,
        u8::try_from(day).ok()?,
    )
}

macro_rules! text_forms {
    ($($name:ident: $expected:literal),+) => {
        $(
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    let mut text = Vec::with_capacity(32);
                    self.write(&mut text);
                    f.write_str(std::str::from_utf8(&text).expect("only digits and signs are written"))
                }
            }

            impl FromStr for $name {
                type Err = Failure;

                fn from_str(text: &str) -> Result<Self> {
                    Self::parse(text)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    struct Text;
                    impl Visitor<'_> for Text {
                        type Value = $name;

                        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                            f.write_str($expected)
                        }

                        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                            $name::parse(text).map_err(|failure| E::custom(failure.message))
                        }
                    }
                    deserializer.deserialize_str(Text).map_err(D::Error::custom)
                }
            }
        )+
    };
}

text_forms!(Date: "a date", Time: "a time of day", Instant: "an instant");
