//! Connectors that flood the trace, and words of theirs that would act on a terminal.

use std::sync::Arc;

use model::SourceError;

use crate::beside::{Silence, attack, attack_with, fetch, limits, read_catalog};
use crate::guest::{Guest, IMPORT_LOG, answer};
use crate::trace;

/// Logs the same text 10,000 times, then answers well.
fn flooding(text: &str, len: usize) -> Guest {
    let mut guest = Guest::new();
    guest.head = format!(
        "{IMPORT_LOG} (global $n (mut i32) (i32.const 0)) (data (i32.const 512) \"{text}\")"
    );
    let good = guest.fetch_records.clone();
    guest.fetch_records = format!(
        "(loop
            (call $log (i32.const 1) (i32.const 512) (i32.const {len}))
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (br_if 0 (i32.lt_u (global.get $n) (i32.const 10000)))) {good}"
    );
    guest
}

/// Everything that is logged while this guest is read, which answers well.
fn entries(guest: &Guest) -> Vec<String> {
    trace::collect(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut limits = limits();
        limits.call_timeout *= 5;
        let told = attack_with(guest, Arc::new(Silence), limits, fetch);
        assert_eq!(runtime.block_on(told).unwrap().records.len(), 2);
    })
}

#[test]
fn a_flood_of_entries_ends_after_those_it_may_have_and_they_are_clean() {
    let entries = entries(&flooding("a s3cret\\1b[31m", 13));
    assert_eq!(entries.len(), 64);
    for entry in &entries {
        assert!(
            entry.contains("a [redacted] [31m") && !entry.contains('\u{1b}'),
            "{entry:?}"
        );
    }
}

#[test]
fn a_flood_of_bytes_ends_after_those_it_may_have() {
    // 500 bytes from 512 on: the text, zeroes, and what lies in memory after them.
    let entries = entries(&flooding("long", 500));
    let bytes: usize = entries.iter().map(String::len).sum();
    assert!((1..=17).contains(&entries.len()), "{}", entries.len());
    assert!(bytes < 12_000, "8 KiB and what the trace adds: {bytes}");
    assert!(entries.iter().all(|entry| !entry.contains('\0')));
}

#[tokio::test]
async fn terminal_escapes_in_a_failure_are_taken_out_and_its_length_is_bounded() {
    let mut guest = Guest::new();
    let text = format!("\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}{}", "x".repeat(10_000));
    guest.fetch_records = answer(guest.image.failure(8, text.as_bytes()));
    let told = attack(&guest, fetch).await.unwrap_err();
    assert!(matches!(told, SourceError::Permanent(_)), "{told:?}");
    let told = told.to_string();
    assert!(
        !told.chars().any(|c| c.is_control() || c == '\u{202e}'),
        "{told:?}"
    );
    assert!(
        told.contains("]0;owned") && told.len() < 2_200,
        "{}",
        told.len()
    );
}

#[tokio::test]
async fn an_object_whose_name_has_terminal_escapes_is_refused() {
    let mut guest = Guest::new();
    guest.list_objects = answer(guest.image.objects(&["a\u{1b}[2Jb"], &[]));
    let told = attack(&guest, read_catalog).await.unwrap_err();
    assert!(matches!(told, SourceError::BadData(_)), "{told:?}");
    assert!(!told.to_string().contains('\u{1b}'), "{told}");
}
