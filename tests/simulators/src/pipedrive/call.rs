//! Decides what a request asks for, and how the vendor words a refusal.
//!
//! It does not answer: the families of endpoints do.

use super::json::Json;
use crate::truth::Moment;
use percent_encoding::percent_decode_str;

/// Generation of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    V1,
    V2,
}

/// One request, taken apart.
#[derive(Debug)]
pub(super) struct Call {
    /// The parts of the path that its pattern leaves open.
    pub(super) parts: Vec<String>,
    /// Query, decoded, in the order given.
    pub(super) query: Vec<(String, String)>,
    /// The page before is to be served once more.
    pub(super) repeat: bool,
}

/// A refusal in the vendor's words.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) html: bool,
    pub(super) headers: Vec<(&'static str, String)>,
}

const INFO: &str =
    "Please check developers.pipedrive.com for more information about Pipedrive API.";

impl Refusal {
    fn new(status: u16, write: impl FnOnce(&mut Json)) -> Self {
        let mut out = Json::default();
        out.object(|out| {
            out.key("success").bool(false);
            write(out);
        });
        Self {
            status,
            body: out.into_bytes(),
            html: false,
            headers: Vec::new(),
        }
    }

    pub(super) fn plain(status: u16, error: &str, info: &str) -> Self {
        Self::new(status, |out| {
            out.key("error").text(error);
            out.key("errorCode").number(u64::from(status));
            out.key("error_info").text(info);
        })
    }

    pub(super) fn bad_request(error: &str) -> Self {
        Self::new(400, |out| {
            out.key("error").text(error);
            out.key("code").text("ERR_SCHEMA_VALIDATION_FAILED");
            out.key("error_info").text(INFO);
            out.key("data").null();
            out.key("additional_data").null();
        })
    }

    pub(super) fn not_found(error: &str) -> Self {
        Self::new(404, |out| {
            out.key("error").text(error);
            out.key("error_info").text("Object was not found.");
            out.key("data").null();
            out.key("additional_data").null();
        })
    }

    pub(super) fn unauthorized() -> Self {
        Self::plain(
            401,
            "unauthorized access",
            "Please check developers.pipedrive.com",
        )
    }

    pub(super) fn wrong_scope() -> Self {
        Self::plain(403, "Scope and URL mismatch", INFO)
    }

    pub(super) fn gone() -> Self {
        Self::plain(
            410,
            "This endpoint has been permanently removed, use API v2",
            INFO,
        )
    }

    pub(super) fn method() -> Self {
        Self::plain(405, "Method not allowed", INFO)
    }

    pub(super) fn server_error() -> Self {
        Self::plain(500, "Internal server error", INFO)
    }

    pub(super) fn rate_limited() -> Self {
        Self::plain(429, "request over limit", INFO)
    }

    pub(super) fn cloudflare() -> Self {
        let page = "<!DOCTYPE html>\n<html lang=\"en-US\"><head><title>Access denied | Cloudflare</title></head>\
                    <body><h1>Error 1015</h1><p>You are being rate limited.</p></body></html>\n";
        Self {
            status: 403,
            body: page.as_bytes().to_vec(),
            html: true,
            headers: Vec::new(),
        }
    }
}

impl Call {
    /// A parameter's first value; an empty one counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let parse = |value: &str| {
            value
                .parse()
                .map_err(|_| Refusal::bad_request(&format!("{name} must be an integer")))
        };
        self.get(name).map(parse).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(Refusal::bad_request(&format!("{name} must be a boolean"))),
        }
    }

    pub(super) fn moment(&self, name: &str) -> Result<Option<Moment>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        // A plus sign that was not encoded arrives as a space.
        let text = text.replace(' ', "+");
        let parsed = text.parse::<jiff::Timestamp>();
        let moment = parsed
            .map_err(|_| Refusal::bad_request(&format!("{name} must be in RFC3339 format")))?;
        Ok(Some(Moment(moment.as_millisecond())))
    }

    /// A comma list; the parameter may also be repeated.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let values = self
            .query
            .iter()
            .filter(|(key, _)| key == name || key.strip_suffix("[]") == Some(name));
        values
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// A comma list of numbers, at most a hundred.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<u64>, Refusal> {
        let parts = self.list(name);
        if parts.len() > 100 {
            return Err(Refusal::bad_request(&format!(
                "{name} must contain at most 100 ids"
            )));
        }
        let wrong = |_| {
            Refusal::bad_request(&format!(
                "{name} must be a comma separated list of integers"
            ))
        };
        parts
            .into_iter()
            .map(|part| part.parse().map_err(wrong))
            .collect()
    }

    /// One of the words, or none.
    pub(super) fn word<'a>(
        &'a self,
        name: &str,
        words: &[&str],
    ) -> Result<Option<&'a str>, Refusal> {
        match self.get(name) {
            Some(word) if !words.contains(&word) => Err(Refusal::bad_request(&format!(
                "{name} must be one of [{}]",
                words.join(", ")
            ))),
            other => Ok(other),
        }
    }

    /// Several of those words, with commas between them.
    pub(super) fn words<'a>(
        &'a self,
        name: &str,
        words: &[&str],
    ) -> Result<Option<Vec<&'a str>>, Refusal> {
        let Some(list) = self.get(name) else {
            return Ok(None);
        };
        let all: Vec<&str> = list.split(',').collect();
        if all.iter().all(|word| words.contains(word)) {
            return Ok(Some(all));
        }
        Err(Refusal::bad_request(&format!(
            "{name} must be of [{}]",
            words.join(", ")
        )))
    }

    /// The open part of the path as a number.
    pub(super) fn id(&self) -> Result<u64, Refusal> {
        let part = self.parts.first().map_or("", String::as_str);
        part.parse()
            .map_err(|_| Refusal::bad_request("id must be an integer"))
    }
}

/// Takes a query apart; a plus sign is a space.
pub(super) fn parse_query(query: &str) -> Vec<(String, String)> {
    let decode = |part: &str| {
        percent_decode_str(&part.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}
