//! Tells deals and their participants: the normal list, the archived list, the deleted ones on request.
//!
//! Deals that were deleted more than 30 days ago are gone for good.

use super::account::Account;
use super::call::{Call, Refusal};
use super::custom::{Shown, write_labels};
use super::json::Json;
use super::options::EnvelopeV1;
use super::paging::{PagingV1, fixed, one, order, page_v1, page_v2};
use super::persons::{contacts, include};
use crate::truth::{Deal, DealStatus, Kind, Moment, Participant};

pub(super) const EXTRA: &[&str] = &[
    "next_activity_id",
    "last_activity_id",
    "first_won_time",
    "products_count",
    "files_count",
    "notes_count",
    "followers_count",
    "email_messages_count",
    "activities_count",
    "done_activities_count",
    "undone_activities_count",
    "participants_count",
    "last_incoming_mail_time",
    "last_outgoing_mail_time",
    "smart_bcc_email",
    "source_lead_id",
];

/// Seconds that a deleted deal can still be seen.
const KEPT: i64 = 30 * 86_400;

struct Words<'a> {
    account: &'a Account,
    custom: Shown<'a>,
    labels: bool,
    extra: Vec<&'a str>,
}

impl<'a> Words<'a> {
    fn of(account: &'a Account, call: &'a Call) -> Result<Self, Refusal> {
        let custom = Shown::of(account, call, Kind::Deal)?;
        let labels = call.flag("include_labels")?.unwrap_or(false);
        Ok(Self {
            account,
            custom,
            labels,
            extra: include(call, EXTRA)?,
        })
    }

    fn write(&self, out: &mut Json, deal: &Deal) {
        out.object(|out| {
            out.key("id").number(deal.id);
            out.key("title").text(&deal.title);
            out.key("creator_user_id").number(deal.owner);
            out.key("owner_id").number(deal.owner);
            out.key("value").amount(deal.value);
            out.key("person_id").number_or_null(deal.person);
            out.key("org_id").number_or_null(deal.organization);
            out.key("stage_id").number(deal.stage);
            out.key("pipeline_id").number(deal.pipeline);
            out.key("currency").text(deal.currency);
            self.times(out, deal);
            out.key("status").text(status(deal));
            out.key("is_archived").bool(deal.archived);
            out.key("is_deleted").bool(deal.deleted);
            out.key("probability")
                .or_null(deal.probability, |out, value| out.number(u64::from(value)));
            out.key("lost_reason")
                .text_or_null(deal.lost_reason.as_deref());
            out.key("visible_to").number(u64::from(deal.visibility));
            out.key("expected_close_date")
                .or_null(deal.expected_close, Json::day);
            write_labels(self.account, out, Kind::Deal, &deal.labels, self.labels);
            out.key("origin").text("ManuallyCreated");
            for name in ["origin_id", "channel", "channel_id", "arr", "mrr", "acv"] {
                out.key(name).null();
            }
            self.custom.write(out.key("custom_fields"), &deal.custom);
            self.extra
                .iter()
                .for_each(|name| self.extra(out.key(name), name, deal));
        });
    }

    fn times(&self, out: &mut Json, deal: &Deal) {
        let closed = |status| deal.closed.filter(|_| deal.status == status);
        out.key("archive_time")
            .or_null(deal.archived.then_some(deal.updated), Json::moment_v2);
        out.key("add_time").moment_v2(deal.added);
        out.key("update_time").moment_v2(deal.updated);
        out.key("stage_change_time")
            .or_null(deal.stage_changed, Json::moment_v2);
        out.key("close_time").or_null(deal.closed, Json::moment_v2);
        out.key("won_time")
            .or_null(closed(DealStatus::Won), Json::moment_v2);
        out.key("lost_time")
            .or_null(closed(DealStatus::Lost), Json::moment_v2);
        out.key("local_won_date")
            .or_null(closed(DealStatus::Won).map(Moment::day), Json::day);
        out.key("local_lost_date")
            .or_null(closed(DealStatus::Lost).map(Moment::day), Json::day);
        out.key("local_close_date")
            .or_null(deal.closed.map(Moment::day), Json::day);
    }

    fn extra(&self, out: &mut Json, name: &str, deal: &Deal) {
        let crm = self.account.live.base();
        let activities = || {
            crm.activities_of_deal(deal.id)
                .into_iter()
                .filter_map(|id| crm.activity(id))
                .filter(|activity| !activity.deleted)
        };
        let mails = |outgoing: bool| {
            crm.deal_mails(deal.id)
                .into_iter()
                .filter(move |mail| mail.outgoing == outgoing)
        };
        match name {
            "products_count" => out.number(crm.line_items(deal.id).len() as u64),
            "notes_count" => out.number(crm.notes_of_deal(deal.id).len() as u64),
            "email_messages_count" => out.number(crm.deal_mails(deal.id).len() as u64),
            "activities_count" => out.number(activities().count() as u64),
            "done_activities_count" => out.number(
                activities()
                    .filter(|activity| activity.done.is_some())
                    .count() as u64,
            ),
            "undone_activities_count" => out.number(
                activities()
                    .filter(|activity| activity.done.is_none())
                    .count() as u64,
            ),
            "participants_count" => {
                out.number(
                    crm.participants(deal.id).len() as u64 + u64::from(deal.person.is_some()),
                );
            }
            "next_activity_id" => {
                let next = activities()
                    .filter(|activity| activity.done.is_none())
                    .min_by_key(|activity| activity.due_day);
                out.number_or_null(next.map(|activity| activity.id));
            }
            "last_activity_id" => {
                let last = activities()
                    .filter(|activity| activity.done.is_some())
                    .max_by_key(|activity| activity.due_day);
                out.number_or_null(last.map(|activity| activity.id));
            }
            "first_won_time" => out.or_null(
                deal.closed.filter(|_| deal.status == DealStatus::Won),
                Json::moment_v2,
            ),
            "last_incoming_mail_time" => {
                out.or_null(mails(false).map(|mail| mail.sent).max(), Json::moment_v2)
            }
            "last_outgoing_mail_time" => {
                out.or_null(mails(true).map(|mail| mail.sent).max(), Json::moment_v2)
            }
            "smart_bcc_email" => {
                let domain = &crm.company().domain;
                out.text(&format!("{domain}+deal{}@pipedrivemail.com", deal.id));
            }
            "files_count" | "followers_count" => out.number(0),
            _ => out.null(),
        }
    }
}

fn status(deal: &Deal) -> &'static str {
    match deal.status {
        _ if deal.deleted => "deleted",
        DealStatus::Open => "open",
        DealStatus::Won => "won",
        DealStatus::Lost => "lost",
    }
}

/// The deal, unless it is gone for good.
fn existing(account: &Account, id: u64) -> Option<Deal> {
    let purged = account.live.base().company().now.plus_seconds(-KEPT);
    account
        .live
        .deal(id)
        .filter(|deal| !deal.deleted || deal.updated >= purged)
}

pub(super) fn list(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    listed(account, call, |deal| !deal.archived || deal.deleted)
}

pub(super) fn archived(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    listed(account, call, |deal| deal.archived && !deal.deleted)
}

fn listed(
    account: &Account,
    call: &Call,
    belongs: impl Fn(&Deal) -> bool,
) -> Result<Vec<u8>, Refusal> {
    let words = Words::of(account, call)?;
    let asked = call.words("status", &["open", "won", "lost", "deleted"])?;
    let filters = [
        call.number("owner_id")?,
        call.number("person_id")?,
        call.number("org_id")?,
        call.number("pipeline_id")?,
        call.number("stage_id")?,
    ];
    let (since, until) = (call.moment("updated_since")?, call.moment("updated_until")?);
    let shown = |deal: &Deal| {
        let facts = [
            Some(deal.owner),
            deal.person,
            deal.organization,
            Some(deal.pipeline),
            Some(deal.stage),
        ];
        belongs(deal)
            && asked
                .as_ref()
                .map_or(!deal.deleted, |asked| asked.contains(&status(deal)))
            && filters
                .iter()
                .zip(facts)
                .all(|(filter, fact)| filter.is_none() || *filter == fact)
            && since.is_none_or(|since| deal.updated >= since)
            && until.is_none_or(|until| deal.updated <= until)
    };
    let order = order(account, call, Kind::Deal)?;
    page_v2(
        call,
        &order,
        |id| existing(account, id).filter(shown),
        |out, deal| words.write(out, deal),
    )
}

pub(super) fn get(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let words = Words::of(account, call)?;
    one(
        existing(account, call.id()?),
        "Deal not found",
        |out, deal| words.write(out, deal),
    )
}

/// Participants of a deal, the main person first, in the first generation's expanded objects.
pub(super) fn participants(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let crm = account.live.base();
    let deal = existing(account, call.id()?).ok_or_else(|| Refusal::not_found("Deal not found"))?;
    let main = deal.person.map(|person| Participant {
        id: deal.id * 4 + 3,
        deal: deal.id,
        person,
    });
    let all: Vec<Participant> = main.into_iter().chain(crm.participants(deal.id)).collect();
    let order = fixed("id", (0..all.len() as u64).collect());
    let paging = PagingV1 {
        most: 500,
        envelope: EnvelopeV1::Nested,
        dense: true,
    };
    page_v1(
        account,
        call,
        &paging,
        &order,
        |place| all.get(place as usize),
        |out, participant| {
            write_participant(account, out, &deal, participant);
        },
    )
}

fn write_participant(account: &Account, out: &mut Json, deal: &Deal, participant: &Participant) {
    let Some(person) = account.live.person(participant.person) else {
        return;
    };
    let company = account.live.base().company().id;
    out.object(|out| {
        out.key("id").number(participant.id);
        out.key("person_id").object(|out| {
            out.key("active_flag").bool(!person.deleted);
            out.key("name").text(&person.name);
            contacts(out.key("email"), &person.emails);
            contacts(out.key("phone"), &person.phones);
            out.key("owner_id").number(person.owner);
            out.key("company_id").number(company);
            out.key("value").number(person.id);
        });
        out.key("add_time").moment_v1(deal.added);
        out.key("active_flag").bool(true);
        out.key("related_item_data").object(|out| {
            out.key("deal_id").number(deal.id);
            out.key("title").text(&deal.title);
        });
        out.key("person").object(|out| {
            out.key("id").number(person.id);
            out.key("company_id").number(company);
            out.key("name").text(&person.name);
            out.key("first_name").text(&person.first_name);
            out.key("last_name").text_or_null(
                Some(&person.last_name)
                    .filter(|name| !name.is_empty())
                    .map(String::as_str),
            );
            out.key("active_flag").bool(!person.deleted);
            contacts(out.key("email"), &person.emails);
            contacts(out.key("phone"), &person.phones);
            out.key("add_time").moment_v1(person.added);
            out.key("update_time").moment_v1(person.updated);
            out.key("visible_to").text(&person.visibility.to_string());
            out.key("picture_id").null();
            out.key("label_ids").numbers(&person.labels);
        });
        out.key("related_item_type").text("deal");
        out.key("related_item_id").number(deal.id);
    });
}
