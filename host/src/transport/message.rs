//! One body, parsed once: a JSON-RPC request or notification of MCP.

use serde_json::Value;

use crate::dispatch::ToolRequest;
use crate::json;

/// A parsed body.
pub(super) struct Message {
    /// The body, for the MCP library: what was parsed here and nothing else.
    pub(super) bytes: Vec<u8>,
    /// The call that it asks for, if it is a `tools/call` request.
    pub(super) call: Option<ToolRequest>,
    /// The trace id of a valid `traceparent` in `_meta`.
    pub(super) trace_id: Option<String>,
}

/// Why a body is not acceptable, as JSON-RPC says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadMessage {
    pub(super) code: i32,
    pub(super) message: String,
}

impl Message {
    pub(super) fn parse(body: &[u8]) -> Result<Self, BadMessage> {
        let value = json::parse(body, MAX_DEPTH).map_err(|error| bad(PARSE_ERROR, &error.to_string()))?;
        let Value::Object(members) = &value else {
            return Err(bad(INVALID_REQUEST, "the body must be one JSON-RPC object; batches are not part of MCP"));
        };
        if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(bad(INVALID_REQUEST, "`jsonrpc` must be \"2.0\""));
        }
        let request = match members.get("id") {
            None => false,
            Some(Value::String(id)) if id.len() <= MAX_ID => true,
            Some(Value::Number(id)) if id.is_i64() || id.is_u64() => true,
            Some(_) => return Err(bad(INVALID_REQUEST, "`id` must be a string or an integer")),
        };
        let method = members.get("method").and_then(Value::as_str);
        let params = members.get("params");
        let call = if request && method == Some("tools/call") { Some(tool_request(params)?) } else { None };
        let trace_id = params.and_then(|params| params.pointer("/_meta/traceparent")).and_then(Value::as_str);
        let trace_id = trace_id.and_then(trace_id_of);
        Ok(Self { bytes: value.to_string().into_bytes(), call, trace_id })
    }
}

fn tool_request(params: Option<&Value>) -> Result<ToolRequest, BadMessage> {
    let member = |name: &str| params.and_then(|params| params.get(name));
    let Some(tool) = member("name").and_then(Value::as_str) else {
        return Err(bad(INVALID_PARAMS, "`params.name` must be the name of a tool"));
    };
    let arguments = match member("arguments") {
        None => Value::Object(serde_json::Map::new()),
        Some(arguments @ Value::Object(_)) => arguments.clone(),
        Some(_) => return Err(bad(INVALID_PARAMS, "`params.arguments` must be an object")),
    };
    Ok(ToolRequest { tool: tool.to_owned(), arguments })
}

/// The trace id of a W3C `traceparent` (Trace Context §3.2), if it is valid.
pub(super) fn trace_id_of(traceparent: &str) -> Option<String> {
    let mut parts = traceparent.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    let valid = hex(version, 2)
        && version != "ff"
        && (version != "00" || parts.next().is_none())
        && hex(trace, 32)
        && !zero(trace)
        && hex(parent, 16)
        && !zero(parent)
        && hex(flags, 2);
    valid.then(|| trace.to_owned())
}

fn bad(code: i32, message: &str) -> BadMessage {
    BadMessage { code, message: message.to_owned() }
}

// JSON-RPC 2.0 §5.1.
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;
const MAX_DEPTH: usize = 64;
const MAX_ID: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_request_or_it_is_refused() {
        for (body, code) in [
            ("[]", INVALID_REQUEST),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, INVALID_REQUEST),
            ("7", INVALID_REQUEST),
            ("{", PARSE_ERROR),
            (r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}"#, PARSE_ERROR),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, INVALID_PARAMS),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"#, INVALID_PARAMS),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[]}}"#, INVALID_PARAMS),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#, PARSE_ERROR),
        ] {
            assert_eq!(Message::parse(body.as_bytes()).err().map(|bad| bad.code), Some(code), "{body}");
        }
    }

    #[test]
    fn a_notification_is_never_a_call() {
        let body = br#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#;
        assert!(Message::parse(body).is_ok_and(|message| message.call.is_none()));
    }

    #[test]
    fn only_a_valid_traceparent_names_a_trace() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (header, valid) in [
            (format!("00-{id}-00f067aa0ba902b7-01"), true),
            (format!("01-{id}-00f067aa0ba902b7-01-more"), true),
            (format!("00-{id}-00f067aa0ba902b7-01-more"), false),
            (format!("ff-{id}-00f067aa0ba902b7-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()), false),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
            (format!("00-{id}-0000000000000000-01"), false),
            ("garbage".to_owned(), false),
        ] {
            assert_eq!(trace_id_of(&header).is_some(), valid, "{header}");
        }
    }
}
