//! The answer to one message: JSON, or the one answer in a stream of events.

use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use super::error::RemoteError;
use super::events;
use crate::json::{self, member};

/// The parts of an HTTP answer that say what became of a message.
#[derive(Debug, Clone, Copy)]
pub struct RemoteReply<'r> {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: &'r HeaderMap,
    /// The body, whole and decoded.
    pub body: &'r [u8],
}

/// What a server says to one message.
#[derive(Debug, Clone, PartialEq)]
pub enum RemoteAnswer {
    /// The message has this result.
    Result(Map<String, Value>),
    /// The message failed.
    Error {
        /// The code of JSON-RPC.
        code: i64,
        /// The server's text, which nobody has judged.
        message: String,
    },
    /// There is no message of JSON-RPC, so the HTTP status is all that there is.
    Status(u16),
}

impl RemoteAnswer {
    /// Returns the result of a message that prepares a call.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn result_of(
        &self,
        method: &'static str,
    ) -> Result<&Map<String, Value>, RemoteError> {
        match self {
            Self::Result(result) => Ok(result),
            Self::Error { code, .. } => Err(RemoteError::Refused {
                method,
                code: *code,
            }),
            Self::Status(status) => Err(RemoteError::Status {
                method,
                status: *status,
            }),
        }
    }
}

impl RemoteReply<'_> {
    /// Returns the answer to the message `id`.
    ///
    /// # Errors
    /// There is a message, and it is not the one answer to that one.
    pub(super) fn answer(&self, id: u64) -> Result<RemoteAnswer, RemoteError> {
        if !self.status.is_success() {
            return Ok(self.failure(id));
        }
        match self.media_type().as_str() {
            JSON => {
                let message = json::parse(self.body, MAX_DEPTH)?;
                match read(&message, id)? {
                    Said::Answer(answer) => Ok(answer),
                    Said::Notice => Err(RemoteError::Unanswered),
                }
            }
            EVENTS => self.in_stream(id),
            _ => Ok(RemoteAnswer::Status(self.status.as_u16())),
        }
    }

    /// Returns the error of JSON-RPC on a status of failure. Servers that refuse a message before
    /// they read it do not know its `id`, and what else the body says is for people.
    fn failure(&self, id: u64) -> RemoteAnswer {
        let status = RemoteAnswer::Status(self.status.as_u16());
        if self.media_type() != JSON {
            return status;
        }
        let Ok(Value::Object(mut message)) = json::parse(self.body, MAX_DEPTH) else {
            return status;
        };
        message.insert("id".to_owned(), Value::from(id));
        match read(&Value::Object(message), id) {
            Ok(Said::Answer(error @ RemoteAnswer::Error { .. })) => error,
            _ => status,
        }
    }

    fn in_stream(&self, id: u64) -> Result<RemoteAnswer, RemoteError> {
        let mut found = None;
        for text in events::messages(self.body)? {
            let message = json::parse(text.as_bytes(), MAX_DEPTH)?;
            if let Said::Answer(answer) = read(&message, id)?
                && found.replace(answer).is_some()
            {
                return Err(RemoteError::Twice);
            }
        }
        found.ok_or(RemoteError::Unanswered)
    }

    /// Returns the media type without parameters, in lower case; empty if there is not one.
    fn media_type(&self) -> String {
        let mut values = self.headers.get_all(header::CONTENT_TYPE).iter();
        let (first, second) = (values.next(), values.next());
        let value = first.filter(|_| second.is_none());
        let text = value.and_then(|value| value.to_str().ok());
        let essence = text.unwrap_or_default().split(';').next();
        essence.unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// What one message of a server is.
enum Said {
    Answer(RemoteAnswer),
    /// A notification, which says nothing of the host's message.
    Notice,
}

fn read(message: &Value, id: u64) -> Result<Said, RemoteError> {
    let Value::Object(message) = message else {
        return Err(RemoteError::NotRpc("it is not an object"));
    };
    if member::text(message, "jsonrpc")? != Some("2.0") {
        return Err(RemoteError::NotRpc("`jsonrpc` is not \"2.0\""));
    }
    if message.contains_key("method") {
        return match message.get("id") {
            None => Ok(Said::Notice),
            Some(_) => Err(RemoteError::Asks),
        };
    }
    if message.get("id") != Some(&Value::from(id)) {
        return Err(RemoteError::Foreign);
    }
    let result = member::object(message, "result")?;
    let error = member::object(message, "error")?;
    match (result, error) {
        (Some(result), None) => Ok(Said::Answer(complete(result)?)),
        (None, Some(error)) => Ok(Said::Answer(failed(error)?)),
        _ => Err(RemoteError::NotRpc(
            "it has not one of `result` and `error`",
        )),
    }
}

/// Returns a result that is complete. Before 2026-07-28 no result says whether it is.
fn complete(result: &Map<String, Value>) -> Result<RemoteAnswer, RemoteError> {
    match member::text(result, "resultType")? {
        None | Some("complete") => Ok(RemoteAnswer::Result(result.clone())),
        Some("input_required") => Err(RemoteError::InputRequired),
        Some(_) => Err(RemoteError::NotRpc("its result is of an unknown type")),
    }
}

fn failed(error: &Map<String, Value>) -> Result<RemoteAnswer, RemoteError> {
    let code = member::integer(error, "code")?;
    let code = code.ok_or(RemoteError::NotRpc("its error has no code"))?;
    let message = member::text(error, "message")?.unwrap_or_default();
    Ok(RemoteAnswer::Error {
        code,
        message: message.to_owned(),
    })
}

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
/// The most levels of a message.
const MAX_DEPTH: usize = 64;
