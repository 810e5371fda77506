//! The gateway against servers on loopback that lie, break, redirect, flood and echo.

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap as Headers, Uri};
use axum::response::Response as Reply;
use model::grant::{ClientAuth, Injection, PathCost, RateLimit};
use model::grant::{CredentialGrant, Endpoint};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;
use vault::{KeySource, Secret, SecretText, Vault};

use super::*;
use crate::error::Refusal;
use crate::request::RateLimits;

mod endurance;
use crate::oauth::{OauthClient, OauthOptions};

pub(crate) const TOKEN: &str = "canary-0123456789abcdef";

/// What the server saw of a request.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

type Handler = dyn Fn(usize, &Seen) -> Reply + Send + Sync;

pub(crate) struct Server {
    pub(crate) origin: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// The handler gets the request's number, from 0.
    pub(crate) async fn start(
        handler: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let (shared, handler): (_, Arc<Handler>) = (seen.clone(), Arc::new(handler));
        let app = axum::Router::new().fallback(
            move |method: axum::http::Method, uri: Uri, headers: Headers, body: Bytes| {
                let request = Seen {
                    method: method.to_string(),
                    path: uri.to_string(),
                    headers,
                    body: body.to_vec(),
                };
                let number = {
                    let mut seen = shared.lock().unwrap();
                    seen.push(request.clone());
                    seen.len() - 1
                };
                let reply = handler(number, &request);
                async move { reply }
            },
        );
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { origin, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A server that speaks bytes: one function per connection.
pub(crate) async fn raw_server(replies: Vec<&'static [u8]>) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let number = counted.fetch_add(1, Ordering::SeqCst);
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream
                .write_all(replies[number.min(replies.len() - 1)])
                .await;
            let _ = stream.shutdown().await;
        }
    });
    (origin, count)
}

pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
    let mut reply = Reply::builder().status(status);
    for (name, value) in headers {
        reply = reply.header(*name, *value);
    }
    reply.body(body.into()).unwrap()
}

pub(crate) fn endpoint() -> Endpoint {
    Endpoint {
        id: "api".to_owned(),
        url: "https://api.vendor.test/base".to_owned(),
        parameters: BTreeMap::new(),
        methods: vec![Method::Get, Method::Post],
        rate_limit: None,
        costs: Vec::new(),
    }
}

pub(crate) fn inject() -> Injection {
    Injection {
        header: "x-api-token".to_owned(),
        prefix: String::new(),
        endpoints: vec!["api".to_owned()],
    }
}

pub(crate) struct Bench {
    pub(crate) options: GatewayOptions,
    _folder: tempfile::TempDir,
}

pub(crate) fn bench(origin: &Url) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(
        folder.path().join("vault.json"),
        KeySource::Bytes([7; 32].into()),
    )
    .unwrap();
    vault
        .store(
            &EntryName::new("acme".into(), "token"),
            &Secret::Key(TOKEN.into()),
        )
        .unwrap();
    let options = GatewayOptions {
        connection: "acme".into(),
        endpoints: vec![endpoint()],
        parameters: BTreeMap::new(),
        credential: CredentialGrant::Key {
            id: "token".to_owned(),
            label: "API token".to_owned(),
            inject: inject(),
        },
        origin_override: Some(origin.clone()),
        vault: Arc::new(vault),
        rate_limits: RateLimits::Declared,
        user_agent: "longshore-test".to_owned(),
        caps: Caps {
            retry_delay_min: Duration::from_millis(2),
            response_max_bytes: 1 << 20,
            ..Caps::default()
        },
        recorder: None,
    };
    Bench {
        options,
        _folder: folder,
    }
}

pub(crate) fn get(path: &str) -> Request {
    Request {
        endpoint: "api".to_owned(),
        method: Method::Get,
        path: path.to_owned(),
        query: vec![],
        headers: vec![],
        body: None,
        idempotent: true,
    }
}

pub(crate) fn post(path: &str, idempotent: bool) -> Request {
    Request {
        method: Method::Post,
        body: Some(b"{}".to_vec()),
        idempotent,
        ..get(path)
    }
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub(crate) async fn ask(bench: &Bench, request: Request) -> Result<Response, EgressError> {
    Gateway::new(bench.options.clone())
        .unwrap()
        .send(request, soon())
        .await
}

#[tokio::test]
async fn a_request_carries_what_was_asked_and_the_credential() {
    let server = Server::start(|_, _| {
        reply(
            200,
            &[("x-next", "2"), ("set-cookie", "a=b")],
            "{\"ok\":true}",
        )
    })
    .await;
    let bench = bench(&server.origin);
    let gateway = Gateway::new(bench.options.clone()).unwrap();
    let request = Request {
        query: vec![("a b".into(), "1&2".into())],
        headers: vec![("accept".into(), "x/y".into())],
        ..post("/v1/deals", false)
    };
    let response = gateway.send(request, soon()).await.unwrap();
    assert_eq!(
        (response.status, response.body.as_slice()),
        (200, b"{\"ok\":true}".as_slice())
    );
    assert!(response.headers.contains(&("x-next".into(), "2".into())));
    assert!(
        !response
            .headers
            .iter()
            .any(|(name, _)| name == "set-cookie")
    );
    let seen = &server.seen()[0];
    assert_eq!(
        (
            seen.method.as_str(),
            seen.path.as_str(),
            seen.body.as_slice()
        ),
        ("POST", "/base/v1/deals?a%20b=1%262", b"{}".as_slice())
    );
    assert_eq!(
        (
            seen.header("x-api-token"),
            seen.header("accept"),
            seen.header("user-agent")
        ),
        (TOKEN, "x/y", "longshore-test")
    );
    let usage = gateway.usage();
    assert_eq!(
        (
            usage.requests,
            usage.retries,
            usage.bytes_sent,
            usage.bytes_received
        ),
        (1, 0, 2, 11)
    );
}

#[tokio::test]
async fn what_is_not_granted_is_not_sent() {
    let server = Server::start(|_, _| reply(200, &[], "")).await;
    let bench = bench(&server.origin);
    let smuggled = |name: &str, value: &str| Request {
        headers: vec![(name.into(), value.into())],
        ..get("/v1")
    };
    for request in [
        Request {
            endpoint: "other".into(),
            ..get("/v1")
        },
        Request {
            method: Method::Delete,
            ..get("/v1")
        },
        get("/../admin"),
        get("//evil.test"),
        get("https://evil.test/base/v1"),
        get("http://169.254.169.254/base/v1"),
        smuggled("host", "evil.test"),
        smuggled("X-Api-Token", "mine"),
        smuggled("accept", "a\r\nhost: evil.test"),
        smuggled("accept\r\nhost", "evil.test"),
        smuggled("x-http-method-override", "DELETE"),
        Request {
            body: Some(vec![0; (16 << 20) + 1]),
            ..post("/v1", true)
        },
    ] {
        let error = ask(&bench, request.clone()).await.unwrap_err();
        assert!(
            matches!(error, EgressError::NotGranted { .. }),
            "{:?}: {error}",
            request.path
        );
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn redirects_inside_the_endpoint_are_followed_without_the_credential() {
    let server = Server::start(|number, _| match number {
        0 => reply(302, &[("location", "/base/v2/deals?x=1")], ""),
        _ => reply(200, &[], "there"),
    })
    .await;
    let bench = bench(&server.origin);
    let request = Request {
        headers: vec![
            ("accept".into(), "x/y".into()),
            ("content-type".into(), "a/b".into()),
        ],
        ..post("/v1/deals", false)
    };
    assert_eq!(ask(&bench, request).await.unwrap().body, b"there");
    let seen = &server.seen()[1];
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), seen.body.len()),
        ("GET", "/base/v2/deals?x=1", 0)
    );
    assert_eq!(
        (
            seen.header("x-api-token"),
            seen.header("accept"),
            seen.header("content-type")
        ),
        ("", "x/y", "")
    );
}

#[tokio::test]
async fn other_redirects_are_refused() {
    let locations = [
        "https://evil.test/base/x",
        "//evil.test/base/x",
        "/admin",
        "/base/../admin",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "/base/loop",
    ];
    let server = Server::start(move |_, seen| {
        match seen
            .path
            .strip_prefix("/base/")
            .and_then(|path| path.parse::<usize>().ok())
        {
            Some(row) if row < locations.len() => reply(307, &[("location", locations[row])], ""),
            Some(304) => reply(304, &[], ""),
            Some(_) => reply(302, &[], ""),
            None => reply(307, &[("location", "/base/loop")], ""),
        }
    })
    .await;
    let bench = bench(&server.origin);
    for row in 0..=locations.len() {
        let error = ask(&bench, get(&format!("/{row}"))).await.unwrap_err();
        assert!(
            matches!(
                error,
                EgressError::Refused {
                    refusal: Refusal::Redirect { .. },
                    ..
                }
            ),
            "{row}: {error}"
        );
    }
    assert_eq!(
        server
            .seen()
            .iter()
            .filter(|seen| seen.path == "/base/loop")
            .count(),
        6 - 1,
        "five hops after the first request"
    );
    assert_eq!(ask(&bench, get("/304")).await.unwrap().status, 304);
}

#[tokio::test]
async fn large_answers_and_gzip_bombs_stop_at_the_cap() {
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 64 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 100 << 10);
    let server = Server::start(move |_, seen| match seen.path.as_str() {
        "/base/bomb" => reply(200, &[("content-encoding", "gzip")], bomb.clone()),
        "/base/long" => reply(200, &[], vec![b'x'; (1 << 20) + 1]),
        _ => reply(200, &[], vec![b'x'; 1 << 20]),
    })
    .await;
    let bench = bench(&server.origin);
    for path in ["/bomb", "/long"] {
        let error = ask(&bench, get(path)).await.unwrap_err();
        assert!(
            matches!(
                error,
                EgressError::TooLarge {
                    limit_bytes: 1_048_576,
                    ..
                }
            ),
            "{path}: {error}"
        );
    }
    assert_eq!(ask(&bench, get("/fits")).await.unwrap().body.len(), 1 << 20);
    assert_eq!(
        server.seen().len(),
        3,
        "a larger answer is not asked for again"
    );
}

#[tokio::test]
async fn gzip_answers_arrive_decompressed() {
    let mut text = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    text.write_all(format!("[\"{TOKEN}\"]").as_bytes()).unwrap();
    let text = text.finish().unwrap();
    let server =
        Server::start(move |_, _| reply(200, &[("content-encoding", "gzip")], text.clone())).await;
    assert_eq!(
        ask(&bench(&server.origin), get("/v1")).await.unwrap().body,
        b"[\"[redacted]\"]"
    );
    assert_eq!(server.seen()[0].header("accept-encoding"), "gzip");
}

#[tokio::test]
async fn a_server_that_echoes_the_secret_gives_nothing_away() {
    let server = Server::start(|_, seen| {
        let token = seen.header("x-api-token");
        let body = format!(
            "plain {token}, encoded {}",
            base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("u:{token}"))
        );
        let status = if seen.path.ends_with("401") { 401 } else { 200 };
        reply(status, &[("x-echo", token), ("x-api-token", token)], body)
    })
    .await;
    let bench = bench(&server.origin);
    let response = ask(&bench, get("/v1")).await.unwrap();
    let shown = format!(
        "{:?} {}",
        response.headers,
        String::from_utf8(response.body).unwrap()
    );
    assert!(
        !shown.contains("canary") && !shown.contains("Y2FuYXJ5"),
        "{shown}"
    );
    assert_eq!(shown.matches("[redacted]").count(), 3);
    let error = ask(&bench, get("/401")).await.unwrap_err();
    assert!(matches!(error, EgressError::Auth { .. }));
    assert!(
        !format!("{error} {error:?}").contains("canary"),
        "{error:?}"
    );
    let error = ask(&bench, get(&format!("//{TOKEN}"))).await.unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("canary"),
        "{error:?}"
    );
    let gateway = Gateway::new(bench.options.clone()).unwrap();
    assert_eq!(
        gateway.redact(&format!("token {TOKEN}!")),
        "token [redacted]!"
    );
}

#[tokio::test]
async fn broken_answers_are_asked_for_again_when_that_is_safe() {
    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nwhole";
    const CUT: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\nconnection: close\r\n\r\nhal";
    const NOTHING: &[u8] = b"";
    for broken in [CUT, NOTHING, b"HTTP/1.1 200 OK\r\ncontent-le"] {
        let (origin, count) = raw_server(vec![broken, broken, WHOLE]).await;
        let bench = bench(&origin);
        assert_eq!(ask(&bench, get("/v1")).await.unwrap().body, b"whole");
        assert_eq!(count.load(Ordering::SeqCst), 3);

        let (origin, count) = raw_server(vec![broken, WHOLE]).await;
        let once = super::tests::bench(&origin);
        let error = ask(&once, post("/v1", false)).await.unwrap_err();
        assert!(matches!(error, EgressError::Uncertain { .. }), "{error}");
        assert_eq!(count.load(Ordering::SeqCst), 1, "a write is not sent twice");
    }
    let (origin, count) = raw_server(vec![CUT]).await;
    let error = ask(&bench(&origin), get("/v1")).await.unwrap_err();
    assert!(
        matches!(error, EgressError::Transient { attempts: 5, .. }),
        "{error}"
    );
    assert_eq!(count.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_transient_failure_even_for_writes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let error = ask(&bench(&origin), post("/v1", false)).await.unwrap_err();
    assert!(
        matches!(error, EgressError::Transient { attempts: 5, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn server_errors_are_repeated_for_reads_and_answered_for_writes() {
    let server = Server::start(|number, seen| match (seen.method.as_str(), number) {
        ("GET", 0..2) => reply(503, &[], "later"),
        ("GET", _) => reply(404, &[], "none"),
        _ => reply(500, &[], "boom"),
    })
    .await;
    let bench = bench(&server.origin);
    assert_eq!(ask(&bench, get("/v1")).await.unwrap().status, 404);
    assert_eq!(ask(&bench, post("/v1", false)).await.unwrap().body, b"boom");
    assert_eq!(server.seen().len(), 4);
    let error = ask(&bench, post("/v1", true)).await.unwrap_err();
    assert!(
        matches!(error, EgressError::Transient { attempts: 7, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_asks_to_wait_is_obeyed_or_the_wait_is_told() {
    let server = Server::start(|number, seen| match (seen.path.as_str(), number) {
        ("/base/short", 0) => reply(429, &[("retry-after", "0.2")], ""),
        ("/base/long", _) => reply(429, &[("retry-after", "3600")], ""),
        _ => reply(200, &[], "now"),
    })
    .await;
    let bench = bench(&server.origin);
    let gateway = Gateway::new(bench.options.clone()).unwrap();
    let start = Instant::now();
    assert_eq!(
        gateway.send(get("/short"), soon()).await.unwrap().body,
        b"now"
    );
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert_eq!(gateway.usage().retries, 1);
    let error = gateway
        .send(post("/long", false), soon())
        .await
        .unwrap_err();
    assert!(
        matches!(error, EgressError::RateLimited { retry_after, .. } if retry_after.as_secs() == 3600),
        "{error}"
    );
    let sent = server.seen().len();
    let error = gateway.send(get("/other"), soon()).await.unwrap_err();
    assert!(matches!(error, EgressError::RateLimited { .. }), "{error}");
    assert_eq!(
        server.seen().len(),
        sent,
        "nobody on this gateway asks during the wait"
    );
}

#[tokio::test]
async fn a_write_that_was_turned_away_is_sent_again() {
    let server = Server::start(|number, _| match number {
        0 => reply(429, &[("retry-after", "0.2")], ""),
        1 => reply(429, &[], ""),
        _ => reply(200, &[], "made"),
    })
    .await;
    let bench = bench(&server.origin);
    let gateway = Gateway::new(bench.options.clone()).unwrap();
    let answer = gateway.send(post("/v1", false), soon()).await.unwrap();
    assert_eq!((answer.body, server.seen().len()), (b"made".to_vec(), 3));
}

#[tokio::test]
async fn the_budget_and_the_declared_rate_hold_unless_switched_off() {
    let server = Server::start(|_, _| reply(200, &[], "")).await;
    let mut bench = bench(&server.origin);
    bench.options.endpoints[0].rate_limit = Some(RateLimit {
        per_second: 1000.0,
        burst: 10,
        concurrency: 2,
        daily_budget: Some(45),
        window_s: None,
        daily_share_percent: None,
    });
    bench.options.endpoints[0].costs = vec![PathCost {
        path: "/v1/**".into(),
        cost: 20,
    }];
    let gateway = Gateway::new(bench.options.clone()).unwrap();
    gateway.send(get("/v1/a"), soon()).await.unwrap();
    gateway.send(get("/v1/b"), soon()).await.unwrap();
    let error = gateway.send(get("/v1/c"), soon()).await.unwrap_err();
    assert!(matches!(error, EgressError::RateLimited { .. }), "{error}");
    gateway.send(get("/v2/d"), soon()).await.unwrap();
    assert_eq!((gateway.usage().cost_today, server.seen().len()), (41, 3));
    bench.options.rate_limits = RateLimits::Off;
    let gateway = Gateway::new(bench.options.clone()).unwrap();
    for _ in 0..20 {
        gateway.send(get("/v1/a"), soon()).await.unwrap();
    }
}

#[tokio::test]
async fn a_silent_server_ends_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let bench = bench(&origin);
    let gateway = Gateway::new(bench.options.clone()).unwrap();
    let at_once = || Instant::now() + Duration::from_millis(50);
    assert!(matches!(
        gateway.send(get("/v1"), at_once()).await,
        Err(EgressError::Timeout { .. })
    ));
    assert!(matches!(
        gateway.send(post("/v1", false), at_once()).await,
        Err(EgressError::Uncertain { .. })
    ));
}

// --- OAuth -------------------------------------------------------------------------------------------------------------------------------

fn oauth_bench(origin: &Url, access: &str, expires_at: Option<model::Instant>) -> Bench {
    let mut bench = bench(origin);
    bench.options.credential = CredentialGrant::Oauth2 {
        id: "oauth".to_owned(),
        authorize_url: "https://oauth.vendor.test/authorize".to_owned(),
        token_url: "https://oauth.vendor.test/token".to_owned(),
        scopes: vec!["deals:read".to_owned()],
        client_auth: ClientAuth::Basic,
        inject: Injection {
            header: "authorization".to_owned(),
            prefix: "Bearer ".to_owned(),
            ..inject()
        },
    };
    let secret = Secret::Oauth {
        access: access.into(),
        refresh: Some("canary-refresh-0".into()),
        expires_at,
        client_id: "app".to_owned(),
        client_secret: Some("canary-client".into()),
        account: Some("https://acme.vendor.test".to_owned()),
    };
    bench.options.vault.store(&entry(), &secret).unwrap();
    bench
}

fn entry() -> EntryName {
    EntryName::new("acme".into(), "oauth")
}

/// Refresh tokens work once; access tokens are named by their number.
async fn oauth_server(works_from: usize) -> Server {
    let refreshes = AtomicUsize::new(0);
    Server::start(move |_, seen| {
        if seen.path == "/token" {
            let form = String::from_utf8(seen.body.clone()).unwrap();
            let number = refreshes.fetch_add(1, Ordering::SeqCst);
            if !form.contains(&format!("refresh_token=canary-refresh-{number}")) {
                return reply(400, &[], format!("{{\"error\":\"invalid_grant\",\"error_description\":\"dead: {form}\"}}"));
            }
            let next = number + 1;
            let json = format!(
                "{{\"access_token\":\"canary-access-{next}\",\"token_type\":\"Bearer\",\"refresh_token\":\"canary-refresh-{next}\",\"expires_in\":3599}}"
            );
            return reply(200, &[("content-type", "application/json")], json);
        }
        let number = seen.header("authorization").strip_prefix("Bearer canary-access-").and_then(|number| number.parse::<usize>().ok());
        if number.is_some_and(|number| number >= works_from) { reply(200, &[], "data") } else { reply(401, &[], "expired") }
    })
    .await
}

fn token_requests(server: &Server) -> usize {
    server
        .seen()
        .iter()
        .filter(|seen| seen.path == "/token")
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_refused_requests_make_one_refresh_which_is_stored() {
    let server = oauth_server(1).await;
    let bench = oauth_bench(&server.origin, "canary-access-0", None);
    let gateway = Gateway::new(bench.options.clone()).unwrap();
    let work: Vec<_> = (0..8)
        .map(|_| {
            let gateway = gateway.clone();
            tokio::spawn(async move { gateway.send(get("/v1"), soon()).await })
        })
        .collect();
    for work in work {
        assert_eq!(work.await.unwrap().unwrap().body, b"data");
    }
    assert_eq!(token_requests(&server), 1);
    let token = server
        .seen()
        .into_iter()
        .find(|seen| seen.path == "/token")
        .unwrap();
    assert!(token.header("authorization").starts_with("Basic "));
    let Secret::Oauth {
        access,
        refresh,
        account,
        expires_at,
        ..
    } = bench.options.vault.load(&entry()).unwrap()
    else {
        panic!()
    };
    assert_eq!(
        (access, refresh),
        (
            "canary-access-1".into(),
            Some(SecretText::from("canary-refresh-1"))
        )
    );
    assert_eq!(
        account.as_deref(),
        Some("https://acme.vendor.test"),
        "kept when the answer does not name it"
    );
    assert!(expires_at.is_some());
}

#[tokio::test]
async fn a_token_about_to_end_is_renewed_before_it_is_used() {
    let server = oauth_server(1).await;
    let soon_over = model::Instant::from_unix_us(model::Instant::now().unix_us() + 5_000_000);
    let bench = oauth_bench(&server.origin, "canary-access-0", soon_over);
    assert_eq!(ask(&bench, get("/v1")).await.unwrap().body, b"data");
    assert_eq!(
        server
            .seen()
            .iter()
            .filter(|seen| seen.path != "/token")
            .count(),
        1,
        "no 401 on the way"
    );
}

#[tokio::test]
async fn a_refused_refresh_asks_the_person_and_is_not_repeated() {
    let server = oauth_server(99).await;
    let bench = oauth_bench(&server.origin, "canary-access-0", None);
    let gateway = Gateway::new(bench.options.clone()).unwrap();
    // The refresh works, the new token does not.
    let error = gateway.send(get("/v1"), soon()).await.unwrap_err();
    assert!(matches!(error, EgressError::Auth { .. }), "{error}");
    assert_eq!(token_requests(&server), 1);
    // A refresh token that is dead: one question, the same answer for all.
    let dead = Secret::Oauth {
        access: "canary-access-0".into(),
        refresh: Some("canary-refresh-dead".into()),
        expires_at: None,
        client_id: "app".into(),
        client_secret: Some("canary-client".into()),
        account: None,
    };
    bench.options.vault.store(&entry(), &dead).unwrap();
    let gateway = Gateway::new(bench.options.clone()).unwrap();
    for _ in 0..3 {
        let error = gateway.send(get("/v1"), soon()).await.unwrap_err();
        assert!(
            matches!(&error, EgressError::Auth { cause, .. } if cause.contains("invalid_grant")),
            "{error}"
        );
        assert!(
            !format!("{error} {error:?}").contains("canary"),
            "{error:?}"
        );
    }
    assert_eq!(token_requests(&server), 2);
}

#[tokio::test]
async fn a_refresh_by_someone_else_is_taken_from_the_vault() {
    let server = oauth_server(1).await;
    let bench = oauth_bench(&server.origin, "canary-access-0", None);
    let (first, second) = (
        Gateway::new(bench.options.clone()).unwrap(),
        Gateway::new(bench.options.clone()).unwrap(),
    );
    first.send(get("/v1"), soon()).await.unwrap();
    second.send(get("/v1"), soon()).await.unwrap();
    assert_eq!(token_requests(&server), 1);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one login from start to end")]
async fn a_login_goes_through_state_pkce_and_code() {
    let server = Server::start(|_, seen| {
        let form = String::from_utf8(seen.body.clone()).unwrap();
        if !form.contains("grant_type=authorization_code") || !form.contains("code=canary-code") || !form.contains("code_verifier=") {
            return reply(400, &[], "{\"error\":\"invalid_request\"}");
        }
        reply(
            200,
            &[("content-type", "application/json")],
            "{\"access_token\":\"A\",\"token_type\":\"bearer\",\"refresh_token\":\"R\",\"expires_in\":0,\"scope\":\"a b\",\"api_domain\":\"https://acme.vendor.test\"}",
        )
    })
    .await;
    let bench = oauth_bench(&server.origin, "x", None);
    let options = OauthOptions {
        connection: "acme".into(),
        credential: bench.options.credential.clone(),
        endpoints: bench.options.endpoints.clone(),
        parameters: BTreeMap::new(),
        origin_override: Some(server.origin.clone()),
        client_id: "app".into(),
        client_secret: Some("canary-client".into()),
        redirect: Url::parse("http://127.0.0.1:9999/callback").unwrap(),
        user_agent: "longshore-test".into(),
    };
    let client = OauthClient::new(options.clone()).unwrap();
    let login = client.begin();
    let query: BTreeMap<_, _> = login.url.query_pairs().into_owned().collect();
    assert!(
        login.url.as_str().starts_with(server.origin.as_str()),
        "{}",
        login.url
    );
    assert_eq!(
        (
            query["client_id"].as_str(),
            query["code_challenge_method"].as_str(),
            query["scope"].as_str()
        ),
        ("app", "S256", "deals:read")
    );
    assert_eq!(
        (query["state"].as_str(), query["redirect_uri"].as_str()),
        (login.state.expose(), "http://127.0.0.1:9999/callback")
    );
    assert_ne!(query["code_challenge"], login.verifier.expose());
    assert_ne!(client.begin().state, login.state);

    let granted = client
        .exchange("canary-code", &login.verifier)
        .await
        .unwrap();
    assert_eq!(granted.scopes, ["a", "b"]);
    let Secret::Oauth {
        access,
        refresh,
        expires_at,
        account,
        client_id,
        ..
    } = granted.secret
    else {
        panic!()
    };
    assert_eq!(
        (access, refresh, expires_at),
        ("A".into(), Some("R".into()), None)
    );
    assert_eq!(
        (account.as_deref(), client_id.as_str()),
        (Some("https://acme.vendor.test"), "app")
    );
    let error = client
        .exchange("other-code", &login.verifier)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, EgressError::Auth { cause, .. } if cause.contains("invalid_request")),
        "{error}"
    );

    let key = OauthOptions {
        credential: super::tests::bench(&server.origin).options.credential,
        ..options
    };
    assert!(matches!(
        OauthClient::new(key),
        Err(EgressError::Configuration { .. })
    ));
}

#[tokio::test]
async fn options_that_do_not_fit_together_are_told() {
    let origin = Url::parse("http://127.0.0.1:1").unwrap();
    let bench = bench(&origin);
    let good = bench.options.clone();
    let rate = RateLimit {
        per_second: 0.0,
        burst: 1,
        concurrency: 1,
        daily_budget: None,
        window_s: None,
        daily_share_percent: None,
    };
    let cases = [
        (
            "not declared",
            GatewayOptions {
                endpoints: vec![],
                ..good.clone()
            },
        ),
        (
            "twice",
            GatewayOptions {
                endpoints: vec![endpoint(), endpoint()],
                ..good.clone()
            },
        ),
        (
            "loopback",
            GatewayOptions {
                origin_override: Some(Url::parse("http://10.0.0.1").unwrap()),
                ..good.clone()
            },
        ),
        (
            "https://",
            GatewayOptions {
                endpoints: vec![Endpoint {
                    url: "http://x.test".into(),
                    ..endpoint()
                }],
                ..good.clone()
            },
        ),
        (
            "allows nothing",
            GatewayOptions {
                endpoints: vec![Endpoint {
                    rate_limit: Some(rate),
                    ..endpoint()
                }],
                ..good.clone()
            },
        ),
    ];
    for (expected, options) in cases {
        let error = Gateway::new(options).err().unwrap();
        assert!(
            matches!(error, EgressError::Configuration { .. })
                && error.to_string().contains(expected),
            "{expected}: {error}"
        );
    }
    let unknown = GatewayOptions {
        connection: "nobody".into(),
        ..good
    };
    assert!(matches!(
        Gateway::new(unknown),
        Err(EgressError::Vault { .. })
    ));
}

#[tokio::test]
async fn a_real_gateway_does_not_reach_loopback_by_any_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let bench = bench(&Url::parse("http://127.0.0.1:1").unwrap());
    let mut options = bench.options.clone();
    options.origin_override = None;
    options.endpoints[0].url = format!("https://localhost:{port}/base");
    let gateway = match Gateway::new(options) {
        Ok(gateway) => gateway,
        Err(EgressError::Configuration { what, .. }) if what.contains("network client") => {
            println!("SKIPPED: this machine has no trusted root certificates: {what}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let error = gateway.send(get("/v1"), soon()).await.unwrap_err();
    assert!(
        matches!(
            error,
            EgressError::Refused {
                refusal: Refusal::Address { .. },
                ..
            }
        ),
        "{error}"
    );
    assert!(
        tokio::time::timeout(Duration::from_millis(50), listener.accept())
            .await
            .is_err(),
        "no connection was made"
    );
}
