//! Whole-house tests, one binary.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod cell;
#[cfg(test)]
mod certificate;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod failures_site;
#[cfg(test)]
mod hunter;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod linkage;
#[cfg(test)]
mod login;
#[cfg(test)]
mod mapping;
#[cfg(test)]
mod notify;
#[cfg(test)]
mod notify_site;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod portal;
#[cfg(test)]
mod portal_failures;
#[cfg(test)]
mod portal_kill;
#[cfg(test)]
mod portal_site;
#[cfg(test)]
mod quarantine;
#[cfg(test)]
mod removals;
#[cfg(test)]
mod rollback;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sheet;
#[cfg(test)]
mod tape;
#[cfg(test)]
mod truth;
#[cfg(test)]
mod vault;
#[cfg(test)]
mod workbook;
