//! Compares the migrated CRM sample with sums that are taken from its CSV files here: real input, dirt included.
//!
//! The simulator's own reading of the files is not asked.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use rust_decimal::Decimal;
use serde::Deserialize;

use super::Tally;
use super::house::{House, Row};
use super::local_crm::of_demo;

#[derive(Debug, Deserialize)]
struct Opportunity {
    opportunity_id: String,
    sales_agent: String,
    product: String,
    account: String,
    deal_stage: String,
    close_date: String,
    close_value: String,
}

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/crm-sample");
    folder.canonicalize().ok()
}

fn opportunities(folder: &Path) -> Vec<Opportunity> {
    let mut reader =
        csv::Reader::from_path(folder.join("sales_pipeline.csv")).expect("the file is there");
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("rows of opportunities")
}

type PerStage = BTreeMap<String, (u64, Decimal)>;

/// Count and worth per stage, as the CSV has them.
fn told(opportunities: &[Opportunity]) -> PerStage {
    let mut stages = PerStage::new();
    for opportunity in opportunities {
        let worth: Decimal = match opportunity.close_value.as_str() {
            "" => Decimal::ZERO,
            digits => digits.parse().expect("a number"),
        };
        let (count, sum) = stages.entry(opportunity.deal_stage.clone()).or_default();
        (*count, *sum) = (*count + 1, *sum + worth);
    }
    stages
}

/// Count and worth per stage, as the local CRM has them.
fn kept(house: &House) -> PerStage {
    let mut stages = PerStage::new();
    for deal in house.rows("deal") {
        let stage = deal
            .text("dealstage")
            .and_then(|id| house.stages().get(&id))
            .map_or("none", |(_, label, _)| label);
        let amount: Decimal = deal.text("amount").map_or(Decimal::ZERO, |digits| {
            digits.parse().expect("an exact number")
        });
        let (count, sum) = stages.entry(stage.to_owned()).or_default();
        (*count, *sum) = (*count + 1, *sum + amount);
    }
    stages
}

#[test]
fn the_crm_sample_arrives_whole() {
    let Some(folder) = folder() else {
        println!(
            "SKIPPED, nothing was tested: there is no ../shared/data/crm-sample beside the workspace"
        );
        return;
    };
    let told_by_csv = opportunities(&folder);
    let house = of_demo(&["--data", folder.to_str().expect("a path in UTF-8")]);
    let stages = kept(&house);
    assert_eq!(stages, told(&told_by_csv), "count and worth per stage");
    let count = |stage: &str| stages[stage].0;
    assert_eq!(
        [
            count("Won"),
            count("Lost"),
            count("Engaging"),
            count("Prospecting")
        ],
        [4238, 2473, 1589, 500]
    );
    for (stage, meaning) in [
        ("Won", "won"),
        ("Lost", "lost"),
        ("Engaging", "open"),
        ("Prospecting", "open"),
    ] {
        let found: Vec<_> = house
            .stages()
            .values()
            .filter(|(_, label, _)| label == stage)
            .map(|(_, _, meaning)| meaning)
            .collect();
        assert_eq!(found, [meaning], "what {stage} means");
    }
    check_deals(&house, &told_by_csv);
    check_line_items(&house, &told_by_csv);
    check_summary(&house);
    check_workbook(&house);
}

/// Each opportunity is the deal it was, with its account, agent and close date.
fn check_deals(house: &House, told: &[Opportunity]) {
    let mut tally = Tally::default();
    let linked = house.linked_with("deal", "company");
    let deals = house.rows("deal");
    assert_eq!(
        deals
            .iter()
            .filter(|deal| !linked.contains(&deal.id))
            .count(),
        1425,
        "deals without a company"
    );
    let column = |label: &str| {
        house
            .property("deal", label)
            .expect("a property")
            .name
            .clone()
    };
    let (opportunity_id, close_date) = (column("Opportunity ID"), column("Close date"));
    let owners: HashMap<_, _> = house
        .rows("owner")
        .iter()
        .map(|row| (row.id.to_string(), row.text("name")))
        .collect();
    let named = |deal: &Row| deal.text(&opportunity_id).expect("an opportunity's id");
    let by_id: HashMap<_, _> = deals.iter().map(|deal| (named(deal), deal)).collect();
    let companies: HashMap<_, _> = house
        .rows("company")
        .iter()
        .map(|row| (row.text("name").expect("a name"), row.id))
        .collect();
    for opportunity in told {
        let Some(deal) = by_id.get(&opportunity.opportunity_id) else {
            tally
                .wrong
                .push(format!("{} is missing", opportunity.opportunity_id));
            continue;
        };
        let id = &opportunity.opportunity_id;
        let owner = deal
            .text("hubspot_owner_id")
            .and_then(|owner| owners.get(&owner).cloned())
            .flatten();
        tally.check(owner.as_deref() == Some(&opportunity.sales_agent), || {
            format!("{id}: owner {owner:?}")
        });
        let closed = deal.text(&close_date);
        tally.check(closed == iso(&opportunity.close_date), || {
            format!("{id}: closed {closed:?}")
        });
        let company = companies.get(&opportunity.account);
        if opportunity.account.is_empty() {
            tally.check(!linked.contains(&deal.id), || {
                format!("{id}: has a company")
            });
        } else {
            let is_linked = company.is_some_and(|company| {
                house.is_linked(("deal", deal.id), ("company", *company), "")
            });
            tally.check(is_linked, || {
                format!("{id}: is not linked to {:?}", opportunity.account)
            });
        }
    }
    tally.end(8_800 * 3);
}

/// `10/20/2016` as `2016-10-20`.
fn iso(date: &str) -> Option<String> {
    let parts: Vec<u32> = date
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().expect("digits"))
        .collect();
    match parts[..] {
        [month, day, year] => Some(format!("{year:04}-{month:02}-{day:02}")),
        _ => None,
    }
}

/// The misspelt product is kept by its name on the line item, and each is accounted for.
fn check_line_items(house: &House, told: &[Opportunity]) {
    let items = house.rows("line_item");
    assert_eq!(items.len(), told.len(), "one line item an opportunity");
    let mut by_name: BTreeMap<String, u64> = BTreeMap::new();
    items.iter().for_each(|item| {
        *by_name
            .entry(item.text("name").unwrap_or_default())
            .or_default() += 1
    });
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    told.iter()
        .for_each(|opportunity| *expected.entry(opportunity.product.clone()).or_default() += 1);
    assert_eq!(by_name, expected, "line items by product");
    assert_eq!(by_name["GTXPro"], 1480);
    let mut tally = Tally::default();
    for item in items {
        let id = item
            .text("longshore_source_id")
            .expect("a source id")
            .replace("pipedrive/deal_product/", "");
        let product = item.text("hs_product_id");
        let is_told = house.names(&["unknown-product"], "deal_product", &id, "product_id");
        let is_unknown = item.text("name").as_deref() == Some("GTXPro");
        tally.check(
            is_told == is_unknown && product.is_none() == is_unknown,
            || format!("line item {id}: product {product:?}, told {is_told}"),
        );
    }
    tally.end(8_800);
}

/// The account of every object adds up, and nothing was left out.
fn check_summary(house: &House) {
    let objects = house.summary["objects"].as_object().expect("objects");
    assert_eq!(objects["deal"]["selected"], 8800);
    for (object, account) in objects {
        let number = |key: &str| {
            account[key]
                .as_u64()
                .unwrap_or_else(|| panic!("{object}.{key} in {account}"))
        };
        let sum = ["created", "updated", "unchanged", "excluded", "failed"]
            .map(number)
            .iter()
            .sum::<u64>();
        assert_eq!(number("selected"), sum, "{object}: {account}");
        assert_eq!(
            (number("excluded"), number("failed"), number("differing")),
            (0, 0, 0),
            "{object}: {account}"
        );
    }
    let money = house.summary["money"].as_array().expect("money per stage");
    assert_eq!(money.len(), 4, "{money:?}");
    assert!(money.iter().all(|line| line["equal"] == true), "{money:?}");
    let unknown = &house.summary["findings"]["by_code"]["unknown-product"];
    assert_eq!(
        *unknown, 1480,
        "line items with a product that the catalogue lacks"
    );
    let unlinked = &house.summary["findings"]["by_code"]["unlinked"];
    assert_eq!(*unlinked, 1425, "deals without an account");
    assert_eq!(
        house.findings.len() as u64,
        house.summary["findings"]["total"]
            .as_u64()
            .expect("a number")
    );
}

/// The workbook has the sheets and headings of product.md 2.9.
fn check_workbook(house: &House) {
    let results = house.sheet("Export results");
    for object in ["deal", "company", "product", "line_item", "owner"] {
        let line = results
            .iter()
            .find(|row| row[0] == object)
            .unwrap_or_else(|| panic!("no line {object:?} in {results:?}"));
        let selected = house.summary["objects"][object]["selected"].to_string();
        assert!(line.contains(&selected), "{object}: {line:?}");
        let sheet = house.sheet(object);
        for heading in [
            "Name",
            "Data type",
            "Matching data type",
            "Further information",
            "Fill rate",
            "Distinct values",
            "Longest value",
            "Lossless",
            "Created or existing",
        ] {
            assert!(
                sheet[0].iter().any(|cell| cell == heading),
                "{object}: no heading {heading:?} in {:?}",
                sheet[0]
            );
        }
        assert!(sheet.len() > 3, "{object}: {} properties", sheet.len());
        assert_eq!(
            house.sheet(&format!("{object} records")).len() as u64 - 1,
            house.summary["objects"][object]["selected"]
                .as_u64()
                .expect("a number")
        );
    }
}
