//! Tells organizations.
//!
//! Deleted ones are not listed; one of them by its id is, with its mark.

use super::account::Account;
use super::call::{Call, Refusal};
use super::custom::{Shown, write_address, write_labels};
use super::json::Json;
use super::paging::{one, order, page_v2};
use super::persons::include;
use crate::truth::{Kind, Organization};

pub(super) const EXTRA: &[&str] = &[
    "next_activity_id",
    "last_activity_id",
    "open_deals_count",
    "related_open_deals_count",
    "closed_deals_count",
    "related_closed_deals_count",
    "email_messages_count",
    "people_count",
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
        let custom = Shown::of(account, call, Kind::Organization)?;
        let labels = call.flag("include_labels")?.unwrap_or(false);
        Ok(Self {
            account,
            custom,
            labels,
            extra: include(call, EXTRA)?,
        })
    }

    fn write(&self, out: &mut Json, organization: &Organization) {
        out.object(|out| {
            out.key("id").number(organization.id);
            out.key("name").text(&organization.name);
            out.key("owner_id").number(organization.owner);
            out.key("add_time").moment_v2(organization.added);
            out.key("update_time").moment_v2(organization.updated);
            out.key("address")
                .or_null(organization.address.as_ref(), write_address);
            out.key("website")
                .text_or_null(organization.website.as_deref());
            out.key("linkedin")
                .text_or_null(organization.linkedin.as_deref());
            out.key("industry")
                .text_or_null(organization.industry.as_deref());
            out.key("annual_revenue")
                .or_null(organization.annual_revenue, Json::amount);
            out.key("employee_count")
                .number_or_null(organization.employees);
            out.key("is_deleted").bool(organization.deleted);
            out.key("visible_to")
                .number(u64::from(organization.visibility));
            write_labels(
                self.account,
                out,
                Kind::Organization,
                &organization.labels,
                self.labels,
            );
            self.custom
                .write(out.key("custom_fields"), &organization.custom);
            self.extra
                .iter()
                .for_each(|name| self.extra(out.key(name), name, organization.id));
        });
    }

    fn extra(&self, out: &mut Json, name: &str, id: u64) {
        let crm = self.account.live.base();
        let people = || {
            crm.persons_of_organization(id)
                .into_iter()
                .filter_map(|id| crm.person(id))
        };
        match name {
            "people_count" => out.number(people().filter(|person| !person.deleted).count() as u64),
            "email_messages_count" => {
                let deals = crm.mail_deals_of_organization(id);
                out.number(
                    deals
                        .into_iter()
                        .map(|deal| crm.deal_mails(deal).len() as u64)
                        .sum(),
                );
            }
            "files_count" | "followers_count" => out.number(0),
            _ => out.null(),
        }
    }
}

pub(super) fn list(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let words = Words::of(account, call)?;
    let owner = call.number("owner_id")?;
    let (since, until) = (call.moment("updated_since")?, call.moment("updated_until")?);
    let shown = |organization: &Organization| {
        !organization.deleted
            && owner.is_none_or(|owner| organization.owner == owner)
            && since.is_none_or(|since| organization.updated >= since)
            && until.is_none_or(|until| organization.updated <= until)
    };
    let order = order(account, call, Kind::Organization)?;
    page_v2(
        call,
        &order,
        |id| account.live.organization(id).filter(shown),
        |out, record| words.write(out, record),
    )
}

pub(super) fn get(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let words = Words::of(account, call)?;
    one(
        account.live.organization(call.id()?),
        "Organization not found",
        |out, record| words.write(out, record),
    )
}
