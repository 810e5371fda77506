//! Organizations (`/v2/organizations`), the companies.

use std::rc::Rc;

use longshore_sdk::{Context, Cursor, FieldKind, ObjectInfo, Page, PageRequest, Result};

use crate::lists::{self, Changes, List};
use crate::metadata;
use crate::table::{BuiltIn, CustomForm, Shape, Table, VISIBILITY, built_in, text};

/// The object's name.
pub(crate) const NAME: &str = "organization";
const LIST: List = List {
    path: "/v2/organizations",
    include_fields: None,
    changes: Changes::Since,
};

const BUILT_INS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    text("name", "Name").standard("name"),
    built_in("owner_id", "Owner", Shape::Plain(FieldKind::Owner)).standard("hubspot_owner_id"),
    built_in("org_id", "", Shape::Skip),
    built_in("add_time", "Created", Shape::Plain(FieldKind::Instant)).standard("createdate"),
    built_in("update_time", "Updated", Shape::UpdatedAt).read_only(),
    built_in("address", "Address", Shape::Address).standard("address"),
    built_in("is_deleted", "", Shape::Deleted),
    built_in("visible_to", "Visible to", Shape::Plain(FieldKind::Option)).options(VISIBILITY),
    built_in("label_ids", "Labels", Shape::Plain(FieldKind::Options)),
    built_in("website", "Website", Shape::Plain(FieldKind::Url)).standard("website"),
    built_in("linkedin", "LinkedIn", Shape::Plain(FieldKind::Url))
        .standard("linkedin_company_page"),
    built_in("industry", "Industry", Shape::Described(FieldKind::Text)).standard("industry"),
    built_in(
        "annual_revenue",
        "Annual revenue",
        Shape::Plain(FieldKind::Money),
    )
    .standard("annualrevenue"),
    built_in(
        "employee_count",
        "Number of employees",
        Shape::Plain(FieldKind::Integer),
    )
    .standard("numberofemployees"),
    built_in("picture_id", "", Shape::Skip),
    built_in("custom_fields", "", Shape::CustomFields),
];

/// The object's table.
///
/// # Errors
/// When the metadata can not be read.
pub(crate) fn table(ctx: &Context) -> Result<Rc<Table>> {
    ctx.cached(NAME, || {
        Ok(Table::new(
            BUILT_INS,
            &metadata::fields(ctx, "organizationFields")?,
            CustomForm::Nested,
            Vec::new(),
        ))
    })
}

/// Describes the object.
///
/// # Errors
/// When the metadata can not be read.
pub(crate) fn describe(ctx: &Context) -> Result<ObjectInfo> {
    Ok(table(ctx)?.describe(
        ObjectInfo::new(NAME, "Organization")
            .standard("company")
            .incremental(),
    ))
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
    lists::fetch(ctx, &[LIST], &table, request, &mut |record| {
        record.row(page)?.finish();
        Ok(())
    })
}
