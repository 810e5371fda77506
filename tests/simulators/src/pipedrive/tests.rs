//! Holds the simulator against the vendor's documents and fact sheet, without a network where none is needed.

mod flow;

mod network;

mod schemas;

use super::account::Account;
use super::answer::answer;
use super::message::{Reply, Request};
use super::options::{Clock, Options};
use crate::crm_sample::CrmSample;
use crate::truth::{Crm, Generated, Live, Source};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

/// An account without a port.
fn account(options: Options) -> Account {
    let crm: Arc<dyn Crm> = match &options.truth {
        Source::Generated { records, seed } => Arc::new(Generated::new(*records, *seed)),
        Source::CrmSample(folder) => Arc::new(CrmSample::read(folder).unwrap()),
    };
    let account = Account::new(options, Live::new(crm));
    account
        .base_url
        .get_or_init(|| "http://127.0.0.1:9".to_owned());
    account
}

fn of(records: u64) -> Options {
    Options {
        truth: Source::Generated { records, seed: 1 },
        ..Options::default()
    }
}

fn manual(at: i64) -> (Clock, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(at));
    (Clock::Manual(Arc::clone(&now)), now)
}

/// Asks with the administrator's API token.
fn ask(account: &Account, path_and_query: &str) -> Reply {
    let (path, query) = path_and_query
        .split_once('?')
        .unwrap_or((path_and_query, ""));
    let token = account.oauth.api_token.clone();
    let request = Request {
        method: "GET",
        path,
        query,
        authorization: None,
        api_token: Some(&token),
        form: false,
        body: b"",
    };
    answer(account, &request)
}

#[track_caller]
fn json(account: &Account, path_and_query: &str) -> Value {
    let reply = ask(account, path_and_query);
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert_eq!(reply.status, 200, "{path_and_query}: {text}");
    serde_json::from_slice(&reply.body).unwrap()
}

/// Every record of a list of the second generation, and how many pages it took.
#[track_caller]
fn all_v2(account: &Account, path_and_query: &str) -> (Vec<Value>, usize) {
    let joint = if path_and_query.contains('?') {
        '&'
    } else {
        '?'
    };
    let (mut records, mut pages, mut cursor) = (Vec::new(), 0, None::<String>);
    loop {
        let tail = cursor
            .map(|cursor| format!("{joint}cursor={cursor}"))
            .unwrap_or_default();
        let mut page = json(account, &format!("{path_and_query}{tail}"));
        records.append(page["data"].as_array_mut().unwrap());
        pages += 1;
        match page["additional_data"]["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return (records, pages),
        }
    }
}

/// Every record of a list of the first generation.
#[track_caller]
fn all_v1(account: &Account, path: &str, limit: usize) -> Vec<Value> {
    let (mut records, mut start) = (Vec::new(), 0);
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut page = json(
            account,
            &format!("{path}{joint}start={start}&limit={limit}"),
        );
        if let Some(data) = page["data"].as_array_mut() {
            records.append(data);
        }
        let more = &page["additional_data"]["pagination"];
        if more["more_items_in_collection"] != true {
            return records;
        }
        start = more["next_start"].as_u64().unwrap();
    }
}

fn ids(records: &[Value]) -> Vec<u64> {
    records
        .iter()
        .map(|record| record["id"].as_u64().unwrap())
        .collect()
}
