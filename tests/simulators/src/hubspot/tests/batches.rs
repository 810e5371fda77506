//! Holds batches to section 5 of the fact sheet.

use super::{World, expect, ids, text};
use crate::hubspot::{Method, ObjectType};
use serde_json::{Value, json};

const CREATE: &str = "/crm/v3/objects/contacts/batch/create";
const UPDATE: &str = "/crm/v3/objects/contacts/batch/update";
const UPSERT: &str = "/crm/v3/objects/contacts/batch/upsert";
const READ: &str = "/crm/v3/objects/contacts/batch/read";

fn contact(email: &str, trace: Option<&str>) -> Value {
    let mut input = json!({ "properties": { "email": email } });
    if let Some(trace) = trace {
        input["objectWriteTraceId"] = json!(trace);
    }
    input
}

fn with_unique(world: &World) {
    let property = json!({
        "name": "src_id", "label": "Source", "groupName": "contactinformation",
        "type": "string", "fieldType": "text", "hasUniqueValue": true,
    });
    world.post("/crm/v3/properties/contacts", &property, 201);
}

#[test]
fn without_trace_ids_one_bad_record_fails_all_and_names_no_id() {
    let world = World::new();
    world.create("contacts", &json!({ "email": "a@ex.test" }));
    let inputs = json!({ "inputs": [contact("b@ex.test", None), contact("A@ex.test", None)] });
    let refused = world.post(CREATE, &inputs, 409);
    assert_eq!(refused["message"], "Contact already exists");
    assert!(refused.get("context").is_none());
    assert_eq!(world.count(ObjectType::CONTACT), 1);
    let inputs = json!({ "inputs": [contact("c@ex.test", None), contact("C@ex.test", None)] });
    world.post(CREATE, &inputs, 409);
    // A trace id on one input only does not opt in.
    let inputs = json!({ "inputs": [contact("b@ex.test", Some("1")), contact("a@ex.test", None)] });
    world.post(CREATE, &inputs, 409);
    assert_eq!(world.count(ObjectType::CONTACT), 1);
}

#[test]
fn the_bad_values_of_all_inputs_are_told_together() {
    let world = World::new();
    let bad = |name: &str| json!({ "properties": { name: "x" } });
    let inputs = json!({ "inputs": [bad("one"), bad("two"), contact("a@ex.test", None)] });
    let refused = world.post(CREATE, &inputs, 400);
    let embedded = text(&refused["message"]);
    assert!(embedded.contains("\"name\":\"one\"") && embedded.contains("\"name\":\"two\""));
    assert_eq!(refused["errors"].as_array().unwrap().len(), 2);
    assert_eq!(world.count(ObjectType::CONTACT), 0);
}

#[test]
fn with_trace_ids_the_good_ones_are_written() {
    let world = World::new();
    let first = world.create("contacts", &json!({ "email": "a@ex.test" }));
    let inputs = json!({ "inputs": [
        contact("b@ex.test", Some("r-1")),
        contact("a@ex.test", Some("r-2")),
        { "properties": { "nope": "x" }, "objectWriteTraceId": "r-3" },
        contact("B@ex.test", Some("r-4")),
    ] });
    let mixed = world.post(CREATE, &inputs, 207);
    assert_eq!(mixed["status"], "COMPLETE");
    assert_eq!(mixed["numErrors"], 3);
    assert_eq!(mixed["results"][0]["objectWriteTraceId"], "r-1");
    assert_eq!(mixed["results"][0]["properties"]["email"], "b@ex.test");
    let made = text(&mixed["results"][0]["id"]);
    let errors = mixed["errors"].as_array().unwrap();
    assert_eq!(
        errors[0]["context"],
        json!({ "objectWriteTraceId": ["r-2"], "existingId": [first] })
    );
    assert_eq!(
        errors[0]["message"],
        format!("Contact already exists. Existing ID: {first}")
    );
    assert_eq!(errors[0]["category"], "CONFLICT");
    assert_eq!(errors[1]["category"], "VALIDATION_ERROR");
    assert_eq!(errors[1]["errors"][0]["code"], "PROPERTY_DOESNT_EXIST");
    assert_eq!(errors[2]["context"]["existingId"], json!([made]));
    assert_eq!(world.count(ObjectType::CONTACT), 2);
}

#[test]
fn a_good_batch_is_201_in_an_order_of_its_own() {
    let world = World::new();
    let emails: Vec<String> = (0..100)
        .map(|number| format!("p{number}@ex.test"))
        .collect();
    let inputs: Vec<Value> = emails.iter().map(|email| contact(email, None)).collect();
    let made = world.post(CREATE, &json!({ "inputs": inputs }), 201);
    let told: Vec<&str> = made["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["properties"]["email"].as_str().unwrap())
        .collect();
    assert_eq!(told.len(), 100);
    assert_ne!(told, emails, "not in the order of the inputs");
    assert!(made.get("numErrors").is_none());
    let mut more = inputs;
    more.push(contact("p100@ex.test", None));
    world.post(CREATE, &json!({ "inputs": more }), 400);
    world.post(CREATE, &json!({ "inputs": [] }), 400);
    assert_eq!(world.count(ObjectType::CONTACT), 100);
}

#[test]
fn updates_name_ids_that_are_not_there() {
    let world = World::new();
    let id = world.create("contacts", &json!({ "email": "a@ex.test" }));
    let good = json!({ "id": id, "properties": { "firstname": "Ada" }, "objectWriteTraceId": "1" });
    let bad =
        json!({ "id": "77", "properties": { "firstname": "Eve" }, "objectWriteTraceId": "2" });
    let mixed = world.post(UPDATE, &json!({ "inputs": [good, bad] }), 207);
    assert_eq!(mixed["results"][0]["properties"]["firstname"], "Ada");
    assert_eq!(mixed["errors"][0]["category"], "OBJECT_NOT_FOUND");
    assert_eq!(
        mixed["errors"][0]["context"],
        json!({ "ids": ["77"], "objectWriteTraceId": ["2"] })
    );
    let inputs = json!({ "inputs": [
        { "id": id, "properties": { "firstname": "X" } },
        { "id": "77", "properties": { "firstname": "Y" } },
    ] });
    let mixed = world.post(UPDATE, &inputs, 207);
    assert_eq!(
        mixed["errors"][0]["message"],
        "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
    );
    assert_eq!(mixed["errors"][0]["context"], json!({ "ids": ["77"] }));
    let read = world.get(&format!("/crm/v3/objects/contacts/{id}"));
    assert_eq!(read["properties"]["firstname"], "X", "as recorded");
    let inputs = json!({ "inputs": [
        { "id": id, "properties": { "firstname": "Y" } },
        { "id": "77", "properties": { "nope": "Y" } },
        { "id": "78", "properties": { "firstname": "Z" } },
    ] });
    world.post(UPDATE, &inputs, 207);
    let one = json!({ "inputs": [{ "id": "a@ex.test", "idProperty": "email", "properties": { "firstname": "Zoe" } }] });
    let done = world.post(UPDATE, &one, 200);
    assert_eq!(ids(&done["results"]), [id]);
}

#[test]
fn the_same_id_twice_is_refused() {
    let world = World::new();
    let id = world.create("contacts", &json!({ "email": "a@ex.test" }));
    let input = json!({ "id": id, "properties": { "firstname": "Ada" } });
    let refused = world.post(UPDATE, &json!({ "inputs": [input, input] }), 400);
    assert_eq!(
        refused["message"],
        format!("Duplicate IDs found in batch input: [{id}]. IDs must be unique")
    );
    assert_eq!(refused["context"]["ids"], json!([id]));
}

#[test]
fn upserts_go_by_a_unique_property_and_tell_what_is_new() {
    let world = World::new();
    with_unique(&world);
    let id = world.create("contacts", &json!({ "src_id": "1", "email": "a@ex.test" }));
    let input = |source: &str, trace: &str, properties: Value| json!({ "id": source, "idProperty": "src_id", "objectWriteTraceId": trace, "properties": properties });
    let inputs = json!({ "inputs": [
        input("1", "t1", json!({ "firstname": "Ada" })),
        input("2", "t2", json!({ "firstname": "Ben" })),
        input("3", "t3", json!({ "email": "a@ex.test" })),
    ] });
    let mixed = world.post(UPSERT, &inputs, 207);
    let results = mixed["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let old = result["id"] == id.as_str();
        assert_eq!(result["new"], !old);
        assert_eq!(result["objectWriteTraceId"], if old { "t1" } else { "t2" });
        if !old {
            assert_eq!(result["properties"]["src_id"], "2");
        }
    }
    assert_eq!(mixed["errors"][0]["context"]["existingId"], json!([id]));
    let done = json!({ "inputs": [input("2", "t", json!({ "firstname": "Bea" }))] });
    assert_eq!(world.post(UPSERT, &done, 200)["results"][0]["new"], false);
    let twice = json!({ "inputs": [input("5", "a", json!({})), input("5", "b", json!({}))] });
    world.post(UPSERT, &twice, 400);
    let not_unique =
        json!({ "inputs": [{ "id": "Ada", "idProperty": "firstname", "properties": {} }] });
    world.post(UPSERT, &not_unique, 400);
}

#[test]
fn upserts_by_email_are_never_partial() {
    let world = World::new();
    let id = world.create("contacts", &json!({ "email": "a@ex.test" }));
    let input = |email: &str, trace: &str, properties: Value| json!({ "id": email, "idProperty": "email", "objectWriteTraceId": trace, "properties": properties });
    let inputs = json!({ "inputs": [
        input("new@ex.test", "1", json!({ "firstname": "N" })),
        input("A@ex.test", "2", json!({ "nope": "x" })),
    ] });
    world.post(UPSERT, &inputs, 400);
    assert_eq!(world.count(ObjectType::CONTACT), 1);
    let inputs = json!({ "inputs": [
        input("new@ex.test", "1", json!({ "firstname": "N" })),
        input("A@ex.test", "2", json!({ "firstname": "Ada" })),
    ] });
    let done = world.post(UPSERT, &inputs, 200);
    for result in done["results"].as_array().unwrap() {
        assert_eq!(result["new"], result["id"] != id.as_str());
    }
}

#[test]
fn batch_reads_tell_what_is_missing_and_never_associations() {
    let world = World::new();
    with_unique(&world);
    let a = world.create("contacts", &json!({ "email": "a@ex.test", "src_id": "1" }));
    let b = world.create("contacts", &json!({ "email": "b@ex.test", "src_id": "2" }));
    let body = json!({ "inputs": [{ "id": a }, { "id": b }, { "id": a }], "properties": ["email", "nope"] });
    let read = world.post(READ, &body, 200);
    assert_eq!(ids(&read["results"]), [a.clone(), b.clone()]);
    assert!(read["results"][0]["properties"].get("nope").is_none());
    assert!(read["results"][0].get("associations").is_none());
    let body = json!({ "inputs": [{ "id": a }, { "id": "77" }] });
    let mixed = world.post(READ, &body, 207);
    assert_eq!(ids(&mixed["results"]), [a.as_str()]);
    assert_eq!(mixed["numErrors"], 1);
    assert_eq!(mixed["errors"][0]["context"]["ids"], json!(["77"]));
    let body = json!({ "inputs": [{ "id": "2" }], "idProperty": "src_id" });
    assert_eq!(ids(&world.post(READ, &body, 200)["results"]), [b.as_str()]);
    let body = json!({ "inputs": [{ "id": a }, { "id": b }] });
    let answer = world.send(
        Method::Post,
        "/crm/v3/objects/contacts/batch/archive",
        &body,
    );
    expect(&answer, 204);
    let read = world.post(&format!("{READ}?archived=true"), &body, 200);
    assert_eq!(ids(&read["results"]), [a, b]);
    world.post(READ, &body, 207);
}
