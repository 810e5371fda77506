//! What Longshore asks of a portal: where it sends, how fast, how it logs in, and with which scopes.

use model::grant::{ClientAuth, CredentialGrant, Endpoint, Injection, Method, RateLimit};

/// The endpoint that everything but searches goes to.
pub const API: &str = "api";

/// The endpoint of searches, which have a limit of their own.
pub const SEARCH: &str = "search";

/// Id of the way to log in with the token of a private app or a service key.
pub const TOKEN: &str = "token";

/// Id of the way to log in with OAuth 2.
pub const OAUTH: &str = "oauth";

const ORIGIN: &str = "https://api.hubapi.com";

/// The least that any plan allows in ten seconds; the headers of the first answer say what this portal's does.
const BURST_LEAST: u32 = 100;

/// Requests at once: a batch takes HubSpot up to two seconds, and the window must not wait for them.
const CONCURRENCY: u32 = 40;

/// The objects that scopes name; engagements go with the contacts'.
const SCOPED: [&str; 8] = [
    "contacts",
    "companies",
    "deals",
    "leads",
    "line_items",
    "products",
    "invoices",
    "projects",
];

/// The scopes that stand by themselves.
const SINGLE: [&str; 5] = [
    "oauth",
    "e-commerce",
    "crm.objects.owners.read",
    "settings.currencies.read",
    "sales-email-read",
];

/// Scopes of properties that HubSpot does not have: `e-commerce` covers both objects, line items have one to read besides.
const UNKNOWN: [&str; 3] = [
    "crm.schemas.line_items.write",
    "crm.schemas.products.read",
    "crm.schemas.products.write",
];

/// Records and properties of every object, to read and to write.
fn scopes() -> Vec<String> {
    let mut scopes: Vec<String> = SINGLE.map(str::to_owned).to_vec();
    for object in SCOPED {
        for (what, may) in [
            ("objects", "read"),
            ("objects", "write"),
            ("schemas", "read"),
            ("schemas", "write"),
        ] {
            scopes.push(format!("crm.{what}.{object}.{may}"));
        }
    }
    scopes.retain(|scope| !UNKNOWN.contains(&scope.as_str()));
    scopes
}

/// Where requests go. `daily_share_percent` is how much of the portal's day may be spent.
pub fn endpoints(daily_share_percent: Option<u8>) -> Vec<Endpoint> {
    let endpoint = |id: &str, methods: &[Method], rate_limit: RateLimit| Endpoint {
        id: id.to_owned(),
        url: ORIGIN.to_owned(),
        parameters: std::collections::BTreeMap::new(),
        methods: methods.to_vec(),
        rate_limit: Some(rate_limit),
        costs: Vec::new(),
    };
    let window = |burst: u32, seconds: u32, concurrency: u32| RateLimit {
        per_second: f64::from(burst) / f64::from(seconds),
        burst,
        concurrency,
        daily_budget: None,
        window_s: Some(seconds),
        daily_share_percent,
    };
    let all = [
        Method::Get,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
    ];
    vec![
        endpoint(API, &all, window(BURST_LEAST, 10, CONCURRENCY)),
        // Five a second for the whole account; one is left to others.
        endpoint(SEARCH, &[Method::Post], window(4, 1, 4)),
    ]
}

/// The ways to log in.
pub fn credentials() -> Vec<CredentialGrant> {
    let inject = || Injection {
        header: "authorization".to_owned(),
        prefix: "Bearer ".to_owned(),
        endpoints: vec![API.to_owned(), SEARCH.to_owned()],
    };
    vec![
        CredentialGrant::Key {
            id: TOKEN.to_owned(),
            label: "Access token of a private app, or service key".to_owned(),
            inject: inject(),
        },
        CredentialGrant::Oauth2 {
            id: OAUTH.to_owned(),
            authorize_url: "https://app.hubspot.com/oauth/authorize".to_owned(),
            token_url: format!("{ORIGIN}/oauth/v1/token"),
            scopes: scopes(),
            client_auth: ClientAuth::Form,
            inject: inject(),
        },
    ]
}
