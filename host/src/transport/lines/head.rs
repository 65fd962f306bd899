//! The head that a message of a line would have over HTTP.
//!
//! A line has no headers (MCP 2026-07-28, "Request Metadata" of stdio), so the head is written from
//! the message. It then passes through the same code as one that came, and cannot contradict the
//! message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use serde::Deserialize;
use serde_json::Value;

use crate::transport::message::{Asks, Message};
use crate::transport::revision::{PROTOCOL_VERSION, STANDARD_HEADERS};

/// Returns the head of a request to the path of the MCP endpoint.
pub(super) fn head(path: &str) -> Parts {
    let mut request = Request::post(path).body(()).unwrap_or_default();
    let headers = request.headers_mut();
    for (name, value) in [
        (HOST, "localhost"),
        (CONTENT_TYPE, "application/json"),
        (ACCEPT, "application/json, text/event-stream"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    request.into_parts().0
}

/// The parts of a message that headers repeat, and those that concern the session.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Headline {
    method: String,
    name: Option<String>,
    /// The revision that the message names in `_meta`.
    version: Option<String>,
    /// The id of the request that it cancels.
    cancels: Option<Value>,
}

impl Headline {
    /// Reads a message.
    pub(super) fn of(message: &Message) -> Self {
        match &message.asks {
            Asks::Target(call) => {
                let version = call.meta.get(PROTOCOL_VERSION).and_then(Value::as_str);
                Self {
                    method: call.method.into(),
                    name: call.named().map(String::from),
                    version: version.map(String::from),
                    cancels: None,
                }
            }
            Asks::Listen(body) | Asks::Other(body) => Self::read(body),
            Asks::Reply(_) => Self::default(),
        }
    }

    /// Reads a message that was written anew for the MCP library.
    fn read(body: &[u8]) -> Self {
        let written: Written = serde_json::from_slice(body).unwrap_or_default();
        let params = written.params.unwrap_or_default();
        let text = |name: &str| params.get(name).and_then(Value::as_str).map(String::from);
        let version = params
            .pointer("/_meta")
            .and_then(|meta| meta.get(PROTOCOL_VERSION));
        Self {
            name: text("name").or_else(|| text("uri")),
            version: version.and_then(Value::as_str).map(String::from),
            cancels: params
                .get("requestId")
                .filter(|_| written.method == "notifications/cancelled")
                .cloned(),
            method: written.method,
        }
    }

    /// Returns the id of the request that the message cancels.
    pub(super) fn cancels(&self) -> Option<&Value> {
        self.cancels.as_ref()
    }

    /// Returns true if the message opens a session of a revision before 2026-07-28.
    pub(super) fn initializes(&self) -> bool {
        self.method == "initialize"
    }

    /// Returns true unless the message is of a revision that has no sessions. It then says for
    /// itself what its client can do.
    pub(super) fn is_of_session(&self) -> bool {
        let version = self.version.as_deref();
        version.is_none_or(|version| version < STANDARD_HEADERS)
    }

    /// Returns true if the message says that the client of such a session is ready.
    pub(super) fn is_ready(&self) -> bool {
        self.method == "notifications/initialized"
    }

    /// Writes the headers. A message that names no revision is of the `negotiated` one.
    pub(super) fn write(&self, headers: &mut HeaderMap, negotiated: Option<&str>) {
        let negotiated = negotiated.filter(|_| !self.initializes());
        let name = |name: &'static str| HeaderName::from_static(name);
        let version = self.version.as_deref().or(negotiated);
        for (name, text) in [
            (name("mcp-protocol-version"), version),
            (name("mcp-method"), Some(self.method.as_str())),
            (name("mcp-name"), self.name.as_deref()),
        ] {
            headers.extend(text.map(|text| (name, value(text))));
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    method: String,
    params: Option<Value>,
}

/// Returns the value of a header that stands for `text`, wrapped unless it can stand as it is.
fn value(text: &str) -> HeaderValue {
    let plain = !text.starts_with("=?") && text.trim() == text && text.is_ascii();
    let plain = plain.then(|| HeaderValue::from_str(text).ok()).flatten();
    let wrapped = || HeaderValue::try_from(format!("=?base64?{}?=", STANDARD.encode(text))).ok();
    plain
        .or_else(wrapped)
        .unwrap_or(HeaderValue::from_static("unwritable"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;
    use crate::transport::headers;

    fn message(body: &Value) -> Message {
        Message::parse(body.to_string().as_bytes()).unwrap()
    }

    fn written(body: &Value, negotiated: Option<&str>) -> HeaderMap {
        let mut parts = head("/mcp");
        Headline::of(&message(body)).write(&mut parts.headers, negotiated);
        parts.headers
    }

    #[test]
    fn the_headers_of_a_call_agree_with_it_whatever_it_is_named() {
        for name in ["a", "\u{e9}", " a", "a\nb", "=?base64?YQ==?=", ""] {
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
                "name": name, "arguments": {}, "_meta": {PROTOCOL_VERSION: "2026-07-28"},
            }});
            let headers = written(&body, None);
            let Asks::Target(call) = message(&body).asks else {
                unreachable!("a call")
            };
            assert_eq!(
                headers::check(&headers, &call, true, None),
                Ok(()),
                "{name:?}"
            );
            assert_eq!(headers.get("mcp-protocol-version").unwrap(), "2026-07-28");
        }
    }

    #[test]
    fn a_message_is_of_the_revision_that_it_names_and_else_of_the_negotiated_one() {
        let named = json!({PROTOCOL_VERSION: "2026-07-28"});
        for (method, meta, negotiated, expected) in [
            ("tools/list", json!({}), None, None),
            (
                "tools/list",
                json!({}),
                Some("2025-06-18"),
                Some("2025-06-18"),
            ),
            ("tools/list", named.clone(), None, Some("2026-07-28")),
            ("tools/list", named, Some("2025-06-18"), Some("2026-07-28")),
            ("initialize", json!({}), Some("2025-06-18"), None),
            ("tools/list", json!({PROTOCOL_VERSION: 1}), None, None),
        ] {
            let params = json!({"_meta": meta});
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
            let headers = written(&body, negotiated);
            let version = headers.get("mcp-protocol-version");
            assert_eq!(
                version.map(|value| value.to_str().unwrap()),
                expected,
                "{body}"
            );
            assert_eq!(headers.get("mcp-method").unwrap(), method);
        }
    }

    #[test]
    fn only_a_notification_of_it_cancels() {
        for (method, cancels) in [
            ("notifications/cancelled", Some(json!("7"))),
            ("notifications/progress", None),
        ] {
            let body = json!({"jsonrpc": "2.0", "method": method, "params": {"requestId": "7"}});
            assert_eq!(Headline::of(&message(&body)).cancels().cloned(), cancels);
        }
    }
}
