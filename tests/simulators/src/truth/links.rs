//! Decides which generated records belong together, so that each link can be followed from both ends without a table.
//!
//! It knows numbers only; what the records say is the generator's.

use super::dice::{Dice, Shuffle, mix};

/// How many there are of each kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) persons: u64,
    pub(crate) organizations: u64,
    pub(crate) deals: u64,
    pub(crate) leads: u64,
    pub(crate) activities: u64,
    pub(crate) notes: u64,
    pub(crate) products: u64,
    pub(crate) projects: u64,
}

impl Counts {
    pub(crate) fn of(records: u64) -> Self {
        let share = |part: u64| {
            if records == 0 {
                0
            } else {
                (records / part).max(1)
            }
        };
        Self {
            persons: records,
            organizations: share(4),
            deals: share(2),
            leads: share(10),
            activities: records,
            notes: share(2),
            products: (records / 500).clamp(20, 200),
            projects: share(100),
        }
    }
}

/// Every 50th deal has e-mails, with the person whose number is a 50th of its own.
const MAIL_STEP: u64 = 50;

const PERSON_DEAL: u64 = 101;
const ORGANIZATION_DEAL: u64 = 102;
const PERSON_ORGANIZATION: u64 = 103;

/// The links of one generated company.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    seed: u64,
    pub(crate) counts: Counts,
    persons: Shuffle,
    deals: Shuffle,
    activities: Shuffle,
    notes: Shuffle,
}

/// What an activity or a note hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent {
    Deal(u64),
    Person(u64),
    Organization(u64),
    Lead(u64),
    Project(u64),
}

impl Links {
    pub(crate) fn new(seed: u64, counts: Counts) -> Self {
        let shuffle = |len, topic| Shuffle::new(len, mix(seed ^ topic));
        Self {
            seed,
            counts,
            persons: shuffle(counts.persons, 11),
            deals: shuffle(counts.deals, 12),
            activities: shuffle(counts.activities, 13),
            notes: shuffle(counts.notes, 14),
        }
    }

    /// The organization of a person; 12 % have none.
    pub(crate) fn organization_of_person(&self, person: u64) -> Option<u64> {
        if Dice::new(self.seed, PERSON_ORGANIZATION, person).chance(120) {
            return None;
        }
        Some(self.persons.forward(person - 1) % self.counts.organizations + 1)
    }

    /// The persons of an organization, in ascending order.
    pub(crate) fn persons_of_organization(&self, organization: u64) -> Vec<u64> {
        let places =
            (organization - 1..self.counts.persons).step_by(self.counts.organizations as usize);
        sorted(
            places
                .map(|place| self.persons.back(place) + 1)
                .filter(|id| self.organization_of_person(*id).is_some()),
        )
    }

    /// Whether a deal has e-mails.
    pub(crate) fn has_mail(&self, deal: u64) -> bool {
        deal.is_multiple_of(MAIL_STEP)
    }

    /// The main person of a deal; some have none, and a third of the persons share all deals.
    pub(crate) fn person_of_deal(&self, deal: u64) -> Option<u64> {
        if self.has_mail(deal) {
            return Some(deal / MAIL_STEP);
        }
        if Dice::new(self.seed, PERSON_DEAL, deal).chance(100) {
            return None;
        }
        Some(self.deals.forward(deal - 1) % self.buyers() + 1)
    }

    /// Deals that a person is the main person of, in ascending order.
    pub(crate) fn deals_of_person(&self, person: u64) -> Vec<u64> {
        let places = (person - 1..self.counts.deals).step_by(self.buyers() as usize);
        let places = if person <= self.buyers() {
            Some(places)
        } else {
            None
        };
        let shared = places
            .into_iter()
            .flatten()
            .map(|place| self.deals.back(place) + 1);
        let all = shared
            .filter(|deal| !self.has_mail(*deal))
            .chain(self.mail_deal_of_person(person));
        sorted(all.filter(|deal| self.person_of_deal(*deal) == Some(person)))
    }

    fn mail_deal_of_person(&self, person: u64) -> Option<u64> {
        Some(person * MAIL_STEP).filter(|deal| *deal <= self.counts.deals)
    }

    /// Deals of an organization that have e-mails.
    pub(crate) fn mail_deals_of_organization(&self, organization: u64) -> Vec<u64> {
        self.persons_of_organization(organization)
            .into_iter()
            .filter_map(|p| self.mail_deal_of_person(p))
            .collect()
    }

    /// The organization of a deal: mostly the person's own.
    pub(crate) fn organization_of_deal(&self, deal: u64) -> Option<u64> {
        let own = self
            .person_of_deal(deal)
            .and_then(|person| self.organization_of_person(person));
        let mut dice = Dice::new(self.seed, ORGANIZATION_DEAL, deal);
        if self.has_mail(deal) || dice.chance(850) {
            return own;
        }
        dice.chance(700)
            .then(|| dice.below(self.counts.organizations) + 1)
    }

    /// What an activity hangs on.
    pub(crate) fn parent_of_activity(&self, activity: u64) -> Parent {
        let place = self.activities.forward(activity - 1);
        self.parent(activity, place, [6, 8, 9])
    }

    /// What a note hangs on first.
    pub(crate) fn parent_of_note(&self, note: u64) -> Parent {
        let place = self.notes.forward(note - 1);
        self.parent(note, place, [5, 7, 8])
    }

    fn parent(&self, id: u64, place: u64, [deal, person, lead]: [u64; 3]) -> Parent {
        match id % 10 {
            mode if mode < deal => Parent::Deal(place % self.counts.deals + 1),
            mode if mode < person => Parent::Person(place % self.counts.persons + 1),
            mode if mode < lead => Parent::Lead(place % self.counts.leads + 1),
            _ if id.is_multiple_of(3) => Parent::Project(place % self.counts.projects + 1),
            _ => Parent::Organization(place % self.counts.organizations + 1),
        }
    }

    /// Activities that hang on a deal, in ascending order.
    pub(crate) fn activities_of_deal(&self, deal: u64) -> Vec<u64> {
        let places = (deal - 1..self.counts.activities).step_by(self.counts.deals as usize);
        let all = places.map(|place| self.activities.back(place) + 1);
        sorted(all.filter(|id| self.parent_of_activity(*id) == Parent::Deal(deal)))
    }

    /// Notes that hang on a deal, in ascending order.
    pub(crate) fn notes_of_deal(&self, deal: u64) -> Vec<u64> {
        let places = (deal - 1..self.counts.notes).step_by(self.counts.deals as usize);
        let all = places.map(|place| self.notes.back(place) + 1);
        sorted(all.filter(|id| self.parent_of_note(*id) == Parent::Deal(deal)))
    }

    fn buyers(&self) -> u64 {
        (self.counts.persons / 3).max(1)
    }
}

fn sorted(ids: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut ids: Vec<u64> = ids.collect();
    ids.sort_unstable();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_the_same_from_both_ends() {
        let links = Links::new(5, Counts::of(900));
        for person in 1..=900 {
            let deals = (1..=450).filter(|deal| links.person_of_deal(*deal) == Some(person));
            assert_eq!(links.deals_of_person(person), deals.collect::<Vec<_>>());
        }
        for organization in 1..=225 {
            let persons =
                (1..=900).filter(|id| links.organization_of_person(*id) == Some(organization));
            assert_eq!(
                links.persons_of_organization(organization),
                persons.collect::<Vec<_>>()
            );
        }
        for deal in 1..=450 {
            let on = |id: &u64| links.parent_of_activity(*id) == Parent::Deal(deal);
            assert_eq!(
                links.activities_of_deal(deal),
                (1..=900).filter(on).collect::<Vec<_>>()
            );
            let on = |id: &u64| links.parent_of_note(*id) == Parent::Deal(deal);
            assert_eq!(
                links.notes_of_deal(deal),
                (1..=450).filter(on).collect::<Vec<_>>()
            );
        }
    }
}
