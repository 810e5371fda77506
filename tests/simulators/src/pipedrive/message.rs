//! Holds a request as it came in and an answer as it goes out, without a network.
//!
//! It decides nothing.

use super::call::Refusal;

pub(super) const JSON: &str = "application/json; charset=utf-8";

/// A request as it came in.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) authorization: Option<&'a str>,
    pub(super) api_token: Option<&'a str>,
    pub(super) form: bool,
    pub(super) body: &'a [u8],
}

/// What goes out.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// The connection closes after so many bytes of the answer.
    pub(super) cut_after: Option<u64>,
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let content_type = if refusal.html {
            "text/html; charset=UTF-8"
        } else {
            JSON
        };
        Self {
            status: refusal.status,
            content_type,
            headers: refusal.headers,
            body: refusal.body,
            cut_after: None,
        }
    }
}
