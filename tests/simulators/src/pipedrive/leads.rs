//! Tells leads, their labels, sources and fields: the first generation, with flat custom keys.
//!
//! Archived leads are on the archived list only.

use super::account::Account;
use super::call::{Call, Refusal};
use super::custom::write_flat;
use super::json::Json;
use super::paging::{Order, PagingV1, one, page_v1, sort_v1, whole};
use crate::truth::{Kind, Label, Lead};

pub(super) fn list(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let since = call.moment("updated_since")?;
    let shown = account
        .leads
        .get_or_init(|| numbers(account, |lead| !lead.archived));
    listed(account, call, shown, |lead| {
        since.is_none_or(|since| lead.updated >= since)
    })
}

pub(super) fn archived(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let shown = account
        .archived_leads
        .get_or_init(|| numbers(account, |lead| lead.archived));
    listed(account, call, shown, |_| true)
}

/// Numbers of the leads of a list: kept, so that the start of a page is found at once.
fn numbers(account: &Account, belongs: impl Fn(&Lead) -> bool) -> Vec<u32> {
    let crm = account.live.base();
    let all = 1..=crm.count(Kind::Lead) as u32;
    all.filter(|id| crm.lead(u64::from(*id)).is_some_and(|lead| belongs(&lead)))
        .collect()
}

const FILTERS: [&str; 4] = ["owner_id", "person_id", "organization_id", "updated_since"];

fn listed(
    account: &Account,
    call: &Call,
    numbers: &[u32],
    recent: impl Fn(&Lead) -> bool,
) -> Result<Vec<u8>, Refusal> {
    let (owner, person) = (call.number("owner_id")?, call.number("person_id")?);
    let organization = call.number("organization_id")?;
    let shown = |lead: &Lead| {
        recent(lead)
            && owner.is_none_or(|owner| lead.owner == owner)
            && person.is_none_or(|person| lead.person == Some(person))
            && organization.is_none_or(|organization| lead.organization == Some(organization))
    };
    let sorted = sort_v1(account, call, Kind::Lead)?;
    let filtered = sorted.is_some() || FILTERS.iter().any(|name| call.get(name).is_some());
    let order = sorted.unwrap_or_else(|| Order {
        field: "id",
        places: numbers.len() as u64,
        at: Box::new(|place| numbers.get(place as usize).map(|id| u64::from(*id))),
    });
    let paging = PagingV1 {
        most: 500,
        envelope: account.options.envelope_v1,
        dense: !filtered,
    };
    let belongs = |id: &u64| u32::try_from(*id).is_ok_and(|id| numbers.binary_search(&id).is_ok());
    let make = |id: u64| {
        Some(id)
            .filter(belongs)
            .and_then(|id| account.live.base().lead(id))
            .filter(shown)
    };
    page_v1(account, call, &paging, &order, make, |out, lead| {
        write(account, out, lead)
    })
}

pub(super) fn get(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let number = call
        .parts
        .first()
        .and_then(|id| account.keys.lead_number(id));
    let lead = number.and_then(|number| account.live.base().lead(number));
    one(lead, "requested lead not found", |out, lead| {
        write(account, out, lead)
    })
}

fn write(account: &Account, out: &mut Json, lead: &Lead) {
    let id = account.keys.lead(lead.id);
    out.object(|out| {
        out.key("id").text(&id);
        out.key("title").text(&lead.title);
        out.key("owner_id").number(lead.owner);
        out.key("creator_id").number(lead.owner);
        out.key("label_ids").array(|out| {
            lead.labels
                .iter()
                .for_each(|place| out.text(&account.keys.uuid(*place)))
        });
        out.key("person_id").number_or_null(lead.person);
        out.key("organization_id").number_or_null(lead.organization);
        out.key("source_name").text(lead.source);
        out.key("origin").text(if lead.source == "API" {
            "API"
        } else {
            "ManuallyCreated"
        });
        for name in ["origin_id", "channel", "channel_id"] {
            out.key(name).null();
        }
        out.key("is_archived").bool(lead.archived);
        out.key("was_seen").bool(lead.seen);
        out.key("value")
            .or_null(lead.value, |out, (amount, currency)| {
                out.object(|out| {
                    out.key("amount").amount(amount);
                    out.key("currency").text(currency);
                });
            });
        out.key("expected_close_date")
            .or_null(lead.expected_close, Json::day);
        out.key("next_activity_id").null();
        out.key("add_time").moment_millis(lead.added);
        out.key("update_time").moment_millis(lead.updated);
        out.key("visible_to").text("3");
        out.key("cc_email").text(&format!(
            "{}+1+lead{}@pipedrivemail.com",
            account.live.base().company().domain,
            lead.id
        ));
        write_flat(account, out, Kind::Deal, &lead.custom);
    });
}

pub(super) fn labels(account: &Account, _call: &Call) -> Result<Vec<u8>, Refusal> {
    let crm = account.live.base();
    let made = crm.company().now.plus_seconds(-200_000_000);
    let labels: Vec<(u64, &Label)> = (0..).zip(crm.labels(Kind::Lead)).collect();
    Ok(whole(&labels, |out, (place, label)| {
        out.object(|out| {
            out.key("id").text(&account.keys.uuid(*place));
            out.key("name").text(label.name);
            out.key("color").text(label.color);
            out.key("add_time").moment_millis(made);
            out.key("update_time").moment_millis(made);
        });
    }))
}

pub(super) fn sources(_account: &Account, _call: &Call) -> Result<Vec<u8>, Refusal> {
    let names = [
        "Manually created",
        "Deal",
        "Web forms",
        "Prospector",
        "Leadbooster",
        "Live chat",
        "Import",
        "Website visitors",
        "Workflow automation",
        "API",
    ];
    Ok(whole(&names, |out, name| {
        out.object(|out| out.key("name").text(name))
    }))
}
