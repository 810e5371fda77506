//! Decides the activities, call logs, notes, e-mails and projects of a generated company.
//!
//! It does not decide what they hang on: the links do.

use super::custom::{address, paragraphs, phone};
use super::{CALL_LOG_STEP, Generated, NOW};
use crate::truth::dice::Dice;
use crate::truth::links::Parent;
use crate::truth::words;
use crate::truth::{
    Activity, CallLog, CallOutcome, Crm, Day, Guest, Kind, Mail, MailParty, Moment, Note, Project,
    ProjectStatus,
};

const MAILS: u64 = 401;
const CALLS: u64 = 402;

/// The records something hangs on.
#[derive(Default)]
struct Parents {
    deal: Option<u64>,
    person: Option<u64>,
    organization: Option<u64>,
    lead: Option<u64>,
    project: Option<u64>,
}

impl Generated {
    fn parents(&self, parent: Parent, all: bool) -> Parents {
        let mut parents = Parents::default();
        match parent {
            Parent::Deal(id) => {
                parents.deal = Some(id);
                parents.person = self.links.person_of_deal(id).filter(|_| all);
                parents.organization = self.links.organization_of_deal(id).filter(|_| all);
            }
            Parent::Person(id) => {
                parents.person = Some(id);
                parents.organization = self.links.organization_of_person(id).filter(|_| all);
            }
            Parent::Organization(id) => parents.organization = Some(id),
            Parent::Lead(id) => parents.lead = Some(id),
            Parent::Project(id) => parents.project = Some(id),
        }
        parents
    }

    pub(super) fn make_activity(&self, id: u64) -> Activity {
        let mut dice = self.dice(Kind::Activity, id);
        let logged = id.is_multiple_of(CALL_LOG_STEP);
        let kinds = [
            "call",
            "call",
            "meeting",
            "meeting",
            "task",
            "task",
            "task",
            "deadline",
            "email",
            "lunch",
            "site_visit",
        ];
        let kind = if logged { "call" } else { *dice.pick(&kinds) };
        let parents = self.parents(self.links.parent_of_activity(id), true);
        let (added, updated) = (
            self.added(Kind::Activity, id),
            self.updated(Kind::Activity, id),
        );
        let done = logged || dice.chance(700);
        let mut others = Vec::new();
        if parents.person.is_some() && dice.chance(100) {
            others.push(1 + dice.below(self.links.counts.persons));
            others.retain(|other| Some(*other) != parents.person);
        }
        Activity {
            id,
            subject: match dice.below(100) {
                0 => String::new(),
                1 => (*dice.pick(words::NASTY)).to_owned(),
                _ => format!("{kind}: {}", *dice.pick(words::SUBJECTS)),
            },
            kind,
            owner: if logged {
                self.company().token_user
            } else {
                self.owner(&mut dice)
            },
            deal: parents.deal,
            lead: parents.lead,
            person: parents.person,
            organization: parents.organization,
            project: parents.project,
            due_day: Day(added.day().0 + dice.below(300) as i32),
            due_time: (!dice.chance(300)).then(|| dice.below(96) as u32 * 900),
            duration: (!dice.chance(400)).then(|| 900 * (1 + dice.below(16) as u32)),
            busy: dice.chance(500),
            done: done.then_some(updated),
            location: (kind != "call" && dice.chance(200)).then(|| address(&mut dice)),
            others,
            guests: guests(&mut dice, kind, id),
            note: (!dice.chance(500)).then(|| {
                if dice.chance(100) {
                    String::new()
                } else {
                    paragraphs(&mut dice, 2)
                }
            }),
            description: if dice.chance(100) {
                self.short_text(&mut dice)
            } else {
                String::new()
            },
            deleted: !logged && id % 70 == 11,
            added,
            updated,
        }
    }

    pub(super) fn make_call_log(&self, id: u64) -> CallLog {
        let activity = self.make_activity(id * CALL_LOG_STEP);
        let mut dice = Dice::new(self.seed, CALLS, id);
        let outcomes = [
            CallOutcome::Connected,
            CallOutcome::NoAnswer,
            CallOutcome::LeftMessage,
            CallOutcome::Busy,
        ];
        let outcome = *dice.pick(&outcomes);
        let seconds = if outcome == CallOutcome::Connected {
            dice.below(3600) as u32
        } else {
            0
        };
        CallLog {
            id,
            outcome,
            from: phone(&mut dice),
            to: phone(&mut dice),
            start: activity.added,
            seconds,
            activity,
        }
    }

    pub(super) fn make_note(&self, id: u64) -> Note {
        let mut dice = self.dice(Kind::Note, id);
        let parents = self.parents(self.links.parent_of_note(id), dice.chance(400));
        let html = match id % 997 {
            0 => huge(&mut dice),
            1..20 => format!("<script>alert({id})</script>{}", *dice.pick(words::NASTY)),
            _ => paragraphs(&mut dice, 4),
        };
        Note {
            id,
            html,
            author: self.owner(&mut dice),
            deal: parents.deal,
            person: parents.person,
            organization: parents.organization,
            lead: parents.lead,
            project: parents.project,
            pinned: dice.chance(50),
            added: self.added(Kind::Note, id),
            updated: self.updated(Kind::Note, id),
        }
    }

    /// Every 50th deal has one to three e-mails with its person, alternately to and from.
    pub(super) fn make_mails(&self, deal: u64) -> Vec<Mail> {
        let Some(person) = self
            .links
            .person_of_deal(deal)
            .filter(|_| self.links.has_mail(deal))
        else {
            return Vec::new();
        };
        let mut dice = Dice::new(self.seed, MAILS, deal);
        let owner = self.make_deal(deal).owner;
        let user = &self.users()[(self.user_or_first(owner) - 1001) as usize];
        let us = MailParty {
            email: user.email.clone(),
            name: user.name.clone(),
            person: None,
        };
        let them = MailParty {
            email: self.person_email(person),
            name: self.person_name(person),
            person: Some(person),
        };
        let subject = format!("Re: {}", *dice.pick(words::SUBJECTS));
        let mail = |place: u64, dice: &mut Dice| {
            let outgoing = place.is_multiple_of(2);
            let (from, to) = if outgoing { (&us, &them) } else { (&them, &us) };
            Mail {
                id: deal * 4 + place,
                thread: deal,
                user: user.id,
                deal,
                person,
                from: from.clone(),
                to: to.clone(),
                subject: subject.clone(),
                body: format!("<html><body>{}</body></html>", paragraphs(dice, 3)),
                outgoing,
                sent: Moment(self.added(Kind::Deal, deal).0 + (place as i64 + 1) * 5_000_000),
            }
        };
        (0..=dice.below(3))
            .map(|place| mail(place, &mut dice))
            .collect()
    }

    pub(super) fn make_project(&self, id: u64) -> Project {
        let mut dice = self.dice(Kind::Project, id);
        let counts = self.links.counts;
        let phase = &self.phases()[dice.below(5) as usize];
        let deal = (!dice.chance(200)).then(|| 1 + dice.below(counts.deals));
        let person = deal.and_then(|deal| self.links.person_of_deal(deal));
        let organization = deal.and_then(|deal| self.links.organization_of_deal(deal));
        let added = self.added(Kind::Project, id);
        let start = (!dice.chance(200)).then(|| added.day());
        Project {
            id,
            title: format!("{} rollout {id}", self.title(&mut dice, organization)),
            description: (!dice.chance(300)).then(|| {
                if dice.chance(200) {
                    String::new()
                } else {
                    paragraphs(&mut dice, 2)
                }
            }),
            status: match dice.below(20) {
                0..11 => ProjectStatus::Open,
                11..17 => ProjectStatus::Completed,
                17..19 => ProjectStatus::Canceled,
                _ => ProjectStatus::Deleted,
            },
            board: phase.board,
            phase: phase.id,
            owner: self.owner(&mut dice),
            start,
            end: start
                .filter(|_| dice.chance(700))
                .map(|day| Day(day.0 + dice.below(300) as i32)),
            deals: deal.into_iter().collect(),
            persons: person.into_iter().collect(),
            organizations: organization.into_iter().collect(),
            archived: id % 12 == 5,
            added,
            updated: self.updated(Kind::Project, id).min(NOW),
            custom: self.custom(Kind::Project, id),
        }
    }
}

/// Some meetings have a guest from outside.
fn guests(dice: &mut Dice, kind: &str, id: u64) -> Vec<Guest> {
    if kind != "meeting" || !dice.chance(300) {
        return Vec::new();
    }
    vec![Guest {
        email: format!("guest{id}@visitor.example"),
        name: dice.pick(words::FIRST).0.to_owned(),
    }]
}

/// A pasted mail thread of some 60 KB.
fn huge(dice: &mut Dice) -> String {
    let mut text = String::with_capacity(62_000);
    while text.len() < 60_000 {
        text.push_str("<blockquote>");
        text.push_str(&paragraphs(dice, 6));
        text.push_str("</blockquote>");
    }
    text
}
