//! Decides what an app is told of changes, in which batches, signed how, and when again where it did not listen.
//!
//! It sends nothing: a queue of posts that are due is handed out, and the outcome of each is told back.

mod happening;

mod subscription;

use super::answer::{Answer, Failure};
use super::call::{Call, Method};
use super::clock::iso;
use super::context::{self, Ctx};
use super::definition::invalid;
use super::objects::{Object, Objects};
use super::signature;
pub(super) use happening::Happening;
use happening::detail;
use serde::Deserialize;
use serde_json::{Value, json};
use subscription::Subscriptions;

/// Most events of one POST.
const MOST_EVENTS: usize = 100;
/// Waits before the ten attempts after the first, in minutes; 24 hours in all (the vendor tells only number and span).
const RETRIES_MIN: [i64; 10] = [1, 3, 6, 10, 30, 60, 120, 240, 360, 610];

/// Which of the older signatures stands in `X-HubSpot-Signature`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Legacy {
    /// Version 1.
    #[default]
    V1,
    /// Version 2.
    V2,
}

/// Where an app is told.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    url: String,
    concurrent: u64,
    created: i64,
    updated: i64,
}

/// Events that go out in one POST.
#[derive(Debug, Clone, PartialEq)]
struct Batch {
    id: u64,
    events: Vec<Value>,
    attempt: usize,
    /// Milliseconds since 1970; none while it is being sent.
    due: Option<i64>,
}

/// A POST that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Told back with the outcome.
    pub id: u64,
    /// Whole address.
    pub url: String,
    /// Names and values, the signatures among them.
    pub headers: Vec<(&'static str, String)>,
    /// A JSON list of events.
    pub body: Vec<u8>,
}

/// The webhooks of the portal's app.
#[derive(Debug, Clone, Default)]
pub(super) struct Webhooks {
    target: Option<Target>,
    subscriptions: Subscriptions,
    queue: Vec<Batch>,
    next: u64,
}

/// Whose webhooks they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct App<'a> {
    pub(super) id: u64,
    pub(super) client_secret: &'a str,
    /// `hapikey` of the settings.
    pub(super) developer_key: &'a str,
    pub(super) legacy: Legacy,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Throttling {
    max_concurrent_requests: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewTarget {
    target_url: String,
    throttling: Throttling,
}

impl Webhooks {
    /// Whether anybody is told anything; where not, telling is spared.
    pub(super) fn listens(&self) -> bool {
        self.target.is_some() && self.subscriptions.active().next().is_some()
    }

    /// Queues an event for every subscription that wants it.
    pub(super) fn tell(
        &mut self,
        ctx: Ctx,
        app: u64,
        object: &Object,
        id: u64,
        happening: Happening<'_>,
    ) {
        if self.target.is_none() {
            return;
        }
        let wanting = self.subscriptions.active();
        let wanting: Vec<(u64, String)> = wanting
            .filter(|one| one.wants(object, happening))
            .map(|one| (one.id, one.event.clone()))
            .collect();
        for (subscription, event) in wanting {
            self.next += 1;
            let mut told = json!({
                "eventId": self.next,
                "subscriptionId": subscription,
                "portalId": ctx.portal,
                "appId": app,
                "occurredAt": ctx.now,
                "subscriptionType": event,
                "attemptNumber": 0,
                "objectId": id,
                "changeSource": "INTEGRATION",
                "sourceId": app.to_string(),
            });
            if event.starts_with("object.") {
                told["objectTypeId"] = json!(object.object_type.to_string());
            }
            detail(&mut told, id, happening);
            self.push(ctx.now, told);
        }
    }

    fn push(&mut self, now: i64, event: Value) {
        let open = self.queue.iter_mut().find(|batch| {
            batch.attempt == 0 && batch.due.is_some() && batch.events.len() < MOST_EVENTS
        });
        if let Some(batch) = open {
            batch.events.push(event);
            return;
        }
        self.next += 1;
        self.queue.push(Batch {
            id: self.next,
            events: vec![event],
            attempt: 0,
            due: Some(now),
        });
    }

    /// Takes the posts that are due, each to be told back; with none under way, a post is never handed out twice.
    pub(super) fn due(&mut self, now: i64, app: App<'_>) -> Vec<Post> {
        let Some(target) = &self.target else {
            return Vec::new();
        };
        let under_way = self.queue.iter().filter(|batch| batch.due.is_none());
        let room = usize::try_from(target.concurrent).unwrap_or(usize::MAX);
        let room = room.saturating_sub(under_way.count());
        let ready = self
            .queue
            .iter_mut()
            .filter(|batch| batch.due.is_some_and(|due| due <= now));
        ready
            .take(room)
            .map(|batch| {
                batch.due = None;
                post(&target.url, batch, now, app)
            })
            .collect()
    }

    /// Tells what became of a post; one that was not taken is due again later, ten times at most.
    pub(super) fn outcome(&mut self, id: u64, taken: bool, now: i64) {
        let Some(place) = self.queue.iter().position(|batch| batch.id == id) else {
            return;
        };
        let batch = &mut self.queue[place];
        let wait = RETRIES_MIN.get(batch.attempt);
        match wait.filter(|_| !taken) {
            Some(minutes) => {
                batch.attempt += 1;
                batch.due = Some(now + minutes * 60_000);
                for event in &mut batch.events {
                    event["attemptNumber"] = json!(batch.attempt);
                }
            }
            None => {
                self.queue.remove(place);
            }
        }
    }

    /// Answers below `/webhooks/v3/{app}`; `rest` is what follows.
    ///
    /// # Errors
    ///
    /// 400, 401 without the developer key, 404, 405 or 409 in the vendor's envelope.
    pub(super) fn answer(
        &mut self,
        ctx: Ctx,
        app: App<'_>,
        objects: &Objects,
        call: &Call,
        rest: &[&str],
    ) -> Result<Answer, Failure> {
        if call.get("hapikey") != Some(app.developer_key) {
            return Err(Failure::new(
                401,
                "INVALID_AUTHENTICATION",
                "The API key provided is invalid",
            ));
        }
        let [id, rest @ ..] = rest else {
            return Err(Failure::no_endpoint());
        };
        if *id != app.id.to_string() {
            return Err(Failure::not_found());
        }
        match rest {
            ["settings"] => self.settings(ctx, call),
            ["subscriptions", rest @ ..] => self.subscriptions.answer(ctx, objects, call, rest),
            _ => Err(Failure::no_endpoint()),
        }
    }

    fn settings(&mut self, ctx: Ctx, call: &Call) -> Result<Answer, Failure> {
        match call.method {
            Method::Get => (),
            Method::Put => {
                let new: NewTarget = context::body(call)?;
                if !new.target_url.starts_with("http") {
                    return Err(invalid("targetUrl", "targetUrl must be a valid URL"));
                }
                if new.throttling.max_concurrent_requests == 0 {
                    return Err(invalid(
                        "throttling",
                        "maxConcurrentRequests must be greater than 0",
                    ));
                }
                let created = self.target.as_ref().map_or(ctx.now, |old| old.created);
                self.target = Some(Target {
                    url: new.target_url,
                    concurrent: new.throttling.max_concurrent_requests,
                    created,
                    updated: ctx.now,
                });
            }
            Method::Delete => {
                self.target = None;
                self.queue.clear();
                return Ok(Answer::no_content());
            }
            _ => return Err(Failure::method()),
        }
        let target = self.target.as_ref().ok_or_else(Failure::not_found)?;
        Ok(Answer::json(
            200,
            &json!({
                "targetUrl": target.url,
                "throttling": {"maxConcurrentRequests": target.concurrent},
                "createdAt": iso(target.created),
                "updatedAt": iso(target.updated),
            }),
        ))
    }
}

fn post(url: &str, batch: &Batch, now: i64, app: App<'_>) -> Post {
    let body = serde_json::to_vec(&batch.events).expect("plain data has a JSON form");
    let (version, old) = match app.legacy {
        Legacy::V1 => ("v1", signature::v1(app.client_secret, &body)),
        Legacy::V2 => ("v2", signature::v2(app.client_secret, "POST", url, &body)),
    };
    let new = signature::v3(app.client_secret, "POST", url, &body, now);
    Post {
        id: batch.id,
        url: url.to_owned(),
        headers: vec![
            ("Content-Type", "application/json".to_owned()),
            ("User-Agent", "HubSpot Connect 2.0 (http://dev.hubspot.com/) (namespace: webhooks-nio-http-client)".to_owned()),
            ("X-HubSpot-Signature-Version", version.to_owned()),
            ("X-HubSpot-Signature", old),
            ("X-HubSpot-Signature-v3", new),
            ("X-HubSpot-Request-Timestamp", now.to_string()),
        ],
        body,
    }
}
