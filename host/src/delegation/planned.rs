//! A downstream call that the grant covers, and its outcome.

use std::sync::Arc;

use bailiwick_envelope::DelegationMode;
use http::{HeaderMap, Method, Uri};
use hyper::body::Bytes;
use sha2::{Digest as _, Sha256};

use super::asker::KnownActor;
use super::content::Content;
use super::idempotency::{RequestDigest, RequestKey};
use super::service::Service;
use super::settings::OnCancel;
use crate::audit::{self, Closing, Outcome};
use crate::downstream::DownstreamError;
use crate::egress::{EgressError, Sent};
use crate::reason::DownstreamReason;
use crate::remote::{RemoteArguments, TOOLS_CALL};

/// A request that the grant covers, ready to be recorded and sent.
pub(super) struct Planned {
    pub(super) service: Arc<Service>,
    pub(super) mode: DelegationMode,
    pub(super) template: String,
    /// Another template for which the service may take it, with the method.
    pub(super) other_meaning: Option<String>,
    /// The method of HTTP.
    pub(super) method: Method,
    /// Path and query below the service's URL, or the name of the remote tool.
    pub(super) below: String,
    pub(super) target: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The arguments, if it calls a remote tool.
    pub(super) arguments: Option<RemoteArguments>,
}

/// The facts about a downstream call, collected until it ends.
#[derive(Default)]
pub(super) struct Attempt {
    pub(super) status: Option<u16>,
    pub(super) credential: Option<&'static str>,
    pub(super) sent: Sent,
    /// Whether the exchange for the credential may have left.
    pub(super) exchange: Sent,
    /// The key that the service recognizes the request by.
    pub(super) key: Option<RequestKey>,
}

impl Attempt {
    /// Returns whether the request changes something and may have reached the service.
    fn may_have_changed(&self, method: &Method) -> bool {
        self.sent.may_have_arrived() && !is_safe(method)
    }
}

impl Planned {
    /// Returns what rules and the policy point judge of a request of an agent for an actor.
    pub(super) fn content<'p>(&'p self, known: KnownActor<'p>, agent: &'p str) -> Content<'p> {
        Content {
            service: &self.service.settings.name,
            method: self.told_method(),
            target: &self.below,
            headers: &self.headers,
            body: &self.body,
            known,
            agent,
        }
    }

    /// Returns the method as records, rules and the policy point have it.
    fn told_method(&self) -> &str {
        if self.arguments.is_some() {
            TOOLS_CALL
        } else {
            self.method.as_str()
        }
    }

    /// Returns true if the request runs on to its answer even when the caller has gone.
    pub(super) fn finishes(&self) -> bool {
        !is_safe(&self.method) && self.service.settings.on_cancel == OnCancel::Finish
    }

    /// Digests everything that a tool can choose about the request.
    pub(super) fn digest(&self) -> RequestDigest {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update(bytes.len().to_be_bytes());
            hash.update(bytes);
        };
        part(self.service.settings.name.as_bytes());
        part(self.told_method().as_bytes());
        part(self.below.as_bytes());
        part(&self.body);
        for (name, value) in &self.headers {
            part(name.as_str().as_bytes());
            part(value.as_bytes());
        }
        hash.finalize().into()
    }

    /// Returns the outcome of a request that was given up.
    fn given_up(&self, progress: &Attempt) -> Outcome {
        if progress.may_have_changed(&self.method) {
            Outcome::Unknown
        } else {
            Outcome::Cancelled
        }
    }

    /// Returns the request's part of a record.
    pub(super) fn record(&self) -> audit::Request {
        audit::Request {
            service: (&self.service.settings.name).into(),
            method: self.told_method().into(),
            path_template: Some((&self.template).into()),
        }
    }

    /// Returns the record of the request's end. `Err(None)` is a request that was given up.
    pub(super) fn closing<T>(
        &self,
        result: &Result<T, Option<DownstreamError>>,
        progress: &Attempt,
    ) -> Closing {
        let (outcome, reason) = match result {
            Ok(_) => (Outcome::Done, None),
            Err(Some(error)) => {
                let outcome = outcome_of(error, progress, &self.method);
                (outcome, Some(error.reason()))
            }
            Err(None) => (self.given_up(progress), Some(DownstreamReason::Cancelled)),
        };
        Closing {
            outcome,
            reason,
            status: progress.status,
            credential_kind: progress.credential,
        }
    }
}

/// Returns true if the method changes nothing (RFC 9110 §9.2.1), so that a request without a
/// response did nothing either.
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Returns the outcome of a downstream call without a response that the tool may see.
fn outcome_of(error: &DownstreamError, progress: &Attempt, method: &Method) -> Outcome {
    // Once a request that changes something is on its way, only its response says what it did.
    if progress.status.is_none() && progress.may_have_changed(method) {
        return Outcome::Unknown;
    }
    match error {
        DownstreamError::TimedOut => Outcome::TimedOut,
        DownstreamError::Unavailable(_) | DownstreamError::AuditUnavailable => Outcome::Failed,
        _ if progress.sent.may_have_arrived() => Outcome::Failed,
        _ => Outcome::Refused,
    }
}

/// Returns the error that the tool gets for a call that gave it no response. A tool that believes
/// that nothing happened sends its request again, so a request that may have changed something has
/// one error only, whatever the cause: not even a response that is withheld, or whose record is
/// missing, has another one.
pub(super) fn error_of(
    error: DownstreamError,
    progress: &Attempt,
    method: &Method,
) -> DownstreamError {
    if progress.may_have_changed(method) {
        return DownstreamError::UnknownOutcome(Box::new(error));
    }
    error
}

/// Returns the error that the tool gets when no response came, and logs the cause.
pub(super) fn failed(error: &EgressError, service: &str) -> DownstreamError {
    tracing::warn!(
        service,
        cause = error.with_causes(),
        "a service gave no answer"
    );
    match error {
        EgressError::TimedOut(_) => DownstreamError::TimedOut,
        EgressError::TooLarge(_) => DownstreamError::TooLarge,
        EgressError::Blocked(blocked) => {
            tracing::error!(service, cause = %blocked, "a service's address must not be dialled");
            DownstreamError::Unavailable("the service cannot be reached".into())
        }
        EgressError::Unreachable(_) => {
            DownstreamError::Unavailable("the service cannot be reached".into())
        }
        EgressError::Broken(_) => {
            DownstreamError::Unavailable("the connection to the service broke".into())
        }
        EgressError::Coded(why) => DownstreamError::Unavailable(format!(
            "the host cannot decode the service's answer: {why}"
        )),
        EgressError::Unreadable(_) => DownstreamError::Unavailable(
            "the service's answer is not HTTP that the host reads: it may have a status of 200 to \
             599 and 100 header lines, none of them folded"
                .into(),
        ),
    }
}

/// Returns the service's base with a path and query below it.
pub(super) fn absolute(base: &Uri, target: &str) -> Result<Uri, DownstreamError> {
    let refused = |_| DownstreamError::InvalidRequest("the path does not form a URL".into());
    let path = base.path().trim_end_matches('/');
    let mut parts = base.clone().into_parts();
    parts.path_and_query = Some(format!("{path}{target}").try_into().map_err(refused)?);
    Uri::from_parts(parts)
        .map_err(|_| DownstreamError::InvalidRequest("the path does not form a URL".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(sent: Sent, status: Option<u16>) -> Attempt {
        Attempt {
            status,
            sent,
            ..Attempt::default()
        }
    }

    fn errors() -> [DownstreamError; 5] {
        [
            DownstreamError::TooLarge,
            DownstreamError::CredentialRefused("it repeats one".into()),
            DownstreamError::Unavailable("the host failed".into()),
            DownstreamError::TimedOut,
            DownstreamError::AuditUnavailable,
        ]
    }

    #[test]
    fn no_error_invites_a_tool_to_repeat_what_a_service_may_have_done() {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for status in [None, Some(200)] {
                for error in errors() {
                    let progress = attempt(Sent::arrived(), status);
                    let told = error_of(error.clone(), &progress, &method);
                    assert_eq!(told.reason(), error.reason(), "the journal has the cause");
                    assert_eq!(told, DownstreamError::UnknownOutcome(Box::new(error)));
                }
            }
        }
    }

    #[test]
    fn a_request_that_did_not_leave_or_changes_nothing_keeps_its_error() {
        for error in errors() {
            let unsent = attempt(Sent::default(), None);
            assert_eq!(error_of(error.clone(), &unsent, &Method::POST), error);
            let read = attempt(Sent::arrived(), Some(200));
            assert_eq!(error_of(error.clone(), &read, &Method::GET), error);
        }
    }

    #[test]
    fn a_deadline_before_the_request_left_is_no_unknown_outcome() {
        let error = DownstreamError::TimedOut;
        for (sent, expected) in [
            (Sent::default(), Outcome::TimedOut),
            (Sent::arrived(), Outcome::Unknown),
        ] {
            let progress = attempt(sent, None);
            assert_eq!(outcome_of(&error, &progress, &Method::POST), expected);
        }
        let withheld = attempt(Sent::arrived(), Some(200));
        let outcome = outcome_of(&DownstreamError::TooLarge, &withheld, &Method::POST);
        assert_eq!(outcome, Outcome::Failed, "the service answered");
    }
}
