//! Answers of remote servers, good ones and others.

use serde_json::{Value, json};

use super::Message;
use crate::recorder::{Reaction, Then};

/// Makes an answer. `headers` end with a line break each.
pub fn answer(status: &str, headers: &str, body: &str) -> Reaction {
    let length = body.len();
    Reaction {
        bytes: format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
            .into_bytes(),
        then: Then::Next,
    }
}

/// Makes an answer of one message.
pub fn as_json(message: &Value) -> Reaction {
    let kind = "Content-Type: application/json\r\n";
    answer("200 OK", kind, &message.to_string())
}

/// Makes an answer that is a stream of messages.
pub fn as_stream(messages: &[Value]) -> Reaction {
    let events: String = messages.iter().map(event).collect();
    answer("200 OK", "Content-Type: text/event-stream\r\n", &events)
}

/// Makes a stream that begins with these messages, and what follows them; its length is not said.
pub fn open_stream(messages: &[Value], then: Then) -> Reaction {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    let events: String = messages.iter().map(event).collect();
    Reaction {
        bytes: format!("{head}{events}").into_bytes(),
        then,
    }
}

/// Says nothing, for as long as the other side waits.
pub fn silence() -> Reaction {
    Reaction {
        bytes: Vec::new(),
        then: Then::Silence,
    }
}

fn event(message: &Value) -> String {
    format!("event: message\ndata: {message}\n\n")
}

/// Returns the result of a request.
pub fn result(message: &Message, result: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": message.id(), "result": result})
}

/// Returns the result of a call: one text.
pub fn text(message: &Message, text: &str) -> Value {
    let content = json!([{"type": "text", "text": text}]);
    result(
        message,
        &json!({"content": content, "resultType": "complete"}),
    )
}

/// Returns a notification that nobody asked for.
pub fn note() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/message",
        "params": {"level": "info", "data": "working"}})
}

/// Makes a refusal with an error of JSON-RPC.
pub fn failed(message: &Message, status: &str, code: i64, why: &str) -> Reaction {
    let error = json!({"jsonrpc": "2.0", "id": message.id(),
        "error": {"code": code, "message": why}});
    let kind = "Content-Type: application/json\r\n";
    answer(status, kind, &error.to_string())
}
