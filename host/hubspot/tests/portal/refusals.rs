//! Every error of HubSpot's, once: what a person reads of it, how it is handled, and that nothing is there twice or missing afterwards.
//!
//! Statuses and bodies are those of the error-handling pages (developers.hubspot.com, 2026). Time is simulated, so that waits of hours
//! take none; the requests go through the guarded client and are answered by the simulator, but for those that a test answers itself.

use std::time::Duration;

use model::destination::{Destination as _, Link, Preparation, SOURCE_KEY_PROPERTY, WriteOutcome};
use model::{DestinationError, FieldInfo, FieldKind};
use serde_json::{Value, json};
use simulators::hubspot as simulated;

use crate::site::{Site, UPSERT};

fn envelope(category: &str, message: &str, more: &Value) -> String {
    let mut body = json!({"status": "error", "message": message, "correlationId": "c-1", "category": category});
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body.to_string()
}

/// A refusal of one record: told by its name, and the others of its batch are written.
#[track_caller]
fn check_refused(status: u16, body: &str, told: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(async {
        let site = Site::new().await;
        // The whole batch, then the half with the one that is refused, then it alone.
        site.answer(UPSERT, 1, status, &[], body);
        site.answer(UPSERT, 1, status, &[], body);
        let outcomes = site.write(&["1", "2"]).await.unwrap();
        let refused: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                WriteOutcome::Refused(message) => Some(message.as_str()),
                WriteOutcome::Written { .. } => None,
            })
            .collect();
        assert_eq!(refused, [told], "status {status}");
        assert_eq!(site.there().len(), 1, "the other one is written");
        site.assert_recovers(&format!("after {status}"), &["1", "2"])
            .await;
    });
}

#[test]
fn a_record_that_hubspot_refuses_is_told_with_its_id_and_the_remedy() {
    let property = |message: &str, code: &str, name: &str| json!({"errors": [{"message": message, "code": code, "context": {"propertyName": [name]}}]});
    let invalid = r#"Property values were not valid: [{"isValid":false,"message":"Property \"x\" does not exist","error":"PROPERTY_DOESNT_EXIST","name":"x"}]"#;
    check_refused(
        400,
        &envelope("VALIDATION_ERROR", invalid, &json!({})),
        r#"destination refused contact 2: property "x" does not exist (PROPERTY_DOESNT_EXIST); somebody removed the property: plan again, and it is made anew (correlation id c-1)"#,
    );
    let wrong = "Property values were not valid";
    check_refused(
        400,
        &envelope(
            "VALIDATION_ERROR",
            wrong,
            &property(
                "warm was not one of the allowed options: [cold, hot]",
                "INVALID_OPTION",
                "hs_lead_label",
            ),
        ),
        r#"destination refused contact 2: property "hs_lead_label": warm was not one of the allowed options: [cold, hot] (INVALID_OPTION); plan again, so that the option is added first (correlation id c-1)"#,
    );
    check_refused(
        400,
        &envelope(
            "VALIDATION_ERROR",
            wrong,
            &property("four was not a valid long", "INVALID_INTEGER", "score"),
        ),
        r#"destination refused contact 2: property "score": four was not a valid long (INVALID_INTEGER) (correlation id c-1)"#,
    );
    check_refused(
        400,
        &envelope(
            "VALIDATION_ERROR",
            wrong,
            &property("2026-02-30 was not a valid date", "INVALID_DATE", "born"),
        ),
        r#"destination refused contact 2: property "born": 2026-02-30 was not a valid date (INVALID_DATE) (correlation id c-1)"#,
    );
    check_refused(
        409,
        &envelope(
            "CONFLICT",
            "Contact already exists. Existing ID: 551",
            &json!({}),
        ),
        "destination refused contact 2: contact already exists. Existing ID: 551; it came into the portal after the plan was made: plan again, and it is matched (correlation id c-1)",
    );
    check_refused(
        409,
        &envelope(
            "OBJECT_ALREADY_EXISTS",
            "An object with this value exists",
            &json!({"context": {"existingId": ["551"]}}),
        ),
        "destination refused contact 2: an object with this value exists; it came into the portal after the plan was made: plan again, and it is matched (correlation id c-1)",
    );
}

/// The address costs the address, and the contact stays.
#[tokio::test(start_paused = true)]
async fn an_address_that_hubspot_does_not_take_is_left_out_and_told() {
    let site = Site::new().await;
    let body = envelope(
        "VALIDATION_ERROR",
        "Property values were not valid",
        &json!({"errors": [{"message": "Email address ada.1@ex.example is invalid", "code": "INVALID_EMAIL", "context": {"propertyName": ["email"]}}]}),
    );
    site.answer(UPSERT, 1, 400, &[], &body);
    let outcomes = site.write(&["1"]).await.unwrap();
    let [WriteOutcome::Written { notes, .. }] = &outcomes[..] else {
        panic!("{outcomes:?}");
    };
    assert_eq!(
        notes[..],
        [
            "left without its email: email address ada.1@ex.example is invalid (INVALID_EMAIL) (correlation id c-1)"
        ]
    );
    // One that is refused with and without it has an end too.
    site.answer(UPSERT, 99, 400, &[], &body);
    let outcomes = site.write(&["2"]).await.unwrap();
    assert!(
        matches!(&outcomes[..], [WriteOutcome::Refused(told)] if told.starts_with("destination refused contact 2: ")),
        "{outcomes:?}"
    );
}

/// 207: each record has the outcome that names it, by its trace id.
#[tokio::test(start_paused = true)]
async fn outcomes_of_a_batch_that_partly_failed_are_each_records_own() {
    let site = Site::new().await;
    let body = json!({"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [
        {"status": "error", "category": "VALIDATION_ERROR", "message": "first name is forbidden", "context": {"objectWriteTraceId": ["1"]}}
    ]});
    site.answer(UPSERT, 1, 207, &[], &body.to_string());
    let outcomes = site.write(&["1", "2", "3"]).await.unwrap();
    let told: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            WriteOutcome::Refused(told) => told.as_str(),
            WriteOutcome::Written { .. } => "written",
        })
        .collect();
    assert_eq!(
        told,
        [
            "written",
            "destination refused contact 2: first name is forbidden",
            "written"
        ]
    );
    site.assert_recovers("after 207", &["1", "2", "3"]).await;
}

/// What ends the phase, and which kind of end it is.
#[track_caller]
fn check_stopped(
    (path, status, headers): (&'static str, u16, &[(&str, &str)]),
    body: &str,
    kind: &str,
    told: &[&str],
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(async {
        let site = Site::new().await;
        site.answer(path, 999, status, headers, body);
        let error = site.write(&["1", "2"]).await.unwrap_err();
        let found = match &error {
            DestinationError::Auth(_) => "auth",
            DestinationError::RateLimited { .. } => "wait",
            DestinationError::Ambiguous(_) => "look up",
            DestinationError::Unusable(_) => "unusable",
        };
        assert_eq!(found, kind, "{status}: {error}");
        let text = error.to_string();
        for told in told {
            assert!(text.contains(told), "{status}: {told:?} in {text}");
        }
        assert!(site.there().is_empty(), "{status}: nothing was written");
        site.assert_recovers(&format!("after {status}"), &["1", "2"])
            .await;
    });
}

#[test]
fn a_credential_that_is_refused_stops_the_phase() {
    let invalid = envelope(
        "INVALID_AUTHENTICATION",
        "The OAuth token used to make this call is invalid",
        &json!({}),
    );
    check_stopped(
        (UPSERT, 401, &[]),
        &invalid,
        "auth",
        &["destination refused the credential", "401"],
    );
    let expired = envelope(
        "EXPIRED_AUTHENTICATION",
        "The OAuth token used to make this call expired 7 second(s) ago.",
        &json!({"context": {"expireTime": ["2026-01-05T08:00:00Z"]}}),
    );
    check_stopped(
        (UPSERT, 401, &[]),
        &expired,
        "auth",
        &["destination refused the credential", "401"],
    );
}

#[test]
fn scopes_that_are_missing_are_named_wherever_the_answer_names_them() {
    let scopes = json!({"requiredGranularScopes": ["crm.objects.contacts.write"]});
    let told = [
        "writing contacts: the credential lacks the scopes crm.objects.contacts.write",
        "give them to the app in HubSpot, then connect again",
    ];
    let above = json!({"context": scopes});
    let below = json!({"errors": [{"message": "One or more of the following scopes are required.", "context": scopes}]});
    for more in [above, below] {
        let body = envelope(
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes",
            &more,
        );
        check_stopped((UPSERT, 403, &[]), &body, "auth", &told);
    }
}

#[test]
fn an_object_that_the_portal_does_not_have_is_told() {
    let tier = envelope(
        "FORBIDDEN",
        "This portal's subscription does not include contacts",
        &json!({}),
    );
    check_stopped(
        (UPSERT, 403, &[]),
        &tier,
        "unusable",
        &["writing contacts: this portal's subscription does not include contacts"],
    );
    // A path that has no upsert is tried as a creation; where that is not there either, the object is none.
    let nothing = envelope(
        "OBJECT_NOT_FOUND",
        "Unable to infer object type from: contacts",
        &json!({}),
    );
    check_stopped(
        ("/objects/contacts/batch/", 404, &[]),
        &nothing,
        "unusable",
        &["contacts", "unable to infer object type from: contacts"],
    );
}

#[test]
fn addresses_that_are_too_long_long_locks_and_long_moves_stop_the_phase() {
    check_stopped(
        (UPSERT, 414, &[]),
        "<html><h1>414 Request-URI Too Large</h1></html>",
        "unusable",
        &["writing contacts", "414"],
    );
    check_stopped(
        (UPSERT, 423, &[]),
        &envelope("LOCKED", "The resource is locked", &json!({})),
        "unusable",
        &["writing contacts: the resource is locked", "status 423"],
    );
    check_stopped(
        (UPSERT, 477, &[("retry-after", "43200")]),
        "",
        "wait",
        &["being moved to another data centre"],
    );
}

fn limit(policy: &str) -> String {
    let message = format!(
        "You have reached your {} limit.",
        policy.to_lowercase().trim_end_matches('_')
    );
    envelope(
        "RATE_LIMITS",
        &message,
        &json!({"errorType": "RATE_LIMIT", "policyName": policy}),
    )
}

#[tokio::test(start_paused = true)]
async fn a_portal_whose_day_is_used_up_stops_until_its_next() {
    let site = Site::new().await;
    site.answer(UPSERT, 1, 429, &[], &limit("DAILY"));
    let error = site.write(&["1", "2"]).await.unwrap_err();
    let DestinationError::RateLimited {
        retry_after: Some(wait),
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(
        *wait,
        Duration::from_secs(16 * 3_600),
        "until midnight, UTC"
    );
    assert!(
        error.to_string().starts_with("destination asks to wait: "),
        "{error}"
    );
    assert!(site.there().is_empty());
    tokio::time::advance(*wait).await;
    site.assert_recovers("on the next day", &["1", "2"]).await;
}

/// What is waited out without a word: how long it takes at least, and that each record is there once.
async fn check_waited(
    (status, headers): (u16, &[(&str, &str)]),
    body: &str,
    times: u32,
    least: Duration,
) {
    let site = Site::new().await;
    site.answer(UPSERT, times, status, headers, body);
    let before = site.begun.elapsed();
    let outcomes = site.write(&["1", "2"]).await.unwrap();
    let took = site.begun.elapsed() - before;
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, WriteOutcome::Written { .. })),
        "{status}: {outcomes:?}"
    );
    assert_eq!(site.there(), ["test/person/1", "test/person/2"], "{status}");
    assert!(took >= least, "{status}: {took:?} is too soon");
    assert!(
        took <= least * 2 + Duration::from_secs(40),
        "{status}: {took:?} is too long"
    );
}

#[tokio::test(start_paused = true)]
async fn limits_locks_and_moves_are_waited_out() {
    let seconds = Duration::from_secs;
    let rolling = limit("TEN_SECONDLY_ROLLING");
    check_waited((429, &[]), &rolling, 1, seconds(10)).await;
    check_waited((429, &[("retry-after", "17")]), &rolling, 1, seconds(17)).await;
    let locked = envelope("LOCKED", "The resource is locked", &json!({}));
    check_waited((423, &[]), &locked, 3, seconds(2 + 4 + 8)).await;
    check_waited((477, &[("retry-after", "90")]), "", 2, seconds(180)).await;
}

/// A 5xx says nothing of whether the write happened: both are looked up, and neither makes a second record.
#[tokio::test(start_paused = true)]
async fn a_server_error_before_or_after_the_write_doubles_and_loses_nothing() {
    for status in [500, 502, 503, 504, 521, 523, 524] {
        for after in [false, true] {
            let site = Site::new().await;
            let page = format!("<html><h1>{status}</h1></html>");
            site.answer(UPSERT, 3, status, &[], &page);
            site.troubles.lock().unwrap()[0].after = after;
            let outcomes = site.write(&["1", "2", "3"]).await.unwrap();
            let ids: Vec<_> = outcomes
                .iter()
                .filter_map(|outcome| match outcome {
                    WriteOutcome::Written { id, .. } => Some(id),
                    WriteOutcome::Refused(_) => None,
                })
                .collect();
            assert_eq!(ids.len(), 3, "{status}, after {after}: {outcomes:?}");
            assert_eq!(
                site.there(),
                ["test/person/1", "test/person/2", "test/person/3"],
                "{status}, after {after}"
            );
        }
    }
}

#[test]
fn a_server_that_errs_for_ever_ends_the_phase_with_what_it_said() {
    for status in [500, 502, 503, 504, 521, 523, 524] {
        check_stopped(
            (UPSERT, status, &[]),
            "<html>out of order</html>",
            "look up",
            &["destination did not answer", &status.to_string()],
        );
    }
}

/// An answer that is no JSON was still given after the write: it is looked up, never sent blindly again.
#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_looked_up() {
    for body in [
        "<html>Welcome to the hotel's network</html>",
        r#"{"status":"COMPLETE","results":[{"id":"1","proper"#,
        "",
    ] {
        let site = Site::new().await;
        site.answer(UPSERT, 1, 201, &[], body);
        site.troubles.lock().unwrap()[0].after = true;
        let outcomes = site.write(&["1", "2"]).await.unwrap();
        assert!(
            outcomes
                .iter()
                .all(|outcome| matches!(outcome, WriteOutcome::Written { .. })),
            "{body}: {outcomes:?}"
        );
        assert_eq!(site.there(), ["test/person/1", "test/person/2"], "{body}");
    }
}

/// A page for people in the place of what is read stops the phase; it is asked for again before.
#[tokio::test(start_paused = true)]
async fn a_page_in_the_place_of_data_is_asked_for_again_and_then_told() {
    let site = Site::new().await;
    let page = "<html>Welcome to the hotel's network</html>";
    tokio::time::advance(Duration::from_secs(60)).await;
    site.answer("/properties/contacts", 2, 200, &[], page);
    assert!(site.destination.fetch_catalog().await.is_ok());
    tokio::time::advance(Duration::from_secs(60)).await;
    site.answer("/properties/contacts", 99, 200, &[], page);
    let error = site.destination.fetch_catalog().await.unwrap_err();
    assert_eq!(
        error.to_string().split(": expected").next(),
        Some(
            "destination did not answer: reading the properties of contacts: HubSpot's answer cannot be read"
        )
    );
}

/// Two contacts of the source that are one at HubSpot may name each other: that is told without asking HubSpot, also the next time.
#[tokio::test(start_paused = true)]
async fn a_record_is_never_associated_with_itself() {
    let site = Site::new().await;
    let outcomes = site.write(&["1", "2"]).await.unwrap();
    let id = |at: usize| match &outcomes[at] {
        WriteOutcome::Written { id, .. } => id.clone(),
        refused => panic!("{refused:?}"),
    };
    let link = |from: usize, to: usize| Link {
        from_object: "contact".into(),
        from: id(from),
        to_object: "contact".into(),
        to: id(to),
        label: None,
    };
    let links = [link(0, 0), link(0, 1)];
    for is_new in [true, false] {
        let answers = site.destination.write_links(&links).await.unwrap();
        let told = answers[0].as_ref().unwrap_err().to_string();
        assert!(told.contains("would be associated with itself"), "{told}");
        assert_eq!(answers[1], Ok(is_new));
    }
    let counters = site.portal.counters();
    let created = counters
        .requests
        .iter()
        .filter(|(what, _)| what.contains("/associations/") && what.ends_with("/batch/create"));
    assert_eq!(created.map(|(_, count)| count).sum::<u64>(), 1);
}

/// Ten unique properties an object are the most: without one of ours nothing could be looked up.
#[tokio::test(start_paused = true)]
async fn without_room_for_the_unique_property_nothing_is_written() {
    let site = Site::new().await;
    for number in 0..10 {
        let body = json!({"name": format!("key_{number}"), "label": "Key", "type": "string", "fieldType": "text",
            "groupName": "dealinformation", "hasUniqueValue": true});
        let call = simulated::Call::new(simulated::Method::Post, "/crm/v3/properties/deals")
            .bearer(site.portal.token())
            .body(&body);
        assert_eq!(
            site.portal.handle(&call).status,
            201,
            "ten of them can be made"
        );
    }
    tokio::time::advance(Duration::from_secs(60)).await;
    let key = FieldInfo {
        unique: true,
        ..FieldInfo::new(SOURCE_KEY_PROPERTY, FieldKind::Text)
    };
    let preparation = Preparation {
        properties: vec![("deal".into(), key)],
        ..Preparation::default()
    };
    let error = site.destination.prepare(&preparation).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "destination cannot be written: deals has 10 unique properties, and 10 is the most: delete one that is not needed in HubSpot (Settings, \
         Properties), because Longshore needs one to write no record twice"
    );
}
