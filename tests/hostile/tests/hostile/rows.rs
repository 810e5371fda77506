//! Pages whose bytes lie: rows that are none, wrong kinds, ids twice, no text; and data that would be markup, code or a path elsewhere.

use model::{RecordPage, SourceError};

use crate::beside::{Silence, attack, attack_with, fetch, limits};
use crate::guest::Guest;

async fn read(rows: &[u8]) -> Result<RecordPage, SourceError> {
    attack(&Guest::paging(rows, None), fetch).await
}

fn ids(page: &RecordPage) -> Vec<String> {
    page.records
        .iter()
        .map(|record| record.id().to_owned())
        .collect()
}

/// Of these rows, the good ones come and the lines of the others are told.
#[track_caller]
fn check(page: &RecordPage, good: &[&str], bad: &[usize]) {
    let lines: Vec<_> = page.rejected.iter().map(|row| row.line).collect();
    assert_eq!(
        (ids(page), lines),
        (
            good.iter().map(|id| (*id).to_owned()).collect(),
            bad.to_vec()
        )
    );
}

#[tokio::test]
async fn rows_that_are_none_are_set_aside_and_the_others_come() {
    let rows = "{\"id\":\"1\",\"fields\":{\"name\":\"Ada\"}}\n\
        not json\n\
        [1]\n\
        {\"id\":\"2\",\"fields\":{\"name\":\"cut\n\
        {\"fields\":{\"name\":\"no id\"}}\n\
        {\"id\":\"\",\"fields\":{}}\n\
        {\"id\":\"3\",\"fields\":{\"name\":\"Bob\"}} and more\n\
        {\"id\":\"4\",\"fields\":{}}\n";
    check(
        &read(rows.as_bytes()).await.unwrap(),
        &["1", "4"],
        &[2, 3, 4, 5, 6, 7],
    );
}

#[tokio::test]
async fn values_of_another_kind_or_of_no_declared_field_are_set_aside() {
    let rows = "{\"id\":\"1\",\"fields\":{\"amount\":12.5}}\n\
        {\"id\":\"2\",\"fields\":{\"amount\":\"a lot\"}}\n\
        {\"id\":\"3\",\"fields\":{\"name\":true}}\n\
        {\"id\":\"4\",\"fields\":{\"name\":{\"a\":1}}}\n\
        {\"id\":\"5\",\"fields\":{\"undeclared\":\"x\"}}\n\
        {\"id\":\"6\",\"fields\":{\"amount\":\"12.50\"}}\n";
    check(
        &read(rows.as_bytes()).await.unwrap(),
        &["6"],
        &[1, 2, 3, 4, 5],
    );
}

#[tokio::test]
async fn an_id_that_comes_twice_keeps_its_first_row() {
    let rows = "{\"id\":\"1\",\"fields\":{\"name\":\"first\"}}\n{\"id\":\"1\",\"fields\":{\"name\":\"second\"}}\n";
    let page = read(rows.as_bytes()).await.unwrap();
    check(&page, &["1"], &[2]);
    assert!(page.records.record(0).row_text().unwrap().contains("first"));
}

#[tokio::test]
async fn a_page_that_is_not_text_is_refused() {
    let told = read(b"{\"id\":\"\xff\"}\n").await;
    assert!(matches!(told, Err(SourceError::BadData(_))), "{told:?}");
}

#[tokio::test]
async fn a_row_of_a_hundred_thousand_brackets_is_set_aside() {
    let deep = format!(
        "{{\"id\":\"1\",\"fields\":{{\"name\":{}}}}}\n{{\"id\":\"2\",\"fields\":{{}}}}\n",
        "[".repeat(100_000)
    );
    check(&read(deep.as_bytes()).await.unwrap(), &["2"], &[1]);
}

#[tokio::test]
async fn a_number_of_a_hundred_thousand_digits_is_set_aside() {
    let long = format!(
        "{{\"id\":\"1\",\"fields\":{{\"amount\":\"{}\"}}}}\n",
        "9".repeat(100_000)
    );
    check(&read(long.as_bytes()).await.unwrap(), &[], &[1]);
}

#[tokio::test]
async fn more_rows_than_agreed_refuse_the_page() {
    let rows: String = (0..10_001)
        .map(|id| format!("{{\"id\":\"{id}\"}}\n"))
        .collect();
    let told = read(rows.as_bytes()).await;
    let Err(SourceError::BadData(message)) = told else {
        panic!("{told:?}")
    };
    assert!(message.contains("10000 rows"), "{message}");
}

#[tokio::test]
async fn a_row_larger_than_agreed_is_set_aside() {
    let mut limits = limits();
    limits.rows.row_max_bytes = 1_000;
    let rows = format!(
        "{{\"id\":\"1\",\"fields\":{{\"name\":\"{}\"}}}}\n{{\"id\":\"2\",\"fields\":{{}}}}\n",
        "x".repeat(1_000)
    );
    let guest = Guest::paging(rows.as_bytes(), None);
    let page = attack_with(&guest, std::sync::Arc::new(Silence), limits, fetch)
        .await
        .unwrap();
    check(&page, &["2"], &[1]);
}

#[tokio::test]
async fn markup_code_formulas_and_paths_come_through_as_the_data_that_they_are() {
    let texts = [
        "<script>alert(1)</script>",
        "'; DROP TABLE records; --",
        "=cmd|' /C calc'!A0",
        "../../../../etc/passwd",
        "%s%n{{7*7}}${HOME}",
        "\\u0000\\u001b[2J\\u202e",
    ];
    let rows: String = texts
        .iter()
        .enumerate()
        .map(|(id, text)| format!("{{\"id\":\"{id}\",\"fields\":{{\"name\":\"{text}\"}}}}\n"))
        .collect();
    let page = read(rows.as_bytes()).await.unwrap();
    assert_eq!((page.records.len(), page.rejected.len()), (texts.len(), 0));
    for (record, row) in page.records.iter().zip(rows.lines()) {
        assert_eq!(
            record.row_text(),
            Some(row),
            "neither run, nor escaped, nor changed"
        );
    }
}
