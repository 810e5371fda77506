//! Notes, calls, tasks, meetings, e-mails.

use longshore_sdk::PageRequest;
use longshore_sdk::testing::{Answer, Tape};
use serde_json::{Value, json};

use super::{NOTHING, links, page_of, read_all, tape};

fn activities() -> Tape {
    let activity = |id: u32, kind: &str| {
        json!({"id": id, "subject": "S", "type": kind, "owner_id": 3, "deal_id": 12, "lead_id": null, "person_id": 7,
        "org_id": 9, "project_id": null, "due_date": "2026-02-03", "due_time": "14:30:00", "duration": "00:30:00", "busy": true, "done": true,
        "location": {"value": "Ghent", "country": "Belgium"}, "participants": [{"person_id": 7, "primary": true}, {"person_id": 8, "primary": false}],
        "attendees": [{"email": "x@ex.test", "name": "X", "status": "accepted", "is_organizer": true}], "priority": 1, "note": "<p>html</p>",
        "is_deleted": false, "add_time": "2026-01-05T09:30:00Z", "update_time": "2026-01-05T09:30:00Z"})
    };
    let mut all_day = activity(5, "site_visit");
    all_day["due_time"] = Value::Null;
    all_day["done"] = json!(false);
    let rows = [
        activity(1, "call"),
        activity(2, "lunch"),
        activity(3, "email"),
        activity(4, "deadline"),
        all_day,
    ];
    tape().always(
        "/v2/activities?limit=500&include_fields=attendees",
        page_of(&rows, None),
    )
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn each_activity_is_of_exactly_one_kind() {
    let tape = activities()
        .get("/v1/callLogs?start=0&limit=50", NOTHING)
        .setting("emails", "false");
    assert_eq!(ids(&read_all(&tape, PageRequest::new("call"))), ["1"]);
    assert_eq!(ids(&read_all(&tape, PageRequest::new("meeting"))), ["2"]);
    assert_eq!(ids(&read_all(&tape, PageRequest::new("email"))), ["3"]);
    assert_eq!(ids(&read_all(&tape, PageRequest::new("task"))), ["4", "5"]);
    let tape = activities().setting("activity_types", "site_visit=meeting, junk");
    assert_eq!(
        ids(&read_all(&tape, PageRequest::new("meeting"))),
        ["2", "5"]
    );
    assert!(tape.logs().iter().any(|(_, line)| line.contains("junk")));
}

#[test]
fn a_meeting_ends_after_its_duration_and_an_all_day_task_is_due_at_midnight() {
    let tape = activities();
    let meeting = &read_all(&tape, PageRequest::new("meeting"))[0];
    assert_eq!(
        (
            &meeting["fields"]["start_time"],
            &meeting["fields"]["end_time"]
        ),
        (
            &json!("2026-02-03T14:30:00Z"),
            &json!("2026-02-03T15:00:00Z")
        )
    );
    assert_eq!(
        meeting["fields"]["attendees"],
        "X <x@ex.test> (accepted, organizer)"
    );
    assert_eq!(
        (
            &meeting["fields"]["location"],
            &meeting["fields"]["location_country"]
        ),
        (&json!("Ghent"), &json!("Belgium"))
    );
    assert_eq!(
        links(meeting),
        [
            ("deal", "12"),
            ("person", "7"),
            ("organization", "9"),
            ("participant", "8")
        ]
    );
    let task = &read_all(&tape, PageRequest::new("task"))[1];
    assert_eq!(
        (&task["fields"]["timestamp"], &task["fields"]["due_time"]),
        (&json!("2026-02-03T00:00:00Z"), &Value::Null)
    );
    assert_eq!(
        (
            &task["fields"]["task_status"],
            &task["fields"]["task_priority"]
        ),
        (&json!("NOT_STARTED"), &json!("HIGH"))
    );
}

#[test]
fn call_logs_add_to_their_activity_or_stand_alone() {
    let logs = r#"{"success":true,"data":[
        {"id":"CA1","activity_id":1,"subject":"S","duration":"60","outcome":"busy","from_phone_number":"+1","to_phone_number":"+2","start_time":"2026-02-03T14:30:00.000Z","end_time":"2026-02-03T14:31:00.000Z","has_recording":false},
        {"id":"CA2","activity_id":null,"subject":"Alone","duration":"75","outcome":"no_answer","to_phone_number":"+3","start_time":"2026-02-03 10:00:00","end_time":"2026-02-03 10:01:15","person_id":7,"user_id":3},
        {"id":"CA3","activity_id":999,"outcome":"connected","start_time":"2026-02-03T14:30:00.000Z","deal_id":12}],
        "additional_data":{"pagination":{"start":0,"limit":50,"more_items_in_collection":false}}}"#;
    let again = page_of(
        &[
            json!({"id": 1, "type": "call", "subject": "S", "done": true, "due_date": "2026-02-03", "duration": "00:30"}),
        ],
        None,
    );
    let tape = activities().get("/v1/callLogs?start=0&limit=50", logs).get(
        "/v2/activities?ids=1%2C999&limit=100&include_fields=attendees",
        again,
    );
    let rows = read_all(&tape, PageRequest::new("call"));
    assert_eq!(ids(&rows), ["1", "1", "log-CA2", "log-CA3"]);
    assert_eq!(
        (
            &rows[1]["fields"]["outcome"],
            &rows[1]["fields"]["call_duration_ms"]
        ),
        (&json!("busy"), &json!(1_800_000))
    );
    assert_eq!(
        (
            &rows[2]["fields"]["call_duration_ms"],
            &rows[2]["fields"]["call_status"]
        ),
        (&json!(75_000), &json!("NO_ANSWER"))
    );
    assert_eq!(rows[2]["fields"]["timestamp"], "2026-02-03T10:00:00Z");
    assert_eq!(links(&rows[3]), [("deal", "12")]);
}

#[test]
fn without_the_scope_for_call_logs_the_calls_still_come() {
    let refused = Answer::json(
        403,
        r#"{"success":false,"error":"Scope and URL mismatch","errorCode":403}"#,
    );
    let tape = activities().get("/v1/callLogs?start=0&limit=50", refused);
    assert_eq!(ids(&read_all(&tape, PageRequest::new("call"))), ["1"]);
    assert!(
        tape.logs()
            .iter()
            .any(|(_, line)| line.contains("phone-integration")),
        "{:?}",
        tape.logs()
    );
}

#[test]
fn a_note_may_hang_on_several_records() {
    let notes = r#"{"success":true,"data":[{"id":1,"content":"<b>x</b> \ud83d","user_id":3,"deal_id":1,"person_id":7,"org_id":9,"lead_id":null,"project_id":null,
        "add_time":"2026-01-05 09:30:00","update_time":"2026-01-06 09:30:00","active_flag":true,"pinned_to_deal_flag":0,"user":{"name":"U"},"deal":{"title":"T"}},
        {"id":2,"content":"gone","lead_id":"8ba4-uuid","active_flag":false,"update_time":""}],
        "additional_data":{"pagination":{"start":0,"limit":500,"more_items_in_collection":false}}}"#;
    let tape = tape().get("/v1/notes?start=0&limit=500", notes);
    let rows = read_all(&tape, PageRequest::new("note"));
    assert_eq!(
        links(&rows[0]),
        [("deal", "1"), ("person", "7"), ("organization", "9")]
    );
    assert_eq!(
        (&rows[0]["fields"]["add_time"], &rows[0]["updated_at"]),
        (
            &json!("2026-01-05T09:30:00Z"),
            &json!("2026-01-06T09:30:00Z")
        )
    );
    assert_eq!(rows[0]["fields"]["content"], "<b>x</b> \u{fffd}");
    assert_eq!(
        (&rows[1]["deleted"], links(&rows[1])),
        (&json!(true), vec![("lead", "8ba4-uuid")])
    );
}

const PARENT: &str = "limit=500&include_fields=email_messages_count%2Clast_incoming_mail_time%2Clast_outgoing_mail_time";

fn message(id: u32) -> Value {
    json!({"object": "mailMessage", "timestamp": "2026-01-05 09:30:00", "data": {"id": id, "from": [{"email_address": "ada@ex.test", "name": "Ada", "linked_person_id": 7}],
        "to": [{"email_address": "me@ex.test", "name": "", "linked_person_id": null}], "cc": [], "bcc": [], "subject": "Offer", "snippet": "Dear",
        "user_id": 3, "mail_thread_id": 1, "message_time": "2026-01-05T09:30:00.000Z", "update_time": "2026-01-05T09:31:00.000Z", "sent_flag": 0,
        "has_body_flag": 1, "draft_flag": 0, "deleted_flag": 0, "has_attachments_flag": 1}})
}

#[test]
fn messages_come_last_from_their_deal_with_all_their_associations() {
    let list = |messages: &[Value]| {
        json!({"success": true, "data": messages, "additional_data": {"pagination": {"start": 0, "limit": 500, "more_items_in_collection": false}}}).to_string()
    };
    let body = r#"{"success":true,"data":{"id":5,"body":"<p>Dear all</p>"}}"#;
    let tape = activities()
        .get(
            &format!("/v2/persons?{PARENT}"),
            page_of(
                &[
                    json!({"id": 7, "email_messages_count": 1}),
                    json!({"id": 8, "email_messages_count": 0}),
                ],
                None,
            ),
        )
        .get(
            "/v1/persons/7/mailMessages?start=0&limit=500",
            list(&[message(5)]),
        )
        .get(
            &format!("/v2/deals?{PARENT}"),
            page_of(&[json!({"id": 12, "email_messages_count": 2})], None),
        )
        .get(
            "/v1/deals/12/mailMessages?start=0&limit=500",
            list(&[message(5), message(6)]),
        )
        .get(&format!("/v2/deals/archived?{PARENT}"), page_of(&[], None))
        .always("/v1/mailbox/mailMessages/5?include_body=1", body)
        .get(
            "/v1/mailbox/mailMessages/6?include_body=1",
            Answer::json(403, r#"{"success":false,"error":"no"}"#),
        );
    let rows = read_all(&tape, PageRequest::new("email"));
    assert_eq!(ids(&rows), ["3", "mail-5", "mail-5", "mail-6"]);
    assert_eq!(links(&rows[1]), [("person", "7")]);
    assert_eq!(links(&rows[2]), [("deal", "12"), ("person", "7")]);
    let fields = &rows[2]["fields"];
    assert_eq!(
        (&fields["body"], &fields["from"], &fields["to"]),
        (
            &json!("<p>Dear all</p>"),
            &json!("Ada <ada@ex.test>"),
            &json!("me@ex.test")
        )
    );
    assert_eq!(fields["direction"], "INCOMING_EMAIL");
    assert_eq!(
        (rows[3]["fields"].get("body"), &rows[3]["fields"]["snippet"]),
        (None, &json!("Dear"))
    );
    tape.assert_done();
}

#[test]
fn without_the_scope_for_mail_the_activities_still_come() {
    let refused = Answer::json(
        403,
        r#"{"success":false,"error":"Scope and URL mismatch","errorCode":403}"#,
    );
    let tape = activities()
        .get(
            &format!("/v2/persons?{PARENT}"),
            page_of(&[json!({"id": 7, "email_messages_count": 1})], None),
        )
        .get("/v1/persons/7/mailMessages?start=0&limit=500", refused);
    assert_eq!(ids(&read_all(&tape, PageRequest::new("email"))), ["3"]);
    assert!(
        tape.logs()
            .iter()
            .any(|(_, line)| line.contains("mail:read")),
        "{:?}",
        tape.logs()
    );
}
