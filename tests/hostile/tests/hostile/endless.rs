//! Connectors that do not come back: loops in every place where their code runs, and waits.

use std::sync::Arc;

use model::Source as _;
use sandbox::Stop;

use crate::beside::{
    LIMIT, Parrot, attack, attack_with, check_fetch_stopped, check_stopped, fetch, limits,
    read_catalog, request,
};
use crate::guest::{Ask, Guest, IMPORT_LOG, import_send};

const LOOP: &str = "(loop (br 0)) (unreachable)";
const STOP: Stop = Stop::Time(LIMIT);

#[tokio::test]
async fn a_loop_in_check_is_stopped() {
    let guest = Guest {
        check: LOOP.to_owned(),
        ..Guest::new()
    };
    check_stopped(
        &attack(&guest, async |source| source.check().await).await,
        &STOP,
    );
}

#[tokio::test]
async fn a_loop_in_list_objects_is_stopped() {
    let guest = Guest {
        list_objects: LOOP.to_owned(),
        ..Guest::new()
    };
    check_stopped(&attack(&guest, read_catalog).await, &STOP);
}

#[tokio::test]
async fn a_loop_in_fetch_records_is_stopped() {
    check_fetch_stopped(&Guest::fetching(LOOP), &STOP).await;
}

#[tokio::test]
async fn a_loop_in_list_engagements_is_stopped() {
    let mut guest = Guest::with_extras();
    guest.extras.as_mut().unwrap().list_engagements = LOOP.to_owned();
    check_stopped(&attack(&guest, read_catalog).await, &STOP);
}

#[tokio::test]
async fn a_loop_in_fetch_engagements_is_stopped() {
    let mut guest = Guest::with_extras();
    guest.extras.as_mut().unwrap().fetch_engagements = LOOP.to_owned();
    let mut notes = request(None);
    notes.object = "note".into();
    let answer = attack(&guest, async |source| source.fetch_page(&notes).await).await;
    check_stopped(&answer, &STOP);
}

#[tokio::test]
async fn a_loop_in_describe_stages_is_stopped() {
    let mut guest = Guest::with_extras();
    guest.extras.as_mut().unwrap().describe_stages = LOOP.to_owned();
    check_stopped(&attack(&guest, read_catalog).await, &STOP);
}

#[tokio::test]
async fn a_loop_at_instantiation_is_stopped() {
    let guest = Guest::with_head("(func $spin (loop (br 0))) (start $spin)", "(unreachable)");
    check_fetch_stopped(&guest, &STOP).await;
}

#[tokio::test]
async fn a_loop_in_the_allocator_is_stopped() {
    let guest = Guest {
        realloc: LOOP.to_owned(),
        ..Guest::new()
    };
    check_fetch_stopped(&guest, &STOP).await;
}

#[tokio::test]
async fn a_loop_after_the_answer_is_stopped() {
    let head = r#"(func (export "cabi_post_longshore:connector/source@0.1.0#check") (param i32) (loop (br 0)))"#;
    let guest = Guest::with_head(head, "(unreachable)");
    check_stopped(
        &attack(&guest, async |source| source.check().await).await,
        &STOP,
    );
}

#[tokio::test]
async fn endless_questions_for_the_deadline_are_stopped() {
    let head =
        r#"(import "longshore:connector/runtime@0.1.0" "deadline-ms" (func $ask (result i64)))"#;
    let body = "(loop (drop (call $ask)) (br 0)) (unreachable)";
    check_fetch_stopped(&Guest::with_head(head, body), &STOP).await;
}

#[tokio::test]
async fn endless_questions_for_the_time_are_stopped() {
    // Each answer is a text in the guest's memory, always in the same place.
    let head = r#"(import "longshore:connector/runtime@0.1.0" "now" (func $now (param i32)))"#;
    let guest = Guest {
        realloc: "(return (i32.const 256))".to_owned(),
        ..Guest::with_head(
            head,
            "(loop (call $now (i32.const 640)) (br 0)) (unreachable)",
        )
    };
    check_fetch_stopped(&guest, &STOP).await;
}

#[tokio::test]
async fn endless_logging_is_stopped() {
    let body =
        "(loop (call $log (i32.const 0) (i32.const 0) (i32.const 100)) (br 0)) (unreachable)";
    check_fetch_stopped(&Guest::with_head(IMPORT_LOG, body), &STOP).await;
}

#[tokio::test]
async fn waiting_for_an_answer_that_never_comes_is_stopped() {
    let mut guest = Guest::new();
    guest.head = import_send();
    let call = Ask::get("/").call(&mut guest.image);
    guest.fetch_records = format!("{call} (unreachable)");
    check_fetch_stopped(&guest, &STOP).await;
}

#[tokio::test]
async fn endless_requests_are_stopped() {
    let mut guest = Guest::new();
    guest.head = import_send();
    guest.realloc = "(return (i32.const 256))".to_owned();
    let call = Ask::get("/").call(&mut guest.image);
    guest.fetch_records = format!("(loop {call} (br 0)) (unreachable)");
    let answer = attack_with(&guest, Arc::new(Parrot), limits(), fetch).await;
    check_stopped(&answer, &STOP);
}
