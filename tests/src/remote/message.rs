//! A message as it came, and what it says.

use bailiwick_dev::jws;
use serde_json::{Map, Value};

use crate::recorder::value;

/// A message as it came, and what it says.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The request, byte for byte.
    pub raw: String,
    /// The method of JSON-RPC; that of HTTP if the request has no message.
    pub method: String,
    /// The message; null if there is none.
    pub body: Value,
}

impl Message {
    /// Reads a request.
    pub fn read(request: &str) -> Self {
        let (_, body) = request.split_once("\r\n\r\n").unwrap_or_default();
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let verb = request.split(' ').next().unwrap_or_default();
        let method = body.get("method").and_then(Value::as_str).unwrap_or(verb);
        Self {
            raw: request.to_owned(),
            method: method.to_owned(),
            body,
        }
    }

    /// Returns the first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        value(&self.raw, name)
    }

    /// Returns how often a header is there.
    pub fn times(&self, name: &str) -> usize {
        let head = self.raw.lines().take_while(|line| !line.is_empty());
        let names = head.filter_map(|line| line.split_once(':'));
        names
            .filter(|(header, _)| header.eq_ignore_ascii_case(name))
            .count()
    }

    /// Returns the identifier of the request; null if it has none.
    pub fn id(&self) -> &Value {
        self.body.get("id").unwrap_or(&Value::Null)
    }

    /// Returns the bearer token; empty if there is none.
    pub fn bearer(&self) -> &str {
        let authorization = self.header("authorization").unwrap_or_default();
        authorization.strip_prefix("Bearer ").unwrap_or_default()
    }

    /// Returns the claims of the bearer token, without a check.
    pub fn claims(&self) -> Map<String, Value> {
        jws::unverified_claims(self.bearer()).unwrap_or_default()
    }

    /// Returns the subject of the bearer token; empty if there is none.
    pub fn subject(&self) -> String {
        let claims = self.claims();
        let subject = claims.get("sub").and_then(Value::as_str);
        subject.unwrap_or_default().to_owned()
    }

    /// Returns whether the sender reads both kinds of answers; only a POST has one.
    pub(super) fn accepts_both(&self) -> bool {
        let accept = self.header("accept").unwrap_or_default();
        let both = accept.contains("application/json") && accept.contains("text/event-stream");
        both || self.body.is_null()
    }
}
