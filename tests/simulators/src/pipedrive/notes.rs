//! Tells notes: the first generation, with expanded parents.
//!
//! Comments on notes are an empty list.

use super::account::Account;
use super::call::{Call, Refusal};
use super::json::Json;
use super::options::EnvelopeV1;
use super::paging::{Order, PagingV1, fixed, one, page_v1, sort_v1};
use crate::truth::{Kind, Note};

const PINS: [&str; 5] = [
    "pinned_to_deal_flag",
    "pinned_to_person_flag",
    "pinned_to_organization_flag",
    "pinned_to_lead_flag",
    "pinned_to_project_flag",
];

pub(super) fn list(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let filters = [
        call.number("user_id")?,
        call.number("deal_id")?,
        call.number("person_id")?,
        call.number("org_id")?,
        call.number("project_id")?,
    ];
    let lead = call.get("lead_id").map(|id| account.keys.lead_number(id));
    let since = call.moment("updated_since")?;
    let day = |name: &str| {
        call.get(name)
            .map(|day| format!("{day}T00:00:00Z").parse::<jiff::Timestamp>())
            .transpose()
    };
    let wrong = |_| Refusal::bad_request("dates must be in format of YYYY-MM-DD");
    let (first, last) = (
        day("start_date").map_err(wrong)?,
        day("end_date").map_err(wrong)?,
    );
    let pins: Vec<Option<bool>> = PINS
        .iter()
        .map(|name| call.flag(name))
        .collect::<Result<_, _>>()?;
    let task = call.number("task_id")?;
    let shown = |note: &Note| {
        let facts = [
            Some(note.author),
            note.deal,
            note.person,
            note.organization,
            note.project,
        ];
        filters
            .iter()
            .zip(facts)
            .all(|(filter, fact)| filter.is_none() || *filter == fact)
            && task.is_none()
            && lead.is_none_or(|lead| lead.is_some() && note.lead == lead)
            && since.is_none_or(|since| note.updated >= since)
            && first.is_none_or(|first| note.added.0 >= first.as_millisecond())
            && last.is_none_or(|last| note.added.0 < last.as_millisecond() + 86_400_000)
            && pins
                .iter()
                .zip(pinned(note))
                .all(|(filter, fact)| filter.is_none_or(|filter| filter == fact))
    };
    let asked = call
        .query
        .iter()
        .any(|(name, _)| !matches!(name.as_str(), "start" | "limit" | "sort"));
    let crm = account.live.base();
    let by_id = || Order {
        field: "id",
        places: crm.count(Kind::Note),
        at: Box::new(|place| Some(place + 1)),
    };
    let order = sort_v1(account, call, Kind::Note)?.unwrap_or_else(by_id);
    let paging = PagingV1 {
        most: 500,
        envelope: EnvelopeV1::Nested,
        dense: !asked,
    };
    page_v1(
        account,
        call,
        &paging,
        &order,
        |id| crm.note(id).filter(shown),
        |out, note| write(account, out, note),
    )
}

pub(super) fn get(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    one(
        account.live.base().note(call.id()?),
        "Note not found",
        |out, note| write(account, out, note),
    )
}

pub(super) fn comments(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    nothing(account, call)
}

/// An empty list of the first generation.
pub(super) fn nothing(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let paging = PagingV1 {
        most: 500,
        envelope: EnvelopeV1::Nested,
        dense: true,
    };
    page_v1(
        account,
        call,
        &paging,
        &fixed("id", Vec::new()),
        Some,
        |_, _| (),
    )
}

/// A note is pinned on its first parent only; in the order of `PINS`.
fn pinned(note: &Note) -> [bool; 5] {
    let parents = [
        note.deal,
        note.person,
        note.organization,
        note.lead,
        note.project,
    ];
    let first = parents.iter().position(Option::is_some);
    std::array::from_fn(|place| note.pinned && first == Some(place))
}

fn write(account: &Account, out: &mut Json, note: &Note) {
    let crm = account.live.base();
    out.object(|out| {
        out.key("id").number(note.id);
        out.key("active_flag").bool(true);
        out.key("add_time").moment_v1(note.added);
        out.key("update_time").moment_v1(note.updated);
        out.key("content").text(&note.html);
        named(
            out,
            "deal",
            "title",
            note.deal
                .and_then(|id| account.live.deal(id))
                .map(|deal| deal.title),
        );
        named(
            out,
            "person",
            "name",
            note.person
                .and_then(|id| account.live.person(id))
                .map(|person| person.name),
        );
        let organization = note
            .organization
            .and_then(|id| account.live.organization(id));
        named(
            out,
            "organization",
            "name",
            organization.map(|organization| organization.name),
        );
        named(
            out,
            "project",
            "title",
            note.project
                .and_then(|id| crm.project(id))
                .map(|project| project.title),
        );
        out.key("lead_id")
            .or_null(note.lead, |out, lead| out.text(&account.keys.lead(lead)));
        out.key("deal_id").number_or_null(note.deal);
        out.key("person_id").number_or_null(note.person);
        out.key("org_id").number_or_null(note.organization);
        out.key("project_id").number_or_null(note.project);
        out.key("task_id").null();
        out.key("task").null();
        PINS.iter()
            .zip(pinned(note))
            .for_each(|(name, pinned)| out.key(name).bool(pinned));
        out.key("pinned_to_task_flag").bool(false);
        out.key("last_update_user_id").null();
        out.key("user_id").number(note.author);
        let author = crm.users().iter().find(|user| user.id == note.author);
        out.key("user").or_null(author, |out, user| {
            out.object(|out| {
                out.key("email").text(&user.email);
                out.key("name").text(&user.name);
                out.key("icon_url").null();
                out.key("is_you").bool(user.id == crm.company().token_user);
            });
        });
    });
}

fn named(out: &mut Json, key: &str, part: &str, name: Option<String>) {
    out.key(key).or_null(name, |out, name| {
        out.object(|out| out.key(part).text(&name))
    });
}
