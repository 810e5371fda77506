//! Holds owners, currencies, custom objects, rules on values and account facts to the fact sheet.

use super::{World, expect, text};
use crate::hubspot::{Method, ObjectType, Owner, OwnerKind, Rule, Tier};
use serde_json::{Value, json};

fn names(list: &Value) -> Vec<String> {
    let results = list["results"].as_array().unwrap().iter();
    results.map(|owner| text(&owner["firstName"])).collect()
}

#[test]
fn owners_come_in_pages_and_by_address() {
    let world = World::with(|options| {
        options.owners = (1..=250)
            .map(|id| Owner {
                id,
                user: 5000 + id,
                email: Some(format!("u{id}@ex.test")),
                first_name: id.to_string(),
                kind: OwnerKind::Person,
                archived: id > 240,
                ..Owner::default()
            })
            .collect();
    });
    let (mut seen, mut target) = (Vec::new(), "/crm/v3/owners/".to_owned());
    let mut pages = 0;
    loop {
        let page = world.get(&target);
        seen.extend(names(&page));
        pages += 1;
        match page["paging"]["next"]["after"].as_str() {
            Some(after) => target = format!("/crm/v3/owners?after={after}"),
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (240, 3), "100 a page unless asked");
    seen.dedup();
    assert_eq!(seen.len(), 240);
    assert_eq!(names(&world.get("/crm/v3/owners?limit=500")).len(), 240);
    expect(&world.ask(Method::Get, "/crm/v3/owners?limit=501"), 400);
    assert_eq!(names(&world.get("/crm/v3/owners?archived=true")).len(), 10);
    assert_eq!(names(&world.get("/crm/v3/owners?email=U7@ex.test")), ["7"]);
    assert!(names(&world.get("/crm/v3/owners?email=u245@ex.test")).is_empty());
    let one = world.get("/crm/v3/owners/7");
    assert_eq!(one["id"], "7");
    assert_eq!(one["userId"], 5007);
    assert_eq!(one["type"], "PERSON");
    assert_eq!(world.get("/crm/v3/owners/5007?idProperty=userId"), one);
    expect(&world.ask(Method::Get, "/crm/v3/owners/5007"), 404);
    expect(&world.ask(Method::Get, "/crm/v3/owners/245"), 404);
    let gone = world.get("/crm/v3/owners/245?archived=true");
    assert_eq!(gone["archived"], true);
    assert!(gone.get("userId").is_none());
    assert_eq!(gone["userIdIncludingInactive"], 5245);
    expect(&world.ask(Method::Post, "/crm/v3/owners"), 405);
}

#[test]
fn a_currency_must_be_configured_before_records_have_it() {
    let world = World::new();
    let deal = json!({"properties": {"dealname": "d", "dealstage": "closedwon", "deal_currency_code": "CHF"}});
    world.post("/crm/v3/objects/deals", &deal, 400);
    let rate = json!({"fromCurrencyCode": "CHF", "conversionRate": 1.2, "effectiveAt": "2026-01-01T00:00:00Z"});
    let made = world.post("/settings/v3/currencies/exchange-rates", &rate, 201);
    assert_eq!(made["toCurrencyCode"], "USD");
    world.post("/crm/v3/objects/deals", &deal, 201);
    let id = text(&made["id"]);
    let one = format!("/settings/v3/currencies/exchange-rates/{id}");
    assert_eq!(world.get(&one), made);
    let changed = world.patch(&one, &json!({"conversionRate": 1.3}), 200);
    assert_eq!(changed["conversionRate"], 1.3);
    assert_eq!(changed["effectiveAt"], made["effectiveAt"]);
    let later = json!({"inputs": [
        {"fromCurrencyCode": "CHF", "conversionRate": 2.0, "effectiveAt": "2027-01-01T00:00:00Z"},
        {"fromCurrencyCode": "XXX", "conversionRate": 2.0},
    ]});
    let batch = world.post(
        "/settings/v3/currencies/exchange-rates/batch/create",
        &later,
        207,
    );
    assert_eq!(batch["results"].as_array().unwrap().len(), 1);
    let now = world.get("/settings/v3/currencies/exchange-rates/current");
    let francs = now["results"].as_array().unwrap().iter();
    let francs = francs
        .clone()
        .find(|rate| rate["fromCurrencyCode"] == "CHF")
        .unwrap();
    assert_eq!(
        francs["conversionRate"], 1.3,
        "a later rate does not count yet"
    );
    assert_eq!(
        world.get("/settings/v3/currencies/company-currency")["currencyCode"],
        "USD"
    );
    let wrong = json!({"fromCurrencyCode": "CHF", "conversionRate": 0});
    world.post("/settings/v3/currencies/exchange-rates", &wrong, 400);
    let added = json!({"currencyCode": "JPY"});
    world.post(
        "/settings/v3/currencies/central-fx-rates/add-currency",
        &added,
        201,
    );
    assert_eq!(
        world.get("/account-info/v3/details")["additionalCurrencies"],
        json!(["EUR", "CHF", "JPY"])
    );
}

#[test]
fn the_account_tells_who_it_is() {
    let world = World::with(|options| options.portal = 12_345_678);
    assert_eq!(
        world.get("/account-info/v3/details"),
        json!({
            "portalId": 12_345_678, "accountType": "STANDARD", "timeZone": "US/Eastern",
            "companyCurrency": "USD", "additionalCurrencies": ["EUR"], "utcOffset": "-04:00",
            "utcOffsetMilliseconds": -14_400_000, "uiDomain": "app.hubspot.com", "dataHostingLocation": "na1",
        })
    );
    let usage = world.get("/account-info/v3/api-usage/daily/private-apps");
    assert_eq!(usage["results"][0]["resetsAt"], "2026-03-02T04:00:00.000Z");
}

#[test]
fn limits_show_what_is_used() {
    let world = World::new();
    world.create("contacts", &json!({"firstname": "a"}));
    let records = world.get("/crm/v3/limits/records");
    assert_eq!(
        records["hubspotDefinedObjectTypes"][0]["objectTypeId"],
        "0-1"
    );
    assert_eq!(records["hubspotDefinedObjectTypes"][0]["usage"], 1);
    let pipelines = world.get("/crm/v3/limits/pipelines");
    let kinds = pipelines["hubspotDefinedObjectTypes"].as_array().unwrap();
    let deals = kinds
        .iter()
        .find(|kind| kind["objectTypeId"] == "0-3")
        .unwrap();
    assert_eq!(deals["usage"], 1);
}

fn vessel() -> Value {
    json!({
        "name": "vessel", "labels": {"singular": "Vessel", "plural": "Vessels"},
        "primaryDisplayProperty": "name", "requiredProperties": ["name"],
        "searchableProperties": ["name"], "secondaryDisplayProperties": ["imo"],
        "properties": [
            {"name": "name", "label": "Name", "type": "string", "fieldType": "text"},
            {"name": "imo", "label": "IMO", "type": "string", "fieldType": "text", "hasUniqueValue": true},
        ],
        "associatedObjects": ["CONTACT", "COMPANY"],
    })
}

#[test]
fn custom_objects_are_for_enterprise_accounts() {
    let world = World::with(|options| options.tier = Tier::Professional);
    let told = world.post("/crm-object-schemas/v3/schemas", &vessel(), 403);
    assert_eq!(told["category"], "MISSING_SCOPES");
    assert!(
        world.get("/crm/v3/schemas")["results"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_custom_object_is_defined_filled_and_associated() {
    let world = World::new();
    let made = world.post("/crm-object-schemas/v3/schemas", &vessel(), 201);
    let id = text(&made["objectTypeId"]);
    assert!(id.starts_with("2-"), "{id}");
    assert_eq!(made["fullyQualifiedName"], "p51234567_vessel");
    world.post("/crm/v3/schemas", &vessel(), 409);
    for word in [id.as_str(), "p51234567_vessel", "vessel"] {
        let listed = world.get(&format!("/crm/v3/objects/{word}"));
        assert!(listed["results"].as_array().unwrap().is_empty());
    }
    let without = json!({"properties": {"imo": "1"}});
    world.post(&format!("/crm/v3/objects/{id}"), &without, 400);
    let ship = world.create(&id, &json!({"name": "Ada", "imo": "1"}));
    let twin = json!({"properties": {"name": "Twin", "imo": "1"}});
    let told = world.post(&format!("/crm/v3/objects/{id}"), &twin, 400);
    assert_eq!(told["errors"][0]["code"], "CONFLICTING_UNIQUE_VALUE");
    let person = world.create("contacts", &json!({"firstname": "a"}));
    let link = format!("/crm/v4/objects/{id}/{ship}/associations/default/contacts/{person}");
    expect(&world.send(Method::Put, &link, &json!({})), 200);
    // It was not said to go with deals.
    let deal = world.create("deals", &json!({"dealname": "d", "dealstage": "closedwon"}));
    let link = format!("/crm/v4/objects/{id}/{ship}/associations/default/deals/{deal}");
    expect(&world.send(Method::Put, &link, &json!({})), 400);
    let open = json!({"fromObjectTypeId": id, "toObjectTypeId": "0-3", "name": "vessel_to_deal"});
    let opened = world.post(
        &format!("/crm-object-schemas/v3/schemas/{id}/associations"),
        &open,
        201,
    );
    assert_eq!(opened["toObjectTypeId"], "0-3");
    expect(&world.send(Method::Put, &link, &json!({})), 200);
    let schema = format!("/crm/v3/schemas/{id}");
    expect(&world.ask(Method::Delete, &schema), 400);
    expect(
        &world.ask(Method::Delete, &format!("/crm/v3/objects/{id}/{ship}")),
        204,
    );
    expect(&world.ask(Method::Delete, &schema), 204);
    expect(
        &world.ask(Method::Get, &format!("/crm/v3/objects/{id}")),
        404,
    );
    let archived = world.get("/crm/v3/schemas?archived=true");
    assert_eq!(archived["results"][0]["objectTypeId"], id);
}

#[test]
fn a_schema_names_only_properties_that_it_defines() {
    let world = World::new();
    for (field, value) in [
        ("name", json!("1vessel")),
        ("labels", json!({"singular": "Vessel"})),
        ("requiredProperties", json!(["flag"])),
        ("primaryDisplayProperty", json!("title")),
        (
            "properties",
            json!([{"name": "name", "label": "Name", "type": "string", "fieldType": "date"}]),
        ),
        ("associatedObjects", json!(["SHIP"])),
    ] {
        let mut schema = vessel();
        schema[field] = value;
        let answer = world.send(Method::Post, "/crm/v3/schemas", &schema);
        assert!(
            matches!(answer.status, 400 | 404),
            "{field}: {}",
            answer.value()
        );
    }
    assert!(
        world.get("/crm/v3/schemas")["results"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    world.post("/crm/v3/schemas", &vessel(), 201);
    let own = world.get("/crm/v3/schemas/contacts");
    assert_eq!(own["objectTypeId"], "0-1");
    assert_eq!(own["primaryDisplayProperty"], "firstname");
}

#[test]
fn rules_on_values_are_told_and_held_to() {
    let world = World::new();
    let contact = ObjectType::CONTACT;
    let pattern = regex::Regex::new("[A-Z]{2}-[0-9]+").unwrap();
    for (name, rules) in [
        ("jobtitle", vec![Rule::MaxLength(5), Rule::Alphanumeric]),
        ("school", vec![Rule::Regex(pattern)]),
        ("website", vec![Rule::Domain]),
        ("work_email", vec![Rule::Email]),
        ("degree", vec![Rule::MinLength(3)]),
    ] {
        world.portal.rule(contact, name, rules);
    }
    assert_eq!(
        world.get("/crm/v3/property-validations/0-1/jobtitle")["results"],
        json!([
            {"propertyName": "jobtitle", "ruleType": "MAX_LENGTH", "ruleArguments": ["5"]},
            {"propertyName": "jobtitle", "ruleType": "ALPHANUMERIC", "ruleArguments": []},
        ])
    );
    let all = world.get("/crm/v3/property-validations/0-1");
    assert_eq!(all["results"].as_array().unwrap().len(), 6);
    for (name, value, good) in [
        ("jobtitle", "Chief", true),
        ("jobtitle", "Chiefs", false),
        ("jobtitle", "a b", false),
        ("school", "CH-12", true),
        ("school", "xCH-12", false),
        ("website", "ex.test", true),
        ("website", "https://ex.test", false),
        ("work_email", "a@ex.test", true),
        ("work_email", "a@ex", false),
        ("degree", "MSc", true),
        ("degree", "M", false),
        ("degree", "", true),
    ] {
        let body = json!({"properties": {"firstname": "a", name: value}});
        let answer = world.send(Method::Post, "/crm/v3/objects/contacts", &body);
        let status = if good { 201 } else { 400 };
        assert_eq!(
            answer.status,
            status,
            "{name} {value:?}: {}",
            answer.value()
        );
    }
    world.portal.rule(contact, "degree", Vec::new());
    world.create("contacts", &json!({"firstname": "a", "degree": "M"}));
}

#[test]
fn dated_paths_lead_to_the_same_settings() {
    let world = World::new();
    for (numbered, dated) in [
        (
            "/crm/v3/properties/contacts",
            "/crm/properties/2026-03/contacts",
        ),
        ("/crm/v3/pipelines/deals", "/crm/pipelines/2026-03/deals"),
        ("/crm/v3/owners", "/crm/owners/2026-03"),
        ("/crm/v3/owners/41", "/crm/owners/2026-09/41"),
        (
            "/crm-object-schemas/v3/schemas",
            "/crm-object-schemas/2026-03/schemas",
        ),
        ("/account-info/v3/details", "/account-info/2026-03/details"),
    ] {
        assert_eq!(world.get(numbered), world.get(dated), "{dated}");
    }
    expect(
        &world.ask(Method::Get, "/crm/properties/2025-03/contacts"),
        404,
    );
}
