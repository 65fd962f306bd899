//! A small MCP client for the stateless revision 2026-07-28 over streamable HTTP.
//!
//! One POST per request, one complete answer, JSON or event stream. It returns the HTTP status and
//! headers beside the JSON-RPC message, because refusals are there.

use anyhow::Context as _;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{self, Reply};

/// The MCP revision.
pub const PROTOCOL_VERSION: &str = "2026-07-28";

/// The media types that a client must accept.
pub const ACCEPT_BOTH: &str = "application/json, text/event-stream";

/// The answer to one MCP request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The HTTP headers.
    pub headers: HeaderMap,
    /// The JSON-RPC message; null if the body has none.
    pub body: Value,
    /// The notifications that preceded it on an event stream.
    pub notifications: Vec<Value>,
    /// The unparsed body.
    pub raw: String,
}

impl Answer {
    /// Reads an answer, JSON or event stream.
    pub fn from_reply(reply: Reply) -> Self {
        let raw = reply.text();
        let mut messages = if reply
            .header("content-type")
            .starts_with("text/event-stream")
        {
            events(&raw)
        } else {
            serde_json::from_str(&raw).ok().into_iter().collect()
        };
        let answer = messages
            .iter()
            .rposition(|message| message.get("id").is_some());
        let body = match answer {
            Some(index) => messages.remove(index),
            None => Value::Null,
        };
        Self {
            status: reply.status,
            headers: reply.headers,
            body,
            notifications: messages,
            raw,
        }
    }

    /// Returns the JSON-RPC result; null if there is none.
    pub fn result(&self) -> &Value {
        self.body.get("result").unwrap_or(&Value::Null)
    }

    /// Returns the JSON-RPC error code, if it is an error.
    pub fn error_code(&self) -> Option<i64> {
        self.body.pointer("/error/code").and_then(Value::as_i64)
    }

    /// Returns the structured content of a tool's result; null if there is none.
    pub fn structured(&self) -> &Value {
        self.result()
            .get("structuredContent")
            .unwrap_or(&Value::Null)
    }

    /// Returns whether a tool answered that it failed.
    pub fn is_tool_error(&self) -> bool {
        self.result().get("isError") == Some(&Value::Bool(true))
    }

    /// Returns whether a tool answered and did not fail.
    pub fn is_success(&self) -> bool {
        self.status == StatusCode::OK && self.result().is_object() && !self.is_tool_error()
    }

    /// Returns the text of a tool's result, all items joined.
    pub fn text(&self) -> String {
        let items = self.result().get("content").and_then(Value::as_array);
        let texts = items
            .into_iter()
            .flatten()
            .filter_map(|item| item.get("text"));
        let texts: Vec<&str> = texts.filter_map(Value::as_str).collect();
        texts.join("\n")
    }

    /// Returns `WWW-Authenticate`; empty if there is none.
    pub fn challenge(&self) -> &str {
        self.headers
            .get("www-authenticate")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// Calls a tool, with a bearer token or none.
///
/// # Errors
/// As [`client::send`].
pub async fn call(
    url: &str,
    token: Option<&str>,
    tool: &str,
    arguments: &Value,
) -> anyhow::Result<Answer> {
    let params = json!({"name": tool, "arguments": arguments});
    named(url, token, ("tools/call", tool), &params).await
}

/// Sends a request about a tool, a resource or a prompt, of a method and a name or URI.
///
/// # Errors
/// As [`client::send`], or the name cannot be a header.
pub async fn named(
    url: &str,
    token: Option<&str>,
    (method, name): (&str, &str),
    params: &Value,
) -> anyhow::Result<Answer> {
    let mut headers = headers(method, token)?;
    headers.insert(HeaderName::from_static("mcp-name"), name.parse()?);
    post(url, headers, &message(method, params)).await
}

/// Lists the tools that the token's bearer can call.
///
/// # Errors
/// As [`client::send`].
pub async fn list(url: &str, token: Option<&str>) -> anyhow::Result<Answer> {
    request(url, token, "tools/list", &json!({})).await
}

/// Sends any request that needs no `Mcp-Name`.
///
/// # Errors
/// As [`client::send`].
pub async fn request(
    url: &str,
    token: Option<&str>,
    method: &str,
    params: &Value,
) -> anyhow::Result<Answer> {
    post(url, headers(method, token)?, &message(method, params)).await
}

/// Sends a body under these headers, unchanged.
///
/// # Errors
/// As [`client::send`].
pub async fn post(url: &str, headers: HeaderMap, body: &Value) -> anyhow::Result<Answer> {
    send(url, headers, body.to_string()).await
}

/// Sends text under these headers, unchanged, even text that is not JSON.
///
/// # Errors
/// As [`client::send`].
pub async fn send(url: &str, headers: HeaderMap, body: String) -> anyhow::Result<Answer> {
    let reply = client::send(Method::POST, url, headers, body).await?;
    Ok(Answer::from_reply(reply))
}

/// Returns the headers of a request: content, revision, method, and a bearer token if there is one.
///
/// # Errors
/// The token or the method cannot be a header.
pub fn headers(method: &str, token: Option<&str>) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, "application/json".parse()?);
    headers.insert(ACCEPT, ACCEPT_BOTH.parse()?);
    headers.insert(
        HeaderName::from_static("mcp-protocol-version"),
        PROTOCOL_VERSION.parse()?,
    );
    headers.insert(HeaderName::from_static("mcp-method"), method.parse()?);
    if let Some(token) = token {
        let value = format!("Bearer {token}")
            .parse()
            .context("a token that no header carries")?;
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// Returns a JSON-RPC request with the `_meta` that the revision requires.
pub fn message(method: &str, params: &Value) -> Value {
    let mut params = params.clone();
    if let Some(members) = params.as_object_mut() {
        let own = members.entry("_meta").or_insert_with(|| json!({}));
        if let Some(own) = own.as_object_mut() {
            own.insert(
                "io.modelcontextprotocol/protocolVersion".into(),
                json!(PROTOCOL_VERSION),
            );
            own.insert(
                "io.modelcontextprotocol/clientCapabilities".into(),
                json!({}),
            );
            own.insert(
                "io.modelcontextprotocol/clientInfo".into(),
                json!({"name": "bailiwick-dev", "version": env!("CARGO_PKG_VERSION")}),
            );
        }
    }
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// Returns the same call with `curl`; `token` may be text for the shell to fill in, such as
/// `$TOKEN`.
pub fn curl(url: &str, token: &str, tool: &str, arguments: &Value) -> String {
    let body = message("tools/call", &json!({"name": tool, "arguments": arguments}));
    [
        format!("curl -sS {url}"),
        format!("-H \"Authorization: Bearer {token}\""),
        "-H 'Content-Type: application/json'".to_owned(),
        format!("-H 'Accept: {ACCEPT_BOTH}'"),
        format!("-H 'MCP-Protocol-Version: {PROTOCOL_VERSION}'"),
        "-H 'Mcp-Method: tools/call'".to_owned(),
        format!("-H 'Mcp-Name: {tool}'"),
        format!("-d '{}'", body.to_string().replace('\'', r"'\''")),
    ]
    .join(" \\\n  ")
}

/// Returns the JSON messages of an event stream.
pub(crate) fn events(text: &str) -> Vec<Value> {
    text.replace("\r\n", "\n")
        .split("\n\n")
        .filter_map(|event| {
            let data: Vec<&str> = event
                .lines()
                .filter_map(|line| line.strip_prefix("data:"))
                .map(|data| data.strip_prefix(' ').unwrap_or(data))
                .collect();
            serde_json::from_str(&data.join("\n")).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stream_is_notifications_and_one_answer() {
        let stream = concat!(
            ": keep-alive\n\n",
            "event: message\ndata: {\"method\":\"notifications/progress\"}\n\n",
            "id: 7\r\ndata: {\"id\":1,\r\ndata: \"result\":{\"isError\":true}}\r\n\r\n",
        );
        let headers = [(CONTENT_TYPE, "text/event-stream".parse())];
        let headers = headers
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.ok()?)));
        let answer = Answer::from_reply(Reply {
            status: StatusCode::OK,
            headers: headers.collect(),
            body: stream.into(),
        });
        assert!(answer.is_tool_error());
        assert_eq!(answer.notifications.len(), 1);
    }

    #[test]
    fn a_message_keeps_its_own_meta() {
        let message = message("tools/list", &json!({"_meta": {"traceparent": "t"}}));
        assert_eq!(
            message.pointer("/params/_meta/traceparent"),
            Some(&json!("t"))
        );
        let version = "/params/_meta/io.modelcontextprotocol~1protocolVersion";
        assert_eq!(message.pointer(version), Some(&json!(PROTOCOL_VERSION)));
    }
}
