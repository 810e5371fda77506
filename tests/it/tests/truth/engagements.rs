//! Compares notes, calls, tasks, meetings and e-mails with the truth: their number, what they say, and whom they hang on.
//!
//! An activity's kind decides its object: lunches are meetings, deadlines and kinds of the company's own are tasks.

use std::collections::BTreeMap;

use simulators::truth::{Activity, CallOutcome, Kind, Mail};

use super::Tally;
use super::expected::day;
use super::house::House;
use super::pair::{Pair, account, instant};
use super::source::Account;

/// The object that an activity of that kind becomes.
pub(crate) fn kind(activity: &Activity) -> &'static str {
    match activity.kind {
        "call" => "call",
        "meeting" | "lunch" => "meeting",
        "email" => "email",
        "task" | "deadline" | "site_visit" => "task",
        other => panic!("activity kind {other:?}"),
    }
}

/// Sales e-mails that hang on a deal that the vendor shows, or on a person that it shows.
pub(crate) fn mails(account: &Account) -> Vec<Mail> {
    let crm = account.crm.base();
    let all = crm
        .mail_deals()
        .into_iter()
        .flat_map(|deal| crm.deal_mails(deal));
    all.filter(|mail| {
        account.is_visible(Kind::Deal, mail.deal) || account.is_visible(Kind::Person, mail.person)
    })
    .collect()
}

pub(crate) fn every_engagement_is_there_once(house: &House) {
    let account = account();
    let mut expected: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for activity in account.activities() {
        expected.entry(kind(&activity)).or_default().push(format!(
            "pipedrive/{}/{}",
            kind(&activity),
            activity.id
        ));
    }
    expected.entry("email").or_default().extend(
        mails(account)
            .iter()
            .map(|mail| format!("pipedrive/email/mail-{}", mail.id)),
    );
    let notes = 1..=account.crm.base().count(Kind::Note);
    expected.insert(
        "note",
        notes
            .map(|number| format!("pipedrive/note/{number}"))
            .collect(),
    );
    let mut tally = Tally::default();
    for (object, mut ids) in expected {
        ids.sort_unstable();
        let mut there: Vec<_> = house
            .rows(object)
            .iter()
            .filter_map(|row| row.text("longshore_source_id"))
            .collect();
        there.sort_unstable();
        tally.check(there == ids, || {
            let missing: Vec<_> = ids
                .iter()
                .filter(|id| !there.contains(id))
                .take(5)
                .collect();
            let more: Vec<_> = there
                .iter()
                .filter(|id| !ids.contains(id))
                .take(5)
                .collect();
            format!(
                "{object}: {} are there, {} expected; missing {missing:?}, not expected {more:?}",
                there.len(),
                ids.len()
            )
        });
        let selected = &house.summary["objects"][object]["selected"];
        tally.check(*selected == ids.len() as u64, || {
            format!("{object}: selected is {selected}, not {}", ids.len())
        });
    }
    tally.end(10);
}

pub(crate) fn notes_keep_their_text_author_and_parents(house: &House) {
    let account = account();
    let mut tally = Tally::default();
    for number in 1..=account.crm.base().count(Kind::Note) {
        let note = account
            .crm
            .base()
            .note(number)
            .expect("the note of that number");
        let Some(pair) = Pair::find(house, "note", number.to_string(), &mut tally) else {
            continue;
        };
        pair.text("hs_note_body", "content", Some(&note.html), &mut tally);
        pair.text(
            "hs_timestamp",
            "add_time",
            Some(&instant(note.added)),
            &mut tally,
        );
        pair.owner(note.author, &mut tally);
        pair.links(Kind::Deal, note.deal, &mut tally);
        pair.links(Kind::Person, note.person, &mut tally);
        pair.links(Kind::Organization, note.organization, &mut tally);
        pair.links(Kind::Lead, note.lead, &mut tally);
        pair.links(Kind::Project, note.project, &mut tally);
    }
    tally.end(700);
}

pub(crate) fn activities_keep_subject_time_owner_and_parents(house: &House) {
    let mut tally = Tally::default();
    for found in account().activities() {
        let object = kind(&found);
        let Some(pair) = Pair::find(house, object, found.id.to_string(), &mut tally) else {
            continue;
        };
        let (subject, body) = match object {
            "call" => ("hs_call_title", "hs_call_body"),
            "task" => ("hs_task_subject", "hs_task_body"),
            "meeting" => ("hs_meeting_title", "hs_meeting_body"),
            _ => ("hs_email_subject", "hs_email_html"),
        };
        pair.text(subject, "subject", Some(&found.subject), &mut tally);
        pair.text(body, "note", found.note.as_deref(), &mut tally);
        let due = found
            .due_day
            .start()
            .plus_seconds(i64::from(found.due_time.unwrap_or(0)));
        pair.text("hs_timestamp", "timestamp", Some(&instant(due)), &mut tally);
        pair.property(
            "Due date",
            "due_date",
            Some(&day(found.due_day)),
            &mut tally,
        );
        pair.owner(found.owner, &mut tally);
        pair.links(Kind::Deal, found.deal, &mut tally);
        pair.links(Kind::Lead, found.lead, &mut tally);
        pair.links(Kind::Person, found.person, &mut tally);
        pair.links(Kind::Organization, found.organization, &mut tally);
        pair.links(Kind::Project, found.project, &mut tally);
        for other in &found.others {
            pair.link(Kind::Person, *other, "Participant", &mut tally);
        }
    }
    tally.end(2_000);
}

pub(crate) fn calls_have_what_the_telephone_noted(house: &House) {
    let account = account();
    let mut tally = Tally::default();
    for number in 1..=account.crm.base().count(Kind::CallLog) {
        let log = account
            .crm
            .base()
            .call_log(number)
            .expect("the log of that number");
        let Some(pair) = Pair::find(house, "call", log.activity.id.to_string(), &mut tally) else {
            continue;
        };
        let outcome = match log.outcome {
            CallOutcome::Connected => "Connected",
            CallOutcome::NoAnswer => "No answer",
            CallOutcome::LeftMessage => "Left message",
            CallOutcome::Busy => "Busy",
        };
        pair.text("hs_call_disposition", "outcome", Some(outcome), &mut tally);
        pair.text(
            "hs_call_from_number",
            "from_phone_number",
            Some(&log.from),
            &mut tally,
        );
        pair.text(
            "hs_call_to_number",
            "to_phone_number",
            Some(&log.to),
            &mut tally,
        );
    }
    tally.end(20);
}

pub(crate) fn sales_e_mails_keep_body_ends_and_parents(house: &House) {
    let mut tally = Tally::default();
    for mail in mails(account()) {
        let Some(pair) = Pair::find(house, "email", format!("mail-{}", mail.id), &mut tally) else {
            continue;
        };
        pair.text(
            "hs_email_subject",
            "subject",
            Some(&mail.subject),
            &mut tally,
        );
        pair.text("hs_email_html", "body", Some(&mail.body), &mut tally);
        pair.text(
            "hs_timestamp",
            "timestamp",
            Some(&instant(mail.sent)),
            &mut tally,
        );
        let direction = if mail.outgoing {
            "EMAIL"
        } else {
            "INCOMING_EMAIL"
        };
        pair.text(
            "hs_email_direction",
            "direction",
            Some(direction),
            &mut tally,
        );
        let party =
            |party: &simulators::truth::MailParty| format!("{} <{}>", party.name, party.email);
        pair.text(
            "hs_email_from",
            "from",
            Some(&party(&mail.from)),
            &mut tally,
        );
        pair.text("hs_email_to", "to", Some(&party(&mail.to)), &mut tally);
        pair.owner(mail.user, &mut tally);
        pair.links(
            Kind::Deal,
            [mail.deal]
                .into_iter()
                .filter(|deal| account().is_visible(Kind::Deal, *deal)),
            &mut tally,
        );
        pair.links(Kind::Person, [mail.person], &mut tally);
    }
    tally.end(10);
}
