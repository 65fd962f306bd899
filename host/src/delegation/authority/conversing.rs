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
        let deadlines = self.deadlines(step)?;
        let request = self.request(message)?;
        let transaction = request.headers().get(TRANSACTION).cloned();
        let sending = (&sent, deadlines);
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

    /// Returns the deadlines of a message. A session ends soon or by itself.
    fn deadlines(&self, step: RemoteStep) -> Result<Deadlines, DownstreamError> {
        let own = self.planned.service.settings.deadlines;
        match step {
            RemoteStep::Prepare | RemoteStep::Call => until(own, self.until, Instant::now()),
            RemoteStep::End => Ok(Deadlines::below(END_WITHIN.min(own.total))),
        }
    }
}

/// Returns the deadlines of a service within what is left for a conversation.
///
/// # Errors
/// Nothing is left. What is sent then may do something that nobody waits to hear of.
fn until(own: Deadlines, end: Instant, now: Instant) -> Result<Deadlines, DownstreamError> {
    let total = end.saturating_duration_since(now);
    if total.is_zero() {
        return Err(DownstreamError::TimedOut);
    }
    Ok(Deadlines { total, ..own })
}

/// The longest time for the end of a session, which a caller waits for.
const END_WITHIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_once_the_time_of_a_conversation_is_over() {
        let (own, now) = (Deadlines::below(Duration::from_secs(9)), Instant::now());
        let end = now + Duration::from_secs(5);
        for (passed, left) in [
            (0, Ok(5_000)),
            (4_999, Ok(1)),
            (5_000, Err(DownstreamError::TimedOut)),
            (6_000, Err(DownstreamError::TimedOut)),
        ] {
            let found = until(own, end, now + Duration::from_millis(passed));
            let total = found.map(|deadlines| deadlines.total);
            assert_eq!(total, left.map(Duration::from_millis), "{passed}");
        }
    }
}
