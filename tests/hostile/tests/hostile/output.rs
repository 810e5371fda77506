//! Connectors that answer with too much, with what is no text, or with memory that they do not have.

use model::{Source as _, SourceError};
use sandbox::Stop;

use crate::beside::{attack, check_fetch_stopped, check_stopped, fetch, limits, read_catalog};
use crate::guest::{Ask, Guest, IMPORT_LOG, answer, import_send};

fn stop() -> Stop {
    Stop::Output {
        max_bytes: limits().transfer_max_bytes(),
    }
}

/// The guest answers `fetch-records` with a page that claims so many bytes.
fn claiming(len: u32) -> Guest {
    let mut guest = Guest::new();
    guest.fetch_records = answer(guest.image.page_at([0, len], None));
    guest
}

#[tokio::test]
async fn a_page_beyond_the_output_limit_is_stopped_before_it_is_copied() {
    check_fetch_stopped(&claiming(1_000_000), &stop()).await;
}

#[tokio::test]
async fn a_page_larger_than_agreed_is_refused() {
    let answer = attack(&claiming(600_000), fetch).await;
    let Err(SourceError::BadData(message)) = answer else {
        panic!("{answer:?}")
    };
    assert!(message.contains("600000 bytes"), "{message}");
}

#[tokio::test]
async fn a_page_outside_of_its_memory_is_stopped() {
    let answer = attack(&claiming(0x7fff_ffff), fetch).await;
    assert!(matches!(answer, Err(SourceError::Trapped(_))), "{answer:?}");
}

#[tokio::test]
async fn an_answer_at_no_address_is_stopped() {
    let answer = attack(&Guest::fetching("(i32.const -8)"), fetch).await;
    assert!(matches!(answer, Err(SourceError::Trapped(_))), "{answer:?}");
}

#[tokio::test]
async fn a_huge_text_is_stopped() {
    let mut guest = Guest::new();
    // The account's name is the guest's memory, from its start.
    guest.check = answer(
        guest
            .image
            .words(&[0, 0, 0, 900_000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    );
    let told = attack(&guest, async |source| source.check().await).await;
    check_stopped(&told, &stop());
}

#[tokio::test]
async fn texts_that_are_huge_only_together_are_stopped() {
    let mut guest = Guest::new();
    let name = [600_000, 300_000];
    let mut account = vec![0, 0];
    account.extend([name, name, name].as_flattened());
    account.resize(15, 0);
    guest.check = answer(guest.image.words(&account));
    let told = attack(&guest, async |source| source.check().await).await;
    check_stopped(&told, &stop());
}

#[tokio::test]
async fn a_request_with_a_huge_body_is_stopped() {
    let mut guest = Guest::new();
    guest.head = import_send();
    let body = vec![b'x'; 450_000];
    let call = Ask {
        body: Some(body.as_slice()),
        ..Ask::get("/")
    }
    .call(&mut guest.image);
    // The same body, said to be twice as long.
    let call = call.replace("(i32.const 450000)", "(i32.const 900000)");
    guest.fetch_records = format!("{call} (unreachable)");
    check_fetch_stopped(&guest, &stop()).await;
}

#[tokio::test]
async fn a_huge_log_entry_is_stopped() {
    let body = "(call $log (i32.const 0) (i32.const 0) (i32.const 1000000)) (unreachable)";
    check_fetch_stopped(&Guest::with_head(IMPORT_LOG, body), &stop()).await;
}

#[tokio::test]
async fn a_failure_that_is_no_text_is_stopped() {
    let mut guest = Guest::new();
    guest.fetch_records = answer(guest.image.failure(8, b"\xff\xfe"));
    let told = attack(&guest, fetch).await;
    let Err(SourceError::Trapped(message)) = told else {
        panic!("{told:?}")
    };
    assert!(message.contains("broke the contract"), "{message}");
}

#[tokio::test]
async fn a_kind_of_failure_that_is_not_in_the_contract_is_stopped() {
    let mut guest = Guest::new();
    guest.fetch_records = answer(guest.image.failure(200, b"hello"));
    let told = attack(&guest, fetch).await;
    assert!(matches!(told, Err(SourceError::Trapped(_))), "{told:?}");
}

#[tokio::test]
async fn a_list_of_more_objects_than_memory_holds_is_stopped() {
    let mut guest = Guest::new();
    guest.list_objects = answer(guest.image.objects_claiming(u32::MAX));
    let told = attack(&guest, read_catalog).await;
    assert!(matches!(told, Err(SourceError::Trapped(_))), "{told:?}");
}
