//! Requests that the front door refuses by itself.

use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use super::{Front, to_its_end};
use crate::call::{self, Entry};
use crate::transport::answer::{HttpAnswer, Way, plain, way};
use crate::transport::revision::Improper;

impl Front {
    /// Refuses a call that breaks the rules of MCP, before anything is said about its target.
    pub(super) async fn improper(
        &self,
        entry: Entry,
        id: &Value,
        improper: &Improper,
    ) -> HttpAnswer {
        let host = Arc::clone(&self.host);
        let refuse = async move { call::improper(&host, entry.caller()).await };
        match to_its_end(&self.host, refuse).await {
            Ok(refusal) if refusal.is_unrecordable() => self.refuse(&refusal),
            Ok(_) => improper.answer(id),
            Err(_) => failed(),
        }
    }

    pub(super) fn refuse(&self, refusal: &call::Refusal) -> HttpAnswer {
        match way(refusal, &self.resource) {
            Way::Http(answer) => *answer,
            Way::Protocol(_) | Way::ToolResult => {
                plain(StatusCode::INTERNAL_SERVER_ERROR, "refused")
            }
        }
    }
}

/// Answers that a path has only these methods.
pub(super) fn only(text: &str, methods: &'static str) -> HttpAnswer {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, text);
    let methods = HeaderValue::from_static(methods);
    answer.headers_mut().insert(header::ALLOW, methods);
    answer
}

pub(super) fn failed() -> HttpAnswer {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "the host failed")
}
