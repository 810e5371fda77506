//! Holds what single kinds of record need to sections 6, 7, 10 and 11 of the fact sheet.

use super::{START, World, expect, text};
use crate::hubspot::{Method, ObjectType};
use serde_json::{Value, json};

fn spec(id: u32) -> Value {
    json!([{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id }])
}

fn with(properties: &Value, links: &[(&str, u32)]) -> Value {
    let links: Vec<Value> = links
        .iter()
        .map(|(to, kind)| json!({ "to": { "id": to }, "types": spec(*kind) }))
        .collect();
    json!({ "properties": properties, "associations": links })
}

/// The code of the first refused value.
#[track_caller]
fn refused(world: &World, object: &str, properties: &Value) -> Value {
    let body = json!({ "properties": properties });
    let refused = world.post(&format!("/crm/v3/objects/{object}"), &body, 400);
    assert_eq!(refused["category"], "VALIDATION_ERROR");
    refused
}

#[test]
fn what_is_required_must_be_there() {
    let world = World::new();
    for (object, properties, missing) in [
        ("companies", json!({ "city": "Kiel" }), "name"),
        ("deals", json!({ "dealstage": "closedwon" }), "dealname"),
        ("deals", json!({ "dealname": "D" }), "dealstage"),
        ("products", json!({ "price": "1" }), "name"),
        ("invoices", json!({}), "hs_currency"),
        ("projects", json!({ "hs_name": "P" }), "hs_pipeline"),
        ("notes", json!({ "hs_note_body": "N" }), "hs_timestamp"),
        ("calls", json!({}), "hs_timestamp"),
        ("tasks", json!({}), "hs_timestamp"),
        ("meetings", json!({}), "hs_timestamp"),
        (
            "emails",
            json!({ "hs_timestamp": "0" }),
            "hs_email_direction",
        ),
    ] {
        let refused = refused(&world, object, &properties);
        let missed = refused["context"]["properties"].as_array().unwrap();
        assert!(missed.contains(&json!(missing)), "{object}: {refused}");
    }
    world.create("contacts", &json!({}));
    world.create("line_items", &json!({}));
}

#[test]
fn deals_stand_in_a_stage_of_their_pipeline_with_a_currency_of_the_account() {
    let world = World::new();
    let deal = |extra: Value| {
        let mut properties = json!({ "dealname": "D", "dealstage": "appointmentscheduled" });
        for (name, value) in extra.as_object().unwrap() {
            properties[name] = value.clone();
        }
        properties
    };
    let code = |extra: Value| refused(&world, "deals", &deal(extra))["errors"][0]["code"].clone();
    assert_eq!(code(json!({ "dealstage": "nowhere" })), "INVALID_OPTION");
    assert_eq!(code(json!({ "pipeline": "nowhere" })), "INVALID_OPTION");
    assert_eq!(
        code(json!({ "deal_currency_code": "CHF" })),
        "INVALID_OPTION"
    );
    let made = world.post(
        "/crm/v3/pipelines/deals",
        &json!({ "label": "Other", "displayOrder": 1, "stages": [
            { "label": "Only", "displayOrder": 0, "metadata": { "probability": "0.5" } },
        ] }),
        201,
    );
    let (pipeline, stage) = (&made["id"], &made["stages"][0]["id"]);
    assert_eq!(
        code(json!({ "pipeline": pipeline })),
        "INVALID_OPTION",
        "a stage of another pipeline"
    );
    let id = world.create(
        "deals",
        &deal(json!({ "pipeline": pipeline, "dealstage": stage })),
    );
    let path = format!("/crm/v3/objects/deals/{id}");
    world.patch(
        &path,
        &json!({ "properties": { "dealstage": "closedwon" } }),
        400,
    );
    let back = json!({ "properties": { "dealstage": "closedwon", "pipeline": "default", "amount": "100.50", "deal_currency_code": "EUR" } });
    world.patch(&path, &back, 200);
    let read = world.get(&format!(
        "{path}?properties=hs_is_closed,hs_is_closed_won,hs_deal_stage_probability,amount_in_home_currency"
    ));
    assert_eq!(read["properties"]["hs_is_closed_won"], "true");
    assert_eq!(read["properties"]["amount_in_home_currency"], "108.54");
    world.patch(
        &path,
        &json!({ "properties": { "amount_in_home_currency": "1" } }),
        400,
    );
}

#[test]
fn a_lead_needs_its_main_contact_and_goes_with_it() {
    let world = World::new();
    let person = world.create("contacts", &json!({ "firstname": "A" }));
    let properties = json!({ "hs_lead_name": "L" });
    for links in [&[][..], &[(person.as_str(), 608)]] {
        world.post("/crm/v3/objects/leads", &with(&properties, links), 400);
    }
    let made = world.post(
        "/crm/v3/objects/leads",
        &with(&properties, &[(&person, 578)]),
        201,
    );
    let id = text(&made["id"]);
    let page = world.get(&format!("/crm/v4/objects/leads/{id}/associations/contacts"));
    let types: Vec<&Value> = page["results"][0]["associationTypes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| &kind["typeId"])
        .collect();
    assert_eq!(types, [578, 608]);
    let read = world.get(&format!(
        "/crm/v3/objects/leads/{id}?properties=hs_pipeline,hs_pipeline_stage"
    ));
    assert!(read["properties"]["hs_pipeline_stage"].is_string());
    let company = world.create("companies", &json!({ "name": "C" }));
    let path = format!("/crm/v4/objects/leads/{id}/associations/companies/{company}");
    expect(&world.send(Method::Put, &path, &spec(580)), 201);
    let contact = format!("/crm/v4/objects/leads/{id}/associations/contacts/{person}");
    expect(&world.ask(Method::Delete, &contact), 204);
    world.get(&format!("/crm/v3/objects/leads/{id}"));
    expect(&world.ask(Method::Delete, &path), 204);
    expect(
        &world.ask(Method::Get, &format!("/crm/v3/objects/leads/{id}")),
        404,
    );

    let other = world.post(
        "/crm/v3/objects/leads",
        &with(&properties, &[(&person, 578)]),
        201,
    );
    expect(
        &world.ask(
            Method::Delete,
            &format!("/crm/v3/objects/contacts/{person}"),
        ),
        204,
    );
    let path = format!("/crm/v3/objects/leads/{}", text(&other["id"]));
    expect(&world.ask(Method::Get, &path), 404);
    assert_eq!(world.count(ObjectType::LEAD), 0);
}

#[test]
fn an_invoice_opens_with_a_contact_and_a_line_item() {
    let world = World::new();
    let person = world.create("contacts", &json!({ "firstname": "A" }));
    let item = world.create("line_items", &json!({ "name": "I" }));
    let open = json!({ "hs_currency": "USD", "hs_invoice_status": "open" });
    for links in [&[][..], &[(person.as_str(), 177)], &[(item.as_str(), 409)]] {
        world.post("/crm/v3/objects/invoices", &with(&open, links), 400);
    }
    let made = world.post(
        "/crm/v3/objects/invoices",
        &with(&json!({ "hs_currency": "USD" }), &[(&person, 177)]),
        201,
    );
    assert_eq!(made["properties"]["hs_invoice_status"], "draft");
    let path = format!("/crm/v3/objects/invoices/{}", text(&made["id"]));
    let change = json!({ "properties": { "hs_invoice_status": "open" } });
    world.patch(&path, &change, 400);
    let link = format!(
        "/crm/v4/objects/invoices/{}/associations/line_items/{item}",
        text(&made["id"])
    );
    expect(&world.send(Method::Put, &link, &spec(409)), 201);
    world.patch(&path, &change, 200);
}

#[test]
fn a_line_item_has_one_parent_and_a_net_price() {
    let world = World::new();
    let product = world.create(
        "products",
        &json!({ "name": "Rope", "price": "10", "hs_sku": "R1" }),
    );
    let properties =
        json!({ "hs_product_id": product, "quantity": "3", "hs_discount_percentage": "10" });
    let deal = |name: &str| {
        world.create(
            "deals",
            &json!({ "dealname": name, "dealstage": "closedwon" }),
        )
    };
    let (one, two) = (deal("1"), deal("2"));
    let made = world.post(
        "/crm/v3/objects/line_items",
        &with(&properties, &[(&one, 20)]),
        201,
    );
    assert_eq!(made["properties"]["name"], "Rope");
    assert_eq!(made["properties"]["amount"], "27");
    let item = text(&made["id"]);
    let path = format!("/crm/v4/objects/deals/{two}/associations/line_items/{item}");
    expect(&world.send(Method::Put, &path, &spec(19)), 400);
    expect(
        &world.send(Method::Put, &path.replace(&two, &one), &spec(19)),
        201,
    );
    world.post(
        "/crm/v3/objects/line_items",
        &with(&json!({}), &[(&one, 20), (&two, 20)]),
        400,
    );
    world.post(
        "/crm/v3/objects/deals",
        &with(
            &json!({ "dealname": "3", "dealstage": "closedwon" }),
            &[(&item, 19)],
        ),
        400,
    );
    refused(&world, "line_items", &json!({ "hs_product_id": "77" }));
}

#[test]
fn the_headers_of_an_email_fill_who_sent_it_to_whom() {
    let world = World::new();
    let headers = json!({
        "from": { "email": "ada@ex.test", "firstName": "Ada", "lastName": "Quay" },
        "to": [{ "email": "b@ex.test" }, { "email": "c@ex.test" }],
        "cc": [], "bcc": [],
    });
    let id = world.create(
        "emails",
        &json!({ "hs_timestamp": START.to_string(), "hs_email_direction": "EMAIL", "hs_email_headers": headers.to_string() }),
    );
    let read = world.get(&format!(
        "/crm/v3/objects/emails/{id}?properties=hs_email_from_email,hs_email_from_firstname,hs_email_to_email,hs_email_cc_email"
    ));
    let properties = &read["properties"];
    assert_eq!(properties["hs_email_from_email"], "ada@ex.test");
    assert_eq!(properties["hs_email_from_firstname"], "Ada");
    assert_eq!(properties["hs_email_to_email"], "b@ex.test;c@ex.test");
    assert_eq!(properties["hs_email_cc_email"], Value::Null);
    let path = format!("/crm/v3/objects/emails/{id}");
    let change = json!({ "properties": { "hs_email_from_email": "x@ex.test", "nope": "1", "hs_email_subject": "S" } });
    let changed = world.patch(&path, &change, 200);
    assert_eq!(changed["properties"]["hs_email_subject"], "S");
    let read = world.get(&format!("{path}?properties=hs_email_from_email"));
    assert_eq!(read["properties"]["hs_email_from_email"], "ada@ex.test");
}

#[test]
fn only_changes_of_engagements_pass_over_what_is_unknown() {
    let world = World::new();
    let task = world.create("tasks", &json!({ "hs_timestamp": "0" }));
    let body = json!({ "properties": { "nope": "1", "hs_task_status": "COMPLETED" } });
    world.patch(&format!("/crm/v3/objects/tasks/{task}"), &body, 200);
    let read = world.get(&format!(
        "/crm/v3/objects/tasks/{task}?properties=hs_task_is_completed"
    ));
    assert_eq!(read["properties"]["hs_task_is_completed"], "1");
    refused(
        &world,
        "tasks",
        &json!({ "hs_timestamp": "0", "nope": "1" }),
    );
    let person = world.create("contacts", &json!({ "firstname": "A" }));
    let body = json!({ "properties": { "nope": "1" } });
    world.patch(&format!("/crm/v3/objects/contacts/{person}"), &body, 400);
    let bad = json!({ "properties": { "hs_task_status": "DONE" } });
    world.patch(&format!("/crm/v3/objects/tasks/{task}"), &bad, 400);
}

#[test]
fn the_lifecycle_only_goes_forward_unless_it_is_cleared() {
    let world = World::new();
    let id = world.create("contacts", &json!({ "lifecyclestage": "customer" }));
    let path = format!("/crm/v3/objects/contacts/{id}");
    let set = |stage: &str| {
        world.patch(
            &path,
            &json!({ "properties": { "lifecyclestage": stage } }),
            200,
        );
        world.get(&format!("{path}?properties=lifecyclestage"))["properties"]["lifecyclestage"]
            .clone()
    };
    assert_eq!(set("lead"), "customer");
    assert_eq!(set("evangelist"), "evangelist");
    assert_eq!(set(""), Value::Null);
    assert_eq!(set("lead"), "lead");
}

#[test]
fn several_choices_are_added_with_a_leading_semicolon() {
    let world = World::new();
    let property = json!({
        "name": "likes", "label": "Likes", "groupName": "contactinformation",
        "type": "enumeration", "fieldType": "checkbox",
        "options": [
            { "label": "A", "value": "a", "displayOrder": 0, "hidden": false },
            { "label": "B", "value": "b", "displayOrder": 1, "hidden": false },
        ],
    });
    world.post("/crm/v3/properties/contacts", &property, 201);
    let id = world.create("contacts", &json!({ "likes": "a" }));
    let path = format!("/crm/v3/objects/contacts/{id}?properties=likes");
    world.patch(&path, &json!({ "properties": { "likes": ";b" } }), 200);
    assert_eq!(world.get(&path)["properties"]["likes"], "a;b");
    world.patch(&path, &json!({ "properties": { "likes": "A" } }), 400);
}

#[test]
fn custom_objects_are_records_like_others() {
    let world = World::new();
    let schema = json!({
        "name": "ship", "labels": { "singular": "Ship", "plural": "Ships" },
        "primaryDisplayProperty": "ship_name", "requiredProperties": ["ship_name"],
        "searchableProperties": ["ship_name"],
        "properties": [{ "name": "ship_name", "label": "Name", "type": "string", "fieldType": "text" }],
        "associatedObjects": ["CONTACT"],
    });
    let made = world.post("/crm-object-schemas/v3/schemas", &schema, 201);
    let id = text(&made["objectTypeId"]);
    let full = text(&made["fullyQualifiedName"]);
    let ship = world.create("ship", &json!({ "ship_name": "Argo" }));
    for name in [&id, &full] {
        let read = world.get(&format!(
            "/crm/v3/objects/{name}/{ship}?properties=ship_name"
        ));
        assert_eq!(read["properties"]["ship_name"], "Argo");
    }
    refused(&world, "ship", &json!({}));
    let person = world.create("contacts", &json!({ "firstname": "A" }));
    let path = format!("/crm/v4/objects/{id}/{ship}/associations/default/contacts/{person}");
    expect(&world.ask(Method::Put, &path), 200);
    let page = world.get(&format!(
        "/crm/v4/objects/contacts/{person}/associations/{id}"
    ));
    assert_eq!(page["results"][0]["toObjectId"].to_string(), ship);
    let found = world.post(
        &format!("/crm/v3/objects/{id}/search"),
        &json!({ "query": "arg" }),
        200,
    );
    assert_eq!(found["total"], 1);
}
