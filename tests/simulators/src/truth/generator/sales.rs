//! Decides the deals, leads, products, line items and participants of a generated company.
//!
//! It does not decide who they belong to: the links do.

use super::custom::{money, paragraphs};
use super::{ARCHIVED_LEAD_STEP, DELETED_USER, Generated};
use crate::truth::dice::Dice;
use crate::truth::words;
use crate::truth::{
    Amount, Crm, Day, Deal, DealStatus, Kind, Lead, LineItem, Moment, Participant, Price, Product,
};

const ITEMS: u64 = 301;
const EXTRA: u64 = 302;

impl Generated {
    pub(super) fn make_deal(&self, id: u64) -> Deal {
        let mut dice = self.dice(Kind::Deal, id);
        let status = match dice.below(10) {
            0..5 => DealStatus::Open,
            5..8 => DealStatus::Won,
            _ => DealStatus::Lost,
        };
        let (added, updated) = (self.added(Kind::Deal, id), self.updated(Kind::Deal, id));
        let (value, currency) = money(&mut dice);
        let stages = &self.settings.stages;
        let stage = loop {
            let stage = dice.pick(stages);
            if !stage.deleted || status != DealStatus::Open {
                break stage;
            }
        };
        let between = |dice: &mut Dice| {
            Moment(added.0 + dice.below(((updated.0 - added.0) / 1000) as u64) as i64 * 1000)
        };
        let organization = self.links.organization_of_deal(id);
        Deal {
            id,
            title: self.title(&mut dice, organization),
            owner: self.owner(&mut dice),
            person: self.links.person_of_deal(id),
            organization,
            pipeline: stage.pipeline,
            stage: stage.id,
            status,
            value,
            currency,
            probability: dice.chance(150).then(|| dice.below(101) as u8),
            lost_reason: (status == DealStatus::Lost && !dice.chance(200))
                .then(|| (*dice.pick(words::REASONS)).to_owned()),
            closed: (status != DealStatus::Open).then(|| between(&mut dice)),
            stage_changed: (!dice.chance(300)).then(|| between(&mut dice)),
            expected_close: (!dice.chance(400))
                .then(|| Day(added.day().0 + 30 + dice.below(400) as i32)),
            labels: self.label_ids(&mut dice, Kind::Deal),
            archived: id % 20 == 3,
            deleted: id % 25 == 7,
            visibility: [3, 3, 3, 1, 5, 7][dice.below(6) as usize],
            added,
            updated,
            custom: self.custom(Kind::Deal, id),
        }
    }

    pub(super) fn make_lead(&self, id: u64) -> Lead {
        let mut dice = self.dice(Kind::Lead, id);
        let counts = self.links.counts;
        let person = dice.chance(800).then(|| 1 + dice.below(counts.persons));
        let organization = match person {
            Some(person) => self
                .links
                .organization_of_person(person)
                .filter(|_| dice.chance(600)),
            None => Some(1 + dice.below(counts.organizations)),
        };
        let added = self.added(Kind::Lead, id);
        Lead {
            id,
            title: format!("{} lead", self.title(&mut dice, organization)),
            owner: self.owner(&mut dice),
            person,
            organization,
            value: (!dice.chance(300)).then(|| money(&mut dice)),
            expected_close: dice
                .chance(400)
                .then(|| Day(added.day().0 + dice.below(400) as i32)),
            labels: if dice.chance(400) {
                vec![dice.below(4)]
            } else {
                Vec::new()
            },
            archived: id.is_multiple_of(ARCHIVED_LEAD_STEP),
            seen: dice.chance(700),
            source: ["Manually created", "API", "Import", "Web forms"][dice.below(4) as usize],
            added: Moment(added.0 + 213),
            updated: Moment(self.updated(Kind::Lead, id).0 + 213),
            custom: self.custom(Kind::Lead, id),
        }
    }

    pub(super) fn make_product(&self, id: u64) -> Product {
        let mut dice = self.dice(Kind::Product, id);
        let (name, code) = words::PRODUCTS[(id - 1) as usize % words::PRODUCTS.len()];
        let price = |currency, factor: i64, dice: &mut Dice| Price {
            price: Amount::cents((100 + dice.below(100_000) as i64) * factor),
            cost: Amount::cents(dice.below(100) as i64 * factor),
            currency,
        };
        let mut prices = vec![price("EUR", 1, &mut dice)];
        if dice.chance(400) {
            prices.push(price("USD", 1, &mut dice));
        }
        if dice.chance(100) {
            prices.push(price("JPY", 100, &mut dice));
        }
        Product {
            id,
            name: if id <= 10 {
                name.to_owned()
            } else {
                format!("{name} {}", id / 10)
            },
            // Codes are not unique: every seventh repeats its neighbour's, some are empty.
            code: match id % 7 {
                0 => Some(format!("{code}-X")),
                1 if dice.chance(300) => None,
                2 if dice.chance(300) => Some(String::new()),
                _ => Some(format!("{code}-{id:04}")),
            },
            description: (!dice.chance(500)).then(|| paragraphs(&mut dice, 1)),
            unit: (!dice.chance(500)).then(|| "pcs".to_owned()),
            tax_percent: [0, 6, 19, 21][dice.below(4) as usize],
            category: dice
                .chance(500)
                .then(|| (*dice.pick(words::INDUSTRIES)).to_owned()),
            owner: self.owner(&mut dice),
            prices,
            billing: ["one-time", "one-time", "monthly", "annually"][dice.below(4) as usize],
            deleted: id % 40 == 13,
            added: self.added(Kind::Product, id),
            updated: self.updated(Kind::Product, id),
            custom: self.custom(Kind::Product, id),
        }
    }

    /// Three deals in ten have one to four products on them.
    pub(super) fn make_line_items(&self, deal: u64) -> Vec<LineItem> {
        let mut dice = Dice::new(self.seed, ITEMS, deal);
        if !dice.chance(300) {
            return Vec::new();
        }
        let currency = self.make_deal_currency(deal);
        let item = |place: u64, dice: &mut Dice| {
            let product = self.make_product(1 + dice.below(self.links.counts.products));
            LineItem {
                id: deal * 8 + place,
                deal,
                product: product.id,
                name: product.name,
                price: if currency == "JPY" {
                    Amount::whole(product.prices[0].price.units)
                } else {
                    product.prices[0].price
                },
                quantity: 1 + dice.below(12),
                discount_percent: [0, 0, 0, 5, 15][dice.below(5) as usize],
                tax_percent: product.tax_percent,
                currency,
                comments: if dice.chance(100) {
                    self.short_text(dice)
                } else {
                    String::new()
                },
                order: place + 1,
                added: self.added(Kind::Deal, deal),
            }
        };
        (0..=dice.below(4))
            .map(|place| item(place, &mut dice))
            .collect()
    }

    fn make_deal_currency(&self, deal: u64) -> &'static str {
        let mut dice = self.dice(Kind::Deal, deal);
        dice.below(10);
        money(&mut dice).1
    }

    /// One deal in ten has one to three persons besides the main one.
    pub(super) fn make_participants(&self, deal: u64) -> Vec<Participant> {
        let mut dice = Dice::new(self.seed, EXTRA, deal);
        if !dice.chance(100) {
            return Vec::new();
        }
        let main = self.links.person_of_deal(deal);
        let mut persons: Vec<u64> = (0..=dice.below(3))
            .map(|_| 1 + dice.below(self.links.counts.persons))
            .collect();
        persons.sort_unstable();
        persons.dedup();
        persons.retain(|person| Some(*person) != main);
        persons
            .into_iter()
            .zip(deal * 4..)
            .map(|(person, id)| Participant { id, deal, person })
            .collect()
    }

    pub(super) fn title(&self, dice: &mut Dice, organization: Option<u64>) -> String {
        let subject = *dice.pick(words::SUBJECTS);
        match (dice.below(1000), organization) {
            (0..8, _) => (*dice.pick(words::NASTY)).to_owned(),
            (8..10, _) => format!("{subject} {}", "très long titre ".repeat(15)),
            (_, Some(id)) => format!("{subject} - {}", self.organization_name(id)),
            (_, None) => subject.to_owned(),
        }
    }

    pub(super) fn user_or_first(&self, owner: u64) -> u64 {
        if owner == DELETED_USER {
            self.users()[0].id
        } else {
            owner
        }
    }
}
