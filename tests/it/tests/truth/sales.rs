//! Compares deals, leads and line items with the destination: stage, money, owner, product, and who belongs to them.
//!
//! Custom values are another file's.

use simulators::truth::{Amount, Deal, DealStatus, Kind};

use super::Tally;
use super::expected::{day, is_amount, is_number};
use super::house::House;
use super::pair::{Pair, account, can_link, instant};

pub(crate) fn deals_keep_stage_money_owner_and_people(house: &House) {
    let account = account();
    let crm = account.crm.base();
    let mut tally = Tally::default();
    for found in account.deals() {
        let Some(pair) = Pair::find(house, "deal", found.id.to_string(), &mut tally) else {
            continue;
        };
        let created = instant(found.added);
        pair.text("createdate", "add_time", Some(&created), &mut tally);
        pair.text("dealname", "title", Some(&found.title), &mut tally);
        pair.check("amount", "value", &mut tally, |cell| {
            is_amount(cell, found.value)
        });
        pair.text(
            "deal_currency_code",
            "currency",
            Some(found.currency),
            &mut tally,
        );
        pair.text(
            "closed_lost_reason",
            "lost_reason",
            found.lost_reason.as_deref(),
            &mut tally,
        );
        pair.text(
            "expected_close_date",
            "expected_close_date",
            found.expected_close.map(day).as_deref(),
            &mut tally,
        );
        let closed = found.closed.map(instant);
        pair.text("closedate", "close_time", closed.as_deref(), &mut tally);
        let probability = found.probability.map(|percent| percent.to_string());
        if let Some(percent) = &probability {
            pair.check("hs_deal_probability", "probability", &mut tally, |cell| {
                is_number(cell, percent)
            });
        }
        check_stage(&pair, &found, &mut tally);
        let labels = account.labels(Kind::Deal, &found.labels);
        pair.options("Labels", "label_ids", &labels, &mut tally);
        pair.owner(found.owner, &mut tally);
        pair.links(Kind::Person, found.person, &mut tally);
        pair.links(Kind::Organization, found.organization, &mut tally);
        for participant in crm.participants(found.id) {
            pair.link(Kind::Person, participant.person, "Participant", &mut tally);
        }
    }
    tally.end(1_200);
}

/// A closed deal stands in its pipeline's stage of that meaning; the stage it was in is kept beside it.
fn check_stage(pair: &Pair<'_>, deal: &Deal, tally: &mut Tally) {
    let crm = account().crm.base();
    let stage = crm.stages().iter().find(|stage| stage.id == deal.stage);
    let stage = stage.expect("the deal's stage");
    let pipeline = crm
        .pipelines()
        .iter()
        .find(|pipeline| pipeline.id == deal.pipeline);
    let pipeline = pipeline.expect("the deal's pipeline").name.clone();
    // A pipeline may have an open stage of that name: then the other one has a number, and a finding says so.
    let closed = |label: &str| {
        let mut stages = crm.stages().iter();
        let is_taken = stages
            .any(|other| other.pipeline == deal.pipeline && other.name == label && !other.deleted);
        if is_taken {
            format!("{label} (2)")
        } else {
            label.to_owned()
        }
    };
    let (label, meaning) = match deal.status {
        DealStatus::Won => (closed("Won"), "won"),
        DealStatus::Lost => (closed("Lost"), "lost"),
        DealStatus::Open => (stage.name.clone(), "open"),
    };
    let is_told = pair
        .house
        .findings
        .iter()
        .any(|finding| finding.code == "source-note" && finding.object == "deal");
    tally.check(is_told || !label.ends_with("(2)"), || {
        format!("no finding says that a stage became {label:?}")
    });
    let id = pair.row.text("dealstage");
    let there = id.and_then(|id| pair.house.stages().get(&id));
    let want = (pipeline, label, meaning.to_owned());
    tally.check(there == Some(&want), || {
        format!("deal {}: stage {there:?}, not {want:?}", deal.id)
    });
    let last = if stage.deleted {
        format!("{} (deleted)", stage.name)
    } else {
        stage.name.clone()
    };
    pair.options(
        "Stage, or the last one before closing",
        "last_stage",
        &[last],
        tally,
    );
    let status = format!("{:?}", deal.status);
    pair.options("Status", "status", &[status], tally);
}

pub(crate) fn leads_keep_their_standard_fields(house: &House) {
    let account = account();
    let mut tally = Tally::default();
    for found in account.leads() {
        let Some(pair) = Pair::find(house, "lead", account.id(Kind::Lead, found.id), &mut tally)
        else {
            continue;
        };
        let created = instant(found.added);
        pair.text("createdate", "add_time", Some(&created), &mut tally);
        pair.text("hs_lead_name", "title", Some(&found.title), &mut tally);
        if let Some((amount, currency)) = found.value {
            pair.check("amount", "value", &mut tally, |cell| {
                is_amount(cell, amount)
            });
            pair.text("currency", "currency", Some(currency), &mut tally);
        }
        pair.text(
            "expected_close_date",
            "expected_close_date",
            found.expected_close.map(day).as_deref(),
            &mut tally,
        );
        pair.text("source", "source_name", Some(found.source), &mut tally);
        pair.owner(found.owner, &mut tally);
        pair.links(Kind::Person, found.person, &mut tally);
        pair.links(Kind::Organization, found.organization, &mut tally);
    }
    tally.end(200);
}

pub(crate) fn line_items_keep_price_quantity_deal_and_product(house: &House) {
    let account = account();
    let mut tally = Tally::default();
    for item in account
        .deals()
        .iter()
        .flat_map(|deal| account.crm.base().line_items(deal.id))
    {
        let Some(pair) = Pair::find(house, "deal_product", item.id.to_string(), &mut tally) else {
            continue;
        };
        pair.text("name", "name", Some(&item.name), &mut tally);
        pair.check("price", "item_price", &mut tally, |cell| {
            is_amount(cell, item.price)
        });
        pair.check("quantity", "quantity", &mut tally, |cell| {
            is_number(cell, &item.quantity.to_string())
        });
        let percent = item.discount_percent.to_string();
        pair.check(
            "hs_discount_percentage",
            "discount_percentage",
            &mut tally,
            |cell| is_number(cell, &percent),
        );
        pair.check("tax", "tax", &mut tally, |cell| {
            is_number(cell, &item.tax_percent.to_string())
        });
        pair.text("currency", "currency", Some(item.currency), &mut tally);
        let worth = Amount {
            units: item.price.units * item.quantity as i64 * i64::from(100 - item.discount_percent),
            scale: item.price.scale + 2,
        };
        pair.check("amount", "sum", &mut tally, |cell| is_amount(cell, worth));
        pair.links(Kind::Deal, [item.deal], &mut tally);
        let product = pair.row.text("hs_product_id");
        match house.find("product", &item.product.to_string()) {
            Some(row) => {
                tally.check(product == Some(row.id.to_string()), || {
                    format!("deal_product {}: product {product:?}", item.id)
                });
                if can_link(house, "deal_product", "product") {
                    pair.links(Kind::Product, [item.product], &mut tally);
                }
            }
            None => {
                let told =
                    house.names(&["unknown-product"], "deal_product", &pair.id, "product_id");
                tally.check(product.is_none() && told, || {
                    format!(
                        "deal_product {}: product {product:?}, told: {told}",
                        item.id
                    )
                });
            }
        }
    }
    tally.end(500);
}
