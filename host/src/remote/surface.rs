//! A second reader of a remote server's stream of events: simpler, and with other means.
#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "a second reader that fails has found something"
)]

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::answer::{RemoteAnswer, RemoteReply};
use crate::surfaces::Fate;

/// Reads any bytes as the stream with the answer to message 1. It counts only if any reader finds
/// that one answer, and no request.
pub fn stream(bytes: &[u8]) -> Fate {
    let events = HeaderValue::from_static("text/event-stream");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, events)]);
    let reply = RemoteReply {
        status: StatusCode::OK,
        headers: &headers,
        body: bytes,
    };
    let Ok(answer) = reply.answer(1) else {
        return Fate::Refused;
    };
    let text = std::str::from_utf8(bytes).expect("text");
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (whole, _) = text.rsplit_once("\n\n").expect("a whole event");
    let messages: Vec<Value> = whole.split("\n\n").filter_map(message).collect();
    let has = |message: &Value, name: &str| message.get(name).is_some();
    let asks = messages
        .iter()
        .any(|message| has(message, "method") && has(message, "id"));
    assert!(!asks, "a request");
    let mut answers = messages.iter().filter(|message| has(message, "id"));
    let (first, second) = (answers.next().expect("an answer"), answers.next());
    assert_eq!((first.get("id"), second), (Some(&Value::from(1)), None));
    match answer {
        RemoteAnswer::Result(result) => {
            assert_eq!(first.get("result"), Some(&Value::Object(result)));
        }
        RemoteAnswer::Error { code, .. } => {
            assert_eq!(first.pointer("/error/code"), Some(&Value::from(code)));
        }
        RemoteAnswer::Status(status) => assert_eq!(status, 0, "a stream has an answer"),
    }
    Fate::Accepted
}

/// Returns the message of an event, if it is one and has data.
fn message(event: &str) -> Option<Value> {
    let field = |line: &str, name: &str| {
        let value = line.strip_prefix(name)?;
        let value = match value.strip_prefix(':') {
            Some(value) => value.strip_prefix(' ').unwrap_or(value),
            None if value.is_empty() => "",
            None => return None,
        };
        Some(value.to_owned())
    };
    let kind = event
        .split('\n')
        .rev()
        .find_map(|line| field(line, "event"));
    let data: Vec<String> = event
        .split('\n')
        .filter_map(|line| field(line, "data"))
        .collect();
    let data = data.join("\n");
    let is_message = kind.is_none_or(|kind| matches!(kind.as_str(), "" | "message"));
    let text = Some(data).filter(|data| is_message && !data.is_empty())?;
    let read = serde_json::from_str(&text);
    Some(read.expect("what the strict reader takes, any reader takes"))
}
