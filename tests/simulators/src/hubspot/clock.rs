//! Holds the injected clock and the two written forms of an instant.
//!
//! Nothing of the simulator asks the machine for the time, except [`system`].

use crate::truth::Moment;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time: milliseconds since 1970-01-01T00:00:00Z.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The machine's clock.
pub fn system() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// A clock that stands until its handle (milliseconds since 1970) is moved.
pub fn manual(start: i64) -> (Clock, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(start));
    let hand = Arc::clone(&now);
    (Arc::new(move || now.load(Ordering::SeqCst)), hand)
}

/// `2026-01-05T09:30:00.125Z`, as the vendor writes every instant.
pub(super) fn iso(at: i64) -> String {
    let mut out = Vec::with_capacity(24);
    Moment(at).write(&mut out, b'T');
    Moment(at).write_millis(&mut out);
    out.push(b'Z');
    String::from_utf8(out).expect("digits and signs only")
}

/// Reads an instant as the vendor accepts it: milliseconds since 1970, ISO 8601 with an offset, or a date (its midnight UTC).
pub(super) fn instant(text: &str) -> Option<i64> {
    if let Ok(at) = text.parse::<i64>() {
        return Some(at);
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    let date: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_millisecond())
}
