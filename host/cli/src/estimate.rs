//! How an estimate is told: its result first, then its arithmetic.

use model::estimate::{Band, Estimate, Pace, SideEstimate, Work};
use serde_json::{Value, json};

/// The lines for a person.
pub(crate) fn lines(estimate: &Estimate) -> Vec<String> {
    let mut lines = vec![format!(
        "estimate: {} to write it and read it back ({})",
        band_text(&estimate.destination),
        side_text(&estimate.destination),
    )];
    lines.extend(estimate.destination.totals().into_iter().map(total_text));
    lines.push(format!(
        "a later pass over the source: {} at most ({})",
        band_text(&estimate.source),
        side_text(&estimate.source),
    ));
    lines
}

fn band_text(side: &SideEstimate) -> String {
    side.band()
        .map_or_else(|| "unknown".to_owned(), |band| band.to_string())
}

fn side_text(side: &SideEstimate) -> String {
    let pace = side.pace.as_ref();
    match pace {
        Some(pace @ Pace::Machine { .. }) => pace.to_string(),
        Some(pace) => format!("{} requests, {pace}", side.requests()),
        None => format!("{} requests, no limit is known", side.requests()),
    }
}

fn total_text((work, items, requests): (Work, u64, u64)) -> String {
    format!("  {:<20}{items:>11} in {requests:>8}", work.name())
}

/// The same for tools.
pub(crate) fn to_json(estimate: &Estimate) -> Value {
    json!({"destination": side_json(&estimate.destination), "source": side_json(&estimate.source)})
}

fn side_json(side: &SideEstimate) -> Value {
    let Band { low_s, high_s } = side.band().unwrap_or_default();
    let seconds = side.band().map(|_| json!({"low": low_s, "high": high_s}));
    json!({"requests": side.requests(), "pace": side.pace, "seconds": seconds, "calls": side.calls})
}
