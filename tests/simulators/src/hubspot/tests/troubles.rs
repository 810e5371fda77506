//! Holds limits, refusals and faults to section 12 of the fact sheet.

use super::{World, expect};
use crate::hubspot::{Call, Cut, Limits, Method, Mishap, ObjectType, Planned, Policy, Tier};
use serde_json::json;

const CONTACTS: &str = "/crm/v3/objects/contacts";

#[test]
fn a_token_is_needed_and_must_be_the_right_one() {
    let world = World::new();
    for call in [
        Call::new(Method::Get, CONTACTS),
        Call::new(Method::Get, CONTACTS).bearer("pat-na1-wrong"),
        Call::new(Method::Get, CONTACTS).with("authorization", "Basic eA=="),
    ] {
        let refused = expect(&world.portal.handle(&call), 401);
        assert_eq!(refused["category"], "INVALID_AUTHENTICATION");
    }
}

#[test]
fn the_window_rolls_and_the_headers_tell_it() {
    let world = World::with(|options| options.limits = Limits::Real);
    for number in 1..=190 {
        let answer = world.ask(Method::Get, CONTACTS);
        expect(&answer, 200);
        assert_eq!(answer.header("X-HubSpot-RateLimit-Max"), Some("190"));
        assert_eq!(
            answer.header("x-hubspot-ratelimit-remaining"),
            Some(format!("{}", 190 - number).as_str())
        );
        assert_eq!(
            answer.header("X-HubSpot-RateLimit-Interval-Milliseconds"),
            Some("10000")
        );
        assert_eq!(answer.header("X-HubSpot-RateLimit-Daily"), Some("1000000"));
        world.pass(10);
    }
    let answer = world.ask(Method::Get, CONTACTS);
    let refused = expect(&answer, 429);
    assert_eq!(
        refused["message"],
        "You have reached your ten_secondly_rolling limit."
    );
    assert_eq!(refused["errorType"], "RATE_LIMIT");
    assert_eq!(refused["category"], "RATE_LIMITS");
    assert_eq!(refused["policyName"], "TEN_SECONDLY_ROLLING");
    assert!(answer.header("retry-after").is_none());
    world.pass(10_000 - 1900);
    expect(&world.ask(Method::Get, CONTACTS), 200);
    let counters = world.portal.counters();
    assert_eq!(counters.peak, 190);
    assert_eq!(counters.rate_limited[&Policy::TenSecondlyRolling], 1);
    assert_eq!(counters.requests["GET /crm/v3/objects/contacts"], 192);
}

#[test]
fn the_day_of_the_account_is_limited() {
    let world = World::with(|options| {
        let plan = Tier::Starter.plan();
        options.limits = Limits::Custom(crate::hubspot::Plan { daily: 2, ..plan });
    });
    let first = world.ask(Method::Get, CONTACTS);
    assert_eq!(
        first.header("X-HubSpot-RateLimit-Daily-Remaining"),
        Some("1")
    );
    expect(&world.ask(Method::Get, CONTACTS), 200);
    let refused = expect(&world.ask(Method::Get, CONTACTS), 429);
    assert_eq!(refused["policyName"], "DAILY");
    // 06:00 in the account's zone, where midnight is 18 hours off.
    world.pass(18 * 3_600_000 - 1);
    expect(&world.ask(Method::Get, CONTACTS), 429);
    world.pass(1);
    expect(&world.ask(Method::Get, CONTACTS), 200);
}

#[test]
fn planned_mishaps_come_before_or_after_the_write() {
    let world = World::new();
    let plan = |skip, times, mishap| {
        world.portal.plan(Planned {
            method: Some(Method::Post),
            path: "/contacts".to_owned(),
            skip,
            times,
            mishap,
        });
    };
    let make = || {
        let body = json!({ "properties": { "firstname": "A" } });
        world.send(Method::Post, CONTACTS, &body)
    };
    plan(1, 1, Mishap::before(502));
    expect(&make(), 201);
    expect(&world.ask(Method::Get, CONTACTS), 200);
    expect(&make(), 502);
    assert_eq!(world.count(ObjectType::CONTACT), 1);
    expect(&make(), 201);
    plan(0, 1, Mishap::after(504));
    expect(&make(), 504);
    assert_eq!(
        world.count(ObjectType::CONTACT),
        3,
        "it was written nevertheless"
    );
    plan(0, 1, Mishap::Reset { after: true });
    assert_eq!(make().cut, Some(Cut::Before));
    assert_eq!(world.count(ObjectType::CONTACT), 4);
    plan(0, 1, Mishap::Reset { after: false });
    assert_eq!(make().cut, Some(Cut::Before));
    assert_eq!(world.count(ObjectType::CONTACT), 4);
    plan(0, 1, Mishap::Truncate);
    assert!(make().value().is_null());
    assert_eq!(world.count(ObjectType::CONTACT), 5);
    plan(
        0,
        1,
        Mishap::Status {
            status: 477,
            after: false,
            retry_after: Some(30),
        },
    );
    let moved = make();
    assert_eq!(
        (moved.status, moved.header("retry-after")),
        (477, Some("30"))
    );
    plan(0, 1, Mishap::RateLimited(Policy::Daily));
    assert_eq!(expect(&make(), 429)["policyName"], "DAILY");
    expect(&make(), 201);
}

#[test]
fn ordered_faults_befall_a_request_once() {
    let world = World::with(|options| {
        options.faults = "423=0.2,502-after=0.2,500=0.2,reset-after=0.2,truncate=0.2,seed=5"
            .parse()
            .unwrap();
    });
    let mut statuses = std::collections::BTreeSet::new();
    for number in 0..200 {
        let body = json!({ "properties": { "firstname": format!("P{number}") } });
        statuses.insert(world.send(Method::Post, CONTACTS, &body).status);
        expect(&world.send(Method::Post, CONTACTS, &body), 201);
    }
    assert_eq!(
        statuses.into_iter().collect::<Vec<_>>(),
        [201, 423, 500, 502]
    );
    let given = world.portal.counters().faults;
    for name in ["423", "502-after", "500", "reset-after", "truncate"] {
        assert!(given[name] > 15, "{given:?}");
    }
    let done = given["502-after"] + given["reset-after"] + given["truncate"];
    assert_eq!(world.count(ObjectType::CONTACT) as u64, 200 + done);
}

#[test]
fn an_address_too_long_is_refused() {
    let world = World::new();
    let target = format!("{CONTACTS}?properties={}", "x".repeat(20_000));
    expect(&world.ask(Method::Get, &target), 414);
}

#[test]
fn bodies_of_another_shape_are_refused() {
    let world = World::new();
    let contact = world.create("contacts", &json!({ "firstname": "A" }));
    let single = format!("{CONTACTS}/{contact}");
    let labels = format!("/crm/v4/objects/contacts/{contact}/associations/companies/1");
    for (method, target) in [
        (Method::Post, CONTACTS),
        (Method::Patch, single.as_str()),
        (Method::Put, labels.as_str()),
        (Method::Post, "/crm/v3/objects/contacts/batch/create"),
        (Method::Post, "/crm/v3/objects/contacts/batch/read"),
        (Method::Post, "/crm/v3/objects/contacts/search"),
        (Method::Post, "/crm/v3/objects/contacts/merge"),
        (Method::Post, "/crm/v3/objects/contacts/gdpr-delete"),
        (
            Method::Post,
            "/crm/v4/associations/contacts/companies/batch/create",
        ),
        (
            Method::Post,
            "/crm/v4/associations/contacts/companies/labels",
        ),
        (Method::Post, "/crm/v3/properties/contacts"),
        (Method::Post, "/crm/v3/pipelines/deals"),
    ] {
        for body in [
            "",
            "{",
            "7",
            "\"x\"",
            "null",
            "[[]]",
            "{\"inputs\":[7]}",
            "{\"properties\":[]}",
        ] {
            let call = crate::hubspot::Call::new(method, target)
                .bearer(world.portal.token())
                .bytes(body);
            let status = world.portal.handle(&call).status;
            // A search needs nothing, and unknown fields are passed over.
            let empty_search = target.ends_with("search") && body.starts_with("{\"");
            let empty_change = target == single && body == "{\"inputs\":[7]}";
            let empty_create = target == CONTACTS && body == "{\"inputs\":[7]}";
            let expected = match () {
                () if empty_search || empty_change => 200,
                () if empty_create => 201,
                () => 400,
            };
            assert_eq!(status, expected, "{} {target} {body}", method.name());
        }
    }
}
