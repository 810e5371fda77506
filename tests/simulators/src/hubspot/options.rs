//! Decides how a simulated portal behaves where portals differ.
//!
//! It starts nothing.

use super::clock::{Clock, system};
use super::limits::{Limits, Plan, Tier};
use super::owners::{Owner, OwnerKind};
use super::properties::PropertyLimits;
use super::settings::Setup;
use super::tokens::Access;
use super::webhooks::Legacy;
use crate::faults::Faults;
use std::fmt;

/// How to simulate a portal.
#[derive(Clone)]
pub struct Options {
    /// Clock of everything: dates of records, limits, lifetimes of tokens, the lag of search.
    pub clock: Clock,
    /// Limits to enforce.
    pub limits: Limits,
    /// What the account pays for.
    pub tier: Tier,
    /// Faults to give.
    pub faults: Faults,
    /// Added to every answer over HTTP, in milliseconds.
    pub latency_ms: u64,
    /// Port on loopback; 0 takes a free one.
    pub port: u16,
    /// How long a change is unknown to search, in milliseconds.
    pub search_lag_ms: i64,
    /// Decides the order of results of batches.
    pub seed: u64,
    /// Number of the portal.
    pub portal: u64,
    /// Number of the app whose token is used; becomes `hs_object_source_id`.
    pub app: u64,
    /// The account's time zone: its offset to UTC, in milliseconds.
    pub utc_offset_ms: i64,
    /// The company's currency, ISO 4217.
    pub currency: String,
    /// Further currencies, and what one unit of each is worth in the company's.
    pub currencies: Vec<(String, f64)>,
    /// How many custom properties there may be.
    pub properties: PropertyLimits,
    /// Who may own records.
    pub owners: Vec<Owner>,
    /// Number of the user that the token belongs to.
    pub user: u64,
    /// The private token and the OAuth app.
    pub access: Access,
    /// `hapikey` of the webhooks' settings.
    pub developer_key: String,
    /// Which of the older signatures webhooks carry.
    pub legacy_signature: Legacy,
}

impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options")
            .field("limits", &self.limits)
            .field("tier", &self.tier)
            .field("faults", &self.faults)
            .field("portal", &self.portal)
            .finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: system(),
            limits: Limits::default(),
            tier: Tier::default(),
            faults: Faults::default(),
            latency_ms: 0,
            port: 0,
            search_lag_ms: 3000,
            seed: 1,
            portal: 51_234_567,
            app: 9_001_001,
            utc_offset_ms: -4 * 3_600_000,
            currency: "USD".to_owned(),
            currencies: vec![("EUR".to_owned(), 1.08)],
            properties: PropertyLimits::default(),
            owners: owners(),
            user: 1001,
            access: Access::default(),
            developer_key: "4a1c6a2e-0000-4000-8000-d0c0de7e1000".to_owned(),
            legacy_signature: Legacy::default(),
        }
    }
}

impl Options {
    /// What the settings start from.
    pub(super) fn setup(&self) -> Setup {
        Setup {
            owners: self.owners.clone(),
            pipelines: self.tier.pipelines(),
            currency: self.currency.clone(),
            currencies: self.currencies.clone(),
            properties: self.properties,
        }
    }

    /// The limits in numbers; none where they are off.
    pub(super) fn plan(&self) -> Option<Plan> {
        match self.limits {
            Limits::Off => None,
            Limits::Real => Some(self.tier.plan()),
            Limits::Custom(plan) => Some(plan),
        }
    }
}

/// Three who work there, and one who left.
fn owners() -> Vec<Owner> {
    let people = [
        (41, "Ada", "Quay", false),
        (42, "Ben", "Harbour", false),
        (43, "Cleo", "Pier", false),
        (44, "Dan", "Gone", true),
    ];
    people
        .into_iter()
        .map(|(id, first, last, archived)| Owner {
            id,
            user: 960 + id,
            email: Some(format!("{}@quayside.example", first.to_lowercase())),
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            kind: OwnerKind::Person,
            teams: Vec::new(),
            archived,
            created: 1_700_000_000_000,
            updated: 1_700_000_000_000,
        })
        .collect()
}
