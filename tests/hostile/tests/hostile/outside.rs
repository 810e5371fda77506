//! A vendor on loopback and a real way out to it, credential and all, for those who try to get at either.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use egress::{Caps, Gateway, GatewayOptions, RateLimits};
use model::grant::{CredentialGrant, Endpoint, Injection, Method};
use tokio::net::TcpListener;
use url::Url;
use vault::{EntryName, KeySource, Secret, Vault};

/// The header that the credential is put in.
pub(crate) const HEADER: &str = "x-api-token";

/// What a vendor saw of a request.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    }
}

/// A vendor that answers each request by its handler.
pub(crate) struct Vendor {
    pub(crate) origin: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Vendor {
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let (seen, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let shared = Arc::clone(&seen);
        let app = axum::Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
            let request = Seen {
                path: uri.to_string(),
                headers,
            };
            shared.lock().unwrap().push(request.clone());
            let reply = answer(&request);
            async move { reply }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { origin, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// An answer with those headers.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: String) -> Response {
    let mut reply = Response::builder().status(status);
    for (name, value) in headers {
        reply = reply.header(*name, *value);
    }
    reply.body(body.into()).unwrap()
}

/// A tenant's way out to a vendor, with its own vault.
pub(crate) struct Way {
    pub(crate) gateway: Arc<Gateway>,
    _folder: tempfile::TempDir,
}

/// The way out of a tenant whose credential is `token`; granted are GETs below `/base` of the endpoint `api`.
pub(crate) fn way_out(origin: &Url, tenant: &str, token: &str) -> Way {
    let folder = tempfile::tempdir().unwrap();
    let key = KeySource::Bytes([7; 32].into());
    let vault = Vault::open(folder.path().join("vault.json"), key).unwrap();
    let entry = EntryName::new(tenant.into(), "token");
    vault.store(&entry, &Secret::Key(token.into())).unwrap();
    let endpoint = Endpoint {
        id: "api".to_owned(),
        url: "https://api.vendor.test/base".to_owned(),
        parameters: BTreeMap::new(),
        methods: vec![Method::Get],
        rate_limit: None,
        costs: Vec::new(),
    };
    let inject = Injection {
        header: HEADER.to_owned(),
        prefix: String::new(),
        endpoints: vec!["api".to_owned()],
    };
    let gateway = Gateway::new(GatewayOptions {
        connection: tenant.into(),
        endpoints: vec![endpoint],
        parameters: BTreeMap::new(),
        credential: CredentialGrant::Key {
            id: "token".to_owned(),
            label: "API token".to_owned(),
            inject,
        },
        origin_override: Some(origin.clone()),
        vault: Arc::new(vault),
        rate_limits: RateLimits::Off,
        user_agent: "longshore-test".to_owned(),
        caps: Caps {
            retry_delay_min: Duration::from_millis(2),
            response_max_bytes: 256 << 10,
            ..Caps::default()
        },
        recorder: None,
    });
    Way {
        gateway: Arc::new(gateway.unwrap()),
        _folder: folder,
    }
}
