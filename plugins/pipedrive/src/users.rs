//! Users (`/v1/users`), the owners. Inactive and deleted ones stay in the list, because records still name them.

use std::rc::Rc;

use longshore_sdk::{Context, Cursor, FieldInfo, FieldKind, ObjectInfo, Page, PageRequest, Result};

use crate::envelope;
use crate::reading;
use crate::table::{BuiltIn, CustomForm, Shape, Table, built_in, skip, text};

/// The object's name.
pub(crate) const NAME: &str = "user";
const PATH: &str = "/v1/users";

const BUILT_INS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    text("name", "Name").standard("name"),
    built_in("email", "E-mail", Shape::Plain(FieldKind::Email)).standard("email"),
    built_in("phone", "Phone", Shape::Plain(FieldKind::Phone)),
    text("default_currency", "Default currency"),
    text("locale", "Locale"),
    text("timezone_name", "Time zone").standard("timezone"),
    built_in(
        "active_flag",
        "Active (flag)",
        Shape::Plain(FieldKind::Boolean),
    ),
    built_in("is_deleted", "Deleted", Shape::Plain(FieldKind::Boolean)),
    built_in("role_id", "Role", Shape::Plain(FieldKind::Text)),
    built_in("created", "Created", Shape::Plain(FieldKind::Instant)).read_only(),
    built_in("modified", "Changed", Shape::UpdatedAt).read_only(),
    built_in("last_login", "Last login", Shape::Plain(FieldKind::Instant)).read_only(),
    built_in("is_admin", "Admin", Shape::Plain(FieldKind::Boolean)),
    skip("activated"),
    skip("lang"),
    skip("has_created_company"),
    skip("access"),
    skip("timezone_offset"),
    skip("icon_url"),
    skip("is_you"),
    skip("company_id"),
    skip("company_name"),
    skip("company_domain"),
    skip("company_country"),
    skip("company_industry"),
    skip("language"),
];

/// The object's table.
///
/// # Errors
/// None: there are no metadata of users.
pub(crate) fn table(ctx: &Context) -> Result<Rc<Table>> {
    ctx.cached(NAME, || {
        let active = FieldInfo::new("active", "Active", FieldKind::Boolean).standard("active");
        Ok(Table::new(BUILT_INS, &[], CustomForm::Nested, vec![active]))
    })
}

/// Describes the object.
///
/// # Errors
/// As [`table`].
pub(crate) fn describe(ctx: &Context) -> Result<ObjectInfo> {
    Ok(table(ctx)?.describe(ObjectInfo::new(NAME, "User").standard("owner")))
}

/// Reads all users: the list has no pages.
///
/// # Errors
/// As the request fails.
pub(crate) fn fetch(
    ctx: &Context,
    _request: &PageRequest,
    page: &mut Page,
) -> Result<Option<Cursor>> {
    let table = table(ctx)?;
    let (active, deleted) = (table.slot("active_flag"), table.slot("is_deleted"));
    let response = envelope::send(ctx, envelope::get(ctx, PATH), PATH)?;
    reading::for_each_record(ctx, &response, PATH, &table, &mut |record| {
        let mut row = record.row(page)?;
        row.boolean("active", record.is(active) && !record.is(deleted));
        row.finish();
        Ok(())
    })?;
    Ok(None)
}
