//! Holds deals, leads, products and what is sold with a deal, each as one plain struct.
//!
//! It decides nothing: the generator and the CSV reader fill these, the vendors tell them.

use super::{Amount, Custom, Day, Moment};

/// How a deal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DealStatus {
    /// Still worked on.
    Open,
    /// Won.
    Won,
    /// Lost.
    Lost,
}

/// A deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    /// Number.
    pub id: u64,
    /// Title as typed.
    pub title: String,
    /// Number of the owner, who may be deleted.
    pub owner: u64,
    /// Number of the person.
    pub person: Option<u64>,
    /// Number of the organization.
    pub organization: Option<u64>,
    /// Number of the pipeline.
    pub pipeline: u64,
    /// Number of the stage, which may be deleted for closed deals.
    pub stage: u64,
    /// How it stands.
    pub status: DealStatus,
    /// Worth; may be zero or negative.
    pub value: Amount,
    /// ISO 4217 code of the worth.
    pub currency: &'static str,
    /// Per cent, where set on the deal itself.
    pub probability: Option<u8>,
    /// Why it was lost.
    pub lost_reason: Option<String>,
    /// When it was won or lost.
    pub closed: Option<Moment>,
    /// When it moved to its stage.
    pub stage_changed: Option<Moment>,
    /// When it is expected to close.
    pub expected_close: Option<Day>,
    /// Numbers of the labels.
    pub labels: Vec<u64>,
    /// Put away: on the archived lists only.
    pub archived: bool,
    /// Deleted: told only with the status deleted, for 30 days.
    pub deleted: bool,
    /// 1 owner, 3 everyone, 5 and 7 groups.
    pub visibility: u8,
    /// When it was made.
    pub added: Moment,
    /// When it last changed.
    pub updated: Moment,
    /// Custom values.
    pub custom: Custom,
}

/// A product as sold with one deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineItem {
    /// Number.
    pub id: u64,
    /// Number of the deal.
    pub deal: u64,
    /// Number of the product, which may not exist.
    pub product: u64,
    /// Name at the time.
    pub name: String,
    /// Price of one.
    pub price: Amount,
    /// Pieces.
    pub quantity: u64,
    /// Per cent taken off.
    pub discount_percent: u8,
    /// Per cent of tax put on.
    pub tax_percent: u8,
    /// ISO 4217 code.
    pub currency: &'static str,
    /// Free text; may be empty.
    pub comments: String,
    /// Place on the deal, from 1.
    pub order: u64,
    /// When it was put on the deal.
    pub added: Moment,
}

/// Another person on a deal, besides the main one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Number.
    pub id: u64,
    /// Number of the deal.
    pub deal: u64,
    /// Number of the person.
    pub person: u64,
}

/// A lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Number within the truth; vendors give their own ids.
    pub id: u64,
    /// Title as typed.
    pub title: String,
    /// Number of the owner, who may be deleted.
    pub owner: u64,
    /// Number of the person; a lead has a person, an organization or both.
    pub person: Option<u64>,
    /// Number of the organization.
    pub organization: Option<u64>,
    /// Worth with its ISO 4217 code.
    pub value: Option<(Amount, &'static str)>,
    /// When it is expected to close.
    pub expected_close: Option<Day>,
    /// Places in the list of lead labels.
    pub labels: Vec<u64>,
    /// Put away: on the archived list only.
    pub archived: bool,
    /// Somebody looked at it.
    pub seen: bool,
    /// Where it came from.
    pub source: &'static str,
    /// When it was made.
    pub added: Moment,
    /// When it last changed.
    pub updated: Moment,
    /// Custom values, of the deals' fields.
    pub custom: Custom,
}

/// A price in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Price of one.
    pub price: Amount,
    /// Cost of one.
    pub cost: Amount,
    /// ISO 4217 code.
    pub currency: &'static str,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Number.
    pub id: u64,
    /// Name as typed.
    pub name: String,
    /// Code (SKU); not unique.
    pub code: Option<String>,
    /// Text; may be empty.
    pub description: Option<String>,
    /// Unit.
    pub unit: Option<String>,
    /// Per cent.
    pub tax_percent: u8,
    /// Category.
    pub category: Option<String>,
    /// Number of the owner, who may be deleted.
    pub owner: u64,
    /// Prices, one a currency.
    pub prices: Vec<Price>,
    /// Billing rhythm, in the vendor-neutral words `one-time`, `monthly`, `annually`.
    pub billing: &'static str,
    /// Deleted: not listed any more.
    pub deleted: bool,
    /// When it was made.
    pub added: Moment,
    /// When it last changed.
    pub updated: Moment,
    /// Custom values.
    pub custom: Custom,
}
