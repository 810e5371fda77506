//! Holds the way out of a connector under test: the real gateway, with faults in front of it when a case orders one.
//!
//! It waits for nobody: what a call would have waited is kept for the case to look at.

use std::borrow::Cow;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use egress::{EgressError, FailureKind, Gateway, Request, Response};
use sandbox::Outbound;
use tokio::time::Instant;

/// What happens to every request while it is ordered.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This status, with a `retry-after` in seconds where there is one.
    Status(u16, Option<u64>),
    /// The vendor's own answer, cut in the middle.
    Cut,
    /// A page for people, with status 200.
    Html,
    /// The gateway gives up in this way.
    Gateway(FailureKind),
}

/// The gateway behind the faults.
pub(crate) struct Wire {
    gateway: Gateway,
    fault: Mutex<Option<Fault>>,
    waits: Mutex<Vec<Duration>>,
}

impl Wire {
    pub(crate) fn new(gateway: Gateway) -> Self {
        let (fault, waits) = (Mutex::default(), Mutex::default());
        Self {
            gateway,
            fault,
            waits,
        }
    }

    /// Orders a fault, or ends it.
    pub(crate) fn order(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
        self.waits.lock().unwrap().clear();
    }

    /// The waits since the last order.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }
}

#[async_trait]
impl Outbound for Wire {
    async fn send(&self, request: Request, deadline: Instant) -> Result<Response, EgressError> {
        let fault = self.fault.lock().unwrap().clone();
        let json = vec![("content-type".to_owned(), "application/json".to_owned())];
        match fault {
            None => self.gateway.send(request, deadline).await,
            Some(Fault::Status(status, wait)) => {
                let mut headers = json;
                headers.extend(wait.map(|wait| ("retry-after".to_owned(), wait.to_string())));
                let body = br#"{"success":false,"error":{"message":"ordered"}}"#.to_vec();
                Ok(Response {
                    status,
                    headers,
                    body,
                })
            }
            Some(Fault::Cut) => {
                let mut answer = self.gateway.send(request, deadline).await?;
                answer.body.truncate(answer.body.len() / 2);
                Ok(answer)
            }
            Some(Fault::Html) => Ok(Response {
                status: 200,
                headers: vec![("content-type".to_owned(), "text/html".to_owned())],
                body: b"<!doctype html><title>Maintenance</title>".to_vec(),
            }),
            Some(Fault::Gateway(kind)) => Err(EgressError::Replayed {
                kind,
                message: "ordered".to_owned(),
                retry_after: None,
            }),
        }
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.gateway.redact(text)
    }

    async fn pause(&self, wait: Duration) {
        self.waits.lock().unwrap().push(wait);
    }
}
