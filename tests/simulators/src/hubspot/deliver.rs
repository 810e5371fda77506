//! Delivers webhooks while a portal is served over HTTP, to addresses on loopback only.
//!
//! What is due, and what becomes of a post that was not taken, the portal decides.

use super::portal::Portal;
use super::webhooks::Post;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;
use std::time::Duration;

/// How often the queue is looked into.
const TICK: Duration = Duration::from_millis(20);
/// An app that has not answered by then has not listened.
const TIMEOUT: Duration = Duration::from_secs(5);

type Body = Full<bytes::Bytes>;

/// Delivers for as long as the task lives.
pub(super) async fn run(portal: Arc<Portal>) {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        for post in portal.due_webhooks() {
            let (client, portal) = (client.clone(), Arc::clone(&portal));
            tokio::spawn(async move {
                let id = post.id;
                let sent = tokio::time::timeout(TIMEOUT, send(&client, post)).await;
                portal.webhook_outcome(id, sent.unwrap_or(false));
            });
        }
    }
}

/// Whether the app took it: any 2xx.
async fn send(client: &Client<HttpConnector, Body>, post: Post) -> bool {
    let Ok(uri) = post.url.parse::<axum::http::Uri>() else {
        return false;
    };
    let on_loopback = matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if !on_loopback {
        tracing::warn!(url = post.url, "webhooks go to loopback only");
        return false;
    }
    let mut request = axum::http::Request::post(uri);
    for (name, value) in post.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Body::from(post.body))
        .expect("names and values are valid");
    match client.request(request).await {
        Ok(response) => response.status().is_success(),
        Err(error) => {
            tracing::debug!(%error, "a webhook was not delivered");
            false
        }
    }
}
