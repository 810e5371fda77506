//! Connectors that hunt for the credential: an endpoint that echoes it, their own memory, and every way to carry it out.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use model::{RecordPage, SourceError};

use crate::beside::{attack_with, fetch, limits};
use crate::guest::{Ask, BODY, Guest, IMPORT_LOG, asking, copy_list, nothing};
use crate::outside::{HEADER, Vendor, reply, way_out};
use crate::trace;

const CANARY: &str = "canary/0123456789+abcdef";

/// The credential in the forms in which it might come back.
fn forms() -> Vec<String> {
    let standard = base64::engine::general_purpose::STANDARD.encode(CANARY);
    let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(CANARY);
    let set = percent_encoding::NON_ALPHANUMERIC;
    let percent = percent_encoding::utf8_percent_encode(CANARY, set).to_string();
    vec![CANARY.to_owned(), standard, url, percent]
}

/// A vendor that gives back what it was sent, in each form, as a good row, and in a header.
async fn echo() -> Vendor {
    Vendor::start(|seen| {
        let token = seen.header(HEADER);
        assert_eq!(token, CANARY, "the vendor gets it");
        let name = forms().join(" ");
        let row = format!("{{\"id\":\"1\",\"fields\":{{\"name\":\"{name}\"}}}}\n");
        reply(200, &[("x-echo", &token)], row)
    })
    .await
}

/// What one hunter carried out: the answer with all its parts as text.
struct Loot {
    answer: Result<RecordPage, SourceError>,
    text: String,
}

async fn hunt(guest: &Guest) -> Loot {
    let vendor = echo().await;
    let way = way_out(&vendor.origin, "acme", CANARY);
    let mut limits = limits();
    limits.call_timeout = Duration::from_secs(2);
    limits.rows.page_max_bytes = 1 << 20;
    let answer = attack_with(guest, way.gateway.clone(), limits, fetch).await;
    assert!(!vendor.seen().is_empty(), "it got its answer");
    let mut text = format!("{answer:?}");
    if let Ok(page) = &answer {
        for record in page.records.iter() {
            text.push_str(record.row_text().unwrap_or_default());
        }
        if let Some(next) = &page.next {
            text.push_str(&String::from_utf8_lossy(next.as_bytes()));
        }
    }
    Loot { answer, text }
}

#[track_caller]
fn check_clean(text: &str) {
    for form in forms() {
        assert!(!text.contains(&form), "{form} in {text}");
    }
}

#[tokio::test]
async fn an_echo_handed_over_as_rows_is_redacted() {
    let loot = hunt(&asking(&Ask::get("/echo"), "", nothing)).await;
    check_clean(&loot.text);
    assert_eq!(loot.answer.unwrap().records.len(), 1);
    assert!(loot.text.contains("[redacted]"), "{}", loot.text);
}

#[tokio::test]
async fn an_echo_hidden_in_a_cursor_is_redacted() {
    let guest = asking(&Ask::get("/echo"), "", |_, page| {
        let cursor = copy_list(page + 20, BODY);
        format!(
            "(i32.store8 (i32.const {}) (i32.const 1)) {cursor}",
            page + 16
        )
    });
    let loot = hunt(&guest).await;
    check_clean(&loot.text);
    assert!(loot.answer.unwrap().next.is_some());
}

#[tokio::test]
async fn an_echo_told_as_a_failure_is_redacted() {
    let guest = asking(&Ask::get("/echo"), "", |image, _| {
        let failure = image.failure(8, b"");
        format!(
            "{} (return (i32.const {failure}))",
            copy_list(failure + 20, BODY)
        )
    });
    let loot = hunt(&guest).await;
    check_clean(&loot.text);
    assert!(
        matches!(loot.answer, Err(SourceError::Permanent(_))),
        "{:?}",
        loot.answer
    );
    assert!(loot.text.contains("[redacted]"), "{}", loot.text);
}

#[test]
fn an_echo_written_to_the_log_is_redacted() {
    let guest = asking(&Ask::get("/echo"), IMPORT_LOG, |_, _| {
        let [at, len] = [BODY, BODY + 4].map(|at| format!("(i32.load (i32.const {at}))"));
        format!("(call $log (i32.const 0) {at} {len})")
    });
    let entries = trace::collect(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { check_clean(&hunt(&guest).await.text) });
    });
    assert_eq!(entries.len(), 1);
    check_clean(&entries[0]);
    assert!(entries[0].contains("[redacted]"), "{}", entries[0]);
}

/// Looks at every address from `start` on: breaks down where a form of the credential begins, and makes the rest text.
fn search(start: u32, len: u32) -> String {
    let mut found = String::new();
    for form in forms() {
        let begin = i64::from_le_bytes(*form.as_bytes().first_chunk().unwrap());
        write!(
            found,
            "(if (i64.eq (i64.load (global.get $at)) (i64.const {begin})) (then (unreachable)))"
        )
        .unwrap();
    }
    format!(
        "(global.set $at (i32.const {start}))
        (loop
            {found}
            (if (i32.ge_u (i32.load8_u (global.get $at)) (i32.const 128))
                (then (i32.store8 (global.get $at) (i32.const 63))))
            (global.set $at (i32.add (global.get $at) (i32.const 1)))
            (br_if 0 (i32.lt_u (global.get $at) (i32.const {}))))",
        start + len
    )
}

#[tokio::test]
async fn its_memory_holds_no_credential_and_neither_does_a_dump_of_it() {
    // After the answer is there, the rows are the guest's memory: the half that it wrote itself, then the half where the answer is. The figures
    // are text themselves, byte by byte.
    const HALF: u32 = 0x07_7f00;
    for start in [0, HALF] {
        let head = "(global $at (mut i32) (i32.const 0))";
        let guest = asking(&Ask::get("/echo"), head, |_, page| {
            let [at, len] = [page + 8, page + 12];
            format!(
                "{} (i32.store (i32.const {at}) (i32.const {start})) (i32.store (i32.const {len}) (i32.const {HALF}))",
                search(start, HALF)
            )
        });
        let loot = hunt(&guest).await;
        check_clean(&loot.text);
        let page = loot.answer.expect("no credential was found");
        assert!(!page.rejected.is_empty(), "memory is no rows");
    }
}

#[tokio::test]
async fn there_is_no_setting_that_holds_the_credential() {
    // Asks for settings by names that credentials have, and answers with what it gets as its rows.
    let head = r#"(import "longshore:connector/runtime@0.1.0" "setting" (func $setting (param i32 i32 i32)))"#;
    for name in [
        "token",
        "api-token",
        HEADER,
        "LONGSHORE_VAULT_KEY",
        "PATH",
        "",
    ] {
        let mut guest = asking(&Ask::get("/echo"), "", nothing);
        let [at, len] = guest.image.list(name.as_bytes());
        guest.head = format!("{} {head}", guest.head);
        guest.fetch_records = format!(
            "(call $setting (i32.const {at}) (i32.const {len}) (i32.const 600))
            (if (i32.load8_u (i32.const 600)) (then (unreachable))) {}",
            guest.fetch_records
        );
        let loot = hunt(&guest).await;
        check_clean(&loot.text);
        assert_eq!(
            loot.answer.expect("there is no such setting").records.len(),
            1,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_source_that_is_printed_shows_no_settings_and_no_credential() {
    let vendor = echo().await;
    let way = way_out(&vendor.origin, "acme", CANARY);
    let connector = crate::beside::compile(&Guest::new());
    let settings = [("region".to_owned(), CANARY.to_owned())].into();
    let outbound: Arc<dyn sandbox::Outbound> = way.gateway.clone();
    let source =
        sandbox::ConnectorSource::new(connector, &"acme".into(), outbound, settings, limits());
    check_clean(&format!("{source:?}"));
}
