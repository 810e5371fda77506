//! Tells products.
//!
//! `updated_since` means nothing here, as at the vendor.

use super::account::Account;
use super::call::{Call, Refusal};
use super::custom::Shown;
use super::json::Json;
use super::paging::{by_ids, fixed, one, order, page_v2};
use crate::truth::{Kind, Product};

pub(super) fn list(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let custom = Shown::of(account, call, Kind::Product)?;
    let owner = call.number("owner_id")?;
    let shown =
        |product: &Product| !product.deleted && owner.is_none_or(|owner| product.owner == owner);
    let crm = account.live.base();
    let order = match (call.get("sort_by"), by_ids(call)?) {
        (_, Some(order)) => order,
        (Some("name"), None) => {
            let mut ids: Vec<u64> = (1..=crm.count(Kind::Product)).collect();
            ids.sort_by_cached_key(|id| (crm.product(*id).map(|product| product.name), *id));
            fixed("name", ids)
        }
        _ => order(account, call, Kind::Product)?,
    };
    page_v2(
        call,
        &order,
        |id| crm.product(id).filter(shown),
        |out, product| write(&custom, out, product),
    )
}

pub(super) fn get(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let custom = Shown::of(account, call, Kind::Product)?;
    one(
        account.live.base().product(call.id()?),
        "Product not found",
        |out, product| write(&custom, out, product),
    )
}

fn write(custom: &Shown<'_>, out: &mut Json, product: &Product) {
    out.object(|out| {
        out.key("id").number(product.id);
        out.key("name").text(&product.name);
        out.key("code").text_or_null(product.code.as_deref());
        out.key("description")
            .text_or_null(product.description.as_deref());
        out.key("unit").text_or_null(product.unit.as_deref());
        out.key("tax").number(u64::from(product.tax_percent));
        out.key("category")
            .text_or_null(product.category.as_deref());
        out.key("is_linkable").bool(true);
        out.key("is_deleted").bool(product.deleted);
        out.key("visible_to").number(3);
        out.key("owner_id").number(product.owner);
        out.key("add_time").moment_v2(product.added);
        out.key("update_time").moment_v2(product.updated);
        out.key("billing_frequency").text(product.billing);
        out.key("billing_frequency_cycles").null();
        out.key("prices").array(|out| {
            for price in &product.prices {
                out.object(|out| {
                    out.key("product_id").number(product.id);
                    out.key("price").amount(price.price);
                    out.key("currency").text(price.currency);
                    out.key("cost").amount(price.cost);
                    out.key("direct_cost").null();
                    out.key("notes").text("");
                });
            }
        });
        custom.write(out.key("custom_fields"), &product.custom);
    });
}
