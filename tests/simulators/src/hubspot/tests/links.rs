//! Holds associations to section 7 of the fact sheet.

use super::{START, World, expect, text};
use crate::hubspot::{Method, ObjectType};
use serde_json::{Value, json};

fn spec(id: u32) -> Value {
    json!({ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id })
}

fn person(world: &World) -> String {
    world.create("contacts", &json!({ "firstname": "A" }))
}

fn company(world: &World) -> String {
    world.create("companies", &json!({ "name": "C" }))
}

/// The ids of types of a pair, as reads show them.
fn types(world: &World, from: &str, id: &str, to: &str, to_id: &str) -> Vec<u64> {
    let page = world.get(&format!("/crm/v4/objects/{from}/{id}/associations/{to}"));
    let results = page["results"].as_array().unwrap();
    let one = results
        .iter()
        .find(|result| result["toObjectId"].as_u64() == to_id.parse().ok());
    let types = one.map(|one| one["associationTypes"].as_array().unwrap().clone());
    types
        .unwrap_or_default()
        .iter()
        .map(|kind| kind["typeId"].as_u64().unwrap())
        .collect()
}

fn put(world: &World, path: &str, ids: &[u32], status: u16) -> Value {
    let body: Vec<Value> = ids.iter().map(|id| spec(*id)).collect();
    expect(&world.send(Method::Put, path, &json!(body)), status)
}

#[test]
fn the_default_association_is_unlabelled_and_makes_nothing_primary() {
    let world = World::new();
    let (person, company) = (person(&world), company(&world));
    let path =
        format!("/crm/v4/objects/contacts/{person}/associations/default/companies/{company}");
    let done = expect(&world.ask(Method::Put, &path), 200);
    assert_eq!(done["results"][0]["associationSpec"], spec(279));
    assert_eq!(done["results"][1]["associationSpec"], spec(280));
    assert_eq!(
        types(&world, "contacts", &person, "companies", &company),
        [279]
    );
    assert_eq!(
        types(&world, "companies", &company, "contacts", &person),
        [280]
    );
    let page = world.get(&format!("/crm/v4/objects/0-1/{person}/associations/0-2"));
    assert!(page["results"][0]["toObjectId"].is_u64());
    assert_eq!(
        page["results"][0]["associationTypes"][0]["label"],
        Value::Null
    );
    expect(&world.ask(Method::Put, &path.replace(&company, "77")), 404);
    let path = format!("/crm/v4/objects/contacts/{person}/associations/companies/{company}");
    expect(&world.ask(Method::Delete, &path), 204);
    assert!(types(&world, "companies", &company, "contacts", &person).is_empty());
}

#[test]
fn setting_a_primary_moves_it_and_reads_show_both_types() {
    let world = World::new();
    let person = person(&world);
    let (first, second) = (company(&world), company(&world));
    let path = |company: &str| {
        format!("/crm/v4/objects/contacts/{person}/associations/companies/{company}")
    };
    put(&world, &path(&first), &[1], 201);
    assert_eq!(
        types(&world, "contacts", &person, "companies", &first),
        [1, 279]
    );
    put(&world, &path(&second), &[279], 201);
    assert_eq!(
        types(&world, "contacts", &person, "companies", &second),
        [279]
    );
    // From the company's side: type 2 makes it the contact's primary company.
    let from_company = format!("/crm/v4/objects/companies/{second}/associations/contacts/{person}");
    let done = put(&world, &from_company, &[2], 201);
    assert_eq!(done["labels"], json!(["Primary"]));
    assert_eq!(
        types(&world, "contacts", &person, "companies", &second),
        [1, 279]
    );
    assert_eq!(
        types(&world, "contacts", &person, "companies", &first),
        [279]
    );
    assert_eq!(
        types(&world, "companies", &first, "contacts", &person),
        [280]
    );
    let read = world.get(&format!(
        "/crm/v3/objects/contacts/{person}?properties=associatedcompanyid"
    ));
    assert_eq!(read["properties"]["associatedcompanyid"], second.as_str());
    let label = world.get(&format!(
        "/crm/v4/objects/contacts/{person}/associations/companies"
    ));
    let primary = &label["results"][1]["associationTypes"][0];
    assert_eq!(
        primary,
        &json!({ "category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary" })
    );
    // A new set of labels replaces the old one.
    put(&world, &path(&second), &[279], 201);
    assert_eq!(
        types(&world, "contacts", &person, "companies", &second),
        [279]
    );
}

#[test]
fn a_company_has_many_contacts_for_whom_it_is_primary() {
    let world = World::new();
    let (one, two, company) = (person(&world), person(&world), company(&world));
    for person in [&one, &two] {
        let path = format!("/crm/v4/objects/companies/{company}/associations/contacts/{person}");
        put(&world, &path, &[2], 201);
    }
    for person in [&one, &two] {
        assert_eq!(
            types(&world, "contacts", person, "companies", &company),
            [1, 279]
        );
    }
}

#[test]
fn unknown_types_and_the_wrong_direction_are_refused() {
    let world = World::new();
    let (person, company) = (person(&world), company(&world));
    let path = format!("/crm/v4/objects/contacts/{person}/associations/companies/{company}");
    for id in [280, 2, 341, 99_999] {
        put(&world, &path, &[id], 400);
    }
    let body = json!([{ "associationCategory": "USER_DEFINED", "associationTypeId": 279 }]);
    expect(&world.send(Method::Put, &path, &body), 400);
    let batch = json!({ "inputs": [{ "from": { "id": person }, "to": { "id": company }, "types": [spec(280)] }] });
    world.post(
        "/crm/v4/associations/contacts/companies/batch/create",
        &batch,
        400,
    );
    assert!(types(&world, "contacts", &person, "companies", &company).is_empty());
    let product = world.create("products", &json!({ "name": "P" }));
    let path = format!("/crm/v4/objects/contacts/{person}/associations/default/products/{product}");
    expect(&world.ask(Method::Put, &path), 400);
}

#[test]
fn batches_associate_read_and_part() {
    let world = World::new();
    let people: Vec<String> = (0..3).map(|_| person(&world)).collect();
    let company = company(&world);
    let base = "/crm/v4/associations/contacts/companies/batch";
    let pair = |person: &str, company: &str| json!({ "from": { "id": person }, "to": { "id": company }, "types": [spec(1)] });
    let inputs = json!({ "inputs": [pair(&people[0], &company), pair(&people[1], &company), pair(&people[2], "77")] });
    let mixed = world.post(&format!("{base}/create"), &inputs, 207);
    assert_eq!(mixed["results"].as_array().unwrap().len(), 2);
    assert_eq!(mixed["errors"][0]["category"], "OBJECT_NOT_FOUND");
    assert_eq!(
        mixed["errors"][0]["context"]["fromObjectId"],
        json!([people[2]])
    );
    let one = json!({ "inputs": [pair(&people[0], &company)] });
    assert_eq!(
        world.post(&format!("{base}/create"), &one, 201)["results"][0]["labels"],
        json!(["Primary"])
    );

    let read = json!({ "inputs": [{ "id": people[0] }, { "id": people[2] }] });
    let mixed = world.post(&format!("{base}/read"), &read, 207);
    assert_eq!(mixed["results"][0]["from"]["id"], people[0].as_str());
    assert_eq!(
        mixed["results"][0]["to"][0]["toObjectId"].to_string(),
        company
    );
    assert_eq!(
        mixed["errors"][0]["subCategory"],
        "crm.associations.NO_ASSOCIATIONS_FOUND"
    );
    let read = json!({ "inputs": [{ "id": people[0] }] });
    world.post(&format!("{base}/read"), &read, 200);

    let part = json!({ "inputs": [{ "from": { "id": people[0] }, "to": { "id": company }, "types": [spec(1)] }] });
    expect(
        &world.send(Method::Post, &format!("{base}/labels/archive"), &part),
        204,
    );
    assert_eq!(
        types(&world, "contacts", &people[0], "companies", &company),
        [279]
    );
    let part = json!({ "inputs": [{ "from": { "id": people[0] }, "to": [{ "id": company }] }] });
    expect(
        &world.send(Method::Post, &format!("{base}/archive"), &part),
        204,
    );
    assert!(types(&world, "contacts", &people[0], "companies", &company).is_empty());
    let plain = json!({ "inputs": [{ "from": { "id": people[0] }, "to": { "id": company } }] });
    let done = world.post(&format!("{base}/associate/default"), &plain, 200);
    assert_eq!(
        done["results"].as_array().unwrap().len(),
        2,
        "both directions"
    );
    let many: Vec<Value> = (0..2001).map(|_| pair(&people[0], &company)).collect();
    world.post(&format!("{base}/create"), &json!({ "inputs": many }), 400);
    let many: Vec<Value> = (0..1001)
        .map(|number| json!({ "id": number.to_string() }))
        .collect();
    world.post(&format!("{base}/read"), &json!({ "inputs": many }), 400);
}

#[test]
fn associations_come_with_a_creation_and_pages_of_500() {
    let world = World::new();
    let company = company(&world);
    for chunk in 0..6 {
        let inputs: Vec<Value> = (0..100)
            .map(|number| {
                json!({
                    "properties": { "firstname": format!("P{chunk}-{number}") },
                    "associations": [{ "to": { "id": company }, "types": [spec(279)] }],
                })
            })
            .collect();
        world.post(
            "/crm/v3/objects/contacts/batch/create",
            &json!({ "inputs": inputs }),
            201,
        );
    }
    let path = format!("/crm/v4/objects/companies/{company}/associations/contacts");
    let page = world.get(&path);
    assert_eq!(page["results"].as_array().unwrap().len(), 500);
    let after = text(&page["paging"]["next"]["after"]);
    let rest = world.get(&format!("{path}?after={after}"));
    assert_eq!(rest["results"].as_array().unwrap().len(), 100);
    assert!(rest.get("paging").is_none());
    expect(&world.ask(Method::Get, &format!("{path}?limit=501")), 400);
    let read = world.get(&format!(
        "/crm/v3/objects/companies/{company}?properties=num_associated_contacts"
    ));
    assert_eq!(read["properties"]["num_associated_contacts"], "600");
    let body = json!({
        "properties": { "firstname": "X" },
        "associations": [{ "to": { "id": "77" }, "types": [spec(279)] }],
    });
    world.post("/crm/v3/objects/contacts", &body, 400);
    assert_eq!(world.count(ObjectType::CONTACT), 600);
}

#[test]
fn the_third_generation_names_types_and_lists_them_with_records() {
    let world = World::new();
    let (person, company) = (person(&world), company(&world));
    let path = format!("/crm/v4/objects/contacts/{person}/associations/companies/{company}");
    put(&world, &path, &[1], 201);
    let expected = json!([
        { "id": company, "type": "contact_to_company" },
        { "id": company, "type": "contact_to_company_unlabeled" },
    ]);
    let list = world.get(&format!(
        "/crm/v3/objects/contacts/{person}/associations/companies"
    ));
    assert_eq!(list["results"], expected);
    let read = world.get(&format!(
        "/crm/v3/objects/contacts/{person}?associations=companies,deals"
    ));
    assert_eq!(
        read["associations"],
        json!({ "companies": { "results": expected } })
    );
    let list = world.get("/crm/v3/objects/contacts?associations=company");
    assert_eq!(
        list["results"][0]["associations"]["companies"]["results"],
        expected
    );
    let before = world.get(&format!("/crm/v3/objects/contacts/{person}"));
    world.pass(5000);
    put(&world, &path, &[279], 201);
    let after = world.get(&format!("/crm/v3/objects/contacts/{person}"));
    assert_eq!(before["updatedAt"], after["updatedAt"]);
}

#[test]
fn every_documented_type_goes_its_way() {
    let world = World::new();
    let at = START.to_string();
    let id = |object: &str, properties: Value| world.create(object, &properties);
    let contact = id("contacts", json!({ "firstname": "A" }));
    let company = id("companies", json!({ "name": "A" }));
    let deal = id(
        "deals",
        json!({ "dealname": "A", "dealstage": "closedlost" }),
    );
    for (object, types) in [
        ("notes", [202, 190, 214]),
        ("calls", [194, 182, 206]),
        ("tasks", [204, 192, 216]),
        ("meetings", [200, 188, 212]),
        ("emails", [198, 186, 210]),
        ("communications", [81, 87, 85]),
    ] {
        let mut properties = json!({ "hs_timestamp": at });
        if object == "emails" {
            properties["hs_email_direction"] = json!("INCOMING_EMAIL");
        }
        let id = id(object, properties);
        let targets = [
            ("contacts", &contact),
            ("companies", &company),
            ("deals", &deal),
        ];
        for (kind, (to, to_id)) in types.into_iter().zip(targets) {
            let path = format!("/crm/v4/objects/{object}/{id}/associations/{to}/{to_id}");
            put(&world, &path, &[kind], 201);
            put(&world, &path, &[kind + 1], 400);
        }
    }
    let path = format!("/crm/v4/objects/deals/{deal}/associations/companies/{company}");
    put(&world, &path, &[5], 201);
    assert_eq!(
        types(&world, "companies", &company, "deals", &deal),
        [6, 342]
    );
}
