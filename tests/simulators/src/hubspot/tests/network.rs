//! Holds the server to what only a connection can show.

use crate::hubspot::{Method, Mishap, ObjectType, Options, Planned, Running, start};
use serde_json::{Value, json};

fn client() -> reqwest::Client {
    // A second test of this binary may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn post(client: &reqwest::Client, running: &Running, body: &Value) -> reqwest::RequestBuilder {
    client
        .post(format!("{}/crm/v3/objects/contacts", running.base_url))
        .bearer_auth(&running.token)
        .header("content-type", "application/json")
        .body(body.to_string())
}

#[tokio::test]
async fn it_serves_breaks_and_stops() {
    let running = start(Options::default()).await.unwrap();
    let client = client();
    let body = json!({ "properties": { "email": "a@ex.test" } });
    let answer = post(&client, &running, &body).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["x-hubspot-ratelimit-remaining"], "189");
    let made: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(made["properties"]["email"], "a@ex.test");
    for (mishap, written) in [
        (Mishap::Reset { after: false }, 1),
        (Mishap::Reset { after: true }, 2),
    ] {
        running.portal.plan(Planned {
            method: Some(Method::Post),
            path: String::new(),
            skip: 0,
            times: 1,
            mishap,
        });
        let body = json!({ "properties": { "firstname": "B" } });
        post(&client, &running, &body).send().await.unwrap_err();
        assert_eq!(running.portal.count(ObjectType::CONTACT), written);
    }
    running.portal.plan(Planned {
        method: Some(Method::Post),
        path: String::new(),
        skip: 0,
        times: 1,
        mishap: Mishap::ResetWithin,
    });
    let answer = post(&client, &running, &json!({})).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    answer.bytes().await.unwrap_err();
    let facts = running.facts();
    assert_eq!(facts["base_url"], running.base_url.as_str());
    assert!(facts["token"].as_str().unwrap().starts_with("pat-na1-"));
    let address = running.base_url.clone();
    drop(client);
    running.stop().await;
    let refused = self::client().get(address).send().await.unwrap_err();
    assert!(refused.is_connect());
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let running = start(Options::default()).await.unwrap();
    let port = running
        .base_url
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let options = Options {
        port,
        ..Options::default()
    };
    assert!(start(options).await.is_err());
    running.stop().await;
}
