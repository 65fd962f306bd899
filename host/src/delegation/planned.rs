//! A downstream call that the grant covers, and its outcome.

use std::sync::Arc;

use bailiwick_envelope::DelegationMode;
use http::{HeaderMap, Method, Uri};

use super::service::Service;
use super::settings::OnCancel;
use crate::audit::{self, Closing, Outcome};
use crate::downstream::DownstreamError;
use crate::egress::EgressError;
use crate::reason::DownstreamReason;

/// A request that the grant covers, ready to be recorded and sent.
pub(super) struct Planned {
    pub(super) service: Arc<Service>,
    pub(super) mode: DelegationMode,
    pub(super) template: String,
    pub(super) method: Method,
    pub(super) target: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// The facts about a downstream call, collected until it ends.
#[derive(Default)]
pub(super) struct Attempt {
    pub(super) status: Option<u16>,
    pub(super) credential: Option<&'static str>,
    pub(super) sending: bool,
}

impl Planned {
    /// Returns true if the request runs on to its answer even when the caller has gone.
    pub(super) fn finishes(&self) -> bool {
        !is_safe(&self.method) && self.service.settings.on_cancel == OnCancel::Finish
    }

    /// Returns the outcome of a request that was given up.
    fn given_up(&self, progress: &Attempt) -> Outcome {
        if progress.sending && !is_safe(&self.method) {
            Outcome::Unknown
        } else {
            Outcome::Cancelled
        }
    }

    /// Returns the request's part of a record.
    pub(super) fn record(&self) -> audit::Request {
        audit::Request {
            service: (&self.service.settings.name).into(),
            method: self.method.as_str().into(),
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
    if progress.sending && progress.status.is_none() && !is_safe(method) {
        return Outcome::Unknown;
    }
    match error {
        DownstreamError::TimedOut => Outcome::TimedOut,
        DownstreamError::Unavailable(_) | DownstreamError::TooLarge if progress.sending => {
            Outcome::Failed
        }
        DownstreamError::Unavailable(_) | DownstreamError::AuditUnavailable => Outcome::Failed,
        _ if progress.sending => Outcome::Failed,
        _ => Outcome::Refused,
    }
}

/// Returns the error that the tool gets for a call that ended in `outcome`. A tool that believes
/// that nothing happened sends its request again, so a request that may have changed something
/// never becomes `unavailable` or `timed-out`, not even when only the record of its response is
/// missing.
pub(super) fn error_of(
    error: DownstreamError,
    outcome: Outcome,
    progress: &Attempt,
    method: &Method,
) -> DownstreamError {
    let unrecorded = error == DownstreamError::AuditUnavailable;
    if outcome == Outcome::Unknown || unrecorded && progress.sending && !is_safe(method) {
        return DownstreamError::UnknownOutcome(Box::new(error));
    }
    error
}

/// Returns the error that the tool gets when no response came.
pub(super) fn failed(error: &EgressError) -> DownstreamError {
    match error {
        EgressError::TimedOut => DownstreamError::TimedOut,
        EgressError::TooLarge(_) => DownstreamError::TooLarge,
        EgressError::Blocked(blocked) => {
            tracing::error!(cause = %blocked, "a service's address must not be dialled");
            DownstreamError::Unavailable("the service cannot be reached".into())
        }
        EgressError::Unreachable(_) => {
            DownstreamError::Unavailable("the service cannot be reached".into())
        }
        EgressError::Broken(_) => {
            DownstreamError::Unavailable("the connection to the service broke".into())
        }
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
