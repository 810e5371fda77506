//! Holds what belongs to the company as a whole: itself, its users, currencies, pipelines, stages, labels, boards.
//!
//! It holds no customer: those are records.

use super::Moment;

/// Facts about the company itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// Number of the account.
    pub id: u64,
    /// Display name.
    pub name: String,
    /// The label of its own host, such as `acme`.
    pub domain: String,
    /// ISO 4217 code.
    pub default_currency: &'static str,
    /// IANA name.
    pub time_zone: &'static str,
    /// The moment the data are told at; nothing is later, apart from changes made while paging.
    pub now: Moment,
    /// Number of the user whose key is used.
    pub token_user: u64,
}

/// A colleague who owns records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Number.
    pub id: u64,
    /// Full name.
    pub name: String,
    /// Address of the mailbox.
    pub email: String,
    /// False for one who left and is still listed.
    pub active: bool,
    /// May change settings.
    pub admin: bool,
}

/// An ISO 4217 currency or one of the company's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    /// Code, such as `EUR`.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
    /// Sign.
    pub symbol: &'static str,
    /// Digits behind the point.
    pub decimals: u8,
}

/// A sequence of stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Number.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Stages carry a probability.
    pub probabilities: bool,
}

/// A step of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Number.
    pub id: u64,
    /// The pipeline it belongs to.
    pub pipeline: u64,
    /// Name.
    pub name: String,
    /// Per cent.
    pub probability: u8,
    /// Removed; closed deals may still stand in it.
    pub deleted: bool,
}

/// A kind of activity that the company uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityKind {
    /// Number.
    pub id: u64,
    /// Key, such as `call`.
    pub key: &'static str,
    /// Name.
    pub name: &'static str,
    /// Made by the company itself.
    pub custom: bool,
}

/// A coloured tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Number, unique in the account.
    pub id: u64,
    /// Name.
    pub name: &'static str,
    /// Colour.
    pub color: &'static str,
}

/// A board of projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// Number.
    pub id: u64,
    /// Name.
    pub name: &'static str,
}

/// A phase of a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Number.
    pub id: u64,
    /// The board it belongs to.
    pub board: u64,
    /// Name.
    pub name: &'static str,
}
