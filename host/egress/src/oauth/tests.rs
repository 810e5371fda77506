//! Token addresses that repeat everything they were sent: nothing of it gets into an error or an answer's scopes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::grant::Injection;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::net::TcpListener;

use super::*;

const CODE: &str = "canary:code/0123456789";
const CLIENT: &str = "canary:client/0123456789";
const REFRESH: &str = "canary:refresh/0123456789";
const ACCESS: &str = "canary:access/0123456789";

/// Makes a body from what was secret.
type Body = fn(&str) -> String;

/// Answers every request with `status` and a body made from all that was secret in it.
async fn echoing(status: u16, body: Body) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let app = axum::Router::new().fallback(
        move |headers: axum::http::HeaderMap, form: axum::body::Bytes| async move {
            let basic = headers["authorization"].to_str().unwrap().to_owned();
            let decoded = BASE64_STANDARD
                .decode(basic.trim_start_matches("Basic "))
                .unwrap();
            let form: Vec<String> = url::form_urlencoded::parse(&form)
                .map(|(_, value)| value.into_owned())
                .collect();
            let plain = format!("{} {}", String::from_utf8(decoded).unwrap(), form.join(" "));
            let base64 =
                ["", "x", "xx"].map(|before| BASE64_STANDARD.encode(format!("{before}{plain}")));
            let percent = utf8_percent_encode(&plain, NON_ALPHANUMERIC);
            let said = format!("{plain} {basic} {percent} {}", base64.join(" "));
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            (status, [("content-type", "application/json")], body(&said))
        },
    );
    tokio::spawn(async move { axum::serve(listener, app).await });
    origin
}

fn grant() -> CredentialGrant {
    CredentialGrant::Oauth2 {
        id: "oauth".to_owned(),
        authorize_url: "https://oauth.vendor.test/authorize".to_owned(),
        token_url: "https://oauth.vendor.test/token".to_owned(),
        scopes: vec![],
        client_auth: ClientAuth::Basic,
        inject: Injection {
            header: "authorization".to_owned(),
            prefix: "Bearer ".to_owned(),
            endpoints: vec![],
        },
    }
}

fn client(origin: &Url) -> OauthClient {
    OauthClient::new(OauthOptions {
        connection: "acme".into(),
        credential: grant(),
        endpoints: vec![],
        parameters: BTreeMap::new(),
        origin_override: Some(origin.clone()),
        client_id: "app".to_owned(),
        client_secret: Some(CLIENT.into()),
        redirect: Url::parse("http://127.0.0.1:9/callback").unwrap(),
        user_agent: "longshore-test".to_owned(),
    })
    .unwrap()
}

/// Neither a secret nor, in base64 from any of the three places, the word that each begins with.
#[track_caller]
fn assert_clean(shown: &str, verifier: &str) {
    let mut forms = vec!["canary".to_owned(), verifier.to_owned()];
    forms.extend(["Y2FuYXJ5", "NhbmFye", "jYW5hcn"].map(str::to_owned));
    for form in forms {
        assert!(!shown.contains(&form), "{form} is in {shown}");
    }
}

async fn exchange(origin: &Url) -> (Result<Granted, EgressError>, String) {
    let client = client(origin);
    let login = client.begin();
    let found = client.exchange(CODE, &login.verifier).await;
    (found, login.verifier.expose().to_owned())
}

fn old_pair() -> Secret {
    Secret::Oauth {
        access: ACCESS.into(),
        refresh: Some(REFRESH.into()),
        expires_at: None,
        client_id: "app".to_owned(),
        client_secret: Some(CLIENT.into()),
        account: None,
    }
}

async fn refresh(origin: &Url) -> Result<Secret, EgressError> {
    let secret = old_pair();
    let scrubber = Scrubber::new(secret.texts());
    client(origin).client.refresh(&secret, &scrubber).await
}

#[tokio::test]
async fn a_token_address_that_repeats_everything_gives_nothing_away() {
    let answers: [(u16, Body); 5] = [
        (400, |said| {
            serde_json::json!({"error": "invalid_grant", "error_description": said}).to_string()
        }),
        (400, |said| serde_json::json!({"error": said}).to_string()),
        (401, |said| format!("<html>{said}")),
        (500, |said| said.to_owned()),
        (200, |said| format!("{{\"access_token\": {said}")),
    ];
    for (status, body) in answers {
        let origin = echoing(status, body).await;
        let (found, verifier) = exchange(&origin).await;
        let error = found.unwrap_err();
        assert_clean(&format!("{error} {error:?}"), &verifier);
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        let error = refresh(&origin).await.unwrap_err();
        assert_clean(&format!("{error} {error:?}"), &verifier);
    }
}

#[tokio::test]
async fn scopes_are_told_apart_by_spaces_or_commas_and_hold_no_secret() {
    let origin = echoing(200, |said| {
        let scope = format!("base,deals:full users:read {said}");
        serde_json::json!({"access_token": "A", "token_type": "Bearer", "scope": scope}).to_string()
    })
    .await;
    let (found, verifier) = exchange(&origin).await;
    let scopes = found.unwrap().scopes;
    assert_eq!(scopes[..3], ["base", "deals:full", "users:read"]);
    assert_clean(&scopes.join(" "), &verifier);
}
