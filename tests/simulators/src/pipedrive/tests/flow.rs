//! Holds paging, filters, identities, limits, faults and both accounts of truth to the fact sheet.

use super::*;
use crate::faults::Faults;
use crate::pipedrive::{EmptyV1, EnvelopeV1, Limits, Plan, RetiredV1};
use crate::truth::Kind;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::HashSet;
use std::sync::atomic::Ordering;

#[test]
fn paging_to_the_end_gives_every_record_once_in_each_order() {
    let account = account(of(1200));
    for kind in [
        "persons",
        "organizations",
        "deals",
        "activities",
        "products",
        "projects",
    ] {
        let (records, _) = all_v2(&account, &format!("/api/v2/{kind}?limit=37"));
        let expected: HashSet<u64> = ids(&records).into_iter().collect();
        assert_eq!(expected.len(), records.len(), "{kind} has a record twice");
        let sorts = if kind == "projects" {
            &[]
        } else {
            &["update_time", "add_time"][..]
        };
        for sort in sorts {
            for direction in ["asc", "desc"] {
                let (sorted, _) = all_v2(
                    &account,
                    &format!("/api/v2/{kind}?limit=41&sort_by={sort}&sort_direction={direction}"),
                );
                assert_eq!(ids(&sorted).into_iter().collect::<HashSet<_>>(), expected);
                assert_eq!(sorted.len(), records.len());
                let times: Vec<&str> = sorted
                    .iter()
                    .map(|record| record[sort].as_str().unwrap())
                    .collect();
                assert!(
                    times.is_sorted_by(|a, b| if direction == "asc" { a <= b } else { a >= b }),
                    "{kind} by {sort} {direction}"
                );
            }
        }
    }
}

#[test]
fn lists_hold_what_the_truth_says_and_archives_and_deleted_apart() {
    let account = account(of(1000));
    let crm = account.live.base();
    let deals: Vec<_> = (1..=500).filter_map(|id| crm.deal(id)).collect();
    let count =
        |test: &dyn Fn(&crate::truth::Deal) -> bool| deals.iter().filter(|deal| test(deal)).count();
    let listed = |query: &str| all_v2(&account, &format!("/api/v2/deals{query}")).0.len();
    assert_eq!(listed(""), count(&|deal| !deal.archived && !deal.deleted));
    assert_eq!(
        listed("/archived"),
        count(&|deal| deal.archived && !deal.deleted)
    );
    let kept = crm.company().now.plus_seconds(-30 * 86_400);
    assert_eq!(
        listed("?status=deleted"),
        count(&|deal| deal.deleted && deal.updated >= kept)
    );
    let gone = deals
        .iter()
        .find(|deal| deal.deleted && deal.updated < kept)
        .unwrap();
    assert_eq!(
        ask(&account, &format!("/api/v2/deals/{}", gone.id)).status,
        404
    );
    for status in ["open", "won", "lost"] {
        let (records, _) = all_v2(
            &account,
            &format!("/api/v2/deals?status={status}&limit=500"),
        );
        assert!(records.iter().all(|deal| deal["status"] == status) && !records.is_empty());
    }
    assert_eq!(all_v1(&account, "/api/v1/leads", 30).len(), 95);
    assert_eq!(all_v1(&account, "/api/v1/leads/archived", 30).len(), 5);
    let notes = all_v1(&account, "/v1/notes", 77);
    assert_eq!(ids(&notes), (1..=500).collect::<Vec<_>>());
    assert!(
        notes
            .iter()
            .any(|note| note["deal_id"].is_u64() && note["person_id"].is_u64())
    );
    let logs = all_v1(&account, "/v1/callLogs", 7);
    assert_eq!(logs.len(), 20);
    let shown: HashSet<String> = logs
        .iter()
        .map(|log| log["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(shown.len(), 20);
}

#[test]
fn a_record_by_its_id_is_the_record_of_the_list() {
    let account = account(of(600));
    for (list, one) in [
        ("/api/v2/persons", 3),
        ("/api/v2/organizations", 9),
        ("/api/v2/deals", 11),
        ("/api/v2/activities", 40),
    ] {
        let (records, _) = all_v2(&account, list);
        let listed = records.iter().find(|record| record["id"] == one).unwrap();
        assert_eq!(&json(&account, &format!("{list}/{one}"))["data"], listed);
    }
    let leads = all_v1(&account, "/v1/leads", 100);
    let id = leads[7]["id"].as_str().unwrap();
    assert_eq!(json(&account, &format!("/v1/leads/{id}"))["data"], leads[7]);
    let missing = ask(&account, "/v1/leads/00000000-0000-4000-8000-000000000000");
    assert_eq!(missing.status, 404);
    let body: Value = serde_json::from_slice(&missing.body).unwrap();
    assert_eq!(body["error"], "requested lead not found");
    let (some, _) = all_v2(&account, "/api/v2/persons?ids=5,3,4,99999");
    assert_eq!(ids(&some), [3, 4, 5]);
}

#[test]
fn custom_values_are_objects_and_options_may_dangle() {
    let account = account(of(3000));
    let (fields, _) = all_v2(&account, "/api/v2/dealFields?limit=7");
    let key = |name: &str| {
        let field = fields
            .iter()
            .find(|field| field["field_name"] == name)
            .unwrap();
        field["field_code"].as_str().unwrap().to_owned()
    };
    let (deals, _) = all_v2(&account, "/api/v2/deals?limit=500");
    let custom = |name: &str| {
        let key = key(name);
        deals
            .iter()
            .map(|deal| deal["custom_fields"][&key].clone())
            .filter(|value| !value.is_null())
            .collect::<Vec<_>>()
    };
    for name in [
        "Budget",
        "Contract period",
        "Opening hours",
        "Interests",
        "Tier",
    ] {
        assert!(custom(name).len() > 50, "{name} is on few deals");
    }
    assert!(
        custom("Budget")
            .iter()
            .all(|value| value["value"].is_number() && value["currency"].is_string())
    );
    assert!(
        custom("Contract period")
            .iter()
            .all(|value| value["until"].as_str().unwrap() >= value["value"].as_str().unwrap())
    );
    assert!(
        custom("Opening hours")
            .iter()
            .all(|value| value["timezone_name"] == "Europe/Brussels")
    );
    assert!(
        custom("Interests")
            .iter()
            .all(|value| !value.as_array().unwrap().is_empty())
    );
    let tier = fields
        .iter()
        .find(|field| field["field_name"] == "Tier")
        .unwrap();
    let known: HashSet<u64> = ids(tier["options"].as_array().unwrap())
        .into_iter()
        .collect();
    let used: HashSet<u64> = custom("Tier")
        .iter()
        .map(|value| value.as_u64().unwrap())
        .collect();
    assert_eq!(
        used.difference(&known).count(),
        1,
        "the removed option is on records only"
    );
}

#[test]
fn there_is_a_custom_field_of_every_type() {
    let account = account(of(100));
    let keys = account.keys.fields(Kind::Deal);
    let (fields, _) = all_v2(&account, "/api/v2/dealFields?limit=7");
    let types: HashSet<&str> = fields
        .iter()
        .filter(|field| field["is_custom_field"] == true)
        .map(|field| field["field_type"].as_str().unwrap())
        .collect();
    assert_eq!(types.len(), 20, "one custom field of every type");
    assert!(
        keys.iter()
            .all(|key| key.len() == 40 && key.bytes().all(|byte| byte.is_ascii_hexdigit()))
    );
}

#[test]
fn leads_have_flat_keys_and_a_request_may_narrow_the_values() {
    let account = account(of(3000));
    let keys = account.keys.fields(Kind::Deal);
    let leads = all_v1(&account, "/v1/leads", 500);
    let told = |lead: &Value, key: &str| lead.get(key).cloned();
    assert!(leads.iter().all(|lead| lead.get("custom_fields").is_none()));
    let interests: Vec<Value> = leads
        .iter()
        .filter_map(|lead| told(lead, &keys[7]))
        .collect();
    assert!(
        !interests.is_empty() && interests.len() < leads.len(),
        "absent when empty"
    );
    assert!(
        interests.iter().all(Value::is_string),
        "options in one text"
    );
    for (place, tail) in [
        (12, "_currency"),
        (9, "_until"),
        (10, "_timezone_id"),
        (13, "_country"),
    ] {
        let both = |lead: &&Value| lead.get(&keys[place]).is_some();
        let with: Vec<&Value> = leads.iter().filter(both).collect();
        assert!(!with.is_empty());
        assert!(
            with.iter()
                .all(|lead| lead.get(format!("{}{tail}", keys[place])).is_some())
        );
    }
    let narrowed = json(
        &account,
        &format!("/api/v2/deals?limit=1&custom_fields={}", keys[1]),
    );
    assert_eq!(
        narrowed["data"][0]["custom_fields"]
            .as_object()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn two_accounts_of_one_truth_have_different_keys_and_secrets() {
    let one = account(of(100));
    let two = account(Options {
        account_salt: "other".to_owned(),
        ..of(100)
    });
    let keys: HashSet<&String> = one.keys.fields(Kind::Person).iter().collect();
    assert_eq!(keys.len(), 20);
    assert!(
        two.keys
            .fields(Kind::Person)
            .iter()
            .all(|key| !keys.contains(key))
    );
    assert_ne!(one.keys.lead(3), two.keys.lead(3));
    assert_ne!(one.oauth.api_token, two.oauth.api_token);
    assert_eq!(one.live.person(5), two.live.person(5));
}

#[test]
fn wrong_questions_are_refused() {
    let account = account(of(100));
    let refused = [
        "/api/v2/persons?limit=501",
        "/api/v2/persons?limit=0",
        "/api/v2/persons?limit=x",
        "/api/v2/persons?cursor=zzz",
        "/api/v2/persons?sort_by=name",
        "/api/v2/deals?status=closed",
        "/api/v2/persons?updated_since=yesterday",
        "/api/v2/persons?include_fields=secrets",
        "/v1/notes?limit=501",
        "/v1/callLogs?limit=51",
        "/v1/mailbox/mailThreads",
        "/api/v2/phases",
        "/api/v2/deals/products",
        "/api/v2/persons/x",
    ];
    for path in refused {
        assert_eq!(ask(&account, path).status, 400, "{path}");
    }
    let many: Vec<String> = (1..=101).map(|id| id.to_string()).collect();
    assert_eq!(
        ask(&account, &format!("/api/v2/persons?ids={}", many.join(","))).status,
        400
    );
    let cursor = json(&account, "/api/v2/persons?limit=1")["additional_data"]["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        ask(
            &account,
            &format!("/api/v2/persons?sort_by=update_time&cursor={cursor}")
        )
        .status,
        400
    );
    assert_eq!(ask(&account, "/api/v2/nothing").status, 404);
    assert_eq!(ask(&account, "/v1/deals").status, 410);
    let old = super::account(Options {
        retired_v1: RetiredV1::NotFound,
        ..of(100)
    });
    assert_eq!(ask(&old, "/v1/persons/5").status, 404);
}

#[test]
fn updated_since_is_inclusive_and_means_nothing_for_products() {
    let account = account(of(400));
    let (persons, _) = all_v2(&account, "/api/v2/persons");
    let mut times: Vec<&str> = persons
        .iter()
        .map(|person| person["update_time"].as_str().unwrap())
        .collect();
    times.sort_unstable();
    let since = times[times.len() - 50];
    let (recent, _) = all_v2(
        &account,
        &format!("/api/v2/persons?updated_since={since}&limit=9"),
    );
    assert_eq!(
        recent.len(),
        times.iter().filter(|time| **time >= since).count()
    );
    let until = all_v2(&account, &format!("/api/v2/persons?updated_until={since}"))
        .0
        .len();
    assert_eq!(until, times.iter().filter(|time| **time <= since).count());
    let all = all_v2(&account, "/api/v2/products").0.len();
    assert_eq!(
        all_v2(&account, &format!("/api/v2/products?updated_since={since}"))
            .0
            .len(),
        all
    );
}

#[test]
fn envelopes_and_empty_lists_of_the_first_generation_can_be_switched() {
    let nested = account(of(100));
    assert_eq!(
        json(&nested, "/v1/leads?limit=1")["additional_data"]["pagination"]["next_start"],
        1
    );
    assert_eq!(json(&nested, "/v1/files")["data"], Value::Null);
    let options = Options {
        envelope_v1: EnvelopeV1::Flat,
        empty_v1: EmptyV1::Unsuccessful,
        ..of(100)
    };
    let flat = account(options);
    assert_eq!(
        json(&flat, "/v1/leads?limit=1")["additional_data"]["more_items_in_collection"],
        true
    );
    assert_eq!(json(&flat, "/v1/files")["success"], false);
    assert_eq!(json(&flat, "/v1/files")["data"], serde_json::json!([]));
}

#[test]
fn computed_fields_agree_with_the_lists_behind_them() {
    let account = account(of(600));
    let fields =
        "products_count,participants_count,email_messages_count,activities_count,notes_count";
    let (deals, _) = all_v2(&account, &format!("/api/v2/deals?include_fields={fields}"));
    let (activities, _) = all_v2(&account, "/api/v2/activities?limit=500");
    let notes = all_v1(&account, "/v1/notes", 500);
    let mut mails = 0;
    for deal in &deals {
        let id = &deal["id"];
        assert_eq!(
            deal["products_count"],
            all_v2(&account, &format!("/api/v2/deals/{id}/products"))
                .0
                .len()
        );
        assert_eq!(
            deal["participants_count"],
            all_v1(&account, &format!("/v1/deals/{id}/participants"), 100).len()
        );
        assert_eq!(
            deal["activities_count"],
            activities
                .iter()
                .filter(|one| &one["deal_id"] == id)
                .count()
        );
        assert_eq!(
            deal["notes_count"],
            notes.iter().filter(|one| &one["deal_id"] == id).count()
        );
        if deal["email_messages_count"] != 0 {
            let messages = all_v1(&account, &format!("/v1/deals/{id}/mailMessages"), 2);
            assert_eq!(deal["email_messages_count"], messages.len());
            mails += messages.len();
            let number = &messages[0]["data"]["id"];
            let body = json(
                &account,
                &format!("/v1/mailbox/mailMessages/{number}?include_body=1"),
            );
            assert!(body["data"]["body"].as_str().unwrap().starts_with("<html>"));
            let person = &deal["person_id"];
            let of_person = all_v1(&account, &format!("/v1/persons/{person}/mailMessages"), 50);
            assert!(messages.iter().all(|message| of_person.contains(message)));
        }
    }
    assert!(mails > 0);
    let numbers: Vec<String> = deals
        .iter()
        .take(100)
        .map(|deal| deal["id"].to_string())
        .collect();
    let (items, _) = all_v2(
        &account,
        &format!(
            "/api/v2/deals/products?deal_ids={}&limit=5",
            numbers.join(",")
        ),
    );
    let told: u64 = deals
        .iter()
        .take(100)
        .map(|deal| deal["products_count"].as_u64().unwrap())
        .sum();
    assert_eq!(items.len() as u64, told);
}

#[test]
fn limits_are_told_in_headers_and_end_in_the_fronts_page() {
    let (clock, now) = manual(1_000_000);
    let plan = Plan {
        daily_tokens: 10_000,
        burst_key: 5,
        burst_oauth: 9,
    };
    let account = account(Options {
        limits: Limits::Real(plan),
        clock,
        ..of(50)
    });
    let header = |reply: &Reply, name: &str| {
        reply
            .headers
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.clone())
    };
    let first = ask(&account, "/api/v2/persons");
    assert_eq!(header(&first, "x-ratelimit-limit").as_deref(), Some("5"));
    assert_eq!(
        header(&first, "x-ratelimit-remaining").as_deref(),
        Some("4")
    );
    assert_eq!(account.counters().tokens, 10);
    (0..4).for_each(|_| assert_eq!(ask(&account, "/api/v2/persons/1").status, 200));
    let refused = ask(&account, "/api/v2/persons");
    assert_eq!(refused.status, 429);
    assert!(String::from_utf8_lossy(&refused.body).contains("request over limit"));
    assert_eq!(header(&refused, "x-ratelimit-reset").as_deref(), Some("2"));
    now.fetch_add(2000, Ordering::SeqCst);
    assert_eq!(ask(&account, "/api/v2/persons").status, 200);
    let statuses: Vec<u16> = (0..60)
        .map(|_| ask(&account, "/api/v2/persons").status)
        .collect();
    assert_eq!(*statuses.last().unwrap(), 403);
    let page = ask(&account, "/api/v2/persons");
    assert!(
        page.content_type.starts_with("text/html") && page.body.starts_with(b"<!DOCTYPE html>")
    );
    now.fetch_add(121_000, Ordering::SeqCst);
    assert_eq!(ask(&account, "/api/v2/persons").status, 200);
    assert!(account.counters().banned > 0 && account.counters().rate_limited > 0);
}

fn token(account: &Account, form: &str, secret: &str) -> (u16, Value) {
    let basic = format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{}:{secret}", account.oauth.client_id))
    );
    let request = Request {
        method: "POST",
        path: "/oauth/token",
        query: "",
        authorization: Some(&basic),
        api_token: None,
        form: true,
        body: form.as_bytes(),
    };
    let reply = answer(account, &request);
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

fn ask_as_app(account: &Account, path: &str, access: &str) -> Reply {
    let bearer = format!("Bearer {access}");
    let authorization = Some(bearer.as_str());
    answer(
        account,
        &Request {
            method: "GET",
            path,
            query: "",
            authorization,
            api_token: None,
            form: false,
            body: b"",
        },
    )
}

/// Consents as an app that asks for more than the vendor knows, and gives the form that redeems the code.
fn consented(account: &Account) -> String {
    let query = format!(
        "client_id={}&redirect_uri=http%3A%2F%2F127.0.0.1%3A5%2Fcb&state=a%26b&code_challenge=x",
        account.oauth.client_id
    );
    let request = Request {
        method: "GET",
        path: "/oauth/authorize",
        query: &query,
        authorization: None,
        api_token: None,
        form: false,
        body: b"",
    };
    let consent = answer(account, &request);
    assert_eq!(consent.status, 302);
    let location = &consent.headers[0].1;
    assert!(
        location.starts_with("http://127.0.0.1:5/cb?code=") && location.ends_with("&state=a%26b"),
        "{location}"
    );
    let code = location.split(['=', '&']).nth(1).unwrap();
    format!(
        "grant_type=authorization_code&code={code}&redirect_uri=http%3A%2F%2F127.0.0.1%3A5%2Fcb"
    )
}

#[test]
fn an_app_gets_tokens_that_expire_and_scopes_that_bind() {
    let (clock, now) = manual(0);
    let scopes = Some(vec!["base".to_owned(), "deals:read".to_owned()]);
    let account = account(Options {
        clock,
        scopes,
        oauth_expires_in: 60,
        ..of(50)
    });
    let form = consented(&account);
    let secret = account.oauth.client_secret.clone();
    assert_eq!(token(&account, &form, "wrong").0, 401);
    let (status, pair) = token(&account, &form, &secret);
    assert_eq!(
        (status, &pair["expires_in"], &pair["scope"]),
        (200, &60.into(), &"base,deals:read".into())
    );
    assert_eq!(pair["api_domain"], "http://127.0.0.1:9");
    let access = pair["access_token"].as_str().unwrap();
    assert_eq!(ask_as_app(&account, "/api/v2/deals", access).status, 200);
    let scope = ask_as_app(&account, "/api/v2/persons", access);
    assert_eq!(scope.status, 403);
    assert!(String::from_utf8_lossy(&scope.body).contains("Scope and URL mismatch"));
    now.fetch_add(60_000, Ordering::SeqCst);
    let expired = ask_as_app(&account, "/api/v2/deals", access);
    let body: Value = serde_json::from_slice(&expired.body).unwrap();
    assert_eq!(
        (expired.status, &body["error"]),
        (401, &"unauthorized access".into())
    );
    let refresh = format!(
        "grant_type=refresh_token&refresh_token={}",
        pair["refresh_token"].as_str().unwrap().replace(':', "%3A")
    );
    let (status, next) = token(&account, &refresh, &secret);
    assert_eq!(status, 200);
    assert_eq!(
        ask_as_app(
            &account,
            "/api/v2/deals",
            next["access_token"].as_str().unwrap()
        )
        .status,
        200
    );
    assert_eq!(
        token(&account, &refresh, &secret).0,
        400,
        "refresh tokens rotate"
    );
}

#[test]
fn a_wrong_or_missing_token_and_one_in_the_query_are_refused() {
    let account = account(of(10));
    let token = account.oauth.api_token.clone();
    let query = format!("api_token={token}");
    for (query, api_token) in [
        (query.as_str(), None),
        ("", None),
        ("", Some("0123456789012345678901234567890123456789")),
    ] {
        let request = Request {
            method: "GET",
            path: "/api/v2/persons",
            query,
            authorization: None,
            api_token,
            form: false,
            body: b"",
        };
        assert_eq!(answer(&account, &request).status, 401);
    }
    let request = Request {
        method: "POST",
        path: "/api/v2/persons",
        query: "",
        authorization: None,
        api_token: Some(&token),
        form: false,
        body: b"",
    };
    assert_eq!(answer(&account, &request).status, 405);
}

fn faulty(order: &str) -> Account {
    account(Options {
        faults: order.parse::<Faults>().unwrap(),
        ..of(400)
    })
}

#[test]
fn a_refused_request_is_served_when_it_comes_again() {
    let account = faulty("429=0.4,500=0.3,truncate=0.3");
    let (mut refused, mut cut) = (0, 0);
    for page in 0..40 {
        let path = format!("/v1/notes?start={}&limit=5", page * 5);
        let first = ask(&account, &path);
        match first.status {
            429 => assert!(
                first
                    .headers
                    .iter()
                    .any(|(name, _)| *name == "retry-after" || *name == "x-ratelimit-reset")
            ),
            200 => cut += usize::from(serde_json::from_slice::<Value>(&first.body).is_err()),
            status => assert_eq!(status, 500),
        }
        refused += usize::from(first.status != 200);
        assert!(serde_json::from_slice::<Value>(&ask(&account, &path).body).is_ok());
    }
    assert!(refused > 10 && cut > 3, "{refused} refused, {cut} cut");
    let counted: u64 = account.counters().faults.values().sum();
    assert_eq!(counted, (refused + cut) as u64);
}

#[test]
fn a_repeated_page_brings_records_twice_and_loses_none() {
    let account = faulty("repeat-page=0.5,seed=2");
    let (records, pages) = all_v2(&account, "/api/v2/persons?limit=20");
    let seen: HashSet<u64> = ids(&records).into_iter().collect();
    let clean = super::account(of(400));
    let (expected, least) = all_v2(&clean, "/api/v2/persons?limit=20");
    assert_eq!(seen, ids(&expected).into_iter().collect());
    assert!(records.len() > expected.len() && pages > least);
    let notes = all_v1(&account, "/v1/notes", 20);
    let seen: HashSet<u64> = ids(&notes).into_iter().collect();
    assert_eq!(seen, (1..=200).collect());
    assert!(notes.len() > 200);
}

#[test]
fn a_record_edited_while_paging_comes_once_by_id_and_late_by_update() {
    let account = faulty("change-while-paging");
    let (records, _) = all_v2(&account, "/api/v2/persons?limit=20");
    let seen: HashSet<u64> = ids(&records).into_iter().collect();
    assert_eq!(seen.len(), records.len());
    let changes = account.live.changes();
    assert!(changes.len() >= 15);
    let late = format!(
        "{}",
        jiff::Timestamp::from_millisecond(account.live.base().company().now.0).unwrap()
    );
    let (delta, _) = all_v2(&account, &format!("/api/v2/persons?updated_since={late}"));
    assert!(
        !delta.is_empty()
            && delta
                .iter()
                .all(|person| person["name"].as_str().unwrap().ends_with(" (edited)"))
    );
    let other = faulty("change-while-paging");
    let (records, _) = all_v2(&other, "/api/v2/persons?limit=20&sort_by=update_time");
    let seen: HashSet<u64> = ids(&records).into_iter().collect();
    assert!(
        records.len() > seen.len(),
        "some come twice: before and after the edit"
    );
    let now: HashSet<u64> = ids(&all_v2(&super::account(of(400)), "/api/v2/persons").0)
        .into_iter()
        .collect();
    assert_eq!(seen, now);
}

#[test]
fn the_sample_is_told_whole() {
    let folder = std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/crm-sample"
    ));
    if !folder.exists() {
        println!("SKIPPED: the crm sample is not at {}", folder.display());
        return;
    }
    let account = account(Options {
        truth: Source::CrmSample(folder),
        ..Options::default()
    });
    let (deals, _) = all_v2(&account, "/api/v2/deals?limit=500");
    let count = |name: &str, value: &str| deals.iter().filter(|deal| deal[name] == value).count();
    assert_eq!(
        (
            count("status", "won"),
            count("status", "lost"),
            count("status", "open")
        ),
        (4238, 2473, 2089)
    );
    assert_eq!(
        deals.iter().filter(|deal| deal["org_id"].is_null()).count(),
        1425
    );
    let (stages, _) = all_v2(&account, "/api/v2/stages");
    let names: Vec<&str> = stages
        .iter()
        .map(|stage| stage["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Prospecting", "Engaging"]);
    let (persons, _) = all_v2(&account, "/api/v2/persons");
    assert!(persons.is_empty());
    let (items, _) = all_v2(&account, "/api/v2/deals/products?deal_ids=1,2&limit=1");
    assert_eq!(
        (&items[1]["name"], &items[1]["sum"]),
        (&"GTXPro".into(), &4514.into())
    );
    assert_eq!(
        ask(
            &account,
            &format!("/api/v2/products/{}", items[1]["product_id"])
        )
        .status,
        404
    );
    assert!(
        deals
            .iter()
            .all(|deal| deal["won_time"].is_null() == (deal["status"] != "won"))
    );
}
