//! Sales e-mails: the messages linked to persons and deals (`/v1/persons/{id}/mailMessages`, `/v1/deals/{id}/mailMessages`).
//!
//! A message that hangs on several records comes once for each; the host keeps the last row of an id. So persons are read first and deals
//! last: a message names the persons it is linked to, but never its deal, and the last row must know all.

use std::collections::BTreeSet;

use longshore_sdk::{Context, FailureKind, Instant, Level, Page, PageRequest, Result, Row};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::envelope::{self, Answer, PAGE_MAX};
use crate::json;
use crate::lists::{self, Changes, List, Position};
use crate::offsets;
use crate::reading;
use crate::table::{BuiltIn, CustomForm, Shape, Table, built_in, held};

const INCLUDE: Option<&str> =
    Some("email_messages_count,last_incoming_mail_time,last_outgoing_mail_time");
const PARENTS: [(List, &str); 3] = [
    (
        List {
            path: "/v2/persons",
            include_fields: INCLUDE,
            changes: Changes::None,
        },
        "person",
    ),
    (
        List {
            path: "/v2/deals",
            include_fields: INCLUDE,
            changes: Changes::None,
        },
        "deal",
    ),
    (
        List {
            path: "/v2/deals/archived",
            include_fields: INCLUDE,
            changes: Changes::None,
        },
        "deal",
    ),
];
/// A page stops asking when the call has less time than this left.
const SPARE_MS: u64 = 15_000;

/// The keys that are read of a person or deal.
const PARENT_KEYS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    held("email_messages_count"),
    held("last_incoming_mail_time"),
    held("last_outgoing_mail_time"),
];

/// A place: the records known to have messages that are not read yet, and where their list goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Where the lists of parents go on; `None` behind their end.
    #[serde(rename = "r")]
    parents: Option<Position>,
    /// Which list the pending ones are of.
    #[serde(rename = "k", default)]
    list: usize,
    /// Parents to read, at most a page of them.
    #[serde(rename = "p", default)]
    pending: Vec<u64>,
    /// How many messages of the first of them are behind.
    #[serde(rename = "s", default)]
    start: u64,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            parents: Some(Position::default()),
            list: 0,
            pending: Vec::new(),
            start: 0,
        }
    }
}

impl Place {
    fn is_done(&self) -> bool {
        self.pending.is_empty() && self.parents.is_none()
    }
}

/// Reads some parents' messages; answers where to go on, `None` at the end. Nothing where the scope for mail is missing.
///
/// # Errors
/// As the requests fail, unless the page has rows already: then it ends before the failure, which comes again with the next one.
pub(crate) fn fetch(
    ctx: &Context,
    request: &PageRequest,
    mut place: Place,
    page: &mut Page,
) -> Result<Option<Place>> {
    if place.pending.is_empty()
        && let Some(position) = place.parents.take()
    {
        place.list = position.list;
        (place.pending, place.parents) = parents(ctx, request, &position)?;
    }
    while let Some(parent) = place.pending.first().copied() {
        let (_, kind) = lists::pick(&PARENTS, place.list)?;
        let read = read_messages(ctx, request, (kind, parent), place.start, page);
        match read {
            Err(failure)
                if failure.kind == FailureKind::Permission && failure.code == "pipedrive.scope" =>
            {
                ctx.log(Level::Warn, &failure.message);
                return Ok(None);
            }
            Err(failure)
                if !page.is_empty()
                    && matches!(
                        failure.kind,
                        FailureKind::RateLimited | FailureKind::Transient
                    ) =>
            {
                return Ok(Some(place));
            }
            Err(failure) => return Err(failure),
            Ok(Some(next)) => place.start = next,
            Ok(None) => {
                place.pending.remove(0);
                place.start = 0;
            }
        }
        if page.is_full() || ctx.deadline_ms() < SPARE_MS {
            break;
        }
    }
    Ok((!place.is_done()).then_some(place))
}

/// The ids of a page's parents that have messages, and where the parents go on.
fn parents(
    ctx: &Context,
    request: &PageRequest,
    position: &Position,
) -> Result<(Vec<u64>, Option<Position>)> {
    let (list, _) = lists::pick(&PARENTS, position.list)?;
    let Some(response) = lists::open(ctx, list, position, PAGE_MAX, None)? else {
        return Ok((Vec::new(), position.next_list(PARENTS.len())));
    };
    let table = ctx.cached("mail_parents", || {
        Ok(Table::new(PARENT_KEYS, &[], CustomForm::Nested, Vec::new()).lenient())
    })?;
    let [id, count, incoming, outgoing] = [
        "id",
        "email_messages_count",
        "last_incoming_mail_time",
        "last_outgoing_mail_time",
    ]
    .map(|key| table.slot(key));
    let since = lists::since(request);
    let mut parents = Vec::new();
    let ending = reading::for_each_record(ctx, &response, list.path, &table, &mut |record| {
        let moment = |slot: usize| {
            record
                .text(slot)
                .and_then(|text| Instant::parse(&text).ok())
        };
        let last = moment(incoming).max(moment(outgoing));
        let is_old = since.is_some() && last.is_some() && last < since;
        let has_messages = record
            .raw(count)
            .and_then(json::count)
            .is_some_and(|count| count > 0);
        if has_messages && !is_old {
            parents.extend(record.id(id).and_then(|id| id.parse::<u64>().ok()));
        }
        Ok(())
    })?;
    Ok((parents, position.next(PARENTS.len(), &ending)))
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default)]
    data: Option<Message<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    from: Option<&'a RawValue>,
    #[serde(borrow)]
    to: Option<&'a RawValue>,
    #[serde(borrow)]
    cc: Option<&'a RawValue>,
    #[serde(borrow)]
    bcc: Option<&'a RawValue>,
    #[serde(borrow)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    subject: Option<&'a RawValue>,
    #[serde(borrow)]
    snippet: Option<&'a RawValue>,
    #[serde(borrow)]
    mail_thread_id: Option<&'a RawValue>,
    #[serde(borrow)]
    mail_tracking_status: Option<&'a RawValue>,
    #[serde(borrow)]
    message_time: Option<&'a RawValue>,
    #[serde(borrow)]
    add_time: Option<&'a RawValue>,
    #[serde(borrow)]
    update_time: Option<&'a RawValue>,
    #[serde(borrow)]
    has_body_flag: Option<&'a RawValue>,
    #[serde(borrow)]
    sent_flag: Option<&'a RawValue>,
    #[serde(borrow)]
    draft_flag: Option<&'a RawValue>,
    #[serde(borrow)]
    deleted_flag: Option<&'a RawValue>,
    #[serde(borrow)]
    has_attachments_flag: Option<&'a RawValue>,
}

/// The body's own answer.
#[derive(Deserialize)]
struct WithBody<'a> {
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

fn read_messages(
    ctx: &Context,
    request: &PageRequest,
    parent: (&str, u64),
    start: u64,
    page: &mut Page,
) -> Result<Option<u64>> {
    let path = format!("/v1/{}s/{}/mailMessages", parent.0, parent.1);
    let query = envelope::get(ctx, &path)
        .query("start", start)
        .query("limit", PAGE_MAX);
    let response = match envelope::send(ctx, query, &path) {
        // The record has gone in the meantime, or its mail is not for this user.
        Err(failure)
            if failure.code == "pipedrive.not-found" || failure.code == "pipedrive.forbidden" =>
        {
            ctx.log(Level::Info, &failure.message);
            return Ok(None);
        }
        other => other?,
    };
    let answer: Answer<Vec<Item<'_>>> = response.json()?;
    let items = answer.data.unwrap_or_default();
    let since = lists::since(request);
    for message in items.iter().filter_map(|item| item.data.as_ref()) {
        let changed = text(message.update_time).and_then(|text| Instant::parse(&text).ok());
        if since.is_none() || changed.is_none() || changed >= since {
            let body = message.body(ctx)?;
            message.write(parent, body.as_deref(), page);
        }
    }
    Ok(answer
        .additional_data
        .unwrap_or_default()
        .next_start(start, items.len() as u64))
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    raw.and_then(|raw| json::text(raw.get()))
        .map(|text| text.into_owned())
}

fn flag(raw: Option<&RawValue>) -> Option<bool> {
    raw.and_then(|raw| json::boolean(raw.get()))
}

impl Message<'_> {
    fn id(&self) -> Option<String> {
        self.id
            .and_then(|raw| json::id(raw.get()))
            .map(|id| id.into_owned())
    }

    /// The body, where there is one and it may be read: another user's private mail may not.
    fn body(&self, ctx: &Context) -> Result<Option<String>> {
        let is_wanted = ctx
            .setting("email_bodies")
            .is_none_or(|setting| setting != "off" && setting != "false");
        let Some(id) = self
            .id()
            .filter(|_| is_wanted && flag(self.has_body_flag) != Some(false))
        else {
            return Ok(None);
        };
        let path = format!("/v1/mailbox/mailMessages/{id}");
        let query = envelope::get(ctx, &path).query("include_body", 1);
        let response = offsets::optional(
            ctx,
            "the body of an e-mail",
            envelope::send(ctx, query, &path).map(Some),
        )?;
        let Some(response) = response else {
            return Ok(None);
        };
        Ok(response
            .json::<Answer<WithBody<'_>>>()?
            .data
            .and_then(|data| text(data.body)))
    }

    fn write(&self, parent: (&str, u64), body: Option<&str>, page: &mut Page) {
        let Some(own) = self.id() else { return };
        let mut row = page.begin(["mail-", own.as_str()].concat());
        if let Some(changed) = text(self.update_time) {
            row.updated_at(changed);
        }
        if flag(self.deleted_flag) == Some(true) {
            row.deleted();
        }
        let is_sent = flag(self.sent_flag);
        row.text_opt("subject", text(self.subject));
        row.option("type", "email");
        row.owner("owner_id", self.user_id.and_then(|raw| json::id(raw.get())));
        row.instant("add_time", text(self.add_time));
        row.instant("update_time", text(self.update_time));
        row.instant(
            "timestamp",
            text(self.message_time).or_else(|| text(self.add_time)),
        );
        match body {
            Some(body) => row.text("body", body),
            None => &mut row,
        };
        row.text_opt("snippet", text(self.snippet));
        row.text_opt(
            "direction",
            is_sent.map(|sent| if sent { "EMAIL" } else { "INCOMING_EMAIL" }),
        );
        row.text_opt("email_status", is_sent.filter(|sent| *sent).map(|_| "SENT"));
        let mut persons = BTreeSet::new();
        for (name, parties) in [
            ("from", self.from),
            ("to", self.to),
            ("cc", self.cc),
            ("bcc", self.bcc),
        ] {
            row.text_opt(
                name,
                parties.and_then(|raw| addresses(raw.get(), &mut persons)),
            );
        }
        row.text_opt("mail_thread_id", text(self.mail_thread_id));
        row.text_opt("mail_tracking_status", text(self.mail_tracking_status));
        row.boolean("has_attachments", flag(self.has_attachments_flag));
        row.boolean("is_draft", flag(self.draft_flag));
        self.link(parent, persons, &mut row);
        row.finish();
    }

    /// The persons it names, and the record it was found on.
    fn link(&self, (kind, id): (&str, u64), mut persons: BTreeSet<String>, row: &mut Row<'_>) {
        if kind == "person" {
            persons.insert(id.to_string());
        } else {
            row.association(kind, id);
        }
        for person in persons {
            row.association("person", person);
        }
    }
}

/// `Ada Byron <ada@ex.test>, …`; the persons linked to them are added to `persons`. `None` when there are none.
fn addresses(raw: &str, persons: &mut BTreeSet<String>) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    json::for_each_element(raw, |party| {
        let (mut name, mut email) = (String::new(), String::new());
        json::for_each_member(party, |key, value| match key {
            "name" => name = json::text(value).unwrap_or_default().into_owned(),
            "email_address" => email = json::text(value).unwrap_or_default().into_owned(),
            "linked_person_id" => persons.extend(json::id(value).map(|id| id.into_owned())),
            _ => {}
        });
        match (name.is_empty(), email.is_empty()) {
            (_, true) => all.push(name),
            (true, false) => all.push(email),
            (false, false) => all.push(format!("{name} <{email}>")),
        }
    });
    all.retain(|party| !party.is_empty());
    (!all.is_empty()).then(|| all.join(", "))
}
