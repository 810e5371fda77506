//! Holds tokens, OAuth and scopes to sections 1 and 12 of the fact sheet.

use super::{World, expect, text};
use crate::hubspot::{Access, Answer, Call, Consent, Method};
use serde_json::{Value, json};

const BACK: &str = "http://127.0.0.1:9/back";

fn authorize(world: &World, more: &str) -> Answer {
    let target = format!(
        "/oauth/authorize?client_id={}&redirect_uri={BACK}&state=s%20t{more}",
        world.portal.client_id()
    );
    world.portal.handle(&Call::new(Method::Get, &target))
}

#[track_caller]
fn code(world: &World, more: &str) -> String {
    let answer = authorize(world, more);
    assert_eq!(answer.status, 302);
    let location = answer.header("location").unwrap().to_owned();
    let query = location
        .strip_prefix(BACK)
        .unwrap()
        .strip_prefix("?code=")
        .unwrap();
    let (code, state) = query.split_once("&state=").unwrap();
    assert_eq!(state, "s%20t");
    code.to_owned()
}

/// Asks for tokens; a form as in the vendor's guide, with what is given last in place of what stands before.
fn token(world: &World, version: &str, fields: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("client_id", world.portal.client_id()),
        ("client_secret", world.portal.client_secret()),
        ("redirect_uri", BACK),
    ];
    form.retain(|(name, _)| fields.iter().all(|(given, _)| given != name));
    form.extend(fields);
    let form: Vec<String> = form
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let call = Call::new(Method::Post, &format!("/oauth/{version}/token"))
        .with("content-type", "application/x-www-form-urlencoded")
        .bytes(form.join("&"));
    world.portal.handle(&call)
}

fn tokens(world: &World, scope: &str) -> Value {
    let code = code(world, &format!("&scope={scope}"));
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
    ];
    expect(&token(world, "v1", &grant), 200)
}

fn ask(world: &World, token: &Value, method: Method, target: &str) -> Answer {
    let call = Call::new(method, target).bearer(token.as_str().unwrap());
    world
        .portal
        .handle(&call.body(&json!({"properties": {"firstname": "a"}})))
}

#[test]
fn a_code_becomes_tokens_that_live_1800_seconds_and_can_be_refreshed() {
    let world = World::new();
    let pair = tokens(&world, "crm.objects.contacts.read");
    assert_eq!(pair["expires_in"], 1800);
    assert_eq!(pair["token_type"], "bearer");
    let contacts = "/crm/v3/objects/contacts";
    assert_eq!(
        ask(&world, &pair["access_token"], Method::Get, contacts).status,
        200
    );
    world.pass(1_799_999);
    assert_eq!(
        ask(&world, &pair["access_token"], Method::Get, contacts).status,
        200
    );
    world.pass(1);
    let told = expect(
        &ask(&world, &pair["access_token"], Method::Get, contacts),
        401,
    );
    assert_eq!(told["category"], "EXPIRED_AUTHENTICATION");
    let refresh = text(&pair["refresh_token"]);
    let grant = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    let next = expect(&token(&world, "v3", &grant), 200);
    assert_eq!(
        next["refresh_token"], pair["refresh_token"],
        "it does not rotate"
    );
    assert_ne!(next["access_token"], pair["access_token"]);
    assert_eq!(next["scopes"], json!(["crm.objects.contacts.read"]));
    assert_eq!(next["hub_id"], 51_234_567);
    assert_eq!(
        ask(&world, &next["access_token"], Method::Get, contacts).status,
        200
    );
}

#[test]
fn what_is_not_good_gets_no_tokens_and_says_why() {
    let world = World::new();
    let fresh = || code(&world, "&scope=crm.objects.contacts.read");
    let check = |fields: &[(&str, &str)], word: &str, error: &str| {
        let told = expect(&token(&world, "v1", fields), 400);
        assert_eq!(told["status"], word);
        assert_eq!(told["error"], error);
    };
    let by_code = ("grant_type", "authorization_code");
    check(&[by_code, ("code", "x")], "BAD_AUTH_CODE", "invalid_grant");
    check(
        &[by_code, ("client_id", "x")],
        "BAD_CLIENT_ID",
        "invalid_client",
    );
    check(
        &[by_code, ("client_secret", "x")],
        "BAD_CLIENT_SECRET",
        "invalid_client",
    );
    check(
        &[("grant_type", "password")],
        "BAD_GRANT_TYPE",
        "unsupported_grant_type",
    );
    let by_refresh = ("grant_type", "refresh_token");
    check(
        &[by_refresh, ("refresh_token", "x")],
        "BAD_REFRESH_TOKEN",
        "invalid_grant",
    );
    let one = fresh();
    let elsewhere = [
        by_code,
        ("code", one.as_str()),
        ("redirect_uri", "http://127.0.0.1:9/other"),
    ];
    check(&elsewhere, "BAD_REDIRECT_URI", "invalid_grant");
    let two = fresh();
    expect(&token(&world, "v1", &[by_code, ("code", &two)]), 200);
    check(&[by_code, ("code", &two)], "BAD_AUTH_CODE", "invalid_grant");
    let three = fresh();
    world.pass(600_000);
    check(
        &[by_code, ("code", &three)],
        "EXPIRED_AUTH_CODE",
        "invalid_grant",
    );
}

/// The pair of RFC 7636, appendix B.
#[test]
fn a_challenge_is_held_to() {
    let world = World::new();
    let asked = "&scope=tickets&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    for (given, status) in [(verifier, 200), ("other", 400)] {
        let code = code(&world, asked);
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("code_verifier", given),
        ];
        assert_eq!(token(&world, "v3", &grant).status, status);
    }
}

#[test]
fn a_browser_sees_a_page_goes_back_refused_or_is_not_sent_anywhere() {
    let with = |consent, app_scopes: Option<Vec<String>>| {
        World::with(|options| {
            options.access = Access {
                consent,
                app_scopes,
                redirects: Some(vec![BACK.to_owned()]),
                ..Access::default()
            };
        })
    };
    let asked = with(Consent::Asked, None);
    let page = authorize(&asked, "&scope=tickets");
    assert_eq!(page.status, 200);
    let page = String::from_utf8(page.body).unwrap();
    assert!(
        page.contains("&amp;decision=allow\">Connect app</a>"),
        "{page}"
    );
    assert_eq!(
        authorize(&asked, "&scope=tickets&decision=allow").status,
        302
    );
    let cancelled = authorize(&asked, "&scope=tickets&decision=cancel");
    assert!(
        cancelled
            .header("location")
            .unwrap()
            .contains("?error=access_denied&")
    );
    let denied = authorize(&with(Consent::Denied, None), "&scope=tickets");
    assert!(denied.header("location").unwrap().ends_with("&state=s%20t"));
    let narrow = with(Consent::Given, Some(vec!["tickets".to_owned()]));
    assert_eq!(
        authorize(&narrow, "&scope=tickets%20crm.import").status,
        400
    );
    assert_eq!(authorize(&narrow, "").status, 400);
    assert_eq!(
        authorize(&narrow, "&scope=tickets&optional_scope=crm.import").status,
        302
    );
    let elsewhere = format!(
        "/oauth/authorize?client_id={}&scope=tickets&redirect_uri=http://127.0.0.1:9/other",
        narrow.portal.client_id()
    );
    assert_eq!(
        narrow
            .portal
            .handle(&Call::new(Method::Get, &elsewhere))
            .status,
        400
    );
    let stranger = format!("/oauth/authorize?client_id=x&scope=tickets&redirect_uri={BACK}");
    assert_eq!(
        narrow
            .portal
            .handle(&Call::new(Method::Get, &stranger))
            .status,
        400
    );
}

#[test]
fn a_token_tells_what_it_is() {
    let world = World::new();
    let pair = tokens(&world, "crm.objects.contacts.read%20tickets");
    world.pass(60_000);
    let access = text(&pair["access_token"]);
    let get = |target: &str| world.portal.handle(&Call::new(Method::Get, target));
    let told = expect(&get(&format!("/oauth/v1/access-tokens/{access}")), 200);
    assert_eq!(told["hub_id"], 51_234_567);
    assert_eq!(told["app_id"], 9_001_001);
    assert_eq!(told["expires_in"], 1740);
    assert_eq!(told["token_type"], "access");
    assert_eq!(
        told["scopes"],
        json!(["crm.objects.contacts.read", "tickets"])
    );
    let refresh = format!("/oauth/v1/refresh-tokens/{}", text(&pair["refresh_token"]));
    assert_eq!(
        expect(&get(&refresh), 200)["client_id"],
        world.portal.client_id()
    );
    let introspect = |token: &str| {
        let call = Call::new(Method::Post, "/oauth/2026-03/token/introspect");
        expect(
            &world.portal.handle(&call.bytes(format!("token={token}"))),
            200,
        )
    };
    assert_eq!(introspect(&access)["active"], true);
    assert_eq!(introspect("x"), json!({"active": false}));
    let delete = Call::new(Method::Delete, &refresh);
    expect(&world.portal.handle(&delete), 204);
    expect(&get(&refresh), 404);
    let grant = [
        ("grant_type", "refresh_token"),
        ("refresh_token", pair["refresh_token"].as_str().unwrap()),
    ];
    assert_eq!(token(&world, "v1", &grant).status, 400);
    assert_eq!(introspect(&access)["active"], true, "access tokens live on");
}

#[test]
fn no_token_and_a_wrong_one_are_401() {
    let world = World::new();
    let contacts = "/crm/v3/objects/contacts";
    let bare = expect(&world.portal.handle(&Call::new(Method::Get, contacts)), 401);
    assert_eq!(bare["category"], "INVALID_AUTHENTICATION");
    let wrong = Call::new(Method::Get, contacts).bearer("pat-na1-x");
    let wrong = expect(&world.portal.handle(&wrong), 401);
    assert_eq!(wrong["category"], "INVALID_AUTHENTICATION");
}

#[test]
fn a_token_dies_early_where_that_was_ordered() {
    let world = World::with(|options| options.access.access_uses = Some(2));
    let pair = tokens(&world, "crm.objects.contacts.read");
    let uses = [200, 200, 401];
    for status in uses {
        let answer = ask(
            &world,
            &pair["access_token"],
            Method::Get,
            "/crm/v3/objects/contacts",
        );
        assert_eq!(answer.status, status);
    }
}

/// Calls that need a scope the token has not.
const DENIED: &[(Method, &str, &str)] = &[
    (
        Method::Post,
        "/crm/v3/objects/contacts",
        "crm.objects.contacts.write",
    ),
    (
        Method::Post,
        "/crm/v3/objects/contacts/batch/upsert",
        "crm.objects.contacts.write",
    ),
    (
        Method::Post,
        "/crm/v3/objects/contacts/merge",
        "crm.objects.contacts.write",
    ),
    (
        Method::Delete,
        "/crm/v3/objects/0-1/5",
        "crm.objects.contacts.write",
    ),
    (
        Method::Post,
        "/crm/v3/objects/notes",
        "crm.objects.contacts.write",
    ),
    (
        Method::Get,
        "/crm/v3/objects/companies",
        "crm.objects.companies.read",
    ),
    (Method::Get, "/crm/v3/objects/tickets", "tickets"),
    (
        Method::Get,
        "/crm/v3/objects/leads/5",
        "crm.objects.leads.read",
    ),
    (
        Method::Post,
        "/crm/v3/objects/line_items/search",
        "crm.objects.line_items.read",
    ),
    (
        Method::Get,
        "/crm/objects/2026-03/projects",
        "crm.objects.projects.read",
    ),
    (
        Method::Post,
        "/crm/v3/properties/contacts",
        "crm.schemas.contacts.write",
    ),
    (
        Method::Get,
        "/crm/v3/properties/deals",
        "crm.schemas.deals.read",
    ),
    (
        Method::Get,
        "/crm/v3/pipelines/deals",
        "crm.schemas.deals.read",
    ),
    (Method::Get, "/crm/v3/owners", "crm.objects.owners.read"),
    (Method::Get, "/crm/v3/schemas", "crm.schemas.custom.read"),
    (
        Method::Post,
        "/crm-object-schemas/v3/schemas",
        "crm.schemas.custom.write",
    ),
    (
        Method::Get,
        "/settings/v3/currencies/codes",
        "settings.currencies.read",
    ),
    (
        Method::Get,
        "/crm/v4/objects/deals/5/associations/companies",
        "crm.objects.companies.read",
    ),
    (
        Method::Put,
        "/crm/v4/objects/deals/5/associations/default/contacts/6",
        "crm.objects.contacts.write",
    ),
    (
        Method::Post,
        "/crm/v4/associations/contacts/deals/batch/create",
        "crm.objects.contacts.write",
    ),
];

#[test]
fn every_path_needs_its_scopes() {
    let scope = |name: &str| name.to_owned();
    let world = World::with(|options| {
        options.access.private_scopes = Some(vec![
            scope("crm.objects.contacts.read"),
            scope("crm.objects.deals.read"),
            scope("crm.objects.deals.write"),
            scope("crm.schemas.contacts.read"),
        ]);
    });
    for (method, target, needed) in DENIED {
        let told = expect(&world.send(*method, target, &json!({})), 403);
        assert_eq!(told["category"], "MISSING_SCOPES", "{target}");
        let scopes = [
            &told["context"]["requiredGranularScopes"],
            &told["errors"][0]["context"]["requiredGranularScopes"],
        ];
        let told = scopes
            .iter()
            .filter_map(|scopes| scopes.as_array())
            .flatten();
        assert!(
            told.into_iter().any(|scope| scope == needed),
            "{target} needs {needed}"
        );
    }
    for target in [
        "/crm/v3/objects/contacts",
        "/crm/v3/objects/calls",
        "/crm/v3/properties/contacts",
        "/account-info/v3/details",
    ] {
        world.get(target);
    }
    let search = json!({"filterGroups": []});
    world.post("/crm/v3/objects/deals/search", &search, 200);
    world.post(
        "/crm/v3/objects/contacts/batch/read",
        &json!({"inputs": [{"id": "1"}], "properties": []}),
        207,
    );
    world.post(
        "/crm/v4/associations/contacts/deals/batch/read",
        &json!({"inputs": [{"id": "1"}]}),
        207,
    );
}
