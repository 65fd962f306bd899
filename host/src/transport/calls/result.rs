//! The results of calls, and the errors of those that have none, on the wire.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Framing;
use crate::call::Refusal;
use crate::dispatch::Wanted;
use crate::questions::declaration;
use crate::reason::RefusalReason;
use crate::sandbox::{Answer, CallFailure, Fault, PromptMessage, Report, ToolResult};
use crate::transport::described::{Structured, known};
use crate::transport::message::Cursor;

/// A `CallToolResult` of MCP.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallResult<'a> {
    content: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_content: Option<&'a Value>,
    is_error: bool,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
}

impl Framing {
    /// Returns the message with the answer to a call.
    pub(super) fn answered(&self, answer: &Answer) -> Vec<u8> {
        match answer {
            Answer::Tool(result) => self.tool(result),
            Answer::Contents(contents) => {
                self.complete(members([("contents", json!(contents))]), Caching::Private)
            }
            Answer::Members { items, next } => self.members(items, next.clone()),
            Answer::Prompt {
                description,
                messages,
                meta,
            } => {
                let optional = [
                    ("description", description.clone().map(Value::from)),
                    ("_meta", (!meta.is_empty()).then(|| meta.clone().into())),
                ];
                let mut result = members([("messages", self.messages(messages).into())]);
                result.extend(
                    optional
                        .into_iter()
                        .filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))),
                );
                self.complete(result, Caching::Unsaid)
            }
            Answer::Suggestions {
                values,
                total,
                more,
            } => {
                let mut completion =
                    members([("values", json!(values)), ("hasMore", (*more).into())]);
                completion.extend(total.map(|total| ("total".to_owned(), total.into())));
                let result = members([("completion", Value::Object(completion))]);
                self.complete(result, Caching::Unsaid)
            }
            Answer::Failure(failure) => self.failed(failure),
        }
    }

    /// Returns the message about a call without an answer. A model reads the result of a tool; the
    /// others have no such result.
    pub(super) fn failed(&self, failure: &CallFailure) -> Vec<u8> {
        match (&self.wanted, failure.fault) {
            (Wanted::Tool(_), _) => self.tool(&failure.as_tool_result()),
            // One family that cannot list its members costs no one the others.
            (Wanted::Members(_), _) => self.members(&[], None),
            (Wanted::Resource(_), Fault::NotFound) => {
                let code = self.unknown_resource();
                self.error(code, &failure.message, Some(self.about(failure.reason)))
            }
            (_, Fault::NotFound | Fault::Request) => {
                let data = self.about(failure.reason);
                self.error(INVALID_PARAMS, &failure.message, Some(data))
            }
            (_, Fault::Other) => {
                let data = self.about(failure.reason);
                self.error(super::INTERNAL_ERROR, &failure.message, Some(data))
            }
        }
    }

    /// Returns the message about a refusal that is a JSON-RPC error with this code.
    pub(super) fn protocol(&self, code: i32, refusal: &Refusal) -> Vec<u8> {
        let lacking = declaration(refusal.lacking().iter().map(String::as_str));
        let (code, data) = match (&self.wanted, refusal.reason()) {
            (Wanted::Resource(uri), RefusalReason::UnknownTarget) => {
                (self.unknown_resource(), Some(json!({"uri": uri})))
            }
            (_, RefusalReason::CapabilityMissing) => {
                (code, Some(json!({"requiredCapabilities": lacking})))
            }
            _ => (code, None),
        };
        self.error(code, refusal.message(), data)
    }

    /// Returns the notification with a report.
    pub(super) fn report(&self, report: Report) -> Vec<u8> {
        let (method, params) = match report {
            Report::Progress {
                done,
                total,
                message,
            } => {
                let mut params = Map::new();
                params.insert("progressToken".into(), self.progress.clone().into());
                params.insert("progress".into(), done.into());
                params.extend(total.map(|total| ("total".into(), total.into())));
                params.extend(message.map(|text| ("message".into(), text.into())));
                ("notifications/progress", Value::Object(params))
            }
            Report::Message { severity, data } => {
                let params = json!({"level": severity.as_str(), "data": data});
                ("notifications/message", params)
            }
        };
        let notification = json!({"jsonrpc": "2.0", "method": method, "params": params});
        notification.to_string().into_bytes()
    }

    fn tool(&self, result: &ToolResult) -> Vec<u8> {
        let structured = self.results.structured(result);
        let result = CallResult {
            content: &self.results.content(result, structured.as_ref()),
            structured_content: structured.as_ref().map(Structured::value),
            is_error: result.is_error,
            meta: (!result.meta.is_empty()).then_some(&result.meta),
            result_type: self.revision.typed_results.then_some("complete"),
        };
        self.framed("result", &result)
    }

    /// Returns members of the family, with the cursor of the next page: of the same family if its
    /// component has more, and otherwise of the next family.
    fn members(&self, items: &[Value], next: Option<String>) -> Vec<u8> {
        let own = next.map(|own| {
            let mut cursor = Cursor::first(self.wanted.name());
            cursor.own = Some(own);
            cursor.write()
        });
        let cursor = own.or_else(|| self.next_page.clone());
        let mut result = members([("resources", json!(items))]);
        result.extend(cursor.map(|cursor| ("nextCursor".to_owned(), cursor.into())));
        self.complete(result, Caching::Private)
    }

    /// Returns messages with the content that the revision has.
    fn messages(&self, messages: &[PromptMessage]) -> Vec<Value> {
        let lacks = self.revision.lacks;
        let shown = |message: &PromptMessage| json!({"role": message.role, "content": known(&message.content, lacks)});
        messages.iter().map(shown).collect()
    }

    /// Returns a complete result in the form of the revision.
    fn complete(&self, mut result: Map<String, Value>, caching: Caching) -> Vec<u8> {
        if self.revision.typed_results {
            result.extend(members([("resultType", "complete".into())]));
            if caching == Caching::Private {
                let private = [("ttlMs", 0.into()), ("cacheScope", "private".into())];
                result.extend(members(private));
            }
        }
        self.framed("result", &result)
    }

    /// Returns the data of an error: its stable code, and the resource that it is about.
    fn about(&self, reason: &str) -> Value {
        match &self.wanted {
            Wanted::Resource(uri) => json!({"reason": reason, "uri": uri}),
            _ => json!({"reason": reason}),
        }
    }

    /// Returns the code for a resource that does not exist.
    fn unknown_resource(&self) -> i32 {
        if self.revision.typed_results {
            INVALID_PARAMS
        } else {
            RESOURCE_NOT_FOUND
        }
    }
}

/// Returns the failure of a refused call.
pub(super) fn failure(refusal: &Refusal) -> CallFailure {
    let fault = match refusal.reason() {
        RefusalReason::InvalidArguments | RefusalReason::InvalidRequest => Fault::Request,
        _ => Fault::Other,
    };
    CallFailure {
        fault,
        ..CallFailure::new(refusal.reason().as_str(), refusal.message())
    }
}

/// Returns an object with these members.
fn members<const N: usize>(all: [(&str, Value); N]) -> Map<String, Value> {
    let named = all.map(|(name, value)| (name.to_owned(), value));
    named.into_iter().collect()
}

/// Whether a result says how it may be cached (MCP 2026-07-28, "Caching").
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caching {
    /// Not at all, and by no one else.
    Private,
    /// Nothing.
    Unsaid,
}

/// JSON-RPC 2.0 §5.1.
const INVALID_PARAMS: i32 = -32602;
/// MCP before 2026-07-28, "Resources", "Error Handling".
const RESOURCE_NOT_FOUND: i32 = -32002;
