//! The kinds of engagement, each made of one or more of Pipedrive's lists: which list a page is read from, and what comes after it.

use longshore_sdk::{Context, Cursor, ObjectInfo, Page, PageRequest, Result};
use serde::{Deserialize, Serialize};

use crate::activity::{Activities, Kind, LIST};
use crate::call_logs;
use crate::lists::{self, Position};
use crate::mail;
use crate::notes;
use crate::reading;

/// A place in a kind's lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    #[serde(rename = "a")]
    Activities(Position),
    #[serde(rename = "l")]
    CallLogs(u64),
    #[serde(rename = "m")]
    Mail(mail::Place),
}

impl Default for Step {
    fn default() -> Self {
        Self::Activities(Position::default())
    }
}

/// Describes the kinds.
///
/// # Errors
/// When types or metadata can not be read.
pub(crate) fn describe(ctx: &Context) -> Result<Vec<ObjectInfo>> {
    let mut kinds = vec![notes::describe(ctx)?];
    for kind in Kind::ALL {
        kinds.push(Activities::of(ctx, kind)?.describe());
    }
    Ok(kinds)
}

/// Reads a page of a kind.
///
/// # Errors
/// `not-found` for an unknown kind; else as the requests fail.
pub(crate) fn fetch(
    ctx: &Context,
    request: &PageRequest,
    page: &mut Page,
) -> Result<Option<Cursor>> {
    if request.object == notes::NAME {
        return notes::fetch(ctx, request, page);
    }
    let kind = Kind::find(&request.object).ok_or_else(|| request.unknown_object())?;
    let activities = Activities::of(ctx, kind)?;
    let next = match request.position()? {
        Step::Activities(position) => {
            match read_activities(ctx, &activities, &position, request, page)? {
                Some(position) => Some(Step::Activities(position)),
                None => match kind {
                    Kind::Call => Some(Step::CallLogs(0)),
                    Kind::Email if reads_mail(ctx) => Some(Step::Mail(mail::Place::default())),
                    _ => None,
                },
            }
        }
        Step::CallLogs(start) => {
            call_logs::fetch(ctx, &activities, start, page)?.map(Step::CallLogs)
        }
        Step::Mail(place) => mail::fetch(ctx, request, place, page)?.map(Step::Mail),
    };
    next.map(|step| Cursor::encode(&step)).transpose()
}

/// Whether messages are read: they cost a request a person and deal that has some.
fn reads_mail(ctx: &Context) -> bool {
    ctx.setting("emails")
        .is_none_or(|setting| setting != "off" && setting != "false")
}

fn read_activities(
    ctx: &Context,
    activities: &Activities,
    position: &Position,
    request: &PageRequest,
    page: &mut Page,
) -> Result<Option<Position>> {
    let Some(response) = lists::open(
        ctx,
        &LIST,
        position,
        lists::limit(request),
        lists::since(request),
    )?
    else {
        return Ok(None);
    };
    let ending = reading::for_each_record(
        ctx,
        &response,
        LIST.path,
        &activities.table,
        &mut |record| {
            if activities.is_of_kind(record) {
                activities.write(record, page, |_| ())
            } else {
                Ok(())
            }
        },
    )?;
    Ok(position.next(1, &ending))
}
