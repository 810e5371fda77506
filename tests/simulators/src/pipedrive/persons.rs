//! Tells persons.
//!
//! Deleted ones are not listed; one of them by its id is, with its mark.

use super::account::Account;
use super::call::{Call, Refusal};
use super::custom::{Shown, write_labels};
use super::json::Json;
use super::options::ContactSync;
use super::paging::{one, order, page_v2};
use crate::truth::{Contact, DealStatus, Kind, Person};

pub(super) const EXTRA: &[&str] = &[
    "next_activity_id",
    "last_activity_id",
    "open_deals_count",
    "related_open_deals_count",
    "closed_deals_count",
    "related_closed_deals_count",
    "participant_open_deals_count",
    "participant_closed_deals_count",
    "email_messages_count",
    "activities_count",
    "done_activities_count",
    "undone_activities_count",
    "files_count",
    "notes_count",
    "followers_count",
    "won_deals_count",
    "related_won_deals_count",
    "lost_deals_count",
    "related_lost_deals_count",
    "last_incoming_mail_time",
    "last_outgoing_mail_time",
    "marketing_status",
    "doi_status",
    "smart_bcc_email",
];

struct Words<'a> {
    account: &'a Account,
    custom: Shown<'a>,
    labels: bool,
    extra: Vec<&'a str>,
}

impl<'a> Words<'a> {
    fn of(account: &'a Account, call: &'a Call) -> Result<Self, Refusal> {
        let custom = Shown::of(account, call, Kind::Person)?;
        let labels = call.flag("include_labels")?.unwrap_or(false);
        Ok(Self {
            account,
            custom,
            labels,
            extra: include(call, EXTRA)?,
        })
    }

    fn write(&self, out: &mut Json, person: &Person) {
        out.object(|out| {
            out.key("id").number(person.id);
            out.key("name").text(&person.name);
            out.key("first_name").text_or_null(some(&person.first_name));
            out.key("last_name").text_or_null(some(&person.last_name));
            out.key("owner_id").number(person.owner);
            out.key("org_id").number_or_null(person.organization);
            out.key("add_time").moment_v2(person.added);
            out.key("update_time").moment_v2(person.updated);
            contacts(out.key("emails"), &person.emails);
            contacts(out.key("phones"), &person.phones);
            out.key("is_deleted").bool(person.deleted);
            out.key("visible_to").number(u64::from(person.visibility));
            write_labels(self.account, out, Kind::Person, &person.labels, self.labels);
            out.key("picture_id").null();
            if self.account.options.contact_sync == ContactSync::On {
                out.key("notes").null();
                out.key("im").array(|_| ());
                out.key("birthday").or_null(person.birthday, Json::day);
                out.key("job_title")
                    .text_or_null(person.job_title.as_deref());
                out.key("postal_address").null();
            }
            self.custom.write(out.key("custom_fields"), &person.custom);
            self.extra
                .iter()
                .for_each(|name| self.extra(out.key(name), name, person.id));
        });
    }

    fn extra(&self, out: &mut Json, name: &str, id: u64) {
        let crm = self.account.live.base();
        let deals = || {
            crm.deals_of_person(id)
                .into_iter()
                .filter_map(|id| crm.deal(id))
                .filter(|deal| !deal.deleted)
        };
        let with = |status: &dyn Fn(DealStatus) -> bool| {
            deals().filter(|deal| status(deal.status)).count() as u64
        };
        let mails = || {
            crm.deals_of_person(id)
                .into_iter()
                .flat_map(|id| crm.deal_mails(id))
        };
        match name {
            "open_deals_count" => out.number(with(&|status| status == DealStatus::Open)),
            "closed_deals_count" => out.number(with(&|status| status != DealStatus::Open)),
            "won_deals_count" => out.number(with(&|status| status == DealStatus::Won)),
            "lost_deals_count" => out.number(with(&|status| status == DealStatus::Lost)),
            "email_messages_count" => out.number(mails().count() as u64),
            "last_incoming_mail_time" => out.or_null(
                mails()
                    .filter(|mail| !mail.outgoing)
                    .map(|mail| mail.sent)
                    .max(),
                Json::moment_v2,
            ),
            "last_outgoing_mail_time" => out.or_null(
                mails()
                    .filter(|mail| mail.outgoing)
                    .map(|mail| mail.sent)
                    .max(),
                Json::moment_v2,
            ),
            "files_count" | "followers_count" => out.number(0),
            _ => out.null(),
        }
    }
}

/// Reads `include_fields`; a name that the endpoint does not know is refused.
pub(super) fn include<'a>(call: &'a Call, known: &[&str]) -> Result<Vec<&'a str>, Refusal> {
    let asked = call.list("include_fields");
    match asked.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(Refusal::bad_request(&format!(
            "include_fields must not contain {name:?}"
        ))),
        None => Ok(asked),
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Addresses or numbers; the first is the primary one.
pub(super) fn contacts(out: &mut Json, contacts: &[Contact]) {
    out.array(|out| {
        for (place, contact) in contacts.iter().enumerate() {
            out.object(|out| {
                out.key("value").text(&contact.value);
                out.key("primary").bool(place == 0);
                out.key("label").text(contact.label);
            });
        }
    });
}

pub(super) fn list(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let words = Words::of(account, call)?;
    let (owner, organization, deal) = (
        call.number("owner_id")?,
        call.number("org_id")?,
        call.number("deal_id")?,
    );
    let (since, until) = (call.moment("updated_since")?, call.moment("updated_until")?);
    let of_deal = deal.map(|deal| account.live.base().deal(deal).and_then(|deal| deal.person));
    let shown = |person: &Person| {
        !person.deleted
            && owner.is_none_or(|owner| person.owner == owner)
            && organization.is_none_or(|organization| person.organization == Some(organization))
            && of_deal.is_none_or(|of_deal| of_deal == Some(person.id))
            && since.is_none_or(|since| person.updated >= since)
            && until.is_none_or(|until| person.updated <= until)
    };
    let order = order(account, call, Kind::Person)?;
    page_v2(
        call,
        &order,
        |id| account.live.person(id).filter(shown),
        |out, person| words.write(out, person),
    )
}

pub(super) fn get(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let words = Words::of(account, call)?;
    one(
        account.live.person(call.id()?),
        "Person not found",
        |out, person| words.write(out, person),
    )
}
