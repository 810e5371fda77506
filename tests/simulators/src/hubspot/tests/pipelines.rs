//! Holds pipelines and stages to section 8 of the fact sheet.

use super::{World, expect, text};
use crate::hubspot::{Method, Tier};
use serde_json::{Value, json};

const DEALS: &str = "/crm/v3/pipelines/deals";

fn three() -> Value {
    json!({"label": "Sales EU", "displayOrder": 1, "stages": [
        {"label": "New", "displayOrder": 0, "metadata": {"probability": "0.1"}},
        {"label": "Won", "displayOrder": 1, "metadata": {"probability": "1.0"}},
        {"label": "Lost", "displayOrder": 2, "metadata": {"probability": "0.0"}},
    ]})
}

#[test]
fn a_new_portal_has_the_recorded_pipeline_of_deals() {
    let world = World::new();
    let listed = world.get(DEALS);
    let pipelines = listed["results"].as_array().unwrap();
    assert_eq!(pipelines.len(), 1);
    assert_eq!(pipelines[0]["id"], "default");
    assert_eq!(pipelines[0]["label"], "Sales Pipeline");
    let stages = pipelines[0]["stages"].as_array().unwrap().iter();
    let stages: Vec<_> = stages
        .map(|stage| {
            let metadata = &stage["metadata"];
            (
                text(&stage["id"]),
                text(&metadata["probability"]),
                text(&metadata["isClosed"]),
            )
        })
        .collect();
    let expected = [
        ("appointmentscheduled", "0.2", "false"),
        ("qualifiedtobuy", "0.4", "false"),
        ("presentationscheduled", "0.6", "false"),
        ("decisionmakerboughtin", "0.8", "false"),
        ("contractsent", "0.9", "false"),
        ("closedwon", "1.0", "true"),
        ("closedlost", "0.0", "true"),
    ];
    let expected = expected.map(|(id, p, closed)| (id.into(), p.into(), closed.into()));
    assert_eq!(stages, expected);
    for object in ["tickets", "leads", "projects", "contacts"] {
        let listed = world.get(&format!("/crm/v3/pipelines/{object}"));
        assert_eq!(listed["results"].as_array().unwrap().len(), 1, "{object}");
    }
}

#[test]
fn a_pipeline_is_made_with_its_stages() {
    let world = World::new();
    let made = world.post(DEALS, &three(), 201);
    assert_eq!(made["archived"], false);
    let stages = made["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 3);
    assert_eq!(
        stages[0]["metadata"],
        json!({"isClosed": "false", "probability": "0.1"})
    );
    assert_eq!(stages[1]["metadata"]["isClosed"], "true");
    assert_eq!(
        stages[2]["metadata"],
        json!({"isClosed": "true", "probability": "0.0"})
    );
    assert_eq!(stages[0]["writePermissions"], "CRM_PERMISSIONS_ENFORCEMENT");
    let id = text(&made["id"]);
    assert_eq!(world.get(&format!("{DEALS}/{id}")), made);
    let stage = text(&stages[0]["id"]);
    world.create(
        "deals",
        &json!({"dealname": "d", "pipeline": id, "dealstage": stage}),
    );
    // A stage of another pipeline does not go with it.
    let body = json!({"properties": {"dealname": "d", "pipeline": id, "dealstage": "closedwon"}});
    world.post("/crm/v3/objects/deals", &body, 400);
}

#[test]
fn labels_probabilities_and_numbers_are_held_to() {
    let world = World::with(|options| options.tier = Tier::Enterprise);
    world.post(DEALS, &three(), 201);
    let refused = world.post(DEALS, &three(), 409);
    assert_eq!(refused["category"], "CONFLICT");
    let stage = |label: &str, metadata: Value| json!({"label": label, "displayOrder": 0, "metadata": metadata});
    for stages in [
        json!([stage("A", json!({}))]),
        json!([stage("A", json!({"probability": "1.1"}))]),
        json!([stage("A", json!({"probability": "high"}))]),
        json!([
            stage("A", json!({"probability": "0.1"})),
            stage("A", json!({"probability": "0.2"}))
        ]),
        json!([stage("", json!({"probability": "0.1"}))]),
    ] {
        let body = json!({"label": "P", "displayOrder": 2, "stages": stages});
        let told = world.post(DEALS, &body, 400);
        assert_eq!(told["category"], "VALIDATION_ERROR");
    }
    for missing in ["label", "displayOrder", "stages"] {
        let mut body = three();
        body["label"] = json!("Q");
        body.as_object_mut().unwrap().remove(missing);
        let told = world.post(DEALS, &body, 400);
        assert_eq!(told["errors"][0]["in"], missing);
    }
    let many = |count: usize, metadata: Value| -> Value {
        let stages: Vec<_> = (0..count)
            .map(|place| json!({"label": place.to_string(), "displayOrder": place, "metadata": metadata}))
            .collect();
        json!({"label": format!("{count}"), "displayOrder": 3, "stages": stages})
    };
    let probability = json!({"probability": "0.5"});
    world.post(DEALS, &many(101, probability.clone()), 400);
    world.post(DEALS, &many(100, probability), 201);
    world.post("/crm/v3/pipelines/leads", &many(31, json!({})), 400);
    world.post("/crm/v3/pipelines/leads", &many(30, json!({})), 201);
    let tickets = json!({"label": "T", "displayOrder": 1, "stages": [
        {"label": "A", "displayOrder": 0, "metadata": {"ticketState": "CLOSED"}},
        {"label": "B", "displayOrder": 1, "metadata": {"ticketState": "AJAR"}},
    ]});
    world.post("/crm/v3/pipelines/tickets", &tickets, 400);
}

#[test]
fn a_small_account_has_one_pipeline_of_deals() {
    let world = World::with(|options| options.tier = Tier::Starter);
    let told = world.post(DEALS, &three(), 400);
    assert_eq!(told["subCategory"], "PipelineError.LIMIT_EXCEEDED");
}

#[test]
fn stages_in_use_stay_where_asked() {
    let world = World::new();
    let made = world.post(DEALS, &three(), 201);
    let (id, stage) = (text(&made["id"]), text(&made["stages"][0]["id"]));
    world.create(
        "deals",
        &json!({"dealname": "d", "pipeline": id, "dealstage": stage}),
    );
    let checked = format!("{DEALS}/{id}?validateReferencesBeforeDelete=true");
    let told = expect(&world.ask(Method::Delete, &checked), 400);
    assert_eq!(told["category"], "VALIDATION_ERROR");
    assert_eq!(told["subCategory"], "PipelineError.STAGE_ID_IN_USE");
    let without = json!({"label": "Sales EU", "displayOrder": 1, "stages": [
        {"label": "Won", "displayOrder": 0, "metadata": {"probability": "1"}},
    ]});
    let told = expect(&world.send(Method::Put, &checked, &without), 400);
    assert_eq!(told["subCategory"], "PipelineError.STAGE_ID_IN_USE");
    let told = expect(
        &world.ask(Method::Delete, &format!("{DEALS}/{id}/stages/{stage}")),
        400,
    );
    assert_eq!(told["subCategory"], "PipelineError.STAGE_ID_IN_USE");
    // Without the question the pipeline goes.
    expect(&world.ask(Method::Delete, &format!("{DEALS}/{id}")), 204);
    expect(&world.ask(Method::Get, &format!("{DEALS}/{id}")), 404);
}

#[test]
fn put_drops_the_stages_it_does_not_name_and_patch_keeps_them() {
    let world = World::new();
    let made = world.post(DEALS, &three(), 201);
    let one = format!("{DEALS}/{}", text(&made["id"]));
    let changed = world.patch(&one, &json!({"label": "EU"}), 200);
    assert_eq!(changed["stages"].as_array().unwrap().len(), 3);
    assert_eq!(changed["label"], "EU");
    let two = json!({"label": "EU", "displayOrder": 1, "stages": [
        {"label": "Won", "displayOrder": 0, "metadata": {"probability": "1"}},
        {"label": "Other", "displayOrder": 1, "metadata": {"probability": "0.5"}},
    ]});
    let replaced = expect(&world.send(Method::Put, &one, &two), 200);
    let stages = replaced["stages"].as_array().unwrap();
    let labels: Vec<_> = stages.iter().map(|stage| text(&stage["label"])).collect();
    assert_eq!(labels, ["Won", "Other"]);
    assert_eq!(stages[0]["id"], made["stages"][1]["id"], "the same stage");
    assert_eq!(stages[0]["metadata"]["probability"], "1.0");
}

#[test]
fn stages_are_made_changed_ordered_and_audited() {
    let world = World::new();
    let stages = format!("{DEALS}/default/stages");
    let body = json!({"label": "Legal", "displayOrder": 2, "metadata": {"probability": "0.65"}});
    let made = world.post(&stages, &body, 201);
    let one = format!("{stages}/{}", text(&made["id"]));
    world.post(&stages, &body, 400);
    let closed = json!({"metadata": {"probability": "1.0"}, "displayOrder": 9});
    let changed = world.patch(&one, &closed, 200);
    assert_eq!(changed["metadata"]["isClosed"], "true");
    let listed = world.get(&stages);
    let last = listed["results"].as_array().unwrap().last().unwrap();
    assert_eq!(last["id"], made["id"]);
    let audit = world.get(&format!("{one}/audit"));
    let actions = audit["results"].as_array().unwrap().iter();
    let actions: Vec<_> = actions.map(|entry| text(&entry["action"])).collect();
    assert_eq!(actions, ["UPDATE", "CREATE"]);
    expect(&world.ask(Method::Delete, &one), 204);
    expect(&world.ask(Method::Get, &one), 404);
    expect(
        &world.ask(Method::Get, &format!("{DEALS}/none/stages")),
        404,
    );
}
