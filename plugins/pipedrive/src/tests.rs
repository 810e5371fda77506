//! Tests of the whole connector over canned answers, written from the fact sheet's shapes and quirks. Every row is held against the catalog.

mod engagements;
mod failures;
mod objects;

use longshore_sdk::testing::Tape;
use longshore_sdk::{
    Connector, Context, Cursor, Engagements, FieldKind, ObjectInfo, Page, PageRequest, Result,
};
use serde_json::{Value, json};

use crate::Pipedrive;

/// A custom field's key: 40 hexadecimal digits.
fn key(digit: char) -> String {
    digit.to_string().repeat(40)
}

fn field(code: &str, name: &str, kind: &str, options: Value) -> Value {
    json!({"field_name": name, "field_code": code, "field_type": kind, "is_custom_field": code.len() == 40,
           "is_optional_response_field": false, "options": options, "subfields": null, "ui_visibility": {}})
}

/// Custom fields of every type, as the metadata of one object.
fn every_type() -> String {
    let options = json!([{"id": 31, "label": "Slate", "color": null}, {"id": 32, "label": "Tile"}]);
    let fields = vec![
        field(
            "label_ids",
            "Labels",
            "set",
            json!([{"id": 5, "label": "Hot"}]),
        ),
        field("email", "E-mail", "varchar", Value::Null),
        field("rating", "Rating", "int", Value::Null),
        field(&key('0'), "Words", "varchar", Value::Null),
        field(&key('1'), "Roof type", "enum", options.clone()),
        field(&key('2'), "Materials", "set", options),
        field(&key('3'), "Price", "monetary", Value::Null),
        field(&key('4'), "Number", "double", Value::Null),
        field(&key('5'), "Count", "int", Value::Null),
        field(&key('6'), "Day", "date", Value::Null),
        field(&key('7'), "Days", "daterange", Value::Null),
        field(&key('8'), "Clock", "time", Value::Null),
        field(&key('9'), "Clocks", "timerange", Value::Null),
        field(&key('a'), "Site", "address", Value::Null),
        field(&key('b'), "Partner", "org", Value::Null),
        field(&key('c'), "Referrer", "people", Value::Null),
        field(&key('d'), "Manager", "user", Value::Null),
        field(&key('e'), "Line", "phone", Value::Null),
        field(&key('f'), "Unheard of", "hologram", Value::Null),
    ];
    json!({"success": true, "data": fields, "additional_data": {"next_cursor": null}}).to_string()
}

const NOTHING: &str = r#"{"success":true,"data":null,"additional_data":null}"#;

/// A tape with everything that describing the objects asks for.
fn tape() -> Tape {
    let mut tape = Tape::new();
    for list in [
        "dealFields",
        "personFields",
        "organizationFields",
        "productFields",
        "projectFields",
    ] {
        tape = tape.always(&format!("/v2/{list}?limit=500"), every_type());
    }
    let priorities = field(
        "priority",
        "Priority",
        "enum",
        json!([{"id": 1, "label": "High"}, {"id": 2, "label": "Odd"}]),
    );
    let activity =
        json!({"success": true, "data": [priorities], "additional_data": {"next_cursor": null}})
            .to_string();
    tape.always("/v2/activityFields?limit=500", activity)
        .always("/v2/projectFields?limit=1", NOTHING)
        .always(
            "/v2/boards",
            r#"{"success":true,"data":[{"id":1,"name":"Building"}],"additional_data":null}"#,
        )
        .always(
            "/v2/phases?board_id=1",
            r#"{"success":true,"data":[{"id":2,"name":"Roof","board_id":1}]}"#,
        )
        .always(
            "/v1/leadLabels",
            r#"{"success":true,"data":[{"id":"u-1","name":"Warm","color":"red"}]}"#,
        )
        .always("/v1/users/me", include_str!("tests/me.json"))
        .always(
            "/v2/pipelines?limit=500",
            include_str!("tests/pipelines.json"),
        )
        .always("/v2/stages?limit=500", include_str!("tests/stages.json"))
        .always(
            "/v1/activityTypes",
            include_str!("tests/activity_types.json"),
        )
}

fn info(ctx: &Context, name: &str) -> ObjectInfo {
    let mut all = Pipedrive::list_objects(ctx).unwrap();
    all.extend(Pipedrive::list_engagements(ctx).unwrap());
    all.into_iter().find(|object| object.name == name).unwrap()
}

fn fetch(ctx: &Context, request: &PageRequest, page: &mut Page) -> Result<Option<Cursor>> {
    let is_engagement =
        ["note", "call", "task", "meeting", "email"].contains(&request.object.as_str());
    if is_engagement {
        Pipedrive::fetch_engagements(ctx, request, page)
    } else {
        Pipedrive::fetch_records(ctx, request, page)
    }
}

/// The rows of a page, each held against the catalog.
fn rows(info: &ObjectInfo, page: &Page) -> Vec<Value> {
    let text = std::str::from_utf8(page.bytes()).unwrap();
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for row in &rows {
        check_row(info, row);
    }
    assert_eq!(rows.len(), page.len());
    rows
}

/// Reads an object to its end, each page with a new instance, as the host may.
#[track_caller]
fn read_all(tape: &Tape, request: PageRequest) -> Vec<Value> {
    let info = info(&tape.context(), &request.object);
    let mut all = Vec::new();
    let mut request = request;
    for _ in 0..100 {
        let mut page = Page::new(request.limit);
        let next = fetch(&tape.context(), &request, &mut page).unwrap();
        all.extend(rows(&info, &page));
        match next {
            Some(cursor) => request = request.at(cursor),
            None => return all,
        }
    }
    panic!("the list does not end");
}

/// A row holds nothing undeclared, nothing twice, and values of the declared kinds only.
#[track_caller]
fn check_row(info: &ObjectInfo, row: &Value) {
    assert!(row["id"].as_str().is_some_and(|id| !id.is_empty()), "{row}");
    for (name, value) in row["fields"].as_object().into_iter().flatten() {
        let field = info.fields.iter().find(|field| field.name == *name);
        let field = field.unwrap_or_else(|| panic!("{} has no field {name}", info.name));
        let fits = value.is_null()
            || match field.kind {
                FieldKind::Integer => value.is_i64(),
                FieldKind::Boolean => value.is_boolean(),
                FieldKind::Options => value.is_array(),
                FieldKind::Decimal | FieldKind::Money => value
                    .as_str()
                    .is_some_and(|digits| longshore_sdk::Decimal::parse(digits).is_ok()),
                FieldKind::Date => value
                    .as_str()
                    .is_some_and(|date| longshore_sdk::Date::parse(date).is_ok()),
                FieldKind::Instant => value.as_str().is_some_and(|at| {
                    longshore_sdk::Instant::parse(at).is_ok() && at.ends_with('Z')
                }),
                FieldKind::Time => value
                    .as_str()
                    .is_some_and(|time| longshore_sdk::Time::parse(time).is_ok()),
                _ => value.is_string(),
            };
        assert!(fits, "{} is {value}, but {:?}", field.name, field.kind);
    }
    for link in row["associations"].as_array().into_iter().flatten() {
        let name = link[0].as_str().unwrap();
        assert!(
            info.associations.iter().any(|known| known.name == name),
            "{} has no association {name}",
            info.name
        );
        assert!(link[1].as_str().is_some_and(|id| !id.is_empty()), "{link}");
    }
}

/// The associations of a row, as pairs.
fn links(row: &Value) -> Vec<(&str, &str)> {
    let links = row["associations"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    links
        .iter()
        .map(|link| (link[0].as_str().unwrap(), link[1].as_str().unwrap()))
        .collect()
}

fn page_of(rows: &[Value], next: Option<&str>) -> String {
    json!({"success": true, "data": rows, "additional_data": {"next_cursor": next}}).to_string()
}
