//! Holds the settings of a portal together: properties, owners, pipelines, currencies, rules on values, custom objects.
//!
//! Each of them decides for itself; what goes to which is decided with the routes.

use super::currencies::Currencies;
use super::objects::{ObjectType, Objects};
use super::owners::{Owner, Owners};
use super::pipelines::Pipelines;
use super::properties::{Properties, PropertyLimits};
use super::schemas::Schemas;
use super::validate::{self, Lists, PropertyError};
use super::validations::Validations;
use serde_json::Value;

/// The settings of a portal.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Definitions of properties.
    pub properties: Properties,
    /// Who owns records.
    pub owners: Owners,
    /// Pipelines and stages.
    pub pipelines: Pipelines,
    /// Currencies.
    pub currencies: Currencies,
    /// The administrator's rules on values.
    pub validations: Validations,
    /// Custom objects.
    pub(super) schemas: Schemas,
}

/// How a portal is set up before anybody asks.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    /// Who owns records.
    pub owners: Vec<Owner>,
    /// Most pipelines of a kind.
    pub pipelines: usize,
    /// The company's currency, ISO 4217.
    pub currency: String,
    /// Further currencies, each with what one unit is worth in the company's.
    pub currencies: Vec<(String, f64)>,
    /// How many custom properties there may be.
    pub properties: PropertyLimits,
}

impl Settings {
    /// The settings of a new portal.
    pub(super) fn new(objects: &Objects, setup: Setup) -> Self {
        Self {
            properties: Properties::new(objects, setup.properties),
            owners: Owners::new(setup.owners),
            pipelines: Pipelines::new(setup.pipelines),
            currencies: Currencies::new(&setup.currency, &setup.currencies),
            validations: Validations::default(),
            schemas: Schemas::default(),
        }
    }

    /// The form in which a value is kept; none clears the property. `current` is what the record has now.
    ///
    /// # Errors
    ///
    /// A [`PropertyError`] where there is no such property, it cannot be written, or it does not take the value.
    pub(super) fn check(
        &self,
        object: ObjectType,
        name: &str,
        value: &Value,
        current: Option<&str>,
    ) -> Result<Option<String>, PropertyError> {
        let property = self
            .properties
            .get(object, name)
            .ok_or_else(|| PropertyError::unknown(name))?;
        let lists = Lists {
            owners: &self.owners,
            pipelines: &self.pipelines,
            currencies: &self.currencies,
            validations: &self.validations,
        };
        validate::check(property, object, value, current, lists)
    }
}
