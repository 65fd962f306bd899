//! Calls that ask their client, on the wire.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Framing;
use crate::call::CallReply;

/// An `InputRequiredResult` of MCP 2026-07-28.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InputRequired<'a> {
    result_type: &'static str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    input_requests: &'a Map<String, Value>,
    request_state: &'a str,
}

impl Framing {
    /// Returns the message that ends a call.
    pub(super) fn reply(&self, reply: &CallReply) -> Vec<u8> {
        match reply {
            CallReply::Answer(answer) => self.answered(answer),
            CallReply::Asks { requests, state } => {
                let asks = InputRequired {
                    result_type: "input_required",
                    input_requests: requests,
                    request_state: state,
                };
                self.framed("result", &asks)
            }
            CallReply::Pages(pages) => {
                let message = "the user must open a page first; call again afterwards";
                self.error(PAGES, message, Some(json!({"elicitations": pages})))
            }
            CallReply::Lacks(capabilities) => {
                let message = "the tool asks in a way that this client did not declare";
                let data = json!({"requiredCapabilities": capabilities});
                self.error(LACKS_CAPABILITY, message, Some(data))
            }
        }
    }
}

/// Returns the HTTP status of a reply.
pub(super) fn status(reply: &CallReply) -> StatusCode {
    match reply {
        CallReply::Lacks(_) => StatusCode::BAD_REQUEST,
        CallReply::Answer(_) | CallReply::Asks { .. } | CallReply::Pages(_) => StatusCode::OK,
    }
}

/// `MissingRequiredClientCapabilityError` of MCP 2026-07-28.
const LACKS_CAPABILITY: i32 = -32021;
/// `URLElicitationRequiredError` of MCP 2025-11-25.
const PAGES: i32 = -32042;
