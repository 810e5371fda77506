//! Holds the simulator against the vendor's fact sheet, by requests, with a clock that stands until it is moved.

mod records;

mod batches;

mod links;

mod searches;

mod merges;

mod rules;

mod troubles;

mod network;

mod properties;

mod values;

mod pipelines;

mod account;

mod access;

mod webhooks;

use super::clock::manual;
use super::{Answer, Call, Method, ObjectType, Options, Portal};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// 2026-03-01T10:00:00Z
const START: i64 = 1_772_359_200_000;

/// A portal and the hand of its clock.
struct World {
    portal: Portal,
    hand: Arc<AtomicI64>,
}

impl World {
    fn new() -> Self {
        Self::with(|_| ())
    }

    /// Without limits and lag, unless the options are changed.
    fn with(change: impl FnOnce(&mut Options)) -> Self {
        let (clock, hand) = manual(START);
        let mut options = Options {
            clock,
            limits: super::Limits::Off,
            search_lag_ms: 0,
            ..Options::default()
        };
        change(&mut options);
        Self {
            portal: Portal::new(options),
            hand,
        }
    }

    fn pass(&self, ms: i64) {
        self.hand.fetch_add(ms, Ordering::SeqCst);
    }

    fn ask(&self, method: Method, target: &str) -> Answer {
        let call = Call::new(method, target).bearer(self.portal.token());
        self.portal.handle(&call)
    }

    fn send(&self, method: Method, target: &str, body: &Value) -> Answer {
        let call = Call::new(method, target)
            .bearer(self.portal.token())
            .body(body);
        self.portal.handle(&call)
    }

    #[track_caller]
    fn get(&self, target: &str) -> Value {
        expect(&self.ask(Method::Get, target), 200)
    }

    #[track_caller]
    fn post(&self, target: &str, body: &Value, status: u16) -> Value {
        expect(&self.send(Method::Post, target, body), status)
    }

    #[track_caller]
    fn patch(&self, target: &str, body: &Value, status: u16) -> Value {
        expect(&self.send(Method::Patch, target, body), status)
    }

    /// Creates a record; tells its id.
    #[track_caller]
    fn create(&self, object: &str, properties: &Value) -> String {
        let body = json!({ "properties": properties });
        let made = self.post(&format!("/crm/v3/objects/{object}"), &body, 201);
        text(&made["id"])
    }

    fn count(&self, object: ObjectType) -> usize {
        self.portal.count(object)
    }
}

#[track_caller]
fn expect(answer: &Answer, status: u16) -> Value {
    let body = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, status, "{body}");
    answer.value()
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// The ids of a list of records, sorted.
fn ids(records: &Value) -> Vec<String> {
    let records = records.as_array().expect("a list");
    let mut ids: Vec<String> = records.iter().map(|record| text(&record["id"])).collect();
    ids.sort_unstable();
    ids
}
