//! Decides which kind of record a word of a path means, and which properties every record of a kind has.
//!
//! It holds no records and no definitions of properties.

use super::answer::Failure;
use std::fmt;

/// A kind of record, by the vendor's id such as `0-1`; custom objects are `2-<n>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectType {
    /// 0 for the vendor's own, 2 for custom objects.
    pub meta: u8,
    /// Number within.
    pub number: u32,
}

const fn own(number: u32) -> ObjectType {
    ObjectType { meta: 0, number }
}

impl ObjectType {
    /// People.
    pub const CONTACT: Self = own(1);
    /// Companies.
    pub const COMPANY: Self = own(2);
    /// Deals.
    pub const DEAL: Self = own(3);
    /// Tickets.
    pub const TICKET: Self = own(5);
    /// Products.
    pub const PRODUCT: Self = own(7);
    /// Line items.
    pub const LINE_ITEM: Self = own(8);
    /// Quotes.
    pub const QUOTE: Self = own(14);
    /// Messages by SMS, WhatsApp and the like.
    pub const COMMUNICATION: Self = own(18);
    /// Tasks.
    pub const TASK: Self = own(27);
    /// Notes.
    pub const NOTE: Self = own(46);
    /// Meetings.
    pub const MEETING: Self = own(47);
    /// Calls.
    pub const CALL: Self = own(48);
    /// E-mails.
    pub const EMAIL: Self = own(49);
    /// Invoices.
    pub const INVOICE: Self = own(53);
    /// Discounts of an invoice or quote.
    pub const DISCOUNT: Self = own(84);
    /// Fees of an invoice or quote.
    pub const FEE: Self = own(85);
    /// Taxes of an invoice or quote.
    pub const TAX: Self = own(86);
    /// Users.
    pub const USER: Self = own(115);
    /// Orders.
    pub const ORDER: Self = own(123);
    /// Leads.
    pub const LEAD: Self = own(136);
    /// Projects.
    pub const PROJECT: Self = own(970);

    /// Whether it is an engagement: PATCH ignores what it does not know, and `hs_timestamp` is required.
    pub const fn is_engagement(self) -> bool {
        self.meta == 0 && matches!(self.number, 18 | 27 | 46 | 47 | 48 | 49)
    }

    /// Whether the customer defined it.
    pub const fn is_custom(self) -> bool {
        self.meta == 2
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.meta, self.number)
    }
}

/// What is known about a kind of record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its id.
    pub object_type: ObjectType,
    /// Word in paths, such as `line_items`; a custom object's is `p<portal>_<name>`.
    pub plural: String,
    /// Such as `line_item`; used in names of associations and in events.
    pub singular: String,
    /// Further words that paths may use.
    pub aliases: Vec<String>,
    /// `createdate` or `hs_createdate`.
    pub created: &'static str,
    /// `lastmodifieddate` for contacts, `hs_lastmodifieddate` for all else.
    pub modified: &'static str,
    /// Properties given where none are asked for, besides id, creation and change.
    pub defaults: Vec<String>,
    /// Properties without which nothing is created.
    pub required: Vec<String>,
}

impl Object {
    /// What error messages call one: `Contact`, `Line item`.
    pub fn title(&self) -> String {
        let mut words = self.singular.replace('_', " ");
        if let Some(first) = words.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        words
    }

    /// Name of constants in messages: `CONTACT`, `LINE_ITEM`.
    pub fn constant(&self) -> String {
        self.singular.to_ascii_uppercase()
    }
}

/// Every kind of record of a portal.
#[derive(Debug, Clone)]
pub struct Objects {
    all: Vec<Object>,
    next_custom: u32,
}

/// plural, singular, type, created, defaults, required
type Row = (
    &'static str,
    &'static str,
    ObjectType,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const CREATED: &str = "createdate";
const HS_CREATED: &str = "hs_createdate";
const TIMESTAMP: &[&str] = &["hs_timestamp"];

/// Required properties by the fact sheet, section 6; a stage may be filled from the default pipeline, so that stages are left to the rules.
const STANDARD: &[Row] = &[
    (
        "contacts",
        "contact",
        ObjectType::CONTACT,
        CREATED,
        &["firstname", "lastname", "email"],
        &[],
    ),
    (
        "companies",
        "company",
        ObjectType::COMPANY,
        CREATED,
        &["name", "domain"],
        &[],
    ),
    (
        "deals",
        "deal",
        ObjectType::DEAL,
        CREATED,
        &["dealname", "amount", "closedate", "pipeline", "dealstage"],
        &["dealname", "dealstage"],
    ),
    (
        "tickets",
        "ticket",
        ObjectType::TICKET,
        CREATED,
        &[
            "subject",
            "content",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_category",
            "hs_ticket_priority",
        ],
        &["hs_pipeline_stage"],
    ),
    (
        "products",
        "product",
        ObjectType::PRODUCT,
        CREATED,
        &["name", "description", "price"],
        &["name"],
    ),
    (
        "line_items",
        "line_item",
        ObjectType::LINE_ITEM,
        CREATED,
        &["quantity", "amount", "price"],
        &[],
    ),
    (
        "quotes",
        "quote",
        ObjectType::QUOTE,
        HS_CREATED,
        &["hs_title"],
        &["hs_title"],
    ),
    (
        "communications",
        "communication",
        ObjectType::COMMUNICATION,
        HS_CREATED,
        &[],
        TIMESTAMP,
    ),
    (
        "tasks",
        "task",
        ObjectType::TASK,
        HS_CREATED,
        &[],
        TIMESTAMP,
    ),
    (
        "notes",
        "note",
        ObjectType::NOTE,
        HS_CREATED,
        &[],
        TIMESTAMP,
    ),
    (
        "meetings",
        "meeting",
        ObjectType::MEETING,
        HS_CREATED,
        &[],
        TIMESTAMP,
    ),
    (
        "calls",
        "call",
        ObjectType::CALL,
        HS_CREATED,
        &[],
        TIMESTAMP,
    ),
    (
        "emails",
        "email",
        ObjectType::EMAIL,
        HS_CREATED,
        &[],
        &["hs_timestamp", "hs_email_direction"],
    ),
    (
        "invoices",
        "invoice",
        ObjectType::INVOICE,
        HS_CREATED,
        &[],
        &["hs_currency"],
    ),
    (
        "discounts",
        "discount",
        ObjectType::DISCOUNT,
        HS_CREATED,
        &[],
        &[],
    ),
    ("fees", "fee", ObjectType::FEE, HS_CREATED, &[], &[]),
    ("taxes", "tax", ObjectType::TAX, HS_CREATED, &[], &[]),
    ("users", "user", ObjectType::USER, HS_CREATED, &[], &[]),
    ("orders", "order", ObjectType::ORDER, HS_CREATED, &[], &[]),
    (
        "leads",
        "lead",
        ObjectType::LEAD,
        HS_CREATED,
        &[],
        &["hs_lead_name"],
    ),
    (
        "projects",
        "project",
        ObjectType::PROJECT,
        HS_CREATED,
        &[],
        &["hs_name", "hs_pipeline", "hs_pipeline_stage"],
    ),
];

impl Default for Objects {
    fn default() -> Self {
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let all = STANDARD
            .iter()
            .map(
                |(plural, singular, object_type, created, defaults, required)| Object {
                    object_type: *object_type,
                    plural: (*plural).to_owned(),
                    singular: (*singular).to_owned(),
                    aliases: Vec::new(),
                    created,
                    modified: if *object_type == ObjectType::CONTACT {
                        "lastmodifieddate"
                    } else {
                        "hs_lastmodifieddate"
                    },
                    defaults: text(defaults),
                    required: text(required),
                },
            )
            .collect();
        Self {
            all,
            next_custom: 3_500_001,
        }
    }
}

impl Objects {
    /// The kind that a word of a path means: `contacts`, `contact`, `0-1`, in any case.
    ///
    /// # Errors
    ///
    /// 404 `Unable to infer object type from: x`.
    pub fn resolve(&self, word: &str) -> Result<ObjectType, Unknown> {
        let lower = word.to_ascii_lowercase();
        self.all
            .iter()
            .find(|object| {
                object.plural == lower
                    || object.singular == lower
                    || object.aliases.contains(&lower)
                    || object.object_type.to_string() == lower
            })
            .map(|object| object.object_type)
            .ok_or_else(|| Unknown(word.to_owned()))
    }

    /// What is known about a kind that was resolved.
    pub fn get(&self, object_type: ObjectType) -> &Object {
        self.all
            .iter()
            .find(|object| object.object_type == object_type)
            .expect("kinds come from resolve")
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, object_type: ObjectType) -> Option<&mut Object> {
        self.all
            .iter_mut()
            .find(|object| object.object_type == object_type)
    }

    /// Every kind, the vendor's own first.
    pub fn all(&self) -> &[Object] {
        &self.all
    }

    /// Adds a custom object; paths may call it by `p<portal>_<name>`, by `name` and by its id.
    pub fn define(
        &mut self,
        portal: u64,
        name: &str,
        required: Vec<String>,
        defaults: Vec<String>,
    ) -> ObjectType {
        let object_type = ObjectType {
            meta: 2,
            number: self.next_custom,
        };
        self.next_custom += 1;
        let name = name.to_ascii_lowercase();
        self.all.push(Object {
            object_type,
            plural: format!("p{portal}_{name}"),
            singular: name.clone(),
            aliases: vec![name],
            created: HS_CREATED,
            modified: "hs_lastmodifieddate",
            defaults,
            required,
        });
        object_type
    }

    /// Removes a custom object.
    pub fn undefine(&mut self, object_type: ObjectType) {
        self.all.retain(|object| object.object_type != object_type);
    }
}

/// No kind has that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown(pub String);

impl From<Unknown> for Failure {
    fn from(unknown: Unknown) -> Self {
        Self::new(
            404,
            "OBJECT_NOT_FOUND",
            format!("Unable to infer object type from: {}", unknown.0),
        )
    }
}
