//! Runs one simulated account on a loopback port until it is stopped.
//!
//! It listens nowhere but on 127.0.0.1, and keeps its own counters off the vendor's paths.

use super::account::{Account, Counters};
use super::answer::answer;
use super::message::{Reply, Request};
use super::oauth::Given;
use super::options::Options;
use crate::connection::{Cut, Door};
use crate::crm_sample::CrmSample;
use crate::truth::{Crm, Generated, Kind, Live, Source, SourceError};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The truth cannot be read.
    #[error("cannot read the truth to simulate")]
    Truth(#[from] SourceError),
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
    /// The administrator's API token: 40 hexadecimal digits.
    pub token: String,
    /// OAuth client.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
    account: Arc<Account>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// Starts a simulator inside the current tokio runtime.
///
/// # Errors
///
/// [`StartError::Truth`] where the CSV folder cannot be read, [`StartError::Listen`] where the port is taken.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let crm: Arc<dyn Crm> = match &options.truth {
        Source::Generated { records, seed } => Arc::new(Generated::new(*records, *seed)),
        Source::CrmSample(folder) => Arc::new(CrmSample::read(folder)?),
    };
    let port = options.port;
    let listen = |source| StartError::Listen { port, source };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let account = Arc::new(Account::new(options, Live::new(crm)));
    let base_url = format!("http://{address}");
    account.base_url.get_or_init(|| base_url.clone());
    let router = Router::new()
        .fallback(handle)
        .with_state(Arc::clone(&account));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<Cut>();
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
    let oauth = &account.oauth;
    Ok(Running {
        base_url,
        token: oauth.api_token.clone(),
        client_id: oauth.client_id.clone(),
        client_secret: oauth.client_secret.clone(),
        account,
        stop,
        serving,
    })
}

async fn handle(
    State(account): State<Arc<Account>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let latency = account.options.latency_ms + account.options.faults.latency_ms;
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    let content_type = text(&parts.headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let reply = answer(
        &account,
        &Request {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            authorization: text(&parts.headers, header::AUTHORIZATION.as_str()),
            api_token: text(&parts.headers, "x-api-token"),
            form: content_type.starts_with("application/x-www-form-urlencoded"),
            body: &body,
        },
    );
    if let Some(bytes) = reply.cut_after {
        cut.after(bytes);
    }
    respond(reply)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn respond(reply: Reply) -> Response {
    let mut response = Response::builder()
        .status(reply.status)
        .header(header::CONTENT_TYPE, reply.content_type);
    for (name, value) in reply.headers {
        match HeaderValue::try_from(value) {
            Ok(value) => response = response.header(name, value),
            Err(error) => tracing::debug!(%error, name, "a header is left out"),
        }
    }
    response
        .body(Body::from(reply.body))
        .expect("status, names and values are valid")
}

impl Running {
    /// What is printed for people and tools that want to connect: addresses, secrets, number of records.
    pub fn facts(&self) -> serde_json::Value {
        let crm = self.account.live.base();
        serde_json::json!({
            "vendor": "pipedrive",
            "base_url": self.base_url,
            "token": self.token,
            "oauth": {
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "refresh_token": self.refresh_token(),
                "authorize_url": format!("{}/oauth/authorize", self.base_url),
                "token_url": format!("{}/oauth/token", self.base_url),
            },
            "company": { "id": crm.company().id, "name": crm.company().name, "domain": crm.company().domain },
            "records": {
                "persons": crm.count(Kind::Person),
                "organizations": crm.count(Kind::Organization),
                "deals": crm.count(Kind::Deal),
                "leads": crm.count(Kind::Lead),
                "activities": crm.count(Kind::Activity),
                "notes": crm.count(Kind::Note),
                "products": crm.count(Kind::Product),
                "projects": crm.count(Kind::Project),
                "call_logs": crm.count(Kind::CallLog),
                "users": crm.count(Kind::User),
            },
        })
    }

    /// The refresh token that is valid now; each use replaces it.
    pub fn refresh_token(&self) -> String {
        self.account.oauth.refresh_token()
    }

    /// Every code and token that was given out so far, dead ones included.
    pub fn given(&self) -> Given {
        self.account.oauth.given()
    }

    /// The truth that the account tells, with the edits made while somebody read.
    pub fn truth(&self) -> Live {
        self.account.live.clone()
    }

    /// The 40-digit key of a kind's custom field, by its place among the definitions.
    pub fn field_key(&self, kind: Kind, place: usize) -> Option<String> {
        self.account.keys.fields(kind).get(place).cloned()
    }

    /// The id that the lead of that number has in this account.
    pub fn lead_id(&self, number: u64) -> String {
        self.account.keys.lead(number)
    }

    /// What was asked so far.
    pub fn counts(&self) -> Counters {
        self.account.counters()
    }

    /// Stops accepting, lets running answers end, and waits for that.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the simulator ended badly");
        }
    }
}
