//! Holds the checks of single values to sections 3, 8 and 12 of the fact sheet.

use super::{World, text};
use crate::hubspot::ObjectType;
use serde_json::{Value, json};

/// What a property of a new contact holds after it was written, or the code of the refusal.
#[track_caller]
fn check(object: &str, name: &str, value: Value, expected: Result<&str, &str>) {
    let world = World::new();
    let mut properties = match object {
        "deals" => json!({"dealname": "d", "dealstage": "appointmentscheduled"}),
        "companies" => json!({"name": "a"}),
        _ => json!({"firstname": "a"}),
    };
    properties[name] = value;
    let body = json!({ "properties": properties });
    let answer = world.send(
        crate::hubspot::Method::Post,
        &format!("/crm/v3/objects/{object}"),
        &body,
    );
    let told = answer.value();
    match expected {
        Ok(kept) => {
            assert_eq!(answer.status, 201, "{told}");
            let target = format!(
                "/crm/v3/objects/{object}/{}?properties={name}",
                text(&told["id"])
            );
            assert_eq!(world.get(&target)["properties"][name], kept);
        }
        Err(code) => {
            assert_eq!(answer.status, 400, "{told}");
            assert_eq!(told["category"], "VALIDATION_ERROR");
            assert_eq!(told["errors"][0]["code"], code);
            assert_eq!(told["errors"][0]["context"]["propertyName"], json!([name]));
        }
    }
}

#[test]
fn instants_are_iso_8601_or_milliseconds_and_kept_with_z() {
    let kept = Ok("2026-01-05T09:30:00.125Z");
    check(
        "deals",
        "closedate",
        json!("2026-01-05T09:30:00.125Z"),
        kept,
    );
    check(
        "deals",
        "closedate",
        json!("2026-01-05T11:30:00.125+02:00"),
        kept,
    );
    check("deals", "closedate", json!("1767605400125"), kept);
    check("deals", "closedate", json!(1_767_605_400_125_i64), kept);
    check(
        "deals",
        "closedate",
        json!("05.01.2026"),
        Err("INVALID_DATE"),
    );
}

#[test]
fn days_are_dates_or_midnights_in_utc() {
    let world = World::new();
    let property = json!({
        "name": "day", "label": "Day", "groupName": "contactinformation",
        "type": "date", "fieldType": "date",
    });
    world.post("/crm/v3/properties/contacts", &property, 201);
    for (given, kept) in [
        (json!("2026-01-05"), Some("2026-01-05")),
        (json!("1767571200000"), Some("2026-01-05")),
        (json!(1_767_571_200_000_i64), Some("2026-01-05")),
        (json!("1767571200001"), None),
        (json!("2026-02-30"), None),
        (json!("soon"), None),
    ] {
        let body = json!({"properties": {"firstname": "a", "day": given}});
        let status = if kept.is_some() { 201 } else { 400 };
        let told = world.post("/crm/v3/objects/contacts", &body, status);
        match kept {
            Some(kept) => {
                let id = text(&told["id"]);
                let read = world.get(&format!("/crm/v3/objects/contacts/{id}?properties=day"));
                assert_eq!(read["properties"]["day"], kept);
            }
            None => assert_eq!(told["errors"][0]["code"], "INVALID_DATE", "{given}"),
        }
    }
}

#[test]
fn numbers_are_kept_as_they_were_written() {
    check("deals", "amount", json!("1200.50"), Ok("1200.50"));
    check("deals", "amount", json!("-0.1"), Ok("-0.1"));
    check("deals", "amount", json!(7), Ok("7"));
    check("deals", "amount", json!("1,200"), Err("INVALID_INTEGER"));
    check("deals", "amount", json!("twelve"), Err("INVALID_INTEGER"));
    check("deals", "amount", json!("NaN"), Err("INVALID_INTEGER"));
    check("deals", "amount", json!("inf"), Err("INVALID_INTEGER"));
}

#[test]
fn options_are_internal_values_in_their_very_case() {
    check(
        "contacts",
        "hs_lead_status",
        json!("OPEN_DEAL"),
        Ok("OPEN_DEAL"),
    );
    check(
        "contacts",
        "hs_lead_status",
        json!("open_deal"),
        Err("INVALID_OPTION"),
    );
    check(
        "contacts",
        "hs_lead_status",
        json!("Open Deal"),
        Err("INVALID_OPTION"),
    );
    check("deals", "dealtype", json!("newbusiness"), Ok("newbusiness"));
    check(
        "deals",
        "dealtype",
        json!("New Business"),
        Err("INVALID_OPTION"),
    );
}

#[test]
fn several_options_are_joined_and_a_leading_semicolon_adds() {
    let roles = json!("CHAMPION;DECISION_MAKER");
    check(
        "contacts",
        "hs_buying_role",
        roles,
        Ok("CHAMPION;DECISION_MAKER"),
    );
    check(
        "contacts",
        "hs_buying_role",
        json!("CHAMPION;BOSS"),
        Err("INVALID_OPTION"),
    );
    let world = World::new();
    let id = world.create(
        "contacts",
        &json!({"firstname": "a", "hs_buying_role": "CHAMPION"}),
    );
    let one = format!("/crm/v3/objects/contacts/{id}?properties=hs_buying_role");
    let write = |value: &str| {
        let body = json!({"properties": {"hs_buying_role": value}});
        world.patch(&format!("/crm/v3/objects/contacts/{id}"), &body, 200);
        world.get(&one)["properties"]["hs_buying_role"].clone()
    };
    assert_eq!(write(";BLOCKER"), "CHAMPION;BLOCKER");
    assert_eq!(write(";CHAMPION"), "CHAMPION;BLOCKER");
    assert_eq!(write("INFLUENCER"), "INFLUENCER");
    assert_eq!(write(""), Value::Null);
}

#[test]
fn booleans_are_true_or_false() {
    check(
        "companies",
        "hs_is_target_account",
        json!("true"),
        Ok("true"),
    );
    check(
        "companies",
        "hs_is_target_account",
        json!(false),
        Ok("false"),
    );
    check(
        "companies",
        "hs_is_target_account",
        json!("yes"),
        Err("INVALID_OPTION"),
    );
    check(
        "companies",
        "hs_is_target_account",
        json!("True"),
        Err("INVALID_OPTION"),
    );
}

#[test]
fn owners_are_those_of_the_portal_by_owner_id() {
    check("contacts", "hubspot_owner_id", json!("41"), Ok("41"));
    check("contacts", "hubspot_owner_id", json!(41), Ok("41"));
    check(
        "contacts",
        "hubspot_owner_id",
        json!("1001"),
        Err("INVALID_OWNER_ID"),
    );
    check(
        "contacts",
        "hubspot_owner_id",
        json!("ada@quayside.example"),
        Err("INVALID_INTEGER"),
    );
    check(
        "contacts",
        "hubspot_owner_id",
        json!("29947847357121"),
        Err("INVALID_INTEGER"),
    );
}

#[test]
fn addresses_are_checked_and_kept_in_lower_case() {
    check(
        "contacts",
        "email",
        json!("Ada.Quay+1@Ex.Test"),
        Ok("ada.quay+1@ex.test"),
    );
    for wrong in [
        "ada",
        "ada@",
        "@ex.test",
        "ada@ex",
        "a da@ex.test",
        "a@b@c.test",
        "a..b@ex.test",
        ".a@ex.test",
        "a@-ex.test",
        "a@ex.1",
    ] {
        check("contacts", "email", json!(wrong), Err("INVALID_EMAIL"));
    }
    check(
        "contacts",
        "hs_additional_emails",
        json!("B@ex.test;c@ex.test"),
        Ok("b@ex.test;c@ex.test"),
    );
    check(
        "contacts",
        "hs_additional_emails",
        json!("b@ex.test;c"),
        Err("INVALID_EMAIL"),
    );
    // Only a contact's own address is checked.
    check("contacts", "work_email", json!("not one"), Ok("not one"));
}

#[test]
fn texts_have_at_most_65536_characters() {
    let most = "ä".repeat(65_536);
    check("contacts", "message", json!(most), Ok(&most));
    check(
        "contacts",
        "message",
        json!(format!("{most}x")),
        Err("VALUE_TOO_LONG"),
    );
}

#[test]
fn what_the_vendor_computes_cannot_be_written() {
    check(
        "contacts",
        "hs_object_id",
        json!("1"),
        Err("READ_ONLY_VALUE"),
    );
    check(
        "contacts",
        "lastmodifieddate",
        json!("2026-01-05"),
        Err("READ_ONLY_VALUE"),
    );
    check(
        "deals",
        "amount_in_home_currency",
        json!("1"),
        Err("READ_ONLY_VALUE"),
    );
    check(
        "contacts",
        "nonsense",
        json!("1"),
        Err("PROPERTY_DOESNT_EXIST"),
    );
}

#[test]
fn stages_pipelines_and_currencies_are_those_of_the_portal() {
    check("deals", "deal_currency_code", json!("EUR"), Ok("EUR"));
    check("deals", "deal_currency_code", json!("USD"), Ok("USD"));
    check(
        "deals",
        "deal_currency_code",
        json!("CHF"),
        Err("INVALID_OPTION"),
    );
    check("deals", "dealstage", json!("won"), Err("INVALID_OPTION"));
    check("deals", "pipeline", json!("other"), Err("INVALID_OPTION"));
}

#[test]
fn the_message_holds_the_errors_as_json() {
    let world = World::new();
    let body = json!({"properties": {"first000name": "a", "hs_lead_status": "x", "email": "ada"}});
    let told = world.post("/crm/v3/objects/contacts", &body, 400);
    let message = text(&told["message"]);
    let json = message
        .strip_prefix("Property values were not valid: ")
        .expect("the vendor's words");
    let errors: Value = serde_json::from_str(json).unwrap();
    let of = |name: &str| {
        let all = errors.as_array().unwrap();
        all.iter()
            .find(|error| error["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        of("first000name"),
        json!({
            "isValid": false, "message": "Property \"first000name\" does not exist",
            "error": "PROPERTY_DOESNT_EXIST", "name": "first000name",
        })
    );
    assert_eq!(
        of("hs_lead_status")["message"],
        "x was not one of the allowed options: [NEW, OPEN, IN_PROGRESS, OPEN_DEAL, UNQUALIFIED, ATTEMPTED_TO_CONTACT, CONNECTED, BAD_TIMING]"
    );
    assert_eq!(of("email")["message"], "Email address ada is invalid");
    assert_eq!(told["errors"].as_array().unwrap().len(), 3);
    assert!(
        json.starts_with(r#"[{"isValid":false,"message":""#),
        "in the vendor's order: {json}"
    );
    assert_eq!(world.count(ObjectType::CONTACT), 0);
}
