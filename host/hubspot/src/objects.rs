//! HubSpot's objects: names in paths, the properties that match rules read, and what a new record must have.

use model::ObjectName;
use model::catalog::StandardObject;

/// One object of HubSpot that Longshore knows the meaning of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) standard: StandardObject,
    /// The name in paths.
    pub(crate) path: &'static str,
    /// The name a person sees.
    pub(crate) label: &'static str,
    /// The property that says when a record changed last.
    pub(crate) modified: &'static str,
    /// The properties that match rules read.
    pub(crate) matching: &'static [&'static str],
    /// The property with a record's moment, which a new record must have.
    pub(crate) moment: Option<&'static str>,
    /// The properties with pipeline and stage, where a new record must be in one.
    pub(crate) stage: Option<(&'static str, &'static str)>,
    /// What a new record is tied to at once, with the type of that association; without the first of them there is no new record.
    pub(crate) ties: &'static [(StandardObject, u32)],
}

const fn kind(standard: StandardObject, path: &'static str, label: &'static str) -> Kind {
    Kind {
        standard,
        path,
        label,
        modified: "hs_lastmodifieddate",
        matching: &[],
        moment: None,
        stage: None,
        ties: &[],
    }
}

const fn engagement(standard: StandardObject, path: &'static str, label: &'static str) -> Kind {
    Kind {
        moment: Some("hs_timestamp"),
        ..kind(standard, path, label)
    }
}

/// Every object that is read and written as a CRM object, in the order of writing.
pub(crate) const KINDS: [Kind; 13] = [
    Kind {
        matching: &["domain", "website", "name"],
        ..kind(StandardObject::Company, "companies", "Company")
    },
    Kind {
        modified: "lastmodifieddate",
        matching: &["email"],
        ..kind(StandardObject::Contact, "contacts", "Contact")
    },
    Kind {
        // A lead without its contact is refused; the types are those of the primary ones (578, 580).
        ties: &[
            (StandardObject::Contact, 578),
            (StandardObject::Company, 580),
        ],
        ..kind(StandardObject::Lead, "leads", "Lead")
    },
    Kind {
        matching: &["hs_sku", "name"],
        ..kind(StandardObject::Product, "products", "Product")
    },
    kind(StandardObject::Deal, "deals", "Deal"),
    kind(StandardObject::LineItem, "line_items", "Line item"),
    kind(StandardObject::Invoice, "invoices", "Invoice"),
    Kind {
        stage: Some(("hs_pipeline", "hs_pipeline_stage")),
        ..kind(StandardObject::Project, "projects", "Project")
    },
    engagement(StandardObject::Note, "notes", "Note"),
    engagement(StandardObject::Call, "calls", "Call"),
    engagement(StandardObject::Task, "tasks", "Task"),
    engagement(StandardObject::Meeting, "meetings", "Meeting"),
    engagement(StandardObject::Email, "emails", "Email"),
];

/// The objects that have pipelines.
pub(crate) const WITH_PIPELINES: [StandardObject; 3] = [
    StandardObject::Deal,
    StandardObject::Lead,
    StandardObject::Project,
];

impl Kind {
    /// The object of that name, which is the standard object's.
    pub(crate) fn find(object: &ObjectName) -> Option<&'static Self> {
        KINDS
            .iter()
            .find(|kind| kind.standard.name() == object.as_str())
    }

    /// The properties that HubSpot fills in by itself where a new record lacks them (fact sheet of 2026): from defaults of the portal, from
    /// each other, from the product.
    pub(crate) fn fills(&self) -> &'static [&'static str] {
        match self.standard {
            StandardObject::Contact => &["lifecyclestage", "hs_lead_status"],
            StandardObject::Company => &["lifecyclestage", "name", "domain", "website"],
            StandardObject::Deal => &["deal_currency_code", "pipeline", "amount", "closedate"],
            StandardObject::Lead | StandardObject::Project => &["hs_pipeline", "hs_pipeline_stage"],
            StandardObject::LineItem => &[
                "name",
                "price",
                "description",
                "hs_sku",
                "hs_cost_of_goods_sold",
                "recurringbillingfrequency",
                "amount",
                "quantity",
            ],
            StandardObject::Invoice => &["hs_invoice_status"],
            StandardObject::Email => &["hs_email_direction", "hs_email_status", "hs_timestamp"],
            StandardObject::Task => &["hs_task_status", "hs_task_type", "hs_timestamp"],
            StandardObject::Note | StandardObject::Call | StandardObject::Meeting => {
                &["hs_timestamp"]
            }
            _ => &[],
        }
    }

    /// The name in catalogs.
    pub(crate) fn name(&self) -> ObjectName {
        self.standard.name().into()
    }
}
