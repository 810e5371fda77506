//! Holds single records and lists to sections 3 and 6 of the fact sheet.

use super::{START, World, expect, ids, text};
use crate::hubspot::{Method, ObjectType};
use serde_json::{Value, json};

#[test]
fn a_record_is_created_read_changed_and_deleted() {
    let world = World::new();
    let made = world.post(
        "/crm/v3/objects/contacts",
        &json!({ "properties": { "email": "Ada@Ex.test", "firstname": "Ada", "numemployees": "5-25" } }),
        201,
    );
    let id = text(&made["id"]);
    assert!(id.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(made["properties"]["firstname"], "Ada");
    assert_eq!(made["properties"]["hs_object_id"], id.as_str());
    assert_eq!(made["properties"]["lifecyclestage"], "lead");
    assert_eq!(made["createdAt"], "2026-03-01T10:00:00.000Z");
    assert_eq!(made["archived"], false);

    let path = format!("/crm/v3/objects/contacts/{id}");
    let read = world.get(&path);
    let names: Vec<&String> = read["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "createdate",
            "email",
            "firstname",
            "hs_object_id",
            "lastmodifieddate",
            "lastname"
        ],
        "the default properties"
    );
    assert_eq!(read["properties"]["lastname"], Value::Null);

    world.pass(1500);
    let changed = world.patch(&path, &json!({ "properties": { "lastname": "Quay" } }), 200);
    assert_eq!(changed["properties"]["lastname"], "Quay");
    assert_eq!(changed["updatedAt"], "2026-03-01T10:00:01.500Z");
    let read = world.get(&format!(
        "{path}?properties=lastname,no_such_property&properties=phone"
    ));
    assert_eq!(read["properties"]["lastname"], "Quay");
    assert_eq!(read["properties"]["phone"], Value::Null);
    assert!(read["properties"].get("no_such_property").is_none());
    assert!(read["properties"].get("email").is_none());
    assert_eq!(
        read["properties"]["lastmodifieddate"],
        "2026-03-01T10:00:01.500Z"
    );

    expect(&world.ask(Method::Delete, &path), 204);
    let gone = expect(&world.ask(Method::Get, &path), 404);
    assert_eq!(
        (&gone["message"], &gone["category"]),
        (&json!("resource not found"), &json!("OBJECT_NOT_FOUND"))
    );
    let archived = world.get(&format!("{path}?archived=true"));
    assert_eq!(archived["archived"], true);
    assert_eq!(archived["archivedAt"], "2026-03-01T10:00:01.500Z");
    assert_eq!(
        ids(&world.get("/crm/v3/objects/contacts?archived=true")["results"]),
        [id]
    );
    assert_eq!(
        ids(&world.get("/crm/v3/objects/contacts")["results"]).len(),
        0
    );
}

#[test]
fn every_kind_of_record_answers_to_its_names_and_id() {
    let world = World::new();
    for (names, properties) in [
        (["contacts", "contact", "0-1"], json!({ "firstname": "A" })),
        (["companies", "company", "0-2"], json!({ "name": "A" })),
        (
            ["deals", "DEAL", "0-3"],
            json!({ "dealname": "A", "dealstage": "appointmentscheduled" }),
        ),
        (["products", "product", "0-7"], json!({ "name": "A" })),
        (["line_items", "line_item", "0-8"], json!({ "name": "A" })),
        (
            ["notes", "note", "0-46"],
            json!({ "hs_timestamp": START.to_string() }),
        ),
        (
            ["calls", "call", "0-48"],
            json!({ "hs_timestamp": START.to_string() }),
        ),
        (
            ["tasks", "task", "0-27"],
            json!({ "hs_timestamp": START.to_string() }),
        ),
        (
            ["meetings", "meeting", "0-47"],
            json!({ "hs_timestamp": START.to_string() }),
        ),
        (
            ["emails", "email", "0-49"],
            json!({ "hs_timestamp": START.to_string(), "hs_email_direction": "EMAIL" }),
        ),
        (
            ["communications", "communication", "0-18"],
            json!({ "hs_timestamp": START.to_string() }),
        ),
        (
            ["invoices", "invoice", "0-53"],
            json!({ "hs_currency": "USD" }),
        ),
    ] {
        let id = world.create(names[0], &properties);
        for name in names {
            for family in [
                "/crm/v3/objects/",
                "/crm/objects/2026-03/",
                "/crm/objects/2026-09/",
            ] {
                let read = world.get(&format!("{family}{name}/{id}"));
                assert_eq!(read["id"], id.as_str(), "{family}{name}");
            }
        }
    }
    let unknown = expect(&world.ask(Method::Get, "/crm/v3/objects/ships"), 404);
    assert_eq!(
        unknown["message"],
        "Unable to infer object type from: ships"
    );
    assert!(
        unknown["correlationId"]
            .as_str()
            .is_some_and(|id| id.len() == 36)
    );
    expect(
        &world.ask(Method::Get, "/crm/objects/2025-03/contacts"),
        404,
    );
    expect(&world.ask(Method::Get, "/crm/v4/objects/contacts"), 404);
}

#[test]
fn lists_are_walked_by_a_cursor_of_at_most_a_hundred() {
    let world = World::new();
    let mut made: Vec<String> = (0..23)
        .map(|number| world.create("companies", &json!({ "name": format!("C{number}") })))
        .collect();
    let (mut seen, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = world.get(&format!(
            "/crm/v3/objects/companies?properties=name&limit=10{after}"
        ));
        seen.extend(ids(&page["results"]));
        pages += 1;
        match page["paging"]["next"]["after"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => {
                assert!(page.get("paging").is_none());
                break;
            }
        }
    }
    made.sort_unstable();
    assert_eq!((seen, pages), (made, 3));
    assert_eq!(
        ids(&world.get("/crm/v3/objects/companies")["results"]).len(),
        10,
        "ten by default"
    );
    expect(
        &world.ask(Method::Get, "/crm/v3/objects/companies?limit=101"),
        400,
    );
    expect(
        &world.ask(Method::Get, "/crm/v3/objects/companies?after=x"),
        400,
    );
}

#[test]
fn contacts_are_told_apart_by_any_address_in_any_case() {
    let world = World::new();
    let id = world.create(
        "contacts",
        &json!({ "email": "ada@ex.test", "hs_additional_emails": "a@old.test;b@old.test" }),
    );
    for email in ["ADA@ex.TEST", "b@old.test", "A@OLD.test"] {
        let body = json!({ "properties": { "email": email } });
        let refused = world.post("/crm/v3/objects/contacts", &body, 409);
        assert_eq!(refused["category"], "CONFLICT");
        assert_eq!(
            refused["message"],
            format!("Contact already exists. Existing ID: {id}")
        );
        let read = world.get(&format!(
            "/crm/v3/objects/contacts/{email}?idProperty=email"
        ));
        assert_eq!(read["id"], id.as_str());
    }
    let other = world.create("contacts", &json!({ "email": "eve@ex.test" }));
    let path = format!("/crm/v3/objects/contacts/{other}");
    world.patch(
        &path,
        &json!({ "properties": { "email": "ada@ex.test" } }),
        409,
    );
    world.patch(
        &path,
        &json!({ "properties": { "email": "eve@new.test" } }),
        200,
    );
    world.create("contacts", &json!({ "email": "eve@ex.test" }));
    expect(
        &world.ask(Method::Delete, &format!("/crm/v3/objects/contacts/{id}")),
        204,
    );
    let again = world.create("contacts", &json!({ "email": "ada@ex.test" }));
    assert_ne!(again, id, "a deleted contact's address is free");
}

#[test]
fn companies_never_conflict_on_their_domain() {
    let world = World::new();
    let first = world.create(
        "companies",
        &json!({ "name": "Quay", "domain": "quay.test" }),
    );
    let second = world.create("companies", &json!({ "domain": "quay.test" }));
    assert_ne!(first, second);
    assert_eq!(world.count(ObjectType::COMPANY), 2);
}

#[test]
fn a_unique_property_finds_its_record_and_keeps_others_off() {
    let world = World::new();
    let property = json!({
        "name": "src_id", "label": "Source", "groupName": "companyinformation",
        "type": "string", "fieldType": "text", "hasUniqueValue": true,
    });
    world.post("/crm/v3/properties/companies", &property, 201);
    let id = world.create("companies", &json!({ "name": "A", "src_id": "7" }));
    let read = world.get("/crm/v3/objects/companies/7?idProperty=src_id&properties=src_id");
    assert_eq!(
        (&read["id"], &read["properties"]["src_id"]),
        (&json!(id), &json!("7"))
    );
    let body = json!({ "properties": { "name": "B", "src_id": "7" } });
    let refused = world.post("/crm/v3/objects/companies", &body, 400);
    assert_eq!(refused["errors"][0]["code"], "CONFLICTING_UNIQUE_VALUE");
    assert!(text(&refused["message"]).contains(&format!("{id} already has that value")));
    let other = world.create("companies", &json!({ "name": "B", "src_id": "8" }));
    let path = "/crm/v3/objects/companies/8?idProperty=src_id";
    world.patch(path, &json!({ "properties": { "src_id": "9" } }), 200);
    expect(&world.ask(Method::Get, path), 404);
    world.create("companies", &json!({ "name": "C", "src_id": "8" }));
    let read = world.get("/crm/v3/objects/companies/9?idProperty=src_id");
    assert_eq!(read["id"], other.as_str());
    expect(
        &world.ask(Method::Get, "/crm/v3/objects/companies/A?idProperty=name"),
        400,
    );
}

#[test]
fn unknown_properties_are_refused_on_writes_with_the_json_in_the_message() {
    let world = World::new();
    let body = json!({ "properties": { "name": "A", "nope": "1", "createdate_x": "2" } });
    let refused = world.post("/crm/v3/objects/companies", &body, 400);
    assert_eq!(refused["category"], "VALIDATION_ERROR");
    let message = text(&refused["message"]);
    let embedded = message
        .strip_prefix("Property values were not valid: ")
        .unwrap();
    let embedded: Value = serde_json::from_str(embedded).unwrap();
    assert_eq!(embedded.as_array().unwrap().len(), 2);
    for one in embedded.as_array().unwrap() {
        assert_eq!(
            (&one["isValid"], &one["error"]),
            (&json!(false), &json!("PROPERTY_DOESNT_EXIST"))
        );
    }
    let codes: Vec<&Value> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["context"]["propertyName"][0])
        .collect();
    assert!(codes.contains(&&json!("nope")) && codes.contains(&&json!("createdate_x")));
    assert_eq!(world.count(ObjectType::COMPANY), 0);
}

#[test]
fn values_come_back_as_strings() {
    let world = World::new();
    let id = world.create(
        "deals",
        &json!({ "dealname": "D", "amount": 1500.5, "dealstage": "closedwon" }),
    );
    let read = world.get(&format!(
        "/crm/v3/objects/deals/{id}?properties=amount,hs_is_closed,hs_is_closed_won,pipeline"
    ));
    assert_eq!(read["properties"]["amount"], "1500.5");
    assert_eq!(read["properties"]["hs_is_closed"], "true");
    assert_eq!(read["properties"]["hs_is_closed_won"], "true");
    assert_eq!(read["properties"]["pipeline"], "default");
}
