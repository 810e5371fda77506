//! Projects (`/v2/projects`, then `/v2/projects/archived`). They are an add-on: accounts without it have no such object.

use std::rc::Rc;

use longshore_sdk::{
    Context, Cursor, FailureKind, FieldKind, Level, ObjectInfo, Page, PageRequest, Result,
};
use serde::Deserialize;

use crate::envelope;
use crate::lists::{self, Changes, List};
use crate::metadata;
use crate::offsets;
use crate::table::{BuiltIn, CustomForm, Shape, Table, built_in, text};

/// The object's name.
pub(crate) const NAME: &str = "project";
const LISTS: [List; 2] = [
    List {
        path: "/v2/projects",
        include_fields: None,
        changes: Changes::None,
    },
    List {
        path: "/v2/projects/archived",
        include_fields: None,
        changes: Changes::None,
    },
];

const BUILT_INS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    text("title", "Title").standard("hs_name"),
    text("description", "Description").standard("hs_description"),
    built_in("status", "Status", Shape::Plain(FieldKind::Option))
        .standard("hs_status")
        .options(&[
            ("open", "Open"),
            ("completed", "Completed"),
            ("canceled", "Canceled"),
            ("deleted", "Deleted"),
        ]),
    built_in("board_id", "Board", Shape::Plain(FieldKind::Option)),
    built_in("phase_id", "Phase", Shape::Plain(FieldKind::Option)),
    built_in("owner_id", "Owner", Shape::Plain(FieldKind::Owner)).standard("hubspot_owner_id"),
    built_in("start_date", "Start", Shape::Plain(FieldKind::Date)).standard("hs_start_date"),
    built_in("end_date", "End", Shape::Plain(FieldKind::Date)).standard("hs_target_due_date"),
    built_in("deal_ids", "", Shape::Links("deal", "deal")),
    built_in("person_ids", "", Shape::Links("person", "person")),
    built_in("org_ids", "", Shape::Links("organization", "organization")),
    built_in("label_ids", "Labels", Shape::Plain(FieldKind::Options)),
    text("health_status", "Health"),
    built_in("add_time", "Created", Shape::Plain(FieldKind::Instant)).read_only(),
    built_in("update_time", "Updated", Shape::UpdatedAt).read_only(),
    built_in(
        "status_change_time",
        "Last status change",
        Shape::Plain(FieldKind::Instant),
    )
    .read_only(),
    built_in(
        "archive_time",
        "Archived at",
        Shape::Plain(FieldKind::Instant),
    )
    .read_only(),
    built_in("custom_fields", "", Shape::CustomFields),
];

#[derive(Deserialize)]
struct Named {
    id: i64,
    name: String,
}

/// The object's table.
///
/// # Errors
/// When metadata, boards or phases can not be read.
pub(crate) fn table(ctx: &Context) -> Result<Rc<Table>> {
    ctx.cached(NAME, || {
        let metadata = metadata::fields(ctx, "projectFields")?;
        let mut table = Table::new(BUILT_INS, &metadata, CustomForm::Nested, Vec::new());
        let boards = offsets::optional(
            ctx,
            "boards",
            envelope::read_whole::<Vec<Named>>(ctx, "/v2/boards"),
        )?;
        let boards = boards.unwrap_or_default();
        let mut phases = Vec::new();
        for board in &boards {
            let request = envelope::get(ctx, "/v2/phases").query("board_id", board.id);
            let response = offsets::optional(
                ctx,
                "phases",
                envelope::send(ctx, request, "/v2/phases").map(Some),
            )?;
            let Some(response) = response else { continue };
            let answer: envelope::Answer<Vec<Named>> = response.json()?;
            let own = answer.data.unwrap_or_default();
            phases.extend(own.iter().map(|phase| {
                (
                    phase.id.to_string(),
                    format!("{}: {}", board.name, phase.name),
                )
            }));
        }
        table.replace_options("phase_id", phases);
        table.replace_options(
            "board_id",
            boards
                .into_iter()
                .map(|board| (board.id.to_string(), board.name)),
        );
        Ok(table)
    })
}

/// Describes the object; `None` where the account has no projects.
///
/// # Errors
/// When the metadata can not be read for another reason.
pub(crate) fn describe(ctx: &Context) -> Result<Option<ObjectInfo>> {
    let probe = envelope::get(ctx, "/v2/projectFields").query("limit", 1);
    match envelope::send(ctx, probe, "/v2/projectFields") {
        Err(failure)
            if matches!(
                failure.kind,
                FailureKind::Permission | FailureKind::NotFound | FailureKind::Unsupported
            ) || failure.http_status == Some(402) =>
        {
            ctx.log(
                Level::Info,
                &format!("projects are left out: {}", failure.message),
            );
            Ok(None)
        }
        Err(failure) => Err(failure),
        Ok(_) => Ok(Some(
            table(ctx)?.describe(ObjectInfo::new(NAME, "Project").standard("project")),
        )),
    }
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
    lists::fetch(ctx, &LISTS, &table, request, &mut |record| {
        record.row(page)?.finish();
        Ok(())
    })
}
