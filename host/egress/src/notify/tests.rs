//! Recipients that answer in every way there is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::*;
use crate::webhook::new_secret;

fn notice() -> Notice {
    Notice {
        id: "longshore_1_run2_completed".to_owned(),
        at: Instant::from_unix_us(1_700_000_000_000_000).unwrap(),
        subject: "done".to_owned(),
        text: "done".to_owned(),
        data: serde_json::json!({"type": "longshore.test", "token": "canary-of-the-vault"}),
    }
}

/// A receiver on loopback: what it answers to its first, second, … call, and what it was called with.
async fn receiver(
    answer: impl Fn(usize) -> Response + Send + Sync + 'static,
) -> (String, Arc<std::sync::Mutex<Vec<(HeaderMap, String)>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let calls = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (heard, count) = (calls.clone(), Arc::new(AtomicUsize::new(0)));
    let answer = Arc::new(answer);
    let handler = move |headers: HeaderMap, body: String| {
        heard.lock().unwrap().push((headers, body));
        std::future::ready(answer(count.fetch_add(1, Ordering::SeqCst)))
    };
    let app = axum::Router::new().fallback(handler);
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, calls)
}

fn notifier(url: &str) -> Notifier {
    let webhook = Webhook {
        url: url.parse().unwrap(),
        secret: new_secret(),
    };
    let recipients = vec![("ops".to_owned(), Recipient::Webhook(webhook))];
    Notifier::new(recipients, "test", &["canary-of-the-vault".into()])
}

async fn send(url: &str) -> Result<(), NotifyError> {
    notifier(url).send(&notice()).await.remove(0).1
}

#[tokio::test]
async fn a_receiver_that_fails_once_is_called_again_with_the_same_id_and_no_secret() {
    let (url, calls) = receiver(|call| match call {
        0 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    })
    .await;
    send(&url).await.unwrap();
    let calls = calls.lock().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].0["webhook-id"], calls[1].0["webhook-id"]);
    assert_eq!(calls[0].0["content-type"], "application/json");
    assert!(!calls[1].1.contains("canary"), "{}", calls[1].1);
    assert!(calls[1].1.contains("[redacted]"), "{}", calls[1].1);
}

#[tokio::test]
async fn what_will_not_pass_is_called_once_and_a_redirect_is_not_followed() {
    for (status, why) in [(404, "it answered 404"), (302, "it answered 302")] {
        let (url, calls) = receiver(move |_| {
            let elsewhere = [("location", "/elsewhere")];
            (StatusCode::from_u16(status).unwrap(), elsewhere).into_response()
        })
        .await;
        let error = send(&url).await.unwrap_err();
        assert_eq!(error.to_string(), format!("ops was not told: {why}"));
        assert_eq!(calls.lock().unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_answers_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let error = send(&url).await.unwrap_err();
    assert_eq!(error.name, "ops");
    drop(listener);
}

#[tokio::test(start_paused = true)]
async fn nobody_there_is_told_by_name() {
    let error = send("http://127.0.0.1:1/").await.unwrap_err();
    assert!(error.why.contains("cannot connect"), "{error}");
}
