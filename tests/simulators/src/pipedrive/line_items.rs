//! Tells the products on deals.
//!
//! A product that the catalogue does not have any more is told as it was sold.

use super::account::Account;
use super::call::{Call, Refusal};
use super::json::Json;
use super::paging::{Order, page_v2};
use crate::truth::{Amount, LineItem};

pub(super) fn of_deal(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let id = call.id()?;
    if account.live.base().deal(id).is_none() {
        return Err(Refusal::not_found("Deal not found"));
    }
    listed(account, call, &[id])
}

pub(super) fn of_deals(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let mut ids = call.numbers("deal_ids")?;
    if ids.is_empty() {
        return Err(Refusal::bad_request("deal_ids is required"));
    }
    ids.sort_unstable();
    ids.dedup();
    listed(account, call, &ids)
}

fn listed(account: &Account, call: &Call, deals: &[u64]) -> Result<Vec<u8>, Refusal> {
    let sort = call.word(
        "sort_by",
        &["id", "deal_id", "add_time", "update_time", "order_nr"],
    )?;
    let crm = account.live.base();
    let mut items: Vec<LineItem> = deals
        .iter()
        .flat_map(|deal| crm.line_items(*deal))
        .collect();
    match sort {
        Some("order_nr") => items.sort_by_key(|item| (item.order, item.id)),
        Some("add_time" | "update_time") => items.sort_by_key(|item| (item.added, item.id)),
        _ => items.sort_by_key(|item| item.id),
    }
    let order = Order {
        field: "id",
        places: items.len() as u64,
        at: Box::new(Some),
    };
    page_v2(
        call,
        &order,
        |place| items.get(place as usize),
        |out, item| write(out, item),
    )
}

fn write(out: &mut Json, item: &LineItem) {
    out.object(|out| {
        out.key("id").number(item.id);
        out.key("sum").amount(sum(item));
        out.key("tax").number(u64::from(item.tax_percent));
        out.key("deal_id").number(item.deal);
        out.key("name").text(&item.name);
        out.key("product_id").number(item.product);
        out.key("product_variation_id").null();
        out.key("order_nr").number(item.order);
        out.key("add_time").moment_v2(item.added);
        out.key("update_time").moment_v2(item.added);
        out.key("comments").text(&item.comments);
        out.key("currency").text(item.currency);
        out.key("discount").number(u64::from(item.discount_percent));
        out.key("discount_type").text("percentage");
        out.key("quantity").number(item.quantity);
        out.key("item_price").amount(item.price);
        out.key("tax_method").text("exclusive");
        out.key("is_enabled").bool(true);
        out.key("billing_frequency").text("one-time");
        out.key("billing_frequency_cycles").null();
        out.key("billing_start_date").null();
    });
}

/// Price by quantity, less the discount, to four digits behind the point at most.
fn sum(item: &LineItem) -> Amount {
    let units = item.price.units * item.quantity as i64 * i64::from(100 - item.discount_percent);
    Amount {
        units,
        scale: item.price.scale + 2,
    }
}
