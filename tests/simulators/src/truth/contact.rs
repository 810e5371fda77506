//! Holds organizations and persons, each as one plain struct.
//!
//! It decides nothing: the generator and the CSV reader fill these, the vendors tell them.

use super::{Address, Amount, Custom, Day, Moment};

/// An e-mail address or a telephone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// As typed: may be empty, padded with spaces, or in capitals.
    pub value: String,
    /// `work`, `home`, `mobile` or `other`.
    pub label: &'static str,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Number.
    pub id: u64,
    /// Name as typed.
    pub name: String,
    /// Number of the owner, who may be deleted.
    pub owner: u64,
    /// Address, where known.
    pub address: Option<Address>,
    /// Website as typed, with or without scheme; may be empty.
    pub website: Option<String>,
    /// Profile page.
    pub linkedin: Option<String>,
    /// Line of business.
    pub industry: Option<String>,
    /// Yearly revenue in the default currency.
    pub annual_revenue: Option<Amount>,
    /// Number of employees.
    pub employees: Option<u64>,
    /// Numbers of its labels.
    pub labels: Vec<u64>,
    /// 1 owner, 3 everyone, 5 and 7 groups.
    pub visibility: u8,
    /// Deleted: not listed any more.
    pub deleted: bool,
    /// The organization that this one repeats under another spelling, where the truth knows.
    pub duplicate_of: Option<u64>,
    /// When it was made.
    pub added: Moment,
    /// When it last changed.
    pub updated: Moment,
    /// Custom values.
    pub custom: Custom,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Number.
    pub id: u64,
    /// Whole name as typed.
    pub name: String,
    /// First name; may be empty.
    pub first_name: String,
    /// Last name; may be empty.
    pub last_name: String,
    /// Number of the owner, who may be deleted.
    pub owner: u64,
    /// Number of the organization.
    pub organization: Option<u64>,
    /// Addresses, the first is the primary one.
    pub emails: Vec<Contact>,
    /// Numbers, the first is the primary one.
    pub phones: Vec<Contact>,
    /// Position; told only where contacts are synchronised.
    pub job_title: Option<String>,
    /// Birthday; told only where contacts are synchronised.
    pub birthday: Option<Day>,
    /// Numbers of the labels.
    pub labels: Vec<u64>,
    /// 1 owner, 3 everyone, 5 and 7 groups.
    pub visibility: u8,
    /// Deleted: not listed any more.
    pub deleted: bool,
    /// The person that this one repeats, where the truth knows.
    pub duplicate_of: Option<u64>,
    /// When it was made.
    pub added: Moment,
    /// When it last changed.
    pub updated: Moment,
    /// Custom values.
    pub custom: Custom,
}
