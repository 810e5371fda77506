//! Notes (`/v1/notes`). A note may hang on several records at once. Comments on notes are not read: they cost a request a note.

use std::rc::Rc;

use longshore_sdk::{Context, Cursor, FieldKind, ObjectInfo, Page, PageRequest, Result};

use crate::json;
use crate::lists;
use crate::offsets::{self, Ask, Position};
use crate::table::{BuiltIn, CustomForm, Shape, Table, built_in, held, skip, text};

/// The kind's name.
pub(crate) const NAME: &str = "note";
const PATH: &str = "/v1/notes";

const BUILT_INS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    held("active_flag"),
    built_in("content", "Content", Shape::Plain(FieldKind::Html)).standard("hs_note_body"),
    built_in("add_time", "Created", Shape::Plain(FieldKind::Instant)).standard("hs_timestamp"),
    built_in("update_time", "Updated", Shape::UpdatedAt).read_only(),
    built_in("user_id", "Author", Shape::Plain(FieldKind::Owner)).standard("hubspot_owner_id"),
    built_in(
        "last_update_user_id",
        "Last changed by",
        Shape::Plain(FieldKind::Owner),
    )
    .read_only(),
    built_in("deal_id", "", Shape::Link("deal", "deal")),
    built_in("person_id", "", Shape::Link("person", "person")),
    built_in("org_id", "", Shape::Link("organization", "organization")),
    built_in("lead_id", "", Shape::Link("lead", "lead")),
    built_in("project_id", "", Shape::Link("project", "project")),
    text("task_id", "Project task"),
    built_in(
        "pinned_to_deal_flag",
        "Pinned to the deal",
        Shape::Plain(FieldKind::Boolean),
    ),
    built_in(
        "pinned_to_person_flag",
        "Pinned to the person",
        Shape::Plain(FieldKind::Boolean),
    ),
    built_in(
        "pinned_to_organization_flag",
        "Pinned to the organization",
        Shape::Plain(FieldKind::Boolean),
    ),
    built_in(
        "pinned_to_lead_flag",
        "Pinned to the lead",
        Shape::Plain(FieldKind::Boolean),
    ),
    built_in(
        "pinned_to_project_flag",
        "Pinned to the project",
        Shape::Plain(FieldKind::Boolean),
    ),
    built_in(
        "pinned_to_task_flag",
        "Pinned to the task",
        Shape::Plain(FieldKind::Boolean),
    ),
    skip("deal"),
    skip("person"),
    skip("organization"),
    skip("lead"),
    skip("project"),
    skip("task"),
    skip("user"),
];

/// The kind's table.
///
/// # Errors
/// None: notes have no custom fields.
pub(crate) fn table(ctx: &Context) -> Result<Rc<Table>> {
    ctx.cached(NAME, || {
        Ok(Table::new(BUILT_INS, &[], CustomForm::Flat, Vec::new()))
    })
}

/// Describes the kind.
///
/// # Errors
/// As [`table`].
pub(crate) fn describe(ctx: &Context) -> Result<ObjectInfo> {
    Ok(table(ctx)?.describe(ObjectInfo::new(NAME, "Note").standard("note").incremental()))
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
    let position: Position = request.position()?;
    let active = table.slot("active_flag");
    let ask = Ask {
        path: PATH,
        start: position.start,
        limit: lists::limit(request),
        since: lists::since(request),
    };
    let next = offsets::read(ctx, &ask, &table, &mut |record| {
        let mut row = record.row(page)?;
        if record.raw(active).and_then(json::boolean) == Some(false) {
            row.deleted();
        }
        row.finish();
        Ok(())
    })?;
    next.map(|start| Cursor::encode(&Position { start, ..position }))
        .transpose()
}
