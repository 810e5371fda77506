//! Holds properties and groups to section 8 of the fact sheet.

use super::{World, expect, text};
use crate::hubspot::{Method, ObjectType};
use serde_json::{Value, json};

const CONTACTS: &str = "/crm/v3/properties/contacts";

fn draft(name: &str, kind: &str, field_type: &str) -> Value {
    json!({
        "name": name, "label": name, "groupName": "contactinformation",
        "type": kind, "fieldType": field_type,
    })
}

fn with(mut draft: Value, field: &str, value: Value) -> Value {
    draft[field] = value;
    draft
}

fn yes_no() -> Value {
    json!([{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}])
}

/// Sections 3, 6 and 10.
const NAMED: &[(&str, &[&str])] = &[
    (
        "contacts",
        &[
            "email",
            "firstname",
            "hs_additional_emails",
            "lifecyclestage",
            "hs_lead_status",
            "hubspot_owner_id",
            "lastmodifieddate",
            "createdate",
            "hs_merged_object_ids",
            "hs_object_source",
            "company",
        ],
    ),
    (
        "companies",
        &[
            "name",
            "domain",
            "industry",
            "annualrevenue",
            "numberofemployees",
            "hs_lastmodifieddate",
        ],
    ),
    (
        "deals",
        &[
            "dealname",
            "dealstage",
            "pipeline",
            "amount",
            "closedate",
            "deal_currency_code",
            "amount_in_home_currency",
            "closed_lost_reason",
            "hs_priority",
            "dealtype",
        ],
    ),
    (
        "leads",
        &[
            "hs_lead_name",
            "hs_lead_type",
            "hs_lead_label",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hubspot_owner_id",
        ],
    ),
    (
        "products",
        &[
            "name",
            "price",
            "hs_sku",
            "description",
            "hs_cost_of_goods_sold",
            "recurringbillingfrequency",
        ],
    ),
    (
        "line_items",
        &[
            "hs_product_id",
            "quantity",
            "price",
            "discount",
            "hs_discount_percentage",
            "hs_tax_rate_group_id",
            "recurringbillingfrequency",
            "hs_recurring_billing_period",
            "amount",
        ],
    ),
    (
        "invoices",
        &[
            "hs_currency",
            "hs_invoice_status",
            "hs_invoice_date",
            "hs_due_date",
            "hs_tax_id",
            "hs_invoice_billable",
        ],
    ),
    ("projects", &["hs_name", "hs_pipeline", "hs_pipeline_stage"]),
    (
        "notes",
        &[
            "hs_timestamp",
            "hs_note_body",
            "hubspot_owner_id",
            "hs_attachment_ids",
        ],
    ),
    (
        "calls",
        &[
            "hs_timestamp",
            "hs_call_title",
            "hs_call_body",
            "hs_call_direction",
            "hs_call_duration",
            "hs_call_from_number",
            "hs_call_to_number",
            "hs_call_recording_url",
            "hs_call_status",
            "hs_call_disposition",
            "hs_activity_type",
        ],
    ),
    (
        "tasks",
        &[
            "hs_timestamp",
            "hs_task_subject",
            "hs_task_body",
            "hs_task_status",
            "hs_task_priority",
            "hs_task_type",
            "hs_task_reminders",
        ],
    ),
    (
        "meetings",
        &[
            "hs_meeting_title",
            "hs_meeting_body",
            "hs_internal_meeting_notes",
            "hs_meeting_location",
            "hs_meeting_external_url",
            "hs_meeting_start_time",
            "hs_meeting_end_time",
            "hs_meeting_outcome",
        ],
    ),
    (
        "emails",
        &[
            "hs_email_direction",
            "hs_email_status",
            "hs_email_subject",
            "hs_email_text",
            "hs_email_html",
            "hs_email_headers",
            "hs_email_from_email",
            "hs_email_to_email",
        ],
    ),
    (
        "communications",
        &["hs_communication_channel_type", "hs_communication_body"],
    ),
    (
        "tickets",
        &[
            "subject",
            "content",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_priority",
        ],
    ),
];

#[test]
fn every_kind_has_the_properties_the_fact_sheet_names() {
    let world = World::new();
    for (object, names) in NAMED {
        let all = world.get(&format!("/crm/v3/properties/{object}"));
        let all = all["results"].as_array().unwrap();
        for name in *names {
            assert!(
                all.iter().any(|property| property["name"] == *name),
                "{object} has no {name}"
            );
        }
        for property in all {
            let kind = text(&property["type"]);
            let options = property["options"].as_array().unwrap();
            assert_eq!(property["hubspotDefined"], true);
            if kind == "enumeration" && property["externalOptions"] == false {
                assert!(
                    !options.is_empty() || property["name"] == "hs_persona",
                    "{property}"
                );
            }
            if kind == "bool" {
                assert_eq!(options.len(), 2, "{property}");
            }
        }
    }
    let read_only = ["hs_object_id", "hs_createdate", "hs_email_from_email"];
    for name in read_only {
        let property = world.get(&format!("/crm/v3/properties/emails/{name}"));
        assert_eq!(
            property["modificationMetadata"]["readOnlyValue"], true,
            "{name}"
        );
    }
}

#[test]
fn a_custom_property_is_made_read_changed_and_archived() {
    let world = World::new();
    let select = with(
        draft("src_stage_reason", "enumeration", "select"),
        "options",
        json!([{"label": "Price", "value": "price", "displayOrder": 0, "hidden": false}]),
    );
    let made = world.post(CONTACTS, &select, 201);
    assert_eq!(made["displayOrder"], -1);
    assert_eq!(made["calculated"], false);
    assert_eq!(made["archived"], false);
    assert_eq!(made["hasUniqueValue"], false);
    assert_eq!(made["createdAt"], "2026-03-01T10:00:00.000Z");
    assert_eq!(
        made["modificationMetadata"],
        json!({"archivable": true, "readOnlyDefinition": false, "readOnlyValue": false})
    );
    let one = format!("{CONTACTS}/src_stage_reason");
    assert_eq!(world.get(&one), made);
    world.pass(1000);
    let other = json!({"options": [{"label": "Fit", "value": "fit"}], "label": "Why"});
    let changed = world.patch(&one, &other, 200);
    let options = changed["options"].as_array().unwrap();
    assert_eq!(options.len(), 1, "the list is replaced");
    assert_eq!(options[0]["value"], "fit");
    assert_eq!(changed["label"], "Why");
    assert_eq!(changed["updatedAt"], "2026-03-01T10:00:01.000Z");
    expect(&world.ask(Method::Delete, &one), 204);
    expect(&world.ask(Method::Get, &one), 404);
    let archived = world.get(&format!("{CONTACTS}?archived=true"));
    assert_eq!(archived["results"].as_array().unwrap().len(), 1);
    assert_eq!(
        archived["results"][0]["archivedAt"],
        "2026-03-01T10:00:01.000Z"
    );
    let refused = world.post(CONTACTS, &select, 409);
    assert_eq!(refused["category"], "OBJECT_ALREADY_EXISTS");
    let body = json!({"properties": {"email": "a@ex.test", "src_stage_reason": "fit"}});
    let refused = world.post("/crm/v3/objects/contacts", &body, 400);
    assert_eq!(refused["errors"][0]["code"], "PROPERTY_DOESNT_EXIST");
}

#[test]
fn a_name_that_is_taken_is_409() {
    let world = World::new();
    for name in ["firstname", "mine"] {
        let _ = world.send(Method::Post, CONTACTS, &draft(name, "string", "text"));
        let refused = world.post(CONTACTS, &draft(name, "string", "text"), 409);
        assert_eq!(refused["category"], "OBJECT_ALREADY_EXISTS");
        assert_eq!(
            refused["message"],
            format!("A property named '{name}' already exists.")
        );
        assert_eq!(
            refused["subCategory"],
            "Properties.PROPERTY_WITH_NAME_EXISTS"
        );
        assert_eq!(refused["context"], json!({"name": [name]}));
    }
}

#[test]
fn types_go_with_their_field_types_only() {
    let world = World::new();
    let good: &[(&str, &[&str])] = &[
        (
            "string",
            &["text", "textarea", "html", "phonenumber", "file"],
        ),
        ("number", &["number"]),
        ("date", &["date"]),
        ("datetime", &["date"]),
        (
            "enumeration",
            &["select", "radio", "checkbox", "booleancheckbox"],
        ),
        ("bool", &["booleancheckbox"]),
        ("phone_number", &["phonenumber"]),
    ];
    let all = [
        "text",
        "textarea",
        "html",
        "phonenumber",
        "file",
        "number",
        "date",
        "select",
        "radio",
        "checkbox",
        "booleancheckbox",
    ];
    for (kind, field_types) in good {
        for field_type in all {
            let mut asked = draft(&format!("p_{kind}_{field_type}"), kind, field_type);
            if field_type == "booleancheckbox" {
                asked["options"] = yes_no();
            }
            let status = if field_types.contains(&field_type) {
                201
            } else {
                400
            };
            let told = world.post(CONTACTS, &asked, status);
            if status == 400 {
                assert_eq!(told["category"], "VALIDATION_ERROR");
                assert_eq!(told["errors"][0]["in"], "fieldType");
            }
        }
    }
    let unknown = world.post(CONTACTS, &draft("p", "text", "text"), 400);
    assert_eq!(unknown["errors"][0]["in"], "type");
}

#[test]
fn options_of_a_boolean_are_true_and_false() {
    let world = World::new();
    let bools = [
        ("bool", "booleancheckbox"),
        ("enumeration", "booleancheckbox"),
    ];
    let wrong = [
        json!([]),
        json!([{"label": "Yes", "value": "yes"}, {"label": "No", "value": "no"}]),
        json!([{"label": "Yes", "value": "true"}]),
    ];
    for (kind, field_type) in bools {
        for options in &wrong {
            let asked = with(draft("b", kind, field_type), "options", options.clone());
            let told = world.post(CONTACTS, &asked, 400);
            assert_eq!(told["errors"][0]["in"], "options");
        }
    }
    for options in [
        json!([{"label": "A", "value": "a"}, {"label": "B", "value": "a"}]),
        json!([{"label": "A", "value": "a"}, {"label": "A", "value": "b"}]),
        json!([{"label": "", "value": "a"}]),
        json!([{"label": "A", "value": "a;b"}]),
    ] {
        let asked = with(draft("e", "enumeration", "select"), "options", options);
        world.post(CONTACTS, &asked, 400);
    }
    let text_with_options = with(draft("t", "string", "text"), "options", yes_no());
    world.post(CONTACTS, &text_with_options, 400);
}

#[test]
fn names_are_lower_case_digits_and_underscores() {
    let world = World::new();
    for name in ["", "Upper", "a-b", "1a", "_a", "a b", "ä", &"a".repeat(101)] {
        let told = world.post(CONTACTS, &draft(name, "string", "text"), 400);
        assert_eq!(told["errors"][0]["in"], "name", "{name}");
    }
    for name in ["a", "src_id_2", &"a".repeat(100)] {
        world.post(CONTACTS, &draft(name, "string", "text"), 201);
    }
    let nowhere = with(draft("b", "string", "text"), "groupName", json!("nowhere"));
    let told = world.post(CONTACTS, &nowhere, 400);
    assert_eq!(told["errors"][0]["in"], "groupName");
}

#[test]
fn ten_properties_may_be_unique_from_their_creation_on() {
    let world = World::new();
    let unique = |name: &str, kind: &str, field_type: &str| {
        with(draft(name, kind, field_type), "hasUniqueValue", json!(true))
    };
    world.post(CONTACTS, &unique("u_date", "date", "date"), 400);
    for place in 0..10 {
        world.post(
            CONTACTS,
            &unique(&format!("u{place}"), "string", "text"),
            201,
        );
    }
    let told = world.post(CONTACTS, &unique("u10", "string", "text"), 400);
    assert!(
        text(&told["message"]).contains("limit of 10 unique"),
        "{told}"
    );
    world.post(CONTACTS, &draft("plain", "string", "text"), 201);
    let late = json!({"hasUniqueValue": true});
    world.patch(&format!("{CONTACTS}/plain"), &late, 400);
    // An archived one makes room.
    expect(&world.ask(Method::Delete, &format!("{CONTACTS}/u0")), 204);
    world.post(CONTACTS, &unique("u11", "number", "number"), 201);
    // Another kind has its own ten.
    let company = with(
        unique("u0", "string", "text"),
        "groupName",
        json!("companyinformation"),
    );
    world.post("/crm/v3/properties/companies", &company, 201);
}

#[test]
fn a_kind_has_at_most_a_thousand_custom_properties() {
    let world = World::new();
    for hundred in 0..10 {
        let inputs: Vec<_> = (0..100)
            .map(|place| draft(&format!("c{hundred}_{place}"), "string", "text"))
            .collect();
        let body = json!({ "inputs": inputs });
        world.post(&format!("{CONTACTS}/batch/create"), &body, 201);
    }
    let told = world.post(CONTACTS, &draft("one_more", "string", "text"), 400);
    assert!(
        text(&told["message"]).contains("1000 custom properties"),
        "{told}"
    );
    let used = world.get("/crm/v3/limits/custom-properties");
    let contacts = used["byObjectType"].as_array().unwrap().iter();
    let contacts = contacts
        .clone()
        .find(|kind| kind["objectTypeId"] == "0-1")
        .unwrap();
    assert_eq!(contacts["usage"], 1000);
    assert_eq!(contacts["limit"], 1000);
    assert_eq!(contacts["percentage"], 100.0);
}

#[test]
fn batches_of_properties_tell_what_failed() {
    let world = World::new();
    let inputs =
        json!({"inputs": [draft("one", "string", "text"), draft("email", "string", "text")]});
    let mixed = world.post(&format!("{CONTACTS}/batch/create"), &inputs, 207);
    assert_eq!(mixed["status"], "COMPLETE");
    assert_eq!(mixed["results"][0]["name"], "one");
    assert_eq!(mixed["numErrors"], 1);
    assert_eq!(
        mixed["errors"][0],
        json!({
            "status": "error", "category": "OBJECT_ALREADY_EXISTS",
            "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS",
            "message": "A property named 'email' already exists.",
            "context": {"name": ["email"]},
        }),
        "as recorded"
    );
    let read = json!({"archived": false, "inputs": [{"name": "one"}, {"name": "none"}]});
    let read = world.post(&format!("{CONTACTS}/batch/read"), &read, 207);
    assert_eq!(read["results"].as_array().unwrap().len(), 1);
    assert_eq!(read["errors"][0]["category"], "OBJECT_NOT_FOUND");
    let archive = json!({"inputs": [{"name": "one"}]});
    let answer = world.send(Method::Post, &format!("{CONTACTS}/batch/archive"), &archive);
    expect(&answer, 204);
    expect(&world.ask(Method::Get, &format!("{CONTACTS}/one")), 404);
    world.get(&format!("{CONTACTS}/one?archived=true"));
    let none = json!({"inputs": []});
    world.post(&format!("{CONTACTS}/batch/create"), &none, 400);
}

#[test]
fn the_vendors_properties_stay_as_they_are_but_for_their_options() {
    let world = World::new();
    let email = format!("{CONTACTS}/email");
    world.patch(&email, &json!({"label": "Mail"}), 400);
    expect(&world.ask(Method::Delete, &email), 400);
    let status = format!("{CONTACTS}/hs_lead_status");
    let options = json!({"options": [{"label": "Fresh", "value": "FRESH"}]});
    let changed = world.patch(&status, &options, 200);
    assert_eq!(changed["options"].as_array().unwrap().len(), 1);
    let fixed = json!({"options": [{"label": "Gone", "value": "GONE"}]});
    world.patch("/crm/v3/properties/calls/hs_call_direction", &fixed, 400);
    assert_eq!(world.count(ObjectType::CONTACT), 0);
}

#[test]
fn groups_are_made_changed_and_deleted_when_empty() {
    let world = World::new();
    let groups = format!("{CONTACTS}/groups");
    let listed = world.get(&groups);
    assert_eq!(listed["results"][0]["name"], "contactinformation");
    let made = json!({"name": "migration", "label": "Migration", "displayOrder": 9});
    let told = world.post(&groups, &made, 201);
    assert_eq!(
        told,
        json!({"name": "migration", "label": "Migration", "displayOrder": 9, "archived": false}),
        "as recorded"
    );
    let again = world.post(&groups, &made, 409);
    assert_eq!(again["category"], "OBJECT_ALREADY_EXISTS");
    let one = format!("{groups}/migration");
    let changed = world.patch(&one, &json!({"label": "Moved"}), 200);
    assert_eq!(changed["label"], "Moved");
    assert_eq!(changed["displayOrder"], 9);
    let inside = with(
        draft("mine", "string", "text"),
        "groupName",
        json!("migration"),
    );
    world.post(CONTACTS, &inside, 201);
    expect(&world.ask(Method::Delete, &one), 400);
    expect(&world.ask(Method::Delete, &format!("{CONTACTS}/mine")), 204);
    expect(&world.ask(Method::Delete, &one), 204);
    expect(&world.ask(Method::Get, &one), 404);
}
