//! Connectors that break down, in every place where their code runs and in every way there is.

use model::{Source as _, SourceError};

use crate::beside::{attack, fetch, read_catalog, request};
use crate::guest::Guest;

const TRAP: &str = "(unreachable)";

/// The answer is a trap whose cause has these words of the engine.
#[track_caller]
fn check<T: std::fmt::Debug>(told: Result<T, SourceError>, expected: &str) {
    match told {
        Err(SourceError::Trapped(message))
            if message.contains("it gave up: ") && message.contains(expected) => {}
        other => panic!("expected a trap, {expected:?}, got {other:?}"),
    }
}

#[tokio::test]
async fn a_trap_in_check_is_an_error_and_other_exports_still_work() {
    let guest = Guest {
        check: TRAP.to_owned(),
        ..Guest::new()
    };
    let told = attack(&guest, async |source| {
        check(source.check().await, "unreachable");
        fetch(source).await
    });
    assert_eq!(told.await.unwrap().records.len(), 2);
}

#[tokio::test]
async fn a_trap_in_list_objects_is_an_error() {
    let guest = Guest {
        list_objects: TRAP.to_owned(),
        ..Guest::new()
    };
    check(attack(&guest, read_catalog).await, "unreachable");
}

#[tokio::test]
async fn a_trap_in_fetch_records_is_an_error() {
    check(attack(&Guest::fetching(TRAP), fetch).await, "unreachable");
}

#[tokio::test]
async fn a_trap_in_list_engagements_is_an_error() {
    let mut guest = Guest::with_extras();
    guest.extras.as_mut().unwrap().list_engagements = TRAP.to_owned();
    check(attack(&guest, read_catalog).await, "unreachable");
}

#[tokio::test]
async fn a_trap_in_fetch_engagements_is_an_error() {
    let mut guest = Guest::with_extras();
    guest.extras.as_mut().unwrap().fetch_engagements = TRAP.to_owned();
    let mut notes = request(None);
    notes.object = "note".into();
    let told = attack(&guest, async |source| source.fetch_page(&notes).await);
    check(told.await, "unreachable");
}

#[tokio::test]
async fn a_trap_in_describe_stages_is_an_error() {
    let mut guest = Guest::with_extras();
    guest.extras.as_mut().unwrap().describe_stages = TRAP.to_owned();
    check(attack(&guest, read_catalog).await, "unreachable");
}

#[tokio::test]
async fn a_trap_at_instantiation_is_an_error() {
    let guest = Guest::with_head("(func $fall (unreachable)) (start $fall)", TRAP);
    check(attack(&guest, fetch).await, "unreachable");
}

#[tokio::test]
async fn a_trap_in_the_allocator_is_an_error() {
    let guest = Guest {
        realloc: TRAP.to_owned(),
        ..Guest::new()
    };
    check(attack(&guest, fetch).await, "unreachable");
}

#[tokio::test]
async fn a_trap_after_the_answer_is_an_error() {
    let head = r#"(func (export "cabi_post_longshore:connector/source@0.1.0#check") (param i32) (unreachable))"#;
    let guest = Guest::with_head(head, TRAP);
    let told = attack(&guest, async |source| source.check().await);
    check(told.await, "unreachable");
}

#[tokio::test]
async fn every_way_to_trap_is_an_error() {
    let ways = [
        (
            "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
            "divide by zero",
        ),
        (
            "(drop (i32.div_s (i32.const -2147483648) (i32.const -1)))",
            "overflow",
        ),
        (
            "(drop (i32.load (i32.const -4)))",
            "out of bounds memory access",
        ),
        (
            "(drop (i32.trunc_f64_s (f64.const nan)))",
            "invalid conversion",
        ),
        (
            "(memory.fill (i32.const 0) (i32.const 0) (i32.const -1))",
            "out of bounds memory access",
        ),
    ];
    for (way, expected) in ways {
        let body = format!("{way} (unreachable)");
        check(attack(&Guest::fetching(&body), fetch).await, expected);
    }
    let head = "(table $t 1 funcref) (type $none (func))";
    let body = "(call_indirect $t (type $none) (i32.const 0)) (unreachable)";
    check(
        attack(&Guest::with_head(head, body), fetch).await,
        "uninitialized element",
    );
}

#[tokio::test]
async fn an_instance_that_trapped_is_thrown_away() {
    // Traps on its second call: works again and again only if each instance that trapped is gone.
    let mut guest = Guest::new();
    guest.head = "(global $calls (mut i32) (i32.const 0))".to_owned();
    let good = guest.check.clone();
    let count = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))";
    guest.check = format!(
        "{count} (if (i32.gt_u (global.get $calls) (i32.const 1)) (then (unreachable))) {good}"
    );
    let told = attack(&guest, async |source| {
        for _ in 0..3 {
            source.check().await?;
            check(source.check().await, "unreachable");
        }
        Ok(())
    });
    told.await.unwrap();
}
