//! The messages of a conversation with a remote MCP server on their way: each with the request's
//! one credential, over the principal's own connection, and each answer searched.

use std::time::Duration;

use http::{StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;
use tokio::time::Instant;

use super::delivery::TRANSACTION;
use super::{Inner, Prepared};
use crate::delegation::planned::{Attempt, Planned, failed};
use crate::delegation::remote::{Courier, RemoteCall, RemoteStep};
use crate::downstream::{DownstreamError, Response};
use crate::egress::{Deadlines, EgressError, Reply, Sent};
use crate::remote::RemoteMessage;

/// One conversation on its way.
struct Carrying<'c> {
    inner: &'c Inner,
    planned: &'c Planned,
    /// What all messages have: where they go, the operator's headers, and the credential.
    prepared: Prepared,
    progress: &'c mut Attempt,
    /// The end of the time for the whole conversation.
    until: Instant,
    /// The first message without an answer.
    unanswered: Option<(EgressError, Sent)>,
}

impl Inner {
    /// Calls a remote tool in a conversation of its own, which has one place at the service.
    pub(super) async fn converse(
        &self,
        planned: &Planned,
        called: RemoteCall<'_>,
        mut prepared: Prepared,
        progress: &mut Attempt,
    ) -> Result<Response, DownstreamError> {
        let service = &planned.service;
        let place = self.place(service).await?;
        let headers = prepared.request.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        let mut carrying = Carrying {
            inner: self,
            planned,
            prepared,
            progress,
            until: Instant::now() + service.settings.deadlines.total,
            unanswered: None,
        };
        let looker = service.looks.looker(self.actor(), planned.mode);
        let answer = called.converse(looker, &mut carrying).await;
        match &carrying.unanswered {
            None => self.leave(place, service, Ok(()), &Sent::default()),
            Some((error, sent)) => self.leave(place, service, Err(error), sent),
        }
        answer
    }
}

impl Courier for Carrying<'_> {
    async fn carry(
        &mut self,
        message: &RemoteMessage,
        step: RemoteStep,
    ) -> Result<Reply, DownstreamError> {
        let settled = self.inner.trail.settled().await;
        let settled = settled.map_err(|_| DownstreamError::AuditUnavailable)?;
        let sent = match step {
            RemoteStep::Call => self.progress.sent.clone(),
            RemoteStep::Prepare | RemoteStep::End => Sent::default(),
        };
        let request = self.request(message)?;
        let transaction = request.headers().get(TRANSACTION).cloned();
        let sending = (&sent, self.deadlines(step));
        let answer = self.inner.send(self.planned, request, sending, settled);
        let answer = answer.await;
        let service = &self.planned.service.settings.name;
        // Nothing depends on how a session ends.
        if step == RemoteStep::End {
            return answer.map_err(|error| failed(&error, service));
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let told = failed(&error, service);
                self.unanswered = Some((error, sent));
                return Err(told);
            }
        };
        let carried = (&self.prepared.credential, transaction.as_ref());
        self.inner.admit(self.planned, carried, &answer).await?;
        Ok(answer)
    }

    fn answered(&mut self, status: StatusCode) {
        self.progress.status = Some(status.as_u16());
    }
}

impl Carrying<'_> {
    /// Returns a message with everything that it carries.
    fn request(
        &self,
        message: &RemoteMessage,
    ) -> Result<http::Request<Full<Bytes>>, DownstreamError> {
        let prepared = &self.prepared.request;
        let mut request = http::Request::new(Full::from(message.body.clone()));
        *request.method_mut() = message.method.clone();
        *request.uri_mut() = prepared.uri().clone();
        let headers = request.headers_mut();
        headers.clone_from(prepared.headers());
        for (name, value) in &message.headers {
            headers.insert(name, value.clone());
        }
        self.inner.identify(self.planned, headers)?;
        Ok(request)
    }

    /// Returns the deadlines of a message: those of the service, within what is left for the whole
    /// conversation. A session ends soon or by itself.
    fn deadlines(&self, step: RemoteStep) -> Deadlines {
        let own = self.planned.service.settings.deadlines;
        let left = self.until.saturating_duration_since(Instant::now());
        match step {
            RemoteStep::Prepare | RemoteStep::Call => Deadlines { total: left, ..own },
            RemoteStep::End => Deadlines::below(END_WITHIN.min(own.total)),
        }
    }
}

/// The longest time for the end of a session, which a caller waits for.
const END_WITHIN: Duration = Duration::from_secs(1);
