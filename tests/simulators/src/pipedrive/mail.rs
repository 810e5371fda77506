//! Tells e-mails: per record, one by one with its body, and the threads of the token user's own mailbox.
//!
//! Mail cannot be created, and bodies come only one by one.

use super::account::Account;
use super::call::{Call, Refusal};
use super::json::Json;
use super::paging::{PagingV1, fixed, one, page_v1};
use crate::truth::{Mail, MailParty};

pub(super) fn of_deal(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let id = call.id()?;
    listed(account, call, account.live.base().deal_mails(id))
}

pub(super) fn of_person(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let (crm, id) = (account.live.base(), call.id()?);
    let mails = crm
        .deals_of_person(id)
        .into_iter()
        .flat_map(|deal| crm.deal_mails(deal));
    listed(
        account,
        call,
        mails.filter(|mail| mail.person == id).collect(),
    )
}

pub(super) fn of_organization(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let crm = account.live.base();
    let deals = crm.mail_deals_of_organization(call.id()?);
    listed(
        account,
        call,
        deals
            .into_iter()
            .flat_map(|deal| crm.deal_mails(deal))
            .collect(),
    )
}

fn listed(account: &Account, call: &Call, mails: Vec<Mail>) -> Result<Vec<u8>, Refusal> {
    let order = fixed("id", (0..mails.len() as u64).collect());
    let paging = PagingV1 {
        most: 500,
        envelope: account.options.envelope_v1,
        dense: true,
    };
    page_v1(
        account,
        call,
        &paging,
        &order,
        |place| mails.get(place as usize),
        |out, mail| {
            out.object(|out| {
                out.key("object").text("mailMessage");
                out.key("timestamp").moment_v1(mail.sent);
                out.key("data")
                    .object(|out| write(account, out, mail, false));
            });
        },
    )
}

pub(super) fn get(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let body = call.flag("include_body")?.unwrap_or(false);
    let mail = account.live.base().mail(call.id()?);
    one(mail, "Mail message not found", |out, mail| {
        out.object(|out| write(account, out, mail, body))
    })
}

fn write(account: &Account, out: &mut Json, mail: &Mail, body: bool) {
    out.key("id").number(mail.id);
    party(out, "from", &mail.from);
    party(out, "to", &mail.to);
    out.key("cc").array(|_| ());
    out.key("bcc").array(|_| ());
    out.key("body_url").text(&format!(
        "{}/api/v1/mailbox/mailMessages/{}?include_body=1",
        account.base_url(),
        mail.id
    ));
    out.key("account_id").text("sim");
    out.key("user_id").number(mail.user);
    out.key("mail_thread_id").number(mail.thread);
    out.key("subject").text(&mail.subject);
    out.key("snippet").text(&snippet(mail));
    if body {
        out.key("body").text(&mail.body);
    }
    out.key("mail_tracking_status").null();
    flags(out, mail);
    out.key("draft").text("");
    out.key("message_time").moment_millis(mail.sent);
    out.key("add_time").moment_millis(mail.sent);
    out.key("update_time").moment_millis(mail.sent);
    out.key("item_type").text("mailMessage");
    out.key("company_id")
        .number(account.live.base().company().id);
}

fn flags(out: &mut Json, mail: &Mail) {
    let off = [
        "mail_link_tracking_enabled_flag",
        "draft_flag",
        "deleted_flag",
        "sent_from_pipedrive_flag",
        "smart_bcc_flag",
        "has_attachments_flag",
        "has_inline_attachments_flag",
        "has_real_attachments_flag",
    ];
    off.iter().for_each(|name| out.key(name).bit(false));
    ["read_flag", "synced_flag", "has_body_flag"]
        .iter()
        .for_each(|name| out.key(name).bit(true));
    out.key("sent_flag").bit(mail.outgoing);
    out.key("external_deleted_flag").bool(false);
}

fn party(out: &mut Json, key: &str, party: &MailParty) {
    out.key(key).array(|out| {
        out.object(|out| {
            out.key("id").number(party.person.unwrap_or(1));
            out.key("email_address").text(&party.email);
            out.key("name").text(&party.name);
            if let Some(person) = party.person {
                out.key("linked_person_id").number(person);
                out.key("linked_person_name").text(&party.name);
            }
            out.key("mail_message_party_id")
                .number(party.person.unwrap_or(1));
        });
    });
}

/// The first 225 characters without markup.
fn snippet(mail: &Mail) -> String {
    let mut inside = false;
    let text = mail.body.chars().filter(|letter| {
        inside = (inside || *letter == '<') && *letter != '>';
        !inside && *letter != '>'
    });
    text.take(225).collect()
}

/// The token user's threads, each by its mails.
fn own_threads(account: &Account) -> Vec<Vec<Mail>> {
    let crm = account.live.base();
    let me = crm.company().token_user;
    let all = crm
        .mail_deals()
        .into_iter()
        .map(|deal| crm.deal_mails(deal));
    all.filter(|mails| mails.first().is_some_and(|mail| mail.user == me))
        .collect()
}

pub(super) fn threads(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let folder = call.word("folder", &["inbox", "drafts", "sent", "archive"])?;
    let folder = folder.ok_or_else(|| Refusal::bad_request("folder is required"))?;
    let belongs = |mails: &Vec<Mail>| match folder {
        "inbox" => mails.iter().any(|mail| !mail.outgoing),
        "sent" => mails.iter().any(|mail| mail.outgoing),
        _ => false,
    };
    let threads: Vec<Vec<Mail>> = own_threads(account).into_iter().filter(belongs).collect();
    let order = fixed("id", (0..threads.len() as u64).collect());
    let paging = PagingV1 {
        most: 500,
        envelope: account.options.envelope_v1,
        dense: true,
    };
    page_v1(
        account,
        call,
        &paging,
        &order,
        |place| threads.get(place as usize),
        |out, mails| write_thread(out, mails),
    )
}

fn own_thread(account: &Account, call: &Call) -> Result<Option<Vec<Mail>>, Refusal> {
    let crm = account.live.base();
    let mails = crm.deal_mails(call.id()?);
    Ok(Some(mails).filter(|mails| {
        mails
            .first()
            .is_some_and(|mail| mail.user == crm.company().token_user)
    }))
}

pub(super) fn thread(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    one(
        own_thread(account, call)?,
        "Mail thread not found",
        |out, mails| write_thread(out, mails),
    )
}

pub(super) fn thread_mails(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    one(
        own_thread(account, call)?,
        "Mail thread not found",
        |out, mails| {
            out.array(|out| {
                mails
                    .iter()
                    .for_each(|mail| out.object(|out| write(account, out, mail, false)))
            });
        },
    )
}

fn write_thread(out: &mut Json, mails: &[Mail]) {
    let (Some(first), Some(last)) = (mails.first(), mails.last()) else {
        return;
    };
    let newest = |outgoing: bool| {
        mails
            .iter()
            .rfind(|mail| mail.outgoing == outgoing)
            .map(|mail| mail.sent)
    };
    out.object(|out| {
        out.key("id").number(first.thread);
        out.key("account_id").text("sim");
        out.key("user_id").number(first.user);
        out.key("subject").text(&first.subject);
        out.key("snippet").text(&snippet(last));
        out.key("parties").object(|out| {
            party(out, "to", &first.to);
            party(out, "from", &first.from);
        });
        out.key("drafts_parties").array(|_| ());
        out.key("folders").array(|out| out.text("inbox"));
        out.key("version").number(1);
        out.key("message_count").number(mails.len() as u64);
        let off = [
            "has_attachments_flag",
            "has_draft_flag",
            "archived_flag",
            "deleted_flag",
            "shared_flag",
            "external_deleted_flag",
        ];
        off.iter().for_each(|name| out.key(name).bit(false));
        out.key("read_flag").bit(true);
        out.key("synced_flag").bit(true);
        out.key("has_sent_flag").bit(newest(true).is_some());
        out.key("last_message_timestamp").moment_millis(last.sent);
        out.key("first_message_timestamp").moment_millis(first.sent);
        out.key("last_message_sent_timestamp")
            .or_null(newest(true), Json::moment_millis);
        if let Some(received) = newest(false) {
            out.key("last_message_received_timestamp")
                .moment_millis(received);
        }
        out.key("add_time").moment_millis(first.sent);
        out.key("update_time").moment_millis(last.sent);
        out.key("deal_id").number(first.deal);
        out.key("deal_status").text("open");
        out.key("lead_id").null();
        out.key("all_messages_sent_flag")
            .bit(newest(false).is_none());
    });
}
