//! Holds the kinds of record that a company's CRM has.
//!
//! It says nothing about which vendor tells which.

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Companies that are customers.
    Organization,
    /// People.
    Person,
    /// Deals.
    Deal,
    /// Leads.
    Lead,
    /// Activities.
    Activity,
    /// Notes.
    Note,
    /// Products.
    Product,
    /// Projects.
    Project,
    /// Call logs of the token's user.
    CallLog,
    /// Colleagues.
    User,
}
