//! The built-in objects: their tables and properties, as `wit/README.md` lists the standard properties.
//!
//! It holds no custom property; those live in the file's own `properties` table.

use model::FieldKind;
use model::FieldKind::{
    Boolean, Date, Decimal, Email, Html, Instant, Integer, Money, Options, Phone, Reference, Text,
    Url,
};
use model::catalog::StandardObject;

/// One built-in object.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) object: StandardObject,
    pub(crate) table: &'static str,
    pub(crate) label: &'static str,
    pub(crate) properties: &'static [Property],
}

/// One built-in property.
#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) kind: FieldKind,
    pub(crate) currency_field: Option<&'static str>,
    pub(crate) refers_to: Option<&'static str>,
    pub(crate) unique: Unique,
}

/// Whether two records may have one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unique {
    No,
    Yes,
}

impl Table {
    /// The built-in object of that name.
    pub(crate) fn find(object: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.object.name() == object)
    }
}

const fn p(name: &'static str, label: &'static str, kind: FieldKind) -> Property {
    Property {
        name,
        label,
        kind,
        currency_field: None,
        refers_to: None,
        unique: Unique::No,
    }
}

const fn money(name: &'static str, label: &'static str, currency_field: &'static str) -> Property {
    Property {
        currency_field: Some(currency_field),
        ..p(name, label, Money)
    }
}

const fn refers(name: &'static str, label: &'static str, to: &'static str) -> Property {
    Property {
        refers_to: Some(to),
        ..p(name, label, Reference)
    }
}

const OWNER: Property = Property {
    refers_to: Some("owner"),
    ..p("hubspot_owner_id", "Owner", FieldKind::Owner)
};
const CREATED: Property = p("createdate", "Create date", Instant);
const HAPPENED: Property = p("hs_timestamp", "Activity date", Instant);

/// Every built-in object, in the order of writing.
pub(crate) const TABLES: [Table; 15] = [
    Table {
        object: StandardObject::Owner,
        table: "owners",
        label: "Owner",
        properties: &[
            p("firstname", "First name", Text),
            p("lastname", "Last name", Text),
            p("name", "Name", Text),
            p("email", "Email", Email),
            p("active", "Active", Boolean),
            p("timezone", "Time zone", Text),
        ],
    },
    Table {
        object: StandardObject::Currency,
        table: "currencies",
        label: "Currency",
        properties: &[
            p("code", "Code", Text),
            p("name", "Name", Text),
            p("symbol", "Symbol", Text),
            p("decimals", "Decimals", Integer),
        ],
    },
    Table {
        object: StandardObject::Company,
        table: "companies",
        label: "Company",
        properties: &[
            p("name", "Company name", Text),
            p("domain", "Company domain name", Text),
            p("website", "Website", Url),
            p("phone", "Phone number", Phone),
            p("industry", "Industry", Text),
            p("annualrevenue", "Annual revenue", Money),
            p("numberofemployees", "Number of employees", Integer),
            p("address", "Street address", Text),
            p("city", "City", Text),
            p("state", "State/Region", Text),
            p("zip", "Postal code", Text),
            p("country", "Country/Region", Text),
            p("linkedin_company_page", "LinkedIn company page", Url),
            p("description", "Description", Text),
            OWNER,
            CREATED,
        ],
    },
    Table {
        object: StandardObject::Contact,
        table: "contacts",
        label: "Contact",
        properties: &[
            p("firstname", "First name", Text),
            p("lastname", "Last name", Text),
            Property {
                unique: Unique::Yes,
                ..p("email", "Email", Email)
            },
            p(
                "hs_additional_emails",
                "Additional email addresses",
                Options,
            ),
            p("phone", "Phone number", Phone),
            p("mobilephone", "Mobile phone number", Phone),
            p("jobtitle", "Job title", Text),
            p("address", "Street address", Text),
            p("city", "City", Text),
            p("state", "State/Region", Text),
            p("zip", "Postal code", Text),
            p("country", "Country/Region", Text),
            p("date_of_birth", "Date of birth", Date),
            OWNER,
            CREATED,
        ],
    },
    Table {
        object: StandardObject::Lead,
        table: "leads",
        label: "Lead",
        properties: &[
            p("hs_lead_name", "Lead name", Text),
            p("hs_pipeline", "Pipeline", Text),
            p("hs_pipeline_stage", "Stage", Text),
            money("amount", "Amount", "currency"),
            p("currency", "Currency", Text),
            p("expected_close_date", "Expected close date", Date),
            p("source", "Source", Text),
            OWNER,
            CREATED,
        ],
    },
    Table {
        object: StandardObject::Product,
        table: "products",
        label: "Product",
        properties: &[
            p("name", "Name", Text),
            p("hs_sku", "SKU", Text),
            p("description", "Description", Text),
            money("price", "Unit price", "currency"),
            money("hs_cost_of_goods_sold", "Unit cost", "currency"),
            p("currency", "Currency", Text),
            p("tax", "Tax", Text),
            p("unit", "Unit", Text),
            p("recurringbillingfrequency", "Billing frequency", Text),
            CREATED,
        ],
    },
    Table {
        object: StandardObject::Deal,
        table: "deals",
        label: "Deal",
        properties: &[
            p("dealname", "Deal name", Text),
            money("amount", "Amount", "deal_currency_code"),
            p("deal_currency_code", "Currency", Text),
            refers("pipeline", "Pipeline", "pipeline"),
            refers("dealstage", "Deal stage", "stage"),
            p("closedate", "Close date", Instant),
            p("hs_deal_probability", "Deal probability", Decimal),
            p("closed_lost_reason", "Closed lost reason", Text),
            p("expected_close_date", "Expected close date", Date),
            OWNER,
            CREATED,
        ],
    },
    Table {
        object: StandardObject::LineItem,
        table: "line_items",
        label: "Line item",
        properties: &[
            p("name", "Name", Text),
            refers("hs_product_id", "Product", "product"),
            money("price", "Unit price", "currency"),
            p("quantity", "Quantity", Decimal),
            money("amount", "Net price", "currency"),
            p("discount", "Unit discount", Decimal),
            p("hs_discount_percentage", "Discount percentage", Decimal),
            p("tax", "Tax", Decimal),
            p("currency", "Currency", Text),
        ],
    },
    Table {
        object: StandardObject::Invoice,
        table: "invoices",
        label: "Invoice",
        properties: &[
            p("hs_number", "Number", Text),
            p("hs_invoice_date", "Invoice date", Date),
            p("hs_due_date", "Due date", Date),
            money("amount", "Amount billed", "hs_currency"),
            p("hs_currency", "Currency", Text),
            p("hs_invoice_status", "Status", Text),
        ],
    },
    Table {
        object: StandardObject::Project,
        table: "projects",
        label: "Project",
        properties: &[
            p("hs_name", "Name", Text),
            p("hs_description", "Description", Text),
            p("hs_status", "Status", Text),
            p("hs_start_date", "Start date", Date),
            p("hs_target_due_date", "Target due date", Date),
            OWNER,
        ],
    },
    Table {
        object: StandardObject::Note,
        table: "notes",
        label: "Note",
        properties: &[p("hs_note_body", "Note body", Html), HAPPENED, OWNER],
    },
    Table {
        object: StandardObject::Call,
        table: "calls",
        label: "Call",
        properties: &[
            p("hs_call_title", "Call title", Text),
            p("hs_call_body", "Call notes", Html),
            HAPPENED,
            p("hs_call_duration", "Call duration (ms)", Integer),
            p("hs_call_status", "Call status", Text),
            p("hs_call_disposition", "Call outcome", Text),
            p("hs_call_from_number", "From number", Text),
            p("hs_call_to_number", "To number", Text),
            OWNER,
        ],
    },
    Table {
        object: StandardObject::Task,
        table: "tasks",
        label: "Task",
        properties: &[
            p("hs_task_subject", "Task title", Text),
            p("hs_task_body", "Notes", Html),
            p("hs_timestamp", "Due date", Instant),
            p("hs_task_status", "Task status", Text),
            p("hs_task_priority", "Priority", Text),
            OWNER,
        ],
    },
    Table {
        object: StandardObject::Meeting,
        table: "meetings",
        label: "Meeting",
        properties: &[
            p("hs_meeting_title", "Meeting name", Text),
            p("hs_meeting_body", "Meeting description", Html),
            HAPPENED,
            p("hs_meeting_start_time", "Meeting start time", Instant),
            p("hs_meeting_end_time", "Meeting end time", Instant),
            p("hs_meeting_location", "Meeting location", Text),
            p("hs_meeting_outcome", "Meeting outcome", Text),
            OWNER,
        ],
    },
    Table {
        object: StandardObject::Email,
        table: "emails",
        label: "Email",
        properties: &[
            p("hs_email_subject", "Email subject", Text),
            p("hs_email_html", "Email body (HTML)", Html),
            p("hs_email_text", "Email body (text)", Text),
            HAPPENED,
            p("hs_email_direction", "Email direction", Text),
            p("hs_email_status", "Email send status", Text),
            p("hs_email_from", "From", Text),
            p("hs_email_to", "To", Text),
            p("hs_email_cc", "Cc", Text),
            OWNER,
        ],
    },
];
