//! Holds instants and dates as plain numbers, with the civil calendar to print them.
//!
//! It reads no clock and knows no time zone but UTC.

/// A calendar date: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Day {
    /// The date of a Gregorian year, month (1-12) and day of the month.
    pub const fn of(year: i32, month: i32, day: i32) -> Self {
        // Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        Self(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
    }

    /// Year, month and day of the month.
    pub const fn civil(self) -> (i32, u32, u32) {
        let day = self.0 + 719_468;
        let era = day.div_euclid(146_097);
        let of_era = day.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let date = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
        (year, month as u32, date as u32)
    }

    /// Midnight UTC of the day.
    pub const fn start(self) -> Moment {
        Moment(self.0 as i64 * 86_400_000)
    }

    /// Appends `YYYY-MM-DD`.
    pub fn write(self, out: &mut Vec<u8>) {
        let (year, month, day) = self.civil();
        digits(out, year as u32, 4);
        out.push(b'-');
        digits(out, month, 2);
        out.push(b'-');
        digits(out, day, 2);
    }
}

impl Moment {
    /// The day it falls on, in UTC.
    pub const fn day(self) -> Day {
        Day(self.0.div_euclid(86_400_000) as i32)
    }

    /// The instant `seconds` later.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + seconds * 1000)
    }

    /// Appends `YYYY-MM-DD`, `between`, `HH:MM:SS`; the milliseconds are left to [`Moment::write_millis`].
    pub fn write(self, out: &mut Vec<u8>, between: u8) {
        self.day().write(out);
        out.push(between);
        write_seconds(out, (self.0.rem_euclid(86_400_000) / 1000) as u32);
    }

    /// Appends `.mmm`.
    pub fn write_millis(self, out: &mut Vec<u8>) {
        out.push(b'.');
        digits(out, self.0.rem_euclid(1000) as u32, 3);
    }
}

/// Appends seconds of a day as `HH:MM:SS`.
pub(crate) fn write_seconds(out: &mut Vec<u8>, seconds: u32) {
    digits(out, seconds / 3600, 2);
    out.push(b':');
    digits(out, seconds / 60 % 60, 2);
    out.push(b':');
    digits(out, seconds % 60, 2);
}

fn digits(out: &mut Vec<u8>, value: u32, width: u32) {
    for place in (0..width).rev() {
        out.push(b'0' + (value / 10u32.pow(place) % 10) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_jiffs_calendar() {
        for days in (-30_000..40_000).step_by(17) {
            let (year, month, day) = Day(days).civil();
            assert_eq!(Day::of(year, month as i32, day as i32), Day(days));
            let civil = jiff::civil::date(1970, 1, 1)
                .checked_add(jiff::Span::new().days(days))
                .unwrap();
            assert_eq!(
                (
                    i32::from(civil.year()),
                    civil.month() as u32,
                    civil.day() as u32
                ),
                (year, month, day)
            );
        }
    }

    #[test]
    fn prints_the_parts() {
        let mut out = Vec::new();
        let moment = Moment(Day::of(2026, 6, 1).start().0 + 3_723_045);
        moment.write(&mut out, b'T');
        moment.write_millis(&mut out);
        assert_eq!(out, b"2026-06-01T01:02:03.045");
    }
}
