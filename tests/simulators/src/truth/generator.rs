//! Decides how a generated company is built: sizes, order of changes, users, pipelines, labels; records are its children.
//!
//! It keeps no record: each is computed from the seed and its number, so that a million cost no memory.

mod settings;

mod custom;

mod contacts;

mod sales;

mod work;

use super::crm::Crm;
use super::dice::{Dice, Shuffle, mix};
use super::links::{Counts, Links};
use super::{
    Activity, ActivityKind, Board, CallLog, Company, Currency, Day, Deal, FieldDef, Kind, Label,
    Lead, LineItem, Mail, Moment, Note, Organization, Participant, Person, Phase, Pipeline,
    Product, Project, Stage, User,
};
use settings::Settings;

/// Owner of some records who is in no list of users.
pub(crate) const DELETED_USER: u64 = 1099;

const FIRST_ADD: Moment = Day::of(2019, 1, 1).start();
const LAST_ADD: Moment = Day::of(2025, 5, 31).start();
const FIRST_UPDATE: Moment = Day::of(2025, 6, 1).start();
const NOW: Moment = Day::of(2026, 6, 1).start();

/// A generated company.
#[derive(Debug, Clone)]
pub struct Generated {
    seed: u64,
    links: Links,
    orders: Vec<(Kind, Shuffle)>,
    settings: Settings,
}

const KINDS: [Kind; 10] = [
    Kind::Organization,
    Kind::Person,
    Kind::Deal,
    Kind::Lead,
    Kind::Activity,
    Kind::Note,
    Kind::Product,
    Kind::Project,
    Kind::CallLog,
    Kind::User,
];

impl Generated {
    /// A company of `records` contacts; other kinds scale with it.
    pub fn new(records: u64, seed: u64) -> Self {
        let links = Links::new(seed, Counts::of(records));
        let settings = Settings::new(seed);
        let mut made = Self {
            seed,
            links,
            orders: Vec::new(),
            settings,
        };
        made.orders = KINDS
            .map(|kind| {
                (
                    kind,
                    Shuffle::new(made.count(kind), mix(seed ^ kind as u64 ^ 77)),
                )
            })
            .to_vec();
        made
    }

    fn dice(&self, kind: Kind, id: u64) -> Dice {
        Dice::new(self.seed, kind as u64 + 1, id)
    }

    fn within(&self, kind: Kind, id: u64) -> Option<u64> {
        (1..=self.count(kind)).contains(&id).then_some(id)
    }

    fn order(&self, kind: Kind) -> &Shuffle {
        &self.orders[kind as usize].1
    }

    /// When a record was made: in the order of its number, as the vendor counts upward.
    fn added(&self, kind: Kind, id: u64) -> Moment {
        let span = ((LAST_ADD.0 - FIRST_ADD.0) / 1000) as u64;
        FIRST_ADD.plus_seconds(
            (u128::from(id) * u128::from(span) / u128::from(self.count(kind).max(1))) as i64,
        )
    }

    /// When a record last changed. A tenth of each kind (10,001 where there are enough) share one
    /// instant, as an import leaves behind.
    fn updated(&self, kind: Kind, id: u64) -> Moment {
        let count = self.count(kind).max(1);
        let rank = self.order(kind).forward(id - 1);
        let (first, last) = import(count);
        let rank = if (first..last).contains(&rank) {
            first
        } else {
            rank
        };
        let span = ((NOW.0 - FIRST_UPDATE.0) / 1000) as u64;
        FIRST_UPDATE.plus_seconds((u128::from(rank) * u128::from(span) / u128::from(count)) as i64)
    }

    fn owner(&self, dice: &mut Dice) -> u64 {
        if dice.chance(20) {
            DELETED_USER
        } else {
            self.settings.users[dice.below(12) as usize].id
        }
    }
}

/// The places in the order of changes that one import touched.
fn import(count: u64) -> (u64, u64) {
    let len = if count >= 20_002 {
        (count / 10).max(10_001)
    } else {
        count / 10
    };
    (count / 2, count / 2 + len)
}

/// The two lowest bits above the rest: leads with a number divisible by this are archived.
pub(crate) const ARCHIVED_LEAD_STEP: u64 = 20;

/// Every such activity is a call of the token's user, with a call log.
pub(crate) const CALL_LOG_STEP: u64 = 50;

impl Crm for Generated {
    fn company(&self) -> &Company {
        &self.settings.company
    }

    fn users(&self) -> &[User] {
        &self.settings.users
    }

    fn currencies(&self) -> &[Currency] {
        settings::CURRENCIES
    }

    fn pipelines(&self) -> &[Pipeline] {
        &self.settings.pipelines
    }

    fn stages(&self) -> &[Stage] {
        &self.settings.stages
    }

    fn activity_kinds(&self) -> &[ActivityKind] {
        settings::ACTIVITY_KINDS
    }

    fn labels(&self, kind: Kind) -> &[Label] {
        self.settings.labels(kind)
    }

    fn boards(&self) -> &[Board] {
        settings::BOARDS
    }

    fn phases(&self) -> &[Phase] {
        settings::PHASES
    }

    fn fields(&self, kind: Kind) -> &[FieldDef] {
        self.settings.fields(kind)
    }

    fn count(&self, kind: Kind) -> u64 {
        let counts = self.links.counts;
        match kind {
            Kind::Organization => counts.organizations,
            Kind::Person => counts.persons,
            Kind::Deal => counts.deals,
            Kind::Lead => counts.leads,
            Kind::Activity => counts.activities,
            Kind::Note => counts.notes,
            Kind::Product => counts.products,
            Kind::Project => counts.projects,
            Kind::CallLog => counts.activities / CALL_LOG_STEP,
            Kind::User => self.settings.users.len() as u64,
        }
    }

    fn by_update(&self, kind: Kind, rank: u64) -> u64 {
        self.order(kind).back(rank) + 1
    }

    fn by_add(&self, _kind: Kind, rank: u64) -> u64 {
        rank + 1
    }

    fn organization(&self, id: u64) -> Option<Organization> {
        self.within(Kind::Organization, id)
            .map(|id| self.make_organization(id))
    }

    fn person(&self, id: u64) -> Option<Person> {
        self.within(Kind::Person, id).map(|id| self.make_person(id))
    }

    fn deal(&self, id: u64) -> Option<Deal> {
        self.within(Kind::Deal, id).map(|id| self.make_deal(id))
    }

    fn lead(&self, id: u64) -> Option<Lead> {
        self.within(Kind::Lead, id).map(|id| self.make_lead(id))
    }

    fn activity(&self, id: u64) -> Option<Activity> {
        self.within(Kind::Activity, id)
            .map(|id| self.make_activity(id))
    }

    fn note(&self, id: u64) -> Option<Note> {
        self.within(Kind::Note, id).map(|id| self.make_note(id))
    }

    fn product(&self, id: u64) -> Option<Product> {
        self.within(Kind::Product, id)
            .map(|id| self.make_product(id))
    }

    fn project(&self, id: u64) -> Option<Project> {
        self.within(Kind::Project, id)
            .map(|id| self.make_project(id))
    }

    fn call_log(&self, id: u64) -> Option<CallLog> {
        self.within(Kind::CallLog, id)
            .map(|id| self.make_call_log(id))
    }

    fn line_items(&self, deal: u64) -> Vec<LineItem> {
        self.within(Kind::Deal, deal)
            .map(|deal| self.make_line_items(deal))
            .unwrap_or_default()
    }

    fn participants(&self, deal: u64) -> Vec<Participant> {
        self.within(Kind::Deal, deal)
            .map(|deal| self.make_participants(deal))
            .unwrap_or_default()
    }

    fn deal_mails(&self, deal: u64) -> Vec<Mail> {
        self.within(Kind::Deal, deal)
            .map(|deal| self.make_mails(deal))
            .unwrap_or_default()
    }

    fn mail(&self, id: u64) -> Option<Mail> {
        self.deal_mails(id / 4)
            .into_iter()
            .find(|mail| mail.id == id)
    }

    fn deals_of_person(&self, person: u64) -> Vec<u64> {
        self.within(Kind::Person, person)
            .map(|id| self.links.deals_of_person(id))
            .unwrap_or_default()
    }

    fn mail_deals_of_organization(&self, organization: u64) -> Vec<u64> {
        let organization = self.within(Kind::Organization, organization);
        organization
            .map(|id| self.links.mail_deals_of_organization(id))
            .unwrap_or_default()
    }

    fn mail_deals(&self) -> Vec<u64> {
        (1..=self.links.counts.deals)
            .filter(|deal| self.links.has_mail(*deal))
            .collect()
    }

    fn activities_of_deal(&self, deal: u64) -> Vec<u64> {
        self.within(Kind::Deal, deal)
            .map(|id| self.links.activities_of_deal(id))
            .unwrap_or_default()
    }

    fn notes_of_deal(&self, deal: u64) -> Vec<u64> {
        self.within(Kind::Deal, deal)
            .map(|id| self.links.notes_of_deal(id))
            .unwrap_or_default()
    }

    fn persons_of_organization(&self, organization: u64) -> Vec<u64> {
        let organization = self.within(Kind::Organization, organization);
        organization
            .map(|id| self.links.persons_of_organization(id))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
