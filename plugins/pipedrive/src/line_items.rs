//! Products on deals (`/v2/deals/products`), the line items: read for a hundred deals at a time, never deal by deal.
//!
//! Which deals have products is read from the lists of deals, archived ones too.

use std::rc::Rc;

use longshore_sdk::{
    Context, Cursor, FieldInfo, FieldKind, ObjectInfo, Page, PageRequest, Result, Row,
};
use serde::{Deserialize, Serialize};

use crate::envelope::{self, PAGE_MAX};
use crate::json;
use crate::lists::{self, Changes, List, Position};
use crate::reading::{self, Record};
use crate::table::{BILLING, BuiltIn, CustomForm, Shape, Table, built_in, held, text};
use crate::value;

/// The object's name.
pub(crate) const NAME: &str = "deal_product";
const PATH: &str = "/v2/deals/products";
const INCLUDE: Option<&str> = Some("products_count");
const DEALS: [List; 2] = [
    List {
        path: "/v2/deals",
        include_fields: INCLUDE,
        changes: Changes::None,
    },
    List {
        path: "/v2/deals/archived",
        include_fields: INCLUDE,
        changes: Changes::None,
    },
];
/// The most deals that a request may name.
const DEALS_MAX: usize = 100;

const BUILT_INS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    text("name", "Name").standard("name"),
    built_in("deal_id", "", Shape::Link("deal", "deal")),
    held("product_id"),
    text("product_variation_id", "Variation"),
    built_in("item_price", "Price", Shape::Money("currency")).standard("price"),
    built_in("quantity", "Quantity", Shape::Plain(FieldKind::Decimal)).standard("quantity"),
    built_in("sum", "Sum", Shape::Money("currency"))
        .standard("amount")
        .read_only(),
    text("currency", "Currency").standard("currency"),
    held("discount"),
    built_in(
        "discount_type",
        "Kind of discount",
        Shape::Plain(FieldKind::Option),
    )
    .options(&[("percentage", "Percentage"), ("amount", "Amount")]),
    built_in("tax", "Tax (percent)", Shape::Plain(FieldKind::Decimal)).standard("tax"),
    built_in("tax_method", "Tax method", Shape::Plain(FieldKind::Option)).options(&[
        ("exclusive", "Exclusive"),
        ("inclusive", "Inclusive"),
        ("none", "None"),
    ]),
    text("comments", "Comments"),
    built_in("is_enabled", "Enabled", Shape::Plain(FieldKind::Boolean)),
    built_in("order_nr", "Order", Shape::Plain(FieldKind::Integer)),
    built_in(
        "billing_frequency",
        "Billing frequency",
        Shape::Plain(FieldKind::Option),
    )
    .options(BILLING),
    built_in(
        "billing_frequency_cycles",
        "Billing cycles",
        Shape::Plain(FieldKind::Integer),
    ),
    built_in(
        "billing_start_date",
        "Billing start",
        Shape::Plain(FieldKind::Date),
    ),
    built_in("add_time", "Added", Shape::Plain(FieldKind::Instant)).read_only(),
    built_in("update_time", "Updated", Shape::UpdatedAt).read_only(),
];

/// The keys that are read of a deal.
const DEAL_KEYS: &[BuiltIn] = &[built_in("id", "", Shape::Id), held("products_count")];

/// A place: the deals that are known to have products and are not read yet, and where their list goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// Where the lists of deals go on; `None` behind their end.
    #[serde(rename = "d")]
    deals: Option<Position>,
    /// Deals to read, at most a page of them.
    #[serde(rename = "p", default)]
    pending: Vec<u64>,
    /// Pipedrive's cursor in the products of the first hundred of them.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// The object's table.
///
/// # Errors
/// None: there are no metadata of line items.
pub(crate) fn table(ctx: &Context) -> Result<Rc<Table>> {
    ctx.cached(NAME, || {
        let computed = vec![
            FieldInfo::new("product_id", "Product", FieldKind::Reference).standard("hs_product_id"),
            FieldInfo::new("discount_amount", "Discount (amount)", FieldKind::Decimal)
                .standard("discount"),
            FieldInfo::new(
                "discount_percentage",
                "Discount (percent)",
                FieldKind::Decimal,
            )
            .standard("hs_discount_percentage"),
        ];
        Ok(Table::new(BUILT_INS, &[], CustomForm::Nested, computed)
            .with_link("product", "product", None))
    })
}

/// Describes the object.
///
/// # Errors
/// As [`table`].
pub(crate) fn describe(ctx: &Context) -> Result<ObjectInfo> {
    Ok(table(ctx)?.describe(ObjectInfo::new(NAME, "Deal product").standard("line_item")))
}

/// Reads a page: the next deals with products where none are known, then the products of a hundred of them.
///
/// # Errors
/// As the requests fail.
pub(crate) fn fetch(
    ctx: &Context,
    request: &PageRequest,
    page: &mut Page,
) -> Result<Option<Cursor>> {
    let mut place = match &request.cursor {
        Some(cursor) => cursor.decode()?,
        None => Place {
            deals: Some(Position::default()),
            ..Place::default()
        },
    };
    if place.pending.is_empty()
        && let Some(position) = place.deals.take()
    {
        (place.pending, place.deals) = deals_with_products(ctx, &position)?;
    }
    if !place.pending.is_empty() {
        let end = place.pending.len().min(DEALS_MAX);
        place.cursor = read_products(ctx, &place.pending[..end], place.cursor.as_deref(), page)?;
        if place.cursor.is_none() {
            place.pending.drain(..end);
        }
    }
    let is_done = place.pending.is_empty() && place.deals.is_none();
    if is_done {
        Ok(None)
    } else {
        Cursor::encode(&place).map(Some)
    }
}

/// The ids of a page's deals that have products (all of them where Pipedrive does not count), and where the deals go on.
fn deals_with_products(ctx: &Context, position: &Position) -> Result<(Vec<u64>, Option<Position>)> {
    let list = lists::pick(&DEALS, position.list)?;
    let Some(response) = lists::open(ctx, list, position, PAGE_MAX, None)? else {
        return Ok((Vec::new(), position.next_list(DEALS.len())));
    };
    let table = ctx.cached("deal_keys", || {
        Ok(Table::new(DEAL_KEYS, &[], CustomForm::Nested, Vec::new()).lenient())
    })?;
    let (id, count) = (table.slot("id"), table.slot("products_count"));
    let mut deals = Vec::new();
    let ending = reading::for_each_record(ctx, &response, list.path, &table, &mut |record| {
        if record.raw(count).and_then(json::count) != Some(0) {
            deals.extend(record.id(id).and_then(|id| id.parse::<u64>().ok()));
        }
        Ok(())
    })?;
    Ok((deals, position.next(DEALS.len(), &ending)))
}

fn read_products(
    ctx: &Context,
    deals: &[u64],
    cursor: Option<&str>,
    page: &mut Page,
) -> Result<Option<String>> {
    let table = table(ctx)?;
    let slots = Slots {
        product: table.slot("product_id"),
        discount: table.slot("discount"),
        kind: table.slot("discount_type"),
    };
    let ids: Vec<String> = deals.iter().map(u64::to_string).collect();
    let query = envelope::get(ctx, PATH)
        .query("deal_ids", ids.join(","))
        .query("limit", PAGE_MAX)
        .query_opt("cursor", cursor);
    let response = envelope::send(ctx, query, PATH)?;
    let ending = reading::for_each_record(ctx, &response, PATH, &table, &mut |record| {
        let mut row = record.row(page)?;
        slots.write(record, &mut row);
        row.finish();
        Ok(())
    })?;
    Ok(ending.paging.next_cursor.filter(|next| !next.is_empty()))
}

/// Where the values that need more than their own key stand.
struct Slots {
    product: usize,
    discount: usize,
    kind: usize,
}

impl Slots {
    fn write(&self, record: &Record<'_, '_>, row: &mut Row<'_>) {
        let product = record.id(self.product);
        row.reference("product_id", product.as_deref());
        if let Some(product) = product {
            row.association("product", product);
        }
        let discount = record.raw(self.discount).unwrap_or("null");
        let is_amount = record.text(self.kind).as_deref() == Some("amount");
        let (amount, percentage) = if is_amount {
            (discount, "null")
        } else {
            ("null", discount)
        };
        value::write(row, "discount_amount", FieldKind::Decimal, amount);
        value::write(row, "discount_percentage", FieldKind::Decimal, percentage);
    }
}
