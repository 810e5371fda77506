//! Holds a request taken apart: method, path, query, headers and body.
//!
//! It does not know the endpoints.

use super::answer::Failure;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
    /// Any other; no endpoint knows it.
    Other,
}

impl Method {
    /// The method of that name, in capitals.
    pub fn of(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }

    /// Its name in capitals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Other => "OTHER",
        }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Method.
    pub method: Method,
    /// Path and query as they came, such as `/crm/v3/objects/contacts?limit=5`.
    pub target: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Body, often empty.
    pub body: Vec<u8>,
    /// Parts of the path, decoded, without empty ones.
    pub(super) segments: Vec<String>,
    /// Query, decoded, in the order given.
    pub(super) query: Vec<(String, String)>,
}

impl Call {
    /// A request without headers and body; `target` is path and query.
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let segments = path.split('/').filter(|part| !part.is_empty());
        Self {
            method,
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            segments: segments
                .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
                .collect(),
            query: pairs(query),
        }
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// With `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// With a JSON body.
    #[must_use]
    pub fn body(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.with("content-type", "application/json")
    }

    /// With a body of bytes.
    #[must_use]
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The first header of that name (lower case).
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The bearer token.
    pub(super) fn token(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// Path as it came.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first parameter of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// True where the parameter is `true`, in any case: the vendor's own client for Python sends `True`.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A comma list; the parameter may also be repeated.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let values = self.query.iter().filter(|(key, _)| key == name);
        values
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// `limit`, from 1 to `max`.
    ///
    /// # Errors
    ///
    /// 400 where it is no number or out of range.
    pub(super) fn limit(&self, default: usize, max: usize) -> Result<usize, Failure> {
        let Some(text) = self.get("limit") else {
            return Ok(default);
        };
        match text.parse::<usize>() {
            Ok(limit) if (1..=max).contains(&limit) => Ok(limit),
            Ok(_) => Err(Failure::validation(format!(
                "limit must be between 1 and {max}"
            ))),
            Err(_) => Err(Failure::validation(format!(
                "Invalid value for query parameter limit: {text}"
            ))),
        }
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    ///
    /// 400 where it is not.
    pub(super) fn json(&self) -> Result<Value, Failure> {
        self.parsed(Value::is_object, "an object is expected")
    }

    /// The body as a JSON list.
    ///
    /// # Errors
    ///
    /// 400 where it is not.
    pub(super) fn json_list(&self) -> Result<Value, Failure> {
        self.parsed(Value::is_array, "a list is expected")
    }

    fn parsed(&self, fits: fn(&Value) -> bool, needs: &str) -> Result<Value, Failure> {
        let value: Value = serde_json::from_slice(&self.body).map_err(|error| {
            Failure::validation(format!(
                "Invalid input JSON on line {}, column {}: {error}",
                error.line(),
                error.column()
            ))
        })?;
        if fits(&value) {
            return Ok(value);
        }
        Err(Failure::validation(format!("Invalid input JSON: {needs}")))
    }

    /// The body as a form.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        pairs(&String::from_utf8_lossy(&self.body))
    }
}

/// Takes a query or a form apart; a plus sign is a space.
fn pairs(query: &str) -> Vec<(String, String)> {
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
