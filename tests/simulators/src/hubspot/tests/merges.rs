//! Holds merges, deletions for privacy, and labels of associations.

use super::{World, expect, ids, text};
use crate::hubspot::{Method, ObjectType};
use serde_json::{Value, json};

fn merge(world: &World, object: &str, primary: &str, loser: &str, status: u16) -> Value {
    let body = json!({ "primaryObjectId": primary, "objectIdToMerge": loser });
    world.post(&format!("/crm/v3/objects/{object}/merge"), &body, status)
}

#[test]
fn a_merged_id_leads_to_the_survivor_of_single_calls_only() {
    let world = World::new();
    let kept = world.create(
        "contacts",
        &json!({ "email": "a@ex.test", "firstname": "Ada" }),
    );
    let lost = world.create(
        "contacts",
        &json!({ "email": "b@ex.test", "firstname": "Eve", "phone": "+1" }),
    );
    let done = merge(&world, "contacts", &kept, &lost, 200);
    assert_eq!(done["id"], kept.as_str());
    assert_eq!(done["properties"]["hs_merged_object_ids"], lost.as_str());
    assert_eq!(
        done["properties"]["firstname"], "Ada",
        "the primary's value wins"
    );
    assert_eq!(done["properties"]["phone"], "+1");
    let path = format!("/crm/v3/objects/contacts/{lost}");
    assert_eq!(world.get(&path)["id"], kept.as_str());
    let changed = world.patch(&path, &json!({ "properties": { "lastname": "Quay" } }), 200);
    assert_eq!(changed["id"], kept.as_str());
    let body = json!({ "inputs": [{ "id": lost, "properties": { "lastname": "X" }, "objectWriteTraceId": "1" }] });
    let mixed = world.post("/crm/v3/objects/contacts/batch/update", &body, 207);
    assert_eq!(mixed["errors"][0]["category"], "OBJECT_NOT_FOUND");
    let body = json!({ "inputs": [{ "id": lost }] });
    world.post("/crm/v3/objects/contacts/batch/read", &body, 207);
    let body = json!({ "properties": { "email": "B@ex.test" } });
    let refused = world.post("/crm/v3/objects/contacts", &body, 409);
    assert!(text(&refused["message"]).ends_with(&kept), "{refused}");
    assert_eq!(
        ids(&world.get("/crm/v3/objects/contacts")["results"]),
        [kept.as_str()]
    );
    let third = world.create("contacts", &json!({ "email": "c@ex.test" }));
    merge(&world, "contacts", &third, &lost, 200);
    assert_eq!(world.get(&path)["id"], third.as_str(), "a chain of merges");
    merge(&world, "contacts", &third, &kept, 400);
}

#[test]
fn a_record_takes_in_at_most_250_identities() {
    let world = World::new();
    let kept = world.create("companies", &json!({ "name": "A" }));
    for _ in 0..249 {
        let lost = world.create("companies", &json!({ "name": "B" }));
        merge(&world, "companies", &kept, &lost, 200);
    }
    let lost = world.create("companies", &json!({ "name": "B" }));
    merge(&world, "companies", &kept, &lost, 414);
    assert_eq!(world.count(ObjectType::COMPANY), 2);
}

#[test]
fn the_survivor_takes_the_associations_over() {
    let world = World::new();
    let kept = world.create("companies", &json!({ "name": "A" }));
    let lost = world.create("companies", &json!({ "name": "B" }));
    let spec =
        |id: u32| json!([{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id }]);
    let people: Vec<String> = [1, 1]
        .iter()
        .zip([&kept, &lost])
        .map(|(_, company)| {
            let body = json!({ "properties": { "firstname": "P" }, "associations": [{ "to": { "id": company }, "types": spec(1) }] });
            text(&world.post("/crm/v3/objects/contacts", &body, 201)["id"])
        })
        .collect();
    merge(&world, "companies", &kept, &lost, 200);
    for person in &people {
        let page = world.get(&format!(
            "/crm/v4/objects/contacts/{person}/associations/companies"
        ));
        assert_eq!(page["results"][0]["toObjectId"].to_string(), kept);
        assert_eq!(page["results"][0]["associationTypes"][0]["typeId"], 1);
        assert_eq!(page["results"].as_array().unwrap().len(), 1);
    }
    let note = world.create("notes", &json!({ "hs_timestamp": "0" }));
    merge(&world, "notes", &note, &note, 400);
}

#[test]
fn deleted_for_privacy_is_gone_and_blocked() {
    let world = World::new();
    let id = world.create("contacts", &json!({ "email": "a@ex.test" }));
    let delete =
        |body: Value| world.send(Method::Post, "/crm/v3/objects/contacts/gdpr-delete", &body);
    expect(&delete(json!({ "objectId": id })), 204);
    let path = format!("/crm/v3/objects/contacts/{id}");
    expect(&world.ask(Method::Get, &path), 404);
    expect(
        &world.ask(Method::Get, &format!("{path}?archived=true")),
        404,
    );
    let body = json!({ "properties": { "email": "A@ex.test" } });
    let refused = world.post("/crm/v3/objects/contacts", &body, 400);
    assert_eq!(
        refused["errors"][0]["context"]["propertyName"],
        json!(["email"])
    );
    expect(
        &delete(json!({ "objectId": "never@ex.test", "idProperty": "email" })),
        204,
    );
    world.post(
        "/crm/v3/objects/contacts",
        &json!({ "properties": { "email": "never@ex.test" } }),
        400,
    );
    expect(&delete(json!({ "objectId": "77" })), 404);
    expect(&delete(json!({})), 400);
    assert_eq!(world.count(ObjectType::CONTACT), 0);
}

#[test]
fn labels_come_in_pairs_and_read_back() {
    let world = World::new();
    let labels = "/crm/v4/associations/contacts/companies/labels";
    let body = json!({ "label": "Advises", "name": "advises", "inverseLabel": "Advised by" });
    let made = world.post(labels, &body, 200);
    let [there, back] = [0, 1].map(|place| made["results"][place]["typeId"].as_u64().unwrap());
    assert_ne!(there, back);
    assert_eq!(made["results"][0]["category"], "USER_DEFINED");
    world.post(labels, &body, 409);
    let listed = world.get(labels);
    let types: Vec<u64> = listed["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind["typeId"].as_u64().unwrap())
        .collect();
    assert_eq!(types, [1, 279, there]);
    let person = world.create("contacts", &json!({ "firstname": "A" }));
    let company = world.create("companies", &json!({ "name": "C" }));
    let path = format!("/crm/v4/objects/contacts/{person}/associations/companies/{company}");
    let set = json!([{ "associationCategory": "USER_DEFINED", "associationTypeId": there }]);
    let done = expect(&world.send(Method::Put, &path, &set), 201);
    assert_eq!(done["labels"], json!(["Advises"]));
    let reverse = json!([{ "associationCategory": "USER_DEFINED", "associationTypeId": back }]);
    expect(&world.send(Method::Put, &path, &reverse), 400);
    let page = world.get(&format!(
        "/crm/v4/objects/companies/{company}/associations/contacts"
    ));
    assert_eq!(
        page["results"][0]["associationTypes"],
        json!([
            { "category": "HUBSPOT_DEFINED", "typeId": 280, "label": null },
            { "category": "USER_DEFINED", "typeId": back, "label": "Advised by" },
        ])
    );
    let rename = json!({ "associationTypeId": there, "label": "Counsels" });
    expect(&world.send(Method::Put, labels, &rename), 204);
    assert_eq!(world.get(labels)["results"][2]["label"], "Counsels");
    expect(
        &world.ask(Method::Delete, &format!("{labels}/{there}")),
        204,
    );
    expect(&world.ask(Method::Delete, &format!("{labels}/279")), 404);
    let page = world.get(&format!(
        "/crm/v4/objects/contacts/{person}/associations/companies"
    ));
    assert_eq!(
        page["results"][0]["associationTypes"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(world.get(labels)["results"].as_array().unwrap().len(), 2);
}

#[test]
fn an_administrator_limits_associations_of_a_type() {
    let world = World::new();
    let path = "/crm/associations/v4/definitions/configurations/deals/contacts";
    let limit =
        json!({ "inputs": [{ "category": "HUBSPOT_DEFINED", "typeId": 3, "maxToObjectIds": 1 }] });
    world.post(&format!("{path}/batch/create"), &limit, 200);
    assert_eq!(
        world.get(path)["results"][0]["userEnforcedMaxToObjectIds"],
        1
    );
    let deal = world.create(
        "deals",
        &json!({ "dealname": "D", "dealstage": "contractsent" }),
    );
    let link = |person: &str| {
        let path = format!("/crm/v4/objects/deals/{deal}/associations/default/contacts/{person}");
        world.ask(Method::Put, &path)
    };
    let (one, two) = (
        world.create("contacts", &json!({ "firstname": "A" })),
        world.create("contacts", &json!({ "firstname": "B" })),
    );
    expect(&link(&one), 200);
    expect(&link(&one), 200);
    let refused = expect(&link(&two), 400);
    assert_eq!(refused["subCategory"], "crm.associations.LIMIT_EXCEEDED");
}
