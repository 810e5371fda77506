//! Call logs (`/v1/callLogs`): the connected user's own calls, added to the calls that activities are.
//!
//! A log that belongs to an activity is no call of its own: the activity is read again and its row written with the log's outcome and
//! numbers. A log without one, or whose activity is not to be had, is a row of its own, its id prefixed with `log-`.

use std::collections::HashMap;

use longshore_sdk::{Context, Instant, Page, Result, Row};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::activity::{Activities, LIST};
use crate::envelope::{self, Answer};
use crate::json;
use crate::offsets;
use crate::reading;

const PATH: &str = "/v1/callLogs";
/// The most rows of a page of this list.
const LIMIT: u32 = 50;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Log<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    activity_id: Option<&'a RawValue>,
    #[serde(borrow)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    subject: Option<&'a RawValue>,
    #[serde(borrow)]
    note: Option<&'a RawValue>,
    #[serde(borrow)]
    duration: Option<&'a RawValue>,
    #[serde(borrow)]
    outcome: Option<&'a RawValue>,
    #[serde(borrow)]
    from_phone_number: Option<&'a RawValue>,
    #[serde(borrow)]
    to_phone_number: Option<&'a RawValue>,
    #[serde(borrow)]
    start_time: Option<&'a RawValue>,
    #[serde(borrow)]
    end_time: Option<&'a RawValue>,
    #[serde(borrow)]
    has_recording: Option<&'a RawValue>,
    #[serde(borrow)]
    deal_id: Option<&'a RawValue>,
    #[serde(borrow)]
    lead_id: Option<&'a RawValue>,
    #[serde(borrow)]
    person_id: Option<&'a RawValue>,
    #[serde(borrow)]
    org_id: Option<&'a RawValue>,
}

/// Reads a page of call logs; answers where the list goes on. Nothing where the scope is missing: the activities have come already.
///
/// # Errors
/// As the requests fail.
pub(crate) fn fetch(
    ctx: &Context,
    calls: &Activities,
    start: u64,
    page: &mut Page,
) -> Result<Option<u64>> {
    let request = envelope::get(ctx, PATH)
        .query("start", start)
        .query("limit", LIMIT);
    let Some(response) = offsets::optional(
        ctx,
        "call logs",
        envelope::send(ctx, request, PATH).map(Some),
    )?
    else {
        return Ok(None);
    };
    let answer: Answer<Vec<Log<'_>>> = response.json()?;
    let logs = answer.data.unwrap_or_default();
    let mut by_activity: HashMap<String, &Log<'_>> = HashMap::new();
    for log in &logs {
        if let Some(activity) = id(log.activity_id) {
            by_activity.insert(activity, log);
        }
    }
    write_activities(ctx, calls, &mut by_activity, page)?;
    for log in &logs {
        // What is still in the map has no activity among the calls.
        if id(log.activity_id).is_none_or(|activity| by_activity.contains_key(&activity)) {
            log.write_row(page);
        }
    }
    Ok(answer
        .additional_data
        .unwrap_or_default()
        .next_start(start, logs.len() as u64))
}

/// Writes the calls that logs belong to, and takes those logs out.
fn write_activities(
    ctx: &Context,
    calls: &Activities,
    logs: &mut HashMap<String, &Log<'_>>,
    page: &mut Page,
) -> Result<()> {
    if logs.is_empty() {
        return Ok(());
    }
    let mut ids: Vec<&str> = logs.keys().map(String::as_str).collect();
    ids.sort_unstable();
    let request = envelope::get(ctx, LIST.path)
        .query("ids", ids.join(","))
        .query("limit", 100)
        .query_opt("include_fields", LIST.include_fields);
    let response = envelope::send(ctx, request, LIST.path)?;
    reading::for_each_record(ctx, &response, LIST.path, &calls.table, &mut |record| {
        let found = calls
            .id(record)
            .filter(|_| calls.is_of_kind(record))
            .and_then(|id| logs.remove(&*id));
        match found {
            Some(log) => calls.write(record, page, |row| log.write_facts(row)),
            None => Ok(()),
        }
    })?;
    Ok(())
}

fn id(raw: Option<&RawValue>) -> Option<String> {
    raw.and_then(|raw| json::id(raw.get()))
        .map(|id| id.into_owned())
}

impl Log<'_> {
    /// What only the log knows.
    fn write_facts(&self, row: &mut Row<'_>) {
        let text = |raw: Option<&RawValue>| {
            raw.and_then(|raw| json::text(raw.get()))
                .map(|text| text.into_owned())
        };
        row.option(
            "outcome",
            text(self.outcome).filter(|outcome| !outcome.is_empty()),
        );
        row.text_opt("from_phone_number", text(self.from_phone_number));
        row.text_opt("to_phone_number", text(self.to_phone_number));
        row.instant(
            "end_time",
            text(self.end_time).filter(|end| !end.is_empty()),
        );
        row.boolean(
            "has_recording",
            self.has_recording.and_then(|raw| json::boolean(raw.get())),
        );
    }

    fn write_row(&self, page: &mut Page) {
        let Some(own) = id(self.id) else { return };
        let text = |raw: Option<&RawValue>| {
            raw.and_then(|raw| json::text(raw.get()))
                .map(|text| text.into_owned())
        };
        let mut row = page.begin(["log-", own.as_str()].concat());
        row.text_opt("subject", text(self.subject));
        row.text_opt("note", text(self.note));
        row.option("type", "call");
        row.owner("owner_id", id(self.user_id));
        row.boolean("done", true);
        row.instant(
            "timestamp",
            text(self.start_time).filter(|start| !start.is_empty()),
        );
        let status = match text(self.outcome).as_deref() {
            Some("no_answer") => "NO_ANSWER",
            Some("busy") => "BUSY",
            _ => "COMPLETED",
        };
        row.text("call_status", status);
        row.integer("call_duration_ms", self.duration_ms());
        self.write_facts(&mut row);
        for (name, raw) in [
            ("deal", self.deal_id),
            ("lead", self.lead_id),
            ("person", self.person_id),
            ("organization", self.org_id),
        ] {
            if let Some(other) = id(raw) {
                row.association(name, other);
            }
        }
        row.finish();
    }

    /// The duration as logged, in seconds; else from start to end.
    fn duration_ms(&self) -> Option<i64> {
        let text = |raw: Option<&RawValue>| {
            raw.and_then(|raw| json::text(raw.get()))
                .map(|text| text.into_owned())
        };
        let logged = text(self.duration)
            .and_then(|seconds| seconds.trim().parse::<i64>().ok())
            .map(|seconds| seconds * 1000);
        let moment = |raw: Option<&RawValue>| text(raw).and_then(|text| Instant::parse(&text).ok());
        logged
            .or_else(|| Some(moment(self.end_time)?.unix_ms() - moment(self.start_time)?.unix_ms()))
    }
}
