//! Holds webhooks to section 13 of the fact sheet.

use super::{START, World, expect, text};
use crate::hubspot::{Answer, Call, Legacy, Method, Options, manual, signature, start};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

const TARGET: &str = "http://127.0.0.1:9/hooks?a=b%3Ac";

fn manage(world: &World, method: Method, path: &str, body: &Value) -> Answer {
    let options = world.portal.options();
    let target = format!(
        "/webhooks/v3/{}/{path}?hapikey={}",
        options.app, options.developer_key
    );
    world.portal.handle(&Call::new(method, &target).body(body))
}

fn subscribe(world: &World, event: &str, property: Option<&str>) -> String {
    let mut body = json!({"eventType": event, "active": true});
    if let Some(property) = property {
        body["propertyName"] = json!(property);
    }
    if event.starts_with("object.") {
        body["objectTypeId"] = json!("0-136");
    }
    text(&expect(&manage(world, Method::Post, "subscriptions", &body), 201)["id"])
}

fn listening(events: &[(&str, Option<&str>)]) -> World {
    let world = World::new();
    let settings = json!({"targetUrl": TARGET, "throttling": {"maxConcurrentRequests": 10}});
    expect(&manage(&world, Method::Put, "settings", &settings), 200);
    for (event, property) in events {
        subscribe(&world, event, *property);
    }
    world
}

/// The events of all posts that are due; each is taken.
fn events(world: &World) -> Vec<Value> {
    let mut events = Vec::new();
    for post in world.portal.due_webhooks() {
        let body: Value = serde_json::from_slice(&post.body).unwrap();
        events.extend(body.as_array().unwrap().clone());
        world.portal.webhook_outcome(post.id, true);
    }
    events
}

fn kinds(events: &[Value]) -> Vec<String> {
    events
        .iter()
        .map(|event| text(&event["subscriptionType"]))
        .collect()
}

#[test]
fn the_settings_need_the_developer_key_and_the_apps_number() {
    let world = World::new();
    let options = world.portal.options();
    let without = format!("/webhooks/v3/{}/settings", options.app);
    expect(&world.ask(Method::Get, &without), 401);
    expect(&manage(&world, Method::Get, "settings", &json!({})), 404);
    let settings = json!({"targetUrl": TARGET, "throttling": {"maxConcurrentRequests": 0}});
    expect(&manage(&world, Method::Put, "settings", &settings), 400);
    let settings = json!({"targetUrl": TARGET, "throttling": {"maxConcurrentRequests": 10}});
    let told = expect(&manage(&world, Method::Put, "settings", &settings), 200);
    assert_eq!(told["targetUrl"], TARGET);
    assert_eq!(told["createdAt"], "2026-03-01T10:00:00.000Z");
    let other = format!("/webhooks/v3/1/settings?hapikey={}", options.developer_key);
    expect(&world.ask(Method::Get, &other), 404);
}

#[test]
fn subscriptions_are_made_switched_listed_and_removed() {
    let world = listening(&[]);
    let made = json!({"eventType": "contact.propertyChange", "propertyName": "phone"});
    let made = expect(&manage(&world, Method::Post, "subscriptions", &made), 201);
    assert_eq!(made["active"], false, "off until switched on");
    let id = text(&made["id"]);
    let one = format!("subscriptions/{id}");
    let changed = expect(
        &manage(&world, Method::Patch, &one, &json!({"active": true})),
        200,
    );
    assert_eq!(changed["active"], true);
    let same = json!({"eventType": "contact.propertyChange", "propertyName": "phone"});
    expect(&manage(&world, Method::Post, "subscriptions", &same), 409);
    for wrong in [
        json!({"eventType": "contact.propertyChange"}),
        json!({"eventType": "contact.creation", "propertyName": "phone"}),
        json!({"eventType": "contact.birthday"}),
        json!({"eventType": "company.privacyDeletion"}),
        json!({"eventType": "object.creation"}),
    ] {
        expect(&manage(&world, Method::Post, "subscriptions", &wrong), 400);
    }
    let batch = json!({"inputs": [{"id": id.parse::<u64>().unwrap(), "active": false}, {"id": 99, "active": true}]});
    let told = expect(
        &manage(&world, Method::Post, "subscriptions/batch/update", &batch),
        207,
    );
    assert_eq!(told["results"][0]["active"], false);
    let listed = expect(
        &manage(&world, Method::Get, "subscriptions", &json!({})),
        200,
    );
    assert_eq!(listed["results"].as_array().unwrap().len(), 1);
    expect(&manage(&world, Method::Delete, &one, &json!({})), 204);
    expect(&manage(&world, Method::Get, &one, &json!({})), 404);
}

#[test]
fn a_change_is_told_as_the_fact_sheet_has_it() {
    let world = listening(&[("contact.propertyChange", Some("phone"))]);
    let id = world.create("contacts", &json!({"firstname": "a"}));
    assert!(events(&world).is_empty());
    let one = format!("/crm/v3/objects/contacts/{id}");
    world.patch(
        &one,
        &json!({"properties": {"phone": "+1", "firstname": "b"}}),
        200,
    );
    world.patch(&one, &json!({"properties": {"phone": "+1"}}), 200);
    let told = events(&world);
    assert_eq!(told.len(), 1, "no change, no event: {told:?}");
    let event = &told[0];
    assert_eq!(event["portalId"], 51_234_567);
    assert_eq!(event["appId"], 9_001_001);
    assert_eq!(event["occurredAt"], START);
    assert_eq!(event["subscriptionType"], "contact.propertyChange");
    assert_eq!(event["attemptNumber"], 0);
    assert_eq!(
        event["objectId"].as_u64().unwrap().to_string(),
        id,
        "a number"
    );
    assert_eq!(event["propertyName"], "phone");
    assert_eq!(event["propertyValue"], "+1");
    assert_eq!(event["changeSource"], "INTEGRATION");
    assert_eq!(event["sourceId"], "9001001");
}

#[test]
fn creation_deletion_merge_privacy_and_association_are_told() {
    let world = listening(&[
        ("contact.creation", None),
        ("contact.deletion", None),
        ("contact.merge", None),
        ("contact.privacyDeletion", None),
        ("contact.associationChange", None),
        ("company.creation", None),
        ("object.creation", None),
    ]);
    let contact = |name: &str| world.create("contacts", &json!({"firstname": name}));
    let (a, b, c) = (contact("a"), contact("b"), contact("c"));
    let company = world.create("companies", &json!({"name": "x"}));
    let made = events(&world);
    assert_eq!(
        kinds(&made),
        [
            "contact.creation",
            "contact.creation",
            "contact.creation",
            "company.creation"
        ]
    );
    let link = format!("/crm/v4/objects/contacts/{a}/associations/companies/{company}");
    let primary = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]);
    expect(&world.send(Method::Put, &link, &primary), 201);
    let told = events(&world);
    assert_eq!(told.len(), 1, "only the side that is listened to");
    assert_eq!(told[0]["associationType"], "CONTACT_TO_COMPANY");
    assert_eq!(told[0]["isPrimaryAssociation"], true);
    assert_eq!(told[0]["associationRemoved"], false);
    assert_eq!(told[0]["fromObjectId"].to_string(), a);
    assert_eq!(told[0]["toObjectId"].to_string(), company);
    expect(&world.ask(Method::Delete, &link), 204);
    assert_eq!(events(&world)[0]["associationRemoved"], true);
    let merge = json!({"primaryObjectId": a, "objectIdToMerge": b});
    world.post("/crm/v3/objects/contacts/merge", &merge, 200);
    let told = events(&world);
    assert_eq!(kinds(&told), ["contact.merge"]);
    assert_eq!(told[0]["primaryObjectId"].to_string(), a);
    assert_eq!(
        told[0]["mergedObjectIds"],
        json!([b.parse::<u64>().unwrap()])
    );
    expect(
        &world.ask(Method::Delete, &format!("/crm/v3/objects/contacts/{a}")),
        204,
    );
    assert_eq!(kinds(&events(&world)), ["contact.deletion"]);
    let forget = json!({"objectId": c});
    let answer = world.send(
        Method::Post,
        "/crm/v3/objects/contacts/gdpr-delete",
        &forget,
    );
    expect(&answer, 204);
    assert_eq!(kinds(&events(&world)), ["contact.privacyDeletion"]);
    let person = contact("d");
    events(&world);
    let lead = json!({
        "properties": {"hs_lead_name": "l"},
        "associations": [{"to": {"id": person}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 578}]}],
    });
    world.post("/crm/v3/objects/leads", &lead, 201);
    let told = events(&world);
    let lead = told
        .iter()
        .find(|event| event["subscriptionType"] == "object.creation")
        .unwrap();
    assert_eq!(lead["objectTypeId"], "0-136");
}

#[test]
fn a_post_has_at_most_a_hundred_events_and_the_three_signatures() {
    for legacy in [Legacy::V1, Legacy::V2] {
        let world = World::with(|options| options.legacy_signature = legacy);
        let settings = json!({"targetUrl": TARGET, "throttling": {"maxConcurrentRequests": 10}});
        expect(&manage(&world, Method::Put, "settings", &settings), 200);
        subscribe(&world, "contact.creation", None);
        for batch in 0..3 {
            let inputs: Vec<_> = (0..50)
                .map(|place| json!({"properties": {"firstname": format!("{batch} {place}")}}))
                .collect();
            world.post(
                "/crm/v3/objects/contacts/batch/create",
                &json!({"inputs": inputs}),
                201,
            );
        }
        let posts = world.portal.due_webhooks();
        let sizes: Vec<usize> = posts
            .iter()
            .map(|post| {
                serde_json::from_slice::<Value>(&post.body)
                    .unwrap()
                    .as_array()
                    .unwrap()
                    .len()
            })
            .collect();
        assert_eq!(sizes, [100, 50]);
        let (secret, post) = (world.portal.client_secret(), &posts[0]);
        let header = |name: &str| {
            let found = post.headers.iter().find(|(have, _)| *have == name);
            found.unwrap().1.clone()
        };
        assert_eq!(header("X-HubSpot-Request-Timestamp"), START.to_string());
        assert_eq!(
            header("X-HubSpot-Signature-v3"),
            signature::v3(secret, "POST", TARGET, &post.body, START)
        );
        let old = match legacy {
            Legacy::V1 => ("v1", signature::v1(secret, &post.body)),
            Legacy::V2 => ("v2", signature::v2(secret, "POST", TARGET, &post.body)),
        };
        assert_eq!(header("X-HubSpot-Signature-Version"), old.0);
        assert_eq!(header("X-HubSpot-Signature"), old.1);
        assert!(world.portal.due_webhooks().is_empty(), "they are under way");
    }
}

#[test]
fn who_did_not_listen_is_told_again_ten_times_within_a_day() {
    let world = listening(&[("contact.creation", None)]);
    world.create("contacts", &json!({"firstname": "a"}));
    let (mut attempts, mut waited) = (Vec::new(), 0);
    while waited <= 48 * 60 {
        for post in world.portal.due_webhooks() {
            let body: Value = serde_json::from_slice(&post.body).unwrap();
            attempts.push(body[0]["attemptNumber"].as_u64().unwrap());
            world.portal.webhook_outcome(post.id, false);
        }
        world.pass(60_000);
        waited += 1;
        if attempts.len() == 11 {
            assert!(waited <= 24 * 60 + 1, "{waited} minutes");
            break;
        }
    }
    assert_eq!(attempts, (0..=10).collect::<Vec<_>>());
    world.pass(48 * 3_600_000);
    assert!(world.portal.due_webhooks().is_empty(), "given up");
}

/// What an app receives: headers and body.
type Received = (axum::http::HeaderMap, bytes::Bytes);

/// An app on loopback that answers with these statuses, one after the other, and then with 200.
async fn app(statuses: &[u16]) -> (String, tokio::sync::mpsc::UnboundedReceiver<Received>) {
    let (told, received) = tokio::sync::mpsc::unbounded_channel();
    let left = std::sync::Arc::new(std::sync::Mutex::new(statuses.to_vec()));
    let take = move |headers: axum::http::HeaderMap, body: bytes::Bytes| {
        told.send((headers, body)).unwrap();
        let mut left = left.lock().unwrap();
        let status = if left.is_empty() { 200 } else { left.remove(0) };
        std::future::ready(axum::http::StatusCode::from_u16(status).unwrap())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}/hooks", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/hooks", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (target, received)
}

#[tokio::test]
async fn events_are_posted_to_the_app_and_again_after_an_error() {
    let (target, mut received) = app(&[500]).await;
    let (clock, hand) = manual(START);
    let options = Options {
        clock,
        ..Options::default()
    };
    let running = start(options).await.unwrap();
    let ask = |method, target: &str, body: &Value| {
        let call = Call::new(method, target).bearer(&running.token).body(body);
        running.portal.handle(&call)
    };
    let options = running.portal.options();
    let manage = |path: &str| {
        format!(
            "/webhooks/v3/{}/{path}?hapikey={}",
            options.app, options.developer_key
        )
    };
    let settings = json!({"targetUrl": target, "throttling": {"maxConcurrentRequests": 1}});
    expect(&ask(Method::Put, &manage("settings"), &settings), 200);
    let wanted = json!({"eventType": "company.creation", "active": true});
    expect(&ask(Method::Post, &manage("subscriptions"), &wanted), 201);
    let company = json!({"properties": {"name": "x"}});
    expect(
        &ask(Method::Post, "/crm/v3/objects/companies", &company),
        201,
    );
    let (headers, body) = received.recv().await.unwrap();
    let signed = signature::v3(&running.client_secret, "POST", &target, &body, START);
    assert_eq!(headers["x-hubspot-signature-v3"], signed);
    assert_eq!(headers["x-hubspot-request-timestamp"], START.to_string());
    let first: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(first[0]["attemptNumber"], 0);
    // The app's answer may still be under way when the clock moves: it moves on until the event comes again.
    let body = loop {
        hand.fetch_add(60_000, Ordering::SeqCst);
        let next = tokio::time::timeout(Duration::from_millis(50), received.recv());
        if let Ok(next) = next.await {
            break next.unwrap().1;
        }
    };
    let second: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(second[0]["attemptNumber"], 1);
    assert_eq!(second[0]["eventId"], first[0]["eventId"]);
    running.stop().await;
}
