//! The lines that an answer becomes: its JSON, the events of its stream, or a refusal in words.
//!
//! Invariant: each is one JSON-RPC message without the end of a line in it.

use std::convert::Infallible;

use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;
use hyper::body::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::wire::LineSender;
use crate::transport::answer::HttpAnswer;

/// Writes the answer to the request with this id, or to a notification. Calls `last` before the
/// message that ends it: from then on the client may use the id again.
pub(super) async fn send(
    id: &Value,
    answer: HttpAnswer,
    lines: &LineSender,
    last: impl FnOnce() + Send,
) {
    if is_of(answer.headers(), "text/event-stream") {
        return events(answer, lines, last).await;
    }
    if let Some(line) = whole(id, answer).await {
        last();
        let _ = lines.send(line).await;
    }
}

/// Returns the line for an answer that is not a stream. There is none for what was accepted, and
/// none for a notification that was refused in words.
pub(super) async fn whole(id: &Value, answer: HttpAnswer) -> Option<Vec<u8>> {
    let is_json = is_of(answer.headers(), "application/json");
    let status = answer.status();
    if !is_json && (status.is_success() || id.is_null()) {
        tracing::debug!(%status, "a notification was answered");
        return None;
    }
    Some(always(id, answer).await)
}

/// Returns the line for an answer that says something, even if no id is known.
pub(super) async fn always(id: &Value, answer: HttpAnswer) -> Vec<u8> {
    let (head, body) = answer.into_parts();
    if is_of(&head.headers, "application/json") {
        let Ok(body) = body.collect().await;
        return in_one_line(&body.to_bytes());
    }
    refusal(id, &head.headers, (head.status, &text(body).await))
}

/// Returns an answer without the id of its request.
pub(super) fn nameless(line: &[u8]) -> Vec<u8> {
    let mut answer: Value = serde_json::from_slice(line).unwrap_or_default();
    if let Value::Object(members) = &mut answer {
        members.insert("id".into(), Value::Null);
    }
    answer.to_string().into_bytes()
}

/// Returns the words of an answer.
pub(super) async fn text(body: BoxBody<Bytes, Infallible>) -> String {
    let Ok(body) = body.collect().await;
    String::from_utf8_lossy(&body.to_bytes()).trim().to_owned()
}

/// Returns the JSON-RPC error for a refusal that HTTP has a status for. Its data has the status,
/// and the time to wait in seconds if waiting helps.
pub(super) fn refusal(
    id: &Value,
    headers: &HeaderMap,
    (status, text): (StatusCode, &str),
) -> Vec<u8> {
    let mut data = json!({"status": status.as_u16()});
    let wait = headers.get(header::RETRY_AFTER);
    let wait: Option<u64> = wait.and_then(|wait| wait.to_str().ok()?.parse().ok());
    if let (Some(wait), Value::Object(data)) = (wait, &mut data) {
        data.insert("retryAfter".into(), wait.into());
    }
    let is_theirs = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
    let code = if is_theirs {
        INVALID_REQUEST
    } else {
        INTERNAL_ERROR
    };
    let error = json!({"code": code, "message": text, "data": data});
    let message = json!({"jsonrpc": "2.0", "id": id, "error": error});
    message.to_string().into_bytes()
}

/// Writes the messages of a stream of server-sent events as they come.
async fn events(answer: HttpAnswer, lines: &LineSender, last: impl FnOnce() + Send) {
    let mut body = answer.into_body();
    let mut last = Some(last);
    let mut events = Events::default();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        for message in events.take(&bytes) {
            if let Some(last) = last.take_if(|_| is_response(&message)) {
                last();
            }
            if lines.send(in_one_line(&message)).await.is_err() {
                return;
            }
        }
    }
}

/// Returns true if a message is a response, which has an id and no method: a notification has no
/// id, and a request has both.
fn is_response(message: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Message {
        id: Option<IgnoredAny>,
        method: Option<IgnoredAny>,
    }
    serde_json::from_slice(message)
        .is_ok_and(|message: Message| message.id.is_some() && message.method.is_none())
}

/// The data of server-sent events, of which the bytes come in any pieces.
#[derive(Default)]
struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
}

impl Events {
    /// Takes more bytes; returns the data of the events that they complete.
    fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut complete = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if !part.ends_with(b"\n") {
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = line.trim_ascii_end();
            if line.is_empty() && !self.data.is_empty() {
                complete.push(std::mem::take(&mut self.data));
            } else if let Some(data) = line.strip_prefix(b"data:") {
                self.data.extend_from_slice(data.trim_ascii_start());
            }
        }
        complete
    }
}

fn is_of(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    value.is_some_and(|value| value.as_bytes().starts_with(media_type.as_bytes()))
}

/// Returns JSON without the ends of lines between its tokens. Strings have none.
fn in_one_line(json: &[u8]) -> Vec<u8> {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    json.iter().copied().filter(|byte| !is_end(byte)).collect()
}

// JSON-RPC 2.0 §5.1.
const INVALID_REQUEST: i32 = -32600;
const INTERNAL_ERROR: i32 = -32603;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::answer::{empty, later, message, plain};

    #[test]
    fn events_are_their_data_however_the_bytes_come() {
        let stream =
            b":\n\ndata:\n\nid: 1\ndata: {\"a\":1}\n\nretry: 5\r\ndata: {\"b\":\ndata: 2}\n\n:\n\n";
        for step in [1, 2, 7, 100] {
            let mut events = Events::default();
            let found: Vec<_> = stream
                .chunks(step)
                .flat_map(|bytes| events.take(bytes))
                .collect();
            assert_eq!(
                found,
                [br#"{"a":1}"#.to_vec(), br#"{"b":2}"#.to_vec()],
                "{step}"
            );
        }
    }

    #[test]
    fn only_a_response_has_an_id_and_no_method() {
        for (message, expected) in [
            (r#"{"jsonrpc":"2.0","id":1,"result":{"id":2}}"#, true),
            (r#"{"id":"a","jsonrpc":"2.0","error":{}}"#, true),
            (r#"{"jsonrpc":"2.0","method":"x","params":{"id":1}}"#, false),
            (r#"{"jsonrpc":"2.0","id":"a","method":"x"}"#, false),
            ("[]", false),
        ] {
            assert_eq!(is_response(message.as_bytes()), expected, "{message}");
        }
    }

    #[tokio::test]
    async fn every_request_has_one_line_and_a_notification_none_in_words() {
        let id = json!("7");
        let refused = || plain(StatusCode::FORBIDDEN, "no\u{a}");
        let words = |code: i32, text: &str, data: Value| {
            let error = json!({"code": code, "message": text, "data": data});
            Some(json!({"jsonrpc": "2.0", "id": "7", "error": error}))
        };
        for (answer, expected) in [
            (
                message(StatusCode::OK, b"{\"a\":\n1}".to_vec()),
                Some(json!({"a": 1})),
            ),
            (
                message(StatusCode::BAD_REQUEST, b"{}".to_vec()),
                Some(json!({})),
            ),
            (empty(StatusCode::ACCEPTED), None),
            (
                refused(),
                words(INVALID_REQUEST, "no", json!({"status": 403})),
            ),
            (
                later("busy"),
                words(
                    INTERNAL_ERROR,
                    "busy",
                    json!({"status": 503, "retryAfter": 1}),
                ),
            ),
        ] {
            let line = whole(&id, answer).await;
            assert!(line.as_ref().is_none_or(|line| !line.contains(&b'\n')));
            let read = |line: Vec<u8>| serde_json::from_slice::<Value>(&line).unwrap_or_default();
            assert_eq!(line.map(read), expected);
        }
        assert_eq!(whole(&Value::Null, refused()).await, None);
    }
}
