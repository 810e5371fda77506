//! Decides how one row of the sample is told: account, product and opportunity as records, agents as users.
//!
//! It reads no file, and corrects nothing: misspelt words stay as they are.

use super::rows::{self, Account, Agent, Opportunity, Row};
use crate::truth::{
    Address, Amount, Choice, Company, Custom, Day, Deal, DealStatus, FieldDef, FieldKind,
    FieldValue, Kind, LineItem, Moment, Organization, Price, Product, SourceError, Stage, User,
};

/// Nothing is later than this; the last opportunity closed on 2017-12-31.
pub(super) const NOW: Moment = Day::of(2018, 1, 1).start();
/// When the accounts, products and opportunities without a date were entered.
pub(super) const ENTERED: Moment = Day::of(2016, 10, 1).start();
/// The number that a product has which is not in the catalogue.
pub(super) const UNKNOWN_PRODUCT: u64 = 900_001;
pub(super) const FIRST_USER: u64 = 501;
pub(super) const PROSPECTING: u64 = 1;
pub(super) const ENGAGING: u64 = 2;

pub(super) fn company() -> Company {
    Company {
        id: 8_800,
        name: "CRM sample".to_owned(),
        domain: "crmsample".to_owned(),
        default_currency: "USD",
        time_zone: "America/New_York",
        now: NOW,
        token_user: FIRST_USER,
    }
}

pub(super) fn user(agent: &Agent, id: u64) -> User {
    let mailbox = agent.sales_agent.to_lowercase().replace(' ', ".");
    User {
        id,
        name: agent.sales_agent.clone(),
        email: format!("{mailbox}@crmsample.example"),
        active: true,
        admin: id == FIRST_USER,
    }
}

pub(super) fn stage(id: u64, name: &str) -> Stage {
    Stage {
        id,
        pipeline: 1,
        name: name.to_owned(),
        probability: 100,
        deleted: false,
    }
}

pub(super) fn field(name: &str, kind: FieldKind, first: u32, labels: &[&str]) -> FieldDef {
    let choices = labels.iter().zip(first..).map(|(label, id)| Choice {
        id,
        label: (*label).to_owned(),
    });
    FieldDef {
        name: name.to_owned(),
        kind,
        choices: choices.collect(),
        removed_choice: None,
        filled_per_mille: 1000,
    }
}

/// The different words of a column, in order.
pub(super) fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    words.dedup();
    words
}

pub(super) fn organization_fields(accounts: &[Account]) -> Vec<FieldDef> {
    let sectors = distinct(accounts.iter().map(|account| account.sector.as_str()));
    vec![
        field("Sector", FieldKind::Choice, 9000, &sectors),
        field("Year established", FieldKind::Whole, 9100, &[]),
        field("Revenue (millions)", FieldKind::Decimal, 9110, &[]),
        field(
            "Subsidiary of",
            FieldKind::Link(Kind::Organization),
            9120,
            &[],
        ),
    ]
}

pub(super) fn deal_fields(agents: &[Agent]) -> Vec<FieldDef> {
    let managers = distinct(agents.iter().map(|agent| agent.manager.as_str()));
    let offices = distinct(agents.iter().map(|agent| agent.regional_office.as_str()));
    vec![
        field("Opportunity ID", FieldKind::Text, 9200, &[]),
        field("Engage date", FieldKind::Day, 9201, &[]),
        field("Close date", FieldKind::Day, 9202, &[]),
        field("Close value", FieldKind::Money, 9203, &[]),
        field("Manager", FieldKind::Choice, 9210, &managers),
        field("Regional office", FieldKind::Choice, 9240, &offices),
    ]
}

pub(super) fn choice(field: &FieldDef, label: &str) -> Option<FieldValue> {
    field
        .choices
        .iter()
        .find(|choice| choice.label == label)
        .map(|choice| FieldValue::Choice(choice.id))
}

pub(super) fn organizations(
    accounts: &[Account],
    fields: &[FieldDef],
) -> Result<Vec<Organization>, SourceError> {
    let number_of = |name: &str| {
        accounts
            .iter()
            .position(|account| account.account == name)
            .map(|place| place as u64 + 1)
    };
    let organization = |(place, account): (usize, &Account)| {
        let row = Row {
            file: "accounts.csv",
            number: place as u64 + 1,
        };
        let parent = match account.subsidiary_of.as_str() {
            "" => None,
            name => Some(
                number_of(name)
                    .ok_or_else(|| row.error(format!("parent {name:?} is no account")))?,
            ),
        };
        let address = Address {
            whole: account.office_location.clone(),
            country: account.office_location.clone(),
            ..Address::default()
        };
        Ok(Organization {
            id: place as u64 + 1,
            name: account.account.clone(),
            owner: FIRST_USER,
            address: Some(address),
            website: None,
            linkedin: None,
            industry: None,
            annual_revenue: None,
            employees: Some(row.amount(&account.employees)?.units as u64),
            labels: Vec::new(),
            visibility: 3,
            deleted: false,
            duplicate_of: None,
            added: ENTERED,
            updated: ENTERED,
            custom: Custom(vec![
                choice(&fields[0], &account.sector),
                Some(FieldValue::Number(row.amount(&account.year_established)?)),
                Some(FieldValue::Number(row.amount(&account.revenue)?)),
                parent.map(FieldValue::Link),
            ]),
        })
    };
    accounts.iter().enumerate().map(organization).collect()
}

pub(super) fn products(catalogue: &[rows::Product]) -> Result<Vec<Product>, SourceError> {
    let product = |(place, product): (usize, &rows::Product)| {
        let row = Row {
            file: "products.csv",
            number: place as u64 + 1,
        };
        Ok(Product {
            id: place as u64 + 1,
            name: product.product.clone(),
            code: None,
            description: None,
            unit: None,
            tax_percent: 0,
            category: None,
            owner: FIRST_USER,
            prices: vec![Price {
                price: row.amount(&product.sales_price)?,
                cost: Amount::whole(0),
                currency: "USD",
            }],
            billing: "one-time",
            deleted: false,
            added: ENTERED,
            updated: ENTERED,
            custom: Custom(vec![Some(FieldValue::Text(product.series.clone()))]),
        })
    };
    catalogue.iter().enumerate().map(product).collect()
}

pub(super) fn deal(
    row: &Row,
    opportunity: &Opportunity,
    agents: &[Agent],
    organizations: &[Organization],
    fields: &[FieldDef],
) -> Result<Deal, SourceError> {
    let agent = agents
        .iter()
        .position(|agent| agent.sales_agent == opportunity.sales_agent);
    let agent = agent
        .ok_or_else(|| row.error(format!("agent {:?} is in no team", opportunity.sales_agent)))?;
    let organization = match opportunity.account.as_str() {
        "" => None,
        name => {
            let found = organizations
                .iter()
                .find(|organization| organization.name == name);
            Some(
                found
                    .ok_or_else(|| row.error(format!("account {name:?} does not exist")))?
                    .id,
            )
        }
    };
    let (status, stage) = match opportunity.deal_stage.as_str() {
        "Won" => (DealStatus::Won, ENGAGING),
        "Lost" => (DealStatus::Lost, ENGAGING),
        "Engaging" => (DealStatus::Open, ENGAGING),
        "Prospecting" => (DealStatus::Open, PROSPECTING),
        other => return Err(row.error(format!("deal stage {other:?} is not known"))),
    };
    let (engaged, closed) = (
        row.day(&opportunity.engage_date)?,
        row.day(&opportunity.close_date)?,
    );
    let worth = if opportunity.close_value.is_empty() {
        None
    } else {
        Some(row.amount(&opportunity.close_value)?)
    };
    let id = row.number;
    let added = engaged.map_or(ENTERED, Day::start);
    Ok(Deal {
        id,
        title: format!("{} {}", opportunity.product, opportunity.opportunity_id),
        owner: FIRST_USER + agent as u64,
        person: None,
        organization,
        pipeline: 1,
        stage,
        status,
        value: worth.unwrap_or(Amount::whole(0)),
        currency: "USD",
        probability: None,
        lost_reason: None,
        closed: closed.map(Day::start),
        stage_changed: engaged.map(Day::start),
        expected_close: None,
        labels: Vec::new(),
        archived: false,
        deleted: false,
        visibility: 3,
        added,
        updated: closed.map_or(added, Day::start),
        custom: Custom(vec![
            Some(FieldValue::Text(opportunity.opportunity_id.clone())),
            engaged.map(FieldValue::Day),
            closed.map(FieldValue::Day),
            worth.map(|worth| FieldValue::Money(worth, "USD")),
            choice(&fields[4], &agents[agent].manager),
            choice(&fields[5], &agents[agent].regional_office),
        ]),
    })
}

/// One piece, at the worth of the deal where it was won, else at the catalogue's price.
pub(super) fn line_item(deal: &Deal, opportunity: &Opportunity, products: &[Product]) -> LineItem {
    let product = products
        .iter()
        .find(|product| product.name == opportunity.product);
    let listed = product.map_or(Amount::whole(0), |product| product.prices[0].price);
    LineItem {
        id: deal.id,
        deal: deal.id,
        product: product.map_or(UNKNOWN_PRODUCT, |product| product.id),
        name: opportunity.product.clone(),
        price: if deal.status == DealStatus::Won {
            deal.value
        } else {
            listed
        },
        quantity: 1,
        discount_percent: 0,
        tax_percent: 0,
        currency: "USD",
        comments: String::new(),
        order: 1,
        added: deal.added,
    }
}
