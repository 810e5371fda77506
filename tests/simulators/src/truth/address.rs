//! Holds a postal address in parts and as one line.
//!
//! It neither checks nor completes one.

/// A postal address; parts may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The whole address in one line.
    pub whole: String,
    /// Street.
    pub street: String,
    /// House number.
    pub number: String,
    /// Postal code.
    pub postal_code: String,
    /// Town.
    pub town: String,
    /// State or region.
    pub region: String,
    /// Country.
    pub country: String,
}
