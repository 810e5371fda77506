//! Holds the pipelines that a new portal has.
//!
//! Deals' and contacts' are recorded (amp-labs/connectors, `metadata-*-external-pipelines.json`); those of the others are the vendor's
//! as far as known: tickets' and leads' ids are in its guides, projects' are this simulator's own.

use crate::hubspot::objects::ObjectType;

/// id, label, what its metadata says of it
pub(super) type StageRow = (&'static str, &'static str, &'static str);

/// kind, id, label, stages
pub(super) type Row = (ObjectType, &'static str, &'static str, &'static [StageRow]);

pub(super) const DEFAULTS: &[Row] = &[
    (
        ObjectType::DEAL,
        "default",
        "Sales Pipeline",
        &[
            ("appointmentscheduled", "Appointment Scheduled", "0.2"),
            ("qualifiedtobuy", "Qualified To Buy", "0.4"),
            ("presentationscheduled", "Presentation Scheduled", "0.6"),
            ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
            ("contractsent", "Contract Sent", "0.9"),
            ("closedwon", "Closed Won", "1.0"),
            ("closedlost", "Closed Lost", "0.0"),
        ],
    ),
    (
        ObjectType::TICKET,
        "0",
        "Support Pipeline",
        &[
            ("1", "New", "OPEN"),
            ("2", "Waiting on contact", "OPEN"),
            ("3", "Waiting on us", "OPEN"),
            ("4", "Closed", "CLOSED"),
        ],
    ),
    (
        ObjectType::LEAD,
        "lead-pipeline-id",
        "Lead pipeline",
        &[
            ("new-stage-id", "New", "OPEN"),
            ("attempting-stage-id", "Attempting", "OPEN"),
            ("connected-stage-id", "Connected", "OPEN"),
            ("qualified-stage-id", "Qualified", "CLOSED"),
            ("unqualified-stage-id", "Disqualified", "CLOSED"),
        ],
    ),
    (
        ObjectType::PROJECT,
        "project-pipeline-id",
        "Project pipeline",
        &[
            ("not-started-stage-id", "Not started", "OPEN"),
            ("in-progress-stage-id", "In progress", "OPEN"),
            ("on-hold-stage-id", "On hold", "OPEN"),
            ("done-stage-id", "Done", "CLOSED"),
        ],
    ),
    (
        ObjectType::CONTACT,
        "contacts-lifecycle-pipeline",
        "Lifecycle Stage Pipeline",
        LIFECYCLE,
    ),
    (
        ObjectType::COMPANY,
        "companies-lifecycle-pipeline",
        "Lifecycle Stage Pipeline",
        LIFECYCLE,
    ),
];

const LIFECYCLE: &[StageRow] = &[
    ("subscriber", "Subscriber", "OPEN"),
    ("lead", "Lead", "OPEN"),
    ("marketingqualifiedlead", "Marketing Qualified Lead", "OPEN"),
    ("salesqualifiedlead", "Sales Qualified Lead", "OPEN"),
    ("opportunity", "Opportunity", "OPEN"),
    ("customer", "Customer", "OPEN"),
    ("evangelist", "Evangelist", "OPEN"),
    ("other", "Other", "CLOSED"),
];
