//! Bodies of admitted callers: read whole, parsed once, held while they count.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use super::{Front, failed};
use crate::identity::Caller;
use crate::principal::Principal;
use crate::seams::Clock;
use crate::transport::answer::{HttpAnswer, later, plain, protocol_error};
use crate::transport::body::{Burden, Unread, WholeBody};
use crate::transport::message::{BadMessage, Message};

impl Front {
    /// Takes a whole message that came in another way than as the body of a request.
    pub(in crate::transport) fn whole(
        &self,
        caller: &Caller,
        bytes: Vec<u8>,
    ) -> Result<WholeBody, Unread> {
        self.bodies.hold(Principal::from(caller), bytes)
    }

    /// Parses a body, and holds the memory of its values for as long as the request lasts. A
    /// failure has the id of the request, if that could be read.
    pub(in crate::transport) async fn parse(
        &self,
        caller: &Caller,
        body: Result<WholeBody, Unread>,
    ) -> Result<(Message, Burden), (Value, HttpAnswer)> {
        let body = body.map_err(|why| (Value::Null, unread(&why)))?;
        // Costly bodies wait for those of the same caller, so that others need not wait for them.
        let (bytes, costly) = (body.len(), body.is_costly());
        let parsed = if costly {
            let turn = Box::pin(self.host.checks.turn(caller)).await;
            let turn = turn.map_err(|full| (Value::Null, later(full.message())))?;
            let parsed = Box::pin(body.parse_apart(turn, Message::parse)).await;
            parsed.map_err(|_panicked| (Value::Null, failed()))?
        } else {
            body.parse(Message::parse)
        };
        let message = parsed.map_err(|BadMessage { id, code, message }| {
            let answer = protocol_error(&id, code, &message, None);
            (id, answer)
        })?;
        match self.parsed.hold(Principal::from(caller), message.values) {
            Ok(held) => {
                let burden = Burden {
                    held,
                    bytes,
                    costly,
                };
                Ok((message, burden))
            }
            Err(why) => Err((message.id, unread(&why))),
        }
    }

    /// Returns the clock of the host.
    pub(in crate::transport) fn clock(&self) -> &Arc<dyn Clock> {
        &self.host.clock
    }

    /// Returns the path of the MCP endpoint.
    pub(in crate::transport) fn path(&self) -> &str {
        self.resource.path()
    }

    /// Returns the size of the largest message, in bytes.
    pub(in crate::transport) fn max_body(&self) -> usize {
        self.settings.max_body
    }
}

/// Answers that a body was not read.
fn unread(why: &Unread) -> HttpAnswer {
    match why {
        Unread::Busy => later("the host is busy; try again"),
        Unread::TooMany => {
            later("you have too many requests under way; try again when some have ended")
        }
        Unread::TooLarge => plain(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large (limits.input)",
        ),
        Unread::Broken => plain(StatusCode::BAD_REQUEST, "the body ended too early"),
        Unread::Slow => plain(StatusCode::REQUEST_TIMEOUT, "the body took too long"),
    }
}
