//! A body, read from any bytes.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a second reader that fails has found something"
)]

use serde_json::{Map, Value};

use super::message::{Asks, Message};
use crate::dispatch::{TargetRequest, Wanted};
use crate::json::numbers;
use crate::sandbox::CompletionOf;
use crate::surfaces::Fate;

/// Reads a body. The host calls the tool that any reader finds in it, with the same arguments, and
/// the MCP library gets a body that says the same.
pub fn request(bytes: &[u8]) -> Fate {
    let Ok(message) = Message::parse(bytes) else {
        return Fate::Refused;
    };
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut body: Value = serde_json::from_slice(text).expect("JSON");
    without_nulls(&mut body);
    assert_eq!(body.get("jsonrpc"), Some(&Value::from("2.0")));
    assert!(same(&message.id, body.get("id").unwrap_or(&Value::Null)));
    if let Asks::Reply(reply) = &message.asks {
        assert!(body.get("method").is_none());
        assert!(reply.is_some() != body.get("error").is_some());
        return Fate::Accepted;
    }
    let method = body.get("method").and_then(Value::as_str);
    let method = method.expect("a method");
    match message.asks {
        Asks::Target(call) => {
            assert_eq!(method, call.method);
            let params = body.get("params").expect("parameters");
            asked(&call.request, params);
        }
        Asks::Reply(_) => {}
        Asks::Listen(written) | Asks::Other(written) => {
            let written: Value = serde_json::from_slice(&written).expect("JSON");
            assert!(same(&written, &body), "{written}");
        }
    }
    Fate::Accepted
}

/// Compares a request for a target with the parameters that it was read from.
fn asked(request: &TargetRequest, params: &Value) {
    let none = Value::Object(Map::new());
    let arguments = params.get("arguments").unwrap_or(&none);
    let text = |place: &str| params.pointer(place).and_then(Value::as_str);
    match &request.wanted {
        Wanted::Tool(name) | Wanted::Prompt(name) => {
            assert_eq!(text("/name"), Some(name.as_str()));
            assert!(same(&request.arguments, arguments));
        }
        Wanted::Resource(uri) => {
            assert_eq!(text("/uri"), Some(uri.as_str()));
            assert_eq!(request.arguments, none);
        }
        Wanted::Members(_) => assert!(text("/cursor").is_some()),
        Wanted::Completion(of, name) => {
            let place = match of {
                CompletionOf::Prompt => "/ref/name",
                CompletionOf::Family => "/ref/uri",
            };
            assert_eq!(text(place), Some(name.as_str()));
            for (own, place) in [("argument", "/argument/name"), ("value", "/argument/value")] {
                assert_eq!(
                    request.arguments.get(own).and_then(Value::as_str),
                    text(place)
                );
            }
        }
    }
}

/// Leaves out the members of MCP that mean nothing if they are null.
fn without_nulls(body: &mut Value) {
    for (place, names) in [
        ("", &["params", "result", "error"][..]),
        (
            "/params",
            &[
                "arguments",
                "_meta",
                "cursor",
                "inputResponses",
                "requestState",
            ],
        ),
    ] {
        let members = body.pointer_mut(place).and_then(Value::as_object_mut);
        let Some(members) = members else { continue };
        members.retain(|name, value| !(value.is_null() && names.contains(&name.as_str())));
    }
}

/// Returns true if both are the same value. An integer may be written `5.0`.
fn same(host: &Value, other: &Value) -> bool {
    match (host, other) {
        (Value::Object(host), Value::Object(other)) => {
            let known = |(name, value)| other.get(name).is_some_and(|other| same(value, other));
            host.len() == other.len() && host.iter().all(known)
        }
        (Value::Array(host), Value::Array(other)) => {
            host.len() == other.len() && host.iter().zip(other).all(|(a, b)| same(a, b))
        }
        (Value::Number(_), Value::Number(_)) => {
            let (mut host, mut other) = (host.clone(), other.clone());
            numbers::make_whole(&mut host);
            numbers::make_whole(&mut other);
            host == other
        }
        _ => host == other,
    }
}
