//! One body, parsed once: a JSON-RPC request or notification of MCP.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::dispatch::TargetRequest;
use crate::json;

/// A parsed body.
pub(super) struct Message {
    /// The request's id; null for a notification.
    pub(super) id: Value,
    /// The target or method that it asks for.
    pub(super) asks: Asks,
    /// The number of its JSON values.
    pub(super) values: usize,
}

/// The request in a body.
pub(super) enum Asks {
    /// A target, which this host answers itself.
    Target(TargetCall),
    /// `subscriptions/listen`, with the body for the MCP library, written anew from the parsed
    /// values so that the library reads exactly what was read here.
    Listen(Vec<u8>),
    /// Anything else, with the body for the MCP library, also written anew.
    Other(Vec<u8>),
}

/// A request for a target.
pub(super) struct TargetCall {
    /// The target and its arguments.
    pub(super) request: TargetRequest,
    /// The members of `params._meta`.
    pub(super) meta: Map<String, Value>,
}

impl TargetCall {
    /// Returns the token under which the client wants to see progress: a string or an integer.
    pub(super) fn progress_token(&self) -> Option<Value> {
        let token = self.meta.get("progressToken")?;
        (token.is_string() || token.is_i64() || token.is_u64()).then(|| token.clone())
    }

    /// Returns the trace id of a valid `traceparent` in `_meta`.
    pub(super) fn trace_id(&self) -> Option<String> {
        let traceparent = self.meta.get("traceparent")?;
        traceparent.as_str().and_then(trace_id_of)
    }
}

/// The reason why a body is not acceptable, as a JSON-RPC error.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadMessage {
    /// The request's id, if it could be read.
    pub(super) id: Value,
    pub(super) code: i32,
    pub(super) message: String,
}

impl Message {
    pub(super) fn parse(body: &[u8]) -> Result<Self, BadMessage> {
        let mut value =
            json::parse(body, MAX_DEPTH).map_err(|error| bad(PARSE_ERROR, &error.to_string()))?;
        let id = request_id(&value)?;
        let parsed = (|| {
            check_members(&value)?;
            let values = amount(&value)?;
            let method = id.as_ref().and(value.get("method")).and_then(Value::as_str);
            let asks = match method {
                Some("tools/call") => {
                    let params = value.get_mut("params").map(Value::take);
                    Asks::Target(tool_call(params, body)?)
                }
                Some("subscriptions/listen") => Asks::Listen(value.to_string().into_bytes()),
                _ => Asks::Other(value.to_string().into_bytes()),
            };
            let id = id.clone().unwrap_or(Value::Null);
            Ok(Self { id, asks, values })
        })();
        parsed.map_err(|bad: BadMessage| BadMessage {
            id: id.unwrap_or(Value::Null),
            ..bad
        })
    }
}

/// Returns the id of a request, or `None` for a notification.
fn request_id(value: &Value) -> Result<Option<Value>, BadMessage> {
    let Value::Object(members) = value else {
        return Err(bad(
            INVALID_REQUEST,
            "the body must be one JSON-RPC object; batches are not part of MCP",
        ));
    };
    match members.get("id") {
        None => Ok(None),
        Some(Value::String(id)) if id.len() <= MAX_ID && !id.chars().any(char::is_control) => {
            Ok(Some(Value::String(id.clone())))
        }
        Some(id @ Value::Number(number)) if number.is_i64() => Ok(Some(id.clone())),
        Some(_) => Err(bad(
            INVALID_REQUEST,
            "`id` must be a string without control characters or an integer",
        )),
    }
}

/// Counts the values of a body. Fails if too many are outside of the arguments: a value takes a
/// hundred times the memory of its text, and no tool's schema bounds what is not an argument.
fn amount(value: &Value) -> Result<usize, BadMessage> {
    let arguments = value
        .get("params")
        .and_then(|params| params.get("arguments"));
    let arguments = arguments.map_or(0, json::values);
    let all = json::values(value);
    if all.saturating_sub(arguments) > MAX_VALUES_BESIDE {
        return Err(bad(
            INVALID_REQUEST,
            "the request has too many values outside of `params.arguments`",
        ));
    }
    Ok(all)
}

fn check_members(value: &Value) -> Result<(), BadMessage> {
    if value.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(bad(INVALID_REQUEST, "`jsonrpc` must be \"2.0\""));
    }
    if value.get("method").and_then(Value::as_str).is_none()
        || value.get("result").or(value.get("error")).is_some()
    {
        return Err(bad(
            INVALID_REQUEST,
            "the body must be a request or a notification",
        ));
    }
    let object_or_absent = |value: Option<&Value>| value.is_none_or(Value::is_object);
    let params = value.get("params");
    if !object_or_absent(params) || !object_or_absent(params.and_then(|params| params.get("_meta")))
    {
        return Err(bad(
            INVALID_PARAMS,
            "`params` and `params._meta` must be objects",
        ));
    }
    Ok(())
}

fn tool_call(params: Option<Value>, body: &[u8]) -> Result<TargetCall, BadMessage> {
    let mut params = params.unwrap_or_default();
    let not_object = || bad(INVALID_PARAMS, "`params.arguments` must be an object");
    let (arguments, text) = match params.get_mut("arguments").map(Value::take) {
        None => (Value::Object(Map::new()), "{}"),
        Some(arguments @ Value::Object(_)) => {
            (arguments, arguments_text(body).ok_or_else(not_object)?)
        }
        Some(_) => return Err(not_object()),
    };
    let meta = match params.get_mut("_meta").map(Value::take) {
        Some(Value::Object(meta)) => meta,
        _ => Map::new(),
    };
    match params.get("name").and_then(Value::as_str) {
        Some(tool) => Ok(TargetCall {
            request: TargetRequest::tool(tool.to_owned(), arguments, text),
            meta,
        }),
        None => Err(bad(
            INVALID_PARAMS,
            "`params.name` must be the name of a tool",
        )),
    }
}

/// Returns the text of the arguments in a body that was parsed before.
fn arguments_text(body: &[u8]) -> Option<&str> {
    #[derive(Deserialize)]
    struct Body<'b> {
        #[serde(borrow)]
        params: Params<'b>,
    }
    #[derive(Deserialize)]
    struct Params<'b> {
        #[serde(borrow)]
        arguments: &'b RawValue,
    }
    serde_json::from_slice::<Body<'_>>(body)
        .ok()
        .map(|body| body.params.arguments.get())
}

/// Returns the trace id of a W3C `traceparent` (Trace Context §3.2), if it is valid.
pub(super) fn trace_id_of(traceparent: &str) -> Option<String> {
    let mut parts = traceparent.split('-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, len: usize| {
        text.len() == len
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
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
    BadMessage {
        id: Value::Null,
        code,
        message: message.to_owned(),
    }
}

// JSON-RPC 2.0 §5.1.
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;
const MAX_DEPTH: usize = 64;
const MAX_ID: usize = 256;
const MAX_VALUES_BESIDE: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arguments_may_be_many_values() {
        let many = vec!["0"; 3_000].join(",");
        for (params, fits) in [
            (
                format!(r#"{{"name":"a","arguments":{{"list":[{many}]}}}}"#),
                true,
            ),
            (
                format!(r#"{{"name":"a","arguments":{{}},"_meta":{{"x":[{many}]}}}}"#),
                false,
            ),
            (
                format!(r#"{{"name":"a","arguments":{{}},"x":[{many}]}}"#),
                false,
            ),
        ] {
            let body =
                format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
            let refused = Message::parse(body.as_bytes()).err();
            assert_eq!(refused.is_none(), fits, "{refused:?}");
        }
    }

    #[test]
    fn a_body_is_one_request_or_it_is_refused() {
        for (body, code) in [
            ("[]", INVALID_REQUEST),
            (
                r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
                INVALID_REQUEST,
            ),
            ("7", INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":1}"#, INVALID_REQUEST),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"x","result":{}}"#,
                INVALID_REQUEST,
            ),
            (
                r#"{"jsonrpc":"2.0","id":"a\nb","method":"x"}"#,
                INVALID_REQUEST,
            ),
            (
                r#"{"jsonrpc":"2.0","id":9223372036854775813,"method":"x"}"#,
                INVALID_REQUEST,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"x","params":[]}"#,
                INVALID_PARAMS,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":7}}"#,
                INVALID_PARAMS,
            ),
            ("{", PARSE_ERROR),
            (r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#, INVALID_REQUEST),
            (
                r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#,
                INVALID_REQUEST,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#,
                INVALID_REQUEST,
            ),
            (r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#, INVALID_REQUEST),
            (
                r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}"#,
                PARSE_ERROR,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#,
                INVALID_PARAMS,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"#,
                INVALID_PARAMS,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[]}}"#,
                INVALID_PARAMS,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
                PARSE_ERROR,
            ),
        ] {
            assert_eq!(
                Message::parse(body.as_bytes()).err().map(|bad| bad.code),
                Some(code),
                "{body}"
            );
        }
    }

    #[test]
    fn a_number_is_judged_as_it_is_written_in_the_arguments_and_nowhere_else() {
        let call = |params: &str| {
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{params}}}"#
            );
            Message::parse(body.as_bytes())
                .ok()
                .and_then(|message| match message.asks {
                    Asks::Target(call) => Some(call.request.inexact),
                    Asks::Listen(_) | Asks::Other(_) => None,
                })
        };
        let wide = Some(Some("9007199254740993".to_owned()));
        assert_eq!(
            call(r#"{"name":"a","arguments":{"amount":9007199254740993}}"#),
            wide
        );
        assert_eq!(
            call(r#"{"name":"a","\u0061rguments":{"amount":[9007199254740993]}}"#),
            wide
        );
        for params in [
            r#"{"name":"a","arguments":{"amount":1}}"#,
            r#"{"name":"a","arguments":{},"_meta":{"progressToken":9007199254740993}}"#,
            r#"{"name":"a"}"#,
        ] {
            assert_eq!(call(params), Some(None), "{params}");
        }
    }

    #[test]
    fn a_notification_is_never_a_call() {
        let body = br#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#;
        assert!(Message::parse(body).is_ok_and(|message| matches!(message.asks, Asks::Other(_))));
    }

    #[test]
    fn only_a_valid_traceparent_names_a_trace() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (header, valid) in [
            (format!("00-{id}-00f067aa0ba902b7-01"), true),
            (format!("01-{id}-00f067aa0ba902b7-01-more"), true),
            (format!("00-{id}-00f067aa0ba902b7-01-more"), false),
            (format!("ff-{id}-00f067aa0ba902b7-01"), false),
            (
                format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
                false,
            ),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
            (format!("00-{id}-0000000000000000-01"), false),
            ("garbage".to_owned(), false),
        ] {
            assert_eq!(trace_id_of(&header).is_some(), valid, "{header}");
        }
    }
}
