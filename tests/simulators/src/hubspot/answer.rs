//! Holds what goes out: an answer, and a refusal in the vendor's envelope.
//!
//! It decides neither; whoever handles a call does.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// What goes out, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names (as the vendor writes them) and values; the content type is one of them where there is a body.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty with 204.
    pub body: Vec<u8>,
    /// Whether and where the connection breaks.
    pub cut: Option<Cut>,
}

/// Where a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// No byte of the answer arrives.
    Before,
    /// Head and half of the body arrive.
    Within,
}

impl Answer {
    /// An answer with a JSON body.
    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("plain data has a JSON form");
        Self {
            status,
            headers: vec![("Content-Type", "application/json;charset=utf-8".to_owned())],
            body,
            cut: None,
        }
    }

    /// 204.
    pub(super) fn no_content() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: Vec::new(),
            cut: None,
        }
    }

    /// A page for people, as proxies in front of the API send it.
    pub(super) fn html(status: u16, title: &str) -> Self {
        let body = format!("<html><head><title>{title}</title></head><body>{title}</body></html>");
        Self {
            status,
            headers: vec![("Content-Type", "text/html; charset=UTF-8".to_owned())],
            body: body.into_bytes(),
            cut: None,
        }
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The value of a header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// A refusal: `{status:"error", message, correlationId, category, subCategory?, errors[]?, context?}`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) category: &'static str,
    pub(super) message: String,
    more: Box<More>,
}

/// The parts that most refusals lack.
#[derive(Debug, Clone, PartialEq, Default)]
struct More {
    sub_category: Option<String>,
    errors: Vec<Value>,
    context: Map<String, Value>,
    extra: Map<String, Value>,
}

impl Failure {
    /// Any status and category.
    pub(super) fn new(status: u16, category: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            category,
            message: message.into(),
            more: Box::default(),
        }
    }

    /// 400 `VALIDATION_ERROR`.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "VALIDATION_ERROR", message)
    }

    /// 404 `OBJECT_NOT_FOUND`, "resource not found".
    pub(super) fn not_found() -> Self {
        Self::new(404, "OBJECT_NOT_FOUND", "resource not found")
    }

    /// 404 for a path that no endpoint has.
    pub(super) fn no_endpoint() -> Self {
        Self::new(
            404,
            "OBJECT_NOT_FOUND",
            "Unable to find the requested endpoint",
        )
    }

    /// 405.
    pub(super) fn method() -> Self {
        Self::new(405, "VALIDATION_ERROR", "HTTP 405 Method Not Allowed")
    }

    /// Adds `subCategory`.
    pub(super) fn sub(mut self, sub_category: impl Into<String>) -> Self {
        self.more.sub_category = Some(sub_category.into());
        self
    }

    /// Adds `context.<key>`, always a list.
    pub(super) fn context<T: Into<String>>(
        mut self,
        key: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let values = values
            .into_iter()
            .map(|value| Value::String(value.into()))
            .collect();
        self.more
            .context
            .insert(key.to_owned(), Value::Array(values));
        self
    }

    /// Without a key of `context` that other answers to the same refusal have.
    pub(super) fn without(mut self, key: &str) -> Self {
        self.more.context.remove(key);
        self
    }

    /// Adds an entry of `errors`, such as `{message, code, context:{propertyName:[…]}}`.
    pub(super) fn error(mut self, error: Value) -> Self {
        self.more.errors.push(error);
        self
    }

    /// Adds a field of the envelope that only some refusals have, such as `policyName`.
    pub(super) fn extra(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.more.extra.insert(key.to_owned(), value.into());
        self
    }

    /// The entry of `errors` in the answer to a batch: the envelope without a correlation id.
    pub(super) fn entry(&self) -> Value {
        let mut out = self.more.extra.clone();
        out.insert("status".to_owned(), json!("error"));
        out.insert("message".to_owned(), json!(self.message));
        out.insert("category".to_owned(), json!(self.category));
        if let Some(sub_category) = &self.more.sub_category {
            out.insert("subCategory".to_owned(), json!(sub_category));
        }
        if !self.more.errors.is_empty() {
            out.insert("errors".to_owned(), json!(self.more.errors));
        }
        if !self.more.context.is_empty() {
            out.insert("context".to_owned(), json!(self.more.context));
        }
        Value::Object(out)
    }

    /// The whole answer.
    pub(super) fn answer(self, correlation_id: &str) -> Answer {
        let mut body = self.entry();
        body["correlationId"] = json!(correlation_id);
        Answer::json(self.status, &body)
    }
}
