//! Decides who the organizations and persons of a generated company are, duplicates and dirty spellings included.
//!
//! It does not decide who belongs to whom: the links do.

use super::Generated;
use super::custom::{address, phone};
use crate::truth::dice::Dice;
use crate::truth::words::{self, shout};
use crate::truth::{Amount, Contact, Day, Kind, Organization, Person};

const NAMING: u64 = 201;
const TWINS: u64 = 202;

/// Who somebody is, before dirt.
struct Identity {
    first: &'static str,
    last: &'static str,
    email: String,
}

impl Generated {
    pub(super) fn make_organization(&self, id: u64) -> Organization {
        let mut dice = self.dice(Kind::Organization, id);
        let twin = self.twin(Kind::Organization, id, 50);
        let like = twin.unwrap_or(id);
        let name = self.organization_name(like);
        let legal = Dice::new(self.seed, NAMING, id)
            .pick(words::LEGAL)
            .to_string();
        let name = match twin {
            Some(_) if dice.chance(500) => format!("{}{}", shout(&name), legal.to_uppercase()),
            _ if dice.chance(8) => format!("{} {}", *dice.pick(words::NASTY), id),
            _ => format!("{name}{legal}"),
        };
        let domain = self.domain(like);
        let website = match dice.below(10) {
            0 => None,
            1 => Some(String::new()),
            2 => Some(domain),
            3 => Some(format!("HTTP://WWW.{}", shout(&domain))),
            4 => Some(format!("www.{domain}/")),
            _ => Some(format!("https://www.{domain}/en?utm=1")),
        };
        Organization {
            id,
            name,
            owner: self.owner(&mut dice),
            address: (!dice.chance(250)).then(|| address(&mut dice)),
            website,
            linkedin: dice
                .chance(300)
                .then(|| format!("https://www.linkedin.com/company/{id}")),
            industry: (!dice.chance(300)).then(|| (*dice.pick(words::INDUSTRIES)).to_owned()),
            annual_revenue: (!dice.chance(500))
                .then(|| Amount::cents(dice.below(1_000_000_000) as i64)),
            employees: (!dice.chance(400)).then(|| dice.below(5000)),
            labels: self.label_ids(&mut dice, Kind::Organization),
            visibility: [3, 3, 3, 1, 5, 7][dice.below(6) as usize],
            deleted: id % 90 == 17,
            duplicate_of: twin,
            added: self.added(Kind::Organization, id),
            updated: self.updated(Kind::Organization, id),
            custom: self.custom(Kind::Organization, id),
        }
    }

    pub(super) fn make_person(&self, id: u64) -> Person {
        let mut dice = self.dice(Kind::Person, id);
        let twin = self.twin(Kind::Person, id, 30);
        let who = self.identity(twin.unwrap_or(id));
        let name = match dice.below(1000) {
            0..6 => (*dice.pick(words::NASTY)).to_owned(),
            6..8 => format!("{} {}", who.first, "von und zu ".repeat(30)),
            8..18 => shout(&format!("{} {}", who.first, who.last)),
            _ => format!("{} {}", who.first, who.last),
        };
        let only_one_name = dice.chance(20);
        Person {
            id,
            name,
            first_name: who.first.to_owned(),
            last_name: if only_one_name {
                String::new()
            } else {
                who.last.to_owned()
            },
            owner: self.owner(&mut dice),
            organization: self.links.organization_of_person(id),
            emails: emails(&mut dice, who.email, twin),
            phones: phones(&mut dice),
            job_title: (!dice.chance(400)).then(|| (*dice.pick(words::JOBS)).to_owned()),
            birthday: dice
                .chance(100)
                .then(|| Day(Day::of(1950, 1, 1).0 + dice.below(18_000) as i32)),
            labels: self.label_ids(&mut dice, Kind::Person),
            visibility: [3, 3, 3, 1, 5, 7][dice.below(6) as usize],
            deleted: id % 110 == 23,
            duplicate_of: twin,
            added: self.added(Kind::Person, id),
            updated: self.updated(Kind::Person, id),
            custom: self.custom(Kind::Person, id),
        }
    }

    pub(super) fn person_name(&self, id: u64) -> String {
        let who = self.identity(id);
        format!("{} {}", who.first, who.last)
    }

    pub(super) fn person_email(&self, id: u64) -> String {
        self.identity(id).email
    }

    pub(super) fn organization_name(&self, id: u64) -> String {
        let core = self.naming(Kind::Organization, id).pick(words::COMPANY).0;
        format!("{core} {}", id % 9973)
    }

    /// The record that this one repeats; never one that repeats another itself.
    fn twin(&self, kind: Kind, id: u64, per_mille: u64) -> Option<u64> {
        let roll = |id: u64| {
            let mut dice = Dice::new(self.seed ^ kind as u64, TWINS, id);
            (id > 10 && dice.chance(per_mille)).then(|| 1 + dice.below(id - 1))
        };
        roll(id).filter(|original| roll(*original).is_none())
    }

    fn naming(&self, kind: Kind, id: u64) -> Dice {
        Dice::new(self.seed ^ kind as u64, NAMING, id)
    }

    fn identity(&self, id: u64) -> Identity {
        let mut dice = self.naming(Kind::Person, id);
        let (first, first_ascii) = *dice.pick(words::FIRST);
        let (last, last_ascii) = *dice.pick(words::LAST);
        let domain = match self.links.organization_of_person(id) {
            Some(organization) if dice.chance(850) => self.domain(organization),
            _ => "freemail.example".to_owned(),
        };
        let email = match dice.below(100) {
            0..5 => format!("info@{domain}"),
            _ => format!("{first_ascii}.{last_ascii}.{id}@{domain}"),
        };
        Identity { first, last, email }
    }

    fn domain(&self, organization: u64) -> String {
        let core = self
            .naming(Kind::Organization, organization)
            .pick(words::COMPANY)
            .1;
        // Some organizations share a domain with their neighbour: subsidiaries of one group.
        let number = if organization % 25 == 1 && organization > 1 {
            0
        } else {
            organization
        };
        if number == 0 {
            format!("{core}-group.example")
        } else {
            format!("{core}{number}.example")
        }
    }
}

fn emails(dice: &mut Dice, email: String, twin: Option<u64>) -> Vec<Contact> {
    let work = |value| Contact {
        value,
        label: "work",
    };
    let value = match dice.below(100) {
        0..10 if twin.is_none() => return Vec::new(),
        10..12 if twin.is_none() => return vec![work(String::new())],
        12..16 => format!(" {email} "),
        _ if twin.is_some() || dice.chance(30) => shout(&email),
        _ => email.clone(),
    };
    let mut all = vec![work(value)];
    if dice.chance(150) {
        all.push(Contact {
            value: format!("private.{email}"),
            label: "home",
        });
    }
    all
}

fn phones(dice: &mut Dice) -> Vec<Contact> {
    match dice.below(10) {
        0..3 => Vec::new(),
        3 => vec![Contact {
            value: String::new(),
            label: "work",
        }],
        4 => vec![
            Contact {
                value: phone(dice),
                label: "work",
            },
            Contact {
                value: phone(dice),
                label: "mobile",
            },
        ],
        _ => vec![Contact {
            value: phone(dice),
            label: "mobile",
        }],
    }
}
