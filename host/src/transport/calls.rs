//! One permitted call, from its start to its answer on the wire.
//!
//! The call runs in a task of its own: a client that goes away cancels the call, but not its
//! record. The call comes back as a stream of events. If the first event is the end, the answer is
//! JSON. If progress comes first, the answer is a stream of server-sent events that ends with the
//! same message.

use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::answer::{HttpAnswer, Way, message, plain, way};
use super::body::Burden;
use super::described::ResultForm;
use super::discovery::Resource;
use super::events::{self, EventText};
use super::revision::Revision;
use super::sessions::ClientSession;
use crate::call::{CallReply, Entry, Host, Refusal};
use crate::cores;
use crate::dispatch::{TargetRequest, Wanted};
use crate::questions::AskBy;
use crate::reason::RefusalReason;
use crate::sandbox::{ClientView, Report, Severity, Wishes};
use conversation::Conversation;
use recipient::Recipient;
use result::failure;

/// The form of the answer to one call, independent of its content.
pub(super) struct Framing {
    /// The request's id.
    pub(super) id: Value,
    /// What the client wants.
    pub(super) wanted: Wanted,
    /// The cursor of the page of resources after those of the family that it wants, if there is
    /// one.
    pub(super) next_page: Option<String>,
    /// The form that the request's revision of MCP asks for.
    pub(super) revision: Revision,
    /// The form that clients of that revision read results in.
    pub(super) results: ResultForm,
    /// The token under which the client wants to see progress.
    pub(super) progress: Option<Value>,
    /// The resource that refusals name.
    pub(super) resource: Arc<Resource>,
    /// The least severity of the messages that the client wants, if it wants any.
    pub(super) messages: Option<Severity>,
    /// What the component may know of the client.
    pub(super) client: Arc<ClientView>,
    /// The way in which the client can be asked.
    pub(super) ask_by: AskBy,
    /// The session of the call.
    pub(super) session: Option<Arc<ClientSession>>,
}

/// An event of a call.
enum Event {
    /// The call made progress, or sent a message.
    Report(Report),
    /// The host says this to the client: a JSON-RPC request or notification.
    Said(Vec<u8>),
    /// The call ended, with this answer or refusal.
    Ended(Box<Result<CallReply, Refusal>>),
}

/// Makes the call of an admitted caller and answers it.
pub(super) async fn answer(
    host: &Arc<Host>,
    entry: Entry,
    request: TargetRequest,
    (framing, burden): (Framing, Burden),
) -> HttpAnswer {
    let (events, guard) = start(host, entry, request, (&framing, burden));
    framing.answer(events, guard).await
}

/// Starts the call. Returns its events, and what cancels it when it is dropped.
fn start(
    host: &Arc<Host>,
    entry: Entry,
    request: TargetRequest,
    (framing, burden): (&Framing, Burden),
) -> (mpsc::Receiver<Event>, DropGuard) {
    let (sender, events) = mpsc::channel(EVENTS);
    let gone = CancellationToken::new();
    let guard = gone.clone().drop_guard();
    let recipient = Recipient {
        wishes: Wishes {
            progress: framing.progress.is_some(),
            messages: framing.messages,
        },
        events: sender,
        gone: gone.clone(),
        ask_by: framing.ask_by.clone(),
        view: Arc::clone(&framing.client),
        furthest: Mutex::new(f64::NEG_INFINITY),
    };
    let session = framing.session.clone();
    let busy = session.as_ref().map(|one| one.begin(&framing.id, gone));
    let own = Arc::clone(host);
    // From here on the call no longer depends on its client: whatever is decided is recorded.
    let call = async move {
        // The memory of the arguments counts until the call ends, even if the client has gone.
        let (_held, _busy) = (burden.held, busy);
        if burden.costly {
            cores::leave().await;
        }
        let ended = match session.filter(|_| recipient.ask_by.is_by_requests()) {
            None => recipient.deliver(&own, entry, request).await,
            Some(session) => {
                let conversation = Conversation {
                    host: &own,
                    session: &session,
                    recipient: &recipient,
                };
                conversation.hold(entry, request).await
            }
        };
        recipient.say(Event::Ended(Box::new(ended))).await;
    };
    host.calls.spawn(cores::movable(call));
    (events, guard)
}

impl Framing {
    /// Waits for the first event, which decides the form of the answer.
    async fn answer(self, mut events: mpsc::Receiver<Event>, guard: DropGuard) -> HttpAnswer {
        match events.recv().await {
            Some(Event::Ended(ended)) => self.whole(*ended),
            Some(first) => self.stream(first, events, guard),
            None => plain(StatusCode::INTERNAL_SERVER_ERROR, "the host failed"),
        }
    }

    /// Answers a call that was refused.
    pub(super) fn refused(&self, refusal: &Refusal) -> HttpAnswer {
        match way(refusal, &self.resource) {
            Way::Http(answer) => *answer,
            Way::Protocol(code) => {
                let status = if self.revision.strict_errors {
                    StatusCode::BAD_REQUEST
                } else {
                    StatusCode::OK
                };
                let status = match refusal.reason() {
                    RefusalReason::CapabilityMissing => StatusCode::BAD_REQUEST,
                    _ => status,
                };
                message(status, self.protocol(code, refusal))
            }
            Way::ToolResult => message(StatusCode::OK, self.failed(&failure(refusal))),
        }
    }

    /// Answers a call that reported no progress before its end.
    fn whole(&self, ended: Result<CallReply, Refusal>) -> HttpAnswer {
        match ended {
            Ok(reply) => message(asking::status(&reply), self.reply(&reply)),
            // The call may have run, so the client must not take it for one that can be sent again.
            Err(refusal) if refusal.may_have_run() => plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the call cannot be recorded",
            ),
            Err(refusal) => self.refused(&refusal),
        }
    }

    fn stream(self, first: Event, events: mpsc::Receiver<Event>, guard: DropGuard) -> HttpAnswer {
        let write = move |event| EventText {
            is_last: matches!(event, Event::Ended(_)),
            message: self.event(event),
        };
        events::stream(write, (Some(first), events), guard)
    }

    /// Returns the message for an event.
    fn event(&self, event: Event) -> Vec<u8> {
        match event {
            Event::Report(report) => self.report(report),
            Event::Said(message) => message,
            Event::Ended(ended) => self.last(*ended),
        }
    }

    /// Returns the message that ends a stream.
    fn last(&self, ended: Result<CallReply, Refusal>) -> Vec<u8> {
        let refusal = match ended {
            Ok(reply) => return self.reply(&reply),
            Err(refusal) => refusal,
        };
        match way(&refusal, &self.resource) {
            Way::Protocol(code) => self.protocol(code, &refusal),
            Way::ToolResult => self.failed(&failure(&refusal)),
            // The status line has been sent, so only a JSON-RPC error is left to say it.
            Way::Http(_) => {
                let data = json!({"reason": refusal.reason().as_str()});
                self.error(INTERNAL_ERROR, refusal.message(), Some(data))
            }
        }
    }

    fn error(&self, code: i32, text: &str, data: Option<Value>) -> Vec<u8> {
        let mut error = json!({"code": code, "message": text});
        if let (Some(error), Some(data)) = (error.as_object_mut(), data) {
            error.insert("data".into(), data);
        }
        self.framed("error", &error)
    }

    /// Writes a JSON-RPC 2.0 response (§5) member by member, so that the answer is serialized only
    /// once.
    fn framed(&self, name: &str, member: &impl Serialize) -> Vec<u8> {
        let member = serde_json::to_string(member).unwrap_or_else(|_| "null".to_owned());
        let id = &self.id;
        format!(r#"{{"jsonrpc":"2.0","id":{id},"{name}":{member}}}"#).into_bytes()
    }
}

/// The events that wait for a client that is slower than its call.
const EVENTS: usize = 8;
/// JSON-RPC 2.0 §5.1.
const INTERNAL_ERROR: i32 = -32603;

mod asking;
mod conversation;
mod recipient;
mod result;
#[cfg(test)]
mod tests;
