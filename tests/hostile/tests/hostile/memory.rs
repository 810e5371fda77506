//! Connectors that want more memory, tables or stack than they may have.

use sandbox::Stop;

use crate::beside::{MEMORY_MAX_BYTES, attack, check_fetch_stopped, fetch};
use crate::guest::Guest;

const MIB: usize = 1 << 20;

fn wanting(wanted_bytes: usize) -> Stop {
    Stop::Memory {
        wanted_bytes,
        max_bytes: MEMORY_MAX_BYTES,
    }
}

#[tokio::test]
async fn a_memory_bomb_is_stopped() {
    // It starts with 1 MiB and takes one more each time.
    let bomb = "(loop (drop (memory.grow (i32.const 16))) (br 0)) (unreachable)";
    check_fetch_stopped(&Guest::fetching(bomb), &wanting(5 * MIB)).await;
}

#[tokio::test]
async fn one_huge_grow_is_stopped() {
    let bomb = "(drop (memory.grow (i32.const 65000))) (unreachable)";
    check_fetch_stopped(&Guest::fetching(bomb), &wanting(65_016 << 16)).await;
}

#[tokio::test]
async fn a_memory_that_starts_too_large_is_stopped() {
    let guest = Guest {
        memory_pages: 1_600,
        ..Guest::new()
    };
    check_fetch_stopped(&guest, &wanting(100 * MIB)).await;
}

#[tokio::test]
async fn an_allocator_that_takes_all_is_stopped() {
    let guest = Guest {
        realloc: "(drop (memory.grow (i32.const 1000)))".to_owned(),
        ..Guest::new()
    };
    check_fetch_stopped(&guest, &wanting(1_016 << 16)).await;
}

#[tokio::test]
async fn a_table_bomb_is_stopped() {
    let head = "(table $t 1 funcref)";
    let bomb =
        "(loop (drop (table.grow $t (ref.null func) (i32.const 50000))) (br 0)) (unreachable)";
    let stop = Stop::Table {
        wanted: 100_001,
        max: 100_000,
    };
    check_fetch_stopped(&Guest::with_head(head, bomb), &stop).await;
}

#[tokio::test]
async fn a_table_that_starts_too_large_is_stopped() {
    let stop = Stop::Table {
        wanted: 200_000,
        max: 100_000,
    };
    let guest = Guest::with_head("(table $t 200000 funcref)", "(unreachable)");
    check_fetch_stopped(&guest, &stop).await;
}

#[tokio::test]
async fn deep_recursion_is_stopped() {
    let head =
        "(func $deep (param i64) (result i64) (i64.add (call $deep (local.get 0)) (i64.const 1)))";
    let guest = Guest::with_head(head, "(drop (call $deep (i64.const 0))) (unreachable)");
    check_fetch_stopped(&guest, &Stop::Stack).await;
}

#[tokio::test]
async fn recursion_through_a_table_is_stopped() {
    let head = "(table $t 1 funcref) (elem (i32.const 0) $deep) (type $none (func))
        (func $deep (call_indirect $t (type $none) (i32.const 0)) (call_indirect $t (type $none) (i32.const 0)))";
    let guest = Guest::with_head(head, "(call $deep) (unreachable)");
    check_fetch_stopped(&guest, &Stop::Stack).await;
}

#[tokio::test]
async fn all_that_it_may_have_is_given_and_taken_back() {
    // Up to the limit and not a page more: no attack, and nothing of it stays.
    let mut guest = Guest::new();
    let good = guest.fetch_records.clone();
    guest.fetch_records = format!(
        "(drop (memory.grow (i32.const 48))) (memory.fill (i32.const 1048576) (i32.const 7) (i32.const 3145728)) {good}"
    );
    let page = attack(&guest, fetch).await.expect("it keeps to its limit");
    assert_eq!(page.records.len(), 2);
}
