//! Decides which endpoint a path is, what a call of it costs, and which scopes open it.
//!
//! Only reading is simulated; other methods are refused by the vendor's 405.

use super::account::Account;
use super::call::{Call, Generation, Refusal};
use super::{
    activities, deals, fields, leads, line_items, mail, notes, organizations, persons, products,
    projects, settings,
};
use crate::truth::Kind;

type Answer = fn(&Account, &Call) -> Result<Vec<u8>, Refusal>;

/// One endpoint.
pub(super) struct Route {
    pub(super) generation: Generation,
    /// Parts of the path; `{}` is open, `{fields}` is open and must be a list of fields.
    pub(super) pattern: &'static str,
    /// Tokens of the daily budget.
    pub(super) cost: u64,
    /// Any one of them is enough.
    pub(super) scopes: &'static [&'static str],
    /// The kind of record that colleagues may edit while this list is read.
    pub(super) edited: Option<Kind>,
    pub(super) answer: Answer,
}

const DEALS: &[&str] = &["deals:read", "deals:full"];
const PIPELINES: &[&str] = &["deals:read", "deals:full", "admin"];
const CONTACTS: &[&str] = &["contacts:read", "contacts:full"];
const ACTIVITIES: &[&str] = &["activities:read", "activities:full"];
const ACTIVITY_KINDS: &[&str] = &["activities:read", "activities:full", "admin"];
const PRODUCTS: &[&str] = &["products:read", "products:full"];
const DEAL_PRODUCTS: &[&str] = &["products:read", "products:full", "deals:read", "deals:full"];
const PROJECTS: &[&str] = &["projects:read", "projects:full"];
const LEADS: &[&str] = &["leads:read", "leads:full"];
const NOTES: &[&str] = &["deals:read", "deals:full", "contacts:read", "contacts:full"];
const MAIL: &[&str] = &["mail:read", "mail:full"];
const USERS: &[&str] = &["users:read"];
const BASE: &[&str] = &["base"];
const PHONE: &[&str] = &["phone-integration"];
const FILES: &[&str] = &[
    "deals:read",
    "deals:full",
    "activities:read",
    "activities:full",
    "contacts:read",
    "contacts:full",
];
/// Any scope that opens some list of fields.
const FIELDS: &[&str] = &[
    "deals:read",
    "deals:full",
    "contacts:read",
    "contacts:full",
    "products:read",
    "products:full",
    "projects:read",
    "projects:full",
    "admin",
    "deal-fields:full",
    "contact-fields:full",
    "product-fields:full",
    "project-fields:full",
];

const fn v2(
    pattern: &'static str,
    cost: u64,
    scopes: &'static [&'static str],
    answer: Answer,
) -> Route {
    Route {
        generation: Generation::V2,
        pattern,
        cost,
        scopes,
        edited: None,
        answer,
    }
}

const fn v1(
    pattern: &'static str,
    cost: u64,
    scopes: &'static [&'static str],
    answer: Answer,
) -> Route {
    Route {
        generation: Generation::V1,
        pattern,
        cost,
        scopes,
        edited: None,
        answer,
    }
}

const fn edited(kind: Kind, route: Route) -> Route {
    Route {
        edited: Some(kind),
        ..route
    }
}

const ROUTES: &[Route] = &[
    edited(Kind::Deal, v2("deals", 10, DEALS, deals::list)),
    edited(Kind::Deal, v2("deals/archived", 20, DEALS, deals::archived)),
    v2("deals/products", 10, DEAL_PRODUCTS, line_items::of_deals),
    v2("deals/{}", 1, DEALS, deals::get),
    v2("deals/{}/products", 10, DEAL_PRODUCTS, line_items::of_deal),
    edited(Kind::Person, v2("persons", 10, CONTACTS, persons::list)),
    v2("persons/{}", 1, CONTACTS, persons::get),
    edited(
        Kind::Organization,
        v2("organizations", 10, CONTACTS, organizations::list),
    ),
    v2("organizations/{}", 1, CONTACTS, organizations::get),
    edited(
        Kind::Activity,
        v2("activities", 10, ACTIVITIES, activities::list),
    ),
    v2("activities/{}", 1, ACTIVITIES, activities::get),
    v2("products", 10, PRODUCTS, products::list),
    v2("products/{}", 1, PRODUCTS, products::get),
    v2("pipelines", 5, PIPELINES, settings::pipelines),
    v2("pipelines/{}", 1, PIPELINES, settings::pipeline),
    v2("stages", 5, PIPELINES, settings::stages),
    v2("stages/{}", 1, PIPELINES, settings::stage),
    v2("projects", 10, PROJECTS, projects::list),
    v2("projects/archived", 10, PROJECTS, projects::archived),
    v2("projects/{}", 1, PROJECTS, projects::get),
    v2("boards", 10, PROJECTS, projects::boards),
    v2("phases", 10, PROJECTS, projects::phases),
    v2("{fields}", 10, FIELDS, fields::list),
    v2("{fields}/{}", 1, FIELDS, fields::get),
    v1("leads", 20, LEADS, leads::list),
    v1("leads/archived", 40, LEADS, leads::archived),
    v1("leads/{}", 2, LEADS, leads::get),
    v1("leadLabels", 10, LEADS, leads::labels),
    v1("leadSources", 2, LEADS, leads::sources),
    v1("leadFields", 20, LEADS, fields::of_leads),
    v1("notes", 20, NOTES, notes::list),
    v1("notes/{}", 2, NOTES, notes::get),
    v1("notes/{}/comments", 20, NOTES, notes::comments),
    v1("users", 20, USERS, settings::users),
    v1("users/me", 2, BASE, settings::me),
    v1("users/{}", 2, USERS, settings::user),
    v1("currencies", 20, BASE, settings::currencies),
    v1("activityTypes", 20, ACTIVITY_KINDS, activities::kinds),
    v1("callLogs", 20, PHONE, activities::call_logs),
    v1("callLogs/{}", 2, PHONE, activities::call_log),
    v1("deals/{}/mailMessages", 20, MAIL, mail::of_deal),
    v1("persons/{}/mailMessages", 20, MAIL, mail::of_person),
    v1(
        "organizations/{}/mailMessages",
        20,
        MAIL,
        mail::of_organization,
    ),
    v1("mailbox/mailMessages/{}", 2, MAIL, mail::get),
    v1("mailbox/mailThreads", 20, MAIL, mail::threads),
    v1("mailbox/mailThreads/{}", 2, MAIL, mail::thread),
    v1(
        "mailbox/mailThreads/{}/mailMessages",
        20,
        MAIL,
        mail::thread_mails,
    ),
    v1("deals/{}/participants", 10, DEALS, deals::participants),
    v1("files", 20, FILES, notes::nothing),
];

/// First parts of the first generation's paths that were retired, where no endpoint above remains.
const RETIRED: &[&str] = &[
    "deals",
    "persons",
    "organizations",
    "activities",
    "products",
    "pipelines",
    "stages",
    "dealFields",
    "personFields",
    "organizationFields",
    "productFields",
    "activityFields",
    "itemSearch",
];

/// What a path leads to.
pub(super) enum Found {
    Route(&'static Route, Vec<String>),
    Retired,
    Unknown,
}

/// The endpoint of a path below the generation's root, such as `deals/12/products`.
pub(super) fn find(generation: Generation, path: &str) -> Found {
    let parts: Vec<&str> = path.split('/').collect();
    for route in ROUTES.iter().filter(|route| route.generation == generation) {
        if let Some(open) = matched(route.pattern, &parts) {
            return Found::Route(route, open);
        }
    }
    let retired =
        generation == Generation::V1 && parts.first().is_some_and(|first| RETIRED.contains(first));
    if retired {
        Found::Retired
    } else {
        Found::Unknown
    }
}

fn matched(pattern: &str, parts: &[&str]) -> Option<Vec<String>> {
    let mut open = Vec::new();
    let mut rest = parts.iter();
    for wanted in pattern.split('/') {
        let part = rest.next()?;
        match wanted {
            "{}" => open.push((*part).to_owned()),
            "{fields}" if part.ends_with("Fields") => open.push((*part).to_owned()),
            _ if wanted == *part => (),
            _ => return None,
        }
    }
    rest.next().is_none().then_some(open)
}
