//! Decides whether a connector's request is granted, and makes its address and headers.
//!
//! It sends nothing and adds no credential; the same rules hold for a request that is sent and for one that is replayed.

use model::grant::Method;
use reqwest::header::HeaderMap;
use url::Url;

use crate::confine::Base;
use crate::error::Breach;
use crate::header;
use crate::request::Request;
use crate::tape::Asked;

/// What is granted of one endpoint.
pub(crate) struct Door {
    /// The endpoint's id.
    pub(crate) id: String,
    pub(crate) base: Base,
    pub(crate) methods: Vec<Method>,
}

impl Door {
    /// The address and the headers of a granted request. `bound` is the header that carries the credential.
    pub(crate) fn admit(
        &self,
        request: &Request,
        bound: &str,
        body_max_bytes: usize,
    ) -> Result<(Url, HeaderMap), Breach> {
        if !self.methods.contains(&request.method) {
            return Err(Breach::Method(request.method.name()));
        }
        let url = self.base.join(&request.path, &request.query)?;
        let headers = header::outgoing(&request.headers, bound)?;
        let body_bytes = request.body.as_ref().map_or(0, Vec::len);
        if body_bytes > body_max_bytes {
            return Err(Breach::Size {
                what: "body",
                limit_bytes: body_max_bytes,
            });
        }
        Ok((url, headers))
    }

    /// The granted request as a tape holds it, not yet redacted.
    pub(crate) fn asked(
        &self,
        method: Method,
        url: &Url,
        headers: &HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Asked {
        let below = self.base.below(url);
        let path = match url.query() {
            Some(query) => format!("{below}?{query}"),
            None => below.to_owned(),
        };
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Asked {
            endpoint: self.id.clone(),
            method,
            path,
            headers: headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
                .collect(),
            body,
        }
    }
}
