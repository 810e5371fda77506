//! Catalogs that are bombs, or name one thing twice.

use std::sync::Arc;

use model::SourceError;
use sandbox::Stop;

use crate::beside::{Silence, attack, attack_with, check_stopped, limits, read_catalog};
use crate::guest::{Guest, answer};
use crate::image::FIELDS;

fn listing(names: &[&str], fields: &[(&str, u32)]) -> Guest {
    let mut guest = Guest::new();
    guest.list_objects = answer(guest.image.objects(names, fields));
    guest
}

async fn check_refused(guest: &Guest, expected: &str) {
    // Room to hand over what the test is about, so that the catalog's own limits are met.
    let mut limits = limits();
    limits.rows.page_max_bytes = 16 << 20;
    let told = attack_with(guest, Arc::new(Silence), limits, read_catalog).await;
    match told {
        Err(SourceError::BadData(message)) if message.contains(expected) => {}
        other => panic!(
            "expected {expected:?}, got {:?}",
            other.map(|_| "a catalog")
        ),
    }
}

#[tokio::test]
async fn a_hundred_thousand_objects_do_not_get_across() {
    // Few of them are anything; all of them would be something in the host's memory.
    let mut guest = Guest::new();
    guest.memory_pages = 120;
    guest.list_objects = answer(guest.image.objects_claiming(100_000));
    let mut limits = limits();
    limits.memory_max_bytes = 8 << 20;
    let stop = Stop::Output {
        max_bytes: limits.transfer_max_bytes(),
    };
    let told = attack_with(&guest, Arc::new(Silence), limits, read_catalog).await;
    check_stopped(&told, &stop);
}

#[tokio::test]
async fn more_objects_than_agreed_are_refused() {
    let names: Vec<String> = (0..501).map(|number| format!("thing{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    check_refused(&listing(&names, &[]), "501 objects").await;
}

#[tokio::test]
async fn more_fields_than_agreed_are_refused() {
    check_refused(
        &listing(&["thing"], &vec![("x", 0); 10_001]),
        "10001 fields",
    )
    .await;
}

#[tokio::test]
async fn an_object_that_comes_twice_is_refused() {
    check_refused(
        &listing(&["thing", "thing"], FIELDS),
        "\"thing\" is declared twice",
    )
    .await;
}

#[tokio::test]
async fn a_field_that_comes_twice_is_refused() {
    check_refused(
        &listing(&["thing"], &[("x", 0), ("x", 0)]),
        "\"x\" is declared twice",
    )
    .await;
}

#[tokio::test]
async fn names_that_are_none_are_refused() {
    let long = "x".repeat(256);
    for name in ["", "a\nb", "a\u{0}b", "a\u{202e}b", long.as_str()] {
        check_refused(&listing(&[name], &[]), "no usable name").await;
        check_refused(&listing(&["thing"], &[(name, 0)]), "no usable name").await;
    }
}

#[tokio::test]
async fn a_kind_of_field_that_is_not_in_the_contract_is_stopped() {
    let told = attack(&listing(&["thing"], &[("x", 77)]), read_catalog).await;
    assert!(matches!(told, Err(SourceError::Trapped(_))), "{told:?}");
}

#[tokio::test]
async fn an_engagement_by_the_name_of_an_object_is_refused() {
    let mut guest = Guest::with_extras();
    guest.list_objects = answer(guest.image.objects(&["note"], FIELDS));
    check_refused(&guest, "\"note\" is declared twice").await;
}

#[tokio::test]
async fn names_that_are_paths_markup_or_code_are_names() {
    let names = ["../../etc/passwd", "<b>", "'; DROP TABLE x; --", "=1+1"];
    let (catalog, _) = attack(&listing(&names, &[]), read_catalog).await.unwrap();
    let told: Vec<_> = catalog
        .objects
        .iter()
        .map(|object| object.name.as_str().to_owned())
        .collect();
    assert_eq!(told, names);
}
