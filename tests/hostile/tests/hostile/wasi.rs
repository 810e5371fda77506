//! Components of other languages: what they get of WASI works, and none of it is a way past a limit.

use model::SourceError;
use sandbox::Stop;

use crate::beside::{LIMIT, attack, check_fetch_stopped, fetch};
use crate::guest::{Guest, answer};
use crate::trace;

const WORLD: &str = "import wasi:cli/exit@0.2.0; import wasi:cli/stdout@0.2.0; import wasi:cli/stderr@0.2.0;
    import wasi:clocks/monotonic-clock@0.2.0; import wasi:clocks/wall-clock@0.2.0; import wasi:io/poll@0.2.0;
    import wasi:io/streams@0.2.0; import wasi:random/random@0.2.0; import wasi:random/insecure-seed@0.2.0;";

const IMPORTS: &str = r#"
    (import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))
    (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
    (import "wasi:cli/stderr@0.2.0" "get-stderr" (func $stderr (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $close (param i32)))
    (import "wasi:io/poll@0.2.0" "poll" (func $poll (param i32 i32 i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $ticks (result i64)))
    (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
    (import "wasi:clocks/wall-clock@0.2.0" "now" (func $now (param i32)))
    (import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
    (import "wasi:random/random@0.2.0" "get-random-u64" (func $dice (result i64)))
    (import "wasi:random/insecure-seed@0.2.0" "insecure-seed" (func $seed (param i32)))
"#;

fn guest(body: &str) -> Guest {
    Guest {
        world: WORLD,
        ..Guest::with_head(IMPORTS, body)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn output_is_traced_line_by_line_and_the_rest_works() {
    let mut guest = guest("");
    let good = answer(guest.image.page(b"{\"id\":\"1\",\"fields\":{}}\n", None));
    let [at, len] = guest.image.list(b"Traceback:\n  key s3cret\x1b[2J\nno end");
    guest.fetch_records = format!(
        "(call $write (call $stderr) (i32.const {at}) (i32.const {len}) (i32.const 600))
        (call $write (call $stdout) (i32.const {at}) (i32.const 11) (i32.const 600))
        (call $block (call $after (i64.const 1000000)))
        (if (i64.lt_u (call $ticks) (i64.const 1000000)) (then (unreachable)))
        (call $now (i32.const 600))
        (if (i64.lt_u (i64.load (i32.const 600)) (i64.const 1700000000)) (then (unreachable)))
        (call $random (i64.const 32) (i32.const 600))
        (if (i32.ne (i32.load (i32.const 604)) (i32.const 32)) (then (unreachable)))
        (if (i64.eq (call $dice) (call $dice)) (then (unreachable)))
        (call $seed (i32.const 600))
        {good}"
    );
    // The first page leaves a line without end, which the next call ends.
    let entries = trace::collect(|| {
        let told = attack(&guest, async |source| {
            fetch(source).await?;
            fetch(source).await
        });
        assert_eq!(runtime().block_on(told).unwrap().records.len(), 1);
    });
    let expected = [
        ("error", "Traceback:"),
        ("error", "  key [redacted] [2J"),
        ("info", "Traceback:"),
        ("error", "no end"),
    ];
    assert_eq!(entries.len(), 7, "{entries:?}");
    for (entry, (level, text)) in entries.iter().zip(expected) {
        assert!(
            entry.contains(&format!("level={level} "))
                && entry.contains(&format!("message={text}")),
            "{entry}"
        );
    }
}

#[test]
fn a_flood_of_output_ends_after_what_it_may_log() {
    let mut guest = guest("");
    let good = answer(guest.image.page(b"", None));
    let [at, len] = guest.image.list("spam\n".repeat(200).as_bytes());
    guest.head.push_str("(global $n (mut i32) (i32.const 0))");
    guest.fetch_records = format!(
        "(loop
            (call $write (call $stdout) (i32.const {at}) (i32.const {len}) (i32.const 600))
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (br_if 0 (i32.lt_u (global.get $n) (i32.const 100)))) {good}"
    );
    let entries = trace::collect(|| {
        runtime().block_on(attack(&guest, fetch)).unwrap();
    });
    assert_eq!(entries.len(), 64);
}

#[tokio::test]
async fn a_wait_without_end_is_stopped() {
    for wait in [
        "(call $block (call $after (i64.const -1)))",
        "(loop (call $block (call $after (i64.const 1))) (br 0))",
    ] {
        check_fetch_stopped(&guest(&format!("{wait} (unreachable)")), &Stop::Time(LIMIT)).await;
    }
}

#[tokio::test]
async fn a_wait_for_nothing_is_stopped() {
    let told = attack(
        &guest("(call $poll (i32.const 0) (i32.const 0) (i32.const 600)) (unreachable)"),
        fetch,
    )
    .await;
    assert!(
        matches!(&told, Err(SourceError::Trapped(message)) if message.contains("waits for nothing")),
        "{told:?}"
    );
}

#[tokio::test]
async fn endless_questions_for_the_clock_are_stopped() {
    check_fetch_stopped(
        &guest("(loop (drop (call $ticks)) (br 0)) (unreachable)"),
        &Stop::Time(LIMIT),
    )
    .await;
}

#[tokio::test]
async fn more_random_bytes_than_there_are_at_once_are_stopped() {
    for len in ["65537", "-1"] {
        let told = attack(
            &guest(&format!(
                "(call $random (i64.const {len}) (i32.const 600)) (unreachable)"
            )),
            fetch,
        )
        .await;
        assert!(
            matches!(&told, Err(SourceError::Trapped(message)) if message.contains("random bytes")),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn streams_and_waits_without_number_are_stopped() {
    for bomb in [
        "(loop (drop (call $stdout)) (br 0))",
        "(loop (drop (call $after (i64.const 0))) (br 0))",
    ] {
        let told = attack(&guest(&format!("{bomb} (unreachable)")), fetch).await;
        assert!(matches!(&told, Err(SourceError::Trapped(_))), "{told:?}");
    }
}

#[tokio::test]
async fn a_handle_that_is_none_is_stopped() {
    for handle in [
        "(call $close (i32.const 77))",
        "(call $block (i32.const 1))",
        "(call $write (i32.const 5) (i32.const 0) (i32.const 8) (i32.const 600))",
    ] {
        let told = attack(&guest(&format!("{handle} (unreachable)")), fetch).await;
        assert!(
            matches!(&told, Err(SourceError::Trapped(_))),
            "{handle}: {told:?}"
        );
    }
}

#[tokio::test]
async fn one_that_ends_itself_is_stopped() {
    check_fetch_stopped(
        &guest("(call $exit (i32.const 0)) (unreachable)"),
        &Stop::Exit,
    )
    .await;
}
