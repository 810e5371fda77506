//! Activities (`/v2/activities`): which kind of engagement each is, and its row.
//!
//! Pipedrive has one list for all kinds and no filter by type, so each kind reads the list and leaves the others' activities out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use longshore_sdk::{
    Context, Date, FieldInfo, FieldKind, Instant, Level, ObjectInfo, Page, Result, Row, Time,
    clock_seconds,
};
use serde::Deserialize;

use crate::envelope;
use crate::json;
use crate::lists::{Changes, List};
use crate::metadata;
use crate::offsets;
use crate::reading::Record;
use crate::table::{BuiltIn, CustomForm, Shape, Table, built_in, held, text};
use crate::value;

/// The list.
pub(crate) const LIST: List = List {
    path: "/v2/activities",
    include_fields: Some("attendees"),
    changes: Changes::Since,
};

/// A kind of engagement that activities become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Call,
    Task,
    Meeting,
    Email,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] = [Self::Call, Self::Task, Self::Meeting, Self::Email];

    /// Its name, here and as a standard object.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Task => "task",
            Self::Meeting => "meeting",
            Self::Email => "email",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Call => "Call",
            Self::Task => "Task",
            Self::Meeting => "Meeting",
            Self::Email => "E-mail",
        }
    }

    /// The kind of that name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The standard properties of subject and note.
    fn standards(self) -> (&'static str, &'static str) {
        match self {
            Self::Call => ("hs_call_title", "hs_call_body"),
            Self::Task => ("hs_task_subject", "hs_task_body"),
            Self::Meeting => ("hs_meeting_title", "hs_meeting_body"),
            Self::Email => ("hs_email_subject", "hs_email_html"),
        }
    }
}

const BUILT_INS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    text("subject", "Subject"),
    built_in("note", "Note", Shape::Plain(FieldKind::Html)),
    built_in("type", "Type", Shape::Plain(FieldKind::Option)),
    built_in("owner_id", "Owner", Shape::Plain(FieldKind::Owner)).standard("hubspot_owner_id"),
    built_in("creator_user_id", "Creator", Shape::Plain(FieldKind::Owner)).read_only(),
    built_in("deal_id", "", Shape::Link("deal", "deal")),
    built_in("lead_id", "", Shape::Link("lead", "lead")),
    built_in("person_id", "", Shape::Link("person", "person")),
    built_in("org_id", "", Shape::Link("organization", "organization")),
    built_in("project_id", "", Shape::Link("project", "project")),
    built_in("due_date", "Due date", Shape::Plain(FieldKind::Date)),
    built_in("due_time", "Due time (UTC)", Shape::Plain(FieldKind::Time)),
    text("duration", "Duration"),
    built_in("busy", "Busy", Shape::Plain(FieldKind::Boolean)),
    built_in("done", "Done", Shape::Plain(FieldKind::Boolean)),
    built_in(
        "marked_as_done_time",
        "Done at",
        Shape::Plain(FieldKind::Instant),
    )
    .read_only(),
    built_in("location", "Location", Shape::Address),
    held("participants"),
    held("attendees"),
    text("conference_meeting_client", "Conference client"),
    built_in(
        "conference_meeting_url",
        "Conference address",
        Shape::Plain(FieldKind::Url),
    ),
    text("conference_meeting_id", "Conference id"),
    built_in(
        "public_description",
        "Public description",
        Shape::Plain(FieldKind::Html),
    ),
    built_in("priority", "Priority", Shape::Plain(FieldKind::Option)),
    built_in("is_deleted", "", Shape::Deleted),
    built_in("add_time", "Created", Shape::Plain(FieldKind::Instant)).read_only(),
    built_in("update_time", "Updated", Shape::UpdatedAt).read_only(),
    built_in("custom_fields", "", Shape::CustomFields),
];

/// A kind's table, with what its rows need beside the keys.
pub(crate) struct Activities {
    kind: Kind,
    pub(crate) table: Table,
    types: Rc<Types>,
    /// Labels of priorities, in capitals, by id.
    priorities: HashMap<String, String>,
    slots: Slots,
}

struct Slots {
    id: usize,
    kind: usize,
    note: usize,
    person: usize,
    participants: usize,
    attendees: usize,
    due_date: usize,
    due_time: usize,
    duration: usize,
    done: usize,
    done_time: usize,
    add_time: usize,
    priority: usize,
}

impl Activities {
    /// The kind's table.
    ///
    /// # Errors
    /// When types or metadata can not be read.
    pub(crate) fn of(ctx: &Context, kind: Kind) -> Result<Rc<Self>> {
        ctx.cached(kind.name(), || Self::new(ctx, kind))
    }

    fn new(ctx: &Context, kind: Kind) -> Result<Self> {
        let types = Types::of(ctx)?;
        let metadata = metadata::fields(ctx, "activityFields")?;
        let (subject, note) = kind.standards();
        let mut built_ins = BUILT_INS.to_vec();
        for built_in in &mut built_ins {
            *built_in = match built_in.key() {
                "subject" => built_in.standard(subject),
                // An e-mail's body is the activity's note or the message's own body: one field for both.
                "note" if kind == Kind::Email => held("note"),
                "note" => built_in.standard(note),
                "location" if kind == Kind::Meeting => built_in.standard("hs_meeting_location"),
                _ => *built_in,
            };
        }
        let mut table = Table::new(&built_ins, &metadata, CustomForm::Nested, computed(kind));
        table.replace_options("type", types.names.iter().cloned());
        let priorities = metadata
            .iter()
            .filter(|field| field.field_code == "priority")
            .flat_map(|field| field.options());
        let slots = Slots::of(&table);
        Ok(Self {
            kind,
            table: table.with_link("participant", "person", Some("Participant")),
            types,
            priorities: priorities
                .map(|(id, label)| (id, label.to_uppercase()))
                .collect(),
            slots,
        })
    }

    /// Describes the kind.
    pub(crate) fn describe(&self) -> ObjectInfo {
        self.table.describe(
            ObjectInfo::new(self.kind.name(), self.kind.label())
                .standard(self.kind.name())
                .incremental(),
        )
    }

    /// Whether the activity is of this kind.
    pub(crate) fn is_of_kind(&self, record: &Record<'_, '_>) -> bool {
        self.types
            .kind(&record.text(self.slots.kind).unwrap_or_default())
            == self.kind
    }

    /// The activity's id.
    pub(crate) fn id<'a>(&self, record: &Record<'_, 'a>) -> Option<Cow<'a, str>> {
        record.id(self.slots.id)
    }

    /// Writes an activity's row; `finish` adds what else is known of it.
    ///
    /// # Errors
    /// `bad-data` when the activity has no id.
    pub(crate) fn write(
        &self,
        record: &Record<'_, '_>,
        page: &mut Page,
        finish: impl FnOnce(&mut Row<'_>),
    ) -> Result<()> {
        let slots = &self.slots;
        let mut row = record.row(page)?;
        let own = record.id(slots.person);
        if let Some(raw) = record.raw(slots.participants) {
            json::for_each_element(raw, |participant| {
                json::for_each_member(participant, |key, value| match json::id(value) {
                    Some(person) if key == "person_id" && Some(&person) != own.as_ref() => {
                        row.association("participant", person);
                    }
                    _ => {}
                });
            });
        }
        if let Some(raw) = record.raw(slots.attendees) {
            row.text_opt("attendees", attendees(raw));
        }
        let start = self.start(record);
        row.instant("timestamp", start);
        self.write_kind(record, start, &mut row);
        finish(&mut row);
        row.finish();
        Ok(())
    }

    /// When it is due; without a due date when it was done, else when it was made. All-day ones are due at midnight UTC.
    fn start(&self, record: &Record<'_, '_>) -> Option<Instant> {
        let slots = &self.slots;
        let instant = |slot: usize| {
            record
                .text(slot)
                .and_then(|text| Instant::parse(&text).ok())
        };
        let date = record
            .text(slots.due_date)
            .and_then(|text| Date::parse(&text).ok());
        let time = record
            .text(slots.due_time)
            .and_then(|text| Time::parse(&text).ok());
        let due = date.map(|date| date.at(time.unwrap_or(Time::MIDNIGHT)));
        due.or_else(|| instant(slots.done_time))
            .or_else(|| instant(slots.add_time))
    }

    fn write_kind(&self, record: &Record<'_, '_>, start: Option<Instant>, row: &mut Row<'_>) {
        let slots = &self.slots;
        let done = record.is(slots.done);
        let seconds = record
            .text(slots.duration)
            .and_then(|text| clock_seconds(&text).ok());
        match self.kind {
            Kind::Call => {
                row.text("call_status", if done { "COMPLETED" } else { "QUEUED" });
                row.integer("call_duration_ms", seconds.map(|seconds| seconds * 1000));
            }
            Kind::Task => {
                row.text(
                    "task_status",
                    if done { "COMPLETED" } else { "NOT_STARTED" },
                );
                let label = record
                    .text(slots.priority)
                    .and_then(|id| self.priorities.get(&*id));
                row.text_opt(
                    "task_priority",
                    label.filter(|label| matches!(label.as_str(), "LOW" | "MEDIUM" | "HIGH")),
                );
            }
            Kind::Meeting => {
                row.instant("start_time", start);
                row.instant(
                    "end_time",
                    start.and_then(|start| start.plus_seconds(seconds.unwrap_or(0))),
                );
                row.text(
                    "meeting_outcome",
                    if done { "COMPLETED" } else { "SCHEDULED" },
                );
            }
            Kind::Email => {
                if let Some(raw) = record.raw(slots.note) {
                    value::write(row, "body", FieldKind::Html, raw);
                }
            }
        }
    }
}

impl Slots {
    fn of(table: &Table) -> Self {
        Self {
            id: table.slot("id"),
            kind: table.slot("type"),
            note: table.slot("note"),
            person: table.slot("person_id"),
            participants: table.slot("participants"),
            attendees: table.slot("attendees"),
            due_date: table.slot("due_date"),
            due_time: table.slot("due_time"),
            duration: table.slot("duration"),
            done: table.slot("done"),
            done_time: table.slot("marked_as_done_time"),
            add_time: table.slot("add_time"),
            priority: table.slot("priority"),
        }
    }
}

/// The fields that no key holds as it is.
fn computed(kind: Kind) -> Vec<FieldInfo> {
    use FieldKind::{Boolean, Html, Instant, Integer, Option, Phone, Text};
    let field = FieldInfo::new;
    let mut fields = vec![
        field("attendees", "Attendees", Text),
        field("timestamp", "When", Instant).standard("hs_timestamp"),
    ];
    fields.extend(match kind {
        Kind::Call => vec![
            field("call_status", "Call status", Text).standard("hs_call_status"),
            field("call_duration_ms", "Duration (ms)", Integer).standard("hs_call_duration"),
            field("outcome", "Outcome", Option)
                .standard("hs_call_disposition")
                .options(OUTCOMES.iter().copied()),
            field("from_phone_number", "From number", Phone).standard("hs_call_from_number"),
            field("to_phone_number", "To number", Phone).standard("hs_call_to_number"),
            field("end_time", "End", Instant),
            field("has_recording", "Has a recording", Boolean),
        ],
        Kind::Task => vec![
            field("task_status", "Task status", Text).standard("hs_task_status"),
            field("task_priority", "Task priority", Text).standard("hs_task_priority"),
        ],
        Kind::Meeting => vec![
            field("start_time", "Start", Instant).standard("hs_meeting_start_time"),
            field("end_time", "End", Instant).standard("hs_meeting_end_time"),
            field("meeting_outcome", "Meeting outcome", Text).standard("hs_meeting_outcome"),
        ],
        Kind::Email => vec![
            field("body", "Body", Html).standard("hs_email_html"),
            field("snippet", "Snippet", Text).standard("hs_email_text"),
            field("direction", "Direction", Text).standard("hs_email_direction"),
            field("email_status", "E-mail status", Text).standard("hs_email_status"),
            field("from", "From", Text).standard("hs_email_from"),
            field("to", "To", Text).standard("hs_email_to"),
            field("cc", "Cc", Text).standard("hs_email_cc"),
            field("bcc", "Bcc", Text),
            field("mail_thread_id", "Thread", Text),
            field("mail_tracking_status", "Tracking status", Text),
            field("has_attachments", "Has attachments", Boolean),
            field("is_draft", "Draft", Boolean),
        ],
    });
    fields
}

/// Outcomes of call logs.
const OUTCOMES: &[(&str, &str)] = &[
    ("connected", "Connected"),
    ("no_answer", "No answer"),
    ("left_message", "Left message"),
    ("left_voicemail", "Left voicemail"),
    ("wrong_number", "Wrong number"),
    ("busy", "Busy"),
];

/// `Ada Byron <ada@ex.test> (accepted, organizer)`, one after the other.
fn attendees(raw: &str) -> Option<String> {
    let mut all = Vec::new();
    json::for_each_element(raw, |attendee| {
        let (mut name, mut email, mut status, mut organizes) =
            (Cow::default(), Cow::default(), Cow::default(), false);
        json::for_each_member(attendee, |key, value| match key {
            "name" => name = json::text(value).unwrap_or_default(),
            "email" | "email_address" => email = json::text(value).unwrap_or_default(),
            "status" => status = json::text(value).unwrap_or_default(),
            "is_organizer" => organizes = json::boolean(value) == Some(true),
            _ => {}
        });
        let mut text = match (name.is_empty(), email.is_empty()) {
            (true, _) => email.into_owned(),
            (false, true) => name.into_owned(),
            (false, false) => format!("{name} <{email}>"),
        };
        match (status.is_empty(), organizes) {
            (true, false) => {}
            (true, true) => text.push_str(" (organizer)"),
            (false, false) => text.push_str(&format!(" ({status})")),
            (false, true) => text.push_str(&format!(" ({status}, organizer)")),
        }
        all.push(text);
    });
    (!all.is_empty()).then(|| all.join("; "))
}

/// The account's activity types, and the kind of engagement of each.
pub(crate) struct Types {
    /// Key and name.
    names: Vec<(String, String)>,
    /// What the person who connected decided.
    chosen: HashMap<String, Kind>,
}

#[derive(Deserialize)]
struct TypeRow {
    key_string: String,
    name: String,
}

impl Types {
    fn of(ctx: &Context) -> Result<Rc<Self>> {
        ctx.cached("activity_types", || {
            let rows = offsets::optional(
                ctx,
                "activity types",
                envelope::read_whole::<Vec<TypeRow>>(ctx, "/v1/activityTypes"),
            )?;
            let names = rows
                .unwrap_or_default()
                .into_iter()
                .map(|row| (row.key_string, row.name))
                .collect();
            let setting = ctx.setting("activity_types").unwrap_or_default();
            let mut chosen = HashMap::new();
            for pair in setting.split(',').filter(|pair| !pair.trim().is_empty()) {
                match pair
                    .split_once('=')
                    .and_then(|(key, kind)| Some((key.trim().to_owned(), Kind::find(kind.trim())?)))
                {
                    Some((key, kind)) => {
                        chosen.insert(key, kind);
                    }
                    None => ctx.log(
                        Level::Warn,
                        &format!(
                            "setting activity_types: {pair:?} is not `key=call|task|meeting|email`"
                        ),
                    ),
                }
            }
            Ok(Self { names, chosen })
        })
    }

    /// The kind of a type: as chosen, else Pipedrive's own six; types that the account made are tasks.
    fn kind(&self, key: &str) -> Kind {
        self.chosen.get(key).copied().unwrap_or(match key {
            "call" => Kind::Call,
            "meeting" | "lunch" => Kind::Meeting,
            "email" => Kind::Email,
            _ => Kind::Task,
        })
    }
}
