//! The call of a remote tool: one conversation with its server, from the handshake to the end of
//! its session.
//!
//! Trusts no answer of the server. Carries nothing itself: a [`Courier`] sends each message with
//! the one credential of the request, and searches each answer.
//!
//! Invariant: `tools/call` leaves only after this principal has seen the tool as it is pinned, in
//! this conversation or not long before. What prepares the call changes nothing.

use std::sync::Arc;

use bailiwick_journal::chain;
use http::StatusCode;
use serde_json::json;

use super::looks::{Looker, PinnedTools};
use super::planned::Planned;
use super::service::Service;
use super::settings::RemoteSettings;
use crate::cores::apart;
use crate::downstream::{DownstreamError, Response};
use crate::egress::Reply;
use crate::remote::{
    MirroredArgument, RemoteAnswer, RemoteArguments, RemoteConversation, RemoteError,
    RemoteMessage, RemoteReply, RemoteTools, TOOLS_CALL,
};

/// The remote tool that a request calls.
#[derive(Clone, Copy)]
pub(super) struct RemoteCall<'p> {
    service: &'p Service,
    settings: &'p RemoteSettings,
    name: &'p str,
    arguments: &'p RemoteArguments,
}

/// What a message of a conversation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RemoteStep {
    /// It prepares the call, and changes nothing.
    Prepare,
    /// It is the call.
    Call,
    /// It ends the session.
    End,
}

/// What brings a message to the server and its answer back.
pub(super) trait Courier: Send {
    /// Sends a message, and returns the whole answer, which repeats no credential.
    fn carry(
        &mut self,
        message: &RemoteMessage,
        step: RemoteStep,
    ) -> impl Future<Output = Result<Reply, DownstreamError>> + Send;

    /// Notes the HTTP status of the answer to the call. What is no answer of MCP says nothing about
    /// what became of the call, whatever its status.
    fn answered(&mut self, status: StatusCode);
}

impl<'p> RemoteCall<'p> {
    /// Returns the remote tool that a request calls, if it calls one.
    pub(super) fn of(planned: &'p Planned) -> Option<Self> {
        let service = &*planned.service;
        Some(Self {
            service,
            settings: service.settings.remote.as_ref()?,
            name: &planned.below,
            arguments: planned.arguments.as_ref()?,
        })
    }

    /// Holds the conversation in which the tool is called once, and returns the tool's answer.
    pub(super) async fn converse(
        self,
        looker: Looker,
        courier: &mut impl Courier,
    ) -> Result<Response, DownstreamError> {
        let mut conversation = RemoteConversation::new(self.settings.revision);
        let answer = self.call(&mut conversation, looker, courier).await;
        if let Some(end) = conversation.end() {
            // The server forgets the session by itself if this fails.
            let _ended = courier.carry(&end, RemoteStep::End).await;
        }
        answer
    }

    async fn call(
        self,
        conversation: &mut RemoteConversation,
        looker: Looker,
        courier: &mut impl Courier,
    ) -> Result<Response, DownstreamError> {
        if let Some(hello) = conversation.initialize() {
            let (reply, answer) = self.prepare("initialize", &hello, courier).await?;
            let ready = conversation.initialized(&reply.headers, &answer);
            let ready = ready.map_err(|why| self.failed(why))?;
            self.notify(&ready, courier).await?;
        }
        let mirrored = match self.remembered(&looker) {
            Some(mirrored) => mirrored,
            None => self.look(conversation, looker, courier).await?,
        };
        let message = conversation.call(self.name, self.arguments, &mirrored);
        let message = message.map_err(|why| self.failed(why))?;
        let reply = courier.carry(&message, RemoteStep::Call).await?;
        let answer = self.read(&message, &reply).await?;
        // A success without a message says nothing about the call.
        if let RemoteAnswer::Status(status) = answer
            && reply.status.is_success()
        {
            let method = TOOLS_CALL;
            return Err(self.failed(RemoteError::Status { method, status }));
        }
        courier.answered(reply.status);
        Ok(response(reply.status, answer))
    }

    /// Sends a request that prepares the call. A 401 or 403 is about the credential, whatever the
    /// body says.
    async fn prepare(
        self,
        method: &'static str,
        message: &RemoteMessage,
        courier: &mut impl Courier,
    ) -> Result<(Reply, RemoteAnswer), DownstreamError> {
        let reply = courier.carry(message, RemoteStep::Prepare).await?;
        if let status @ (401 | 403) = reply.status.as_u16() {
            return Err(self.failed(RemoteError::Status { method, status }));
        }
        let answer = self.read(message, &reply).await?;
        Ok((reply, answer))
    }

    /// Sends the notification that ends the handshake.
    async fn notify(
        self,
        message: &RemoteMessage,
        courier: &mut impl Courier,
    ) -> Result<(), DownstreamError> {
        let reply = courier.carry(message, RemoteStep::Prepare).await?;
        if reply.status.is_success() {
            return Ok(());
        }
        Err(self.failed(RemoteError::Status {
            method: "notifications/initialized",
            status: reply.status.as_u16(),
        }))
    }

    fn remembered(self, looker: &Looker) -> Option<Arc<[MirroredArgument]>> {
        let (lasts, now_ms) = (self.settings.look_lasts, self.service.clock.now_ms());
        let looks = &self.service.looks;
        looks.remembered(looker, self.name, (lasts, now_ms))
    }

    /// Looks at the definitions of the server's tools, and fails unless this tool's is as pinned.
    async fn look(
        self,
        conversation: &mut RemoteConversation,
        looker: Looker,
        courier: &mut impl Courier,
    ) -> Result<Arc<[MirroredArgument]>, DownstreamError> {
        let (mut tools, mut cursor, mut length) = (RemoteTools::default(), None, 0);
        loop {
            let message = conversation.list(cursor.as_deref());
            let (reply, answer) = self.prepare("tools/list", &message, courier).await?;
            length += reply.body.len();
            cursor = tools.add(&answer).map_err(|why| self.failed(why))?;
            if cursor.is_none() {
                break;
            }
        }
        let ComparedTools { as_pinned, other } = self.compared(tools, length).await?;
        let found = as_pinned.get(self.name).map(Arc::clone);
        let (lasts, now_ms) = (self.settings.look_lasts, self.service.clock.now_ms());
        let looks = &self.service.looks;
        looks.note(looker, as_pinned, (lasts, now_ms));
        found.ok_or_else(|| self.changed(other))
    }

    /// Compares a list of this length with the pins, a long one apart from what serves others.
    async fn compared(
        self,
        tools: RemoteTools,
        length: usize,
    ) -> Result<ComparedTools, DownstreamError> {
        if length <= SHORT {
            return Ok(self.settings.compare(&tools, self.name));
        }
        let (settings, name) = (self.settings.clone(), self.name.to_owned());
        let compared = apart(move |_| settings.compare(&tools, &name));
        compared.await.map_err(lost)
    }

    /// Returns the error for a tool that is not as pinned, or that no client may call.
    fn changed(self, found: Option<(String, Option<RemoteError>)>) -> DownstreamError {
        let (service, tool) = (self.service.settings.name.as_str(), self.name);
        let accepted = self.settings.definitions.get(tool).map(String::as_str);
        let (pin, wrong) = found.unzip();
        if let Some(why) = wrong.flatten()
            && pin.as_deref() == accepted
        {
            return self.failed(why);
        }
        tracing::warn!(
            service,
            tool,
            accepted,
            found = pin.as_deref().unwrap_or("no tool of this name"),
            "a remote tool is not as accepted; look at the change with `bailiwick import mcp`"
        );
        DownstreamError::DefinitionChanged
    }

    /// Reads the answer to a message, a long one apart from what serves others.
    async fn read(
        self,
        message: &RemoteMessage,
        reply: &Reply,
    ) -> Result<RemoteAnswer, DownstreamError> {
        let answer = if reply.body.len() <= SHORT {
            message.answer(said(reply))
        } else {
            let (message, status) = (message.clone(), reply.status);
            let (headers, body) = (reply.headers.clone(), reply.body.clone());
            let read = apart(move |_| {
                message.answer(RemoteReply {
                    status,
                    headers: &headers,
                    body: &body,
                })
            });
            read.await.map_err(lost)?
        };
        answer.map_err(|why| self.failed(why))
    }

    /// Returns the error that the tool gets for an answer that counts for none, and logs the cause.
    fn failed(self, why: RemoteError) -> DownstreamError {
        tracing::warn!(
            service = self.service.settings.name,
            tool = self.name,
            cause = chain(&why),
            "a remote MCP server gave no answer that counts"
        );
        match why {
            RemoteError::Status {
                status: 401 | 403, ..
            } => DownstreamError::CredentialRefused(why.to_string()),
            why => DownstreamError::Unavailable(why.to_string()),
        }
    }
}

/// What a list of tools says.
struct ComparedTools {
    /// Those that are as pinned.
    as_pinned: PinnedTools,
    /// If the tool that is called is not: its pin in the list, and what its schema has wrong.
    other: Option<(String, Option<RemoteError>)>,
}

impl RemoteSettings {
    /// Compares a list of tools with the pins, for a call of the tool `name`.
    fn compare(&self, tools: &RemoteTools, name: &str) -> ComparedTools {
        let pins = self.definitions.iter();
        let as_pinned = pins.filter_map(|(name, pin)| {
            let tool = tools.find(name).filter(|tool| tool.pin() == *pin)?;
            let mirrored = if self.revision.has_handshake() {
                Vec::new()
            } else {
                tool.mirrored().ok()?
            };
            Some((name.clone(), Arc::from(mirrored)))
        });
        let as_pinned: PinnedTools = as_pinned.collect();
        let other = tools.find(name).filter(|_| !as_pinned.contains_key(name));
        let other = other.map(|tool| (tool.pin(), tool.mirrored().err()));
        ComparedTools { as_pinned, other }
    }
}

/// Returns the error for work that went down apart.
fn lost<E>(_: E) -> DownstreamError {
    DownstreamError::Unavailable("the host failed".into())
}

fn said(reply: &Reply) -> RemoteReply<'_> {
    RemoteReply {
        status: reply.status,
        headers: &reply.headers,
        body: &reply.body,
    }
}

/// Returns what the component gets: the result or the error of JSON-RPC, and nothing else of the
/// server's message.
fn response(status: StatusCode, answer: RemoteAnswer) -> Response {
    let body = match answer {
        RemoteAnswer::Result(result) => Some(json!({"result": result})),
        RemoteAnswer::Error { code, message } => {
            Some(json!({"error": {"code": code, "message": message}}))
        }
        RemoteAnswer::Status(_) => None,
    };
    Response {
        status: status.as_u16(),
        headers: Vec::new(),
        body: body.map_or(Vec::new(), |body| body.to_string().into_bytes()),
    }
}

/// The longest answer that is read at once, in bytes.
const SHORT: usize = 64 << 10;

#[cfg(test)]
mod tests;
