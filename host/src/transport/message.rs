//! One body, parsed once: a JSON-RPC request or notification of MCP.

use serde_json::{Map, Value};

use crate::dispatch::{TargetRequest, Wanted};
use crate::json::{self, numbers};

mod cursor;
mod targets;

pub(super) use cursor::Cursor;
use targets::{TargetMethod, target_call};

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
    /// Nothing: it is an answer to a request of this host. `None` is an error.
    Reply(Option<Value>),
}

/// A request for a target.
pub(super) struct TargetCall {
    /// The method.
    pub(super) method: &'static str,
    /// The target and its arguments.
    pub(super) request: TargetRequest,
    /// The members of `params._meta`.
    pub(super) meta: Map<String, Value>,
}

impl TargetCall {
    /// Returns the token under which the client wants to see progress: an integer, or a string that
    /// is as short as an id. Every report repeats it.
    pub(super) fn progress_token(&self) -> Option<Value> {
        let token = self.meta.get("progressToken")?;
        let is_short = token.as_str().is_some_and(|text| text.len() <= MAX_ID);
        (is_short || token.is_i64() || token.is_u64()).then(|| token.clone())
    }

    /// Returns the name that the header `Mcp-Name` repeats, if the method has one.
    pub(super) fn named(&self) -> Option<&str> {
        match &self.request.wanted {
            Wanted::Tool(name) | Wanted::Resource(name) | Wanted::Prompt(name) => Some(name),
            Wanted::Members(_) | Wanted::Completion(..) => None,
        }
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
        // RFC 8259 §8.1 lets a parser pass over the mark.
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        let mut value =
            json::parse(body, MAX_DEPTH).map_err(|error| bad(PARSE_ERROR, &error.to_string()))?;
        without_nulls(&mut value);
        with_whole_numbers(&mut value);
        let id = request_id(&value)?;
        let parsed = (|| {
            let is_reply = id.is_some() && is_reply(&value);
            if !is_reply {
                check_members(&value)?;
            }
            let values = amount(&value)?;
            let method = id.as_ref().and(value.get("method")).and_then(Value::as_str);
            let asks = match method {
                None if is_reply => Asks::Reply(value.get_mut("result").map(Value::take)),
                Some("subscriptions/listen") => Asks::Listen(value.to_string().into_bytes()),
                Some(method) => match TargetMethod::of(method, value.get("params")) {
                    Some(method) => {
                        let params = value.get_mut("params").map(Value::take);
                        Asks::Target(target_call(method, params.unwrap_or_default(), body)?)
                    }
                    None => Asks::Other(value.to_string().into_bytes()),
                },
                None => Asks::Other(value.to_string().into_bytes()),
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

/// Removes the members that mean nothing if they are null: they are then as good as absent.
fn without_nulls(message: &mut Value) {
    let Value::Object(members) = message else {
        return;
    };
    for name in ["params", "result", "error"] {
        remove_null(members, name);
    }
    if let Some(Value::Object(params)) = members.get_mut("params") {
        for name in [
            "arguments",
            "_meta",
            "cursor",
            "inputResponses",
            "requestState",
        ] {
            remove_null(params, name);
        }
    }
}

/// Writes the integers of MCP's own members as such: `1.0` as `1`.
fn with_whole_numbers(message: &mut Value) {
    for place in ["/id", "/params/_meta/progressToken"] {
        let number = message.pointer_mut(place).filter(|value| value.is_number());
        number.into_iter().for_each(numbers::make_whole);
    }
}

fn remove_null(members: &mut Map<String, Value>, name: &str) {
    if members.get(name).is_some_and(Value::is_null) {
        members.remove(name);
    }
}

/// Returns the id of a request, or `None` for a notification.
fn request_id(value: &Value) -> Result<Option<Value>, BadMessage> {
    let members = match value {
        Value::Object(members) => members,
        Value::Array(_) => return Err(bad(INVALID_REQUEST, NO_BATCHES)),
        _ => return Err(bad(INVALID_REQUEST, "expected one JSON-RPC object")),
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

/// Returns true for a response (JSON-RPC 2.0 §5): it has a result or an error, and no method.
fn is_reply(value: &Value) -> bool {
    let has = |name| value.get(name).is_some();
    value.get("jsonrpc").and_then(Value::as_str) == Some("2.0")
        && !has("method")
        && has("result") != has("error")
}

fn check_members(value: &Value) -> Result<(), BadMessage> {
    if value.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(bad(INVALID_REQUEST, "`jsonrpc` must be \"2.0\""));
    }
    if value.get("method").and_then(Value::as_str).is_none()
        || value.get("result").or(value.get("error")).is_some()
    {
        return Err(not_asked());
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

/// Refuses a response to a request that this host did not make.
pub(super) fn not_asked() -> BadMessage {
    bad(
        INVALID_REQUEST,
        "the body must be a request or a notification",
    )
}

fn bad(code: i32, message: &str) -> BadMessage {
    BadMessage {
        id: Value::Null,
        code,
        message: message.to_owned(),
    }
}

/// Batches came with 2025-03-26 and went with 2025-06-18.
const NO_BATCHES: &str = "batches (JSON arrays, as in revision 2025-03-26 of MCP) are not \
                          supported; send each request by itself";
// JSON-RPC 2.0 §5.1.
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const MAX_DEPTH: usize = 64;
const MAX_ID: usize = 256;
const MAX_VALUES_BESIDE: usize = 2_000;

#[cfg(test)]
mod tests;
