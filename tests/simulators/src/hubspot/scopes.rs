//! Decides which scopes a call needs.
//!
//! Whether a token has them is decided with the tokens.

use super::answer::Failure;
use super::call::Method;
use super::objects::ObjectType;
use serde_json::json;

/// What a call does with what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// The scopes that a call needs, all of them. `path` is without versions, such as `["crm", "objects", "contacts", "5"]`; `kind` knows
/// which kind of record a word means.
pub(super) fn required_scopes(
    method: Method,
    path: &[&str],
    kind: &dyn Fn(&str) -> Option<ObjectType>,
) -> Vec<&'static str> {
    let access = access(method, path);
    let objects = |words: &[&str], family| {
        let kinds = words.iter().filter_map(|word| kind(word));
        let mut scopes: Vec<_> = kinds.map(|object| scope(object, family, access)).collect();
        scopes.dedup();
        scopes
    };
    match path {
        ["crm", "objects", from, _, "associations", "default", to, ..]
        | ["crm", "objects", from, _, "associations", to, ..]
        | [
            "crm",
            "associations",
            "definitions",
            "configurations",
            from,
            to,
            ..,
        ]
        | ["crm", "associations", from, to, ..] => objects(&[*from, *to], Family::Objects),
        ["crm", "objects", word, ..] => objects(&[*word], Family::Objects),
        // The form of the oldest paths: `/contacts/gdpr-delete`.
        ["contacts", "gdpr-delete"] => objects(&["contacts"], Family::Objects),
        [
            "crm",
            "properties" | "pipelines" | "property-validations",
            word,
            ..,
        ] => objects(&[*word], Family::Schemas),
        ["crm", "owners", ..] => vec!["crm.objects.owners.read"],
        ["crm" | "crm-object-schemas", "schemas", ..] => vec![match access {
            Access::Read => "crm.schemas.custom.read",
            Access::Write => "crm.schemas.custom.write",
        }],
        ["crm", "imports", ..] => vec!["crm.import"],
        ["settings", "currencies", ..] => vec![match access {
            Access::Read => "settings.currencies.read",
            Access::Write => "settings.currencies.write",
        }],
        _ => Vec::new(),
    }
}

/// Searches and batch reads are posted, and read all the same.
fn access(method: Method, path: &[&str]) -> Access {
    match (method, path) {
        (Method::Get, _) | (Method::Post, [.., "search"] | [.., "batch", "read"]) => Access::Read,
        _ => Access::Write,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Objects,
    Schemas,
}

/// Of records to read and to write, of schemas to read and to write.
type Four = [&'static str; 4];

/// Products and line items share their settings: the old `e-commerce` is their scope, and there is none of `crm.schemas.products`.
const OWN: &[(ObjectType, Four)] = &[
    (
        ObjectType::COMPANY,
        [
            "crm.objects.companies.read",
            "crm.objects.companies.write",
            "crm.schemas.companies.read",
            "crm.schemas.companies.write",
        ],
    ),
    (
        ObjectType::DEAL,
        [
            "crm.objects.deals.read",
            "crm.objects.deals.write",
            "crm.schemas.deals.read",
            "crm.schemas.deals.write",
        ],
    ),
    (
        ObjectType::LEAD,
        [
            "crm.objects.leads.read",
            "crm.objects.leads.write",
            "crm.schemas.leads.read",
            "crm.schemas.leads.write",
        ],
    ),
    (
        ObjectType::PRODUCT,
        [
            "crm.objects.products.read",
            "crm.objects.products.write",
            "e-commerce",
            "e-commerce",
        ],
    ),
    (
        ObjectType::LINE_ITEM,
        [
            "crm.objects.line_items.read",
            "crm.objects.line_items.write",
            "crm.schemas.line_items.read",
            "e-commerce",
        ],
    ),
    (
        ObjectType::INVOICE,
        [
            "crm.objects.invoices.read",
            "crm.objects.invoices.write",
            "crm.schemas.invoices.read",
            "crm.schemas.invoices.write",
        ],
    ),
    (
        ObjectType::PROJECT,
        [
            "crm.objects.projects.read",
            "crm.objects.projects.write",
            "crm.schemas.projects.read",
            "crm.schemas.projects.write",
        ],
    ),
    (
        ObjectType::QUOTE,
        [
            "crm.objects.quotes.read",
            "crm.objects.quotes.write",
            "crm.schemas.quotes.read",
            "crm.schemas.quotes.write",
        ],
    ),
    (
        ObjectType::ORDER,
        [
            "crm.objects.orders.read",
            "crm.objects.orders.write",
            "crm.schemas.orders.read",
            "crm.schemas.orders.write",
        ],
    ),
    (ObjectType::TICKET, ["tickets"; 4]),
    (
        ObjectType::USER,
        [
            "crm.objects.users.read",
            "crm.objects.users.write",
            "crm.objects.users.read",
            "crm.objects.users.write",
        ],
    ),
];

const CUSTOM: Four = [
    "crm.objects.custom.read",
    "crm.objects.custom.write",
    "crm.schemas.custom.read",
    "crm.schemas.custom.write",
];

const CONTACTS: Four = [
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
];

/// The scope of a kind of record; engagements have that of contacts, tickets one for all.
fn scope(object: ObjectType, family: Family, access: Access) -> &'static str {
    let parts = [ObjectType::DISCOUNT, ObjectType::FEE, ObjectType::TAX];
    let object = if parts.contains(&object) {
        ObjectType::INVOICE
    } else {
        object
    };
    let own = OWN.iter().find(|(of, _)| *of == object);
    let other = if object.is_custom() { CUSTOM } else { CONTACTS };
    let [read, write, schemas_read, schemas_write] = own.map_or(other, |(_, four)| *four);
    match (family, access) {
        (Family::Objects, Access::Read) => read,
        (Family::Objects, Access::Write) => write,
        (Family::Schemas, Access::Read) => schemas_read,
        (Family::Schemas, Access::Write) => schemas_write,
    }
}

/// 403 for scopes that a token lacks. Schemas tell them in `context`, as recorded; records under `errors`.
pub(super) fn missing(scopes: &[&'static str]) -> Failure {
    const LINK: &str = "https://developers.hubspot.com/scopes";
    if scopes
        .iter()
        .any(|scope| scope.starts_with("crm.schemas") || *scope == "e-commerce")
    {
        return Failure::new(
            403,
            "MISSING_SCOPES",
            "One or more of the following scopes are required.",
        )
        .context("requiredGranularScopes", scopes.iter().copied())
        .context("links", [LINK]);
    }
    Failure::new(
        403,
        "MISSING_SCOPES",
        format!(
            "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: {LINK}."
        ),
    )
    .error(json!({
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": scopes},
    }))
}
