//! Leads (`/v1/leads`, then `/v1/leads/archived`): they carry the deals' custom fields, flat, and labels of their own.
//!
//! A converted lead is gone from both lists; the deal names it.

use std::rc::Rc;

use longshore_sdk::{
    Context, Cursor, FieldInfo, FieldKind, Instant, ObjectInfo, Page, PageRequest, Result, Row,
};
use serde::Deserialize;

use crate::envelope;
use crate::json;
use crate::lists;
use crate::metadata;
use crate::offsets::{self, Ask, Position};
use crate::table::{BuiltIn, CustomForm, Shape, Table, VISIBILITY, built_in, held, skip, text};
use crate::value;

/// The object's name.
pub(crate) const NAME: &str = "lead";
/// The lists, and whether each knows `updated_since`.
const LISTS: [(&str, bool); 2] = [("/v1/leads", true), ("/v1/leads/archived", false)];

const BUILT_INS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    text("title", "Title").standard("hs_lead_name"),
    built_in("owner_id", "Owner", Shape::Plain(FieldKind::Owner)).standard("hubspot_owner_id"),
    built_in("creator_id", "Creator", Shape::Plain(FieldKind::Owner)).read_only(),
    built_in("label_ids", "Labels", Shape::Plain(FieldKind::Options)),
    built_in("person_id", "", Shape::Link("person", "person")),
    built_in(
        "organization_id",
        "",
        Shape::Link("organization", "organization"),
    ),
    text("source_name", "Source").standard("source").read_only(),
    text("origin", "Origin").read_only(),
    text("origin_id", "Origin id"),
    built_in("channel", "Channel", Shape::Plain(FieldKind::Option)),
    text("channel_id", "Channel id"),
    text("source_deal_id", "Converted from deal").read_only(),
    built_in("is_archived", "Archived", Shape::Plain(FieldKind::Boolean)),
    built_in(
        "archive_time",
        "Archived at",
        Shape::Plain(FieldKind::Instant),
    ),
    built_in("was_seen", "Seen", Shape::Plain(FieldKind::Boolean)),
    held("value"),
    built_in(
        "expected_close_date",
        "Expected close date",
        Shape::Plain(FieldKind::Date),
    )
    .standard("expected_close_date"),
    built_in("add_time", "Created", Shape::Plain(FieldKind::Instant))
        .standard("createdate")
        .read_only(),
    built_in("update_time", "Updated", Shape::UpdatedAt).read_only(),
    built_in("visible_to", "Visible to", Shape::Plain(FieldKind::Option)).options(VISIBILITY),
    skip("next_activity_id"),
    skip("cc_email"),
];

#[derive(Deserialize)]
struct Label {
    id: String,
    name: String,
}

/// The object's table.
///
/// # Errors
/// When metadata or labels can not be read.
pub(crate) fn table(ctx: &Context) -> Result<Rc<Table>> {
    ctx.cached(NAME, || {
        let computed = vec![
            FieldInfo::new("value", "Value", FieldKind::Money)
                .standard("amount")
                .currency_field("currency"),
            FieldInfo::new("currency", "Currency", FieldKind::Text).standard("currency"),
        ];
        let metadata = metadata::fields(ctx, "dealFields")?;
        let mut table = Table::new(BUILT_INS, &metadata, CustomForm::Flat, computed);
        let labels = offsets::optional(
            ctx,
            "labels of leads",
            envelope::read_whole::<Vec<Label>>(ctx, "/v1/leadLabels"),
        )?;
        let labels = labels
            .unwrap_or_default()
            .into_iter()
            .map(|label| (label.id, label.name));
        table.replace_options("label_ids", labels);
        Ok(table)
    })
}

/// Describes the object.
///
/// # Errors
/// When metadata or labels can not be read.
pub(crate) fn describe(ctx: &Context) -> Result<ObjectInfo> {
    Ok(table(ctx)?.describe(ObjectInfo::new(NAME, "Lead").standard("lead").incremental()))
}

/// Reads a page. The archived list knows no `updated_since`, so it is read whole and what has not changed is left out here.
///
/// # Errors
/// As the request fails.
pub(crate) fn fetch(
    ctx: &Context,
    request: &PageRequest,
    page: &mut Page,
) -> Result<Option<Cursor>> {
    let table = table(ctx)?;
    let position: Position = request.position()?;
    let (path, knows_since) = *lists::pick(&LISTS, position.list)?;
    let (amount, changed) = (table.slot("value"), table.slot("update_time"));
    let since = lists::since(request);
    let ask = Ask {
        path,
        start: position.start,
        limit: lists::limit(request),
        since: since.filter(|_| knows_since),
    };
    let read = offsets::read(ctx, &ask, &table, &mut |record| {
        let changed = record
            .text(changed)
            .and_then(|text| Instant::parse(&text).ok());
        if !knows_since && since.is_some() && changed.is_some() && changed < since {
            return Ok(());
        }
        let mut row = record.row(page)?;
        if let Some(raw) = record.raw(amount) {
            write_value(&mut row, raw);
        }
        row.finish();
        Ok(())
    });
    let next = if position.list == 0 {
        read?
    } else {
        offsets::optional(ctx, path, read)?
    };
    let next = match next {
        Some(start) => Some(Position { start, ..position }),
        None => (position.list + 1 < LISTS.len()).then_some(Position {
            list: position.list + 1,
            start: 0,
        }),
    };
    next.map(|next| Cursor::encode(&next)).transpose()
}

/// The value is an object with amount and currency, or null.
fn write_value(row: &mut Row<'_>, raw: &str) {
    let (mut amount, mut currency) = ("null", "null");
    json::for_each_member(raw, |key, inner| match key {
        "amount" => amount = inner,
        "currency" => currency = inner,
        _ => {}
    });
    if !raw.starts_with('{') {
        amount = raw;
    }
    value::write(row, "value", FieldKind::Money, amount);
    value::write(row, "currency", FieldKind::Text, currency);
}
