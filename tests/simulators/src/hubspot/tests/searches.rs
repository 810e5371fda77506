//! Holds searches to section 4 of the fact sheet.

use super::{START, World, expect, ids, text};
use crate::hubspot::{Limits, Method};
use serde_json::{Value, json};

const CONTACTS: &str = "/crm/v3/objects/contacts/search";

fn filters(filters: Value) -> Value {
    json!({ "filterGroups": [{ "filters": filters }], "limit": 200, "properties": ["firstname"] })
}

/// First names found, sorted.
#[track_caller]
fn names(world: &World, body: &Value) -> Vec<String> {
    let found = world.post(CONTACTS, body, 200);
    let results = found["results"].as_array().unwrap();
    assert_eq!(found["total"], results.len());
    let mut names: Vec<String> = results
        .iter()
        .map(|record| text(&record["properties"]["firstname"]))
        .collect();
    names.sort_unstable();
    names
}

fn people() -> World {
    let world = World::new();
    let property = json!({
        "name": "score", "label": "Score", "groupName": "contactinformation",
        "type": "number", "fieldType": "number",
    });
    world.post("/crm/v3/properties/contacts", &property, 201);
    for (name, email, employees, date) in [
        ("Ada", "ada@quay.test", "10", "2026-01-01"),
        ("Ben", "ben@quay.test", "9", "2026-02-01"),
        ("Cleo", "cleo@pier.test", "100", "2026-03-01"),
        ("Dan", "", "", ""),
    ] {
        let properties = json!({
            "firstname": name, "email": email, "score": employees, "closedate": date,
            "hs_lead_status": if name == "Ada" { "OPEN" } else { "" },
        });
        world.create("contacts", &properties);
        world.pass(1000);
    }
    world
}

#[test]
fn operators_compare_numbers_as_numbers_and_dates_as_dates() {
    let world = people();
    let revenue = |operator: &str, value: Value| {
        let mut filter = json!({ "propertyName": "score", "operator": operator });
        let key = if value.is_array() { "values" } else { "value" };
        filter[key] = value;
        names(&world, &filters(json!([filter])))
    };
    assert_eq!(revenue("EQ", json!("9")), ["Ben"]);
    assert_eq!(revenue("NEQ", json!("9")), ["Ada", "Cleo"]);
    assert_eq!(revenue("LT", json!("10")), ["Ben"]);
    assert_eq!(revenue("LTE", json!(10)), ["Ada", "Ben"]);
    assert_eq!(revenue("GT", json!("10")), ["Cleo"]);
    assert_eq!(revenue("GTE", json!("10")), ["Ada", "Cleo"]);
    assert_eq!(revenue("IN", json!(["9", "100"])), ["Ben", "Cleo"]);
    assert_eq!(revenue("NOT_IN", json!(["9", "100"])), ["Ada"]);
    assert_eq!(revenue("HAS_PROPERTY", Value::Null), ["Ada", "Ben", "Cleo"]);
    assert_eq!(revenue("NOT_HAS_PROPERTY", Value::Null), ["Dan"]);
    let between = json!([{
        "propertyName": "closedate", "operator": "BETWEEN",
        "value": "2026-01-15", "highValue": "1772323200000",
    }]);
    assert_eq!(names(&world, &filters(between)), ["Ben", "Cleo"]);
    let modified = json!([{
        "propertyName": "lastmodifieddate", "operator": "GT", "value": (START + 1000).to_string(),
    }]);
    assert_eq!(names(&world, &filters(modified)), ["Cleo", "Dan"]);
}

#[test]
fn texts_go_by_lower_case_and_choices_by_their_value() {
    let world = people();
    let one = |name: &str, operator: &str, value: Value| {
        let mut filter = json!({ "propertyName": name, "operator": operator });
        let key = if value.is_array() { "values" } else { "value" };
        filter[key] = value;
        names(&world, &filters(json!([filter])))
    };
    let none: [&str; 0] = [];
    assert_eq!(one("firstname", "EQ", json!("ADA")), ["Ada"]);
    assert_eq!(
        one("firstname", "IN", json!(["ada", "Ben"])),
        ["Ada"],
        "IN takes lower case only"
    );
    assert_eq!(one("hs_lead_status", "EQ", json!("OPEN")), ["Ada"]);
    assert_eq!(one("hs_lead_status", "EQ", json!("open")), none);
    assert_eq!(
        one("email", "CONTAINS_TOKEN", json!("*@quay.test")),
        ["Ada", "Ben"]
    );
    assert_eq!(one("email", "CONTAINS_TOKEN", json!("pier")), ["Cleo"]);
    assert_eq!(
        one("email", "NOT_CONTAINS_TOKEN", json!("quay")),
        ["Cleo", "Dan"]
    );
    let query = json!({ "query": "ben qua", "properties": ["firstname"] });
    assert_eq!(names(&world, &query), ["Ben"]);
}

#[test]
fn groups_are_alternatives_and_filters_hold_together() {
    let world = people();
    let equal =
        |name: &str, value: &str| json!({ "propertyName": name, "operator": "EQ", "value": value });
    let body = json!({ "properties": ["firstname"], "filterGroups": [
        { "filters": [equal("firstname", "ada"), equal("score", "10")] },
        { "filters": [equal("firstname", "ben"), equal("score", "10")] },
        { "filters": [equal("firstname", "dan")] },
    ] });
    assert_eq!(names(&world, &body), ["Ada", "Dan"]);
}

#[test]
fn results_are_sorted_by_one_property_and_paged_by_number() {
    let world = people();
    let page = |after: &str, direction: &str| {
        let body = json!({
            "limit": 2, "after": after, "properties": ["firstname"],
            "sorts": [{ "propertyName": "score", "direction": direction }],
        });
        let found = world.post(CONTACTS, &body, 200);
        let names: Vec<String> = found["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| text(&record["properties"]["firstname"]))
            .collect();
        (
            names,
            found["paging"]["next"]["after"].clone(),
            found["total"].clone(),
        )
    };
    assert_eq!(
        page("0", "ASCENDING"),
        (
            vec!["Ben".to_owned(), "Ada".to_owned()],
            json!("2"),
            json!(4)
        )
    );
    assert_eq!(
        page("2", "ASCENDING"),
        (
            vec!["Cleo".to_owned(), "Dan".to_owned()],
            Value::Null,
            json!(4)
        )
    );
    assert_eq!(page("", "DESCENDING").0, ["Cleo", "Ada"]);
    let two = json!({ "sorts": ["firstname", "-email"] });
    world.post(CONTACTS, &two, 400);
}

#[test]
fn requests_beyond_the_limits_are_refused() {
    let world = World::new();
    let filter = json!({ "propertyName": "firstname", "operator": "EQ", "value": "a" });
    let groups = |counts: &[usize]| {
        let groups: Vec<Value> = counts
            .iter()
            .map(|count| json!({ "filters": vec![filter.clone(); *count] }))
            .collect();
        json!({ "filterGroups": groups })
    };
    world.post(CONTACTS, &groups(&[6, 6, 6]), 200);
    world.post(CONTACTS, &groups(&[1, 1, 1, 1, 1]), 200);
    for counts in [&[1; 6][..], &[7], &[6, 6, 6, 1]] {
        world.post(CONTACTS, &groups(counts), 400);
    }
    world.post(CONTACTS, &json!({ "limit": 200 }), 200);
    for body in [
        json!({ "limit": 201 }),
        json!({ "limit": 0 }),
        json!({ "after": "abc" }),
        json!({ "filterGroups": [{ "filters": [{ "propertyName": "nope", "operator": "EQ", "value": "1" }] }] }),
        json!({ "filterGroups": [{ "filters": [{ "propertyName": "firstname", "operator": "LIKE", "value": "1" }] }] }),
        json!({ "query": "x".repeat(3000) }),
    ] {
        world.post(CONTACTS, &body, 400);
    }
}

#[test]
fn the_window_ends_at_ten_thousand_and_is_walked_by_the_time_of_change() {
    let world = World::new();
    for chunk in 0..103 {
        let inputs: Vec<Value> = (0..100)
            .map(|number| json!({ "properties": { "firstname": format!("P{chunk}x{number}") } }))
            .collect();
        world.post(
            "/crm/v3/objects/contacts/batch/create",
            &json!({ "inputs": inputs }),
            201,
        );
        world.pass(1000);
    }
    let page = |after: u64| {
        world.send(
            Method::Post,
            CONTACTS,
            &json!({ "limit": 200, "after": after }),
        )
    };
    let last = expect(&page(9800), 200);
    assert_eq!(last["total"], 10_300);
    assert_eq!(last["paging"]["next"]["after"], "10000");
    expect(&page(10_000), 400);
    expect(&page(9801), 400);
    // The walk: at most a window by time of change, then on from the last time seen.
    let (mut seen, mut since) = (std::collections::BTreeSet::new(), 0);
    loop {
        let body = json!({
            "filterGroups": [{ "filters": [{ "propertyName": "lastmodifieddate", "operator": "GTE", "value": since.to_string() }] }],
            "sorts": [{ "propertyName": "lastmodifieddate", "direction": "ASCENDING" }],
            "limit": 200, "after": 0,
        });
        let found = world.post(CONTACTS, &body, 200);
        let before = seen.len();
        seen.extend(ids(&found["results"]));
        if seen.len() == before {
            break;
        }
        let last = found["results"].as_array().unwrap().last().unwrap();
        since = super::super::clock::instant(last["updatedAt"].as_str().unwrap()).unwrap();
    }
    assert_eq!(seen.len(), 10_300);
}

#[test]
fn a_change_is_unknown_until_the_lag_is_over() {
    let world = World::with(|options| options.search_lag_ms = 5000);
    let find = |name: &str| {
        let filter = json!([{ "propertyName": "firstname", "operator": "EQ", "value": name }]);
        ids(&world.post(CONTACTS, &filters(filter), 200)["results"]).len()
    };
    let id = world.create("contacts", &json!({ "firstname": "Ada" }));
    let path = format!("/crm/v3/objects/contacts/{id}");
    assert_eq!(find("ada"), 0);
    world.pass(4999);
    assert_eq!(find("ada"), 0);
    world.patch(&path, &json!({ "properties": { "firstname": "Eve" } }), 200);
    world.pass(1);
    assert_eq!((find("ada"), find("eve")), (1, 0));
    world.pass(4999);
    assert_eq!((find("ada"), find("eve")), (0, 1));
    expect(&world.ask(Method::Delete, &path), 204);
    assert_eq!(find("eve"), 1, "a deletion lags, too");
    world.pass(5000);
    assert_eq!(find("eve"), 0, "archived records are never found");
}

#[test]
fn records_are_found_by_whom_they_are_associated_with() {
    let world = people();
    let company = world.create("companies", &json!({ "name": "C" }));
    let all = world.get("/crm/v3/objects/contacts");
    let ben = text(&all["results"][1]["id"]);
    let path = format!("/crm/v4/objects/contacts/{ben}/associations/default/companies/{company}");
    expect(&world.ask(Method::Put, &path), 200);
    let by = |name: &str, operator: &str, key: &str, value: Value| {
        let mut filter = json!({ "propertyName": name, "operator": operator });
        filter[key] = value;
        filters(json!([filter]))
    };
    let body = by("associations.company", "EQ", "value", json!(company));
    assert_eq!(names(&world, &body), ["Ben"]);
    let body = by(
        "associations.company",
        "IN",
        "values",
        json!([company, "77"]),
    );
    assert_eq!(names(&world, &body), ["Ben"]);
    let body = by("associations.contact", "EQ", "value", json!(ben));
    let found = world.post("/crm/v3/objects/companies/search", &body, 200);
    assert_eq!(ids(&found["results"]), [company]);
}

#[test]
fn five_searches_a_second_for_the_account_and_no_headers() {
    let world = World::with(|options| options.limits = Limits::Real);
    for _ in 0..5 {
        let answer = world.send(Method::Post, CONTACTS, &json!({}));
        expect(&answer, 200);
        assert!(
            !answer
                .headers
                .iter()
                .any(|(name, _)| name.contains("RateLimit"))
        );
    }
    let refused = expect(&world.send(Method::Post, CONTACTS, &json!({})), 429);
    assert_eq!(refused["policyName"], "SECONDLY");
    assert_eq!(refused["message"], "You have reached your secondly limit.");
    expect(&world.ask(Method::Get, "/crm/v3/objects/contacts"), 200);
    world.pass(1000);
    expect(&world.send(Method::Post, CONTACTS, &json!({})), 200);
    assert_eq!(world.portal.counters().search_peak, 5);
}
