//! Holds every endpoint's answer against the vendor's OpenAPI documents, where their folder is at hand.
//!
//! The vendor's schemas demand almost nothing, so that each property they name must also occur in our answers.

use super::{account, ask, json, of};
use crate::pipedrive::{ContactSync, EnvelopeV1, Options};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Null in the vendor's answers (fact sheet, recorded responses), though its document does not say so.
const NULL_ANYWAY: &[&str] = &[
    "person_id",
    "org_id",
    "deal_id",
    "lead_id",
    "project_id",
    "task_id",
    "stage_change_time",
    "won_time",
    "lost_time",
    "origin",
    "expected_close_date",
    "next_cursor",
    "first_name",
    "last_name",
    "picture_id",
    "address",
    "admin_area_level_1",
    "admin_area_level_2",
    "sublocality",
    "subpremise",
    "postal_address",
    "notes",
    "birthday",
    "job_title",
    "due_time",
    "duration",
    "marked_as_done_time",
    "location",
    "conference_meeting_client",
    "conference_meeting_url",
    "conference_meeting_id",
    "priority",
    "note",
    "code",
    "unit",
    "start_date",
    "end_date",
    "description",
    "deal",
    "person",
    "organization",
    "project",
    "task",
    "user",
    "icon_url",
    "last_update_user_id",
    "user_id",
    "content",
    "label",
];

fn documents() -> Option<&'static [Value; 2]> {
    static READ: OnceLock<Option<[Value; 2]>> = OnceLock::new();
    let read = READ.get_or_init(|| {
        let folder = PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/specs/pipedrive"
        ));
        if !folder.exists() {
            println!(
                "SKIPPED: the vendor's documents are not at {}",
                folder.display()
            );
            return None;
        }
        Some(["v1", "v2"].map(|version| {
            let text =
                std::fs::read_to_string(folder.join(format!("pipedrive-{version}-openapi.yml")))
                    .unwrap();
            let mut document: Value = serde_yaml_ng::from_str(&text).unwrap();
            translate(&mut document);
            document
        }))
    });
    read.as_ref()
}

/// OpenAPI 3.0 to JSON Schema: `nullable` becomes a type, examples go.
fn translate(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(translate),
        Value::Object(map) => {
            map.values_mut().for_each(translate);
            map.remove("example");
            let nullable = map.remove("nullable") == Some(Value::Bool(true));
            if nullable {
                allow_null(map);
            }
            if let Some(Value::Object(properties)) = map.get_mut("properties") {
                for name in NULL_ANYWAY {
                    if let Some(Value::Object(property)) = properties.get_mut(*name) {
                        allow_null(property);
                    }
                }
            }
        }
        _ => (),
    }
}

fn allow_null(map: &mut Map<String, Value>) {
    match map.get("type").cloned() {
        Some(Value::String(kind)) => {
            map.insert("type".to_owned(), serde_json::json!([kind, "null"]));
            if let Some(Value::Array(words)) = map.get_mut("enum") {
                words.push(Value::Null);
            }
        }
        Some(_) => (),
        None => {
            let inner = Value::Object(std::mem::take(map));
            map.insert(
                "anyOf".to_owned(),
                serde_json::json!([inner, { "type": "null" }]),
            );
        }
    }
}

/// The schema of an endpoint's answer, with the components it refers to.
fn schema(version: &str, path: &str) -> Option<Value> {
    let document = &documents()?[usize::from(version == "v2")];
    let endpoint = &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert!(
        endpoint.is_object(),
        "{version} {path} is not in the vendor's document"
    );
    let mut schema = endpoint.clone();
    if path == "/leadFields" {
        drop_short_list(&mut schema);
    }
    schema["components"] = document["components"].clone();
    Some(schema)
}

/// The document of lead fields contradicts itself: one list of field types has 17, the other 34; both must hold.
fn drop_short_list(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(drop_short_list),
        Value::Object(map) => {
            let short = |words: &Value| words.as_array().is_some_and(|words| words.len() == 17);
            if map.get("enum").is_some_and(short) {
                map.remove("enum");
            }
            map.values_mut().for_each(drop_short_list);
        }
        _ => (),
    }
}

/// All properties that a schema names, at any place, as paths.
fn named(root: &Value, schema: &Value, at: &str, out: &mut BTreeSet<String>) {
    if let Some(target) = schema["$ref"].as_str() {
        return named(
            root,
            root.pointer(target.trim_start_matches('#')).unwrap(),
            at,
            out,
        );
    }
    for part in ["allOf", "anyOf"] {
        schema[part]
            .as_array()
            .into_iter()
            .flatten()
            .for_each(|inner| named(root, inner, at, out));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        out.insert(format!("{at}/{name}"));
        named(root, property, &format!("{at}/{name}"), out);
    }
    if schema["items"].is_object() {
        named(root, &schema["items"], at, out);
    }
}

fn told(value: &Value, at: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| told(item, at, out)),
        Value::Object(map) => {
            for (name, inner) in map {
                out.insert(format!("{at}/{name}"));
                told(inner, &format!("{at}/{name}"), out);
            }
        }
        _ => (),
    }
}

fn synchronised() -> Options {
    Options {
        contact_sync: ContactSync::On,
        envelope_v1: EnvelopeV1::Flat,
        ..of(6000)
    }
}

/// Checks an answer against its schema; `absent` are properties the schema names and we do not tell.
#[track_caller]
fn check(version: &str, path: &str, asked: &str, absent: &[&str]) {
    let Some(schema) = schema(version, path) else {
        return;
    };
    let account = account(synchronised());
    let answer = json(&account, &format!("/api/{version}{asked}"));
    assert!(
        !answer["data"].is_null() && answer["data"] != serde_json::json!([]),
        "{asked} tells nothing"
    );
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&answer)
        .take(5)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{version} {path}: {errors:#?}");
    let (mut wanted, mut given) = (BTreeSet::new(), BTreeSet::new());
    named(&schema, &schema, "", &mut wanted);
    told(&answer, "", &mut given);
    let missing: Vec<&String> = wanted
        .difference(&given)
        .filter(|place| {
            !absent.iter().any(|absent| {
                place.starts_with(&format!("/data{absent}")) || place.starts_with(*absent)
            })
        })
        .collect();
    assert!(
        missing.is_empty(),
        "{version} {path} does not tell {missing:#?}"
    );
}

/// Parts of objects that are null or empty in all our answers.
const POSTAL: &[&str] = &["/postal_address/", "/im/"];

#[test]
fn deals() {
    // Only deals made from a lead have its id.
    let absent = &["/source_lead_id"];
    check("v2", "/deals", "/deals?limit=500", absent);
    check("v2", "/deals/archived", "/deals/archived", absent);
    check("v2", "/deals/{id}", "/deals/1", absent);
    check(
        "v2",
        "/deals/products",
        "/deals/products?deal_ids=1,2,3,4,5,6,7,8,9,10,11,12",
        &[],
    );
    check(
        "v1",
        "/deals/{id}/participants",
        &format!("/deals/{}/participants", 50),
        &[
            "/person/",
            "/person_id/",
            "/added_by_user_id",
            "/related_objects",
            "/additional_data",
            "/related_item_data",
        ],
    );
}

#[test]
fn persons_and_organizations() {
    check("v2", "/persons", "/persons?limit=500", POSTAL);
    check(
        "v2",
        "/persons/{id}",
        "/persons/2",
        &["/postal_address/", "/im/", "/emails/", "/phones/"],
    );
    check("v2", "/organizations", "/organizations?limit=500", &[]);
    check(
        "v2",
        "/organizations/{id}",
        "/organizations/2",
        &["/address/"],
    );
}

#[test]
fn activities_and_call_logs() {
    check(
        "v2",
        "/activities",
        "/activities?limit=500&include_fields=attendees",
        &[],
    );
    check(
        "v2",
        "/activities/{id}",
        "/activities/1?include_fields=attendees",
        &["/location/", "/attendees/", "/participants/"],
    );
    check("v1", "/activityTypes", "/activityTypes", &[]);
    // Our call logs all hang on deals.
    check("v1", "/callLogs", "/callLogs", &["/lead_id"]);
}

#[test]
fn products_pipelines_and_projects() {
    check(
        "v2",
        "/products/{id}",
        "/products/2",
        &["/prices/", "/billing_frequency_cycles"],
    );
    check("v2", "/pipelines", "/pipelines", &[]);
    check("v2", "/stages", "/stages?pipeline_id=1", &[]);
    check("v2", "/projects", "/projects", &[]);
    check("v2", "/projects/archived", "/projects/archived", &[]);
    check("v2", "/projects/{id}", "/projects/1", &[]);
    check("v2", "/boards", "/boards", &["/additional_data"]);
    check("v2", "/phases", "/phases?board_id=1", &["/additional_data"]);
}

#[test]
fn each_product_of_the_list_is_a_product() {
    // The vendor's schema of the list wraps each product in an answer of its own; its example does not.
    let Some(mut one) = schema("v2", "/products/{id}") else {
        return;
    };
    let account = account(synchronised());
    let list = json(&account, "/api/v2/products?limit=500");
    one["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    let validator = jsonschema::validator_for(&one).unwrap();
    for product in list["data"].as_array().unwrap() {
        let alone = serde_json::json!({ "success": true, "data": product });
        assert!(validator.is_valid(&alone), "{alone}");
    }
}

#[test]
fn fields() {
    let all = "ui_visibility,important_fields,required_fields";
    let unseen = &["/ui_visibility/", "/required_fields/", "/options/"];
    for path in ["dealFields", "personFields", "organizationFields"] {
        check(
            "v2",
            &format!("/{path}"),
            &format!("/{path}?limit=500&include_fields={all}"),
            unseen,
        );
    }
    for path in ["productFields", "projectFields"] {
        let unseen = &[
            "/ui_visibility",
            "/important_fields",
            "/required_fields",
            "/options/",
        ];
        check(
            "v2",
            &format!("/{path}"),
            &format!("/{path}?limit=500"),
            unseen,
        );
    }
    check(
        "v2",
        "/activityFields",
        "/activityFields?include_fields=ui_visibility",
        &["/options/"],
    );
    let account = account(synchronised());
    let key = account.keys.fields(crate::truth::Kind::Deal)[6].clone();
    let field = json(&account, &format!("/api/v2/dealFields/{key}"));
    assert_eq!(
        (
            &field["data"]["field_type"],
            &field["data"]["options"][0]["label"]
        ),
        (&"enum".into(), &"Gold".into())
    );
    assert_eq!(ask(&account, "/api/v2/dealFields/nothing").status, 404);
}

#[test]
fn leads_and_notes() {
    check("v1", "/leads", "/leads?limit=500", &["/source_deal_id"]);
    check(
        "v1",
        "/leads/archived",
        "/leads/archived",
        &["/source_deal_id"],
    );
    let account = account(synchronised());
    check(
        "v1",
        "/leads/{id}",
        &format!("/leads/{}", account.keys.lead(1)),
        &["/source_deal_id", "/value/"],
    );
    check("v1", "/leadLabels", "/leadLabels", &[]);
    check("v1", "/leadSources", "/leadSources", &[]);
    let flags = [
        "/last_updated_by_user_id",
        "/created_by_user_id",
        "/index_visible_flag",
        "/details_visible_flag",
        "/add_visible_flag",
        "/important_flag",
        "/bulk_edit_allowed",
        "/searchable_flag",
        "/filtering_allowed",
        "/sortable_flag",
        "/options_deleted",
        "/is_subfield",
        "/subfields",
        "/additional_data",
    ];
    check("v1", "/leadFields", "/leadFields", &flags);
    // The schema has the paging facts beside `pagination`; the vendor's example has them inside.
    check(
        "v1",
        "/notes",
        "/notes?limit=400",
        &["/task/", "/additional_data"],
    );
    check(
        "v1",
        "/notes/{id}",
        "/notes/1",
        &[
            "/task/",
            "/person/",
            "/organization/",
            "/project/",
            "/deal/",
            "/user/",
        ],
    );
}

#[test]
fn mail() {
    let stored = [
        "/cc/",
        "/bcc/",
        "/data/cc/",
        "/data/bcc/",
        "/data/nylas_id",
        "/data/s3_bucket",
        "/data/mua_message_id",
        "/data/template_id",
        "/data/timestamp",
    ];
    check(
        "v1",
        "/deals/{id}/mailMessages",
        "/deals/50/mailMessages",
        &stored,
    );
    check(
        "v1",
        "/persons/{id}/mailMessages",
        "/persons/1/mailMessages",
        &stored,
    );
    // The message is one of ours to a person, so that only the receiver is linked.
    let whole = [
        "/from/linked",
        "/cc/",
        "/bcc/",
        "/statusCode",
        "/statusText",
        "/service",
    ];
    check(
        "v1",
        "/mailbox/mailMessages/{id}",
        "/mailbox/mailMessages/200?include_body=1",
        &whole,
    );
    let unseen = [
        "/mail_tracking_status",
        "/has_inline_attachments_flag",
        "/has_real_attachments_flag",
        "/smart_bcc_flag",
        "/mail_link_tracking_enabled_flag",
        "/parties/",
        "/snippet_",
        "/first_message_to_me_flag",
        "/additional_data",
    ];
    check(
        "v1",
        "/mailbox/mailThreads",
        "/mailbox/mailThreads?folder=sent",
        &unseen,
    );
}

#[test]
fn account_settings() {
    check("v1", "/users", "/users", &[]);
    check("v1", "/users/me", "/users/me", &[]);
    check("v1", "/users/{id}", "/users/1002", &[]);
    check("v1", "/currencies", "/currencies", &[]);
}
