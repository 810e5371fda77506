//! Reads the CSV folder of the CRM sample as a company's truth, dirt kept as it is.
//!
//! It invents no persons, leads, activities or notes: the sample has none.
//!
//! * accounts are organizations; sector, year, revenue (millions) and parent are custom values, office and employees
//!   are standard ones;
//! * opportunities are deals of one pipeline with the stages Prospecting and Engaging. Won and Lost are no stages but
//!   statuses; closed deals stand in Engaging, the last stage anything was seen in;
//! * the worth of a deal that is not closed is told as 0, as the vendor keeps it, and the custom value stays empty;
//! * a product that the catalogue does not have is sold under a number that no product has.

mod rows;

mod told;

use crate::truth::{
    Activity, ActivityKind, Board, CallLog, Company, Crm, Currency, Deal, FieldDef, FieldKind,
    Kind, Label, Lead, LineItem, Mail, Moment, Note, Organization, Participant, Person, Phase,
    Pipeline, Product, Project, SourceError, Stage, User,
};
use rows::{Account, Agent, Opportunity, Row, read};
use std::path::Path;
use told::{
    ENGAGING, FIRST_USER, PROSPECTING, company, deal, deal_fields, field, line_item,
    organization_fields, organizations, products, stage, user,
};

/// The sample as a company.
#[derive(Debug)]
pub struct CrmSample {
    company: Company,
    users: Vec<User>,
    pipelines: Vec<Pipeline>,
    stages: Vec<Stage>,
    organization_fields: Vec<FieldDef>,
    deal_fields: Vec<FieldDef>,
    product_fields: Vec<FieldDef>,
    organizations: Vec<Organization>,
    products: Vec<Product>,
    deals: Vec<Deal>,
    line_items: Vec<LineItem>,
    /// Places of deals by when they were made, and by when they last changed.
    by_add: Vec<u64>,
    by_update: Vec<u64>,
}

const CURRENCIES: &[Currency] = &[Currency {
    code: "USD",
    name: "US Dollar",
    symbol: "$",
    decimals: 2,
}];

const ACTIVITY_KINDS: &[ActivityKind] = &[
    ActivityKind {
        id: 1,
        key: "call",
        name: "Call",
        custom: false,
    },
    ActivityKind {
        id: 2,
        key: "meeting",
        name: "Meeting",
        custom: false,
    },
    ActivityKind {
        id: 3,
        key: "task",
        name: "Task",
        custom: false,
    },
];

impl CrmSample {
    /// Reads `accounts.csv`, `products.csv`, `sales_teams.csv` and `sales_pipeline.csv` of a folder.
    ///
    /// # Errors
    ///
    /// [`SourceError::Csv`] where a file is missing or no CSV, [`SourceError::Row`] where a row has an unknown stage, a
    /// number that is none, or names an agent or account that does not exist.
    pub fn read(folder: &Path) -> Result<Self, SourceError> {
        let accounts: Vec<Account> = read(folder, "accounts.csv")?;
        let catalogue: Vec<rows::Product> = read(folder, "products.csv")?;
        let agents: Vec<Agent> = read(folder, "sales_teams.csv")?;
        let opportunities: Vec<Opportunity> = read(folder, "sales_pipeline.csv")?;
        let organization_fields = organization_fields(&accounts);
        let deal_fields = deal_fields(&agents);
        let organizations = organizations(&accounts, &organization_fields)?;
        let products = products(&catalogue)?;
        let mut deals = Vec::with_capacity(opportunities.len());
        let mut line_items = Vec::with_capacity(opportunities.len());
        for (place, opportunity) in opportunities.iter().enumerate() {
            let row = Row {
                file: "sales_pipeline.csv",
                number: place as u64 + 1,
            };
            let deal = deal(&row, opportunity, &agents, &organizations, &deal_fields)?;
            line_items.push(line_item(&deal, opportunity, &products));
            deals.push(deal);
        }
        let ordered = |key: fn(&Deal) -> Moment| {
            let mut ids: Vec<u64> = deals.iter().map(|deal| deal.id).collect();
            ids.sort_by_key(|id| (key(&deals[*id as usize - 1]), *id));
            ids
        };
        Ok(Self {
            company: company(),
            users: agents
                .iter()
                .zip(FIRST_USER..)
                .map(|(agent, id)| user(agent, id))
                .collect(),
            pipelines: vec![Pipeline {
                id: 1,
                name: "Sales pipeline".to_owned(),
                probabilities: false,
            }],
            stages: vec![
                stage(PROSPECTING, "Prospecting"),
                stage(ENGAGING, "Engaging"),
            ],
            organization_fields,
            deal_fields,
            product_fields: vec![field("Series", FieldKind::Text, 9300, &[])],
            organizations,
            products,
            by_add: ordered(|deal| deal.added),
            by_update: ordered(|deal| deal.updated),
            deals,
            line_items,
        })
    }
}

fn at<T: Clone>(records: &[T], id: u64) -> Option<T> {
    records
        .get(usize::try_from(id).ok()?.checked_sub(1)?)
        .cloned()
}

impl Crm for CrmSample {
    fn company(&self) -> &Company {
        &self.company
    }

    fn users(&self) -> &[User] {
        &self.users
    }

    fn currencies(&self) -> &[Currency] {
        CURRENCIES
    }

    fn pipelines(&self) -> &[Pipeline] {
        &self.pipelines
    }

    fn stages(&self) -> &[Stage] {
        &self.stages
    }

    fn activity_kinds(&self) -> &[ActivityKind] {
        ACTIVITY_KINDS
    }

    fn labels(&self, _kind: Kind) -> &[Label] {
        &[]
    }

    fn boards(&self) -> &[Board] {
        &[]
    }

    fn phases(&self) -> &[Phase] {
        &[]
    }

    fn fields(&self, kind: Kind) -> &[FieldDef] {
        match kind {
            Kind::Organization => &self.organization_fields,
            Kind::Deal | Kind::Lead => &self.deal_fields,
            Kind::Product => &self.product_fields,
            _ => &[],
        }
    }

    fn count(&self, kind: Kind) -> u64 {
        let count = match kind {
            Kind::Organization => self.organizations.len(),
            Kind::Deal => self.deals.len(),
            Kind::Product => self.products.len(),
            Kind::User => self.users.len(),
            _ => 0,
        };
        count as u64
    }

    fn by_update(&self, kind: Kind, rank: u64) -> u64 {
        if kind == Kind::Deal {
            self.by_update[rank as usize]
        } else {
            rank + 1
        }
    }

    fn by_add(&self, kind: Kind, rank: u64) -> u64 {
        if kind == Kind::Deal {
            self.by_add[rank as usize]
        } else {
            rank + 1
        }
    }

    fn organization(&self, id: u64) -> Option<Organization> {
        at(&self.organizations, id)
    }

    fn person(&self, _id: u64) -> Option<Person> {
        None
    }

    fn deal(&self, id: u64) -> Option<Deal> {
        at(&self.deals, id)
    }

    fn lead(&self, _id: u64) -> Option<Lead> {
        None
    }

    fn activity(&self, _id: u64) -> Option<Activity> {
        None
    }

    fn note(&self, _id: u64) -> Option<Note> {
        None
    }

    fn product(&self, id: u64) -> Option<Product> {
        at(&self.products, id)
    }

    fn project(&self, _id: u64) -> Option<Project> {
        None
    }

    fn call_log(&self, _id: u64) -> Option<CallLog> {
        None
    }

    fn line_items(&self, deal: u64) -> Vec<LineItem> {
        at(&self.line_items, deal).into_iter().collect()
    }

    fn participants(&self, _deal: u64) -> Vec<Participant> {
        Vec::new()
    }

    fn deal_mails(&self, _deal: u64) -> Vec<Mail> {
        Vec::new()
    }

    fn mail(&self, _id: u64) -> Option<Mail> {
        None
    }

    fn deals_of_person(&self, _person: u64) -> Vec<u64> {
        Vec::new()
    }

    fn mail_deals_of_organization(&self, _organization: u64) -> Vec<u64> {
        Vec::new()
    }

    fn mail_deals(&self) -> Vec<u64> {
        Vec::new()
    }

    fn activities_of_deal(&self, _deal: u64) -> Vec<u64> {
        Vec::new()
    }

    fn notes_of_deal(&self, _deal: u64) -> Vec<u64> {
        Vec::new()
    }

    fn persons_of_organization(&self, _organization: u64) -> Vec<u64> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
