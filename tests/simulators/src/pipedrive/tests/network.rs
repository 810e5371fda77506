//! Holds the server to what only a connection can show: resets, a stop, two accounts at once.

use super::of;
use crate::faults::Faults;
use crate::pipedrive::{Options, Running, start};
use serde_json::Value;

fn client() -> reqwest::Client {
    // A second test of this binary may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn get(client: &reqwest::Client, running: &Running, path: &str) -> reqwest::Result<Value> {
    let request = client
        .get(format!("{}{path}", running.base_url))
        .header("x-api-token", &running.token);
    let body = request.send().await?.error_for_status()?.bytes().await?;
    Ok(serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn it_serves_counts_and_stops() {
    let running = start(of(50)).await.unwrap();
    let client = client();
    let page = get(&client, &running, "/api/v2/persons?limit=5")
        .await
        .unwrap();
    assert_eq!(page["data"].as_array().unwrap().len(), 5);
    let person = running.truth().person(1).unwrap();
    assert_eq!(page["data"][0]["name"], person.name);
    let key = running.field_key(crate::truth::Kind::Person, 1).unwrap();
    assert_eq!(page["data"][0]["custom_fields"][key], "REF-0000001");
    let facts = running.facts();
    assert_eq!(
        (&facts["base_url"], facts["token"].as_str().map(str::len)),
        (&running.base_url.clone().into(), Some(40))
    );
    assert_eq!(running.counts().requests["v2 /persons"], 1);
    let address = running.base_url.clone();
    drop(client);
    running.stop().await;
    assert!(
        self::client()
            .get(address)
            .send()
            .await
            .unwrap_err()
            .is_connect()
    );
}

#[tokio::test]
async fn a_reset_breaks_the_connection_and_the_next_try_works() {
    let faults: Faults = "reset=1".parse().unwrap();
    let running = start(Options { faults, ..of(500) }).await.unwrap();
    let client = client();
    let (mut before, mut within) = (0, 0);
    for page in 0..12 {
        let path = format!("/v1/notes?start={page}&limit=100");
        let request = client
            .get(format!("{}{path}", running.base_url))
            .header("x-api-token", &running.token);
        match request.send().await {
            Err(_) => before += 1,
            Ok(response) => {
                response.bytes().await.unwrap_err();
                within += 1;
            }
        }
        get(&client, &running, &path).await.unwrap();
    }
    assert!(before > 0 && within > 0, "{before} before, {within} within");
    assert_eq!(running.counts().faults["reset"], 12);
    running.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let running = start(of(5)).await.unwrap();
    let port = running
        .base_url
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let error = start(Options { port, ..of(5) }).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on 127.0.0.1 port {port}")
    );
    running.stop().await;
}
