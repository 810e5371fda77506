//! Deals (`/v2/deals`, then `/v2/deals/archived`): open, won and lost ones, with their stage, money and participants.
//!
//! Which pipeline at the destination a stage belongs to is not decided here.

use std::rc::Rc;

use longshore_sdk::{
    Context, Cursor, Failure, FailureKind, FieldInfo, FieldKind, ObjectInfo, Page, PageRequest,
    Result, Row,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::envelope::{self, Answer, PAGE_MAX};
use crate::json;
use crate::lists::{self, Changes, List, Position};
use crate::metadata;
use crate::offsets;
use crate::reading::{self, Record};
use crate::stages;
use crate::table::{BuiltIn, CustomForm, Shape, Table, VISIBILITY, built_in, held, skip, text};
use crate::value;

/// The object's name.
pub(crate) const NAME: &str = "deal";
const INCLUDE: Option<&str> = Some("participants_count,first_won_time,source_lead_id");
const LISTS: [List; 2] = [
    List {
        path: "/v2/deals",
        include_fields: INCLUDE,
        changes: Changes::SinceWithStatus,
    },
    List {
        path: "/v2/deals/archived",
        include_fields: INCLUDE,
        changes: Changes::SinceWithStatus,
    },
];
/// A page stops asking for participants when the call has less time than this left.
const SPARE_MS: u64 = 15_000;

const BUILT_INS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    text("title", "Title").standard("dealname"),
    built_in("owner_id", "Owner", Shape::Plain(FieldKind::Owner)).standard("hubspot_owner_id"),
    built_in("creator_user_id", "Creator", Shape::Plain(FieldKind::Owner)).read_only(),
    built_in("person_id", "", Shape::Link("person", "person")),
    built_in("org_id", "", Shape::Link("organization", "organization")),
    built_in(
        "pipeline_id",
        "Pipeline",
        Shape::Plain(FieldKind::Reference),
    )
    .standard("pipeline"),
    held("stage_id"),
    built_in("value", "Value", Shape::Money("currency")).standard("amount"),
    text("currency", "Currency").standard("deal_currency_code"),
    built_in("add_time", "Created", Shape::Plain(FieldKind::Instant))
        .standard("createdate")
        .read_only(),
    built_in("update_time", "Updated", Shape::UpdatedAt).read_only(),
    built_in(
        "stage_change_time",
        "Last stage change",
        Shape::Plain(FieldKind::Instant),
    )
    .read_only(),
    built_in("is_deleted", "", Shape::Deleted),
    built_in("is_archived", "Archived", Shape::Plain(FieldKind::Boolean)),
    built_in(
        "archive_time",
        "Archived at",
        Shape::Plain(FieldKind::Instant),
    ),
    built_in("status", "Status", Shape::Plain(FieldKind::Option)).options(&[
        ("open", "Open"),
        ("won", "Won"),
        ("lost", "Lost"),
        ("deleted", "Deleted"),
    ]),
    built_in(
        "probability",
        "Probability (percent)",
        Shape::Plain(FieldKind::Decimal),
    )
    .standard("hs_deal_probability"),
    text("lost_reason", "Lost reason").standard("closed_lost_reason"),
    built_in("visible_to", "Visible to", Shape::Plain(FieldKind::Option)).options(VISIBILITY),
    held("close_time"),
    built_in("won_time", "Won at", Shape::Plain(FieldKind::Instant)),
    built_in("lost_time", "Lost at", Shape::Plain(FieldKind::Instant)),
    built_in(
        "first_won_time",
        "First won at",
        Shape::Plain(FieldKind::Instant),
    )
    .read_only(),
    built_in(
        "expected_close_date",
        "Expected close date",
        Shape::Plain(FieldKind::Date),
    )
    .standard("expected_close_date"),
    built_in("label_ids", "Labels", Shape::Plain(FieldKind::Options)),
    text("origin", "Origin").read_only(),
    text("origin_id", "Origin id"),
    built_in("channel", "Channel", Shape::Plain(FieldKind::Option)),
    text("channel_id", "Channel id"),
    text("source_lead_id", "Converted from lead").read_only(),
    built_in("arr", "Annual recurring revenue", Shape::Money("currency")).read_only(),
    built_in("mrr", "Monthly recurring revenue", Shape::Money("currency")).read_only(),
    built_in("acv", "Annual contract value", Shape::Money("currency")).read_only(),
    held("participants_count"),
    skip("local_won_date"),
    skip("local_lost_date"),
    skip("local_close_date"),
    built_in("custom_fields", "", Shape::CustomFields),
];

/// Where a deal's values stand in the table.
struct Slots {
    id: usize,
    person: usize,
    pipeline: usize,
    stage: usize,
    status: usize,
    is_deleted: usize,
    close_time: usize,
    won_time: usize,
    lost_time: usize,
    participants: usize,
}

/// A place in the lists, and within a page that took too long to finish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    #[serde(flatten)]
    position: Position,
    /// The page's deals up to this id are done: lists are in the order of ids.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
}

/// The object's table.
///
/// # Errors
/// When the metadata can not be read.
pub(crate) fn table(ctx: &Context) -> Result<Rc<Table>> {
    ctx.cached(NAME, || {
        let names = offsets::optional(ctx, "stages", stages::names(ctx))?;
        let computed = vec![
            FieldInfo::new("stage_id", "Stage", FieldKind::Reference).standard("dealstage"),
            FieldInfo::new(
                "last_stage",
                "Stage, or the last one before closing",
                FieldKind::Option,
            )
            .options(names),
            FieldInfo::new("close_time", "Closed at", FieldKind::Instant).standard("closedate"),
        ];
        let metadata = metadata::fields(ctx, "dealFields")?;
        let table = Table::new(BUILT_INS, &metadata, CustomForm::Nested, computed);
        Ok(table.with_link("participant", "person", Some("Participant")))
    })
}

/// Describes the object.
///
/// # Errors
/// When the metadata can not be read.
pub(crate) fn describe(ctx: &Context) -> Result<ObjectInfo> {
    Ok(table(ctx)?.describe(ObjectInfo::new(NAME, "Deal").standard("deal").incremental()))
}

/// Reads a page.
///
/// # Errors
/// As the request fails.
pub(crate) fn fetch(
    ctx: &Context,
    request: &PageRequest,
    page: &mut Page,
) -> Result<Option<Cursor>> {
    let table = table(ctx)?;
    let slots = Slots::of(&table);
    let place: Place = request.position()?;
    let list = lists::pick(&LISTS, place.position.list)?;
    let reads_participants = ctx
        .setting("deal_participants")
        .is_none_or(|setting| setting != "false" && setting != "off");
    let next = match lists::open(
        ctx,
        list,
        &place.position,
        lists::limit(request),
        lists::since(request),
    )? {
        None => place.position.next_list(LISTS.len()),
        Some(response) => {
            let mut done = place.after;
            let mut stopped = false;
            let ending =
                reading::for_each_record(ctx, &response, list.path, &table, &mut |record| {
                    let id = record.id(slots.id).and_then(|id| id.parse().ok());
                    if id.is_some() && id <= place.after {
                        return Ok(());
                    }
                    let participants = match slots
                        .asks_participants(record)
                        .filter(|_| reads_participants)
                    {
                        Some(deal) => participants(ctx, &deal).inspect_err(|failure| {
                            let passes = matches!(
                                failure.kind,
                                FailureKind::RateLimited | FailureKind::Transient
                            );
                            stopped = passes && !page.is_empty();
                        })?,
                        None => Vec::new(),
                    };
                    slots.write(record, &participants, page)?;
                    done = id.max(done);
                    if reads_participants && ctx.deadline_ms() < SPARE_MS {
                        stopped = true;
                        return Err(Failure::transient(
                            "pipedrive.time",
                            "the page takes longer than the call may last",
                        ));
                    }
                    Ok(())
                });
            match ending {
                Err(_) if stopped => {
                    return Cursor::encode(&Place {
                        position: place.position,
                        after: done,
                    })
                    .map(Some);
                }
                ending => place.position.next(LISTS.len(), &ending?),
            }
        }
    };
    next.map(|position| {
        Cursor::encode(&Place {
            position,
            after: None,
        })
    })
    .transpose()
}

impl Slots {
    fn of(table: &Table) -> Self {
        Self {
            id: table.slot("id"),
            person: table.slot("person_id"),
            pipeline: table.slot("pipeline_id"),
            stage: table.slot("stage_id"),
            status: table.slot("status"),
            is_deleted: table.slot("is_deleted"),
            close_time: table.slot("close_time"),
            won_time: table.slot("won_time"),
            lost_time: table.slot("lost_time"),
            participants: table.slot("participants_count"),
        }
    }

    /// The deal's id when it has more participants than its own person.
    fn asks_participants<'a>(&self, record: &Record<'_, 'a>) -> Option<std::borrow::Cow<'a, str>> {
        let count = record.raw(self.participants).and_then(json::count)?;
        let own = u64::from(record.id(self.person).is_some());
        record.id(self.id).filter(|_| count > own)
    }

    fn write(
        &self,
        record: &Record<'_, '_>,
        participants: &[String],
        page: &mut Page,
    ) -> Result<()> {
        let mut row = record.row(page)?;
        let status = record.text(self.status).unwrap_or_default();
        if status == "deleted" && !record.is(self.is_deleted) {
            row.deleted();
        }
        let stage = record.id(self.stage);
        let closed = record
            .id(self.pipeline)
            .and_then(|pipeline| stages::closed_stage(&pipeline, &status));
        row.reference("stage_id", closed.as_deref().or(stage.as_deref()));
        row.option("last_stage", stage.as_deref());
        self.write_close_time(record, &status, &mut row);
        let own = record.id(self.person);
        for person in participants
            .iter()
            .filter(|person| Some(person.as_str()) != own.as_deref())
        {
            row.association("participant", person);
        }
        row.finish();
        Ok(())
    }

    /// When the deal was closed: as Pipedrive says, else when it was won or lost.
    fn write_close_time(&self, record: &Record<'_, '_>, status: &str, row: &mut Row<'_>) {
        let at = |slot: usize| record.text(slot).filter(|text| !value::is_no_moment(text));
        let fallback = match status {
            "won" => at(self.won_time),
            "lost" => at(self.lost_time),
            _ => None,
        };
        row.instant("close_time", at(self.close_time).or(fallback));
    }
}

#[derive(Deserialize)]
struct Participant<'a> {
    #[serde(borrow, default)]
    person_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    person: Option<&'a RawValue>,
}

/// The ids of a deal's participants. None when the deal has gone in the meantime, or may not be seen so closely.
fn participants(ctx: &Context, deal: &str) -> Result<Vec<String>> {
    let path = format!("/v1/deals/{deal}/participants");
    let mut persons: Vec<String> = Vec::new();
    let mut start = 0;
    loop {
        let query = envelope::get(ctx, &path)
            .query("start", start)
            .query("limit", PAGE_MAX);
        let Some(response) =
            offsets::optional(ctx, &path, envelope::send(ctx, query, &path).map(Some))?
        else {
            return Ok(persons);
        };
        let answer: Answer<Vec<Participant<'_>>> = response.json()?;
        let rows = answer.data.unwrap_or_default();
        for row in &rows {
            let person = row
                .person_id
                .and_then(|raw| json::id(raw.get()))
                .or_else(|| row.person.and_then(|raw| json::id(raw.get())));
            if let Some(person) =
                person.filter(|person| !persons.iter().any(|known| known == person))
            {
                persons.push(person.into_owned());
            }
        }
        match answer
            .additional_data
            .unwrap_or_default()
            .next_start(start, rows.len() as u64)
        {
            Some(next) => start = next,
            None => return Ok(persons),
        }
    }
}
