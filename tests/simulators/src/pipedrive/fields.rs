//! Tells the metadata of fields, built-in and custom, in both generations.
//!
//! It does not tell options that were removed, though records may still carry them.

use super::account::Account;
use super::call::{Call, Refusal};
use super::json::Json;
use super::options::EnvelopeV1;
use super::paging::{PagingV1, fixed, one, page_v1, page_v2};
use super::persons::include;
use crate::truth::{FieldKind, Kind};

/// A field as the vendor words it.
struct Described<'a> {
    code: &'a str,
    name: &'a str,
    kind: &'static str,
    custom: bool,
    options: Option<Vec<(u64, &'a str, Option<&'a str>)>>,
}

const PERSON: &[(&str, &str, &str)] = &[
    ("id", "ID", "int"),
    ("name", "Name", "varchar"),
    ("first_name", "First name", "varchar"),
    ("last_name", "Last name", "varchar"),
    ("email", "Email", "varchar"),
    ("phone", "Phone", "phone"),
    ("org_id", "Organization", "org"),
    ("owner_id", "Owner", "user"),
    ("add_time", "Person created", "date"),
    ("update_time", "Update time", "date"),
    ("label_ids", "Labels", "set"),
    ("visible_to", "Visible to", "visible_to"),
    ("picture_id", "Profile picture", "picture"),
];

const ORGANIZATION: &[(&str, &str, &str)] = &[
    ("id", "ID", "int"),
    ("name", "Name", "varchar"),
    ("owner_id", "Owner", "user"),
    ("address", "Address", "address"),
    ("website", "Website", "varchar"),
    ("linkedin", "LinkedIn profile", "varchar"),
    ("industry", "Industry", "varchar"),
    ("annual_revenue", "Annual revenue", "double"),
    ("employee_count", "Number of employees", "int"),
    ("add_time", "Organization created", "date"),
    ("update_time", "Update time", "date"),
    ("label_ids", "Labels", "set"),
    ("visible_to", "Visible to", "visible_to"),
];

const DEAL: &[(&str, &str, &str)] = &[
    ("id", "ID", "int"),
    ("title", "Title", "varchar"),
    ("value", "Value", "monetary"),
    ("currency", "Currency", "varchar"),
    ("person_id", "Contact person", "people"),
    ("org_id", "Organization", "org"),
    ("owner_id", "Owner", "user"),
    ("pipeline", "Pipeline", "double"),
    ("stage_id", "Stage", "stage"),
    ("status", "Status", "status"),
    ("probability", "Probability", "int"),
    ("lost_reason", "Lost reason", "varchar_options"),
    ("add_time", "Deal created", "date"),
    ("update_time", "Update time", "date"),
    ("close_time", "Deal closed on", "date"),
    ("won_time", "Won time", "date"),
    ("lost_time", "Lost time", "date"),
    ("expected_close_date", "Expected close date", "date"),
    ("label_ids", "Labels", "set"),
    ("visible_to", "Visible to", "visible_to"),
    ("is_archived", "Archived", "boolean"),
];

const PRODUCT: &[(&str, &str, &str)] = &[
    ("id", "ID", "int"),
    ("name", "Name", "varchar"),
    ("code", "Product code", "varchar"),
    ("description", "Description", "text"),
    ("unit", "Unit", "varchar"),
    ("tax", "Tax", "double"),
    ("category", "Category", "varchar"),
    ("owner_id", "Owner", "user"),
    ("prices", "Unit prices", "price_list"),
    (
        "billing_frequency",
        "Billing frequency",
        "billing_frequency",
    ),
    ("visible_to", "Visible to", "visible_to"),
];

const ACTIVITY: &[(&str, &str, &str)] = &[
    ("id", "ID", "int"),
    ("subject", "Subject", "varchar"),
    ("type", "Type", "varchar"),
    ("owner_id", "Assigned to user", "user"),
    ("due_date", "Due date", "date"),
    ("due_time", "Due time", "time"),
    ("duration", "Duration", "time"),
    ("deal_id", "Deal", "deal"),
    ("lead_id", "Lead", "lead"),
    ("person_id", "Contact person", "people"),
    ("org_id", "Organization", "org"),
    ("project_id", "Project", "project"),
    ("note", "Note", "text"),
    ("done", "Done", "boolean"),
    ("location", "Location", "address"),
    ("public_description", "Public description", "text"),
    ("busy", "Free/busy", "boolean"),
];

const PROJECT: &[(&str, &str, &str)] = &[
    ("id", "ID", "int"),
    ("title", "Title", "varchar"),
    ("description", "Description", "text"),
    ("status", "Status", "varchar"),
    ("board_id", "Board", "projects_board"),
    ("phase_id", "Phase", "projects_phase"),
    ("owner_id", "Owner", "user"),
    ("start_date", "Start date", "date"),
    ("end_date", "End date", "date"),
    ("deal_ids", "Deals", "deals"),
    ("label_ids", "Labels", "set"),
];

fn built_in(kind: Kind) -> &'static [(&'static str, &'static str, &'static str)] {
    match kind {
        Kind::Person => PERSON,
        Kind::Organization => ORGANIZATION,
        Kind::Deal => DEAL,
        Kind::Product => PRODUCT,
        Kind::Activity => ACTIVITY,
        Kind::Project => PROJECT,
        _ => &[],
    }
}

const fn word(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "varchar",
        FieldKind::SuggestedText => "varchar_auto",
        FieldKind::LongText => "text",
        FieldKind::Phone => "phone",
        FieldKind::Whole => "int",
        FieldKind::Decimal => "double",
        FieldKind::Choice => "enum",
        FieldKind::Choices => "set",
        FieldKind::Day => "date",
        FieldKind::Days => "daterange",
        FieldKind::Time => "time",
        FieldKind::Times => "timerange",
        FieldKind::Money => "monetary",
        FieldKind::Address => "address",
        FieldKind::Link(Kind::Organization) => "org",
        FieldKind::Link(Kind::Person) => "people",
        FieldKind::Link(Kind::Deal) => "deal",
        FieldKind::Link(Kind::Lead) => "lead",
        FieldKind::Link(Kind::Project) => "project",
        FieldKind::Link(_) => "user",
    }
}

/// Code and type of the parts that a value has besides its main one.
const fn parts(kind: &str) -> &'static [(&'static str, &'static str)] {
    match kind.as_bytes() {
        b"monetary" => &[("value", "double"), ("currency", "varchar")],
        b"daterange" => &[("value", "date"), ("until", "date")],
        b"time" => &[("value", "time"), ("timezone_id", "int")],
        b"timerange" => &[("value", "time"), ("until", "time"), ("timezone_id", "int")],
        b"address" => &[
            ("value", "varchar"),
            ("country", "varchar"),
            ("admin_area_level_1", "varchar"),
            ("admin_area_level_2", "varchar"),
            ("locality", "varchar"),
            ("sublocality", "varchar"),
            ("route", "varchar"),
            ("street_number", "varchar"),
            ("subpremise", "varchar"),
            ("postal_code", "varchar"),
            ("formatted_address", "varchar"),
        ],
        _ => &[],
    }
}

fn described(account: &Account, kind: Kind) -> Vec<Described<'_>> {
    let crm = account.live.base();
    let labels = || {
        crm.labels(kind)
            .iter()
            .map(|label| (label.id, label.name, Some(label.color)))
            .collect()
    };
    let built_in = built_in(kind).iter().map(|(code, name, field)| Described {
        code,
        name,
        kind: field,
        custom: false,
        options: (*code == "label_ids").then(labels),
    });
    let custom = crm
        .fields(kind)
        .iter()
        .zip(account.keys.fields(kind))
        .map(|(field, code)| Described {
            code,
            name: &field.name,
            kind: word(field.kind),
            custom: true,
            options: matches!(field.kind, FieldKind::Choice | FieldKind::Choices).then(|| {
                field
                    .choices
                    .iter()
                    .map(|choice| (u64::from(choice.id), choice.label.as_str(), None))
                    .collect()
            }),
        });
    built_in.chain(custom).collect()
}

/// Which kind of record a path's list of fields is about.
fn kind_of(path: &str) -> Option<Kind> {
    Some(match path {
        "personFields" => Kind::Person,
        "organizationFields" => Kind::Organization,
        "dealFields" => Kind::Deal,
        "productFields" => Kind::Product,
        "activityFields" => Kind::Activity,
        "projectFields" => Kind::Project,
        _ => return None,
    })
}

const NAMESPACES: &[&str] = &["ui_visibility", "important_fields", "required_fields"];

fn asked<'a>(
    account: &'a Account,
    call: &'a Call,
) -> Result<(Vec<Described<'a>>, Vec<&'a str>), Refusal> {
    let kind = call.parts.first().and_then(|path| kind_of(path));
    let kind = kind.ok_or_else(|| Refusal::not_found("Unknown method ."))?;
    Ok((described(account, kind), include(call, NAMESPACES)?))
}

/// A list of fields; the open part of the path is its name.
pub(super) fn list(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let (fields, extra) = asked(account, call)?;
    let order = fixed("id", (0..fields.len() as u64).collect());
    page_v2(
        call,
        &order,
        |place| fields.get(place as usize),
        |out, field| write(out, field, &extra),
    )
}

/// One field by its code, the second open part of the path.
pub(super) fn get(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let (fields, extra) = asked(account, call)?;
    let found = fields
        .iter()
        .find(|field| call.parts.get(1).is_some_and(|code| code == field.code));
    one(found, "Field not found", |out, field| {
        write(out, field, &extra)
    })
}

fn write(out: &mut Json, field: &Described<'_>, extra: &[&str]) {
    out.object(|out| {
        out.key("field_name").text(field.name);
        out.key("field_code").text(field.code);
        out.key("description").text("");
        out.key("field_type").text(field.kind);
        out.key("options")
            .or_null(field.options.as_ref(), |out, options| {
                out.array(|out| {
                    for (id, label, color) in options {
                        out.object(|out| {
                            out.key("id").number(*id);
                            out.key("label").text(label);
                            out.key("color").text_or_null(*color);
                        });
                    }
                });
            });
        let parts = Some(parts(field.kind)).filter(|parts| !parts.is_empty());
        out.key("subfields").or_null(parts, |out, parts| {
            out.array(|out| {
                for (code, kind) in parts {
                    out.object(|out| {
                        out.key("field_code").text(code);
                        out.key("field_name")
                            .text(&format!("{code} of {}", field.name));
                        out.key("field_type").text(kind);
                    });
                }
            });
        });
        out.key("is_custom_field").bool(field.custom);
        out.key("is_optional_response_field").bool(false);
        extra.iter().for_each(|name| namespace(out, name));
    });
}

fn namespace(out: &mut Json, name: &str) {
    out.key(name).object(|out| match name {
        "ui_visibility" => {
            out.key("add_visible_flag").bool(true);
            out.key("details_visible_flag").bool(true);
        }
        "important_fields" => {
            out.key("enabled").bool(false);
            out.key("stage_ids").array(|_| ());
        }
        _ => out.key("enabled").bool(false),
    });
}

/// The first generation's list of lead fields: those of deals.
pub(super) fn of_leads(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let fields: Vec<_> = described(account, Kind::Deal)
        .into_iter()
        .filter(|field| field.custom || field.code == "title")
        .collect();
    let made = account.live.base().company().now.plus_seconds(-200_000_000);
    let order = fixed("id", (0..fields.len() as u64).collect());
    let paging = PagingV1 {
        most: 500,
        envelope: EnvelopeV1::Nested,
        dense: true,
    };
    let numbered = |place: u64| fields.get(place as usize).map(|field| (place + 1, field));
    page_v1(
        account,
        call,
        &paging,
        &order,
        numbered,
        |out, (number, field)| {
            out.object(|out| {
                out.key("id").number(*number);
                out.key("key").text(field.code);
                out.key("name").text(field.name);
                out.key("order_nr").number(*number);
                out.key("field_type").text(field.kind);
                out.key("add_time").moment_v1(made);
                out.key("update_time").moment_v1(made);
                out.key("active_flag").bool(true);
                out.key("edit_flag").bool(field.custom);
                out.key("mandatory_flag").bool(!field.custom);
                out.key("options")
                    .or_null(field.options.as_ref(), |out, options| {
                        out.array(|out| {
                            for (id, label, _) in options {
                                out.object(|out| {
                                    out.key("id").number(*id);
                                    out.key("label").text(label);
                                });
                            }
                        });
                    });
            });
        },
    )
}
