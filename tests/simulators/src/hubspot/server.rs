//! Runs one simulated portal on a loopback port until it is stopped.
//!
//! It listens nowhere but on 127.0.0.1; what is answered is decided by the portal.

use super::answer::{Answer, Cut};
use super::call::{Call, Method};
use super::deliver;
use super::options::Options;
use super::portal::Portal;
use crate::connection::{self, Door};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderValue;
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longest body that is taken.
const LONGEST_BODY: usize = 32 << 20;

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken or not allowed.
    #[error("cannot listen on 127.0.0.1 port {port}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// A running simulator; dropped, it goes on until its runtime ends.
pub struct Running {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub base_url: String,
    /// The private app's token.
    pub token: String,
    /// OAuth client.
    pub client_id: String,
    /// The client's secret; webhooks are signed with it.
    pub client_secret: String,
    /// The portal, for looking into it.
    pub portal: Arc<Portal>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    delivering: JoinHandle<()>,
}

/// Starts a simulator inside the current tokio runtime.
///
/// # Errors
///
/// [`StartError::Listen`] where the port is taken.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let port = options.port;
    let listen = |source| StartError::Listen { port, source };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let portal = Arc::new(Portal::new(options));
    let router = Router::new()
        .fallback(handle)
        .with_state(Arc::clone(&portal));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<connection::Cut>();
        let serve = axum::serve(Door(listener), service).with_graceful_shutdown(async {
            // Only a stop ends it; a dropped handle does not.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        });
        if let Err(error) = serve.await {
            tracing::error!(%error, "the simulator stopped serving");
        }
    });
    let delivering = tokio::spawn(deliver::run(Arc::clone(&portal)));
    Ok(Running {
        base_url: format!("http://{address}"),
        token: portal.token().to_owned(),
        client_id: portal.client_id().to_owned(),
        client_secret: portal.client_secret().to_owned(),
        portal,
        stop,
        serving,
        delivering,
    })
}

async fn handle(
    State(portal): State<Arc<Portal>>,
    ConnectInfo(connection): ConnectInfo<connection::Cut>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LONGEST_BODY).await.unwrap_or_default();
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut call = Call::new(Method::of(parts.method.as_str()), target).bytes(body);
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            call.headers
                .push((name.as_str().to_owned(), value.to_owned()));
        }
    }
    let options = portal.options();
    let latency = options.latency_ms + options.faults.latency_ms;
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    let answer = portal.handle(&call);
    match answer.cut {
        Some(Cut::Before) => connection.after(0),
        Some(Cut::Within) => connection.after(head_bytes(&answer) + answer.body.len() as u64 / 2),
        None => (),
    }
    respond(answer)
}

/// How long the head of an answer is: its status line, the date and length that the server adds, its headers.
fn head_bytes(answer: &Answer) -> u64 {
    let added =
        "HTTP/1.1 200 OK\r\ndate: Sun, 01 Mar 2026 10:00:00 GMT\r\ncontent-length: 100\r\n\r\n";
    let headers = answer.headers.iter();
    let own: usize = headers
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    (added.len() + own) as u64
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        match HeaderValue::try_from(value) {
            Ok(value) => response = response.header(name, value),
            Err(error) => tracing::debug!(%error, name, "a header is left out"),
        }
    }
    response
        .body(Body::from(answer.body))
        .expect("status, names and values are valid")
}

impl Running {
    /// What is printed for people and tools that want to connect: addresses and secrets.
    pub fn facts(&self) -> serde_json::Value {
        serde_json::json!({
            "vendor": "hubspot",
            "base_url": self.base_url,
            "token": self.token,
            "portal": self.portal.options().portal,
            "app": self.portal.options().app,
            "developer_key": self.portal.options().developer_key,
            "oauth": {
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "authorize_url": format!("{}/oauth/authorize", self.base_url),
                "token_url": format!("{}/oauth/v1/token", self.base_url),
            },
        })
    }

    /// Stops accepting, lets running answers end, and waits for that.
    pub async fn stop(self) {
        self.delivering.abort();
        let _ = self.stop.send(());
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the simulator ended badly");
        }
    }
}
