//! Products (`/v2/products`). A product has a price in each currency: the one in the account's own currency is its price, the others
//! are kept as text.

use std::borrow::Cow;
use std::rc::Rc;

use longshore_sdk::{
    Context, Cursor, FieldInfo, FieldKind, ObjectInfo, Page, PageRequest, Result, Row,
};

use crate::account;
use crate::json;
use crate::lists::{self, Changes, List};
use crate::metadata;
use crate::table::{
    BILLING, BuiltIn, CustomForm, Shape, Table, VISIBILITY, built_in, held, skip, text,
};
use crate::value;

/// The object's name.
pub(crate) const NAME: &str = "product";
const LIST: List = List {
    path: "/v2/products",
    include_fields: None,
    changes: Changes::None,
};

const BUILT_INS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    text("name", "Name").standard("name"),
    text("code", "Code").standard("hs_sku"),
    text("description", "Description").standard("description"),
    text("unit", "Unit").standard("unit"),
    built_in("tax", "Tax (percent)", Shape::Plain(FieldKind::Decimal)).standard("tax"),
    built_in("category", "Category", Shape::Described(FieldKind::Text)),
    built_in(
        "is_linkable",
        "Can be added to deals",
        Shape::Plain(FieldKind::Boolean),
    ),
    built_in("is_deleted", "", Shape::Deleted),
    built_in("visible_to", "Visible to", Shape::Plain(FieldKind::Option)).options(VISIBILITY),
    built_in("owner_id", "Owner", Shape::Plain(FieldKind::Owner)),
    built_in("add_time", "Created", Shape::Plain(FieldKind::Instant))
        .standard("createdate")
        .read_only(),
    built_in("update_time", "Updated", Shape::UpdatedAt).read_only(),
    built_in(
        "billing_frequency",
        "Billing frequency",
        Shape::Plain(FieldKind::Option),
    )
    .options(BILLING)
    .standard("recurringbillingfrequency"),
    built_in(
        "billing_frequency_cycles",
        "Billing cycles",
        Shape::Plain(FieldKind::Integer),
    ),
    held("prices"),
    skip("product_variations"),
    skip("picture_id"),
    built_in("custom_fields", "", Shape::CustomFields),
];

/// The object's table.
///
/// # Errors
/// When the metadata can not be read.
pub(crate) fn table(ctx: &Context) -> Result<Rc<Table>> {
    ctx.cached(NAME, || {
        let computed = vec![
            FieldInfo::new("price", "Price", FieldKind::Money)
                .standard("price")
                .currency_field("currency"),
            FieldInfo::new("currency", "Currency", FieldKind::Text).standard("currency"),
            FieldInfo::new("cost", "Cost", FieldKind::Money)
                .standard("hs_cost_of_goods_sold")
                .currency_field("currency"),
            FieldInfo::new("direct_cost", "Direct cost", FieldKind::Money)
                .currency_field("currency"),
            FieldInfo::new("price_notes", "Notes on the price", FieldKind::Text),
            FieldInfo::new(
                "other_prices",
                "Prices in other currencies",
                FieldKind::Text,
            ),
        ];
        Ok(Table::new(
            BUILT_INS,
            &metadata::fields(ctx, "productFields")?,
            CustomForm::Nested,
            computed,
        ))
    })
}

/// Describes the object.
///
/// # Errors
/// When the metadata can not be read.
pub(crate) fn describe(ctx: &Context) -> Result<ObjectInfo> {
    Ok(table(ctx)?.describe(ObjectInfo::new(NAME, "Product").standard("product")))
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
    let own_currency = account::me(ctx)?
        .default_currency
        .clone()
        .unwrap_or_default();
    let prices = table.slot("prices");
    lists::fetch(ctx, &[LIST], &table, request, &mut |record| {
        let mut row = record.row(page)?;
        if let Some(raw) = record.raw(prices) {
            write_prices(&mut row, raw, &own_currency);
        }
        row.finish();
        Ok(())
    })
}

/// One price: raw values.
#[derive(Default)]
struct Price<'a> {
    currency: Cow<'a, str>,
    price: Option<&'a str>,
    cost: Option<&'a str>,
    direct_cost: Option<&'a str>,
    notes: Option<&'a str>,
}

fn write_prices(row: &mut Row<'_>, raw: &str, own_currency: &str) {
    let mut prices: Vec<Price<'_>> = Vec::new();
    json::for_each_element(raw, |element| {
        let mut price = Price::default();
        json::for_each_member(element, |key, value| match key {
            "currency" => price.currency = json::text(value).unwrap_or_default(),
            "price" => price.price = Some(value),
            "cost" => price.cost = Some(value),
            "direct_cost" | "overhead_cost" => price.direct_cost = Some(value),
            "notes" | "comment" => price.notes = Some(value),
            _ => {}
        });
        prices.push(price);
    });
    let main = prices
        .iter()
        .position(|price| price.currency == own_currency)
        .unwrap_or(0);
    let none = Price::default();
    let price = prices.get(main).unwrap_or(&none);
    value::write(
        row,
        "price",
        FieldKind::Money,
        price.price.unwrap_or("null"),
    );
    row.text_opt(
        "currency",
        Some(&price.currency).filter(|code| !code.is_empty()),
    );
    value::write(row, "cost", FieldKind::Money, price.cost.unwrap_or("null"));
    value::write(
        row,
        "direct_cost",
        FieldKind::Money,
        price.direct_cost.unwrap_or("null"),
    );
    value::write(
        row,
        "price_notes",
        FieldKind::Text,
        price.notes.unwrap_or("null"),
    );
    let others: Vec<String> = prices
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != main)
        .map(|(_, price)| price.describe())
        .collect();
    row.text_opt(
        "other_prices",
        (!others.is_empty()).then(|| others.join("; ")),
    );
}

impl Price<'_> {
    /// `USD 12.50 (cost 3, direct cost 1, notes: old list)`.
    fn describe(&self) -> String {
        let shown = |raw: Option<&str>| {
            raw.and_then(json::text)
                .map(Cow::into_owned)
                .filter(|text| !text.is_empty())
        };
        let mut text = format!(
            "{} {}",
            self.currency,
            shown(self.price).unwrap_or_else(|| "-".to_owned())
        );
        let extras: Vec<String> = [
            ("cost ", self.cost),
            ("direct cost ", self.direct_cost),
            ("notes: ", self.notes),
        ]
        .into_iter()
        .filter_map(|(label, raw)| {
            shown(raw)
                .filter(|text| text != "0")
                .map(|text| format!("{label}{text}"))
        })
        .collect();
        if !extras.is_empty() {
            text.push_str(&format!(" ({})", extras.join(", ")));
        }
        text
    }
}
