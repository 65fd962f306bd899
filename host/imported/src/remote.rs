//! One tool of a remote MCP server: the call, and what becomes of its result.
//!
//! Trusts nothing in an answer. Invariant: of a result pass content of the kinds that MCP names,
//! structured content if it was described, and whether it is a failure; never `_meta` or
//! annotations. A resource is never read, and a link never followed.

mod content;

use bailiwick_sdk::bindings::{downstream, types};
use bailiwick_sdk::{Error, Part, Response};
use serde::Deserialize;
use serde_json::value::RawValue;

use content::Item;

/// A remote tool, as the importer writes it.
#[derive(Clone, Debug, Deserialize)]
pub struct RemoteCall {
    service: String,
    /// The name on the remote server.
    tool: String,
    /// Whether the structured content of its results was described.
    structured: bool,
}

/// What the host hands over of a server's answer.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RemoteAnswer {
    Result(CallToolResult),
    Error { code: i64, message: String },
}

/// The result of a tool (MCP, `CallToolResult`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallToolResult {
    #[serde(default)]
    content: Vec<Item>,
    structured_content: Option<Box<RawValue>>,
    is_error: Option<bool>,
}

impl RemoteCall {
    /// Returns the request with these arguments, which their schema accepts.
    pub fn request(&self, input: &str) -> downstream::Request {
        downstream::Request {
            service: self.service.clone(),
            method: METHOD.to_owned(),
            path: vec![Part::Text(self.tool.clone())],
            query: Vec::new(),
            headers: Vec::new(),
            body: input.as_bytes().to_vec(),
        }
    }

    /// Returns what the tool answers, of what the host hands over.
    ///
    /// # Errors
    /// The server answered with an error or not at all, or a part of its result cannot pass.
    pub fn output(&self, status: u16, body: &[u8]) -> Result<types::Output, Error> {
        if body.is_empty() {
            return Err(unanswered(status));
        }
        match serde_json::from_slice(body)? {
            RemoteAnswer::Result(result) => self.passed_on(result),
            RemoteAnswer::Error { code, message } => Err(refused(code, &message)),
        }
    }

    fn passed_on(&self, result: CallToolResult) -> Result<types::Output, Error> {
        let items = result.content.into_iter().enumerate();
        let mut content = items
            .map(|(index, item)| item.content().ok_or_else(|| unfit(index)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut structured = result
            .structured_content
            .map(|value| value.get().to_owned());
        if !self.structured {
            // A server should give it as text too (MCP, structured content), but some do not.
            let text = structured.take().filter(|_| content.is_empty());
            content.extend(text.map(content::text));
        }
        Ok(types::Output {
            content,
            structured,
            is_error: result.is_error.unwrap_or(false),
            meta: None,
        })
    }
}

/// Says that there is no answer of MCP behind a status.
fn unanswered(status: u16) -> Error {
    match Response::new(status, Vec::new()).success() {
        Err(error) => error,
        Ok(_) => Error::Failed(format!("the service gave no result (HTTP {status})")),
    }
}

/// Returns an error of the server as text that is bounded and has no control characters.
fn refused(code: i64, message: &str) -> Error {
    let plain = message.chars().map(|character| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    });
    let message: String = plain.take(MAX_MESSAGE).collect();
    let text = format!("the remote server answered with error {code}: {message}");
    match code {
        INVALID_PARAMS => Error::InvalidInput(text),
        _ => Error::Failed(text),
    }
}

/// Says which item of a result cannot be passed on, without anything of it.
fn unfit(index: usize) -> Error {
    let number = index + 1;
    Error::Failed(format!(
        "the remote tool has run, but item {number} of its result is not text, an image, a sound, \
         a resource or a link to one"
    ))
}

/// The method of MCP, which the host knows from those of HTTP.
const METHOD: &str = "tools/call";
/// JSON-RPC 2.0 §5.1.
const INVALID_PARAMS: i64 = -32602;
/// The most characters of a server's message.
const MAX_MESSAGE: usize = 500;

#[cfg(test)]
mod tests;
