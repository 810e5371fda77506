//! Currencies (`/v1/currencies`), with the account's own ones. Pipedrive tells no exchange rates.

use std::rc::Rc;

use longshore_sdk::{Context, Cursor, FieldKind, ObjectInfo, Page, PageRequest, Result};

use crate::envelope;
use crate::reading;
use crate::table::{BuiltIn, CustomForm, Shape, Table, built_in, text};

/// The object's name.
pub(crate) const NAME: &str = "currency";
const PATH: &str = "/v1/currencies";

const BUILT_INS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    text("code", "Code").standard("code"),
    text("name", "Name").standard("name"),
    text("symbol", "Symbol").standard("symbol"),
    built_in(
        "decimal_points",
        "Decimals",
        Shape::Plain(FieldKind::Integer),
    )
    .standard("decimals"),
    built_in("active_flag", "Active", Shape::Plain(FieldKind::Boolean)),
    built_in(
        "is_custom_flag",
        "Made by the account",
        Shape::Plain(FieldKind::Boolean),
    ),
];

/// The object's table.
///
/// # Errors
/// None: there are no metadata of currencies.
pub(crate) fn table(ctx: &Context) -> Result<Rc<Table>> {
    ctx.cached(NAME, || {
        Ok(Table::new(BUILT_INS, &[], CustomForm::Nested, Vec::new()))
    })
}

/// Describes the object.
///
/// # Errors
/// As [`table`].
pub(crate) fn describe(ctx: &Context) -> Result<ObjectInfo> {
    Ok(table(ctx)?.describe(ObjectInfo::new(NAME, "Currency").standard("currency")))
}

/// Reads all currencies: the list has no pages.
///
/// # Errors
/// As the request fails.
pub(crate) fn fetch(
    ctx: &Context,
    _request: &PageRequest,
    page: &mut Page,
) -> Result<Option<Cursor>> {
    let table = table(ctx)?;
    let response = envelope::send(ctx, envelope::get(ctx, PATH), PATH)?;
    reading::for_each_record(ctx, &response, PATH, &table, &mut |record| {
        record.row(page)?.finish();
        Ok(())
    })?;
    Ok(None)
}
