//! Holds vendors' APIs on loopback: one seeded truth about a company, told in each vendor's own words.
//!
//! It knows nothing of Longshore's connectors or hosts: a simulator is written from the vendor's facts.

pub mod truth;

pub mod crm_sample;

pub mod faults;

mod connection;

pub mod pipedrive;

pub mod hubspot;

pub mod example_crm;
