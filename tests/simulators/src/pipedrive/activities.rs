//! Tells activities, their kinds, and the call logs of the token's user.
//!
//! The kind of an activity is no filter of the vendor's.

use super::account::Account;
use super::call::{Call, Refusal};
use super::custom::write_address;
use super::json::Json;
use super::options::EnvelopeV1;
use super::paging::{Order, PagingV1, by_ids, one, order, page_v1, page_v2, whole};
use super::persons::include;
use crate::truth::{Activity, CallLog, CallOutcome, Kind};

pub(super) fn list(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let guests = include(call, &["attendees"])?.contains(&"attendees");
    let filters = [
        call.number("owner_id")?,
        call.number("deal_id")?,
        call.number("person_id")?,
        call.number("org_id")?,
    ];
    let lead = call.get("lead_id").map(|id| account.keys.lead_number(id));
    let done = call.flag("done")?;
    let (since, until) = (call.moment("updated_since")?, call.moment("updated_until")?);
    let shown = |activity: &Activity| {
        let facts = [
            Some(activity.owner),
            activity.deal,
            activity.person,
            activity.organization,
        ];
        !activity.deleted
            && filters
                .iter()
                .zip(facts)
                .all(|(filter, fact)| filter.is_none() || *filter == fact)
            && lead.is_none_or(|lead| lead.is_some() && activity.lead == lead)
            && done.is_none_or(|done| activity.done.is_some() == done)
            && since.is_none_or(|since| activity.updated >= since)
            && until.is_none_or(|until| activity.updated <= until)
    };
    let order = match call.get("sort_by") {
        Some("due_date") => by_due_day(account, call)?,
        _ => order(account, call, Kind::Activity)?,
    };
    page_v2(
        call,
        &order,
        |id| account.live.activity(id).filter(shown),
        |out, activity| {
            write(account, out, activity, guests);
        },
    )
}

fn by_due_day<'a>(account: &'a Account, call: &Call) -> Result<Order<'a>, Refusal> {
    if let Some(order) = by_ids(call)? {
        return Ok(order);
    }
    let crm = account.live.base();
    let sorted = account.by_due_day.get_or_init(|| {
        let mut ids: Vec<u32> = (1..=crm.count(Kind::Activity) as u32).collect();
        ids.sort_by_cached_key(|id| {
            (
                crm.activity(u64::from(*id))
                    .map(|activity| activity.due_day),
                *id,
            )
        });
        ids
    });
    let at = move |place: u64| sorted.get(place as usize).map(|id| u64::from(*id));
    Ok(Order {
        field: "due_date",
        places: sorted.len() as u64,
        at: Box::new(at),
    })
}

pub(super) fn get(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let guests = include(call, &["attendees"])?.contains(&"attendees");
    one(
        account.live.activity(call.id()?),
        "Activity not found",
        |out, activity| write(account, out, activity, guests),
    )
}

fn write(account: &Account, out: &mut Json, activity: &Activity, guests: bool) {
    out.object(|out| {
        out.key("id").number(activity.id);
        out.key("subject").text(&activity.subject);
        out.key("type").text(activity.kind);
        out.key("owner_id").number(activity.owner);
        out.key("creator_user_id").number(activity.owner);
        out.key("is_deleted").bool(activity.deleted);
        out.key("add_time").moment_v2(activity.added);
        out.key("update_time").moment_v2(activity.updated);
        out.key("deal_id").number_or_null(activity.deal);
        out.key("lead_id").or_null(activity.lead, |out, lead| {
            out.text(&account.keys.lead(lead))
        });
        out.key("person_id").number_or_null(activity.person);
        out.key("org_id").number_or_null(activity.organization);
        out.key("project_id").number_or_null(activity.project);
        out.key("due_date").day(activity.due_day);
        out.key("due_time")
            .or_null(activity.due_time, Json::seconds);
        out.key("duration")
            .or_null(activity.duration, Json::seconds);
        out.key("busy").bool(activity.busy);
        out.key("done").bool(activity.done.is_some());
        out.key("marked_as_done_time")
            .or_null(activity.done, Json::moment_v2);
        out.key("location")
            .or_null(activity.location.as_ref(), write_address);
        out.key("participants").array(|out| {
            let main = activity.person.map(|person| (person, true));
            for (person, primary) in main
                .into_iter()
                .chain(activity.others.iter().map(|person| (*person, false)))
            {
                out.object(|out| {
                    out.key("person_id").number(person);
                    out.key("primary").bool(primary);
                });
            }
        });
        if guests {
            write_guests(out, activity);
        }
        for name in [
            "conference_meeting_client",
            "conference_meeting_url",
            "conference_meeting_id",
        ] {
            out.key(name).null();
        }
        out.key("public_description").text(&activity.description);
        out.key("priority").null();
        out.key("note").text_or_null(activity.note.as_deref());
    });
}

fn write_guests(out: &mut Json, activity: &Activity) {
    out.key("attendees").array(|out| {
        for guest in &activity.guests {
            out.object(|out| {
                out.key("email").text(&guest.email);
                out.key("name").text(&guest.name);
                out.key("status").text("accepted");
                out.key("is_organizer").bool(false);
                out.key("person_id").null();
                out.key("user_id").null();
            });
        }
    });
}

pub(super) fn kinds(account: &Account, _call: &Call) -> Result<Vec<u8>, Refusal> {
    let crm = account.live.base();
    let made = crm.company().now.plus_seconds(-200_000_000);
    Ok(whole(crm.activity_kinds(), |out, kind| {
        out.object(|out| {
            out.key("id").number(kind.id);
            out.key("order_nr").number(kind.id);
            out.key("name").text(kind.name);
            out.key("key_string").text(kind.key);
            out.key("icon_key")
                .text(if kind.custom { "camera" } else { kind.key });
            out.key("active_flag").bool(true);
            out.key("color").text("FFFFFF");
            out.key("is_custom_flag").bool(kind.custom);
            out.key("add_time").moment_v1(made);
            out.key("update_time").moment_v1(made);
        });
    }))
}

pub(super) fn call_logs(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let crm = account.live.base();
    let order = Order {
        field: "id",
        places: crm.count(Kind::CallLog),
        at: Box::new(|place| Some(place + 1)),
    };
    let paging = PagingV1 {
        most: 50,
        envelope: EnvelopeV1::Nested,
        dense: true,
    };
    page_v1(
        account,
        call,
        &paging,
        &order,
        |id| crm.call_log(id),
        |out, log| write_log(account, out, log),
    )
}

pub(super) fn call_log(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let part = call.parts.first().map_or("", String::as_str);
    let number = part
        .strip_prefix("CA")
        .and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let log = number.and_then(|number| account.live.base().call_log(number));
    one(
        log,
        "The requested call log could not be found.",
        |out, log| write_log(account, out, log),
    )
}

fn write_log(account: &Account, out: &mut Json, log: &CallLog) {
    let activity = &log.activity;
    let crm = account.live.base();
    out.object(|out| {
        out.key("id").text(&format!("CA{:028x}", log.id));
        out.key("activity_id").number(activity.id);
        for (name, id) in [
            ("person_id", activity.person),
            ("org_id", activity.organization),
            ("deal_id", activity.deal),
        ] {
            if let Some(id) = id {
                out.key(name).number(id);
            }
        }
        if let Some(lead) = activity.lead {
            out.key("lead_id").text(&account.keys.lead(lead));
        }
        out.key("subject").text(&activity.subject);
        out.key("duration").text(&log.seconds.to_string());
        out.key("outcome").text(match log.outcome {
            CallOutcome::Connected => "connected",
            CallOutcome::NoAnswer => "no_answer",
            CallOutcome::LeftMessage => "left_message",
            CallOutcome::Busy => "busy",
        });
        out.key("from_phone_number").text(&log.from);
        out.key("to_phone_number").text(&log.to);
        out.key("has_recording").bool(false);
        out.key("start_time").moment_millis(log.start);
        out.key("end_time")
            .moment_millis(log.start.plus_seconds(i64::from(log.seconds)));
        out.key("user_id").number(crm.company().token_user);
        out.key("company_id").number(crm.company().id);
        out.key("note")
            .text(activity.note.as_deref().unwrap_or_default());
    });
}
