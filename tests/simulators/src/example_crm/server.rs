//! Runs one Example CRM account on a loopback port until it is stopped.
//!
//! The API, all of it (`authorization: Bearer TOKEN`; answers and errors are JSON; unknown paths get 404):
//!
//! | `GET` | answer |
//! | --- | --- |
//! | `/v1/me` | `{"account": {"id", "name", "currency"}, "user"}` |
//! | `/v1/fields?object=LIST` | `{"items": [{"key", "label", "type": text, number, date or choice, "choices"?: [{"value", "label"}]}]}` |
//! | `/v1/pipelines` | `{"items": [{"id", "name", "stages": [{"id", "name", "chance": percent or null, "result": open, won or lost}]}]}` |
//! | `/v1/companies`, `contacts`, `deals`, `notes` | `{"items": [{"id", "changed_at", "deleted", …, "custom": {KEY: value}}], "next": text or null}` |
//!
//! Lists take `limit` (1 to 100, else 400), `after` (a `next`; another is answered with 400 and the code `bad_cursor`) and `changed_since` (RFC
//! 3339; only then deleted records are told, as `{"id", "changed_at", "deleted": true}`). Numbers and amounts are strings, so that nobody loses
//! digits. Errors are `{"error": {"code", "message"}}`.

use super::data::{self, List};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const TOKEN: &str = "example-token-5d0f6b1c9a7e4e24";

/// How to simulate an account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How many contacts it has; everything else follows from that.
    pub contacts: u64,
    /// Where to listen; 0 takes any free port.
    pub port: u16,
}

/// A running account; it ends with this value.
#[derive(Debug)]
pub struct Running {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub base_url: String,
    /// The API token.
    pub token: String,
    serving: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Running {
    /// What is printed for people and tools that want to connect.
    pub fn facts(&self) -> Value {
        json!({"vendor": "example-crm", "base_url": self.base_url, "token": self.token})
    }
}

/// Starts an account inside the current tokio runtime.
///
/// # Errors
/// When the port is taken or not allowed.
pub async fn start(options: Options) -> std::io::Result<Running> {
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let router = Router::new()
        .route("/v1/me", get(me))
        .route("/v1/fields", get(fields))
        .route("/v1/pipelines", get(pipelines))
        .route("/v1/{list}", get(list))
        .fallback(|| async { refusal(StatusCode::NOT_FOUND, "not_found", "no such path") })
        .with_state(options.contacts);
    let serving = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the simulator stopped serving");
        }
    });
    Ok(Running {
        base_url,
        token: TOKEN.to_owned(),
        serving,
    })
}

type Answer = Result<Response, Refusal>;

struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = json!({"error": {"code": self.code, "message": self.message}});
        (self.status, axum::Json(error)).into_response()
    }
}

fn refusal(status: StatusCode, code: &'static str, message: &'static str) -> Refusal {
    Refusal {
        status,
        code,
        message,
    }
}

fn told(answer: Value) -> Response {
    axum::Json(answer).into_response()
}

fn admit(headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    if given.and_then(|given| given.strip_prefix("Bearer ")) == Some(TOKEN) {
        return Ok(());
    }
    let message = "the token is missing or unknown";
    Err(refusal(StatusCode::UNAUTHORIZED, "bad_token", message))
}

async fn me(headers: HeaderMap) -> Answer {
    admit(&headers)?;
    let account = json!({"id": "ex-1", "name": "Beispiel GmbH", "currency": "EUR"});
    Ok(told(json!({"account": account, "user": "Ada Löwe"})))
}

async fn pipelines(headers: HeaderMap) -> Answer {
    admit(&headers)?;
    Ok(told(json!({"items": data::pipelines()})))
}

#[derive(Deserialize)]
struct FieldsQuery {
    object: String,
}

async fn fields(headers: HeaderMap, Query(query): Query<FieldsQuery>) -> Answer {
    admit(&headers)?;
    let list = find(&query.object)?;
    Ok(told(json!({"items": data::fields(list)})))
}

fn find(name: &str) -> Result<List, Refusal> {
    let missing = || refusal(StatusCode::NOT_FOUND, "not_found", "there is no such list");
    List::find(name).ok_or_else(missing)
}

#[derive(Deserialize)]
struct ListQuery {
    limit: u64,
    after: Option<String>,
    changed_since: Option<String>,
}

async fn list(
    State(contacts): State<u64>,
    headers: HeaderMap,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer {
    admit(&headers)?;
    let list = find(&name)?;
    let bad = |code, message| refusal(StatusCode::BAD_REQUEST, code, message);
    if !(1..=100).contains(&query.limit) {
        return Err(bad("bad_limit", "limit must be 1 to 100"));
    }
    let since: Option<Result<jiff::Timestamp, _>> = query.changed_since.as_deref().map(str::parse);
    let since = since
        .transpose()
        .map_err(|_| bad("bad_instant", "changed_since must be RFC 3339"))?;
    let count = list.count(contacts);
    let start = match query.after.as_deref() {
        None => 0,
        Some(after) => match list.number(after).filter(|last| *last < count) {
            Some(last) => last + 1,
            None => return Err(bad("bad_cursor", "after is none of this list")),
        },
    };
    Ok(told(page(list, start..count, since, query.limit)))
}

fn page(
    list: List,
    numbers: std::ops::Range<u64>,
    since: Option<jiff::Timestamp>,
    limit: u64,
) -> Value {
    let is_wanted = |number: &u64| match since {
        Some(since) => data::changed_at(*number) >= since,
        None => !data::is_deleted(*number),
    };
    let mut found = numbers.filter(is_wanted).peekable();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let taken: Vec<u64> = found.by_ref().take(limit).collect();
    let next = found.peek().and(taken.last()).map(|last| list.id(*last));
    let items: Vec<Value> = taken
        .iter()
        .map(|number| data::record(list, *number))
        .collect();
    json!({"items": items, "next": next})
}
