//! Decides what a company's truth can be asked: how many of each kind there are, and each record by its number.
//!
//! It does not say what a vendor shows of it: deleted, archived and dangling records are all told here.

use super::{
    Activity, ActivityKind, Board, CallLog, Company, Currency, Deal, FieldDef, Kind, Label, Lead,
    LineItem, Mail, Note, Organization, Participant, Person, Phase, Pipeline, Product, Project,
    Stage, User,
};
use std::path::PathBuf;

/// Why a source of truth cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file cannot be read as CSV.
    #[error("cannot read crm sample file {path}")]
    Csv {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: csv::Error,
    },
    /// A row does not say what it must.
    #[error("crm sample file {file}, row {row}: {what}")]
    Row {
        /// Name of the file.
        file: &'static str,
        /// Row, counted from 1 without the heading.
        row: u64,
        /// What is wrong with it.
        what: String,
    },
}

/// A company's CRM. Records of a kind are numbered `1..=count(kind)` without gaps; one that the vendor
/// would not show any more is still told here, marked deleted or archived.
pub trait Crm: Send + Sync {
    /// The company.
    fn company(&self) -> &Company;
    /// Colleagues that are listed; owners may be missing from it.
    fn users(&self) -> &[User];
    /// Currencies of the account, in use or not.
    fn currencies(&self) -> &[Currency];
    /// Pipelines in order.
    fn pipelines(&self) -> &[Pipeline];
    /// Stages of all pipelines, in order within each.
    fn stages(&self) -> &[Stage];
    /// Kinds of activity.
    fn activity_kinds(&self) -> &[ActivityKind];
    /// Labels of persons, organizations, deals or leads.
    fn labels(&self, kind: Kind) -> &[Label];
    /// Boards of projects.
    fn boards(&self) -> &[Board];
    /// Phases of all boards.
    fn phases(&self) -> &[Phase];
    /// Custom fields; leads have those of deals.
    fn fields(&self, kind: Kind) -> &[FieldDef];
    /// How many records there are, deleted and archived ones included.
    fn count(&self, kind: Kind) -> u64;
    /// The number of the record that stands at `rank` (from 0) when a kind is ordered by its last change.
    fn by_update(&self, kind: Kind, rank: u64) -> u64;
    /// The number of the record that stands at `rank` (from 0) when a kind is ordered by when it was made.
    fn by_add(&self, kind: Kind, rank: u64) -> u64;
    /// The organization of that number.
    fn organization(&self, id: u64) -> Option<Organization>;
    /// The person of that number.
    fn person(&self, id: u64) -> Option<Person>;
    /// The deal of that number.
    fn deal(&self, id: u64) -> Option<Deal>;
    /// The lead of that number.
    fn lead(&self, id: u64) -> Option<Lead>;
    /// The activity of that number.
    fn activity(&self, id: u64) -> Option<Activity>;
    /// The note of that number.
    fn note(&self, id: u64) -> Option<Note>;
    /// The product of that number.
    fn product(&self, id: u64) -> Option<Product>;
    /// The project of that number.
    fn project(&self, id: u64) -> Option<Project>;
    /// The call log of that number.
    fn call_log(&self, id: u64) -> Option<CallLog>;
    /// What is sold with a deal, in order.
    fn line_items(&self, deal: u64) -> Vec<LineItem>;
    /// Further persons on a deal; the main one is not repeated.
    fn participants(&self, deal: u64) -> Vec<Participant>;
    /// E-mails of a deal, oldest first.
    fn deal_mails(&self, deal: u64) -> Vec<Mail>;
    /// The e-mail of that number.
    fn mail(&self, id: u64) -> Option<Mail>;
    /// Deals that a person is the main person of.
    fn deals_of_person(&self, person: u64) -> Vec<u64>;
    /// Deals of an organization that have e-mails, by number.
    fn mail_deals_of_organization(&self, organization: u64) -> Vec<u64>;
    /// All deals that have e-mails, by number.
    fn mail_deals(&self) -> Vec<u64>;
    /// Activities that hang on a deal, by number.
    fn activities_of_deal(&self, deal: u64) -> Vec<u64>;
    /// Notes that hang on a deal, by number.
    fn notes_of_deal(&self, deal: u64) -> Vec<u64>;
    /// Persons of an organization, by number.
    fn persons_of_organization(&self, organization: u64) -> Vec<u64>;
}
